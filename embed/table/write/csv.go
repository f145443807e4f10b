package write

import (
	"bufio"
	"math"
	"strconv"
	"strings"
)

// csvFile writes CSV as spreadsheet programs open it: UTF-8 with a byte order
// mark, lines that end with CR LF (RFC 4180). Its last line, unless it is bare,
// is a comment with the provenance in the first cell.
type csvFile struct {
	w    *bufio.Writer
	f    File
	line []byte
	n    int // columns shown
}

func newCSV(w *bufio.Writer, f File) (encoder, error) {
	c := &csvFile{w: w, f: f, n: len(f.Columns) - f.Hidden}
	if _, err := w.WriteString("\ufeff"); err != nil {
		return nil, err
	}
	heads := f.headings()
	for i, h := range heads {
		c.cell(i, h)
	}
	return c, c.flush()
}

func (c *csvFile) row(values []any) error {
	for i, v := range values[:c.n] {
		switch v := v.(type) {
		case int64:
			c.plain(i, strconv.AppendInt(c.line, v, 10))
		case float64:
			c.number(i, v)
		case bool:
			c.plain(i, strconv.AppendBool(c.line, v))
		case string:
			c.cell(i, v)
		default:
			c.plain(i, c.line)
		}
	}
	return c.flush()
}

// plain ends a cell that needs no quotes.
func (c *csvFile) plain(i int, line []byte) {
	c.line = line
	if i < c.n-1 {
		c.line = append(c.line, string(c.f.Separator)...)
	}
}

func (c *csvFile) number(i int, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		c.plain(i, c.line)
		return
	}
	from := len(c.line)
	line := appendFloat(c.line, v)
	if c.f.DecimalComma {
		for j := from; j < len(line); j++ {
			if line[j] == '.' {
				line[j] = ','
			}
		}
	}
	c.plain(i, line)
}

// cell writes a text. One that could run as a formula gets an apostrophe before
// it, which spreadsheet programs show and never run.
func (c *csvFile) cell(i int, s string) {
	if risky(s) {
		s = "'" + s
	}
	if s != "" && !strings.ContainsRune(s, c.f.Separator) && !strings.ContainsAny(s, "\"\r\n#") && s[0] != ' ' && s[len(s)-1] != ' ' {
		c.plain(i, append(c.line, s...))
		return
	}
	line := append(c.line, '"')
	for {
		at := strings.IndexByte(s, '"')
		if at < 0 {
			break
		}
		line = append(append(line, s[:at]...), `""`...)
		s = s[at+1:]
	}
	c.plain(i, append(append(line, s...), '"'))
}

// flush ends a line. One that has nothing would be passed over by readers.
func (c *csvFile) flush() error {
	if len(c.line) == 0 {
		c.line = append(c.line, `""`...)
	}
	c.line = append(c.line, '\r', '\n')
	_, err := c.w.Write(c.line)
	c.line = c.line[:0]
	return err
}

func (c *csvFile) end() error {
	if c.f.Bare {
		return nil
	}
	c.line = append(c.line, "# "+c.f.From.String()...)
	if c.f.Separator == ';' { // the line has semicolons
		c.line = append(append([]byte{'"'}, c.line...), '"')
	}
	for range c.n - 1 {
		c.line = append(c.line, string(c.f.Separator)...)
	}
	return c.flush()
}

func (c *csvFile) close() {}
