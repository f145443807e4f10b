package api

import (
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
)

// Limits of one query string.
const (
	maxValues  = 50  // of one parameter that may be repeated
	maxFilters = 20  // of a table
	maxColumns = 500 // named in one request
)

// operators are those of portal.RowFilter.
var operators = []string{"eq", "ne", "lt", "le", "gt", "ge", "contains"}

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

// number takes a whole number from low to high; absent is 0.
func (p *parameters) number(key string, low, high int) int {
	s := p.one(key)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		p.wrong(key, "%q is not a whole number from %d to %d", s, low, high)
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
	q.Limit = p.number("limit", 1, portal.MaxLimit)
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
	query portal.RowQuery
}

// parseRows reads the query string of /api/v1/tables/{slug}/{name}/rows.
//
// A filter is {column}__{op}=value. The operator is what follows the last two
// underscores, and no parameter of ours has two underscores in its name, so a
// column may be called anything, "limit" and "a__eq" too: limit__eq=5,
// a__eq__eq=5.
func parseRows(raw string) (rowRequest, error) {
	p, err := newParameters(raw)
	if err != nil {
		return rowRequest{}, err
	}
	req := rowRequest{sheet: p.one("sheet")}
	q := &req.query
	q.Columns = p.columns("columns")
	q.Sort = p.one("sort")
	switch s := p.one("desc"); s {
	case "", "0", "false":
	case "1", "true":
		q.Desc = true
	default:
		p.wrong("desc", "%q is neither true nor false", s)
	}
	q.After = p.one("after")
	q.Limit = p.number("limit", 1, portal.MaxLimit)
	q.Filters = p.filters()
	return req, p.err("columns, sort, desc, after, limit, sheet and {column}__{op} with op one of " + strings.Join(operators, ", "))
}

// columns takes names separated by commas, as one line of CSV: a name that has
// a comma itself stands in double quotes.
func (p *parameters) columns(key string) []string {
	var all []string
	for _, v := range p.many(key) {
		r := csv.NewReader(strings.NewReader(v))
		names, err := r.Read()
		if errors.Is(err, io.EOF) {
			continue
		}
		if err != nil || int(r.InputOffset()) < len(v) {
			p.wrong(key, "%q is not a list of names separated by commas", v)
			return nil
		}
		all = append(all, names...)
	}
	if len(all) > maxColumns {
		p.wrong(key, "%d columns, at most %d may be named", len(all), maxColumns)
		return nil
	}
	return all
}

// filters takes every parameter of the form {column}__{op}, in a fixed order.
func (p *parameters) filters() []portal.RowFilter {
	var all []portal.RowFilter
	for _, key := range slices.Sorted(maps.Keys(p.values)) {
		i := strings.LastIndex(key, "__")
		if i < 0 {
			continue
		}
		column, op := key[:i], key[i+2:]
		if !slices.Contains(operators, op) {
			p.wrong(key, "%q is none of the operators %s", op, strings.Join(operators, ", "))
		}
		for _, v := range p.many(key) {
			all = append(all, portal.RowFilter{Column: column, Op: op, Value: v})
		}
	}
	if len(all) > maxFilters {
		p.wrong("filters", "%d given, at most %d are allowed", len(all), maxFilters)
		return nil
	}
	return all
}
