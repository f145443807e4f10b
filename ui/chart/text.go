package chart

import (
	"strings"
	"unicode"
)

// widthOf estimates how wide a text is at a font size, in CSS pixels. Which font
// a reader has nobody knows: the widths are those of a wide humanist face, so
// that what fits here fits everywhere.
func widthOf(s string, size float64) float64 {
	sum := 0.0
	for _, r := range s {
		sum += runeWidth(r)
	}
	return sum * size
}

// runeWidth is in ems.
func runeWidth(r rune) float64 {
	switch {
	case strings.ContainsRune("il.,:;'|!ıʻʼjIfІі ", r):
		return .32
	case r == '\u00a0' || r == '\u202f' || r == '\u2009':
		return .3
	case r >= '0' && r <= '9':
		return .58
	case strings.ContainsRune("mwMWШЩЖЮМФшщжюмфыЫ%—", r):
		return .9
	case unicode.IsUpper(r):
		return .7
	case unicode.Is(unicode.Mn, r):
		return 0
	case r > 0x2e80:
		return 1
	}
	return .57
}

// fit cuts a text at a width, with an ellipsis where something is left out.
func fit(s string, width, size float64) string {
	if widthOf(s, size) <= width+.01 { // a width that was made of this text may have lost a bit
		return s
	}
	room := width - widthOf("…", size)
	sum := 0.0
	for i, r := range s {
		if sum += runeWidth(r) * size; sum > room {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace) + "…"
		}
	}
	return s
}

// wrap breaks a text at spaces into at most n lines of a width; the last is cut
// when more is left.
func wrap(s string, width, size float64, n int) []string {
	var rows []string
	row := ""
	words := strings.Fields(s)
	for i, word := range words {
		longer := word
		if row != "" {
			longer = row + " " + word
		}
		if row == "" || widthOf(longer, size) <= width {
			row = longer
			continue
		}
		if len(rows) == n-1 {
			return append(rows, fit(row+" "+strings.Join(words[i:], " "), width, size))
		}
		rows, row = append(rows, fit(row, width, size)), word
	}
	if row == "" {
		return rows
	}
	return append(rows, fit(row, width, size))
}

// widest is the width of the widest of some texts, no more than limit.
func widest(texts []string, size, limit float64) float64 {
	w := 0.0
	for _, s := range texts {
		w = max(w, widthOf(s, size))
	}
	return min(w, limit)
}
