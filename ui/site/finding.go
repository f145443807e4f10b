package site

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/portal/period"
	"koprik/portal/region"
	"koprik/ui/chart"
)

// figure is one number as a page shows it; the struct of the template of that
// name. Nothing in it is calculated: it is a cell of a signed table.
type figure struct {
	Question string // that the number answers; "" where none was put
	Number   string
	Measure  Shown         // what is counted: the column's title
	Where    string        // "Uzbekistan, 2025"
	Computed string        // says so, where the publisher marked the cell as its own calculation
	Source   Link          // the dataset; empty on its own page
	Tag      string        // BCP 47, where the card is not in the page's language
	Spark    template.HTML // the place over time, in a hit; "" where no line can be drawn
}

// fact is a cell of a table that is of one place and of one time.
type fact struct {
	dataset  portal.DatasetID
	title    portal.Text // of the dataset
	resource portal.Resource
	column   portal.Field
	place    string // "UZ" (ISO 3166-1) or a region's code (ISO 3166-2)
	value    any
	period   string // "2025", or as the table spells it; orders by time
	said     periodOf
	computed bool               // the publisher marked it as calculated
	over     map[string]float64 // the place's values by their periods, where the table has several
}

// periodOf says where a fact's period stands.
type periodOf int

const (
	ofRow    periodOf = iota // in a column of the table
	ofColumn                 // in the column's name: hospitals_2024
	ofTable                  // in the table's title
)

// country is its own code by ISO 3166-1; its regions' begin with it.
const country = "UZ"

// factBytes is the largest file that is looked through for facts: one row for
// each region and year takes a thousandth of it, and no page waits for more.
const factBytes = 8 << 20

// readTable reads the first table of a file where it is small enough to be
// answered from; ok is false for any other, and for one that cannot be read.
func (v *visit) readTable(dataset portal.Dataset, r portal.Resource, wanted func(drawn) bool) (d drawn, table chart.Table, ok bool) {
	if r.Schema == nil || r.Bytes > factBytes {
		return d, table, false
	}
	infos, err := v.view.Tables(v.ctx, r)
	if err != nil || len(infos) == 0 || infos[0].Rows > answerRows {
		return d, table, false
	}
	d.opened = opened{dataset: dataset, resource: r, infos: infos, info: infos[0]}
	d.measures = chart.Measures(infos[0].Columns)
	if len(d.measures) == 0 || !wanted(d) {
		return d, table, false
	}
	table, err = v.wholeTable(&d)
	return d, table, err == nil
}

// isPlaceCode tells whether a column has codes of places.
func isPlaceCode(f portal.Field) bool {
	return f.Meaning.Role == portal.RoleRegion && (f.Meaning.Kind == portal.KindISO || f.Meaning.Kind == portal.KindSOATO)
}

// hasPlaces tells whether a table has codes of places.
func hasPlaces(d drawn) bool { return slices.ContainsFunc(d.info.Columns, isPlaceCode) }

// placeOfRow is the code by ISO 3166 of the country or the region that a row is of,
// by the codes that stand in it beside the column of a dimension; "" for any other.
func placeOfRow(columns []portal.Field, row []any, dim chart.Dim) string {
	for i, f := range columns {
		if !isPlaceCode(f) || i >= len(row) || f.Name != dim.Name && f.Meaning.SameAs != dim.Name {
			continue
		}
		code := fmt.Sprint(row[i])
		if n, ok := row[i].(float64); ok {
			code = strconv.FormatFloat(n, 'f', -1, 64)
		}
		p, ok := region.BySOATO(code)
		if !ok {
			p, _ = region.ByISO(code)
		}
		return p.ISO
	}
	return ""
}

// bareNames leave a table's values as they are: facts are kept for readers of all
// languages.
var bareNames = chart.Names{
	Sex:    func(portal.Field) string { return "" },
	Period: func(p string) string { return p },
	Value:  func(_ portal.Field, text string) string { return text },
}

// facts reads those of a dataset's tables. A table that cannot be read, or that
// does not say of which place and time it is, has none; nor has a place of which
// two rows are of the same time, for something else tells these apart.
func (v *visit) facts(dataset portal.Dataset) []fact {
	if dataset.Latest.Withdrawn != nil {
		return nil
	}
	var all []fact
	for _, r := range dataset.Latest.Resources {
		d, table, ok := v.readTable(dataset, r, hasPlaces)
		if !ok {
			continue
		}
		for _, m := range d.measures {
			cube, err := chart.NewCube(table, m, bareNames)
			if err != nil {
				continue
			}
			for _, f := range factsOf(table, cube) {
				f.dataset, f.title, f.resource = dataset.ID, dataset.Latest.Title, r
				if f.said == ofTable {
					f.period = lastYear(append(r.Title.All(), r.Name)...)
				}
				if f.period != "" {
					all = append(all, f)
				}
			}
		}
	}
	return all
}

