package faults

import (
	"io/fs"
	"testing/fstest"

	"koprik/internal/disk"
)

// Tree gives a folder of a disk, as it is at each moment, for an origin to serve.
func Tree(folder disk.FS) fs.FS { return tree{folder} }

type tree struct{ folder disk.FS }

func (t tree) Open(name string) (fs.File, error) {
	b, err := t.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return fstest.MapFS{name: {Data: b}}.Open(name)
}

// ReadFile implements fs.ReadFileFS.
func (t tree) ReadFile(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	const limit = 64 << 20
	return disk.ReadFile(t.folder, name, limit)
}
