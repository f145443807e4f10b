package index

import (
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

func (b bitset) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
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

// each calls f for every document, in order.
func (b bitset) each(f func(doc uint32)) {
	for i, w := range b {
		for w != 0 {
			f(uint32(i*64 + bits.TrailingZeros64(w)))
			w &= w - 1
		}
	}
}

// posting is the documents of one term in one segment: the one document that
// has it, or a bitmap of Bleve's.
type posting struct {
	one   uint32
	isOne bool
	many  interface {
		NextMany(buf []uint32) int
	}
	dense func(bitset)
	n     int
}

// postingOf finds a term; ok is false when no document of the segment has it.
func postingOf(dict segmentapi.TermDictionary, text string) (p posting, ok bool, err error) {
	list, err := dict.PostingsList([]byte(text), nil, nil)
	if err != nil || list == nil || list.Count() == 0 {
		return p, false, err
	}
	it := list.Iterator(false, false, false, nil)
	if o, is := it.(segmentapi.OptimizablePostingsIterator); is {
		if doc, hit := o.DocNum1Hit(); hit {
			return posting{one: uint32(doc), isOne: true, n: 1}, true, nil
		}
		if bm := o.ActualBitmap(); bm != nil {
			return posting{many: bm.ManyIterator(), n: int(list.Count()), dense: func(b bitset) {
				var buf [256]uint32
				for m := bm.ManyIterator(); ; {
					n := m.NextMany(buf[:])
					if n == 0 {
						return
					}
					for _, doc := range buf[:n] {
						b.set(doc)
					}
				}
			}}, true, nil
		}
	}
	return p, false, nil
}

// into puts the documents in a set.
func (p *posting) into(b bitset) {
	if p.isOne {
		b.set(p.one)
		return
	}
	p.dense(b)
}

// weigh adds a weight to the score of every document of the posting that is in
// the set. It can be called once.
func (p *posting) weigh(in bitset, scores []float32, weight float32) {
	if p.isOne {
		if in.has(p.one) {
			scores[p.one] += weight
		}
		return
	}
	var buf [256]uint32
	for {
		n := p.many.NextMany(buf[:])
		if n == 0 {
			return
		}
		for _, doc := range buf[:n] {
			if in.has(doc) {
				scores[doc] += weight
			}
		}
	}
}
