//go:build !windows

package disk_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"koprik/internal/disk"
)

func TestClassifyNamesWhatACallerCanActOn(t *testing.T) {
	tests := []struct{ err, want error }{
		{unix.ENOSPC, disk.ErrNoSpace},
		{unix.EDQUOT, disk.ErrNoSpace},
		{unix.EROFS, disk.ErrReadOnly},
		{unix.EACCES, disk.ErrReadOnly},
	}
	for _, tt := range tests {
		below := &fs.PathError{Op: "write", Path: "f", Err: tt.err}
		got := disk.Classify(below)
		var asPath *fs.PathError
		if !errors.Is(got, tt.want) || !errors.Is(got, tt.err) || !errors.As(got, &asPath) {
			t.Errorf("Classify(%v) hides what it should show", below)
		}
		if got.Error() != below.Error() {
			t.Errorf("Classify changed the text %q to %q", below, got)
		}
		if disk.Classify(got) != got {
			t.Errorf("Classify wrapped %v twice", tt.err)
		}
	}
	for _, err := range []error{nil, io.EOF, fs.ErrNotExist, disk.ErrNoSpace} {
		if disk.Classify(err) != err {
			t.Errorf("Classify changed %v", err)
		}
	}
}

// /dev/full is a disk without space that every Linux has.
func TestFullDiskIsNamed(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("no /dev/full here: %v", err)
	}
	f, err := openRoot(t, "/dev").OpenFile("full", os.O_WRONLY)
	if err != nil {
		t.Skipf("/dev/full cannot be opened here: %v", err)
	}
	defer f.Close()
	if _, err := f.Write([]byte("x")); !errors.Is(err, disk.ErrNoSpace) {
		t.Errorf("write to a full disk: %v", err)
	}
}

func TestFolderThatMayNotBeWrittenIsNamed(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("the administrator may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := disk.WriteFile(openRoot(t, dir), "f", nil); !errors.Is(err, disk.ErrReadOnly) {
		t.Errorf("write in a folder without permission: %v", err)
	}
	if _, err := disk.Lock(dir, "lock"); !errors.Is(err, disk.ErrReadOnly) {
		t.Errorf("lock in a folder without permission: %v", err)
	}
}
