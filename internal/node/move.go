package node

import (
	"context"
	"errors"
	"io/fs"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/mirror"
)

// Moved says what a publisher brought along.
type Moved struct {
	Publisher  portal.PublisherID
	Generation int64
	Datasets   int
	Releases   int
}

// moveDir is where the other repository's metadata stands while a publisher moves.
const moveDir = stagingDir + "/move"

// Move takes over what a centre has published for a publisher of this node, with
// the whole history, so that this node signs for it from now on. root is the
// centre's root of trust; everything is verified. Run again, it takes what has
// come since. The centre lets this node's key sign with Delegate, and HandOver then
// brings the same releases back under it.
func (n *Node) Move(ctx context.Context, p portal.PublisherID, from string, root []byte) (out Moved, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("publisher move")
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	o, done, err := n.origin()
	if err != nil {
		return out, err
	}
	defer done()
	own, err := o.Listing(p)
	if err != nil {
		return out, err
	}
	taken, err := n.take(ctx, p, from, root)
	if err != nil {
		return out, err
	}
	record, err := n.movedRecord(p, own.Record, taken.Record)
	if err != nil {
		return out, err
	}
	out = Moved{Publisher: p, Datasets: len(taken.Chains)}
	for _, chain := range taken.Chains {
		out.Releases += len(chain)
	}
	if out.Generation, err = o.Adopt(ctx, p, taken.Chains, record); err != nil {
		return out, err
	}
	return out, n.settle(ctx, out.Generation, release)
}

// take fetches into this node's contents, under a trust of its own.
func (n *Node) take(ctx context.Context, p portal.PublisherID, from string, root []byte) (taken mirror.Taken, err error) {
	n.lineOnce.Do(func() { n.line.client = clientOver(&n.line.wire) })
	source, done, err := n.openUpstream(from)
	if err != nil {
		return taken, err
	}
	defer done()
	remove := func() error {
		if err := disk.RemoveAll(n.root, moveDir); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := remove(); err != nil {
		return taken, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	for _, dir := range []string{"/trust", "/staging"} {
		if err := n.root.MkdirAll(moveDir + dir); err != nil {
			return taken, err
		}
	}
	trust := disk.Sub(n.root, moveDir+"/trust")
	if err := mirror.Bootstrap(trust, root); err != nil {
		return taken, err
	}
	m := mirror.Open(mirror.Options{
		Trust: trust, Staging: disk.Sub(n.root, moveDir+"/staging"), Contents: n.blobs, Now: n.Now,
		Free: func() (uint64, error) { return disk.Free(n.dir) }, Progress: n.opt.Progress,
	})
	return m.Take(ctx, source.Source, p)
}

// movedRecord is the publisher's record as the centre has it, under a version that
// follows both; nil when it was moved before, or there is none.
func (n *Node) movedRecord(p portal.PublisherID, own, theirs []byte) (*portal.PublisherRecord, error) {
	if theirs == nil {
		return nil, nil
	}
	record, err := datapackage.DecodePublisher(theirs)
	if err != nil {
		return nil, err
	}
	if own != nil {
		held, err := datapackage.DecodePublisher(own)
		if err != nil {
			return nil, err
		}
		if held.Version > record.Version {
			return nil, nil
		}
		record.Version = max(record.Version, held.Version)
	}
	record.ID, record.Version, record.Issued = p, record.Version+1, n.Now().UTC().Truncate(1e9)
	b, err := datapackage.EncodePublisher(record)
	if err != nil {
		return nil, err
	}
	return &portal.PublisherRecord{Publisher: record, Bytes: b}, nil
}
