package chart_test

import (
	"testing"

	"koprik/ui/chart"
)

func TestEveryValueOfACubeIsACellOfItsTable(t *testing.T) {
	table := byRegion()
	c := cube(t, table)
	n := 0
	for at, value := range c.Cells {
		row, column, ok := c.Source(table, at)
		if !ok || table.Rows[row][column] != value {
			t.Errorf("%v: %v stands in no cell", at, value)
		}
		n++
	}
	if n != 24 {
		t.Errorf("%d cells, want 24", n)
	}
	for _, d := range c.Dims {
		if d.Side() != (d.Name == "sex") {
			t.Errorf("%s: side by side %v", d.Name, d.Side())
		}
	}
}

func TestAValueOfSeveralCellsHasNoSource(t *testing.T) {
	table := byRegion()
	c := cube(t, table)
	table.Rows = append(table.Rows, table.Rows...)
	for at := range c.Cells {
		if _, _, ok := c.Source(table, at); ok {
			t.Fatalf("%v: one of two cells was taken", at)
		}
	}
	if _, _, ok := c.Source(chart.Table{}, nil); ok {
		t.Error("nothing has a source")
	}
}
