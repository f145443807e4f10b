package index

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

// library is a catalogue with a bit of everything.
func library(t testing.TB) *Reader {
	t.Helper()
	return reader(t, filled(t,
		dataset("population", "Oʻzbekiston aholisi soni", withTitles(portal.Russian, "Численность населения Узбекистана"),
			withTitles(portal.English, "Population of Uzbekistan"), withThemes("population", "regions"),
			withDescription("Doimiy aholi, yil boshiga")),
		dataset("births", "Tugʻilganlar soni", withTitles(portal.Russian, "Число родившихся"), withTitles(portal.English, "Number of births"),
			withThemes("population", "health"), func(d *portal.Dataset) {
				d.Latest.Keywords = []string{"chaqaloq"}
				d.Latest.Issued = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			}),
		dataset("prices", "Isteʼmol narxlari indeksi", withTitles(portal.UzbekCyrillic, "Истеъмол нархлари индекси"),
			withTitles(portal.English, "Consumer price index"), withThemes("economy"), func(d *portal.Dataset) {
				d.Latest.Passport.Indicator = "1.11.01.0026"
				d.Latest.Licenses = []portal.License{{Name: "CC0-1.0"}}
				d.Latest.Resources = []portal.Resource{
					{Name: "monthly", Format: "xlsx", Schema: &portal.TableSchema{Fields: []portal.Field{{Name: "viloyat", Title: portal.PlainText("Region name")}}}},
					{Name: "yearly", Format: "csv"},
					{Name: "yearly2", Format: "csv"},
				}
				d.Latest.Issued = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
			}),
		dataset("schools", "Maktablar", withTitles(portal.Karakalpak, "Mektepler, awıllıq jerler"), withThemes("education"),
			withDescription("Tugʻilganlar haqida emas: soni maktablarning"), func(d *portal.Dataset) {
				d.Publisher.Title = portal.PlainText("Xalq taʼlimi vazirligi")
				d.ID = "edu_schools"
			}),
	))
}

func TestEveryWordMustStandSomewhere(t *testing.T) {
	r := library(t)
	for _, c := range []struct {
		text string
		want []string
	}{
		{"aholi", []string{"population"}},
		{"ahlo", nil},
		{"aholisining", []string{"population"}},
		{"soni", []string{"births", "population", "schools"}},
		{"soni aholisi", []string{"population"}},
		{"yoʻqsoʻz", nil},
		{"население", []string{"population"}},
		{"родившийся", []string{"births", "schools"}}, // by its synonym tugʻilganlar
		{"birth", []string{"births", "schools"}},
		{"prices", []string{"prices"}},
		{"chaqaloq", []string{"births", "schools"}},
		{"region", []string{"prices"}},
		{"viloyat", []string{"prices"}},
		{"monthly", []string{"prices"}},
		{"1.11.01.0026", []string{"prices"}},
		{"vazirligi", []string{"schools"}},
		{"аўыллық", []string{"schools"}},
		{"awilliq", []string{"schools"}},
		{"", []string{"births", "population", "prices", "schools"}},
		{"!!! ... «»", []string{"births", "population", "prices", "schools"}},
		{`"Doimiy aholi"`, []string{"population"}},
		{`"aholi doimiy"`, nil},
		{"«Число родившихся»", []string{"births"}},
		{`"soni`, []string{"births", "population", "schools"}},
		{`"birth"`, nil},
		{"soni -aholisi", []string{"births", "schools"}},
		{`soni -"soni maktablarning"`, []string{"births", "population"}},
		{"-soni", []string{"prices"}},
		{"−soni", []string{"prices"}},
		{"soni -", []string{"births", "population", "schools"}},
	} {
		got := names(find(t, r, portal.Query{Text: c.text}))
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q found %q, want %q", c.text, got, c.want)
		}
	}
}

func TestATitleCountsMoreThanADescription(t *testing.T) {
	r := library(t)
	wantNames(t, "tugʻilganlar soni", find(t, r, portal.Query{Text: "tugilganlar soni"}), "births", "schools")
	wantNames(t, "exact apostrophe", find(t, r, portal.Query{Text: "Tugʻilganlar soni"}), "births", "schools")
}

