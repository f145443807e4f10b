package index

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	bleveindex "github.com/blevesearch/bleve_index_api"
	segmentapi "github.com/blevesearch/scorch_segment_api/v2"

	"koprik/portal"
	"koprik/portal/lang"
)

// Public questions are documents of their own beside the datasets, and are found
// beside them (portal.Results.Threads). They come in sets, each with a name and
// a version, which the index remembers: a set whose version is another is
// indexed again whole. They have nothing to do with generations.
//
// Reuses are one more set, ReuseSet, and are found apart (portal.Results.Reuses):
// what a question's words are to it, the title is to a reuse, and the summary is
// what answers are.

// ReuseSet is the name of the set of reuses: no dataset's.
const ReuseSet = "reuses"

// Fields of threads.
const (
	fieldSet      = "set"      // "=" and the name of its set; everyThread
	fieldAsked    = "asked"    // words of the question
	fieldAnswered = "answered" // words of the answers
)

// everyThread is the term that all threads have and no dataset.
const everyThread = "*"

// threadMark begins the ids of threads, and of no dataset.
const threadMark = "?"

// threadsKey is where the versions of the sets stand among Bleve's internal keys.
var threadsKey = []byte("koprik.threads")

func threadID(set string, id portal.InquiryID) string {
	return threadMark + set + threadMark + id.String()
}

// UpdateThreads makes the public questions of the index those of sets, which
// gives the version of each set by its name; load is asked for those that the
// index has not in this version. Readers opened later find them. It gives
// ErrInterrupted where an update of datasets is to be finished first, and leaves
// sets as they were, each in one version or the other, after any other error.
func (x *Index) UpdateThreads(ctx context.Context, sets map[string]string, load func(set string) ([]portal.Thread, error)) error {
	x.updating.Lock()
	defer x.updating.Unlock()
	now, have, err := x.threadState()
	if err != nil {
		return fmt.Errorf("index of questions: %w", err)
	}
	changed := false
	for _, set := range slices.Sorted(maps.Keys(merged(sets, have))) {
		version, wanted := sets[set]
		if wanted && have[set] == version {
			continue
		}
		var threads []portal.Thread
		if wanted {
			if threads, err = load(set); err != nil {
				return fmt.Errorf("index of questions %q: %w", set, err)
			}
			have[set] = version
		} else {
			delete(have, set)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := x.writeThreads(set, threads, have, now); err != nil {
			return fmt.Errorf("index of questions %q: %w", set, err)
		}
		changed = true
	}
	if !changed {
		return nil
	}
	return x.pin()
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(b)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, a)
	return all
}

// threadState gives the state of the index and the versions of its sets.
func (x *Index) threadState() (state, map[string]string, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return state{}, nil, os.ErrClosed
	}
	if x.state.Updating != nil || x.current == nil {
		return state{}, nil, ErrInterrupted
	}
	b, err := x.current.snapshot.GetInternal(threadsKey)
	if err != nil {
		return state{}, nil, err
	}
	have := map[string]string{}
	if b != nil {
		if err := json.Unmarshal(b, &have); err != nil {
			return state{}, nil, fmt.Errorf("%w: its questions: %w", ErrDamaged, err)
		}
	}
	return x.state, have, nil
}

// writeThreads replaces a set in one batch.
func (x *Index) writeThreads(set string, threads []portal.Thread, versions map[string]string, now state) error {
	b := bleveindex.NewBatch()
	r, err := x.scorch.Reader()
	if err != nil {
		return err
	}
	err = eachThread(r.(*scorch.IndexSnapshot), "="+set, func(id string) { b.Delete(id) })
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	for i := range threads {
		b.Update(x.analysers[0].thread(set, &threads[i]))
	}
	encoded, err := json.Marshal(versions)
	if err != nil {
		return err
	}
	b.SetInternal(threadsKey, encoded)
	return x.write(b, now)
}

