package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"koprik/embed/index"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/mirror"
)

// Diagnosis is what the doctor found, and what it mended.
type Diagnosis struct {
	Found    []string
	Repaired []string
	Notes    []string // what whoever looks after the node should know
}

// Doctor looks a data directory over; with repair it builds anew what can be
// built from trust/ and objects/, and throws away what interrupted work left.
// It needs the directory to itself.
func Doctor(ctx context.Context, dir string, opt Options, repair bool) (d Diagnosis, err error) {
	defer named(dir, &err)
	if repair {
		if err := removeDerived(dir); err != nil {
			return d, err
		}
		d.Repaired = append(d.Repaired, "catalog.db, index/ and tables/ were built again from trust/ and objects/")
	}
	n, err := Open(ctx, dir, opt)
	if err != nil {
		return d, err
	}
	defer n.Close() //nolint:errcheck // reading only from here on
	if !n.owner() {
		return d, locked(dir, nil)
	}
	v, err := n.Verify(ctx)
	for _, p := range v.Problems {
		d.Found = append(d.Found, p.Error())
	}
	if err != nil && len(v.Problems) == 0 {
		return d, err
	}
	lost, err := n.lookLocal(ctx, &d)
	if err != nil {
		return d, err
	}
	if !repair {
		if len(d.Found) > 0 {
			return d, portal.Unverified(dir, "%d problems were found", len(d.Found)).WithHint("koprik doctor --repair mends what can be mended")
		}
		return d, nil
	}
	release, err := n.writing(ctx)
	if err != nil {
		return d, err
	}
	err = n.mend(ctx, &d)
	release()
	if err != nil {
		return d, err
	}
	v, err = n.Verify(ctx)
	if err == nil && lost > 0 {
		return d, portal.Unverified(localFile, "%d things in it are damaged, and nobody could give it back", lost).
			WithHint("koprik restore --from FILE --replace takes it from a backup")
	}
	if err == nil && v.Owed > 0 {
		err = fmt.Errorf("%d files are not here any more", v.Owed)
	}
	if err != nil {
		return d, portal.Unverified(dir, "not everything could be mended: %v", err).
			WithHint("koprik sync fetches again what this node no longer holds")
	}
	return d, nil
}

// removeDerived deletes what Open builds again.
func removeDerived(dir string) error {
	lock, err := disk.Lock(dir, nodeLock)
	if err != nil {
		return err
	}
	defer lock.Unlock() //nolint:errcheck // Open takes it again
	for _, name := range []string{catalogFile, catalogFile + "-wal", catalogFile + "-shm", tablesDir} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return index.Remove(filepath.Join(dir, indexDir))
}

// mend takes away damaged objects, so that the next sync fetches them again,
// and makes damaged carriers of the repository anew.
func (n *Node) mend(ctx context.Context, d *Diagnosis) error {
	if err := errors.Join(n.cleanTemps(), dropIncoming(n.root)); err != nil {
		return err
	}
	if err := n.mendSides(ctx, d); err != nil {
		return err
	}
	if n.serves() {
		files, err := n.mirror.Restore(disk.Sub(n.root, repositoryDir))
		for _, f := range files {
			d.Repaired = append(d.Repaired, "repository/"+f+" was restored from the accepted copy")
		}
		if err != nil {
			return err
		}
	}
	inv, err := n.mirror.Inventory(ctx, func(error) {})
	if err != nil {
		return err
	}
	for digest, c := range inv.Contents {
		if err := n.mendContent(ctx, digest, c, d); err != nil {
			return err
		}
	}
	return n.sweepUnnamed(inv, d)
}

