package delta

import (
	"fmt"
	"io"
)

// pages reads single bytes of the old content through a few held pages.
type pages struct {
	r    io.ReaderAt
	size int64
	held [64]page
	err  error
}

type page struct {
	number int64 // of the page and one more; 0 for none
	data   []byte
}

const pageSize = 16 << 10

// at gives a byte; the first error is kept, and zeros are given from then on.
//
//go:norace
func (p *pages) at(i int64) byte { return p.from(i)[0] }

// from gives the bytes from i to the end of its page.
//
//go:norace
func (p *pages) from(i int64) []byte {
	n := i / pageSize
	held := &p.held[n%int64(len(p.held))]
	if held.number != n+1 {
		if held.data == nil {
			held.data = make([]byte, pageSize)
		}
		held.number = n + 1
		want := min(pageSize, p.size-n*pageSize)
		got, err := p.r.ReadAt(held.data[:want], n*pageSize)
		if int64(got) < want && p.err == nil {
			p.err = fmt.Errorf("read old content at %d: %w", n*pageSize, noEOF(err))
		}
		held.data = held.data[:want]
	}
	return held.data[i%pageSize:]
}

// applier rebuilds the new content of a "copies" body.
type applier struct {
	c       *coder
	m       *copyModel
	s       opState
	h       history
	old     pages
	size    int64 // of the new content
	ring    []byte
	written int64 // of h.at, what went to w
	w       io.Writer
	err     error
}

func applyCopies(w io.Writer, old io.ReaderAt, h Header, body io.ByteReader) error {
	a := &applier{c: newDecoder(body), old: pages{r: old, size: h.Old}, size: h.New, w: w}
	ring := int64(1 << 12)
	for ring < min(h.New, copyWindow) {
		ring <<= 1
	}
	a.ring = make([]byte, ring)
	a.m = newCopyModel(h.New)
	a.s = firstState(h.Old)
	a.h.delim = byte(a.c.direct(0, 8)) //nolint:gosec // 8 bits
	if a.c.direct(0, 1) == 1 {
		a.prime()
	}
	for a.h.at < a.size && a.err == nil {
		a.step()
	}
	a.flush()
	for _, err := range []error{a.err, a.old.err} {
		if err != nil {
			return err
		}
	}
	return a.c.end()
}

// firstState begins both contents side by side.
func firstState(old int64) opState {
	return opState{reps: [reps]int64{max(old, 1), 1, 2, 4}}
}

// step takes one operation.
//
//go:norace
func (a *applier) step() {
	if !a.m.isCopy(a.c, false, &a.s, &a.h) {
		a.put(a.literal())
		return
	}
	length, distance := a.m.copyOp(a.c, 0, 0, &a.s)
	a.s.did(true)
	from := a.old.size + a.h.at - distance
	switch {
	case a.c.err != nil:
		a.err = a.c.err
		return
	case length > a.size-a.h.at, distance <= 0, from < 0:
		a.err = fmt.Errorf("%w: a copy of %d bytes from %d back", ErrPatch, length, distance)
		return
	case from < a.old.size:
		if length > a.old.size-from {
			a.err = fmt.Errorf("%w: a copy across the end of the old content", ErrPatch)
			return
		}
		a.fromOld(from, length)
	case distance > int64(len(a.ring)):
		a.err = fmt.Errorf("%w: a copy from %d back", ErrPatch, distance)
	default:
		for range length {
			a.put(a.ring[(a.h.at-distance)&int64(len(a.ring)-1)])
		}
	}
}

func (a *applier) fromOld(from, length int64) {
	for length > 0 && a.err == nil && a.old.err == nil {
		part := a.old.from(from)
		part = part[:min(int64(len(part)), length)]
		for _, b := range part {
			a.put(b)
		}
		from, length = from+int64(len(part)), length-int64(len(part))
	}
	if length > 0 && a.err == nil {
		a.err = a.old.err
	}
}

//go:norace
func (a *applier) literal() byte {
	expected, next, overhead := a.likely()
	v := a.m.literals.byte(a.c, 0, a.h.contexts(&a.m.scratch, expected, next, overhead, a.s.faith()), expected, a.s.faith())
	a.s.literal(expected, v)
	if a.c.err != nil {
		a.err = a.c.err
	}
	return byte(v) //nolint:gosec // a byte
}

// literal notes whether the expected byte came.
//
//go:norace
func (s *opState) literal(expected, v int) {
	s.did(false)
	if expected == v {
		s.trust = min(s.trust+1, 3)
	} else {
		s.trust >>= 1
	}
}

// likely finds the bytes that the contexts ask for.
//
//go:norace
func (a *applier) likely() (expected, next, overhead int) {
	from := a.old.size + a.h.at - a.s.reps[0]
	overhead = -1
	if o := a.h.overhead(); o >= 0 {
		overhead = a.see(a.old.size + o)
	}
	return a.see(from), a.see(from + 1), overhead
}

// see gives the byte at a place of old and new one after the other; -1 when it
// isn't there, or too far back.
//
//go:norace
func (a *applier) see(place int64) int {
	n := place - a.old.size
	switch {
	case place < 0 || n >= a.h.at || n >= 0 && a.h.at-n > int64(len(a.ring)):
		return -1
	case n < 0:
		return int(a.old.at(place))
	}
	return int(a.ring[n&int64(len(a.ring)-1)])
}

//go:norace
func (a *applier) put(b byte) {
	a.ring[a.h.at&int64(len(a.ring)-1)] = b
	a.h.push(b)
	if a.h.at-a.written == int64(len(a.ring)) || a.h.at&(1<<16-1) == 0 {
		a.flush()
	}
}

// flush gives out what was not given yet; it never wraps, because put flushes
// at every 64 KiB, and rings are smaller or a multiple of that.
func (a *applier) flush() {
	if a.err != nil || a.written == a.h.at {
		return
	}
	from := a.written & int64(len(a.ring)-1)
	_, a.err = a.w.Write(a.ring[from : from+a.h.at-a.written])
	a.written = a.h.at
}

// prime trains the literals on the old content.
func (a *applier) prime() {
	h := history{delim: a.h.delim}
	for i := int64(0); i < a.old.size && a.old.err == nil; {
		for _, b := range a.old.from(i) {
			overhead := -1
			if o := h.overhead(); o >= 0 && o < h.at {
				overhead = int(a.old.at(o))
			}
			a.m.literals.train(int(b), h.contexts(&a.m.scratch, -1, -1, overhead, 0))
			h.push(b)
			i++
		}
	}
}
