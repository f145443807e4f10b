package index

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/lang"
)

// Document is a dataset with what only its tables and its talk can tell. The
// zero values of the rest are a dataset as the catalogue alone knows it.
type Document struct {
	Dataset portal.Dataset
	// Values are the distinct values of its categorical columns, in any order;
	// the first MaxValues are indexed. A district among them finds the table, and
	// regions, years and sexes among them count in the facets.
	Values []string
	// Questions are the questions about it and their answers, as they may be shown.
	Questions []portal.Text
	// Reuses are the titles of applications and stories made with it.
	Reuses []portal.Text
}

// MaxValues is how many distinct values of one dataset are indexed.
const MaxValues = 10_000

// region is one of the fourteen first-level divisions by its ISO 3166-2 code.
// names are beginnings of loose keys in Uzbek, Karakalpak, Russian and English.
type region struct {
	code  string
	names []string
}

// regions are after ISO 3166-2:UZ. portal/region has the same places with their
// districts, and reads a cell that is a name, whole; here words of running text
// are read, in any form, millions of them, for which beginnings do. A test holds
// the two together.
//
// Toshkent, two divisions of one name, is read
// by the words beside it.
var regions = []region{
	{"UZ-AN", []string{"andijon", "andijan"}},
	{"UZ-BU", []string{"buhoro", "buhar", "bukhar"}},
	{"UZ-FA", []string{"fargona", "fergan", "fargan"}},
	{"UZ-JI", []string{"jizzah", "djizak", "jizzakh", "jizzaq"}},
	{"UZ-NG", []string{"namangan"}},
	{"UZ-NW", []string{"navoi", "naway", "naoay"}},
	{"UZ-QA", []string{"qashqadar", "kashkadar"}},
	{"UZ-QR", []string{"qoraqalpog", "qaraqalpaq", "karakalpak", "qoraqalpoq"}},
	{"UZ-SA", []string{"samarqand", "samarkand"}},
	{"UZ-SI", []string{"sirdar", "syrdar"}},
	{"UZ-SU", []string{"surhondar", "surhandar", "surkhandar"}},
	{"UZ-XO", []string{"horazm", "horezm", "khorezm", "khorazm", "horezim"}},
}

const (
	tashkentCity   = "UZ-TK"
	tashkentRegion = "UZ-TO"
)

// tashkentNames are the beginnings of loose keys that name one or the other.
var tashkentNames = []string{"toshkent", "tashken"} // the loose key of Ташкентская has no t

// regionsIn gives the codes of the regions that a text names.
func regionsIn(text string) []string { return regionsOf(strings.Fields(lang.FoldLoose(text))) }

// regionsOf is regionsIn for the loose keys of the words.
func regionsOf(words []string) []string {
	var codes []string
	for i, w := range words {
		if hasAnyPrefix(w, tashkentNames) {
			codes = append(codes, tashkent(words, i))
			continue
		}
		for _, r := range regions {
			if hasAnyPrefix(w, r.names) {
				codes = append(codes, r.code)
			}
		}
	}
	return codes
}

// tashkent tells the region from the city by the words beside the name; the
// name alone is the city.
func tashkent(words []string, i int) string {
	for _, at := range []int{i + 1, i - 1} {
		if at >= 0 && at < len(words) && hasAnyPrefix(words[at], []string{"viloat", "viloyat", "vilayat", "walayat", "oblast", "region", "province"}) {
			return tashkentRegion
		}
	}
	return tashkentCity
}

func hasAnyPrefix(w string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(w, p) })
}

// regionCode reads what stands after region: in a query, a code or a name.
func regionCode(s string) string {
	upper := strings.ToUpper(s)
	if upper == "UZ-TK" || upper == "UZ-TO" || slices.ContainsFunc(regions, func(r region) bool { return r.code == upper }) {
		return upper
	}
	if codes := regionsIn(s); len(codes) > 0 {
		return codes[0]
	}
	return s
}

// maxSpan is the longest span of years that is taken for one.
const maxSpan = 100

// yearsIn gives the years that a text names, those between two included.
func yearsIn(text string) []string { return appendYears(nil, text) }

