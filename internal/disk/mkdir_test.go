package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// watched is a Root whose syncs of folders are written down.
func watched(t *testing.T, dir string) (root *Root, synced *[]string) {
	t.Helper()
	root, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	synced = new([]string)
	root.sync = func(r *os.Root, name string) error {
		*synced = append(*synced, filepath.ToSlash(name))
		return syncDir(r, name)
	}
	return root, synced
}

func TestNameOfEveryFolderIsSyncedOnce(t *testing.T) {
	dir := t.TempDir()
	root, synced := watched(t, dir)
	steps := []struct {
		what string
		do   func() error
		want string // folders synced
	}{
		{"new folders", func() error { return root.MkdirAll("a/b") }, "[. a]"},
		{"again", func() error { return root.MkdirAll("a/b") }, "[]"},
		{"beside", func() error { return root.MkdirAll("a/c") }, "[a]"},
		{"removed and new", func() error { return errors.Join(root.Remove("a/b"), root.MkdirAll("a/b")) }, "[a]"},
		{"under a new name", func() error { return errors.Join(root.Rename("a", "z"), root.MkdirAll("z/b")) }, "[. z]"},
		{"removed here and made by others", func() error {
			return errors.Join(root.Remove("z/b"), os.Mkdir(filepath.Join(dir, "z", "b"), 0o755), root.MkdirAll("z/b"))
		}, "[z]"},
		{"renamed here and made by others", func() error {
			return errors.Join(root.Rename("z", "y"), os.MkdirAll(filepath.Join(dir, "z", "b"), 0o755), root.MkdirAll("z/b"))
		}, "[. z]"},
		{"removed by others", func() error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "z")), root.MkdirAll("z/b"))
		}, "[. z]"},
		{"the folder itself", func() error { return root.MkdirAll(".") }, "[]"},
	}
	for _, s := range steps {
		*synced = nil
		if err := s.do(); err != nil || fmt.Sprint(*synced) != s.want {
			t.Errorf("%s: synced %v, %v; want %s", s.what, *synced, err, s.want)
		}
	}
}

// Whoever made the folder may have been killed before the sync.
func TestNameOfAFolderThatWasThereIsSyncedByTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	root, synced := watched(t, dir)
	if err := root.MkdirAll("a/b"); err != nil || fmt.Sprint(*synced) != "[. a]" {
		t.Errorf("synced %v, %v", *synced, err)
	}
}

func TestFolderWhoseNameWasNotSyncedIsTriedAgain(t *testing.T) {
	root, synced := watched(t, t.TempDir())
	broken, works := errors.New("input/output error"), root.sync
	root.sync = func(*os.Root, string) error { return broken }
	if err := root.MkdirAll("a"); !errors.Is(err, broken) {
		t.Errorf("a broken disk: %v", err)
	}
	root.sync = works
	if err := root.MkdirAll("a"); err != nil || fmt.Sprint(*synced) != "[.]" {
		t.Errorf("afterwards: synced %v, %v", *synced, err)
	}
}
