package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/collector"
	"github.com/blevesearch/bleve/v2/search/facet"
	"github.com/blevesearch/bleve/v2/search/searcher"

	"koprik/portal"
	"koprik/portal/lang"
)

// deadline is how long one search may take (guarantee 5).
const deadline = 1500 * time.Millisecond

// Reader searches one generation. Its methods may be called at the same time;
// Close may be called more than once and waits for nobody: what is being
// searched holds the snapshot itself.
type Reader struct {
	generation int64

	mu       sync.Mutex
	snapshot *scorch.IndexSnapshot // nil when closed
}

// newReader takes over the caller's reference to snapshot.
func newReader(snapshot *scorch.IndexSnapshot) (*Reader, error) {
	b, err := snapshot.GetInternal(stateKey)
	if err != nil {
		return nil, errors.Join(err, snapshot.Close())
	}
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: its state: %w", ErrDamaged, err), snapshot.Close())
	}
	return &Reader{generation: s.Generation, snapshot: snapshot}, nil
}

// Generation is the generation that the reader sees.
func (r *Reader) Generation() int64 { return r.generation }

// Close lets the snapshot go.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.snapshot != nil {
		_ = r.snapshot.Close() // only lowers a count; files go when nobody reads them
		r.snapshot = nil
	}
}

// hold gives the snapshot with a reference of its own.
func (r *Reader) hold() (*scorch.IndexSnapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.snapshot == nil {
		return nil, errors.New("index: search on a closed reader")
	}
	r.snapshot.AddRef()
	return r.snapshot, nil
}

