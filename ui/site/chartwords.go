package site

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/portal/period"
	"koprik/portal/region"
	"koprik/ui/chart"
	"koprik/ui/locale"
)

// chartWords are the numbers of a figure in the reader's language.
func (v *visit) chartWords(d drawn) chart.Words {
	return chart.Words{
		Number: v.Float, Short: v.Short, None: v.T("chart.none"),
		Signed: func(f float64) string {
			f = rounded(f, d.figure)
			if f > 0 {
				return "+" + v.Float(f)
			}
			return v.Float(f)
		},
		Tile: func(code string) string {
			if region.IsRegion(code) {
				return v.Tile(code)
			}
			return ""
		},
		Share: func(f float64) string { return v.T("chart.percent", "n", v.Float(math.Round(f*1000)/10)) },
	}
}

// rounded takes what binary arithmetic adds off a difference: it has no more
// decimals than the values that it was made from.
func rounded(f float64, figure chart.Figure) float64 {
	most := 0
	for _, s := range figure.Series {
		for _, v := range s.Values {
			if _, decimals, ok := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), "."); ok && !math.IsNaN(v) {
				most = max(most, len(decimals))
			}
		}
	}
	text, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', min(most, 12), 64), 64)
	if err != nil {
		return f
	}
	return text
}

func (v *visit) chartNames() chart.Names {
	return chart.Names{
		Lang:   v.lang,
		Sex:    v.sexName,
		Period: v.period,
		Value:  v.valueName,
	}
}

// sexName calls a column of women, men or both as it is headed where the heading
// is short ("Girls"), or else by the portal's words.
func (v *visit) sexName(f portal.Field) string {
	if title := v.text(f.Title); title.Text != "" && title.Tag == "" && len(strings.Fields(title.Text)) <= 2 && !strings.Contains(title.Text, ",") {
		return title.Text
	}
	return v.T(locale.Key("chart." + cmp.Or(f.Meaning.Sex, portal.SexBoth)))
}

// period writes "2025", "2025-H1", "2025-Q1", "2025-01" and "2025-01-31".
func (v *visit) period(p string) string {
	year, part, ok := strings.Cut(p, "-")
	switch {
	case !ok:
		return year
	case part[0] == 'Q':
		return v.T("chart.quarter", "n", part[1:], "year", year)
	case part[0] == 'H':
		return v.T("chart.half", "n", part[1:], "year", year)
	case len(part) == 2:
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > 12 {
			return p
		}
		return v.T("chart.month", "month", v.T(locale.Key("month.m"+strconv.Itoa(n))), "year", year)
	}
	return v.Day(portal.Date(p))
}

// valueName gives a value of a dimension as the reader reads it: the name of a
// region for its code, Uzbek in the other script. Other words stay.
func (v *visit) valueName(f portal.Field, text string) string {
	if f.Meaning.Role == portal.RoleRegion && f.Meaning.Kind == portal.KindName && f.Meaning.Lang != v.lang {
		// No column has the reader's language: the official name stands for it.
		if place, ok := region.ByName(text); ok && place.Name.Translated[v.lang] != "" {
			return place.Name.Translated[v.lang]
		}
	}
	switch {
	case f.Meaning.Role == portal.RoleSex && f.Meaning.Lang != v.lang && !f.Meaning.IsTotal(text):
		return v.sexValue(text)
	case f.Meaning.Kind == portal.KindSOATO, f.Meaning.Kind == portal.KindISO:
		place, ok := region.BySOATO(text)
		if !ok {
			place, ok = region.ByISO(text)
		}
		if ok {
			return v.text(place.Name).Text
		}
	case v.lang == portal.UzbekCyrillic && f.Meaning.Lang == portal.Uzbek:
		return v.transliterated(lang.ToCyrillic(text), text).Text
	case v.lang == portal.Uzbek && f.Meaning.Lang == portal.UzbekCyrillic:
		return v.transliterated(lang.ToLatin(text), text).Text
	}
	return text
}

// childWords begin the words for girls and boys, as loose keys.
var childWords = []string{"qiz", "girl", "devoch", "boy", "ogil", "malchik", "ul"}

