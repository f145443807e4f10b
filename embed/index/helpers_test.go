package index

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"koprik/portal"
)

// dataset makes a small dataset; each edit changes it.
func dataset(name, title string, edits ...func(*portal.Dataset)) portal.Dataset {
	d := portal.Dataset{
		ID: portal.DatasetID("main_" + name),
		Latest: portal.Release{
			Number: 1, Issued: time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC),
			Title: portal.PlainText(title), Themes: []portal.ThemeID{"economy"},
			Licenses:  []portal.License{{Name: "CC-BY-4.0"}},
			Resources: []portal.Resource{{Name: "data", Format: "csv"}},
		},
		Publisher: portal.Publisher{ID: "main", Title: portal.PlainText("Demonstration publisher")},
	}
	d.Latest.Dataset = d.ID
	for _, edit := range edits {
		edit(&d)
	}
	return d
}

func withTitles(l portal.Lang, s string) func(*portal.Dataset) {
	return func(d *portal.Dataset) {
		titles := map[portal.Lang]string{l: s}
		for k, v := range d.Latest.Title.Translated {
			titles[k] = v
		}
		d.Latest.Title.Translated = titles
	}
}

func withDescription(s string) func(*portal.Dataset) {
	return func(d *portal.Dataset) { d.Latest.Description = portal.PlainText(s) }
}

func withThemes(themes ...portal.ThemeID) func(*portal.Dataset) {
	return func(d *portal.Dataset) { d.Latest.Themes = themes }
}

func withdrawn(d *portal.Dataset) {
	d.Latest.Withdrawn = &portal.Withdrawal{Reason: portal.PlainText("names of persons")}
}

// numbered makes n datasets whose titles share a word.
func numbered(n int) []portal.Dataset {
	var ds []portal.Dataset
	for i := range n {
		ds = append(ds, dataset(fmt.Sprintf("d%04d", i), fmt.Sprintf("Aholi soni %d", i)))
	}
	return ds
}

func ids(ds []portal.Dataset) []portal.DatasetID {
	var out []portal.DatasetID
	for i := range ds {
		out = append(out, ds[i].ID)
	}
	return out
}

// open opens an index that is closed at the end of the test.
func open(t testing.TB, dir string) *Index {
	t.Helper()
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return x
}

// filled opens an index of generation 1 over ds.
func filled(t testing.TB, ds ...portal.Dataset) *Index {
	t.Helper()
	x := open(t, t.TempDir())
	update(t, x, 1, ds)
	return x
}

func update(t testing.TB, x *Index, generation int64, upserts []portal.Dataset, removed ...portal.DatasetID) {
	t.Helper()
	if err := x.Update(t.Context(), generation, upserts, removed); err != nil {
		t.Fatal(err)
	}
}

func reader(t testing.TB, x *Index) *Reader {
	t.Helper()
	r, err := x.Reader()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func find(t testing.TB, r *Reader, q portal.Query) portal.Results {
	t.Helper()
	results, err := r.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("search %+v: %v", q, err)
	}
	return results
}

// names gives the dataset parts of the hits' ids.
func names(results portal.Results) []string {
	var out []string
	for _, h := range results.Hits {
		out = append(out, h.Dataset.Name())
	}
	return out
}

func wantNames(t testing.TB, what string, results portal.Results, want ...string) {
	t.Helper()
	if got := names(results); !slices.Equal(got, want) || results.Total < len(want) {
		t.Errorf("%s: found %q of %d, want %q", what, got, results.Total, want)
	}
}

// lastUpdate gives the ids of LastUpdate.
func lastUpdate(x *Index) []portal.DatasetID {
	ids, _ := x.LastUpdate()
	return ids
}
