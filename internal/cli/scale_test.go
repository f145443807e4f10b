package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"koprik/internal/sharedtest"
)

// TestScale measures the built program over catalogues of many small datasets:
// `make bench-scale`. KOPRIK_BENCH_SCALE lists how many, with commas between.
// Every command is a process of its own, measured by the system: time, processor
// time and the most memory that it had.
//
// KOPRIK_BENCH_MADE is a folder with a centre of so many datasets that is signed
// already; without it they are published, which takes 6 ms of processor each.
func TestScale(t *testing.T) {
	program := os.Getenv("KOPRIK_BENCH_PROGRAM")
	if program == "" {
		t.Skip("measures a built program: make bench-scale")
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-9s %-34s %9s %9s %7s  %s\n", "datasets", "what", "seconds", "cpu", "MB", "")
	for _, text := range strings.Split(cmp.Or(os.Getenv("KOPRIK_BENCH_SCALE"), "600"), ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			t.Fatal(err)
		}
		b := &scale{t: t, program: program, n: n, dir: cmp.Or(os.Getenv("KOPRIK_BENCH_MADE"), t.TempDir()), table: &table}
		b.measure()
	}
	t.Log("\n" + table.String())
}

// scale is one size being measured.
type scale struct {
	t       *testing.T
	program string
	n       int
	dir     string
	table   *strings.Builder
}

func (b *scale) path(name string) string { return filepath.Join(b.dir, name) }

// row adds a line to the table, and says it at once.
func (b *scale) row(what string, u spent, more string, args ...any) {
	line := fmt.Sprintf("%-9d %-34s %9.2f %9.2f %7d  %s", b.n, what, u.wall.Seconds(), u.cpu.Seconds(), u.memory>>20, fmt.Sprintf(more, args...))
	b.t.Log(line)
	b.table.WriteString(line + "\n")
}

func (b *scale) measure() {
	centre, mirror := b.path("centre"), b.path("mirror")
	if os.Getenv("KOPRIK_BENCH_MADE") == "" {
		b.run("init", "--dir", centre, "--role", "central", "--title", "Scale", "--contact", "desk@example.org")
		for p := 1; p < sharedtest.Publishers; p++ {
			b.run("publisher", "add", "p"+strconv.Itoa(p), "--dir", centre, "--title", fmt.Sprint("Publisher ", p), "--contact", "desk@example.org")
		}
		b.publishAll(centre)
	} else { // by TestMakeScale of internal/node: signed, and not applied yet
		b.row("catalogue and index made of a repository", b.run("status", "--quiet", "--dir", centre), "")
	}
	files, size := treeOf(b.t, b.path("centre/repository"))
	b.row("the repository", spent{}, "%d files, %d MB", files, size>>20)

	stop, base, pid := b.serve("serve a centre", centre)
	root := b.path("centre/repository/metadata/1.root.json")
	b.run("init", "--dir", mirror, "--role", "mirror", "--title", "Mirror", "--upstream", base, "--trust", root)
	b.sync("first sync", mirror)
	b.sync("sync, nothing new", mirror)
	b.atRest("a centre whose packs are made, at rest", pid)
	b.change(2)
	b.row("one change published beside a server", b.run("publish", "--quiet", "--dir", centre, b.package1()), "")
	b.sync("sync of one change", mirror)
	stop()
	b.change(3)
	b.row("one change published, no server", b.run("publish", "--quiet", "--dir", centre, b.package1()), "")
	stop, _, _ = b.serve("serve a mirror", mirror)
	stop()
}

// package1 is the package that changes.
func (b *scale) package1() string { return b.path("in/main/d0") }

