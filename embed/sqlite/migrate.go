package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
)

// Migration is one numbered step of a schema.
type Migration struct {
	Number int    // from 1, without gaps
	Name   string // of the file, "0001_first.sql"
	SHA256 string // of its bytes, lower-case hex
	sql    string
}

var migrationName = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

// Migrations lists the steps in fsys by number. A file of another name, and a
// gap in the numbers, are errors.
func Migrations(fsys fs.FS) ([]Migration, error) {
	entries, err := fs.ReadDir(fsys, ".") // sorted by name, so by number
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var list []Migration
	for _, e := range entries {
		parts := migrationName.FindStringSubmatch(e.Name())
		if parts == nil || e.IsDir() {
			return nil, fmt.Errorf("migration %q: must be named like 0001_name.sql", e.Name())
		}
		number, err := strconv.Atoi(parts[1])
		if err != nil || number != len(list)+1 {
			return nil, fmt.Errorf("migration %q: its number must be %04d", e.Name(), len(list)+1)
		}
		text, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", e.Name(), err)
		}
		sum := sha256.Sum256(text)
		list = append(list, Migration{Number: number, Name: e.Name(), SHA256: hex.EncodeToString(sum[:]), sql: string(text)})
	}
	return list, nil
}

// Migrate brings a database to the newest schema in fsys, each step in a
// transaction of its own that also records it: after an error or a power cut a
// step is wholly there or not at all. A database that has more steps is
// ErrNewer; one whose steps were others is ErrChanged. db is the writer.
func Migrate(ctx context.Context, db *sql.DB, fsys fs.FS) error {
	list, err := Migrations(fsys)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (
		number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT`)
	if err != nil {
		return fmt.Errorf("table of migrations: %w", unreadable(err))
	}
	held, err := applied(ctx, db)
	if err != nil {
		return fmt.Errorf("table of migrations: %w", unreadable(err))
	}
	for i, h := range held {
		switch {
		case i >= len(list):
			return fmt.Errorf("%w: it has migration %s, this program knows %d", ErrNewer, h.Name, len(list))
		case h.Number != list[i].Number || h.Name != list[i].Name || h.SHA256 != list[i].SHA256:
			return fmt.Errorf("%w: %s was applied as %s, this program has %s", ErrChanged, h.Name, h.SHA256, list[i].SHA256)
		}
	}
	for _, m := range list[len(held):] {
		if err := m.apply(ctx, db); err != nil {
			return fmt.Errorf("migration %s: %w", m.Name, Explain(err))
		}
	}
	return nil
}

func applied(ctx context.Context, db *sql.DB) (held []Migration, err error) {
	rows, err := db.QueryContext(ctx, "SELECT number, name, sha256 FROM migrations ORDER BY number")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m Migration
		if err := rows.Scan(&m.Number, &m.Name, &m.SHA256); err != nil {
			return nil, err
		}
		held = append(held, m)
	}
	return held, rows.Err()
}

func (m Migration) apply(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, m.sql); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO migrations (number, name, sha256) VALUES (?, ?, ?)", m.Number, m.Name, m.SHA256)
	if err != nil {
		return err
	}
	return tx.Commit()
}
