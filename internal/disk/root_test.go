package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
)

func openRoot(t *testing.T, dir string) *disk.Root {
	t.Helper()
	root, err := disk.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

func TestRootIsAnFS(t *testing.T) {
	disktest.TestFS(t, func(t *testing.T) disk.FS { return openRoot(t, t.TempDir()) })
}

func TestSubIsAnFS(t *testing.T) {
	disktest.TestFS(t, func(t *testing.T) disk.FS {
		root := openRoot(t, t.TempDir())
		if err := root.MkdirAll("a/b"); err != nil {
			t.Fatal(err)
		}
		return disk.Sub(root, "a/b")
	})
}

func TestOpenRootDoesNotMakeTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	if _, err := disk.OpenRoot(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenRoot of a missing folder: %v", err)
	}
}

func TestRootRefusesLinksThatLeadOut(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	write := func(dir, name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, "secret")
	write(inside, "mine")
	for name, target := range map[string]string{
		"absolute":  outside,
		"relative":  filepath.Join("..", filepath.Base(outside)),
		"to-file":   filepath.Join(outside, "secret"),
		"to-nobody": filepath.Join(outside, "new"),
	} {
		if err := os.Symlink(target, filepath.Join(inside, name)); err != nil {
			t.Skipf("this system makes no symbolic links here: %v", err)
		}
	}
	root := openRoot(t, inside)
	for _, link := range []string{"absolute", "relative"} {
		attacks := map[string]error{
			"ReadFile":  second(disk.ReadFile(root, link+"/secret", 100)),
			"WriteFile": disk.WriteFile(root, link+"/secret", nil),
			"ReadDir":   second(root.ReadDir(link)),
			"Stat":      second(root.Stat(link + "/secret")),
			"Remove":    root.Remove(link + "/secret"),
			"MkdirAll":  root.MkdirAll(link + "/new"),
			"RemoveAll": disk.RemoveAll(root, link+"/secret"),
			"Rename":    root.Rename("mine", link+"/new"),
			"Rename in": root.Rename(link+"/secret", "new"),
			"SyncDir":   root.SyncDir(link),
		}
		for what, err := range attacks {
			if err == nil {
				t.Errorf("%s went out by the link %q", what, link)
			}
		}
	}
	for _, link := range []string{"to-file", "to-nobody"} {
		if _, err := root.OpenFile(link, os.O_RDWR|os.O_CREATE); err == nil {
			t.Errorf("OpenFile went out by the link %q", link)
		}
	}
	assertFiles(t, outside, "secret")
	data, err := os.ReadFile(filepath.Join(outside, "secret"))
	if string(data) != "secret" || err != nil {
		t.Errorf("outside there is now %q, %v", data, err)
	}
}

func second[T any](_ T, err error) error { return err }

func assertFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s lists %q, want %q", dir, got, want)
	}
}

func TestRemovingALinkLeavesWhatItPointsAt(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	if err := disk.WriteFile(root, "kept/f", nil); err != nil {
		t.Fatal(err)
	}
	if err := root.MkdirAll("tree"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "kept"), filepath.Join(dir, "tree", "link")); err != nil {
		t.Skipf("this system makes no symbolic links here: %v", err)
	}
	if err := disk.RemoveAll(root, "tree"); err != nil {
		t.Fatal(err)
	}
	assertFiles(t, dir, "kept")
	assertFiles(t, filepath.Join(dir, "kept"), "f")
}

func TestFolderTakenAwayFromOutsideIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	for range 2 {
		if err := disk.WriteFile(root, "a/b/f", nil); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWritersInOneNewFolderAllSucceed(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := disk.WriteFile(root, fmt.Sprintf("a/b/%d", i%4), []byte{byte(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	assertFiles(t, filepath.Join(dir, "a", "b"), "0", "1", "2", "3")
}

func TestPrivateRootShowsNothingToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	dir := t.TempDir()
	root, err := disk.OpenPrivateRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := disk.WriteFile(root, "keys/root.pem", nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"keys", "keys/root.pem"} {
		info, err := root.Stat(name)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestDirIsAbsolute(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if root := openRoot(t, "."); !filepath.IsAbs(root.Dir()) {
		t.Errorf("Dir is %q", root.Dir())
	}
}

func TestFreeSaysWhatIsLeft(t *testing.T) {
	dir := t.TempDir()
	free, err := disk.Free(dir)
	if free == 0 || err != nil {
		t.Errorf("Free of a temporary folder: %d, %v", free, err)
	}
	if _, err := disk.Free(filepath.Join(dir, "missing")); err == nil {
		t.Error("Free of a missing folder gave no error")
	}
}
