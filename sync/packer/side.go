package packer

import (
	"maps"
	"slices"

	"koprik/internal/disk"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

func (p *parsed) addSide(path string, target tuf.Target) {
	if p.sides == nil {
		p.sides = map[string]listed{}
	}
	p.sides[path] = listed{target: target}
}

// sides adds the files of a role beside the publishers that changed. What they came
// from may be gone already: then they travel whole.
func (g *gathered) sides(fresh, old map[string]listed) {
	for _, path := range slices.Sorted(maps.Keys(fresh)) {
		if fresh[path] == old[path] {
			continue
		}
		g.manifest(path, datapackage.SideFile(path, fresh[path].target.SHA256))
		before, ok := old[path]
		if !ok {
			continue
		}
		b, err := disk.ReadFile(g.run.repo, datapackage.SideFile(path, before.target.SHA256), datapackage.MaxSide)
		if err == nil && g.bytes <= carrier.MaxFiles {
			g.earlier = append(g.earlier, carrier.NamedBytes{Path: path, Bytes: b})
			g.bytes += int64(len(b))
		}
	}
}
