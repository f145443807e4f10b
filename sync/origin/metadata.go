package origin

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/tuf"
)

// current is the published metadata, and what is to change in it.
type current struct {
	timestamp tuf.Timestamp
	snapshot  tuf.Snapshot
	targets   tuf.Targets
	roles     map[string]tuf.Targets

	targetsChanged bool
	changed        []portal.PublisherID // roles to be signed anew
}

// load reads back what timestamp.json points at. It is our own writing, read
// from our own disk: a mirror verifies, a writer only needs the versions.
func (o *Origin) load() (*current, error) {
	c := &current{roles: map[string]tuf.Targets{}}
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
	if err := read(o, roleSnapshot, c.timestamp.Snapshot.Version, tuf.ParseSnapshot, &c.snapshot); err != nil {
		return nil, err
	}
	if err := read(o, roleTargets, c.snapshot.Meta["targets.json"].Version, tuf.ParseTargets, &c.targets); err != nil {
		return nil, err
	}
	for _, d := range c.targets.Roles {
		var role tuf.Targets
		if err := read(o, d.Name, c.snapshot.Meta[d.Name+".json"].Version, tuf.ParseTargets, &role); err != nil {
			return nil, err
		}
		c.roles[d.Name] = role
	}
	return c, nil
}

func read[T any](o *Origin, role string, version int64, parse func([]byte) (T, error), into *T) error {
	name := metadataFile(role, version)
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

func metadataFile(role string, version int64) string {
	return fmt.Sprintf("metadata/%d.%s.json", version, role)
}

// delegate gives d/<p>/*/* to a key of p's own.
func (o *Origin) delegate(c *current, p portal.PublisherID) error {
	k, err := o.ensureKey(publisherKey(p))
	if err != nil {
		return err
	}
	if c.targets.Keys == nil {
		c.targets.Keys = map[string]tuf.Key{}
	}
	id := k.Public().ID()
	c.targets.Keys[id] = k.Public()
	c.targets.Roles = append(c.targets.Roles, tuf.Delegation{
		Name: string(p), KeyIDs: []string{id}, Threshold: 1,
		Paths: []string{"d/" + string(p) + "/*/*"}, Terminating: true,
	})
	c.targetsChanged = true
	if c.roles == nil {
		c.roles = map[string]tuf.Targets{}
	}
	c.roles[string(p)] = tuf.Targets{Targets: map[string]tuf.Target{}}
	c.changed = append(c.changed, p)
	return nil
}

// publish signs and writes what changed, each role before what points at it.
func (o *Origin) publish(c *current) error {
	slices.Sort(c.changed)
	for _, p := range slices.Compact(c.changed) {
		role := c.roles[string(p)]
		role.Version++
		role.Expires = o.expiry(publisherLife)
		if err := o.sign(c, string(p), publisherKey(p), role.Version, func(k tuf.PrivateKey) ([]byte, error) { return tuf.SignTargets(role, k) }); err != nil {
			return err
		}
	}
	if c.targetsChanged {
		c.targets.Version++
		c.targets.Expires = o.expiry(targetsLife)
		if err := o.sign(c, roleTargets, roleTargets, c.targets.Version, func(k tuf.PrivateKey) ([]byte, error) { return tuf.SignTargets(c.targets, k) }); err != nil {
			return err
		}
	}
	c.snapshot.Version++
	c.snapshot.Expires = o.expiry(snapshotLife)
	k, err := o.key(roleSnapshot)
	if err != nil {
		return err
	}
	b, err := tuf.SignSnapshot(c.snapshot, k)
	if err != nil {
		return fmt.Errorf("sign snapshot: %w", err)
	}
	if err := disk.WriteFile(o.repo, metadataFile(roleSnapshot, c.snapshot.Version), b); err != nil {
		return err
	}
	c.timestamp.Snapshot = tuf.File{Version: c.snapshot.Version, Length: int64(len(b)), SHA256: portal.DigestOf(b)}
	return o.signTimestamp(c)
}

// sign signs one role with the key called keyName, writes it, and states it in
// the snapshot.
func (o *Origin) sign(c *current, role, keyName string, version int64, sign func(tuf.PrivateKey) ([]byte, error)) error {
	k, err := o.key(keyName)
	if err != nil {
		return err
	}
	b, err := sign(k)
	if err != nil {
		return fmt.Errorf("sign %s: %w", role, err)
	}
	if err := disk.WriteFile(o.repo, metadataFile(role, version), b); err != nil {
		return err
	}
	c.snapshot.Meta[role+".json"] = tuf.File{Version: version, Length: int64(len(b)), SHA256: portal.DigestOf(b)}
	return nil
}

// signTimestamp is the one write that makes everything before it visible.
func (o *Origin) signTimestamp(c *current) error {
	k, err := o.key(roleTimestamp)
	if err != nil {
		return err
	}
	c.timestamp.Version++
	c.timestamp.SignedAt = o.expiry(0)
	c.timestamp.Expires = o.expiry(timestampLife)
	b, err := tuf.SignTimestamp(c.timestamp, k)
	if err != nil {
		return fmt.Errorf("sign timestamp: %w", err)
	}
	return disk.WriteFile(o.repo, timestampFile, b)
}
