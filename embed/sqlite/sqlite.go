// Package sqlite opens the databases that live inside the process: one
// connection that writes, several that read, and numbered migrations. It holds
// the knowledge of how SQLite is to be set up, and no table of its own but the
// list of migrations.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// DefaultReaders is how many connections read at once when nobody says. One
// more waits until one is given back.
const DefaultReaders = 16

// idleReaders are kept open when nobody reads; each may hold 2 MB of pages.
const idleReaders = 8

// Options say what kind of database it is.
type Options struct {
	// ApplicationID stands in the header of the file and tells our databases
	// from each other's and from foreign ones. Must not be 0.
	ApplicationID uint32
	// Relaxed sets synchronous=NORMAL: a power cut may undo the newest commits,
	// whole. Without it (FULL) a commit is on the platter when it returns.
	Relaxed bool
	// Readers is how many connections may read at once; 0 means DefaultReaders.
	Readers int
	// Erase overwrites what is deleted with zeros.
	Erase bool
}

// DB is an open database in WAL mode: readers never wait for the writer, nor
// the writer for them.
type DB struct {
	Write *sql.DB // one connection; its transactions begin as IMMEDIATE
	Read  *sql.DB // several connections that cannot write
}

// Open opens or creates the database at path, whose folder must exist. A file
// that is no database, is cut short or has another ApplicationID is ErrDamaged.
// Nothing is ever deleted.
func Open(path string, o Options) (*DB, error) {
	if o.ApplicationID == 0 {
		return nil, fmt.Errorf("open %s: no application id", path)
	}
	if err := looksWhole(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	write, err := dsn(path, o, true)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	read, err := dsn(path, o, false)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db := &DB{}
	if db.Write, err = sql.Open("sqlite", write); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if db.Read, err = sql.Open("sqlite", read); err != nil {
		db.Write.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	readers := o.Readers
	if readers <= 0 {
		readers = DefaultReaders
	}
	db.Write.SetMaxOpenConns(1)
	db.Read.SetMaxOpenConns(readers)
	db.Read.SetMaxIdleConns(-1) // none that looked at the file before it was ours is kept
	if err := claim(context.Background(), db, o.ApplicationID); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", path, Explain(err))
	}
	db.Read.SetMaxIdleConns(min(readers, idleReaders))
	return db, nil
}

// Close gives all connections back; the last one folds the log into the file.
func (db *DB) Close() error {
	return errors.Join(db.Read.Close(), db.Write.Close())
}

// pageSize is SQLite's own, which we leave.
const pageSize = 4096

// looksWhole finds by its length a file that was cut short. A file of length 0
// beside a log must be kept from SQLite, which would delete the log: ours are a
// page long before their log is made. Beside a log or a journal a part of a
// page at the end may be a write that was interrupted, which these mend.
func looksWhole(path string) error {
	size, err := length(path)
	if err != nil {
		return err
	}
	log, err := length(path + "-wal")
	if err != nil {
		return err
	}
	journal, err := length(path + "-journal")
	switch {
	case err != nil:
		return err
	case log > 0 && size == 0:
		return fmt.Errorf("%w: the file is empty or gone, its log is not", ErrDamaged)
	case log == 0 && journal == 0 && size%pageSize != 0:
		return fmt.Errorf("%w: its length is %d, not a multiple of %d", ErrDamaged, size, pageSize)
	}
	return nil
}

// length of a file in bytes; 0 when there is none.
func length(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// claim checks whose file it is, and marks it as ours when it is empty. It
// looks through a reader: the writer would turn a foreign file to WAL.
func claim(ctx context.Context, db *DB, id uint32) error {
	var held, objects int64
	if err := db.Read.QueryRowContext(ctx, "PRAGMA application_id").Scan(&held); err != nil {
		return unreadable(err)
	}
	if err := db.Read.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return unreadable(err)
	}
	switch {
	case uint32(held) == id: //nolint:gosec // the header's 32 bits, read as signed
		return db.Write.PingContext(ctx)
	case held == 0 && objects == 0:
		_, err := db.Write.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", int32(id))) //nolint:gosec // as above
		return err
	}
	return fmt.Errorf("%w: its application id is %#x, not %#x", ErrDamaged, uint32(held), id) //nolint:gosec // as above
}

// dsn spells the database and its settings as the driver reads them. Settings
// stand here because statements on a pool reach one connection only.
func dsn(path string, o Options, write bool) (string, error) {
	uri, err := fileURI(path)
	if err != nil {
		return "", err
	}
	q := url.Values{}
	q.Add("_busy_timeout", "5000") // ms; another process that holds the file, a recovery
	q.Add("_foreign_keys", "on")
	q.Add("_dqs", "0")       // "x" is a name, never a string
	q.Add("_defensive", "1") // no statement may damage the file
	q.Add("_pragma", "trusted_schema(off)")
	q.Add("_pragma", "cell_size_check(on)")
	if write {
		q.Add("_txlock", "immediate")
		q.Add("_journal_mode", "WAL")
		q.Add("_pragma", "journal_size_limit(16777216)") // bytes of log kept after a large change
		if o.Erase {
			q.Add("_pragma", "secure_delete(on)")
		}
		q.Add("_synchronous", "FULL")
		if o.Relaxed {
			q.Set("_synchronous", "NORMAL")
		}
	} else {
		q.Add("_query_only", "on")
	}
	return uri + "?" + q.Encode(), nil
}

// fileURI escapes path so that a space, ?, # or % in a folder's name does not
// end it: SQLite undoes the percent signs.
func fileURI(path string) (string, error) {
	if strings.ContainsRune(path, 0) {
		return "", fmt.Errorf("path %q has a NUL", path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return escapeURI(filepath.ToSlash(abs), runtime.GOOS == "windows"), nil
}

// FileURI is the "file:" address of a path that this program has made itself, for
// rooms that write DSNs of their own.
func FileURI(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return escapeURI(filepath.ToSlash(path), runtime.GOOS == "windows")
}

// escapeURI makes a file: address of an absolute path with forward slashes.
func escapeURI(abs string, windows bool) string {
	parts := strings.Split(abs, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	if windows && !strings.HasPrefix(abs, "/") {
		return "file:///" + strings.Join(parts, "/") // file:///C:/data
	}
	return "file://" + strings.Join(parts, "/")
}
