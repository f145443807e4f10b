//go:build !windows

package disk_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"koprik/internal/disk"
)

// TestMediaGiveOnlyPlainFilesAndNothingIsWritten: whatever a stranger put there,
// nothing waits, nothing leads elsewhere, and nothing is changed.
func TestMediaGiveOnlyPlainFilesAndNothingIsWritten(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700),
		os.WriteFile(filepath.Join(dir, "a", "b", "f"), []byte("plain"), 0o600),
		os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600),
		os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "out")),
		os.Symlink("a/b/f", filepath.Join(dir, "in")),
		os.Symlink("a", filepath.Join(dir, "folder")),
		os.Symlink("loop", filepath.Join(dir, "loop")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	m, err := disk.OpenMedia(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close() //nolint:errcheck // opened for reading
	f, err := m.OpenFile("a/b/f", os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != "plain" {
		t.Errorf("%q, %v", b, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"out", "in", "folder/b/f", "loop", "pipe", "a", "a/b"} {
		if _, err := m.OpenFile(name, os.O_RDONLY); !errors.Is(err, disk.ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "/a/b/f", "../x", "a/../a/b/f", "a//b/f"} {
		if _, err := m.OpenFile(name, os.O_RDONLY); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := m.OpenFile("a/b/none", os.O_RDONLY); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	for what, err := range map[string]error{
		"create": func() error { _, err := m.OpenFile("new", os.O_CREATE|os.O_WRONLY); return err }(),
		"rename": m.Rename("a", "z"), "remove": m.Remove("in"), "mkdir": m.MkdirAll("new"), "sync": m.SyncDir("a"),
	} {
		if !errors.Is(err, disk.ErrReadOnly) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if entries, err := m.ReadDir("a"); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if _, err := m.ReadDir("folder"); !errors.Is(err, disk.ErrNotRegular) {
		t.Errorf("a folder by a link: %v", err)
	}
	if _, err := disk.OpenMedia(dir, "folder"); !errors.Is(err, disk.ErrNotRegular) {
		t.Errorf("opened by a link: %v", err)
	}
	below, err := disk.OpenMedia(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer below.Close() //nolint:errcheck // opened for reading
	if info, err := below.Stat("b/f"); err != nil || info.Size() != 5 {
		t.Errorf("%v, %v", info, err)
	}
}
