package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// maxManifest bounds a manifest that is handed in, in bytes, as at every mirror.
const maxManifest = 4 << 20

// Standing is what the centre has of a publisher: what the next hand-over begins
// with.
type Standing struct {
	Version    int64 // of the publisher's role; the next one is one more
	Generation int64
	Expires    time.Time
	Suspended  bool
	Targets    map[string]portal.Digest // what the role lists: path → SHA-256
}

// Standing says what is published of p.
func (o *Origin) Standing(p portal.PublisherID) (Standing, error) {
	c, err := o.load()
	if err != nil {
		return Standing{}, err
	}
	role, err := o.role(c, p)
	if err != nil {
		return Standing{}, err
	}
	suspended, err := o.suspended(c, p)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{
		Version: role.Version, Generation: c.snapshot.Version, Expires: role.Expires,
		Suspended: len(suspended) > 0, Targets: map[string]portal.Digest{},
	}
	for path, t := range role.Targets {
		s.Targets[path] = t.SHA256
	}
	return s, nil
}

// Ageing tells whether a publisher should sign again although nothing is new.
func (s Standing) Ageing(now time.Time) bool { return s.Expires.Sub(now) < publisherLife/3 }

// SignFor signs what p has published here as a role file of the given version,
// for another repository that delegates to the same keys.
func (o *Origin) SignFor(p portal.PublisherID, version int64) ([]byte, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	by, ok := c.delegated(p)
	if !ok {
		return nil, unknownPublisher(p)
	}
	keys, err := c.ring.of("publisher "+string(p), by)
	if err != nil {
		return nil, err
	}
	role, err := o.role(c, p)
	if err != nil {
		return nil, err
	}
	role.Version, role.Expires = version, o.expiry(publisherLife)
	return tuf.SignTargets(role, keys...)
}

// ErrVersion says that a role file has another version than the one that is next.
var ErrVersion = errors.New("another version is next")

// Offer is a role file that a publisher handed in. It is signed as the delegation
// asks, it is the version that is next, and it goes back in nothing.
type Offer struct {
	Publisher  portal.PublisherID
	Bytes      []byte
	Generation int64 // in which the very same file is published already; 0: not yet

	role tuf.Targets
	c    *current
}

// Offered verifies a role file that was handed in for p, as every mirror will.
// What is wrong with it is portal.ErrRejected, and ErrVersion among that.
func (o *Origin) Offered(p portal.PublisherID, b []byte) (*Offer, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	held, err := o.role(c, p)
	if err != nil {
		return nil, err
	}
	offer := &Offer{Publisher: p, Bytes: b, c: c}
	if stated := c.snapshot.Meta[string(p)+".json"]; stated.SHA256 == portal.DigestOf(b) {
		offer.Generation = c.snapshot.Version
		return offer, nil
	}
	if offer.role, err = tuf.ParseTargets(b); err != nil {
		return nil, refused(p, err, "is no role file: %v", err)
	}
	if offer.role.Version != held.Version+1 {
		return nil, refused(p, ErrVersion, "is version %d, and version %d is next", offer.role.Version, held.Version+1)
	}
	if err := o.verifyOffer(c, offer); err != nil {
		return nil, err
	}
	return offer, offer.goesBack(held)
}

func refused(p portal.PublisherID, cause error, format string, args ...any) *portal.Problem {
	r := portal.Rejected("role of "+string(p), format, args...)
	r.Cause = cause
	return r
}

// verifyOffer makes, in memory, the snapshot and the timestamp that would name
// the offer, and lets the verifier take it.
func (o *Origin) verifyOffer(c *current, offer *Offer) error {
	name := string(offer.Publisher)
	snapshot, timestamp := c.snapshot, c.timestamp
	snapshot.Meta = maps.Clone(snapshot.Meta)
	snapshot.Meta[name+".json"] = tuf.File{
		Version: offer.role.Version, Length: int64(len(offer.Bytes)), SHA256: portal.DigestOf(offer.Bytes),
	}
	snapshot.Version++
	timestamp.Version++
	keys, err := c.ring.of(roleSnapshot, c.root.Roles[roleSnapshot])
	if err != nil {
		return err
	}
	sb, err := tuf.SignSnapshot(snapshot, keys...)
	if err != nil {
		return err
	}
	timestamp.Snapshot = tuf.File{Version: snapshot.Version, Length: int64(len(sb)), SHA256: portal.DigestOf(sb)}
	if keys, err = c.ring.of(roleTimestamp, c.root.Roles[roleTimestamp]); err != nil {
		return err
	}
	tb, err := tuf.SignTimestamp(timestamp, keys...)
	if err != nil {
		return err
	}
	top, err := disk.ReadFile(o.repo, carrier.MetadataPath(roleTargets, c.targets.Version), maxMetadata)
	if err != nil {
		return err
	}
	set, err := tuf.NewSet(c.rootBytes)
	if err != nil {
		return err
	}
	if err := errors.Join(set.UpdateTimestamp(tb, tuf.Policy{}), set.UpdateSnapshot(sb, tuf.Policy{}), set.UpdateTargets(top, tuf.Policy{})); err != nil {
		return err
	}
	err = set.UpdateDelegated(name, offer.Bytes, tuf.Policy{Now: o.now(), Expire: tuf.ExpireDelegated})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tuf.ErrSignature):
		return refused(offer.Publisher, err, "is not signed by the keys that the centre delegated to: %v", err).
			WithHint("koprik key show %s tells the six words of a key; read them to the centre", offer.Publisher)
	}
	return refused(offer.Publisher, err, "does not verify: %v", err)
}

