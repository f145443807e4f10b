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
	words      []word

	chosen bool
	spans  []spanned   // conditions that are spans of codes
	others []condition // all others
	passes [][]bool    // of the others, by code; nil where a column has none
	few    bool        // surely at most half of the table's rows do not pass

	mask  mask       // of the block in hand, by the spans alone
	rows  int        // of the block in hand
	room  [2][]int32 // for rows that pass and that do not
	found []int32    // rows of the block that pass; nil until they are asked for
}

// spanned is a condition on a coded column.
type spanned struct {
	column int
	span   codeSpan
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
	f := &filter{room: [2][]int32{make([]int32, BlockRows), make([]int32, BlockRows)}}
	for _, c := range p.conditions {
		if c.column != without {
			f.conditions = append(f.conditions, c)
		}
	}
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

// choose parts the conditions when the first block shows the forms of the columns,
// which all blocks have.
func (f *filter) choose(b *Block) {
	f.chosen = true
	fail, rows := int64(0), int64(0)
	for _, c := range f.conditions {
		v := &b.Vectors[c.column]
		var passes []bool
		if v.Coded() {
			passes, _ = passing(v.Dict, c.match)
		}
		if span, ok := spanOf(passes); ok && v.Small != nil {
			f.spans = append(f.spans, spanned{c.column, span})
			for code, n := range v.rows {
				if rows += int64(n); !passes[code] {
					fail += int64(n)
				}
			}
			continue
		}
		f.others, f.passes = append(f.others, c), append(f.passes, passes)
	}
	f.few = len(f.others)+len(f.words) == 0 && fail*int64(2*len(f.spans)) <= rows
}

// look takes up a block.
func (f *filter) look(b *Block) {
	if !f.chosen {
		f.choose(b)
	}
	f.rows, f.found = b.N, nil
	if len(f.spans) > 0 {
		f.mask.fill(b.N)
	}
	for _, s := range f.spans {
		f.mask.keep(b.Vectors[s.column].Small, s.span)
	}
}

// keep gives the places of the block's rows that pass. They are good until the next
// block, and not to be changed.
func (f *filter) keep(b *Block) []int32 {
	f.look(b)
	return f.passed(b)
}

// passed is keep of the block that was looked at.
func (f *filter) passed(b *Block) []int32 {
	if f.found != nil {
		return f.found
	}
	from := everyRow[:b.N]
	if len(f.spans) > 0 {
		from = f.mask.places(f.room[0])
	}
	for i := range f.others {
		c := &f.others[i]
		from = c.keep(&b.Vectors[c.column], f.passes[i], from, f.room[0])
	}
	for i := range f.words {
		if len(from) > 0 {
			from = f.words[i].keep(b, from, f.room[0])
		}
	}
	f.found = from
	return from
}

// lost gives the places of the rows that do not pass the spans, which are all that do not
// where few is set.
func (f *filter) lost() []int32 {
	if len(f.spans) == 0 {
		return nil
	}
	rest := f.mask
	rest.turn(f.rows)
	return rest.places(f.room[1])
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
