package table

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"koprik/embed/sqlite"
	"koprik/embed/table/read"
	"koprik/internal/disk"
	"koprik/portal"
)

// rowsPerInsert rows go into one statement: 331,000 rows a CPU-second against
// 221,000 with one (spec/text-and-search.md, "Tables").
const rowsPerInsert = 50

// maxVariables of one statement: SQLite's limit.
const maxVariables = 32766

// build makes all tables of a resource and then the list of them.
func (s *Store) build(ctx context.Context, key string, r portal.Resource) (listing, error) {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return listing{}, disk.Classify(err)
	}
	root, err := disk.OpenRoot(s.dir)
	if err != nil {
		return listing{}, err
	}
	defer root.Close()
	object, size, err := s.objects.Object(ctx, r.Hash)
	if err != nil {
		return listing{}, err
	}
	defer object.Close()
	tmp, err := os.MkdirTemp(s.dir, tempPrefix+"*")
	if err != nil {
		return listing{}, disk.Classify(err)
	}
	defer os.RemoveAll(tmp)

	var l listing
	err = s.buildSheets(ctx, object, size, r, root, tmp, key, &l)
	if read.Unreadable(err) && ctx.Err() == nil {
		l, err = listing{Unreadable: err.Error()}, nil
	}
	if err != nil {
		return listing{}, err
	}
	data, err := json.Marshal(l)
	if err != nil {
		return listing{}, fmt.Errorf("list of tables: %w", err)
	}
	if err := disk.WriteFile(root, key+".json", data); err != nil {
		return listing{}, err
	}
	return l, nil
}

func (s *Store) buildSheets(ctx context.Context, src io.ReaderAt, size int64, r portal.Resource, root *disk.Root, tmp, key string, l *listing) error {
	f, err := read.Open(ctx, src, size, r, tmp)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Each(func(t *read.Table) error {
		table := tableKey(key, t.Sheet())
		temp := filepath.Join(tmp, table+".db")
		if err := fill(ctx, temp, t); err != nil {
			return fmt.Errorf("build table: %w", disk.Classify(sqlite.Explain(err)))
		}
		if err := finish(root, filepath.Join(filepath.Base(tmp), table+".db"), table+".db"); err != nil {
			return err
		}
		l.Tables = append(l.Tables, listed{Key: table, Info: t.Info()})
		return nil
	})
}

// finish makes the file durable under its name: Sync, Rename, Sync the folder.
func finish(root *disk.Root, temp, name string) error {
	f, err := root.OpenFile(filepath.ToSlash(temp), os.O_RDWR)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := root.Rename(filepath.ToSlash(temp), name); err != nil {
		return err
	}
	return root.SyncDir(".")
}

// fill writes the rows of a table into a new database at path. Columns are
// called c0, c1, …: no label ever stands in SQL. They have no declared type, so
// SQLite keeps every value as it is given.
func fill(ctx context.Context, path string, t *read.Table) error {
	db, err := sql.Open("sqlite", buildDSN(path))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "CREATE TABLE t ("+columnList(t.Width())+")"); err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := insertRows(ctx, tx, t); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return errors.Join(conn.Close(), db.Close())
}

func columnList(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "c%d", i)
	}
	return b.String()
}

// insertRows casts and inserts all rows, many a statement.
func insertRows(ctx context.Context, tx *sql.Tx, t *read.Table) error {
	width := t.Width()
	many := max(1, min(rowsPerInsert, maxVariables/width))
	full, err := tx.PrepareContext(ctx, insertSQL(width, many))
	if err != nil {
		return err
	}
	defer full.Close()
	batch := make([]any, 0, many*width)
	bytes := 0
	flush := func(stmt *sql.Stmt) error {
		_, err := stmt.ExecContext(ctx, batch...)
		batch, bytes = batch[:0], 0
		return err
	}
	flushSome := func() error {
		stmt, err := tx.PrepareContext(ctx, insertSQL(width, len(batch)/width))
		if err != nil {
			return err
		}
		defer stmt.Close()
		return flush(stmt)
	}
	err = t.Rows(ctx, batch, func(out []any, n int) ([]any, error) {
		batch, bytes = out, bytes+n
		var err error
		switch {
		case len(batch) == many*width:
			err = flush(full)
		case bytes > read.MaxRecord:
			err = flushSome()
		}
		return batch, err
	})
	if err == nil && len(batch) > 0 {
		err = flushSome()
	}
	return err
}

func insertSQL(width, rows int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", width), ",") + ")"
	return "INSERT INTO t VALUES " + strings.TrimSuffix(strings.Repeat(row+",", rows), ",")
}
