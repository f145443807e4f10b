package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Media is the FS of a folder that a stranger may have prepared: it can only be
// read, no link in it is followed, not even one that stays inside, and nothing
// but regular files is opened. A device or a pipe is refused before it is
// touched: opening one may wait for ever, or do something.
type Media struct{ root *os.Root }

// ErrNotRegular says that a name on a medium is a link, a device, a pipe or
// anything else that is no plain file or folder.
var ErrNotRegular = errors.New("is no regular file")

// OpenMedia opens the folder sub of dir; "." is dir itself. The person names
// dir, so a link there is followed; sub belongs to the medium, so none is.
func OpenMedia(dir, sub string) (*Media, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, Classify(err)
	}
	if sub == "." {
		return &Media{root}, nil
	}
	m := &Media{root}
	defer root.Close() //nolint:errcheck // opened for reading
	if err := m.folders("open", sub); err != nil {
		return nil, err
	}
	below, err := root.OpenRoot(sub)
	if err != nil {
		return nil, Classify(err)
	}
	return &Media{below}, nil
}

// Close lets go of the folder.
func (m *Media) Close() error { return m.root.Close() }

// folders refuses a path of which any part is not a plain folder.
func (m *Media) folders(op, name string) error {
	at := ""
	for part := range strings.SplitSeq(name, "/") {
		at = path.Join(at, part)
		info, err := m.lstat(op, at)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return &fs.PathError{Op: op, Path: at, Err: ErrNotRegular}
		}
	}
	return nil
}

func (m *Media) lstat(op, name string) (fs.FileInfo, error) {
	local, err := localize(op, name)
	if err != nil {
		return nil, err
	}
	info, err := m.root.Lstat(local)
	return info, Classify(err)
}

// regular refuses all but a plain file that is reached by plain folders.
func (m *Media) regular(op, name string) error {
	if _, err := localize(op, name); err != nil {
		return err
	}
	if dir := path.Dir(name); dir != "." {
		if err := m.folders(op, dir); err != nil {
			return err
		}
	}
	info, err := m.lstat(op, name)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: op, Path: name, Err: ErrNotRegular}
	}
	return err
}

// OpenFile implements FS, for reading alone.
func (m *Media) OpenFile(name string, flag int) (File, error) {
	if flag != os.O_RDONLY {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrReadOnly}
	}
	if err := m.regular("open", name); err != nil {
		return nil, err
	}
	local, err := localize("open", name)
	if err != nil {
		return nil, err
	}
	f, err := m.root.OpenFile(local, os.O_RDONLY|openOnly, 0)
	if err != nil {
		return nil, Classify(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular} // it was exchanged meanwhile
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Stat implements FS; a link is described as a link.
func (m *Media) Stat(name string) (fs.FileInfo, error) {
	if dir := path.Dir(name); dir != "." {
		if err := m.folders("stat", dir); err != nil {
			return nil, err
		}
	}
	return m.lstat("stat", name)
}

// ReadDir implements FS.
func (m *Media) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		if err := m.folders("readdir", name); err != nil {
			return nil, err
		}
	}
	entries, err := fs.ReadDir(m.root.FS(), name)
	return entries, Classify(err)
}

func readOnly(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: ErrReadOnly} }

// Rename implements FS by refusing.
func (m *Media) Rename(oldname, _ string) error { return readOnly("rename", oldname) }

// Remove implements FS by refusing.
func (m *Media) Remove(name string) error { return readOnly("remove", name) }

// MkdirAll implements FS by refusing.
func (m *Media) MkdirAll(name string) error { return readOnly("mkdir", name) }

// SyncDir implements FS by refusing.
func (m *Media) SyncDir(name string) error { return readOnly("sync", name) }
