package column

import (
	"math/bits"
	"slices"
)

// mask has a bit for each row of a block: whether it passes.
type mask [BlockRows / 64]uint64

// fill lets the first n rows pass, and no other.
func (m *mask) fill(n int) {
	clear(m[:])
	for w := range n / 64 {
		m[w] = ^uint64(0)
	}
	if n%64 > 0 {
		m[n/64] = 1<<(n%64) - 1
	}
}

// turn lets pass those of the first n rows that did not.
func (m *mask) turn(n int) {
	var all mask
	all.fill(n)
	for w := range m {
		m[w] ^= all[w]
	}
}

// places gives the places of rows that pass.
func (m *mask) places(to []int32) []int32 {
	n := 0
	for w, word := range m {
		for at := int32(w * 64); word != 0; word &= word - 1 { //nolint:gosec // at most BlockRows
			to[n] = at + int32(bits.TrailingZeros64(word)) //nolint:gosec // at most 63
			n++
		}
	}
	return to[:n]
}

// codeSpan are the codes from low on that are less than high; or, with not, all others.
type codeSpan struct {
	low, high uint64
	not       bool
}

// maxSpan is how many codes a column has at most of which there are spans: a bit of
// each is for comparing.
const maxSpan = 1 << 15

// spanOf finds the codes that pass, where they, or those that do not, stand next to each
// other: values are in their order, so most filters make a span.
func spanOf(passes []bool) (s codeSpan, ok bool) {
	if len(passes) > maxSpan {
		return s, false
	}
	for _, not := range []bool{false, true} {
		low, length := slices.Index(passes, !not), 0
		if low < 0 {
			return codeSpan{not: not}, true
		}
		if length = slices.Index(passes[low:], not); length < 0 {
			length = len(passes) - low
		}
		if !slices.Contains(passes[low+length:], !not) {
			return codeSpan{uint64(low), uint64(low + length), not}, true //nolint:gosec // not negative
		}
	}
	return s, false
}

// keep lets only those rows pass whose codes are in the span.
func (m *mask) keep(codes []uint16, s codeSpan) {
	whole := len(codes) / 64
	for w := range whole {
		m[w] &= s.passing((*[64]uint16)(codes[w*64:]))
	}
	if rest := codes[whole*64:]; len(rest) > 0 {
		var last [64]uint16
		copy(last[:], rest)
		m[whole] &= s.passing(&last)
	}
}

// Of four codes in a word.
const (
	eachCode = 0x0001_0001_0001_0001
	topBits  = maxSpan * eachCode
)

// passing has a bit for each code that passes. It looks at four codes at once: with
// maxSpan less an end of the span added, the top bit tells whether a code is that end or
// greater.
func (s codeSpan) passing(codes *[64]uint16) (word uint64) {
	low, high := (maxSpan-s.low)*eachCode, (maxSpan-s.high)*eachCode
	in := func(c []uint16) uint64 {
		four := uint64(c[0]) | uint64(c[1])<<16 | uint64(c[2])<<32 | uint64(c[3])<<48
		return ((four + low) ^ (four + high)) & topBits
	}
	for rest := codes[:]; len(rest) >= 16; rest = rest[16:] {
		c := (*[16]uint16)(rest)
		every4th := in(c[0:4])>>15 | in(c[4:8])>>11 | in(c[8:12])>>7 | in(c[12:16])>>3
		word = word>>16 | (every4th|every4th>>15|every4th>>30|every4th>>45)<<48
	}
	if s.not {
		return ^word
	}
	return word
}
