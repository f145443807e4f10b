package chart

import (
	"strings"
	"unicode"
)

// lettering is how a text is set: its size in CSS pixels, and whether it is bold.
// Which font a reader has nobody knows: widths are those of a wide one, so that
// what fits here fits everywhere.
type lettering struct {
	size float64
	bold bool
}

// times is the same in another size.
func (l lettering) times(by float64) lettering { return lettering{l.size * by, l.bold} }

// width is that of a text, in CSS pixels.
func (l lettering) width(s string) float64 {
	table := regularWidth()
	if l.bold {
		table = boldWidth()
	}
	sum := 0.0
	for _, r := range s {
		sum += table.of(r)
	}
	return sum * l.size
}

// TextWidth is how wide a text is taken to be at a size, both in CSS pixels.
func TextWidth(s string, size float64, bold bool) float64 { return lettering{size, bold}.width(s) }

// fit cuts a text at a width, with an ellipsis where something is left out.
func (l lettering) fit(s string, width float64) string {
	if l.width(s) <= width+.01 { // a width that was made of this text may have lost a bit
		return s
	}
	room := width - l.width("…")
	sum := 0.0
	for i, r := range s {
		if sum += l.width(string(r)); sum > room {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace) + "…"
		}
	}
	return s
}

// wrap breaks a text at spaces into at most n lines of a width; the last is cut
// when more is left.
func (l lettering) wrap(s string, width float64, n int) []string {
	var rows []string
	row := ""
	words := strings.FieldsFunc(s, breaking)
	for i, word := range words {
		longer := word
		if row != "" {
			longer = row + " " + word
		}
		if row == "" || l.width(longer) <= width {
			row = longer
			continue
		}
		if len(rows) == n-1 {
			return append(rows, l.fit(row+" "+strings.Join(words[i:], " "), width))
		}
		rows, row = append(rows, l.fit(row, width)), word
	}
	if row == "" {
		return rows
	}
	return append(rows, l.fit(row, width))
}

// whole tells whether the rows of a wrapped text have all of it.
func whole(rows []string, s string) bool {
	return strings.Join(rows, " ") == strings.Join(strings.FieldsFunc(s, breaking), " ")
}

// breaking tells where a line may end: at spaces but those that hold a number and
// its unit together.
func breaking(r rune) bool { return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f' }

// widest is the width of the widest of some texts, no more than limit.
func (l lettering) widest(texts []string, limit float64) float64 {
	w := 0.0
	for _, s := range texts {
		w = max(w, l.width(s))
	}
	return min(w, limit)
}
