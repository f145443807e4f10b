// Package catalog keeps catalog.db: the catalogue of one generation. It is
// derived from signed bytes and may be deleted and built anew at any time.
//
// A generation is written by Prepare, in one transaction that nobody sees
// until Commit, and read through a Snapshot, which stays at its generation
// whatever is committed meanwhile. The bytes of manifests and records are what
// is kept; they are hashed again and decoded when they are read.
package catalog

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"koprik/embed/sqlite"
	"koprik/portal"
)

//go:embed migrations/*.sql
var files embed.FS

// applicationID is "Kpc" and the layout's number.
const applicationID = 0x4b706301

// LoggedGenerations is how far back ChangedSince can look.
const LoggedGenerations = 1000

// snapshots is how many Snapshots may be held at once; one more waits.
const snapshots = 64

// ErrDamaged says that the file cannot be used: delete it and build it anew.
var ErrDamaged = sqlite.ErrDamaged

// Catalog is an open catalog.db. It is safe for concurrent use.
type Catalog struct {
	db    *sqlite.DB
	stmts statements
}

// Open opens or creates the file at path. A damaged or foreign file, and one
// of another version of this program, is ErrDamaged.
func Open(ctx context.Context, path string) (*Catalog, error) {
	db, err := sqlite.Open(path, sqlite.Options{ApplicationID: applicationID, Readers: snapshots})
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	migrations, err := fs.Sub(files, "migrations")
	if err == nil {
		err = sqlite.Migrate(ctx, db.Write, migrations)
	}
	if errors.Is(err, sqlite.ErrNewer) || errors.Is(err, sqlite.ErrChanged) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err) // derived, so going back is building anew
	}
	c := &Catalog{db: db}
	if err == nil {
		err = c.probe(ctx)
	}
	if err == nil {
		c.stmts, err = prepareAll(ctx, db.Read)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("catalogue %s: %w", path, err), db.Close())
	}
	return c, nil
}

// probe reads one row of every table: a file whose tables are gone or unlike
// ours shows it here and not on a page.
func (c *Catalog) probe(ctx context.Context) error {
	for _, q := range []string{
		"SELECT generation, as_of, expires, repository, media, datasets, log_from FROM meta WHERE id = 1",
		"SELECT id, version, digest, record FROM publishers LIMIT 1",
		"SELECT id, publisher, latest, withdrawn, due FROM datasets LIMIT 1",
		"SELECT dataset, number, digest, length, issued, reason, manifest FROM releases LIMIT 1",
		"SELECT dataset, key FROM signers LIMIT 1",
		"SELECT generation, dataset FROM changes LIMIT 1",
		"SELECT prefix, dataset, number FROM fingerprints LIMIT 1",
	} {
		if _, err := c.db.Read.ExecContext(ctx, q); err != nil {
			if ctx.Err() != nil {
				return err
			}
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	_, err := c.Generation(ctx)
	return err
}

// Close ends all use of the file. Snapshots and a Pending are ended before.
func (c *Catalog) Close() error { return c.db.Close() }

// Generation is the newest that was committed; 0 when the catalogue is empty.
func (c *Catalog) Generation(ctx context.Context) (int64, error) {
	m, err := readMeta(ctx, c.db.Read)
	return m.state.Generation, err
}

// Snapshot holds the newest committed generation still. It has begun when this
// returns: a later Commit is not seen. It waits, until ctx ends, while too many
// are held. Close gives it back; ctx does not.
func (c *Catalog) Snapshot(ctx context.Context) (*Snapshot, error) {
	conn, err := c.db.Read.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("catalogue snapshot: %w", sqlite.Explain(err))
	}
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("catalogue snapshot: %w", sqlite.Explain(err)), conn.Close())
	}
	s := &Snapshot{reader: reader{queries{tx, c.stmts}}, conn: conn}
	if s.meta, err = readMeta(ctx, s.q); err != nil { // SQLite takes its snapshot at the first read
		s.Close()
		return nil, err
	}
	return s, nil
}

// ChangedSince lists the datasets that read differently now than at
// generation, removed ones among them, by id. When complete is false the log
// does not reach back so far, or generation is not one that was passed through:
// whoever is behind must be built anew.
func (c *Catalog) ChangedSince(ctx context.Context, generation int64) (ids []portal.DatasetID, complete bool, err error) {
	s, err := c.Snapshot(ctx)
	if err != nil {
		return nil, false, err
	}
	defer s.Close()
	if generation < s.meta.logFrom || generation > s.meta.state.Generation {
		return nil, false, nil
	}
	ids, err = s.ids(ctx, "SELECT DISTINCT dataset FROM changes WHERE generation > ? ORDER BY dataset", generation)
	if err != nil {
		return nil, false, fmt.Errorf("change log: %w", err)
	}
	return ids, true, nil
}
