package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"

	"koprik/embed/sqlite"
	"koprik/portal"
	"koprik/portal/datapackage"
)

// Pending is a generation that is written and not yet seen. One at a time is
// pending; it must be ended by Commit or Rollback.
type Pending struct {
	reader
	conn    *sql.Conn
	touched []portal.DatasetID
	removed []portal.DatasetID
	ended   bool
}

// Prepare writes ch in one transaction that nobody else sees, waiting, until
// ctx ends, for the one before. The manifests and records must have been
// verified; here they are decoded, and refused as portal.ErrUnverified when
// they contradict each other or what is held:
//
//   - a generation, a release number or a record's version lower than the one held,
//   - other bytes under a release number or a record's version that is held,
//   - a release whose previous one is another than it says, or is missing.
//
// A Full change may go back in all of these; whatever it doesn't name is
// removed. After an error nothing has changed.
func (c *Catalog) Prepare(ctx context.Context, ch portal.Change) (*Pending, error) {
	if err := sensible(ch); err != nil {
		return nil, fmt.Errorf("generation %d: %w", ch.Generation, err)
	}
	conn, err := c.db.Write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("generation %d: %w", ch.Generation, sqlite.Explain(err))
	}
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("generation %d: %w", ch.Generation, sqlite.Explain(err)), conn.Close())
	}
	p := &Pending{reader: reader{queries{tx: tx}}, conn: conn}
	if err := p.write(ctx, ch); err != nil {
		return nil, errors.Join(fmt.Errorf("generation %d: %w", ch.Generation, sqlite.Explain(err)), p.Rollback())
	}
	return p, nil
}

// Commit makes the generation what new snapshots see, whole and durable. After
// an error nothing has changed.
func (p *Pending) Commit() error { return p.end(p.q.tx.Commit) }

// Rollback leaves nothing of the generation. After Commit it does nothing, so
// it may be deferred.
func (p *Pending) Rollback() error {
	if p.ended {
		return nil
	}
	return p.end(p.q.tx.Rollback)
}

func (p *Pending) end(how func() error) error {
	if p.ended {
		return fmt.Errorf("catalogue: %w", sql.ErrTxDone)
	}
	p.ended = true
	if err := errors.Join(how(), p.conn.Close()); err != nil {
		return fmt.Errorf("catalogue: %w", sqlite.Explain(err))
	}
	return nil
}

// Datasets gives the datasets that read differently from before, as they will
// read: the upserted ones in their order, then those whose publisher has a new
// record, by id. That the same content is signed by other keys does not count.
func (p *Pending) Datasets(ctx context.Context) ([]portal.Dataset, error) {
	return p.datasets(ctx, p.touched)
}

// Touched lists the ids of Datasets, in their order. The list is the caller's to
// read only.
func (p *Pending) Touched() []portal.DatasetID { return p.touched }

