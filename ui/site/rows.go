package site

import (
	"slices"
	"strings"

	"koprik/portal"
)

// dataTable is rows as a page shows them.
type dataTable struct {
	Caption string
	Columns []tableColumn
	Rows    [][]cell
	Cards   bool // on a phone each row stands as a card
	Foot    []cell
}

// A table of so many columns reads better as cards on a phone: fewer fit its
// width, more make a card that nobody sees the end of.
const cardsFrom, cardsTo = 4, 12

// tableColumn is one heading. Sort leads to the table sorted by it.
type tableColumn struct {
	Title  Shown
	Number bool
	Sort   string
	Sorted string // "ascending", "descending" as aria-sort has them, or ""
}

// cell is one value as it is shown.
type cell struct {
	Text   string
	Number bool   // set to the right, with its column
	Code   bool   // a short code with a hyphen in it, which no line breaks
	Label  string // the column's title, where the row may stand as a card
	Href   string // where it leads, if anywhere
	Ask    string // in words of the row, of a button to ask about it
}

// shownShape is how much of a shape a page shows: nobody reads its coordinates.
const shownShape = 32

func (v *visit) tableOf(page portal.RowPage) dataTable {
	t := dataTable{Columns: make([]tableColumn, len(page.Columns)), Rows: make([][]cell, len(page.Rows))}
	label, number := make([]bool, len(page.Columns)), make([]bool, len(page.Columns))
	for i, f := range page.Columns {
		label[i], number[i] = isLabel(f, page.Rows, i), numeric(f, page.Rows, i)
		t.Columns[i] = tableColumn{Title: v.columnTitle(f), Number: number[i]}
	}
	t.Cards = len(t.Columns) >= cardsFrom && len(t.Columns) <= cardsTo
	for y, row := range page.Rows {
		t.Rows[y] = make([]cell, min(len(row), len(page.Columns)))
		for x := range t.Rows[y] {
			text := v.cellText(row[x], label[x])
			if page.Columns[x].Meaning.Role == portal.RoleGeometry {
				text = clip(text, shownShape)
			}
			t.Rows[y][x] = cell{Text: text, Number: number[x], Code: !number[x] && isCode(text)}
			if t.Cards {
				t.Rows[y][x].Label = t.Columns[x].Title.Text
			}
		}
	}
	return t
}

// isCode tells whether a value is one like UZ-QR or 2025-04.
func isCode(text string) bool {
	return len(text) <= 10 && strings.Contains(text, "-") && !strings.ContainsFunc(text, func(r rune) bool { return r > 'Z' || r < '-' })
}

func (v *visit) columnTitle(f portal.Field) Shown {
	if t := v.text(f.Title); t.Text != "" {
		return t
	}
	return Shown{Text: f.Name}
}

// cellText writes one value; a missing one is a dash. Numbers that are labels
// (years, codes) keep their digits together.
func (v *visit) cellText(value any, label bool) string {
	switch value := value.(type) {
	case int64:
		if label {
			return plainInt(value)
		}
		return v.Int(value)
	case float64:
		if label && value == float64(int64(value)) {
			return plainInt(int64(value))
		}
		return v.Float(value)
	case bool:
		if value {
			return v.T("passport.yes")
		}
		return v.T("passport.no")
	case string:
		return clip(value, cellText)
	}
	return "–"
}

// numeric tells whether a column is set to the right: by its type, or by its
// values where it has none.
func numeric(f portal.Field, rows [][]any, i int) bool {
	switch f.Type {
	case "integer", "number", "year":
		return true
	case "":
	default:
		return false
	}
	some := false
	for _, row := range rows {
		if i >= len(row) || row[i] == nil {
			continue
		}
		switch row[i].(type) {
		case int64, float64:
			some = true
		default:
			return false
		}
	}
	return some
}

// labels are parts of column names, in lower case, whose numbers name things
// instead of counting them.
var labels = []string{"code", "kod", "код", "soato", "soate", "mhobt", "okpo", "inn", "stir", "phone", "telefon", "телефон", "id", "№", "no"}

// years are words for a year in the five languages and for its column.
var years = []string{"year", "yil", "йил", "jıl", "jil", "god", "год"}

// isLabel tells whether the numbers of a column are names: years and codes.
func isLabel(f portal.Field, rows [][]any, i int) bool {
	if f.Type == "year" {
		return true
	}
	names := append(f.Title.All(), f.Name)
	for _, name := range names {
		words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" _-.,()/:", r) })
		for _, w := range words {
			if slices.Contains(labels, w) {
				return true
			}
			if slices.ContainsFunc(years, func(y string) bool { return strings.HasPrefix(w, y) }) && allYears(rows, i) {
				return true
			}
		}
	}
	return false
}

// allYears tells whether a column has nothing but what could be years.
func allYears(rows [][]any, i int) bool {
	for _, row := range rows {
		if i >= len(row) {
			continue
		}
		switch n := row[i].(type) {
		case nil, string:
		case int64:
			if n < 1000 || n > 2999 {
				return false
			}
		case float64:
			if n < 1000 || n > 2999 || n != float64(int64(n)) {
				return false
			}
		}
	}
	return true
}
