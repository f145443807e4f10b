package column

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"koprik/portal"
)

// plain is a table as rows: the source that everything else must agree with.
type plain struct {
	columns [][]any
}

func (p plain) Blocks(_ context.Context, columns []int, from int64, yield func(*Block) error) error {
	rows := len(p.columns[0])
	for at := int(max(from, 1)) - 1; at < rows; at += 7 {
		b := &Block{First: int64(at + 1), N: min(7, rows-at), Vectors: make([]Vector, len(p.columns))}
		for _, c := range columns {
			b.Vectors[c].Plain = p.columns[c][at : at+b.N]
		}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

func (p plain) Row(_ context.Context, columns []int, row int64) (*Block, error) {
	b := &Block{First: row, N: 1, Vectors: make([]Vector, len(p.columns))}
	for _, c := range columns {
		b.Vectors[c].Plain = p.columns[c][row-1 : row]
	}
	return b, nil
}

var testFields = []portal.Field{
	{Name: "place", Type: "string"},
	{Name: "n", Type: "integer"},
	{Name: "share", Type: "number"},
	{Name: "day", Type: "date"},
	{Name: "ok", Type: "boolean"},
	{Name: "when", Type: "string", Meaning: portal.Meaning{Role: portal.RoleTime}},
}

// testTable draws a table with missing values, texts among numbers, and ties.
func testTable(t *rapid.T) plain {
	values := []*rapid.Generator[any]{
		rapid.SampledFrom([]any{nil, "", "Toshkent", "тошкент", "Oʻzbekiston", "Ozod", "shahar", "z", "100%", "2-maktab", "10-maktab", int64(5)}),
		rapid.OneOf(rapid.SampledFrom([]any{nil, int64(0), int64(7), int64(-3), float64(7), "kop", int64(1) << 60}), rapid.Map(rapid.Int64Range(-20, 20), func(i int64) any { return i })),
		rapid.OneOf(rapid.SampledFrom([]any{nil, 0.1, 0.2, math.Inf(1), math.Copysign(0, -1)}), rapid.Map(rapid.Float64Range(-5, 5), func(f float64) any { return f })),
		rapid.SampledFrom([]any{nil, "2020-01-31", "2020-02-01", "1999-12-31", "soon"}),
		rapid.SampledFrom([]any{nil, int64(0), int64(1)}),
		rapid.SampledFrom([]any{nil, "2026-Q1", "2025-Q4", "yanvar 2026", "2026"}),
	}
	rows := rapid.IntRange(0, 40).Draw(t, "rows")
	p := plain{}
	for i, g := range values {
		p.columns = append(p.columns, rapid.SliceOfN(g, rows, rows).Draw(t, testFields[i].Name))
	}
	return p
}

// whole makes the summary of a table; raw columns keep the form of numbers.
func whole(t interface{ Fatal(...any) }, p plain) *Whole {
	w := &Whole{Rows: int64(len(p.columns[0])), Vectors: make([]Vector, len(p.columns))}
	for c, values := range p.columns {
		b := NewBuilder(len(values))
		for _, v := range values {
			b.Add(v)
		}
		v, ok := b.Vector(Collation(testFields[c]))
		if !ok {
			t.Fatal("no vector")
		}
		data := Encode(&v, w.Rows)
		again, ok, err := Decode(data, w.Rows)
		if err != nil || !ok {
			t.Fatal(err)
		}
		w.Vectors[c] = again
	}
	return w
}

// numbers gives columns of numbers the form that they have when there are many.
func numbers(w *Whole) *Whole {
	out := &Whole{Rows: w.Rows, Vectors: slices.Clone(w.Vectors)}
	for c, v := range w.Vectors {
		b := &Builder{numbers: []float64{}}
		for i := range v.Len() {
			b.Add(v.At(i))
		}
		if got, ok := b.Vector(nil); ok && !slices.ContainsFunc(v.Dict, func(d any) bool { return classOf(d) == classText }) {
			out.Vectors[c] = got
		}
	}
	return out
}

func drawQuery(t *rapid.T) portal.TableQuery {
	column := rapid.SampledFrom([]string{"place", "n", "share", "day", "ok", "when"})
	value := rapid.SampledFrom([]string{"", "7", "-3", "0,1", "2020", "31.01.2020", "true", "toshkent", "O", "sh", "%", "2026-Q1", "5", "kop"})
	q := portal.TableQuery{Limit: rapid.IntRange(1, 9).Draw(t, "limit"), Text: rapid.SampledFrom([]string{"", "", "2020", "tosh", "% 1"}).Draw(t, "q")}
	for range rapid.IntRange(0, 2).Draw(t, "filters") {
		f := portal.TableFilter{Column: column.Draw(t, "column"), Op: rapid.SampledFrom(portal.TableOps).Draw(t, "op"), Values: []string{value.Draw(t, "value")}}
		switch f.Op {
		case portal.OpBetween, portal.OpIn:
			f.Values = append(f.Values, value.Draw(t, "second"))
		case portal.OpEmpty:
			f.Values = []string{"1"}
		}
		q.Filters = append(q.Filters, f)
	}
	switch rapid.IntRange(0, 3).Draw(t, "order") {
	case 1:
		q.Order = []portal.TableOrder{{Desc: true}}
	case 2:
		q.Order = []portal.TableOrder{{By: column.Draw(t, "by"), Desc: rapid.Bool().Draw(t, "desc")}}
	case 3:
		q.Order = []portal.TableOrder{{By: column.Draw(t, "by"), Desc: rapid.Bool().Draw(t, "desc")}, {By: "ok"}, {By: "n", Desc: true}}
	}
	return q
}

// pages puts all pages of a query together.
func pages(t interface{ Fatal(...any) }, p *Plan, src Source) []int64 {
	var all []int64
	after, total := int64(0), int64(-1)
	for {
		page, err := p.Rows(context.Background(), src, after, total)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Rows...)
		if !page.More {
			if int64(len(all)) != page.Total {
				t.Fatal("total", page.Total, "rows", len(all))
			}
			return all
		}
		after, total = page.Rows[len(page.Rows)-1], page.Total
	}
}

// A query answers the same from rows, from codes and from numbers; its pages,
// whatever their size, put together are the whole in its order.
func TestAQueryAnswersTheSameFromRowsAndFromColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := testTable(t)
		coded := whole(t, table)
		q := drawQuery(t)
		p, err := Check(testFields, q)
		if err != nil {
			return
		}
		want := oracle(t, table, q)
		for name, src := range map[string]Source{"rows": table, "codes": coded, "numbers": numbers(coded)} {
			if diff := cmp.Diff(want, pages(t, p, src)); diff != "" {
				t.Fatalf("%s of %+v:\n%s", name, q, diff)
			}
			room := rapid.IntRange(1, 2000).Draw(t, "bytes of keys held at once")
			sorted, err := p.sorted(context.Background(), src, room)
			if err != nil {
				t.Fatal(err)
			}
			var ids []int64
			for _, id := range sorted {
				ids = append(ids, int64(id))
			}
			if diff := cmp.Diff(want, ids); diff != "" {
				t.Fatalf("all of %s of %+v:\n%s", name, q, diff)
			}
		}
	})
}

