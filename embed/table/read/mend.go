package read

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mender knows how the cells of a table's columns look, and reads a row that is
// broken (a quotation mark too many, a delimiter too many or too few) the one
// way in which its cells look like those of the other rows. Where two ways are
// as good it leaves the row alone: nothing is made up.
type mender struct {
	width  int
	labels []string
	shapes []shape
	rows   int
}

// mendRows of the beginning are learnt from.
const mendRows = 400

// newMender learns from the rows of a sample that have the commonest width.
func newMender(c *csvReader, p page) *mender {
	var rows [][]string
	counts := map[int]int{}
	for len(rows) < mendRows {
		row, err := c.next()
		if err != nil {
			break
		}
		if c.n >= p.begin && c.flaw == "" {
			rows = append(rows, slices.Clone(row))
			counts[len(row)]++
		}
	}
	m := &mender{labels: p.labels}
	for w, n := range counts {
		if n > counts[m.width] || n == counts[m.width] && w > m.width {
			m.width = w
		}
	}
	if len(p.labels) > 0 {
		m.width = len(p.labels)
	}
	m.shapes = make([]shape, m.width)
	for _, row := range rows {
		if len(row) != m.width {
			continue
		}
		m.rows++
		for i, cell := range row {
			m.shapes[i].learn(cell)
		}
	}
	return m
}

// repeats tells a row that has the header's labels again, and more or fewer:
// there another table begins.
func (m *mender) repeats(row []string) bool {
	if len(m.labels) < 3 || len(row) == len(m.labels) {
		return false
	}
	same := 0
	for i := range min(len(row), len(m.labels)) {
		if strings.TrimSpace(row[i]) != "" && strings.TrimSpace(row[i]) == strings.TrimSpace(m.labels[i]) {
			same++
		}
	}
	return same*4 >= len(m.labels)*3
}

// shape is how the cells of one column look.
type shape struct {
	n           int
	signs       map[string]int // by their signature
	free        bool           // too many signatures: only the ends count
	first, last [5]int         // cells by the class of their ends
}

const maxSigns = 40

func (s *shape) learn(cell string) {
	cell = strings.TrimSpace(cell)
	s.n++
	a, b := ends(cell)
	s.first[a]++
	s.last[b]++
	if s.free {
		return
	}
	if s.signs == nil {
		s.signs = map[string]int{}
	}
	s.signs[signature(cell)]++
	if len(s.signs) > maxSigns || len(s.signs) > 3+s.n/3 {
		s.free = true
	}
}

// classes of characters: nothing, digits, small and capital letters, the rest.
func class(r rune) int {
	switch {
	case r >= '0' && r <= '9':
		return 1
	case unicode.IsUpper(r):
		return 2
	case unicode.IsLetter(r):
		return 3
	}
	return 4
}

func ends(cell string) (first, last int) {
	if cell == "" {
		return 0, 0
	}
	a, _ := utf8.DecodeRuneInString(cell)
	b, _ := utf8.DecodeLastRuneInString(cell)
	return class(a), class(b)
}

// signature spells a short cell in classes: 28/01/2018 is 11/11/1111.
func signature(cell string) string {
	if len(cell) > 24 {
		return "text"
	}
	return strings.Map(func(r rune) rune {
		switch class(r) {
		case 1:
			return '1'
		case 2:
			return 'A'
		case 3:
			return 'a'
		}
		return r
	}, cell)
}

// fits is the logarithm of how likely a cell is in the column; plausible is
// false for one that looks like none before.
func (s *shape) fits(cell string) (score float64, plausible bool) {
	cell = strings.TrimSpace(cell)
	n := float64(s.n) + 1
	if bare := strings.Trim(cell, `"'`); bare != cell && bare != "" { // a mark that is a character
		score, plausible = s.fits(bare)
		return score - 2, plausible
	}
	a, b := ends(cell)
	if !s.free {
		k := s.signs[signature(cell)]
		return math.Log((float64(k) + 0.02) / n), k > 0
	}
	return math.Log((float64(s.first[a])+0.1)/n) + math.Log((float64(s.last[b])+0.1)/n) - 0.5, s.first[a] > 0 || s.last[b] > 0
}

// judge adds up how well cells fit their columns.
func (m *mender) judge(cells []string) (score float64, plausible bool) {
	plausible = true
	for i, c := range cells {
		s, ok := m.shapes[i].fits(c)
		score += s - 0.7*float64(min(strings.Count(c, `"`), 4))
		if strings.Contains(c, `",`) || strings.Contains(c, `,"`) {
			score -= 2 // what parts cells stands in one
		}
		plausible = plausible && ok
	}
	return score, plausible
}

// attempt is one way to read a row.
type attempt struct {
	cells []string
	used  int // bytes of the row's text with the line end; 0: all of it
	how   string
	odd   int // how many mistakes it takes the row to have
}

