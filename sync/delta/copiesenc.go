package delta

const (
	block   = 4096 // bytes planned at once
	nice    = 160  // a copy as long as this is taken at once
	priceUp = 1 << 30
)

// planner chooses operations: the cheapest way through a block, at the prices
// that the models have at its beginning.
type planner struct {
	f     *finder
	m     *copyModel
	c     *coder
	s     opState
	h     history
	ring  int // how far back the other side sees
	nodes [block + 2]node
	ops   []op
	far   [3][nice]uint32 // prices of short lengths
}

// node is the cheapest known way to a place.
type node struct {
	cost  uint32
	op    op
	state opState
}

// op is a literal (length 0) or a copy.
type op struct{ length, distance int64 }

// encodeCopies gives the body, or nil when it would be as long as limit. With
// primed the literals are trained on the old content first.
func encodeCopies(buf []byte, old int, primed bool, limit int, pause func() error) ([]byte, error) {
	size := len(buf) - old
	p := &planner{f: newFinder(buf, old), m: newCopyModel(int64(size)), c: newEncoder(), s: firstState(int64(old)), ring: 1 << 12}
	for p.ring < min(size, copyWindow) {
		p.ring <<= 1
	}
	p.h.delim = delimiter(buf[old:])
	p.c.direct(uint32(p.h.delim), 8)
	flag := uint32(0)
	if primed {
		flag = 1
		if err := p.prime(buf[:old], pause); err != nil {
			return nil, err
		}
	}
	p.c.direct(flag, 1)
	for int(p.h.at) < size {
		if err := pause(); err != nil {
			return nil, err
		}
		p.plan()
		for _, o := range p.ops {
			p.emit(o)
		}
		if len(p.c.out) >= limit {
			return nil, nil
		}
	}
	return p.c.finish(), nil
}

func (p *planner) prime(old []byte, pause func() error) error {
	h := history{delim: p.h.delim}
	for i, b := range old {
		if i%block == 0 {
			if err := pause(); err != nil {
				return err
			}
		}
		overhead := -1
		if o := h.overhead(); o >= 0 {
			overhead = int(old[o])
		}
		p.m.literals.train(int(b), h.contexts(&p.m.scratch, -1, -1, overhead, 0))
		h.push(b)
	}
	return nil
}

// see is what applier.see gives.
//
//go:norace
func (p *planner) see(h *history, place int64) int {
	n := place - int64(p.f.old)
	if place < 0 || n >= h.at || n >= 0 && h.at-n > int64(p.ring) {
		return -1
	}
	return int(p.f.buf[place])
}

//go:norace
func (p *planner) likely(s *opState, h *history) (expected, next, overhead int) {
	from := int64(p.f.old) + h.at - s.reps[0]
	overhead = -1
	if o := h.overhead(); o >= 0 {
		overhead = p.see(h, int64(p.f.old)+o)
	}
	return p.see(h, from), p.see(h, from+1), overhead
}

// emit codes one operation.
//
//go:norace
func (p *planner) emit(o op) {
	here := p.f.old + int(p.h.at)
	p.m.isCopy(p.c, o.length > 0, &p.s, &p.h)
	if o.length == 0 {
		v := int(p.f.buf[here])
		expected, next, overhead := p.likely(&p.s, &p.h)
		p.m.literals.byte(p.c, v, p.h.contexts(&p.m.scratch, expected, next, overhead, p.s.faith()), expected, p.s.faith())
		p.s.literal(expected, v)
		p.h.push(byte(v)) //nolint:gosec // a byte
		return
	}
	p.m.copyOp(p.c, o.length, o.distance, &p.s)
	p.s.did(true)
	for _, b := range p.f.buf[here : here+int(o.length)] {
		p.h.push(b)
	}
}

// plan fills ops for the next block.
//
//go:norace
func (p *planner) plan() {
	p.prices()
	start := p.f.old + int(p.h.at)
	n := min(block, len(p.f.buf)-start)
	for i := range p.nodes[:n+1] {
		p.nodes[i].cost = priceUp
	}
	p.nodes[0] = node{state: p.s}
	h := p.h
	var last op
	end := n
	for i := range n {
		if long := p.relax(i, n, start+i, &h); long.length > 0 {
			last, end = long, i
			break
		}
		h.push(p.f.buf[start+i])
	}
	p.ops = p.ops[:0]
	if last.length > 0 {
		p.ops = append(p.ops, last)
	}
	for i := end; i > 0; {
		o := p.nodes[i].op
		p.ops = append(p.ops, o)
		i -= max(int(o.length), 1)
	}
	for i, j := 0, len(p.ops)-1; i < j; i, j = i+1, j-1 {
		p.ops[i], p.ops[j] = p.ops[j], p.ops[i]
	}
}