// oracle answers a query in the plainest way: every row is looked at, and all are
// sorted.
func oracle(t interface{ Fatal(...any) }, table plain, q portal.TableQuery) []int64 {
	find := func(name string) int {
		return slices.IndexFunc(testFields, func(f portal.Field) bool { return f.Name == name })
	}
	var rows []int64
	for row := range table.columns[0] {
		passes := true
		for _, f := range q.Filters {
			c, err := compile(f, find(f.Column), testFields[find(f.Column)])
			if err != nil {
				t.Fatal(err)
			}
			passes = passes && c.match(Canonical(table.columns[c.column][row]))
		}
		for _, w := range strings.Fields(q.Text) {
			in := false
			for c := range table.columns {
				in = in || searchedOnce(w, Canonical(table.columns[c][row]))
			}
			passes = passes && in
		}
		if passes {
			rows = append(rows, int64(row+1))
		}
	}
	slices.SortFunc(rows, func(a, b int64) int {
		for _, o := range q.Order {
			if o.By == "" {
				return int(b - a)
			}
			c := find(o.By)
			x, y := Canonical(table.columns[c][a-1]), Canonical(table.columns[c][b-1])
			d := compare(collationOf(testFields[c]), x, y)
			if o.Desc && x != nil && y != nil {
				d = -d
			}
			if d != 0 {
				return d
			}
		}
		return int(a - b)
	})
	return rows
}

