// Package query reads what is asked of a table from an address and writes it
// back: the address is the query. One spelling serves the page of a table, the
// rows of the API and exports (docs/reference/table-query.md).
//
// A filter is {column}__{op}=value, a direction {column}__desc, an aggregate
// {column}__{function}. What follows the last two underscores is ours, and no
// other parameter has two underscores in its name, so a column may be called
// anything: limit__eq=5, a__eq__eq=5.
package query

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
)

// The parameters that are not filters.
const (
	Columns    = "columns"
	Text       = "q"
	Order      = "sort"
	Desc       = "desc" // of the one column in sort, or of the file's order
	After      = "after"
	Limit      = "limit"
	Facets     = "facet"
	FacetLimit = "facet_limit"
	Group      = "group"
	Aggregates = "aggregate"
)

// Names are the parameters that are not filters, in the order in which they are written.
var Names = []string{Columns, Text, Order, Desc, After, Limit, Facets, FacetLimit, Group, Aggregates}

// maxList is how many names one parameter may list.
const maxList = 2000

// IsFilter tells whether a parameter is a filter, and its parts. The operator
// may be one that there is not.
func IsFilter(name string) (column string, op portal.TableOp, ok bool) {
	i := strings.LastIndex(name, "__")
	if i < 1 {
		return "", "", false
	}
	return name[:i], portal.TableOp(name[i+2:]), true
}

// FilterName is the parameter of a filter.
func FilterName(column string, op portal.TableOp) string { return column + "__" + string(op) }

// Parse reads a query. Parameters that are neither a filter nor one of Names
// are passed over: the caller knows what else stands in its addresses. Columns
// are not looked up; whoever answers the query does. What is wrong is a
// portal.Problem of the kind portal.ErrUsage whose Where is the parameter.
func Parse(values url.Values) (portal.TableQuery, error) {
	p := parser{values: values}
	q := portal.TableQuery{
		Columns: p.list(Columns), Text: strings.TrimSpace(p.one(Text)), After: p.one(After),
		Limit: p.number(Limit), Facets: p.list(Facets), FacetLimit: p.number(FacetLimit), Group: p.list(Group),
	}
	if n := utf8.RuneCountInString(q.Text); n > portal.MaxQueryText {
		p.wrong(Text, "%d characters, at most %d are searched", n, portal.MaxQueryText)
	}
	for _, name := range p.list(Aggregates) {
		i := strings.LastIndex(name, "__")
		if i < 0 {
			p.wrong(Aggregates, "%q is not {column}__{function}, such as population__sum", clip(name))
			continue
		}
		a := portal.Aggregate{Column: name[:i], Func: portal.AggFunc(name[i+2:])}
		if !a.Func.Known() || a.Column == "" && a.Func != portal.AggCount {
			p.wrong(Aggregates, "%q: the functions are %s and percentiles p0 to p100; __count alone counts rows", clip(name), portal.Listed(portal.AggFuncs))
		}
		q.Aggregates = append(q.Aggregates, a)
	}
	q.Order = p.order()
	q.Filters = p.filters()
	p.count(Order, len(q.Order), portal.MaxTableOrder)
	p.count(Facets, len(q.Facets), portal.MaxFacets)
	p.count(Group, len(q.Group), portal.MaxGroupColumns)
	p.count(Aggregates, len(q.Aggregates), portal.MaxTableAggregates)
	if p.err != nil {
		return portal.TableQuery{}, p.err
	}
	return q, nil
}

// parser keeps the first thing that is wrong.
type parser struct {
	values url.Values
	err    error
}

func (p *parser) wrong(where, format string, args ...any) {
	if p.err == nil {
		p.err = &portal.Problem{Kind: portal.ErrUsage, Where: clip(where), Message: fmt.Sprintf(format, args...)}
	}
}

func (p *parser) count(where string, n, most int) {
	if n > most {
		p.wrong(where, "%d given, at most %d are allowed", n, most)
	}
}

// text refuses what is no text: addresses hold any bytes.
func (p *parser) text(where, s string) string {
	switch {
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		p.wrong(where, "is not UTF-8 text")
	case len(s) > portal.MaxFilterValue && where != Columns && where != Facets && where != Group && !strings.HasSuffix(where, "__in"):
		p.wrong(where, "the value is longer than %d bytes", portal.MaxFilterValue)
	}
	return s
}

// one takes a parameter that may stand once.
func (p *parser) one(name string) string {
	vs := p.values[name]
	if len(vs) == 0 {
		return ""
	}
	if len(vs) > 1 {
		p.wrong(name, "given %d times, may be given once", len(vs))
	}
	return p.text(name, vs[0])
}

