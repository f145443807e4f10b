package read

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// csvReader cuts decoded text into rows. It reads what RFC 4180 says and what
// people make of it: any delimiter, any line ending, quotes that stand inside
// cells, escapes. What is doubtful in a row stands in flaw.
type csvReader struct {
	r     *bufio.Reader
	d     dialect
	delim byte   // first byte of the delimiter
	tail  string // its other bytes
	quote byte   // 0: none
	esc   byte   // 0: none
	n     int    // rows begun, blank ones and comments included
	flaw  string // of the row that next gave
	buf   []byte
	ends  []int
	cells []string
}

var errTooBig = errors.New("too big")

func newCSVReader(r *bufio.Reader, d dialect) *csvReader {
	c := &csvReader{r: r, d: d, delim: d.delimiter[0], tail: d.delimiter[1:]}
	if d.quote == "" {
		c.quote = '"'
	} else if d.quote != noQuote {
		c.quote = d.quote[0]
	}
	if d.escape != "" {
		c.esc = d.escape[0]
	}
	return c
}

func bufioOf(b []byte) *bufio.Reader { return bufio.NewReaderSize(bytes.NewReader(b), 4096) }

// next gives the next row that is not blank; its cells are good until the call
// after. The error is io.EOF, one that wraps errTooBig, or the reader's.
func (c *csvReader) next() ([]string, error) {
	for {
		blank, err := c.row()
		if err != nil {
			return nil, err
		}
		if !blank {
			return c.cut(), nil
		}
	}
}

// cut makes strings of the row's bytes with one allocation.
func (c *csvReader) cut() []string {
	row := string(c.buf)
	c.cells = c.cells[:0]
	start := 0
	for _, end := range c.ends {
		c.cells = append(c.cells, row[start:end])
		start = end
	}
	return c.cells
}

// row reads one row into buf and ends. blank is a row of nothing or a comment.
func (c *csvReader) row() (blank bool, err error) {
	c.buf, c.ends, c.flaw = c.buf[:0], c.ends[:0], ""
	b, err := c.r.ReadByte()
	if err != nil {
		return false, err
	}
	c.n++
	if c.d.comment != "" && b == c.d.comment[0] {
		return true, c.skipLine()
	}
	quoted := false
	for start := 0; ; start = len(c.buf) {
		if c.d.skipSpace {
			for b == ' ' && err == nil {
				b, err = c.r.ReadByte()
			}
		}
		if err == nil && c.quote != 0 && b == c.quote {
			quoted = true
			b, err = c.quotedCell(start)
		}
		for err == nil && b != '\n' && b != '\r' && !c.atDelimiter(b) {
			if c.esc != 0 && b == c.esc && c.esc != c.quote {
				if b, err = c.r.ReadByte(); err != nil {
					break
				}
			}
			if err := c.put(start, b); err != nil {
				return false, err
			}
			b, err = c.r.ReadByte()
		}
		if err != nil && err != io.EOF {
			return false, err
		}
		if len(c.ends) >= MaxColumns*2 {
			return false, fmt.Errorf("row %d has more than %d cells: %w", c.n, MaxColumns, errTooBig)
		}
		c.ends = append(c.ends, len(c.buf))
		if err == io.EOF || b == '\n' || b == '\r' {
			break
		}
		b, err = c.r.ReadByte()
	}
	if b == '\r' && err == nil {
		if next, _ := c.r.Peek(1); len(next) == 1 && next[0] == '\n' {
			_, _ = c.r.ReadByte() // it was peeked at
		}
	}
	return !quoted && c.empty(), nil
}

// quotedCell reads on after an opening quote and gives the byte after the
// closing one.
func (c *csvReader) quotedCell(start int) (b byte, err error) {
	for {
		b, err = c.r.ReadByte()
		switch {
		case err == io.EOF:
			c.flaw = "a quoted cell never ends"
			return 0, err
		case err != nil:
			return 0, err
		case c.esc != 0 && b == c.esc && c.esc != c.quote:
			if b, err = c.r.ReadByte(); err != nil {
				continue
			}
		case b == c.quote:
			if b, err = c.r.ReadByte(); err != nil || b != c.quote || !c.d.double {
				if c.d.skipSpace || b == ' ' {
					b, err = c.trailing(b, err)
				}
				if err == nil && b != '\n' && b != '\r' && b != c.delim {
					c.flaw = "text stands after a closing quotation mark"
					if perr := c.put(start, c.quote); perr != nil {
						return b, perr
					}
				}
				return b, err
			}
		}
		if err := c.put(start, b); err != nil {
			return 0, err
		}
	}
}

// trailing passes over spaces between a closing quote and the delimiter.
func (c *csvReader) trailing(b byte, err error) (byte, error) {
	for b == ' ' && err == nil {
		b, err = c.r.ReadByte()
	}
	return b, err
}

// atDelimiter tells whether b begins the delimiter, and passes over the rest.
func (c *csvReader) atDelimiter(b byte) bool {
	if b != c.delim {
		return false
	}
	if c.tail == "" {
		return true
	}
	if next, _ := c.r.Peek(len(c.tail)); string(next) != c.tail {
		return false
	}
	_, _ = c.r.Discard(len(c.tail)) // it was peeked at
	return true
}

func (c *csvReader) put(start int, b byte) error {
	if len(c.buf)-start >= maxCell {
		return fmt.Errorf("row %d has a cell longer than 1 MiB (a quotation mark may lack its pair): %w", c.n, errTooBig)
	}
	if len(c.buf) >= MaxRecord {
		return fmt.Errorf("row %d is longer than 16 MiB: %w", c.n, errTooBig)
	}
	c.buf = append(c.buf, b)
	return nil
}

