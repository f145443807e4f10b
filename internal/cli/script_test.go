package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be koprik: the stories under testdata/script and
// the kill tests run it under that name, as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"koprik": func() {
			os.Exit(Main(Program{Version: "1.2.3-test"}, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
		"asking": askWithoutEnd, // of the kill tests of talkback
	})
}

// TestTheCommandsTellTheirStories runs testdata/script/*.txtar.
func TestTheCommandsTellTheirStories(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("OCCUPIED", taken.Addr().String())
			env.Values["servers"] = servers{}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "tmpfs" {
				return canMount(), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"json":    jsonValue,
			"keys":    jsonKeys,
			"flip":    flip,
			"tmpfs":   tmpfs,
			"remount": remount,
			"serving": startServer,
			"stopped": stopServer,
			"get":     get,
			"table":   bigTable,
		},
	})
}

// exits runs a command that must end with a code: exits CODE koprik ….
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	for _, out := range []string{ts.ReadFile("stdout"), ts.ReadFile("stderr")} {
		if strings.Contains(out, "goroutine ") || strings.Contains(out, "panic:") {
			ts.Fatalf("a stack trace is shown to people")
		}
	}
}

// lookup walks through JSON by a path of keys and positions; "." is all of it.
func lookup(ts *testscript.TestScript, file, path string) any {
	var v any
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	dec.UseNumber()
	ts.Check(dec.Decode(&v))
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		ts.Fatalf("%s has something after its JSON", file)
	}
	if path == "." {
		return v
	}
	for _, step := range strings.Split(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[step]
			if !ok {
				ts.Fatalf("%s: %s: there is no %q", file, path, step)
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				ts.Fatalf("%s: %s: there is no %q in a list of %d", file, path, step, len(in))
			}
			v = in[i]
		default:
			ts.Fatalf("%s: %s: nothing is below %v", file, path, in)
		}
	}
	return v
}

// jsonValue compares a value with a pattern: json stdout PATH PATTERN.
func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH PATTERN")
	}
	got := lookup(ts, args[0], args[1])
	text, ok := got.(string)
	if !ok {
		b, err := json.Marshal(got)
		ts.Check(err)
		text = string(b)
	}
	if regexp.MustCompile("^(?:"+args[2]+")$").MatchString(text) == neg {
		ts.Fatalf("%s is %s", args[1], text)
	}
}

// jsonKeys says which keys an object has, no more and no fewer: keys stdout PATH KEY….
func jsonKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: keys FILE PATH KEY…")
	}
	object, ok := lookup(ts, args[0], args[1]).(map[string]any)
	want := slices.Sorted(slices.Values(args[2:]))
	if got := slices.Sorted(maps.Keys(object)); !ok || !slices.Equal(got, want) {
		ts.Fatalf("%s has %v, want %v", args[1], got, want)
	}
}

// flip changes one bit in the middle of the first file that a pattern finds, or
// of the first with a given text in it, and keeps its name in $FLIPPED:
// flip PATTERN [TEXT].
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: flip PATTERN [TEXT]")
	}
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, name := range found {
		b, err := os.ReadFile(name)
		ts.Check(err)
		if len(args) > 1 && !bytes.Contains(b, []byte(args[1])) {
			continue
		}
		b[len(b)/2] ^= 1
		ts.Check(os.WriteFile(name, b, 0o600))
		ts.Setenv("FLIPPED", filepath.Base(name))
		return
	}
	ts.Fatalf("nothing is called %s", args)
}

// canMount tells whether this machine lets a test mount a small file system:
// one that is full or read-only for root, too.
var canMount = sync.OnceValue(func() bool {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return false
	}
	dir, err := os.MkdirTemp("", "koprik-mount")
	if err != nil {
		return false
	}
	defer os.RemoveAll(dir)
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).Run() != nil {
		return false
	}
	return exec.Command("umount", dir).Run() == nil
})

// tmpfs mounts a file system of a given size: tmpfs DIR SIZE.
func tmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs DIR SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "tmpfs", dir).Run())
	ts.Defer(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			ts.Logf("umount %s: %v %s", dir, err, out)
		}
	})
}

// remount changes a mounted file system: remount DIR ro|rw|size=….
func remount(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: remount DIR OPTION")
	}
	out, err := exec.Command("mount", "-o", "remount,"+args[1], ts.MkAbs(args[0])).CombinedOutput()
	if err != nil {
		ts.Fatalf("remount: %v %s", err, out)
	}
}

// bigTable writes a table of so many rows that no compression makes small:
// table FILE ROWS.
func bigTable(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: table FILE ROWS")
	}
	rows, err := strconv.Atoi(args[1])
	ts.Check(err)
	random := rand.New(rand.NewPCG(1, 2))
	out := bytes.NewBufferString("a,b,c,d\n")
	for range rows {
		fmt.Fprintf(out, "%d,%d,%d,%d\n", random.Uint32(), random.Uint32(), random.Uint32(), random.Uint32())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o600))
}

// servers are the running servers of a story, by name.
type servers map[string]*server

type server struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// startServer starts a server and waits until it says where it listens, which goes
// into the variable NAME: serving NAME koprik serve ….
func startServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serving NAME program args…")
	}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	s := &server{cmd: exec.Command(path, args[2:]...)}
	s.cmd.Dir, s.cmd.Stderr = ts.MkAbs("."), &s.stderr
	s.cmd.Env = append(os.Environ(), "KOPRIK_DIR="+ts.Getenv("KOPRIK_DIR"))
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() { _ = s.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = s.cmd.Wait()
		ts.Fatalf("the server said nothing: %v\n%s", err, s.stderr.String())
	}
	address := regexp.MustCompile(`http://[^\s"]+`).FindString(line)
	if address == "" {
		ts.Fatalf("no address in %q", line)
	}
	ts.Setenv(args[0], address)
	ts.Value("servers").(servers)[args[0]] = s
}

// stopServer sends Ctrl-C to a server, which must end with code 0: stopped NAME.
func stopServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stopped NAME")
	}
	s := ts.Value("servers").(servers)[args[0]]
	if s == nil {
		ts.Fatalf("no server is called %s", args[0])
	}
	ts.Check(s.cmd.Process.Signal(os.Interrupt))
	if err := s.cmd.Wait(); err != nil {
		ts.Fatalf("the server ended with %v\n%s", err, s.stderr.String())
	}
}

// get reads an address: get URL CODE [PATTERN].
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: get URL CODE [PATTERN]")
	}
	resp, err := http.Get(args[0])
	ts.Check(err)
	body, err := io.ReadAll(resp.Body)
	ts.Check(errors.Join(err, resp.Body.Close()))
	if strconv.Itoa(resp.StatusCode) != args[1] {
		ts.Fatalf("%s answers %s, want %s", args[0], resp.Status, args[1])
	}
	if len(args) > 2 && !regexp.MustCompile(args[2]).Match(body) {
		ts.Fatalf("%s has no %q:\n%.2000s", args[0], args[2], body)
	}
}
