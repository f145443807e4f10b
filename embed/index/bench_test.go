package index

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"koprik/portal"
	"koprik/portal/lang"
)

// The benchmark of docs/reference/search.md, "Measured": `make bench-search`
// runs it at 600 and 100,000 datasets, `make soak` at 1,000,000 too. SQLite's
// FTS5 stands beside in the same run, over the same words: the loose keys and
// stems that this package makes, so that it finds the same, with its own rank
// (bm25) and with the facets counted in SQL over the hits.

// topics and places give titles their words; the rest is filler by Zipf's law,
// as in any language.
var topics = strings.Fields(`aholi maktab shifoxona shifokor nikoh daromad eksport import sanoat qurilish soliq budjet investitsiya
	transport energetika ekologiya suv gaz narx ish bandlik turizm sport madaniyat kutubxona bogʻcha universitet talaba fermer paxta bugʻdoy sut goʻsht uy bino yoʻl koʻprik avtobus poyezd`)

// library of made-up words, deterministic.
func fillers(rng *rand.Rand, n int) []string {
	syllables := strings.Fields("ba bo da do fa ga gu ha hi ja ka ki la lo ma mo na no pa qo ra ri sa so ta to ul va xo ya yo za zi shi cha")
	out := make([]string, n)
	for i := range out {
		for range 2 + rng.IntN(3) {
			out[i] += syllables[rng.IntN(len(syllables))]
		}
	}
	return out
}

// madeAtOnce is how many datasets are made before they are indexed, so that their
// making is not measured.
const madeAtOnce = 20_000

// made gives the datasets from to to, always the same ones.
type made struct {
	fillers []string
}

func newMade() *made { return &made{fillers(rand.New(rand.NewPCG(1, 2)), 20_000)} }

func (m *made) datasets(from, to int) []portal.Dataset {
	ds := make([]portal.Dataset, 0, to-from)
	for i := from; i < to; i++ {
		rng := rand.New(rand.NewPCG(7, uint64(i)))
		zipf := rand.NewZipf(rng, 1.1, 4, uint64(len(m.fillers)-1))
		some := func(n int) string {
			words := make([]string, n)
			for j := range words {
				words[j] = m.fillers[zipf.Uint64()]
			}
			return strings.Join(words, " ")
		}
		topic, place, year := topics[rng.IntN(len(topics))], words[rng.IntN(len(words))], 2000+rng.IntN(26)
		often := m.fillers[zipf.Uint64()]
		if rng.IntN(100) < 24 { // the spec's frequent word
			often = "viloyatida"
		}
		d := dataset(fmt.Sprintf("d%07d", i), "", withDescription(some(25)),
			withTitles(portal.Uzbek, fmt.Sprintf("%s %s %slar soni, %s, %d-yil", place, often, topic, some(2), year)),
			withTitles(portal.Russian, fmt.Sprintf("Число %s, %s, %d год", lang.ToCyrillic(some(2)), lang.ToCyrillic(place), year)),
			withTitles(portal.English, fmt.Sprintf("Number of %s in %s, %d", some(2), place, year)),
			withThemes(portal.Themes[rng.IntN(13)], portal.Themes[rng.IntN(13)]))
		d.ID = portal.DatasetID(fmt.Sprintf("p%d_d%07d", rng.IntN(150), i))
		d.Latest.Title.Plain = d.Latest.Title.Translated[portal.Uzbek]
		d.Latest.Keywords = []string{topic, place}
		d.Latest.Issued = time.Date(year, 1, 1, 0, 0, rng.IntN(300*day), 0, time.UTC)
		d.Latest.Resources = []portal.Resource{{Name: "data", Format: []string{"csv", "xlsx", "json"}[rng.IntN(3)], Schema: &portal.TableSchema{
			Fields: []portal.Field{{Name: "viloyat"}, {Name: "yil"}, {Name: topic}, {Name: m.fillers[zipf.Uint64()]}},
		}}}
		ds = append(ds, d)
	}
	return ds
}

