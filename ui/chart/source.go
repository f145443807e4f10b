package chart

import (
	"cmp"

	"koprik/portal"
)

// Side tells whether a dimension stands in columns side by side (women, men; one
// column a year) and not in the rows of the table.
func (d Dim) Side() bool { return d.column < 0 }

// Source finds the cell of the table that a cube's value was read from: at is its
// place, as Cells gives it. ok is false where several cells made it, or none.
func (c *Cube) Source(t Table, at []int) (row, column int, ok bool) {
	if len(at) != len(c.Dims) {
		return 0, 0, false
	}
	found := 0
	for y, cells := range t.Rows {
		if !c.inRow(cells, at) {
			continue
		}
		for _, x := range c.Measure.Columns {
			if x >= len(cells) || !c.onSide(t.Columns[x].Meaning, at) {
				continue
			}
			if _, number := float(cells[x]); number {
				row, column = y, x
				found++
			}
		}
	}
	return row, column, found == 1
}

// inRow tells whether a row has the values that are asked for.
func (c *Cube) inRow(cells []any, at []int) bool {
	for i, d := range c.Dims {
		if !d.Side() && text(cells, d.column) != d.Values[at[i]].Key {
			return false
		}
	}
	return true
}

// onSide tells whether a column of the measure is about what is asked for.
func (c *Cube) onSide(m portal.Meaning, at []int) bool {
	for i, d := range c.Dims {
		if !d.Side() {
			continue
		}
		key := m.Age
		switch d.Role {
		case portal.RoleTime:
			key = m.Period
		case portal.RoleSex:
			key = cmp.Or(m.Sex, portal.SexBoth)
		}
		if key != d.Values[at[i]].Key {
			return false
		}
	}
	return true
}
