package read

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"koprik/portal"
)

// tally is what all cells of one column say about its type. A type is the
// column's when every cell with a value is of it.
type tally struct {
	filled  int64 // cells with a value
	live    uint8 // notations that all numbers so far fit
	frac    uint8 // of those, in which some number has a fraction
	comma   bool
	numbers int64 // cells that are numbers in some notation
	phones  int64
	others  int64 // filled cells that are no numbers
	other   string
	otherAt int
	isoDate, dotDate, stamp, boolean, year,
	literal, nested, spaced int64
	values evidence
}

// booleanWords make a column boolean when nobody says what it is; 0 and 1 don't.
var (
	booleanWords   = []string{"true", "True", "TRUE", "false", "False", "FALSE"}
	booleanOptions = json.RawMessage(`{"trueValues":["true","True","TRUE"],"falseValues":["false","False","FALSE"]}`)
)

func newTally() tally { return tally{live: allNotations} }

// add looks at one cell that has a value; n is its row. Of different values at
// most limit are remembered.
func (t *tally) add(n int, c cell, limit int) {
	t.filled++
	switch c.kind {
	case cellNested:
		t.nested++
		t.others++
		return
	case cellLiteral:
		t.literal++
	}
	s := strings.TrimSpace(c.text)
	if len(s) != len(c.text) {
		t.spaced++
	}
	t.values.see(s, limit)
	if c.kind == cellFree {
		if sh := numberMask(s); sh.live != 0 {
			t.number(s, sh)
			return
		}
	}
	t.others++
	if t.others == 1 {
		t.other, t.otherAt = strings.Clone(clip(s, 40)), n
	}
	switch {
	case len(s) < 4 || len(s) > 25:
	case len(s) == 10 && isISODate(s):
		t.isoDate++
	case len(s) == 10 && isDotDate(s):
		t.dotDate++
	case c.kind == cellFree && slices.Contains(booleanWords, s):
		t.boolean++
	case len(s) >= 19 && isStamp(s):
		t.stamp++
	}
}

func (t *tally) number(s string, sh numberShape) {
	t.numbers++
	t.live &= sh.live
	t.frac |= sh.fraction
	t.comma = t.comma || sh.comma
	if isYear(s) {
		t.year++
	} else if isPhone(s) {
		t.phones++
	}
}

func isISODate(s string) bool {
	if s[4] != '-' || s[7] != '-' {
		return false
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isDotDate(s string) bool {
	if s[2] != '.' || s[5] != '.' {
		return false
	}
	_, err := time.Parse("02.01.2006", s)
	return err == nil
}

func isDateText(s string) bool {
	return len(s) == 10 && (isISODate(s) || isDotDate(s)) || len(s) >= 19 && len(s) <= 25 && isStamp(s)
}

// stampLayouts are the moments that Frictionless reads by default, with and
// without a zone, and what spreadsheets and databases write.
var stampLayouts = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05"}

func isStamp(s string) bool {
	if s[4] != '-' || s[13] != ':' {
		return false
	}
	_, ok := parseStamp(s)
	return ok
}

func parseStamp(s string) (string, bool) {
	for i, layout := range stampLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(stampLayouts[min(i, 1)]), true
		}
	}
	return "", false
}

// yearWords: a column of numbers from 1800 to 2100 is one of years when its
// label has one of these words (uz, kaa, uz-Cyrl, ru, en).
var yearWords = []string{"yil", "jıl", "jil", "йил", "жыл", "год", "year"}

func saysYear(label string) bool {
	label = strings.ToLower(label)
	for _, w := range yearWords {
		if strings.Contains(label, w) {
			return true
		}
	}
	return label == "y"
}

// field decides the type of a column and what a person should know of it.
func (t *tally) field(name string) (f portal.Field, note string) {
	f = portal.Field{Name: name, Type: "string"}
	all := func(n int64) bool { return n == t.filled }
	switch {
	case t.filled == 0:
		return f, ""
	case all(t.isoDate):
		f.Type = "date"
	case all(t.dotDate):
		f.Type, f.Format = "date", "%d.%m.%Y"
	case all(t.stamp):
		f.Type = "datetime"
	case all(t.boolean):
		f.Type, f.Options = "boolean", booleanOptions
	case all(t.year) && saysYear(name):
		f.Type = "year"
	case all(t.numbers):
		return t.numeric(f)
	case t.numbers > 0 && t.literal+t.nested == 0 && t.others*50 <= t.numbers:
		return f, fmt.Sprintf("column %q is text: %s not a number, first %q in row %d", name, areValues(t.others), t.other, t.otherAt)
	}
	return f, ""
}

func areValues(n int64) string {
	if n == 1 {
		return "1 value is"
	}
	return fmt.Sprintf("%d values are", n)
}

// numeric picks the notation that all cells fit.
func (t *tally) numeric(f portal.Field) (portal.Field, string) {
	switch {
	case t.phones == t.filled:
		return f, ""
	case t.live == 0:
		return f, fmt.Sprintf("column %q is text: its numbers are written in more than one way", f.Name)
	case t.comma && t.live&commaDecimal != 0 && t.live&commaGroup != 0:
		return f, fmt.Sprintf("column %q is text: its commas may mark decimals or thousands; a schema can say which", f.Name)
	}
	i := 0
	for t.live&(1<<i) == 0 {
		i++
	}
	n := notations[i]
	f.Type = "integer"
	if t.frac&(1<<i) != 0 {
		f.Type = "number"
	}
	options := map[string]string{}
	if n.dec != '.' && f.Type == "number" {
		options["decimalChar"] = string(n.dec)
	}
	if n.group != 0 {
		options["groupChar"] = string(n.group)
	}
	if len(options) == 0 {
		return f, ""
	}
	f.Options, _ = json.Marshal(options) // a map of strings always encodes
	return f, fmt.Sprintf("column %q: numbers are written %s", f.Name, n.example())
}

func (n notation) example() string {
	s := "1234" + string(n.dec) + "5"
	if n.group != 0 {
		s = "1" + string(n.group) + s[1:]
	}
	return "like " + s
}

// clip shortens s to n characters.
func clip(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
