// Package origin builds, signs and publishes a repository: a static tree that
// any web server, folder or stick can hold (spec/sync.md, "The tree").
//
// The order of publication is the transaction: contents first, then release
// manifests, then the publishers' roles, then the snapshot, and timestamp.json
// last. Until the timestamp is renamed into place, nobody can see any of it, and
// a crash at any write leaves the snapshot before valid.
package origin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// How long each role's signature lasts (spec/trust.md, "Roles").
const (
	rootLife      = 3 * 365 * 24 * time.Hour
	targetsLife   = 365 * 24 * time.Hour
	publisherLife = 365 * 24 * time.Hour
	snapshotLife  = 90 * 24 * time.Hour
	timestampLife = 7 * 24 * time.Hour
)

// maxMetadata bounds a metadata file of our own, in bytes.
const maxMetadata = 64 << 20

const timestampFile = "metadata/timestamp.json"

// Contents opens what a manifest names by hash.
type Contents interface {
	// Open gives the bytes held under d and their length, or portal.ErrNotHeld.
	Open(d portal.Digest) (portal.ReadSeekCloser, int64, error)
}

// Options say where a repository is, where its keys are, and what time it is.
type Options struct {
	Repository disk.FS // may be a disk.Group, which is flushed before what points at its files is written
	Keys       disk.FS
	Contents   Contents
	Now        func() time.Time
	Brought    []tuf.PrivateKey // keys that are not in Keys and sign beside them this time
	// May is asked before anything is signed that others will see; its error is given
	// back, and nothing is written. nil: always.
	May func() error
}

// Origin writes one repository. It expects to be the only writer (the node's
// write.lock).
type Origin struct {
	repo, keys disk.FS
	contents   Contents
	now        func() time.Time
	brought    []tuf.PrivateKey
	may        func() error
	last       parsedRole // the one that was read last
}

// Open gives the repository's writer. Whether there is a repository shows at
// the first use: Init makes one.
func Open(o Options) *Origin {
	return &Origin{repo: o.Repository, keys: o.Keys, contents: o.Contents, now: o.Now, brought: o.Brought, may: o.May}
}

// Init makes the one-person set of keys (every threshold 1) and an empty
// repository with one publisher, and returns the root of trust: the bytes of
// 1.root.json. It may be called again after a crash and goes on where it was.
func (o *Origin) Init(_ context.Context, first portal.PublisherID) ([]byte, error) {
	keys := map[string]tuf.PrivateKey{}
	for _, role := range []string{roleRoot, roleTargets, roleSnapshot, roleTimestamp} {
		k, err := o.ensureKey(role + keySuffix)
		if err != nil {
			return nil, err
		}
		keys[role] = k
	}
	root, err := o.initRoot(keys)
	if err != nil {
		return nil, err
	}
	if _, err := o.repo.Stat(timestampFile); err == nil {
		return root, nil
	}
	c := &current{snapshot: tuf.Snapshot{Meta: map[string]tuf.File{}}, rootBytes: root}
	if c.root, err = tuf.ParseRoot(root); err != nil {
		return nil, damaged("metadata/1.root.json", err)
	}
	if c.ring, err = o.ring(); err != nil {
		return nil, err
	}
	if err := o.addSides(c); err != nil {
		return nil, err
	}
	if err := o.delegate(c, first); err != nil {
		return nil, err
	}
	return root, o.publish(c)
}

func (o *Origin) initRoot(keys map[string]tuf.PrivateKey) ([]byte, error) {
	const name = "metadata/1.root.json"
	b, err := disk.ReadFile(o.repo, name, maxMetadata)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	root := tuf.Root{
		Version: 1, Expires: o.expiry(rootLife), ConsistentSnapshot: true,
		Keys: map[string]tuf.Key{}, Roles: map[string]tuf.Role{},
	}
	for role, k := range keys {
		id := k.Public().ID()
		root.Keys[id] = k.Public()
		root.Roles[role] = tuf.Role{KeyIDs: []string{id}, Threshold: 1}
	}
	b, err = tuf.SignRoot(root, keys[roleRoot])
	if err != nil {
		return nil, fmt.Errorf("sign root: %w", err)
	}
	return b, disk.WriteFile(o.repo, name, b)
}

// expiry is whole seconds: TUF's dates have no fractions.
func (o *Origin) expiry(life time.Duration) time.Time {
	return o.now().Add(life).UTC().Truncate(time.Second)
}

// Batch is what one publisher publishes at once.
type Batch struct {
	Publisher portal.PublisherID
	Manifests []portal.SignedManifest // at most one a dataset: the new latest
	Record    *portal.PublisherRecord // nil when it has not changed
}

// Publish makes one new generation of all batches and returns its number. The
// objects that the manifests name must be in Contents.
func (o *Origin) Publish(ctx context.Context, batches []Batch) (int64, error) {
	return o.PublishWith(ctx, batches, nil)
}

