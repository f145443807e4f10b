package mirror

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// loadRoots reads the chain of roots in trust/. One that was torn or lost is
// taken from this node's own repository, where the same bytes are served; of a
// chain whose end cannot be had so, the rest is fetched again by the next round.
func (m *Mirror) loadRoots(a *accepted) error {
	versions, err := roots(m.o.Trust)
	if err != nil {
		return err
	}
	first, last := int64(1), int64(1)
	if len(versions) > 0 {
		last = versions[len(versions)-1]
	}
	for v := first; v <= last; v++ {
		name := carrier.MetadataName("root", v)
		b, err := disk.ReadFile(m.o.Trust, name, maxRoot)
		if err == nil {
			err = a.addRoot(v, b)
		}
		if err == nil {
			continue
		}
		if spare, ok := m.spareRoot(name, len(versions) > 0); ok && a.addRoot(v, spare) == nil {
			a.mended[name] = spare
			a.damaged = append(a.damaged, name)
			continue
		}
		switch {
		case slices.Contains(versions, v):
			a.damaged = append(a.damaged, name)
		case a.set == nil:
			continue // trust began with a later one
		}
		if a.set != nil {
			break // what follows cannot be verified without it
		}
	}
	if a.set == nil {
		return &portal.Problem{
			Kind: portal.ErrUnverified, Where: "trust/", Message: "there is no root of trust that can be read",
			Hint: "koprik init --role mirror --trust root.json takes the one that the centre gave you; koprik sync fetches one that was lost",
		}
	}
	return nil
}

// spareRoot reads a root from this node's own repository. A trust/ without
// anything in it is that of a node which trusts nobody yet.
func (m *Mirror) spareRoot(name string, trusts bool) ([]byte, bool) {
	if m.o.Spare == nil {
		return nil, false
	}
	if _, err := m.o.Trust.Stat("timestamp.json"); err != nil && !trusts {
		return nil, false
	}
	b, err := disk.ReadFile(m.o.Spare, "metadata/"+name, maxRoot)
	return b, err == nil
}

// addRoot takes the root of version v: the first as the anchor, others as what
// follows the one before.
func (a *accepted) addRoot(v int64, b []byte) error {
	if a.set != nil {
		return a.set.UpdateRoot(b)
	}
	set, err := tuf.NewSet(b)
	if err != nil {
		return err
	}
	if set.Root().Version != v {
		return tuf.ErrMismatch
	}
	if a.set, a.anchor = set, v; v == 1 {
		a.id = portal.DigestOf(b)
	}
	return nil
}

// refetchRoots fetches roots before the anchor that were damaged here. They count
// when they lead to the anchor.
func (r *round) refetchRoots(ctx context.Context, a *accepted) error {
	if !slices.ContainsFunc(a.damaged, func(name string) bool { return strings.HasSuffix(name, ".root.json") && a.mended[name] == nil }) {
		return nil
	}
	chain := r.m.newAccepted()
	for v := int64(1); v < a.anchor; v++ {
		name := carrier.MetadataName("root", v)
		b, err := r.get(ctx, "metadata/"+name, maxRoot)
		if err == nil {
			err = chain.addRoot(v, b)
		}
		if err != nil {
			return verdict(r.where("metadata/"+name), err)
		}
		chain.mended[name] = b
	}
	if chain.set == nil {
		return nil // what is damaged stands behind the anchor, and was fetched
	}
	name := carrier.MetadataName("root", a.anchor)
	b, err := disk.ReadFile(r.m.o.Trust, name, maxRoot)
	if err == nil {
		err = chain.set.UpdateRoot(b)
	}
	if err != nil {
		return verdict(r.where("metadata/"+name), err)
	}
	maps.Copy(a.mended, chain.mended)
	return nil
}

// mend writes roots that were damaged into trust/ again.
func (r *round) mend(ctx context.Context, a *accepted) error {
	if r.o.DryRun {
		return nil
	}
	if err := r.refetchRoots(ctx, a); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(a.mended)) {
		if err := disk.WriteFile(r.m.o.Trust, name, a.mended[name]); err != nil {
			return err
		}
	}
	return nil
}

// regain fetches the first root again when none can be read any more. It counts
// only when it is the one by which this node knows its repository.
func (r *round) regain(ctx context.Context) error {
	if r.m.o.Known == nil || r.o.DryRun {
		return nil
	}
	err := r.m.loadRoots(r.m.newAccepted())
	known := r.m.o.Known()
	if !errors.Is(err, portal.ErrUnverified) || known.IsZero() {
		return nil //nolint:nilerr // said by whoever loads it
	}
	const name = "1.root.json"
	b, err := r.get(ctx, "metadata/"+name, maxRoot)
	if err != nil {
		return err
	}
	if portal.DigestOf(b) != known {
		return portal.Unverified(r.where("metadata/"+name), "is not the first root of the repository that this node follows")
	}
	return disk.WriteFile(r.m.o.Trust, name, b)
}

// notBehindRoot refuses a repository that ends before a root which was accepted
// here and was lost since: its keys may be the ones that were taken out.
func (r *round) notBehindRoot(now *accepted) error {
	seen := versionsOf(r.m.o.Trust, "root")
	if have := now.set.Root().Version; len(seen) > 0 && have < seen[0] {
		return portal.Unverified(r.where("metadata"), "ends with root %d; root %d was already accepted", have, seen[0])
	}
	return nil
}
