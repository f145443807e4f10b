package column

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"koprik/portal"
)

// A mask keeps the rows that looking at one after another does, whatever the length of
// the block and the place of the codes that pass.
func TestAMaskKeepsTheRowsWhoseCodesPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SampledFrom([]int{1, 2, 14, 1000, maxSpan}).Draw(t, "values")
		from := rapid.IntRange(0, values).Draw(t, "from")
		to, not := rapid.IntRange(from, values).Draw(t, "to"), rapid.Bool().Draw(t, "not")
		passes := make([]bool, values)
		for code := range passes {
			passes[code] = (from <= code && code < to) != not
		}
		n := rapid.IntRange(0, BlockRows).Draw(t, "rows")
		codes := make([]uint16, n)
		step, at := rapid.IntRange(1, values).Draw(t, "step"), 0
		for i := range codes {
			codes[i] = uint16(at) //nolint:gosec // less than maxSpan
			at = (at + step) % values
		}
		span, ok := spanOf(passes)
		if !ok {
			t.Fatalf("codes %d to %d of %d make no span", from, to, values)
		}
		var m mask
		m.fill(n)
		m.keep(codes, span)
		var kept, lost []int32
		for i, code := range codes {
			if passes[code] {
				kept = append(kept, int32(i)) //nolint:gosec // less than BlockRows
			} else {
				lost = append(lost, int32(i)) //nolint:gosec // likewise
			}
		}
		if got := m.places(make([]int32, BlockRows)); !slices.Equal(got, kept) {
			t.Errorf("%d of %d rows pass, want %d", len(got), n, len(kept))
		}
		m.turn(n)
		if got := m.places(make([]int32, BlockRows)); !slices.Equal(got, lost) {
			t.Errorf("%d of %d rows do not, want %d", len(got), n, len(lost))
		}
	})
}

// Codes that stand apart are no span.
func TestCodesApartAreNoSpan(t *testing.T) {
	if s, ok := spanOf([]bool{true, false, true, false}); ok {
		t.Error(s)
	}
	if _, ok := spanOf(make([]bool, maxSpan+1)); ok {
		t.Error("a span of codes that have no bit to spare")
	}
}

func BenchmarkMask(b *testing.B) {
	codes := make([]uint16, BlockRows)
	for i := range codes {
		codes[i] = uint16(i % 14) //nolint:gosec // small
	}
	var m mask
	for b.Loop() {
		m.fill(len(codes))
		m.keep(codes, codeSpan{low: 3, high: 4})
	}
}

// Over many blocks, with few groups and with many, with filters that most rows pass and
// that few do, figures from codes are those from rows.
func TestFiguresOfManyBlocksAreThoseOfRows(t *testing.T) {
	const rows = BlockRows + 77
	table := plain{columns: make([][]any, 3)}
	for i := range rows {
		for c, v := range []any{int64(i % 14), int64(i * 7 % 1009), int64(i * 13 % 997)} {
			if i%101 == c {
				v = nil
			}
			table.columns[c] = append(table.columns[c], v)
		}
	}
	fields := []portal.Field{{Name: "a", Type: "integer"}, {Name: "b", Type: "integer"}, {Name: "c", Type: "integer"}}
	coded := &Whole{Rows: rows, Vectors: make([]Vector, len(fields))}
	for c, values := range table.columns {
		b := NewBuilder(rows)
		for _, v := range values {
			b.Add(v)
		}
		coded.Vectors[c], _ = b.Vector(Collation(fields[c]))
	}
	is := func(column string, op portal.TableOp, values ...string) portal.TableFilter {
		return portal.TableFilter{Column: column, Op: op, Values: values}
	}
	for _, group := range [][]string{nil, {"a"}, {"a", "b"}, {"b", "c"}} {
		for name, filters := range map[string][]portal.TableFilter{
			"all":          nil,
			"one of many":  {is("a", portal.OpEqual, "3")},
			"all but one":  {is("a", portal.OpNot, "3")},
			"most":         {is("b", portal.OpLeast, "9"), is("a", portal.OpNot, "3")},
			"few of most":  {is("b", portal.OpLeast, "9"), is("a", portal.OpEqual, "3")},
			"apart":        {is("b", portal.OpIn, "1", "5", "900"), is("a", portal.OpMost, "9")},
			"missing":      {is("b", portal.OpEmpty, "1")},
			"not missing":  {is("b", portal.OpEmpty, "0")},
			"none":         {is("a", portal.OpEqual, "99")},
			"of one twice": {is("b", portal.OpLeast, "9"), is("b", portal.OpMost, "990")},
		} {
			p, err := Check(fields, portal.TableQuery{
				Filters: filters, Group: group, Facets: []string{"a", "b"}, FacetLimit: 20,
				Aggregates: []portal.Aggregate{{Column: "c", Func: portal.AggSum}, {Column: "c", Func: portal.AggMax}, {Column: "b", Func: portal.AggCount}},
			})
			if err != nil {
				t.Fatal(err)
			}
			want, err := p.Figures(t.Context(), table)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Figures(t.Context(), coded)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("groups of %v, %s:\n%s", group, name, diff)
			}
		}
	}
}
