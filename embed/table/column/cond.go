package column

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"koprik/embed/table/read"
	"koprik/portal"
	"koprik/portal/lang"
)

// condition is one filter, ready to look at values.
type condition struct {
	column int
	match  func(v any) bool
	span   *span // for numbers alone, the same said shortly
}

// span is an interval of numbers.
type span struct{ low, high float64 }

func (s *span) has(f float64) bool { return s.low <= f && f <= s.high }

// kind of comparison that a column's type has.
type kind int

const (
	asText kind = iota
	asNumber
	asFlag
	asDate // text in which the earlier date is the smaller
)

func kindOf(f portal.Field) kind {
	switch f.Type {
	case "integer", "number", "year":
		return asNumber
	case "boolean":
		return asFlag
	case "date", "datetime", "time", "yearmonth":
		return asDate
	}
	return asText
}

// operand reads a filter's value as the column's type; v is nil for what is none.
func operand(k kind, s string) (v any, err error) {
	t := strings.TrimSpace(s)
	switch k {
	case asNumber:
		if v, ok := read.Number(t); ok {
			return Canonical(v), nil
		}
		return nil, fmt.Errorf("%q is not a number", clip(s))
	case asFlag:
		b, err := strconv.ParseBool(strings.ToLower(t))
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", clip(s))
		}
		if b {
			return int64(1), nil
		}
		return int64(0), nil
	case asDate:
		if d, err := time.Parse("02.01.2006", t); err == nil {
			return d.Format(time.DateOnly), nil
		}
		return t, nil
	}
	return s, nil
}

// compile makes a condition of a filter on a column.
func compile(f portal.TableFilter, i int, field portal.Field) (condition, error) {
	c := condition{column: i}
	k := kindOf(field)
	one := ""
	if len(f.Values) > 0 {
		one = f.Values[0]
	}
	switch f.Op {
	case portal.OpEqual:
		c.match = equal(k, one)
		if v, err := operand(k, one); err == nil && k == asNumber {
			n, _ := number(v)
			c.span = &span{n, n}
		}
	case portal.OpNot:
		is := equal(k, one)
		c.match = func(v any) bool { return !is(v) }
	case portal.OpIn:
		c.match = oneOf(k, f.Values)
	case portal.OpEmpty:
		missing := one == "1"
		c.match = func(v any) bool { return (v == nil) == missing }
	case portal.OpContains:
		c.match = searched(one, strings.Contains)
	case portal.OpBegins:
		c.match = searched(one, strings.HasPrefix)
	default:
		return c, c.within(f, k, collationOf(field))
	}
	return c, nil
}

// equal compares with one value. "" is equal to a cell without anything in it.
func equal(k kind, s string) func(any) bool {
	if s == "" {
		return func(v any) bool { return v == nil || v == "" }
	}
	want, err := operand(k, s)
	if err != nil {
		want = s // a value that did not cast is kept as text, and can be asked for
	}
	return func(v any) bool {
		if k == asText && v != nil && classOf(v) == classNumber {
			return textOf(v) == s
		}
		return v == want
	}
}

func oneOf(k kind, values []string) func(any) bool {
	wanted := map[any]bool{}
	for _, s := range values {
		switch want, err := operand(k, s); {
		case s == "":
			wanted[nil], wanted[""] = true, true
		case err != nil:
			wanted[s] = true
		default:
			wanted[want] = true
		}
	}
	return func(v any) bool {
		if k == asText && v != nil && classOf(v) == classNumber {
			return wanted[textOf(v)]
		}
		return wanted[v]
	}
}

// maxMemo is how many texts a condition remembers.
const maxMemo = 4096

// searched compares by the loose key of portal/lang, so that Toshkent finds
// Тошкент. What folds to nothing, such as a percent sign, is looked for as it is.
func searched(s string, in func(text, part string) bool) func(any) bool {
	fold := lang.FoldLoose
	part := fold(s)
	if part == "" {
		part, fold = s, strings.Clone
	}
	memo := map[string]bool{}
	return func(v any) bool {
		if v == nil {
			return false
		}
		text := textOf(v)
		found, known := memo[text]
		if !known {
			found = in(fold(text), part)
			if len(memo) < maxMemo {
				memo[text] = found
			}
		}
		return found
	}
}

// within makes lt, le, gt, ge and between.
func (c *condition) within(f portal.TableFilter, k kind, key collation) error {
	low, high, openLow, openHigh := "", "", false, false
	has := [2]bool{}
	one := ""
	if len(f.Values) > 0 {
		one = f.Values[0]
	}
	switch f.Op {
	case portal.OpLess:
		high, has[1], openHigh = one, true, true
	case portal.OpMost:
		high, has[1] = one, true
	case portal.OpGreater:
		low, has[0], openLow = one, true, true
	case portal.OpLeast:
		low, has[0] = one, true
	case portal.OpBetween:
		if len(f.Values) != 2 {
			return fmt.Errorf("wants two values")
		}
		low, high = f.Values[0], f.Values[1]
		has = [2]bool{low != "", high != ""}
	default:
		return fmt.Errorf("no operator %q; the operators are: %s", clip(string(f.Op)), portal.Listed(portal.TableOps))
	}
	if (f.Op != portal.OpBetween) && one == "" { // compares with nothing: nothing passes
		c.match = func(any) bool { return false }
		return nil
	}
	if k == asNumber || k == asFlag {
		return c.numbers(k, low, high, has, openLow, openHigh)
	}
	c.texts(k, key, low, high, has, openLow, openHigh)
	return nil
}

func (c *condition) numbers(k kind, low, high string, has [2]bool, openLow, openHigh bool) error {
	s := &span{math.Inf(-1), math.Inf(1)}
	if has[0] {
		v, err := operand(k, low)
		if err != nil {
			return err
		}
		if s.low, _ = number(v); openLow {
			s.low = math.Nextafter(s.low, math.Inf(1))
		}
	}
	if has[1] {
		v, err := operand(k, high)
		if err != nil {
			return err
		}
		if s.high, _ = number(v); openHigh {
			s.high = math.Nextafter(s.high, math.Inf(-1))
		}
	}
	c.span = s
	c.match = func(v any) bool {
		f, ok := number(v)
		return ok && s.has(f)
	}
	return nil
}

// texts compares texts by the column's order. A date compares as far as the
// other one is written: 2020-05-01 is not after 2020.
func (c *condition) texts(k kind, key collation, low, high string, has [2]bool, openLow, openHigh bool) {
	cut := func(s string, _ int) string { return key(s) }
	if k == asDate {
		from, _ := operand(k, low)
		to, _ := operand(k, high)
		low, high = from.(string), to.(string)
		cut = func(s string, n int) string { return s[:min(len(s), n)] }
	}
	lowKey, highKey := cut(low, len(low)), cut(high, len(high))
	c.match = func(v any) bool {
		s, ok := v.(string)
		if !ok {
			return false
		}
		if has[0] {
			if d := strings.Compare(cut(s, len(low)), lowKey); d < 0 || d == 0 && openLow {
				return false
			}
		}
		if has[1] {
			if d := strings.Compare(cut(s, len(high)), highKey); d > 0 || d == 0 && openHigh {
				return false
			}
		}
		return true
	}
}

// clip shortens what is quoted in a message.
func clip(s string) string {
	n := 0
	for i := range s {
		if n++; n > 60 {
			return s[:i] + "…"
		}
	}
	return s
}
