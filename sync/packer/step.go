package packer

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// step is what lies between snapshot k and the newest one.
type step struct {
	from   int64
	files  carrier.Files
	wants  []want
	wholes int64                  // bytes of those that come from nothing
	known  map[portal.Digest]bool // those in wants
	count  int                    // datasets that changed
	gone   []portal.Digest        // contents that the newest releases no longer have
}

// want is a content that a mirror at step.from lacks.
type want struct {
	new  portal.Digest
	size int64
	old  portal.Digest // what it most likely came from; zero: nothing
}

// parsed is a role of one version, by dataset and by publisher's record.
type parsed struct {
	version  int64
	datasets map[portal.DatasetID]listed
	record   listed // number 0: none
	sides    map[string]listed
}

// listed is what a role says of one file.
type listed struct {
	number int
	target tuf.Target
}

// manifest is what packing needs to know of one.
type manifest struct {
	resources []portal.Resource
	withdrawn bool
	previous  *portal.PreviousRelease
}

const maxManifest = 4 << 20

// step finds what has changed since snapshot k, and makes the patch of the small
// files; errLater when that takes long and patient is false.
func (r *run) step(k int64, patient bool) (*step, error) {
	s := &step{from: k, known: map[portal.Digest]bool{}}
	then, err := r.snapshot(k)
	if err != nil {
		return nil, err
	}
	g := &gathered{run: r}
	for _, v := range r.newRoots(k) {
		g.fresh(carrier.MetadataPath("root", v), carrier.MetadataPath("root", v))
	}
	if k != r.to {
		if err := r.difference(g, s, then); err != nil {
			return nil, err
		}
	}
	if g.err != nil {
		return nil, g.err
	}
	weight, heavy := g.weight(), r.p.heavy
	r.heavy = r.heavy || g.bytes > heavy || weight > heavy && r.to-k == 1
	if weight > heavy && !patient {
		return nil, errLater
	}
	s.files, err = g.patch()
	return s, err
}

func (r *run) difference(g *gathered, s *step, then tuf.Snapshot) error {
	g.fresh(carrier.MetadataPath("snapshot", r.to), carrier.MetadataPath("snapshot", r.to))
	g.old(carrier.MetadataPath("snapshot", s.from), carrier.MetadataPath("snapshot", s.from))
	for _, file := range slices.Sorted(maps.Keys(r.now.Meta)) {
		role := file[:len(file)-len(".json")]
		now, before := r.now.Meta[file], then.Meta[file]
		if now == before {
			continue
		}
		g.fresh(carrier.MetadataPath(role, now.Version), carrier.MetadataPath(role, now.Version))
		if before.Version > 0 {
			g.old(carrier.MetadataPath(role, before.Version), carrier.MetadataPath(role, before.Version))
		}
		if role == "targets" {
			continue
		}
		if err := r.publisher(g, s, role, now.Version, before.Version); err != nil {
			return err
		}
	}
	return nil
}

