package read

import (
	"slices"
	"strconv"
	"strings"

	"koprik/portal/period"
)

// layout is where a table stands on its page: offices put a title over it,
// write headers in two rows, number the columns, and leave notes below.
type layout struct {
	above  []int // rows of the sample that are titles
	header []int // and those that are the header; none: the table has none
	body   int   // the first row of data
}

// layoutRows of the beginning are looked at; a header stands among the first
// maxAbove.
const (
	layoutRows = 60
	maxAbove   = 40
)

// findLayout looks for the header among the first rows, which are not blank.
func findLayout(rows [][]string) layout {
	width := commonWidth(rows)
	h := 0
	for h < min(len(rows), maxAbove) && (isTitle(rows[h], width) || isSentence(rows[h:], width)) {
		h++
	}
	if h == len(rows) || h == maxAbove {
		h = 0
	}
	if h > 0 && looksLikeData(rows[h]) {
		h-- // a header without some labels is likelier than none
	}
	l := layout{}
	for i := range h {
		l.above = append(l.above, i)
	}
	if len(rows) > 0 && looksLikeData(rows[h]) {
		l.body = h
		return l
	}
	l.header = []int{h}
	switch {
	case h > 0 && filled(rows[h-1]) > 1 && isGroup(rows[h-1], rows[h], rows[h+1:]):
		l.header, l.above = []int{h - 1, h}, l.above[:h-1]
	case h+1 < len(rows) && slices.Equal(rows[h], rows[h+1]) && filled(rows[h]) > 1:
		for h+1 < len(rows) && slices.Equal(rows[h], rows[h+1]) {
			h++
			l.header = append(l.header, h)
		}
	default:
		for len(l.header) < 3 && h+1 < len(rows) && isGroup(rows[h], rows[h+1], rows[h+2:]) {
			h++
			l.header = append(l.header, h)
		}
	}
	l.body = l.header[len(l.header)-1] + 1
	if l.body < len(rows) && isNumbering(rows[l.body], rows[l.body+1:]) {
		l.body++
	}
	return l
}

// commonWidth is the place of the last value that most rows have.
func commonWidth(rows [][]string) int {
	counts := map[int]int{}
	best := 0
	for _, r := range rows {
		if w := lastFilled(r); w > 1 {
			counts[w]++
			if counts[w] > counts[best] || counts[w] == counts[best] && w > best {
				best = w
			}
		}
	}
	return best
}

func lastFilled(row []string) int {
	n := len(row)
	for n > 0 && strings.TrimSpace(row[n-1]) == "" {
		n--
	}
	return n
}

func filled(row []string) (n int) {
	for _, c := range row {
		if strings.TrimSpace(c) != "" {
			n++
		}
	}
	return n
}

// isTitle: a row over the header has few cells, most often one.
func isTitle(row []string, width int) bool {
	n := filled(row)
	switch {
	case width < 2:
		return false
	case width == 2:
		return n == 1 && lastFilled(row) == 1
	}
	return n == 1 || n*10 < width*6 && n <= 3 && width >= 4 && !hasNumber(row)
}

// isSentence: a title with commas in it. It is shorter than the table, and the
// header stands below it.
func isSentence(rows [][]string, width int) bool {
	return len(rows) > 2 && lastFilled(rows[0]) < width && !hasNumber(rows[0]) &&
		lastFilled(rows[1]) == width && !hasNumber(rows[1]) && hasNumber(rows[2]) && !isGroup(rows[0], rows[1], rows[2:])
}

func hasNumber(row []string) bool {
	return slices.ContainsFunc(row, func(c string) bool {
		c = strings.TrimSpace(c)
		return numberMask(c).live != 0 && !isYear(c)
	})
}

// isGroup tells a header in two rows: top spans what stands under it, so it has
// gaps where sub has labels, and sub has gaps under what top says alone.
func isGroup(top, sub []string, rest [][]string) bool {
	under, alone, gaps := 0, 0, 0
	width := max(len(top), len(sub))
	for j := range width {
		a, b := cellOf(top, j), cellOf(sub, j)
		switch {
		case a == "" && b != "":
			under++
		case a != "" && b == "":
			alone++
		}
		if a == "" && j < lastFilled(sub) {
			gaps++
		}
		if b != "" && isDatum(b) {
			return false
		}
	}
	if under == 0 || alone == 0 && gaps < 2 || filled(sub) < 2 || len(rest) == 0 {
		return false
	}
	for _, row := range rest[:min(len(rest), 3)] {
		if hasNumber(row) && filled(row) >= filled(sub) {
			return true
		}
	}
	return false
}

