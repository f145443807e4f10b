package site

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

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
	d, err := v.findDataset()
	if err != nil {
		return answer{}, err
	}
	if d.Latest.Withdrawn != nil {
		return s.datasetAnswer(v, d)
	}
	r, ok := d.Resource(mux.Vars(v.r)["name"])
	if !ok {
		return answer{}, fmt.Errorf("table %q of %s: %w", mux.Vars(v.r)["name"], d.ID, portal.ErrNotFound)
	}
	back := Link{Shown: Shown{Text: v.T("table.back")}, Href: v.datasetURL(d.ID)}
	infos, err := v.view.Tables(v.ctx, r)
	switch {
	case errors.Is(err, portal.ErrNotHeld):
		return answer{}, v.notHeld(r, back)
	case err != nil:
		return answer{}, fmt.Errorf("tables of %s in %s: %w", r.Name, d.ID, err)
	case len(infos) == 0:
		return answer{}, &pageError{status: http.StatusNotFound, title: v.T("error.notable"), text: v.T("error.notabletext"), back: back}
	}
	info, err := v.chooseSheet(infos)
	if err != nil {
		return answer{}, err
	}
	if to, ok, err := v.addCondition(info.Columns); err != nil || ok {
		return answer{redirect: to}, err
	}
	q, err := v.readRows(info.Columns)
	if err != nil {
		return answer{}, err
	}
	page, err := v.view.Rows(v.ctx, r, info.Sheet, q)
	switch {
	case errors.Is(err, portal.ErrUsage):
		return answer{}, v.bad("error.badtable")
	case errors.Is(err, portal.ErrNotHeld):
		return answer{}, v.notHeld(r, back)
	case err != nil:
		return answer{}, fmt.Errorf("rows of %s in %s: %w", r.Name, d.ID, err)
	}
	return v.tableAnswer(d, r, infos, info, q, page), nil
}

func (v *visit) notHeld(r portal.Resource, back Link) error {
	return &pageError{
		status: http.StatusNotFound, title: v.T("error.notheld"), back: back,
		text: v.T("error.notheldtext", "size", v.Bytes(r.Bytes)),
	}
}

// chooseSheet finds the sheet that the address asks for; without one, the first.
func (v *visit) chooseSheet(infos []portal.TableInfo) (portal.TableInfo, error) {
	asked := v.query.Get("sheet")
	if asked == "" {
		return infos[0], nil
	}
	for _, info := range infos {
		if info.Sheet == asked {
			return info, nil
		}
	}
	return portal.TableInfo{}, v.bad("error.nosheet", "got", clip(asked, 60))
}

func (v *visit) tableAnswer(d portal.Dataset, r portal.Resource, infos []portal.TableInfo, info portal.TableInfo, q portal.RowQuery, page portal.RowPage) answer {
	v.Paper = v.paper(d)
	p := &tablePage{
		Frame: v.Frame, Heading: v.resourceTitle(r),
		Filtered: len(q.Filters) > 0 || q.Sort != "", Form: v.filterForm(info, q), Table: v.tableOf(page), Notes: info.Notes,
		Columns: v.columns(info.Columns),
	}
	if len(chart.Measures(info.Columns)) > 0 && info.Rows <= chart.MaxTable {
		p.Chart = v.datasetURL(d.ID) + "/chart/" + url.PathEscape(r.Name)
		if sheet := v.query.Get("sheet"); sheet != "" {
			p.Chart += "?sheet=" + escape(sheet)
		}
	}
	v.Crumbs = []Link{{Shown: v.title(d), Href: v.datasetURL(d.ID)}}
	v.Title = v.T("table.title", "name", p.Heading.Text)
	p.Sentence, p.Order = v.sentence(info.Columns, q, page.Total)
	p.Reset = v.r.URL.EscapedPath()
	if sheet := v.query.Get("sheet"); sheet != "" {
		p.Reset = v.only("sheet")
	}
	for _, other := range infos {
		if len(infos) > 1 {
			p.Sheets = append(p.Sheets, LinkChoice{
				Text: other.Sheet, Href: v.r.URL.EscapedPath() + "?sheet=" + escape(other.Sheet), Current: other.Sheet == info.Sheet,
			})
		}
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
