package index

import (
	"context"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	bleveindex "github.com/blevesearch/bleve_index_api"
	segmentapi "github.com/blevesearch/scorch_segment_api/v2"

	"koprik/portal"
	"koprik/portal/lang"
)

// run answers a query from one view.
func run(ctx context.Context, v *view, q portal.Query) (portal.Results, error) {
	if err := ctx.Err(); err != nil {
		return portal.Results{}, err
	}
	if q.Suggest {
		return suggest(ctx, v, q)
	}
	cols, newest, err := v.columns()
	if err != nil {
		return portal.Results{}, err
	}
	p := planOf(v, q)
	if !q.AsOf.IsZero() {
		newest = seconds(q.AsOf)
	}
	s := &search{ctx: ctx, view: v, plan: p, query: q, asOf: newest, results: portal.Results{Counted: v.uses != nil}}
	if err := s.segments(cols); err != nil {
		return portal.Results{}, err
	}
	if err := s.findThreads(); err != nil {
		return portal.Results{}, err
	}
	if err := s.findAll(); err != nil {
		return portal.Results{}, err
	}
	for s.results.Total == 0 && s.plan.relax() {
		s.results.Partly = true
		if err := s.findAll(); err != nil {
			return portal.Results{}, err
		}
	}
	if err := s.page(); err != nil {
		return portal.Results{}, err
	}
	s.results.AlsoSearched = p.alsoSearched(q)
	if s.results.DidYouMean, err = s.didYouMean(); err != nil {
		return portal.Results{}, err
	}
	return s.results, nil
}

func seconds(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), math.MaxUint32)) }

func noFacets() map[portal.Facet]map[string]int {
	all := make(map[portal.Facet]map[string]int, len(portal.Facets))
	for _, f := range portal.Facets {
		all[f] = map[string]int{}
	}
	return all
}

// search is one query being answered.
type search struct {
	ctx     context.Context
	view    *view
	plan    *plan
	query   portal.Query
	asOf    uint32
	parts   []*part
	best    []hit
	results portal.Results
}

// part is one segment and what a query has there.
type part struct {
	seg    segmentapi.Segment
	there  bitset // documents that were not taken out
	live   bitset // datasets among them
	alive  int    // documents of live
	cols   *columns
	offset uint64 // of its first document among those of the snapshot
	n      int
	dicts  map[string]segmentapi.TermDictionary
	// found are the postings of the plan's words, by word and term.
	found   [][]posting
	phrases []bitset // by phrase of the plan
	id      func(doc uint32) (string, error)
}

// segments prepares the segments.
func (s *search) segments(cols []*columns) error {
	offset := uint64(0)
	for i, snap := range s.view.snapshot.Segments() {
		seg := snap.Segment()
		p := &part{
			seg: seg, cols: cols[i], offset: offset, n: int(seg.Count()), dicts: map[string]segmentapi.TermDictionary{},
			found: make([][]posting, len(s.plan.words)),
			id: func(doc uint32) (string, error) {
				b, err := seg.DocID(uint64(doc))
				return string(b), err
			},
		}
		offset += uint64(p.n)
		p.live = newBitset(p.n)
		p.live.all(p.n)
		if deleted := snap.Deleted(); deleted != nil {
			deleted.Iterate(func(doc uint32) bool {
				p.live[doc/64] &^= 1 << (doc % 64)
				return true
			})
		}
		p.there = p.live
		if p.cols.threads != nil {
			p.live = slices.Clone(p.there)
			p.live.andNot(p.cols.threads)
		}
		p.alive = p.live.count()
		for range s.plan.phrases {
			p.phrases = append(p.phrases, newBitset(p.n))
		}
		s.parts = append(s.parts, p)
	}
	for i, w := range s.plan.phrases {
		if err := s.findPhrase(i, w); err != nil {
			return err
		}
	}
	for i := range s.plan.words {
		if err := s.findWord(i); err != nil {
			return err
		}
	}
	return nil
}

// dict gives the dictionary of a field.
func (p *part) dict(field string) (segmentapi.TermDictionary, error) {
	if d := p.dicts[field]; d != nil {
		return d, nil
	}
	d, err := p.seg.Dictionary(field)
	p.dicts[field] = d
	return d, err
}

