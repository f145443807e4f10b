package mirror

import (
	"context"
	"errors"
	"maps"
	"slices"

	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/tuf"
)

// listed is what a publisher's role says of one dataset, or of its own record.
type listed struct {
	number int
	target tuf.Target
}

// listing is everything that the accepted roles list.
type listing struct {
	datasets map[portal.DatasetID]listed
	records  map[portal.PublisherID]listed
	sides    map[string]listed // files beside the publishers, by path
}

// list reads the targets of all publishers. A path that is not of our grammar
// is refused: a role never lists anything else.
func list(a *accepted) (listing, error) {
	l := newListing()
	for _, p := range a.publishers() {
		if role := a.role(p); role != nil {
			if err := l.add(p, role); err != nil {
				return l, err
			}
		}
	}
	return l, nil
}

func newListing() listing {
	return listing{datasets: map[portal.DatasetID]listed{}, records: map[portal.PublisherID]listed{}, sides: map[string]listed{}}
}

// add reads the targets of one publisher.
func (l listing) add(p portal.PublisherID, role *tuf.Targets) error {
	if datapackage.IsSide(string(p)) {
		return l.addSide(string(p), role)
	}
	for path, target := range role.Targets {
		t, err := datapackage.ParseTargetPath(path)
		if err != nil {
			return verdict(string(p)+".json: "+path, err)
		}
		if t.Publisher != p {
			return portal.Unverified(string(p)+".json: "+path, "belongs to another publisher")
		}
		entry := listed{number: t.Number, target: target}
		if t.Dataset == "" {
			if l.records[p].number < t.Number {
				l.records[p] = entry
			}
			continue
		}
		if _, twice := l.datasets[t.Dataset]; twice {
			return portal.Unverified(string(p)+".json: "+path, "lists two releases of one dataset")
		}
		l.datasets[t.Dataset] = entry
	}
	return nil
}

