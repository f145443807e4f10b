package cli

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lazyFS is a filesystem that keeps in memory what nobody has synced, and drops
// it when it is told to: a power cut for files, SQLite's among them
// (https://github.com/dsrhaslab/lazyfs).
type lazyFS struct {
	mnt, fifo string
	done      *bufio.Reader
}

// mountLazyFS mounts it, or skips where KOPRIK_LAZYFS names no program of it or
// /dev/fuse does not open.
func mountLazyFS(t *testing.T) *lazyFS {
	t.Helper()
	program := os.Getenv("KOPRIK_LAZYFS")
	if program == "" {
		t.Skip("not run: KOPRIK_LAZYFS names no LazyFS; the crashing disk of internal/disk/disktest cuts at every write")
	}
	fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("not run: %v", err)
	}
	must(t, fuse.Close())
	dir := t.TempDir()
	l := &lazyFS{mnt: filepath.Join(dir, "mnt"), fifo: filepath.Join(dir, "fifo")}
	for _, sub := range []string{"mnt", "root"} {
		must(t, os.Mkdir(filepath.Join(dir, sub), 0o755))
	}
	completed := filepath.Join(dir, "completed")
	must(t, syscall.Mkfifo(l.fifo, 0o600))
	must(t, syscall.Mkfifo(completed, 0o600))
	config := fmt.Sprintf("[faults]\nfifo_path=%q\nfifo_path_completed=%q\n[cache]\napply_eviction=false\n[cache.simple]\ncustom_size=\"0.5GB\"\nblocks_per_page=1\n[filesystem]\nlog_all_operations=false\nlogfile=\"\"\n",
		l.fifo, completed)
	must(t, os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600))
	cmd := exec.CommandContext(t.Context(), program, l.mnt, "--config-path", filepath.Join(dir, "config.toml"), "-o", "allow_other", "-o", "modules=subdir", "-o", "subdir="+filepath.Join(dir, "root"), "-f") //nolint:gosec // the test's own
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Unmount(l.mnt, syscall.MNT_DETACH)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	f, err := os.OpenFile(completed, os.O_RDWR, 0)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	l.done = bufio.NewReader(f)
	tick, patience := time.NewTicker(20*time.Millisecond), 500
	defer tick.Stop()
	for mounts := ""; !strings.Contains(mounts, l.mnt); patience-- {
		if patience == 0 {
			t.Fatal("LazyFS does not mount")
		}
		<-tick.C
		b, err := os.ReadFile("/proc/mounts")
		must(t, err)
		mounts = string(b)
	}
	return l
}

// cut drops what nobody has synced.
func (l *lazyFS) cut(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(l.fifo, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString("lazyfs::clear-cache\n")
	must(t, err)
	must(t, f.Close())
	for {
		line, err := l.done.ReadString('\n')
		must(t, err)
		if strings.Contains(line, "clear-cache") {
			return
		}
	}
}

// control asserts that a cut drops what was not synced, and nothing else.
func (l *lazyFS) control(t *testing.T) {
	t.Helper()
	for name, synced := range map[string]bool{"synced": true, "unsynced": false} {
		f, err := os.Create(filepath.Join(l.mnt, name))
		must(t, err)
		_, err = f.WriteString("content")
		must(t, err)
		if synced {
			must(t, f.Sync())
		}
		must(t, f.Close())
	}
	l.cut(t)
	for name, want := range map[string]string{"synced": "content", "unsynced": ""} {
		b, err := os.ReadFile(filepath.Join(l.mnt, name))
		must(t, err)
		if strings.Trim(string(b), "\x00") != want {
			t.Fatalf("after a cut %s has %q: this LazyFS proves nothing", name, b)
		}
	}
}

// TestPowerCutsUnderLazyFSLoseNothingThatWasAcknowledged kills publishing and
// syncing processes at random moments, and drops with each whatever was not
// synced. The next run works by itself, shows one whole generation, and none that
// was acknowledged before is gone.
func TestPowerCutsUnderLazyFSLoseNothingThatWasAcknowledged(t *testing.T) {
	l := mountLazyFS(t)
	cuts := 200
	if n, err := strconv.Atoi(os.Getenv("KOPRIK_LAZYFS_CUTS")); err == nil {
		cuts = n
	}
	l.control(t)
	random := chance(t)
	centre, mirror, sources := filepath.Join(l.mnt, "centre"), filepath.Join(l.mnt, "mirror"), t.TempDir()
	koprik(t, "init", "--role", "central", "--title", "Markaz", "--contact", "desk@example.org", "--dir", centre)
	koprik(t, append([]string{"publish", "--dir", centre}, writeRevision(t, sources, 1)...)...)
	koprik(t, "init", "--role", "mirror", "--title", "Nukus", "--upstream", centre, "--trust", filepath.Join(centre, "repository", "metadata", "1.root.json"), "--dir", mirror)
	koprik(t, "sync", "--dir", mirror)
	killed, published, synced := 0, 1, 1
	for done := 0; done < cuts; done++ {
		if done%2 == 0 {
			killed += l.cutWhile(t, random, centre, &published, published+1, append([]string{"publish", "--dir", centre}, writeRevision(t, sources, published+1)...)...)
			continue
		}
		killed += l.cutWhile(t, random, mirror, &synced, published, "sync", "--dir", mirror)
	}
	if killed < cuts/4 {
		t.Errorf("only %d of %d processes were still running when they were killed", killed, cuts)
	}
	t.Logf("%d power cuts, %d of them into a running process; %d revisions were published", cuts, killed, published)
}

// cutWhile cuts the power at a random moment of a command, or at its end, and
// holds the node to what it had shown.
func (l *lazyFS) cutWhile(t *testing.T, random *rand.Rand, dir string, shown *int, next int, args ...string) (killed int) {
	t.Helper()
	const limit = 1500 * time.Millisecond
	p := start(t, args...)
	acknowledged := *shown
	if p.killedWithin(random, limit) {
		killed = 1
	} else if p.ProcessState.ExitCode() == 0 {
		acknowledged = next
	} else {
		t.Fatalf("%v: %v\n%s", args, p.ProcessState, p.stderr.String())
	}
	l.cut(t)
	now := whole(t, dir)
	if now < acknowledged || now > next {
		t.Fatalf("after a power cut %s shows revision %d; %d was acknowledged, %d was on its way", filepath.Base(dir), now, acknowledged, next)
	}
	*shown = now
	return killed
}
