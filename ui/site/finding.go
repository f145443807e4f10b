package site

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"koprik/portal"
)

// figure is one number for the whole country; the struct of the template of
// that name. Nothing in it is calculated: it is a cell of a signed table.
type figure struct {
	Number  string
	Measure Shown
	Where   string // "Uzbekistan, 2025"
	Source  Link   // the dataset
	dated   bool   // Where has the year
}

// aYear finds a year in a title.
var aYear = regexp.MustCompile(`\b(19|20)\d\d\b`)

// countryColumn and country say which row is the country's: by ISO 3166-1,
// where a region's would be "UZ-XO" (ISO 3166-2).
const (
	countryColumn = "iso_code"
	country       = "UZ"
)

// Limits of the figures on the home page.
const (
	shownFigures = 6
	triedFigures = 24 // datasets, newest first
)

// finding gives the newest figure for the whole country of a dataset's first
// table that has one. A table that cannot be read has none, and nor has one that
// does not say of which time it is.
func (v *visit) finding(d portal.Dataset) (figure, bool) {
	if d.Latest.Withdrawn != nil {
		return figure{}, false
	}
	for _, r := range d.Latest.Resources {
		if r.Schema == nil {
			continue
		}
		if f, ok := v.countryRow(r); ok {
			if !f.dated && !aYear.MatchString(f.Measure.Text) {
				title := v.resourceTitle(r)
				if !aYear.MatchString(title.Text) {
					continue
				}
				f.Where += " · " + title.Text
			}
			f.Source = Link{Shown: v.title(d), Href: v.datasetURL(d.ID)}
			return f, true
		}
	}
	return figure{}, false
}

// countryRow reads the country's newest row: the last year where the table has
// years, and its only row where it has none. Two rows without a year to tell
// them apart say nothing for the whole.
func (v *visit) countryRow(r portal.Resource) (figure, bool) {
	infos, err := v.view.Tables(v.ctx, r)
	if err != nil || len(infos) == 0 || !hasColumn(infos[0].Columns, countryColumn) {
		return figure{}, false
	}
	year := ""
	for _, c := range infos[0].Columns {
		if numeric(c, nil, 0) && isYear(c) {
			year = c.Name
			break
		}
	}
	page, err := v.view.Rows(v.ctx, r, infos[0].Sheet, portal.RowQuery{
		Filters: []portal.RowFilter{{Column: countryColumn, Op: "eq", Value: country}}, Sort: year, Desc: year != "", Limit: 2,
	})
	if err != nil || len(page.Rows) == 0 || year == "" && page.Total > 1 {
		return figure{}, false
	}
	f := figure{Where: v.T("finding.country")}
	for i, c := range page.Columns {
		if i >= len(page.Rows[0]) {
			break
		}
		value := page.Rows[0][i]
		switch {
		case c.Name == year:
			if len(page.Rows) > 1 && page.Rows[1][i] == value {
				return figure{}, false
			}
			f.dated, f.Where = true, v.T("finding.where", "year", v.cellText(value, true))
		case f.Number == "" && value != nil && numeric(c, nil, 0) && !isYear(c) && !isLabel(c, page.Rows, i):
			f.Number, f.Measure = v.cellText(value, false), v.columnTitle(c)
		}
	}
	return f, f.Number != ""
}

// isYear tells whether a column says which year a row is of.
func isYear(f portal.Field) bool {
	if f.Type == "year" {
		return true
	}
	name := strings.ToLower(f.Name)
	return f.Type == "integer" && slices.ContainsFunc(years, func(y string) bool {
		return name == y || strings.HasSuffix(name, "_"+y)
	})
}

// figures are those of the newest datasets, in the order of the themes.
func (v *visit) figures() ([]figure, error) {
	results, err := v.view.Search(v.ctx, portal.Query{Lang: v.lang, Sort: portal.ByUpdated, Limit: triedFigures})
	if err != nil {
		return nil, fmt.Errorf("newest datasets: %w", err)
	}
	datasets, err := v.datasets(results)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(datasets, func(a, b portal.Dataset) int { return cmp.Compare(themeOrder(a), themeOrder(b)) })
	var list []figure
	seen := map[string]bool{}
	for _, d := range datasets {
		f, ok := v.finding(d)
		if !ok || seen[f.Measure.Text] {
			continue
		}
		seen[f.Measure.Text] = true
		if list = append(list, f); len(list) == shownFigures {
			break
		}
	}
	return list, nil
}

func themeOrder(d portal.Dataset) int {
	if len(d.Latest.Themes) == 0 {
		return len(portal.Themes)
	}
	return slices.Index(portal.Themes, d.Latest.Themes[0])
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
