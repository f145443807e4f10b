package site

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/portal/period"
	"koprik/portal/region"
	"koprik/ui/chart"
)

// answerIn tries one table.
func (v *visit) answerIn(q asked, dataset portal.Dataset, r portal.Resource) *found {
	d, table, ok := v.readTable(dataset, r, q.mayBeIn)
	if !ok {
		return nil
	}
	var best *found
	for _, m := range d.measures {
		var err error
		d.measure = m
		if d.cube, err = chart.NewCube(table, m, v.chartNames()); err != nil {
			continue
		}
		f := q.find(v, d)
		if f == nil {
			continue
		}
		if best != nil && best.named == f.named {
			return nil // two measures answer alike: no one number
		}
		if best == nil || f.named > best.named {
			best = f
		}
	}
	return best
}

// found is the cell that answers.
type found struct {
	drawn
	at    []int // for each dimension of the cube
	value float64
	named int // how many of the words name the measure itself
	place int // the dimension that a word named; -1: none
}

// inCity tells whether the cell is of a city.
func (f *found) inCity() bool {
	for i, dim := range f.cube.Dims {
		if dim.Role == portal.RoleRegion && isCity(dim.Values[f.at[i]]) {
			return true
		}
	}
	return false
}

// find looks for the one cell that the words name; nil when none or several are.
func (q asked) find(v *visit, d drawn) *found {
	f := found{drawn: d, place: -1}
	allowed, placed, ok := q.narrow(v, &f)
	if !ok || !q.names(&f, placed) {
		return nil
	}
	if placed == "" && !q.timed && q.sex == "" && !slices.ContainsFunc(q.words, isCountry) {
		return nil // a topic, not a question
	}
	if q.sex == "" && !slices.ContainsFunc(q.words, func(w word) bool { return w.text != placed && !isCountry(w) }) {
		return nil // a place, and nobody says what of it
	}
	cells := 0
	for at, value := range d.cube.Cells {
		fits := true
		for i, place := range at {
			fits = fits && (allowed[i] == nil || allowed[i][place])
		}
		if fits {
			cells++
			f.at, f.value = slices.Clone(at), value
		}
	}
	if cells != 1 {
		return nil
	}
	return &f
}

// narrow says for each dimension which of its values the words allow: the one that
// they name, else the whole, else the newest; nil allows all. placed is the word
// that named a place.
func (q asked) narrow(v *visit, f *found) (allowed []map[int]bool, placed string, ok bool) {
	allowed = make([]map[int]bool, len(f.cube.Dims))
	timed := false
	for i, dim := range f.cube.Dims {
		switch dim.Role {
		case portal.RoleTime:
			if allowed[i] = q.inTime(dim); len(allowed[i]) == 0 {
				return nil, "", false
			}
			timed = true
		case portal.RoleRegion:
			if at, word := q.inPlace(dim); at >= 0 {
				allowed[i], placed, f.place = map[int]bool{at: true}, word, i
			}
		case portal.RoleSex:
			if at := q.inSex(dim); at >= 0 {
				allowed[i] = map[int]bool{at: true}
			} else {
				return nil, "", false
			}
		default:
			at := wholeOf(dim)
			if at < 0 {
				return nil, "", false
			}
			allowed[i] = map[int]bool{at: true}
		}
	}
	for i, dim := range f.cube.Dims {
		if dim.Role == portal.RoleRegion && placed == "" {
			at := wholeOf(dim)
			if at < 0 {
				return nil, "", false
			}
			allowed[i] = map[int]bool{at: true}
		}
	}
	if q.sex != "" && !slices.ContainsFunc(f.cube.Dims, func(d chart.Dim) bool { return d.Role == portal.RoleSex }) && !q.sexOfMeasure(*f) {
		return nil, "", false
	}
	if q.timed && !timed && !q.timeOfMeasure(v, *f) {
		return nil, "", false
	}
	return allowed, placed, true
}

// sexOfMeasure tells whether the one column of a measure is of the sex asked for.
func (q asked) sexOfMeasure(f found) bool {
	return len(f.measure.Columns) == 1 && f.info.Columns[f.measure.Columns[0]].Meaning.Sex == q.sex
}

// timeOfMeasure tells whether the measure, or the table's title, is of the time
// asked for.
func (q asked) timeOfMeasure(v *visit, f found) bool {
	column := f.info.Columns[f.measure.Columns[0]]
	for _, label := range []string{column.Meaning.Period, column.Name, v.resourceTitle(f.resource).Text, v.title(f.dataset).Text} {
		if p, _, ok := period.In(label); ok && within(p, q.period) {
			return true
		}
	}
	return false
}