// isDatum tells a cell that no header has: a number that is no year or period,
// or a day.
func isDatum(c string) bool {
	if numberMask(c).live != 0 {
		return !isYear(c)
	}
	p, ok := period.Parse(c)
	return ok && p.Day != 0
}

func cellOf(row []string, j int) string {
	if j < len(row) {
		return strings.TrimSpace(row[j])
	}
	return ""
}

// isNumbering: a row under the header that counts the columns, 1 2 3 or А 1 2,
// while a column of words stands below it: else it is data.
func isNumbering(row []string, rest [][]string) bool {
	n := lastFilled(row)
	first := 0
	switch c := cellOf(row, 0); c {
	case "A", "А", "a", "а", "":
		first = 1
	}
	if n-first < 3 || len(rest) < 2 {
		return false
	}
	for j := first; j < n; j++ {
		if c := cellOf(row, j); c != strconv.Itoa(j-first+1) && c != strconv.Itoa(j+1) {
			return false
		}
	}
	for j := range n {
		words := !slices.ContainsFunc(rest, func(r []string) bool { c := cellOf(r, j); return c == "" || isDatum(c) || isYear(c) })
		if words {
			return true
		}
	}
	return false
}

// headerOf joins the rows of a header to labels. A label of an upper row spans
// to the right until the next one, where there is a lower label; what stands
// twice is said once.
func headerOf(rows [][]string, sep string) []string {
	var labels []string
	for k, row := range rows {
		span := ""
		for j := range max(len(row), len(labels)) {
			c := ""
			if j < len(row) {
				c = row[j]
			}
			if j >= len(labels) {
				labels = append(labels, "")
			}
			if strings.TrimSpace(c) != "" {
				span = c
			} else if k+1 < len(rows) && cellOf(rows[k+1], j) != "" && cellOf(row, j) == "" {
				c = span
			}
			switch {
			case c == "" || strings.TrimSpace(labels[j]) == strings.TrimSpace(c):
			case labels[j] == "":
				labels[j] = strings.Clone(c)
			default:
				labels[j] = strings.TrimSpace(labels[j] + sep + c)
			}
		}
	}
	return labels
}

// page is what is found over and about a table, before its rows are read.
type page struct {
	labels []string
	above  []string // title lines
	header []int    // numbers of the header's rows
	begin  int      // number of the first row of data
}

// turn makes a page of the first rows and their numbers. Without headerRows in
// the dialect the header is looked for.
func (d dialect) turn(rows [][]string, numbers []int) page {
	var p page
	if len(rows) == 0 {
		return p
	}
	l := layout{}
	switch {
	case d.header != nil && !*d.header:
	case len(d.headerRows) > 0:
		for i, n := range numbers {
			if slices.Contains(d.headerRows, n) {
				l.header = append(l.header, i)
			} else if len(l.header) == 0 {
				l.above = append(l.above, i)
			}
		}
		if len(l.header) == 0 {
			l.above = nil
		}
		l.body = len(l.above) + len(l.header)
		if l.body < len(rows) && len(l.header) > 0 && isNumbering(rows[l.body], rows[l.body+1:]) {
			l.body++
		}
	case d.header != nil:
		l.header, l.body = []int{0}, 1
	default:
		l = findLayout(rows)
	}
	for _, i := range l.above {
		var words []string
		for _, c := range rows[i] {
			if c = strings.TrimSpace(c); c != "" {
				words = append(words, c)
			}
		}
		p.above = append(p.above, cleanLabel(strings.Join(words, ", ")))
	}
	var header [][]string
	for _, i := range l.header {
		header = append(header, rows[i])
		p.header = append(p.header, numbers[i])
	}
	p.labels = headerOf(header, d.headerJoin)
	switch {
	case l.body < len(numbers):
		p.begin = numbers[l.body]
	default:
		p.begin = numbers[len(numbers)-1] + 1
	}
	return p
}