// findWord looks a word's terms up in every segment and weighs the word: rare
// ones count more. All terms of a word have one weight, that of the most
// frequent, so that a rare spelling is not worth more than a common one. What
// stands nowhere as it was typed may stand there as it was meant.
func (s *search) findWord(i int) error {
	w := &s.plan.words[i]
	if err := s.lookUp(i, w.terms); err != nil {
		return err
	}
	if w.df == 0 && w.typed {
		others := keyboardTerms(w.raw)
		w.terms = append(w.terms, others...)
		if err := s.lookUp(i, others); err != nil {
			return err
		}
	}
	total := 0
	for _, p := range s.parts {
		total += p.n
	}
	w.weight = float32(math.Log(1 + (float64(total)+1)/(float64(w.df)+1)))
	return nil
}

// lookUp adds the postings of terms to those of a word, and counts the documents
// of the most frequent.
func (s *search) lookUp(i int, terms []term) error {
	most := make([]int, len(terms))
	for _, p := range s.parts {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		for j, t := range terms {
			d, err := p.dict(t.field)
			if err != nil {
				return err
			}
			found, err := postingOf(d, t.text, p.n)
			if err != nil {
				return err
			}
			p.found[i] = append(p.found[i], found)
			most[j] += found.n
		}
	}
	for _, n := range most {
		s.plan.words[i].df = max(s.plan.words[i].df, n)
	}
	return nil
}

// findAll collects the hits of every segment.
func (s *search) findAll() error {
	s.best, s.results.Facets = nil, noFacets()
	keep := s.query.Offset + s.query.Limit
	var ages [4]int
	if len(s.plan.groups) == 0 && len(s.plan.conditions) == 0 && (s.query.Sort == portal.ByRelevance || s.query.Sort == portal.ByName) {
		s.results.Facets, ages = s.view.countAll(s.parts, s.asOf)
		for _, p := range s.parts {
			s.results.Total += p.alive
			s.best = append(s.best, s.collectWhole(p, keep)...)
		}
	} else if err := s.findMatching(keep, &ages); err != nil {
		return err
	}
	for i, n := range ages {
		if n > 0 {
			s.results.Facets[portal.FacetFreshness][ageNames[i]] = n
		}
	}
	return s.order()
}

func (s *search) findMatching(keep int, ages *[4]int) error {
	for _, p := range s.parts {
		matched, err := s.match(p)
		if err != nil {
			return err
		}
		top, n, err := s.collect(p, matched, keep, ages)
		if err != nil {
			return err
		}
		s.results.Total += n
		s.best = append(s.best, top...)
	}
	return nil
}

// whole is what was counted over every dataset of a view.
type whole struct {
	facets map[portal.Facet]map[string]int
	asOf   uint32 // of ages
	ages   [4]int
}

// countAll gives the facets over every dataset and their ages at a moment,
// counted once for a view.
func (v *view) countAll(parts []*part, asOf uint32) (map[portal.Facet]map[string]int, [4]int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == nil || v.all.asOf != asOf {
		all := &whole{facets: noFacets(), asOf: asOf}
		limits := boundsOf(asOf)
		for _, p := range parts {
			c := newCounter(p.cols)
			c.whole(p.live, p.n)
			c.into(all.facets)
			for _, updated := range p.cols.updated {
				all.ages[limits.age(updated)]++
			}
			p.live.eachNot(p.n, func(doc uint32) { all.ages[limits.age(p.cols.updated[doc])]-- })
		}
		v.all = all
	}
	out := noFacets()
	for f, counts := range v.all.facets {
		maps.Copy(out[f], counts)
	}
	return out, v.all.ages
}

// match gives the documents of a segment that the words of the query match.
func (s *search) match(p *part) (bitset, error) {
	every := newBitset(p.n)
	return s.plan.combine(p.live, func(g *group, _, some bitset) error {
		for _, a := range g.alts {
			s.matchAll(p, a, every)
			some.or(every)
		}
		return s.ctx.Err()
	})
}

