package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// writer writes datasets with statements that are compiled once a change.
type writer struct {
	full                                                                bool
	latest, held, cut, dataset, release, unsigned, signers, fingerprint *sql.Stmt
}

func newWriter(ctx context.Context, tx *sql.Tx, full bool) (*writer, error) {
	w := &writer{full: full}
	for _, s := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&w.latest, "SELECT coalesce(max(number), 0) FROM releases WHERE dataset = ?"},
		{&w.held, "SELECT digest, length FROM releases WHERE dataset = ? AND number = ?"},
		{&w.cut, "DELETE FROM releases WHERE dataset = ? AND number >= ?"},
		{&w.dataset, `INSERT INTO datasets (id, publisher, latest, withdrawn, due) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET latest = excluded.latest, withdrawn = excluded.withdrawn, due = excluded.due`},
		{&w.release, "INSERT INTO releases (dataset, number, digest, length, issued, reason, manifest) VALUES (?, ?, ?, ?, ?, ?, ?)"},
		{&w.unsigned, "DELETE FROM signers WHERE dataset = ?"},
		{&w.signers, "INSERT INTO signers (dataset, key) VALUES (?, ?) ON CONFLICT DO NOTHING"},
		{&w.fingerprint, "INSERT INTO fingerprints (prefix, dataset, number) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"},
	} {
		var err error
		if *s.stmt, err = tx.PrepareContext(ctx, s.query); err != nil {
			return nil, err // the end of the transaction closes the others
		}
	}
	return w, nil
}

func (w *writer) close() {
	for _, s := range []*sql.Stmt{w.latest, w.held, w.cut, w.dataset, w.release, w.unsigned, w.signers, w.fingerprint} {
		_ = s.Close()
	}
}

// link is what a release's successor says about it.
type link struct {
	digest portal.Digest
	length int64
}

// upsert adds what is new of u to what is held: a chain of releases without
// gaps, of which each names the bytes of the one before.
func (w *writer) upsert(ctx context.Context, u portal.Upsert) error {
	if _, err := portal.ParseDatasetID(string(u.Dataset)); err != nil {
		return portal.Unverified("dataset", "%v", err)
	}
	releases, err := decodeAll(u)
	if err != nil {
		return err
	}
	first, latest := releases[0], releases[len(releases)-1]
	if err := w.mayFollow(ctx, u.Dataset, first.Number, latest.Number); err != nil {
		return err
	}
	previous, ok, err := w.holds(ctx, u.Dataset, first.Number-1)
	if err != nil {
		return err
	}
	if !ok && first.Number > 1 {
		return portal.Unverified(at(u.Dataset, first.Number), "release %d, which came before, is not held", first.Number-1)
	}
	_, err = w.dataset.ExecContext(ctx, string(u.Dataset), string(u.Dataset.Publisher()), latest.Number, latest.Withdrawn != nil, dueOf(latest))
	if err != nil {
		return err
	}
	for i, r := range releases {
		if previous, err = w.add(ctx, r, u.Manifests[i].Bytes, previous); err != nil {
			return err
		}
	}
	if _, err := w.unsigned.ExecContext(ctx, string(u.Dataset)); err != nil {
		return err
	}
	for _, key := range u.Signers {
		if _, err := w.signers.ExecContext(ctx, string(u.Dataset), key); err != nil {
			return err
		}
	}
	return nil
}

// dueOf is the day by which a release is to be followed by another; NULL where
// none is.
func dueOf(r portal.Release) sql.NullString {
	due := string(r.Passport.NextDue)
	return sql.NullString{String: due, Valid: due != "" && r.Withdrawn == nil}
}

// mayFollow refuses to go back to an older release; a Full change makes room
// for the releases that it brings instead.
func (w *writer) mayFollow(ctx context.Context, id portal.DatasetID, first, latest int) error {
	if w.full {
		_, err := w.cut.ExecContext(ctx, string(id), first)
		return err
	}
	var held int
	if err := w.latest.QueryRowContext(ctx, string(id)).Scan(&held); err != nil {
		return err
	}
	if latest < held {
		return portal.Unverified(at(id, latest), "it is older than the release held, %d", held)
	}
	return nil
}

