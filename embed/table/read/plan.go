package read

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"koprik/portal"
)

// column is one column of the table that comes out.
type column struct {
	field   portal.Field
	from    int  // cell of the row; -1: the file has no such column
	text    bool // what counts as no value is compared before trimming
	declare bool // the publisher's schema says its type
	cast    caster
	bad     int64 // values that did not cast
	badText string
	badRow  int
}

// plan says how the rows of one sheet become a table.
type plan struct {
	rd      *reader
	sheet   *sheet
	columns []column
	missing []string
	rows    int64
	width   int // cells of a whole row
	header  int // labels, 0 when there is no header
	notes   []string
	below   []string // footnotes

	totals   map[int][]string // columns with values that stand for the whole of others
	series   map[string][]int // columns that are one measure, period by period
	totalled int64            // rows that are totals
	absent   int64            // rows with zeros before a series begins
	absentAt int
}

// survey is what one look over all rows says.
type survey struct {
	rows       int64
	width      int
	widest     int // row of that width
	cols       []tally
	short      int64
	shortRow   int
	surplus    int64 // rows with empty cells beyond the header
	surplusRow int
	errors     int64 // a workbook's error values
	errorRow   int
}

// plan looks over all rows of a sheet and decides its columns; nil when it has
// none. first says that no table was found before it in the file.
func (rd *reader) plan(s *sheet, first bool) (*plan, error) {
	p := &plan{rd: rd, sheet: s, header: len(s.labels), missing: []string{""}}
	schema := rd.schemaOf(s.name, first)
	if schema != nil && schema.MissingValues != nil {
		p.missing = schema.MissingValues
	}
	if p.header == 0 && schema != nil {
		p.header = len(schema.Fields)
	}
	sv, err := p.survey()
	if err != nil {
		return nil, err
	}
	p.rows = sv.rows
	p.width = max(p.header, sv.width)
	if p.width == 0 || s.labels == nil && sv.rows == 0 {
		return nil, nil
	}
	if p.width > MaxColumns {
		return nil, unreadable(rd.where(s), "%d columns; at most %d are read", p.width, MaxColumns)
	}
	for len(sv.cols) < p.width {
		sv.cols = append(sv.cols, newTally())
	}
	if err := p.settle(sv, schema); err != nil {
		return nil, err
	}
	if len(p.columns) == 0 {
		return nil, nil
	}
	p.meanings(sv)
	p.notes = append(append([]string(nil), s.notes...), p.notes...)
	return p, nil
}

// survey counts rows, widths and types, reports ragged rows, and takes the
// footnotes off the end.
func (p *plan) survey() (*survey, error) {
	sv := &survey{}
	var f footer
	err := p.sheet.each(p.rd.ctx, func(n int, cells []cell) error {
		if sv.rows+int64(len(f.rows)) >= MaxRows {
			return unreadable(p.rd.where(p.sheet), "more than %d rows; make several files of it", MaxRows)
		}
		if !p.sheet.named && f.take(n, cells, max(p.header, sv.width), sv.rows) {
			return nil
		}
		for _, row := range f.rows { // no footnotes: the table goes on
			p.look(sv, row.n, row.cells)
		}
		f.rows = f.rows[:0]
		p.look(sv, n, cells)
		f.last = n
		return nil
	})
	if err != nil {
		return sv, err
	}
	for len(f.rows) > 0 && !f.footnotes(sv) {
		p.look(sv, f.rows[0].n, f.rows[0].cells)
		f.last, f.rows = f.rows[0].n, f.rows[1:]
	}
	for _, row := range f.rows {
		if p.sheet.end == 0 {
			p.sheet.end = row.n
		}
		p.below = append(p.below, row.text())
	}
	return sv, nil
}

// look takes one row into the survey.
func (p *plan) look(sv *survey, n int, cells []cell) {
	sv.rows++
	if p.header > 0 && len(cells) > p.header {
		if cells = trimTail(cells, p.header); len(cells) == p.header {
			if sv.surplus++; sv.surplus == 1 {
				sv.surplusRow = n
			}
		}
	}
	if len(cells) > sv.width {
		sv.width, sv.widest = len(cells), n
		for len(sv.cols) < len(cells) && len(sv.cols) < MaxColumns {
			sv.cols = append(sv.cols, newTally())
		}
	}
	if !p.sheet.named {
		p.ragged(sv, n, len(cells))
	}
	for i, c := range cells[:min(len(cells), len(sv.cols))] {
		if c.kind == cellNull || c.kind != cellNested && p.isMissing(c.text) {
			continue
		}
		if p.sheet.padded && isErrorValue(c.text) {
			if sv.errors++; sv.errors == 1 {
				sv.errorRow = n
			}
			continue
		}
		sv.cols[i].add(n, c, min(maxDistinct, maxEvidence/len(sv.cols)))
	}
}

// trimTail drops empty cells over the header's width: separators at the end of
// a line, formatted cells beside the table.
func trimTail(cells []cell, width int) []cell {
	for len(cells) > width && (cells[len(cells)-1].kind == cellNull || cells[len(cells)-1].text == "") {
		cells = cells[:len(cells)-1]
	}
	return cells
}

// ragged compares a row's width with the header's, or the first row's. A row
// that ends early is completed and a note says so, unless more than half of it
// is not there: then it is rather a broken line or a footnote.
func (p *plan) ragged(sv *survey, n, cells int) {
	if p.header == 0 {
		p.header = cells
	}
	switch {
	case cells == p.header || p.sheet.padded:
	case cells < p.header && (cells*2 >= p.header || !p.rd.strict):
		if sv.short++; sv.short == 1 {
			sv.shortRow = n
		}
	case p.rd.strict:
		p.rd.report.add(fmt.Sprintf("%s: row %d", p.rd.where(p.sheet), n), "%s, %d expected", countCells(cells), p.header)
	}
}

