package read

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"koprik/portal"
)

// caster makes a value of a cell that has one. ok is false when the text is not
// of the field's type. Values are int64, float64 and string; a boolean is 1 or
// 0, for SQLite has none.
type caster func(c cell) (v any, ok bool)

// options are the properties of a field's type.
type options struct {
	DecimalChar *string  `json:"decimalChar"`
	GroupChar   string   `json:"groupChar"`
	BareNumber  *bool    `json:"bareNumber"`
	TrueValues  []string `json:"trueValues"`
	FalseValues []string `json:"falseValues"`
}

// newCaster gives the caster of a Frictionless field type; an error says what
// is wrong with the field itself.
func newCaster(f portal.Field) (caster, error) {
	var o options
	if len(f.Options) > 0 {
		if err := json.Unmarshal(f.Options, &o); err != nil {
			return nil, fmt.Errorf("options of field %q: %w", f.Name, err)
		}
	}
	switch f.Type {
	case "", "string", "any", "list":
		return castString, nil
	case "integer", "number":
		return numberCaster(f, o)
	case "boolean":
		return booleanCaster(o), nil
	case "date":
		return timeCaster(f, time.DateOnly, castDate)
	case "time":
		return timeCaster(f, time.TimeOnly, castTime)
	case "datetime":
		return timeCaster(f, "2006-01-02T15:04:05", castStamp)
	case "year":
		return castYear, nil
	case "yearmonth":
		return matching(yearmonthPattern), nil
	case "duration":
		return matching(durationPattern), nil
	case "object", "geojson":
		return nestedCaster('{'), nil
	case "array":
		return nestedCaster('['), nil
	case "geopoint":
		return geopointCaster(f.Format), nil
	}
	return nil, fmt.Errorf("field %q: type %q is not a Frictionless field type", f.Name, f.Type)
}

var (
	yearmonthPattern = regexp.MustCompile(`^-?[0-9]{4}-(0[1-9]|1[0-2])$`)
	durationPattern  = regexp.MustCompile(`^-?P(\d+([.,]\d+)?[YMWD])*(T(\d+([.,]\d+)?[HMS])+)?$`)
)

func castString(c cell) (any, bool) { return c.text, true }

func matching(p *regexp.Regexp) caster {
	return func(c cell) (any, bool) {
		s := strings.TrimSpace(c.text)
		return s, p.MatchString(s)
	}
}

// numberCaster reads what the field's notation says; where it is the default,
// numbers are what strconv reads.
func numberCaster(f portal.Field, o options) (caster, error) {
	dec := "."
	if o.DecimalChar != nil {
		dec = *o.DecimalChar
	}
	if dec == "" || dec == o.GroupChar {
		return nil, fmt.Errorf("field %q: decimalChar %q and groupChar %q cannot be told apart", f.Name, dec, o.GroupChar)
	}
	bare := o.BareNumber == nil || *o.BareNumber
	integer := f.Type == "integer"
	return func(c cell) (any, bool) {
		s := strings.TrimSpace(c.text)
		if !bare {
			s = strings.TrimFunc(s, func(r rune) bool {
				return !unicode.IsDigit(r) && r != '-' && r != '+' && r != '\u2212' && !strings.ContainsRune(dec, r)
			})
		}
		if integer && plainDigits(s) {
			n, err := strconv.ParseInt(s, 10, 64)
			return n, err == nil
		}
		s = plainSpaces(s)
		if o.GroupChar != "" {
			s = strings.ReplaceAll(s, plainSpaces(o.GroupChar), "")
		}
		if dec != "." && !integer {
			if strings.Contains(s, ".") {
				return nil, false
			}
			s = strings.Replace(s, dec, ".", 1)
		}
		if integer {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return wholeFloat(s)
			}
			return n, true
		}
		return castFloat(s)
	}, nil
}

// wholeNumber reads plain digits with a sign.
func wholeNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// wholeFloat reads an integer that a spreadsheet or JSON wrote with a zero
// fraction or an exponent: 12.0, 1E3.
func wholeFloat(s string) (any, bool) {
	v, ok := castFloat(s)
	f, isFloat := v.(float64)
	if !ok || !isFloat || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return nil, false
	}
	return int64(f), true
}