func (w *writer) holds(ctx context.Context, id portal.DatasetID, number int) (l link, ok bool, err error) {
	var digest []byte
	err = w.held.QueryRowContext(ctx, string(id), number).Scan(&digest, &l.length)
	if errors.Is(err, sql.ErrNoRows) {
		return l, false, nil
	}
	if err == nil && copy(l.digest[:], digest) != len(l.digest) {
		err = fmt.Errorf("release %d: %w", number, ErrDamaged)
	}
	return l, err == nil, err
}

// add keeps one release after its previous one.
func (w *writer) add(ctx context.Context, r portal.Release, manifest []byte, previous link) (link, error) {
	if err := checkPrevious(r, previous); err != nil {
		return link{}, err
	}
	l := link{digest: portal.DigestOf(manifest), length: int64(len(manifest))}
	held, ok, err := w.holds(ctx, r.Dataset, r.Number)
	if err != nil {
		return link{}, err
	}
	if ok && held.digest != l.digest {
		return link{}, portal.Unverified(at(r.Dataset, r.Number), "its bytes are %s, those of the release held are %s", l.digest.Short(), held.digest.Short())
	}
	if ok {
		return l, nil
	}
	reason, err := json.Marshal(r.Reason)
	if err != nil {
		return link{}, err
	}
	_, err = w.release.ExecContext(ctx, string(r.Dataset), r.Number, l.digest[:], l.length, r.Issued.UnixMicro(), string(reason), manifest)
	if err != nil {
		return link{}, err
	}
	return l, w.fingerprints(ctx, r, l.digest)
}

// fingerprints writes down where a release's manifest and files are found by
// their hash.
func (w *writer) fingerprints(ctx context.Context, r portal.Release, manifest portal.Digest) error {
	digests := []portal.Digest{manifest}
	for _, f := range r.Resources {
		digests = append(digests, f.Hash)
	}
	for _, d := range digests {
		if _, err := w.fingerprint.ExecContext(ctx, d[:fingerprintPrefix], string(r.Dataset), r.Number); err != nil {
			return err
		}
	}
	return nil
}

func checkPrevious(r portal.Release, previous link) error {
	switch {
	case r.Number == 1 && r.Previous == nil:
		return nil
	case r.Number == 1 || r.Previous == nil || r.Previous.Release != r.Number-1:
		return portal.Unverified(at(r.Dataset, r.Number), "it does not name the release before it, %d", r.Number-1)
	case r.Previous.SHA256 != previous.digest || r.Previous.Length != previous.length:
		return portal.Unverified(at(r.Dataset, r.Number), "it names release %d as %s, the one held is %s",
			r.Number-1, r.Previous.SHA256.Short(), previous.digest.Short())
	}
	return nil
}

// decodeAll reads the manifests of u, which must be those of consecutive
// releases of its dataset.
func decodeAll(u portal.Upsert) ([]portal.Release, error) {
	if len(u.Manifests) == 0 {
		return nil, portal.Unverified("dataset "+string(u.Dataset), "no manifest came with it")
	}
	releases := make([]portal.Release, len(u.Manifests))
	for i, m := range u.Manifests {
		r, err := datapackage.Decode(m.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at(u.Dataset, m.Number), err)
		}
		if m.Dataset != u.Dataset || r.Dataset != u.Dataset || r.Number != m.Number || r.Number < 1 {
			return nil, portal.Unverified(at(u.Dataset, m.Number), "the manifest is that of %s", at(r.Dataset, r.Number))
		}
		if i > 0 && r.Number != releases[i-1].Number+1 {
			return nil, portal.Unverified(at(u.Dataset, m.Number), "it comes after release %d", releases[i-1].Number)
		}
		releases[i] = r
	}
	return releases, nil
}

// at names a release in an error.
func at(id portal.DatasetID, number int) string { return fmt.Sprintf("release %d of %s", number, id) }