func rowsAre(n int64) string {
	if n == 1 {
		return "1 row is"
	}
	return fmt.Sprintf("%d rows are", n)
}

func countCells(n int) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}

// isMissing tells whether a cell so written has no value. White space alone
// counts as the empty string.
func (p *plan) isMissing(text string) bool {
	if len(text) > 32 {
		text = strings.TrimSpace(text)
	}
	if slices.Contains(p.missing, text) {
		return true
	}
	return text != "" && text[0] <= ' ' && strings.TrimSpace(text) == "" && slices.Contains(p.missing, "")
}

// isErrorValue: what a formula shows when it has no result.
func isErrorValue(s string) bool {
	if len(s) < 4 || s[0] != '#' {
		return false
	}
	switch s {
	case "#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA", "#SPILL!", "#CALC!":
		return true
	}
	return false
}

// settle names the columns and gives each its type.
func (p *plan) settle(sv *survey, schema *portal.TableSchema) error {
	names := p.names(sv)
	if sv.short > 0 {
		p.note("%s too short, first row %d; the missing cells are empty", rowsAre(sv.short), sv.shortRow)
	}
	if sv.surplus > 0 && sv.surplus < sv.rows && !p.sheet.padded {
		p.note("%s an empty cell too long, first row %d; the values may stand a column too far right", rowsAre(sv.surplus), sv.surplusRow)
	}
	if sv.errors > 0 {
		p.note("%s an error of the spreadsheet and left empty, first in row %d", areValues(sv.errors), sv.errorRow)
	}
	if p.sheet.labels != nil && sv.width > len(p.sheet.labels) && !p.sheet.named {
		p.note("row %d has %s, the header %d", sv.widest, countCells(sv.width), len(p.sheet.labels))
	}
	defer p.uniqueNames()
	if schema != nil && len(schema.Fields) > 0 {
		return p.bySchema(sv, schema.Fields, names)
	}
	var empty []string
	for i, name := range names {
		if name == "" {
			continue // neither label nor values
		}
		if sv.rows > 0 && sv.cols[i].filled == 0 {
			empty = append(empty, name)
		}
		if err := p.inferred(sv, i, name); err != nil {
			return err
		}
	}
	p.noteList(empty, "column %s has no values", "%d columns have no values: %s")
	return nil
}

// uniqueNames is the last word on names: a schema's may be empty or stand twice.
func (p *plan) uniqueNames() {
	seen := make(map[string]bool, len(p.columns))
	for i := range p.columns {
		f := &p.columns[i].field
		if f.Name == "" {
			f.Name = fmt.Sprintf("column_%d", i+1)
		}
		given := f.Name
		for k := 2; seen[f.Name]; k++ {
			f.Name = fmt.Sprintf("%s_%d", given, k)
		}
		seen[f.Name] = true
	}
}

// noteList says the same of one or many columns.
func (p *plan) noteList(names []string, one, many string) {
	shown := make([]string, 0, 10)
	for _, n := range names[:min(len(names), 10)] {
		shown = append(shown, fmt.Sprintf("%q", n))
	}
	list := strings.Join(shown, ", ")
	if len(names) > len(shown) {
		list += ", …"
	}
	switch len(names) {
	case 0:
	case 1:
		p.note(one, list)
	default:
		p.note(many, len(names), list)
	}
}

func (p *plan) inferred(sv *survey, i int, name string) error {
	f, note := sv.cols[i].field(name)
	if t := &sv.cols[i]; p.sheet.geometry && name == geometryKey && t.nested == t.filled {
		f.Type = "geojson"
	}
	if note != "" && sv.rows > 0 {
		p.note("%s", note)
	}
	cast, err := newCaster(f)
	p.columns = append(p.columns, column{field: f, from: i, text: f.Type == "string", cast: cast})
	return err
}

func (p *plan) note(format string, args ...any) {
	if len(p.notes) < maxNotes {
		p.notes = append(p.notes, fmt.Sprintf(format, args...))
	}
}

// names makes the labels clean, unique and non-empty. A column with neither
// label nor values gets "" and is left out.
func (p *plan) names(sv *survey) []string {
	names := make([]string, p.width)
	seen := make(map[string]bool, p.width)
	var unlabelled []string
	for i := range names {
		label := ""
		if i < len(p.sheet.labels) {
			label = cleanLabel(p.sheet.labels[i])
		}
		if label == "" {
			if sv.cols[i].filled == 0 {
				continue
			}
			label = fmt.Sprintf("column_%d", i+1)
			if p.sheet.labels != nil {
				unlabelled = append(unlabelled, label)
			}
		}
		if seen[label] {
			given := label
			for k := 2; seen[label]; k++ {
				label = fmt.Sprintf("%s_%d", given, k)
			}
			p.note("two columns are labelled %q; column %d is named %q", given, i+1, label)
		}
		seen[label] = true
		names[i] = label
	}
	p.noteList(unlabelled, "a column has no label; it is named by its place: %s", "%d columns have no label; they are named by their place: %s")
	return names
}

// cleanLabel makes one line of a label and shortens it.
func cleanLabel(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' {
			return -1
		}
		return r
	}, clip(strings.ToValidUTF8(s, "\uFFFD"), 4*maxLabel))
	return clip(strings.Join(strings.Fields(s), " "), maxLabel)
}
