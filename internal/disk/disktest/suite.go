package disktest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"koprik/internal/disk"
)

// TestFS is what every disk.FS must do. empty gives a new, empty one for each
// part.
func TestFS(t *testing.T, empty func(t *testing.T) disk.FS) {
	parts := []struct {
		name string
		test func(*testing.T, disk.FS)
	}{
		{"refuses names that lead out", testNames},
		{"says what is missing", testMissing},
		{"opens with the flags of package os", testFlags},
		{"reads and writes where it stands", testOffsets},
		{"lists a folder sorted", testReadDir},
		{"makes folders and takes them for made", testMkdirAll},
		{"replaces by renaming", testRename},
		{"removes files and empty folders only", testRemove},
		{"reads at most what is allowed", testReadFile},
		{"writes a whole file or nothing", testWriter},
		{"commits under a name given at the end", testCommitAs},
		{"removes a tree", testRemoveAll},
		{"cleans up temporary files only", testCleanTemps},
		{"stays in a subfolder", testSub},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.test(t, empty(t)) })
	}
}

// must ends the test on an error of preparing it.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// is checks that an error is the one wanted.
func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// holds checks a file's content.
func holds(t *testing.T, fsys disk.FS, name, want string) {
	t.Helper()
	data, err := disk.ReadFile(fsys, name, 1<<20)
	if err != nil || string(data) != want {
		t.Errorf("%s holds %q, %v; want %q", name, data, err, want)
	}
}

// lists checks the names in a folder; those of folders end with a slash.
func lists(t *testing.T, fsys disk.FS, name string, want ...string) {
	t.Helper()
	entries, err := fsys.ReadDir(name)
	must(t, err)
	var got []string
	for _, e := range entries {
		base := e.Name()
		if e.IsDir() {
			base += "/"
		}
		got = append(got, base)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("folder %s lists %q, want %q", name, got, want)
	}
}

// every calls each method of an FS with a name.
func every(fsys disk.FS, name string) map[string]error {
	_, open := fsys.OpenFile(name, os.O_RDWR)
	_, list := fsys.ReadDir(name)
	_, stat := fsys.Stat(name)
	return map[string]error{
		"OpenFile": open, "ReadDir": list, "Stat": stat,
		"Rename from": fsys.Rename(name, "x"),
		"Remove":      fsys.Remove(name),
		"SyncDir":     fsys.SyncDir(name),
	}
}

func testNames(t *testing.T, fsys disk.FS) {
	must(t, fsys.MkdirAll("in"))
	must(t, disk.WriteFile(fsys, "file", nil))
	for _, name := range []string{"", "..", "../out", "in/../../out", "/in", "in/", "./in", "in//x"} {
		for method, err := range every(fsys, name) {
			is(t, method+" "+name, err, fs.ErrInvalid)
		}
		is(t, "Rename to "+name, fsys.Rename("file", name), fs.ErrInvalid)
		is(t, "MkdirAll "+name, fsys.MkdirAll(name), fs.ErrInvalid)
		is(t, "WriteFile "+name, disk.WriteFile(fsys, name, nil), fs.ErrInvalid)
	}
	is(t, "WriteFile .", disk.WriteFile(fsys, ".", nil), fs.ErrInvalid)
	is(t, "RemoveAll .", disk.RemoveAll(fsys, "."), fs.ErrInvalid)
	lists(t, fsys, ".", "file", "in/")
}

func testMissing(t *testing.T, fsys disk.FS) {
	for method, err := range every(fsys, "a/b") {
		is(t, method, err, fs.ErrNotExist)
	}
	_, err := fsys.OpenFile("a/b", os.O_WRONLY|os.O_CREATE)
	is(t, "create in a missing folder", err, fs.ErrNotExist)
	must(t, disk.WriteFile(fsys, "f", nil))
	is(t, "rename into a missing folder", fsys.Rename("f", "a/f"), fs.ErrNotExist)
}

