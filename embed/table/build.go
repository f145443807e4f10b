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

// batchesAhead are read and cast while one is inserted: the two take about as
// long, and a machine has two cores.
const batchesAhead = 4

// insertRows inserts all rows, many a statement, while the next are read.
func insertRows(ctx context.Context, tx *sql.Tx, t *read.Table) error {
	width := t.Width()
	many := max(1, min(rowsPerInsert, maxVariables/width))
	full, err := tx.PrepareContext(ctx, insertSQL(width, many))
	if err != nil {
		return err
	}
	defer full.Close()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	ready, free := make(chan []any, batchesAhead), make(chan []any, batchesAhead)
	for range batchesAhead {
		free <- make([]any, 0, many*width)
	}
	ended := make(chan error, 1)
	go func() {
		defer close(ready)
		ended <- readBatches(reading, t, many*width, ready, free)
	}()
	for batch := range ready {
		if err := insertBatch(ctx, tx, full, batch, many, width); err != nil {
			stop()
			for range ready { // the reader sees that nobody reads on
			}
			return errors.Join(err, notCancelled(<-ended))
		}
		free <- batch[:0]
	}
	return <-ended
}

// notCancelled passes over the end that insertRows asked for.
func notCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// readBatches casts rows into the free slices and hands them over when they have
// size values, or a lot of text.
func readBatches(ctx context.Context, t *read.Table, size int, ready chan<- []any, free <-chan []any) error {
	bytes := 0
	last := <-free
	err := t.Rows(ctx, last, func(out []any, n int) ([]any, error) {
		last, bytes = out, bytes+n
		if len(out) < size && bytes <= read.MaxRecord {
			return out, nil
		}
		bytes = 0
		select {
		case ready <- out:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case last = <-free:
			return last, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	if err == nil && len(last) > 0 {
		ready <- last
	}
	return err
}

// insertBatch inserts whole rows; full is the statement for many of them.
func insertBatch(ctx context.Context, tx *sql.Tx, full *sql.Stmt, batch []any, many, width int) error {
	if len(batch) == many*width {
		_, err := full.ExecContext(ctx, batch...)
		return err
	}
	stmt, err := tx.PrepareContext(ctx, insertSQL(width, len(batch)/width))
	if err != nil {
		return err
	}
	defer stmt.Close()
	_, err = stmt.ExecContext(ctx, batch...)
	return err
}

func insertSQL(width, rows int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", width), ",") + ")"
	return "INSERT INTO t VALUES " + strings.TrimSuffix(strings.Repeat(row+",", rows), ",")
}
