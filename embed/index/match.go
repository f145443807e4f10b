package index

import (
	"fmt"
	"math/bits"

	segmentapi "github.com/blevesearch/scorch_segment_api/v2"
)

// bitset is a set of the documents of one segment.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(doc uint32)      { b[doc/64] |= 1 << (doc % 64) }
func (b bitset) has(doc uint32) bool { return b[doc/64]&(1<<(doc%64)) != 0 }

func (b bitset) or(c bitset) {
	for i := range b {
		b[i] |= c[i]
	}
}

func (b bitset) and(c bitset) {
	for i := range b {
		b[i] &= c[i]
	}
}

func (b bitset) andNot(c bitset) {
	for i := range b {
		b[i] &^= c[i]
	}
}

// all puts the first n documents in.
func (b bitset) all(n int) {
	for i := range b {
		b[i] = ^uint64(0)
	}
	if n%64 != 0 {
		b[len(b)-1] = 1<<(n%64) - 1
	}
}

// count tells how many documents are in the set.
func (b bitset) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// each calls f for every document, in order.
func (b bitset) each(f func(doc uint32)) {
	for i, w := range b {
		for w != 0 {
			f(uint32(i*64 + bits.TrailingZeros64(w)))
			w &= w - 1
		}
	}
}

// eachNot calls f for every document of the first n that is not in the set.
func (b bitset) eachNot(n int, f func(doc uint32)) {
	for i, w := range b {
		for w = ^w; w != 0; w &= w - 1 {
			doc := i*64 + bits.TrailingZeros64(w)
			if doc >= n {
				return
			}
			f(uint32(doc))
		}
	}
}

// posting is the documents of one term in one segment: as a bitmap where there
// are many, else in runs.
type posting struct {
	n    int    // how many; 0 where the segment has not the term
	bits bitset // of frequent terms; may be shorter than the segment
	runs func(take func(docs []uint32))
}

// frequent is from what share of a segment's documents a term is a bitmap.
const frequent = 1. / 64

// postingOf finds a term. The set is Bleve's own bitmap: neither frequencies nor
// lengths are read, for the score is ours (prior, score).
func postingOf(dict segmentapi.TermDictionary, text string, documents int) (posting, error) {
	list, err := dict.PostingsList([]byte(text), nil, nil)
	if err != nil || list == nil || list.Count() == 0 {
		return posting{}, err
	}
	p := posting{n: int(list.Count())}
	it, ok := list.Iterator(false, false, false, nil).(segmentapi.OptimizablePostingsIterator)
	if !ok {
		return posting{}, fmt.Errorf("postings of %q: Bleve's iterator is of another kind", text)
	}
	if doc, one := it.DocNum1Hit(); one {
		p.runs = func(take func(docs []uint32)) { take([]uint32{uint32(doc)}) }
		return p, nil
	}
	bitmap := it.ActualBitmap()
	switch {
	case bitmap == nil:
		return posting{}, nil
	case float64(p.n) > frequent*float64(documents):
		p.bits = bitmap.ToDense()
	default:
		p.runs = func(take func(docs []uint32)) {
			var buf [256]uint32
			for m := bitmap.ManyIterator(); ; {
				n := m.NextMany(buf[:])
				if n == 0 {
					return
				}
				take(buf[:n])
			}
		}
	}
	return p, nil
}

// into puts the documents in a set.
func (p *posting) into(b bitset) {
	for i, w := range p.bits {
		b[i] |= w
	}
	if p.runs == nil {
		return
	}
	p.runs(func(docs []uint32) {
		for _, doc := range docs {
			b.set(doc)
		}
	})
}

// weigh adds a weight to the score of every document that is in the set.
func (p *posting) weigh(in bitset, scores []float32, weight float32) {
	for i, w := range p.bits {
		for w &= in[i]; w != 0; w &= w - 1 {
			scores[i*64+bits.TrailingZeros64(w)] += weight
		}
	}
	if p.runs == nil {
		return
	}
	p.runs(func(docs []uint32) {
		for _, doc := range docs {
			if in.has(doc) {
				scores[doc] += weight
			}
		}
	})
}
