package read

import (
	"fmt"
	"slices"
	"strings"

	"koprik/portal"
)

// bySchema gives columns the types that the publisher states. Fields are found
// by name; without a header, by place. A strict reader wants exactly the
// schema's columns; a lenient one keeps what is there.
func (p *plan) bySchema(sv *survey, fields []portal.Field, names []string) error {
	where := p.rd.where(p.sheet)
	place := p.matchFields(fields, names)
	used := make([]bool, len(names))
	inOrder := true
	for i, f := range fields {
		if place[i] < 0 {
			if !p.sheet.named {
				p.complain(where, "column %q of the schema is not in the file", f.Name)
			}
		} else {
			inOrder = inOrder && place[i] == i
			used[place[i]] = true
		}
		cast, err := newCaster(f)
		if err != nil {
			p.complain(where, "%v", err)
			f.Type, cast = "string", castString
		}
		if place[i] < 0 && !p.sheet.named {
			continue
		}
		text := f.Type == "" || f.Type == "string"
		p.columns = append(p.columns, column{field: f, from: place[i], text: text, declare: true, cast: cast})
	}
	for i, name := range names {
		if used[i] || name == "" {
			continue
		}
		p.complain(where, "column %d, %q, is not in the schema", i+1, name)
		if err := p.inferred(sv, i, p.freeName(name)); err != nil {
			return err
		}
	}
	if !inOrder && len(p.columns) > 0 {
		p.note("the columns stand in another order than in the schema; they are matched by name")
	}
	if len(p.columns) > MaxColumns {
		return unreadable(where, "%d columns; at most %d are read", len(p.columns), MaxColumns)
	}
	return nil
}

// complain rejects in a strict reader and notes in a lenient one.
func (p *plan) complain(where, format string, args ...any) {
	if p.rd.strict {
		p.rd.report.add(where, format, args...)
	} else {
		p.note(format, args...)
	}
}

// freeName keeps an extra column from taking a name of the schema.
func (p *plan) freeName(name string) string {
	given := name
	for k := 2; slices.ContainsFunc(p.columns, func(c column) bool { return c.field.Name == name }); k++ {
		name = fmt.Sprintf("%s_%d", given, k)
	}
	return name
}

// matchFields finds the column of each field; -1 where there is none.
func (p *plan) matchFields(fields []portal.Field, names []string) []int {
	place := make([]int, len(fields))
	if p.sheet.labels == nil {
		for i := range place {
			place[i] = -1
			if i < len(names) {
				place[i] = i
			}
		}
		return place
	}
	byName := make(map[string]int, len(names))
	for i, n := range names {
		if n != "" {
			byName[n] = i
		}
	}
	taken := map[int]bool{}
	for i, f := range fields {
		name := cleanLabel(f.Name)
		at, ok := byName[name]
		if i < len(names) && i < len(p.sheet.labels) && cleanLabel(p.sheet.labels[i]) == name {
			at, ok = i, true // the same label twice: by place
		}
		if !ok || taken[at] {
			place[i] = -1
			continue
		}
		taken[at] = true
		place[i] = at
	}
	return place
}

// checks tells whether the rows must be read again to be checked: types that
// were decided by all rows need not.
func (p *plan) checks() bool {
	return len(p.totals) > 0 || len(p.series) > 0 || slices.ContainsFunc(p.columns, func(c column) bool { return c.declare && !c.text })
}

// checkRow reports every cell that is not of its declared type.
func (p *plan) checkRow(n int, cells []cell) {
	p.remark(n, cells)
	for i := range p.columns {
		col := &p.columns[i]
		if !col.declare || col.text {
			continue
		}
		if _, ok := p.value(col, cells); !ok {
			p.rd.report.add(fmt.Sprintf("%s: row %d, column %q", p.rd.where(p.sheet), n, col.field.Name),
				"%q is not %s", clip(cells[col.from].text, 60), describeField(col.field))
		}
	}
}

// value casts one cell; nil when it has no value.
func (p *plan) value(col *column, cells []cell) (v any, ok bool) {
	if col.from < 0 || col.from >= len(cells) {
		return nil, true
	}
	c := cells[col.from]
	if c.kind == cellNull || c.kind != cellNested && p.isMissing(c.text) || p.sheet.padded && isErrorValue(c.text) {
		return nil, true
	}
	return col.cast(c)
}

// row casts a row into out, one value a column. What does not cast stays text
// and is counted.
func (p *plan) row(n int, cells []cell, out []any) []any {
	if len(p.totals) > 0 || len(p.series) > 0 {
		p.remark(n, cells)
	}
	for i := range p.columns {
		col := &p.columns[i]
		v, ok := p.value(col, cells)
		if !ok {
			text := cells[col.from].text
			if col.bad++; col.bad == 1 {
				col.badText, col.badRow = strings.Clone(clip(text, 60)), n
			}
			v = text
		}
		out = append(out, v)
	}
	return out
}

func describeField(f portal.Field) string {
	name := map[string]string{
		"integer": "an integer", "number": "a number", "boolean": "a boolean", "date": "a date", "time": "a time", "datetime": "a date and time",
		"year": "a year", "yearmonth": "a year and month", "duration": "a duration", "object": "a JSON object", "array": "a JSON array",
		"geopoint": "a point on the globe", "geojson": "GeoJSON",
	}[f.Type]
	if f.Format != "" && f.Format != "default" {
		name += fmt.Sprintf(" in the format %q", f.Format)
	}
	return name
}

// info describes the table; Resource is the caller's name for it.
func (p *plan) info() portal.TableInfo {
	t := portal.TableInfo{Resource: p.rd.res.Name, Sheet: p.sheet.name, Rows: p.rows, Notes: slices.Clone(p.notes), Totals: p.totalled, Above: p.sheet.above, Below: p.below}
	t.Encoding, t.Dialect = p.sheet.encoding, p.sheet.declared()
	for i := range p.columns {
		t.Columns = append(t.Columns, p.columns[i].field)
	}
	if p.absent > 0 && len(t.Notes) < maxNotes {
		t.Notes = append(t.Notes, fmt.Sprintf("%s 0 in the first periods and not later, first row %d: a zero may stand for what did not exist yet; leave such cells empty", rowsHave(p.absent), p.absentAt))
	}
	for _, c := range p.columns {
		if c.bad > 0 && len(t.Notes) < maxNotes {
			t.Notes = append(t.Notes, fmt.Sprintf("column %q: %s kept as text, not %s; first %q in row %d",
				c.field.Name, areValues(c.bad), describeField(c.field), c.badText, c.badRow))
		}
	}
	return t
}
