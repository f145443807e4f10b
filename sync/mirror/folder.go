package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"koprik/internal/disk"
	"koprik/portal"
)

// Folder reads a repository from a folder: a stick, a disk, our own tree. A
// stranger's stick is opened by disk.OpenMedia.
func Folder(fsys disk.FS, name string) Source { return &folder{fsys: fsys, name: name} }

type folder struct {
	fsys disk.FS
	name string
}

func (s *folder) String() string { return s.name }

func (s *folder) Get(_ context.Context, path string, offset int64) (io.ReadCloser, int64, error) {
	info, err := s.fsys.Stat(path) // before it is opened: opening a pipe waits
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, fmt.Errorf("%s: %s: %w", s.name, path, portal.ErrNotFound)
	case err != nil:
		return nil, 0, s.unreadable(path, err)
	case !info.Mode().IsRegular():
		return nil, 0, portal.Unverified(s.name+": "+path, "is no regular file").WithHint("nothing was changed; the copy that this node has stays")
	}
	f, err := s.fsys.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return nil, 0, s.unreadable(path, err)
	}
	if _, err = f.Seek(offset, io.SeekStart); err != nil {
		return nil, 0, errors.Join(s.unreadable(path, err), f.Close())
	}
	return &folderFile{File: f, source: s, path: path}, offset, nil
}

// unreadable is an error of the medium, never of this node's own disk.
func (s *folder) unreadable(path string, cause error) error {
	if errors.Is(cause, disk.ErrNotRegular) {
		return portal.Unverified(s.name+": "+path, "%v", disk.ErrNotRegular).WithHint("nothing was changed; the copy that this node has stays")
	}
	return &portal.Problem{
		Kind: portal.ErrUnreachable, Where: s.name + ": " + path, Cause: cause,
		Message: "cannot be read: " + reason(cause),
		Hint:    "a stick that was pulled out is put in again: what came is kept, and nothing was changed",
	}
}

// folderFile tells errors of the medium from those of this node's disk.
type folderFile struct {
	disk.File
	source *folder
	path   string
}

func (f *folderFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = f.source.unreadable(f.path, err)
	}
	return n, err
}

// reason is what the system says, without the call and the path.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err.Error()
}
