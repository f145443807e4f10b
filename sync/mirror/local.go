package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// Change gives everything that is accepted as one full change, from what this
// node holds and relays: to fill a catalogue that was lost or is behind.
func (m *Mirror) Change(ctx context.Context) (portal.Change, error) {
	a, err := m.load()
	if err != nil {
		return portal.Change{}, err
	}
	var source Source = nothing{}
	if m.o.Relay != nil {
		source = Folder(m.o.Relay, "repository")
	}
	r := &round{m: m, src: &counted{Source: source}, o: RoundOptions{Have: -1}}
	c, err := r.diff(ctx, a, a, &Report{})
	c.State = a.state(false)
	return c.Change, errors.Join(err, m.o.Flush())
}

// nothing is the source of a node that is alone.
type nothing struct{}

func (nothing) String() string { return "this node" }

func (nothing) Get(_ context.Context, path string, _ int64) (io.ReadCloser, int64, error) {
	return nil, 0, &portal.Problem{
		Kind: portal.ErrNotFound, Where: path, Message: "is not held by this node",
		Hint: "koprik sync fetches it again",
	}
}

// Audit reads every byte of a repository that the newest metadata names, as a
// mirror that starts from nothing would, and reports each file that does not
// verify. It keeps nothing.
func (m *Mirror) Audit(ctx context.Context, source Source, found func(error)) error {
	src := &counted{Source: source}
	r := &round{m: m, src: src, o: RoundOptions{Have: -1, DryRun: true}}
	a, err := r.audited(ctx)
	if err != nil {
		found(err)
		return ctx.Err()
	}
	r.auditRoots(ctx, found)
	l, err := list(a)
	if err != nil {
		found(err)
		return ctx.Err()
	}
	for p, want := range l.records {
		d := portal.Digest(want.target.SHA256)
		if _, err := r.whole(ctx, datapackage.PublisherFile(p, want.number, d), d, want.target.Length); err != nil {
			found(err)
		}
	}
	for path, want := range l.sides {
		if _, err := r.whole(ctx, datapackage.SideFile(path, want.target.SHA256), want.target.SHA256, want.target.Length); err != nil {
			found(err)
		}
	}
	admitted := r.admitted(ctx)
	for id, want := range l.datasets {
		if err := r.auditDataset(ctx, id, want, admitted, found); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// auditRoots compares the chain of roots, which new mirrors begin with, with
// the one that is trusted here.
func (r *round) auditRoots(ctx context.Context, found func(error)) {
	for _, v := range versionsOf(r.m.o.Trust, "root") {
		name := carrier.MetadataName("root", v)
		ours, err := disk.ReadFile(r.m.o.Trust, name, maxRoot)
		if err != nil {
			found(err)
			continue
		}
		theirs, err := r.get(ctx, "metadata/"+name, maxRoot)
		switch {
		case err != nil:
			found(missingIsLie(r.where("metadata/"+name), err))
		case !bytes.Equal(ours, theirs):
			found(portal.Unverified(r.where("metadata/"+name), "is not the root that is trusted here"))
		}
	}
}

// audited walks the source's metadata from our anchor, with nothing of ours in
// its place.
func (r *round) audited(ctx context.Context) (*accepted, error) {
	held, err := r.m.load()
	if err != nil {
		return nil, err
	}
	set, err := tuf.NewSet(held.set.RootBytes())
	if err != nil {
		return nil, err
	}
	a := r.m.newAccepted()
	a.set, a.id = set, held.id
	p := tuf.Policy{Now: r.m.o.Now(), Expire: tuf.ExpireNothing}
	step := func(name string, limit int64, update func([]byte, tuf.Policy) error) error {
		b, err := r.get(ctx, "metadata/"+name, limit)
		if err == nil {
			err = update(b, p)
		}
		if err != nil {
			return verdict(r.where("metadata/"+name), missingIsLie(r.where("metadata/"+name), err))
		}
		return nil
	}
	if err := r.roots(ctx, a); err != nil {
		return nil, err
	}
	if err := step("timestamp.json", maxTimestamp, set.UpdateTimestamp); err != nil {
		return nil, err
	}
	if err := step(carrier.MetadataName("snapshot", set.Timestamp().Snapshot.Version), maxMetadata, set.UpdateSnapshot); err != nil {
		return nil, err
	}
	if err := step(carrier.MetadataName("targets", set.Snapshot().Meta["targets.json"].Version), maxMetadata, set.UpdateTargets); err != nil {
		return nil, err
	}
	for _, id := range a.publishers() {
		v := set.Snapshot().Meta[string(id)+".json"].Version
		err := step(carrier.MetadataName(string(id), v), maxMetadata, func(b []byte, p tuf.Policy) error {
			a.raw[carrier.MetadataName(string(id), v)] = b
			return a.updateRole(id, b, p)
		})
		switch _, known := held.suspended[id]; {
		case err != nil && known && suspends(err): // what was accepted before stands, and is read as it is
			a.suspended[id] = held.suspended[id]
		case err != nil:
			return nil, err
		}
	}
	return a, nil
}

func (r *round) auditDataset(ctx context.Context, id portal.DatasetID, want listed, admitted map[portal.Digest]bool, found func(error)) error {
	number, d, length := want.number, portal.Digest(want.target.SHA256), want.target.Length
	for latest := true; ; latest = false {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := r.whole(ctx, datapackage.ManifestFile(id, number, d), d, length)
		if err != nil {
			found(err)
			return nil
		}
		release, err := datapackage.Decode(b)
		if err != nil {
			found(verdict(r.where(datapackage.ManifestPath(id, number)), err))
			return nil
		}
		for _, res := range release.Resources {
			// Contents of earlier releases, and what is left out, may be elsewhere;
			// what is here counts.
			if err := r.auditObject(ctx, res); err != nil && (latest && !admitted[res.Hash] || !isNotFound(err)) {
				found(missingIsLie(r.where(datapackage.ObjectFile(res.Hash)), err))
			}
		}
		if release.Previous == nil {
			return nil
		}
		number, d, length = release.Previous.Release, release.Previous.SHA256, release.Previous.Length
	}
}

// whole reads a file from the source and checks it against its signed hash.
func (r *round) whole(ctx context.Context, file string, want portal.Digest, length int64) ([]byte, error) {
	b, err := r.get(ctx, file, min(length, maxManifest))
	if err != nil {
		return nil, missingIsLie(r.where(file), err)
	}
	if portal.DigestOf(b) != want {
		return nil, portal.Unverified(r.where(file), "does not have its signed SHA-256 %s", want.Hex())
	}
	return b, nil
}

func (r *round) auditObject(ctx context.Context, res portal.Resource) error {
	file := datapackage.ObjectFile(res.Hash)
	body, _, err := r.src.Get(ctx, file, 0)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // opened for reading
	in, err := carrier.Decode(io.LimitReader(body, carrier.MaxCompressed(res.Bytes)), res.Bytes)
	if err != nil {
		return portal.Unverified(r.where(file), "does not hold the signed contents: %v", err)
	}
	defer in.Close() //nolint:errcheck // a decoder
	got, n, err := hash(in)
	if err != nil || n != res.Bytes || got != res.Hash {
		return portal.Unverified(r.where(file), "does not hold the signed contents with SHA-256 %s", res.Hash.Hex())
	}
	return nil
}

// Inventory is everything that the accepted copy is made of.
type Inventory struct {
	Manifests map[portal.Digest]bool    // of releases, of publishers' records, and files beside the publishers
	Contents  map[portal.Digest]Content // of all releases
}

// Content is a file of a release.
type Content struct {
	Dataset   portal.DatasetID
	Resource  portal.Resource
	Latest    bool // a latest release names it
	Wanted    bool // a latest release names it, and the policy of this node wants it
	Withdrawn bool // only withdrawn datasets name it: nobody holds it
}

// Inventory reads every manifest that the accepted metadata names, each checked
// against its signed hash, and reports those that this node lacks or that were
// damaged here.
func (m *Mirror) Inventory(ctx context.Context, found func(error)) (Inventory, error) {
	inv := Inventory{Manifests: map[portal.Digest]bool{}, Contents: map[portal.Digest]Content{}}
	a, err := m.load()
	if err != nil {
		return inv, err
	}
	for _, name := range a.damaged {
		found(portal.Unverified("trust/"+name, "is not what was accepted").WithHint("the next sync brings it again"))
	}
	l, err := list(a)
	if err != nil {
		return inv, err
	}
	for p, want := range l.records {
		inv.Manifests[want.target.SHA256] = true
		if _, err := m.o.Contents.ReadAll(want.target.SHA256, maxManifest); err != nil {
			found(portal.Unverified("record of publisher "+string(p), "%v", err))
		}
	}
	for path, want := range l.sides {
		inv.Manifests[want.target.SHA256] = true
		if _, err := m.o.Contents.ReadAll(want.target.SHA256, datapackage.MaxSide); err != nil {
			found(portal.Unverified(path, "%v", err))
		}
	}
	policy := m.policy()
	for id, want := range l.datasets {
		if err := ctx.Err(); err != nil {
			return inv, err
		}
		m.inventory(inv, id, want, policy, found)
	}
	return inv, nil
}

// inventory adds one dataset, from its latest release to its first.
func (m *Mirror) inventory(inv Inventory, id portal.DatasetID, want listed, policy Policy, found func(error)) {
	next := &portal.PreviousRelease{Release: want.number, SHA256: want.target.SHA256}
	withdrawn := false
	for next != nil {
		where := fmt.Sprintf("manifest of %s release %d", id, next.Release)
		inv.Manifests[next.SHA256] = true
		b, err := m.o.Contents.ReadAll(next.SHA256, maxManifest)
		if err != nil {
			found(portal.Unverified(where, "%v", err))
			return
		}
		release, err := datapackage.Decode(b)
		if err != nil {
			found(verdict(where, err))
			return
		}
		latest := next.Release == want.number
		withdrawn = withdrawn || latest && release.Withdrawn != nil
		for _, res := range release.Resources {
			c, known := inv.Contents[res.Hash]
			if !known {
				c = Content{Dataset: id, Resource: res, Withdrawn: true}
			}
			c.Latest = c.Latest || latest
			c.Wanted = c.Wanted || latest && policy.Wants(release, res)
			c.Withdrawn = c.Withdrawn && withdrawn
			inv.Contents[res.Hash] = c
		}
		next = release.Previous
	}
}
