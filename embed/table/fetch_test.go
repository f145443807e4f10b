package table

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

// longCells is a table of n cells of 600,000 bytes that differ at their end.
func longCells(n int) []byte {
	var b strings.Builder
	b.WriteString("id,text\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,%s %d\n", i, strings.Repeat("soʻz ", 100_000), i)
	}
	return []byte(b.String())
}

// TestAPageOfLongCellsEndsEarlyAndGoesOn: a page has as many rows as have 8 MiB of
// text, and the pages together are the table, in every order.
func TestAPageOfLongCellsEndsEarlyAndGoesOn(t *testing.T) {
	const n = 40
	s, m := newStore(t)
	r := m.add("a.csv", longCells(n))
	for name, order := range map[string][]portal.TableOrder{
		"file": nil, "end": {{Desc: true}}, "text": {{By: "text"}}, "text and id": {{By: "text", Desc: true}, {By: "id", Desc: true}},
	} {
		q := portal.TableQuery{Order: order, Limit: 1000}
		var ids []int64
		for pages := 0; pages == 0 || q.After != ""; pages++ {
			a := queryOf(t, s, r, q)
			if text := len(a.Rows) * 600_000; text > fetchText || len(a.Rows) == 0 || a.Total != n || pages > n {
				t.Fatalf("%s: page %d has %d rows of %d", name, pages, len(a.Rows), a.Total)
			}
			for _, row := range a.Rows {
				ids = append(ids, row[0].(int64))
			}
			q.After = a.Next
		}
		want := make([]int64, n)
		for i := range want {
			want[i] = int64(i)
		}
		if name != "file" && name != "text" { // texts with one beginning keep the order of the file
			slices.Reverse(want)
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%s: %v", name, ids)
		}
	}
	got := 0
	stream, err := s.Stream(t.Context(), r, "", portal.TableQuery{Order: []portal.TableOrder{{By: "id", Desc: true}}})
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range stream.Rows {
		if err != nil {
			t.Fatal(err)
		}
		if row[0] != int64(n-1-got) {
			t.Fatalf("row %d of the stream is %v", got, row[0])
		}
		got++
	}
	if got != n {
		t.Errorf("the stream has %d rows of %d", got, n)
	}
}

func TestDifferentValuesOfLongTextsAreTooMuch(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", longCells(40))
	for name, q := range map[string]portal.TableQuery{
		"group": {Group: []string{"text"}}, "facet": {Facets: []string{"text"}},
	} {
		var p *portal.Problem
		if _, err := s.Query(t.Context(), r, "", q); !errors.Is(err, portal.ErrTooMuch) || !errors.As(err, &p) || p.Where != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
