package column

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
)

// Page is which rows a page has.
type Page struct {
	Rows  []int64 // in their order
	More  bool    // there are others after them
	Total int64   // rows that pass
}

// errEnough ends a walk over blocks early; it is no error.
var errEnough = errors.New("enough")

// Rows finds the rows of a page: those after the row after, 0 for the first
// page. total is how many rows pass where that is known, else -1.
func (p *Plan) Rows(ctx context.Context, src Source, after, total int64) (Page, error) {
	if len(p.order) == 0 && !p.reverse {
		return p.inFileOrder(ctx, src, after, total)
	}
	top := &top{orders: p.order, reverse: p.reverse, limit: p.Limit + 1, key: make([]key, len(p.order))}
	if after > 0 {
		b, err := src.Row(ctx, p.orders(), after)
		if err != nil {
			return Page{}, err
		}
		top.after = &entry{row: after, keys: make([]key, len(p.order))}
		top.keys(b, 0, top.after.keys)
	}
	page := Page{}
	f := p.filter(-1)
	err := src.Blocks(ctx, p.orders(), 1, func(b *Block) error {
		sel := f.keep(b)
		page.Total += int64(len(sel))
		for _, i := range sel {
			top.add(b, int(i))
		}
		return nil
	})
	if err != nil {
		return Page{}, err
	}
	slices.SortFunc(top.heap, top.compare)
	for i, e := range top.heap {
		if i == p.Limit {
			page.More = true
			break
		}
		page.Rows = append(page.Rows, e.row)
	}
	return page, nil
}

// inFileOrder takes rows as they come, and stops where nothing is to be counted.
func (p *Plan) inFileOrder(ctx context.Context, src Source, after, total int64) (Page, error) {
	page, from := Page{Total: total}, int64(1)
	if total >= 0 {
		from = after + 1
	}
	f, passed := p.filter(-1), int64(0)
	err := src.Blocks(ctx, p.looks(), from, func(b *Block) error {
		sel := f.keep(b)
		passed += int64(len(sel))
		for _, i := range sel {
			row := b.First + int64(i)
			switch {
			case row <= after:
			case len(page.Rows) < p.Limit:
				page.Rows = append(page.Rows, row)
			default:
				page.More = true
				if total >= 0 {
					return errEnough
				}
			}
			if page.More {
				break
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return Page{}, err
	}
	if total < 0 {
		page.Total = passed
	}
	return page, nil
}

// key is what a row sorts by: n first, then s. What is missing has the largest n.
type key struct {
	n uint64
	s string
}

const missing = math.MaxUint64

// keyAt gives the key of one value. Keys of one column compare with each other
// as long as all are made of vectors of one form.
func keyAt(v *Vector, i int, order collation) key {
	var value any
	switch {
	case v.Coded():
		c := v.code(i)
		if v.Dict[c] == nil {
			return key{n: missing}
		}
		return key{n: uint64(c)}
	case v.Numbers != nil:
		f := v.Numbers[i]
		if math.IsNaN(f) {
			return key{n: missing}
		}
		return key{n: ordered(f)}
	default:
		value = Canonical(v.Plain[i])
	}
	switch value := value.(type) {
	case nil:
		return key{n: missing}
	case string:
		return key{n: missing - 1, s: order(value) + "\x00" + orderedPart(value)}
	}
	f, _ := number(value)
	return key{n: ordered(f)}
}

// ordered gives a number's bits so that they stand in the order of the numbers.
func ordered(f float64) uint64 {
	bits := math.Float64bits(f + 0) // -0 is 0
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

// compareKeys puts what is missing last, upwards and downwards.
func compareKeys(a, b key, desc bool) int {
	c := 0
	switch {
	case a.n < b.n:
		c = -1
	case a.n > b.n:
		c = 1
	default:
		c = strings.Compare(a.s, b.s)
	}
	if desc && a.n != missing && b.n != missing {
		return -c
	}
	return c
}

// entry is a row with its keys.
type entry struct {
	row  int64
	keys []key
}

// top keeps the first rows of an order: a heap with the last of them on top.
type top struct {
	orders  []order
	reverse bool // rows from the end of the file
	limit   int
	after   *entry
	heap    []entry
	key     []key // of the row in hand
}

func (t *top) keys(b *Block, i int, keys []key) {
	for n, o := range t.orders {
		keys[n] = keyAt(&b.Vectors[o.column], i, o.key)
	}
}

func (t *top) compare(a, b entry) int {
	for n, o := range t.orders {
		if c := compareKeys(a.keys[n], b.keys[n], o.desc); c != 0 {
			return c
		}
	}
	c := 0
	switch {
	case a.row < b.row:
		c = -1
	case a.row > b.row:
		c = 1
	}
	if t.reverse {
		return -c
	}
	return c
}

// add takes a row if it is among the first after the cursor.
func (t *top) add(b *Block, i int) {
	e := entry{b.First + int64(i), t.key}
	full := len(t.heap) == t.limit
	if len(t.orders) > 0 { // most rows are refused by their first key
		e.keys[0] = keyAt(&b.Vectors[t.orders[0].column], i, t.orders[0].key)
		if full && compareKeys(e.keys[0], t.heap[0].keys[0], t.orders[0].desc) > 0 {
			return
		}
		for n, o := range t.orders[1:] {
			e.keys[n+1] = keyAt(&b.Vectors[o.column], i, o.key)
		}
	}
	if t.after != nil && t.compare(e, *t.after) <= 0 {
		return
	}
	if !full {
		e.keys = slices.Clone(e.keys)
		t.heap = append(t.heap, e)
		t.up(len(t.heap) - 1)
		return
	}
	if t.compare(e, t.heap[0]) < 0 {
		t.heap[0].row = e.row
		copy(t.heap[0].keys, e.keys)
		t.down(0)
	}
}

func (t *top) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if t.compare(t.heap[i], t.heap[parent]) <= 0 {
			return
		}
		t.heap[i], t.heap[parent] = t.heap[parent], t.heap[i]
		i = parent
	}
}

func (t *top) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(t.heap) {
			return
		}
		if child+1 < len(t.heap) && t.compare(t.heap[child+1], t.heap[child]) > 0 {
			child++
		}
		if t.compare(t.heap[child], t.heap[i]) <= 0 {
			return
		}
		t.heap[i], t.heap[child] = t.heap[child], t.heap[i]
		i = child
	}
}
