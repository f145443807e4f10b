// Package column answers questions about a table column by column: which rows
// pass, in which order, in which groups. Its columns come from a Source, as
// codes of an ordered list of values, as numbers, or as they are; the answers
// are the same. It knows neither files nor SQL.
package column

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/portal/period"
)

// A value is nil, int64, float64 or string, as embed/table stores it: a flag is
// 1 or 0, a date is text.

// exact is the largest whole number that every float64 below it can hold.
const exact = 1 << 53

// Canonical gives equal values one form: whole numbers are int64.
func Canonical(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= exact {
			return int64(v)
		}
		if math.IsNaN(v) {
			return nil
		}
	case []byte:
		return string(v)
	}
	return v
}

// number gives a value as a number.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v)
	}
	return 0, false
}

// textOf gives a value as it is searched.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// collation gives a key by which texts of a column stand in order.
type collation func(string) string

// orderedBytes are the bytes of a text that its place in an order is made of:
// a cell may have a megabyte. Texts that begin with the same are equal there.
const orderedBytes = 1 << 10

// orderedPart gives the beginning of a text by which it is put in order.
func orderedPart(s string) string {
	if len(s) <= orderedBytes {
		return s
	}
	end := orderedBytes
	for end > orderedBytes-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// Collation gives a key by which the texts of a column stand in their order: the
// alphabet of the column's language, Uzbek
// where nobody said; periods by their beginning.
func Collation(f portal.Field) func(string) string { return collationOf(f) }

func collationOf(f portal.Field) collation {
	language := f.Meaning.Lang
	if language == "" {
		language = portal.Uzbek
	}
	if f.Meaning.Role != portal.RoleTime {
		return func(s string) string { return lang.SortKey(language, orderedPart(s)) }
	}
	return func(s string) string {
		s = orderedPart(s)
		if p, ok := period.Parse(s); ok {
			return "\x00" + p.Start().Format("2006-01-02") + p.String()
		}
		return lang.SortKey(language, s)
	}
}

// The order of kinds of values: numbers, texts, and what is missing.
const (
	classNumber = iota
	classText
	classMissing
)

func classOf(v any) int {
	switch v.(type) {
	case nil:
		return classMissing
	case string:
		return classText
	}
	return classNumber
}

// compare orders values: numbers by value, then texts by key and then by their
// bytes, then what is missing.
func compare(key collation, a, b any) int {
	if c := cmp.Compare(classOf(a), classOf(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case string:
		b := b.(string)
		if c := strings.Compare(key(a), key(b)); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	case nil:
		return 0
	}
	return compareNumbers(a, b)
}

func compareNumbers(a, b any) int {
	x, _ := number(a)
	y, _ := number(b)
	if c := cmp.Compare(x, y); c != 0 {
		return c
	}
	i, ok := a.(int64)
	j, also := b.(int64)
	if ok && also {
		return cmp.Compare(i, j)
	}
	return 0
}
