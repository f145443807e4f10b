package column

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
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
