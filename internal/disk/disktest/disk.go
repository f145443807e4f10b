// Package disktest is the crashing twin of disk.Root: a disk in memory that
// keeps what is on the platter apart from what the process sees, so that a test
// can pull the plug at every operation and look at what a reboot finds.
//
// What it makes of a power cut is as bad as POSIX allows, which is worse than any
// one filesystem is:
//
//   - The bytes of a file that were not synced since they were written are lost,
//     or kept, or torn at any byte, with zeros or old bytes behind the tear.
//   - Every create, remove and rename in a folder that was not synced since has
//     happened or not, each by itself and not in order. A rename inside one folder
//     is one such step; one between folders is two, and may leave the file under
//     both names, or none.
//   - Syncing a file says nothing of its name, and a folder's nothing of its files.
//
// It has no links, no permissions and no times. A name that differs only in case
// is another name, as on Linux.
package disktest

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"

	"koprik/internal/disk"
)

// The errors that the twin makes of its own.
var (
	ErrPowerCut = errors.New("the power was cut")
	ErrIO       = errors.New("input/output error")
)

// Disk is a running disk. It is safe for concurrent use.
type Disk struct {
	mu      sync.Mutex
	root    *inode
	inodes  []*inode // all there ever were, in the order of their making
	ops     int
	failAt  int // 0: never
	breakAt int // 0: never
	space   int64
	full    bool // space counts
	cut     bool
	bulk    bool // SyncAll can be had
}

// inode is a file or a folder.
type inode struct {
	isDir    bool
	data     []byte            // file: what the process sees
	platter  []byte            // file: what was synced last
	unsynced bool              // file: data and platter may differ
	children map[string]*inode // folder: what the process sees
	synced   map[string]*inode // folder: what was synced last
	steps    []step            // folder: what happened since, in order
}

// step is one change of a folder's names that a power cut undoes or not: each
// name gets the inode, or is taken away where that is nil.
type step []entry

type entry struct {
	name string
	node *inode
}

// New gives an empty disk.
func New() *Disk {
	d := &Disk{}
	d.root = d.newInode(true)
	return d
}

// FailAt cuts the power at the n-th operation from the beginning (1 is the
// first) that changes the disk: creating, truncating, writing, syncing, renaming,
// removing, making a folder and syncing it. That one and every call after it, on
// the disk and on its open files, give ErrPowerCut.
func (d *Disk) FailAt(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failAt = n
}

// BreakAt makes the n-th operation, counted as FailAt counts, give ErrIO without
// having happened. The disk goes on.
func (d *Disk) BreakAt(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.breakAt = n
}

// Full lets after more bytes be written; then writes are short and give
// disk.ErrNoSpace. A negative number frees the disk again.
func (d *Disk) Full(after int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.space, d.full = after, after >= 0
}

// Ops is how many operations changed the disk so far, those that FailAt counts.
func (d *Disk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops
}

func (d *Disk) newInode(isDir bool) *inode {
	n := &inode{isDir: isDir}
	if isDir {
		n.children, n.synced = map[string]*inode{}, map[string]*inode{}
	}
	d.inodes = append(d.inodes, n)
	return n
}

// change counts an operation and tells whether it may happen.
func (d *Disk) change() error {
	if d.cut {
		return ErrPowerCut
	}
	d.ops++
	switch d.ops {
	case d.failAt:
		d.cut = true
		return ErrPowerCut
	case d.breakAt:
		return ErrIO
	}
	return nil
}

// apply does a step on what the process sees and remembers it as not yet synced.
func (n *inode) apply(s step) {
	n.steps = append(n.steps, s)
	n.set(n.children, s)
}

func (*inode) set(names map[string]*inode, s step) {
	for _, e := range s {
		if e.node == nil {
			delete(names, e.name)
		} else {
			names[e.name] = e.node
		}
	}
}

// find walks to a name; nil and fs.ErrNotExist when it is not there.
func (d *Disk) find(name string) (*inode, error) {
	if d.cut {
		return nil, ErrPowerCut
	}
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	n := d.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !n.isDir {
			return nil, syscall.ENOTDIR
		}
		if n = n.children[part]; n == nil {
			return nil, fs.ErrNotExist
		}
	}
	return n, nil
}

// folder finds the folder that a name stands in, and the name's last part.
func (d *Disk) folder(name string) (*inode, string, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, "", fs.ErrInvalid
	}
	n, err := d.find(path.Dir(name))
	if err != nil {
		return nil, "", err
	}
	if !n.isDir {
		return nil, "", syscall.ENOTDIR
	}
	return n, path.Base(name), nil
}

func wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return disk.Classify(&fs.PathError{Op: op, Path: name, Err: err})
}

// OpenFile implements disk.FS.
func (d *Disk) OpenFile(name string, flag int) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.open(name, flag)
	if err != nil {
		return nil, wrap("open", name, err)
	}
	return &file{disk: d, node: n, name: path.Base(name), flag: flag}, nil
}