func TestAPhraseDoesNotReachFromOneWordingIntoTheNext(t *testing.T) {
	r := reader(t, filled(t, dataset("a", "Bir ikki", withTitles(portal.Russian, "Три четыре"), func(d *portal.Dataset) {
		d.Latest.Keywords = []string{"besh olti", "yetti"}
	})))
	for text, want := range map[string]int{`"bir ikki"`: 1, `"ikki три"`: 0, `"четыре bir"`: 0, `"besh olti"`: 1, `"olti yetti"`: 0, `"ikki besh"`: 0} {
		if n := find(t, r, portal.Query{Text: text}).Total; n != want {
			t.Errorf("%s: %d, want %d", text, n, want)
		}
	}
}

func TestMatchedNamesTheKindsOfField(t *testing.T) {
	r := library(t)
	for text, want := range map[string][]string{
		"soni":                {"title"},
		"doimiy":              {"description"},
		"aholi":               {"title", "description"},
		"chaqaloq":            {"keyword"},
		"vazirligi":           {"publisher"},
		"viloyat":             {"column"},
		"yearly":              {"description"},
		"narxlari viloyat":    {"title", "column"},
		`"Region name"`:       {"column"},
		"":                    nil,
		"maktablar vazirligi": {"title", "description", "publisher"},
	} {
		hits := find(t, r, portal.Query{Text: text}).Hits
		if len(hits) == 0 || !slices.Equal(hits[0].Matched, want) {
			t.Errorf("%q: %+v, want %q", text, hits, want)
		}
	}
}

func TestFacetsCountAllHitsAndFiltersNarrow(t *testing.T) {
	r := library(t)
	all := find(t, r, portal.Query{Limit: 1})
	want := map[portal.Facet]map[string]int{
		portal.FacetTheme:     {"population": 2, "regions": 1, "health": 1, "economy": 1, "education": 1},
		portal.FacetPublisher: {"main": 3, "edu": 1},
		portal.FacetFormat:    {"csv": 4, "xlsx": 1},
		portal.FacetLicense:   {"CC-BY-4.0": 3, "CC0-1.0": 1},
	}
	for f, counts := range want {
		if !maps.Equal(all.Facets[f], counts) {
			t.Errorf("%s: %v, want %v", f, all.Facets[f], counts)
		}
	}
	if all.Total != 4 || len(all.Hits) != 1 {
		t.Errorf("%d of %d", len(all.Hits), all.Total)
	}
	narrow := find(t, r, portal.Query{Text: "soni", Sort: portal.ByName, Filters: map[portal.Facet][]string{
		portal.FacetTheme: {"population", "education"}, portal.FacetPublisher: {"main"}, portal.FacetFormat: {},
	}})
	wantNames(t, "two themes, one publisher", narrow, "births", "population")
	for _, h := range find(t, r, portal.Query{Text: "soni", Filters: map[portal.Facet][]string{portal.FacetPublisher: {"main"}}}).Hits {
		if math.IsNaN(h.Score) || math.IsInf(h.Score, 0) || h.Score <= 0 {
			t.Errorf("%s: score %v", h.Dataset, h.Score)
		}
	}
	if none := find(t, r, portal.Query{Filters: map[portal.Facet][]string{portal.FacetLicense: {"MIT"}}}); none.Total != 0 || len(none.Facets) != len(portal.Facets) {
		t.Errorf("%+v", none)
	}
}