func testFlags(t *testing.T, fsys disk.FS) {
	must(t, disk.WriteFile(fsys, "f", []byte("old")))
	_, err := fsys.OpenFile("f", os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	is(t, "O_EXCL on a file that is there", err, fs.ErrExist)
	write := func(flag int, text string) {
		f, err := fsys.OpenFile("f", flag)
		must(t, err)
		_, err = io.WriteString(f, text)
		must(t, err)
		must(t, f.Sync())
		must(t, f.Close())
		is(t, "close twice", f.Close(), fs.ErrClosed)
	}
	write(os.O_WRONLY|os.O_APPEND, "er")
	holds(t, fsys, "f", "older")
	write(os.O_RDWR, "c")
	holds(t, fsys, "f", "clder")
	write(os.O_WRONLY|os.O_CREATE|os.O_TRUNC, "new")
	holds(t, fsys, "f", "new")
	f, err := fsys.OpenFile("f", os.O_RDONLY)
	must(t, err)
	defer f.Close()
	if _, err := f.Write([]byte("x")); err == nil {
		t.Error("a file opened for reading was written")
	}
}

func testOffsets(t *testing.T, fsys disk.FS) {
	f, err := fsys.OpenFile("f", os.O_RDWR|os.O_CREATE)
	must(t, err)
	defer f.Close()
	_, err = io.WriteString(f, "0123456789")
	must(t, err)
	p := make([]byte, 4)
	n, err := f.ReadAt(p, 8)
	if n != 2 || err != io.EOF || string(p[:n]) != "89" {
		t.Errorf("ReadAt over the end: %q, %v", p[:n], err)
	}
	off, err := f.Seek(-3, io.SeekEnd)
	if off != 7 || err != nil {
		t.Errorf("Seek from the end: %d, %v", off, err)
	}
	rest, err := io.ReadAll(f)
	if string(rest) != "789" || err != nil {
		t.Errorf("read after Seek: %q, %v", rest, err)
	}
	if _, err := f.Seek(-1, io.SeekStart); err == nil {
		t.Error("Seek before the beginning gave no error")
	}
	_, err = f.Seek(2, io.SeekEnd)
	must(t, err)
	_, err = io.WriteString(f, "x")
	must(t, err)
	holds(t, fsys, "f", "0123456789\x00\x00x")
	info, err := f.Stat()
	if err != nil || info.Size() != 13 || info.IsDir() {
		t.Errorf("Stat of an open file: %v, %v", info, err)
	}
}

func testReadDir(t *testing.T, fsys disk.FS) {
	lists(t, fsys, ".")
	for _, name := range []string{"b", "a", "c/x", "a0"} {
		must(t, disk.WriteFile(fsys, name, []byte("1234")))
	}
	lists(t, fsys, ".", "a", "a0", "b", "c/")
	if _, err := fsys.ReadDir("a"); err == nil {
		t.Error("a file was listed")
	}
	entries, err := fsys.ReadDir("c")
	must(t, err)
	info, err := entries[0].Info()
	if err != nil || info.Size() != 4 || info.Name() != "x" || !info.Mode().IsRegular() {
		t.Errorf("Info of an entry: %v, %v", info, err)
	}
}

func testMkdirAll(t *testing.T, fsys disk.FS) {
	must(t, fsys.MkdirAll("."))
	for range 2 {
		must(t, fsys.MkdirAll("a/b/c"))
	}
	info, err := fsys.Stat("a/b/c")
	if err != nil || !info.IsDir() {
		t.Errorf("a folder just made: %v, %v", info, err)
	}
	must(t, disk.RemoveAll(fsys, "a"))
	must(t, fsys.MkdirAll("a/b"))
	must(t, disk.WriteFile(fsys, "a/f", nil))
	for _, name := range []string{"a/f", "a/f/g"} {
		if err := fsys.MkdirAll(name); err == nil {
			t.Errorf("%s became a folder though a/f is a file", name)
		}
	}
	if _, err := disk.ReadFile(fsys, "a", 10); err == nil {
		t.Error("a folder was read as a file")
	}
}

func testRename(t *testing.T, fsys disk.FS) {
	must(t, disk.WriteFile(fsys, "a", []byte("1")))
	must(t, disk.WriteFile(fsys, "d/b", []byte("2")))
	must(t, fsys.Rename("a", "d/b"))
	holds(t, fsys, "d/b", "1")
	lists(t, fsys, ".", "d/")
	must(t, fsys.Rename("d", "e"))
	holds(t, fsys, "e/b", "1")
	must(t, fsys.Rename("e/b", "e/b"))
	must(t, fsys.MkdirAll("d/b"))
	holds(t, fsys, "e/b", "1")
	must(t, disk.WriteFile(fsys, "d/b/c", []byte("3")))
	holds(t, fsys, "d/b/c", "3")
}

func testRemove(t *testing.T, fsys disk.FS) {
	must(t, disk.WriteFile(fsys, "d/f", nil))
	if err := fsys.Remove("d"); err == nil {
		t.Error("a folder with a file in it was removed")
	}
	must(t, fsys.Remove("d/f"))
	must(t, fsys.Remove("d"))
	is(t, "remove twice", fsys.Remove("d"), fs.ErrNotExist)
	must(t, disk.WriteFile(fsys, "d/f", nil))
	lists(t, fsys, "d", "f")
}

func testReadFile(t *testing.T, fsys disk.FS) {
	must(t, disk.WriteFile(fsys, "f", []byte("12345")))
	for _, max := range []int64{5, 6, 1 << 40} {
		data, err := disk.ReadFile(fsys, "f", max)
		if string(data) != "12345" || err != nil {
			t.Errorf("at most %d: %q, %v", max, data, err)
		}
	}
	for _, max := range []int64{0, 4} {
		_, err := disk.ReadFile(fsys, "f", max)
		is(t, "a longer file", err, disk.ErrTooLarge)
	}
}

func testWriter(t *testing.T, fsys disk.FS) {
	must(t, disk.WriteFile(fsys, "d/f", []byte("old")))
	w, err := disk.Create(fsys, "d/f")
	must(t, err)
	for _, part := range []string{"n", "", "ew"} {
		_, err := io.WriteString(w, part)
		must(t, err)
	}
	holds(t, fsys, "d/f", "old")
	must(t, w.Commit())
	must(t, w.Abort())
	holds(t, fsys, "d/f", "new")
	is(t, "commit twice", w.Commit(), fs.ErrClosed)
	_, err = w.Write([]byte("late"))
	is(t, "write after the commit", err, fs.ErrClosed)

	w, err = disk.Create(fsys, "d/f")
	must(t, err)
	_, err = io.WriteString(w, "given up")
	must(t, err)
	must(t, w.Abort())
	must(t, w.Abort())
	is(t, "commit after the abort", w.Commit(), fs.ErrClosed)
	holds(t, fsys, "d/f", "new")
	lists(t, fsys, "d", "f")

	must(t, fsys.MkdirAll("d/folder"))
	if err := disk.WriteFile(fsys, "d/folder", nil); err == nil {
		t.Error("a folder was replaced by a file")
	}
	lists(t, fsys, "d", "f", "folder/")
}

func testCommitAs(t *testing.T, fsys disk.FS) {
	w, err := disk.CreateIn(fsys, "d")
	must(t, err)
	_, err = io.WriteString(w, "content")
	must(t, err)
	must(t, w.CommitAs("e/f"))
	holds(t, fsys, "e/f", "content")
	lists(t, fsys, "d")
	for _, name := range []string{"", "../f"} {
		w, err := disk.CreateIn(fsys, "d")
		must(t, err)
		is(t, "commit as "+name, w.CommitAs(name), fs.ErrInvalid)
	}
	lists(t, fsys, "d")
}

func testRemoveAll(t *testing.T, fsys disk.FS) {
	for _, name := range []string{"d/a", "d/e/b", "d/e/f/c", "keep"} {
		must(t, disk.WriteFile(fsys, name, nil))
	}
	must(t, disk.RemoveAll(fsys, "d"))
	must(t, disk.RemoveAll(fsys, "d"))
	must(t, disk.RemoveAll(fsys, "d/not/there"))
	lists(t, fsys, ".", "keep")
	must(t, disk.RemoveAll(fsys, "keep"))
	lists(t, fsys, ".")
}

func testCleanTemps(t *testing.T, fsys disk.FS) {
	must(t, disk.CleanTemps(fsys, "not/there"))
	for _, name := range []string{"a/f", "a/b/g", ".hidden"} {
		must(t, disk.WriteFile(fsys, name, nil))
		w, err := disk.CreateIn(fsys, path.Dir(name))
		must(t, err)
		defer w.Abort()
	}
	entries, err := fsys.ReadDir("a/b")
	must(t, err)
	if len(entries) != 2 || !disk.IsTemp("a/b/"+entries[0].Name()) || disk.IsTemp("a/b/g") {
		t.Errorf("a write under way is not to be recognised among %v", entries)
	}
	must(t, disk.CleanTemps(fsys, "a"))
	lists(t, fsys, "a", "b/", "f")
	lists(t, fsys, "a/b", "g")
	must(t, disk.CleanTemps(fsys, "."))
	lists(t, fsys, ".", ".hidden", "a/")
}

func testSub(t *testing.T, fsys disk.FS) {
	must(t, disk.WriteFile(fsys, "out", nil))
	inner := disk.Sub(fsys, "a/b")
	must(t, disk.WriteFile(inner, "c/f", []byte("1")))
	holds(t, fsys, "a/b/c/f", "1")
	must(t, inner.Rename("c/f", "g"))
	must(t, inner.SyncDir("."))
	lists(t, inner, ".", "c/", "g")
	for method, err := range every(inner, "../../out") {
		is(t, method, err, fs.ErrInvalid)
	}
	is(t, "Rename out", inner.Rename("g", "../g"), fs.ErrInvalid)
	for method, err := range every(disk.Sub(fsys, "a/.."), "out") {
		is(t, method+" in no folder", err, fs.ErrInvalid)
	}
	must(t, inner.Remove("g"))
	must(t, disk.RemoveAll(fsys, "a"))
	holds(t, disk.Sub(fsys, "."), "out", "")
}