func searchedOnce(word string, v any) bool { return searched(word, strings.Contains)(v) }

// Groups, totals and facets are the same from every source, and are what adding
// up row by row gives.
func TestFiguresAreWhatAddingUpRowByRowGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := testTable(t)
		q := drawQuery(t)
		q.Order = nil
		columns := []string{"place", "n", "share", "day", "ok", "when"}
		q.Group = rapid.SliceOfNDistinct(rapid.SampledFrom(columns), 0, 3, func(s string) string { return s }).Draw(t, "group")
		q.Facets = rapid.SliceOfNDistinct(rapid.SampledFrom(columns), 0, 2, func(s string) string { return s }).Draw(t, "facets")
		q.Aggregates = []portal.Aggregate{{Func: portal.AggCount}, {Column: "n", Func: portal.AggSum}, {Column: "ok", Func: portal.AggMean}, {Column: "n", Func: "p25"}, {Column: "share", Func: portal.AggMax}, {Column: "n", Func: portal.AggMin}, {Column: "day", Func: portal.AggCount}}
		p, err := Check(testFields, q)
		if err != nil {
			return
		}
		rows, err := p.Figures(context.Background(), table)
		if err != nil {
			t.Fatal(err)
		}
		coded := whole(t, table)
		for name, src := range map[string]Source{"codes": coded, "numbers": numbers(coded)} {
			got, err := p.Figures(context.Background(), src)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(rows, got); diff != "" {
				t.Fatalf("%s of %+v:\n%s", name, q, diff)
			}
		}
		checkGroups(t, table, q, rows)
	})
}

func checkGroups(t *rapid.T, table plain, q portal.TableQuery, got Figures) {
	rows := oracle(t, table, portal.TableQuery{Filters: q.Filters, Text: q.Text})
	if got.Total != int64(len(rows)) || got.Totals[0] != got.Total {
		t.Fatalf("total %d %v, want %d", got.Total, got.Totals, len(rows))
	}
	counts, sums := map[string]int64{}, map[string]float64{}
	for _, row := range rows {
		key := ""
		for _, g := range q.Group {
			c := slices.IndexFunc(testFields, func(f portal.Field) bool { return f.Name == g })
			key += fmt.Sprintf("%#v|", Canonical(table.columns[c][row-1]))
		}
		counts[key]++
		if f, ok := number(table.columns[1][row-1]); ok {
			sums[key] += f
		}
	}
	for _, g := range got.Groups {
		key := ""
		for _, k := range g.Keys {
			key += fmt.Sprintf("%#v|", k)
		}
		sum, _ := number(g.Values[1])
		if g.Count != counts[key] || math.Abs(sum-sums[key]) > 1e-9*math.Abs(sum) {
			t.Fatalf("group %s: %v, want %d rows, sum %v", key, g, counts[key], sums[key])
		}
		delete(counts, key)
	}
	if len(q.Group) > 0 && len(counts) > 0 {
		t.Fatalf("groups are missing: %v", counts)
	}
}

func TestAPercentileIsThatOfType7(t *testing.T) {
	for _, c := range []struct {
		p    float64
		of   []float64
		want float64
	}{
		{0.5, []float64{3, 1, 2}, 2},
		{0.5, []float64{1, 2, 3, 4}, 2.5},
		{0.25, []float64{1, 2, 3, 4}, 1.75}, // Excel: PERCENTILE.INC({1,2,3,4},0.25)
		{0.9, []float64{15, 20, 35, 40, 50}, 46},
		{0, []float64{5, 4}, 4},
		{1, []float64{5, 4}, 5},
		{0.99, []float64{7}, 7},
	} {
		if got := percentile(slices.Clone(c.of), c.p); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("p%v of %v: %v, want %v", 100*c.p, c.of, got, c.want)
		}
	}
}

