package site

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"koprik/portal"
)

// figure is one number as a page shows it; the struct of the template of that
// name. Nothing in it is calculated: it is a cell of a signed table.
type figure struct {
	Question string // that the number answers; "" where none was put
	Number   string
	Measure  Shown  // what is counted: the column's title
	Where    string // "Uzbekistan, 2025"
	Computed string // says so, where the publisher marked the cell as its own calculation
	Source   Link   // the dataset; empty on its own page
	Tag      string // BCP 47, where the card is not in the page's language
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
	computed bool // the publisher marked it as calculated
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

// factRows is how many rows of a table are read for facts, the newest first.
const factRows = 1000

// factBytes is the largest file that is looked through for facts: one row for
// each region and year takes a thousandth of it, and no page waits for more.
const factBytes = 8 << 20

// roles are the columns by which a table's cells are facts.
type roles struct {
	place  int // -1: there is none
	soato  bool
	period int // -1: there is none
}

// rolesOf finds the column of places, by ISO or SOATO codes, and that of time:
// by what the columns mean, and where nobody said by their names.
func rolesOf(columns []portal.Field) roles {
	r := roles{place: -1, period: -1}
	for i, c := range columns {
		name, says := strings.ToLower(c.Name), c.Meaning
		if says.IsZero() {
			switch {
			case name == "iso_code":
				says = portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindISO}
			case name == "soato" || name == "code":
				says = portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindSOATO}
			case isYear(c) || name == "period":
				says = portal.Meaning{Role: portal.RoleTime}
			}
		}
		switch {
		case says.Role == portal.RoleRegion && says.Kind == portal.KindISO && (r.place < 0 || r.soato):
			r.place, r.soato = i, false
		case says.Role == portal.RoleRegion && says.Kind == portal.KindSOATO && r.place < 0:
			r.place, r.soato = i, true
		case says.Role == portal.RoleTime && r.period < 0:
			r.period = i
		}
	}
	return r
}

// counts tells whether a column has figures, and not years, codes or names.
func counts(c portal.Field, rows [][]any, x int) bool {
	if role := c.Meaning.Role; role != "" && role != portal.RoleMeasure {
		return false
	}
	return numeric(c, nil, 0) && !isYear(c) && !isLabel(c, rows, x)
}

// placeOf is the code of the place that a cell names; "" for any other.
func (r roles) placeOf(cell any) string {
	text := ""
	switch cell := cell.(type) {
	case string:
		text = cell
	case int64:
		text = strconv.FormatInt(cell, 10)
	case float64:
		text = strconv.FormatFloat(cell, 'f', -1, 64)
	}
	if r.soato {
		return soatoPlaces[text]
	}
	if text == country || slices.ContainsFunc(regions, func(r regionTile) bool { return r.code == text }) {
		return text
	}
	return ""
}

// facts reads those of a dataset's tables. A table that cannot be read, or that
// does not say of which place and time it is, has none; nor has a place of which
// two rows are of the same time, for something else tells these apart.
func (v *visit) facts(d portal.Dataset) []fact {
	if d.Latest.Withdrawn != nil {
		return nil
	}
	var all []fact
	for _, r := range d.Latest.Resources {
		if r.Schema == nil || r.Bytes > factBytes || rolesOf(r.Schema.Fields).place < 0 {
			continue
		}
		infos, err := v.view.Tables(v.ctx, r)
		if err != nil || len(infos) == 0 {
			continue
		}
		at := rolesOf(infos[0].Columns)
		if at.place < 0 {
			continue
		}
		q := portal.RowQuery{Limit: factRows}
		if at.period >= 0 {
			q.Sort, q.Desc = infos[0].Columns[at.period].Name, true
		}
		page, err := v.view.Rows(v.ctx, r, infos[0].Sheet, q)
		if err != nil || at.period < 0 && page.Total > factRows {
			continue
		}
		for _, f := range factsOf(page, at) {
			f.dataset, f.title, f.resource = d.ID, d.Latest.Title, r
			if f.said == ofTable {
				f.period = lastYear(append(r.Title.All(), r.Name)...)
			}
			if f.period != "" {
				all = append(all, f)
			}
		}
	}
	return all
}

// factsOf takes the newest row of each place apart.
func factsOf(page portal.RowPage, at roles) []fact {
	newest, twice := map[string]int{}, map[string]bool{}
	var places []string
	for y, row := range page.Rows {
		if len(row) < len(page.Columns) {
			continue
		}
		place := at.placeOf(row[at.place])
		if place == "" {
			continue
		}
		first, seen := newest[place]
		switch {
		case !seen:
			newest[place] = y
			places = append(places, place)
		case at.period < 0 || row[at.period] == page.Rows[first][at.period]:
			twice[place] = true
		}
	}
	var all []fact
	for _, place := range places {
		if twice[place] {
			continue
		}
		row := page.Rows[newest[place]]
		for x, c := range page.Columns {
			if row[x] == nil || x == at.period || x == at.place || !counts(c, page.Rows, x) {
				continue
			}
			f := fact{column: c, place: place, value: row[x], computed: isComputed(page.Columns, row, c)}
			if f.period = c.Meaning.Period; f.period == "" {
				f.period = lastYear(append(c.Title.All(), c.Name)...)
			}
			switch {
			case at.period >= 0:
				f.period, f.said = fmt.Sprint(row[at.period]), ofRow
			case f.period != "":
				f.said = ofColumn
			default:
				f.said = ofTable
			}
			all = append(all, f)
		}
	}
	return all
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

// isYear tells whether a column says which year a row is of.
func isYear(f portal.Field) bool {
	if f.Type == "year" || f.Type == "yearmonth" {
		return true
	}
	name := strings.ToLower(f.Name)
	return f.Type == "integer" && slices.ContainsFunc(years, func(y string) bool {
		return name == y || strings.HasSuffix(name, "_"+y)
	})
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
// only region.
func (v *visit) finding(d portal.Dataset) (figure, bool) {
	all := v.facts(d)
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
