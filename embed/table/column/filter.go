package column

import (
	"math"
	"strings"

	"koprik/portal/lang"
)

// filter keeps rows. It remembers, for the values of coded columns, whether they
// pass, so it is of one query and one goroutine.
type filter struct {
	conditions []condition
	passes     [][]bool // of each condition, by code; nil until it is known
	words      []word
}

// word is one that must stand somewhere in the row.
type word struct {
	match  func(any) bool
	digits bool     // may stand in a number
	passes [][]bool // of each column, by code
	none   []bool   // no value of the column passes
}

// filter makes one that passes over the conditions of a column; -1 for none.
func (p *Plan) filter(without int) *filter {
	f := &filter{}
	for _, c := range p.conditions {
		if c.column != without {
			f.conditions = append(f.conditions, c)
		}
	}
	f.passes = make([][]bool, len(f.conditions))
	for i, w := range p.words {
		s := w
		if p.raw[i] != "" {
			s = p.raw[i]
		}
		f.words = append(f.words, word{
			match: searched(s, strings.Contains), digits: strings.ContainsAny(lang.FoldLoose(s), "0123456789") || p.raw[i] != "",
			passes: make([][]bool, len(p.Fields)), none: make([]bool, len(p.Fields)),
		})
	}
	return f
}

// keep gives the places of the block's rows that pass, in sel[:0].
func (f *filter) keep(b *Block, sel []int32) []int32 {
	sel = sel[:0]
	for i := range int32(b.N) { //nolint:gosec // at most BlockRows
		sel = append(sel, i)
	}
	for i := range f.conditions {
		c := &f.conditions[i]
		v := &b.Vectors[c.column]
		if v.Coded() && f.passes[i] == nil {
			f.passes[i], _ = passing(v.Dict, c.match)
		}
		sel = c.keep(v, f.passes[i], sel)
	}
	for i := range f.words {
		if len(sel) > 0 {
			sel = f.words[i].keep(b, sel)
		}
	}
	return sel
}

// passing looks at every value once.
func passing(dict []any, match func(any) bool) (passes []bool, any bool) {
	passes = make([]bool, len(dict))
	for i, d := range dict {
		passes[i] = match(d)
		any = any || passes[i]
	}
	return passes, any
}

func (c *condition) keep(v *Vector, passes []bool, sel []int32) []int32 {
	kept := sel[:0]
	switch {
	case v.Small != nil:
		codes := v.Small
		for _, i := range sel {
			if passes[codes[i]] {
				kept = append(kept, i)
			}
		}
	case v.Large != nil:
		codes := v.Large
		for _, i := range sel {
			if passes[codes[i]] {
				kept = append(kept, i)
			}
		}
	case v.Numbers != nil && c.span != nil:
		for _, i := range sel {
			if f := v.Numbers[i]; c.span.has(f) { // NaN is in no interval
				kept = append(kept, i)
			}
		}
	default:
		for _, i := range sel {
			if c.match(v.At(int(i))) {
				kept = append(kept, i)
			}
		}
	}
	return kept
}

// keep takes the rows in which the word stands.
func (w *word) keep(b *Block, sel []int32) []int32 {
	kept := sel[:0]
	for _, i := range sel {
		if w.in(b, int(i)) {
			kept = append(kept, i)
		}
	}
	return kept
}

func (w *word) in(b *Block, i int) bool {
	for c := range b.Vectors {
		v := &b.Vectors[c]
		switch {
		case w.none[c]:
		case v.Coded():
			if w.passes[c] == nil {
				passes, some := passing(v.Dict, w.match)
				w.passes[c], w.none[c] = passes, !some
			}
			if w.passes[c][v.code(i)] {
				return true
			}
		case v.Numbers != nil:
			if w.digits && !math.IsNaN(v.Numbers[i]) && w.match(v.At(i)) {
				return true
			}
		case v.Plain != nil:
			if w.match(Canonical(v.Plain[i])) {
				return true
			}
		}
	}
	return false
}
