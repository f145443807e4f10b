package site

import (
	"fmt"
	"strings"
	"sync"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/portal/region"
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
// region which the search names, else of the country; of the column that it
// names, else the newest.
func (v *visit) answerHits(hits []Hit, datasets []portal.Dataset, results portal.Results, text string) (some bool) {
	words := map[portal.DatasetID][]string{}
	for _, h := range results.Hits {
		words[h.Dataset] = h.Words
	}
	q, _ := readAsked(text)
	place := q.regionIn()
	for i, d := range datasets {
		facts := v.site.answers.of(v, d)
		wanted := func(f fact) bool { return f.place == place }
		named := func(f fact) bool {
			if !wanted(f) {
				return false
			}
			for _, title := range append(f.column.Title.All(), strings.ReplaceAll(f.column.Name, "_", " ")) {
				if len(lang.Marks(title, words[d.ID])) > 0 {
					return true
				}
			}
			return false
		}
		f, ok := newestFact(facts, named)
		if !ok {
			f, ok = newestFact(facts, wanted)
		}
		if ok {
			g := v.figure(f, "")
			g.Spark = v.spark(f)
			hits[i].Answer, some = &g, true
		}
	}
	return some
}
