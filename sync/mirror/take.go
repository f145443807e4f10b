package mirror

import (
	"context"
	"maps"
	"slices"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// Taken is everything that a publisher has published, verified, with all contents
// in Options.Contents.
type Taken struct {
	Chains [][]portal.SignedManifest // of each dataset all releases, oldest first
	Record []byte                    // the publisher's record; nil where it has none
}

// Take fetches what one publisher has published, with its whole history, and
// nothing of the others: for a node that is to sign for it from now on. It shows
// nothing and applies nothing. The mirror's Trust is that of the source's
// repository.
func (m *Mirror) Take(ctx context.Context, source Source, p portal.PublisherID) (Taken, error) {
	r := &round{m: m, src: &counted{Source: source}, saw: map[string][]byte{}}
	now, _, err := r.refresh(ctx)
	if err != nil {
		return Taken{}, err
	}
	if _, ok := now.vets[p]; !ok {
		return Taken{}, portal.Unverified(r.where(string(p)), "is no publisher there whose signature holds")
	}
	l, err := listOf(now, p)
	if err != nil {
		return Taken{}, err
	}
	var out Taken
	var plan []Item
	for _, id := range slices.Sorted(maps.Keys(l.datasets)) {
		links, _, err := r.chain(ctx, id, l.datasets[id], listed{})
		if err != nil {
			return out, err
		}
		chain, err := m.read(fresh{id, links})
		if err != nil {
			return out, err
		}
		out.Chains = append(out.Chains, chain)
		if plan, err = m.contentsOf(chain, plan); err != nil {
			return out, err
		}
	}
	if want, ok := l.records[p]; ok {
		d := portal.Digest(want.target.SHA256)
		if out.Record, err = r.manifest(ctx, datapackage.PublisherFile(p, want.number, d), d, want.target.Length); err != nil {
			return out, err
		}
	}
	return out, r.fetch(ctx, plan)
}

// contentsOf adds to plan what a dataset's releases are made of and is not held. Of
// a dataset that is withdrawn nothing is wanted.
func (m *Mirror) contentsOf(chain []portal.SignedManifest, plan []Item) ([]Item, error) {
	for i := len(chain) - 1; i >= 0; i-- {
		release, err := datapackage.Decode(chain[i].Bytes)
		if err != nil || release.Withdrawn != nil {
			return plan, err
		}
		for _, res := range release.Resources {
			planned := slices.ContainsFunc(plan, func(it Item) bool { return it.Resource.Hash == res.Hash })
			if !planned && !m.o.Contents.Has(res.Hash) {
				plan = append(plan, Item{Dataset: chain[i].Dataset, Resource: res})
			}
		}
	}
	return plan, nil
}
