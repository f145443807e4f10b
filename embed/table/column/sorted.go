package column

import (
	"context"
	"slices"
)

// MaxSorted is how many rows are put in order at once.
const MaxSorted = 2_000_000

// Each calls yield for every row that passes, in the order of the file, with the
// plan's columns in the block.
func (p *Plan) Each(ctx context.Context, src Source, yield func(b *Block, i int) error) error {
	f := p.filter(-1)
	return src.Blocks(ctx, unique(append(p.looks(), p.Columns...)), 1, func(b *Block) error {
		sel := f.keep(b)
		for _, i := range sel {
			if err := yield(b, int(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// sortedBytes is how many bytes of what rows are put in order by are held at once.
// A text has up to 3 KB of it: its key and its beginning.
const sortedBytes = 64 << 20

// Sorted gives all rows that pass in the order asked for. It reads the source
// again for every sortedBytes of what they are put in order by, so that it holds
// no more than that, and four bytes a row.
func (p *Plan) Sorted(ctx context.Context, src Source) ([]uint32, error) {
	return p.sorted(ctx, src, sortedBytes)
}

func (p *Plan) sorted(ctx context.Context, src Source, room int) ([]uint32, error) {
	var all []uint32
	s := &sorting{top: top{orders: p.order, reverse: p.reverse, key: make([]key, len(p.order))}, room: room}
	for {
		f, passed := p.filter(-1), 0
		err := src.Blocks(ctx, p.orders(), 1, func(b *Block) error {
			sel := f.keep(b)
			if passed += len(sel); passed > MaxSorted && len(p.order) > 0 {
				return tooMuch("sort", "at most %d rows are put in order; leave them in the order of the file", MaxSorted)
			}
			for _, i := range sel {
				s.add(b, int(i))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		s.sort()
		all = append(all, s.rows...)
		if !s.more {
			return all, nil
		}
		s.next()
	}
}

// sorting gathers the first rows of an order behind after: as many as there is
// room for. Keys stand in one slice, as many for each row as there are orders.
type sorting struct {
	top
	room int
	held int // bytes of rows and keys
	rows []uint32
	keys []key
	last *entry // of those that there was room for; nil: there was for all
	more bool   // rows behind last have been left out
}

// What a row takes beside its keys, with its place while rows are sorted, and what
// a key takes beside its text.
const (
	rowBytes = 8
	keyBytes = 24
)

func (s *sorting) entry(i int) entry {
	width := len(s.orders)
	return entry{int64(s.rows[i]), s.keys[i*width : (i+1)*width]}
}

// bytes is what the row of e takes.
func (s *sorting) bytes(e entry) int {
	n := rowBytes
	for _, k := range e.keys {
		n += keyBytes + len(k.s)
	}
	return n
}

func (s *sorting) add(b *Block, i int) {
	e := entry{b.First + int64(i), s.key}
	s.top.keys(b, i, e.keys)
	switch {
	case s.after != nil && s.compare(e, *s.after) <= 0:
		return
	case s.last != nil && s.compare(e, *s.last) > 0:
		s.more = true
		return
	}
	s.push(e)
	if s.held > s.room {
		s.sort()
		s.halve()
	}
}

func (s *sorting) push(e entry) {
	s.rows = append(s.rows, uint32(e.row)) //nolint:gosec // at most read.MaxRows
	s.keys = append(s.keys, e.keys...)
	s.held += s.bytes(e)
}

// sort puts the rows that are held in order.
func (s *sorting) sort() {
	places := make([]uint32, len(s.rows))
	for i := range places {
		places[i] = uint32(i) //nolint:gosec // at most MaxSorted
	}
	slices.SortFunc(places, func(i, j uint32) int { return s.compare(s.entry(int(i)), s.entry(int(j))) })
	width := len(s.orders)
	rows, keys := make([]uint32, len(places)), make([]key, 0, len(s.keys))
	for n, i := range places {
		rows[n] = s.rows[i]
		keys = append(keys, s.keys[int(i)*width:(int(i)+1)*width]...)
	}
	s.rows, s.keys = rows, keys
}

// halve leaves out the last of the sorted rows, so that half of the room is free.
func (s *sorting) halve() {
	n := len(s.rows)
	for ; n > 1 && s.held > s.room/2; n-- {
		s.held -= s.bytes(s.entry(n - 1))
	}
	s.more = s.more || n < len(s.rows)
	clear(s.keys[n*len(s.orders):])
	s.rows, s.keys = s.rows[:n], s.keys[:n*len(s.orders)]
	s.last = s.copied(n - 1)
}

func (s *sorting) copied(i int) *entry {
	e := s.entry(i)
	return &entry{e.row, slices.Clone(e.keys)}
}

// next begins behind the rows that are held.
func (s *sorting) next() {
	s.after = s.copied(len(s.rows) - 1)
	clear(s.keys)
	s.rows, s.keys, s.held, s.last, s.more = s.rows[:0], s.keys[:0], 0, nil, false
}
