package site

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"koprik/portal"
	"koprik/ui/chart"
)

// tablePage is the struct of templates/table.html.
type tablePage struct {
	*Frame
	Heading  Shown
	Sheets   []LinkChoice
	Chart    string // address of the figure; "" where there is nothing to measure
	Sentence string
	Order    string
	Filtered bool
	Reset    string
	Form     filterForm
	Table    dataTable
	First    string // address of the first page, where this is a later one
	Next     string
	Files    []Link // this view as files
	Code     string // address of the picture that leads a telephone here
	Notes    []string
	Columns  []columnRow // in words, where the dataset's page has them not
	Meanings string      // where it has
	Ask      *rowForm    // where a row is asked about; nil where nothing is asked
}

// LinkChoice is a link of a group, of which one is where the reader is.
type LinkChoice struct {
	Text    string
	Href    string
	Current bool
}

func (s *site) table(v *visit) (answer, error) {
	o, other, err := s.openTable(v)
	if err != nil || other.template != "" {
		return other, err
	}
	if to, ok, err := v.settle(o.info.Columns); err != nil || ok {
		return answer{redirect: to}, err
	}
	q, err := v.readQuery(o.info.Columns)
	if err != nil {
		return answer{}, err
	}
	ask := q
	ask.Columns, ask.Facets, ask.FacetLimit = v.viewColumns(o.info.Columns, q), v.faceted(o.info.Columns), facetLimit
	ask.Aggregates = v.sums(o, q)
	found, err := v.view.Query(v.ctx, o.resource, o.info.Sheet, ask)
	if err != nil {
		return answer{}, v.refused(o, err)
	}
	foot, err := v.foot(o, q, ask.Aggregates, found)
	if err != nil {
		return answer{}, v.refused(o, err)
	}
	return v.tableAnswer(o, q, found, foot), nil
}

// refused puts an error of a query into words.
func (v *visit) refused(o opened, err error) error {
	switch {
	case errors.Is(err, portal.ErrUsage):
		return v.bad("error.badtable")
	case errors.Is(err, portal.ErrNotHeld):
		return v.notHeld(o)
	}
	return fmt.Errorf("rows of %s in %s: %w", o.resource.Name, o.dataset.ID, err)
}

func (v *visit) tableAnswer(o opened, q portal.TableQuery, found portal.TableAnswer, foot []cell) answer {
	v.Paper = v.paper(o.dataset)
	p := &tablePage{
		Frame: v.Frame, Heading: v.resourceTitle(o.resource), Form: v.filterForm(o, q, found.Facets),
		Filtered: len(q.Filters) > 0 || q.Text != "" || len(q.Order) > 0 || len(q.Columns) > 0,
		Table:    v.tableOf(portal.RowPage{Columns: found.Columns, Rows: found.Rows}), Notes: o.info.Notes,
		Sheets: v.sheetLinks(o), Files: v.viewFiles(o, q),
	}
	if o.resource.Schema != nil && o.info.Sheet == o.infos[0].Sheet && v.Kiosk == nil {
		p.Meanings = v.datasetURL(o.dataset.ID) + "#files"
	} else {
		p.Columns = v.columns(o.info.Columns)
	}
	if len(chart.Measures(o.info.Columns)) > 0 && o.info.Rows <= chart.MaxTable {
		p.Chart = v.datasetURL(o.dataset.ID) + "/chart/" + url.PathEscape(o.resource.Name)
		if sheet := v.query.Get("sheet"); sheet != "" {
			p.Chart += "?sheet=" + escape(sheet)
		}
	}
	v.Crumbs = []Link{{Shown: v.title(o.dataset), Href: v.datasetURL(o.dataset.ID)}}
	v.Title = v.T("table.title", "name", p.Heading.Text)
	p.Sentence, p.Order = v.sentence(o.info.Columns, q, found.Total, o.info.Rows)
	p.Reset = v.r.URL.EscapedPath()
	if sheet := v.query.Get("sheet"); sheet != "" {
		p.Reset = v.only("sheet")
	}
	if v.Kiosk == nil {
		p.Code = v.Base + "/code.svg?a=" + escape(v.address())
	}
	p.Table.Caption = p.Sentence
	v.sortLinks(&p.Table, found.Columns, q)
	p.Ask = v.askButtons(o, &p.Table, found.Columns)
	if p.Table.Foot = foot; len(foot) > 0 && len(p.Table.Columns) > len(foot) {
		p.Table.Foot = append(foot, cell{})
	}
	if found.Next != "" {
		p.Next = v.address("after", found.Next)
	}
	if q.After != "" {
		p.First = v.address("after", "")
	}
	return answer{template: "table", data: p}
}