// sexValue is a value of a column of sexes in the reader's words, as it stands
// where it is neither.
func (v *visit) sexValue(text string) string {
	keys := strings.Fields(lang.FoldLoose(text))
	sex, rest := lang.SexOf(keys)
	if sex == "" || len(rest) > 0 {
		return text
	}
	child := slices.ContainsFunc(keys, func(k string) bool {
		return slices.ContainsFunc(childWords, func(w string) bool { return strings.HasPrefix(k, w) })
	})
	switch {
	case child && sex == portal.SexFemale:
		return v.T("chart.girls")
	case child:
		return v.T("chart.boys")
	}
	return v.T(locale.Key("chart." + sex))
}

// measureName names what is counted: the column's title, or what columns side
// by side share.
func (v *visit) measureName(d drawn, m chart.Measure) Shown {
	f := d.info.Columns[m.Columns[0]]
	if len(m.Columns) > 1 && f.Meaning.Of != "" {
		switch {
		case len(d.measures) == 1 || f.Meaning.Period != "":
			return v.resourceTitle(d.resource)
		case f.Meaning.Sex != "":
			return Shown{Text: v.T("chart.bysex")}
		}
		return Shown{Text: v.T("chart.byage")}
	}
	return v.columnTitle(f)
}

func (v *visit) measureTitle(d *drawn) string { return v.measureName(*d, d.measure).Text }

// unit is that of the measure, in the passport's words where it has them. A unit
// that a heading names is shown to those who read that heading.
func (v *visit) unit(d drawn) string {
	if d.cube == nil {
		return ""
	}
	passport := d.dataset.Latest.Passport.Unit
	if t := v.text(passport).Text; len(d.measures) == 1 && t != "" && !strings.ContainsAny(t, ";,") {
		return t
	}
	f := d.info.Columns[d.measure.Columns[0]]
	said := f.Meaning.Unit
	if units := strings.Split(v.text(passport).Text, ";"); said != "" && len(units) > 1 { // "Thousand people; inhabitants for one doctor"
		plain := strings.Split(passport.Plain, ";")
		at := slices.IndexFunc(plain, func(u string) bool { return strings.EqualFold(strings.TrimSpace(u), said) })
		if at >= 0 && len(plain) == len(units) {
			return strings.TrimSpace(units[at])
		}
	}
	title := v.columnTitle(f)
	if title.Tag == "" && strings.Contains(strings.ToLower(title.Text), strings.ToLower(said)) {
		return said
	}
	return ""
}

// dimName names a dimension. The one of regions is called so, whatever language
// its column is headed in.
func (v *visit) dimName(d drawn, dim chart.Dim) Shown {
	regions := 0
	for _, other := range d.cube.Dims {
		if other.Role == portal.RoleRegion {
			regions++
		}
	}
	if dim.Role == portal.RoleRegion && regions == 1 {
		return Shown{Text: v.T("chart.byregion")}
	}
	for _, f := range d.info.Columns {
		if f.Name == dim.Name && f.Meaning.Role == dim.Role {
			return v.columnTitle(f)
		}
	}
	return Shown{Text: v.T(locale.Key("chart.by" + string(dim.Role)))}
}

// viewName says how a plan draws: "Lines by year, women and men apart".
func (v *visit) viewName(d drawn, p chart.Plan) string {
	kind := v.T(locale.Key("chart." + string(p.Kind)))
	label := v.dimName(d, d.cube.Dims[p.Label]).Text
	if p.Series < 0 {
		return v.T("chart.view", "kind", kind, "label", label)
	}
	return v.T("chart.viewsplit", "kind", kind, "label", label, "series", v.dimName(d, d.cube.Dims[p.Series]).Text)
}

// heldOf says at which values the other dimensions are held: "2026 · Oʻzbekiston".
func (v *visit) heldOf(d drawn) string {
	if d.cube == nil {
		return ""
	}
	var parts []string
	for _, value := range d.cube.Held(d.plan) {
		if value.Label != "" {
			parts = append(parts, value.Label)
		}
	}
	return strings.Join(parts, " · ")
}

// timeOfColumn is the time of a measure's only column where no dimension tells it
// (hospitals_2024): a page does not show the column's title; "" elsewhere.
func (v *visit) timeOfColumn(d drawn) string {
	if d.cube == nil || slices.ContainsFunc(d.cube.Dims, func(dim chart.Dim) bool { return dim.Role == portal.RoleTime }) {
		return ""
	}
	if p := d.info.Columns[d.measure.Columns[0]].Meaning.Period; p != "" {
		return v.period(p)
	}
	return ""
}

