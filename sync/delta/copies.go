package delta

// The codec "copies": what is new is told as copies from the old content or
// from what came before, and literals between them. Offsets into the old
// content are read where they stand, so applying takes the same memory whatever
// the size; a file of 100 MB needs no segments.

const (
	copyWindow = 4 << 20 // how far back in the new content a copy may reach
	reps       = 4       // remembered distances
)

// Kinds of a copy's distance.
const (
	kindNear = reps     // the last distance and a little
	kindFar  = reps + 1 // a distance of its own
)

// opState is what the next operation is guessed from.
type opState struct {
	reps  [reps]int64 // distances: copies begin at (place - distance)
	past  int         // the last four operations: one bit each, 1 for a copy
	trust int         // how often the expected byte came lately, 0 to 3
}

// faith is how far the expected byte is to be believed: 0 right after a copy,
// which would have gone on if it were right.
//
//go:norace
func (s *opState) faith() int {
	if s.past&1 == 1 {
		return 0
	}
	return 1 + min(s.trust, 2)
}

// used moves a distance to the front.
//
//go:norace
func (s *opState) used(distance int64) {
	i := 0
	for i < reps-1 && s.reps[i] != distance {
		i++
	}
	copy(s.reps[1:i+1], s.reps[:i])
	s.reps[0] = distance
}

//go:norace
func (s *opState) did(copied bool) {
	s.past = s.past << 1 & 15
	if copied {
		s.past |= 1
	}
}

// copyModel is all that both sides learn.
type copyModel struct {
	literals *bytesModel
	flags    *mixer
	flag     [3][]counter
	kind     [16][8]counter
	length   [3]*number // of a remembered distance, a near one, a far one
	near     *number
	sign     counter
	far      [3]*number // by the length's class
	scratch  [literalContexts]uint32
}

func newCopyModel(size int64) *copyModel {
	bits := 14
	for bits < 22 && int64(1)<<bits < size*16 {
		bits++
	}
	m := &copyModel{literals: newBytesModel(literalContexts, bits), flags: newMixer(3, 32), near: newNumber(), sign: fresh}
	for i, n := range [3]int{16 * 4, 16 * 256, 16 * 64} {
		m.flag[i] = make([]counter, n)
		for j := range m.flag[i] {
			m.flag[i][j] = fresh
		}
	}
	for i := range m.kind {
		for j := range m.kind[i] {
			m.kind[i][j] = fresh
		}
	}
	for i := range m.length {
		m.length[i], m.far[i] = newNumber(), newNumber()
	}
	return m
}

// flagSlots sets the mixer for the next "copy or literal".
//
//go:norace
func (m *copyModel) flagSlots(s *opState, h *history) {
	m.flags.slots[0] = &m.flag[0][s.past*4+s.trust]
	m.flags.slots[1] = &m.flag[1][s.past*256+int(h.last&0xff)]
	m.flags.slots[2] = &m.flag[2][s.past*64+h.column]
}

// isCopy codes whether a copy comes.
//
//go:norace
func (m *copyModel) isCopy(c *coder, v bool, s *opState, h *history) bool {
	m.flagSlots(s, h)
	b := 0
	if v {
		b = 1
	}
	return m.flags.code(c, b, s.past, 16+s.trust, 250) == 1
}

//go:norace
func (m *copyModel) isCopyPrice(v bool, s *opState, h *history) uint32 {
	m.flagSlots(s, h)
	b := 0
	if v {
		b = 1
	}
	return price(m.flags.predict(s.past, 16+s.trust), b)
}

// kindOf says how a distance is best told.
//
//go:norace
func kindOf(s *opState, distance int64) int {
	for i, d := range s.reps {
		if d == distance {
			return i
		}
	}
	if d := distance - s.reps[0]; -nearLimit < d && d < nearLimit {
		return kindNear
	}
	return kindFar
}

const nearLimit = 1 << 12

// minCopy is the shortest copy of each kind.
func minCopy(kind int) int64 {
	switch {
	case kind < reps:
		return 1
	case kind == kindNear:
		return 2
	}
	return 4
}

func lengthModel(kind int) int { return max(kind-reps+1, 0) }

// lengthClass tells short far copies from long ones: the short lie near.
//
//go:norace
func lengthClass(length int64) int { return int(min(length-4, 8) / 4) }

// copyOp codes a copy's length and distance.
//
//go:norace
func (m *copyModel) copyOp(c *coder, length, distance int64, s *opState) (int64, int64) {
	kind := 0
	if !c.decoding {
		kind = kindOf(s, distance)
	}
	node := 1
	for i := 2; i >= 0; i-- {
		node = node<<1 | c.adapt(kind>>i&1, &m.kind[s.past][node])
	}
	if kind = node - 8; kind > kindFar {
		kind = kindFar // only a damaged body says so; its content won't verify
	}
	least := minCopy(kind)
	length = least + int64(c.number(uint32(length-least), m.length[lengthModel(kind)])) //nolint:gosec // below 2^30
	switch kind {
	case kindNear:
		distance = s.reps[0] + unzigzag(c.number(zigzag(distance-s.reps[0]), m.near))
	case kindFar:
		distance = int64(c.number(uint32(distance), m.far[lengthClass(length)])) //nolint:gosec // below 2^31
	default:
		distance = s.reps[kind]
	}
	s.used(distance)
	return length, distance
}

// copyPrice is what copyOp would cost without the length.
//
//go:norace
func (m *copyModel) distancePrice(kind int, length, distance int64, s *opState) uint32 {
	node, sum := 1, uint32(0)
	for i := 2; i >= 0; i-- {
		b := kind >> i & 1
		sum += price(m.kind[s.past][node].p(), b)
		node = node<<1 | b
	}
	switch kind {
	case kindNear:
		sum += m.near.price(zigzag(distance - s.reps[0]))
	case kindFar:
		sum += m.far[lengthClass(length)].price(uint32(distance)) //nolint:gosec // below 2^31
	}
	return sum
}