// Search answers q. Every word of q.Text must stand somewhere in a dataset, in
// any of its languages, spellings and forms; a phrase in quotes must stand as
// spelt; what has a minus before it must not stand there. Facets count all
// hits. A q over the limits gives portal.ErrUsage, a search over its 1.5 s
// portal.ErrTooMuch.
func (r *Reader) Search(ctx context.Context, q portal.Query) (portal.Results, error) {
	if q.Limit == 0 {
		q.Limit = portal.DefaultLimit
	}
	if err := checkQuery(q); err != nil {
		return portal.Results{}, err
	}
	snapshot, err := r.hold()
	if err != nil {
		return portal.Results{}, err
	}
	defer snapshot.Close()
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var results portal.Results
	err = guard(func() (err error) {
		results, err = run(limited, snapshot, q)
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return portal.Results{}, fmt.Errorf("search: over %s: %w", deadline, portal.ErrTooMuch)
	}
	if err != nil {
		return portal.Results{}, fmt.Errorf("search: %w", err)
	}
	return results, nil
}

// checkQuery holds q against the limits.
func checkQuery(q portal.Query) error {
	usage := func(where, format string, args ...any) error {
		return &portal.Problem{Kind: portal.ErrUsage, Where: where, Message: fmt.Sprintf(format, args...)}
	}
	if q.Limit < 1 || q.Limit > portal.MaxLimit {
		return usage("limit", "is %d, must be 1 to %d", q.Limit, portal.MaxLimit)
	}
	if q.Offset < 0 || q.Offset > portal.MaxOffset {
		return usage("offset", "is %d, must be 0 to %d", q.Offset, portal.MaxOffset)
	}
	switch q.Sort {
	case portal.ByRelevance, portal.ByUpdated, portal.ByName:
	default:
		return usage("sort", "is %q, must be empty, %q or %q", q.Sort, portal.ByUpdated, portal.ByName)
	}
	values := 0
	for f, vs := range q.Filters {
		if !slices.Contains(facetFields, f) {
			return usage("filter", "%q is no facet", f)
		}
		values += len(vs)
	}
	if values > maxValues {
		return usage("filter", "has %d values, at most %d are allowed", values, maxValues)
	}
	return nil
}

// run searches one snapshot.
func run(ctx context.Context, snapshot *scorch.IndexSnapshot, q portal.Query) (portal.Results, error) {
	p := &plan{ctx: ctx, reader: snapshot, options: search.SearcherOptions{Explain: q.Explain}}
	clauses := parse(q.Text)
	s, err := p.build(clauses, q)
	if err != nil {
		return portal.Results{}, err
	}
	defer s.Close()
	c := collector.NewTopNCollector(q.Limit, q.Offset, sortOrder(q.Sort))
	facets := search.NewFacetsBuilder(snapshot)
	for _, f := range facetFields {
		facets.Add(string(f), facet.NewTermsFacetBuilder(string(f), math.MaxInt32))
	}
	c.SetFacetsBuilder(facets)
	if err := c.Collect(ctx, s, snapshot); err != nil {
		return portal.Results{}, err
	}
	results := portal.Results{Total: int(c.Total()), Facets: facetCounts(c.FacetResults())}
	found := c.Results()
	matched, err := p.matched(found, clauses, q.Lang)
	if err != nil {
		return portal.Results{}, err
	}
	for i, m := range found {
		hit := portal.Hit{Dataset: portal.DatasetID(m.ID), Score: m.Score, Matched: matched[i]}
		if q.Explain && m.Expl != nil {
			hit.Explain = m.Expl.String()
		}
		results.Hits = append(results.Hits, hit)
	}
	return results, nil
}

// sortOrder ends with the id, so that equals always come in one order.
func sortOrder(s portal.Sort) search.SortOrder {
	byID := &search.SortDocID{}
	switch s {
	case portal.ByUpdated:
		return search.SortOrder{&search.SortField{Field: fieldUpdated, Desc: true, Type: search.SortFieldAsString}, byID}
	case portal.ByName:
		return search.SortOrder{byID}
	}
	return search.SortOrder{&search.SortScore{Desc: true}, byID}
}

func facetCounts(results search.FacetResults) map[portal.Facet]map[string]int {
	counts := make(map[portal.Facet]map[string]int, len(facetFields))
	for _, f := range facetFields {
		counts[f] = map[string]int{}
		if r := results[string(f)]; r != nil {
			for _, t := range r.Terms.Terms() {
				counts[f][t.Term] = t.Count
			}
		}
	}
	return counts
}

// plan builds Bleve's searchers for one query on one snapshot. They are built
// here rather than by Bleve's queries because its boolean query takes a "must"
// that can match nothing for no "must" at all.
type plan struct {
	ctx     context.Context
	reader  *scorch.IndexSnapshot
	options search.SearcherOptions
}

func (p *plan) build(clauses []clause, q portal.Query) (search.Searcher, error) {
	var must, should, mustNot []search.Searcher
	var err error
	keep := func(to *[]search.Searcher, s search.Searcher, e error) {
		if e != nil {
			err = errors.Join(err, e)
		} else if s != nil {
			*to = append(*to, s)
		}
	}
	for _, c := range clauses {
		s, e := p.clause(c, q.Lang)
		if c.exclude {
			keep(&mustNot, s, e)
		} else {
			keep(&must, s, e)
		}
	}
	if len(must) == 0 {
		s, e := searcher.NewMatchAllSearcher(p.ctx, p.reader, 1, p.options)
		keep(&must, s, e)
	}
	for f, values := range q.Filters {
		if len(values) > 0 {
			s, e := p.filter(f, values)
			keep(&must, s, e)
		}
	}
	if whole := wholeTitle(lang.FoldLoose(q.Text)); whole != "" {
		s, e := p.any([]term{{fieldTitles, whole, boostWhole}}, p.options)
		keep(&should, s, e)
	}
	if err != nil {
		return nil, errors.Join(err, closeAll(must), closeAll(should), closeAll(mustNot))
	}
	return p.combine(must, should, mustNot)
}

// combine makes one searcher of those that must, may and must not match. must
// is not empty.
func (p *plan) combine(must, should, mustNot []search.Searcher) (search.Searcher, error) {
	all, err := searcher.NewConjunctionSearcher(p.ctx, p.reader, must, p.options)
	if err != nil || len(should) == 0 && len(mustNot) == 0 {
		return all, err
	}
	var may, not search.Searcher
	if len(should) > 0 {
		if may, err = searcher.NewDisjunctionSearcher(p.ctx, p.reader, should, 0, p.options); err != nil {
			return nil, err
		}
	}
	if len(mustNot) > 0 {
		if not, err = searcher.NewDisjunctionSearcher(p.ctx, p.reader, mustNot, 0, p.options); err != nil {
			return nil, err
		}
	}
	return searcher.NewBooleanSearcher(p.ctx, p.reader, all, may, not, p.options)
}

// clause gives the searcher of one clause; nil when nothing of it can be
// searched.
func (p *plan) clause(c clause, l portal.Lang) (search.Searcher, error) {
	if !c.phrase && !c.exclude {
		return p.any(termsOf(c.words[0], l), p.options)
	}
	keys := looseWords(c.words, portal.Uzbek)
	alternatives := [][]string{keys}
	if kaa := looseWords(c.words, portal.Karakalpak); !slices.Equal(kaa, keys) {
		alternatives = append(alternatives, kaa)
	}
	var ss []search.Searcher
	for _, words := range alternatives {
		for _, field := range []string{fieldTitles, fieldBody} {
			s, err := p.phrase(words, field)
			if err != nil {
				return nil, errors.Join(err, closeAll(ss))
			}
			if s != nil {
				ss = append(ss, s)
			}
		}
	}
	if len(ss) == 0 {
		return nil, nil
	}
	return searcher.NewDisjunctionSearcher(p.ctx, p.reader, ss, 1, p.options)
}

// phrase looks for words that stand one after another in a field.
func (p *plan) phrase(words []string, field string) (search.Searcher, error) {
	boost := float64(boostBody)
	if field == fieldTitles {
		boost = boostTitle
	}
	switch len(words) {
	case 0:
		return nil, nil
	case 1:
		return searcher.NewTermSearcher(p.ctx, p.reader, words[0], field, boost, p.options)
	}
	return searcher.NewPhraseSearcher(p.ctx, p.reader, words, 0, false, field, boost, p.options)
}

// any looks for any of terms; nil when there are none.
func (p *plan) any(terms []term, o search.SearcherOptions) (search.Searcher, error) {
	var ss []search.Searcher
	for _, t := range terms {
		s, err := searcher.NewTermSearcher(p.ctx, p.reader, t.text, t.field, t.boost, o)
		if err != nil {
			return nil, errors.Join(err, closeAll(ss))
		}
		ss = append(ss, s)
	}
	if len(ss) == 0 {
		return nil, nil
	}
	return searcher.NewDisjunctionSearcher(p.ctx, p.reader, ss, 1, o)
}

// filter looks for any of a facet's values. They have no lengths to score by.
func (p *plan) filter(f portal.Facet, values []string) (search.Searcher, error) {
	terms := make([]term, 0, len(values))
	for _, v := range values {
		terms = append(terms, term{string(f), v, 0})
	}
	return p.any(terms, search.SearcherOptions{Score: "none"})
}

func closeAll(ss []search.Searcher) error {
	var err error
	for _, s := range ss {
		err = errors.Join(err, s.Close())
	}
	return err
}
