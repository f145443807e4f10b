package site

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/query"
)

// The address of a table is its query, in the words of portal/query, which are
// also those of ui/api. A form cannot say all of them: it cannot name a field
// after a column that is chosen in it, nor make a list of boxes. What it sends
// instead begins with an underscore, and is answered with the address it means:
//
//	_column, _op, _value   a new condition
//	_f=a,b and _is.a=x     of the columns a and b these boxes are ticked
//	_c=1 and _col=a        these columns are shown

// operators are those of a new condition, in the order of the form.
var operators = []portal.TableOp{
	portal.OpEqual, portal.OpNot, portal.OpContains, portal.OpBegins, portal.OpGreater, portal.OpLeast, portal.OpLess, portal.OpMost,
}

// Limits of a table's query.
const (
	maxConditions = 20
	maxValue      = 200 // characters of one value
	maxBoxes      = 100 // ticked in one column
)

// rowsOf is how many rows a page has of a table that shows so many columns: a
// page of a table weighs no more than others. A column weighs as two values
// more, because it stands in the form too.
func rowsOf(columns int) int { return min(max(68/max(columns, 1)-2, 6), 20) }

func escape(s string) string { return url.QueryEscape(s) }

func plainInt(n int64) string { return strconv.FormatInt(n, 10) }

// only is this page's address with nothing but the named parameters.
func (v *visit) only(names ...string) string {
	q := url.Values{}
	for _, name := range names {
		if values := v.query[name]; len(values) > 0 {
			q[name] = values
		}
	}
	return v.r.URL.EscapedPath() + "?" + q.Encode()
}

// ours are the parameters that only the form of this page has.
var ours = []string{"_column", "_op", "_value", "_f", "_c", "_col"}

// given is the query without empty fields, which a form sends of what was not
// filled in, and without what only this page has.
func (v *visit) given() url.Values {
	q := url.Values{}
	boxes, _ := query.ParseList(v.query.Get("_f")) // settleBoxes says what is wrong with it
	for name, values := range v.query {
		values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" })
		column, box := strings.CutPrefix(name, boxPrefix)
		if len(values) > 0 && !slices.Contains(ours, name) && (!box || !slices.Contains(boxes, column)) {
			q[name] = values
		}
	}
	return q
}

// readQuery reads the query of a table, every part checked against its columns.
func (v *visit) readQuery(columns []portal.Field) (portal.TableQuery, error) {
	given := v.given()
	if given.Get(query.Order) == "" {
		given.Del(query.Desc)
	}
	q, err := v.parsed(given)
	if err != nil {
		return q, err
	}
	if len(q.Filters) > maxConditions {
		return q, v.bad("error.manyfilters", "max", maxConditions)
	}
	names := slices.Clone(q.Columns)
	for _, o := range q.Order {
		if o.By != "" {
			names = append(names, o.By)
		}
	}
	for _, f := range q.Filters {
		names = append(names, f.Column)
		if len(f.Values) > maxBoxes {
			return q, v.bad("error.manyfilters", "max", maxBoxes)
		}
		for _, value := range f.Values {
			if utf8.RuneCountInString(value) > maxValue {
				return q, v.bad("error.longvalue", "max", maxValue)
			}
		}
	}
	for _, name := range names {
		if !hasColumn(columns, name) {
			return q, v.bad("error.badcolumn", "got", clip(name, 60))
		}
	}
	shown := len(v.viewColumns(columns, q))
	if shown == 0 {
		shown = len(columns)
	}
	q.Limit, q.Group, q.Aggregates, q.Facets, q.FacetLimit = rowsOf(shown), nil, nil, nil, 0
	return q, nil
}

// parsed reads the words of an address, and says in the reader's what is wrong.
func (v *visit) parsed(given url.Values) (portal.TableQuery, error) {
	for name := range given {
		if _, op, ok := query.IsFilter(name); ok && !slices.Contains(portal.TableOps, op) {
			return portal.TableQuery{}, v.bad("error.badop", "got", clip(string(op), 60))
		}
	}
	q, err := query.Parse(given)
	var p *portal.Problem
	if !errors.As(err, &p) {
		return q, err
	}
	got := clip(given.Get(p.Where), 60)
	switch {
	case p.Where == query.Desc:
		return q, v.bad("error.badorder", "got", got)
	case p.Where == "filters":
		return q, v.bad("error.manyfilters", "max", maxConditions)
	case utf8.RuneCountInString(given.Get(p.Where)) > maxValue:
		return q, v.bad("error.longvalue", "max", maxValue)
	}
	return q, v.bad("error.badfilter", "got", got)
}

func (v *visit) checkCondition(columns []portal.Field, column, op, value string) error {
	switch {
	case !slices.Contains(operators, portal.TableOp(op)):
		return v.bad("error.badop", "got", clip(op, 60))
	case !hasColumn(columns, column):
		return v.bad("error.badcolumn", "got", clip(column, 60))
	case utf8.RuneCountInString(value) > maxValue:
		return v.bad("error.longvalue", "max", maxValue)
	}
	return nil
}

