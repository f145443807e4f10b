package delta_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"koprik/sync/delta"
)

// series is one file's successive versions, the oldest first.
type series struct {
	name, ext string
	versions  [][]byte
}

// readSeries reads a folder of folders of v1.EXT, v2.EXT, … (each perhaps .zst).
func readSeries(t *testing.T, dir string) []series {
	t.Helper()
	folders, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	var all []series
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(dir, folder.Name(), "v*.*"))
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(files, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
		one := series{name: folder.Name()}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err == nil && strings.HasSuffix(name, ".zst") {
				b, err = dec.DecodeAll(b, nil)
				name = strings.TrimSuffix(name, ".zst")
			}
			if err != nil {
				t.Fatal(err)
			}
			one.ext = filepath.Ext(name)
			one.versions = append(one.versions, b)
		}
		if len(one.versions) > 1 {
			all = append(all, one)
		}
	}
	return all
}

// pair is one measured step.
type pair struct {
	name       string
	old, fresh []byte
	apart      string // why it counts for no target; "" when it does
}

// row is what was measured of a pair; 0 is "not measured".
type row struct {
	pair
	codec          delta.Codec
	best           int
	by             map[delta.Codec]int
	rsync, cPatch  int
	made, applied  time.Duration
	wholeAndAShade int // the best whole codec and 64 bytes
}

// pairs of one series: from N-1 and from N-3, and those that count for nothing.
// What counts apart is named in spec/sync.md, "Targets".
func (s series) pairs() (near, far pair) {
	n := len(s.versions)
	near = pair{name: s.name + " N-1", old: s.versions[n-2], fresh: s.versions[n-1]}
	far = pair{name: s.name + " N-3", old: s.versions[max(n-4, 0)], fresh: s.versions[n-1]}
	switch s.name {
	case "iss-bollettino-pdf":
		near.apart = "PDF"
	case "ita-regioni-json":
		near.apart = "reformatted whole"
	}
	far.apart = near.apart
	return near, far
}

// tools are the programs that are measured beside ours; "" when not installed.
type tools struct{ rsync, zstd, dir string }

func findTools(t *testing.T) tools {
	x := tools{dir: t.TempDir()}
	for name, to := range map[string]*string{"rsync": &x.rsync, "zstd": &x.zstd} {
		path, err := exec.LookPath(name)
		if err != nil {
			fmt.Printf("%s is not installed: its column is left out\n", name)
			continue
		}
		*to = path
	}
	if err := os.WriteFile(filepath.Join(x.dir, "here"), []byte("#!/bin/sh\nshift\nexec \"$@\"\n"), 0o700); err != nil { //nolint:gosec // a script
		t.Fatal(err)
	}
	return x
}

var stats = regexp.MustCompile(`Total bytes (?:sent|received): ([0-9,]+)`)