// change rewrites the table of one dataset.
func (b *scale) change(version int) {
	sharedtest.Records(b.t)[0].Write(b.t, b.package1(), "d0", 0)
	if err := os.WriteFile(filepath.Join(b.package1(), "t.csv"), sharedtest.Table(0, version), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// publishAll publishes everything, one command a publisher.
func (b *scale) publishAll(centre string) {
	records := sharedtest.Records(b.t)
	var all spent
	next := 0
	for p, count := range sharedtest.Shares(b.n) {
		publisher := "main"
		if p > 0 {
			publisher = "p" + strconv.Itoa(p)
		}
		folder := b.path("in/" + publisher)
		var paths []string
		for i := range count {
			path := filepath.Join(folder, "d"+strconv.Itoa(i))
			records[next%len(records)].Write(b.t, path, "d"+strconv.Itoa(i), next)
			paths, next = append(paths, path), next+1
		}
		for some := range slices.Chunk(paths, 10_000) {
			u := b.run(append([]string{"publish", "--quiet", "--dir", centre, "--publisher", publisher}, some...)...)
			all.wall, all.cpu, all.memory = all.wall+u.wall, all.cpu+u.cpu, max(all.memory, u.memory)
			b.t.Logf("%s: %d datasets in %.1f s, %.1f s of processor, %d MB", publisher, len(some), u.wall.Seconds(), u.cpu.Seconds(), u.memory>>20)
		}
	}
	b.row("publish everything", all, "%.2f ms a dataset, %d publishers", all.wall.Seconds()*1000/float64(b.n), sharedtest.Publishers)
}

// atRest measures the memory of a server that has done nothing for three seconds.
func (b *scale) atRest(what string, pid int) {
	for last, now := time.Duration(-1), cpuOf(b.t, pid); now-last > 30*time.Millisecond; {
		<-time.After(3 * time.Second)
		last, now = now, cpuOf(b.t, pid)
	}
	b.row(what, spent{memory: statusOf(b.t, pid, "VmRSS")}, "%s", memoryOf(b.t, pid))
}

// memoryOf says of what the memory of a process is: its own, or pages of files, which
// the system takes back when it needs the room.
func memoryOf(t *testing.T, pid int) string {
	return fmt.Sprintf("%d MB of its own, %d MB of files", statusOf(t, pid, "RssAnon")>>20, statusOf(t, pid, "RssFile")>>20)
}

// serve starts a server, measures its start and its memory after five seconds, and
// gives what stops it.
func (b *scale) serve(what, dir string) (stop func(), base string, pid int) {
	listen := freeAddress(b.t)
	began := time.Now()
	cmd := exec.Command(b.program, "serve", "--dir", dir, "--listen", listen)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	base = "http://" + listen
	for {
		if time.Since(began) > 10*time.Minute {
			b.t.Fatalf("serve: no answer\n%s", log.String())
		}
		res, err := http.Get(base + "/uz/")
		if err != nil {
			<-time.After(2 * time.Millisecond)
			continue
		}
		var one [1]byte
		_, _ = res.Body.Read(one[:])
		res.Body.Close()
		break
	}
	first := time.Since(began)
	<-time.After(5 * time.Second)
	b.row(what+": first byte, after 5 s", spent{wall: first, memory: statusOf(b.t, cmd.Process.Pid, "VmRSS")}, "%s", memoryOf(b.t, cmd.Process.Pid))
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}, base, cmd.Process.Pid
}

// sync runs a round and adds what it cost.
func (b *scale) sync(what, dir string) {
	var out bytes.Buffer
	u := b.runTo(&out, "sync", "--json", "--dir", dir)
	var report struct {
		Down       int64 `json:"bytes_down"`
		Up         int64 `json:"bytes_up"`
		Requests   int   `json:"requests"`
		RoundTrips int   `json:"round_trips"`
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		b.t.Fatal(err)
	}
	b.row(what, u, "%d bytes down, %d requests, %d round trips; at most %d MB of its own", report.Down, report.Requests, report.RoundTrips, u.own>>20)
}

// spent is what a process cost.
type spent struct {
	wall, cpu time.Duration
	memory    int64 // bytes, the most
	own       int64 // of them not of files, as far as looks ten times a second show it
}

func (b *scale) run(args ...string) spent { return b.runTo(nil, args...) }

func (b *scale) runTo(out *bytes.Buffer, args ...string) spent {
	cmd := exec.Command(b.program, args...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	if out != nil {
		cmd.Stdout = out
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var own int64
	var err error
	for running := true; running; {
		select {
		case err = <-ended:
			running = false
		case <-time.After(100 * time.Millisecond):
			own = max(own, statusOf(b.t, cmd.Process.Pid, "RssAnon"))
		}
	}
	if err != nil {
		text := problems.String()
		b.t.Fatalf("koprik %s: %v\n%s", args[0], err, text[:min(len(text), 2000)])
	}
	return spent{wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), memory: peak(cmd.ProcessState), own: own}
}

// treeOf counts the files of a folder and their bytes.
func treeOf(t *testing.T, dir string) (files int, size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			files, size = files+1, size+info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, size
}
