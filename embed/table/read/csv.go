package read

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// csvReader cuts decoded text into rows. It reads what RFC 4180 says and what
// people make of it: any delimiter, any line ending, quotes that stand inside
// cells, escapes. What is doubtful in a row stands in flaw.
type csvReader struct {
	r     io.Reader
	d     dialect
	delim string
	quote byte // 0: none
	esc   byte // 0: none
	stop  [256]bool

	buf        []byte // text from pos on is not read yet
	pos        int
	err        error  // of the last reading, io.EOF at the end
	n          int    // rows begun, blank ones and comments included
	flaw       string // of the row that next gave
	inside     bool   // a quotation mark stands inside one of its cells
	start, end int    // of that row in buf, without its line end
	spans      []span
	cells      []string
}

// span is a cell: a piece of the row, or text of its own where quotes or escapes
// had to be taken out.
type span struct {
	from, to int
	own      bool
	text     string
}

var errTooBig = errors.New("too big")

// errMore: the row goes on after what is read.
var errMore = errors.New("more")

func newCSVReader(r io.Reader, d dialect) *csvReader {
	c := &csvReader{r: r, d: d, delim: d.delimiter}
	if d.quote == "" {
		c.quote = '"'
	} else if d.quote != noQuote {
		c.quote = d.quote[0]
	}
	if d.escape != "" && d.escape[0] != c.quote {
		c.esc = d.escape[0]
		c.stop[c.esc] = true
	}
	if c.quote != 0 {
		c.stop[c.quote] = true
	}
	c.stop[c.delim[0]], c.stop['\n'], c.stop['\r'] = true, true, true
	return c
}

func bufioOf(b []byte) *bufio.Reader { return bufio.NewReaderSize(bytes.NewReader(b), 4096) }

// Room for text, in bytes: a catalogue has thousands of tables that fit into the
// first, and a large one soon has the full.
const (
	firstText = 4 << 10
	fullText  = 128 << 10
)

// fill reads more text behind what is there, and moves it to the front.
func (c *csvReader) fill() error {
	if c.err != nil {
		return c.err
	}
	if len(c.buf)-c.pos > MaxRecord {
		return fmt.Errorf("row %d is longer than 16 MiB: %w", c.n, errTooBig)
	}
	full := len(c.buf) == cap(c.buf)
	if c.pos > 0 {
		c.buf = c.buf[:copy(c.buf, c.buf[c.pos:])]
		c.pos = 0
	}
	if full && cap(c.buf) < fullText || len(c.buf)*2 > cap(c.buf) {
		room := max(firstText, 2*cap(c.buf), min(8*cap(c.buf), fullText))
		c.buf = append(make([]byte, 0, room), c.buf...)
	}
	n, err := c.r.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n == 0 && err == nil {
		err = io.ErrNoProgress
	}
	if c.err = err; n > 0 {
		return nil
	}
	return err
}

// next gives the next row that is not blank; its cells are good until the call
// after. The error is io.EOF, one that wraps errTooBig, or the reader's.
func (c *csvReader) next() ([]string, error) {
	for {
		if c.pos == len(c.buf) {
			if err := c.fill(); err != nil {
				return nil, err
			}
		}
		c.n++
		for {
			used, blank, err := c.row(c.buf[c.pos:], c.err != nil)
			if err == errMore { //nolint:errorlint // our own, never wrapped
				if err := c.fill(); err != nil && err != io.EOF {
					return nil, err
				}
				continue
			}
			if err != nil {
				return nil, err
			}
			c.start = c.pos
			c.pos += used
			if !blank {
				return c.cut(), nil
			}
			break
		}
	}
}

// cut makes strings of the row's cells with one allocation for those that stand
// in the text as they are.
func (c *csvReader) cut() []string {
	row := string(c.buf[c.start : c.start+c.end])
	c.cells = c.cells[:0]
	for _, s := range c.spans {
		if s.own {
			c.cells = append(c.cells, s.text)
		} else {
			c.cells = append(c.cells, row[s.from:s.to])
		}
	}
	return c.cells
}

// line is the text of the row that next gave, without its line end.
func (c *csvReader) line() string { return string(c.buf[c.start : c.start+c.end]) }

// back gives up what the row has after its first n bytes, which end in a line
// end: it is read again as rows of their own.
func (c *csvReader) back(n int) { c.pos = c.start + n }

