package index

import (
	"slices"
	"strings"

	bleve "github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"

	"koprik/portal"
	"koprik/portal/lang"
)

// plan is a query as it is looked up: every group must match, or must not.
type plan struct {
	groups       []group
	conditions   []condition
	words        []word   // looked up once, whichever groups they stand in
	phrases      []phrase // likewise
	whole        string   // term of the whole title that the query may be
	synonymsUsed []string
	clauses      []clause
}

// group is met by any of its alternatives, of which the first is what was typed.
type group struct {
	alts     []alternative
	exclude  bool
	optional bool // ranks, and need not match
}

// alternative is met by all its words and phrases.
type alternative struct {
	words   []int // places in plan.words
	phrases []int // places in plan.phrases
	boost   float32
}

// word is one word with the terms that it is looked up by.
type word struct {
	raw    string
	typed  bool // stands in the query; not a synonym
	terms  []term
	df     int     // documents that have it
	weight float32 // the rarer, the greater
}

// phrase is words that stand one after another.
type phrase struct {
	raw          []string
	alternatives [][]string // loose keys by language
}

// Limits of what synonyms add to a query.
const (
	maxSynonyms = 8  // of one group
	maxLookups  = 96 // words of a query with all synonyms
)

// planOf makes the plan of a query.
func planOf(v *view, q portal.Query) *plan {
	p := &plan{whole: wholeTitle(lang.FoldLoose(q.Text))}
	p.clauses, p.conditions = parse(q.Text)
	for f, values := range q.Filters {
		if len(values) > 0 {
			p.conditions = append(p.conditions, condition{facet: f, values: values})
		}
	}
	for i := 0; i < len(p.clauses); {
		c := p.clauses[i]
		if c.phrase || c.exclude {
			p.groups = append(p.groups, group{alts: []alternative{{phrases: []int{p.addPhrase(c.words)}, boost: 1}}, exclude: c.exclude})
			i++
			continue
		}
		i += p.addWords(v.synonyms(), p.clauses[i:], q.Lang)
	}
	return p
}

// addWords adds the group of the first word, or of the first words where they
// have synonyms together, and tells how many it took.
func (p *plan) addWords(s *synonyms, clauses []clause, l portal.Lang) int {
	var words []string
	for _, c := range clauses[:min(len(clauses), maxPhrase)] {
		if c.phrase || c.exclude {
			break
		}
		words = append(words, c.words[0])
	}
	n := len(words)
	var others []string
	for ; n > 1; n-- {
		if others = s.of(words[:n]); len(others) > 0 {
			break
		}
	}
	if n == 1 {
		others = s.of(words[:1])
	}
	g := group{alts: []alternative{p.alternative(words[:n], l, 1, true)}}
	for _, other := range others[:min(len(others), maxSynonyms)] {
		if len(p.words) >= maxLookups {
			break
		}
		g.alts = append(g.alts, p.alternative(lang.Tokens(other), l, boostSynonym, false))
		p.synonymsUsed = append(p.synonymsUsed, other)
	}
	g.optional = n == 1 && neutral[lang.FoldLoose(words[0])]
	p.groups = append(p.groups, g)
	return n
}

// neutral are words, by their loose keys, that say nothing of what is looked
// for: a query may have them and a dataset need not. Where a query has no other
// word, they are looked for.
var neutral = keySet(`
	va bilan uchun boyicha haqida haqidagi togrisida qancha nechta necha qanday qaysi bor yil yili yilda yildagi yillar yillarda
	malumot malumotlar malumotlari ochiq royhati ham eng bu shu nima kerak menga korsat
	ham haqqinda ushin menen qansha
	и в на по о об для сколько какой какая какие год году года годы годам данные из с
	the of in on for and by a an how many much what is are year years data to from
`)

func keySet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[lang.FoldLoose(w)] = true
	}
	return set
}

// asks tells whether the query names anything, and does not only exclude.
func (p *plan) asks() bool {
	return slices.ContainsFunc(p.groups, func(g group) bool { return !g.exclude })
}

// relax asks less of a query that found nothing: first that words which stand
// nowhere need not match, then that any of its words will do. It is false when
// nothing is left to be asked less.
func (p *plan) relax() bool {
	must, unknown := 0, 0
	for i := range p.groups {
		if g := &p.groups[i]; !g.exclude && !g.optional {
			must++
			if p.stands(g) == 0 {
				unknown++
			}
		}
	}
	if must == 0 || len(p.groups) < 2 || must == 1 && unknown == 0 {
		return false
	}
	for i := range p.groups {
		g := &p.groups[i]
		if !g.exclude && (unknown == 0 || p.stands(g) == 0) {
			g.optional = true
		}
	}
	return true
}

// stoodIn tells whether a synonym that is found stands in for a word.
func (p *plan) stoodIn(i int) bool {
	return slices.ContainsFunc(p.groups, func(g group) bool {
		return slices.Contains(g.alts[0].words, i) && p.stands(&g) > 0
	})
}

// stands tells how many datasets have a word of a group.
func (p *plan) stands(g *group) (n int) {
	for _, a := range g.alts {
		n += len(a.phrases)
		for _, w := range a.words {
			n = max(n, p.words[w].df)
		}
	}
	return n
}

func (p *plan) alternative(words []string, l portal.Lang, boost float32, typed bool) alternative {
	a := alternative{boost: boost}
	for _, w := range words {
		a.words = append(a.words, len(p.words))
		p.words = append(p.words, word{raw: w, typed: typed, terms: termsOf(w, l)})
	}
	return a
}

func (p *plan) addPhrase(words []string) int {
	ph := phrase{raw: words, alternatives: [][]string{looseWords(words, portal.Uzbek)}}
	if kaa := looseWords(words, portal.Karakalpak); !slices.Equal(kaa, ph.alternatives[0]) {
		ph.alternatives = append(ph.alternatives, kaa)
	}
	p.phrases = append(p.phrases, ph)
	return len(p.phrases) - 1
}

// findPhrase puts the documents of a phrase into the segments' sets.
func (s *search) findPhrase(i int, ph phrase) error {
	for _, words := range ph.alternatives {
		for _, field := range []string{fieldTitles, fieldBody} {
			if len(words) == 0 {
				continue
			}
			found, err := s.phraseSearcher(words, field)
			if err != nil {
				return err
			}
			if err := s.drain(found, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *search) phraseSearcher(words []string, field string) (bleveSearcher, error) {
	if len(words) == 1 {
		return searcher.NewTermSearcher(s.ctx, s.view.snapshot, words[0], field, 1, bleve.SearcherOptions{Score: "none"})
	}
	return searcher.NewPhraseSearcher(s.ctx, s.view.snapshot, words, 0, false, field, 1, bleve.SearcherOptions{})
}

// bleveSearcher is Bleve's searcher.
type bleveSearcher = bleve.Searcher

// drain reads all documents of a searcher.
func (s *search) drain(from bleveSearcher, i int) error {
	defer from.Close()
	ctx := &bleve.SearchContext{DocumentMatchPool: bleve.NewDocumentMatchPool(from.DocumentMatchPoolSize()+1, 0), IndexReader: s.view.snapshot}
	for n := 0; ; n++ {
		if n%runLength == 0 {
			if err := s.ctx.Err(); err != nil {
				return err
			}
		}
		m, err := from.Next(ctx)
		if err != nil || m == nil {
			return err
		}
		at := m.IndexInternalID.Value()
		ctx.DocumentMatchPool.Put(m)
		for _, p := range s.parts {
			if at >= p.offset && at < p.offset+uint64(p.n) {
				p.phrases[i].set(uint32(at - p.offset))
			}
		}
	}
}