// within tells whether p is the period that is asked for, or the day or month
// that stands for its year.
func within(p, asked period.Period) bool {
	return p == asked || asked.Start().Equal(p.Start()) || len(asked.String()) == 4 && p.Year == asked.Year
}

func (q asked) inTime(dim chart.Dim) map[int]bool {
	if !q.timed {
		return map[int]bool{len(dim.Values) - 1: true}
	}
	at := map[int]bool{}
	for i, value := range dim.Values {
		if p, ok := period.Parse(value.Key); ok && within(p, q.period) {
			at[i] = true
		}
	}
	return at
}

// inPlace finds the one value of a dimension of regions that a word names, and
// the word; -1 where none is named or several are. A city comes before the region
// or district that is called so.
func (q asked) inPlace(dim chart.Dim) (at int, word string) {
	at = -1
	for i, value := range dim.Values {
		w := q.nameOf(value)
		switch {
		case w == "":
		case at < 0, q.kind == "" && isCity(value) && !isCity(dim.Values[at]):
			at, word = i, w
		case q.kind == "" && isCity(dim.Values[at]) && !isCity(value):
		default:
			return -1, ""
		}
	}
	return at, word
}

// nameOf is the word of the search that names a place of the kind that is asked
// for; "" where none does.
func (q asked) nameOf(value chart.Value) string {
	if p, ok := placeOf(value); ok && q.kind != "" {
		kind := map[region.Level]string{region.Region: "region", region.District: "district"}[p.Level]
		if p.City {
			kind = "city"
		}
		if kind != q.kind {
			return ""
		}
	}
	for _, name := range placeNames(value) {
		for _, w := range q.words {
			if name.is(w) {
				return w.text
			}
		}
	}
	return ""
}

// isCountry tells whether a word names the country: then the whole is asked for.
func isCountry(w word) bool {
	return anyIs(countryNames(), w)
}

// countryNames are the words by which the country is called.
var countryNames = sync.OnceValue(func() (names []word) {
	for _, name := range region.All()[0].Name.All() {
		first, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(name), "республика "), " ")
		names = append(names, wordOf(first))
	}
	return names
})

func placeOf(value chart.Value) (region.Place, bool) {
	for _, text := range []string{value.Key, value.Label} {
		if p, ok := region.Find(text); ok {
			return p, true
		}
	}
	return region.Place{}, false
}

func isCity(value chart.Value) bool {
	p, ok := placeOf(value)
	return ok && p.City
}

// placeNames are the words by which a place is called, without "region" and "city".
func placeNames(value chart.Value) []word {
	names := addNames(nil, value.Label)
	p, ok := placeOf(value)
	if !ok {
		return names
	}
	known, ok := placeWords.Load(p.SOATO)
	if !ok {
		known, _ = placeWords.LoadOrStore(p.SOATO, addNames(nil, p.Name.All()...))
	}
	return append(names, known.([]word)...)
}

// placeWords keeps the words of each place by its SOATO: there are two hundred,
// and every search is compared with them.
var placeWords sync.Map

func addNames(words []word, names ...string) []word {
	for _, name := range names {
		for _, w := range lang.Tokens(name) {
			if w = strings.ToLower(w); !silent[w] && utf8.RuneCountInString(w) > 3 {
				words = append(words, wordOf(w))
			}
		}
	}
	return words
}

func (q asked) inSex(dim chart.Dim) int {
	if q.sex == "" {
		return wholeOf(dim)
	}
	return slices.IndexFunc(dim.Values, func(value chart.Value) bool {
		return value.Key == q.sex || sexNamed(value.Key) == q.sex || sexNamed(value.Label) == q.sex
	})
}

// wholeOf is the value that stands for all, or the only one; else -1.
func wholeOf(dim chart.Dim) int {
	if len(dim.Values) == 1 {
		return 0
	}
	return slices.IndexFunc(dim.Values, func(value chart.Value) bool { return value.Total })
}

// addWords adds the words of texts in all languages, in lower case.
func addWords(words []word, texts ...portal.Text) []word {
	for _, t := range texts {
		for _, s := range t.All() {
			words = addTokens(words, s)
		}
	}
	return words
}

// nameWords are the words in the names of a table.
func nameWords(o opened) []word {
	words := addWords(nil, o.dataset.Latest.Title, o.resource.Title)
	for _, k := range o.dataset.Latest.Keywords {
		words = addTokens(words, k)
	}
	return words
}

func addTokens(words []word, text string) []word {
	for _, token := range lang.Tokens(strings.ToLower(text)) {
		words = append(words, wordOf(token))
	}
	return words
}

func anyIs(words []word, w word) bool {
	return slices.ContainsFunc(words, func(o word) bool { return o.is(w) })
}

