package origin

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// current is the published metadata, and what is to change in it.
type current struct {
	timestamp tuf.Timestamp
	snapshot  tuf.Snapshot
	targets   tuf.Targets
	roles     map[string]tuf.Targets // those that were read, or are new: Origin.role
	root      tuf.Root
	rootBytes []byte
	ring      ring

	next           *tuf.Root // the root that is to follow, after everything else
	rootFirst      bool      // but before the timestamp: a key that it takes out was lost
	targetsChanged bool
	changed        []portal.PublisherID // roles to be signed anew
	placed         []placed             // roles that somebody else signed
}

// load reads back what timestamp.json points at. It is our own writing, read
// from our own disk: a mirror verifies, a writer only needs the versions.
func (o *Origin) load() (*current, error) {
	c := &current{roles: map[string]tuf.Targets{}}
	var err error
	if c.ring, err = o.ring(); err != nil {
		return nil, err
	}
	b, err := disk.ReadFile(o.repo, timestampFile, maxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &portal.Problem{
			Kind: portal.ErrNotFound, Where: timestampFile, Message: "there is no repository here",
			Hint: "koprik init --role central makes one", Cause: err,
		}
	}
	if err != nil {
		return nil, err
	}
	if c.timestamp, err = tuf.ParseTimestamp(b); err != nil {
		return nil, damaged(timestampFile, err)
	}
	if err := o.loadRoot(c); err != nil {
		return nil, err
	}
	if err := read(o, roleSnapshot, c.timestamp.Snapshot.Version, tuf.ParseSnapshot, &c.snapshot); err != nil {
		return nil, err
	}
	if err := read(o, roleTargets, c.snapshot.Meta["targets.json"].Version, tuf.ParseTargets, &c.targets); err != nil {
		return nil, err
	}
	return c, nil
}

// role reads the role of one publisher: the others' are not needed to sign it, and
// reading all of a large catalogue takes seconds. A role that this Origin has read
// before is not parsed again: its file is compared by its hash.
func (o *Origin) role(c *current, p portal.PublisherID) (tuf.Targets, error) {
	if role, ok := c.roles[string(p)]; ok {
		return role, nil
	}
	if _, ok := c.delegated(p); !ok {
		return tuf.Targets{}, unknownPublisher(p)
	}
	name := carrier.MetadataPath(string(p), c.snapshot.Meta[string(p)+".json"].Version)
	b, err := disk.ReadFile(o.repo, name, maxMetadata)
	if err != nil {
		return tuf.Targets{}, err
	}
	if d := portal.DigestOf(b); o.last.digest != d {
		role, err := tuf.ParseTargets(b)
		if err != nil {
			return tuf.Targets{}, damaged(name, err)
		}
		o.last = parsedRole{d, role}
	}
	c.roles[string(p)] = o.last.role
	return o.last.role, nil
}

// parsedRole is a publisher's role as it was read; nobody changes its maps.
type parsedRole struct {
	digest portal.Digest
	role   tuf.Targets
}

// loadRoot reads the newest root.
func (o *Origin) loadRoot(c *current) error {
	entries, err := o.repo.ReadDir("metadata")
	if err != nil {
		return err
	}
	var newest int64
	for _, e := range entries {
		if v, role := carrier.ParseMetadataName(e.Name()); role == roleRoot {
			newest = max(newest, v)
		}
	}
	name := carrier.MetadataPath(roleRoot, newest)
	if c.rootBytes, err = disk.ReadFile(o.repo, name, maxMetadata); err != nil {
		return err
	}
	if c.root, err = tuf.ParseRoot(c.rootBytes); err != nil {
		return damaged(name, err)
	}
	return nil
}

func read[T any](o *Origin, role string, version int64, parse func([]byte) (T, error), into *T) error {
	name := carrier.MetadataPath(role, version)
	b, err := disk.ReadFile(o.repo, name, maxMetadata)
	if err != nil {
		return err
	}
	if *into, err = parse(b); err != nil {
		return damaged(name, err)
	}
	return nil
}