// goesBack refuses what a mirror would refuse: older releases, other bytes under
// a number that was published, and what is no longer there.
func (f *Offer) goesBack(held tuf.Targets) error {
	last := map[string]tuf.Target{}
	number := map[string]int{}
	folder := func(t datapackage.Target) string { return string(t.Dataset) }
	for path, target := range held.Targets {
		if t, err := datapackage.ParseTargetPath(path); err == nil {
			last[folder(t)], number[folder(t)] = target, t.Number
		}
	}
	seen := map[string]bool{}
	for path, target := range f.role.Targets {
		t, err := datapackage.ParseTargetPath(path)
		if err != nil {
			return refused(f.Publisher, err, "%v", err)
		}
		key := folder(t)
		was, known := last[key]
		switch {
		case t.Publisher != f.Publisher:
			return refused(f.Publisher, nil, "%s belongs to another publisher", path)
		case seen[key]:
			return refused(f.Publisher, nil, "%s: two releases of one dataset", path)
		case target.Length > maxManifest:
			return refused(f.Publisher, nil, "%s: a manifest of %d bytes, at most %d are allowed", path, target.Length, maxManifest)
		case known && t.Number < number[key]:
			return refused(f.Publisher, nil, "%s goes back: %d was published", path, number[key])
		case known && t.Number == number[key] && target != was:
			return refused(f.Publisher, nil, "%s was published with other contents", path)
		}
		seen[key] = true
	}
	for key := range last {
		if !seen[key] {
			return refused(f.Publisher, nil, "%q was published and is not there any more", key).
				WithHint("a dataset is taken back with koprik withdraw")
		}
	}
	return nil
}

// Want is an object that an offer needs and the centre does not hold: its bytes
// are bounded by what the publisher signed.
type Want struct {
	SHA256 portal.Digest
	Bytes  int64
}

// Missing lists what an offer still needs: manifests, and once these are held,
// what they name.
func (o *Origin) Missing(f *Offer) ([]Want, error) {
	var wants []Want
	err := o.walk(f, func(w Want) { wants = append(wants, w) }, func(release, []byte) error { return nil })
	slices.SortFunc(wants, func(a, b Want) int { return slices.Compare(a.SHA256[:], b.SHA256[:]) })
	return slices.Compact(wants), err
}

// release is one release of an offer that is not published yet.
type release struct {
	id     portal.DatasetID
	number int
	sha256 portal.Digest
	gone   bool // its dataset is withdrawn now: its contents are not wanted
	portal.Release
}

