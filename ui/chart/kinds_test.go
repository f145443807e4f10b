package chart_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"koprik/portal"
	"koprik/ui/chart"
	"koprik/ui/chart/charttest"
)

// The tables of which a form offers the kinds: each a row for every combination of
// its dimensions.
func tablesOfKinds() map[string]chart.Table {
	values := map[string][]any{
		"year": {int64(2022), int64(2023), int64(2024)}, "sex": {"Ayol", "Erkak"}, "age": {"0-14", "15-64", "65+"},
		"region": {"Andijon viloyati", "Buxoro viloyati", "Jizzax viloyati", "Navoiy viloyati", "Xorazm viloyati"}, "kind": {"Davlat", "Xususiy", "Boshqa"},
	}
	roles := map[string]portal.ColumnRole{"year": portal.RoleTime, "sex": portal.RoleSex, "age": portal.RoleAge, "region": portal.RoleRegion, "kind": portal.RoleCategory}
	table := func(additive bool, dims ...string) chart.Table {
		t := chart.Table{Rows: [][]any{{}}}
		for _, d := range dims {
			t.Columns = append(t.Columns, dim(d, roles[d]))
			var rows [][]any
			for _, row := range t.Rows {
				for _, v := range values[d] {
					rows = append(rows, append(slices.Clip(slices.Clone(row)), v))
				}
			}
			t.Rows = rows
		}
		t.Columns = append(t.Columns, measure("n", portal.Meaning{Additive: additive}))
		for i := range t.Rows {
			t.Rows[i] = append(t.Rows[i], float64(90+i))
		}
		return t
	}
	return map[string]chart.Table{
		"counts over time": table(true, "year"), "counts of regions over time": table(true, "region", "year"), "counts by sex and age": table(true, "age", "sex"),
		"rates by sex": table(false, "region", "sex"), "counts by region and sex": table(true, "region", "sex"), "counts by region and kind": table(true, "region", "kind"),
		"rates of regions": table(false, "region"), "counts of regions": table(true, "region"),
	}
}

// Maps, places and sparklines are made elsewhere: of an outline, of coordinates,
// beside a hit.
func TestEveryKindIsOfferedByAFormAndDrawn(t *testing.T) {
	offered := map[chart.Kind]bool{chart.Map: true, chart.Places: true, chart.Spark: true}
	for name, table := range tablesOfKinds() {
		c := cube(t, table)
		for _, p := range c.Plans() {
			f, err := c.Figure(p)
			if err != nil {
				t.Errorf("%s: %s: %v", name, p.Kind, err)
				continue
			}
			f.Title = name
			f.Find()
			for _, width := range []int{chart.Narrow, chart.Wide} {
				d := draw(t, f, width)
				if d.Height < 60 {
					t.Errorf("%s: %s is %v high", name, p.Kind, d.Height)
				}
				for _, fault := range charttest.Misplaced(t, d.SVG("")) {
					t.Errorf("%s: %s, %d px wide: %s", name, p.Kind, width, fault)
				}
			}
			offered[p.Kind] = true
		}
	}
	for _, kind := range chart.Kinds {
		if !offered[kind] {
			t.Errorf("no form offers %s", kind)
		}
	}
}

// An address may ask for any kind of any table: it is drawn and said, or refused.
func TestAnyKindOfAnyTableIsDrawnOrRefused(t *testing.T) {
	for name, table := range tablesOfKinds() {
		c := cube(t, table)
		first, _ := proposal(t, c)
		series := []string{"", "-"}
		for _, d := range c.Dims {
			series = append(series, d.Name)
		}
		for _, kind := range chart.Kinds {
			for _, by := range series {
				for _, split := range series {
					p, err := c.Adjust(first, kind, by, split, nil)
					if err != nil {
						continue
					}
					f, err := c.Figure(p)
					if err != nil {
						t.Errorf("%s: %s by %s and %s was taken: %v", name, kind, by, split, err)
						continue
					}
					f.Title = fmt.Sprint(name, kind, by, split)
					f.Find()
					if kind != chart.Map { // its outline comes from the page
						draw(t, f, chart.Narrow)
					}
				}
			}
		}
	}
}

func TestAnyFigureHasAFindingOrNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFigure(t)
		f.Series = f.Series[:rapid.IntRange(1, len(f.Series)).Draw(t, "series left")]
		f.Find()
	})
}
