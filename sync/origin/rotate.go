package origin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"koprik/portal"
	"koprik/sync/tuf"
)

// Rotation says what a change of keys has brought.
type Rotation struct {
	Role       string
	Old, New   string // key ids; "" where none went or came
	NewFile    string // where the new key is, in keys/; "" for one that is elsewhere
	OldFile    string // what the replaced key's file is called now; "" for one that is elsewhere
	Root       int64  // version of the root that holds
	Generation int64
	Threshold  int
	Keys       int // how many the role has
}

// follow makes the root that follows the one that holds.
func (o *Origin) follow(c *current) *tuf.Root {
	next := c.root
	next.Version++
	next.Expires = o.expiry(rootLife)
	next.Keys, next.Roles = maps.Clone(c.root.Keys), maps.Clone(c.root.Roles)
	c.next = &next
	return c.next
}

// assign makes role the signer of a role of root's in the root that follows, and
// drops keys that nobody signs with. Where the role's own file names no key, it
// is signed anew so that it holds under both roots.
func (o *Origin) assign(c *current, name string, role tuf.Role, keys ...tuf.Key) {
	next := o.follow(c)
	for _, k := range keys {
		next.Keys[k.ID()] = k
	}
	next.Roles[name] = role
	maps.DeleteFunc(next.Keys, func(id string, _ tuf.Key) bool {
		for _, r := range next.Roles {
			if slices.Contains(r.KeyIDs, id) {
				return false
			}
		}
		return true
	})
	c.targetsChanged = c.targetsChanged || name == roleTargets
}

// Rotate replaces one key of a role: of root's four, or of a publisher. old is
// its id; "" means the only one of the role whose file is in keys/. The key that
// comes is made here and kept beside the others, unless by names one that is
// kept elsewhere. Mirrors follow by themselves. The replaced key's file is kept
// as <name>.pem.old until somebody removes it or the next rotation replaces it;
// nothing reads it. Interrupted at any point, Rotate is finished by calling it again.
func (o *Origin) Rotate(_ context.Context, name, old string, by *tuf.Key) (Rotation, error) {
	c, err := o.load()
	if err != nil {
		return Rotation{}, err
	}
	role, isRoot := c.root.Roles[name]
	if !isRoot {
		var ok bool
		if role, ok = c.delegated(portal.PublisherID(name)); !ok {
			return Rotation{}, unknownRole(name)
		}
	}
	if done, ok, err := o.finishRotation(c, name, role); ok || err != nil {
		return done, errors.Join(err, o.resign(c, &done))
	}
	if old, err = c.ring.pick(name, role, old); err != nil {
		return Rotation{}, err
	}
	out := Rotation{Role: name, Old: old, Threshold: role.Threshold, Keys: len(role.KeyIDs)}
	key, err := o.incoming(c, name, by, &out)
	if err != nil {
		return out, err
	}
	if slices.Contains(role.KeyIDs, key.ID()) {
		return out, portal.Rejected(name, "the key %s is one of its keys already", portal.SixWords(key.ID()))
	}
	role.KeyIDs = slices.Clone(role.KeyIDs)
	role.KeyIDs[slices.Index(role.KeyIDs, old)] = key.ID()
	if isRoot {
		o.assign(c, name, role, key)
	} else {
		c.grant(portal.PublisherID(name), role, key)
		c.changed = append(c.changed, portal.PublisherID(name))
	}
	if err := o.publish(c); err != nil {
		return out, err
	}
	out.setRoot(c)
	return out, o.putAway(c.ring, name, &out)
}

func (r *Rotation) setRoot(c *current) {
	r.Generation, r.Root = c.snapshot.Version, c.root.Version
	if c.next != nil {
		r.Root = c.next.Version
	}
}

// resign signs again what an interrupted change of keys has left without a valid
// signature: its root was written, and the timestamp not.
func (o *Origin) resign(c *current, out *Rotation) error {
	if _, err := o.verified(c); err == nil {
		return nil
	}
	c.targetsChanged = true
	if err := o.publish(c); err != nil {
		return err
	}
	out.setRoot(c)
	return nil
}

// incoming is the key that comes: by, or one that is made, or was made by a
// rotation that did not come to its end.
func (o *Origin) incoming(c *current, name string, by *tuf.Key, out *Rotation) (tuf.Key, error) {
	if by != nil {
		out.New = by.ID()
		return *by, nil
	}
	file := keyName(name) + newSuffix
	k, err := o.ensureKey(file)
	if err != nil {
		return tuf.Key{}, err
	}
	c.ring.add(k, file)
	out.New, out.NewFile = k.Public().ID(), keyName(name)+keySuffix
	return k.Public(), nil
}

