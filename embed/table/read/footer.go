package read

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// footer holds back rows that may be footnotes until it is known whether the
// table goes on after them.
type footer struct {
	rows []heldRow
	last int // number of the last row of the table
}

type heldRow struct {
	n     int
	cells []cell
}

// The limits of footnotes.
const (
	maxFootnotes     = 20
	maxFootnoteBytes = 64 << 10
)

// take holds a row back that has one cell with words, its first or second, where
// the table has more columns.
func (f *footer) take(n int, cells []cell, width int, rows int64) bool {
	if width < 2 || rows == 0 || len(f.rows) >= maxFootnotes {
		return false
	}
	at := -1
	for i, c := range cells {
		if c.kind == cellNull || strings.TrimSpace(c.text) == "" {
			continue
		}
		if at >= 0 || i > 1 || c.kind == cellNested || len(c.text) > maxFootnoteBytes {
			return false
		}
		at = i
	}
	if at < 0 || numberMask(strings.TrimSpace(cells[at].text)).live != 0 {
		return false
	}
	f.rows = append(f.rows, heldRow{n, cloneCells(cells)})
	return true
}

// cloneCells keeps cells for longer than their row is read.
func cloneCells(cells []cell) []cell {
	own := slices.Clone(cells)
	for i := range own {
		own[i].text = strings.Clone(own[i].text)
	}
	return own
}

func (r heldRow) text() string {
	for _, c := range r.cells {
		if t := strings.TrimSpace(c.text); t != "" {
			return clip(strings.Join(strings.Fields(t), " "), 1000)
		}
	}
	return ""
}

// footnoteMark begins a footnote in the languages of the tables.
var footnoteMark = regexp.MustCompile(`(?i)^(\*|†|‡|[¹²³⁴⁵⁶⁷⁸⁹]|\d{1,2}\s*[)\]]|\(\d{1,2}\)|\[\d{1,2}\]|(izoh|eslatma|manba|maʼlumot|ma.lumot|изоҳ|эслатма|манба|примечани|источник|сноск|данные|note|source|footnote|nb\b|derek|esker)[a-zа-яёʻʼ']*\s*[:.—–-]?)`)

// footnotes tells whether the rows held at the end are notes: they stand apart
// by a blank line, begin like one, or are long beside the first column's values.
// Others are rows without values.
func (f *footer) footnotes(sv *survey) bool {
	first := f.rows[0]
	text := first.text()
	if len(sv.cols) == 0 || text == "" {
		return false
	}
	t := &sv.cols[0]
	typical := 12
	if t.filled > 0 {
		typical = max(typical, int(t.values.bytes/t.filled))
	}
	switch {
	case footnoteMark.MatchString(text):
		return true
	case isTotalWord(text):
		return false
	case first.n > f.last+1:
		return true
	}
	return len(sv.cols) > 2 && len(text) > 3*typical && utf8.RuneCountInString(text) > 25 && strings.Contains(text, " ")
}

// declared is the part of a Frictionless dialect that had to be guessed; nil
// where nothing had.
func (s *sheet) declared() json.RawMessage {
	d := struct {
		Delimiter  string `json:"delimiter,omitempty"`
		HeaderRows []int  `json:"headerRows,omitempty"`
	}{s.delimiter, s.header}
	if d.Delimiter == "" && len(d.HeaderRows) == 0 {
		return nil
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return nil // strings and integers always encode
	}
	return raw
}
