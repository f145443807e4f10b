package site

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/ui/chart"
)

// The URL of a figure is its query: m names the measure, kind, by and split say
// how it is drawn, at.{dimension} holds a dimension at one of its values, sheet
// chooses a sheet. What is absent the figure chooses by itself.

// chartPage is the struct of templates/chart.html.
type chartPage struct {
	*Frame
	Heading  Shown
	Sheets   []LinkChoice
	Finding  string
	Computed bool   // the finding is
	Shown    string // at which values dimensions are held
	Drawing  drawing
	Form     chartForm
	Table    *dataTable   // what is drawn, as a table; nil for points
	Ways     []LinkChoice // chart, map and table of the same
	Files    []Link       // the figure to take away; none on a kiosk
}

// chartForm adjusts a figure.
type chartForm struct {
	Action   string
	Sheet    string
	Measures []Choice
	Views    []Choice
	Holds    []hold
}

// hold is a dimension that is shown at one value, and the values there are.
type hold struct {
	ID, Name string // of the field
	Label    Shown
	Values   []Choice
}

// maxHeld is how many values of a dimension a form offers.
const maxHeld = 250

// drawn is a figure with all that the page says of it.
type drawn struct {
	opened
	measures []chart.Measure
	measure  chart.Measure
	cube     *chart.Cube
	plans    []chart.Plan
	plan     chart.Plan
	figure   chart.Figure
	base     *mapBase // what a map is drawn on; nil where there is none
	summed   bool     // the values are sums of a table too long to be drawn
}

func (s *site) chart(v *visit) (answer, error) {
	d, a, err := s.draw(v)
	if err != nil || a.template != "" {
		return a, err
	}
	p := &chartPage{Frame: v.Frame, Heading: v.resourceTitle(d.resource)}
	p.FigureStyle = s.assets.URL("figure.css")
	v.Crumbs = []Link{{Shown: v.title(d.dataset), Href: v.datasetURL(d.dataset.ID)}}
	v.Title = v.T("chart.title", "name", p.Heading.Text)
	if d.isMap() {
		v.Title = v.T("map.title", "name", p.Heading.Text)
	}
	v.Paper = v.paper(d.dataset)
	p.Ways = v.waysOf(d)
	p.Sheets = v.sheetLinks(d.opened)
	p.Finding = v.findingOf(d)
	p.Computed = p.Finding != "" && d.cube != nil
	p.Shown = v.heldOf(d)
	if p.Drawing, err = v.drawing(d); err != nil {
		return answer{}, err
	}
	p.Files = v.figureFiles(d)
	if d.cube != nil {
		p.Form = v.chartForm(d)
		t := v.figureTable(d)
		p.Table = &t
	}
	return answer{template: "chart", data: p}, nil
}

// drawing is a figure drawn twice; the style shows the one that fits. It is the
// struct of the template "drawing".
type drawing struct{ Phone, Desk template.HTML }

func (v *visit) drawing(d drawn) (both drawing, err error) {
	widths := map[int]*template.HTML{chart.Narrow: &both.Phone, chart.Wide: &both.Desk}
	if v.Kiosk != nil {
		widths = map[int]*template.HTML{kioskChart: &both.Desk}
	}
	for width, to := range widths {
		one, err := chart.Draw(d.figure, v.chartWords(d), width)
		if err != nil {
			return both, fmt.Errorf("figure of %s in %s: %w", d.resource.Name, d.dataset.ID, err)
		}
		class := "desk"
		if width == chart.Narrow {
			class = "phone"
		}
		*to = template.HTML(one.SVG(class)) //nolint:gosec // chart escapes every word
	}
	return both, nil
}

// kioskChart is the width of drawings on a public screen: on its 1080 pixels words
// are twice as large as on a desk.
const kioskChart = 520

// shownChart is the figure on a dataset's page.
type shownChart struct {
	Title    Shown
	Finding  string
	Drawing  drawing
	ChartURL string
	TableURL string
}

// chartOnPage is the most rows of a table whose figure stands on its dataset's page.
const chartOnPage = 4000

