package site

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/portal/period"
	"koprik/portal/region"
	"koprik/ui/chart"
	"koprik/ui/locale"
)

// question is one that people come with. Which figure answers it is decided by
// the name of the column: the program compares words and understands nothing.
type question struct {
	id locale.Question
	// columns are beginnings of column names, one of which a figure's has.
	columns []string
	// search finds datasets that may answer, where the newest do not.
	search string
}

// questions are in the order in which they are shown.
var questions = []question{
	{locale.AskPopulation, []string{"population", "aholi"}, "doimiy aholi soni"},
	{locale.AskBirths, []string{"live_births", "births", "tugilgan"}, "tirik tugʻilganlar"},
	{locale.AskDoctors, []string{"doctors", "shifokor"}, "shifokorlar soni"},
	{locale.AskHospitals, []string{"hospitals", "shifoxona"}, "shifoxonalar soni"},
	{locale.AskSchools, []string{"schools", "maktab"}, "maktablar soni"},
	{locale.AskMarriages, []string{"marriages", "nikoh"}, "nikohlar"},
	{locale.AskWomen, []string{"women", "ayollar"}, "ayollar soni"},
	{locale.AskFirstGrade, []string{"first_grade"}, "birinchi sinf"},
	{locale.AskDivorces, []string{"divorces", "ajrim"}, "ajrimlar"},
	{locale.AskPerDoctor, []string{"persons_per_doctor"}, "bir shifokorga"},
	{locale.AskColleges, []string{"colleges", "kollej"}, "kollejlar"},
	{locale.AskPerTeacher, []string{"pupils_per_teacher"}, "bir oʻqituvchiga"},
}

// asks tells whether a column answers the question. "doctors_per_10000" counts
// no doctors.
func (q question) asks(column string) bool {
	name := strings.ToLower(column)
	for _, c := range q.columns {
		if rest, ok := strings.CutPrefix(name, c); ok && (rest == "" || rest[0] == '_') && !strings.Contains(rest, "_per_") && !strings.Contains(rest, "percent") {
			return true
		}
	}
	return false
}

// Limits of looking for answers, once a generation.
const (
	newestTried = 24 // datasets
	foundTried  = 4  // for each question besides
)

// answers remembers the facts of one generation.
type answers struct {
	mu         sync.Mutex
	known      bool
	generation int64
	facts      []fact

	byGeneration int64
	byDataset    map[portal.DatasetID][]fact
}

// allFacts gives the facts that questions are answered from, of the newest
// datasets and of those that are found for the questions.
func (v *visit) allFacts() ([]fact, error) {
	memo, generation := &v.site.answers, v.view.State().Generation
	memo.mu.Lock()
	defer memo.mu.Unlock()
	if memo.known && memo.generation == generation {
		return memo.facts, nil
	}
	queries := []portal.Query{{Lang: v.lang, Sort: portal.ByUpdated, Limit: newestTried}}
	count, err := v.view.Count(v.ctx)
	if err != nil {
		return nil, fmt.Errorf("count of datasets: %w", err)
	}
	if count > newestTried {
		for _, q := range questions {
			queries = append(queries, portal.Query{Lang: portal.Uzbek, Text: q.search, Limit: foundTried})
		}
	}
	var ids []portal.DatasetID
	seen := map[portal.DatasetID]bool{}
	for _, q := range queries {
		results, err := v.view.Search(v.ctx, q)
		if err != nil {
			return nil, fmt.Errorf("datasets that answer: %w", err)
		}
		for _, h := range results.Hits {
			if !seen[h.Dataset] {
				seen[h.Dataset] = true
				ids = append(ids, h.Dataset)
			}
		}
	}
	datasets, err := v.view.Datasets(v.ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("datasets that answer: %w", err)
	}
	var facts []fact
	for _, d := range datasets {
		facts = append(facts, v.facts(d)...)
	}
	if err := v.ctx.Err(); err != nil {
		return nil, err // what a reader who left has found is not whole
	}
	memo.facts, memo.generation, memo.known = facts, generation, true
	return facts, nil
}

