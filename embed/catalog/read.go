package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"koprik/embed/sqlite"
	"koprik/portal"
	"koprik/portal/datapackage"
)

// reader reads datasets in a transaction: a Snapshot's, or a Pending's, which
// sees what it has written itself.
type reader struct{ q queries }

// The ids come as one JSON array: any number of them, one statement, and their
// order is kept.
const (
	queryLatest = `SELECT d.id, d.publisher, r.number, r.digest, r.length, r.manifest, p.record, p.digest
		FROM json_each(?) AS wanted
		CROSS JOIN datasets AS d ON d.id = wanted.value
		CROSS JOIN releases AS r ON r.dataset = d.id AND r.number = d.latest
		LEFT JOIN publishers AS p ON p.id = d.publisher
		ORDER BY wanted.key`
	querySigners  = `SELECT dataset, key FROM signers WHERE dataset IN (SELECT value FROM json_each(?)) ORDER BY dataset, key`
	queryManifest = `SELECT manifest, digest FROM releases WHERE dataset = ? AND number = ?`
	queryHistory  = `SELECT dataset, number, digest, length, issued, reason FROM releases
		WHERE dataset IN (SELECT value FROM json_each(?)) ORDER BY dataset, number DESC`
)

// datasets gives those of ids that exist, in their order.
func (r reader) datasets(ctx context.Context, ids []portal.DatasetID) ([]portal.Dataset, error) {
	const atOnce = 500 // bounds what one statement holds
	var list []portal.Dataset
	for len(ids) > 0 {
		n := min(len(ids), atOnce)
		some, err := r.some(ctx, ids[:n])
		if err != nil {
			return nil, err
		}
		list, ids = append(list, some...), ids[n:]
	}
	return list, nil
}

func (r reader) some(ctx context.Context, ids []portal.DatasetID) ([]portal.Dataset, error) {
	wanted, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	signers, err := r.signers(ctx, string(wanted))
	if err != nil {
		return nil, fmt.Errorf("signers: %w", sqlite.Explain(err))
	}
	history, err := r.history(ctx, string(wanted))
	if err != nil {
		return nil, fmt.Errorf("history: %w", sqlite.Explain(err))
	}
	rows, err := r.q.QueryContext(ctx, queryLatest, string(wanted))
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	list := make([]portal.Dataset, 0, len(ids))
	publishers := map[portal.PublisherID]portal.Publisher{} // decoded once
	for rows.Next() {
		d, err := scanDataset(rows, publishers)
		if err != nil {
			return nil, err
		}
		d.Signers, d.History = signers[d.ID], history[d.ID]
		d.Suspended = len(d.Signers) == 0
		list = append(list, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("datasets: %w", sqlite.Explain(err))
	}
	return list, nil
}

// scanDataset reads a row of queryLatest.
func scanDataset(rows *sql.Rows, publishers map[portal.PublisherID]portal.Publisher) (d portal.Dataset, err error) {
	var publisher portal.PublisherID
	var number int
	var digest, manifest, record, recordDigest []byte
	if err := rows.Scan(&d.ID, &publisher, &number, &digest, &d.Length, &manifest, &record, &recordDigest); err != nil {
		return d, fmt.Errorf("datasets: %w", sqlite.Explain(err))
	}
	if d.Latest, d.Manifest, err = decodeRelease(d.ID, number, manifest, digest); err != nil {
		return d, err
	}
	p, ok := publishers[publisher]
	if !ok {
		if p, err = decodePublisher(publisher, record, recordDigest); err != nil {
			return d, err
		}
		publishers[publisher] = p
	}
	d.Publisher = p
	return d, nil
}

func (r reader) signers(ctx context.Context, wanted string) (map[portal.DatasetID][]string, error) {
	rows, err := r.q.QueryContext(ctx, querySigners, wanted)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	signers := map[portal.DatasetID][]string{}
	for rows.Next() {
		var id portal.DatasetID
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return nil, err
		}
		signers[id] = append(signers[id], key)
	}
	return signers, rows.Err()
}

