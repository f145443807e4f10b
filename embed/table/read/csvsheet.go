package read

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

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
	s := &sheet{notes: notes, encoding: cs.guessed, delimiter: guessed}
	c := newCSVReader(cs.open(rd.src, rd.size), d)
	rows, numbers, err := rd.firstRows(d, c)
	if err != nil {
		return nil, err
	}
	p := rd.page(s, d, rows, numbers)
	if p.begin == 0 {
		return nil, unreadable(rd.where(nil), "the file has no rows")
	}
	m := newMender(newCSVReader(bytes.NewReader(sample), d), p)
	s.each = func(ctx context.Context, fn func(int, []cell) error) error {
		return rd.eachCSV(ctx, s, newCSVReader(cs.open(rd.src, rd.size), d), p, m, fn)
	}
	return []*sheet{s}, nil
}

// firstRows are the rows among which the header stands, and their numbers.
func (rd *reader) firstRows(d dialect, c *csvReader) (rows [][]string, numbers []int, err error) {
	for len(rows) < d.headerWithin() {
		row, err := c.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if len(rows) > 0 && errors.Is(err, errTooBig) {
				break // it is met again when the rows are read
			}
			return nil, nil, rd.csvError(err)
		}
		if !empty(row) {
			rows, numbers = append(rows, slices.Clone(row)), append(numbers, c.n)
		}
	}
	return rows, numbers, nil
}

// headerWithin is how many of the first rows are looked at for a header.
func (d dialect) headerWithin() int {
	if n := len(d.headerRows); n > 0 {
		return max(layoutRows, d.headerRows[n-1]+2)
	}
	return layoutRows
}

// page finds the header among the first rows and says what it found. A schema
// whose columns the first row has settles it.
func (rd *reader) page(s *sheet, d dialect, rows [][]string, numbers []int) page {
	if d.header == nil && len(d.headerRows) == 0 && len(rows) > 0 && rd.isSchema(s, rows[0]) {
		yes := true
		d.header = &yes
	}
	p := d.turn(rows, numbers)
	s.labels, s.above = p.labels, p.above
	switch {
	case len(rows) == 0:
	case p.labels == nil && d.header == nil:
		s.note("there is no header row")
	case len(d.headerRows) == 0 && (len(p.header) > 1 || len(p.header) == 1 && p.header[0] != numbers[0]):
		s.header = p.header
		s.note("the header is %s", rowList(p.header))
	}
	return p
}

// isSchema tells whether a row has most names of the schema's fields.
func (rd *reader) isSchema(s *sheet, row []string) bool {
	schema := rd.schemaOf(s.name, true)
	if schema == nil || len(schema.Fields) == 0 {
		return false
	}
	names := map[string]bool{}
	for _, f := range schema.Fields {
		names[cleanLabel(f.Name)] = true
	}
	n := 0
	for _, c := range row {
		if names[cleanLabel(c)] {
			n++
		}
	}
	return n*2 > len(names)
}

func rowList(rows []int) string {
	if len(rows) == 1 {
		return fmt.Sprintf("row %d", rows[0])
	}
	return fmt.Sprintf("rows %d to %d", rows[0], rows[len(rows)-1])
}

func delimiterName(d string) string {
	if name := map[string]string{";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces", ":": "colons", "^": "carets", "~": "tildes", "#": "number signs"}[d]; name != "" {
		return name
	}
	return fmt.Sprintf("%q", d)
}

const sampleBytes = 64 << 10

// sample is the beginning of the decoded text, whole lines where it is cut.
func (rd *reader) sample(cs charset) ([]byte, error) {
	buf := make([]byte, min(sampleBytes, utf8.UTFMax*rd.size+1)) // of a byte a decoder makes one character
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

// eachCSV gives the rows of data. A row that is broken and can be read in one
// way only is mended: a strict reader names it, a lenient one says so.
func (rd *reader) eachCSV(ctx context.Context, s *sheet, c *csvReader, p page, m *mender, fn func(int, []cell) error) error {
	var cells []cell
	for rows := 0; ; rows++ {
		if rows%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := c.next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, errTooBig) {
			return rd.csvError(err)
		}
		if err == nil && (c.n < p.begin || empty(row) && len(p.labels) > 1) {
			continue
		}
		if err != nil || c.flaw != "" || c.inside || len(row) != m.width {
			var end bool
			if row, end, err = rd.mend(s, c, m, row, err); err != nil {
				return rd.csvError(err)
			}
			if end {
				return nil
			}
			if row == nil {
				continue
			}
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

// mend looks at a row that is not as the others. end says that the table ends
// before it; no row and no error that it is passed over.
func (rd *reader) mend(s *sheet, c *csvReader, m *mender, row []string, err error) (mended []string, end bool, _ error) {
	switch {
	case err == nil && m.repeats(row):
		rd.flaw(s, c.n, "another table begins here; make a file of it")
		return nil, true, nil
	case m.width < 2:
	default:
		cells, used, how := m.mend(c, row, err)
		if cells != nil && !slices.Equal(cells, row) {
			if used > 0 {
				c.back(used)
			}
			if rd.strict {
				rd.flaw(s, c.n, how+"; it may be meant as "+quoteCells(cells))
			} else {
				rd.flaw(s, c.n, "mended: "+how)
			}
			return cells, false, nil
		}
	}
	if err != nil {
		return nil, false, err
	}
	if c.flaw != "" {
		rd.flaw(s, c.n, c.flaw)
	}
	return row, false, nil
}

// quoteCells shows the cells of a row in a message.
func quoteCells(cells []string) string {
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			b.WriteString(" | ")
		}
		b.WriteString(clip(c, 20))
	}
	return clip(b.String(), 200)
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