func (d *Disk) open(name string, flag int) (*inode, error) {
	n, err := d.find(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		return d.create(name)
	case err != nil:
		return nil, err
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, fs.ErrExist
	case n.isDir:
		return nil, syscall.EISDIR
	case flag&os.O_TRUNC != 0:
		if err := d.change(); err != nil {
			return nil, err
		}
		n.data, n.unsynced = nil, true
	}
	return n, nil
}

func (d *Disk) create(name string) (*inode, error) {
	folder, base, err := d.folder(name)
	if err != nil {
		return nil, err
	}
	if err := d.change(); err != nil {
		return nil, err
	}
	n := d.newInode(false)
	folder.apply(step{{base, n}})
	return n, nil
}

// Rename implements disk.FS. Onto a folder it is refused: systems differ there.
func (d *Disk) Rename(oldname, newname string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.rename(oldname, newname); err != nil {
		return wrap("rename", oldname+" to "+newname, err)
	}
	return nil
}

func (d *Disk) rename(oldname, newname string) error {
	from, oldBase, err := d.folder(oldname)
	if err != nil {
		return err
	}
	to, newBase, err := d.folder(newname)
	if err != nil {
		return err
	}
	n := from.children[oldBase]
	target := to.children[newBase]
	switch {
	case n == nil:
		return fs.ErrNotExist
	case strings.HasPrefix(newname+"/", oldname+"/") && n.isDir:
		return fs.ErrInvalid
	case target != nil && (target.isDir || n.isDir):
		return fs.ErrExist
	}
	if err := d.change(); err != nil {
		return err
	}
	switch {
	case n == target:
	case from == to:
		from.apply(step{{oldBase, nil}, {newBase, n}})
	default:
		to.apply(step{{newBase, n}})
		from.apply(step{{oldBase, nil}})
	}
	return nil
}

// Remove implements disk.FS.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return wrap("remove", name, d.remove(name))
}

func (d *Disk) remove(name string) error {
	folder, base, err := d.folder(name)
	if err != nil {
		return err
	}
	n := folder.children[base]
	switch {
	case n == nil:
		return fs.ErrNotExist
	case len(n.children) > 0:
		return fs.ErrExist // as ENOTEMPTY is
	}
	if err := d.change(); err != nil {
		return err
	}
	folder.apply(step{{base, nil}})
	return nil
}

// MkdirAll implements disk.FS: each new folder is two operations, the making and
// the syncing of its name.
func (d *Disk) MkdirAll(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.find(name); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return wrap("mkdir", name, err)
	}
	if name == "." {
		return nil
	}
	n := d.root
	for part := range strings.SplitSeq(name, "/") {
		child := n.children[part]
		if child == nil {
			var err error
			if child, err = d.mkdir(n, part); err != nil {
				return wrap("mkdir", name, err)
			}
		}
		if !child.isDir {
			return wrap("mkdir", name, fs.ErrExist)
		}
		n = child
	}
	return nil
}

func (d *Disk) mkdir(parent *inode, base string) (*inode, error) {
	if err := d.change(); err != nil {
		return nil, err
	}
	n := d.newInode(true)
	parent.apply(step{{base, n}})
	return n, d.sync(parent)
}

// ReadDir implements disk.FS.
func (d *Disk) ReadDir(name string) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(name)
	if err == nil && !n.isDir {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, wrap("readdir", name, err)
	}
	entries := make([]fs.DirEntry, 0, len(n.children))
	for base, child := range n.children {
		entries = append(entries, fs.FileInfoToDirEntry(child.info(base)))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Stat implements disk.FS. Times are zero.
func (d *Disk) Stat(name string) (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(name)
	if err != nil {
		return nil, wrap("stat", name, err)
	}
	return n.info(path.Base(name)), nil
}

// SyncDir implements disk.FS.
func (d *Disk) SyncDir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(name)
	if err == nil && !n.isDir {
		err = syscall.ENOTDIR
	}
	if err == nil {
		err = d.sync(n)
	}
	return wrap("sync", name, err)
}

// sync brings a file's bytes, or a folder's names, to the platter.
func (d *Disk) sync(n *inode) error {
	if err := d.change(); err != nil {
		return err
	}
	n.settle()
	return nil
}

// settle makes what the process sees what is on the platter.
func (n *inode) settle() {
	if n.isDir {
		for _, s := range n.steps {
			n.set(n.synced, s)
		}
		n.steps = nil
		return
	}
	n.platter, n.unsynced = slices.Clone(n.data), false
}

// Tree lists what the process sees: the content of every file under its name, and
// for every folder its name with a slash and nothing.
func (d *Disk) Tree() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	tree := map[string]string{}
	d.root.walk("", tree)
	return tree
}

func (n *inode) walk(prefix string, tree map[string]string) {
	for base, child := range n.children {
		if child.isDir {
			tree[prefix+base+"/"] = ""
			child.walk(prefix+base+"/", tree)
			continue
		}
		tree[prefix+base] = string(child.data)
	}
}