// eachThread gives the ids of the threads of a set.
func eachThread(snapshot *scorch.IndexSnapshot, set string, take func(id string)) error {
	for _, s := range snapshot.Segments() {
		d, err := s.Segment().Dictionary(fieldSet)
		if err != nil {
			return err
		}
		p, err := postingOf(d, set, int(s.Segment().Count()))
		if err != nil {
			return err
		}
		docs := newBitset(int(s.Segment().Count()))
		p.into(docs)
		docs.each(func(doc uint32) {
			b, e := s.Segment().DocID(uint64(doc))
			if e != nil {
				err = e
				return
			}
			take(string(b))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// thread gives what is indexed of a public question.
func (a *analyser) thread(set string, t *portal.Thread) *document {
	doc := &document{id: threadID(set, t.ID)}
	doc.addValues(fieldSet, everyThread, "="+set)
	if day, err := time.Parse(time.DateOnly, string(t.Asked)); err == nil {
		doc.addValues(fieldUpdated, sortableTime(day.Unix()))
	}
	asked, answered := terms{}, terms{}
	a.addSaid(asked, t.Text, t.Lang)
	for _, answer := range t.Answers {
		a.addSaid(answered, answer.Text, answer.Lang)
	}
	doc.add(fieldAsked, plainOptions, asked)
	doc.add(fieldAnswered, plainOptions, answered)
	return doc
}

func (a *analyser) addSaid(to terms, text string, l portal.Lang) {
	v := a.of(l)
	for _, raw := range lang.Tokens(text) {
		t := a.analyse(v, raw, l)
		to.add(t.loose, 0)
		for _, s := range t.stems {
			to.add(s.term, 0)
		}
	}
}

// loadThreads gives the threads of a segment; nil where it has none.
func loadThreads(seg segmentapi.Segment) (bitset, error) {
	d, err := seg.Dictionary(fieldSet)
	if err != nil {
		return nil, err
	}
	p, err := postingOf(d, everyThread, int(seg.Count()))
	if err != nil || p.n == 0 {
		return nil, err
	}
	threads := newBitset(int(seg.Count()))
	p.into(threads)
	return threads, nil
}

// What a word is worth in a thread.
const (
	weightAsked    = 2
	weightAnswered = 1
	weightStem     = .5 // of that
)

// said is a word of the query as it is looked up in threads.
type said struct{ terms []term }

// findThreads finds the public questions that have all words of the query.
func (s *search) findThreads() error {
	if !s.plan.asks() || len(s.query.Filters) > 0 || len(s.plan.conditions) > 0 || s.query.Offset > 0 {
		return nil
	}
	var best, reuses []hit
	for _, p := range s.parts {
		if p.cols.threads == nil {
			continue
		}
		found, err := s.threadsIn(p)
		if err != nil {
			return err
		}
		for _, h := range found {
			if strings.HasPrefix(h.id, threadMark+ReuseSet+threadMark) {
				reuses = append(reuses, h)
			} else {
				best = append(best, h)
			}
		}
	}
	s.results.ThreadsTotal, s.results.ReusesTotal = len(best), len(reuses)
	for _, h := range bestOf(best) {
		set, id, err := threadOf(h)
		if err != nil {
			return err
		}
		s.results.Threads = append(s.results.Threads, portal.ThreadHit{Thread: id, Set: set, Score: float64(h.key)})
	}
	for _, h := range bestOf(reuses) {
		_, id, err := threadOf(h)
		if err != nil {
			return err
		}
		s.results.Reuses = append(s.results.Reuses, portal.ReuseHit{Reuse: id, Score: float64(h.key)})
	}
	return nil
}

// bestOf orders hits, and gives so many as an answer has.
func bestOf(hits []hit) []hit {
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.key, a.key), cmp.Compare(b.time, a.time), cmp.Compare(a.id, b.id))
	})
	return hits[:min(len(hits), portal.MaxThreadHits)]
}

// threadOf takes the id of a hit apart.
func threadOf(h hit) (set string, id portal.InquiryID, err error) {
	set, hex, _ := strings.Cut(strings.TrimPrefix(h.id, threadMark), threadMark)
	if id, err = portal.ParseInquiryID(hex); err != nil {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return set, id, err
}

// threadsIn gives the hits of a segment.
func (s *search) threadsIn(p *part) ([]hit, error) {
	threads, scores, every := slices.Clone(p.cols.threads), make([]float32, p.n), newBitset(p.n)
	threads.and(p.there)
	matched, err := s.plan.combine(threads, func(g *group, left, some bitset) error {
		for _, a := range g.alts {
			copy(every, left)
			for _, word := range s.saidIn(a) {
				docs, err := p.saying(word, every, scores)
				if err != nil {
					return err
				}
				every.and(docs)
			}
			some.or(every)
		}
		return s.ctx.Err()
	})
	var hits []hit
	matched.each(func(doc uint32) {
		id, e := p.id(doc)
		err = errors.Join(err, e)
		hits = append(hits, hit{part: p, doc: doc, key: scores[doc], time: p.cols.updated[doc], id: id})
	})
	return hits, err
}

// saidIn gives the words of an alternative, those of phrases one by one.
func (s *search) saidIn(a alternative) (words []said) {
	for _, i := range a.words {
		var w said
		for _, t := range s.plan.words[i].terms {
			if t.field == fieldTitles {
				w.terms = append(w.terms, t)
			}
		}
		words = append(words, w)
	}
	for _, i := range a.phrases {
		for _, raw := range s.plan.phrases[i].raw {
			words = append(words, said{[]term{{field: fieldTitles, text: cut(lang.FoldLoose(raw))}}})
		}
	}
	return words
}

// saying gives the threads that have a word, and adds to the scores of those
// that may match what it is worth there.
func (p *part) saying(w said, may bitset, scores []float32) (bitset, error) {
	docs := newBitset(p.n)
	for field, weight := range map[string]float32{fieldAsked: weightAsked, fieldAnswered: weightAnswered} {
		d, err := p.dict(field)
		if err != nil {
			return nil, err
		}
		for _, t := range w.terms {
			found, err := postingOf(d, t.text, p.n)
			if err != nil {
				return nil, err
			}
			found.into(docs)
			if t.stem {
				found.weigh(may, scores, weight*weightStem)
			} else {
				found.weigh(may, scores, weight)
			}
		}
	}
	return docs, nil
}
