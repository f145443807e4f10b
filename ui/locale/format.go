package locale

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"koprik/portal"
)

// Form is a plural category of CLDR.
type Form string

// The categories that the five languages use.
const (
	One   Form = "one"
	Few   Form = "few"
	Many  Form = "many"
	Other Form = "other"
)

var forms = []Form{One, Few, Many, Other}

// Plural gives the category of a whole number. The rules are CLDR's for uz,
// ru and en; Karakalpak, which CLDR has no rules for, follows its relatives.
func Plural(l portal.Lang, n int64) Form {
	n = max(n, -n)
	if l != portal.Russian {
		if n == 1 {
			return One
		}
		return Other
	}
	last, lastTwo := n%10, n%100
	switch {
	case last == 1 && lastTwo != 11:
		return One
	case last >= 2 && last <= 4 && (lastTwo < 12 || lastTwo > 14):
		return Few
	}
	return Many
}

const nbsp = "\u00a0"

// Joiner stands after the hyphen within a date or an ordinal ("3-nashr"), so that
// no line ends there. A reader doesn't see it; what is made for programs goes without.
const Joiner = "\u2060"

// Plain is a text for what sets no lines: files, feeds, letters.
func Plain(s string) string { return strings.ReplaceAll(s, Joiner, "") }

// separators gives what stands between thousands and before decimals: a comma
// and a point in English, a space that does not break and a comma elsewhere.
func (w *Words) separators() (group, decimal string) {
	if w.lang == portal.English {
		return ",", "."
	}
	return nbsp, ","
}

// Int writes a whole number with its thousands apart.
func (w *Words) Int(n int64) string { return w.Decimal(strconv.FormatInt(n, 10)) }

// Float writes a number with all its digits. What is too long to read so is
// written with an exponent; NaN and infinities as Go writes them.
func (w *Words) Float(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	if a := math.Abs(f); a != 0 && (a >= 1e15 || a < 1e-7) {
		_, decimal := w.separators()
		return strings.Replace(strconv.FormatFloat(f, 'g', -1, 64), ".", decimal, 1)
	}
	return w.Decimal(strconv.FormatFloat(f, 'f', -1, 64))
}

// Short writes a number for an axis, with at most three digits that count and the
// word for thousands, millions and more: "1.2 million".
func (w *Words) Short(f float64) string {
	size := math.Abs(f)
	unit, power := Key(""), 1.0
	for _, u := range []struct {
		key   Key
		power float64
	}{{"number.thousand", 1e3}, {"number.million", 1e6}, {"number.billion", 1e9}, {"number.trillion", 1e12}} {
		if size >= u.power*.9995 && (u.power > 1e3 || size >= 1e5) {
			unit, power = u.key, u.power
		}
	}
	if unit == "" {
		if size >= 1000 {
			return w.Decimal(strconv.FormatFloat(f, 'f', 0, 64))
		}
		return w.Float(threeDigits(f))
	}
	return w.T(unit, "n", w.Decimal(strconv.FormatFloat(threeDigits(f/power), 'f', -1, 64)))
}

// threeDigits rounds to three digits that count, and never a whole number's.
func threeDigits(f float64) float64 {
	if math.Abs(f) >= 100 {
		return math.Round(f)
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 3, 64), 64)
	if err != nil {
		return f
	}
	return short
}

// Decimal writes a number that came as digits with a point: "-1893300.25".
// The minus becomes a real one, so that a screen reader says it.
func (w *Words) Decimal(s string) string {
	group, decimal := w.separators()
	sign := ""
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		sign, s = "−", rest
	}
	whole, fraction, hasFraction := strings.Cut(s, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteRune(r)
	}
	if hasFraction {
		b.WriteString(decimal + fraction)
	}
	return b.String()
}

// Date writes the day of t, in t's own time zone: "2026-yil 3-may", with a word
// joiner after each hyphen, where a line would otherwise end.
func (w *Words) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	month := w.T(Key("date.m" + strconv.Itoa(int(t.Month()))))
	return w.T("date.long", "d", strconv.Itoa(t.Day()), "month", month, "y", strconv.Itoa(t.Year()))
}

// Day writes a date without a time zone; "" for no date.
func (w *Words) Day(d portal.Date) string { return w.Date(d.Time()) }

// DateTime writes day, hour and minute, in t's own time zone.
func (w *Words) DateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.T("date.time", "date", w.Date(t), "time", t.Format("15:04"))
}

// Ago says how long ago something was, in one unit, rounded down. What lies
// less than a minute back, or ahead, is "just now".
func (w *Words) Ago(age time.Duration) string {
	const day, year = 24 * time.Hour, 365*24*time.Hour + 6*time.Hour
	switch {
	case age < time.Minute:
		return w.T("ago.now")
	case age < time.Hour:
		return w.N64("ago.minutes", int64(age/time.Minute))
	case age < day:
		return w.N64("ago.hours", int64(age/time.Hour))
	case age < year:
		return w.N64("ago.days", int64(age/day))
	case age < 2*year-day:
		return w.N64("ago.months", int64(age/(year/12)))
	}
	return w.N64("ago.years", int64((age+day)/year))
}