func (p *planner) prices() {
	for i := range p.far {
		for j := range p.far[i] {
			p.far[i][j] = p.m.length[i].price(uint32(j)) //nolint:gosec // below nice
		}
	}
}

//go:norace
func (p *planner) lengthPrice(kind int, length int64) uint32 {
	n := length - minCopy(kind)
	if n < nice {
		return p.far[lengthModel(kind)][n]
	}
	return p.m.length[lengthModel(kind)].price(uint32(n)) //nolint:gosec // below 2^30
}

// relax tries every operation from node i. A copy that is long enough is given
// back, to be taken at once.
//
//go:norace
func (p *planner) relax(i, n, here int, h *history) op {
	from := &p.nodes[i]
	s := &from.state
	copying := from.cost + p.m.isCopyPrice(true, s, h)
	var long op
	for k, d := range s.reps {
		at := here - int(d)
		if at < 0 || d > int64(p.ring) && at >= p.f.old {
			continue
		}
		length := p.f.length(at, here, p.f.limit(at, here))
		if length >= nice && int64(length) > long.length {
			long = op{int64(length), d}
		}
		p.relaxRep(i, n, k, int64(length), d, copying)
	}
	if long.length > 0 {
		return long
	}
	found := p.f.at(here, s.reps[0])
	for _, c := range found {
		if c.length >= nice && int64(c.length) > long.length {
			long = op{int64(c.length), int64(c.distance)}
		}
	}
	if long.length > 0 {
		return long
	}
	p.relaxFound(i, n, found, copying)
	p.relaxLiteral(i, here, h)
	return op{}
}

// relaxFound keeps, for each length, the distance that is told in the fewest
// bits, and relaxes with that.
//
//go:norace
func (p *planner) relaxFound(i, n int, found []candidate, cost uint32) {
	s := &p.nodes[i].state
	var cheap [2][nice + 1]int64 // by length: near and far distances, 0 for none
	longest := 0
	for _, c := range found {
		d := int64(c.distance)
		kind := kindOf(s, d)
		if kind < reps || int64(c.length) < minCopy(kind) {
			continue
		}
		longest = max(longest, c.length)
		if at := &cheap[kind-kindNear][c.length]; *at == 0 || farther(kind, s, *at, d) {
			*at = d
		}
	}
	for kind := kindNear; kind <= kindFar; kind++ {
		var d int64
		var told uint32
		class := -1 // of the length that told is for; a price is computed once for many lengths
		for l := longest; int64(l) >= minCopy(kind); l-- {
			if at := cheap[kind-kindNear][l]; at != 0 && (d == 0 || farther(kind, s, d, at)) {
				d, class = at, -1
			}
			if d == 0 || l > n-i {
				continue
			}
			if c := lengthClass(int64(l)); c != class {
				told, class = p.m.distancePrice(kind, int64(l), d, s), c
			}
			p.relaxOne(i, kind, int64(l), d, cost+told)
		}
	}
}

// farther tells whether a is told in more bits than b.
//
//go:norace
func farther(kind int, s *opState, a, b int64) bool {
	if kind == kindNear {
		return zigzag(a-s.reps[0]) > zigzag(b-s.reps[0])
	}
	return a > b
}

// relaxOne offers node i+l a copy.
//
//go:norace
func (p *planner) relaxOne(i, kind int, l, distance int64, cost uint32) {
	total := cost + p.lengthPrice(kind, l)
	if to := &p.nodes[i+int(l)]; total < to.cost {
		to.cost, to.op = total, op{l, distance}
		to.state = p.nodes[i].state
		to.state.used(distance)
		to.state.did(true)
	}
}

// relaxRep offers all lengths at a remembered distance.
//
//go:norace
func (p *planner) relaxRep(i, n, kind int, length, distance int64, cost uint32) {
	cost += p.m.distancePrice(kind, length, distance, &p.nodes[i].state)
	for l := minCopy(kind); l <= min(length, int64(n-i)); l++ {
		p.relaxOne(i, kind, l, distance, cost)
	}
}

//go:norace
func (p *planner) relaxLiteral(i, here int, h *history) {
	from := &p.nodes[i]
	s := &from.state
	v := int(p.f.buf[here])
	expected, next, overhead := p.likely(s, h)
	total := from.cost + p.m.isCopyPrice(false, s, h) +
		p.m.literals.price(v, h.contexts(&p.m.scratch, expected, next, overhead, s.faith()), expected, s.faith())
	if to := &p.nodes[i+1]; total < to.cost {
		to.cost, to.op = total, op{0, 0}
		to.state = *s
		to.state.literal(expected, v)
	}
}
