package delta

import (
	"bytes"
	"fmt"
)

const cellContexts = 12

// tableModel codes rows, in both directions: row gives the row that was coded.
type tableModel struct {
	c   *coder
	old *sheet
	err error

	pause func() error // Options.Pause; nil where a patch is applied
	since int          // bytes since it was called

	columns []int // the old column of each new one, -1 for none; nil: the same
	ref     int   // row of old that this one is taken from
	refs    *number
	flags   [3]*mixer
	flag    []counter
	values  *bytesModel
	counts  *number
	limit   int     // bytes that this row may have
	past    int     // the last rows: one bit each for "not as the old one"
	changed []uint8 // for each column, its last eight rows: one bit each for "differs"

	out, before         []byte // this row and the one before
	ends, ends0, oldEnd []int32
	before0             []int32
	scratch             [cellContexts]uint32
}

// Places of the flags' counters.
const (
	flagNext  = 0   // the row after the last one; 16 × 2
	flagNone  = 32  // no old row; 16
	flagSame  = 64  // the whole row is the same; 16 + 64
	flagCount = 160 // the number of cells is as expected; 2
	flagCell  = 256 // the cell is the same: by column and its past
	flagEach  = 256 + 8 + 256
)

func newTableModel(c *coder, old *sheet, size int64) *tableModel {
	bits := 14
	for bits < 22 && int64(1)<<bits < size*16 {
		bits++
	}
	m := &tableModel{
		c: c, old: old, ref: -1, refs: newNumber(), counts: newNumber(),
		values:  newBytesModel(cellContexts, bits),
		flags:   [3]*mixer{newMixer(1, 1), newMixer(2, 16), newMixer(3, maxColumns)},
		changed: make([]uint8, maxColumns), limit: maxRow,
	}
	m.grow(flagCell)
	return m
}

// grow makes flags up to n of them.
func (m *tableModel) grow(n int) {
	for len(m.flag) < n {
		m.flag = append(m.flag, fresh)
	}
}

// rest pauses after every block of bytes.
func (m *tableModel) rest(n int) {
	if m.since += n; m.since < block || m.pause == nil || m.err != nil {
		return
	}
	m.since = 0
	m.err = m.pause()
}

// begin codes what stands before the rows.
func (m *tableModel) begin(primed bool, o sorting, columns []int) {
	m.columns = columns
	o.by = int(m.c.number(uint32(o.by), m.counts)) //nolint:gosec // a column
	if o.by > 0 {
		o.numbers = m.c.direct(bit(o.numbers), 1) == 1
		o.down = m.c.direct(bit(o.down), 1) == 1
	}
	if m.c.direct(bit(columns != nil), 1) == 1 {
		n := int(m.c.number(uint32(len(columns)), m.counts)) //nolint:gosec // below maxColumns
		if n > maxColumns {
			m.fail("%d columns", n)
			n = 0
		}
		m.columns = make([]int, n)
		for i := range m.columns {
			to := 0
			if columns != nil {
				to = columns[i] + 1
			}
			m.columns[i] = int(m.c.number(uint32(to), m.counts)) - 1 //nolint:gosec // at least 0
		}
	}
	if m.c.direct(bit(primed), 1) == 1 {
		m.prime()
	}
	m.old.sort(o)
}

func (m *tableModel) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("%w: "+format, append([]any{ErrPatch}, args...)...)
	}
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// yes codes a flag by the counters at places.
func (m *tableModel) yes(v bool, mix *mixer, set int, places ...int) bool {
	for i, p := range places {
		mix.slots[i] = &m.flag[p]
	}
	return mix.code(m.c, int(bit(v)), set, set, 250) == 1
}

