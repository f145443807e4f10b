package siat

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"koprik/portal"
)

// Limits of the table, so that a small file cannot unfold into a large one.
const (
	maxCells   = 300_000  // the largest indicator seen has 14,580
	maxPeriods = 5_000    // a period a day for 13 years
	maxCSV     = 32 << 20 // bytes
	maxMarkers = 20       // different words in the place of a number
)

// The members of a row that are no period.
const codeKey = "Code"

var nameKeys = []string{"Klassifikator", "Klassifikator_uzc", "Klassifikator_ru", "Klassifikator_en"}

// row is one line of the wide table.
type row struct {
	code  string
	names map[string]string
	cells []cell
}

type cell struct{ period, value string }

// set puts one member of a row in its place; known remembers periods by their
// published spelling, for every row has the same.
func (w *row) set(key string, v json.Token, known map[string]string) error {
	s, err := spelled(v)
	if err != nil {
		return fmt.Errorf("%.60q: %w", key, err)
	}
	switch {
	case key == codeKey:
		w.code = s
	case slices.Contains(nameKeys, key):
		w.names[key] = s
	default:
		p, ok := known[key]
		if !ok {
			if p, _, err = period(key); err != nil {
				return err
			}
			known[key] = p
		}
		if w.cells = append(w.cells, cell{p, s}); len(w.cells) > maxPeriods {
			return fmt.Errorf("more than %d periods", maxPeriods)
		}
	}
	return nil
}

// spelled gives a value in the spelling of the file.
func spelled(v json.Token) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return strings.ReplaceAll(clean(v), "\n", " "), nil
	case json.Number:
		return string(v), nil
	}
	return "", fmt.Errorf("neither a number nor a text")
}

var (
	yearOnly  = regexp.MustCompile(`^(\d{4})$`)
	yearMonth = regexp.MustCompile(`^(\d{4})[-. ]?[MmМм](0?[1-9]|1[0-2])$|^(\d{4})-(0[1-9]|1[0-2])$`) // Latin or Cyrillic M
	withYear  = regexp.MustCompile(`(^|\D)\d{4}(\D|$)`)
)

// period gives a period's one spelling and its Frictionless type: "2026", year;
// "2026-01", yearmonth (also for 2026-M01 with either M); anything else that
// names a year, as published, string.
func period(s string) (spelling, kind string, err error) {
	s = strings.Join(strings.Fields(clean(s)), " ")
	if yearOnly.MatchString(s) {
		return s, "year", nil
	}
	if m := yearMonth.FindStringSubmatch(s); m != nil {
		year, month := m[1]+m[3], m[2]+m[4]
		if len(month) == 1 {
			month = "0" + month
		}
		return year + "-" + month, "yearmonth", nil
	}
	if !withYear.MatchString(s) || len(s) > 60 {
		return "", "", fmt.Errorf("the column %.60q is no period", s)
	}
	return s, "string", nil
}

// table keeps rows until all of them are known, and writes them as tidy CSV.
type table struct {
	rows    []row
	cells   map[place]*cell
	count   int
	markers []string // texts in the place of a number
}

// place is where a figure belongs. Rows of one code and different names are
// different rows.
type place struct{ code, name, period string }

var columns = []string{"code", "name_uz", "name_uz_cyrl", "name_ru", "name_en", "period", "value"}

func (w row) name() string {
	for _, k := range nameKeys {
		if s := w.names[k]; s != "" {
			return s
		}
	}
	return ""
}

// add takes a row. A place may be filled twice when the figures agree, or when
// one of them is missing.
func (t *table) add(r row) error {
	name := r.name()
	if r.code == "" && name == "" {
		return fmt.Errorf("has neither a code nor a name")
	}
	if t.count += len(r.cells); t.count > maxCells {
		return fmt.Errorf("more than %d figures", maxCells)
	}
	cells := make([]cell, 0, len(r.cells)) // never grows: t.cells points into it
	for _, c := range r.cells {
		value, err := t.number(c.value)
		if err != nil {
			return fmt.Errorf("code %s, period %s: %w", r.code, c.period, err)
		}
		at := place{r.code, name, c.period}
		before := t.cells[at]
		switch {
		case before == nil:
			cells = append(cells, cell{c.period, value})
			t.cells[at] = &cells[len(cells)-1]
		case before.value == "":
			before.value = value
		case value != "" && value != before.value:
			return fmt.Errorf("code %s, period %s: the figure stands twice, as %s and as %s", r.code, c.period, before.value, value)
		}
	}
	r.cells = cells
	t.rows = append(t.rows, r)
	return nil
}

