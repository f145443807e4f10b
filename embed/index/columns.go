package index

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/blevesearch/bleve/v2/index/scorch"
	segmentapi "github.com/blevesearch/scorch_segment_api/v2"

	"koprik/portal"
)

// columns are what facets, filters, sorting and ranking need of every document
// of one segment, by its number there. A segment never changes, so neither do
// they; what was deleted from it stands in the snapshot.
type columns struct {
	facets    []column // as facetFields
	updated   []uint32 // seconds since 1970
	rank      []uint32 // place of the id among the segment's ids
	byRank    []uint32 // documents in the order of their ids
	subset    []uint8  // subset of the title
	length    []uint8  // words of the title
	use       []uint32 // how often it was used; nil where nobody counts
	threads   bitset   // public questions among the documents; nil for none
	orders    *orders
	countedBy *popularity // whose uses these are
}

// column is one facet of one segment: for each document one small number, which
// names a set of values. Sets are few, however many documents there are.
type column struct {
	set    numbers // by document; set 0 is empty
	sets   [][]int // values of each set, as places in values
	values []string
	counts []int32 // documents of each set, deleted ones too
}

// numbers are small numbers in as few bytes as the greatest of them takes; two
// of the three are nil.
type numbers struct {
	b []uint8
	w []uint16
	l []uint32
}

// narrow gives numbers below n as numbers.
func narrow(all []uint32, n int) (out numbers) {
	switch {
	case n <= 1<<8:
		out.b = make([]uint8, len(all))
		for i, x := range all {
			out.b[i] = uint8(x)
		}
	case n <= 1<<16:
		out.w = make([]uint16, len(all))
		for i, x := range all {
			out.w[i] = uint16(x)
		}
	default:
		out.l = all
	}
	return out
}

func (x *numbers) at(i uint32) uint32 {
	switch {
	case x.b != nil:
		return uint32(x.b[i])
	case x.w != nil:
		return uint32(x.w[i])
	}
	return x.l[i]
}

// count adds one to the count of the number of each document.
func (x *numbers) count(docs []uint32, counts []int32) {
	switch {
	case x.b != nil:
		countIn(x.b, docs, counts)
	case x.w != nil:
		countIn(x.w, docs, counts)
	default:
		countIn(x.l, docs, counts)
	}
}

func countIn[N uint8 | uint16 | uint32](all []N, docs []uint32, counts []int32) {
	for _, doc := range docs {
		counts[all[doc]]++
	}
}

// cache keeps the columns of segments that are in use.
type cache struct {
	mu   sync.Mutex
	byID map[uint64]*columns
}

// of gives the columns of every segment of a snapshot, loading those that it
// has not. Those of segments that this snapshot has not are let go of; a pinned
// reader that still needs them keeps its own.
func (c *cache) of(snapshot *scorch.IndexSnapshot, uses *popularity) ([]*columns, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*columns
	next := map[uint64]*columns{}
	for _, s := range snapshot.Segments() {
		cols := c.byID[s.Id()]
		if cols == nil || len(cols.updated) != int(s.Segment().Count()) {
			var err error
			if cols, err = loadColumns(s.Segment()); err != nil {
				return nil, err
			}
		}
		cols, err := cols.counted(s.Segment(), uses)
		if err != nil {
			return nil, err
		}
		next[s.Id()] = cols
		all = append(all, cols)
	}
	c.byID = next
	return all, nil
}

func loadColumns(seg segmentapi.Segment) (*columns, error) {
	n := int(seg.Count())
	c := &columns{
		updated: make([]uint32, n), rank: make([]uint32, n), byRank: make([]uint32, n),
		subset: make([]uint8, n), length: make([]uint8, n), orders: &orders{byLang: map[portal.Lang]*titleOrder{}},
	}
	for _, f := range facetFields {
		col, err := loadColumn(seg, string(f), n)
		if err != nil {
			return nil, err
		}
		c.facets = append(c.facets, col)
	}
	place := uint32(0)
	for field, take := range map[string]func(term string, doc uint32){
		fieldUpdated: func(term string, doc uint32) {
			seconds, _ := strconv.ParseUint(term, 10, 64) // our own 12 digits
			c.updated[doc] = uint32(min(seconds, 1<<32-1))
		},
		fieldSubset: func(term string, doc uint32) { c.subset[doc] = small(term) },
		fieldLength: func(term string, doc uint32) { c.length[doc] = small(term) },
		"_id": func(_ string, doc uint32) {
			c.rank[doc], c.byRank[place] = place, doc
			place++
		},
	} {
		if err := eachPosting(seg, field, take); err != nil {
			return nil, err
		}
	}
	var err error
	c.threads, err = loadThreads(seg)
	return c, err
}

func small(term string) uint8 {
	n, _ := strconv.Atoi(term) // our own digits
	return uint8(n)
}

// loadColumn reads a facet: every term adds its value to the sets of its
// documents.
func loadColumn(seg segmentapi.Segment, field string, n int) (column, error) {
	col, set := column{sets: [][]int{nil}}, make([]uint32, n)
	type step struct {
		set   uint32
		value int
	}
	grown := map[step]uint32{}
	value := -1
	last := ""
	err := eachPosting(seg, field, func(term string, doc uint32) {
		if value < 0 || term != last {
			value, last = len(col.values), term
			col.values = append(col.values, term)
		}
		s := step{set[doc], value}
		to, ok := grown[s]
		if !ok {
			to = uint32(len(col.sets))
			grown[s] = to
			col.sets = append(col.sets, append(slices.Clip(slices.Clone(col.sets[s.set])), value))
		}
		set[doc] = to
	})
	col.counts = make([]int32, len(col.sets))
	for _, s := range set {
		col.counts[s]++
	}
	col.set = narrow(set, len(col.sets))
	return col, err
}