// walk visits what an offer brings: want for what is not held, found for each
// new manifest, the newest of a dataset first.
func (o *Origin) walk(f *Offer, want func(Want), found func(release, []byte) error) error {
	published := map[portal.Digest]bool{}
	for _, t := range f.c.roles[string(f.Publisher)].Targets {
		published[t.SHA256] = true
	}
	for _, path := range slices.Sorted(maps.Keys(f.role.Targets)) {
		target := f.role.Targets[path]
		if published[target.SHA256] {
			continue
		}
		t, err := datapackage.ParseTargetPath(path)
		if err != nil {
			return refused(f.Publisher, err, "%v", err)
		}
		if t.Kind == datapackage.PublisherTarget {
			err = o.walkRecord(f, t, Want{target.SHA256, target.Length}, want, found)
		} else {
			err = o.walkChain(f, t, Want{target.SHA256, target.Length}, published, want, found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *Origin) walkRecord(f *Offer, t datapackage.Target, w Want, want func(Want), found func(release, []byte) error) error {
	b, err := o.held(w)
	if errors.Is(err, portal.ErrNotHeld) {
		want(w)
		return nil
	}
	if err != nil {
		return err
	}
	record, err := datapackage.DecodePublisher(b)
	if err != nil || record.ID != f.Publisher || record.Version != t.Number {
		return refused(f.Publisher, err, "its record is not version %d of its own: %v", t.Number, err)
	}
	return found(release{number: t.Number, sha256: w.SHA256}, b)
}

func (o *Origin) walkChain(f *Offer, t datapackage.Target, w Want, published map[portal.Digest]bool, want func(Want), found func(release, []byte) error) error {
	gone := false
	for number := t.Number; ; number-- {
		b, err := o.held(w)
		if errors.Is(err, portal.ErrNotHeld) {
			want(w)
			return nil
		}
		if err != nil {
			return err
		}
		m, err := datapackage.Decode(b)
		if err != nil || m.Dataset != t.Dataset || m.Number != number {
			return refused(f.Publisher, err, "%s release %d is not what its manifest says: %v", t.Dataset, number, err)
		}
		gone = gone || m.Withdrawn != nil
		for _, r := range m.Resources {
			if gone {
				continue
			}
			if err := o.wantResource(r, want); err != nil {
				return fmt.Errorf("%s: resource %s: %w", t.Dataset, r.Name, err)
			}
		}
		if err := found(release{t.Dataset, number, w.SHA256, gone, m}, b); err != nil {
			return err
		}
		prev := m.Previous
		switch {
		case prev == nil && number == 1, prev != nil && published[prev.SHA256]:
			return nil
		case prev == nil || prev.Release != number-1 || number == 1 || prev.Length > maxManifest:
			return refused(f.Publisher, nil, "%s release %d does not follow the release before it", t.Dataset, number)
		}
		w = Want{prev.SHA256, prev.Length}
	}
}

func (o *Origin) wantResource(r portal.Resource, want func(Want)) error {
	in, _, err := o.contents.Open(r.Hash)
	if errors.Is(err, portal.ErrNotHeld) {
		want(Want{r.Hash, r.Bytes})
		return nil
	}
	if err != nil {
		return err
	}
	return in.Close()
}

// held reads an object of a bounded length and checks it.
func (o *Origin) held(w Want) ([]byte, error) {
	in, size, err := o.contents.Open(w.SHA256)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	if size != w.Bytes || portal.DigestOf(b) != w.SHA256 {
		return nil, portal.Rejected("object "+w.SHA256.Hex(), "is not the %d bytes that are signed", w.Bytes)
	}
	return b, nil
}

// Accept publishes an offer of which nothing is missing: contents, manifests, and
// the role file as it came; snapshot and timestamp are signed here. It returns
// the generation.
func (o *Origin) Accept(ctx context.Context, f *Offer) (int64, error) {
	if f.Generation > 0 {
		return f.Generation, nil
	}
	missing := 0
	err := o.walk(f, func(Want) { missing++ }, func(r release, b []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.id == "" {
			return disk.WriteFile(o.repo, datapackage.PublisherFile(f.Publisher, r.number, r.sha256), b)
		}
		if !r.gone {
			if err := o.objects(portal.SignedManifest{Dataset: r.id, Number: r.number, Bytes: b}); err != nil {
				return err
			}
		}
		return disk.WriteFile(o.repo, datapackage.ManifestFile(r.id, r.number, r.sha256), b)
	})
	if err != nil {
		return 0, err
	}
	if missing > 0 {
		return 0, portal.Rejected("role of "+string(f.Publisher), "%d objects that it names are missing", missing)
	}
	f.c.placed = append(f.c.placed, placed{string(f.Publisher), f.role.Version, f.Bytes})
	if err := o.publish(f.c); err != nil {
		return 0, err
	}
	return f.c.snapshot.Version, nil
}

// Handed lists every object that p's releases are made of here, newest first,
// but for those of what have lists: what a hand-over has to bring to a centre
// that cannot be asked.
func (o *Origin) Handed(p portal.PublisherID, have map[string]portal.Digest) ([]Want, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	role, err := o.role(c, p)
	if err != nil {
		return nil, err
	}
	f := &Offer{Publisher: p, role: role, c: &current{roles: map[string]tuf.Targets{string(p): known(have)}}}
	var all []Want
	err = o.walk(f, func(Want) {}, func(r release, b []byte) error {
		all = append(all, Want{r.sha256, int64(len(b))})
		for _, res := range r.Resources {
			if !r.gone {
				all = append(all, Want{res.Hash, res.Bytes})
			}
		}
		return nil
	})
	return all, err
}

func known(have map[string]portal.Digest) tuf.Targets {
	t := tuf.Targets{Targets: map[string]tuf.Target{}}
	for path, d := range have {
		t.Targets[path] = tuf.Target{SHA256: d}
	}
	return t
}