// factDims are the dimensions by which the values of a cube are facts.
type factDims struct {
	place, time, side int   // of women and men side by side, each a fact; -1: there is none
	hold              []int // the whole of the others
}

func factDimsOf(columns []portal.Field, cube *chart.Cube) (f factDims, ok bool) {
	coded := func(dim chart.Dim) bool {
		return slices.ContainsFunc(columns, func(f portal.Field) bool {
			return isPlaceCode(f) && (f.Name == dim.Name || f.Meaning.SameAs == dim.Name)
		})
	}
	f = factDims{-1, -1, -1, make([]int, len(cube.Dims))}
	for i, dim := range cube.Dims {
		f.hold[i] = -1
		switch {
		case dim.Role == portal.RoleRegion && f.place < 0 && coded(dim):
			f.place = i
		case dim.Role == portal.RoleTime && f.time < 0:
			f.time = i
		case dim.Role == portal.RoleSex && dim.Side() && f.side < 0:
			f.side = i
		default:
			if f.hold[i] = wholeOf(dim); f.hold[i] < 0 {
				return f, false
			}
		}
	}
	return f, f.place >= 0
}

// factsOf takes the newest value of each place, in the order of columns and rows.
func factsOf(table chart.Table, cube *chart.Cube) []fact {
	dims, ok := factDimsOf(table.Columns, cube)
	if !ok {
		return nil
	}
	newest, over := map[[2]int][]int{}, map[[2]int]map[string]float64{} // by place and side
	for at, value := range cube.Cells {
		held := true
		for i, h := range dims.hold {
			held = held && (h < 0 || at[i] == h)
		}
		key := [2]int{at[dims.place]}
		if dims.side >= 0 {
			key[1] = at[dims.side]
		}
		if held && dims.time >= 0 {
			if over[key] == nil {
				over[key] = map[string]float64{}
			}
			over[key][cube.Dims[dims.time].Values[at[dims.time]].Key] = value
		}
		if was := newest[key]; held && (was == nil || dims.time >= 0 && at[dims.time] > was[dims.time]) {
			newest[key] = slices.Clone(at)
		}
	}
	type spot struct{ row, column int }
	found := map[spot]fact{}
	for key, at := range newest {
		row, column, ok := cube.Source(table, at)
		if !ok {
			continue
		}
		f := fact{place: placeOfRow(table.Columns, table.Rows[row], cube.Dims[dims.place])}
		if f.place == "" {
			continue
		}
		f.column, f.value = table.Columns[column], table.Rows[row][column]
		f.computed = isComputed(table.Columns, table.Rows[row], f.column)
		f.period, f.said = f.column.Meaning.Period, ofColumn
		if f.period == "" {
			f.period = lastYear(append(f.column.Title.All(), f.column.Name)...)
		}
		switch {
		case dims.time >= 0 && !cube.Dims[dims.time].Side():
			f.period, f.said = cube.Dims[dims.time].Values[at[dims.time]].Key, ofRow
		case f.period == "":
			f.said = ofTable
		}
		f.over = over[key]
		found[spot{row, column}] = f
	}
	order := slices.SortedFunc(maps.Keys(found), func(a, b spot) int { return cmp.Or(cmp.Compare(a.column, b.column), cmp.Compare(a.row, b.row)) })
	all := make([]fact, 0, len(order))
	for _, at := range order {
		all = append(all, found[at])
	}
	return all
}

// minSpark is the fewest values that make a line.
const minSpark = 3

// sparkOf is the figure of values by their periods; nil where they make no line.
func sparkOf(over map[string]float64) *chart.Figure {
	if len(over) < minSpark || len(over) > chart.MaxPoints {
		return nil
	}
	at, values := map[string]float64{}, map[string]float64{}
	for key, value := range over {
		p, ok := period.Parse(key)
		if !ok {
			return nil
		}
		start := p.Start()
		at[p.String()], values[p.String()] = float64(start.Year())+float64(start.YearDay()-1)/366, value
	}
	f := &chart.Figure{Kind: chart.Spark, Series: make([]chart.Series, 1)}
	f.Labels = slices.SortedFunc(maps.Keys(at), func(a, b string) int { return cmp.Or(cmp.Compare(at[a], at[b]), cmp.Compare(a, b)) })
	for _, key := range f.Labels {
		f.At = append(f.At, at[key])
		f.Series[0].Values = append(f.Series[0].Values, values[key])
	}
	return f
}

// sparkWidth is the width in which sparklines are laid out; the style makes them
// as high as a line of text.
const sparkWidth = 240