// appendYears is yearsIn, appended to years. A year is four digits, 1900 to
// 2099, with no letter, digit or underscore beside them; a span is two with one
// dash between, or a slash, and spaces.
func appendYears(years []string, text string) []string {
	for i := 0; i < len(text); {
		if c := text[i]; c != '1' && c != '2' || i > 0 && isWordByte(text[i-1]) || !isYear(text[i:]) {
			i++
			continue
		}
		from, to := text[i:i+4], ""
		i += 4
		if n := dash(text[i:]); n > 0 && isYear(text[i+n:]) {
			to = text[i+n : i+n+4]
			i += n + 4
		}
		years = appendSpan(years, from, to)
	}
	return years
}

// appendSpan appends the years from one to another, or both where they are no
// span; to may be "".
func appendSpan(years []string, from, to string) []string {
	first, _ := strconv.Atoi(from) // four digits
	last, err := strconv.Atoi(to)
	if err != nil {
		return append(years, from)
	}
	if last < first || last-first > maxSpan {
		return append(years, to, from)
	}
	for y := first; y <= last; y++ {
		years = append(years, strconv.Itoa(y))
	}
	return years
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// isYear tells whether a text begins with a year.
func isYear(s string) bool {
	if len(s) < 4 || s[:2] != "19" && s[:2] != "20" || len(s) > 4 && isWordByte(s[4]) {
		return false
	}
	return '0' <= s[2] && s[2] <= '9' && '0' <= s[3] && s[3] <= '9'
}

// dash gives the length of the dash, or slash, with which a text begins, spaces
// around it included; 0 where there is none.
func dash(s string) int {
	rest := strings.TrimLeft(s, spaces)
	r, n := utf8.DecodeRuneInString(rest)
	if r != '-' && r != '/' && (r < 0x2010 || r > 0x2015) {
		return 0
	}
	return len(s) - len(strings.TrimLeft(rest[n:], spaces))
}

// spaces may stand beside a dash.
const spaces = " \t\n\f\r"

// Beginnings of loose keys of names of columns that hold regions or sexes.
var (
	regionColumns = []string{"viloat", "viloyat", "hudud", "region", "oblast", "aymak", "aymaq", "walayat", "tuman", "district", "rayon", "soato"}
	sexColumns    = []string{"jins", "jinis", "sex", "gender", "pol"}
	sexWords      = []string{"ayol", "erkak", "male", "female", "men", "women", "jenshin", "mujchin", "hayal"}
)

// facts are what the facets and the ranking know of a dataset besides its words.
type facts struct {
	regions, years, languages []string
	sex                       string
	subset                    subset
	length                    int // words of the title
}

// read reads the regions and years of a text; keys are the loose keys of its
// words, of which telling says that one may name a region.
func (f *facts) read(text string, keys []string, telling bool) {
	if telling {
		f.regions = append(f.regions, regionsOf(keys)...)
	}
	f.years = appendYears(f.years, text)
}

// readTitle is read for a wording of the title.
func (f *facts) readTitle(w wording, keys []string, telling bool) {
	f.read(w.text, keys, telling)
	if w.lang != "" {
		f.languages = append(f.languages, string(w.lang))
	}
	if telling {
		f.subset |= subsetOfWords(keys)
	}
	if n := len(keys); f.length == 0 || n < f.length {
		f.length = n
	}
}

// finish adds to the facts of a document's texts what its columns, its values
// and its passport tell.
func (a *analyser) finish(f *facts, d *Document) {
	r := &d.Dataset.Latest
	bySex := a.readColumns(f, r.Resources) || hasBothSexes(d.Values)
	switch split, known := r.SplitBySex(); {
	case split, !known && bySex:
		f.sex = portal.SexYes
	case known:
		f.sex = portal.SexNo
	}
	slices.Sort(f.years)
	f.years = slices.Compact(f.years)
}

// readColumns reads the names of columns; it tells whether one holds sexes.
func (a *analyser) readColumns(f *facts, rs []portal.Resource) (bySex bool) {
	named, split := len(f.regions) > 0, false
	male, female := false, false
	for i := range rs {
		if rs[i].Schema == nil {
			continue
		}
		for _, field := range rs[i].Schema.Fields {
			f.years = appendYears(f.years, field.Name)
			keys, _ := a.words(field.Name)
			for _, w := range keys {
				split = split || hasAnyPrefix(w, regionColumns)
				bySex = bySex || slices.Contains(sexColumns, w) || strings.HasPrefix(w, "jins")
				male = male || slices.Contains([]string{"male", "men", "erkak", "erkaklar"}, w)
				female = female || slices.Contains([]string{"female", "women", "ayol", "ayollar"}, w)
			}
		}
	}
	if split && !named {
		f.regions = append(f.regions, portal.RegionSplit)
	}
	return bySex || male && female
}

// hasBothSexes tells whether two words for sexes stand among values.
func hasBothSexes(values []string) bool {
	found := map[string]bool{}
	for _, v := range values {
		w := lang.FoldLoose(v)
		for _, s := range sexWords {
			if w == s || strings.HasPrefix(w, s) && len(w) <= len(s)+4 {
				found[s] = true
			}
		}
	}
	return len(found) > 1
}

// subset says of which part of the whole a title speaks. A neutral query ranks
// the whole before its parts.
type subset uint8

const (
	ofWomen subset = 1 << iota
	ofMen
	ofTowns
	ofVillages
	ofAnAge
	ofOneRegion
)

// subsetWords are beginnings of loose keys; -but says which next word takes the
// meaning away ("qishloq xoʻjaligi" is agriculture).
var subsetWords = []struct {
	part  subset
	words []string
	but   []string
}{
	{ofWomen, []string{"ayol", "qizlar", "jenshin", "devoch", "devush", "women", "female", "girl", "hayal"}, nil},
	{ofMen, []string{"erkak", "ogil", "mujch", "malchik", "men", "male", "boys", "erkek"}, []string{"men's"}},
	{ofTowns, []string{"shaharlik", "shaharda", "gorodsk", "urban", "qalaliq"}, nil},
	{ofTowns, []string{"shahar"}, []string{""}},
	{ofVillages, []string{"qishloq", "selsk", "selska", "rural", "awilliq"}, []string{"hojali", "hoz", "hozya"}},
	{ofAnAge, []string{"bolalar", "detey", "deti", "children", "yoshgacha", "yoshdan", "infant", "chaqaloq", "pensioner"}, nil},
}

// subsetOf reads the parts that a text names. A text that names both sexes, or
// towns and villages, names the whole; more than one region is the country.
func subsetOf(text string) subset { return subsetOfWords(strings.Fields(lang.FoldLoose(text))) }

// subsetOfWords is subsetOf for the loose keys of the words.
func subsetOfWords(words []string) subset {
	var s subset
	for i, w := range words {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		for _, p := range subsetWords {
			switch {
			case len(p.but) == 1 && p.but[0] == "":
				if w == p.words[0] && strings.HasPrefix(next, "ahol") {
					s |= p.part
				}
			case len(w) <= 3 && slices.Contains(p.words, w), len(w) > 3 && hasLongPrefix(w, p.words):
				if next == "" || len(p.but) == 0 || !hasAnyPrefix(next, p.but) {
					s |= p.part
				}
			}
		}
	}
	for _, both := range []subset{ofWomen | ofMen, ofTowns | ofVillages} {
		if s&both == both {
			s &^= both
		}
	}
	if codes := regionsOf(words); len(codes) > 0 && len(slices.Compact(codes)) == 1 {
		s |= ofOneRegion
	}
	return s
}

// isTelling tells whether a word by its loose key may name a region or a part of
// the whole; most do not.
func isTelling(w string) bool {
	if hasAnyPrefix(w, tashkentNames) || slices.ContainsFunc(regions, func(r region) bool { return hasAnyPrefix(w, r.names) }) {
		return true
	}
	for _, p := range subsetWords {
		if slices.Contains(p.words, w) || hasLongPrefix(w, p.words) {
			return true
		}
	}
	return false
}

// hasLongPrefix is hasAnyPrefix without the prefixes of three letters, which
// begin too many words.
func hasLongPrefix(w string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return w == p || len(p) > 3 && strings.HasPrefix(w, p) })
}
