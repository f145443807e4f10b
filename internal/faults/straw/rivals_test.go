package straw_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"koprik/internal/faults"
)

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// rival is a program that one would take instead, and how it brings a copy of
// the old tree to the new one over a line.
type rival struct {
	name     string
	programs []string
	// prepare starts what serves, and gives the server's address and how to run.
	prepare func(t *testing.T, r *rivals) (server string, requests func(*testing.T) traffic, run func(t *testing.T, l line, dir string) cost)
}

// rivals is what they are all measured on.
type rivals struct {
	list       []entry
	old, fresh string // trees
}

var competitors = []rival{
	{"rsync -az", []string{"rsync"}, rsync("-az")},
	{"rsync -a, zstd -19", []string{"rsync"}, rsync("-az", "--zc=zstd", "--zl=19")},
	{"zsync, changed files", []string{"zsync", "zsyncmake", "nginx"}, zsync},
	{"casync, 8 KB chunks", []string{"casync", "nginx"}, casync},
	{"desync, 8 KB chunks", []string{"desync", "nginx"}, desync},
}

// missing names the programs that are not installed.
func (c rival) missing() string {
	for _, p := range c.programs {
		_, err := exec.LookPath(p)
		if p == "nginx" {
			_, err = findNginx()
		}
		if err != nil {
			return p + " is not installed"
		}
	}
	return ""
}

// version is the first line in which a program says which one it is.
func version(program string) string {
	flag := map[string]string{"zsync": "-V"}[program]
	if flag == "" {
		flag = "--version"
	}
	out, err := command(program, flag).CombinedOutput()
	if err != nil && len(out) == 0 {
		return ""
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(first)
}

// rsync copies from a daemon, the form of it that costs the fewest bytes.
func rsync(flags ...string) func(*testing.T, *rivals) (string, func(*testing.T) traffic, func(*testing.T, line, string) cost) {
	return func(t *testing.T, r *rivals) (string, func(*testing.T) traffic, func(*testing.T, line, string) cost) {
		t.Helper()
		port := freePort(t)
		conf := filepath.Join(t.TempDir(), "rsyncd.conf")
		text := fmt.Sprintf("use chroot = no\npid file =\nlog file = /dev/null\n[new]\npath = %s\nread only = yes\nuid = %d\ngid = %d\n", r.fresh, os.Getuid(), os.Getgid())
		must(t, os.WriteFile(conf, []byte(text), 0o600))
		daemon := command("rsync", "--daemon", "--no-detach", "--address=127.0.0.1", fmt.Sprintf("--port=%d", port), "--config="+conf)
		must(t, daemon.Start())
		t.Cleanup(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })
		server := fmt.Sprintf("127.0.0.1:%d", port)
		awaits(t, server)
		return server, nil, func(t *testing.T, l line, dir string) cost {
			t.Helper()
			args := append([]string{"--delete", "--timeout=600"}, flags...)
			return l.measured(t, command("rsync", append(args, "rsync://"+l.addr+"/new/", dir+"/")...))
		}
	}
}

// zsync fetches one file at a time, and is told which have changed: finding out
// would cost it a request for each of the others. nginx answers it: it takes the
// form in which net/http gives several ranges for no answer, and asks for ever.
func zsync(t *testing.T, r *rivals) (string, func(*testing.T) traffic, func(*testing.T, line, string) cost) {
	t.Helper()
	served := copyTree(t, r.fresh)
	for _, e := range r.list {
		if e.pair == "" {
			continue
		}
		name := filepath.Join(served, e.file())
		out, err := command("zsyncmake", "-u", e.file(), "-o", name+".zsync", name).CombinedOutput()
		if err != nil {
			t.Fatalf("zsyncmake: %v: %s", err, out)
		}
	}
	s := serveByNginx(t, served, "")
	return s.addr, s.answered, func(t *testing.T, l line, dir string) cost {
		t.Helper()
		var commands []*exec.Cmd
		for _, e := range r.list {
			if e.pair != "" {
				name := filepath.Join(dir, e.file())
				c := command("zsync", "-q", "-i", name, "-o", name, "http://"+l.addr+"/"+e.file()+".zsync")
				c.Dir = dir // it renames a file of its own there, which must be on the same disk
				commands = append(commands, c)
			}
		}
		return l.measured(t, commands...)
	}
}

