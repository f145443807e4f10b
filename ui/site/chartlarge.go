package site

import (
	"fmt"

	"koprik/portal"
	"koprik/ui/chart"
)

// figureRows are the rows that a figure is drawn of: those of the table, or where
// it has more than can be drawn its sums. ErrFigure: there are none.
func (v *visit) figureRows(d *drawn) (chart.Table, error) {
	if d.info.Rows <= chart.MaxTable {
		return v.wholeTable(d)
	}
	return v.summedTable(d)
}

// summedTable adds up the rows of a long table that are about the same. Only what
// may be added up is; the table's summary answers it, not its rows (embed/table).
func (v *visit) summedTable(d *drawn) (chart.Table, error) {
	t, q := chart.Table{Columns: d.info.Columns}, portal.TableQuery{Limit: portal.MaxLimit}
	keys := chart.Reads(d.info.Columns, v.lang)
	for _, i := range keys {
		q.Group = append(q.Group, d.info.Columns[i].Name)
	}
	for _, i := range d.measure.Columns {
		f := d.info.Columns[i]
		if !f.Meaning.Additive {
			return t, fmt.Errorf("%d rows of %q, which cannot be added up: %w", d.info.Rows, f.Name, chart.ErrFigure)
		}
		q.Aggregates = append(q.Aggregates, portal.Aggregate{Column: f.Name, Func: portal.AggSum})
	}
	if len(q.Group) == 0 || len(q.Group) > portal.MaxGroupColumns || len(q.Aggregates) > portal.MaxTableAggregates {
		return t, fmt.Errorf("%d columns to group by, %d to add up: %w", len(q.Group), len(q.Aggregates), chart.ErrFigure)
	}
	for {
		page, err := v.view.Query(v.ctx, d.resource, d.info.Sheet, q)
		if err != nil {
			return t, fmt.Errorf("sums of %s in %s: %w", d.resource.Name, d.dataset.ID, err)
		}
		if page.GroupTotal > chart.MaxTable {
			return t, fmt.Errorf("%d groups: %w", page.GroupTotal, chart.ErrFigure)
		}
		for _, g := range page.Groups {
			row := make([]any, len(t.Columns))
			for i, at := range keys {
				row[at] = g.Keys[i]
			}
			for i, at := range d.measure.Columns {
				row[at] = g.Values[i]
			}
			t.Rows = append(t.Rows, row)
		}
		if page.Next == "" {
			d.summed = true
			return t, nil
		}
		q.After = page.Next
	}
}