func (r reader) history(ctx context.Context, wanted string) (map[portal.DatasetID][]portal.ReleaseRef, error) {
	rows, err := r.q.QueryContext(ctx, queryHistory, wanted)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	history := map[portal.DatasetID][]portal.ReleaseRef{}
	for rows.Next() {
		var id portal.DatasetID
		var ref portal.ReleaseRef
		var digest, reason []byte
		var issued sql.NullInt64
		if err := rows.Scan(&id, &ref.Number, &digest, &ref.Length, &issued, &reason); err != nil {
			return nil, err
		}
		if len(digest) != len(ref.Manifest) {
			return nil, fmt.Errorf("%s: %w", at(id, ref.Number), ErrDamaged)
		}
		copy(ref.Manifest[:], digest)
		ref.Issued = fromMicros(issued)
		if err := json.Unmarshal(reason, &ref.Reason); err != nil {
			return nil, fmt.Errorf("%w: reason of release %d of %s: %w", ErrDamaged, ref.Number, id, err)
		}
		history[id] = append(history[id], ref)
	}
	return history, rows.Err()
}

// manifest gives the bytes held of a release, and the digest that they had.
func (r reader) manifest(ctx context.Context, id portal.DatasetID, number int) (manifest, digest []byte, err error) {
	err = r.q.QueryRowContext(ctx, queryManifest, string(id), number).
		Scan(&manifest, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, fmt.Errorf("%s: %w", at(id, number), portal.ErrNotFound)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", at(id, number), sqlite.Explain(err))
	}
	return manifest, digest, nil
}

// ids runs a query whose rows are ids.
func (r reader) ids(ctx context.Context, query string, args ...any) (ids []portal.DatasetID, err error) {
	rows, err := r.q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, sqlite.Explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id portal.DatasetID
		if err := rows.Scan(&id); err != nil {
			return nil, sqlite.Explain(err)
		}
		ids = append(ids, id)
	}
	return ids, sqlite.Explain(rows.Err())
}

// verified hashes bytes that come from the disk: nothing is shown that is not
// what was signed.
func verified(data, digest []byte) (portal.Digest, error) {
	d := portal.DigestOf(data)
	if string(d[:]) != string(digest) {
		return d, fmt.Errorf("%w: the bytes held are not those that were signed", ErrDamaged)
	}
	return d, nil
}

// decodeRelease reads a manifest, which must be that of the release in whose
// row it stands.
func decodeRelease(id portal.DatasetID, number int, manifest, digest []byte) (r portal.Release, d portal.Digest, err error) {
	if d, err = verified(manifest, digest); err != nil {
		return r, d, fmt.Errorf("%s: %w", at(id, number), err)
	}
	if r, err = datapackage.Decode(manifest); err != nil {
		return r, d, fmt.Errorf("%s: %w", at(id, number), err)
	}
	if r.Dataset != id || r.Number != number {
		return r, d, fmt.Errorf("%s: %w: its manifest is that of %s", at(id, number), ErrDamaged, at(r.Dataset, r.Number))
	}
	return r, d, nil
}

// decodePublisher reads a record; without one the publisher has its id only.
func decodePublisher(id portal.PublisherID, record, digest []byte) (portal.Publisher, error) {
	if record == nil {
		return portal.Publisher{ID: id}, nil
	}
	if _, err := verified(record, digest); err != nil {
		return portal.Publisher{}, fmt.Errorf("record of publisher %s: %w", id, err)
	}
	p, err := datapackage.DecodePublisher(record)
	if err != nil {
		return portal.Publisher{}, fmt.Errorf("record of publisher %s: %w", id, err)
	}
	if p.ID != id {
		return portal.Publisher{}, fmt.Errorf("record of publisher %s: %w: it is that of %s", id, ErrDamaged, p.ID)
	}
	return p, nil
}
