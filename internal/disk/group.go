package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"sync"
)

// Group is an FS whose durable writes become durable together: what Create and
// WriteFile commit through it is seen through it at once, and outlasts a power
// cut from the next Flush on, which costs two syncs of the disk and not two of
// each file. Until then nobody else sees it under its name, and a power cut
// leaves of it what stood there before. A file is wholly there or not at all,
// as ever.
//
// Whoever writes something that points at what is in the group calls Flush
// first. Groups are for many files at once: a hundred thousand objects cost
// minutes one by one. It is safe for concurrent use.
type Group struct {
	fsys FS

	mu      sync.Mutex
	pending map[string]string // the final name of what is not flushed → where it is
	loose   map[string]bool   // temporary files whose bytes are not synced
	folders map[string]bool   // whose names are to be synced
	made    bool              // some folder was made whose name may not be durable
	bytes   int64             // written since the last flush
}

// A group is flushed by itself when it has so many files or bytes, so that
// neither memory nor what a crash leaves behind grows with the task.
const (
	groupFiles = 4096
	groupBytes = 128 << 20
)

// fewFiles are synced one by one: a sync of the whole disk would wait for what
// other programs are writing.
const fewFiles = 32

// Bulk is an FS that can make everything durable at once. Root is one on Linux,
// over filesystems that are known to keep what syncfs promises.
type Bulk interface {
	FS
	// SyncsAll tells whether SyncAll can be had.
	SyncsAll() bool
	// SyncAll makes durable all that was written, made, renamed and removed.
	SyncAll() error
	// MkdirLater is MkdirAll, durable from the next SyncAll on.
	MkdirLater(name string) error
}

// NewGroup gives a group over fsys with nothing in it.
func NewGroup(fsys FS) *Group {
	return &Group{fsys: fsys, pending: map[string]string{}, loose: map[string]bool{}, folders: map[string]bool{}}
}

// Flush makes durable what was written to fsys when it is a group, or a part of
// one. To any other FS everything is durable when it is written.
func Flush(fsys FS) error {
	if f, ok := fsys.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

// Flush implements what disk.Flush says. After an error some of it is durable
// and the rest still pending: Flush may be called again, or Abandon.
func (g *Group) Flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.flush()
}

func (g *Group) flush() error {
	if len(g.pending)+len(g.folders) == 0 && !g.made {
		return nil
	}
	all, ok := g.fsys.(Bulk)
	if ok = ok && (g.made || len(g.pending) > fewFiles) && all.SyncsAll(); ok {
		if err := all.SyncAll(); err != nil {
			return fmt.Errorf("sync %d files: %w", len(g.pending), err)
		}
	} else if err := g.syncEach(); err != nil {
		return err
	}
	clear(g.loose)
	for _, name := range slices.Sorted(maps.Keys(g.pending)) {
		temp := g.pending[name]
		if err := g.fsys.Rename(temp, name); err != nil {
			return err
		}
		delete(g.pending, name)
		g.folders[path.Dir(name)] = true
		if path.Dir(temp) != path.Dir(name) {
			g.folders[path.Dir(temp)] = true
		}
	}
	if ok {
		if err := all.SyncAll(); err != nil {
			return fmt.Errorf("sync folders: %w", err)
		}
	} else if err := g.syncFolders(); err != nil {
		return err
	}
	clear(g.folders)
	g.made, g.bytes = false, 0
	return nil
}

// syncEach syncs the bytes of what is pending, some files side by side: they
// share the journal's commits.
func (g *Group) syncEach() error {
	const parallel = 8
	queue := make(chan string)
	errs := make([]error, parallel)
	var workers sync.WaitGroup
	for i := range parallel {
		workers.Go(func() {
			for temp := range queue {
				if errs[i] == nil {
					errs[i] = syncFile(g.fsys, temp)
				}
			}
		})
	}
	for _, temp := range g.pending {
		if g.loose[temp] {
			queue <- temp
		}
	}
	close(queue)
	workers.Wait()
	return errors.Join(errs...)
}

func syncFile(fsys FS, name string) error {
	f, err := fsys.OpenFile(name, os.O_RDWR)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (g *Group) syncFolders() error {
	for dir := range g.folders {
		err := g.fsys.SyncDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // it may be gone again
			return err
		}
	}
	return nil
}

