package disktest_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
)

func TestDiskIsAnFS(t *testing.T) {
	disktest.TestFS(t, func(*testing.T) disk.FS { return disktest.New() })
}

func rng(seed int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 0)) }

// outcomes does something to new disks and gives what reboots find, each once.
func outcomes(t *testing.T, do func(*disktest.Disk)) []string {
	t.Helper()
	var found []string
	for seed := range 200 {
		d := disktest.New()
		do(d)
		tree := fmt.Sprint(d.Reboot(rng(seed)).Tree())
		if !slices.Contains(found, tree) {
			found = append(found, tree)
		}
	}
	slices.Sort(found)
	return found
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a file; what is synced of it says how.
func put(t *testing.T, d *disktest.Disk, name, content, how string) {
	t.Helper()
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	check(t, err)
	_, err = io.WriteString(f, content)
	check(t, err)
	if strings.Contains(how, "bytes") {
		check(t, f.Sync())
	}
	check(t, f.Close())
	if strings.Contains(how, "names") {
		check(t, d.SyncDir("."))
	}
}

func TestPowerCutForgetsWhatWasNotSynced(t *testing.T) {
	tests := []struct {
		name string
		do   func(t *testing.T, d *disktest.Disk)
		want []string
	}{
		{"all synced", func(t *testing.T, d *disktest.Disk) {
			put(t, d, "a", "12", "bytes, names")
		}, []string{"map[a:12]"}},
		{"bytes not synced", func(t *testing.T, d *disktest.Disk) {
			put(t, d, "a", "12", "names")
		}, []string{"map[a:12]", "map[a:1]", "map[a:1\x00]", "map[a:\x00\x00]", "map[a:]"}},
		{"name not synced", func(t *testing.T, d *disktest.Disk) {
			put(t, d, "a", "12", "bytes")
		}, []string{"map[]", "map[a:12]"}},
		{"overwritten in place", func(t *testing.T, d *disktest.Disk) {
			put(t, d, "a", "XYZ", "bytes, names")
			put(t, d, "a", "1", "")
		}, []string{"map[a:1YZ]", "map[a:1]", "map[a:XYZ]", "map[a:\x00]", "map[a:]"}},
		{"removed", func(t *testing.T, d *disktest.Disk) {
			put(t, d, "a", "12", "bytes, names")
			check(t, d.Remove("a"))
		}, []string{"map[]", "map[a:12]"}},
		{"renamed in one folder", func(t *testing.T, d *disktest.Disk) {
			put(t, d, "a", "1", "bytes, names")
			put(t, d, "b", "2", "bytes, names")
			check(t, d.Rename("a", "b"))
		}, []string{"map[a:1 b:2]", "map[b:1]"}},
		{"renamed to another folder", func(t *testing.T, d *disktest.Disk) {
			put(t, d, "a", "1", "bytes, names")
			check(t, d.MkdirAll("d"))
			check(t, d.Rename("a", "d/b"))
		}, []string{"map[a:1 d/: d/b:1]", "map[a:1 d/:]", "map[d/: d/b:1]", "map[d/:]"}},
		{"steps out of order", func(t *testing.T, d *disktest.Disk) {
			put(t, d, "a", "", "bytes")
			put(t, d, "b", "", "bytes")
		}, []string{"map[]", "map[a: b:]", "map[a:]", "map[b:]"}},
		{"folders made durably", func(t *testing.T, d *disktest.Disk) {
			check(t, d.MkdirAll("d/e"))
		}, []string{"map[d/: d/e/:]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := outcomes(t, func(d *disktest.Disk) { tt.do(t, d) })
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("reboots find\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestFolderMovedIntoAnotherDoesNotContainItself(t *testing.T) {
	found := outcomes(t, func(d *disktest.Disk) {
		check(t, d.MkdirAll("a"))
		check(t, d.MkdirAll("b"))
		check(t, d.Rename("a", "b/a"))
		check(t, d.Rename("b/a", "a"))
		check(t, d.Rename("b", "a/b"))
	})
	if len(found) < 3 {
		t.Errorf("reboots find only %q", found)
	}
}

func TestEverythingEndsWhenThePowerIsCut(t *testing.T) {
	d := disktest.New()
	put(t, d, "a", "1", "bytes, names")
	f, err := d.OpenFile("a", os.O_RDWR)
	check(t, err)
	before := d.Ops()
	d.FailAt(before + 1)
	_, writeErr := f.Write([]byte("2"))
	_, readErr := f.Read(make([]byte, 1))
	_, seekErr := f.Seek(0, io.SeekStart)
	_, statErr := f.Stat()
	_, listErr := d.ReadDir(".")
	_, openErr := d.OpenFile("a", os.O_RDONLY)
	for what, err := range map[string]error{
		"Write": writeErr, "Read": readErr, "Seek": seekErr, "File.Stat": statErr, "ReadDir": listErr,
		"OpenFile": openErr, "Sync": f.Sync(), "Close": f.Close(), "SyncDir": d.SyncDir("."), "Remove": d.Remove("a"),
		"Rename": d.Rename("a", "b"), "MkdirAll": d.MkdirAll("d"), "MkdirAll .": d.MkdirAll("."),
	} {
		if !errors.Is(err, disktest.ErrPowerCut) {
			t.Errorf("%s after the power cut: %v", what, err)
		}
	}
	after := d.Reboot(rng(1))
	if got := fmt.Sprint(after.Tree()); got != "map[a:1]" {
		t.Errorf("after the reboot: %s", got)
	}
	put(t, after, "b", "2", "")
}

func TestOpsCountsWhatFailAtCounts(t *testing.T) {
	write := func(d *disktest.Disk) error { return disk.WriteFile(d, "d/f", []byte("1")) }
	d := disktest.New()
	check(t, write(d))
	// mkdir, sync of its name, create, write, sync, rename, sync of the folder
	if d.Ops() != 7 {
		t.Errorf("a durable write in a new folder is %d operations, want 7", d.Ops())
	}
	for n := 1; n <= d.Ops()+1; n++ {
		cut := disktest.New()
		cut.FailAt(n)
		if err := write(cut); errors.Is(err, disktest.ErrPowerCut) != (n <= d.Ops()) {
			t.Errorf("power cut at %d: %v", n, err)
		}
	}
}

func TestSeedRepeatsAReboot(t *testing.T) {
	run := func(seed int) string {
		d := disktest.New()
		check(t, disk.WriteFile(d, "f", []byte("old")))
		d.FailAt(d.Ops() + 4)
		_ = disk.WriteFile(d, "f", []byte("new")) // its temporary name is random
		var sizes []int
		for _, content := range d.Reboot(rng(seed)).Tree() {
			sizes = append(sizes, len(content))
		}
		slices.Sort(sizes)
		return fmt.Sprint(sizes)
	}
	for seed := range 50 {
		if a, b := run(seed), run(seed); a != b {
			t.Errorf("seed %d: %s, then %s", seed, a, b)
		}
	}
}

func TestFullDiskTakesAPartAndRecovers(t *testing.T) {
	d := disktest.New()
	d.Full(3)
	f, err := d.OpenFile("f", os.O_WRONLY|os.O_CREATE)
	check(t, err)
	n, err := f.Write([]byte("12345"))
	if n != 3 || !errors.Is(err, disk.ErrNoSpace) {
		t.Errorf("write to a full disk: %d, %v", n, err)
	}
	d.Full(-1)
	n, err = f.Write([]byte("45"))
	if n != 2 || err != nil {
		t.Errorf("write to a disk that was freed: %d, %v", n, err)
	}
	if got := d.Tree()["f"]; got != "12345" {
		t.Errorf("the file holds %q", got)
	}
}

func TestBrokenOperationDoesNotHappenAndTheDiskGoesOn(t *testing.T) {
	d := disktest.New()
	put(t, d, "f", "old", "bytes, names")
	d.BreakAt(d.Ops() + 1)
	if err := d.Remove("f"); !errors.Is(err, disktest.ErrIO) {
		t.Errorf("broken Remove: %v", err)
	}
	check(t, d.Rename("f", "g"))
	if _, err := d.Stat("f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Rename: %v", err)
	}
}
