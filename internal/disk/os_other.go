//go:build !windows

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

func kindOf(err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return ErrNoSpace
	case errors.Is(err, unix.EROFS), errors.Is(err, fs.ErrPermission):
		return ErrReadOnly
	}
	return nil
}

func syncDir(root *os.Root, name string) error {
	dir, err := root.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil // a filesystem (some of FUSE and the network) that cannot sync a folder says so; there is nothing else to call
	}
	return errors.Join(err, dir.Close())
}

// tryLock takes an exclusive flock, which the kernel lets go when the last copy of
// the descriptor is closed, however the process ends.
func tryLock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return ErrLocked
		default:
			return err
		}
	}
}

// Free is how many bytes this user can still write to the disk that dir is on. A
// filesystem that does not tell its size, as some in user space, counts as endless:
// whoever fills it up learns so from the write.
func Free(dir string) (bytes uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	if st.Blocks == 0 {
		return math.MaxInt64, nil
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:gosec,unconvert // signed on some systems, never negative
}

// Cluster is the unit in which the disk that holds dir gives out room, in bytes:
// every file and folder takes a multiple of it.
func Cluster(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("cluster size of %s: %w", dir, err)
	}
	return uint64(st.Bsize), nil //nolint:gosec,unconvert // signed on some systems, never negative
}

// openOnly keeps an open of what is no regular file from waiting, and from
// following a link, should one have taken a file's place.
const openOnly = unix.O_NONBLOCK | unix.O_NOFOLLOW