// chartNotes stand under the figure wherever it goes: unit and what is shown,
// source and date.
func (v *visit) chartNotes(d *drawn) []string {
	var first []string
	summed := ""
	if d.summed {
		summed = v.T("lens.summed")
	}
	for _, s := range []string{v.unitNote(*d), v.timeOfColumn(*d), v.heldOf(*d), summed} {
		if s != "" && d.cube != nil {
			first = append(first, s)
		}
	}
	release := d.dataset.Latest
	var notes []string
	if len(first) > 0 {
		notes = append(notes, strings.Join(first, " · "))
	}
	if d.figure.Kind == chart.Map && d.cube.Additive {
		notes = append(notes, v.T("map.counts"))
	}
	notes = append(notes, v.T("chart.source", "source", strings.TrimRight(v.sourceOf(d.dataset), ". "), "date", v.day(release.Issued), "n", release.Number))
	if d.isMap() && d.base != nil {
		notes = append(notes, v.outlineNote(d.base))
	}
	return notes
}

// unitNote is the unit, or where nobody named one in the reader's words how many
// at once a value counts.
func (v *visit) unitNote(d drawn) string {
	unit := v.unit(d)
	if unit == "" && d.cube != nil && scales[d.cube.Scale] != "" {
		return strings.TrimSpace(v.T(scales[d.cube.Scale], "n", ""))
	}
	return unit
}

// sourceOf names who compiled the data, or else who published them.
func (v *visit) sourceOf(d portal.Dataset) string {
	if t := d.Latest.Passport.CompiledBy; !t.IsZero() {
		return v.text(t).Text
	}
	return v.publisherName(d.Publisher).Text
}

// findingOf is the sentence that a figure says first; "" when there is none.
func (v *visit) findingOf(d drawn) string {
	if d.figure.Kind == chart.Places {
		if n := len(d.figure.Points); n > 0 {
			return v.N("map.points", n)
		}
		return ""
	}
	found, ok := d.figure.Find()
	if !ok {
		return ""
	}
	number := v.numberer(d)
	value := number(found.Value)
	key := string(found.Kind)
	if found.Kind == chart.FoundChange {
		key = "more"
		if found.Diff < 0 {
			key = "less"
		}
	}
	diff := number(rounded(math.Abs(found.Diff), d.figure))
	share := v.T("chart.percent", "n", v.Float(math.Round(found.Diff*1000)/10))
	if found.Kind == chart.FoundChange && d.isPercent(v) { // of 14 % and 12 % the difference is no percentage
		diff = v.T("number.points", "n", v.Float(rounded(math.Abs(found.Diff), d.figure)))
	}
	series, otherSeries := found.Series, found.OtherSeries
	if s := d.plan.Series; s >= 0 && d.cube.Dims[s].Role == portal.RoleSex { // "Girls", which heads a column, within a sentence
		series, otherSeries = lower(series), lower(otherSeries)
	}
	said := v.T(locale.Key("chart.found-"+key), "label", found.Label, "other", found.Other, "than", v.than(d, found.Other), "series", series, "otherseries", otherSeries,
		"value", value, "before", number(found.Before), "diff", diff, "share", share)
	said = strings.ReplaceAll(said, "..", ".") // a unit that ends with a point: "тыс."
	if part := v.partOf(d); part != "" {
		return part + ". " + said
	}
	return said
}

// than is a time that another is compared with, as a sentence says it: a year, a
// part of one, or a day or a span of days.
func (v *visit) than(d drawn, label string) string {
	key := locale.Key("chart.than")
	for _, value := range d.cube.Dims[d.plan.Label].Values {
		if value.Label != label {
			continue
		}
		switch p, ok := period.Parse(value.Key); {
		case !ok || p.Kind == portal.KindDate:
		case p.Kind == portal.KindYear && p.String() == label:
			key = "chart.thanyear"
		default:
			key = "chart.thanpart"
		}
	}
	return v.T(key, "other", label)
}

