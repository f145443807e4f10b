package index

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/lang"
)

func titled(name string, uz, cyrl, ru, en string) portal.Dataset {
	return dataset(name, uz, withTitles(portal.Uzbek, uz), withTitles(portal.UzbekCyrillic, cyrl),
		withTitles(portal.Russian, ru), withTitles(portal.English, en))
}

// indicators reads the table of indicator titles.
func indicators(t *testing.T) []portal.Dataset {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "data/search-relevance/siat_indicators_economy_labour_household.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var ds []portal.Dataset
	for _, row := range rows[1:] {
		ds = append(ds, titled("i"+row[0], row[3], row[4], row[5], row[6]))
	}
	return ds
}

// statistics reads the titles of official indicator files.
func statistics(t *testing.T) []portal.Dataset {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "data/uz-statistics/siat-cerr"), "siat-*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v, %v", paths, err)
	}
	var ds []portal.Dataset
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file []struct {
			Metadata []map[string]any `json:"metadata"`
		}
		if err := json.Unmarshal(b, &file); err != nil {
			t.Fatal(err)
		}
		for i, m := range file[0].Metadata {
			if m["name_en"] == "Indicator name" {
				value := func(l string) string { s, _ := m["value_"+l].(string); return s }
				ds = append(ds, titled(fmt.Sprintf("%s-%d", lang.Slug(filepath.Base(path)), i), value("uz"), value("uzc"), value("ru"), value("en")))
			}
		}
	}
	return ds
}

// realTitles are all of them, each wording once.
func realTitles(t *testing.T) []portal.Dataset {
	t.Helper()
	seen := map[string]bool{}
	return slices.DeleteFunc(append(indicators(t), statistics(t)...), func(d portal.Dataset) bool {
		key := lang.FoldLoose(d.Latest.Title.Plain)
		was := seen[key]
		seen[key] = true
		return was
	})
}

var dropApostrophes = strings.NewReplacer("ʻ", "", "ʼ", "", "‘", "", "’", "", "'", "", "`", "")

func TestEverySpellingOfARealTitleFindsItFirst(t *testing.T) {
	ds := realTitles(t)
	r := reader(t, filled(t, ds...))
	spellings := []struct {
		name string
		of   func(portal.Text) string
	}{
		{"Latin", func(t portal.Text) string { return lang.ToLatin(t.Translated[portal.Uzbek]) }},
		{"Latin, U+0027", func(t portal.Text) string {
			return strings.NewReplacer("ʻ", "'", "ʼ", "'").Replace(lang.ToLatin(t.Translated[portal.Uzbek]))
		}},
		{"Cyrillic", func(t portal.Text) string { return t.Translated[portal.UzbekCyrillic] }},
		{"phone Latin", func(t portal.Text) string {
			return strings.ToLower(dropApostrophes.Replace(t.Translated[portal.Uzbek]))
		}},
	}
	for _, spelling := range spellings {
		first := 0
		for i := range ds {
			query := spelling.of(ds[i].Latest.Title)
			results := find(t, r, portal.Query{Text: query})
			if got := names(results); len(got) > 0 && got[0] == ds[i].ID.Name() {
				first++
			} else {
				t.Errorf("%s %q found %q, want %s first", spelling.name, query, got, ds[i].ID.Name())
			}
		}
		t.Logf("%s: success@1 %d of %d", spelling.name, first, len(ds))
	}
}

// The first three words of a title are what people type. All spellings find the
// same datasets; the two that have the apostrophes, the same one first.
func TestShortQueriesFindTheSameInBothScripts(t *testing.T) {
	ds := realTitles(t)
	r := reader(t, filled(t, ds...))
	found := func(s string) []string {
		words := lang.Tokens(s)
		return names(find(t, r, portal.Query{Text: strings.Join(words[:min(3, len(words))], " "), Limit: 100}))
	}
	for i := range ds {
		title := ds[i].Latest.Title
		latin, cyrillic := found(title.Translated[portal.Uzbek]), found(title.Translated[portal.UzbekCyrillic])
		phone := found(dropApostrophes.Replace(title.Translated[portal.Uzbek]))
		if len(latin) == 0 || len(cyrillic) == 0 || latin[0] != cyrillic[0] {
			t.Errorf("%q: Latin %q, Cyrillic %q", title.Plain, latin, cyrillic)
		}
		for _, f := range [][]string{latin, phone, cyrillic} {
			slices.Sort(f)
		}
		if !slices.Equal(latin, cyrillic) || !slices.Equal(latin, phone) {
			t.Errorf("%q: Latin %q, phone %q, Cyrillic %q", title.Plain, latin, phone, cyrillic)
		}
	}
}
