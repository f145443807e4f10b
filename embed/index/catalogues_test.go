package index

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/lang"
)

// jsonLines calls f for every line of a file, packed by zstd or not.
func jsonLines(t *testing.T, path string, f func(line []byte)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	if filepath.Ext(path) == ".zst" {
		r, err := zstd.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		lines = bufio.NewScanner(r)
	}
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		f(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// catalogueRecords are the records of the world's data portals.
func catalogueRecords(t *testing.T) []portal.Dataset {
	t.Helper()
	var ds []portal.Dataset
	jsonLines(t, sharedtest.Path(t, "data/catalogues/dataportals-registry/portals.jsonl.zst"), func(line []byte) {
		var r struct {
			Name, Description string
			Tags              []any
			Owner             struct{ Name string }
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		d := dataset(fmt.Sprintf("p%05d", len(ds)), r.Name, withDescription(r.Description))
		for _, tag := range r.Tags {
			d.Latest.Keywords = append(d.Latest.Keywords, fmt.Sprint(tag))
		}
		d.Publisher.Title = portal.PlainText(r.Owner.Name)
		ds = append(ds, d)
	})
	return ds
}

// realSearches are the searches of a log of CKAN's clients, in their order.
func realSearches(t *testing.T) []string {
	t.Helper()
	var queries []string
	jsonLines(t, sharedtest.Path(t, "data/ckan-clients/ckan-mcp/worker_events_first60pct.jsonl"), func(line []byte) {
		var r struct{ Tool, Query string }
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.Tool == "ckan_package_search" && r.Query != "" {
			queries = append(queries, r.Query)
		}
	})
	return queries
}

func TestRealSearchesOverRealCatalogueRecordsAreAnswered(t *testing.T) {
	if testing.Short() {
		t.Skip("12,519 records: half a minute under the race detector")
	}
	ds, queries := catalogueRecords(t), realSearches(t)
	begun := time.Now()
	r := reader(t, filled(t, ds...))
	t.Logf("%d records indexed in %s", len(ds), time.Since(begun).Round(time.Millisecond))
	if n := find(t, r, portal.Query{}).Total; n != len(ds) {
		t.Errorf("%d of %d records", n, len(ds))
	}
	found, partly := 0, 0
	var took []time.Duration
	for _, q := range queries {
		begun := time.Now()
		results := find(t, r, portal.Query{Text: q, Lang: portal.English})
		took = append(took, time.Since(begun))
		if results.Total > 0 {
			found++
		}
		if results.Partly {
			partly++
		}
	}
	slices.Sort(took)
	t.Logf("%d searches: %d found something, %d of them only by part of their words; p50 %s, p99 %s",
		len(queries), found, partly, took[len(took)/2], took[len(took)*99/100])
	if len(queries) < 1000 || len(ds) < 12_500 {
		t.Errorf("%d searches over %d records, want 1,000 over 12,500", len(queries), len(ds))
	}
	for _, i := range []int{0, 1000, 12_000} {
		got := find(t, r, portal.Query{Text: ds[i].Latest.Title.Plain})
		if key := lang.FoldLoose(ds[i].Latest.Title.Plain); len(got.Hits) == 0 || lang.FoldLoose(titleOf(ds, got.Hits[0].Dataset)) != key {
			t.Errorf("%q is not the first hit of its own title", ds[i].Latest.Title.Plain)
		}
	}
}

func titleOf(ds []portal.Dataset, id portal.DatasetID) string {
	i := slices.IndexFunc(ds, func(d portal.Dataset) bool { return d.ID == id })
	return ds[i].Latest.Title.Plain
}