// mend gives the one plausible way to read a broken row; nil when there is none.
// used is how much of the text it took, 0 for all.
func (m *mender) mend(c *csvReader, row []string, err error) (cells []string, used int, how string) {
	if m.rows < 5 || c.esc != 0 {
		return nil, 0, ""
	}
	var all []attempt
	all = append(all, m.byQuotes(c, err)...)
	switch {
	case err != nil:
	case len(row) == m.width:
		all = append(all, attempt{cells: slices.Clone(row), how: c.flaw, odd: 1})
	case c.flaw == "":
		all = append(all, m.byCells(row)...)
	}
	best, second := math.Inf(-1), math.Inf(-1)
	var chosen attempt
	for _, a := range all {
		score, plausible := m.judge(a.cells)
		score -= 1.5 * float64(a.odd) // the fewer mistakes the likelier
		switch {
		case !plausible:
		case score > best:
			if chosen.cells != nil && !slices.Equal(a.cells, chosen.cells) {
				second = best
			}
			best, chosen = score, a
		case score > second && !slices.Equal(a.cells, chosen.cells):
			second = score
		}
	}
	if chosen.cells == nil || best-second < 0.3 {
		return nil, 0, ""
	}
	return chosen.cells, chosen.used, chosen.how
}

// byCells mends by leaving an empty cell out, or by cutting one in two.
func (m *mender) byCells(row []string) (all []attempt) {
	switch len(row) {
	case m.width + 1:
		for i, c := range row {
			if c == "" && (i == 0 || row[i-1] != "") {
				all = append(all, attempt{cells: slices.Delete(slices.Clone(row), i, i+1), odd: 1, how: fmt.Sprintf("a delimiter too many after cell %d", i)})
			}
		}
	case m.width - 1:
		all = append(all, attempt{cells: append(slices.Clone(row), ""), odd: 1, how: "the last cell is missing"})
		for i, c := range row {
			if len(c) > 400 {
				continue
			}
			for at := range c {
				if at > 0 {
					cut := slices.Insert(slices.Clone(row), i+1, c[at:])
					cut[i] = c[:at]
					all = append(all, attempt{cells: cut, odd: 1, how: fmt.Sprintf("a delimiter is missing in cell %d", i+1)})
				}
			}
		}
	}
	return all
}

// byQuotes reads the text of the row again and takes each quotation mark for
// what it may be: an opening or closing one, or a character of the cell, or one
// beside which a delimiter is missing. Rows that ran into the next lines for want
// of a closing mark are tried as one line.
func (m *mender) byQuotes(c *csvReader, err error) []attempt {
	if c.quote == 0 {
		return nil
	}
	var text string
	switch {
	case errors.Is(err, errTooBig):
		text = string(c.buf[c.pos:min(len(c.buf), c.pos+maxCell)])
		c.start = c.pos
	case err != nil && err != io.EOF: //nolint:errorlint // the reader's own
		return nil
	default:
		text = c.line()
	}
	line, _, cut := strings.Cut(text, "\n")
	used := len(line) + 1
	line = strings.TrimSuffix(line, "\r")
	if len(line) > 64<<10 || strings.IndexByte(line, c.quote) < 0 {
		return nil
	}
	q := quoting{delim: c.delim, quote: c.quote, width: m.width}
	q.read(line, nil, 0)
	if !cut {
		used = 0
	}
	for i := range q.found {
		q.found[i].used = used
		q.found[i].how = "a quotation mark too many or too few"
	}
	return q.found
}

// quoting tries the ways to read a line.
type quoting struct {
	delim string
	quote byte
	width int
	steps int
	found []attempt
}

// The limits of a search.
const (
	maxSteps    = 20_000
	maxAttempts = 200
)

// read takes the next cell in each way that is left; odd counts what was read
// otherwise than well formed, at most two.
func (q *quoting) read(rest string, cells []string, odd int) {
	if q.steps++; q.steps > maxSteps || len(q.found) >= maxAttempts || len(cells) >= q.width || odd > 2 {
		return
	}
	next := func(cell, rest string, odd int) {
		all := append(slices.Clone(cells), cell)
		switch {
		case rest != "":
			q.read(rest[len(q.delim):], all, odd)
			if rest == q.delim && len(all) == q.width-1 {
				q.found = append(q.found, attempt{cells: append(all, ""), odd: odd})
			}
		case len(all) == q.width && odd > 0:
			q.found = append(q.found, attempt{cells: all, odd: odd})
		}
	}
	mark := string(q.quote)
	if !strings.HasPrefix(rest, mark) {
		end := strings.Index(rest, q.delim)
		if end < 0 {
			end = len(rest)
		}
		next(rest[:end], rest[end:], odd)
		if at := strings.Index(rest[:end], mark); at > 0 {
			q.read(rest[at:], append(slices.Clone(cells), rest[:at]), odd+1) // a delimiter is missing before the mark
		}
		return
	}
	if end := strings.Index(rest, q.delim); end >= 0 {
		next(rest[:end], rest[end:], odd+1) // the mark is a character
	} else {
		next(rest, "", odd+1)
	}
	inner := rest[1:]
	for at := 0; at < len(inner); at++ {
		if inner[at] != q.quote {
			continue
		}
		after := inner[at+1:]
		text := strings.ReplaceAll(inner[:at], mark+mark, mark)
		even := strings.Count(inner[:at], mark)%2 == 0
		flawed := odd
		if !even {
			flawed++
		}
		switch {
		case after == "" || strings.HasPrefix(after, q.delim):
			next(text, after, flawed)
		case strings.HasPrefix(after, mark):
			q.read(after, append(slices.Clone(cells), text), flawed+1) // ""  between two cells
		case even:
			q.read(after, append(slices.Clone(cells), text), flawed+1) // a delimiter is missing after the mark
		}
	}
}
