package index

import (
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"

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
	// Uses is how often it was opened or taken away, by any count that is made
	// for all datasets alike; used ones rank before unused ones.
	Uses int64
}

// useOf gives how much a dataset is used as a power of two: 0 for never.
func useOf(uses int64) uint8 { return uint8(bits.Len64(uint64(max(uses, 0)))) }

// MaxValues is how many distinct values of one dataset are indexed.
const MaxValues = 10_000

// region is one of the fourteen first-level divisions by its ISO 3166-2 code.
// names are beginnings of loose keys in Uzbek, Karakalpak, Russian and English.
type region struct {
	code  string
	names []string
}

// regions are after ISO 3166-2:UZ. Toshkent, two divisions of one name, is read
// by the words beside it.
var regions = []region{
	{"UZ-AN", []string{"andijon", "andijan"}},
	{"UZ-BU", []string{"buhoro", "buhar", "bukhar"}},
	{"UZ-FA", []string{"fargona", "fergan", "fargan"}},
	{"UZ-JI", []string{"jizzah", "djizak", "jizzakh", "jizzaq"}},
	{"UZ-NG", []string{"namangan"}},
	{"UZ-NW", []string{"navoi"}},
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
var tashkentNames = []string{"toshkent", "tashkent"}

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

// yearSpan is one year, or two with a dash between.
var yearSpan = regexp.MustCompile(`\b((?:19|20)\d\d)(?:\s*[-\x{2010}-\x{2015}/]\s*((?:19|20)\d\d))?\b`)

// maxSpan is the longest span of years that is taken for one.
const maxSpan = 100

// yearsIn gives the years that a text names, those between two included.
func yearsIn(text string) []string {
	var years []string
	if !strings.ContainsAny(text, "12") {
		return nil
	}
	for _, m := range yearSpan.FindAllStringSubmatch(text, -1) {
		from, _ := strconv.Atoi(m[1]) // four digits
		to, err := strconv.Atoi(m[2])
		if err != nil || to < from || to-from > maxSpan {
			to = from
			if err == nil {
				years = append(years, m[2])
			}
		}
		for y := from; y <= to; y++ {
			years = append(years, strconv.Itoa(y))
		}
	}
	return years
}

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

// facts reads the facts of a document.
func (a *analyser) facts(d *Document) facts {
	r := &d.Dataset.Latest
	var f facts
	var about []string
	for _, t := range []portal.Text{r.Title, r.Description} {
		about = append(about, t.All()...)
	}
	about = append(append(about, r.Keywords...), strings.ReplaceAll(d.Dataset.ID.Name(), "-", " "))
	for i := range r.Resources {
		about = append(append(about, r.Resources[i].Name), r.Resources[i].Title.All()...)
	}
	about = append(about, d.Values[:min(len(d.Values), MaxValues)]...)
	for _, s := range about {
		if words, telling := a.words(s); telling {
			f.regions = append(f.regions, regionsOf(words)...)
		}
		f.years = append(f.years, yearsIn(s)...)
	}
	bySex := f.readColumns(r.Resources) || hasBothSexes(d.Values)
	switch by := r.Passport.BySex; {
	case by != nil && *by || by == nil && bySex:
		f.sex = portal.SexYes
	case by != nil:
		f.sex = portal.SexNo
	}
	for _, w := range wordings(r.Title) {
		if w.lang != "" {
			f.languages = append(f.languages, string(w.lang))
		}
		words, telling := a.words(w.text)
		if telling {
			f.subset |= subsetOfWords(words)
		}
		if n := len(words); f.length == 0 || n < f.length {
			f.length = n
		}
	}
	slices.Sort(f.years)
	f.years = slices.Compact(f.years)
	return f
}

// readColumns reads the names of columns; it tells whether one holds sexes.
func (f *facts) readColumns(rs []portal.Resource) (bySex bool) {
	named, split := len(f.regions) > 0, false
	male, female := false, false
	for i := range rs {
		if rs[i].Schema == nil {
			continue
		}
		for _, field := range rs[i].Schema.Fields {
			f.years = append(f.years, yearsIn(field.Name)...)
			for _, w := range strings.Fields(lang.FoldLoose(field.Name)) {
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