// PublishWith is Publish with files beside the publishers in the same generation.
func (o *Origin) PublishWith(ctx context.Context, batches []Batch, sides Sides) (int64, error) {
	c, err := o.load()
	if err != nil {
		return 0, err
	}
	if err := o.stageSides(c, sides); err != nil {
		return 0, err
	}
	for _, b := range batches {
		if err := o.stage(ctx, c, b); err != nil {
			return 0, err
		}
	}
	if err := o.publish(c); err != nil {
		return 0, err
	}
	return c.snapshot.Version, nil
}

// AddPublisher makes a key for p and delegates d/<p>/*/* to it.
func (o *Origin) AddPublisher(_ context.Context, p portal.PublisherID) error {
	c, err := o.load()
	if err != nil {
		return err
	}
	for _, d := range c.targets.Roles {
		if d.Name == string(p) {
			return nil
		}
	}
	if err := o.delegate(c, p); err != nil {
		return err
	}
	return o.publish(c)
}

// Refresh signs the timestamp anew so that mirrors see that the copy is of
// today, and every role that has less than a third of its life left and whose
// keys are at hand: those of the others are in safes and at agencies. It returns
// the generation, which grows only when a role other than the timestamp was signed.
func (o *Origin) Refresh(_ context.Context) (int64, error) {
	c, err := o.load()
	if err != nil {
		return 0, err
	}
	if err := o.refreshPublishers(c); err != nil {
		return 0, err
	}
	c.targetsChanged = o.ageing(c.targets.Expires, targetsLife) && c.ring.can(c.root.Roles[roleTargets])
	if o.ageing(c.root.Expires, rootLife) && c.ring.can(c.root.Roles[roleRoot]) {
		o.follow(c)
	}
	if len(c.changed) > 0 || c.targetsChanged || c.next != nil || o.ageing(c.snapshot.Expires, snapshotLife) {
		return c.snapshot.Version + 1, o.publish(c)
	}
	ts, err := o.signTimestamp(c)
	if err != nil {
		return 0, err
	}
	return c.snapshot.Version, disk.WriteFile(o.repo, ts.name, ts.bytes)
}

// refreshPublishers signs anew what ages and is not suspended: that its publisher
// has to look at first.
func (o *Origin) refreshPublishers(c *current) error {
	for _, d := range c.targets.Roles {
		p := portal.PublisherID(d.Name)
		role, err := o.role(c, p)
		if err != nil {
			return err
		}
		delete(c.roles, d.Name) // one is in memory at a time, and those that are signed again
		if o.ageing(role.Expires, lifeOf(d.Name)) && c.ring.can(tuf.Role{KeyIDs: d.KeyIDs, Threshold: d.Threshold}) {
			c.changed, c.roles[d.Name] = append(c.changed, p), role
		}
	}
	if len(c.changed) == 0 {
		return nil
	}
	suspended, err := o.suspended(c, c.changed...)
	c.changed = slices.DeleteFunc(c.changed, func(p portal.PublisherID) bool { return slices.Contains(suspended, p) })
	return err
}

func (o *Origin) ageing(expires time.Time, life time.Duration) bool {
	return expires.Sub(o.now()) < life/3
}

// SignedAt is when the timestamp was last signed.
func (o *Origin) SignedAt() (time.Time, error) {
	b, err := disk.ReadFile(o.repo, timestampFile, maxMetadata)
	if err != nil {
		return time.Time{}, err
	}
	ts, err := tuf.ParseTimestamp(b)
	return ts.SignedAt, err
}

