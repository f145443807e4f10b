package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"koprik/embed/sqlite"
	"koprik/portal"
)

// Snapshot is one generation held still: a portal.Catalog. It is safe for
// concurrent use and costs a connection until it is closed.
type Snapshot struct {
	reader
	meta meta
	conn *sql.Conn
	once sync.Once
}

var _ portal.Catalog = (*Snapshot)(nil)

// Close gives the snapshot back; it may be called more than once.
func (s *Snapshot) Close() {
	s.once.Do(func() {
		_ = s.q.tx.Rollback() // of a transaction that wrote nothing
		_ = s.conn.Close()
	})
}

// State says which copy of the catalogue this is.
func (s *Snapshot) State() portal.CopyState { return s.meta.state }

// Count is the number of datasets not withdrawn.
func (s *Snapshot) Count(context.Context) (int, error) { return s.meta.count, nil }

// Dataset gives one dataset; portal.ErrNotFound when there is none of this id.
func (s *Snapshot) Dataset(ctx context.Context, id portal.DatasetID) (portal.Dataset, error) {
	list, err := s.datasets(ctx, []portal.DatasetID{id})
	if err != nil {
		return portal.Dataset{}, err
	}
	if len(list) == 0 {
		return portal.Dataset{}, fmt.Errorf("dataset %s: %w", id, portal.ErrNotFound)
	}
	return list[0], nil
}

// Datasets gives those of ids that exist, in the order of ids.
func (s *Snapshot) Datasets(ctx context.Context, ids []portal.DatasetID) ([]portal.Dataset, error) {
	return s.datasets(ctx, ids)
}

// Overdue gives the datasets that were due before a day, the longest overdue
// first, at most limit of them, and how many there are.
func (s *Snapshot) Overdue(ctx context.Context, before portal.Date, limit int) (longest []portal.DatasetID, total int, err error) {
	if err := s.q.QueryRowContext(ctx, "SELECT count(*) FROM datasets WHERE due < ?", string(before)).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("overdue datasets: %w", sqlite.Explain(err))
	}
	longest, err = s.ids(ctx, "SELECT id FROM datasets WHERE due < ? ORDER BY due, id LIMIT ?", string(before), limit)
	if err != nil {
		return nil, 0, fmt.Errorf("overdue datasets: %w", err)
	}
	return longest, total, nil
}

// fingerprintPrefix is how many bytes of a hash the index of fingerprints has: as
// many as a short fingerprint shows.
const fingerprintPrefix = 8

// Place is a release in which a fingerprint may be found.
type Place struct {
	Dataset portal.DatasetID
	Release int
}

// Places are the releases whose manifest, or a file of theirs, has a SHA-256 that
// begins with the first 8 bytes of d: the newest first, at most limit. The caller
// compares the rest.
func (s *Snapshot) Places(ctx context.Context, d portal.Digest, limit int) (places []Place, err error) {
	rows, err := s.q.QueryContext(ctx, `SELECT f.dataset, f.number FROM fingerprints AS f
		JOIN releases AS r ON r.dataset = f.dataset AND r.number = f.number
		WHERE f.prefix = ? ORDER BY f.number DESC, f.dataset LIMIT ?`, d[:fingerprintPrefix], limit)
	if err != nil {
		return nil, fmt.Errorf("fingerprint %s: %w", d.Short(), sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var p Place
		if err := rows.Scan(&p.Dataset, &p.Release); err != nil {
			return nil, fmt.Errorf("fingerprint %s: %w", d.Short(), sqlite.Explain(err))
		}
		places = append(places, p)
	}
	return places, sqlite.Explain(rows.Err())
}

// All yields every dataset by id, withdrawn ones among them, and stops at the
// first error of yield, which it returns.
func (s *Snapshot) All(ctx context.Context, yield func(portal.Dataset) error) error {
	const page = 100 // datasets decoded at once
	for last := ""; ; {
		ids, err := s.ids(ctx, "SELECT id FROM datasets WHERE id > ? ORDER BY id LIMIT ?", last, page)
		if err != nil {
			return fmt.Errorf("list of datasets: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		list, err := s.datasets(ctx, ids)
		if err != nil {
			return err
		}
		for _, d := range list {
			if err := yield(d); err != nil {
				return err
			}
		}
		last = string(ids[len(ids)-1])
	}
}

// Release gives a release; portal.ErrNotFound when it never was.
func (s *Snapshot) Release(ctx context.Context, id portal.DatasetID, number int) (portal.Release, error) {
	manifest, digest, err := s.manifest(ctx, id, number)
	if err != nil {
		return portal.Release{}, err
	}
	r, _, err := decodeRelease(id, number, manifest, digest)
	return r, err
}

// Manifest gives the signed bytes of a release's manifest.
func (s *Snapshot) Manifest(ctx context.Context, id portal.DatasetID, number int) ([]byte, error) {
	manifest, digest, err := s.manifest(ctx, id, number)
	if err != nil {
		return nil, err
	}
	if _, _, err := decodeRelease(id, number, manifest, digest); err != nil {
		return nil, err
	}
	return manifest, nil
}

// Publishers gives all publishers by id. One whose record has not come yet has
// its id only.
func (s *Snapshot) Publishers(ctx context.Context) ([]portal.Publisher, error) {
	rows, err := s.q.QueryContext(ctx, `SELECT id, record, digest FROM publishers
		UNION ALL SELECT DISTINCT publisher, NULL, NULL FROM datasets WHERE publisher NOT IN (SELECT id FROM publishers)
		ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("publishers: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	var list []portal.Publisher
	for rows.Next() {
		var id portal.PublisherID
		var record, digest []byte
		if err := rows.Scan(&id, &record, &digest); err != nil {
			return nil, fmt.Errorf("publishers: %w", sqlite.Explain(err))
		}
		p, err := decodePublisher(id, record, digest)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("publishers: %w", sqlite.Explain(err))
	}
	return list, nil
}