// mendSides takes away damaged files that stand beside the publishers, and takes
// them back from this node's own repository when they are whole there; otherwise
// the next sync brings them.
func (n *Node) mendSides(ctx context.Context, d *Diagnosis) error {
	files, _, err := n.mirror.Sides()
	if err != nil {
		return err
	}
	for path, f := range files {
		if n.blobs.Verify(ctx, f.SHA256) == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := n.blobs.Remove(f.SHA256); err != nil {
			return err
		}
		b, err := disk.ReadFile(n.root, repositoryDir+"/"+datapackage.SideFile(path, f.SHA256), datapackage.MaxSide)
		if err == nil {
			err = n.blobs.PutExpect(bytes.NewReader(b), f.SHA256, f.Length)
		}
		if err != nil {
			d.Repaired = append(d.Repaired, path+" was taken away; koprik sync brings it again")
			continue
		}
		d.Repaired = append(d.Repaired, path+" was restored from the repository")
	}
	return nil
}

// mendContent takes away contents that were damaged, and takes them back from
// this node's own repository when they are whole there.
func (n *Node) mendContent(ctx context.Context, digest portal.Digest, c mirror.Content, d *Diagnosis) error {
	if !n.mustHold(c) && !n.blobs.Has(digest) {
		return nil
	}
	if n.blobs.Verify(ctx, digest) == nil {
		return n.mendCarrier(c.Dataset, c.Resource, d)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := n.blobs.Remove(digest); err != nil {
		return err
	}
	if err := n.restore(c.Resource); err != nil {
		d.Repaired = append(d.Repaired, fmt.Sprintf("%s: %s was taken away; koprik sync brings it again", c.Dataset, c.Resource.Path))
		if n.central() {
			return nil
		}
		return n.owe(ctx, nil)
	}
	d.Repaired = append(d.Repaired, fmt.Sprintf("%s: %s was restored from the repository", c.Dataset, c.Resource.Path))
	return nil
}

// sweepUnnamed removes objects that nothing names: those of a publish that was
// killed before it signed.
func (n *Node) sweepUnnamed(inv mirror.Inventory, d *Diagnosis) error {
	var unnamed []portal.Digest
	err := n.blobs.All(func(digest portal.Digest, _ int64) error {
		if _, named := inv.Contents[digest]; !named && !inv.Manifests[digest] {
			unnamed = append(unnamed, digest)
		}
		return nil
	})
	if err != nil || len(unnamed) == 0 {
		return err
	}
	for _, digest := range unnamed {
		if err := n.blobs.Remove(digest); err != nil {
			return err
		}
	}
	d.Repaired = append(d.Repaired, fmt.Sprintf("%d objects that nothing names were removed", len(unnamed)))
	return nil
}

// restore takes contents back from the carrier in this node's own repository.
func (n *Node) restore(r portal.Resource) error {
	in, err := carrier.ReadObject(n.root, repositoryDir+"/"+datapackage.ObjectFile(r.Hash), r.Bytes)
	if err != nil {
		return err
	}
	return errors.Join(n.blobs.PutExpect(in, r.Hash, r.Bytes), in.Close())
}

// mendCarrier makes the carrier in this node's repository anew where it does
// not hold the contents.
func (n *Node) mendCarrier(id portal.DatasetID, r portal.Resource, d *Diagnosis) error {
	if !n.serves() {
		return nil
	}
	name := repositoryDir + "/" + datapackage.ObjectFile(r.Hash)
	in, err := carrier.ReadObject(n.root, name, r.Bytes)
	if err == nil {
		_, err = io.Copy(io.Discard, in)
		err = errors.Join(err, in.Close())
	}
	if err == nil {
		return nil
	}
	if err := n.root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	src, size, err := n.blobs.Open(r.Hash)
	if err != nil {
		return err
	}
	err = errors.Join(carrier.WriteObject(n.root, name, src, size), src.Close())
	d.Repaired = append(d.Repaired, fmt.Sprintf("%s: the repository's copy of %s was made again", id, r.Path))
	return err
}

// serves tells whether this node keeps a repository for others.
func (n *Node) serves() bool { return n.central() || n.config.Relay }