// csv writes the table, one line a figure, and its schema.
func (t *table) csv() ([]byte, *portal.TableSchema, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	line := append([]string(nil), columns...)
	if err := w.Write(line); err != nil {
		return nil, nil, err
	}
	written, twice, periods := make(map[place]bool, len(t.cells)), false, map[string]bool{}
	for _, r := range t.rows {
		line[0] = r.code
		for i, k := range nameKeys {
			line[1+i] = r.names[k]
		}
		for _, c := range r.cells {
			periods[c.period] = true
			at := place{code: r.code, period: c.period}
			twice = twice || written[at]
			written[at] = true
			line[5], line[6] = c.period, c.value
			if err := w.Write(line); err != nil {
				return nil, nil, err
			}
			if b.Len() > maxCSV {
				return nil, nil, fmt.Errorf("the table is longer than %d bytes", maxCSV)
			}
		}
	}
	w.Flush()
	kinds := map[string]bool{}
	for p := range periods {
		_, kind, _ := period(p)
		kinds[kind] = true
	}
	return b.Bytes(), t.schema(twice, kinds), w.Error()
}

var (
	plainNumber  = regexp.MustCompile(`^-?\d+(\.\d+)?([eE][+-]?\d+)?$`)
	commaNumber  = regexp.MustCompile(`^-?\d+,\d+$`)
	ambiguousNum = regexp.MustCompile(`^-?\d{1,3},\d{3}$`)
)

// number gives a figure as CSV has it: with a decimal point. Nothing, or a word
// in the place of a number ("x", "…"), stays as published.
func (t *table) number(s string) (string, error) {
	switch {
	case s == "" || plainNumber.MatchString(s):
		return s, nil
	case ambiguousNum.MatchString(s):
		return "", fmt.Errorf("%q may be a thousand or a decimal fraction", s)
	case commaNumber.MatchString(s):
		return strings.Replace(s, ",", ".", 1), nil
	}
	if !slices.Contains(t.markers, s) {
		t.markers = append(t.markers, s)
	}
	return s, nil
}

// schema describes what was written.
func (t *table) schema(twice bool, kinds map[string]bool) *portal.TableSchema {
	s := &portal.TableSchema{PrimaryKey: []string{"code", "period"}}
	if twice {
		s.PrimaryKey = []string{"code", "name_uz", "period"}
	}
	for i, name := range columns {
		s.Fields = append(s.Fields, portal.Field{Name: name, Type: "string", Title: titles[i]})
	}
	if len(kinds) == 1 && !kinds["string"] {
		for kind := range kinds {
			s.Fields[5].Type = kind
		}
	}
	if len(t.markers) <= maxMarkers && !slices.ContainsFunc(t.markers, func(m string) bool { return len(m) > 60 }) {
		s.Fields[6].Type = "number"
		if len(t.markers) > 0 {
			s.MissingValues = append([]string{""}, t.markers...)
		}
	}
	return s
}

var titles = []portal.Text{
	inFour("Kod", "Код", "Код", "Code"),
	inFour("Nomi (oʻzbekcha)", "Номи (лотин ёзувида)", "Название (узбекская латиница)", "Name (Uzbek)"),
	inFour("Nomi (kirill yozuvida)", "Номи (кирилл ёзувида)", "Название (узбекская кириллица)", "Name (Uzbek, Cyrillic)"),
	inFour("Nomi (ruscha)", "Номи (русча)", "Название (русский)", "Name (Russian)"),
	inFour("Nomi (inglizcha)", "Номи (инглизча)", "Название (английский)", "Name (English)"),
	inFour("Davr", "Давр", "Период", "Period"),
	inFour("Qiymat", "Қиймат", "Значение", "Value"),
}
