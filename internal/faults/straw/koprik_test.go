package straw_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// told is what koprik sync --json says.
type told struct {
	Generation, Previous int64
	BytesDown            int64 `json:"bytes_down"`
	Requests             int   `json:"requests"`
	RoundTrips           int   `json:"round_trips"`
}

// centre is koprik serve over the catalogue, a process of its own.
type centre struct {
	program, dir, addr string
	server             *exec.Cmd
}

func (c *centre) command(args ...string) *exec.Cmd {
	return command(c.program, args...)
}

func (c *centre) run(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := c.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("koprik %s: %v\n%s", strings.Join(args[:1], " "), err, stderr.String())
	}
	return stdout.Bytes()
}

// newCentre makes a centre.
func newCentre(t *testing.T, program string) *centre {
	t.Helper()
	c := &centre{program: program, dir: filepath.Join(t.TempDir(), "centre")}
	c.run(t, "init", "--role", "central", "--title", "Straw", "--contact", "desk@example.org", "--dir", c.dir)
	return c
}

// serve serves the centre until the test ends.
func (c *centre) serve(t *testing.T) {
	t.Helper()
	c.server = c.command("serve", "--dir", c.dir, "--listen", "127.0.0.1:0")
	out, err := c.server.StdoutPipe()
	must(t, err)
	must(t, c.server.Start())
	t.Cleanup(func() { _ = c.server.Process.Signal(os.Interrupt); _ = c.server.Wait() })
	first, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	_, rest, ok := strings.Cut(first, "http://127.0.0.1:")
	if !ok {
		t.Fatalf("koprik serve begins with %q", first)
	}
	port := rest[:strings.IndexFunc(rest+" ", func(r rune) bool { return r < '0' || r > '9' })]
	c.addr = "127.0.0.1:" + port
}

// publish writes each file as a package of its own and publishes them all at
// once.
func (c *centre) publish(t *testing.T, list []entry, content func(entry) []byte) (generation int64, took time.Duration) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"publish", "--json", "--dir", c.dir}
	for _, e := range list {
		folder := filepath.Join(dir, e.name)
		must(t, os.MkdirAll(folder, 0o755))
		must(t, os.WriteFile(filepath.Join(folder, "data"+e.ext), content(e), 0o600))
		descriptor := fmt.Sprintf(`{"name":%q,"title":"Table %s","resources":[{"name":"data","path":"data%s"}]}`, e.name, e.name, e.ext)
		must(t, os.WriteFile(filepath.Join(folder, "datapackage.json"), []byte(descriptor), 0o600))
		args = append(args, folder)
	}
	began := time.Now()
	var out struct {
		Generation int64
		Published  []json.RawMessage
	}
	must(t, json.Unmarshal(c.run(t, args...), &out))
	took = time.Since(began)
	if len(out.Published) != len(list) {
		t.Fatalf("%d of %d files were published", len(out.Published), len(list))
	}
	return out.Generation, took
}

// settled waits until all carriers for a generation are made, which a server
// does in the background, and gives how long that was.
func (c *centre) settled(t *testing.T, generation int64) time.Duration {
	t.Helper()
	began := time.Now()
	for time.Since(began) < 30*time.Minute {
		var state struct{ Done int64 }
		b, err := os.ReadFile(filepath.Join(c.dir, "repository", "from", "state.json"))
		if err == nil && json.Unmarshal(b, &state) == nil && state.Done >= generation {
			return time.Since(began)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("after %v the carriers of generation %d are not made", time.Since(began), generation)
	return 0
}

// memory is the most that the server has held so far, in bytes.
func (c *centre) memory() int64 { return highWater(c.server.Process.Pid) }

// newMirror makes a mirror that holds nothing yet.
func (c *centre) newMirror(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mirror")
	c.run(t, "init", "--role", "mirror", "--title", "Nukus", "--upstream", "http://"+c.addr,
		"--trust", filepath.Join(c.dir, "repository", "metadata", "1.root.json"), "--dir", dir)
	return dir
}

// sync syncs a mirror over a line. A line that is cut is tried again, as serve
// does, at most 50 times.
func (c *centre) sync(t *testing.T, dir string, l line) cost {
	t.Helper()
	var all cost
	for all.runs < 50 {
		cmd := c.command("sync", "--json", "--dir", dir, "--from", "http://"+l.addr)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		began := time.Now()
		must(t, cmd.Start())
		memory, err := watched(cmd)
		all.took += time.Since(began)
		all.runs++
		all.memory = max(all.memory, memory)
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 4 {
			t.Logf("koprik sync is tried again: %s", strings.TrimSpace(stderr.String()))
			continue
		}
		if err != nil {
			t.Fatalf("koprik sync: %v\n%s", err, stderr.String())
		}
		must(t, json.Unmarshal(stdout.Bytes(), &all.told))
		all.up, all.down, all.conns = l.Carried()
		all.turns = l.Turns()
		all.requests = all.told.Requests
		return all
	}
	t.Fatal("koprik sync did not come through in 50 runs")
	return all
}

// same asserts that a mirror holds every byte of the catalogue.
func (c *centre) same(t *testing.T, dir string, list []entry) {
	t.Helper()
	c.run(t, "verify", "--dir", dir)
	for _, e := range list {
		hex := digest(e.fresh)
		b, err := os.ReadFile(filepath.Join(dir, "objects", hex[:2], hex))
		if err != nil || !bytes.Equal(b, e.fresh) {
			t.Fatalf("the mirror does not hold %s: %v", e.file(), err)
		}
	}
}
