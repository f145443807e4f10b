package chart

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
	"koprik/portal/period"
	"koprik/portal/region"
)

// Table is a table small enough to be drawn, with what its columns mean.
type Table struct {
	Columns []portal.Field
	Rows    [][]any // nil, int64, float64, bool or string, in the order of Columns
}

// Limits of a table that is drawn.
const (
	MaxTable = 20_000 // rows
	maxDims  = 6
)

// Names are words for what a table says in columns instead of values, in the
// reader's language.
type Names struct {
	Lang   portal.Lang
	Sex    func(f portal.Field) string // of a column of women, of men or of both
	Period func(period string) string  // of "2025", "2025-Q1", "2025-01"
	// Value gives a value as the reader reads it: the name of a region for its
	// code, the other script. It may give its text back unchanged.
	Value func(f portal.Field, text string) string
}

// Measure is what a table counts: one column, or columns side by side that share
// it (women and men, one column a year).
type Measure struct {
	Name    string // portal.Meaning.Of, or the column's name
	Columns []int
}

// Measures are those of a table, in its order.
func Measures(columns []portal.Field) []Measure {
	var ms []Measure
	for i, f := range columns {
		if f.Meaning.Role != portal.RoleMeasure {
			continue
		}
		name := cmp.Or(f.Meaning.Of, f.Name)
		at := slices.IndexFunc(ms, func(m Measure) bool { return m.Name == name })
		if f.Meaning.Of == "" || at < 0 {
			ms = append(ms, Measure{Name: name, Columns: []int{i}})
			continue
		}
		ms[at].Columns = append(ms[at].Columns, i)
	}
	return ms
}

// Cube is one measure by its dimensions, whether the table has them in rows or
// side by side in columns.
type Cube struct {
	Measure  Measure
	Dims     []Dim
	Unit     string
	Scale    int64
	Additive bool
	cells    map[cell]float64
}

// cell is a place in a cube: which value of each dimension.
type cell [maxDims]int16

// Dim is one dimension with its values in the order in which they are drawn.
type Dim struct {
	Name   string // the column's; "time", "sex" or "age" where columns side by side have it
	Role   portal.ColumnRole
	Values []Value
	field  portal.Field
	spoken portal.Field // that of the words for the reader
	column int          // in the table; -1 where columns side by side have it
	words  int          // the column with the words for the reader; may be column itself
	codes  int          // the column with the codes of regions; -1 where there is none
}

// Value is one value of a dimension.
type Value struct {
	Key   string // as it stands in the table
	Label string // for the reader
	Total bool   // stands for the whole of others
	Code  string // of a region: ISO 3166-2, of a district SOATO; "" where it is not known
	at    float64
}

// NewCube reads a measure of a table. The error is ErrFigure: nothing that can be
// drawn, more dimensions than can be told apart, two different values for one place.
func NewCube(t Table, m Measure, n Names) (*Cube, error) {
	if len(t.Rows) > MaxTable {
		return nil, fmt.Errorf("a table of %d rows, at most %d are drawn: %w", len(t.Rows), MaxTable, ErrFigure)
	}
	if len(m.Columns) == 0 {
		return nil, fmt.Errorf("a table without a measure: %w", ErrFigure)
	}
	// Yes and no ("derived", "a city") mark rows; they tell them apart only where
	// nothing else does.
	c, err := newCube(t, m, n, false)
	if errors.Is(err, errTwice) {
		c, err = newCube(t, m, n, true)
	}
	if err != nil {
		return nil, err
	}
	c.leaveOutKinds()
	c.order()
	return c, nil
}

