package table

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"koprik/portal"

	"github.com/google/go-cmp/cmp"
)

// placesCSV is a table of n rows, large enough for a summary where n is.
func placesCSV(n int) []byte {
	var b strings.Builder
	b.WriteString("id,region,year,women,share\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,%s,%d,%d,%d.5\n", i, []string{"Xorazm", "Тошкент", "Buxoro", ""}[i%4], 2000+i%7, i%13, i%3)
	}
	return []byte(b.String())
}

func queryOf(t testing.TB, s *Store, r portal.Resource, q portal.TableQuery) portal.TableAnswer {
	t.Helper()
	a, err := s.Query(context.Background(), r, "", q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAGroupedQueryHasGroupsTotalsAndPages(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", placesCSV(12))
	q := portal.TableQuery{
		Group: []string{"region"}, Order: []portal.TableOrder{{By: "women__sum", Desc: true}}, Limit: 3, Facets: []string{"year"}, FacetLimit: 1,
		Aggregates: []portal.Aggregate{{Column: "women", Func: portal.AggSum}, {Column: "women", Func: portal.AggMedian}, {Column: "share", Func: portal.AggMean}},
	}
	got := queryOf(t, s, r, q)
	want := portal.TableAnswer{
		Columns: got.Columns, Total: 12, GroupTotal: 4, Next: got.Next, Totals: []any{int64(66), 5.5, 1.5},
		Groups: []portal.TableGroup{
			{Keys: []any{nil}, Count: 3, Values: []any{int64(21), int64(7), 1.5}},
			{Keys: []any{"Buxoro"}, Count: 3, Values: []any{int64(18), int64(6), 1.5}},
			{Keys: []any{"Тошкент"}, Count: 3, Values: []any{int64(15), int64(5), 1.5}},
		},
		Facets: []portal.TableFacet{{Column: "year", Total: 7, Values: []portal.FacetValue{{Value: int64(2000), Count: 2}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Next == "" || got.Columns[0].Name != "region" {
		t.Errorf("%s", diff)
	}
	q.After = got.Next
	if next := queryOf(t, s, r, q); len(next.Groups) != 1 || next.Groups[0].Keys[0] != "Xorazm" || next.Next != "" {
		t.Errorf("%+v", next)
	}
	q.Order = nil
	if _, err := s.Query(context.Background(), r, "", q); !errors.Is(err, portal.ErrUsage) {
		t.Errorf("a cursor of another order: %v", err)
	}
}

func TestAFacetIsNotNarrowedByItsOwnFilter(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", placesCSV(28))
	got := queryOf(t, s, r, portal.TableQuery{
		Facets:  []string{"region", "year"},
		Filters: []portal.TableFilter{{Column: "region", Op: portal.OpIn, Values: []string{"Xorazm", "Buxoro"}}, {Column: "year", Op: portal.OpLess, Values: []string{"2003"}}},
	})
	counts := map[string]int64{}
	for _, f := range got.Facets {
		for _, v := range f.Values {
			counts[fmt.Sprint(f.Column, " ", v.Value)] = v.Count
		}
	}
	want := map[string]int64{
		"region Xorazm": 3, "region Тошкент": 3, "region Buxoro": 3, "region <nil>": 3,
		"year 2000": 2, "year 2001": 2, "year 2002": 2, "year 2003": 2, "year 2004": 2, "year 2005": 2, "year 2006": 2,
	}
	if diff := cmp.Diff(want, counts); diff != "" || got.Total != 6 {
		t.Errorf("%d rows %s", got.Total, diff)
	}
}

// The first query on a column of a large table reads its rows; the summary that
// is made then gives the same answers, also when it is damaged or gone.
func TestASummaryAnswersAsTheRowsDo(t *testing.T) {
	s, m := newStore(t)
	s.limit = time.Minute
	r := m.add("a.csv", placesCSV(5000))
	queries := []portal.TableQuery{
		{Filters: []portal.TableFilter{{Column: "region", Op: portal.OpContains, Values: []string{"toshkent"}}}, Limit: 7},
		{Order: []portal.TableOrder{{By: "women", Desc: true}, {By: "region"}}, Limit: 7},
		{Group: []string{"region", "year"}, Aggregates: []portal.Aggregate{{Column: "share", Func: portal.AggSum}}},
		{Text: "xorazm 2003", Limit: 3},
	}
	var fromRows []portal.TableAnswer
	for _, q := range queries {
		fromRows = append(fromRows, queryOf(t, s, r, q))
	}
	check := func(when string) {
		t.Helper()
		for i, q := range queries {
			s.answers = newAnswers()
			if diff := cmp.Diff(fromRows[i], queryOf(t, s, r, q)); diff != "" {
				t.Errorf("%s, query %d:\n%s", when, i, diff)
			}
			s.columns.work.Wait()
		}
	}
	check("as the summary is made")
	files, _ := filepath.Glob(filepath.Join(s.dir, columnsFolder, "*.col"))
	if len(files) != 5 {
		t.Fatalf("summaries %q", files)
	}
	check("from the summary")
	if err := os.WriteFile(files[0], []byte("scrambled"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(files[1]); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = Open(s.dir, m)
	defer s.Close()
	s.limit = time.Minute
	check("after damage")
	check("mended")
	if err := s.Prune(nil); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, columnsFolder, "*")); len(left) != 0 {
		t.Errorf("after pruning: %q", left)
	}
}

func TestManyAskAtOnceWhileASummaryIsMade(t *testing.T) {
	s, m := newStore(t)
	s.limit = time.Minute
	r := m.add("a.csv", placesCSV(3000))
	want := queryOf(t, s, r, portal.TableQuery{Group: []string{"region"}}).Groups
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 4 {
				q := portal.TableQuery{Group: []string{"region"}, Filters: []portal.TableFilter{{Column: "id", Op: portal.OpLeast, Values: []string{fmt.Sprint(-i*10 - n)}}}}
				a, err := s.Query(context.Background(), r, "", q)
				if diff := cmp.Diff(want, a.Groups); diff != "" || err != nil {
					t.Errorf("%v %s", err, diff)
				}
			}
		})
	}
	all.Wait()
}

func TestAStreamGivesEveryRowInOrder(t *testing.T) {
	s, m := newStore(t)
	s.limit = 1 // a stream has no limit of time
	r := m.add("a.csv", placesCSV(5000))
	for name, q := range map[string]portal.TableQuery{
		"file":    {Filters: []portal.TableFilter{{Column: "region", Op: portal.OpEqual, Values: []string{"Xorazm"}}}},
		"reverse": {Order: []portal.TableOrder{{Desc: true}}},
		"sorted":  {Order: []portal.TableOrder{{By: "women"}, {By: "year", Desc: true}}, Columns: []string{"women", "id"}},
	} {
		var streamed, paged [][]any
		rows, err := s.Stream(t.Context(), r, "", q)
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range rows.Rows {
			if err != nil {
				t.Fatal(err)
			}
			streamed = append(streamed, append([]any(nil), row...))
		}
		s.limit = time.Minute
		for q.Limit = portal.MaxLimit; ; {
			a := queryOf(t, s, r, q)
			paged = append(paged, a.Rows...)
			if q.After = a.Next; a.Next == "" {
				break
			}
		}
		if diff := cmp.Diff(paged, streamed); diff != "" || len(streamed) == 0 {
			t.Errorf("%s: %d rows %.500s", name, len(streamed), diff)
		}
	}
}

func TestAStreamCanBeGroupedCutAndLeft(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", placesCSV(40))
	grouped, err := s.Stream(t.Context(), r, "", portal.TableQuery{Group: []string{"region"}, Aggregates: []portal.Aggregate{{Func: portal.AggCount}, {Column: "women", Func: portal.AggMax}}})
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	for row, err := range grouped.Rows {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	want := [][]any{{"Buxoro", int64(10), int64(12)}, {"Xorazm", int64(10), int64(12)}, {"Тошкент", int64(10), int64(12)}, {nil, int64(10), int64(11)}}
	if diff := cmp.Diff(want, rows); diff != "" || len(grouped.Columns) != 3 || grouped.Columns[1].Name != "__count" {
		t.Errorf("%v %s", grouped.Columns, diff)
	}
	for _, q := range []portal.TableQuery{{Limit: 3}, {Limit: 3, Order: []portal.TableOrder{{By: "id", Desc: true}}}, {Limit: 3, Group: []string{"id"}}} {
		few, err := s.Stream(t.Context(), r, "", q)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range few.Rows {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 3 {
			t.Errorf("%+v: %d rows", q, n)
		}
	}
	all, err := s.Stream(t.Context(), r, "", portal.TableQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for range all.Rows {
		break // whoever reads has gone: the table is given back
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Stream(t.Context(), r, "", portal.TableQuery{Columns: []string{"nope"}}); !errors.Is(err, portal.ErrUsage) {
		t.Errorf("an unknown column: %v", err)
	}
}

func TestAStreamEndsWithItsContext(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", placesCSV(9000))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows, err := s.Stream(ctx, r, "", portal.TableQuery{})
	if err != nil {
		t.Fatal(err)
	}
	n, last := 0, error(nil)
	for _, err := range rows.Rows {
		if n++; n == 10 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) || n > 9000 {
		t.Errorf("%d rows, then %v", n, last)
	}
}

func TestTooManyGroupsAreTooMuch(t *testing.T) {
	if testing.Short() {
		t.Skip("a table of a hundred thousand rows")
	}
	s, m := newStore(t)
	s.limit = time.Minute
	r := m.add("a.csv", placesCSV(100_500))
	var p *portal.Problem
	_, err := s.Query(context.Background(), r, "", portal.TableQuery{Group: []string{"id"}})
	if !errors.Is(err, portal.ErrTooMuch) || !errors.As(err, &p) || p.Where != "group" || p.Hint == "" {
		t.Errorf("%v", err)
	}
}