// combine gives the documents among all that have every group that they must have,
// or where the query has none of these, any that they may have, and nothing that it
// excludes. find puts into some the documents of a group; it may leave out what
// is not in left, the documents that can still match.
func (p *plan) combine(all bitset, find func(g *group, left, some bitset) error) (bitset, error) {
	left, anyOf, some := slices.Clone(all), make(bitset, len(all)), make(bitset, len(all))
	musts, mays := 0, 0
	for i := range p.groups {
		g := &p.groups[i]
		clear(some)
		if err := find(g, left, some); err != nil {
			return nil, err
		}
		switch {
		case g.exclude:
			left.andNot(some)
		case g.optional:
			anyOf.or(some)
			mays++
		default:
			left.and(some)
			musts++
		}
	}
	if musts == 0 && mays > 0 {
		left.and(anyOf)
	}
	return left, nil
}

// matchAll puts into every the documents that have all words of an alternative.
func (s *search) matchAll(p *part, a alternative, every bitset) {
	every.all(p.n)
	docs := newBitset(p.n)
	for _, w := range a.words {
		clear(docs)
		for j := range p.found[w] {
			p.found[w][j].into(docs)
		}
		every.and(docs)
	}
	for _, ph := range a.phrases {
		every.and(p.phrases[ph])
	}
}

// score gives every matched document its score.
func (s *search) score(p *part, matched bitset) ([]float32, error) {
	scores := make([]float32, p.n)
	for _, g := range s.plan.groups {
		if g.exclude {
			continue
		}
		for _, a := range g.alts {
			s.scoreAlternative(p, a, matched, scores)
		}
	}
	parts := subsetOf(s.query.Text)
	matched.each(func(doc uint32) { scores[doc] *= p.prior(doc, parts, s.asOf) })
	if s.plan.whole == "" {
		return scores, nil
	}
	d, err := p.dict(fieldTitles)
	if err != nil {
		return nil, err
	}
	f, err := postingOf(d, s.plan.whole, p.n)
	f.weigh(matched, scores, boostWhole)
	return scores, err
}

// scoreAlternative adds what the words and phrases of an alternative are worth.
func (s *search) scoreAlternative(p *part, a alternative, matched bitset, scores []float32) {
	for _, w := range a.words {
		word := &s.plan.words[w]
		for j := range p.found[w] {
			p.found[w][j].weigh(matched, scores, float32(word.terms[j].boost)*word.weight*a.boost)
		}
	}
	for _, ph := range a.phrases {
		p.phrases[ph].each(func(doc uint32) {
			if matched.has(doc) {
				scores[doc] += boostTitle
			}
		})
	}
}

// Use counts by its powers of two: 15 % for what was used 32,768 times and more.
const (
	useWeight = 0.01
	maxUse    = 15
)

// prior is what a score is multiplied with whatever the words: short titles
// before long ones, the whole before a part that the query does not name, fresh
// before stale, used before unused.
func (p *part) prior(doc uint32, asked subset, asOf uint32) float32 {
	years := float32(0)
	if t := p.cols.updated[doc]; t < asOf {
		years = float32(asOf-t) / (365 * day)
	}
	prior := (1 + 0.15/(1+years)) / (1 + 0.03*float32(min(p.cols.length[doc], 30))) * (1 + useWeight*float32(min(bits.Len32(p.cols.used(doc)), maxUse)))
	for other := p.cols.subset[doc] &^ uint8(asked); other != 0; other &= other - 1 {
		prior *= 0.7
	}
	return prior
}

// internalID is Bleve's number of a document of the snapshot.
func (p *part) internalID(doc uint32) bleveindex.IndexInternalID {
	return bleveindex.NewIndexInternalID(nil, p.offset+uint64(doc))
}

// alsoSearched are the other script's form of a text, for those who read both,
// and the synonyms.
func (p *plan) alsoSearched(q portal.Query) []string {
	if len(p.groups) == 0 {
		return nil
	}
	var out []string
	text := strings.TrimSpace(q.Text)
	add := func(s string) {
		if s != "" && s != text && !containsFold(out, s) {
			out = append(out, s)
		}
	}
	if q.Lang != portal.English && q.Lang != portal.Russian {
		add(lang.ToLatin(text))
		add(lang.ToCyrillic(text))
	}
	for _, s := range p.synonymsUsed {
		add(s)
	}
	return out
}

func containsFold(list []string, s string) bool {
	for _, t := range list {
		if strings.EqualFold(t, s) {
			return true
		}
	}
	return false
}
