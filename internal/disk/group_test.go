package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
)

func TestGroupIsAnFS(t *testing.T) {
	t.Run("over a folder", func(t *testing.T) {
		disktest.TestFS(t, func(t *testing.T) disk.FS { return disk.NewGroup(openRoot(t, t.TempDir())) })
	})
	t.Run("over the crashing twin", func(t *testing.T) {
		disktest.TestFS(t, func(*testing.T) disk.FS { return disk.NewGroup(disktest.New()) })
	})
	t.Run("over one that syncs all", func(t *testing.T) {
		disktest.TestFS(t, func(*testing.T) disk.FS {
			d := disktest.New()
			d.BulkSyncs()
			return disk.NewGroup(d)
		})
	})
}

// groupOf is a disk and a task: old files, and many that replace them and are new.
func groupOf(bulk bool) *disktest.Disk {
	d := disktest.New()
	if bulk {
		d.BulkSyncs()
	}
	for i := range 3 {
		if err := disk.WriteFile(d, groupName(i), []byte(oldContent)); err != nil {
			panic(err)
		}
	}
	return d
}

func groupName(i int) string { return fmt.Sprintf("d/%d/f%d", i%50, i) }

// writeGroup writes 45 files, flushes, and then the one that points at them.
func writeGroup(d *disktest.Disk) error {
	g := disk.NewGroup(d)
	for i := range 45 {
		if err := disk.WriteFile(g, groupName(i), []byte(newContent)); err != nil {
			return err
		}
	}
	if err := disk.Flush(disk.Sub(g, "d")); err != nil {
		return err
	}
	if err := disk.WriteFile(g, "pointer", []byte("new")); err != nil {
		return err
	}
	return g.Flush()
}

// TestGroupSurvivesAPowerCutAtEveryOperation: every file is wholly what it was or
// wholly what was written; when the pointer is there, so is all that it points at.
func TestGroupSurvivesAPowerCutAtEveryOperation(t *testing.T) {
	for _, bulk := range []bool{false, true} {
		t.Run(fmt.Sprint("sync of all ", bulk), func(t *testing.T) {
			d := groupOf(bulk)
			before := d.Ops()
			if err := writeGroup(d); err != nil {
				t.Fatal(err)
			}
			operations := d.Ops() - before
			for n := 1; n <= operations; n++ {
				for seed := range 8 {
					d := groupOf(bulk)
					d.FailAt(d.Ops() + n)
					if err := writeGroup(d); !errors.Is(err, disktest.ErrPowerCut) {
						t.Fatalf("cut at %d: %v", n, err)
					}
					checkGroup(t, d.Reboot(rand.New(rand.NewPCG(uint64(n), uint64(seed)))).Tree(), n) //nolint:gosec // repeatable
				}
			}
			t.Logf("%d operations", operations)
		})
	}
}

func checkGroup(t *testing.T, tree map[string]string, n int) {
	t.Helper()
	pointer := tree["pointer"] == "new"
	for i := range 45 {
		got, there := tree[groupName(i)]
		switch {
		case pointer && got != newContent:
			t.Fatalf("cut at %d: the pointer is there, file %d is not", n, i)
		case there && got != oldContent && got != newContent, there && i >= 3 && got != newContent, !there && i < 3:
			t.Fatalf("cut at %d: file %d is torn: %d bytes", n, i, len(got))
		}
	}
}

func TestAGroupIsSeenOnlyThroughItselfUntilItIsFlushed(t *testing.T) {
	root := openRoot(t, t.TempDir())
	g := disk.NewGroup(root)
	for _, content := range []string{"one", "two"} {
		if err := disk.WriteFile(g, "d/f", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := disk.ReadFile(g, "d/f", 10); err != nil || string(b) != "two" {
		t.Errorf("through the group: %q, %v", b, err)
	}
	if _, err := root.Stat("d/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("beside the group: %v", err)
	}
	if err := g.Flush(); err != nil {
		t.Fatal(err)
	}
	if b, err := disk.ReadFile(root, "d/f", 10); err != nil || string(b) != "two" {
		t.Errorf("after the flush: %q, %v", b, err)
	}
	entries, err := root.ReadDir("d")
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestAnAbandonedGroupLeavesNothing(t *testing.T) {
	root := openRoot(t, t.TempDir())
	g := disk.NewGroup(root)
	for i := range 40 {
		if err := disk.WriteFile(g, fmt.Sprint("d/", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Abandon(); err != nil {
		t.Fatal(err)
	}
	if entries, err := root.ReadDir("d"); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// BenchmarkGroup writes 1,000 small files durably, one by one and as a group.
func BenchmarkGroup(b *testing.B) {
	for name, flush := range map[string]func(disk.FS) disk.FS{
		"each":  func(f disk.FS) disk.FS { return f },
		"group": func(f disk.FS) disk.FS { return disk.NewGroup(f) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				root, err := disk.OpenRoot(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				fsys := flush(root)
				for i := range 1000 {
					if err := disk.WriteFile(fsys, fmt.Sprintf("d/%d/f", i), []byte(newContent)); err != nil {
						b.Fatal(err)
					}
				}
				if err := disk.Flush(fsys); err != nil {
					b.Fatal(err)
				}
				_ = root.Close()
			}
		})
	}
}
