package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// ReadFile reads a whole file of at most max bytes. A longer one is ErrTooLarge,
// and not read where the length is known before.
func ReadFile(fsys FS, name string, max int64) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if info.Size() > max {
		return nil, fmt.Errorf("read %s: %d bytes, at most %d: %w", name, info.Size(), max, ErrTooLarge)
	}
	buf := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	n, err := buf.ReadFrom(io.LimitReader(f, max+1)) // it may have grown since
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if n > max {
		return nil, fmt.Errorf("read %s: more than %d bytes: %w", name, max, ErrTooLarge)
	}
	return buf.Bytes(), nil
}

// RemoveAll takes away a file, or a folder with all that is in it, durably. What
// is not there is no error. A symbolic link goes, and what it points at stays.
func RemoveAll(fsys FS, name string) error {
	if !fs.ValidPath(name) || name == "." {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrInvalid}
	}
	if _, err := fsys.Stat(path.Dir(name)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := removeTree(fsys, name); err != nil {
		return err
	}
	return fsys.SyncDir(path.Dir(name))
}

func removeTree(fsys FS, name string) error {
	err := fsys.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	entries, readErr := fsys.ReadDir(name)
	if readErr != nil {
		return err // not a folder: why it cannot be removed is what matters
	}
	for _, e := range entries {
		if err := removeTree(fsys, path.Join(name, e.Name())); err != nil {
			return err
		}
	}
	return fsys.Remove(name)
}

// CleanTemps takes away what interrupted durable writes left in dir and in the
// folders below it; a dir that is not there is no error. It is called before
// anything writes there: it would take away writes that are under way, too.
func CleanTemps(fsys FS, dir string) error {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	removed := false
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case e.IsDir():
			err = CleanTemps(fsys, name)
		case IsTemp(name):
			err, removed = fsys.Remove(name), true
		default:
			continue
		}
		if err != nil {
			return err
		}
	}
	if !removed {
		return nil
	}
	return fsys.SyncDir(dir)
}
