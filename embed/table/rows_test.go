package table

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"koprik/portal"

	"github.com/google/go-cmp/cmp"
)

const people = `region,n,share,day,ok,note
Xorazm,10,1.5,2020-01-31,true,Bogʻot
Buxoro,9,,2020-02-01,false,
Тошкент,100,33.25,2021-01-01,true,пойтахт
Navoiy,,10,,,100% a_b
Andijon,9,-2,1999-12-31,false,o'z "so'z"
`

func regions(p portal.RowPage) string {
	var all []string
	for _, r := range p.Rows {
		all = append(all, fmt.Sprint(r[0]))
	}
	return strings.Join(all, " ")
}

func TestFiltersKeepTheRowsThatCompare(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte(people))
	for _, c := range []struct{ column, op, value, want string }{
		{"n", "eq", "9", "Buxoro Andijon"},
		{"n", "eq", "9.0", "Buxoro Andijon"},
		{"n", "ne", "9", "Xorazm Тошкент Navoiy"},
		{"n", "gt", "9", "Xorazm Тошкент"}, // by value, not by text; a missing value is never greater
		{"n", "ge", "10", "Xorazm Тошкент"},
		{"n", "lt", "10", "Buxoro Andijon"},
		{"n", "le", "10", "Xorazm Buxoro Andijon"},
		{"n", "eq", "", "Navoiy"},
		{"n", "ne", "", "Xorazm Buxoro Тошкент Andijon"},
		{"n", "contains", "0", "Xorazm Тошкент"},
		{"share", "eq", "33,25", "Тошкент"},
		{"share", "lt", "0", "Andijon"},
		{"day", "ge", "31.01.2020", "Xorazm Buxoro Тошкент"},
		{"day", "lt", "2020", "Andijon"},
		{"ok", "eq", "true", "Xorazm Тошкент"},
		{"ok", "eq", "FALSE", "Buxoro Andijon"},
		{"region", "eq", "Buxoro", "Buxoro"},
		{"region", "lt", "C", "Buxoro Andijon"},
		{"region", "contains", "OR", "Xorazm Buxoro"},
		{"region", "contains", "toshkent", "Тошкент"}, // whatever the script
		{"note", "contains", "%", "Navoiy"},
		{"note", "contains", "bog'ot", "Xorazm"},
		{"note", "eq", `o'z "so'z"`, "Andijon"},
		{"note", "eq", "' OR 1=1 --", ""},
		{"note", "eq", "", "Buxoro"},
		{"n", "eq", "many", ""},
	} {
		p := rowsOf(t, s, r, portal.RowQuery{Filters: []portal.RowFilter{{Column: c.column, Op: c.op, Value: c.value}}})
		if got := regions(p); got != c.want || int(p.Total) != len(p.Rows) {
			t.Errorf("%s %s %q: %q (%d), want %q", c.column, c.op, c.value, got, p.Total, c.want)
		}
	}
	both := []portal.RowFilter{{Column: "n", Op: "eq", Value: "9"}, {Column: "ok", Op: "eq", Value: "false"}, {Column: "day", Op: "lt", Value: "2000"}}
	if got := regions(rowsOf(t, s, r, portal.RowQuery{Filters: both})); got != "Andijon" {
		t.Error(got)
	}
}

func TestSortingPutsMissingValuesLast(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte(people))
	for _, c := range []struct {
		sort string
		desc bool
		want string
	}{
		{"", false, "Xorazm Buxoro Тошкент Navoiy Andijon"},
		{"", true, "Andijon Navoiy Тошкент Buxoro Xorazm"},
		{"n", false, "Buxoro Andijon Xorazm Тошкент Navoiy"},
		{"n", true, "Тошкент Xorazm Buxoro Andijon Navoiy"},
		{"share", false, "Andijon Xorazm Navoiy Тошкент Buxoro"},
		{"day", true, "Тошкент Buxoro Xorazm Andijon Navoiy"},
	} {
		if got := regions(rowsOf(t, s, r, portal.RowQuery{Sort: c.sort, Desc: c.desc})); got != c.want {
			t.Errorf("%s %v: %s, want %s", c.sort, c.desc, got, c.want)
		}
	}
}

