package index

import (
	"fmt"
	"math/bits"
	"slices"
	"sort"
	"strings"

	bleveindex "github.com/blevesearch/bleve_index_api"

	"koprik/portal"
)

// match says where one hit matched: the kinds of field, "title" first, and the
// words of the query, in their order.
type match struct{ kinds, words []string }

// matches tells for each hit of the page where the words of the query stand. It
// looks only at the page, for positions are costly to read.
func (s *search) matches() ([]match, error) {
	typed := newMarks(len(s.best))
	order := make([]int, len(s.best)) // by place in the index: posting lists only go forward
	for i := range order {
		order[i] = i
	}
	at := func(i int) uint64 { return s.best[i].part.offset + uint64(s.best[i].doc) }
	sort.Slice(order, func(i, j int) bool { return at(order[i]) < at(order[j]) })
	if err := s.markWords(true, order, typed); err != nil {
		return nil, err
	}
	for _, c := range s.plan.clauses {
		if !c.phrase || c.exclude {
			continue
		}
		for _, raw := range c.words {
			for _, t := range termsOf(raw, s.query.Lang) {
				if t.stem {
					continue
				}
				if err := s.mark(t, order, func(i int, kinds []string) { typed[i].add(raw, kinds) }); err != nil {
					return nil, err
				}
			}
		}
	}
	out := make([]match, len(s.best))
	bare := false
	for i := range out {
		out[i] = typed[i].match()
		bare = bare || len(out[i].words) == 0
	}
	if !bare {
		return out, nil
	}
	others := newMarks(len(s.best))
	if err := s.markWords(false, order, others); err != nil {
		return nil, err
	}
	for i := range out {
		if len(out[i].words) == 0 {
			out[i] = others[i].match()
		}
	}
	return out, nil
}

// markWords marks the words of the query, or their synonyms.
func (s *search) markWords(typed bool, order []int, to []marks) error {
	for i := range s.plan.words {
		w := &s.plan.words[i]
		if w.df == 0 || w.typed != typed {
			continue
		}
		for j, t := range w.terms {
			if !slices.ContainsFunc(s.parts, func(p *part) bool { return p.found[i][j].n > 0 }) {
				continue
			}
			if err := s.mark(t, order, func(at int, kinds []string) { to[at].add(w.raw, kinds) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// marks collect what matched in one hit.
type marks struct {
	kinds map[string]bool
	words []string
}

func newMarks(n int) []marks {
	all := make([]marks, n)
	for i := range all {
		all[i].kinds = map[string]bool{}
	}
	return all
}

func (m *marks) add(word string, kinds []string) {
	for _, k := range kinds {
		m.kinds[k] = true
	}
	if !slices.Contains(m.words, word) {
		m.words = append(m.words, word)
	}
}

func (m *marks) match() match {
	out := match{words: m.words}
	for _, name := range append([]string{fieldTitle}, kindNames[:]...) {
		if m.kinds[name] {
			out.kinds = append(out.kinds, name)
		}
	}
	return out
}

// mark tells of every hit in which a term stands, in which kinds of field.
func (s *search) mark(t term, order []int, found func(i int, kinds []string)) (err error) {
	r, err := s.view.snapshot.TermFieldReader(s.ctx, []byte(t.text), t.field, t.field == fieldBody, false, false)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, i := range order {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		id := s.best[i].part.internalID(s.best[i].doc)
		doc, err := r.Advance(id, nil)
		if err != nil {
			return err
		}
		if doc == nil {
			return nil
		}
		if doc.ID.Equals(id) {
			found(i, kindsOf(t.field, doc))
		}
	}
	return nil
}

func kindsOf(field string, doc *bleveindex.TermFieldDoc) []string {
	if field != fieldBody {
		return []string{fieldTitle}
	}
	return kindsIn(doc.Freq)
}

// explain says how a hit came to its score: a line for every term that it has,
// then what the sum was multiplied with.
func (s *search) explain(h *hit) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "score %.4f", h.key)
	if s.query.Sort != portal.ByRelevance {
		fmt.Fprintf(&b, " (ordered by %s)", s.query.Sort)
	}
	has := func(t term) (bool, error) {
		d, err := h.part.dict(t.field)
		if err != nil {
			return false, err
		}
		p, err := postingOf(d, t.text, h.part.n)
		docs := newBitset(h.part.n)
		p.into(docs)
		return docs.has(h.doc), err
	}
	for _, g := range s.plan.groups {
		for _, a := range g.alts {
			for _, i := range a.words {
				w := &s.plan.words[i]
				for _, t := range w.terms {
					ok, err := has(t)
					if err != nil {
						return "", err
					}
					if ok && !g.exclude {
						fmt.Fprintf(&b, "\n  %.4f  %q in %s:%s, boost %.2f × rarity %.2f (%d datasets have the word) × %.1f",
							float32(t.boost)*w.weight*a.boost, w.raw, t.field, t.text, t.boost, w.weight, w.df, a.boost)
					}
				}
			}
		}
	}
	doc := h.part.cols
	fmt.Fprintf(&b, "\n  × %.4f: a title of %d words, issued %s, used %d (a power of two), parts of the whole %04b that the query does not name",
		h.part.prior(h.doc, subsetOf(s.query.Text), s.asOf), doc.length[h.doc], dateOf(doc.updated[h.doc]), bits.Len32(doc.used(h.doc)), doc.subset[h.doc]&^uint8(subsetOf(s.query.Text)))
	if whole, err := has(term{field: fieldTitles, text: s.plan.whole}); err == nil && whole && s.plan.whole != "" {
		fmt.Fprintf(&b, "\n  + %.0f: the query is the whole title", boostWhole)
	}
	return b.String(), nil
}