// firstChart draws the first table of a dataset that has a figure; nil when none
// has. A table that cannot be read is said to be so where it is listed.
func (v *visit) firstChart(dataset portal.Dataset) *shownChart {
	for d := range v.smallTables(dataset) {
		if v.choose(&d, nil) != nil {
			continue
		}
		both, err := v.drawing(d)
		if err != nil {
			continue
		}
		v.FigureStyle = v.site.assets.URL("figure.css")
		return &shownChart{
			Title: v.measureName(d, d.measure), Finding: v.findingOf(d), Drawing: both, TableURL: v.tableAddress(d.opened),
			ChartURL: v.datasetURL(dataset.ID) + "/chart/" + url.PathEscape(d.resource.Name),
		}
	}
	return nil
}

// smallTables gives the first sheet of each table of a dataset that can be read and
// is small enough for a figure on the dataset's page.
func (v *visit) smallTables(dataset portal.Dataset) iter.Seq[drawn] {
	return func(yield func(drawn) bool) {
		for _, r := range dataset.Latest.Resources {
			if r.Schema == nil {
				continue
			}
			d := drawn{opened: opened{dataset: dataset, resource: r}}
			var err error
			if d.infos, err = v.view.Tables(v.ctx, r); err != nil || len(d.infos) == 0 || d.infos[0].Rows > chartOnPage {
				continue
			}
			if d.info = d.infos[0]; !yield(d) {
				return
			}
		}
	}
}

// draw reads a table and chooses its figure as the address asks. A dataset that
// was withdrawn has an answer of its own.
func (s *site) draw(v *visit) (d drawn, other answer, err error) {
	if d.opened, other, err = s.openTable(v); err != nil || other.template != "" {
		return d, other, err
	}
	if v.asksMap(v.query) {
		done, err := v.places(&d)
		if done || err != nil {
			return d, other, err
		}
	}
	if err := v.choose(&d, v.query); err != nil {
		if errors.Is(err, chart.ErrFigure) && v.asksMap(v.query) {
			return d, other, v.noMap(d)
		}
		if errors.Is(err, chart.ErrFigure) {
			err = &pageError{
				status: http.StatusNotFound, title: v.T("chart.nothing"), text: v.T("chart.nothingtext"),
				back: Link{Shown: Shown{Text: v.T("chart.table")}, Href: v.tableAddress(d.opened)},
			}
		}
		return d, other, err
	}
	return d, other, nil
}

// choose finds measure, plan and figure as a query asks. ErrFigure: the table has
// none.
func (v *visit) choose(d *drawn, asked url.Values) error {
	d.measures = chart.Measures(d.info.Columns)
	if len(d.measures) == 0 {
		return fmt.Errorf("no measure: %w", chart.ErrFigure)
	}
	d.measure = d.measures[0]
	if name := asked.Get("m"); name != "" {
		i := slices.IndexFunc(d.measures, func(m chart.Measure) bool { return m.Name == name })
		if i < 0 {
			return v.bad("error.badcolumn", "got", clip(name, 60))
		}
		d.measure = d.measures[i]
	}
	table, err := v.figureRows(d)
	if err != nil {
		return err
	}
	if d.cube, err = chart.NewCube(table, d.measure, v.chartNames()); err != nil {
		return err
	}
	if d.plans = d.cube.Plans(); len(d.plans) == 0 && !v.asksMap(asked) {
		return fmt.Errorf("nothing to compare: %w", chart.ErrFigure)
	}
	if v.asksMap(asked) {
		err = v.chooseMap(d, asked)
	} else {
		d.plan = d.plans[0]
		err = v.adjust(d, asked)
	}
	if err != nil {
		return err
	}
	if d.figure, err = d.cube.Figure(d.plan); err != nil {
		return err
	}
	if d.base != nil {
		d.figure.Outline = d.base.outline
	}
	d.figure.Title, d.figure.Desc = v.measureTitle(d), v.findingOf(*d)
	d.figure.Notes = v.chartNotes(d)
	return nil
}

// holdsOf are the values at which a query holds dimensions.
func holdsOf(asked url.Values) map[string]string {
	holds := map[string]string{}
	for name, values := range asked {
		if dim, ok := strings.CutPrefix(name, "at."); ok && len(values) > 0 && values[0] != "" {
			holds[dim] = values[0]
		}
	}
	return holds
}

// viewOf is the kind of figure that a query asks for, by which dimension and split
// by which, whether it says so one by one or as the form does in one choice.
func (v *visit) viewOf(asked url.Values) (kind, by, split string, err error) {
	view := asked.Get("view")
	if view == "" {
		return asked.Get("kind"), asked.Get("by"), asked.Get("split"), nil
	}
	parts := strings.SplitN(view, " ", 3)
	if len(parts) != 3 {
		return "", "", "", v.bad("error.badfilter", "got", clip(view, 60))
	}
	return parts[0], parts[1], parts[2], nil
}