// Bytes writes a size with at most one decimal; a kilobyte is 1000 bytes. A line
// never ends between the number and its unit.
func (w *Words) Bytes(n int64) string {
	if n < 1000 {
		return together(w.N64("size.b", n))
	}
	size, unit := float64(n), -1
	keys := []Key{"size.kb", "size.mb", "size.gb", "size.tb"}
	for size >= 999.5 && unit < len(keys)-1 {
		size, unit = size/1000, unit+1
	}
	digits := 0
	if size < 9.95 {
		digits = 1
	}
	text := strings.TrimSuffix(strconv.FormatFloat(size, 'f', digits, 64), ".0")
	return together(w.T(keys[unit], "n", w.Decimal(text)))
}

// together keeps the words of a quantity on one line.
func together(s string) string { return strings.ReplaceAll(s, " ", nbsp) }

// List joins items with commas and the word for "and" before the last.
func (w *Words) List(items []string) string {
	switch len(items) {
	case 0:
		return ""
	case 1:
		return items[0]
	}
	text := items[0]
	for _, item := range items[1 : len(items)-1] {
		text = w.T("list.comma", "a", text, "b", item)
	}
	return w.T("list.and", "a", text, "b", items[len(items)-1])
}

// Theme names a theme.
func (w *Words) Theme(id portal.ThemeID) string { return w.T(Key("theme." + string(id))) }

// Periodicity says how often: "every month".
func (w *Words) Periodicity(p portal.Periodicity) string { return w.T(Key("period." + string(p))) }

// MissingItem names what a passport lacks: an item of portal.Passport.Missing.
func (w *Words) MissingItem(item string) string {
	return w.T(Key("missing." + strings.ReplaceAll(item, "_", "-")))
}

// Facet names a way to narrow a search.
func (w *Words) Facet(f portal.Facet) string { return w.T(Key("facet." + string(f))) }

// FacetValue names a value of a facet of regions, languages, sexes or freshness.
// What has no name is called as it is written, and ok is false.
func (w *Words) FacetValue(f portal.Facet, value string) (name string, ok bool) {
	key := Key(string(f) + "." + value)
	switch f {
	case portal.FacetRegion, portal.FacetSex, portal.FacetFreshness:
	case portal.FacetLanguage:
		key = Key("lang." + value)
		if !slices.Contains(portal.Langs, portal.Lang(value)) {
			return value, false
		}
	default:
		return value, false
	}
	if _, ok := w.messages[key]; !ok {
		return value, false
	}
	return w.T(key), true
}

// Role says what a node does.
func (w *Words) Role(r portal.Role) string { return w.T(Key("node." + string(r))) }

// Stage names what a sync is doing.
func (w *Words) Stage(s portal.Stage) string { return w.T(Key("node.stage-" + string(s))) }

// Way says how many files came by one way: "whole", "patch" or "pack".
func (w *Words) Way(way string, n int) string { return w.T(Key("node.way-"+way), "n", n) }

// Language names a language in the words of this one.
func (w *Words) Language(l portal.Lang) string { return w.T(Key("lang." + string(l))) }

// Op names the condition of a row filter ("eq"); see portal.RowFilter.
func (w *Words) Op(op string) string { return w.T(Key("op." + op)) }

// Condition says a row filter as part of a sentence: "Region is “Xorazm”".
func (w *Words) Condition(op, column, value string) string {
	return w.T(Key("said."+op), "column", column, "value", value)
}

// Question names a question that people come with.
type Question string

// The questions; what answers them is ui/site's to find.
const (
	AskPopulation Question = "population"
	AskBirths     Question = "births"
	AskDoctors    Question = "doctors"
	AskHospitals  Question = "hospitals"
	AskSchools    Question = "schools"
	AskMarriages  Question = "marriages"
	AskWomen      Question = "women"
	AskFirstGrade Question = "firstgrade"
	AskDivorces   Question = "divorces"
	AskPerDoctor  Question = "perdoctor"
	AskColleges   Question = "colleges"
	AskPerTeacher Question = "perteacher"
)

// Questions are all of them.
var Questions = []Question{
	AskPopulation, AskBirths, AskDoctors, AskHospitals, AskSchools, AskMarriages, AskWomen, AskFirstGrade, AskDivorces,
	AskPerDoctor, AskColleges, AskPerTeacher,
}

// Question puts a question about a place, "UZ" or a region by ISO 3166-2:
// "How many people live in Andijan Region?"
func (w *Words) Question(q Question, place string) string {
	text := w.T(Key("ask."+string(q)), "place", w.T(Key("place."+place)))
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[n:]
}

// Tile is a region's name, as short as a tile of the grid of regions wants it.
func (w *Words) Tile(code string) string { return w.T(Key("tile." + code)) }

// Matched names a kind of field in which a search found words: one of
// portal.Hit.Matched.
func (w *Words) Matched(kind string) string { return w.T(Key("matched." + kind)) }
