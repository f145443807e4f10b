package node

import (
	"context"
	"errors"
	"fmt"
	"path"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/mirror"
)

// Verified says what a check of the whole node found.
type Verified struct {
	Objects  int
	Bytes    int64
	Owed     int // contents that are still to come: no damage
	Problems []error
}

// Verify reads every byte that this node holds of its accepted generation, and
// of the repository that it serves, and checks it against what is signed.
func (n *Node) Verify(ctx context.Context) (out Verified, err error) {
	defer named(n.dir, &err)
	found := func(err error) { out.Problems = append(out.Problems, err) }
	inv, err := n.mirror.Inventory(ctx, found)
	if err != nil {
		return out, err
	}
	owes, err := n.owes(ctx)
	if err != nil {
		return out, err
	}
	for d, c := range inv.Contents {
		if has := n.blobs.Has(d); !has && (owes || !n.mustHold(c)) {
			if n.mustHold(c) {
				out.Owed++
			}
			continue
		}
		out.Objects++
		out.Bytes += c.Resource.Bytes
		n.opt.Progress("verify", int64(out.Objects), int64(len(inv.Contents)))
		if err := n.blobs.Verify(ctx, d); err != nil {
			if ctx.Err() != nil {
				return out, err
			}
			found(portal.Unverified(fmt.Sprintf("%s: %s", c.Dataset, c.Resource.Path), "%v", err))
		}
	}
	if _, statErr := n.root.Stat(repositoryDir + "/metadata/timestamp.json"); statErr == nil {
		err = n.mirror.Audit(ctx, mirror.Folder(disk.Sub(n.root, repositoryDir), repositoryDir), found)
	}
	n.alarming(found)
	if err == nil && len(out.Problems) > 0 {
		err = errors.Join(out.Problems...)
	}
	return out, err
}

// mustHold tells whether this node is one that has to hold c: a centre all
// releases, for ever, and every other node what it wants of the latest.
func (n *Node) mustHold(c mirror.Content) bool {
	return !c.Withdrawn && (c.Wanted || n.central())
}

// removeContents deletes contents that only withdrawn datasets named.
func (n *Node) removeContents(candidates []portal.Resource, kept map[portal.Digest]bool) error {
	for _, r := range candidates {
		if kept[r.Hash] {
			continue
		}
		if err := n.blobs.Remove(r.Hash); err != nil {
			return err
		}
		patches := path.Dir(carrier.PatchPath(r.Hash, r.Hash))
		for _, name := range []string{datapackage.ObjectFile(r.Hash), carrier.BrotliPath(r.Hash), patches} {
			if err := disk.RemoveAll(n.root, repositoryDir+"/"+name); err != nil {
				return err
			}
		}
	}
	return nil
}