// Pages of any size put together are the whole table in its order: no row is
// lost or doubled, equal and missing values and text among numbers included.
func TestPagesJoinToTheWhole(t *testing.T) {
	s, m := newStore(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("id,v\n")
	for i := range 257 {
		v := fmt.Sprint(rng.IntN(20))
		switch rng.IntN(8) {
		case 0:
			v = ""
		case 1:
			v = "text" + v
		}
		fmt.Fprintf(&b, "%d,%s\n", i, v)
	}
	r := m.add("a.csv", []byte(b.String()))
	r.Schema = &portal.TableSchema{Fields: []portal.Field{{Name: "id", Type: "integer"}, {Name: "v", Type: "integer"}}}
	for _, sort := range []string{"", "v", "id"} {
		for _, desc := range []bool{false, true} {
			for _, filters := range [][]portal.RowFilter{nil, {{Column: "id", Op: "ge", Value: "100"}}} {
				q := portal.RowQuery{Sort: sort, Desc: desc, Filters: filters, Limit: portal.MaxLimit}
				whole := rowsOf(t, s, r, q)
				for _, limit := range []int{1, 7, 100} {
					q.Limit, q.After = limit, ""
					var joined [][]any
					for {
						p := rowsOf(t, s, r, q)
						joined = append(joined, p.Rows...)
						if q.After = p.Next; q.After == "" {
							break
						}
					}
					if diff := cmp.Diff(whole.Rows, joined); diff != "" {
						t.Fatalf("sort %q desc %v filters %v limit %d:\n%s", sort, desc, filters, limit, diff)
					}
				}
			}
		}
	}
}

func TestAWrongQueryIsWrongUsage(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte(people))
	next := rowsOf(t, s, r, portal.RowQuery{Limit: 2, Sort: "n"}).Next
	other := m.add("b.csv", []byte(people+"Sirdaryo,1,1,,,\n"))
	filter := func(c, op, v string) portal.RowQuery {
		return portal.RowQuery{Filters: []portal.RowFilter{{Column: c, Op: op, Value: v}}}
	}
	for name, c := range map[string]struct {
		r    portal.Resource
		q    portal.RowQuery
		says string
	}{
		"unknown column":             {r, portal.RowQuery{Columns: []string{"nope"}}, `no column "nope"; the columns are: region, n, share, day, ok, note`},
		"unknown sort":               {r, portal.RowQuery{Sort: "rowid"}, `no column "rowid"`},
		"unknown filter":             {r, filter("c0", "eq", "1"), `no column "c0"`},
		"column twice":               {r, portal.RowQuery{Columns: []string{"n", "n"}}, "stands twice"},
		"unknown operator":           {r, filter("n", "like", "1"), "the operators are: eq, ne"},
		"no number":                  {r, filter("n", "gt", "many"), `"many" is not a number`},
		"no boolean":                 {r, filter("ok", "lt", "many"), "neither true nor false"},
		"long value":                 {r, filter("note", "eq", strings.Repeat("x", portal.MaxFilterValue+1)), "longer than"},
		"negative limit":             {r, portal.RowQuery{Limit: -1}, "limit"},
		"too many filters":           {r, portal.RowQuery{Filters: slices.Repeat(filter("n", "eq", "1").Filters, 33)}, "at most 32"},
		"cursor of nothing":          {r, portal.RowQuery{After: "abc"}, "is no cursor"},
		"cursor that was lengthened": {r, portal.RowQuery{Sort: "n", After: next + "A"}, "is no cursor"},
		"cursor of another order":    {r, portal.RowQuery{After: next}, "another table, release, filter or order"},
		"cursor of another filter":   {r, portal.RowQuery{Sort: "n", After: next, Filters: filter("n", "eq", "1").Filters}, "another table"},
		"cursor of another table":    {other, portal.RowQuery{Sort: "n", After: next}, "another table"},
		"cursor with a line break":   {r, portal.RowQuery{Sort: "n", After: next[:5] + "\n" + next[5:]}, "is no cursor"},
	} {
		_, err := s.Rows(context.Background(), c.r, "", c.q)
		if !errors.Is(err, portal.ErrUsage) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want wrong usage with %q", name, err, c.says)
		}
	}
}

func TestALimitIsCapped(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a,b\n"+strings.Repeat("1,2\n", portal.MaxLimit+5)))
	if n := len(rowsOf(t, s, r, portal.RowQuery{Limit: 1 << 30}).Rows); n != portal.MaxLimit {
		t.Errorf("%d rows", n)
	}
	if n := len(rowsOf(t, s, r, portal.RowQuery{}).Rows); n != portal.DefaultRows {
		t.Errorf("%d rows", n)
	}
}

func TestHostileColumnNamesAreOnlyNames(t *testing.T) {
	names := []string{`a"; DROP TABLE t; --`, `b'c`, "`d`", "[e]", "rowid", "c0", "t", "NULL", "*", "%s", "\u202egh", "1", "count(*)", "?1", "select"}
	s, m := newStore(t)
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strings.ReplaceAll(n, `"`, `""`) + `"`)
	}
	for row := range 3 {
		b.WriteString("\n")
		for i := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprint(&b, row*100+i)
		}
	}
	r := m.add("a.csv", []byte(b.String()))
	for i, n := range names {
		p := rowsOf(t, s, r, portal.RowQuery{
			Columns: []string{n}, Sort: n, Desc: true, Limit: 1,
			Filters: []portal.RowFilter{{Column: n, Op: "lt", Value: "200"}, {Column: n, Op: "contains", Value: "1"}, {Column: n, Op: "ne", Value: ""}},
		})
		if len(p.Rows) != 1 || p.Rows[0][0] != int64(100+i) || p.Columns[0].Name != n {
			t.Errorf("%q: %v %v", n, p.Columns, p.Rows)
		}
	}
}

func TestARequestEndsWithItsContext(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte(people))
	rowsOf(t, s, r, portal.RowQuery{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Rows(ctx, r, "", portal.RowQuery{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAQueryThatTakesTooLongIsTooMuch(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a,b\n"+strings.Repeat("Toshkent viloyati,2\n", 50_000)))
	if _, err := s.Ensure(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	s.limit = 1
	_, err := s.Rows(context.Background(), r, "", portal.RowQuery{Filters: []portal.RowFilter{{Column: "a", Op: "contains", Value: "buxoro"}}})
	var p *portal.Problem
	if !errors.Is(err, portal.ErrTooMuch) || !errors.As(err, &p) || p.Hint == "" {
		t.Error(err)
	}
}

func FuzzCursor(f *testing.F) {
	tag := cursorTag("key", portal.TableQuery{Order: []portal.TableOrder{{By: "a"}}})
	f.Add(makeCursor(tag, 7))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		row, err := parseCursor(s, tag)
		if err == nil && makeCursor(tag, row) != s {
			t.Errorf("%q has another spelling", s)
		}
		if err != nil && !errors.Is(err, portal.ErrUsage) {
			t.Error(err)
		}
	})
}
