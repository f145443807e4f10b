package chart

import (
	"testing"

	"koprik/portal"
)

func TestWomenAndMenAreFoundInColumnsAndInRows(t *testing.T) {
	names := Names{Sex: func(f portal.Field) string { return f.Meaning.Sex }, Period: func(p string) string { return p }, Value: func(_ portal.Field, s string) string { return s }}
	dim := func(name string, role portal.ColumnRole, totals ...string) portal.Field {
		return portal.Field{Name: name, Meaning: portal.Meaning{Role: role, Totals: totals}}
	}
	measure := func(name, sex string, additive bool) portal.Field {
		return portal.Field{Name: name, Meaning: portal.Meaning{Role: portal.RoleMeasure, Sex: sex, Of: "n", Additive: additive}}
	}
	for name, c := range map[string]struct {
		table  Table
		w, m   float64
		summed bool
		ok     bool
	}{
		"columns, the whole has a row": {Table{[]portal.Field{dim("r", portal.RoleRegion, "all"), measure("f", portal.SexFemale, true), measure("m", portal.SexMale, true)}, [][]any{{"all", 5.0, 4.0}, {"a", 3.0, 2.0}, {"b", 2.0, 2.0}}}, 5, 4, false, true},
		"columns, parts alone":         {Table{[]portal.Field{dim("r", portal.RoleRegion), measure("f", portal.SexFemale, true), measure("m", portal.SexMale, true)}, [][]any{{"a", 3.0, 2.0}, {"b", 2.0, 2.0}}}, 5, 4, true, true},
		"rates have no sum":            {Table{[]portal.Field{dim("r", portal.RoleRegion), measure("f", portal.SexFemale, false), measure("m", portal.SexMale, false)}, [][]any{{"a", 3.0, 2.0}, {"b", 2.0, 2.0}}}, 0, 0, false, false},
		"rows, newest year":            {Table{[]portal.Field{dim("sex", portal.RoleSex), dim("y", portal.RoleTime), {Name: "n", Meaning: portal.Meaning{Role: portal.RoleMeasure}}}, [][]any{{"Ayollar", "2024", 1.0}, {"Erkaklar", "2024", 2.0}, {"Ayollar", "2025", 3.0}, {"Erkaklar", "2025", 7.0}}}, 3, 7, false, true},
		"rows in Russian":              {Table{[]portal.Field{dim("sex", portal.RoleSex), {Name: "n", Meaning: portal.Meaning{Role: portal.RoleMeasure}}}, [][]any{{"женщины", 1.0}, {"мужчины", 2.0}}}, 1, 2, false, true},
		"women alone":                  {Table{[]portal.Field{dim("sex", portal.RoleSex), {Name: "n", Meaning: portal.Meaning{Role: portal.RoleMeasure}}}, [][]any{{"women", 1.0}}}, 0, 0, false, false},
	} {
		cube, err := NewCube(c.table, Measures(c.table.Columns)[0], names)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p, ok := cube.Pair()
		if ok != c.ok || ok && (p.W != c.w || p.M != c.m || p.Summed != c.summed) {
			t.Errorf("%s: %+v, %v", name, p, ok)
		}
	}
}
