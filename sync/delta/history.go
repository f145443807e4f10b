package delta

// history is what both sides know of the bytes before the next one: the last
// eight, and where the row and the field began.
type history struct {
	last    uint64
	delim   byte // of fields; 0 when the content has none
	at      int64
	row     int64 // where the row began
	field   int64
	column  int
	prefix  uint32     // hash of the field so far
	starts  [64]uint32 // where each field of this row began, within the row
	above   [64]uint32 // the same of the row before
	aboveAt int64      // where the row before began
	rows    int64
}

// push takes one more byte.
//
//go:norace
func (h *history) push(b byte) {
	h.last = h.last<<8 | uint64(b)
	h.at++
	switch {
	case b == '\n':
		h.above, h.aboveAt = h.starts, h.row
		h.starts = [64]uint32{}
		h.row, h.field, h.column, h.prefix = h.at, h.at, 0, 0
		h.rows++
	case b == h.delim && b != 0:
		h.field, h.prefix = h.at, 0
		if h.column < 63 {
			h.column++
			h.starts[h.column] = uint32(h.at - h.row) //nolint:gosec // a row
		}
	default:
		h.prefix = (h.prefix + uint32(b) + 1) * 0x2F0B4C47
	}
}

// overhead is where the byte stands that is above the next one: same field of
// the row before, same place in it; -1 when there is none.
//
//go:norace
func (h *history) overhead() int64 {
	if h.rows == 0 || h.column > 0 && h.above[h.column] == 0 {
		return -1
	}
	return h.aboveAt + int64(h.above[h.column]) + h.at - h.field
}

const literalContexts = 10

// contexts of the next byte, given the byte that a copy would bring (expected),
// the one after it, and the one overhead (-1 for none), and how far the first is
// to be believed.
//
//go:norace
func (h *history) contexts(to *[literalContexts]uint32, expected, next, overhead, faith int) []uint32 {
	l := h.last
	low := func(n int) uint32 {
		v := l & (1<<(8*n) - 1)
		return uint32(v*0x9E3779B97F4A7C15>>32) + uint32(n) //nolint:gosec // a hash
	}
	e := uint32(expected + 1) //nolint:gosec // at least 0
	o := uint32(overhead + 1) //nolint:gosec // at least 0
	col := uint32(h.column) * 0x1F3D5B79
	to[0] = low(1)
	to[1] = low(2)
	to[2] = low(3)
	to[3] = low(4)
	to[4] = low(6)
	to[5] = e<<11 ^ uint32(faith)<<9 ^ low(1) //nolint:gosec // 0 to 3
	to[6] = e<<9 ^ uint32(next+1)<<20 ^ col   //nolint:gosec // at least 0
	to[7] = h.prefix ^ col
	to[8] = o<<9 ^ col ^ low(1)
	to[9] = e<<16 ^ o<<7 ^ uint32(h.at-h.field)<<25 ^ col //nolint:gosec // a hash
	return to[:]
}