// Remove takes contents out of the repository: those of a withdrawn dataset,
// after its tombstone was published.
func (o *Origin) Remove(digests []portal.Digest) error {
	for _, d := range digests {
		if err := o.repo.Remove(datapackage.ObjectFile(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove object %s: %w", d.Short(), err)
		}
	}
	return nil
}

// Publishers are those that the repository delegates to.
func (o *Origin) Publishers() ([]portal.PublisherID, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	var ids []portal.PublisherID
	for _, d := range c.targets.Roles {
		if !datapackage.IsSide(d.Name) {
			ids = append(ids, portal.PublisherID(d.Name))
		}
	}
	return ids, nil
}

// stage writes a batch's contents and manifests and puts them into its role.
func (o *Origin) stage(ctx context.Context, c *current, b Batch) error {
	role, err := o.role(c, b.Publisher)
	if err != nil {
		return err
	}
	role.Targets = maps.Clone(role.Targets)
	if role.Targets == nil {
		role.Targets = map[string]tuf.Target{}
	}
	listed := make(map[string]string, len(role.Targets)) // folder → path: one release of a dataset is listed
	for path := range role.Targets {
		listed[folderOf(path)] = path
	}
	if b.Record != nil {
		v := b.Record.Publisher.Version
		if err := o.target(role, listed, datapackage.PublisherPath(b.Publisher, v), datapackage.PublisherFile(b.Publisher, v, portal.DigestOf(b.Record.Bytes)), b.Record.Bytes); err != nil {
			return err
		}
	}
	for _, m := range b.Manifests {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := o.objects(m); err != nil {
			return err
		}
		d := portal.DigestOf(m.Bytes)
		if err := o.target(role, listed, datapackage.ManifestPath(m.Dataset, m.Number), datapackage.ManifestFile(m.Dataset, m.Number, d), m.Bytes); err != nil {
			return err
		}
	}
	c.roles[string(b.Publisher)] = role
	c.changed = append(c.changed, b.Publisher)
	return nil
}

// target writes one target file and lists it instead of its predecessor, which
// stands in the same folder.
func (o *Origin) target(role tuf.Targets, listed map[string]string, path, file string, b []byte) error {
	if err := disk.WriteFile(o.repo, file, b); err != nil {
		return err
	}
	delete(role.Targets, listed[folderOf(path)])
	role.Targets[path] = tuf.Target{Length: int64(len(b)), SHA256: portal.DigestOf(b)}
	listed[folderOf(path)] = path
	return nil
}

func folderOf(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }

// objects writes the carriers of everything that a manifest names.
func (o *Origin) objects(m portal.SignedManifest) error {
	release, err := datapackage.Decode(m.Bytes)
	if err != nil {
		return fmt.Errorf("manifest of %s release %d: %w", m.Dataset, m.Number, err)
	}
	for _, r := range release.Resources {
		if err := o.object(r); err != nil {
			return fmt.Errorf("%s: resource %s: %w", m.Dataset, r.Name, err)
		}
	}
	return nil
}

func (o *Origin) object(r portal.Resource) error {
	in, size, err := o.contents.Open(r.Hash)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // opened for reading
	if size != r.Bytes {
		return portal.Unverified("object "+r.Hash.Hex(), "has %d bytes instead of %d", size, r.Bytes)
	}
	return carrier.WriteObject(o.repo, datapackage.ObjectFile(r.Hash), in, size)
}

// WriteCarrier makes the carrier of one object again: for a repository whose
// carrier was damaged.
func (o *Origin) WriteCarrier(r portal.Resource) error {
	if err := o.repo.Remove(datapackage.ObjectFile(r.Hash)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return o.object(r)
}

// Listing is what a publisher's role lists now.
type Listing struct {
	Generation int64
	Datasets   map[portal.DatasetID]Listed
	Record     []byte // the publisher's record; nil before there is one
	Suspended  bool   // what is published does not hold under the publisher's keys of now
}

// Listed names the latest manifest of a dataset.
type Listed struct {
	Number int
	SHA256 portal.Digest
	Length int64
}

// Listing says what publisher p has published.
func (o *Origin) Listing(p portal.PublisherID) (Listing, error) {
	c, err := o.load()
	if err != nil {
		return Listing{}, err
	}
	role, err := o.role(c, p)
	if err != nil {
		return Listing{}, err
	}
	suspended, err := o.suspended(c, p)
	if err != nil {
		return Listing{}, err
	}
	l := Listing{
		Generation: c.snapshot.Version, Datasets: make(map[portal.DatasetID]Listed, len(role.Targets)), Suspended: len(suspended) > 0,
	}
	for path, target := range role.Targets {
		t, err := datapackage.ParseTargetPath(path)
		if err != nil {
			return l, damaged(string(p)+".json", err)
		}
		listed := Listed{Number: t.Number, SHA256: target.SHA256, Length: target.Length}
		if t.Kind == datapackage.ManifestTarget {
			l.Datasets[t.Dataset] = listed
			continue
		}
		if l.Record, err = o.signed(datapackage.PublisherFile(p, t.Number, target.SHA256), listed); err != nil {
			return l, err
		}
	}
	return l, nil
}

// Manifest reads back the bytes of a listed manifest.
func (o *Origin) Manifest(id portal.DatasetID, l Listed) ([]byte, error) {
	return o.signed(datapackage.ManifestFile(id, l.Number, l.SHA256), l)
}

func (o *Origin) signed(file string, l Listed) ([]byte, error) {
	b, err := disk.ReadFile(o.repo, file, l.Length)
	if err == nil && portal.DigestOf(b) != l.SHA256 {
		err = damaged(file, errors.New("its SHA-256 differs"))
	}
	return b, err
}

func unknownPublisher(p portal.PublisherID) error {
	return portal.Rejected("publisher "+string(p), "is not a publisher of this portal").
		WithHint("koprik publisher list shows those that are; koprik publisher add makes one")
}