// leaveOutKinds takes away groups that say what kind of place a region is, as "city" and
// "district" do: each region is of one, so they tell nothing apart that its name does
// not, and a figure of one of them would leave out the others.
func (c *Cube) leaveOutKinds() {
	for kind := len(c.Dims) - 1; kind >= 0; kind-- {
		if c.Dims[kind].Role != portal.RoleCategory || !slices.ContainsFunc(c.places(), func(place int) bool { return c.isKindOf(kind, place) }) {
			continue
		}
		cells := make(map[cell]float64, len(c.cells))
		for at, v := range c.cells {
			var left cell
			copy(left[:], slices.Delete(slices.Clone(at[:]), kind, kind+1))
			cells[left] = v
		}
		c.Dims, c.cells = slices.Delete(c.Dims, kind, kind+1), cells
	}
}

// places are the dimensions of regions.
func (c *Cube) places() (dims []int) {
	for i, d := range c.Dims {
		if d.Role == portal.RoleRegion {
			dims = append(dims, i)
		}
	}
	return dims
}

// isKindOf tells whether each of many places is of one of fewer kinds.
func (c *Cube) isKindOf(kind, place int) bool {
	if len(c.Dims[kind].Values) >= len(c.Dims[place].Values) {
		return false
	}
	kinds := map[int16]int16{}
	for at := range c.cells {
		if was, ok := kinds[at[place]]; ok && was != at[kind] {
			return false
		}
		kinds[at[place]] = at[kind]
	}
	return true
}

// errTwice says that a table has two values for one place.
var errTwice = fmt.Errorf("a second value for one place: %w", ErrFigure)