// answered are the questions that figures of a place answer, at most limit.
func (v *visit) answered(place string, limit int) ([]figure, error) {
	facts, err := v.allFacts()
	if err != nil {
		return nil, err
	}
	var list []figure
	for _, q := range questions {
		f, ok := newestFact(facts, func(f fact) bool { return f.place == place && q.asks(f.column.Name) })
		if !ok {
			continue
		}
		list = append(list, v.figure(f, v.Question(q.id, place)))
		if len(list) == limit {
			break
		}
	}
	return list, nil
}

// regionTile is one of the fourteen, in the order of the tiles.
type regionTile struct {
	code  string // ISO 3166-2
	class string // where its tile stands beside the next one's place
}

// regions stand as on a map: six tiles a row, from north-west to south-east.
var regions = []regionTile{
	{"UZ-QR", "t2"},
	{"UZ-NW", ""},
	{"UZ-TK", ""},
	{"UZ-TO", ""},
	{"UZ-NG", ""},
	{"UZ-XO", ""},
	{"UZ-BU", ""},
	{"UZ-SA", ""},
	{"UZ-JI", ""},
	{"UZ-SI", ""},
	{"UZ-AN", ""},
	{"UZ-QA", "t3"},
	{"UZ-SU", ""},
	{"UZ-FA", "t6"},
}

// Tile is one region in the grid of them.
type Tile struct {
	Text, Href, Class string
	Current           bool
}

// regionBox is the part of a page about one region; the struct of the template
// "regions".
type regionBox struct {
	Tiles   []Tile
	Name    string // "" where none is chosen
	Figures []figure
	All     Link // every dataset about it
}

// tiles leads to every region.
func (v *visit) tiles(chosen string) []Tile {
	tiles := make([]Tile, len(regions))
	for i, r := range regions {
		tiles[i] = Tile{Text: v.Tile(r.code), Href: v.Base + "/?region=" + r.code + "#region", Class: r.class, Current: r.code == chosen}
	}
	return tiles
}

// regionBox shows the region that the address names, or that of the office.
func (v *visit) regionBox() (regionBox, error) {
	chosen := v.one("region")
	if chosen == "" && v.Kiosk != nil {
		chosen = v.site.o.Region
	}
	var box regionBox
	box.Tiles = v.tiles(chosen)
	if chosen == "" {
		return box, nil
	}
	if !region.IsRegion(chosen) {
		return box, v.bad("error.badfilter", "got", clip(chosen, 60))
	}
	box.Name, _ = v.FacetValue(portal.FacetRegion, chosen)
	box.All = Link{Shown: Shown{Text: v.T("home.regionall")}, Href: v.Base + "/search?region=" + chosen}
	var err error
	box.Figures, err = v.answered(chosen, shownQuestions)
	return box, err
}

// heldFindings bounds how many datasets' facts are remembered.
const heldFindings = 2000