// settle turns what the form sends into the address that it means. ok is false
// when the address is already as it should be.
func (v *visit) settle(columns []portal.Field) (address string, ok bool, err error) {
	sent := false
	for name := range v.query {
		sent = sent || name == "_column" || name == "_f" || name == "_c"
	}
	if !sent {
		return "", false, nil
	}
	q := v.given()
	q.Del(query.After)
	if q.Get(query.Order) == "" {
		q.Del(query.Desc)
	}
	if err := v.settleBoxes(q, columns); err != nil {
		return "", false, err
	}
	if v.query.Has("_c") {
		q.Del(query.Columns)
		usual := v.usual(columns)
		if names := v.query["_col"]; len(names) > 0 && !slices.Equal(names, usual) && (usual != nil || len(names) < len(columns)) {
			q.Set(query.Columns, query.FormatList(names))
		}
	}
	column, op, value := v.query.Get("_column"), v.query.Get("_op"), v.one("_value")
	switch {
	case column == "" && value == "":
	case column == "" || value == "":
		return "", false, v.bad("error.filtershape")
	default:
		if err := v.checkCondition(columns, column, op, value); err != nil {
			return "", false, err
		}
		q.Add(query.FilterName(column, portal.TableOp(op)), value)
	}
	if len(q) == 0 {
		return v.r.URL.EscapedPath(), true, nil
	}
	return v.r.URL.EscapedPath() + "?" + q.Encode(), true, nil
}

// settleBoxes makes filters of ticked boxes, in place of what these columns were
// filtered by.
func (v *visit) settleBoxes(q url.Values, columns []portal.Field) error {
	names, err := query.ParseList(v.query.Get("_f"))
	if err != nil {
		return v.bad("error.badfilter", "got", clip(v.query.Get("_f"), 60))
	}
	for _, name := range names {
		if !hasColumn(columns, name) {
			return v.bad("error.badcolumn", "got", clip(name, 60))
		}
		is, in := query.FilterName(name, portal.OpEqual), query.FilterName(name, portal.OpIn)
		q.Del(is)
		q.Del(in)
		switch ticked := v.query[boxPrefix+name]; len(ticked) {
		case 0:
		case 1:
			q.Set(is, ticked[0])
		default:
			q.Set(in, query.FormatList(ticked))
		}
	}
	return nil
}

// boxPrefix begins the names of boxes.
const boxPrefix = "_is."

// boxed are the values of a column that are chosen in boxes: its one filter, if
// that names values.
func boxed(q portal.TableQuery, column string) (values []string, ok bool) {
	n := 0
	for _, f := range q.Filters {
		if f.Column != column || f.Op != portal.OpEqual && f.Op != portal.OpIn {
			continue
		}
		n++
		values = f.Values
	}
	return values, n <= 1
}

// sentence says what is shown: "Xorazm viloyati, 2025: 14 rows of 1,204."
func (v *visit) sentence(columns []portal.Field, q portal.TableQuery, total, all int64) (said, order string) {
	if len(q.Filters) == 0 && q.Text == "" {
		said = v.N64("table.all", total)
	} else {
		var parts []string
		for _, f := range q.Filters {
			parts = append(parts, v.condition(columns, f))
		}
		if q.Text != "" {
			parts = append(parts, v.T("table.words", "text", q.Text))
		}
		said = v.N64("table.where", total, "filters", strings.Join(parts, ", "), "all", v.Int(all))
	}
	if len(q.Order) > 0 {
		direction := v.T("table.asc")
		if q.Order[0].Desc {
			direction = v.T("table.desc")
		}
		order = v.T("table.sorted", "column", v.columnName(columns, q.Order[0].By), "direction", direction)
	}
	return said, order
}

// condition says a filter. The value of a dimension stands for itself, a code by
// what it is called.
func (v *visit) condition(columns []portal.Field, f portal.TableFilter) string {
	value := strings.Join(f.Values, ", ")
	i := slices.IndexFunc(columns, func(c portal.Field) bool { return c.Name == f.Column })
	switch {
	case (f.Op == portal.OpEqual || f.Op == portal.OpIn) && i >= 0 && columns[i].Meaning.Dimension() && len(f.Values) <= 3:
		var names []string
		for _, code := range f.Values {
			names = append(names, v.valueName(columns[i], code))
		}
		return strings.Join(names, ", ")
	case f.Op == portal.OpIn && len(f.Values) > 3:
		value = strings.Join(f.Values[:3], ", ") + ", …"
	case f.Op == portal.OpBetween:
		value = strings.Join(f.Values, " – ")
	case f.Op == portal.OpEmpty && value == "0":
		return v.Condition("full", v.columnName(columns, f.Column), "")
	}
	return v.Condition(string(f.Op), v.columnName(columns, f.Column), value)
}

// sortLinks makes every heading a link that sorts by it, and turns the order
// round where it is sorted already.
func (v *visit) sortLinks(t *dataTable, columns []portal.Field, q portal.TableQuery) {
	for i, c := range columns {
		desc := ""
		if len(q.Order) > 0 && c.Name == q.Order[0].By {
			t.Columns[i].Sorted = "descending"
			if !q.Order[0].Desc {
				t.Columns[i].Sorted, desc = "ascending", "1"
			}
		}
		by := query.OrderName(portal.TableOrder{By: c.Name})
		t.Columns[i].Sort = v.address(query.Order, by, query.Desc, desc, query.After, "")
	}
}

func (v *visit) columnName(columns []portal.Field, name string) string {
	for _, c := range columns {
		if c.Name == name {
			return v.columnTitle(c).Text
		}
	}
	return name
}

func hasColumn(columns []portal.Field, name string) bool {
	return slices.ContainsFunc(columns, func(f portal.Field) bool { return f.Name == name })
}

// valueText is a value as a filter takes it.
func valueText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case nil:
		return ""
	}
	return fmt.Sprint(value)
}