func damaged(name string, err error) error {
	p := portal.Unverified("repository/"+name, "is damaged: %v", err)
	p.Cause = err
	return p.WithHint("koprik doctor --repair takes it back from the accepted copy")
}

// delegate gives d/<p>/*/*, or the folders of a role beside the publishers, to a
// key of its own.
func (o *Origin) delegate(c *current, p portal.PublisherID) error {
	name := keyName(string(p)) + keySuffix
	k, err := o.ensureKey(name)
	if err != nil {
		return err
	}
	c.ring.add(k, name)
	c.grant(p, tuf.Role{KeyIDs: []string{k.Public().ID()}, Threshold: 1}, k.Public())
	c.roles[string(p)] = tuf.Targets{Targets: map[string]tuf.Target{}}
	c.changed = append(c.changed, p)
	return nil
}

// delegated is who signs for p.
func (c *current) delegated(p portal.PublisherID) (tuf.Role, bool) {
	for _, d := range c.targets.Roles {
		if d.Name == string(p) {
			return tuf.Role{KeyIDs: d.KeyIDs, Threshold: d.Threshold}, true
		}
	}
	return tuf.Role{}, false
}

// grant makes role who signs for p, and drops keys that nobody signs with.
func (c *current) grant(p portal.PublisherID, role tuf.Role, keys ...tuf.Key) {
	d := tuf.Delegation{
		Name: string(p), KeyIDs: append([]string{}, role.KeyIDs...), Threshold: role.Threshold,
		Paths: []string{"d/" + string(p) + "/*/*"}, Terminating: true,
	}
	if datapackage.IsSide(d.Name) {
		d.Paths = datapackage.SidePaths(d.Name)
	}
	roles := slices.Clone(c.targets.Roles)
	if i := slices.IndexFunc(roles, func(r tuf.Delegation) bool { return r.Name == d.Name }); i >= 0 {
		roles[i] = d
	} else {
		roles = append(roles, d)
	}
	known := maps.Clone(c.targets.Keys)
	if known == nil {
		known = map[string]tuf.Key{}
	}
	for _, k := range keys {
		known[k.ID()] = k
	}
	maps.DeleteFunc(known, func(id string, _ tuf.Key) bool {
		return !slices.ContainsFunc(roles, func(r tuf.Delegation) bool { return slices.Contains(r.KeyIDs, id) })
	})
	c.targets.Roles, c.targets.Keys, c.targetsChanged = roles, known, true
	if c.roles == nil {
		c.roles = map[string]tuf.Targets{}
	}
}

// signers gives the keys that sign a role of root's. When a new root is to
// follow, the file has to hold under both: it is written before that root, and a
// mirror may come at any moment between the two. Where the old key was lost that
// cannot be: then the root goes before the timestamp, and a mirror that comes
// between the two tries again.
func (c *current) signers(role string) ([]tuf.PrivateKey, error) {
	if c.next == nil {
		return c.ring.of(role, c.root.Roles[role])
	}
	keys, err := c.ring.of(role, c.root.Roles[role], c.next.Roles[role])
	if err != nil && c.ring.can(c.next.Roles[role]) {
		c.rootFirst = true
		return c.ring.of(role, c.next.Roles[role])
	}
	return keys, err
}

// publish signs everything that changed, and then writes it, each role before
// what points at it; a root that follows comes last of all. When a key is
// missing, nothing is written.
func (o *Origin) publish(c *current) error {
	var files []file
	if err := o.signTargets(c, &files); err != nil {
		return err
	}
	c.snapshot.Version++
	c.snapshot.Expires = o.expiry(snapshotLife)
	keys, err := c.signers(roleSnapshot)
	if err != nil {
		return err
	}
	b, err := tuf.SignSnapshot(c.snapshot, keys...)
	if err != nil {
		return fmt.Errorf("sign snapshot: %w", err)
	}
	files = append(files, file{carrier.MetadataPath(roleSnapshot, c.snapshot.Version), b})
	c.timestamp.Snapshot = tuf.File{Version: c.snapshot.Version, Length: int64(len(b)), SHA256: portal.DigestOf(b)}
	ts, err := o.signTimestamp(c)
	if err != nil {
		return err
	}
	files = append(files, ts)
	if c.next != nil {
		root, err := c.signRoot()
		if err != nil {
			return err
		}
		files = append(files, root)
		if last := len(files) - 1; c.rootFirst {
			files[last], files[last-1] = files[last-1], files[last]
		}
	}
	if err := o.write(files); err != nil {
		return err
	}
	return o.retain(c)
}