// eachPosting calls take for every term of a field, in order, and every
// document that has it, deleted ones too.
func eachPosting(seg segmentapi.Segment, field string, take func(term string, doc uint32)) error {
	dict, err := seg.Dictionary(field)
	if err != nil {
		return err
	}
	terms := dict.AutomatonIterator(nil, nil, nil)
	var list segmentapi.PostingsList
	var it segmentapi.PostingsIterator
	for {
		entry, err := terms.Next()
		if err != nil || entry == nil {
			return err
		}
		if list, err = dict.PostingsList([]byte(entry.Term), nil, list); err != nil {
			return err
		}
		it = list.Iterator(false, false, false, it)
		for {
			p, err := it.Next()
			if err != nil {
				return err
			}
			if p == nil {
				break
			}
			take(entry.Term, uint32(p.Number()))
		}
	}
}

// counter counts the values of facets over hits.
type counter struct {
	cols   *columns
	counts [][]int32 // by facet and set
}

func newCounter(cols *columns) *counter {
	c := &counter{cols: cols, counts: make([][]int32, len(cols.facets))}
	for i := range cols.facets {
		c.counts[i] = make([]int32, len(cols.facets[i].sets))
	}
	return c
}

// addAll counts a run of documents.
func (c *counter) addAll(docs []uint32) {
	for i := range c.counts {
		c.cols.facets[i].set.count(docs, c.counts[i])
	}
}

// whole counts every document that is alive.
func (c *counter) whole(live bitset, n int) {
	for i := range c.counts {
		f := &c.cols.facets[i]
		copy(c.counts[i], f.counts)
	}
	live.eachNot(n, func(doc uint32) {
		for i := range c.counts {
			c.counts[i][c.cols.facets[i].set.at(doc)]--
		}
	})
}

// into adds what was counted to the results' facets.
func (c *counter) into(facets map[portal.Facet]map[string]int) {
	for i, f := range facetFields {
		col := &c.cols.facets[i]
		for set, n := range c.counts[i] {
			if n == 0 {
				continue
			}
			for _, v := range col.sets[set] {
				facets[f][col.values[v]] += int(n)
			}
		}
	}
}

// The ages of freshness, seconds before the moment that it counts from.
const day = 24 * 60 * 60

var ages = []struct {
	value string
	upTo  uint32
}{{portal.FreshMonth, 31 * day}, {portal.FreshQuarter, 92 * day}, {portal.FreshYear, 366 * day}, {portal.FreshOlder, 1<<32 - 1}}

var ageNames = []string{portal.FreshMonth, portal.FreshQuarter, portal.FreshYear, portal.FreshOlder}

// bounds are the oldest times of issue of each age but the last.
type bounds [3]uint32

func boundsOf(asOf uint32) (b bounds) {
	for i := range b {
		b[i] = asOf - min(asOf, ages[i].upTo)
	}
	return b
}

// age gives the place in ages of what was issued at updated.
func (b *bounds) age(updated uint32) int {
	switch {
	case updated >= b[0]:
		return 0
	case updated >= b[1]:
		return 1
	case updated >= b[2]:
		return 2
	}
	return 3
}

// filters say for one segment which sets of each facet pass.
type filters struct {
	cols   *columns
	passes []pass
	fresh  []bool // by age; nil when freshness is not asked for
	bounds bounds
}

type pass struct {
	set *numbers
	ok  []bool
}

// condition is one filter of a query: a document passes when it has one of the
// values, or when it has none of them and not is set.
type condition struct {
	facet  portal.Facet
	values []string
	not    bool
	part   bool // a value may be a part of the facet's
}

func newFilters(cols *columns, conditions []condition, asOf uint32) *filters {
	f := &filters{cols: cols, bounds: boundsOf(asOf)}
	for _, c := range conditions {
		if c.facet == portal.FacetFreshness {
			if f.fresh == nil {
				f.fresh = []bool{true, true, true, true}
			}
			for i := range ages {
				f.fresh[i] = f.fresh[i] && slices.Contains(c.values, ages[i].value) != c.not
			}
			continue
		}
		col := &cols.facets[slices.Index(facetFields, c.facet)]
		wanted := make([]bool, len(col.values))
		for i, v := range col.values {
			wanted[i] = slices.Contains(c.values, v) || c.part && strings.Contains(v, c.values[0])
		}
		ok := make([]bool, len(col.sets))
		for i, values := range col.sets {
			ok[i] = slices.ContainsFunc(values, func(v int) bool { return wanted[v] }) != c.not
		}
		f.passes = append(f.passes, pass{&col.set, ok})
	}
	return f
}

// passes tells whether a document passes all filters.
func (f *filters) pass(doc uint32) bool {
	for i := range f.passes {
		if p := &f.passes[i]; !p.ok[p.set.at(doc)] {
			return false
		}
	}
	return f.fresh == nil || f.fresh[f.bounds.age(f.cols.updated[doc])]
}
