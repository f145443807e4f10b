package straw_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// The catalogue that is measured.
const (
	files   = 600
	changed = 17
)

// entry is one file of the catalogue, before and after.
type entry struct {
	name, ext  string
	pair       string // "gdp v3 v4"; "" for a file that does not change
	old, fresh []byte
}

func (e entry) file() string { return e.name + e.ext }

// series is one file's successive versions, the oldest first.
type series struct {
	name, ext string
	versions  [][]byte
}

// readSeries reads a folder of folders of v1.EXT, v2.EXT, … (each perhaps .zst).
func readSeries(t *testing.T, dir string) []series {
	t.Helper()
	folders, err := os.ReadDir(dir)
	must(t, err)
	dec, err := zstd.NewReader(nil)
	must(t, err)
	defer dec.Close()
	var all []series
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(dir, folder.Name(), "v*.*"))
		must(t, err)
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
		one := series{name: folder.Name()}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err == nil && strings.HasSuffix(name, ".zst") {
				b, err = dec.DecodeAll(b, nil)
				name = strings.TrimSuffix(name, ".zst")
			}
			must(t, err)
			one.ext = filepath.Ext(name)
			one.versions = append(one.versions, b)
		}
		if len(one.versions) > 1 {
			all = append(all, one)
		}
	}
	return all
}

// pairs chooses the files that change, from the series in the order of their
// names: the newest step of each that counts, then the step two before it, until
// there are enough. Steps of one series share no version, so that nothing of one
// file is the new content of another. What spec/sync.md, "Targets", counts apart
// stays out: the PDF, and of ita-regioni-json the step that reformats it whole.
func pairs(t *testing.T, all []series) []entry {
	t.Helper()
	var list []entry
	for back := 0; len(list) < changed; back += 2 {
		before := len(list)
		for _, s := range all {
			last := len(s.versions) - 1 - back
			if s.name == "ita-regioni-json" {
				last--
			}
			if s.name == "iss-bollettino-pdf" || last < 1 || len(list) == changed {
				continue
			}
			list = append(list, entry{
				name: fmt.Sprintf("%s-%d", s.name, last), ext: s.ext, pair: fmt.Sprintf("%s v%d v%d", s.name, last, last+1),
				old: s.versions[last-1], fresh: s.versions[last],
			})
		}
		if len(list) == before {
			t.Fatalf("only %d pairs of versions for %d files that change", len(list), changed)
		}
	}
	return list
}

// catalogue is all files: those that change stand spread among tables of 1 to 60
// KB that do not, the same in every run.
func catalogue(t *testing.T, all []series) []entry {
	t.Helper()
	change := pairs(t, all)
	var list []entry
	for i := range files {
		if n := i / (files / changed); i%(files/changed) == 0 && n < changed {
			list = append(list, change[n])
			continue
		}
		b := steady(i)
		list = append(list, entry{name: fmt.Sprintf("table-%03d", i), ext: ".csv", old: b, fresh: b})
	}
	return list
}

// steady makes a table that does not change.
func steady(n int) []byte {
	d := rand.New(rand.NewPCG(uint64(n), 64)) //nolint:gosec // repeatable
	var b bytes.Buffer
	b.WriteString("soato,region,year,value,share\n")
	for row := range 20 + d.IntN(40)*d.IntN(40) {
		fmt.Fprintf(&b, "17%05d,Region %c,%d,%d.%d,%.4f\n", n*37+row, 'A'+rune(d.IntN(14)), 2000+row%26, d.IntN(1_000_000), d.IntN(10), d.Float64())
	}
	return b.Bytes()
}

// When files were changed, in the trees of the programs that look at that.
var (
	before = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	after  = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
)

// trees writes the catalogue as folders old and new, for programs that copy folders.
func trees(t *testing.T, dir string, list []entry) (old, fresh string) {
	t.Helper()
	old, fresh = filepath.Join(dir, "old"), filepath.Join(dir, "new")
	must(t, os.MkdirAll(old, 0o755))
	must(t, os.MkdirAll(fresh, 0o755))
	for _, e := range list {
		put(t, filepath.Join(old, e.file()), e.old, before)
		at := before
		if e.pair != "" {
			at = after
		}
		put(t, filepath.Join(fresh, e.file()), e.fresh, at)
	}
	return old, fresh
}

func put(t *testing.T, name string, b []byte, at time.Time) {
	t.Helper()
	must(t, os.WriteFile(name, b, 0o600))
	must(t, os.Chtimes(name, at, at))
}

// sameTree fails the measurement of a program that gave other bytes.
func sameTree(t *testing.T, dir string, list []entry) {
	t.Helper()
	for _, e := range list {
		if b, err := os.ReadFile(filepath.Join(dir, e.file())); err != nil || !bytes.Equal(b, e.fresh) {
			t.Fatalf("%s: %s is not what was published: %v", dir, e.file(), err)
		}
	}
}

func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	out, err := command("cp", "-a", from, to).CombinedOutput()
	if err != nil {
		t.Fatalf("cp -a %s: %v: %s", from, err, out)
	}
	return to
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