func TestSortsAreDeterministic(t *testing.T) {
	r := library(t)
	wantNames(t, "by update", find(t, r, portal.Query{Sort: portal.ByUpdated}), "births", "schools", "population", "prices")
	wantNames(t, "by name", find(t, r, portal.Query{Sort: portal.ByName}), "schools", "births", "population", "prices")
	same := reader(t, filled(t, numbered(30)...))
	var paged []string
	for offset := 0; offset < 30; offset += 7 {
		paged = append(paged, names(find(t, same, portal.Query{Text: "aholi", Offset: offset, Limit: 7}))...)
	}
	whole := names(find(t, same, portal.Query{Text: "aholi", Limit: 100}))
	if len(whole) != 30 || !slices.Equal(paged, whole) || !slices.IsSorted(whole) {
		t.Errorf("paged %q\nwhole %q", paged, whole)
	}
	if n := len(find(t, same, portal.Query{}).Hits); n != portal.DefaultLimit {
		t.Errorf("%d hits without a limit", n)
	}
}

func TestAQueryOverTheLimitsIsUsage(t *testing.T) {
	r := library(t)
	for _, q := range []portal.Query{
		{Limit: -1},
		{Limit: portal.MaxLimit + 1},
		{Offset: -1},
		{Offset: portal.MaxOffset + 1},
		{Sort: "random"},
		{Filters: map[portal.Facet][]string{"colour": {"red"}}},
		{Filters: map[portal.Facet][]string{portal.FacetTheme: make([]string, maxValues+1)}},
	} {
		if _, err := r.Search(t.Context(), q); !errors.Is(err, portal.ErrUsage) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if n := find(t, r, portal.Query{Offset: portal.MaxOffset, Limit: portal.MaxLimit}); len(n.Hits) != 0 || n.Total != 4 {
		t.Errorf("%+v", n)
	}
}

func TestALongQueryIsCutAndAnswered(t *testing.T) {
	r := library(t)
	long := "soni " + strings.Repeat("soni ", 200) + "yoʻqsoʻz"
	if n := find(t, r, portal.Query{Text: long}).Total; n != 3 {
		t.Errorf("%d: what is beyond the limit was searched", n)
	}
	find(t, r, portal.Query{Text: strings.Repeat(`"a `, 5000)})
	find(t, r, portal.Query{Text: strings.Repeat("ў", 100_000)})
}

func TestASearchEndsWithItsContext(t *testing.T) {
	r := library(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Search(ctx, portal.Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestExplainTellsWhy(t *testing.T) {
	r := library(t)
	hit := find(t, r, portal.Query{Text: "aholi", Explain: true}).Hits[0]
	if !strings.Contains(hit.Explain, "titles:") {
		t.Errorf("%q", hit.Explain)
	}
	if plain := find(t, r, portal.Query{Text: "aholi"}).Hits[0]; plain.Explain != "" || plain.Score != hit.Score {
		t.Errorf("%+v and %+v", plain, hit)
	}
}

// BenchmarkSearch is over 600 datasets of four languages; p50 in microseconds.
func BenchmarkSearch(b *testing.B) {
	var ds []portal.Dataset
	for i := range 600 {
		ds = append(ds, dataset(fmt.Sprintf("d%d", i), fmt.Sprintf("%s aholisi soni, %d-yil", words[i%len(words)], 2000+i/30),
			withTitles(portal.Russian, fmt.Sprintf("Численность населения, %s, %d год", words[i%7], 2000+i/30)),
			withTitles(portal.English, fmt.Sprintf("Population of %s in %d", words[i%11], 2000+i/30)),
			withDescription(strings.Repeat(words[i%len(words)]+" tumanlari boʻyicha maʼlumot ", 8)),
			withThemes(portal.Themes[i%13])))
	}
	begun := time.Now()
	r := reader(b, filled(b, ds...))
	b.Logf("rebuilt in %s", time.Since(begun))
	for _, text := range []string{"", "aholisi", "ozbekiston aholisi soni", "численность населения", `"aholisi soni" -2001`} {
		b.Run(text, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				find(b, r, portal.Query{Text: text})
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
		})
	}
}

var words = []string{
	"Oʻzbekiston", "Andijon", "Buxoro", "Jizzax", "Qashqadaryo", "Navoiy", "Namangan", "Samarqand", "Surxondaryo", "Sirdaryo",
	"Toshkent", "Fargʻona", "Xorazm", "Qoraqalpogʻiston", "Zarafshon", "Chirchiq", "Angren", "Termiz", "Nukus",
}
