package index

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/portal/lang"
)

// The relevance set: testdata/queries.tsv over the demonstration and the
// indicators of ../shared/data/search-relevance, each query in four spellings.
// `make eval-search DATA=<folder>` takes indicators and queries from
// <folder>/search-relevance instead: every *.tsv with a name_uz column has
// indicators (id, code, name_uz, name_uz_cyrl, name_ru, name_en), every one
// with a query column has queries (query, and id: a dataset's name, or an
// indicator's id or code).

// spellingsOf are the ways in which one query is typed.
func spellingsOf(query string) []string {
	latin := lang.ToLatin(query)
	return []string{
		latin,
		strings.NewReplacer("ʻ", "'", "ʼ", "'").Replace(latin),
		lang.ToCyrillic(latin),
		strings.ToLower(dropApostrophes.Replace(latin)),
	}
}

// table reads a TSV file as rows by the names of its columns.
func table(t *testing.T, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out []map[string]string
	for _, row := range rows[min(1, len(rows)):] {
		m := map[string]string{}
		for i, cell := range row {
			if i < len(rows[0]) {
				m[strings.TrimPrefix(rows[0][i], "\ufeff")] = cell
			}
		}
		out = append(out, m)
	}
	return out
}

// demonstration reads the packages of the demonstration.
func demonstration(t testing.TB) []portal.Dataset {
	t.Helper()
	root := filepath.Join("..", "..", "internal", "demo", "packages")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var ds []portal.Dataset
	for _, e := range entries {
		draft, err := datapackage.Load(os.DirFS(filepath.Join(root, e.Name())), ".")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		id, err := portal.NewDatasetID("main", e.Name())
		if err != nil {
			t.Fatal(err)
		}
		ds = append(ds, portal.Dataset{ID: id, Latest: draft.Release, Publisher: portal.Publisher{ID: "main", Title: portal.PlainText("Demonstration")}})
	}
	return ds
}

type asked struct{ query, id string }

// relevance gives the datasets and the queries with the names of their answers.
func relevance(t *testing.T) (ds []portal.Dataset, queries []asked) {
	ds = demonstration(t)
	data := os.Getenv("KOPRIK_EVAL_DATA")
	if data == "" {
		data = filepath.Dir(sharedtest.Path(t, "data/search-relevance"))
	}
	files, err := filepath.Glob(filepath.Join(data, "search-relevance", "*.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, d := range ds {
		names[d.ID.Name()] = d.ID.Name()
	}
	given := false
	for _, path := range append(files, filepath.Join("testdata", "queries.tsv")) {
		rows := table(t, path)
		if given && strings.HasPrefix(path, "testdata") {
			break
		}
		for _, row := range rows {
			switch {
			case row["name_uz"] != "":
				name := "i" + lang.Slug(row["code"]+" "+row["id"])
				d := titled(name, row["name_uz"], row["name_uz_cyrl"], row["name_ru"], row["name_en"])
				d.Latest.Passport.Indicator = row["code"]
				names[row["id"]], names[row["code"]] = name, name
				ds = append(ds, d)
			case row["query"] != "":
				given = true
				queries = append(queries, asked{row["query"], row["id"] + row["code"] + row["expected"]})
			}
		}
	}
	known := queries[:0]
	for _, q := range queries {
		if name := names[q.id]; name != "" {
			known = append(known, asked{q.query, name})
		} else {
			t.Errorf("query %q has the answer %q, which is no dataset", q.query, q.id)
		}
	}
	return ds, known
}

func TestEvalSearch(t *testing.T) {
	ds, queries := relevance(t)
	r := reader(t, filled(t, ds...))
	first, same := make([]int, 4), 0
	for _, q := range queries {
		var firsts []string
		for i, text := range spellingsOf(q.query) {
			got := names(find(t, r, portal.Query{Text: text, Lang: portal.Uzbek, Limit: 3}))
			if len(got) > 0 && got[0] == q.id {
				first[i]++
			} else if i == 0 {
				fmt.Printf("not first: %-50q want %s, found %q\n", text, q.id, got)
			}
			firsts = append(firsts, strings.Join(got[:min(1, len(got))], ""))
		}
		if len(slices.Compact(firsts)) == 1 {
			same++
		} else {
			fmt.Printf("spellings differ: %q: %q\n", q.query, firsts)
		}
	}
	fmt.Printf("%d datasets, %d queries × 4 spellings\n", len(ds), len(queries))
	for i, name := range []string{"Latin", "Latin, U+0027", "Cyrillic", "without apostrophes"} {
		share := float64(first[i]) / float64(len(queries))
		fmt.Printf("%-22s success@1 %.3f\n", name, share)
		if share < .9 {
			t.Errorf("%s: success@1 %.3f, want .9", name, share)
		}
	}
	fmt.Printf("%-22s %.3f\n", "same first hit", float64(same)/float64(len(queries)))
	if same != len(queries) {
		t.Errorf("%d of %d queries have the same first hit in all spellings", same, len(queries))
	}
}
