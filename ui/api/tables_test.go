package api

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

// answering is a Querier that remembers what it was asked.
type answering struct {
	asked  portal.SQLQuery
	answer portal.SQLAnswer
	err    error
}

func (a *answering) SQL(_ context.Context, q portal.SQLQuery) (portal.SQLAnswer, error) {
	a.asked = q
	return a.answer, a.err
}

func TestGroupsTotalsAndFacetsComeUnderTheirNames(t *testing.T) {
	w := newWorld()
	w.page = portal.TableAnswer{
		Columns: w.tables["water"][0].Columns[:1], Total: 7, GroupTotal: 3, Next: "k:2",
		Groups: []portal.TableGroup{{Keys: []any{int64(2014)}, Count: 4, Values: []any{81.5, int64(4)}}, {Keys: []any{nil}, Count: 3, Values: []any{nil, int64(3)}}},
		Totals: []any{90.5, int64(7)},
		Facets: []portal.TableFacet{{Column: "year", Total: 1, Values: []portal.FacetValue{{Value: int64(2014), Count: 4}, {Count: 3}}}},
	}
	rec := get(t, New(w.options(io.Discard)), "/api/v1/tables/main_water/water/rows?group=year&aggregate=water__p90,__count&facet=year&sort=water__p90__desc")
	got := decoded[rowsPage](t, rec)
	want := portal.TableQuery{
		Group: []string{"year"}, Facets: []string{"year"}, Order: []portal.TableOrder{{By: "water__p90", Desc: true}},
		Aggregates: []portal.Aggregate{{Column: "water", Func: "p90"}, {Func: portal.AggCount}},
	}
	if diff := cmp.Diff(want, w.rowed); diff != "" {
		t.Errorf("asked: %s", diff)
	}
	names := []string{}
	for _, c := range got.Columns {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"year", "__count", "water__p90"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]any{{2014.0, 4.0, 81.5}, {nil, 3.0, nil}}, got.Rows); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"water__p90": 90.5, "__count": 7.0}, got.Totals); diff != "" {
		t.Error(diff)
	}
	if *got.Groups != 3 || got.Total != 7 || got.Facets[0].Values[1].Value != nil || got.NextURL == "" {
		t.Errorf("%+v", got)
	}
}

func TestRowsThatTheReaderHasAreNotAskedForAgain(t *testing.T) {
	w := newWorld()
	h := New(w.options(io.Discard))
	address := "/api/v1/tables/main_water/water/rows?year__ge=2014&sort=year"
	first := get(t, h, address)
	tag := first.Header().Get("ETag")
	if tag == "" || w.queries != 1 {
		t.Fatalf("tag %q after %d queries", tag, w.queries)
	}
	again := get(t, h, address, "If-None-Match", tag)
	if again.Code != http.StatusNotModified || w.queries != 1 || again.Header().Get("Koprik-Release") != "2" {
		t.Errorf("%d after %d queries", again.Code, w.queries)
	}
	for _, other := range []string{address + "&limit=5", "/api/v1/tables/main_water/book/rows"} {
		if got := get(t, h, other).Header().Get("ETag"); got == tag {
			t.Errorf("%s has the same tag", other)
		}
	}
	w.state.Generation++
	if got := get(t, h, address).Header().Get("ETag"); got == tag {
		t.Error("another generation has the same tag")
	}
}

func TestEverySheetIsDescribedWithWhatItsColumnsMean(t *testing.T) {
	w := newWorld()
	h := New(w.options(io.Discard))
	got := decoded[tablesPage](t, get(t, h, "/api/v1/tables/main_water/water"))
	if len(got.Sheets) != 1 || got.Sheets[0].Columns[0].Meaning.Kind != portal.KindYear || got.Sheets[0].RowsURL != "/api/v1/tables/main_water/water/rows" {
		t.Errorf("%+v", got)
	}
	book := decoded[tablesPage](t, get(t, h, "/api/v1/tables/main_water/book"))
	if len(book.Sheets) != 2 || book.Sheets[1].Sheet != "Shahar" || book.Sheets[1].RowsURL != "/api/v1/tables/main_water/book/rows?sheet=Shahar" {
		t.Errorf("%+v", book)
	}
	refused(t, get(t, h, "/api/v1/tables/main_water/water?x=1"), http.StatusBadRequest, "usage")
	refused(t, get(t, h, "/api/v1/tables/main_names/water"), http.StatusGone, "withdrawn")
}

func TestSQLKnowsTheTablesOfTheAddress(t *testing.T) {
	w, engine := newWorld(), &answering{answer: portal.SQLAnswer{Columns: []string{"n"}, Rows: [][]any{{int64(1)}}, Truncated: true}}
	o := w.options(io.Discard)
	o.SQL = engine
	h := New(o)
	rec := get(t, h, "/api/v1/sql?sql=SELECT+1&table=main_water/water&table=b%3Dmain_water/book/Shahar")
	got := decoded[sqlPage](t, rec)
	if len(engine.asked.Tables) != 2 || engine.asked.Text != "SELECT 1" || engine.asked.Tables[0].Name != "water" ||
		engine.asked.Tables[1].Name != "b" || engine.asked.Tables[1].Sheet != "Shahar" || engine.asked.Tables[1].Resource.Name != "book" {
		t.Errorf("%+v", engine.asked)
	}
	if !got.Truncated || got.Tables[1].Release != 2 || got.Tables[1].Table != "book" || !cmp.Equal(got.Rows, [][]any{{1.0}}) {
		t.Errorf("%+v", got)
	}
	for raw, c := range map[string]struct {
		status      int
		code, where string
	}{
		"":                                  {http.StatusBadRequest, "usage", "sql"},
		"sql=SELECT+1&table=water":          {http.StatusBadRequest, "usage", "table"},
		"sql=SELECT+1&x=1":                  {http.StatusBadRequest, "usage", "x"},
		"sql=SELECT+1&table=main_no/water":  {http.StatusNotFound, "not_found", "table"},
		"sql=SELECT+1&table=main_water/no":  {http.StatusNotFound, "not_found", "table"},
		"sql=SELECT+1&table=no/no":          {http.StatusNotFound, "not_found", "table"},
		"sql=SELECT+1&table=main_names/a":   {http.StatusGone, "withdrawn", "main_names"},
		"sql=SELECT+1&table=main_water/big": {http.StatusNotFound, "not_held", ""},
		"sql=SELECT+1" + strings.Repeat("&table=main_water/water", portal.MaxSQLTables+1): {http.StatusBadRequest, "usage", "table"},
		"sql=" + strings.Repeat("x", portal.MaxSQL+1):                                     {http.StatusBadRequest, "usage", "sql"},
	} {
		f := refused(t, get(t, h, "/api/v1/sql?"+raw), c.status, c.code)
		if c.where != "" && f.Error.Where != c.where {
			t.Errorf("%.60s: where %q, want %q", raw, f.Error.Where, c.where)
		}
	}
	engine.err = &portal.Problem{Kind: portal.ErrTooMuch, Where: "sql", Message: "the statement did not end"}
	refused(t, get(t, h, "/api/v1/sql?sql=SELECT+1"), http.StatusServiceUnavailable, "too_much")
	refused(t, get(t, New(w.options(io.Discard)), "/api/v1/sql?sql=SELECT+1"), http.StatusNotFound, "not_found")
}