// Each gives what Datasets does, a hundred datasets in memory at once.
func (p *Pending) Each(ctx context.Context) iter.Seq2[portal.Dataset, error] {
	return func(yield func(portal.Dataset, error) bool) {
		const page = 100
		for ids := range slices.Chunk(p.touched, page) {
			list, err := p.datasets(ctx, ids)
			if err != nil {
				yield(portal.Dataset{}, err)
				return
			}
			for _, d := range list {
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

// Removed lists the datasets that were held and will not be, by id; with a
// Full change those that it doesn't name.
func (p *Pending) Removed() []portal.DatasetID { return p.removed }

// write makes the tables what ch says, in the order in which one part needs
// the other.
func (p *Pending) write(ctx context.Context, ch portal.Change) error {
	held, err := readMeta(ctx, p.q.tx)
	if err != nil {
		return err
	}
	if !ch.Full {
		if err := follows(held.state, ch); err != nil {
			return err
		}
	}
	if err := p.remove(ctx, ch.Removed); err != nil {
		return err
	}
	renewed, err := p.publishers(ctx, ch)
	if err != nil {
		return err
	}
	named, err := p.upserts(ctx, ch)
	if err != nil {
		return err
	}
	if ch.Full {
		if err := p.removeOthers(ctx, named); err != nil {
			return err
		}
	}
	if err := p.resigned(ctx, ch.Signers); err != nil {
		return fmt.Errorf("signers: %w", err)
	}
	if err := p.touchDatasetsOf(ctx, renewed); err != nil {
		return err
	}
	if held.logFrom, err = p.log(ctx, ch, held.logFrom); err != nil {
		return fmt.Errorf("change log: %w", err)
	}
	held.state = ch.State
	held.state.Generation = ch.Generation
	return writeMeta(ctx, p.q.tx, held)
}

// upserts writes what is new, dataset by dataset as it comes, and gives what was
// named.
func (p *Pending) upserts(ctx context.Context, ch portal.Change) (map[portal.DatasetID]bool, error) {
	named := map[portal.DatasetID]bool{} // true: written; false: removed by this change
	for _, id := range ch.Removed {
		named[id] = false
	}
	if ch.Upserts == nil {
		return named, nil
	}
	w, err := newWriter(ctx, p.q.tx, ch.Full)
	if err != nil {
		return nil, err
	}
	defer w.close()
	for u, err := range ch.Upserts {
		if err != nil {
			return nil, err
		}
		written, twice := named[u.Dataset]
		switch {
		case written:
			return nil, fmt.Errorf("dataset %s is in the change twice", u.Dataset)
		case twice:
			return nil, fmt.Errorf("dataset %s is both new and removed in the change", u.Dataset)
		}
		named[u.Dataset] = true
		if err := w.upsert(ctx, u); err != nil {
			return nil, fmt.Errorf("dataset %s: %w", u.Dataset, err)
		}
		p.touched = append(p.touched, u.Dataset)
	}
	return named, nil
}

// resigned writes down who signs for all datasets of publishers whose keys have
// changed.
func (p *Pending) resigned(ctx context.Context, signers map[portal.PublisherID][]string) error {
	for id, keys := range signers {
		_, err := p.q.tx.ExecContext(ctx, "DELETE FROM signers WHERE dataset IN (SELECT id FROM datasets WHERE publisher = ?)", string(id))
		if err != nil {
			return err
		}
		for _, key := range keys {
			_, err := p.q.tx.ExecContext(ctx, "INSERT INTO signers (dataset, key) SELECT id, ? FROM datasets WHERE publisher = ?", key, string(id))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// sensible refuses a change whose state is of another generation.
func sensible(ch portal.Change) error {
	if ch.Generation < 1 || ch.State.Generation != 0 && ch.State.Generation != ch.Generation {
		return fmt.Errorf("the change has the state of generation %d", ch.State.Generation)
	}
	return nil
}

// follows tells whether ch comes after the state that is held.
func follows(held portal.CopyState, ch portal.Change) error {
	switch {
	case ch.Generation < held.Generation:
		return portal.Unverified("catalogue", "generation %d is older than the one held, %d", ch.Generation, held.Generation)
	case !held.Repository.IsZero() && !ch.State.Repository.IsZero() && held.Repository != ch.State.Repository:
		return portal.Unverified("catalogue", "repository %s is another than the one held, %s", ch.State.Repository.Short(), held.Repository.Short())
	}
	return nil
}

// removeOthers deletes what a Full change did not name.
func (p *Pending) removeOthers(ctx context.Context, named map[portal.DatasetID]bool) error {
	all, err := p.ids(ctx, "SELECT id FROM datasets")
	if err != nil {
		return fmt.Errorf("list of datasets: %w", err)
	}
	return p.remove(ctx, slices.DeleteFunc(all, func(id portal.DatasetID) bool { return named[id] }))
}

// remove deletes datasets; their releases and signers go with them.
func (p *Pending) remove(ctx context.Context, gone []portal.DatasetID) error {
	gone = slices.Clone(gone)
	slices.Sort(gone)
	for _, id := range slices.Compact(gone) {
		result, err := p.q.tx.ExecContext(ctx, "DELETE FROM datasets WHERE id = ?", string(id))
		if err != nil {
			return fmt.Errorf("remove dataset %s: %w", id, err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return fmt.Errorf("remove dataset %s: %w", id, err)
		}
		if n > 0 {
			p.removed = append(p.removed, id)
		}
	}
	return nil
}

// publishers keeps new records and lists the publishers that have one.
func (p *Pending) publishers(ctx context.Context, ch portal.Change) (renewed []portal.PublisherID, err error) {
	if ch.Full {
		if _, err := p.q.tx.ExecContext(ctx, "DELETE FROM publishers"); err != nil {
			return nil, fmt.Errorf("publishers: %w", err)
		}
	}
	for _, r := range ch.Publishers {
		id := r.Publisher.ID
		digest := portal.DigestOf(r.Bytes)
		decoded, err := datapackage.DecodePublisher(r.Bytes)
		if err != nil {
			return nil, fmt.Errorf("record of publisher %s: %w", id, err)
		}
		if decoded.ID != id || decoded.Version != r.Publisher.Version {
			return nil, portal.Unverified("publisher "+string(id), "the record is that of %s, version %d, and not version %d",
				decoded.ID, decoded.Version, r.Publisher.Version)
		}
		isNew, err := p.publisher(ctx, decoded, digest, r.Bytes)
		if err != nil {
			return nil, err
		}
		if isNew {
			renewed = append(renewed, id)
		}
	}
	return renewed, nil
}

func (p *Pending) publisher(ctx context.Context, r portal.Publisher, digest portal.Digest, record []byte) (isNew bool, err error) {
	var version int
	var held []byte
	err = p.q.tx.QueryRowContext(ctx, "SELECT version, digest FROM publishers WHERE id = ?", string(r.ID)).Scan(&version, &held)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return false, fmt.Errorf("publisher %s: %w", r.ID, err)
	case string(held) == string(digest[:]):
		return false, nil
	case r.Version < version:
		return false, portal.Unverified("publisher "+string(r.ID), "version %d of the record is older than the one held, %d", r.Version, version)
	case r.Version == version:
		return false, portal.Unverified("publisher "+string(r.ID), "there are two records with the version %d", version)
	}
	_, err = p.q.tx.ExecContext(ctx, `INSERT INTO publishers (id, version, digest, record) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, digest = excluded.digest, record = excluded.record`,
		string(r.ID), r.Version, digest[:], record)
	if err != nil {
		return false, fmt.Errorf("publisher %s: %w", r.ID, err)
	}
	return true, nil
}

// touchDatasetsOf adds what a new record makes read differently.
func (p *Pending) touchDatasetsOf(ctx context.Context, renewed []portal.PublisherID) error {
	upserted := make(map[portal.DatasetID]bool, len(p.touched))
	for _, id := range p.touched {
		upserted[id] = true
	}
	slices.Sort(renewed)
	for _, publisher := range slices.Compact(renewed) {
		ids, err := p.ids(ctx, "SELECT id FROM datasets WHERE publisher = ? ORDER BY id", string(publisher))
		if err != nil {
			return fmt.Errorf("datasets of %s: %w", publisher, err)
		}
		p.touched = append(p.touched, slices.DeleteFunc(ids, func(id portal.DatasetID) bool { return upserted[id] })...)
	}
	return nil
}

// log notes what reads differently and gives the generation from which the log
// is complete. A Full change begins it anew.
func (p *Pending) log(ctx context.Context, ch portal.Change, from int64) (int64, error) {
	if ch.Full {
		_, err := p.q.tx.ExecContext(ctx, "DELETE FROM changes")
		return ch.Generation, err
	}
	insert, err := p.q.tx.PrepareContext(ctx, "INSERT INTO changes (generation, dataset) VALUES (?, ?) ON CONFLICT DO NOTHING")
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	for _, ids := range [][]portal.DatasetID{p.touched, p.removed} {
		for _, id := range ids {
			if _, err := insert.ExecContext(ctx, ch.Generation, string(id)); err != nil {
				return 0, err
			}
		}
	}
	from = max(from, ch.Generation-LoggedGenerations)
	_, err = p.q.tx.ExecContext(ctx, "DELETE FROM changes WHERE generation <= ?", from)
	return from, err
}
