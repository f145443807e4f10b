package query

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"koprik/portal"
)

func TestAnAddressIsReadAsTheQueryItMeans(t *testing.T) {
	for raw, want := range map[string]portal.TableQuery{
		"": {},
		"region__eq=Xorazm&year__ge=2010": {Filters: []portal.TableFilter{
			{Column: "region", Op: portal.OpEqual, Values: []string{"Xorazm"}},
			{Column: "year", Op: portal.OpLeast, Values: []string{"2010"}},
		}},
		"limit__eq=5&limit=7&a__eq__ne=": {Limit: 7, Filters: []portal.TableFilter{
			{Column: "a__eq", Op: portal.OpNot, Values: []string{""}},
			{Column: "limit", Op: portal.OpEqual, Values: []string{"5"}},
		}},
		`columns=year,"Aholi, ming kishi"&columns=n`: {Columns: []string{"year", "Aholi, ming kishi", "n"}},
		`r__in=a,"b,+c",d&s__between="1,5",`: {Filters: []portal.TableFilter{
			{Column: "r", Op: portal.OpIn, Values: []string{"a", "b, c", "d"}},
			{Column: "s", Op: portal.OpBetween, Values: []string{"1,5", ""}},
		}},
		"x__empty=true":                          {Filters: []portal.TableFilter{{Column: "x", Op: portal.OpEmpty, Values: []string{"1"}}}},
		"sort=n&desc=true":                       {Order: []portal.TableOrder{{By: "n", Desc: true}}},
		"sort=n__desc,region,a__desc__asc":       {Order: []portal.TableOrder{{By: "n", Desc: true}, {By: "region"}, {By: "a__desc"}}},
		"desc=1":                                 {Order: []portal.TableOrder{{Desc: true}}},
		"q=+suv+&facet=region,sex&facet_limit=5": {Text: "suv", Facets: []string{"region", "sex"}, FacetLimit: 5},
		"group=region&aggregate=n__sum,n__p90,__count": {Group: []string{"region"}, Aggregates: []portal.Aggregate{
			{Column: "n", Func: portal.AggSum}, {Column: "n", Func: "p90"}, {Func: portal.AggCount},
		}},
		"sheet=2&lang=uz": {},
	} {
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(values)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", raw, err, diff)
		}
	}
}

func TestWhatIsWrongNamesItsParameter(t *testing.T) {
	for raw, where := range map[string]string{
		"n__like=5":                             "n__like",
		"limit=0":                               "limit",
		"limit=1001":                            "limit",
		"limit=1&limit=2":                       "limit",
		"desc=up&sort=n":                        "desc",
		"desc=1&sort=a,b":                       "desc",
		"desc=1&sort=a__desc":                   "desc",
		"sort=__desc":                           "sort",
		`columns="a`:                            "columns",
		"x__between=1":                          "x__between",
		"x__empty=":                             "x__empty",
		"aggregate=n":                           "aggregate",
		"aggregate=n__average":                  "aggregate",
		"aggregate=n__p101":                     "aggregate",
		"aggregate=n__p05":                      "aggregate",
		"aggregate=__sum":                       "aggregate",
		"group=1,2,3,4,5,6,7,8,9":               "group",
		"q=%ff":                                 "q",
		"a%00__eq=1":                            "a\x00__eq",
		"a__eq=%00":                             "a__eq",
		"q=" + strings.Repeat("x", 501):         "q",
		"a__eq=" + strings.Repeat("x", 4097):    "a__eq",
		strings.Repeat("a__eq=1&", 33):          "filters",
		"a__in=" + strings.Repeat("1,", 1000):   "a__in",
		"columns=" + strings.Repeat("1,", 2000): "columns",
	} {
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(values)
		var p *portal.Problem
		if !errors.As(err, &p) || !errors.Is(err, portal.ErrUsage) || p.Where != where || p.Message == "" {
			t.Errorf("%.60s: %v, want a problem of %s", raw, err, where)
		}
	}
}

// roundTrips fails when q, which Parse gave, is not read again from its own spelling.
func roundTrips(t interface{ Errorf(string, ...any) }, q portal.TableQuery) {
	again, err := Parse(Values(q))
	if diff := cmp.Diff(q, again); diff != "" || err != nil {
		t.Errorf("%v: %v\n%s", Values(q), err, diff)
	}
	if one, two := Values(q).Encode(), Values(again).Encode(); one != two {
		t.Errorf("two spellings: %s and %s", one, two)
	}
}

func TestAQueryReadAndWrittenIsTheSame(t *testing.T) {
	word := rapid.OneOf(rapid.SampledFrom([]string{"a", "a__desc", "b__asc", "limit", "a, b", `say "x"`, "year__eq", "__", "2\n3", "x\r\ny", " ", "шаҳар"}), rapid.StringN(1, 8, 30))
	rapid.Check(t, func(t *rapid.T) {
		values := url.Values{}
		for _, name := range []string{Columns, Order, Facets, Group} {
			if rapid.Bool().Draw(t, name) {
				values.Set(name, FormatList(rapid.SliceOfN(word, 1, 5).Draw(t, name+" list")))
			}
		}
		for range rapid.IntRange(0, 4).Draw(t, "filters") {
			op := rapid.SampledFrom(portal.TableOps).Draw(t, "op")
			v := rapid.OneOf(word, rapid.SampledFrom([]string{"", "1", "0", "1,2", `"1,5",7`})).Draw(t, "value")
			values.Add(FilterName(word.Draw(t, "column"), op), v)
		}
		if rapid.Bool().Draw(t, "aggregates") {
			values.Set(Aggregates, FormatList([]string{"__count", word.Draw(t, "column") + "__p7"}))
		}
		if q, err := Parse(values); err == nil {
			roundTrips(t, q)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("region__in=a,b&sort=n__desc&columns=a,%22b,c%22&facet=x&group=y&aggregate=n__sum&limit=5&after=x&q=suv")
	f.Add("a__between=,1&desc=1&x__empty=0")
	f.Fuzz(func(t *testing.T, raw string) {
		values, _ := url.ParseQuery(raw)
		q, err := Parse(values)
		switch {
		case err == nil:
			roundTrips(t, q)
		case !errors.Is(err, portal.ErrUsage):
			t.Error(err)
		}
	})
}