// row codes one row, without its line feed, that comes from row ref of the old
// sheet (-1 for none).
func (m *tableModel) row(row []byte, ref int) []byte {
	m.before, m.out = m.out, m.before[:0]
	m.ends0, m.ends = m.ends, m.ends0[:0]
	ref = m.reference(ref)
	var from []byte
	m.oldEnd = m.oldEnd[:0]
	if ref >= 0 {
		from = m.old.row(ref)
		same := m.yes(bytes.Equal(row, from), m.flags[1], m.past&15, flagSame+m.past&15, flagSame+16+m.past&63)
		m.past = m.past << 1 & 63
		if same {
			m.out = append(m.out, from...)
			m.ends = cells(m.out, m.old.delim, m.ends)
			return m.out
		}
		m.past |= 1
		m.oldEnd = cells(from, m.old.delim, m.oldEnd)
	}
	var now []int32
	if !m.c.decoding {
		now = cells(row, m.old.delim, nil)
	}
	n := m.count(len(now), len(m.oldEnd))
	context := 0
	for c := range n {
		differs := m.cell(cell(row, now, c), c, from, context)
		context = context << 1 & 63
		if differs {
			context |= 1
		}
		m.ends = append(m.ends, int32(len(m.out))) //nolint:gosec // below maxRow
		if c < n-1 {
			m.out = append(m.out, m.old.delim)
		}
		if len(m.out) > m.limit || m.c.err != nil || m.err != nil {
			m.fail("a row of more than %d bytes", m.limit)
			break
		}
	}
	return m.out
}

// reference codes which old row the next one is taken from.
func (m *tableModel) reference(ref int) int {
	rows := len(m.old.ends)
	if m.yes(ref == m.ref+1, m.flags[0], 0, flagNext+m.past&15) {
		ref = m.ref + 1
	} else if m.yes(ref < 0, m.flags[0], 0, flagNone+m.past&15) {
		return -1
	} else {
		ref = m.ref + 1 + int(unzigzag(m.c.number(zigzag(int64(ref-m.ref-1)), m.refs)))
	}
	if ref < 0 || ref >= rows {
		m.fail("row %d of %d", ref, rows)
		return -1
	}
	m.ref = ref
	return ref
}

// count codes the number of cells.
func (m *tableModel) count(n, old int) int {
	likely := len(m.ends0)
	switch {
	case m.columns != nil:
		likely = len(m.columns)
	case old > 0:
		likely = old
	}
	if m.yes(n == likely, m.flags[0], 0, flagCount) {
		n = likely
	} else {
		n = int(m.c.number(uint32(n), m.counts)) //nolint:gosec // below maxColumns
	}
	if n < 1 || n > maxColumns {
		m.fail("%d cells", n)
		n = 1
	}
	return n
}

// cell codes the c-th cell and appends it to out; it tells whether it differs
// from the old one.
func (m *tableModel) cell(v []byte, c int, from []byte, context int) bool {
	column := c
	if m.columns != nil {
		column = -1
		if c < len(m.columns) {
			column = m.columns[c]
		}
	}
	was := cell(from, m.oldEnd, column)
	if column >= 0 && column < len(m.oldEnd) {
		past := int(m.changed[c])
		at := flagCell + c*flagEach
		m.grow(at + flagEach)
		same := m.yes(bytes.Equal(v, was), m.flags[2], c, at+past, at+256+context&7, at+264+(context<<2|past&3)&255)
		m.changed[c] = uint8(past << 1) //nolint:gosec // the last eight
		if same {
			m.out = append(m.out, was...)
			return false
		}
		m.changed[c] |= 1
	} else {
		was = nil
	}
	m.value(v, was, c)
	return true
}

// value codes a cell's bytes, and a line feed as its end.
func (m *tableModel) value(v, was []byte, c int) {
	t := newCellText(m, was, c)
	for i := 0; ; i++ {
		b := at(v, i)
		if b < 0 {
			b = '\n'
		}
		contexts, expected, trust := t.contexts(i)
		b = m.values.byte(m.c, b, contexts, expected, trust)
		if t.ends(b) {
			return
		}
		m.out = append(m.out, byte(b)) //nolint:gosec // a byte
		if len(m.out) > m.limit || m.c.err != nil || m.err != nil {
			m.fail("a row of more than %d bytes", m.limit)
			return
		}
	}
}

