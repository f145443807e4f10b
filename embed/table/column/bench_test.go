package column

import (
	"context"
	"testing"

	"koprik/portal"
)

// million is a table of a million rows with a column of 14 regions, of 27 years, of two
// sexes and of a million numbers.
func million() (*Whole, []portal.Field) {
	const rows = 1_000_000
	region, year, n, share, sex := NewBuilder(rows), NewBuilder(rows), NewBuilder(rows), NewBuilder(rows), NewBuilder(rows)
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"}
	for i := range rows {
		region.Add(names[i%14])
		year.Add(int64(2000 + i%27))
		n.Add(int64(i * 7919 % 1000003))
		share.Add(float64(i%1000) / 10)
		sex.Add([]string{"f", "m"}[i/378%2])
	}
	fields := []portal.Field{{Name: "region"}, {Name: "year", Type: "year"}, {Name: "n", Type: "integer"}, {Name: "share", Type: "number"}, {Name: "sex"}}
	w := &Whole{Rows: rows, Vectors: make([]Vector, 5)}
	for i, b := range []*Builder{region, year, n, share, sex} {
		w.Vectors[i], _ = b.Vector(Collation(fields[i]))
	}
	return w, fields
}

// BenchmarkSummary asks a summary of a million rows; nothing is remembered.
func BenchmarkSummary(b *testing.B) {
	w, fields := million()
	filter := []portal.TableFilter{{Column: "region", Op: portal.OpEqual, Values: []string{"g"}}}
	for name, q := range map[string]portal.TableQuery{
		"filtered page": {Filters: filter, Limit: 50},
		"sorted page":   {Order: []portal.TableOrder{{By: "n", Desc: true}}, Limit: 50},
		"group":         {Group: []string{"region"}, Aggregates: []portal.Aggregate{{Column: "n", Func: portal.AggSum}}},
		"three groups":  {Group: []string{"region", "year", "sex"}, Aggregates: []portal.Aggregate{{Column: "n", Func: portal.AggSum}}},
		"two sums":      {Group: []string{"region", "year"}, Aggregates: []portal.Aggregate{{Column: "n", Func: portal.AggSum}}},
		"two groups":    {Group: []string{"region", "year"}, Aggregates: []portal.Aggregate{{Column: "n", Func: portal.AggMean}}},
		"three aggregates": {Group: []string{"region", "year"}, Aggregates: []portal.Aggregate{
			{Column: "n", Func: portal.AggSum}, {Column: "share", Func: portal.AggMean}, {Column: "n", Func: portal.AggMax},
		}},
		"facets": {Filters: filter, Facets: []string{"region", "year"}},
		"facets of two filters": {
			Filters: append([]portal.TableFilter{{Column: "share", Op: portal.OpLeast, Values: []string{"0.7"}}}, filter...),
			Facets:  []string{"region", "year", "sex"},
		},
	} {
		p, err := Check(fields, q)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if p.HasFigures() {
					_, err = p.Figures(context.Background(), w)
				} else {
					_, err = p.Rows(context.Background(), w, 0, -1)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