// Abandon takes away what was not flushed.
func (g *Group) Abandon() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for name, temp := range g.pending {
		if err := g.fsys.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		delete(g.pending, name)
	}
	clear(g.loose)
	return errors.Join(errs...)
}

// OpenFile implements FS.
func (g *Group) OpenFile(name string, flag int) (File, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if temp, ok := g.pending[name]; ok {
		if flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0 {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
		}
		if flag&(os.O_WRONLY|os.O_RDWR) != 0 { // not how durable writes write
			if err := g.flush(); err != nil {
				return nil, err
			}
			return g.fsys.OpenFile(name, flag)
		}
		return g.fsys.OpenFile(temp, flag)
	}
	f, err := g.fsys.OpenFile(name, flag)
	if err != nil || !IsTemp(name) || flag&os.O_CREATE == 0 {
		return f, err
	}
	return &looseFile{File: f, group: g, name: name}, nil
}

// looseFile is a temporary file whose bytes are synced with the group.
type looseFile struct {
	File
	group *Group
	name  string
}

func (f *looseFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.group.mu.Lock()
	f.group.bytes += int64(n)
	f.group.mu.Unlock()
	return n, err
}

// Sync leaves it to the group.
func (f *looseFile) Sync() error {
	f.group.mu.Lock()
	defer f.group.mu.Unlock()
	f.group.loose[f.name] = true
	return nil
}

// Rename implements FS.
func (g *Group) Rename(oldname, newname string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, isPending := g.pending[oldname]
	if !g.loose[oldname] || isPending {
		if err := g.flush(); err != nil {
			return err
		}
		return g.fsys.Rename(oldname, newname)
	}
	if info, err := g.fsys.Stat(path.Dir(newname)); err != nil {
		return err
	} else if !info.IsDir() || !fs.ValidPath(newname) {
		return &fs.PathError{Op: "rename", Path: newname, Err: fs.ErrInvalid}
	}
	if info, err := g.fsys.Stat(newname); err == nil && info.IsDir() {
		return &fs.PathError{Op: "rename", Path: newname, Err: fs.ErrExist}
	}
	if before, twice := g.pending[newname]; twice {
		delete(g.loose, before)
		if err := g.fsys.Remove(before); err != nil {
			return err
		}
	}
	g.pending[newname] = oldname
	if len(g.pending) >= groupFiles || g.bytes >= groupBytes {
		return g.flush()
	}
	return nil
}

// Remove implements FS.
func (g *Group) Remove(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	temp, ok := g.pending[name]
	if !ok {
		if info, err := g.fsys.Stat(name); err == nil && info.IsDir() {
			if err := g.flush(); err != nil { // something pending may be about to stand in it
				return err
			}
		}
		delete(g.loose, name)
		return g.fsys.Remove(name)
	}
	delete(g.pending, name)
	delete(g.loose, temp)
	if err := g.fsys.Remove(temp); err != nil {
		return err
	}
	err := g.fsys.Remove(name) // what it was about to replace
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}

// MkdirAll implements FS. The names of new folders are durable with the group.
func (g *Group) MkdirAll(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for above := name; above != "." && above != "/"; above = path.Dir(above) {
		if _, ok := g.pending[above]; ok {
			return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
		}
	}
	all, ok := g.fsys.(Bulk)
	if !ok || len(g.pending) < fewFiles || !all.SyncsAll() {
		return g.fsys.MkdirAll(name)
	}
	g.made = true
	return all.MkdirLater(name)
}

// ReadDir implements FS. It flushes, so that a folder has what was written.
func (g *Group) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := g.Flush(); err != nil {
		return nil, err
	}
	return g.fsys.ReadDir(name)
}

// Stat implements FS.
func (g *Group) Stat(name string) (fs.FileInfo, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	temp, ok := g.pending[name]
	if !ok {
		return g.fsys.Stat(name)
	}
	info, err := g.fsys.Stat(temp)
	if err != nil {
		return nil, err
	}
	return renamed{info, path.Base(name)}, nil
}

// renamed describes a file that is pending under its final name.
type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }

// SyncDir implements FS. The folder is synced with the group.
func (g *Group) SyncDir(name string) error {
	info, err := g.fsys.Stat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "sync", Path: name, Err: fs.ErrInvalid}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.folders[name] = true
	return nil
}
