package disktest

import (
	"io/fs"
	"strings"
)

// SyncsAll implements disk.Bulk: true once BulkSyncs was called.
func (d *Disk) SyncsAll() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bulk
}

// BulkSyncs makes the disk one that can be synced at once.
func (d *Disk) BulkSyncs() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bulk = true
}

// SyncAll implements disk.Bulk: one operation.
func (d *Disk) SyncAll() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return wrap("sync", ".", err)
	}
	for _, n := range d.inodes {
		if n.isDir || n.unsynced {
			n.settle()
		}
	}
	return nil
}

// MkdirLater implements disk.Bulk: one operation a folder.
func (d *Disk) MkdirLater(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.root
	for part := range strings.SplitSeq(name, "/") {
		child := n.children[part]
		if child == nil {
			if err := d.change(); err != nil {
				return wrap("mkdir", name, err)
			}
			child = d.newInode(true)
			n.apply(step{{part, child}})
		}
		if !child.isDir {
			return wrap("mkdir", name, fs.ErrExist)
		}
		n = child
	}
	return nil
}
