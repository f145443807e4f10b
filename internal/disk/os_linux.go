package disk

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// wholeSync are the filesystems on which syncfs is known to bring everything to
// the platter; others (those of FUSE ignore it) are synced file by file.
var wholeSync = []int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC}

// SyncsAll implements Bulk.
func (r *Root) SyncsAll() bool {
	var st unix.Statfs_t
	if err := unix.Statfs(r.dir, &st); err != nil {
		return false
	}
	for _, magic := range wholeSync {
		if int64(st.Type) == magic { //nolint:unconvert // 32 bits on some systems
			return true
		}
	}
	return false
}

// SyncAll implements Bulk, for the whole filesystem that the folder is on.
func (r *Root) SyncAll() error {
	dir, err := r.root.Open(".")
	if err != nil {
		return Classify(err)
	}
	err = unix.Syncfs(int(dir.Fd()))
	if err != nil {
		err = fmt.Errorf("sync %s: %w", r.dir, err)
	}
	return Classify(errors.Join(err, dir.Close()))
}

// MkdirLater implements Bulk. It remembers nothing: a folder that this Root does
// not know to be durable is synced when it is met again.
func (r *Root) MkdirLater(name string) error {
	local, err := localize("mkdir", name)
	if err != nil {
		return err
	}
	if err := r.root.MkdirAll(local, r.dirMode); err != nil {
		return Classify(err)
	}
	if info, err := r.Stat(name); err != nil || !info.IsDir() {
		return errors.Join(err, &fs.PathError{Op: "mkdir", Path: name, Err: unix.ENOTDIR})
	}
	return nil
}
