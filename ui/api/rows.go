package api

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"koprik/portal"
	"koprik/portal/query"
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
	PrimaryKey  []string         `json:"primary_key,omitempty"`
	Total       int64            `json:"total"`            // rows that pass the filters
	Groups      *int64           `json:"groups,omitempty"` // how many there are; rows are groups then
	Rows        [][]any          `json:"rows"`
	Totals      map[string]any   `json:"totals,omitempty"` // aggregates over all rows that pass, by their names
	Facets      []facet          `json:"facets,omitempty"`
	Next        string           `json:"next,omitempty"`     // for the parameter after
	NextURL     string           `json:"next_url,omitempty"` // this address with that cursor
}

// facet counts the values of one column.
type facet struct {
	Column string       `json:"column"`
	Total  int64        `json:"total"` // different values
	Values []facetValue `json:"values"`
}

type facetValue struct {
	Value any   `json:"value"`
	Count int64 `json:"count"`
}

func (a *api) rows(w http.ResponseWriter, r *http.Request, v portal.View) error {
	req, err := parseRows(r.URL.RawQuery)
	if err != nil {
		return err
	}
	t, err := a.openTable(r, v, req.sheet)
	if err != nil {
		return err
	}
	origin(w, portal.Provenance{Dataset: t.d.ID, Release: t.d.Latest.Number, Fingerprint: t.d.Manifest})
	tag := a.rowsTag(v, t, req.query)
	if unchanged(w, r, tag) {
		return nil
	}
	answer, err := v.Query(r.Context(), t.res, t.info.Sheet, req.query)
	if err != nil {
		return a.elsewhere(r, t.res, fmt.Errorf("%s: %w", t.where, err))
	}
	data, err := json.Marshal(a.rowsBody(v, r, t, req.query, answer))
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	sendTagged(w, r, "application/json; charset=utf-8", tag, append(data, '\n'))
	return nil
}

// openedTable is what an address of a table names.
type openedTable struct {
	d      portal.Dataset
	res    portal.Resource
	info   portal.TableInfo
	all    []portal.TableInfo
	sheets []string
	where  string
}

// openTable finds the table of the latest release that an address names.
func (a *api) openTable(r *http.Request, v portal.View, sheet string) (t openedTable, err error) {
	if t.d, err = datasetOf(r, v); err != nil {
		return t, err
	}
	if err = withdrawn(t.d); err != nil {
		return t, err
	}
	if t.res, err = resourceNamed(t.d, mux.Vars(r)["name"]); err != nil {
		return t, err
	}
	t.where = fmt.Sprintf("table %s of %s", t.res.Name, t.d.ID)
	if t.all, err = v.Tables(r.Context(), t.res); err != nil {
		return t, a.elsewhere(r, t.res, fmt.Errorf("%s: %w", t.where, err))
	}
	if sheet, t.sheets, err = chooseSheet(t.all, sheet, t.where); err != nil {
		return t, err
	}
	t.info = t.all[slices.IndexFunc(t.all, func(i portal.TableInfo) bool { return i.Sheet == sheet })]
	return t, nil
}

// rowsTag is the strong ETag of an answer, known before the table is asked: it is
// made of the copy, the release and the query, and of the document that describes
// the form.
func (a *api) rowsTag(v portal.View, t openedTable, q portal.TableQuery) string {
	g := a.generationOf(v)
	h := sha256.New()
	fmt.Fprintf(h, "%d %s %s\n%x %q %q\n%s\n%x", g.Generation, g.AsOf, g.Fresh, t.d.Manifest, t.res.Name, t.info.Sheet, query.Values(q).Encode(), sha256.Sum256(openAPI))
	return fmt.Sprintf(`"%x"`, h.Sum(nil)[:16])
}

func (a *api) rowsBody(v portal.View, r *http.Request, t openedTable, q portal.TableQuery, answer portal.TableAnswer) rowsPage {
	body := rowsPage{
		generation: a.generationOf(v), Dataset: t.d.ID, Release: t.d.Latest.Number, Fingerprint: t.d.Manifest.Hex(), Table: t.res.Name,
		Sheet: t.info.Sheet, Sheets: t.sheets, Columns: fieldsOf(answer.Columns), Total: answer.Total, Next: answer.Next,
	}
	if len(q.Group) > 0 {
		body.Columns, body.Groups = fieldsOf(q.GroupFields(t.info.Columns)), &answer.GroupTotal
		for _, g := range answer.Groups {
			body.Rows = append(body.Rows, q.GroupRow(g))
		}
	} else {
		body.Rows = answer.Rows
		if t.res.Schema != nil && t.info.Sheet == t.all[0].Sheet {
			body.PrimaryKey = t.res.Schema.PrimaryKey
		}
	}
	body.Rows = plainRows(body.Rows)
	for i, total := range answer.Totals {
		if body.Totals == nil {
			body.Totals = map[string]any{}
		}
		body.Totals[q.Aggregates[i].Name()] = total
	}
	for _, f := range answer.Facets {
		shown := facet{Column: f.Column, Total: f.Total, Values: []facetValue{}}
		for _, value := range f.Values {
			shown.Values = append(shown.Values, facetValue(value))
		}
		body.Facets = append(body.Facets, shown)
	}
	if answer.Next != "" {
		body.NextURL = withParameter(r.URL, "after", answer.Next)
	}
	return body
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
