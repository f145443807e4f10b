package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
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
		if err := l.addRole(a, p); err != nil {
			return l, err
		}
	}
	return l, nil
}

// listOf is list of one publisher.
func listOf(a *accepted, p portal.PublisherID) (listing, error) {
	l := newListing()
	return l, l.addRole(a, p)
}

// addRole adds the role of a publisher that counts, if it has one.
func (l listing) addRole(a *accepted, p portal.PublisherID) error {
	role, err := a.role(p)
	if err != nil || role == nil {
		return err
	}
	return l.add(p, role)
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

// changes is a portal.Change on its way: what it has read of new releases is where
// they are, not what they say.
type changes struct {
	portal.Change
	fresh []fresh
	plan  planning
}

// fresh is a dataset that is new or has new releases, all of them verified and held.
type fresh struct {
	id    portal.DatasetID
	chain []link // oldest first
}

// link is one release of a chain.
type link struct {
	number   int
	manifest portal.Digest
}

// diff says what has changed since the copy that was accepted and applied
// before. A publisher whose role is the same file is passed over; what is new of
// the others is verified, and read again by who goes through Upserts.
func (r *round) diff(ctx context.Context, before, now *accepted, report *Report) (changes, error) {
	c := changes{plan: r.m.planning()}
	c.Generation = now.state(false).Generation
	c.Full = before.state(false).Generation != r.o.Have || r.o.Have == 0 // the catalogue is behind what was accepted, or new
	all := append(now.publishers(), before.publishers()...)
	slices.Sort(all)
	for _, p := range slices.Compact(all) {
		if err := r.publisher(ctx, p, before, now, &c, report); err != nil {
			return c, err
		}
	}
	for _, ids := range [][]portal.DatasetID{report.Added, report.Updated, c.Removed} {
		slices.Sort(ids)
	}
	report.Removed = c.Removed
	c.Signers = resigned(before, now)
	c.Upserts = r.upserts(c.fresh, now)
	return c, nil
}

// publisher adds what has changed of one publisher.
func (r *round) publisher(ctx context.Context, p portal.PublisherID, before, now *accepted, c *changes, report *Report) error {
	same := sameRole(before, now, p)
	if same && !c.Full {
		return nil
	}
	next, err := listOf(now, p)
	if err != nil {
		return err
	}
	known, old := next, newListing()
	if !same {
		if known, err = listOf(before, p); err != nil {
			return err
		}
	}
	if !c.Full {
		old = known
	}
	if err := r.prefetch(ctx, old, next); err != nil {
		return err
	}
	if err := r.records(ctx, old, next, &c.Change); err != nil {
		return err
	}
	if err := r.sides(ctx, known, next); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(next.datasets)) {
		if err := r.dataset(ctx, id, old, known, next.datasets[id], c, report); err != nil {
			return err
		}
	}
	for id := range old.datasets {
		if _, still := next.datasets[id]; !still {
			c.Removed = append(c.Removed, id)
		}
	}
	return nil
}

// sameRole tells whether one file says in both what a publisher has.
func sameRole(before, now *accepted, p portal.PublisherID) bool {
	_, then := before.suspended[p]
	_, still := now.suspended[p]
	v, ok := now.vets[p]
	return ok && !then && !still && before.vets[p].File == v.File
}

// upserts gives what is fresh as a change has it, from what is held.
func (r *round) upserts(list []fresh, now *accepted) iter.Seq2[portal.Upsert, error] {
	return func(yield func(portal.Upsert, error) bool) {
		for _, f := range list {
			manifests, err := r.m.read(f)
			if !yield(portal.Upsert{Dataset: f.id, Manifests: manifests, Signers: now.signers(f.id.Publisher())}, err) || err != nil {
				return
			}
		}
	}
}

// read gives the manifests of a chain, which are held.
func (m *Mirror) read(f fresh) ([]portal.SignedManifest, error) {
	manifests := make([]portal.SignedManifest, len(f.chain))
	for i, l := range f.chain {
		b, err := m.o.Contents.ReadAll(l.manifest, maxManifest)
		if err != nil {
			return nil, fmt.Errorf("manifest of %s release %d: %w", f.id, l.number, err)
		}
		manifests[i] = portal.SignedManifest{Dataset: f.id, Number: l.number, Bytes: b}
	}
	return manifests, nil
}

// resigned gives who signs for the publishers that others signed for before.
func resigned(before, now *accepted) map[portal.PublisherID][]string {
	signers := map[portal.PublisherID][]string{}
	for _, p := range now.publishers() {
		if datapackage.IsSide(string(p)) {
			continue
		}
		if is := now.signers(p); !slices.Equal(is, before.signers(p)) {
			signers[p] = is
		}
	}
	return signers
}

func (r *round) dataset(ctx context.Context, id portal.DatasetID, old, known listing, want listed, c *changes, report *Report) error {
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
	chain, latest, err := r.chain(ctx, id, want, held)
	if err != nil {
		return err
	}
	c.fresh = append(c.fresh, fresh{id, chain})
	c.plan.add(latest)
	if ok {
		report.Updated = append(report.Updated, id)
	} else {
		report.Added = append(report.Added, id)
	}
	return nil
}

// chain verifies the manifests of a dataset from the release after the held one to
// the one that is listed, following `previous` by hash, and gives where they are,
// oldest first, and what the latest says. Nothing held is release 0.
func (r *round) chain(ctx context.Context, id portal.DatasetID, want, held listed) (chain []link, latest portal.Release, err error) {
	number, digest, length := want.number, portal.Digest(want.target.SHA256), want.target.Length
	for {
		b, err := r.manifest(ctx, datapackage.ManifestFile(id, number, digest), digest, length)
		if err != nil {
			return nil, latest, err
		}
		release, err := datapackage.Decode(b)
		where := r.where(datapackage.ManifestPath(id, number))
		if err != nil {
			return nil, latest, verdict(where, err)
		}
		if release.Dataset != id || release.Number != number {
			return nil, latest, portal.Unverified(where, "is the manifest of %s release %d", release.Dataset, release.Number)
		}
		if len(chain) == 0 {
			latest = release
		}
		chain = append(chain, link{number, digest})
		prev := release.Previous
		if number == 1 && prev == nil || number-1 == held.number && prev != nil && prev.SHA256 == held.target.SHA256 {
			slices.Reverse(chain)
			return chain, latest, nil
		}
		if prev == nil || prev.Release != number-1 || number-1 == held.number {
			return nil, latest, portal.Unverified(where, "does not follow the release before it")
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
	trips := r.trips.Load()
	waits, err := sideBySide(ctx, &r.pace, list, func(ctx context.Context, w wanted) error {
		_, err := r.manifest(ctx, w.file, w.target.SHA256, w.target.Length)
		return err
	})
	r.trips.Store(trips + waits)
	return err
}

// keep holds verified bytes; a dry run leaves no trace.
func (r *round) keep(b []byte, d portal.Digest) error {
	if r.o.DryRun {
		return nil
	}
	return r.m.o.Contents.PutExpect(bytes.NewReader(b), d, int64(len(b)))
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
