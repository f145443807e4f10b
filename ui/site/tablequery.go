package site

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
)

// The URL of a table is its query, in the same words as the rows of ui/api:
// {column}__{op}=value filters, sort, desc=1, after, sheet. A form cannot name
// a field after a column that is chosen in it, so the new condition comes as
// _column, _op and _value and is answered with the address it means.

// operators are those of portal.RowFilter, in the order of the form.
var operators = []string{"eq", "ne", "contains", "gt", "ge", "lt", "le"}

// Limits of a table's query.
const (
	maxConditions = 20
	maxValue      = 200 // characters
)

// filterForm is the form above a table.
type filterForm struct {
	Action     string
	Sheet      string
	Conditions []condition
	Columns    []Choice // for a new condition
	Ops        []Choice
	Sort       []Choice
	Desc       bool
}

// condition is one filter that is set; emptying its field takes it back.
type condition struct {
	ID    string
	Name  string // of the field: "Region__eq"
	Label string // "Region is"
	Value string
}

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

// readRows reads the query of a table, every part checked against its columns.
func (v *visit) readRows(columns []portal.Field) (portal.RowQuery, error) {
	q := portal.RowQuery{Sort: v.query.Get("sort"), After: v.query.Get("after"), Limit: portal.DefaultRows}
	if q.Sort != "" && !hasColumn(columns, q.Sort) {
		return q, v.bad("error.badcolumn", "got", clip(q.Sort, 60))
	}
	switch desc := v.query.Get("desc"); desc {
	case "", "0", "false":
	case "1", "true":
		q.Desc = q.Sort != ""
	default:
		return q, v.bad("error.badorder", "got", clip(desc, 60))
	}
	names := make([]string, 0, len(v.query))
	for name := range v.query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		column, op, ok := cutLast(name, "__")
		if !ok || column == "" {
			continue
		}
		for _, value := range v.query[name] {
			if value == "" {
				continue
			}
			if err := v.checkCondition(columns, column, op, value); err != nil {
				return q, err
			}
			q.Filters = append(q.Filters, portal.RowFilter{Column: column, Op: op, Value: value})
		}
	}
	if len(q.Filters) > maxConditions {
		return q, v.bad("error.manyfilters", "max", maxConditions)
	}
	return q, nil
}

func (v *visit) checkCondition(columns []portal.Field, column, op, value string) error {
	switch {
	case !slices.Contains(operators, op):
		return v.bad("error.badop", "got", clip(op, 60))
	case !hasColumn(columns, column):
		return v.bad("error.badcolumn", "got", clip(column, 60))
	case utf8.RuneCountInString(value) > maxValue:
		return v.bad("error.longvalue", "max", maxValue)
	}
	return nil
}

// addCondition turns what the form sends into the address that it means:
// _column, _op and _value become one filter, and empty fields go. ok is false
// when the address is already as it should be.
func (v *visit) addCondition(columns []portal.Field) (address string, ok bool, err error) {
	_, sent := v.query["_column"]
	if !sent {
		return "", false, nil
	}
	column, op, value := v.query.Get("_column"), v.query.Get("_op"), v.one("_value")
	q := url.Values{}
	for name, values := range v.query {
		if values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" }); len(values) > 0 {
			q[name] = values
		}
	}
	for _, name := range []string{"_column", "_op", "_value", "after"} {
		q.Del(name)
	}
	if q.Get("sort") == "" {
		q.Del("desc")
	}
	switch {
	case column == "" && value == "":
	case column == "" || value == "":
		return "", false, v.bad("error.filtershape")
	default:
		if err := v.checkCondition(columns, column, op, value); err != nil {
			return "", false, err
		}
		q.Add(column+"__"+op, value)
	}
	if len(q) == 0 {
		return v.r.URL.EscapedPath(), true, nil
	}
	return v.r.URL.EscapedPath() + "?" + q.Encode(), true, nil
}

func (v *visit) filterForm(info portal.TableInfo, q portal.RowQuery) filterForm {
	f := filterForm{Action: v.r.URL.EscapedPath(), Sheet: v.query.Get("sheet"), Desc: q.Desc}
	for i, c := range q.Filters {
		f.Conditions = append(f.Conditions, condition{
			ID: "c" + strconv.Itoa(i), Name: c.Column + "__" + c.Op, Value: c.Value,
			Label: v.columnName(info.Columns, c.Column) + ": " + v.Op(c.Op),
		})
	}
	for _, c := range info.Columns {
		title := v.columnTitle(c)
		f.Columns = append(f.Columns, Choice{Value: c.Name, Label: title})
		f.Sort = append(f.Sort, Choice{Value: c.Name, Label: title, On: c.Name == q.Sort})
	}
	for _, op := range operators {
		f.Ops = append(f.Ops, Choice{Value: op, Label: Shown{Text: v.Op(op)}})
	}
	return f
}

// sentence says what is filtered, how many rows that leaves, and their order.
func (v *visit) sentence(columns []portal.Field, q portal.RowQuery, total int64) (said, order string) {
	if len(q.Filters) == 0 {
		said = v.N64("table.all", total)
	} else {
		parts := make([]string, len(q.Filters))
		for i, f := range q.Filters {
			parts[i] = v.Condition(f.Op, v.columnName(columns, f.Column), f.Value)
		}
		said = v.N64("table.where", total, "filters", v.List(parts))
	}
	if q.Sort != "" {
		direction := v.T("table.asc")
		if q.Desc {
			direction = v.T("table.desc")
		}
		order = v.T("table.sorted", "column", v.columnName(columns, q.Sort), "direction", direction)
	}
	return said, order
}

// sortLinks makes every heading a link that sorts by it, and turns the order
// round where it is sorted already.
func (v *visit) sortLinks(t *dataTable, columns []portal.Field, q portal.RowQuery) {
	for i, c := range columns {
		desc := ""
		if c.Name == q.Sort {
			t.Columns[i].Sorted = "descending"
			if !q.Desc {
				t.Columns[i].Sorted, desc = "ascending", "1"
			}
		}
		t.Columns[i].Sort = v.address("sort", c.Name, "desc", desc, "after", "")
		t.Columns[i].SortHow = v.T("table.sorthead", "column", t.Columns[i].Title.Text)
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

// cutLast cuts s at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