// pick finds the key that goes.
func (r ring) pick(name string, role tuf.Role, old string) (string, error) {
	if old != "" {
		if !slices.Contains(role.KeyIDs, old) {
			return "", &portal.Problem{Kind: portal.ErrNotFound, Where: name, Message: "has no key " + old, Hint: "koprik key show lists them"}
		}
		return old, nil
	}
	var here []string
	for _, id := range role.KeyIDs {
		if r.files[id] != "" {
			here = append(here, id)
		}
	}
	if len(here) != 1 {
		return "", &portal.Problem{
			Kind: portal.ErrUsage, Where: name, Message: fmt.Sprintf("%d of its %d keys are in keys/: which one is to go?", len(here), len(role.KeyIDs)),
			Hint: "name it with --key; koprik key show lists them",
		}
	}
	return here[0], nil
}

// finishRotation puts the files away that an interrupted rotation has left: its
// new key signs already.
func (o *Origin) finishRotation(c *current, name string, role tuf.Role) (Rotation, bool, error) {
	k, ok, err := o.keyFile(keyName(name) + newSuffix)
	if err != nil || !ok || !slices.Contains(role.KeyIDs, k.Public().ID()) {
		return Rotation{}, false, err
	}
	out := Rotation{
		Role: name, New: k.Public().ID(), NewFile: keyName(name) + keySuffix, Threshold: role.Threshold, Keys: len(role.KeyIDs),
	}
	out.setRoot(c)
	if held, ok, err := o.keyFile(out.NewFile); err == nil && ok && !slices.Contains(role.KeyIDs, held.Public().ID()) {
		out.Old = held.Public().ID()
	}
	return out, true, o.putAway(c.ring, name, &out)
}

// putAway gives the replaced key's file the ending .old, and the new one its name.
func (o *Origin) putAway(r ring, name string, out *Rotation) error {
	own := keyName(name) + keySuffix
	if file := r.files[out.Old]; file != "" {
		out.OldFile = file + ".old"
		if err := o.keys.Rename(file, out.OldFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if out.NewFile != "" {
		if _, err := o.keys.Stat(own); err == nil { // another key of the role stands there
			out.NewFile = keyName(name) + "-" + out.New[:8] + keySuffix
		}
		if err := o.keys.Rename(keyName(name)+newSuffix, out.NewFile); err != nil {
			return err
		}
	}
	return o.keys.SyncDir(".")
}

// Threshold adds keys to a role and says how many of them have to sign from now
// on. It never takes a key away: Rotate and Revoke do.
func (o *Origin) Threshold(_ context.Context, name string, threshold int, keys []tuf.Key) (Rotation, error) {
	c, err := o.load()
	if err != nil {
		return Rotation{}, err
	}
	role, isRoot := c.root.Roles[name]
	switch {
	case name == roleSnapshot || name == roleTimestamp:
		return Rotation{}, &portal.Problem{
			Kind: portal.ErrUsage, Where: name, Message: "is signed by the server every day, with one key",
			Hint: "koprik key rotate " + name + " replaces that key",
		}
	case !isRoot:
		return o.thresholdOf(c, portal.PublisherID(name), threshold, keys)
	}
	if role, err = widened(name, role, threshold, keys); err != nil {
		return Rotation{}, err
	}
	o.assign(c, name, role, keys...)
	if err := o.publish(c); err != nil {
		return Rotation{}, err
	}
	out := Rotation{Role: name, Threshold: role.Threshold, Keys: len(role.KeyIDs)}
	out.setRoot(c)
	return out, nil
}

// widened is a role with more keys and another threshold.
func widened(name string, role tuf.Role, threshold int, keys []tuf.Key) (tuf.Role, error) {
	role.KeyIDs = slices.Clone(role.KeyIDs)
	for _, k := range keys {
		if !slices.Contains(role.KeyIDs, k.ID()) {
			role.KeyIDs = append(role.KeyIDs, k.ID())
		}
	}
	role.Threshold = threshold
	if threshold < 1 || threshold > len(role.KeyIDs) {
		return role, &portal.Problem{
			Kind: portal.ErrUsage, Where: name, Message: fmt.Sprintf("%d of %d keys cannot be asked for", threshold, len(role.KeyIDs)),
			Hint: "give as many key files as are missing",
		}
	}
	return role, nil
}

func unknownRole(name string) error {
	return &portal.Problem{
		Kind: portal.ErrUsage, Where: name, Message: "is no role and no publisher of this portal",
		Hint: "root, targets, snapshot, timestamp, or a publisher of koprik publisher list",
	}
}
