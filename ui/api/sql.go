package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"koprik/portal"
)

// Querier runs public SQL: one SELECT on tables of this node, read-only and
// bounded. A statement that is wrong is portal.ErrUsage, one that takes too long
// or too much portal.ErrTooMuch.
type Querier interface {
	SQL(ctx context.Context, q portal.SQLQuery) (portal.SQLAnswer, error)
}

// sqlPage is the answer of /api/v1/sql.
type sqlPage struct {
	generation
	Tables    []sqlTable `json:"tables"`
	Columns   []string   `json:"columns"`
	Rows      [][]any    `json:"rows"`
	Truncated bool       `json:"truncated"` // there was more than this node gives away
}

// sqlTable says of which release a table of the statement was.
type sqlTable struct {
	Name        string           `json:"name"` // in the statement
	Dataset     portal.DatasetID `json:"dataset"`
	Release     int              `json:"release"`
	Fingerprint string           `json:"fingerprint"`
	Table       string           `json:"table"`
	Sheet       string           `json:"sheet,omitempty"`
}

// sqlName is one parameter table: {name}={slug}/{resource}/{sheet}, of which name
// and sheet may be left out.
type sqlName struct {
	name, slug, resource, sheet string
}

func parseSQL(raw string) (text string, tables []sqlName, err error) {
	p, err := newParameters(raw)
	if err != nil {
		return "", nil, err
	}
	if text = p.one("sql"); strings.TrimSpace(text) == "" {
		p.wrong("sql", "is missing: one SELECT")
	}
	if len(text) > portal.MaxSQL {
		p.wrong("sql", "longer than %d bytes", portal.MaxSQL)
	}
	given := p.many("table")
	if len(given) > portal.MaxSQLTables {
		p.wrong("table", "given %d times, at most %d are read", len(given), portal.MaxSQLTables)
	}
	for _, s := range given {
		var t sqlName
		rest := s
		if name, path, ok := strings.Cut(s, "="); ok && !strings.Contains(name, "/") {
			t.name, rest = name, path
		}
		parts := strings.SplitN(rest, "/", 3)
		if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
			p.wrong("table", "%q is not {name}={slug}/{table}, such as w=main_water/water", s)
			continue
		}
		t.slug, t.resource = parts[0], parts[1]
		if len(parts) == 3 {
			t.sheet = parts[2]
		}
		if t.name == "" {
			t.name = t.resource
		}
		tables = append(tables, t)
	}
	return text, tables, p.err("sql, table")
}

func (a *api) sql(w http.ResponseWriter, r *http.Request, v portal.View) error {
	if a.o.SQL == nil {
		return notFound("sql", "this node answers no SQL")
	}
	text, names, err := parseSQL(r.URL.RawQuery)
	if err != nil {
		return err
	}
	q := portal.SQLQuery{Text: text}
	body := sqlPage{generation: a.generationOf(v), Tables: []sqlTable{}}
	for _, n := range names {
		id, err := portal.ParseDatasetID(n.slug)
		if err != nil {
			return notFound("table", "there is no dataset %q", n.slug)
		}
		d, err := v.Dataset(r.Context(), id)
		if errors.Is(err, portal.ErrNotFound) {
			return notFound("table", "there is no dataset %q", n.slug)
		} else if err != nil {
			return fmt.Errorf("dataset %s: %w", id, err)
		}
		if err := withdrawn(d); err != nil {
			return err
		}
		res, err := resourceNamed(d, n.resource)
		if err != nil {
			return err
		}
		where := fmt.Sprintf("table %s of %s", res.Name, d.ID)
		all, err := v.Tables(r.Context(), res)
		if err != nil {
			return a.elsewhere(r, res, fmt.Errorf("%s: %w", where, err))
		}
		sheet, _, err := chooseSheet(all, n.sheet, where)
		if err != nil {
			return err
		}
		q.Tables = append(q.Tables, portal.SQLTable{Name: n.name, Resource: res, Sheet: sheet})
		body.Tables = append(body.Tables, sqlTable{n.name, d.ID, d.Latest.Number, d.Manifest.Hex(), res.Name, sheet})
		if len(names) == 1 {
			origin(w, portal.Provenance{Dataset: d.ID, Release: d.Latest.Number, Fingerprint: d.Manifest})
		}
	}
	answer, err := a.o.SQL.SQL(r.Context(), q)
	if err != nil {
		return err
	}
	body.Columns, body.Rows, body.Truncated = list(answer.Columns), list(answer.Rows), answer.Truncated
	return send(w, r, body)
}
