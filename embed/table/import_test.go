package table

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

// fileObjects gives one file on the disk as every object.
type fileObjects struct{ path string }

func (o fileObjects) Object(context.Context, portal.Digest) (portal.ReadSeekCloser, int64, error) {
	f, err := os.Open(o.path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	return f, info.Size(), err
}

// writeStatistics writes a table of n rows and ten columns, as statistics does.
func writeStatistics(t testing.TB, path string, n int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "soato,region,district,year,sex,age,population,share,updated,note")
	for i := range n {
		fmt.Fprintf(w, "17%05d,Viloyat %d,Туман %d,%d,%s,%d,%d,%d.%d,20%02d-%02d-%02d,\n",
			i%100000, i%14, i%206, 2000+i%27, []string{"f", "m"}[i%2], i%100, i*7919%1000003, i%100, i%10, i%27, i%12+1, i%28+1)
	}
	if w.Flush() != nil || f.Close() != nil {
		t.Fatal("the table was not written")
	}
}

// peak is the most memory this process has held, in bytes; 0 where the system
// does not say.
func peak() int64 {
	status, _ := os.ReadFile("/proc/self/status") // other systems have none
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// cpuTime is the processor time that this process has had; 0 where the system
// does not say.
func cpuTime() time.Duration {
	stat, _ := os.ReadFile("/proc/self/stat") // other systems have none
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // a tick is a hundredth
}

// TestBenchImport imports a million rows beside the sqlite3 shell's .import, three
// times by turns (make bench-tables). The shell guesses no types, checks nothing
// and syncs nothing here.
func TestBenchImport(t *testing.T) {
	rows, err := strconv.Atoi(os.Getenv("KOPRIK_BENCH_TABLES"))
	if err != nil {
		t.Skip("KOPRIK_BENCH_TABLES is not the number of rows: run make bench-tables")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a.csv")
	writeStatistics(t, file, rows)
	best, bestShell := time.Hour, time.Hour
	leastCPU := time.Hour
	for i := range 3 {
		s := Open(filepath.Join(dir, fmt.Sprint("tables", i)), fileObjects{file})
		begin, worked := time.Now(), cpuTime()
		infos, err := s.Ensure(context.Background(), portal.Resource{Name: "a", Path: "a.csv", Hash: portal.DigestOf([]byte{byte(i)})})
		took, cpu := time.Since(begin), cpuTime()-worked
		leastCPU = min(leastCPU, cpu)
		if err != nil || len(infos) != 1 || infos[0].Rows != int64(rows) {
			t.Fatal(infos, err)
		}
		s.Close()
		best = min(best, took)
		shell := importByShell(t, dir, file)
		if shell > 0 {
			bestShell = min(bestShell, shell)
		}
		t.Logf("koprik %v (%v of processor time), sqlite3 .import %v", took.Round(time.Millisecond), cpu.Round(10*time.Millisecond), shell.Round(time.Millisecond))
	}
	t.Logf("%d rows x 10: koprik %v (%.0f rows/s), at most %d MiB; sqlite3 .import %v; ratio %.2f",
		rows, best.Round(time.Millisecond), float64(rows)/best.Seconds(), peak()>>20, bestShell.Round(time.Millisecond), best.Seconds()/bestShell.Seconds())
	if p := peak(); p > 256<<20 {
		t.Errorf("%d MiB", p>>20)
	}
	limit := 5 * time.Second * time.Duration(max(1, rows/1_000_000))
	switch {
	case best > limit && leastCPU > 0 && leastCPU < limit:
		t.Logf("the machine was busy: %v of processor time took %v", leastCPU, best)
	case best > limit:
		t.Errorf("took %v", best)
	}
}

func importByShell(t *testing.T, dir, file string) time.Duration {
	t.Helper()
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Log("the program sqlite3 is not there")
		return 0
	}
	db := filepath.Join(dir, "shell.db")
	os.Remove(db)
	cmd := exec.Command(shell, db)
	cmd.Stdin = strings.NewReader("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;\n.mode csv\n.import " + file + " t\nSELECT count(*) FROM t;\n")
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return time.Since(begin)
}