// newCube reads the cells. Without flags a second value for one place is always
// errTwice; with them values that may be added up are.
func newCube(t Table, m Measure, n Names, flags bool) (*Cube, error) {
	first := t.Columns[m.Columns[0]].Meaning
	c := &Cube{Measure: m, Unit: first.Unit, Scale: max(first.Scale, 1), Additive: first.Additive, cells: map[cell]float64{}}
	c.findDims(t, n, flags)
	if len(c.Dims) == 0 || len(c.Dims) > maxDims {
		return nil, fmt.Errorf("a table of %d dimensions, from 1 to %d are drawn: %w", len(c.Dims), maxDims, ErrFigure)
	}
	for i, row := range t.Rows {
		if err := c.take(t, row, n, flags); err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	if len(c.cells) == 0 {
		return nil, fmt.Errorf("a measure without values: %w", ErrFigure)
	}
	return c, nil
}

// findDims finds the dimensions: columns of the table, and what the columns of
// the measure are about.
func (c *Cube) findDims(t Table, n Names, flags bool) {
	for i, f := range t.Columns {
		if !f.Meaning.Dimension() || f.Meaning.SameAs != "" || f.Meaning.Kind == portal.KindFlag && !flags {
			continue
		}
		d := Dim{Name: f.Name, Role: f.Meaning.Role, field: f, spoken: f, column: i, words: i, codes: -1}
		if isCode(f) {
			d.codes = i
		}
		for j, other := range t.Columns {
			if other.Meaning.SameAs == f.Name && isCode(other) && d.codes < 0 {
				d.codes = j
			}
			if other.Meaning.SameAs == f.Name && other.Meaning.Kind != portal.KindCode && spokenBy(other, n.Lang) {
				d.words, d.spoken = j, other
			}
		}
		c.Dims = append(c.Dims, d)
	}
	for _, side := range []struct {
		role portal.ColumnRole
		of   func(portal.Meaning) string
	}{
		{portal.RoleTime, func(m portal.Meaning) string { return m.Period }},
		{portal.RoleSex, func(m portal.Meaning) string { return m.Sex }},
		{portal.RoleAge, func(m portal.Meaning) string { return m.Age }},
	} {
		if slices.ContainsFunc(c.Measure.Columns, func(i int) bool { return side.of(t.Columns[i].Meaning) != "" }) && len(c.Measure.Columns) > 1 {
			c.Dims = append(c.Dims, Dim{Name: string(side.role), Role: side.role, column: -1})
		}
	}
}

// Reads are the places of the columns that a cube reads beside its measure:
// dimensions, the words for them in a language, and codes of regions. Columns of
// yes and no, which mark rows, are not among them.
func Reads(columns []portal.Field, lang portal.Lang) (places []int) {
	dims := map[string]bool{}
	for _, f := range columns {
		dims[f.Name] = f.Meaning.Dimension() && f.Meaning.SameAs == "" && f.Meaning.Kind != portal.KindFlag
	}
	for i, f := range columns {
		m := f.Meaning
		if dims[f.Name] || dims[m.SameAs] && (isCode(f) || m.Kind != portal.KindCode && spokenBy(f, lang)) {
			places = append(places, i)
		}
	}
	return places
}

// spokenBy tells whether a column has words in the reader's language. A reader of
// Uzbek in Cyrillic letters reads the Latin ones by way of Names.Value.
func spokenBy(f portal.Field, lang portal.Lang) bool {
	return f.Meaning.Lang == lang && f.Meaning.Kind == portal.KindName || f.Meaning.Lang == lang && f.Meaning.Role != portal.RoleRegion
}

// take puts a row's values into their places.
func (c *Cube) take(t Table, row []any, n Names, flags bool) error {
	for _, column := range c.Measure.Columns {
		if column >= len(row) {
			continue
		}
		v, ok := float(row[column])
		if !ok {
			continue
		}
		var at cell
		for i := range c.Dims {
			place, ok := c.Dims[i].place(t, row, column, n)
			if !ok {
				return fmt.Errorf("more than %d values of %q: %w", math.MaxInt16, c.Dims[i].Name, ErrFigure)
			}
			at[i] = int16(place)
		}
		was, twice := c.cells[at]
		switch {
		case twice && was == v && !c.Additive:
		case twice && c.Additive && flags:
			v += was
		case twice:
			return errTwice
		}
		c.cells[at] = v
	}
	return nil
}

// place finds the value of a dimension that a cell of the table belongs to, and
// adds it when it is new.
func (d *Dim) place(t Table, row []any, measure int, n Names) (int, bool) {
	var key string
	if d.column >= 0 {
		key = text(row, d.column)
	} else {
		key = d.sideKey(t.Columns[measure].Meaning)
	}
	if i := slices.IndexFunc(d.Values, func(o Value) bool { return o.Key == key }); i >= 0 {
		return i, true // its words are found once, and not for every row
	}
	v := d.side(t.Columns[measure], n)
	if d.column >= 0 {
		v = d.inRow(row, n)
	}
	d.Values = append(d.Values, v)
	return len(d.Values) - 1, len(d.Values) < math.MaxInt16
}

func (d *Dim) inRow(row []any, n Names) Value {
	key := text(row, d.column)
	v := Value{Key: key, Total: d.field.Meaning.IsTotal(key)}
	if d.Role == portal.RoleTime {
		v.Label, v.at = spoken(key, n)
		return v
	}
	v.Label = key
	if said := text(row, d.words); said != "" {
		v.Label = n.Value(d.spoken, said)
	}
	if d.Role == portal.RoleRegion {
		v.Code = d.code(row, key)
	}
	return v
}

func isCode(f portal.Field) bool {
	return f.Meaning.Role == portal.RoleRegion && (f.Meaning.Kind == portal.KindISO || f.Meaning.Kind == portal.KindSOATO)
}

// code is that of the region of a row, by its code in another column or by its
// name.
func (d *Dim) code(row []any, key string) string {
	if d.codes >= 0 {
		key = text(row, d.codes)
	}
	return CodeOf(key)
}

// CodeOf gives the code by which regions of figures and outlines are matched, of
// a code or a name as tables write them: ISO 3166-2 of the country and its
// regions, SOATO of districts. "" is no place that is known.
func CodeOf(text string) string {
	place, ok := region.BySOATO(text)
	if !ok {
		place, ok = region.ByISO(text)
	}
	if !ok {
		place, ok = region.ByName(text)
	}
	if !ok {
		return ""
	}
	return cmp.Or(place.ISO, place.SOATO)
}

// sideKey is the key of what a column of the measure is about.
func (d *Dim) sideKey(m portal.Meaning) string {
	switch d.Role {
	case portal.RoleTime:
		return m.Period
	case portal.RoleSex:
		return cmp.Or(m.Sex, portal.SexBoth)
	}
	return m.Age
}

// side gives what a column of the measure is about.
func (d *Dim) side(f portal.Field, n Names) Value {
	v := Value{Key: d.sideKey(f.Meaning)}
	switch d.Role {
	case portal.RoleTime:
		v.Label, v.at = spoken(v.Key, n)
	case portal.RoleSex:
		v.Label, v.Total = n.Sex(f), v.Key == portal.SexBoth
	default:
		v.Label, v.Total = v.Key, v.Key == ""
	}
	return v
}

// spoken is a period in the reader's words, and where it stands in years.
func spoken(key string, n Names) (label string, at float64) {
	year := func(t time.Time) float64 { return float64(t.Year()) + float64(t.YearDay()-1)/366 }
	if p, ok := period.Parse(key); ok {
		return n.Period(p.String()), year(p.Start())
	}
	from, to, ok := period.Span(key)
	if !ok {
		return key, 0
	}
	label = n.Period(from.String()) + " –"
	if to != (period.Period{}) {
		label += " " + n.Period(to.String())
	}
	return label, year(from.Start())
}

// order sorts the values of time and age; others stay as the table has them.
func (c *Cube) order() {
	for i := range c.Dims {
		d := &c.Dims[i]
		order := make([]int, len(d.Values))
		for j := range order {
			order[j] = j
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch d.Role {
			case portal.RoleTime:
				return cmp.Compare(d.Values[a].at, d.Values[b].at)
			case portal.RoleAge:
				return cmp.Compare(firstNumber(d.Values[a].Key), firstNumber(d.Values[b].Key))
			}
			return 0
		})
		values, to := make([]Value, len(order)), make([]int16, len(order))
		for place, was := range order {
			values[place], to[was] = d.Values[was], int16(place)
		}
		d.Values = values
		cells := make(map[cell]float64, len(c.cells))
		for at, v := range c.cells {
			at[i] = to[at[i]]
			cells[at] = v
		}
		c.cells = cells
	}
}