// castFloat takes decimal notation; NaN and INF are Frictionless' words and
// stay words, for neither JSON nor SQLite has such numbers.
func castFloat(s string) (any, bool) {
	switch s {
	case "NaN", "INF", "-INF":
		return s, true
	}
	for i := 0; i < len(s); i++ {
		if b := s[i]; (b < '0' || b > '9') && b != '.' && b != '-' && b != '+' && b != 'e' && b != 'E' {
			return nil, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func booleanCaster(o options) caster {
	yes, no := o.TrueValues, o.FalseValues
	if yes == nil {
		yes = []string{"true", "True", "TRUE", "1"}
	}
	if no == nil {
		no = []string{"false", "False", "FALSE", "0"}
	}
	return func(c cell) (any, bool) {
		s := strings.TrimSpace(c.text)
		switch {
		case slices.Contains(yes, s):
			return int64(1), true
		case slices.Contains(no, s):
			return int64(0), true
		}
		return nil, false
	}
}

func castYear(c cell) (any, bool) {
	s := strings.TrimSpace(c.text)
	digits := strings.TrimPrefix(s, "-")
	if len(digits) != 4 || !plainDigits(digits) {
		return nil, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// timeCaster picks by format: default, any, or a pattern of strptime. Values
// are kept in the ISO form, so that they sort.
func timeCaster(f portal.Field, iso string, byDefault caster) (caster, error) {
	switch f.Format {
	case "", "default":
		return byDefault, nil
	case "any":
		return func(c cell) (any, bool) {
			if v, ok := byDefault(c); ok {
				return v, true
			}
			return anyTime(strings.TrimSpace(c.text), iso)
		}, nil
	}
	layout, err := goLayout(f.Format)
	if err != nil {
		return nil, fmt.Errorf("field %q: %w", f.Name, err)
	}
	return func(c cell) (any, bool) {
		t, err := time.Parse(layout, strings.TrimSpace(c.text))
		if err != nil {
			return nil, false
		}
		return t.Format(iso), true
	}, nil
}

var anyLayouts = []string{
	"02.01.2006", "2.1.2006", "2006/01/02", "02/01/2006", "02-01-2006", "2006.01.02", "2006-01-02",
	"02.01.2006 15:04", "02.01.2006 15:04:05", "2006-01-02 15:04", "15:04", "15:04:05", "2 Jan 2006", "2 January 2006",
}

func anyTime(s, iso string) (any, bool) {
	for _, layout := range anyLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(iso), true
		}
	}
	return nil, false
}

func castDate(c cell) (any, bool) {
	s := strings.TrimSpace(c.text)
	if len(s) == 10 && isISODate(s) {
		return s, true
	}
	// A workbook gives a day and midnight where its format shows a time.
	if day, ok := strings.CutSuffix(s, "T00:00:00"); ok && len(day) == 10 && isISODate(day) {
		return day, true
	}
	return nil, false
}

func castTime(c cell) (any, bool) {
	s := strings.TrimSpace(c.text)
	t, err := time.Parse(time.TimeOnly, strings.TrimSuffix(s, "Z"))
	return t.Format(time.TimeOnly), err == nil
}

func castStamp(c cell) (any, bool) {
	s := strings.TrimSpace(c.text)
	if len(s) < 19 || len(s) > 40 {
		return nil, false
	}
	v, ok := parseStamp(s)
	return v, ok
}

// goLayout turns a strptime pattern into a layout of package time.
func goLayout(pattern string) (string, error) {
	directives := map[byte]string{
		'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM",
		'f': "999999", 'z': "-0700", 'Z': "MST", 'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'j': "002", '%': "%",
		'F': "2006-01-02", 'T': "15:04:05",
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' {
			// a digit or a letter would mean something to package time
			if isASCIILetter(pattern[i]) && pattern[i] != 'T' && pattern[i] != 'Z' || plainDigits(pattern[i:i+1]) {
				return "", badPattern(pattern)
			}
			b.WriteByte(pattern[i])
			continue
		}
		i++
		if i == len(pattern) || directives[pattern[i]] == "" {
			return "", badPattern(pattern)
		}
		b.WriteString(directives[pattern[i]])
	}
	if b.String() == pattern {
		return "", badPattern(pattern)
	}
	return b.String(), nil
}

func badPattern(pattern string) error {
	return fmt.Errorf("format %q: must be default, any, or made of the patterns of strptime", pattern)
}

// nestedCaster takes JSON text that begins with open and keeps it compact.
func nestedCaster(open byte) caster {
	return func(c cell) (any, bool) {
		s := strings.TrimSpace(c.text)
		if s == "" || s[0] != open {
			return nil, false
		}
		var b bytes.Buffer
		if json.Compact(&b, []byte(s)) != nil {
			return nil, false
		}
		return b.String(), true
	}
}

// geopointCaster checks a longitude and a latitude in degrees; the text stays.
func geopointCaster(format string) caster {
	return func(c cell) (any, bool) {
		s := strings.TrimSpace(c.text)
		var lon, lat float64
		switch format {
		case "array":
			var p []float64
			if json.Unmarshal([]byte(s), &p) != nil || len(p) != 2 {
				return nil, false
			}
			lon, lat = p[0], p[1]
		case "object":
			var p struct{ Lon, Lat *float64 }
			if json.Unmarshal([]byte(s), &p) != nil || p.Lon == nil || p.Lat == nil {
				return nil, false
			}
			lon, lat = *p.Lon, *p.Lat
		default:
			x, y, ok := strings.Cut(s, ",")
			var err1, err2 error
			lon, err1 = strconv.ParseFloat(strings.TrimSpace(x), 64)
			lat, err2 = strconv.ParseFloat(strings.TrimSpace(y), 64)
			if !ok || err1 != nil || err2 != nil {
				return nil, false
			}
		}
		return s, math.Abs(lon) <= 180 && math.Abs(lat) <= 90
	}
}
