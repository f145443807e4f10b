package index

import (
	"cmp"
	"slices"

	"koprik/portal"
)

// hit is one document found.
type hit struct {
	part  *part
	doc   uint32
	key   float32 // greater comes first; 0 in orders without one
	time  uint32  // or uses; greater comes first; 0 in orders without one
	rank  uint32  // of the id or the title among those of its segment; smaller comes first
	title string  // key of the title; read where segments are put together by it
	id    string  // read when it is needed
}

// before tells whether a comes before b of the same segment.
func (a *hit) before(b *hit) bool {
	if a.key != b.key {
		return a.key > b.key
	}
	if a.time != b.time {
		return a.time > b.time
	}
	return a.rank < b.rank
}

// heap keeps the best hits of a segment, the worst of them on top.
type heap struct {
	hits []hit
	keep int
}

// refuses tells whether something is less than the worst of the best; for most
// documents that is all that is asked.
func (h *heap) refuses(key float32, time, rank uint32) bool {
	if len(h.hits) < h.keep {
		return false
	}
	if len(h.hits) == 0 {
		return true
	}
	top := &h.hits[0]
	if key != top.key {
		return key < top.key
	}
	if time != top.time {
		return time < top.time
	}
	return rank > top.rank
}

// offer takes a hit that is not refused.
func (h *heap) offer(x hit) {
	if len(h.hits) < h.keep {
		h.hits = append(h.hits, x)
		for i := len(h.hits) - 1; i > 0; {
			up := (i - 1) / 2
			if !h.hits[up].before(&h.hits[i]) {
				break
			}
			h.hits[up], h.hits[i] = h.hits[i], h.hits[up]
			i = up
		}
		return
	}
	h.hits[0] = x
	for i := 0; ; {
		worst := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < len(h.hits) && h.hits[worst].before(&h.hits[down]) {
				worst = down
			}
		}
		if worst == i {
			return
		}
		h.hits[worst], h.hits[i] = h.hits[i], h.hits[worst]
		i = worst
	}
}

// run of documents that are counted together: facet by facet, for that is how
// the columns lie in memory.
const runLength = 1024

// collect gives the best hits of a segment, how many there are, and counts the
// facets.
func (s *search) collect(p *part, matched bitset, keep int, ages *[4]int) ([]hit, int, error) {
	var scores []float32
	if s.query.Sort == portal.ByRelevance && len(s.plan.groups) > 0 {
		var err error
		if scores, err = s.score(p, matched); err != nil {
			return nil, 0, err
		}
	}
	ranks := p.cols.rank
	if s.query.Sort == portal.ByTitle {
		order, err := p.orderBy(s.reader())
		if err != nil {
			return nil, 0, err
		}
		ranks = order.place
	}
	pass := newFilters(p.cols, s.plan.conditions, s.asOf)
	count := newCounter(p.cols)
	best := &heap{keep: keep}
	total := 0
	bounds := boundsOf(s.asOf)
	docs := make([]uint32, 0, runLength)
	flush := func() {
		total += len(docs)
		count.addAll(docs)
		for _, doc := range docs {
			updated := p.cols.updated[doc]
			ages[bounds.age(updated)]++
			key, time, rank := float32(0), uint32(0), ranks[doc]
			if scores != nil {
				key = scores[doc]
			}
			switch s.query.Sort {
			case portal.ByUpdated:
				time = updated
			case portal.ByUse:
				time = p.cols.used(doc)
			}
			if !best.refuses(key, time, rank) {
				best.offer(hit{part: p, doc: doc, key: key, time: time, rank: rank})
			}
		}
		docs = docs[:0]
	}
	var err error
	matched.each(func(doc uint32) {
		if err != nil || !pass.pass(doc) {
			return
		}
		if docs = append(docs, doc); len(docs) == runLength {
			flush()
			err = s.ctx.Err()
		}
	})
	flush()
	count.into(s.results.Facets)
	return best.hits, total, err
}

// collectWhole is collect for every document of a segment in the order of ids;
// what is counted over a whole view stands there (view.countAll).
func (s *search) collectWhole(p *part, keep int) []hit {
	var best []hit
	for _, doc := range p.cols.byRank {
		if len(best) == keep {
			break
		}
		if p.live.has(doc) {
			best = append(best, hit{part: p, doc: doc, rank: p.cols.rank[doc]})
		}
	}
	return best
}

// order puts the best hits of all segments in order and keeps those of the page.
func (s *search) order() error {
	var err error
	id := func(x *hit) string {
		if x.id == "" {
			var e error
			if x.id, e = x.part.id(x.doc); e != nil {
				err = e
			}
		}
		return x.id
	}
	if s.query.Sort == portal.ByTitle && len(s.parts) > 1 {
		if err := s.keys(); err != nil {
			return err
		}
	}
	slices.SortFunc(s.best, func(a, b hit) int {
		if c := cmp.Or(cmp.Compare(b.key, a.key), cmp.Compare(b.time, a.time)); c != 0 {
			return c
		}
		if a.part == b.part {
			return cmp.Compare(a.rank, b.rank)
		}
		return cmp.Or(cmp.Compare(a.title, b.title), cmp.Compare(id(&a), id(&b)))
	})
	from := min(s.query.Offset, len(s.best))
	s.best = s.best[from:min(from+s.query.Limit, len(s.best))]
	for i := range s.best {
		id(&s.best[i])
	}
	return err
}

// page makes the results of the hits of the page.
func (s *search) page() error {
	matches, err := s.matches()
	if err != nil {
		return err
	}
	for i := range s.best {
		h := portal.Hit{Dataset: portal.DatasetID(s.best[i].id), Score: float64(s.best[i].key), Matched: matches[i].kinds, Words: matches[i].words}
		if s.query.Explain {
			if h.Explain, err = s.explain(&s.best[i]); err != nil {
				return err
			}
		}
		s.results.Hits = append(s.results.Hits, h)
	}
	return nil
}
