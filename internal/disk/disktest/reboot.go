package disktest

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Reboot cuts the power now, if FailAt has not yet, and gives a new running disk
// with what survived. What is chance is drawn from rng in an order that depends
// only on what was done, not on names, so that a seed repeats a run even where
// temporary names are random. Neither FailAt, BreakAt nor Full is carried over.
func (d *Disk) Reboot(rng *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = true
	fates := make(map[*inode]*fate, len(d.inodes))
	for _, n := range d.inodes {
		fates[n] = draw(n, rng)
	}
	after := &Disk{bulk: d.bulk}
	after.root = after.revive(d.root, fates)
	return after
}

// fate is what a reboot finds of one inode.
type fate struct {
	data    []byte
	names   map[string]*inode
	revived *inode
}

func draw(n *inode, rng *rand.Rand) *fate {
	if !n.isDir {
		return &fate{data: survivingBytes(n, rng)}
	}
	names := maps.Clone(n.synced)
	for _, s := range n.steps {
		if rng.IntN(2) == 0 {
			n.set(names, s)
		}
	}
	return &fate{names: names}
}

// survivingBytes keeps, loses or tears what was written since the last sync.
func survivingBytes(n *inode, rng *rand.Rand) []byte {
	if !n.unsynced {
		return slices.Clone(n.platter)
	}
	tear := rng.IntN(len(n.data) + 1)
	head := slices.Clone(n.data[:tear])
	switch rng.IntN(5) {
	case 0: // nothing reached the platter
		return slices.Clone(n.platter)
	case 1: // all did
		return slices.Clone(n.data)
	case 2: // some did, and the length
		return append(head, make([]byte, len(n.data)-tear)...)
	case 3: // some did, and what was there before shows behind them
		if tear < len(n.platter) {
			head = append(head, n.platter[tear:]...)
		}
	}
	return head // some did
}

// revive makes a new inode of what survived. A file that two names lead to stays
// one; a folder is found under the first of its names, in sorted order, and not
// inside itself.
func (d *Disk) revive(old *inode, fates map[*inode]*fate) *inode {
	f := fates[old]
	n := d.newInode(old.isDir)
	f.revived = n
	n.data, n.platter = f.data, slices.Clone(f.data)
	for _, base := range slices.Sorted(maps.Keys(f.names)) {
		child := f.names[base]
		revived := fates[child].revived
		switch {
		case revived == nil:
			revived = d.revive(child, fates)
		case child.isDir:
			continue
		}
		n.children[base], n.synced[base] = revived, revived
	}
	return n
}