// mayBeIn tells, before a table is read, whether its names and those of its columns
// have the words: all but one, which may be a place, and those for the country.
func (q asked) mayBeIn(d drawn) bool {
	words := nameWords(d.opened)
	for _, f := range d.info.Columns {
		words = addWords(words, f.Title)
	}
	other := 0
	for _, w := range q.words {
		if !anyIs(words, w) && !isCountry(w) {
			other++
		}
	}
	return other <= 1
}

// names tells whether every word that names no place stands in the names of the
// table, and counts those that stand in the measure's own.
func (q asked) names(f *found, placed string) bool {
	var measure []word
	for _, i := range f.measure.Columns {
		measure = addWords(measure, f.info.Columns[i].Title)
	}
	table := nameWords(f.opened)
	for _, w := range q.words {
		switch {
		case w.text == placed || placed == "" && isCountry(w):
		case anyIs(measure, w):
			f.named++
		case !anyIs(table, w):
			return false
		}
	}
	return true
}

// regionIn is the code of the region that the words name, else of the country.
func (q asked) regionIn() string {
	code := country
	for _, p := range region.All() {
		if p.Level != region.Region || q.nameOf(chart.Value{Key: p.ISO}) == "" {
			continue
		}
		if code == country || p.City && q.kind == "" {
			code = p.ISO
		}
	}
	return code
}

// answerBox says the cell: number, unit, place and time, source, and how it went.
func (v *visit) answerBox(f found) *answerBox {
	var where []string
	for i, at := range f.at {
		if label := f.cube.Dims[i].Values[at].Label; label != "" {
			where = append(where, label)
		}
	}
	if when := v.timeBeside(f); when != "" {
		where = append(where, when)
	}
	number := v.numberer(f.drawn)
	release := f.dataset.Latest
	box := &answerBox{
		Figure: figure{
			Number: number(f.value), Measure: v.measureName(f.drawn, f.measure), Where: strings.Join(where, " · "),
			Source: Link{Shown: v.title(f.dataset), Href: v.datasetURL(f.dataset.ID)},
		},
		Release: v.T("chart.source", "source", strings.TrimRight(v.sourceOf(f.dataset), ". "), "date", v.day(release.Issued), "n", release.Number),
		Said:    Link{Shown: Shown{Text: v.T("passport.who")}, Href: v.datasetURL(f.dataset.ID) + "#passport"},
	}
	query := url.Values{}
	if len(f.measures) > 1 {
		query.Set("m", f.measure.Name)
	}
	for i, at := range f.at {
		if dim := f.cube.Dims[i]; dim.Role != portal.RoleTime && len(dim.Values) > 1 {
			query.Set("at."+dim.Name, dim.Values[at].Key)
		}
	}
	box.ChartURL = v.datasetURL(f.dataset.ID) + "/chart/" + url.PathEscape(f.resource.Name)
	if len(query) > 0 {
		box.ChartURL += "?" + query.Encode()
	}
	box.Drawing = v.overTime(f)
	return box
}

// timeBeside says of which time a cell is where no dimension does: as the column
// or the title of the table tells, or that nothing does; "" where the words that
// stand at the answer say it already.
func (v *visit) timeBeside(f found) string {
	if slices.ContainsFunc(f.cube.Dims, func(d chart.Dim) bool { return d.Role == portal.RoleTime }) {
		return ""
	}
	column, title := f.info.Columns[f.measure.Columns[0]], v.resourceTitle(f.resource).Text
	switch measure := v.measureName(f.drawn, f.measure).Text; {
	case lastYear(measure) != "":
		return ""
	case column.Meaning.Period != "":
		return v.period(column.Meaning.Period)
	case lastYear(title) != "":
		return title
	case lastYear(v.title(f.dataset).Text) != "":
		return "" // the link to the dataset says it
	}
	return v.T("finding.timeless")
}

// overTime draws the answer's place and kind over time; nil where the table has
// no three points of time.
func (v *visit) overTime(f found) *drawing {
	time := slices.IndexFunc(f.cube.Dims, func(d chart.Dim) bool { return d.Role == portal.RoleTime && len(d.Values) > 2 })
	if time < 0 {
		return nil
	}
	hold := slices.Clone(f.at)
	hold[time] = -1
	f.plan = chart.Plan{Kind: chart.Line, Label: time, Series: -1, Hold: hold}
	var err error
	if f.figure, err = f.cube.Figure(f.plan); err != nil {
		return nil
	}
	f.figure.Title, f.figure.Desc = v.measureTitle(&f.drawn), v.findingOf(f.drawn)
	both, err := v.drawing(f.drawn)
	if err != nil {
		return nil
	}
	v.FigureStyle = v.site.assets.URL("figure.css")
	return &both
}
