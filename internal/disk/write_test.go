package disk_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
)

// reboots is how many power cuts of each operation are tried, each with its seed.
const reboots = 60

// Contents of several writes each, of which the last is shorter.
const writeSize = 1 << 10

var (
	oldContent = strings.Repeat("old ", 300)
	newContent = strings.Repeat("newer ", 500)
)

// writeFunc makes content that of a file.
type writeFunc func(fsys disk.FS, name, content string) error

func stream(fsys disk.FS, name, content string) error {
	w, err := disk.Create(fsys, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.CopyBuffer(w, onlyReader{strings.NewReader(content)}, make([]byte, writeSize)); err != nil {
		return err
	}
	return w.Commit()
}

type onlyReader struct{ io.Reader }

func whole(fsys disk.FS, name, content string) error {
	return disk.WriteFile(fsys, name, []byte(content))
}

// elsewhere writes in one folder and commits in another.
func elsewhere(fsys disk.FS, name, content string) error {
	w, err := disk.CreateIn(fsys, "staging")
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.WriteString(w, content); err != nil {
		return err
	}
	return w.CommitAs(name)
}

// survey cuts the power at every operation of a write over an old file (or none,
// when old is empty), reboots many times each, and returns everything that breaks
// the promise.
func survey(write writeFunc, old, content string) (broken []string) {
	const name = "d/e/f"
	for n := 1; ; n++ {
		finished := false
		for seed := range reboots {
			d := disktest.New()
			if old != "" {
				if err := disk.WriteFile(d, name, []byte(old)); err != nil {
					return []string{err.Error()}
				}
			}
			d.FailAt(d.Ops() + n)
			err := write(d, name, content)
			finished = err == nil
			if err != nil && !errors.Is(err, disktest.ErrPowerCut) {
				return []string{fmt.Sprintf("cut at %d: %v", n, err)}
			}
			after := d.Reboot(rand.New(rand.NewPCG(uint64(seed), uint64(n))))
			if what := judge(after, name, old, content, finished); what != "" {
				broken = append(broken, fmt.Sprintf("cut at operation %d, seed %d: %s", n, seed, what))
			}
		}
		if finished {
			return broken // the plug was pulled after the last operation, too
		}
	}
}

// judge says what is wrong with a disk after a reboot; "" when nothing is.
func judge(d *disktest.Disk, name, old, content string, acknowledged bool) string {
	got, held := d.Tree()[name]
	switch {
	case held && got == content:
	case acknowledged:
		return "an acknowledged write is lost or torn"
	case held != (old != "") || got != old:
		return fmt.Sprintf("torn: %d bytes, neither the old nor the new", len(got))
	}
	if err := disk.CleanTemps(d, "."); err != nil {
		return err.Error()
	}
	for left := range d.Tree() {
		if left != name && !strings.HasSuffix(left, "/") {
			return "CleanTemps leaves " + left
		}
	}
	if err := disk.WriteFile(d, name, []byte(content)); err != nil {
		return "writing again: " + err.Error()
	}
	return ""
}

func TestDurableWriteSurvivesAPowerCutAtEveryOperation(t *testing.T) {
	for what, write := range map[string]writeFunc{"WriteFile": whole, "Create": stream, "CommitAs": elsewhere} {
		for _, old := range []string{"", oldContent} {
			for _, broken := range survey(write, old, newContent) {
				t.Errorf("%s over %d bytes: %s", what, len(old), broken)
			}
		}
	}
}

// naive is a write that leaves out a part of what a durable one does.
func naive(withoutTemp, withoutSync, withoutSyncDir bool) writeFunc {
	return func(fsys disk.FS, name, content string) error {
		temp := name + ".new"
		if withoutTemp {
			temp = name
		}
		if err := fsys.MkdirAll(path.Dir(name)); err != nil {
			return err
		}
		f, err := fsys.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(f, content); err != nil {
			return err
		}
		if !withoutSync {
			if err := f.Sync(); err != nil {
				return err
			}
		}
		if err := f.Close(); err != nil {
			return err
		}
		if err := fsys.Rename(temp, name); err != nil {
			return err
		}
		if withoutSyncDir {
			return nil
		}
		return fsys.SyncDir(path.Dir(name))
	}
}

func TestTwinCatchesNaiveWrites(t *testing.T) {
	tests := []struct {
		name  string
		write writeFunc
		want  string // what the survey must find; "" for nothing
	}{
		{"in place", naive(true, false, false), "torn"},
		{"without Sync", naive(false, true, false), "lost or torn"},
		{"without SyncDir", naive(false, false, true), "lost or torn"},
		{"with a temporary name that nobody recognises", naive(false, false, false), "CleanTemps leaves"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := strings.Join(survey(tt.write, oldContent, newContent), "\n")
			if !strings.Contains(broken, tt.want) {
				t.Errorf("the twin finds %q, not %q", broken, tt.want)
			}
		})
	}
}