// diff says what has changed since the copy that was accepted and applied
// before, with the manifests of everything new.
func (r *round) diff(ctx context.Context, before, now *accepted, report *Report) (portal.Change, error) {
	c := portal.Change{Generation: now.state(false).Generation}
	old := listing{}
	var err error
	if before.state(false).Generation == r.o.Have && r.o.Have > 0 {
		if old, err = list(before); err != nil {
			return c, err
		}
	} else {
		c.Full = true // the catalogue is behind what was accepted, or new
	}
	known, err := list(before)
	if err != nil {
		return c, err
	}
	next, err := list(now)
	if err != nil {
		return c, err
	}
	if err := r.prefetch(ctx, old, next); err != nil {
		return c, err
	}
	if err := r.records(ctx, old, next, &c); err != nil {
		return c, err
	}
	if err := r.sides(ctx, known, next); err != nil {
		return c, err
	}
	for _, id := range slices.Sorted(maps.Keys(next.datasets)) {
		if err := r.dataset(ctx, id, old, known, next.datasets[id], now, &c, report); err != nil {
			return c, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(old.datasets)) {
		if _, still := next.datasets[id]; !still {
			c.Removed = append(c.Removed, id)
		}
	}
	report.Removed = c.Removed
	c.Signers = resigned(before, now)
	return c, nil
}

// resigned gives who signs for the publishers that others signed for before.
func resigned(before, now *accepted) map[portal.PublisherID][]string {
	signers := map[portal.PublisherID][]string{}
	for _, p := range now.publishers() {
		if datapackage.IsSide(string(p)) {
			continue
		}
		if is := now.set.Signers(string(p)); !slices.Equal(is, before.set.Signers(string(p))) {
			signers[p] = is
		}
	}
	return signers
}

func (r *round) dataset(ctx context.Context, id portal.DatasetID, old, known listing, want listed, now *accepted, c *portal.Change, report *Report) error {
	path := datapackage.ManifestPath(id, want.number)
	if held, ok := known.datasets[id]; ok {
		switch {
		case want.number < held.number:
			return portal.Unverified(r.where(path), "goes back to release %d; release %d was already accepted", want.number, held.number)
		case want.number == held.number && want.target != held.target:
			p := portal.Unverified(r.where(path), "release %d was accepted before with other contents", want.number)
			p.Cause = tuf.ErrEquivocation
			return p
		}
	}
	held, ok := old.datasets[id]
	if ok && held.number == want.number {
		return nil
	}
	manifests, err := r.chain(ctx, id, want, held)
	if err != nil {
		return err
	}
	c.Upserts = append(c.Upserts, portal.Upsert{Dataset: id, Manifests: manifests, Signers: now.set.Signers(string(id.Publisher()))})
	if ok {
		report.Updated = append(report.Updated, id)
	} else {
		report.Added = append(report.Added, id)
	}
	return nil
}

// chain gives the manifests of a dataset from the release after the held one to
// the one that is listed, oldest first, following `previous` by hash. Nothing
// held is release 0.
func (r *round) chain(ctx context.Context, id portal.DatasetID, want, held listed) ([]portal.SignedManifest, error) {
	var chain []portal.SignedManifest
	number, digest, length := want.number, portal.Digest(want.target.SHA256), want.target.Length
	for {
		b, err := r.manifest(ctx, datapackage.ManifestFile(id, number, digest), digest, length)
		if err != nil {
			return nil, err
		}
		release, err := datapackage.Decode(b)
		where := r.where(datapackage.ManifestPath(id, number))
		if err != nil {
			return nil, verdict(where, err)
		}
		if release.Dataset != id || release.Number != number {
			return nil, portal.Unverified(where, "is the manifest of %s release %d", release.Dataset, release.Number)
		}
		chain = append(chain, portal.SignedManifest{Dataset: id, Number: number, Bytes: b})
		prev := release.Previous
		if number == 1 && prev == nil || number-1 == held.number && prev != nil && prev.SHA256 == held.target.SHA256 {
			slices.Reverse(chain)
			return chain, nil
		}
		if prev == nil || prev.Release != number-1 || number-1 == held.number {
			return nil, portal.Unverified(where, "does not follow the release before it")
		}
		number, digest, length = prev.Release, prev.SHA256, prev.Length
	}
}

// manifest gives verified bytes by hash: held ones, or fetched and then held.
func (r *round) manifest(ctx context.Context, file string, want portal.Digest, length int64) ([]byte, error) {
	if length > maxManifest {
		return nil, portal.Unverified(r.where(file), "a manifest of %d bytes; at most %d are allowed", length, maxManifest)
	}
	b, err := r.m.o.Contents.ReadAll(want, maxManifest)
	if err == nil {
		return b, nil
	}
	if errors.Is(err, portal.ErrUnverified) { // rotten here: to be fetched anew
		if err := r.m.o.Contents.Remove(want); err != nil {
			return nil, err
		}
	}
	b, err = r.get(ctx, file, length)
	if err != nil {
		return nil, missingIsLie(r.where(file), err)
	}
	if portal.DigestOf(b) != want || int64(len(b)) != length {
		return nil, portal.Unverified(r.where(file), "does not have its signed SHA-256 %s", want.Hex())
	}
	return b, r.keep(b, want)
}

// prefetch brings manifests that are neither held nor in the pack, some side by
// side: each would wait for the one before. What goes wrong shows when the
// manifest is needed.
func (r *round) prefetch(ctx context.Context, old, next listing) error {
	if r.o.DryRun {
		return nil
	}
	type wanted struct {
		file   string
		target tuf.Target
	}
	var list []wanted
	for _, id := range slices.Sorted(maps.Keys(next.datasets)) {
		want := next.datasets[id]
		file := datapackage.ManifestFile(id, want.number, want.target.SHA256)
		if _, _, here := r.src.inPack(file); here || old.datasets[id] == want || r.m.o.Contents.Has(want.target.SHA256) {
			continue
		}
		list = append(list, wanted{file, want.target})
	}
	if len(list) < 2 {
		return nil
	}
	trips := r.trips.Load() + waits(len(list))
	defer r.trips.Store(trips)
	return sideBySide(ctx, parallel, list, func(ctx context.Context, w wanted) error {
		_, err := r.manifest(ctx, w.file, w.target.SHA256, w.target.Length)
		return err
	})
}

// keep holds verified bytes; a dry run leaves no trace.
func (r *round) keep(b []byte, d portal.Digest) error {
	if r.o.DryRun {
		return nil
	}
	return r.m.o.Contents.PutExpect(newReader(b), d, int64(len(b)))
}

func (r *round) records(ctx context.Context, old, next listing, c *portal.Change) error {
	for _, p := range slices.Sorted(maps.Keys(next.records)) {
		want := next.records[p]
		if old.records[p] == want {
			continue
		}
		d := portal.Digest(want.target.SHA256)
		b, err := r.manifest(ctx, datapackage.PublisherFile(p, want.number, d), d, want.target.Length)
		if err != nil {
			return err
		}
		record, err := datapackage.DecodePublisher(b)
		where := r.where(datapackage.PublisherPath(p, want.number))
		if err != nil {
			return verdict(where, err)
		}
		if record.ID != p || record.Version != want.number {
			return portal.Unverified(where, "is version %d of the record of %s", record.Version, record.ID)
		}
		c.Publishers = append(c.Publishers, portal.PublisherRecord{Publisher: record, Bytes: b})
	}
	return nil
}

// missingIsLie turns "not found" of something that signed metadata names into a
// refusal: the repository lacks what it promised.
func missingIsLie(where string, err error) error {
	if !isNotFound(err) {
		return err
	}
	p := portal.Unverified(where, "is named by signed metadata and is not there")
	p.Cause = err
	return p
}
