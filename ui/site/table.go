package site

import (
	"errors"
	"fmt"
	"net/url"

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
	Notes    []string
	Columns  []columnRow // in words
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
	if to, ok, err := v.addCondition(o.info.Columns); err != nil || ok {
		return answer{redirect: to}, err
	}
	q, err := v.readRows(o.info.Columns)
	if err != nil {
		return answer{}, err
	}
	page, err := v.view.Rows(v.ctx, o.resource, o.info.Sheet, q)
	switch {
	case errors.Is(err, portal.ErrUsage):
		return answer{}, v.bad("error.badtable")
	case errors.Is(err, portal.ErrNotHeld):
		return answer{}, v.notHeld(o)
	case err != nil:
		return answer{}, fmt.Errorf("rows of %s in %s: %w", o.resource.Name, o.dataset.ID, err)
	}
	return v.tableAnswer(o, q, page), nil
}

func (v *visit) tableAnswer(o opened, q portal.RowQuery, page portal.RowPage) answer {
	v.Paper = v.paper(o.dataset)
	p := &tablePage{
		Frame: v.Frame, Heading: v.resourceTitle(o.resource),
		Filtered: len(q.Filters) > 0 || q.Sort != "", Form: v.filterForm(o.info, q), Table: v.tableOf(page), Notes: o.info.Notes,
		Columns: v.columns(o.info.Columns), Sheets: v.sheetLinks(o),
	}
	if len(chart.Measures(o.info.Columns)) > 0 && o.info.Rows <= chart.MaxTable {
		p.Chart = v.datasetURL(o.dataset.ID) + "/chart/" + url.PathEscape(o.resource.Name)
		if sheet := v.query.Get("sheet"); sheet != "" {
			p.Chart += "?sheet=" + escape(sheet)
		}
	}
	v.Crumbs = []Link{{Shown: v.title(o.dataset), Href: v.datasetURL(o.dataset.ID)}}
	v.Title = v.T("table.title", "name", p.Heading.Text)
	p.Sentence, p.Order = v.sentence(o.info.Columns, q, page.Total)
	p.Reset = v.r.URL.EscapedPath()
	if sheet := v.query.Get("sheet"); sheet != "" {
		p.Reset = v.only("sheet")
	}
	p.Table.Caption = p.Sentence
	v.sortLinks(&p.Table, page.Columns, q)
	if page.Next != "" {
		p.Next = v.address("after", page.Next)
	}
	if q.After != "" {
		p.First = v.address("after", "")
	}
	return answer{template: "table", data: p}
}