func casync(t *testing.T, r *rivals) (string, func(*testing.T) traffic, func(*testing.T, line, string) cost) {
	t.Helper()
	served := t.TempDir()
	out, err := command("casync", "make", "--chunk-size=8192", "--without=all", "--store="+filepath.Join(served, "new.castr"), filepath.Join(served, "new.caidx"), r.fresh).CombinedOutput()
	if err != nil {
		t.Fatalf("casync make: %v: %s", err, out)
	}
	s := serveByNginx(t, served, "")
	return s.addr, s.answered, func(t *testing.T, l line, dir string) cost {
		t.Helper()
		to := filepath.Join(t.TempDir(), "new")
		must(t, os.MkdirAll(to, 0o755))
		c := l.measured(t, command("casync", "extract", "--without=all", "--seed="+dir, "--store=http://"+l.addr+"/new.castr", "http://"+l.addr+"/new.caidx", to))
		if !c.gaveUp {
			must(t, os.RemoveAll(dir))
			must(t, os.Rename(to, dir))
		}
		return c
	}
}

func desync(t *testing.T, r *rivals) (string, func(*testing.T) traffic, func(*testing.T, line, string) cost) {
	t.Helper()
	served := t.TempDir()
	index := filepath.Join(served, "new.caidx")
	indexed := func(index, store, tree string) {
		out, err := command("desync", "tar", "-i", "-m", "2:8:32", "-s", store, index, tree).CombinedOutput()
		if err != nil {
			t.Fatalf("desync tar: %v: %s", err, out)
		}
	}
	store := filepath.Join(served, "store")
	must(t, os.MkdirAll(store, 0o755))
	indexed(index, store, r.fresh)
	s := serveByNginx(t, served, "")
	return s.addr, s.answered, func(t *testing.T, l line, dir string) cost {
		t.Helper()
		seed, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
		must(t, os.MkdirAll(to, 0o755))
		indexed(filepath.Join(seed, "old.caidx"), seed, dir)
		c := l.measured(t, command("desync", "untar", "-i", "-s", "http://"+l.addr+"/store", "-c", seed, "http://"+l.addr+"/new.caidx", to))
		if !c.gaveUp {
			must(t, os.RemoveAll(dir))
			must(t, os.Rename(to, dir))
		}
		return c
	}
}

// over measures a rival on one line, on a copy of the old tree of its own.
func (r *rivals) over(t *testing.T, link *faults.Link, server string, requests func(*testing.T) traffic, run func(*testing.T, line, string) cost, dir string) cost {
	t.Helper()
	var asked int64
	if requests != nil {
		asked = requests(t).requests
	}
	c := run(t, lay(t, server, link), dir)
	if requests != nil {
		c.requests = int(requests(t).requests - asked)
	}
	if !c.gaveUp {
		sameTree(t, dir, r.list)
	}
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// awaits waits until a server takes connections.
func awaits(t *testing.T, addr string) {
	t.Helper()
	for range 100 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nobody listens on %s", addr)
}

// TestEveryRivalBringsTheNewTreeOverALink keeps the measurement honest: a program
// that is not run as it wants to be would lose by our mistake.
func TestEveryRivalBringsTheNewTreeOverALink(t *testing.T) {
	if testing.Short() {
		t.Skip("the benchmark's own programs are not measured in a short run")
	}
	r := &rivals{}
	for i := range 20 {
		e := entry{name: fmt.Sprintf("table-%d", i), ext: ".csv", old: steady(i), fresh: steady(i)}
		if i%7 == 0 {
			e.pair, e.fresh = "edited", append(steady(i+1000), e.old...)
		}
		r.list = append(r.list, e)
	}
	r.old, r.fresh = trees(t, t.TempDir(), r.list)
	for _, rival := range competitors {
		t.Run(rival.name, func(t *testing.T) {
			if why := rival.missing(); why != "" {
				t.Skip(why)
			}
			server, requests, run := rival.prepare(t, r)
			c := r.over(t, &faults.Link{Delay: time.Millisecond}, server, requests, run, copyTree(t, r.old))
			if c.up == 0 || c.down == 0 || c.memory == 0 {
				t.Errorf("measured %+v", c)
			}
			t.Logf("%d bytes up, %d down, %d requests, %v", c.up, c.down, c.requests, c.took)
		})
	}
}
