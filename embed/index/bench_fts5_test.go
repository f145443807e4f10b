package index

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the engine that is measured beside

	"koprik/portal"
	"koprik/portal/lang"
)

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
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(title, body, content='', tokenize="ascii tokenchars ':'");
CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, theme TEXT, publisher TEXT, format TEXT, license TEXT, year TEXT, region TEXT, updated INTEGER);`

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
	m, dir := newMade(), benchDir(t, n, "fts5")
	path := filepath.Join(dir, "fts.db")
	f := openFTS5(t, path)
	building := spentIn(t, dir+".spent")
	if _, err := f.db.Exec(fts5Schema); err != nil {
		t.Fatal(err)
	}
	have := 0
	if err := f.db.QueryRow("SELECT count(*) FROM facts").Scan(&have); err != nil {
		t.Fatal(err)
	}
	for from := have; from < n; from += madeAtOnce {
		building.enough(t, from, n)
		ds := m.datasets(from, min(from+madeAtOnce, n))
		building.on(t, func() { f.add(t, from, ds) })
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
	row(n, "fts5", p50, p99, frequent, facets, 0, building.took, building.cpu, opened, time.Since(begun), sizeOf(t, dir), memory)
}
