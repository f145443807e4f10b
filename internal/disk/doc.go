// Package disk writes files as if the plug were pulled at every line.
//
// FS is a small filesystem: seven methods, slash-separated names as io/fs has
// them, and nothing outside its root. Root is the real one, over os.Root;
// disktest.Disk is its twin in memory, which forgets at a power cut whatever was
// not synced. What the package promises of a durable write (WriteFile, Create)
// holds on both, and is tested on the twin at every single operation.
package disk

import (
	"errors"
	"io"
	"io/fs"
)

// What a caller can act on. Errors of the operating system are wrapped so that
// errors.Is finds these beside the original: see Classify.
var (
	ErrLocked   = errors.New("locked by another process")
	ErrTooLarge = errors.New("larger than allowed")
	ErrNoSpace  = errors.New("no space left on the disk")
	ErrReadOnly = errors.New("the disk or folder may not be written")
)

// FS is a folder and what is below it. Names are those of io/fs: slash-separated,
// relative, without "." and ".." parts; "." is the folder itself. Any other name
// is fs.ErrInvalid, a missing one fs.ErrNotExist.
//
// Nothing that is written is promised to outlast a power cut before it is
// synced: the bytes of a file by File.Sync, its name by SyncDir of its folder.
type FS interface {
	// OpenFile opens a file with the flags of package os.
	OpenFile(name string, flag int) (File, error)
	// Rename gives a file another name and replaces what had it. A process sees
	// either all of it or nothing; so does a reboot when both names are in one
	// folder.
	Rename(oldname, newname string) error
	// Remove takes away a file or an empty folder.
	Remove(name string) error
	// MkdirAll makes a folder and those above it, durably: the name of each is
	// synced before it returns. A folder that is there is no error.
	MkdirAll(name string) error
	// ReadDir lists a folder, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes a file. It does not follow a link out of the root.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the names in a folder durable: what was created, renamed and
	// removed in it.
	SyncDir(name string) error
}

// File is an open file.
type File interface {
	io.Reader
	io.Writer
	io.Seeker
	io.ReaderAt
	io.Closer
	// Sync makes the bytes written so far durable.
	Sync() error
	// Stat describes the file as it is now.
	Stat() (fs.FileInfo, error)
}

// classified is an error of the operating system that errors.Is also finds under
// one of our names. Its text stays as it was.
type classified struct{ kind, err error }

func (c *classified) Error() string   { return c.err.Error() }
func (c *classified) Unwrap() []error { return []error{c.kind, c.err} }

// Classify makes ErrNoSpace and ErrReadOnly visible in an error of the operating
// system (ENOSPC and EDQUOT, EROFS and EACCES, and what Windows has for them). Its
// text and everything else that errors.Is and errors.As find stays. Other errors,
// and nil, come back as they are.
func Classify(err error) error {
	kind := kindOf(err)
	if kind == nil || errors.Is(err, kind) {
		return err
	}
	return &classified{kind: kind, err: err}
}