func TestSumsOfDecimalsHaveNoTail(t *testing.T) {
	table := plain{[][]any{{"a", "a", "b"}, {0.1, 0.2, 0.3}}}
	fields := []portal.Field{{Name: "k"}, {Name: "x", Type: "number"}}
	p, err := Check(fields, portal.TableQuery{Group: []string{"k"}, Aggregates: []portal.Aggregate{{Column: "x", Func: portal.AggSum}, {Column: "x", Func: portal.AggMean}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Figures(context.Background(), table)
	if err != nil {
		t.Fatal(err)
	}
	want := Figures{Total: 3, Totals: []any{0.6, 0.2}, Groups: []portal.TableGroup{
		{Keys: []any{"a"}, Count: 2, Values: []any{0.3, 0.15}},
		{Keys: []any{"b"}, Count: 1, Values: []any{0.3, 0.3}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// essays is a column of long texts that are all different, in no order. It measures
// what lives while it is read.
type essays struct {
	rows, reads int
	most        uint64 // bytes
}

func (e *essays) Blocks(_ context.Context, _ []int, _ int64, yield func(*Block) error) error {
	e.reads++
	for at := 0; at < e.rows; at += 1000 {
		b := &Block{First: int64(at + 1), N: 1000, Vectors: make([]Vector, 1)}
		for i := range b.N {
			b.Vectors[0].Plain = append(b.Vectors[0].Plain, fmt.Sprintf("%d %s", (at+i)*7919%e.rows, strings.Repeat("kitob ", 160)))
		}
		if err := yield(b); err != nil {
			return err
		}
		if at%16_000 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			e.most = max(e.most, m.HeapAlloc)
		}
	}
	return nil
}

func (e *essays) Row(context.Context, []int, int64) (*Block, error) {
	return nil, errors.New("not asked for")
}

// Whatever is signed as a table can be put in order, by whatever column: 2 million
// texts of a kilobyte would take 4 GB at once.
func TestSortingHoldsAtMost64MiBOfTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("collects garbage all the while")
	}
	p, err := Check(testFields[:1], portal.TableQuery{Order: []portal.TableOrder{{By: "place"}}})
	if err != nil {
		t.Fatal(err)
	}
	e := &essays{rows: 64_000}
	rows, err := p.Sorted(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for n, row := range rows {
		if want := uint32(n); (row-1)*7919%uint32(e.rows) != want {
			t.Fatalf("row %d stands at place %d", row, n)
		}
	}
	t.Logf("%d rows read %d times, at most %d MiB", len(rows), e.reads, e.most>>20)
	const beside = 16 << 20 // the block that is read, and the test itself
	if len(rows) != e.rows || e.reads < 2 || e.most > sortedBytes+beside {
		t.Errorf("%d rows in %d readings, at most %d bytes", len(rows), e.reads, e.most)
	}
}

// A column of more different numbers than codes hold becomes numbers, one of more
// different texts nothing.
func TestColumnsOfManyDifferentValues(t *testing.T) {
	if testing.Short() {
		t.Skip("half a million values")
	}
	n := maxDict + 10
	b, texts := NewBuilder(n), NewBuilder(n)
	for i := range n {
		b.Add(int64(i))
		texts.Add(fmt.Sprint("x", i))
	}
	b.Add(nil)
	v, ok := b.Vector(nil)
	if !ok || v.Numbers == nil || v.Len() != n+1 || v.At(n) != nil || v.At(n-1) != int64(n-1) {
		t.Errorf("%v %d", ok, v.Len())
	}
	if _, ok := texts.Vector(nil); ok {
		t.Error("texts got codes")
	}
	none := Encode(&Vector{}, 9)
	if _, ok, err := Decode(none, 9); ok || err != nil {
		t.Error(ok, err)
	}
}

func FuzzDecode(f *testing.F) {
	b := NewBuilder(3)
	for _, v := range []any{nil, int64(5), "x", 1.5} {
		b.Add(v)
	}
	v, _ := b.Vector(Collation(portal.Field{}))
	f.Add(Encode(&v, 4)[12:])
	f.Add([]byte{formNumbers, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, body []byte) {
		data := sealed(body)
		rows := int64(4)
		v, ok, err := Decode(data, rows)
		if err == nil && ok && v.Len() != int(rows) {
			t.Errorf("%d rows", v.Len())
		}
	})
}

// sealed puts magic and check sum before a body, so that the fuzzer comes past them.
func sealed(body []byte) []byte {
	b := append([]byte(magic), 0, 0, 0, 0)
	b = append(b, body...)
	binary.LittleEndian.PutUint32(b[len(magic):], crc32.Checksum(b[len(magic)+4:], castagnoli))
	return b
}
