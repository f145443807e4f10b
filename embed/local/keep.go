package local

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"koprik/embed/sqlite"
)

// CopyTo writes everything into a new database at path, as it is at one moment:
// others may read and write meanwhile. What is there must be an empty file, or
// nothing. Nothing that was deleted is in it.
func (l *Local) CopyTo(ctx context.Context, path string) error {
	if _, err := l.db.Write.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return fmt.Errorf("copy of the local database: %w", sqlite.Explain(err))
	}
	return nil
}

// maxFaults is how many things that are wrong Check tells of.
const maxFaults = 20

// Check reads the whole file and gives what is wrong with it, in words; nothing when
// it is whole.
func (l *Local) Check(ctx context.Context) (faults []string, err error) {
	rows, err := l.db.Read.QueryContext(ctx, `PRAGMA integrity_check(20)`)
	if err != nil {
		return nil, fmt.Errorf("local database: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var says string
		if err := rows.Scan(&says); err != nil {
			return nil, fmt.Errorf("local database: %w", sqlite.Explain(err))
		}
		if says != "ok" {
			faults = append(faults, strings.TrimSpace(says))
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("local database: %w", sqlite.Explain(err))
	}
	orphans, err := l.orphans(ctx)
	return append(faults, orphans...), err
}

// orphans are rows that name what is not there.
func (l *Local) orphans(ctx context.Context) (faults []string, err error) {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT "table", coalesce("rowid", 0), "parent" FROM pragma_foreign_key_check LIMIT ?`, maxFaults)
	if err != nil {
		return nil, fmt.Errorf("local database: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var table, parent string
		var row int64
		if err := rows.Scan(&table, &row, &parent); err != nil {
			return nil, fmt.Errorf("local database: %w", sqlite.Explain(err))
		}
		faults = append(faults, fmt.Sprintf("%s: row %d names what %s does not have", table, row, parent))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("local database: %w", sqlite.Explain(err))
	}
	return faults, nil
}

// lifeBits are those of a sequence number that count within one life of a node; the
// life stands above them.
const lifeBits = 32

// maxLife keeps sequence numbers within what SQLite counts.
const maxLife = 1<<(63-lifeBits) - 1

// BeginLife is called on a copy that is to be used from now on: life, which is to be
// drawn by lot, stands above every number that is given from now on, so that none is
// given that the original has given since the copy was made. Whoever was signed in is
// signed out. state is set with it, all of it or nothing.
func (l *Local) BeginLife(ctx context.Context, life uint32, state map[string]string) error {
	return l.write(ctx, "new life", func(tx *sql.Tx) error {
		first := int64(life&maxLife) << lifeBits
		if _, err := tx.ExecContext(ctx, `INSERT INTO counters (name, value) VALUES ('sequence', ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, first); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions`); err != nil {
			return err
		}
		for key, value := range state {
			if _, err := tx.ExecContext(ctx, `INSERT INTO state (key, value) VALUES (?, ?)
				ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value); err != nil {
				return err
			}
		}
		return nil
	})
}