// publisher adds the manifests and contents of one publisher that changed.
func (r *run) publisher(g *gathered, s *step, role string, now, before int64) error {
	fresh, err := r.role(r.roles, role, now)
	if err != nil {
		return err
	}
	var old parsed
	if before > 0 {
		if old, err = r.role(r.older, role, before); err != nil {
			return err
		}
	}
	if datapackage.IsSide(role) {
		g.sides(fresh.sides, old.sides)
		return nil
	}
	p := portal.PublisherID(role)
	if n := fresh.record; n.number > 0 && n != old.record {
		g.fresh(datapackage.PublisherPath(p, n.number), datapackage.PublisherFile(p, n.number, n.target.SHA256))
		if o := old.record; o.number > 0 {
			g.old(datapackage.PublisherPath(p, o.number), datapackage.PublisherFile(p, o.number, o.target.SHA256))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(fresh.datasets)) {
		n, o := fresh.datasets[id], old.datasets[id]
		if n == o {
			continue
		}
		if s.count++; s.count > maxChanged {
			break
		}
		if err := r.dataset(g, s, id, n, o); err != nil {
			return err
		}
	}
	return nil
}

// maxChanged is how many datasets of a step travel in its pack. A mirror that
// lacks more lacks a catalogue: it takes the metadata from the pack, and fetches
// manifests and contents side by side.
const maxChanged = 4096

// dataset adds a dataset's manifests since release o, and what its latest
// release needs that release o did not have.
func (r *run) dataset(g *gathered, s *step, id portal.DatasetID, n, o listed) error {
	latest, err := r.manifest(id, n.number, n.target.SHA256)
	if err != nil {
		return err
	}
	number, digest, m := n.number, portal.Digest(n.target.SHA256), latest
	for {
		g.manifest(datapackage.ManifestPath(id, number), datapackage.ManifestFile(id, number, digest))
		prev := m.previous
		if prev == nil || prev.Release <= o.number {
			break
		}
		number, digest = prev.Release, prev.SHA256
		if m, err = r.manifest(id, number, digest); err != nil {
			return err
		}
	}
	var before manifest
	if o.number > 0 {
		g.oldManifest(datapackage.ManifestPath(id, o.number), datapackage.ManifestFile(id, o.number, o.target.SHA256))
		if before, err = r.manifest(id, o.number, o.target.SHA256); err != nil {
			return err
		}
	}
	s.changed(latest, before)
	return nil
}

// changed adds what one dataset's contents were and are.
func (s *step) changed(latest, before manifest) {
	has := func(m manifest, d portal.Digest) bool {
		return slices.ContainsFunc(m.resources, func(r portal.Resource) bool { return r.Hash == d })
	}
	for _, res := range before.resources {
		if latest.withdrawn || !has(latest, res.Hash) {
			s.gone = append(s.gone, res.Hash)
		}
	}
	if latest.withdrawn {
		return
	}
	for _, res := range latest.resources {
		if s.known[res.Hash] || !before.withdrawn && has(before, res.Hash) {
			continue
		}
		s.known[res.Hash] = true
		w := want{new: res.Hash, size: res.Bytes, old: source(res, before.resources)}
		if s.wants = append(s.wants, w); w.old.IsZero() {
			s.wholes += w.size
		}
	}
}

// source guesses what a content came from: the one at the same path, of the same
// name, or of the same kind and nearest in length.
func source(res portal.Resource, before []portal.Resource) portal.Digest {
	for _, same := range []func(b portal.Resource) bool{
		func(b portal.Resource) bool { return b.Path == res.Path },
		func(b portal.Resource) bool { return b.Name == res.Name },
	} {
		if i := slices.IndexFunc(before, same); i >= 0 {
			return before[i].Hash
		}
	}
	best, distance := portal.Digest{}, int64(-1)
	for _, b := range before {
		if path.Ext(b.Path) != path.Ext(res.Path) {
			continue
		}
		if d := max(b.Bytes-res.Bytes, res.Bytes-b.Bytes); distance < 0 || d < distance {
			best, distance = b.Hash, d
		}
	}
	return best
}

// role reads a publisher's role; the last version of each is kept in held.
func (r *run) role(held map[string]parsed, role string, version int64) (parsed, error) {
	if p, ok := held[role]; ok && p.version == version {
		return p, nil
	}
	name := carrier.MetadataPath(role, version)
	b, err := disk.ReadFile(r.repo, name, maxMetadata)
	if err != nil {
		return parsed{}, err
	}
	t, err := tuf.ParseTargets(b)
	if err != nil {
		return parsed{}, fmt.Errorf("%s: %w", name, err)
	}
	p := parsed{version: version, datasets: make(map[portal.DatasetID]listed, len(t.Targets))}
	for file, target := range t.Targets {
		if datapackage.IsSide(role) {
			if datapackage.ParseSidePath(role, file) == nil {
				p.addSide(file, target)
			}
			continue
		}
		at, err := datapackage.ParseTargetPath(file)
		if err != nil {
			continue // not ours to judge: a mirror refuses the role
		}
		entry := listed{at.Number, target}
		switch {
		case at.Kind == datapackage.ManifestTarget:
			p.datasets[at.Dataset] = entry
		case p.record.number < at.Number:
			p.record = entry
		}
	}
	held[role] = p
	return p, nil
}

func (r *run) manifest(id portal.DatasetID, number int, d portal.Digest) (manifest, error) {
	if m, ok := r.manifests[d]; ok {
		return m, nil
	}
	file := datapackage.ManifestFile(id, number, d)
	b, err := disk.ReadFile(r.repo, file, maxManifest)
	if err != nil {
		return manifest{}, err
	}
	release, err := datapackage.Decode(b)
	if err != nil {
		return manifest{}, fmt.Errorf("%s: %w", file, err)
	}
	m := manifest{withdrawn: release.Withdrawn != nil, previous: release.Previous}
	for _, res := range release.Resources {
		m.resources = append(m.resources, portal.Resource{Name: res.Name, Path: res.Path, Bytes: res.Bytes, Hash: res.Hash})
	}
	r.manifests[d] = m
	return m, nil
}

// gathered are the small files of a pack: metadata, and manifests, which are
// left out when all together are more than a pack takes.
type gathered struct {
	run                *run
	now, was           []carrier.NamedBytes
	manifests, earlier []carrier.NamedBytes
	bytes              int64
	err                error
}

func (g *gathered) read(to *[]carrier.NamedBytes, name, file string) {
	if g.err != nil {
		return
	}
	b, err := disk.ReadFile(g.run.repo, file, maxMetadata)
	if err != nil {
		g.err = err
		return
	}
	*to = append(*to, carrier.NamedBytes{Path: name, Bytes: b})
}

func (g *gathered) fresh(name, file string) { g.read(&g.now, name, file) }

func (g *gathered) old(name, file string) { g.read(&g.was, name, file) }

func (g *gathered) manifest(name, file string) { g.counted(&g.manifests, name, file) }

func (g *gathered) oldManifest(name, file string) { g.counted(&g.earlier, name, file) }

func (g *gathered) counted(to *[]carrier.NamedBytes, name, file string) {
	if g.bytes > carrier.MaxFiles {
		return
	}
	n := len(*to)
	if g.read(to, name, file); len(*to) > n {
		g.bytes += int64(len((*to)[n].Bytes))
	}
}

// weight is how many bytes are patched.
func (g *gathered) weight() (n int64) {
	for _, files := range [][]carrier.NamedBytes{g.now, g.was, g.manifests, g.earlier} {
		for _, f := range files {
			n += int64(len(f.Bytes))
		}
	}
	return n
}

// patch makes one patch of all, or of metadata alone, or of nothing: whoever
// reads the pack asks for what isn't in it.
func (g *gathered) patch() (carrier.Files, error) {
	if len(g.now)+len(g.manifests) == 0 {
		return carrier.Files{}, nil
	}
	if g.bytes <= carrier.MaxFiles {
		f, err := carrier.MakeFiles(slices.Concat(g.was, g.earlier), slices.Concat(g.now, g.manifests))
		if !errors.Is(err, carrier.ErrTooMuch) {
			return f, err
		}
	}
	f, err := carrier.MakeFiles(g.was, g.now)
	if errors.Is(err, carrier.ErrTooMuch) {
		return carrier.Files{}, nil
	}
	return f, err
}