// adjust changes the plan as a query asks; what it cannot be is the reader's to
// mend and named.
func (v *visit) adjust(d *drawn, asked url.Values) error {
	holds := holdsOf(asked)
	kind, by, split, err := v.viewOf(asked)
	if err != nil {
		return err
	}
	if kind == "" && by == "" && split == "" && len(holds) == 0 {
		return nil
	}
	plan, err := d.cube.Adjust(d.plan, chart.Kind(kind), by, split, holds)
	if err != nil {
		return v.bad("error.badfilter", "got", clip(cmp.Or(strings.TrimSpace(kind+" "+by+" "+split), v.r.URL.RawQuery), 60))
	}
	d.plan = plan
	return nil
}

// readRows are the rows of the table that a visit read last: the parts of a page
// often want the same.
type readRows struct {
	of    readOf
	table chart.Table
}

// readOf names a table within the view of a visit.
type readOf struct {
	dataset         portal.DatasetID
	resource, sheet string
	hash            portal.Digest
}

// wholeTable reads the rows of a table, no more than can be drawn. They are not to be
// changed.
func (v *visit) wholeTable(d *drawn) (chart.Table, error) {
	if d.info.Rows > chart.MaxTable {
		return chart.Table{}, fmt.Errorf("%d rows: %w", d.info.Rows, chart.ErrFigure)
	}
	of := readOf{d.dataset.ID, d.resource.Name, d.info.Sheet, d.resource.Hash}
	if v.rows.of == of {
		return v.rows.table, nil
	}
	t := chart.Table{Columns: d.info.Columns}
	q := portal.RowQuery{Limit: portal.MaxLimit}
	for {
		page, err := v.view.Rows(v.ctx, d.resource, d.info.Sheet, q)
		if err != nil {
			return t, fmt.Errorf("rows of %s in %s: %w", d.resource.Name, d.dataset.ID, err)
		}
		t.Rows = append(t.Rows, page.Rows...)
		if page.Next == "" || len(t.Rows) > chart.MaxTable {
			v.rows = readRows{of, t}
			return t, nil
		}
		q.After = page.Next
	}
}

// chartForm offers what else the table can show.
func (v *visit) chartForm(d drawn) chartForm {
	f := chartForm{Action: v.r.URL.EscapedPath(), Sheet: v.query.Get("sheet")}
	if len(d.measures) > 1 {
		for _, m := range d.measures {
			f.Measures = append(f.Measures, Choice{Value: m.Name, Label: v.measureName(d, m), On: m.Name == d.measure.Name})
		}
	}
	known := false
	for _, p := range d.plans {
		on := p.Kind == d.plan.Kind && p.Label == d.plan.Label && p.Series == d.plan.Series
		known = known || on
		f.Views = append(f.Views, Choice{Value: viewKey(d.cube, p), Label: Shown{Text: v.viewName(d, p)}, On: on})
	}
	if !known {
		f.Views = append(f.Views, Choice{Value: viewKey(d.cube, d.plan), Label: Shown{Text: v.viewName(d, d.plan)}, On: true})
	}
	if p := v.mapOf(d); p.Kind == chart.Map && !d.isMap() {
		f.Views = append(f.Views, Choice{Value: viewKey(d.cube, p), Label: Shown{Text: v.viewName(d, p)}})
	}
	for i, dim := range d.cube.Dims {
		at := d.plan.Hold[i]
		if at < 0 || len(dim.Values) < 2 || len(dim.Values) > maxHeld {
			continue
		}
		h := hold{ID: "at" + strconv.Itoa(i), Name: "at." + dim.Name, Label: v.dimName(d, dim)}
		for j, value := range dim.Values {
			h.Values = append(h.Values, Choice{Value: value.Key, Label: Shown{Text: value.Label}, On: j == at})
		}
		f.Holds = append(f.Holds, h)
	}
	return f
}

// viewKey is a plan as the form sends it.
func viewKey(c *chart.Cube, p chart.Plan) string {
	series := "-"
	if p.Series >= 0 {
		series = c.Dims[p.Series].Name
	}
	return string(p.Kind) + " " + c.Dims[p.Label].Name + " " + series
}