// benchQueries are what people type: frequent words, several words, rare ones,
// filters, phrases, misspellings.
func benchQueries(m *made) []portal.Query {
	var qs []portal.Query
	for i := range 60 {
		topic, place := topics[i%len(topics)], words[i%len(words)]
		qs = append(qs,
			portal.Query{Text: topic}, portal.Query{Text: topic + " soni"}, portal.Query{Text: lang.ToCyrillic(place) + " " + topic},
			portal.Query{Text: place + " " + topic + " " + strconv.Itoa(2000+i%26)},
			portal.Query{Text: m.fillers[i*13]}, portal.Query{Text: m.fillers[i] + " " + topic},
			portal.Query{Text: "viloyatida " + topic, Filters: map[portal.Facet][]string{portal.FacetTheme: {string(portal.Themes[i%13])}, portal.FacetFormat: {"csv"}}},
		)
	}
	return qs
}

func sizeOf(t testing.TB, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// anonymous is the memory of this process that no file stands behind, bytes; 0
// where the system does not tell.
func anonymous() int64 {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Anonymous:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// cpuTime is what this process and its threads have used of the processors; 0
// where the system does not tell.
func cpuTime() time.Duration {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// percentiles gives the 50th and the 99th of what the queries took.
func percentiles(took []time.Duration) (p50, p99 time.Duration) {
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100]
}

func TestBenchSearch(t *testing.T) {
	sizes := os.Getenv("KOPRIK_BENCH_SEARCH")
	if sizes == "" {
		t.Skip("KOPRIK_BENCH_SEARCH is not set: numbers of datasets, with commas between (make bench-search)")
	}
	fmt.Printf("%-9s %-6s %9s %9s %9s %9s %9s %9s %9s %8s %8s %8s %9s\n", "datasets", "", "p50", "p99", "frequent", "facets", "suggest", "rebuild", "cpu", "open", "one more", "disk", "anonymous")
	for _, size := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			t.Fatal(err)
		}
		benchBleve(t, n)
		benchFTS5(t, n)
	}
}

func row(n int, engine string, p50, p99, frequent, facets, suggest, rebuild, cpu, open, more time.Duration, disk, memory int64) {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.2fms", float64(d.Microseconds())/1000) }
	fmt.Printf("%-9d %-6s %9s %9s %9s %9s %9s %8.1fs %8.1fs %8s %8s %6dMB %7dMB\n", n, engine, ms(p50), ms(p99), ms(frequent), ms(facets), ms(suggest),
		rebuild.Seconds(), cpu.Seconds(), ms(open), ms(more), disk>>20, memory>>20)
}

// ask searches; a search that the machine kept waiting over the deadline is said
// and not counted, for the fastest of its runs is.
func ask(t *testing.T, r *Reader, q portal.Query) {
	t.Helper()
	_, err := r.Search(t.Context(), q)
	if errors.Is(err, portal.ErrTooMuch) {
		fmt.Printf("%q waited over %s\n", q.Text, deadline)
	} else if err != nil {
		t.Fatal(err)
	}
}