// spark draws the place of a fact over time.
func (v *visit) spark(f fact) template.HTML {
	figure := sparkOf(f.over)
	if figure == nil {
		return ""
	}
	figure.Title = v.columnTitle(f.column).Text + ", " + v.period(figure.Labels[0]) + "–" + v.period(figure.Labels[len(figure.Labels)-1])
	drawn, err := chart.Draw(*figure, chart.Words{}, sparkWidth)
	if err != nil {
		return ""
	}
	v.FigureStyle = v.site.assets.URL("figure.css")
	return template.HTML(drawn.SVG("spark")) //nolint:gosec // chart escapes every word
}

// isComputed tells whether a row says that its cell was calculated: in a column
// "computed", or in one that begins as the cell's does: men_computed for
// men_thousand.
func isComputed(columns []portal.Field, row []any, c portal.Field) bool {
	stem, _, _ := strings.Cut(c.Name, "_")
	for x, other := range columns {
		if yes, ok := row[x].(bool); ok && yes && (other.Name == "computed" || other.Name == stem+"_computed") {
			return true
		}
	}
	return false
}

// digits are what a year could be part of.
var digits = regexp.MustCompile(`\d+`)

// lastYear is the latest year that the texts name; "" where none does.
func lastYear(texts ...string) string {
	last := ""
	for _, text := range texts {
		for _, n := range digits.FindAllString(text, -1) {
			if len(n) == 4 && (n[:2] == "19" || n[:2] == "20") {
				last = max(last, n)
			}
		}
	}
	return last
}

// newestFact is the fact of the latest time, of several the first.
func newestFact(all []fact, wanted func(fact) bool) (fact, bool) {
	best, ok := fact{}, false
	for _, f := range all {
		if wanted(f) && (!ok || cmp.Compare(f.period, best.period) > 0) {
			best, ok = f, true
		}
	}
	return best, ok
}

// finding gives a dataset's newest figure: that of the whole country, or of its
// only region, and of everybody. A figure of one sex is none of a dataset: that
// one stands beside the other's (lens).
func (v *visit) finding(d portal.Dataset) (figure, bool) {
	all := slices.DeleteFunc(slices.Clone(v.facts(d)), func(f fact) bool {
		return f.column.Meaning.Sex == portal.SexFemale || f.column.Meaning.Sex == portal.SexMale
	})
	f, ok := newestFact(all, func(f fact) bool { return f.place == country })
	if !ok && len(all) > 0 && !slices.ContainsFunc(all, func(f fact) bool { return f.place != all[0].place }) {
		f, ok = newestFact(all, func(fact) bool { return true })
	}
	if !ok {
		return figure{}, false
	}
	return v.figure(f, ""), true
}

// figure writes a fact in the reader's words; as the answer to a question its
// place stands there already.
func (v *visit) figure(f fact, question string) figure {
	g := figure{
		Question: question, Number: v.cellText(f.value, false), Measure: v.columnTitle(f.column),
		Source: Link{Shown: v.text(f.title), Href: v.datasetURL(f.dataset)},
	}
	if g.Source.Text == "" {
		g.Source.Shown = Shown{Text: string(f.dataset)}
	}
	if question == "" {
		g.Where = v.T("finding.country")
		if f.place != country {
			g.Where, _ = v.FacetValue(portal.FacetRegion, f.place)
		}
	}
	when := ""
	switch {
	case f.said == ofTable:
		when = v.resourceTitle(f.resource).Text
	case f.said == ofColumn && strings.Contains(g.Measure.Text, f.period):
	case len(f.period) != len("2006"):
		when = f.period
	default:
		when = v.T("finding.year", "year", f.period)
	}
	switch {
	case g.Where == "":
		g.Where = when
	case when != "":
		g.Where += " · " + when
	}
	if f.computed {
		g.Computed = v.T("finding.computed")
	}
	return g
}

// shownOverdue is how many overdue datasets the home page names.
const shownOverdue = 3

// overdue names the datasets that have waited longest, and counts all.
func (v *visit) overdue() (links []Link, said string, err error) {
	ids, total, err := v.view.Overdue(v.ctx, v.today(), shownOverdue)
	if err != nil || total == 0 {
		return nil, "", err
	}
	datasets, err := v.view.Datasets(v.ctx, ids)
	if err != nil {
		return nil, "", fmt.Errorf("overdue datasets: %w", err)
	}
	for _, d := range datasets {
		links = append(links, Link{
			Shown: v.title(d), Href: v.datasetURL(d.ID), Count: v.T("home.due", "date", v.Day(d.Latest.Passport.NextDue)),
		})
	}
	return links, v.N("home.overduesaid", total), nil
}