// partOf names the regions and groups that a figure is about where it is about a
// part: a sentence without them would claim it of the whole.
func (v *visit) partOf(d drawn) string {
	var parts []string
	for i, at := range d.plan.Hold {
		dim := d.cube.Dims[i]
		if at >= 0 && i != d.plan.Label && i != d.plan.Series && dim.Role != portal.RoleTime && len(dim.Values) > 1 && !dim.Values[at].Total {
			parts = append(parts, dim.Values[at].Label)
		}
	}
	return strings.Join(notEmpty(parts), ", ")
}

// isPercent tells whether the values are percentages.
func (d drawn) isPercent(v *visit) bool {
	switch strings.ToLower(strings.TrimSpace(cmp.Or(d.info.Columns[d.measure.Columns[0]].Meaning.Unit, v.unit(d)))) {
	case "%", "foiz", "фоиз", "procent", "процент", "процентов", "проценты", "percent", "per cent", "percentage":
		return true
	}
	return strings.EqualFold(v.unit(d), "%")
}

// numberer writes values with their unit. In Russian a unit's form depends on the
// number: there it is said once, apart, unless it is one that is abbreviated.
func (v *visit) numberer(d drawn) func(float64) string {
	unit, declined := lower(v.unit(d)), false
	if v.lang == portal.Russian {
		unit, declined = abbreviated(unit)
	}
	scale, bare := scales[d.cube.Scale]
	bare = bare && !strings.Contains(unit, " ") // the unit says how many at once and nothing else
	return func(f float64) string {
		s := v.Float(f)
		switch {
		case bare:
			return v.T(scale, "n", s)
		case unit == "" || utf8.RuneCountInString(unit) > 40:
			return s
		case unit == "%" || declined && d.isPercent(v):
			return v.T("chart.percent", "n", s)
		case declined:
			s += " (" + unit + ")"
			unit = ""
			return s
		case v.lang == portal.English && f == 1 && strings.HasSuffix(unit, "s"): // "1 windows"
			return s + " (" + unit + ")"
		}
		return s + "\u00a0" + unit
	}
}

// abbreviations are what a Russian unit that counts by thousands and more begins
// with, by the stem of the word.
var abbreviations = []struct{ stem, short string }{{"тысяч", "тыс."}, {"миллион", "млн"}, {"миллиард", "млрд"}, {"триллион", "трлн"}}

// abbreviated shortens the first word of a Russian unit, behind which what is
// counted is in the genitive whatever the number: "тысяч человек" is "тыс. человек".
// declined tells that the unit begins with another word, whose form follows the
// number.
func abbreviated(unit string) (short string, declined bool) {
	first, rest, ok := strings.Cut(unit, " ")
	for _, a := range abbreviations {
		if ok && (strings.HasPrefix(first, a.stem) || strings.TrimSuffix(first, ".") == strings.TrimSuffix(a.short, ".")) {
			return a.short + " " + rest, false
		}
	}
	return unit, true
}

// scales are the words for numbers that a column counts by.
var scales = map[int64]locale.Key{1e3: "number.thousand", 1e6: "number.million", 1e9: "number.billion", 1e12: "number.trillion"}

// lower writes a unit as it stands within a sentence: "Ming kishi" as "ming
// kishi", "Oʻquvchi" as "oʻquvchi", and "GWh" as it is.
func lower(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	second, _ := utf8.DecodeRuneInString(strings.TrimLeft(s[size:], "ʻʼ"))
	if unicode.IsUpper(first) && unicode.IsLower(second) {
		return string(unicode.ToLower(first)) + s[size:]
	}
	return s
}

// figureTable is what is drawn, as a table for those who read it so.
func (v *visit) figureTable(d drawn) dataTable {
	t := dataTable{Caption: v.measureTitle(&d), Columns: []tableColumn{{Title: v.dimName(d, d.cube.Dims[d.plan.Label])}}}
	for _, s := range d.figure.Series {
		name := s.Name
		if name == "" {
			name = v.measureTitle(&d)
		}
		t.Columns = append(t.Columns, tableColumn{Title: Shown{Text: name}, Number: true})
	}
	for i, label := range d.figure.Labels {
		row := []cell{{Text: label}}
		for _, s := range d.figure.Series {
			text := "–"
			if !math.IsNaN(s.Values[i]) {
				text = v.Float(s.Values[i])
			}
			row = append(row, cell{Text: text, Number: true})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
