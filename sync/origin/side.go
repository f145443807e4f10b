package origin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/tuf"
)

// talkbackLife is how long the talkback role's signature lasts: its key is online
// and signs every day.
const talkbackLife = 30 * 24 * time.Hour

// lifeOf is how long a delegated role's signature lasts.
func lifeOf(role string) time.Duration {
	if role == datapackage.TalkbackRole {
		return talkbackLife
	}
	return publisherLife
}

// Sides are files of roles beside the publishers, by role and path: all that the
// role is to list from now on.
type Sides map[string]map[string][]byte

// keptSides is for how many versions of its role a file stays in the repository
// after the role has ceased to list it: mirrors may be on their way to it.
const keptSides = 8

// addSides delegates to the roles beside the publishers that are not there yet.
func (o *Origin) addSides(c *current) error {
	for _, role := range datapackage.SideRoles {
		if _, there := c.delegated(portal.PublisherID(role)); there {
			continue
		}
		if err := o.delegate(c, portal.PublisherID(role)); err != nil {
			return err
		}
	}
	return nil
}

// EnsureSides gives a repository that was made before them the roles beside the
// publishers, where the keys of targets are at hand. ready says that they are
// there now.
func (o *Origin) EnsureSides(_ context.Context) (ready bool, err error) {
	c, err := o.load()
	if err != nil {
		return false, err
	}
	missing := slices.ContainsFunc(datapackage.SideRoles, func(role string) bool {
		_, there := c.delegated(portal.PublisherID(role))
		return !there
	})
	if !missing || !c.ring.can(c.root.Roles[roleTargets]) {
		return !missing, nil
	}
	if err := o.addSides(c); err != nil {
		return false, err
	}
	return true, o.publish(c)
}

// stageSides writes the files of sides, each before the role that lists it. A role
// that lists the same already is left as it is.
func (o *Origin) stageSides(c *current, sides Sides) error {
	for _, name := range slices.Sorted(maps.Keys(sides)) {
		if _, delegated := c.delegated(portal.PublisherID(name)); !delegated || !datapackage.IsSide(name) {
			return portal.Rejected("role "+name, "this repository has no such role").
				WithHint("koprik serve makes it, where the keys of targets are")
		}
		role, err := o.role(c, portal.PublisherID(name))
		if err != nil {
			return err
		}
		next := make(map[string]tuf.Target, len(sides[name]))
		for path, b := range sides[name] {
			if err := datapackage.ParseSidePath(name, path); err != nil {
				return err
			}
			if len(b) > datapackage.MaxSide {
				return fmt.Errorf("%s: %d bytes, at most %d", path, len(b), datapackage.MaxSide)
			}
			t := tuf.Target{Length: int64(len(b)), SHA256: portal.DigestOf(b)}
			next[path] = t
			if role.Targets[path] == t {
				continue
			}
			if err := disk.WriteFile(o.repo, datapackage.SideFile(path, t.SHA256), b); err != nil {
				return err
			}
		}
		if maps.Equal(next, role.Targets) {
			continue
		}
		role.Targets = next
		c.roles[name] = role
		c.changed = append(c.changed, portal.PublisherID(name))
	}
	return nil
}

// PublishSides makes a new generation of files beside the publishers, and returns
// its number; when nothing differs, that of now.
func (o *Origin) PublishSides(_ context.Context, sides Sides) (int64, error) {
	c, err := o.load()
	if err != nil {
		return 0, err
	}
	if err := o.stageSides(c, sides); err != nil {
		return 0, err
	}
	if len(c.changed) == 0 {
		return c.snapshot.Version, nil
	}
	if err := o.publish(c); err != nil {
		return 0, err
	}
	for _, role := range c.changed {
		if err := o.sweepSides(string(role), c.roles[string(role)].Version+1); err != nil {
			return c.snapshot.Version, err
		}
	}
	return c.snapshot.Version, nil
}

// Side gives what a role beside the publishers lists now, by path; nil where there
// is no such role.
func (o *Origin) Side(role string) (map[string][]byte, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	if _, there := c.delegated(portal.PublisherID(role)); !there {
		return nil, nil
	}
	listed, err := o.role(c, portal.PublisherID(role))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for path, t := range listed.Targets {
		if files[path], err = o.signed(datapackage.SideFile(path, t.SHA256), Listed{SHA256: t.SHA256, Length: t.Length}); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// CanSign tells whether the keys of a role beside the publishers are at hand.
func (o *Origin) CanSign(role string) (bool, error) {
	c, err := o.load()
	if err != nil {
		return false, err
	}
	by, ok := c.delegated(portal.PublisherID(role))
	return ok && c.ring.can(by), nil
}

// sweepSides removes the files that no version of a role has listed for a while.
// version is the newest one.
func (o *Origin) sweepSides(role string, version int64) error {
	old := version - keptSides
	if old < 1 {
		return nil
	}
	var gone tuf.Targets
	if err := read(o, role, old, tuf.ParseTargets, &gone); err != nil {
		return nil //nolint:nilerr // that version was removed: its files were, too
	}
	kept := map[string]bool{}
	for v := old + 1; v <= version; v++ {
		var t tuf.Targets
		if err := read(o, role, v, tuf.ParseTargets, &t); err != nil {
			continue
		}
		for path, target := range t.Targets {
			kept[datapackage.SideFile(path, target.SHA256)] = true
		}
	}
	for path, target := range gone.Targets {
		file := datapackage.SideFile(path, target.SHA256)
		if kept[file] {
			continue
		}
		if err := o.repo.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
