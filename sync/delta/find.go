package delta

import (
	"encoding/binary"
	"math/bits"
)

// level finds earlier places that begin with the same width bytes.
type level struct {
	width int
	step  int // every step-th place is known
	depth int // places tried
	shift uint
	head  []int32
	prev  []int32
}

func newLevel(size, width, step, depth int) *level {
	n := bits.Len(uint(size / step)) //nolint:gosec // a length
	n = min(max(n, 10), 22)
	l := &level{width: width, step: step, depth: depth, shift: uint(64 - n), head: make([]int32, 1<<n), prev: make([]int32, size/step+1)} //nolint:gosec // 42 to 54
	for i := range l.head {
		l.head[i] = -1
	}
	return l
}

//go:norace
func (l *level) hash(b []byte) uint64 {
	var v uint64
	switch {
	case l.width == 4:
		v = uint64(binary.LittleEndian.Uint32(b)) * 0x9E3779B97F4A7C15
	case l.width <= 8:
		v = binary.LittleEndian.Uint64(b) << (64 - 8*l.width) * 0x9E3779B97F4A7C15
	default:
		v = binary.LittleEndian.Uint64(b) * 0x9E3779B97F4A7C15
		for i := 8; i+8 <= l.width; i += 8 {
			v = (v ^ v>>29 ^ binary.LittleEndian.Uint64(b[i:])) * 0xBF58476D1CE4E5B9
		}
	}
	return (v ^ v>>31) * 0x94D049BB133111EB >> l.shift
}

// finder knows all places of old and new, one after the other, up to the next.
type finder struct {
	buf    []byte
	old    int
	next   int
	levels []*level
	found  []candidate
}

// candidate is a place that the next bytes can be copied from.
type candidate struct {
	length   int
	distance int
}

const dense = 64 << 20 // old and new together; above it places are known sparsely

func newFinder(buf []byte, old int) *finder {
	f := &finder{buf: buf, old: old}
	if len(buf) <= dense {
		f.levels = []*level{newLevel(len(buf), 24, 1, 16), newLevel(len(buf), 8, 1, 32), newLevel(len(buf), 4, 1, 12)}
	} else {
		f.levels = []*level{newLevel(len(buf), 24, 4, 12), newLevel(len(buf), 8, 4, 8)}
	}
	f.skip(old)
	return f
}

// skip learns all places before to.
//
//go:norace
func (f *finder) skip(to int) {
	for _, l := range f.levels {
		last := min(to, len(f.buf)-max(l.width, 8)+1)
		for i := (f.next + l.step - 1) / l.step * l.step; i < last; i += l.step {
			h := l.hash(f.buf[i:])
			l.prev[i/l.step] = l.head[h]
			l.head[h] = int32(i) //nolint:gosec // below 2^31
		}
	}
	f.next = max(f.next, to)
}

// limit is how many bytes can be copied from there to here at most.
//
//go:norace
func (f *finder) limit(from, here int) int {
	n := len(f.buf) - here
	if from < f.old {
		n = min(n, f.old-from)
	}
	return n
}

// length counts how many bytes at from and here are the same, up to limit.
//
//go:norace
func (f *finder) length(from, here, limit int) int {
	n := 0
	for n+8 <= limit {
		if x := binary.LittleEndian.Uint64(f.buf[from+n:]) ^ binary.LittleEndian.Uint64(f.buf[here+n:]); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
		n += 8
	}
	for n < limit && f.buf[from+n] == f.buf[here+n] {
		n++
	}
	return n
}

// at gives candidates for the place here, from the nearest to the longest, all
// longer than the ones before. around is a distance near which others are
// looked for. Places from here on are not known yet.
//
//go:norace
func (f *finder) at(here int, around int64) []candidate {
	f.skip(here)
	f.found = f.found[:0]
	near := here - int(around)
	best := 0
	for _, l := range f.levels {
		if here+max(l.width, 8) > len(f.buf) {
			continue
		}
		from := l.head[l.hash(f.buf[here:])]
		for range l.depth {
			if from < 0 {
				break
			}
			f.try(int(from), here)
			from = l.prev[int(from)/l.step]
		}
		for _, c := range f.found {
			best = max(best, c.length)
		}
		if best >= 64 {
			return f.found
		}
	}
	for d := 1; d <= 64; d++ {
		f.try(near-d, here)
		f.try(near+d, here)
	}
	return f.found
}

// try looks at one place.
//
//go:norace
func (f *finder) try(from, here int) {
	if from < 0 || from >= here || from >= f.old && here-from > copyWindow || here+4 > len(f.buf) {
		return
	}
	if binary.LittleEndian.Uint16(f.buf[from:]) != binary.LittleEndian.Uint16(f.buf[here:]) {
		return
	}
	if n := f.length(from, here, f.limit(from, here)); n >= 2 {
		f.found = append(f.found, candidate{n, here - from})
	}
}
