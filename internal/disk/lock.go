package disk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FileLock is held by one open file of one process. It ends with Unlock or with
// the process, whatever ends that.
type FileLock struct{ f *os.File }

// Lock takes the lock file dir/name, which it makes when missing and never
// removes: who removes a lock file can let two in. When another process, or
// another call in this one, holds it, the answer is ErrLocked at once.
func Lock(dir, name string) (*FileLock, error) {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, `/\`) {
		return nil, &fs.PathError{Op: "lock", Path: name, Err: fs.ErrInvalid}
	}
	full := filepath.Join(dir, name)
	f, err := os.OpenFile(full, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", full, Classify(err))
	}
	if err := tryLock(f); err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("lock %s: %w", full, err)
	}
	return &FileLock{f}, nil
}

// Unlock lets the lock go. A second call is an error of os.ErrClosed.
func (l *FileLock) Unlock() error { return l.f.Close() }
