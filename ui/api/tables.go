package api

import (
	"encoding/json"
	"net/http"
	"net/url"

	"koprik/portal"
)

// tablesPage is the answer of /api/v1/tables/{slug}/{name}: what the tables in a
// file are, one a sheet.
type tablesPage struct {
	generation
	Dataset     portal.DatasetID `json:"dataset"`
	Release     int              `json:"release"`
	Fingerprint string           `json:"fingerprint"`
	Table       string           `json:"table"`
	Sheets      []sheetInfo      `json:"sheets"`
}

// sheetInfo describes one table.
type sheetInfo struct {
	Sheet      string          `json:"sheet"` // "" where the file has none
	Rows       int64           `json:"rows"`
	RowsURL    string          `json:"rows_url"`
	Columns    []field         `json:"columns"`
	PrimaryKey []string        `json:"primary_key,omitempty"`
	TotalRows  int64           `json:"total_rows"` // rows that are totals of others
	Above      []string        `json:"above,omitempty"`
	Below      []string        `json:"below,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	Encoding   string          `json:"encoding,omitempty"`
	Dialect    json.RawMessage `json:"dialect,omitempty"`
}

// describeTables answers with the schema of every sheet of a file.
func (a *api) describeTables(w http.ResponseWriter, r *http.Request, v portal.View) error {
	if err := noParameters(r); err != nil {
		return err
	}
	t, err := a.openTable(r, v, "")
	if err != nil {
		return err
	}
	body := tablesPage{
		generation: a.generationOf(v), Dataset: t.d.ID, Release: t.d.Latest.Number, Fingerprint: t.d.Manifest.Hex(), Table: t.res.Name,
	}
	for i, info := range t.all {
		one := sheetInfo{
			Sheet: info.Sheet, Rows: info.Rows, RowsURL: rowsURL(t.d.ID, t.res.Name), Columns: fieldsOf(info.Columns), TotalRows: info.Totals,
			Above: info.Above, Below: info.Below, Notes: info.Notes, Encoding: info.Encoding, Dialect: info.Dialect,
		}
		if info.Sheet != "" {
			one.RowsURL += "?sheet=" + url.QueryEscape(info.Sheet)
		}
		if i == 0 && t.res.Schema != nil {
			one.PrimaryKey = t.res.Schema.PrimaryKey
		}
		body.Sheets = append(body.Sheets, one)
	}
	origin(w, portal.Provenance{Dataset: t.d.ID, Release: t.d.Latest.Number, Fingerprint: t.d.Manifest})
	return send(w, r, body)
}
