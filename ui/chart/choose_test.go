package chart_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
	"koprik/ui/chart"
)

var names = chart.Names{
	Lang: portal.Uzbek,
	Sex: func(f portal.Field) string {
		return map[string]string{"female": "Ayollar", "male": "Erkaklar", "both": "Jami"}[f.Meaning.Sex]
	},
	Period: func(p string) string { return p },
	Value:  func(_ portal.Field, text string) string { return text },
}

func dim(name string, role portal.ColumnRole, totals ...string) portal.Field {
	return portal.Field{Name: name, Meaning: portal.Meaning{Role: role, Totals: totals}}
}

func measure(name string, m portal.Meaning) portal.Field {
	m.Role = portal.RoleMeasure
	return portal.Field{Name: name, Meaning: m}
}

// byRegion is a table as the statistics office has them: the country above its
// regions, women and men side by side, two years.
func byRegion() chart.Table {
	t := chart.Table{Columns: []portal.Field{
		dim("soato", portal.RoleRegion, "1700"),
		{Name: "name_uz", Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindName, Lang: portal.Uzbek, SameAs: "soato"}},
		dim("year", portal.RoleTime),
		measure("women", portal.Meaning{Of: "population", Sex: portal.SexFemale, Additive: true}),
		measure("men", portal.Meaning{Of: "population", Sex: portal.SexMale, Additive: true}),
		measure("all", portal.Meaning{Of: "population", Sex: portal.SexBoth, Additive: true}),
	}}
	for _, year := range []int64{2024, 2025} {
		for i, r := range []string{"1700 Oʻzbekiston", "1703 Andijon", "1706 Buxoro", "1718 Samarqand"} {
			code, name, _ := strings.Cut(r, " ")
			w, m := float64(100+10*i), float64(90+20*i)
			if i == 0 {
				w, m = 360, 390
			}
			t.Rows = append(t.Rows, []any{code, name, year, w, m, w + m})
		}
	}
	return t
}

