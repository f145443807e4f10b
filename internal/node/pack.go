package node

import (
	"context"
	"errors"

	"koprik/internal/disk"
	"koprik/sync/packer"
)

// relayEffort is how many bytes of new contents a relay makes patches of after a
// sync, beyond those that came as patches and the cheap ones: a kiosk's board is
// slow, and has other work.
const relayEffort = 2 << 20

// packer makes the carriers of whatever repository this node serves; nil when it
// serves none, or shall make none.
func (n *Node) newPacker() *packer.Packer {
	if n.opt.NoPacks || !n.serves() {
		return nil
	}
	o := packer.Options{
		Repository: disk.Sub(n.root, repositoryDir), Contents: n.blobs, Effort: -1,
		GiveWay: n.traffic.giveWay, Progress: n.opt.Progress,
	}
	if !n.central() {
		o.Effort = relayEffort
	}
	return packer.Open(o)
}

// packNearest makes the packs of those who follow closely, at once, in whichever
// process has published or synced.
func (n *Node) packNearest(ctx context.Context) {
	if n.packer != nil {
		n.packed(n.packer.PackNearest(ctx))
	}
}

// pack makes all packs after the repository has changed: in the background of a
// server, at once otherwise. It is the work of whoever holds node.lock. Without
// packs mirrors walk, so that no error of it undoes what was published.
func (n *Node) pack(ctx context.Context) {
	if n.packer == nil || !n.owner() {
		return
	}
	if n.packing != nil {
		select {
		case n.packing <- struct{}{}:
		default: // it is told already
		}
		return
	}
	n.packed(n.packer.Pack(ctx))
}

func (n *Node) packed(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		n.opt.Log.Warn("packs could not be made; mirrors fetch file by file", "error", err)
	}
}

// packWhenTold makes packs in the background until ctx is done.
func (n *Node) packWhenTold(ctx context.Context, told <-chan struct{}) {
	for {
		n.packed(n.packer.Pack(ctx))
		rest() // of what encoders held
		select {
		case <-ctx.Done():
			return
		case <-told:
		}
	}
}