// prime learns all cells of the old sheet as if they had been new.
func (m *tableModel) prime() {
	for i := range m.old.ends {
		m.before, m.out = m.out, m.before[:0]
		m.ends0, m.ends = m.ends, m.ends0[:0]
		row := m.old.row(i)
		if m.rest(len(row)); m.err != nil {
			return
		}
		m.before0 = cells(row, m.old.delim, m.before0)
		for c := range m.before0 {
			v := cell(row, m.before0, c)
			t := newCellText(m, nil, c)
			for k := 0; k <= len(v); k++ {
				b := int('\n')
				if k < len(v) {
					b = int(v[k])
				}
				contexts, _, _ := t.contexts(k)
				m.values.train(b, contexts)
				t.ends(b)
			}
			m.out = append(m.out, v...)
			m.ends = append(m.ends, int32(len(m.out))) //nolint:gosec // below maxRow
			m.out = append(m.out, m.old.delim)
		}
	}
	m.out, m.ends = m.out[:0], m.ends[:0]
}

// cellText is a cell that is being told.
type cellText struct {
	m                 *tableModel
	was, above        []byte
	column            uint32
	wasHash, left, so uint32 // of the old cell, the cell to the left, and what was told
	last              uint64
	parted, begun     bool // differs from the old cell; has a byte
	quoted, open      bool
	expected          int
}

func newCellText(m *tableModel, was []byte, c int) cellText {
	t := cellText{m: m, was: was, column: uint32(c+1) * 0x9E3779B1} //nolint:gosec // small
	t.above = cell(m.before, m.ends0, c)
	t.wasHash = hashOf(was)
	if c > 0 {
		t.left = hashOf(cell(m.out, m.ends, c-1))
	}
	return t
}

func hashOf(b []byte) uint32 {
	h := uint32(len(b)) //nolint:gosec // below maxRow
	for _, c := range b {
		h = (h + uint32(c) + 1) * 0x2F0B4C47
	}
	return h
}

func at(b []byte, i int) int {
	switch {
	case i < len(b):
		return int(b[i])
	case i == len(b) && b != nil:
		return '\n'
	}
	return -1
}

// contexts of the i-th byte.
func (t *cellText) contexts(i int) (contexts []uint32, expected, trust int) {
	expected = at(t.was, i)
	t.expected = expected
	e, o := uint32(expected+1), uint32(at(t.above, i)+1) //nolint:gosec // at least 0
	next := uint32(at(t.was, i+1) + 1)                   //nolint:gosec // at least 0
	place := uint32(min(i, 30))                          //nolint:gosec // small
	rest := uint32(min(max(len(t.was)-i, -1)+1, 30))     //nolint:gosec // small
	low := func(n int) uint32 {
		return uint32(t.last & (1<<(8*n) - 1) * 0x9E3779B97F4A7C15 >> 32) //nolint:gosec // a hash
	}
	trust = 1
	if t.parted {
		trust = 0
	}
	c := &t.m.scratch
	c[0] = t.column ^ low(1)
	c[1] = t.column ^ low(2) + 1
	c[2] = low(3)
	c[3] = t.column ^ t.so
	c[4] = t.left ^ t.so*3
	c[5] = t.column ^ e<<9 ^ low(1) ^ bit(t.parted)<<20
	c[6] = t.column ^ e<<9 ^ next<<17 ^ bit(t.parted)<<7
	c[7] = t.wasHash ^ t.so*5
	c[8] = t.column ^ o<<9 ^ low(1)
	c[9] = low(4) ^ t.column
	c[10] = t.column ^ e<<9 ^ place<<2 ^ bit(t.parted)<<1
	c[11] = t.column ^ e<<9 ^ rest<<2 ^ bit(t.parted)<<1 ^ 1<<29
	return c[:], expected, trust
}

// ends takes the byte that came and tells whether the cell ended before it. A
// cell that begins with a quote ends outside its quotes.
func (t *cellText) ends(b int) bool {
	if b == '\n' && !t.open {
		return true
	}
	t.quoted = t.quoted || !t.begun && b == '"'
	t.open = t.open != (t.quoted && b == '"')
	t.begun = true
	t.parted = t.parted || b != t.expected
	t.so = (t.so + uint32(b) + 1) * 0x2F0B4C47 //nolint:gosec // a byte
	t.last = t.last<<8 | uint64(b)             //nolint:gosec // a byte
	return false
}
