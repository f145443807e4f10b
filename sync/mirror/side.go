package mirror

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/tuf"
)

// Side is a small file of a role beside the publishers (talkback, seal) as the
// accepted copy lists it. Its bytes are among the contents, under its hash.
type Side struct {
	SHA256 portal.Digest
	Length int64
}

// Sides are the files beside the publishers of the accepted copy, by path, and its
// generation. The map must not be changed.
func (m *Mirror) Sides() (map[string]Side, int64, error) {
	s, err := m.summary()
	return s.sides, s.state.Generation, err
}

func (a *accepted) sides() map[string]Side {
	files := map[string]Side{}
	for _, role := range datapackage.SideRoles {
		if t, err := a.role(portal.PublisherID(role)); err == nil && t != nil { // one that was lost since has none
			for path, target := range t.Targets {
				files[path] = Side{target.SHA256, target.Length}
			}
		}
	}
	return files
}

// addSide reads the targets of a role beside the publishers.
func (l listing) addSide(role string, t *tuf.Targets) error {
	for path, target := range t.Targets {
		if err := datapackage.ParseSidePath(role, path); err != nil {
			return verdict(role+".json: "+path, err)
		}
		if target.Length > datapackage.MaxSide {
			return portal.Unverified(role+".json: "+path, "%d bytes; at most %d are allowed", target.Length, datapackage.MaxSide)
		}
		l.sides[path] = listed{target: target}
	}
	return nil
}

// sides brings the files beside the publishers that are new, some side by side.
func (r *round) sides(ctx context.Context, known, next listing) error {
	if r.o.DryRun {
		return nil
	}
	bring := func(ctx context.Context, path string) error {
		want := next.sides[path].target
		_, err := r.manifest(ctx, datapackage.SideFile(path, want.SHA256), want.SHA256, want.Length)
		return err
	}
	var asked []string
	trips := r.trips.Load()
	for _, path := range slices.Sorted(maps.Keys(next.sides)) {
		want := next.sides[path]
		if known.sides[path] == want && r.m.o.Contents.Has(want.target.SHA256) {
			continue
		}
		if _, _, here := r.src.inPack(datapackage.SideFile(path, want.target.SHA256)); !here {
			asked = append(asked, path)
			continue
		}
		if err := bring(ctx, path); err != nil {
			return err
		}
	}
	waits, err := sideBySide(ctx, &r.pace, asked, bring)
	r.trips.Store(trips + waits)
	return err
}

// formerSides is the list, in trust/, of the files beside the publishers that the
// copy before the accepted one had, and this one has not.
const formerSides = "former-sides"

// dropSides removes the files beside the publishers that no copy lists any more:
// nobody looks at older answers. Those of the copy before stay one round longer, for
// readers and mirrors that are on their way to them.
func (m *Mirror) dropSides(before listing, now *accepted) error {
	is := now.sides()
	kept := map[portal.Digest]bool{}
	for _, s := range is {
		kept[s.SHA256] = true
	}
	old, err := disk.ReadFile(m.o.Trust, formerSides, maxMetadata)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var former strings.Builder
	for path, want := range before.sides {
		is[path+"\x00"] = Side{SHA256: want.target.SHA256} // for the sweep, beside the new one
		if d := portal.Digest(want.target.SHA256); !kept[d] {
			kept[d] = true
			former.WriteString(d.Hex() + "\n")
		}
	}
	if former.Len() == 0 {
		return nil
	}
	for line := range strings.Lines(string(old)) {
		d, err := portal.ParseDigest(strings.TrimSpace(line))
		if err != nil || kept[d] {
			continue
		}
		if err := m.o.Contents.Remove(d); err != nil {
			return err
		}
	}
	if m.o.Relay != nil {
		if err := m.sweepRelayed(is); err != nil {
			return err
		}
	}
	return disk.WriteFile(m.o.Trust, formerSides, []byte(former.String()))
}

// suspendedPublishers are those whose new role did not verify.
func (a *accepted) suspendedPublishers() []portal.PublisherID {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(a.suspended)), func(p portal.PublisherID) bool { return datapackage.IsSide(string(p)) })
}

// sweepRelayed removes what is not in files, by path or by path and a zero, from
// the repository that this node serves.
func (m *Mirror) sweepRelayed(files map[string]Side) error {
	named, folders := map[string]bool{}, map[string]bool{}
	for path, s := range files {
		named[datapackage.SideFile(strings.TrimSuffix(path, "\x00"), s.SHA256)] = true
	}
	for _, role := range datapackage.SideRoles {
		for _, pattern := range datapackage.SidePaths(role) {
			folders[pattern[:len(pattern)-len("/*")]] = true
		}
	}
	for folder := range folders {
		entries, err := m.o.Relay.ReadDir(folder)
		if err != nil {
			continue // nothing of it was relayed yet
		}
		for _, e := range entries {
			if name := folder + "/" + e.Name(); !named[name] && !e.IsDir() {
				if err := removed(m.o.Relay, name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// relaySides writes the files beside the publishers for further mirrors.
func (m *Mirror) relaySides(l listing) error {
	for path, want := range l.sides {
		if err := m.relayFile(datapackage.SideFile(path, want.target.SHA256), want.target.SHA256); err != nil {
			return err
		}
	}
	return nil
}

// sides plans the files beside the publishers.
func (p *exportPlan) sides(l listing) {
	for _, path := range slices.Sorted(maps.Keys(l.sides)) {
		want := l.sides[path]
		p.pieces = append(p.pieces, piece{
			name: datapackage.SideFile(path, want.target.SHA256), held: want.target.SHA256, size: want.target.Length,
			lacking: p.old.sides[path] != want,
		})
	}
}
