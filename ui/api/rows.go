package api

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// rowsPage is the answer of /api/v1/tables/{slug}/{name}/rows.
type rowsPage struct {
	generation
	Dataset     portal.DatasetID `json:"dataset"`
	Release     int              `json:"release"`
	Fingerprint string           `json:"fingerprint"` // of the release's signed manifest
	Table       string           `json:"table"`
	Sheet       string           `json:"sheet,omitempty"`
	Sheets      []string         `json:"sheets,omitempty"` // of a workbook
	Columns     []field          `json:"columns"`
	Total       int64            `json:"total"`
	Rows        [][]any          `json:"rows"`
	Next        string           `json:"next,omitempty"`     // for the parameter after
	NextURL     string           `json:"next_url,omitempty"` // this address with that cursor
}

func (a *api) rows(w http.ResponseWriter, r *http.Request, v portal.View) error {
	req, err := parseRows(r.URL.RawQuery)
	if err != nil {
		return err
	}
	d, err := datasetOf(r, v)
	if err != nil {
		return err
	}
	if err := withdrawn(d); err != nil {
		return err
	}
	res, err := resourceNamed(d, mux.Vars(r)["name"])
	if err != nil {
		return err
	}
	where := fmt.Sprintf("table %s of %s", res.Name, d.ID)
	tables, err := v.Tables(r.Context(), res)
	if err != nil {
		return a.elsewhere(r, res, fmt.Errorf("%s: %w", where, err))
	}
	sheet, sheets, err := chooseSheet(tables, req.sheet, where)
	if err != nil {
		return err
	}
	page, err := v.Rows(r.Context(), res, sheet, req.query)
	if err != nil {
		return a.elsewhere(r, res, fmt.Errorf("%s: %w", where, err))
	}
	body := rowsPage{
		generation: a.generationOf(v), Dataset: d.ID, Release: d.Latest.Number, Fingerprint: d.Manifest.Hex(), Table: res.Name,
		Sheet: sheet, Sheets: sheets, Columns: fieldsOf(page.Columns), Total: page.Total,
		Rows: plainRows(page.Rows), Next: page.Next,
	}
	if page.Next != "" {
		body.NextURL = withParameter(r.URL, "after", page.Next)
	}
	origin(w, portal.Provenance{Dataset: d.ID, Release: d.Latest.Number, Fingerprint: d.Manifest})
	return send(w, r, body)
}

// resourceNamed finds a resource of the latest release.
func resourceNamed(d portal.Dataset, name string) (portal.Resource, error) {
	res, ok := d.Resource(name)
	if !ok {
		names := make([]string, len(d.Latest.Resources))
		for i, r := range d.Latest.Resources {
			names[i] = r.Name
		}
		return res, notFound("table", "dataset %s has no resource %q", d.ID, name).
			WithHint("it has %s", strings.Join(names, ", "))
	}
	return res, nil
}

// chooseSheet picks the sheet asked for; without one, the first. sheets are
// the names of all, where they have names.
func chooseSheet(tables []portal.TableInfo, asked, where string) (sheet string, sheets []string, err error) {
	if len(tables) == 0 {
		return "", nil, notFound(where, "this file is no table").WithHint("it can be downloaded as it is")
	}
	for _, t := range tables {
		if t.Sheet != "" {
			sheets = append(sheets, t.Sheet)
		}
	}
	switch {
	case asked == "":
		return tables[0].Sheet, sheets, nil
	case slices.Contains(sheets, asked):
		return asked, sheets, nil
	case len(sheets) == 0:
		return "", nil, notFound("sheet", "%s has no sheets", where)
	}
	return "", nil, notFound("sheet", "%s has no sheet %q", where, asked).WithHint("it has %s", strings.Join(sheets, ", "))
}

// plainRows writes the numbers that JSON has no form for as Frictionless does.
func plainRows(rows [][]any) [][]any {
	for _, row := range rows {
		for i, v := range row {
			f, ok := v.(float64)
			switch {
			case !ok:
			case math.IsNaN(f):
				row[i] = "NaN"
			case math.IsInf(f, 1):
				row[i] = "INF"
			case math.IsInf(f, -1):
				row[i] = "-INF"
			}
		}
	}
	return list(rows)
}
