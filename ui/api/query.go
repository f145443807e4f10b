package api

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/query"
)

// Limits of one query string.
const (
	maxValues = 50 // of one parameter that may be repeated
)

// parameters reads a query string strictly: each parameter that nobody took is
// an error, so that a misspelt filter never looks like an empty one.
type parameters struct {
	values url.Values
	errs   portal.Problems
}

func newParameters(raw string) (*parameters, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, usage("query", "cannot be read: %v", err)
	}
	for key, vs := range values {
		if key == "" {
			return nil, usage("query", "has a value without a name")
		}
		for _, v := range append(vs, key) {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return nil, usage("query", "parameter %q is not UTF-8 text", key)
			}
		}
	}
	return &parameters{values: values}, nil
}

// one takes a parameter that may stand once.
func (p *parameters) one(key string) string {
	vs := p.values[key]
	delete(p.values, key)
	if len(vs) > 1 {
		p.wrong(key, "given %d times, may be given once", len(vs))
	}
	if len(vs) == 0 {
		return ""
	}
	return vs[0]
}

// many takes a parameter that may be repeated.
func (p *parameters) many(key string) []string {
	vs := p.values[key]
	delete(p.values, key)
	if len(vs) > maxValues {
		p.wrong(key, "given %d times, at most %d are read", len(vs), maxValues)
		return nil
	}
	return vs
}

// number takes a whole number from 1 to high; absent is 0.
func (p *parameters) number(key string, high int) int {
	s := p.one(key)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > high {
		p.wrong(key, "%q is not a whole number from 1 to %d", s, high)
		return 0
	}
	return n
}

func (p *parameters) wrong(key, format string, args ...any) {
	p.errs = append(p.errs, usage(key, format, args...))
}

// err gives the first thing that is wrong, in the order of the address's own
// parameters and then of the unknown ones.
func (p *parameters) err(known string) error {
	for _, key := range slices.Sorted(maps.Keys(p.values)) {
		p.errs = append(p.errs, usage(key, "there is no such parameter here").WithHint("known are %s", known))
	}
	if len(p.errs) == 0 {
		return nil
	}
	return p.errs[0]
}

// parseSearch reads the query string of /api/v1/datasets.
func parseSearch(raw string) (portal.Query, error) {
	p, err := newParameters(raw)
	if err != nil {
		return portal.Query{}, err
	}
	q := portal.Query{Text: strings.TrimSpace(p.one("q")), Filters: map[portal.Facet][]string{}}
	if n := utf8.RuneCountInString(q.Text); n > portal.MaxQueryText {
		p.wrong("q", "%d characters, at most %d are searched", n, portal.MaxQueryText)
	}
	if s := p.one("lang"); s != "" {
		if q.Lang, err = portal.ParseLang(s); err != nil {
			p.wrong("lang", "%v", err)
		}
	}
	for _, f := range portal.Facets {
		if vs := p.many(string(f)); len(vs) > 0 {
			q.Filters[f] = vs
		}
	}
	switch s := portal.Sort(p.one("sort")); s {
	case portal.ByRelevance, portal.ByUpdated, portal.ByTitle, portal.ByUse, portal.ByName:
		q.Sort = s
	case "relevance":
		q.Sort = portal.ByRelevance
	default:
		p.wrong("sort", "%q is none of relevance, updated, title, used, name", s)
	}
	switch s := p.one("suggest"); s {
	case "", "0", "false":
	case "1", "true":
		q.Suggest = true
	default:
		p.wrong("suggest", "%q is none of true, false", s)
	}
	q.Limit = p.number("limit", portal.MaxLimit)
	q.Offset = p.cursor("cursor")
	return q, p.err("q, lang, suggest, theme, publisher, region, year, format, license, language, sex, freshness, sort, limit, cursor")
}

// cursor takes where the page before ended. What stands in it is no promise.
func (p *parameters) cursor(key string) int {
	s := p.one(key)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > portal.MaxOffset || cursorAt(n) != s {
		p.wrong(key, "%q was not given out by this interface", s)
		return 0
	}
	return n
}

func cursorAt(offset int) string { return strconv.Itoa(offset) }

// rowRequest is the query string of a table's rows.
type rowRequest struct {
	sheet string
	query portal.TableQuery
}

// parseRows reads the query string of /api/v1/tables/{slug}/{name}/rows: that of
// portal/query, and the sheet.
func parseRows(raw string) (rowRequest, error) {
	p, err := newParameters(raw)
	if err != nil {
		return rowRequest{}, err
	}
	req := rowRequest{sheet: p.one("sheet")}
	if req.query, err = query.Parse(p.values); err != nil {
		return rowRequest{}, err
	}
	for name := range p.values {
		if _, _, filter := query.IsFilter(name); filter || slices.Contains(query.Names, name) {
			delete(p.values, name)
		}
	}
	return req, p.err("sheet, " + strings.Join(query.Names, ", ") + " and {column}__{op}")
}
