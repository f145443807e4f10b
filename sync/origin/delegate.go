package origin

import (
	"context"
	"slices"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// Delegate lets a publisher sign with a key of its own, which may be kept
// anywhere; threshold is how many of its keys have to sign, 0 for as many as
// before. A publisher that is new is suspended until its first releases come. A
// key that the centre made for it is taken out: who has a key of its own is
// signed for by nobody else.
func (o *Origin) Delegate(_ context.Context, p portal.PublisherID, threshold int, keys ...tuf.Key) (Rotation, error) {
	c, err := o.load()
	if err != nil {
		return Rotation{}, err
	}
	role, known := c.delegated(p)
	if !known {
		return o.introduce(c, p, max(1, threshold), keys)
	}
	out := Rotation{}
	if own, ok, err := o.keyFile(publisherKey(p) + keySuffix); err != nil {
		return out, err
	} else if ok && len(role.KeyIDs) == 1 && role.KeyIDs[0] == own.Public().ID() && !slices.Contains(keys, own.Public()) {
		out.Old, role.KeyIDs = role.KeyIDs[0], nil
	}
	if threshold == 0 {
		threshold = role.Threshold
	}
	widenedOut, err := o.thresholdWith(c, p, role, threshold, keys)
	if err != nil || out.Old == "" {
		return widenedOut, err
	}
	widenedOut.Old = out.Old
	return widenedOut, o.putAway(c.ring, string(p), &widenedOut)
}

func (o *Origin) thresholdOf(c *current, p portal.PublisherID, threshold int, keys []tuf.Key) (Rotation, error) {
	role, ok := c.delegated(p)
	if !ok {
		return Rotation{}, unknownRole(string(p))
	}
	return o.thresholdWith(c, p, role, threshold, keys)
}

func (o *Origin) thresholdWith(c *current, p portal.PublisherID, role tuf.Role, threshold int, keys []tuf.Key) (Rotation, error) {
	role, err := widened(string(p), role, threshold, keys)
	if err != nil {
		return Rotation{}, err
	}
	return o.regrant(c, p, role, keys)
}

// regrant publishes who signs for p. What p published is signed anew where
// enough of its keys are at hand; otherwise it stays as it is, and counts as
// suspended while too few of its signatures hold.
func (o *Origin) regrant(c *current, p portal.PublisherID, role tuf.Role, keys []tuf.Key) (Rotation, error) {
	c.grant(p, role, keys...)
	if c.ring.can(role) {
		c.changed = append(c.changed, p)
	}
	if err := o.publish(c); err != nil {
		return Rotation{}, err
	}
	out := Rotation{Role: string(p), Threshold: role.Threshold, Keys: len(role.KeyIDs)}
	out.setRoot(c)
	return out, nil
}

// introduce delegates to a publisher that is new. The snapshot has to name a
// file of every delegated role: an empty one is written, signed by a key that is
// forgotten at once, which nobody trusts.
func (o *Origin) introduce(c *current, p portal.PublisherID, threshold int, keys []tuf.Key) (Rotation, error) {
	role, err := widened(string(p), tuf.Role{}, threshold, keys)
	if err != nil {
		return Rotation{}, err
	}
	nobody, err := tuf.GenerateKey()
	if err != nil {
		return Rotation{}, err
	}
	b, err := tuf.SignTargets(tuf.Targets{Version: 1, Expires: o.expiry(publisherLife)}, nobody)
	if err != nil {
		return Rotation{}, err
	}
	c.placed = append(c.placed, placed{string(p), 1, b})
	c.roles[string(p)] = tuf.Targets{Version: 1}
	return o.regrant(c, p, role, keys)
}

// Revoke takes a stolen or lost key from a publisher. Nothing is signed anew:
// what the key signed stays where it is, in case it was false, and shows as
// suspended until the publisher publishes again. A publisher that is left without
// a key, and whose key the centre kept, gets another one that the centre keeps.
func (o *Origin) Revoke(_ context.Context, p portal.PublisherID, id string) (Rotation, error) {
	c, err := o.load()
	if err != nil {
		return Rotation{}, err
	}
	role, ok := c.delegated(p)
	if !ok {
		return Rotation{}, unknownPublisher(p)
	}
	if done, ok, err := o.finishRotation(c, string(p), role); ok || err != nil {
		return done, err
	}
	if !slices.Contains(role.KeyIDs, id) {
		return Rotation{}, &portal.Problem{Kind: portal.ErrNotFound, Where: string(p), Message: "has no key " + id, Hint: "koprik key show lists them"}
	}
	role.KeyIDs = slices.DeleteFunc(slices.Clone(role.KeyIDs), func(k string) bool { return k == id })
	out := Rotation{Role: string(p), Old: id}
	if len(role.KeyIDs) == 0 && c.ring.files[id] != "" {
		k, err := o.incoming(c, string(p), nil, &out)
		if err != nil {
			return out, err
		}
		role.KeyIDs = []string{out.New}
		c.grant(p, role, k)
	} else {
		c.grant(p, role)
	}
	if err := o.publish(c); err != nil {
		return out, err
	}
	out.Threshold, out.Keys = role.Threshold, len(role.KeyIDs)
	out.setRoot(c)
	return out, o.putAway(c.ring, string(p), &out)
}

// Suspended are the publishers whose role is not signed by enough of the keys
// that it is delegated to: mirrors show what they had of them before.
func (o *Origin) Suspended() ([]portal.PublisherID, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	all := make([]portal.PublisherID, len(c.targets.Roles))
	for i, d := range c.targets.Roles {
		all[i] = portal.PublisherID(d.Name)
	}
	return o.suspended(c, all...)
}

// suspended gives those of the publishers asked for that are.
func (o *Origin) suspended(c *current, of ...portal.PublisherID) (ids []portal.PublisherID, err error) {
	set, err := o.verified(c)
	if err != nil {
		return nil, err
	}
	for _, p := range of {
		name := carrier.MetadataPath(string(p), c.snapshot.Meta[string(p)+".json"].Version)
		b, err := disk.ReadFile(o.repo, name, maxMetadata)
		if err != nil {
			return nil, err
		}
		if err := set.UpdateDelegated(string(p), b, tuf.Policy{}); err != nil {
			ids = append(ids, p)
		}
	}
	return ids, nil
}

// verified is what is published as a mirror takes it, but for the publishers.
func (o *Origin) verified(c *current) (*tuf.Set, error) {
	set, err := tuf.NewSet(c.rootBytes)
	if err != nil {
		return nil, damaged("metadata/root.json", err)
	}
	for _, f := range []struct {
		name   string
		update func([]byte, tuf.Policy) error
	}{
		{timestampFile, set.UpdateTimestamp},
		{carrier.MetadataPath(roleSnapshot, c.snapshot.Version), set.UpdateSnapshot},
		{carrier.MetadataPath(roleTargets, c.targets.Version), set.UpdateTargets},
	} {
		b, err := disk.ReadFile(o.repo, f.name, maxMetadata)
		if err != nil {
			return nil, err
		}
		if err := f.update(b, tuf.Policy{}); err != nil {
			return nil, damaged(f.name, err)
		}
	}
	return set, nil
}
