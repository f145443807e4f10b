package delta

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
)

// The codec "table": rows of a CSV file are told as rows of the old one, in its
// order or in that of one of its columns, with the cells that differ. Cells are
// told as they stand in the file, quotes and all, so any dialect stays exact;
// what is no table of these limits makes the codec decline.

const (
	maxTable   = 16 << 20 // bytes of old and of new
	maxRow     = 1 << 20
	maxColumns = 1024
	maxRows    = 1 << 20
)

// sheet is a file cut into rows; a row's line feed does not belong to it.
type sheet struct {
	data  []byte
	delim byte
	ends  []int32 // of each row, where its line feed stands or the file ends
	order []int32 // rows in the order in which they are referred to; nil as they stand
}

// nextCell gives the end of the cell that begins at i of b: where a delimiter,
// a line feed or the end of b stands. open says that a quote was not closed.
func nextCell(b []byte, i int, delim byte) (end int, open bool) {
	quoted := i < len(b) && b[i] == '"'
	for ; i < len(b); i++ {
		switch {
		case quoted && b[i] == '"':
			open = !open
		case !open && (b[i] == delim || b[i] == '\n'):
			return i, false
		}
	}
	return i, open
}

// cut makes a sheet; false when b is no table of our limits.
func cut(b []byte, delim byte) (*sheet, bool) {
	rows := min(bytes.Count(b, []byte("\n"))+1, maxRows)
	s := &sheet{data: b, delim: delim, ends: make([]int32, 0, rows)}
	columns := 0
	for begin, i := 0, 0; i < len(b); i++ {
		end, open := nextCell(b, i, delim)
		columns++
		if open || columns > maxColumns || end-begin > maxRow || len(s.ends) >= maxRows {
			return nil, false
		}
		if i = end; end == len(b) || b[end] == '\n' {
			s.ends = append(s.ends, int32(end)) //nolint:gosec // below maxTable
			begin, columns = end+1, 0
		} else if end == len(b)-1 { // a delimiter ends the file: an empty cell follows
			s.ends = append(s.ends, int32(len(b))) //nolint:gosec // below maxTable
		}
	}
	return s, true
}

// row gives the bytes of row i as it is referred to.
func (s *sheet) row(i int) []byte {
	if s.order != nil {
		i = int(s.order[i])
	}
	begin := int32(0)
	if i > 0 {
		begin = s.ends[i-1] + 1
	}
	return s.data[begin:s.ends[i]]
}

// cells cuts a row: each cell's end, in to.
func cells(row []byte, delim byte, to []int32) []int32 {
	to = to[:0]
	for i := 0; ; i++ {
		end, _ := nextCell(row, i, delim)
		to = append(to, int32(end)) //nolint:gosec // below maxRow
		if i = end; end >= len(row) {
			return to
		}
	}
}

// cell gives the c-th cell; nil when there is none.
func cell(row []byte, ends []int32, c int) []byte {
	if c < 0 || c >= len(ends) {
		return nil
	}
	begin := int32(0)
	if c > 0 {
		begin = ends[c-1] + 1
	}
	return row[begin:ends[c]]
}

// sorting is an order of rows: of the first row, which names the columns, and
// then of the others by one column, the equal ones as they stood.
type sorting struct {
	by      int // column and one more; 0 for as they stand
	numbers bool
	down    bool
}

// sort orders the sheet's rows.
func (s *sheet) sort(o sorting) {
	s.order = nil
	if o.by == 0 || len(s.ends) == 0 {
		return
	}
	type keyed struct {
		row        int32
		begin, end int32
	}
	keys := make([]keyed, len(s.ends))
	var ends []int32
	for i := range keys {
		row := s.row(i)
		ends = cells(row, s.delim, ends)
		begin := int32(0)
		if i > 0 {
			begin = s.ends[i-1] + 1
		}
		keys[i].row = int32(i) //nolint:gosec // below maxRows
		if c := o.by - 1; c < len(ends) {
			keys[i].end = begin + ends[c]
			keys[i].begin = begin
			if c > 0 {
				keys[i].begin = begin + ends[c-1] + 1
			}
		}
	}
	slices.SortStableFunc(keys[1:], func(a, b keyed) int {
		return o.compare(s.data[a.begin:a.end], s.data[b.begin:b.end])
	})
	order := make([]int32, len(keys))
	for i, k := range keys {
		order[i] = k.row
	}
	s.order = order
}

// compare orders two cells.
func (o sorting) compare(a, b []byte) int {
	n := 0
	if o.numbers {
		n = compareNumbers(a, b)
	} else {
		n = bytes.Compare(a, b)
	}
	if o.down {
		n = -n
	}
	return n
}

// compareNumbers compares decimal numbers exactly; what is none comes first,
// ordered by its bytes.
func compareNumbers(a, b []byte) int {
	x, okX := parseDecimal(a)
	y, okY := parseDecimal(b)
	switch {
	case !okX && !okY:
		return bytes.Compare(a, b)
	case !okX:
		return -1
	case !okY:
		return 1
	case x.negative != y.negative:
		if x.negative {
			return -1
		}
		return 1
	}
	n := cmp.Compare(len(x.whole), len(y.whole))
	if n == 0 {
		n = bytes.Compare(x.whole, y.whole)
	}
	if n == 0 {
		n = bytes.Compare(x.fraction, y.fraction)
	}
	if x.negative {
		n = -n
	}
	return n
}

type decimal struct {
	negative        bool
	whole, fraction []byte // without leading and trailing zeros
}

func parseDecimal(b []byte) (d decimal, ok bool) {
	b = bytes.Trim(b, "\" \r")
	if len(b) > 0 && b[0] == '-' {
		d.negative, b = true, b[1:]
	}
	whole, fraction, _ := bytes.Cut(b, []byte("."))
	if len(whole)+len(fraction) == 0 {
		return d, false
	}
	for _, part := range [2][]byte{whole, fraction} {
		for _, c := range part {
			if c < '0' || c > '9' {
				return d, false
			}
		}
	}
	d.whole, d.fraction = bytes.TrimLeft(whole, "0"), bytes.TrimRight(fraction, "0")
	if len(d.whole)+len(d.fraction) == 0 {
		d.negative = false
	}
	return d, true
}

// applyTable rebuilds a table row by row; the old one stands in memory.
func applyTable(w io.Writer, old io.ReaderAt, h Header, body io.ByteReader) error {
	data := make([]byte, h.Old)
	if n, err := old.ReadAt(data, 0); int64(n) < h.Old {
		return fmt.Errorf("read old content: %w", noEOF(err))
	}
	c := newDecoder(body)
	delim := byte(c.direct(0, 8)) //nolint:gosec // 8 bits
	s, ok := cut(data, delim)
	if !ok {
		return fmt.Errorf("%w: the old content is no table", ErrPatch)
	}
	m := newTableModel(c, s, h.New)
	m.begin(false, sorting{}, nil)
	var out bytes.Buffer
	for left := h.New; left > 0; {
		m.limit = int(min(left, maxRow))
		row := m.row(nil, -1)
		switch {
		case c.err != nil:
			return c.err
		case m.err != nil:
			return m.err
		case int64(len(row)) > left:
			return fmt.Errorf("%w: a row longer than what is left", ErrPatch)
		}
		out.Write(row)
		if left -= int64(len(row)); left > 0 {
			out.WriteByte('\n')
			left--
		}
		if out.Len() >= 32<<10 || left == 0 {
			if _, err := out.WriteTo(w); err != nil {
				return err
			}
		}
	}
	return c.end()
}
