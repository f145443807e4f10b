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

// everyRow are the places of a whole block.
var everyRow = func() (all [BlockRows]int32) {
	for i := range all {
		all[i] = int32(i)
	}
	return all
}()

// keep gives the places of the block's rows that pass; sel has room for all.
func (f *filter) keep(b *Block, sel []int32) []int32 {
	from := everyRow[:b.N]
	for i := range f.conditions {
		c := &f.conditions[i]
		v := &b.Vectors[c.column]
		if v.Coded() && f.passes[i] == nil {
			f.passes[i], _ = passing(v.Dict, c.match)
		}
		from = c.keep(v, f.passes[i], from, sel[:BlockRows])
	}
	for i := range f.words {
		if len(from) > 0 {
			from = f.words[i].keep(b, from, sel[:BlockRows])
		}
	}
	return from
}

// passing looks at every value once.
func passing(dict []any, match func(any) bool) (passes []bool, some bool) {
	passes = make([]bool, len(dict))
	for i, d := range dict {
		passes[i] = match(d)
		some = some || passes[i]
	}
	return passes, some
}

// keep writes the places of from that pass into to, which may be from itself.
func (c *condition) keep(v *Vector, passes []bool, from, to []int32) []int32 {
	n := 0
	switch {
	case v.Small != nil:
		codes := v.Small
		for _, i := range from {
			to[n] = i
			if passes[codes[i]] {
				n++
			}
		}
	case v.Large != nil:
		codes := v.Large
		for _, i := range from {
			to[n] = i
			if passes[codes[i]] {
				n++
			}
		}
	case v.Numbers != nil && c.span != nil:
		for _, i := range from {
			to[n] = i
			if c.span.has(v.Numbers[i]) { // NaN is in no interval
				n++
			}
		}
	default:
		for _, i := range from {
			if c.match(v.At(int(i))) {
				to[n] = i
				n++
			}
		}
	}
	return to[:n]
}

// keep takes the rows in which the word stands.
func (w *word) keep(b *Block, from, to []int32) []int32 {
	n := 0
	for _, i := range from {
		if w.in(b, int(i)) {
			to[n] = i
			n++
		}
	}
	return to[:n]
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