// firstNumber orders age groups: "0-4", "15-19", "65+".
func firstNumber(s string) int {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		s = s[:end]
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return math.MaxInt
	}
	return n
}

// value gives what stands at a place; NaN where nothing does.
func (c *Cube) value(at cell) float64 {
	if v, ok := c.cells[at]; ok {
		return v
	}
	return math.NaN()
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return 0, false
}

func text(row []any, column int) string {
	if column >= len(row) || row[column] == nil {
		return ""
	}
	switch v := row[column].(type) {
	case string:
		return strings.TrimSpace(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(row[column])
}

// Cells gives every value with its place: for each dimension the place of its
// value in Dims. The slice is only good until the next one.
func (c *Cube) Cells(yield func(at []int, v float64) bool) {
	places := make([]int, len(c.Dims))
	for at, v := range c.cells {
		for i := range places {
			places[i] = int(at[i])
		}
		if !yield(places, v) {
			return
		}
	}
}

// Points are the places of rows by the columns of a longitude and a latitude;
// rows without both are left out, and what lies nowhere on Earth.
func (t Table) Points(lon, lat int) []Point {
	var points []Point
	for _, row := range t.Rows {
		if lon >= len(row) || lat >= len(row) {
			continue
		}
		x, okX := float(row[lon])
		y, okY := float(row[lat])
		if okX && okY && onEarth([2]float64{x, y}) {
			points = append(points, Point{x, y})
		}
	}
	return points
}