// row reads one row from the beginning of b and says how much of b it took.
// blank is a row of nothing or a comment. last says that nothing comes after b.
func (c *csvReader) row(b []byte, last bool) (used int, blank bool, err error) {
	c.spans, c.flaw, c.inside = c.spans[:0], "", false
	i := 0
	if c.d.comment != "" && b[0] == c.d.comment[0] {
		end := bytes.IndexAny(b, "\r\n")
		if end < 0 {
			end = len(b)
		}
		used, err = c.lineEnd(b, end, last)
		return used, true, err
	}
	marked := false // a cell is quoted
	for {
		if c.d.skipSpace {
			for i < len(b) && b[i] == ' ' {
				i++
			}
		}
		if i == len(b) && !last {
			return 0, false, errMore
		}
		from := i
		cell := span{from: from}
		whole := false
		quoted := false
		if c.quote != 0 && i < len(b) && b[i] == c.quote {
			quoted, marked = true, true
			cell, i, whole, err = c.quotedCell(b, i+1, last)
		}
		if err == nil && !whole {
			cell, i, err = c.plainCell(b, cell, i, last)
			if quoted && cell.own && b[cell.from-1] == c.quote { // ""a" is a cell that begins with a mark
				cell.text = strings.TrimSuffix(cell.text, string(c.quote))
			}
		}
		if err != nil {
			return 0, false, err
		}
		if len(c.spans) >= MaxColumns*2 {
			return 0, false, fmt.Errorf("row %d has more than %d cells: %w", c.n, MaxColumns, errTooBig)
		}
		c.spans = append(c.spans, cell)
		if i == len(b) || b[i] == '\n' || b[i] == '\r' {
			break
		}
		i += len(c.delim)
	}
	c.end = i
	used, err = c.lineEnd(b, i, last)
	return used, !marked && len(c.spans) == 1 && len(bytes.TrimSpace(b[:i])) == 0, err
}

// plainCell reads on to the next delimiter or the end of the line. cell is empty,
// or has the text of a quoted part that stands before i.
func (c *csvReader) plainCell(b []byte, cell span, i int, last bool) (span, int, error) {
	part := i
	for ; i < len(b); i++ {
		if !c.stop[b[i]] {
			continue
		}
		if b[i] == '\n' || b[i] == '\r' {
			break
		}
		if b[i] == c.delim[0] {
			if bytes.HasPrefix(b[i:], []byte(c.delim)) {
				break
			}
			if len(b)-i < len(c.delim) && !last {
				return cell, i, errMore
			}
			continue
		}
		if b[i] == c.quote || c.esc == 0 {
			c.inside = true
			continue
		}
		cell.text, cell.own = cell.text+string(b[part:i]), true // an escape: the next byte is itself
		i++
		part = min(i, len(b))
	}
	i = min(i, len(b))
	if i == len(b) && !last {
		return cell, i, errMore
	}
	if cell.to = i; cell.own {
		cell.text += string(b[part:i])
	}
	if max(i-part, len(cell.text)) > maxCell {
		return cell, i, c.longCell()
	}
	return cell, i, nil
}

func (c *csvReader) longCell() error {
	return fmt.Errorf("row %d has a cell longer than 1 MiB (a quotation mark may lack its pair): %w", c.n, errTooBig)
}

// quotedCell reads a cell whose opening quote stands before i, up to the closing
// one, and gives the place after it; whole says that the cell ends there.
func (c *csvReader) quotedCell(b []byte, i int, last bool) (cell span, after int, whole bool, err error) {
	cell.from = i
	part := i
	own := func(to int) { cell.text, cell.own = cell.text+string(b[part:to]), true }
	for ; i < len(b); i++ {
		if i-part > maxCell {
			return cell, i, false, c.longCell()
		}
		if c.esc != 0 && b[i] == c.esc {
			own(i)
			i++
			part = min(i, len(b))
			continue
		}
		if b[i] != c.quote {
			continue
		}
		if i+1 == len(b) && !last {
			return cell, i, false, errMore
		}
		if c.d.double && i+1 < len(b) && b[i+1] == c.quote {
			own(i + 1)
			i++
			part = i + 1
			continue
		}
		if cell.own {
			own(i)
		}
		cell.to = i
		return c.closed(b, cell, i+1, last)
	}
	if !last {
		return cell, i, false, errMore
	}
	c.flaw = "a quoted cell never ends"
	own(len(b))
	return cell, len(b), true, nil
}

// closed looks at what stands after a closing quote: spaces are passed over,
// other text is kept, with the quote, and is a flaw.
func (c *csvReader) closed(b []byte, cell span, i int, last bool) (span, int, bool, error) {
	j := i
	for j < len(b) && b[j] == ' ' && c.delim != " " {
		j++
	}
	if j == len(b) && !last {
		return cell, i, false, errMore
	}
	if max(cell.to-cell.from, len(cell.text)) > maxCell {
		return cell, i, false, c.longCell()
	}
	if len(b)-j < len(c.delim) && !last {
		return cell, i, false, errMore
	}
	if j == len(b) || b[j] == '\n' || b[j] == '\r' || bytes.HasPrefix(b[j:], []byte(c.delim)) {
		return cell, j, true, nil
	}
	c.flaw = "text stands after a closing quotation mark"
	if !cell.own {
		cell.text, cell.own = string(b[cell.from:cell.to]), true
	}
	cell.text += string(c.quote) + string(b[i:j])
	return cell, j, false, nil
}

// lineEnd passes over one line end at i.
func (c *csvReader) lineEnd(b []byte, i int, last bool) (int, error) {
	switch {
	case i == len(b) && !last:
		return 0, errMore
	case i == len(b):
		return i, nil
	case b[i] == '\r' && i+1 == len(b) && !last:
		return 0, errMore
	case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
		return i + 2, nil
	}
	return i + 1, nil
}

// empty tells whether cells hold nothing but white space.
func empty(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}