// write writes files in their order. Whatever the timestamp or a root points at
// is durable before it is written, and that is when this returns.
func (o *Origin) write(files []file) error {
	for _, f := range files {
		if _, role := carrier.ParseMetadataName(path.Base(f.name)); f.name == timestampFile || role == roleRoot {
			if err := disk.Flush(o.repo); err != nil {
				return err
			}
		}
		if err := disk.WriteFile(o.repo, f.name, f.bytes); err != nil {
			return err
		}
	}
	return disk.Flush(o.repo)
}

// placed is a publisher's role that is carried as it came.
type placed struct {
	role    string
	version int64
	bytes   []byte
}

// file is a signed file on its way into the repository.
type file struct {
	name  string
	bytes []byte
}

// signTargets signs the publishers' roles that changed, and targets, and states
// them in the snapshot.
func (o *Origin) signTargets(c *current, files *[]file) error {
	state := func(role string, version int64, b []byte) {
		*files = append(*files, file{carrier.MetadataPath(role, version), b})
		c.snapshot.Meta[role+".json"] = tuf.File{Version: version, Length: int64(len(b)), SHA256: portal.DigestOf(b)}
	}
	for _, p := range c.placed {
		state(p.role, p.version, p.bytes)
	}
	slices.Sort(c.changed)
	for _, p := range slices.Compact(c.changed) {
		role, err := o.role(c, p)
		if err != nil {
			return err
		}
		role.Version++
		role.Expires = o.expiry(lifeOf(string(p)))
		by, _ := c.delegated(p)
		keys, err := c.ring.of("publisher "+string(p), by)
		if err != nil {
			return err
		}
		b, err := tuf.SignTargets(role, keys...)
		if err != nil {
			return fmt.Errorf("sign %s: %w", p, err)
		}
		state(string(p), role.Version, b)
	}
	if !c.targetsChanged {
		return nil
	}
	c.targets.Version++
	c.targets.Expires = o.expiry(targetsLife)
	keys, err := c.signers(roleTargets)
	if err != nil {
		return err
	}
	b, err := tuf.SignTargets(c.targets, keys...)
	if err != nil {
		return fmt.Errorf("sign targets: %w", err)
	}
	state(roleTargets, c.targets.Version, b)
	return nil
}

// signTimestamp makes the one file that makes everything before it visible.
func (o *Origin) signTimestamp(c *current) (file, error) {
	if o.may != nil {
		if err := o.may(); err != nil {
			return file{}, err
		}
	}
	keys, err := c.signers(roleTimestamp)
	if err != nil {
		return file{}, err
	}
	c.timestamp.Version++
	c.timestamp.SignedAt = o.expiry(0)
	c.timestamp.Expires = o.expiry(timestampLife)
	b, err := tuf.SignTimestamp(c.timestamp, keys...)
	if err != nil {
		return file{}, fmt.Errorf("sign timestamp: %w", err)
	}
	return file{timestampFile, b}, nil
}

// signRoot signs the root that follows, by the keys of both, and asks the
// verifier whether a mirror would follow it.
func (c *current) signRoot() (file, error) {
	keys, err := c.ring.of(roleRoot, c.root.Roles[roleRoot], c.next.Roles[roleRoot])
	if err != nil {
		return file{}, err
	}
	b, err := tuf.SignRoot(*c.next, keys...)
	if err != nil {
		return file{}, fmt.Errorf("sign root: %w", err)
	}
	set, err := tuf.NewSet(c.rootBytes)
	if err == nil {
		err = set.UpdateRoot(b)
	}
	if err != nil {
		return file{}, fmt.Errorf("root %d would not be followed: %w", c.next.Version, err)
	}
	return file{carrier.MetadataPath(roleRoot, c.next.Version), b}, nil
}
