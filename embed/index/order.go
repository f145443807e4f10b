package index

import (
	"cmp"
	"slices"
	"sort"
	"sync"

	segmentapi "github.com/blevesearch/scorch_segment_api/v2"

	"koprik/portal"
	"koprik/portal/lang"
)

// popularity tells how often datasets are used.
type popularity struct{ of func(portal.DatasetID) int64 }

// SetUses gives the index a count by which used datasets rank before unused ones
// and by which portal.ByUse orders; nil takes it away. uses is asked for every
// dataset when a generation is first searched after SetUses, and for new ones
// with later generations, so it must be quick and may be called by several
// goroutines; negative counts are none. Readers opened later use it: call it again
// with a new function when the counts have changed.
func (x *Index) SetUses(uses func(portal.DatasetID) int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.uses = nil
	if uses != nil {
		x.uses = &popularity{uses}
	}
	x.renew()
}

// renew gives later readers what was set, with the snapshot that there is. The
// caller holds mu.
func (x *Index) renew() {
	if v := x.current; v != nil {
		x.current = &view{snapshot: v.snapshot, cache: x.cache, synonyms: x.synonyms, uses: x.uses}
	}
}

// counted gives columns with the uses that a popularity tells; nil tells none.
func (c *columns) counted(seg segmentapi.Segment, by *popularity) (*columns, error) {
	if c.countedBy == by {
		return c, nil
	}
	with := *c
	with.countedBy, with.use = by, nil
	if by == nil {
		return &with, nil
	}
	with.use = make([]uint32, len(c.updated))
	err := eachPosting(seg, "_id", func(term string, doc uint32) {
		with.use[doc] = uint32(min(max(by.of(portal.DatasetID(term)), 0), 1<<32-1))
	})
	return &with, err
}

// used gives how often a document was used.
func (c *columns) used(doc uint32) uint32 {
	if c.use == nil {
		return 0
	}
	return c.use[doc]
}

// fieldOrder holds, for each language, the key by which a reader of it finds the
// title in an alphabetical list.
func fieldOrder(l portal.Lang) string { return "order:" + string(l) }

// maxOrder is how much of a title's key is kept, bytes; titles that differ only
// after it stand in the order of their ids.
const maxOrder = 100

// addOrder indexes the keys of a title.
func addOrder(doc *document, title portal.Text) {
	for _, l := range portal.Langs {
		shown, _ := title.In(l)
		key := lang.SortKey(l, shown)
		doc.addValues(fieldOrder(l), key[:min(len(key), maxOrder)])
	}
}

// titleOrder is the order of one segment's documents by their titles in one
// language. The keys stay in the segment: keysAt finds them by samples.
type titleOrder struct {
	place   []uint32 // of each document; unique
	samples []sample
	titled  uint32 // places from here on are of documents without a title
}

// sample is a key with the place of its first document.
type sample struct {
	place uint32
	key   string
}

// sampled is how many keys are between two samples.
const sampled = 64

// orders are the title orders of a segment that somebody has asked for.
type orders struct {
	mu     sync.Mutex
	byLang map[portal.Lang]*titleOrder
}

// orderBy gives the order of a segment's titles in a language.
func (p *part) orderBy(l portal.Lang) (*titleOrder, error) {
	o := p.cols.orders
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.byLang[l]; t != nil {
		return t, nil
	}
	t, err := loadOrder(p.seg, l, p.cols)
	if err == nil {
		o.byLang[l] = t
	}
	return t, err
}

func loadOrder(seg segmentapi.Segment, l portal.Lang, cols *columns) (*titleOrder, error) {
	n := len(cols.rank)
	t := &titleOrder{place: make([]uint32, n)}
	placed := newBitset(n)
	var alike []uint32 // documents of one key
	next, keys, last := uint32(0), 0, ""
	flush := func() {
		slices.SortFunc(alike, func(a, b uint32) int { return cmp.Compare(cols.rank[a], cols.rank[b]) })
		if len(alike) > 0 && keys%sampled == 1 {
			t.samples = append(t.samples, sample{next, last})
		}
		for _, doc := range alike {
			t.place[doc] = next
			next++
		}
		alike = alike[:0]
	}
	err := eachPosting(seg, fieldOrder(l), func(key string, doc uint32) {
		if keys == 0 || key != last {
			flush()
			keys, last = keys+1, key
		}
		alike = append(alike, doc)
		placed.set(doc)
	})
	flush()
	t.titled = next
	for _, doc := range cols.byRank {
		if !placed.has(doc) {
			t.place[doc] = next
			next++
		}
	}
	return t, err
}

// keysAt gives the keys of places, which are in order. It walks the keys from
// the sample before each.
func (t *titleOrder) keysAt(seg segmentapi.Segment, l portal.Lang, places []uint32) ([]string, error) {
	dict, err := seg.Dictionary(fieldOrder(l))
	if err != nil {
		return nil, err
	}
	out := make([]string, len(places))
	var terms segmentapi.DictionaryIterator
	at, until, key := uint32(0), uint32(0), "" // key has the places from at to until
	for i, place := range places {
		if place >= t.titled {
			out[i] = "\xff" // after all others
			continue
		}
		from := t.samples[sort.Search(len(t.samples), func(j int) bool { return t.samples[j].place > place })-1]
		if terms == nil || from.place > until {
			terms = dict.AutomatonIterator(nil, []byte(from.key), nil)
			at, until = from.place, from.place
		}
		for place >= until {
			e, err := terms.Next()
			if err != nil || e == nil {
				return out, err
			}
			at, until, key = until, until+uint32(e.Count), e.Term
		}
		if place >= at {
			out[i] = key
		}
	}
	return out, nil
}

// keys gives the hits of several segments the keys by which they are put
// together.
func (s *search) keys() error {
	for _, p := range s.parts {
		var hits []*hit
		var places []uint32
		for i := range s.best {
			if s.best[i].part == p {
				hits = append(hits, &s.best[i])
			}
		}
		if len(hits) == 0 {
			continue
		}
		t, err := p.orderBy(s.reader())
		if err != nil {
			return err
		}
		slices.SortFunc(hits, func(a, b *hit) int { return cmp.Compare(a.rank, b.rank) })
		for _, h := range hits {
			places = append(places, h.rank)
		}
		found, err := t.keysAt(p.seg, s.reader(), places)
		if err != nil {
			return err
		}
		for i, h := range hits {
			h.title = found[i]
		}
	}
	return nil
}

// reader is the language in whose alphabet titles are put in order.
func (s *search) reader() portal.Lang { return cmp.Or(s.query.Lang, portal.Uzbek) }