// maxSums are added up under one table, and maxExcluded values of totals left out.
const (
	maxSums     = 12
	maxExcluded = 10
)

// sums are the measures that may be added up over the rows of a view: additive
// ones, where every row is of one time and one unit. Nobody says whether a figure
// is a stock, which cannot be added up over time, so none is.
func (v *visit) sums(o opened, q portal.TableQuery) []portal.Aggregate {
	var sums []portal.Aggregate
	for _, c := range o.info.Columns {
		m := c.Meaning
		if m.Role == portal.RoleUnit || m.Role == portal.RoleTime && m.SameAs == "" && !pinned(q, c.Name) {
			return nil
		}
		numeric := c.Type == "integer" || c.Type == "number"
		if numeric && m.Role == portal.RoleMeasure && m.Additive && (len(q.Columns) == 0 || slices.Contains(q.Columns, c.Name)) && len(sums) < maxSums {
			sums = append(sums, portal.Aggregate{Column: c.Name, Func: portal.AggSum})
		}
	}
	return sums
}

// pinned tells whether a column is held at one value.
func pinned(q portal.TableQuery, column string) bool {
	return slices.ContainsFunc(q.Filters, func(f portal.TableFilter) bool {
		return f.Column == column && (f.Op == portal.OpEqual || f.Op == portal.OpIn) && len(f.Values) == 1 && f.Values[0] != ""
	})
}

// foot is the row of sums, marked as computed; nil where there is none. Rows that
// are totals of others are left out of them.
func (v *visit) foot(o opened, q portal.TableQuery, sums []portal.Aggregate, found portal.TableAnswer) ([]cell, error) {
	if len(sums) == 0 || found.Total < 2 {
		return nil, nil
	}
	total, totals, words := found.Total, found.Totals, "table.sum"
	if parts, left := withoutTotals(o.info, q); left > 0 {
		parts.Aggregates, parts.Limit = sums, 1
		if left > maxExcluded || len(parts.Filters) > portal.MaxTableFilters {
			return nil, nil
		}
		rest, err := v.view.Query(v.ctx, o.resource, o.info.Sheet, parts)
		if err != nil || rest.Total < 2 {
			return nil, err
		}
		if rest.Total < total {
			words = "table.sumparts"
		}
		total, totals = rest.Total, rest.Totals
	}
	foot := make([]cell, len(found.Columns))
	said := false
	for i, c := range found.Columns {
		at := slices.IndexFunc(sums, func(a portal.Aggregate) bool { return a.Column == c.Name })
		switch {
		case at >= 0 && at < len(totals) && totals[at] != nil:
			foot[i] = cell{Text: v.cellText(totals[at], false), Number: true, Label: v.columnTitle(c).Text}
		case at < 0 && !said:
			said = true
			foot[i] = cell{Text: v.sumWords(words, total)}
		}
	}
	if !said { // nothing but measures: no place for the words that say what it is
		return nil, nil
	}
	return foot, nil
}

func (v *visit) sumWords(key string, n int64) string {
	if key == "table.sumparts" {
		return v.N64("table.sumparts", n)
	}
	return v.N64("table.sum", n)
}

// withoutTotals narrows a query to rows that are no totals of others, and says
// how many values it leaves out.
func withoutTotals(info portal.TableInfo, q portal.TableQuery) (portal.TableQuery, int) {
	left := 0
	q.Filters = slices.Clip(q.Filters)
	q.After, q.Order, q.Columns = "", nil, nil
	for _, c := range info.Columns {
		for _, value := range c.Meaning.Totals {
			left++
			q.Filters = append(q.Filters, portal.TableFilter{Column: c.Name, Op: portal.OpNot, Values: []string{value}})
		}
	}
	return q, left
}