// number takes a whole number from 1 to portal.MaxLimit; absent is 0.
func (p *parser) number(name string) int {
	s := p.one(name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > portal.MaxLimit {
		p.wrong(name, "%q is not a whole number from 1 to %d", clip(s), portal.MaxLimit)
	}
	return n
}

// list takes names separated by commas, from a parameter that may be repeated:
// a line of CSV, in which a name that has a comma itself stands in double quotes.
func (p *parser) list(name string) []string {
	var all []string
	for _, v := range p.values[name] {
		names, err := ParseList(p.text(name, v))
		if err != nil {
			p.wrong(name, "%v", err)
			return nil
		}
		if all = append(all, names...); len(all) > maxList {
			p.wrong(name, "%d given, at most %d are allowed", len(all), maxList)
			return nil
		}
	}
	return all
}

// ParseList reads values separated by commas, as one line of CSV; "" is an empty list.
func ParseList(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	r := csv.NewReader(strings.NewReader(s))
	all, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil || int(r.InputOffset()) < len(s) {
		return nil, fmt.Errorf("%q is not a list separated by commas, with quotation marks around what has a comma", clip(s))
	}
	return all, nil
}

// FormatList writes what ParseList reads.
func FormatList(all []string) string {
	if len(all) == 0 {
		return ""
	}
	if len(all) == 1 && all[0] == "" {
		return `""`
	}
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		if strings.ContainsAny(s, ",\"\r\n") {
			s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
		b.WriteString(s)
	}
	return b.String()
}

// order takes sort and desc.
func (p *parser) order() []portal.TableOrder {
	names := p.list(Order)
	var desc bool
	switch s := p.one(Desc); s {
	case "", "0", "false":
	case "1", "true":
		desc = true
	default:
		p.wrong(Desc, "%q is neither true nor false", clip(s))
	}
	if len(names) == 0 && desc {
		return []portal.TableOrder{{Desc: true}}
	}
	if len(names) > 1 && desc {
		p.wrong(Desc, "goes with one column; of several, write {column}__desc in sort")
	}
	var all []portal.TableOrder
	for _, name := range names {
		by, down := strings.CutSuffix(name, "__desc")
		up := false
		if !down {
			by, up = strings.CutSuffix(name, "__asc")
		}
		switch {
		case by == "":
			p.wrong(Order, "%q names no column", clip(name))
		case desc && (down || up):
			p.wrong(Desc, "sort has the direction already: %q", clip(name))
		}
		all = append(all, portal.TableOrder{By: by, Desc: down || desc})
	}
	return all
}

// filters takes every parameter of the form {column}__{op}, in a fixed order.
func (p *parser) filters() []portal.TableFilter {
	var all []portal.TableFilter
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		column, op, ok := IsFilter(name)
		if !ok {
			continue
		}
		p.text(name, name)
		if !slices.Contains(portal.TableOps, op) {
			p.wrong(name, "%q is none of the operators %s", clip(string(op)), portal.Listed(portal.TableOps))
			return nil
		}
		for _, v := range p.values[name] {
			all = append(all, portal.TableFilter{Column: column, Op: op, Values: p.operands(name, op, p.text(name, v))})
		}
	}
	p.count("filters", len(all), portal.MaxTableFilters)
	return all
}

// operands reads a filter's value.
func (p *parser) operands(name string, op portal.TableOp, v string) []string {
	switch op {
	case portal.OpIn:
		all, err := ParseList(v)
		if err != nil {
			p.wrong(name, "%v", err)
		}
		if len(all) == 0 {
			all = []string{""}
		}
		p.count(name, len(all), portal.MaxFilterValues)
		return all
	case portal.OpBetween:
		all, err := ParseList(v)
		if err != nil || len(all) != 2 {
			p.wrong(name, "%q is not two values with a comma between; one with a comma itself stands in quotation marks", clip(v))
		}
		return all
	case portal.OpEmpty:
		switch v {
		case "1", "true":
			return []string{"1"}
		case "0", "false":
			return []string{"0"}
		}
		p.wrong(name, "%q is neither 1 nor 0", clip(v))
	}
	return []string{v}
}

// Values writes a query as Parse reads it, in its one spelling: for every q that
// Parse gave, Parse(Values(q)) is q.
func Values(q portal.TableQuery) url.Values {
	values := url.Values{}
	set := func(name, v string) {
		if v != "" {
			values.Set(name, v)
		}
	}
	set(Columns, FormatList(q.Columns))
	set(Text, q.Text)
	set(After, q.After)
	set(Facets, FormatList(q.Facets))
	set(Group, FormatList(q.Group))
	if q.Limit != 0 {
		values.Set(Limit, strconv.Itoa(q.Limit))
	}
	if q.FacetLimit != 0 {
		values.Set(FacetLimit, strconv.Itoa(q.FacetLimit))
	}
	names := make([]string, len(q.Aggregates))
	for i, a := range q.Aggregates {
		names[i] = a.Name()
	}
	set(Aggregates, FormatList(names))
	var order []string
	for _, o := range q.Order {
		if o.By == "" {
			if o.Desc {
				values.Set(Desc, "1")
			}
			continue
		}
		order = append(order, OrderName(o))
	}
	set(Order, FormatList(order))
	for _, f := range q.Filters {
		v := ""
		switch {
		case f.Op == portal.OpIn || f.Op == portal.OpBetween:
			v = FormatList(f.Values)
		case len(f.Values) > 0:
			v = f.Values[0]
		}
		values.Add(FilterName(f.Column, f.Op), v)
	}
	return values
}

// OrderName is how an order stands in sort: the column, with its direction
// where it is downwards or the column's name ends like a direction.
func OrderName(o portal.TableOrder) string {
	switch {
	case o.Desc:
		return o.By + "__desc"
	case strings.HasSuffix(o.By, "__desc"), strings.HasSuffix(o.By, "__asc"):
		return o.By + "__asc"
	}
	return o.By
}

// clip shortens what is quoted in a message.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "�")
	for i := range s {
		if i >= 60 {
			return s[:i] + "…"
		}
	}
	return s
}