// of gives the facts of one dataset; they are remembered for the generation.
func (m *answers) of(v *visit, d portal.Dataset) []fact {
	generation := v.view.State().Generation
	m.mu.Lock()
	if m.byDataset == nil || m.byGeneration != generation || len(m.byDataset) >= heldFindings {
		m.byDataset, m.byGeneration = map[portal.DatasetID][]fact{}, generation
	}
	facts, ok := m.byDataset[d.ID]
	m.mu.Unlock()
	if ok {
		return facts
	}
	if facts = v.facts(d); v.ctx.Err() != nil {
		return facts
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byGeneration == generation {
		m.byDataset[d.ID] = facts
	}
	return facts
}

// answerHits puts to each hit the figure that answers the search: that of the
// region which the search names, else of the country; of the time, the sex and the
// column that it names, else the newest. A hit that lacks one of the words, or of
// which several figures would answer, has none: rather no number than a wrong one.
func (v *visit) answerHits(hits []Hit, datasets []portal.Dataset, results portal.Results, text string) (some bool) {
	q, ok := readAsked(text)
	if !ok {
		return false
	}
	place, topic, ok := q.parted()
	if !ok {
		return false
	}
	words := map[portal.DatasetID][]string{}
	for _, h := range results.Hits {
		words[h.Dataset] = h.Words
	}
	for i, d := range datasets[:min(len(datasets), len(hits))] {
		found := addTokens(nil, strings.Join(words[d.ID], " "))
		if slices.ContainsFunc(topic, func(w word) bool { return !anyIs(found, w) }) || !v.isAbout(d, topic) {
			continue
		}
		var there []fact
		for _, f := range v.site.answers.of(v, d) {
			if f.place == place && q.isOfTime(f) {
				there = append(there, f)
			}
		}
		if f, ok := q.choose(there, words[d.ID]); ok {
			g := v.figure(f, "")
			g.Spark = v.spark(f)
			hits[i].Answer, some = &g, true //nolint:gosec // there are at least as many hits
		}
	}
	return some
}

// isAbout tells whether a dataset's title, or that of a table or of a column in
// it, has one of the words; where there are none, any dataset is.
func (v *visit) isAbout(d portal.Dataset, topic []word) bool {
	if len(topic) == 0 {
		return true
	}
	names := addWords(nil, d.Latest.Title)
	for _, r := range d.Latest.Resources {
		names = addWords(names, r.Title)
		for s := range r.Schemas() {
			for _, f := range s.Fields {
				names = addTokens(addWords(names, f.Title), strings.ReplaceAll(f.Name, "_", " "))
			}
		}
	}
	return slices.ContainsFunc(topic, func(w word) bool { return anyIs(names, w) })
}

// parted splits the words of a search into the region that they name, else the
// country, and what they are about. ok is false where they name another place, of
// which no figure stands beside a hit.
func (q asked) parted() (place string, topic []word, ok bool) {
	place = q.regionIn()
	for _, w := range q.words {
		one := asked{words: []word{w}}
		switch {
		case isCountry(w):
		case one.regionIn() != country:
			one.kind = q.kind
			if one.regionIn() != place {
				return "", nil, false // two regions: no one number
			}
		case slices.ContainsFunc(region.All(), func(p region.Place) bool {
			return p.Level == region.District && one.nameOf(chart.Value{Key: p.SOATO}) != ""
		}):
			return "", nil, false
		default:
			topic = append(topic, w)
		}
	}
	return place, topic, q.kind != "district"
}

// isOfTime tells whether a fact is of the time that is asked for.
func (q asked) isOfTime(f fact) bool {
	if !q.timed {
		return true
	}
	p, _, ok := period.In(f.period)
	return ok && within(p, q.period)
}

// choose takes the newest of the facts whose column has one of the words, else of
// all; of the sex asked for, else of both. Where several are left none is taken.
func (q asked) choose(all []fact, words []string) (fact, bool) {
	keep := func(wanted func(fact) bool) {
		if some := slices.DeleteFunc(slices.Clone(all), func(f fact) bool { return !wanted(f) }); len(some) > 0 {
			all = some
		}
	}
	keep(func(f fact) bool {
		return slices.ContainsFunc(append(f.column.Title.All(), strings.ReplaceAll(f.column.Name, "_", " ")), func(title string) bool {
			return len(lang.Marks(title, words)) > 0
		})
	})
	sex := q.sex
	keep(func(f fact) bool {
		of := f.column.Meaning.Sex
		return of == sex || sex == "" && of == portal.SexBoth
	})
	newest, ok := newestFact(all, func(fact) bool { return true })
	several := 0
	for _, f := range all {
		if f.period == newest.period {
			several++
		}
	}
	return newest, ok && several == 1 && (sex == "" || newest.column.Meaning.Sex == sex)
}
