package table

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"koprik/embed/table/read"
	"koprik/portal"
)

// comparisons are the operators that become one of SQL's.
var comparisons = map[string]string{"lt": "<", "le": "<=", "gt": ">", "ge": ">="}

// operators in the order in which messages list them.
var operators = []string{"eq", "ne", "lt", "le", "gt", "ge", "contains"}

// filter adds one condition. Values are parameters, never text of the statement.
func (sel *selection) filter(f portal.RowFilter) error {
	i, err := sel.find("filter", f.Column)
	if err != nil {
		return err
	}
	where := fmt.Sprintf("filter %s", clip(f.Column, 60))
	if !slices.Contains(operators, f.Op) {
		return usage(where, "no operator %q; the operators are: %s", clip(f.Op, 20), strings.Join(operators, ", "))
	}
	if len(f.Value) > maxValue {
		return usage(where, "the value is longer than %d bytes", maxValue)
	}
	c := fmt.Sprintf("c%d", i)
	add := func(condition string, args ...any) {
		sel.where = append(sel.where, condition)
		sel.args = append(sel.args, args...)
	}
	field := sel.table.Info.Columns[i]
	switch {
	case f.Op == "contains":
		add(contains(c, f.Value))
		return nil
	case f.Value == "" && f.Op == "eq":
		add(c + " IS NULL")
		return nil
	case f.Value == "" && f.Op == "ne":
		add(c + " IS NOT NULL")
		return nil
	}
	value, numeric, err := filterValue(field, f.Value)
	if err != nil && f.Op != "eq" && f.Op != "ne" {
		return usage(where, "%v", err)
	}
	if err != nil {
		value = f.Value // a value that did not cast is kept as text, and can be asked for
	}
	switch op := comparisons[f.Op]; {
	case f.Op == "eq":
		add(c+" = ?", value)
	case f.Op == "ne":
		add(c+" IS NOT ?", value)
	case numeric: // SQLite sorts any text after any number
		add("typeof("+c+") IN ('integer','real') AND "+c+" "+op+" ?", value)
	default:
		add("typeof("+c+") = 'text' AND "+c+" "+op+" ?", value)
	}
	return nil
}

// filterValue reads a filter's value as the column's type.
func filterValue(f portal.Field, s string) (v any, numeric bool, err error) {
	s2 := strings.TrimSpace(s)
	switch f.Type {
	case "integer", "number", "year":
		if v, ok := read.Number(s2); ok {
			return v, true, nil
		}
		return nil, true, fmt.Errorf("%q is not a number", clip(s, 60))
	case "boolean":
		b, err := strconv.ParseBool(strings.ToLower(s2))
		if err != nil {
			return nil, true, fmt.Errorf("%q is neither true nor false", clip(s, 60))
		}
		if b {
			return int64(1), true, nil
		}
		return int64(0), true, nil
	case "date":
		if t, err := time.Parse("02.01.2006", s2); err == nil {
			return t.Format(time.DateOnly), false, nil
		}
		return s2, false, nil
	}
	return s, false, nil
}