func (c *csvReader) skipLine() error {
	for {
		b, err := c.r.ReadByte()
		if err == io.EOF || b == '\n' {
			return nil
		}
		if err != nil {
			return err
		}
		if b == '\r' {
			if next, _ := c.r.Peek(1); len(next) == 1 && next[0] == '\n' {
				_, _ = c.r.ReadByte() // it was peeked at
			}
			return nil
		}
	}
}

// empty tells whether the row is one cell of white space.
func (c *csvReader) empty() bool {
	return len(c.ends) == 1 && len(bytes.TrimSpace(c.buf)) == 0
}

// openCSV decides encoding and dialect, and finds the header.
func (rd *reader) openCSV(d dialect) ([]*sheet, error) {
	cs, notes, err := rd.charset()
	if err != nil {
		return nil, err
	}
	sample, err := rd.sample(cs)
	if err != nil {
		return nil, err
	}
	guessed := ""
	if d, guessed = d.sniff(sample); guessed != "" {
		notes = append(notes, fmt.Sprintf("cells are separated by %s", delimiterName(guessed)))
	}
	s := &sheet{notes: notes}
	header, err := rd.csvHeader(s, d, newCSVReader(cs.open(rd.src, rd.size), d))
	if err != nil {
		return nil, err
	}
	s.each = func(ctx context.Context, fn func(int, []cell) error) error {
		return rd.eachCSV(ctx, s, newCSVReader(cs.open(rd.src, rd.size), d), header, fn)
	}
	return []*sheet{s}, nil
}

func delimiterName(d string) string {
	return map[string]string{";": "semicolons", "\t": "tabs", "|": "vertical bars"}[d]
}

const sampleBytes = 64 << 10

// sample is the beginning of the decoded text, whole lines where it is cut.
func (rd *reader) sample(cs charset) ([]byte, error) {
	buf := make([]byte, sampleBytes)
	n, err := io.ReadFull(cs.open(rd.src, rd.size), buf)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return buf[:n], nil
	case err != nil:
		return nil, err
	}
	if i := bytes.LastIndexAny(buf, "\r\n"); i > 0 {
		buf = buf[:i+1]
	}
	return buf, nil
}

// csvHeader reads the label row and gives the number of its last row, 0 when
// there is none.
func (rd *reader) csvHeader(s *sheet, d dialect, c *csvReader) (last int, err error) {
	want := d.headerRows
	if len(want) == 0 {
		want = []int{0}
	}
	first := true
	for i := 0; i < len(want); {
		cells, err := c.next()
		if err == io.EOF {
			if first {
				return 0, unreadable(rd.where(nil), "the file has no rows")
			}
			break
		}
		if err != nil {
			return 0, rd.csvError(err)
		}
		if want[i] > c.n {
			continue
		}
		if d.header != nil && !*d.header || d.header == nil && first && looksLikeData(cells) {
			if d.header == nil {
				s.note("the file has no header row")
			}
			return 0, nil
		}
		first = false
		s.labels = joinLabels(s.labels, cells, d.headerJoin)
		last = c.n
		i++
	}
	return last, nil
}

func joinLabels(labels, cells []string, sep string) []string {
	for i, c := range cells {
		if i >= len(labels) {
			labels = append(labels, strings.Clone(c))
		} else if c != "" {
			labels[i] = strings.TrimSpace(labels[i] + sep + c)
		}
	}
	return labels
}

// looksLikeData: a first row without one word is no header. A row of years
// alone is one.
func looksLikeData(cells []string) bool {
	filled, years := 0, 0
	for _, c := range cells {
		if c = strings.TrimSpace(c); c == "" {
			continue
		}
		filled++
		if isYear(c) {
			years++
			continue
		}
		if numberMask(c).live == 0 && !isDateText(c) {
			return false
		}
	}
	return filled > 0 && years < filled
}

func (rd *reader) csvError(err error) error {
	if errors.Is(err, errTooBig) {
		return unreadable(rd.where(nil), "%s", strings.TrimSuffix(err.Error(), ": "+errTooBig.Error()))
	}
	return fmt.Errorf("read %s: %w", rd.where(nil), err)
}

// eachCSV gives the rows after the header.
func (rd *reader) eachCSV(ctx context.Context, s *sheet, c *csvReader, header int, fn func(int, []cell) error) error {
	var cells []cell
	for rows := 0; ; rows++ {
		if rows%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := c.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return rd.csvError(err)
		}
		if c.n <= header {
			continue
		}
		if c.flaw != "" {
			rd.flaw(s, c.n, c.flaw)
		}
		cells = cells[:0]
		for _, text := range row {
			x := cell{text: text}
			if c.d.null != nil && text == *c.d.null {
				x.kind = cellNull
			}
			cells = append(cells, x)
		}
		if err := fn(c.n, cells); err != nil {
			return err
		}
	}
}

// flaw reports a row that can be read two ways, once: rows are read more than
// once, so the first reading counts.
func (rd *reader) flaw(s *sheet, n int, what string) {
	if n <= s.flawed {
		return
	}
	s.flawed = n
	if rd.strict {
		rd.report.add(fmt.Sprintf("%s: row %d", rd.where(s), n), "%s", what)
	} else {
		s.note("row %d: %s", n, what)
	}
}