// rsyncBytes is what rsync -z sends and receives over a pipe to another process.
func (x tools) rsyncBytes(t *testing.T, p pair) int {
	if x.rsync == "" {
		return 0
	}
	from, to := filepath.Join(x.dir, "from"), filepath.Join(x.dir, "to")
	write(t, from, p.fresh)
	write(t, to, p.old)
	out, err := exec.CommandContext(t.Context(), x.rsync, "-z", "-I", "--no-whole-file", "--stats", "-e", filepath.Join(x.dir, "here"), from, "localhost:"+to).CombinedOutput() //nolint:gosec // a measurement
	if err != nil {
		t.Fatalf("rsync: %v: %s", err, out)
	}
	sum := 0
	for _, m := range stats.FindAllSubmatch(out, -1) {
		n, err := strconv.Atoi(strings.ReplaceAll(string(m[1]), ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, p.fresh) {
		t.Fatalf("rsync gave other bytes: %v", err)
	}
	return sum
}

func (x tools) patchFrom(t *testing.T, p pair) int {
	if x.zstd == "" {
		return 0
	}
	old, fresh := filepath.Join(x.dir, "old"), filepath.Join(x.dir, "new")
	write(t, old, p.old)
	write(t, fresh, p.fresh)
	out, err := exec.CommandContext(t.Context(), x.zstd, "-19", "--long=27", "-q", "-q", "-c", "--patch-from="+old, fresh).Output() //nolint:gosec // a measurement
	if err != nil {
		t.Fatalf("zstd: %v", err)
	}
	return len(out)
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func measure(t *testing.T, x tools, p pair) row {
	r := row{pair: p, by: map[delta.Codec]int{}}
	start := time.Now()
	best := encode(t, p.old, p.fresh)
	r.made, r.codec, r.best = time.Since(start), best.Codec, len(best.Patch)
	start = time.Now()
	if err := delta.Apply(io.Discard, bytes.NewReader(p.old), int64(len(p.old)), bytes.NewReader(best.Patch), delta.ContentOf(p.fresh)); err != nil {
		t.Errorf("%s does not verify: %v", p.name, err)
	}
	r.applied = time.Since(start)
	tried := best.Tried
	if !slices.ContainsFunc(tried, func(t delta.Trial) bool { return t.Codec == delta.Brotli }) {
		tried = append(tried, encode(t, nil, p.fresh, delta.Brotli).Tried...)
	}
	for _, trial := range tried {
		if n := r.by[trial.Codec]; trial.Bytes > 0 && (n == 0 || trial.Bytes < n) {
			r.by[trial.Codec] = trial.Bytes
		}
	}
	r.wholeAndAShade = min(r.by[delta.Stored], r.by[delta.Zstd], r.by[delta.Brotli]) + 64
	r.rsync, r.cPatch = x.rsyncBytes(t, p), x.patchFrom(t, p)
	return r
}

const (
	rowHead   = "%-24s %10s %9s %9s %10s %9s %9s  %-10s %9s %9s %9s %7s %7s %8s %8s\n"
	rowFormat = "%-24s %10d %9s %9s %10s %9s %9s  %-10s %9d %9s %9s %7s %7s %8v %8v\n"
)

func (r row) print() {
	cell := func(n int) string {
		if n == 0 {
			return "-"
		}
		return strconv.Itoa(n)
	}
	ratio := func(n int) string {
		if n == 0 {
			return "-"
		}
		return fmt.Sprintf("%.3f", float64(r.best)/float64(n))
	}
	fmt.Printf(rowFormat, r.name, len(r.fresh), cell(r.by[delta.Zstd]), cell(r.by[delta.Brotli]), cell(r.by[delta.ZstdPatch]), cell(r.by[delta.Copies]), cell(r.by[delta.Table]),
		r.codec, r.best, cell(r.rsync), cell(r.cPatch), ratio(r.rsync), ratio(r.cPatch), r.made.Round(time.Millisecond), r.applied.Round(time.Millisecond))
}

// TestMeasureVersions is `make bench-delta DATA=…`.
func TestMeasureVersions(t *testing.T) {
	dir := os.Getenv("KOPRIK_VERSIONS")
	if dir == "" {
		t.Skip("KOPRIK_VERSIONS names no folder of successive versions: make bench-delta DATA=…")
	}
	x := findTools(t)
	fmt.Printf(rowHead, "bytes, N-1 or N-3 to N", "new", "zstd", "brotli", "zstd-patch", "copies", "table", "best", "bytes", "rsync -z", "C patch", "/rsync", "/C", "made in", "applied")
	var near, farther []row
	worst := 0.0 // a patch from N-3 against the sum of the steps
	for _, s := range readSeries(t, dir) {
		first, last := s.pairs()
		r := measure(t, x, first)
		r.print()
		near = append(near, r)
		if n := len(s.versions); n == 4 && s.name == "ita-regioni-json" { // its last ordinary step
			ordinary := measure(t, x, pair{name: s.name + " v2 v3", old: s.versions[1], fresh: s.versions[2]})
			ordinary.print()
			near = append(near, ordinary)
		}
		if len(s.versions) < 4 {
			continue
		}
		far := measure(t, x, last)
		far.print()
		farther = append(farther, far)
		sum := r.best
		for i := len(s.versions) - 4; i < len(s.versions)-2; i++ {
			sum += len(encode(t, s.versions[i], s.versions[i+1]).Patch)
		}
		fmt.Printf("%-24s %10s %d direct, %d by steps\n", "", "", far.best, sum)
		worst = max(worst, float64(far.best)/float64(sum))
		if far.best > sum {
			t.Errorf("%s: %d bytes direct, %d by steps", far.name, far.best, sum)
		}
	}
	summary(t, near, farther)
	note(t, "patches from N-3 against the sum of steps, worst", worst, 1)
}

// note writes a target and what was measured of it for the table that
// `make bench-sync` ends with.
func note(t *testing.T, what string, got, target float64) {
	t.Helper()
	name := os.Getenv("KOPRIK_TARGETS")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%g %g %s\n", got, target, what)
}

// summary holds what was measured against the targets of spec/sync.md.
func summary(t *testing.T, near, far []row) {
	var rsync, c []float64
	for _, r := range near {
		if r.apart != "" {
			fmt.Printf("apart: %s (%s)\n", r.name, r.apart)
			continue
		}
		if r.rsync > 0 {
			rsync = append(rsync, float64(r.best)/float64(r.rsync))
		}
		if r.cPatch > 0 {
			c = append(c, float64(r.best)/float64(r.cPatch))
		}
	}
	over := -1 << 30
	for _, r := range slices.Concat(near, far) {
		over = max(over, r.best-r.wholeAndAShade)
		if r.best > r.wholeAndAShade {
			t.Errorf("%s: %d bytes, the best whole codec and 64 give %d", r.name, r.best, r.wholeAndAShade)
		}
	}
	note(t, "patches: bytes above the best whole codec", float64(over+64), 64)
	report := func(what string, got, target float64) {
		note(t, what, got, target)
		fmt.Printf("%-48s %.3f, target %.2f\n", what, got, target)
		if got > target {
			t.Errorf("%s: %.3f, target %.2f", what, got, target)
		}
	}
	if len(rsync) > 0 {
		report("patches from N-1 against rsync -z, median", median(rsync), 0.12)
	}
	if len(c) > 0 {
		report("patches from N-1 against zstd --patch-from, median", median(c), 1.25)
		report("patches from N-1 against zstd --patch-from, worst", slices.Max(c), 1.6)
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}
