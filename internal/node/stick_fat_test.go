package node_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/portal"
)

// fatLike is a disk with the manners of FAT: capitals do not count, some
// characters cannot be, and a file that takes another's name takes it in two
// steps, between which there is neither.
type fatLike struct{ disk.FS }

func (f fatLike) name(op, name string) (string, error) {
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > 255 || strings.ContainsAny(part, `"*:<>?\|`) || strings.HasSuffix(part, ".") && part != "." || strings.HasSuffix(part, " ") {
			return "", &os.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
		}
	}
	return strings.ToLower(name), nil
}

func (f fatLike) OpenFile(name string, flag int) (disk.File, error) {
	name, err := f.name("open", name)
	if err != nil {
		return nil, err
	}
	return f.FS.OpenFile(name, flag)
}

func (f fatLike) Rename(a, b string) error {
	a, err := f.name("rename", a)
	if err != nil {
		return err
	}
	if b, err = f.name("rename", b); err != nil {
		return err
	}
	if err := f.FS.Remove(b); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.FS.Rename(a, b)
}

func (f fatLike) Remove(name string) error {
	name, err := f.name("remove", name)
	if err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f fatLike) MkdirAll(name string) error {
	name, err := f.name("mkdir", name)
	if err != nil {
		return err
	}
	return f.FS.MkdirAll(name)
}

func (f fatLike) ReadDir(name string) ([]fs.DirEntry, error) {
	return f.FS.ReadDir(strings.ToLower(name))
}
func (f fatLike) Stat(name string) (fs.FileInfo, error) { return f.FS.Stat(strings.ToLower(name)) }
func (f fatLike) SyncDir(name string) error             { return f.FS.SyncDir(strings.ToLower(name)) }

// TestPowerCutOnAFATLikeStickLeavesAnOlderOneOrNone: where a rename is two
// steps, the stick may lose its last file, and is then no copy at all.
func TestPowerCutOnAFATLikeStickLeavesAnOlderOneOrNone(t *testing.T) {
	c := newTraveller(t, 1)
	begun := disktest.New()
	_, err := c.export(t.Context(), fatLike{begun}, 0)
	must(t, err)
	must(t, c.publish(t.Context(), 2))
	must(t, c.follow(t.Context()))
	cuts(t, func() *disktest.Disk { return begun.Reboot(seeded(1, 1)) },
		func(d *disktest.Disk) error { _, err := c.export(t.Context(), fatLike{d}, 0); return err },
		func(t *testing.T, d *disktest.Disk) {
			got, err := takes(t, fatLike{d}, c.root)
			if err == nil && got != 1 && got != 2 || err != nil && !errors.Is(err, portal.ErrNotFound) {
				t.Errorf("release %d: %v", got, err)
			}
			_, err = c.export(t.Context(), fatLike{d}, 0)
			must(t, err)
			if got, err := takes(t, fatLike{d}, c.root); err != nil || got != 2 {
				t.Errorf("after another export release %d: %v", got, err)
			}
		})
}