func cube(t *testing.T, table chart.Table) *chart.Cube {
	t.Helper()
	c, err := chart.NewCube(table, chart.Measures(table.Columns)[0], names)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func proposal(t *testing.T, c *chart.Cube) (chart.Plan, chart.Figure) {
	t.Helper()
	plans := c.Plans()
	if len(plans) == 0 {
		t.Fatal("nothing is proposed")
	}
	f, err := c.Figure(plans[0])
	if err != nil {
		t.Fatal(err)
	}
	return plans[0], f
}

func TestWomenAndMenSideBySideAreOneMeasureOfTwo(t *testing.T) {
	c := cube(t, byRegion())
	p, f := proposal(t, c)
	if p.Kind != chart.Grouped || !slices.Equal(f.Labels, []string{"Samarqand", "Buxoro", "Andijon"}) {
		t.Fatalf("%s %v", p.Kind, f.Labels)
	}
	if f.Series[0].Name != "Ayollar" || !slices.Equal(f.Series[0].Values, []float64{130, 120, 110}) || !slices.Equal(f.Series[1].Values, []float64{150, 130, 110}) {
		t.Errorf("%v", f.Series)
	}
	var held []string
	for _, v := range c.Held(p) {
		held = append(held, v.Label)
	}
	if !slices.Equal(held, []string{"2025"}) {
		t.Errorf("shown for %v", held)
	}
}

func TestATotalIsNoLabelAndNoSeries(t *testing.T) {
	c := cube(t, byRegion())
	for _, p := range c.Plans() {
		f, err := c.Figure(p)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(f.Labels, "Oʻzbekiston") || slices.ContainsFunc(f.Series, func(s chart.Series) bool { return s.Name == "Jami" || s.Name == "Oʻzbekiston" }) {
			t.Errorf("%s: %v", p.Kind, f.Labels)
		}
	}
}

func TestTheKindFollowsFromWhatColumnsMean(t *testing.T) {
	years := func(n int, value func(i int) any, dims ...portal.Field) chart.Table {
		table := chart.Table{Columns: append([]portal.Field{dim("year", portal.RoleTime)}, dims...)}
		table.Columns = append(table.Columns, measure("v", portal.Meaning{Additive: true}))
		for i := range n {
			row := []any{int64(2015 + i)}
			for range dims {
				row = append(row, "one")
			}
			table.Rows = append(table.Rows, append(row, value(i)))
		}
		return table
	}
	number := func(i int) any { return int64(10 + i) }
	list := func(role portal.ColumnRole, additive bool, labels ...string) chart.Table {
		table := chart.Table{Columns: []portal.Field{dim("d", role), measure("v", portal.Meaning{Additive: additive})}}
		for i, l := range labels {
			table.Rows = append(table.Rows, []any{l, 70 + float64(i)})
		}
		return table
	}
	wide := chart.Table{Columns: []portal.Field{dim("region", portal.RoleRegion, "All")}}
	for y := 2020; y < 2026; y++ {
		wide.Columns = append(wide.Columns, measure(fmt.Sprintf("y%d", y), portal.Meaning{Of: "y", Period: fmt.Sprint(y), Additive: true}))
	}
	wide.Rows = [][]any{{"All", 3., 4., 5., 6., 7., 8.}, {"A", 1., 2., 3., 4., 5., 6.}, {"B", 2., 2., 2., 2., 2., 2.}}
	ages := chart.Table{Columns: []portal.Field{dim("age", portal.RoleAge), dim("sex", portal.RoleSex), measure("v", portal.Meaning{Additive: true})}}
	for _, a := range []string{"65+", "0-4", "5-9"} {
		ages.Rows = append(ages.Rows, []any{a, "ayol", 5.}, []any{a, "erkak", 6.})
	}
	for name, tt := range map[string]struct {
		table  chart.Table
		want   chart.Kind
		labels string
	}{
		"a value over years":             {years(6, number), chart.Line, "2015 2016 2017 2018 2019 2020"},
		"two years":                      {years(2, number), chart.Bars, "2015 2016"},
		"one column a year":              {wide, chart.Line, "2020 2021 2022 2023 2024 2025"},
		"a count by region":              {list(portal.RoleRegion, true, "A", "B", "C"), chart.Bars, "C B A"},
		"a rate by region":               {list(portal.RoleRegion, false, "A", "B", "C"), chart.Dots, "C B A"},
		"ages of women and men":          {ages, chart.Pyramid, "0-4 5-9 65+"},
		"a category held by every table": {years(4, number, dim("kind", portal.RoleCategory)), chart.Line, "2015 2016 2017 2018"},
	} {
		p, f := proposal(t, cube(t, tt.table))
		if p.Kind != tt.want || strings.Join(f.Labels, " ") != tt.labels {
			t.Errorf("%s: %s of %v, want %s of %s", name, p.Kind, f.Labels, tt.want, tt.labels)
		}
	}
	if plans := cube(t, list(portal.RoleCategory, true, "alone")).Plans(); len(plans) != 0 {
		t.Errorf("one value is compared with nothing: %v", plans)
	}
}

func TestPersonsAreNotRanked(t *testing.T) {
	table := chart.Table{Columns: []portal.Field{dim("name", portal.RoleText), measure("income", portal.Meaning{})}, Rows: [][]any{{"A. A.", 1.}, {"B. B.", 2.}}}
	if _, err := chart.NewCube(table, chart.Measures(table.Columns)[0], names); !errors.Is(err, chart.ErrFigure) {
		t.Errorf("a list of persons: %v", err)
	}
}

func TestTwoValuesForOnePlaceAreNotDrawn(t *testing.T) {
	table := chart.Table{Columns: []portal.Field{dim("d", portal.RoleCategory), measure("v", portal.Meaning{})}, Rows: [][]any{{"a", 1.}, {"a", 2.}, {"b", 1.}}}
	if _, err := chart.NewCube(table, chart.Measures(table.Columns)[0], names); !errors.Is(err, chart.ErrFigure) {
		t.Errorf("%v", err)
	}
	table.Columns[1].Meaning.Additive = true
	if _, f := proposal(t, cube(t, table)); !slices.Equal(f.Series[0].Values, []float64{3, 1}) {
		t.Errorf("what may be added up is %v", f.Series[0].Values)
	}
}

func TestYearsStandWhereTheyAre(t *testing.T) {
	table := chart.Table{Columns: []portal.Field{dim("year", portal.RoleTime), measure("v", portal.Meaning{})}, Rows: [][]any{{int64(2021), 3.}, {int64(2015), 1.}, {int64(2020), 2.}}}
	_, f := proposal(t, cube(t, table))
	if !slices.Equal(f.Labels, []string{"2015", "2020", "2021"}) || math.Abs((f.At[1]-f.At[0])/(f.At[2]-f.At[1])-5) > .01 {
		t.Errorf("%v at %v", f.Labels, f.At)
	}
}

func TestAReaderAdjustsAFigureAndIsToldWhatIsNotThere(t *testing.T) {
	c := cube(t, byRegion())
	p, _ := proposal(t, c)
	adjusted, err := c.Adjust(p, chart.Gap, "", "", map[string]string{"year": "2024"})
	if err != nil || adjusted.Kind != chart.Gap || c.Held(adjusted)[0].Key != "2024" {
		t.Errorf("%+v %v", adjusted, err)
	}
	if one, err := c.Adjust(p, chart.Bars, "", "-", nil); err != nil || one.Series != -1 {
		t.Errorf("%+v %v", one, err)
	}
	if one, err := c.Adjust(p, chart.Bars, "", "", map[string]string{"sex": "female"}); err != nil || one.Series != -1 || c.Held(one)[1].Key != "female" {
		t.Errorf("women alone: %+v %v", one, err)
	}
	for name, err := range map[string]error{
		"dimension": second(c.Adjust(p, "", "colour", "", nil)), "series": second(c.Adjust(p, "", "", "colour", nil)), "kind": second(c.Adjust(p, "pie", "", "", nil)),
		"held": second(c.Adjust(p, "", "", "", map[string]string{"colour": "red"})), "value": second(c.Adjust(p, "", "", "", map[string]string{"year": "1999"})),
		"twice": second(c.Adjust(p, "", "soato", "soato", nil)),
	} {
		if !errors.Is(err, chart.ErrFigure) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ chart.Plan, err error) error { return err }

// Of towns and districts, each in a row of its own, all are drawn.
func TestTheKindOfAPlaceIsNoDimension(t *testing.T) {
	births := chart.Table{Columns: []portal.Field{
		dim("name", portal.RoleRegion), dim("kind", portal.RoleCategory), measure("births", portal.Meaning{Additive: true}),
	}, Rows: [][]any{{"Angren shahri", "city", 1859.0}, {"Parkent tumani", "district", 2325.0}, {"Zangiota tumani", "district", 1913.0}}}
	p, f := proposal(t, cube(t, births))
	if p.Kind != chart.Bars || p.Series >= 0 || !slices.Equal(f.Labels, []string{"Parkent tumani", "Zangiota tumani", "Angren shahri"}) {
		t.Errorf("%s %v", p.Kind, f.Labels)
	}
	births.Rows = append(births.Rows, []any{"Parkent tumani", "city", 7.0})
	if c := cube(t, births); len(c.Dims) != 2 {
		t.Errorf("%d dimensions where a place has two kinds", len(c.Dims))
	}
}

// Towns alone would pass for towns and villages together.
func TestPartsWithoutAWholeAreDrawnSideBySide(t *testing.T) {
	settled := func(totals ...string) chart.Table {
		t := chart.Table{Columns: []portal.Field{
			dim("region", portal.RoleRegion), dim("settlement", portal.RoleCategory, totals...),
			measure("population", portal.Meaning{Additive: true}),
		}}
		for i, r := range []string{"Andijon", "Buxoro", "Samarqand"} {
			for j, s := range append([]string{"shahar", "qishloq"}, totals...) {
				t.Rows = append(t.Rows, []any{r, s, float64(100*(i+1) + j)})
			}
		}
		return t
	}
	p, f := proposal(t, cube(t, settled()))
	if p.Kind != chart.Grouped || len(f.Series) != 2 || f.Series[0].Name != "shahar" || f.Series[1].Name != "qishloq" {
		t.Errorf("without a whole: %s %v", p.Kind, f.Series)
	}
	c := cube(t, settled("jami"))
	if p, _ = proposal(t, c); p.Kind != chart.Bars || p.Series >= 0 || c.Held(p)[0].Label != "jami" {
		t.Errorf("with a whole: %s %v", p.Kind, c.Held(p))
	}
}
