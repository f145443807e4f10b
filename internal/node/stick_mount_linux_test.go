package node_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

// formatted is a stick of a filesystem that office PCs use: an image in a file,
// mounted by the kernel or, where that does not know it, through FUSE.
type formatted struct {
	name string
	make []string   // makes the filesystem; the image comes last
	by   [][]string // ways of mounting; IMAGE, LOOP and DIR are replaced
}

var filesystems = []formatted{
	{"FAT32", []string{"mkfs.vfat", "-F", "32", "-s", "8"}, [][]string{
		{"mount", "-t", "vfat", "-o", "loop,OPTION", "IMAGE", "DIR"}, {"fusefat", "-o", "rw+", "IMAGE", "DIR"},
	}},
	{"exFAT", []string{"mkfs.exfat"}, [][]string{
		{"mount", "-t", "exfat", "-o", "loop,OPTION", "IMAGE", "DIR"}, {"mount.exfat-fuse", "-o", "OPTION", "LOOP", "DIR"},
	}},
}

// plug mounts an image; option is "rw" or "ro". It skips the test, saying why,
// where the machine allows no way.
func (f formatted) plug(t *testing.T, image, option string) (dir string, unplug func()) {
	t.Helper()
	dir = t.TempDir()
	loop := ""
	var whys []string
	for _, way := range f.by {
		args := make([]string, len(way))
		for i, a := range way {
			if a == "LOOP" && loop == "" {
				out, err := exec.Command("losetup", "--find", "--show", image).CombinedOutput()
				if err != nil {
					whys = append(whys, string(out))
				}
				loop = strings.TrimSpace(string(out))
			}
			args[i] = strings.NewReplacer("IMAGE", image, "DIR", dir, "LOOP", loop, "OPTION", option).Replace(a)
		}
		if args[0] == "fusefat" && option == "ro" {
			args[2] = "ro"
		}
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		if err != nil {
			whys = append(whys, err.Error()+": "+strings.TrimSpace(string(out)))
			continue
		}
		plugged := true
		unplug = func() {
			if !plugged {
				return
			}
			plugged = false
			for range 50 { // FUSE lets go a moment after its last file is closed
				if err = exec.Command("umount", dir).Run(); err == nil {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			must(t, err)
			if loop != "" {
				must(t, exec.Command("losetup", "--detach", loop).Run())
			}
		}
		t.Cleanup(unplug)
		t.Logf("mounted by %s", args[0])
		return dir, unplug
	}
	if loop != "" {
		_ = exec.Command("losetup", "--detach", loop).Run()
	}
	t.Skipf("%s cannot be mounted here: %s", f.name, strings.Join(whys, "; "))
	return "", nil
}

// image makes an empty stick.
func (f formatted) image(t *testing.T, size int64) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("%s: only the administrator mounts images", f.name)
	}
	path := filepath.Join(t.TempDir(), "stick.img")
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Truncate(path, size))
	if out, err := exec.Command(f.make[0], append(f.make[1:], path)...).CombinedOutput(); err != nil {
		t.Skipf("%s cannot be made here: %v: %s", f.name, err, out)
	}
	return path
}

// bigInput is a dataset that no compression makes smaller.
func bigInput(name string, size int) node.Input {
	noise := make([]byte, size)
	rng := rand.New(rand.NewPCG(uint64(size), 3)) //nolint:gosec // repeatable
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	return node.Input{Label: name, Name: ".", FS: fstest.MapFS{
		"datapackage.json":   {Data: []byte(`{"name":"` + name + `","title":"` + name + `","resources":[{"name":"t","path":"Photos-of-2015.bin"}]}`)},
		"Photos-of-2015.bin": {Data: noise},
	}}
}

// TestSticksOfOfficePCs: the whole way of a stick on FAT32 and exFAT: written,
// pulled, taken, written again, too small, and locked.
func TestSticksOfOfficePCs(t *testing.T) {
	for _, f := range filesystems {
		t.Run(f.name, func(t *testing.T) {
			image := f.image(t, 64<<20)
			central := newCentral(t)
			publish(t, central, revision("a", 1), revision("secret", 1))
			m := newMirror(t, central)
			dir, unplug := f.plug(t, image, "rw")
			_, err := central.Export(t.Context(), node.ExportOptions{To: dir})
			must(t, err)
			unplug()
			dir, unplug = f.plug(t, image, "rw")
			_, err = m.Sync(t.Context(), node.SyncOptions{From: dir})
			must(t, err)
			_, err = central.Withdraw(t.Context(), "main_secret", portal.PlainText("persons"))
			must(t, err)
			publish(t, central, revision("a", 2))
			out, err := central.Export(t.Context(), node.ExportOptions{To: dir})
			must(t, err)
			if out.Removed == 0 || out.Kept == 0 {
				t.Errorf("%+v", out)
			}
			again, err := central.Export(t.Context(), node.ExportOptions{To: dir})
			must(t, err)
			if again.Files != 0 {
				t.Errorf("another export wrote %d files again", again.Files)
			}
			publish(t, central, node.Input{Label: "big", Name: ".", FS: bigInput("big", 40<<20).FS})
			_, err = central.Export(t.Context(), node.ExportOptions{To: dir})
			wantKind(t, err, portal.ErrNoSpace)
			unplug()
			dir, unplug = f.plug(t, image, "ro")
			_, err = central.Export(t.Context(), node.ExportOptions{To: dir, Since: out.Generation})
			if err == nil {
				t.Error("written to a locked stick")
			}
			t.Logf("locked: %v", err)
			r, err := m.Sync(t.Context(), node.SyncOptions{From: dir})
			must(t, err)
			if r.Generation != out.Generation || titles(t, m)["main_a"] != "Common a rev2" {
				t.Errorf("generation %d, want %d: %v", r.Generation, out.Generation, titles(t, m))
			}
			unplug()
		})
	}
}
