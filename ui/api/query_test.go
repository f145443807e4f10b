package api

import (
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

func TestASearchIsReadAsWritten(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want portal.Query
	}{
		{"", portal.Query{Filters: map[portal.Facet][]string{}}},
		{
			"q=+suv+ta%CA%BCminoti+&lang=uz-cyrl&theme=health&theme=environment&publisher=main&format=csv&license=CC-BY-4.0&sort=updated&limit=7&cursor=40",
			portal.Query{
				Text: "suv taʼminoti", Lang: portal.UzbekCyrillic, Sort: portal.ByUpdated, Limit: 7, Offset: 40,
				Filters: map[portal.Facet][]string{
					portal.FacetTheme: {"health", "environment"}, portal.FacetPublisher: {"main"},
					portal.FacetFormat: {"csv"}, portal.FacetLicense: {"CC-BY-4.0"},
				},
			},
		},
		{
			"q=ah&suggest=true&region=UZ-SA&year=2024&year=2025&language=ru&sex=yes&freshness=older",
			portal.Query{Text: "ah", Suggest: true, Filters: map[portal.Facet][]string{
				portal.FacetRegion: {"UZ-SA"}, portal.FacetYear: {"2024", "2025"}, portal.FacetLanguage: {"ru"},
				portal.FacetSex: {portal.SexYes}, portal.FacetFreshness: {portal.FreshOlder},
			}},
		},
		{"sort=relevance", portal.Query{Filters: map[portal.Facet][]string{}}},
	} {
		got, err := parseSearch(c.raw)
		if err != nil {
			t.Errorf("%s: %v", c.raw, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.raw, diff)
		}
	}
}

func TestColumnsOfAnyNameCanBeChosenAndFiltered(t *testing.T) {
	v := url.Values{
		"columns":            {`year,"Aholi, ming kishi","a ""b"""`, "limit"},
		"sort":               {`"a,b"`},
		"desc":               {"true"},
		"after":              {"k:1"},
		"limit":              {"1000"},
		"sheet":              {"Shahar"},
		"limit__eq":          {"5"},
		"a__eq__eq":          {"6"},
		"x___ge":             {"7"},
		"year__lt":           {"2020", "2019"},
		"Aholi, %__contains": {"1 000"},
	}
	got, err := parseRows(v.Encode())
	if err != nil {
		t.Fatal(err)
	}
	want := rowRequest{
		sheet: "Shahar",
		query: portal.TableQuery{
			Columns: []string{"year", "Aholi, ming kishi", `a "b"`, "limit"},
			Order:   []portal.TableOrder{{By: "a,b", Desc: true}}, After: "k:1", Limit: 1000,
			Filters: []portal.TableFilter{
				{Column: "Aholi, %", Op: "contains", Values: []string{"1 000"}},
				{Column: "a__eq", Op: "eq", Values: []string{"6"}},
				{Column: "limit", Op: "eq", Values: []string{"5"}},
				{Column: "x_", Op: "ge", Values: []string{"7"}},
				{Column: "year", Op: "lt", Values: []string{"2020"}},
				{Column: "year", Op: "lt", Values: []string{"2019"}},
			},
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(rowRequest{})); diff != "" {
		t.Error(diff)
	}
}

func FuzzQueries(f *testing.F) {
	for _, seed := range []string{
		"", "q=a&limit=5", "columns=%22a%2Cb%22%2Cc&year__eq=1", "a=%zz", "q=\xff", "columns=%22", "columns=a%0Ab",
		"limit=1e3", "__eq=", "cursor=20", "year__", "&&&", "columns=,", "sort=%00", "=0",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if q, err := parseSearch(raw); err != nil {
			mustBeUsage(t, err)
		} else if q.Limit < 0 || q.Limit > portal.MaxLimit || q.Offset < 0 || q.Offset > portal.MaxOffset ||
			utf8.RuneCountInString(q.Text) > portal.MaxQueryText || !utf8.ValidString(q.Text) {
			t.Errorf("over the limits: %+v", q)
		}
		req, err := parseRows(raw)
		if err != nil {
			mustBeUsage(t, err)
			return
		}
		if req.query.Limit < 0 || req.query.Limit > portal.MaxLimit || len(req.query.Filters) > portal.MaxTableFilters || len(req.query.Columns) > 2000 {
			t.Errorf("over the limits: %+v", req)
		}
		for _, c := range req.query.Columns {
			if !utf8.ValidString(c) {
				t.Errorf("column %q is not UTF-8", c)
			}
		}
	})
}

// mustBeUsage checks that an error of a parser is one to be shown.
func mustBeUsage(t *testing.T, err error) {
	t.Helper()
	if p := describe(err); p.Code != "usage" || p.Where == "" || p.Message == "" {
		t.Errorf("%v is described as %+v", err, p)
	}
}