func TestBrokenOperationLeavesTheOldFileAndNoTemporary(t *testing.T) {
	for n := 1; ; n++ {
		d := disktest.New()
		if err := disk.WriteFile(d, "d/f", []byte(oldContent)); err != nil {
			t.Fatal(err)
		}
		d.BreakAt(d.Ops() + n)
		err := stream(d, "d/f", newContent)
		if err == nil {
			return
		}
		if !errors.Is(err, disktest.ErrIO) || !strings.Contains(err.Error(), "d/f") {
			t.Errorf("broken at %d: %v", n, err)
		}
		tree := d.Tree()
		if got := tree["d/f"]; got != oldContent && got != newContent || len(tree) != 2 {
			t.Errorf("broken at %d: the disk holds %d names, the file %d bytes", n, len(tree), len(got))
		}
	}
}

func TestFullDiskLeavesTheOldFileAndNoTemporary(t *testing.T) {
	for _, after := range []int64{0, 1, writeSize + 1} {
		d := disktest.New()
		if err := disk.WriteFile(d, "f", []byte(oldContent)); err != nil {
			t.Fatal(err)
		}
		d.Full(after)
		if err := stream(d, "f", newContent); !errors.Is(err, disk.ErrNoSpace) {
			t.Errorf("full after %d bytes: %v", after, err)
		}
		if tree := d.Tree(); tree["f"] != oldContent || len(tree) != 1 {
			t.Errorf("full after %d bytes: the disk holds %d names, the file %d bytes", after, len(tree), len(tree["f"]))
		}
		d.Full(-1)
		if err := stream(d, "f", newContent); err != nil {
			t.Errorf("when there is space again: %v", err)
		}
	}
}

func TestNothingIsCommittedAfterAnErrorOfWriting(t *testing.T) {
	d := disktest.New()
	d.Full(2)
	w, err := disk.Create(d, "f")
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.WriteString(w, "1234")
	if n != 2 || !errors.Is(err, disk.ErrNoSpace) {
		t.Errorf("Write: %d, %v", n, err)
	}
	d.Full(-1)
	if _, err := io.WriteString(w, "34"); !errors.Is(err, disk.ErrNoSpace) {
		t.Errorf("Write after an error: %v", err)
	}
	if err := w.Commit(); !errors.Is(err, disk.ErrNoSpace) {
		t.Errorf("Commit after an error: %v", err)
	}
	if tree := d.Tree(); len(tree) != 0 {
		t.Errorf("the disk holds %v", tree)
	}
}

// unreadable is a disk on which files open and cannot be read.
type unreadable struct{ *disktest.Disk }

type unreadableFile struct{ disk.File }

func (d unreadable) OpenFile(name string, flag int) (disk.File, error) {
	f, err := d.Disk.OpenFile(name, flag)
	return unreadableFile{f}, err
}

func (unreadableFile) Read([]byte) (int, error) { return 0, disktest.ErrIO }

func TestFileThatIsTooLargeIsNotRead(t *testing.T) {
	d := unreadable{disktest.New()}
	if err := disk.WriteFile(d, "f", []byte("1234")); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.ReadFile(d, "f", 3); !errors.Is(err, disk.ErrTooLarge) {
		t.Errorf("a larger file: %v", err)
	}
	if _, err := disk.ReadFile(d, "f", 4); !errors.Is(err, disktest.ErrIO) || !strings.Contains(err.Error(), "read f") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// shrinking is a disk on which the last byte written is gone before the sync.
type shrinking struct{ *disktest.Disk }

type shrinkingFile struct{ disk.File }

func (d shrinking) OpenFile(name string, flag int) (disk.File, error) {
	f, err := d.Disk.OpenFile(name, flag)
	return shrinkingFile{f}, err
}

func (f shrinkingFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p[:len(p)-1])
	return n + 1, err
}

func TestLengthIsCheckedBeforeTheNameIsGiven(t *testing.T) {
	d := shrinking{disktest.New()}
	err := disk.WriteFile(d, "f", []byte("1234"))
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a byte is missing: %v", err)
	}
	if tree := d.Tree(); len(tree) != 0 {
		t.Errorf("the disk holds %v", tree)
	}
}