// benchDir is where the index of a size is built. KOPRIK_BENCH_SEARCH_DIR keeps
// it there, so that what takes long can be done in several runs, each of about
// KOPRIK_BENCH_SEARCH_MINUTES: what was built is found again.
func benchDir(t *testing.T, n int, engine string) string {
	kept := os.Getenv("KOPRIK_BENCH_SEARCH_DIR")
	if kept == "" {
		return t.TempDir()
	}
	dir := filepath.Join(kept, strconv.Itoa(n)+engine)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func benchBleve(t *testing.T, n int) {
	m, dir := newMade(), benchDir(t, n, "bleve")
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	building := spentIn(t, dir+".spent")
	defer func() { _ = x.Close() }() // also where the time is up; a second one does nothing
	fill(t, x, m, n, building)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	opened := time.Duration(math.MaxInt64)
	for i := range 5 { // the fastest, as of searches
		begun := time.Now()
		if x, err = Open(dir); err != nil {
			t.Fatal(err)
		}
		opened = min(opened, time.Since(begun))
		if i < 4 {
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := reader(t, x)
	find(t, r, portal.Query{Text: "aholi"}) // the columns load with the first search
	var took, suggested []time.Duration
	for _, q := range benchQueries(m) {
		took = append(took, timed(5, func() { ask(t, r, q) }))
		two := string([]rune(q.Text)[:2])
		suggested = append(suggested, timed(3, func() { find(t, r, portal.Query{Text: two, Suggest: true}) }))
	}
	p50, p99 := percentiles(took)
	_, suggest := percentiles(suggested)
	frequent := timed(11, func() { find(t, r, portal.Query{Text: "viloyatida"}) })
	facets := timed(11, func() {
		r.view.all = nil
		find(t, r, portal.Query{Limit: 1})
	})
	memory := anonymous()
	r.Close()
	more := m.datasets(n, n+1)
	begun := time.Now()
	update(t, x, x.Generation()+1, more)
	one := reader(t, x)
	find(t, one, portal.Query{Text: more[0].ID.Name()})
	added := time.Since(begun)
	one.Close()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	row(n, "bleve", p50, p99, frequent, facets, suggest, building.took, building.cpu, opened, added, sizeOf(t, dir), memory)
}

// perStep is how many datasets fill has in memory.
const perStep = 100_000

// spent is what building took so far, on the clock and of the processors; a file
// keeps it for the next run to go on where the time was up.
type spent struct {
	file      string
	started   time.Time
	took, cpu time.Duration
}

func spentIn(t *testing.T, file string) *spent {
	t.Helper()
	s := &spent{file: file, started: time.Now()}
	b, err := os.ReadFile(file)
	if err != nil {
		return s
	}
	var took, cpu int64
	if _, err := fmt.Sscan(string(b), &took, &cpu); err != nil {
		t.Fatal(err)
	}
	s.took, s.cpu = time.Duration(took), time.Duration(cpu)
	return s
}

// on adds what f takes.
func (s *spent) on(t *testing.T, f func()) {
	t.Helper()
	begun, used := time.Now(), cpuTime()
	f()
	s.took, s.cpu = s.took+time.Since(begun), s.cpu+cpuTime()-used
	if err := os.WriteFile(s.file, fmt.Appendln(nil, int64(s.took), int64(s.cpu)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// enough ends the run when its minutes are over.
func (s *spent) enough(t *testing.T, from, n int) {
	t.Helper()
	minutes, _ := strconv.Atoi(os.Getenv("KOPRIK_BENCH_SEARCH_MINUTES"))
	if minutes > 0 && time.Since(s.started) > time.Duration(minutes)*time.Minute {
		t.Skipf("%d of %d datasets are indexed; run it again", from, n)
	}
}

// fill indexes n datasets, which are made before, in steps, each a generation,
// and merges what they leave.
func fill(t *testing.T, x *Index, m *made, n int, s *spent) {
	t.Helper()
	for from := int(x.Generation()) * perStep; from < n; from += perStep {
		s.enough(t, from, n)
		ds := m.datasets(from, min(from+perStep, n))
		s.on(t, func() {
			if from > 0 {
				update(t, x, x.Generation()+1, ds)
			} else if err := x.Rebuild(t.Context(), 1, every(ds), nil); err != nil {
				t.Fatal(err)
			}
			if from > 0 && from+perStep >= n {
				x.merge(t.Context())
			}
		})
	}
	if err := x.pin(); err != nil {
		t.Fatal(err)
	}
}

// timed gives the fastest of some runs, so that what else the machine does is
// not measured.
func timed(runs int, f func()) time.Duration {
	best := time.Duration(math.MaxInt64)
	for range runs {
		begun := time.Now()
		f()
		best = min(best, time.Since(begun))
	}
	return best
}
