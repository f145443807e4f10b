package index

import (
	"bytes"
	"database/sql"
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

	_ "modernc.org/sqlite" // the engine that is measured beside

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

func benchBleve(t *testing.T, n int) {
	m, dir := newMade(), t.TempDir()
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	rebuild, cpu := fill(t, x, m, n)
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
	row(n, "bleve", p50, p99, frequent, facets, suggest, rebuild, cpu, opened, added, sizeOf(t, dir), memory)
}

// fill rebuilds the index of n datasets, which are made before.
func fill(t *testing.T, x *Index, m *made, n int) (took, cpu time.Duration) {
	t.Helper()
	ds := m.datasets(0, n)
	begun, used := time.Now(), cpuTime()
	if err := x.Rebuild(t.Context(), 1, every(ds), nil); err != nil {
		t.Fatal(err)
	}
	return time.Since(begun), cpuTime() - used
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

// fts5 is SQLite's index over the same words.
type fts5 struct {
	db *sql.DB
	a  *analyser // remembers words, as ours does
}

func openFTS5(t *testing.T, path string) fts5 {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		t.Fatal(err)
	}
	return fts5{db, newAnalyser()}
}

const fts5Schema = `
CREATE VIRTUAL TABLE words USING fts5(title, body, content='', tokenize="ascii tokenchars ':'");
CREATE TABLE facts (id INTEGER PRIMARY KEY, theme TEXT, publisher TEXT, format TEXT, license TEXT, year TEXT, region TEXT, updated INTEGER);`

func (a *analyser) keysFor(ws []wording) string {
	var b strings.Builder
	for _, w := range ws {
		v := a.of(w.lang)
		for _, raw := range lang.Tokens(w.text) {
			t := a.analyse(v, raw, w.lang)
			b.WriteString(t.loose + " ")
			for _, s := range t.stems {
				b.WriteString(s.term + " ")
			}
		}
	}
	return b.String()
}

// factsOf reads the facts of a document and indexes nothing.
func (a *analyser) factsOf(d *Document) (f facts) {
	r := &d.Dataset.Latest
	for _, text := range slices.Concat(r.Title.All(), r.Description.All(), r.Keywords) {
		keys, telling := a.words(text)
		f.read(text, keys, telling)
	}
	a.finish(&f, d)
	return f
}

func (f fts5) add(t *testing.T, from int, ds []portal.Dataset) {
	t.Helper()
	tx, err := f.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := range ds {
		d := Document{Dataset: ds[i]}
		facts := f.a.factsOf(&d)
		body := f.a.keysFor(slices.Concat(wordings(ds[i].Latest.Description), keywords(&ds[i]), wordings(ds[i].Publisher.Title), columnTexts(ds[i].Latest.Resources)))
		if _, err := tx.Exec("INSERT INTO words (rowid, title, body) VALUES (?, ?, ?)", from+i+1, f.a.keysFor(wordings(ds[i].Latest.Title)), body); err != nil {
			t.Fatal(err)
		}
		region := ""
		if len(facts.regions) > 0 {
			region = facts.regions[0]
		}
		if _, err := tx.Exec("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", from+i+1, ds[i].Latest.Themes[0], ds[i].ID.Publisher(),
			ds[i].Latest.Resources[0].Format, ds[i].Latest.Licenses[0].Name, facts.years[0], region, ds[i].Latest.Issued.Unix()); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// search gives the first 20 hits and six facets.
func (f fts5) search(t *testing.T, q portal.Query) {
	t.Helper()
	var match []string
	for _, w := range lang.Tokens(q.Text) {
		var terms []string
		for _, term := range termsOf(w, q.Lang) {
			if s := `"` + term.text + `"`; !slices.Contains(terms, s) {
				terms = append(terms, s)
			}
		}
		match = append(match, "("+strings.Join(terms, " OR ")+")")
	}
	where, args := "1", []any{}
	if len(match) > 0 {
		where, args = "words MATCH ?", []any{strings.Join(match, " AND ")}
	}
	for facet, values := range q.Filters {
		where += " AND " + string(facet) + " = ?"
		args = append(args, values[0])
	}
	from := " FROM words JOIN facts ON facts.id = words.rowid WHERE " + where
	order := " ORDER BY bm25(words, 4.0, 1.0) LIMIT 20"
	if len(match) == 0 {
		from, order = " FROM facts WHERE "+where, " LIMIT 20"
	}
	f.drain(t, "SELECT facts.id"+from+order, args)
	f.drain(t, "WITH hits AS MATERIALIZED (SELECT facts.*"+from+`)
		SELECT 'theme', theme, count(*) FROM hits GROUP BY 2 UNION ALL SELECT 'publisher', publisher, count(*) FROM hits GROUP BY 2
		UNION ALL SELECT 'format', format, count(*) FROM hits GROUP BY 2 UNION ALL SELECT 'license', license, count(*) FROM hits GROUP BY 2
		UNION ALL SELECT 'year', year, count(*) FROM hits GROUP BY 2 UNION ALL SELECT 'region', region, count(*) FROM hits GROUP BY 2`, args)
}

func (f fts5) drain(t *testing.T, query string, args []any) {
	t.Helper()
	rows, err := f.db.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil && err != sql.ErrNoRows {
		t.Fatal(err)
	}
}

func benchFTS5(t *testing.T, n int) {
	m, dir := newMade(), t.TempDir()
	path := filepath.Join(dir, "fts.db")
	f := openFTS5(t, path)
	if _, err := f.db.Exec(fts5Schema); err != nil {
		t.Fatal(err)
	}
	var rebuild, cpu time.Duration
	for from := 0; from < n; from += madeAtOnce {
		ds := m.datasets(from, min(from+madeAtOnce, n))
		begun, used := time.Now(), cpuTime()
		f.add(t, from, ds)
		rebuild, cpu = rebuild+time.Since(begun), cpu+cpuTime()-used
	}
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	f = openFTS5(t, path)
	defer f.db.Close()
	f.drain(t, "SELECT count(*) FROM facts WHERE id = 1", nil)
	opened := time.Since(begun)
	var took []time.Duration
	queries, runs := benchQueries(m), 3
	switch { // a part of them: they take minutes
	case n > 200_000:
		queries, runs = queries[:14], 1
	case n > 10_000:
		queries = queries[:42]
	}
	for _, q := range queries {
		took = append(took, timed(runs, func() { f.search(t, q) }))
	}
	p50, p99 := percentiles(took)
	frequent := timed(runs, func() { f.search(t, portal.Query{Text: "viloyatida"}) })
	facets := timed(runs, func() { f.search(t, portal.Query{}) })
	memory := anonymous()
	begun = time.Now()
	f.add(t, n, m.datasets(n, n+1))
	row(n, "fts5", p50, p99, frequent, facets, 0, rebuild, cpu, opened, time.Since(begun), sizeOf(t, dir), memory)
}
