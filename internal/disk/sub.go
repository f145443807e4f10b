package disk

import (
	"io/fs"
	"path"
)

// sub is a view of a folder of another FS.
type sub struct {
	fsys FS
	dir  string
}

// Sub is fsys seen from its folder dir, which need not exist yet. Names that
// lead out of the folder are fs.ErrInvalid, as all names are when dir is none.
// Symbolic links are held inside fsys's root, not inside dir.
func Sub(fsys FS, dir string) FS {
	if dir == "." {
		return fsys
	}
	return &sub{fsys: fsys, dir: dir}
}

func (s *sub) full(op, name string) (string, error) {
	if !fs.ValidPath(s.dir) || !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: s.dir + "/" + name, Err: fs.ErrInvalid}
	}
	return path.Join(s.dir, name), nil
}

func (s *sub) OpenFile(name string, flag int) (File, error) {
	full, err := s.full("open", name)
	if err != nil {
		return nil, err
	}
	return s.fsys.OpenFile(full, flag)
}

func (s *sub) Rename(oldname, newname string) error {
	oldFull, err := s.full("rename", oldname)
	if err != nil {
		return err
	}
	newFull, err := s.full("rename", newname)
	if err != nil {
		return err
	}
	return s.fsys.Rename(oldFull, newFull)
}

func (s *sub) Remove(name string) error {
	full, err := s.full("remove", name)
	if err != nil {
		return err
	}
	return s.fsys.Remove(full)
}

func (s *sub) MkdirAll(name string) error {
	full, err := s.full("mkdir", name)
	if err != nil {
		return err
	}
	return s.fsys.MkdirAll(full)
}

func (s *sub) ReadDir(name string) ([]fs.DirEntry, error) {
	full, err := s.full("readdir", name)
	if err != nil {
		return nil, err
	}
	return s.fsys.ReadDir(full)
}

func (s *sub) Stat(name string) (fs.FileInfo, error) {
	full, err := s.full("stat", name)
	if err != nil {
		return nil, err
	}
	return s.fsys.Stat(full)
}

func (s *sub) SyncDir(name string) error {
	full, err := s.full("sync", name)
	if err != nil {
		return err
	}
	return s.fsys.SyncDir(full)
}

// Flush implements what disk.Flush says.
func (s *sub) Flush() error { return Flush(s.fsys) }
