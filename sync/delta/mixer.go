package delta

// mixer weighs the opinions of several counters on one bit; two sets of
// weights, chosen by different circumstances, are averaged.
type mixer struct {
	n       int
	weights []int32 // 16.16
	in      [maxInputs]int32
	slots   [maxInputs]*counter
	sets    [2]int
	sums    [2]int32
}

const maxInputs = 14

func newMixer(inputs, sets int) *mixer {
	m := &mixer{n: inputs, weights: make([]int32, inputs*sets)}
	for i := range m.weights {
		m.weights[i] = 65536 * 2 / int32(inputs+1) //nolint:gosec // small
	}
	return m
}

//go:norace
func (m *mixer) dot(set int) int32 {
	w := m.weights[set*m.n:][:m.n]
	var sum int64
	for i, x := range m.in[:m.n] {
		sum += int64(x) * int64(w[i])
	}
	return int32(min(max(sum>>16, -maxStretch), maxStretch)) //nolint:gosec // bounded
}

// predict gives the probability of a one from the slots; a nil slot has no opinion.
//
//go:norace
func (m *mixer) predict(a, b int) int32 {
	for i, s := range m.slots[:m.n] {
		m.in[i] = 0
		if s != nil && *s&1023 != 0 {
			m.in[i] = s.stretch()
		}
	}
	m.sets = [2]int{a, b}
	m.sums = [2]int32{m.dot(a), m.dot(b)}
	return squash((m.sums[0] + m.sums[1]) >> 1)
}

// learn takes the bit that came.
//
//go:norace
func (m *mixer) learn(bit int, limit uint32) {
	for i, set := range m.sets {
		w := m.weights[set*m.n:][:m.n]
		miss := int64(int32(bit)<<16-squash(m.sums[i])) * mixRate //nolint:gosec // a bit
		for i, x := range m.in[:m.n] {
			w[i] += int32((int64(x)*miss + 1<<19) >> 20) //nolint:gosec // bounded by the rate
		}
	}
	for _, s := range m.slots[:m.n] {
		if s != nil {
			s.learn(bit, limit)
		}
	}
}

const mixRate = 6

// code codes a bit by the slots' opinions.
//
//go:norace
func (m *mixer) code(c *coder, bit, a, b int, limit uint32) int {
	p := m.predict(a, b)
	bit = c.bit(bit, uint32(p)) //nolint:gosec // positive
	m.learn(bit, limit)
	return bit
}

// hashed is a table of counters under hashed contexts, in groups of sixteen: a
// check, and the fifteen bits of half a byte.
type hashed struct {
	cells []counter
	shift uint
}

func newHashed(bits int) *hashed {
	return &hashed{cells: make([]counter, 1<<bits), shift: uint(32 - (bits - 4))} //nolint:gosec // 14 to 23
}

// group finds the place of a context, or -1 when it isn't there and must not be made.
//
//go:norace
func (t *hashed) group(context uint32, keep bool) int {
	context *= 0x9E3779B1
	context ^= context >> 15
	at := int(context*0x85EBCA6B>>t.shift) << 4
	check := counter(context | 1)
	if t.cells[at] == check {
		return at
	}
	other := at ^ 16
	if t.cells[other] == check {
		return other
	}
	if !keep {
		return -1
	}
	if t.cells[other+1]&1023 < t.cells[at+1]&1023 {
		at = other
	}
	t.cells[at] = check
	for i := at + 1; i < at+16; i++ {
		t.cells[i] = fresh
	}
	return at
}

// bytes codes whole bytes by contexts that are hashed together with their place in the list.
type bytesModel struct {
	mix    *mixer
	table  *hashed
	groups [maxInputs]int
}

// states are how an expected byte can stand to what is known of the byte: there
// is none, it fits so far, it is refuted.
const byteSets = 3*8*4 + 256

func newBytesModel(contexts, bits int) *bytesModel {
	return &bytesModel{mix: newMixer(contexts, byteSets), table: newHashed(bits)}
}

// byte codes v. expected is the byte that is thought likely, or -1; trust (0 to
// 3) is how well such thoughts did before.
//
//go:norace
func (m *bytesModel) byte(c *coder, v int, contexts []uint32, expected, trust int) int {
	node := 1
	for i := 7; i >= 0; i-- {
		m.place(contexts, node, i, true)
		a, b := m.sets(node, i, expected, trust)
		node = node<<1 | m.mix.code(c, v>>i&1, a, b, 250)
	}
	return node & 0xff
}

// train learns v as if it had been coded.
//
//go:norace
func (m *bytesModel) train(v int, contexts []uint32) {
	node := 1
	for i := 7; i >= 0; i-- {
		m.place(contexts, node, i, true)
		a, b := m.sets(node, i, -1, 0)
		m.mix.predict(a, b)
		m.mix.learn(v>>i&1, 250)
		node = node<<1 | v>>i&1
	}
}

// price is what byte would cost now, in 1/256 bit.
//
//go:norace
func (m *bytesModel) price(v int, contexts []uint32, expected, trust int) uint32 {
	node, sum := 1, uint32(0)
	for i := 7; i >= 0; i-- {
		m.place(contexts, node, i, false)
		a, b := m.sets(node, i, expected, trust)
		sum += price(m.mix.predict(a, b), v>>i&1)
		node = node<<1 | v>>i&1
	}
	return sum
}

// place sets the mixer's slots for the bit below node.
//
//go:norace
func (m *bytesModel) place(contexts []uint32, node, i int, keep bool) {
	if i == 7 || i == 3 {
		for k, h := range contexts {
			m.groups[k] = m.table.group((h+uint32(k))*0x2545F491+uint32(node)*0x3C6EF372, keep) //nolint:gosec // small
		}
	}
	at := node
	if i < 4 {
		at = 1<<(3-i) | node&(1<<(3-i)-1)
	}
	for k := range contexts {
		m.mix.slots[k] = nil
		if m.groups[k] >= 0 {
			m.mix.slots[k] = &m.table.cells[m.groups[k]+at]
		}
	}
}

// sets chooses the weights.
//
//go:norace
func (m *bytesModel) sets(node, i, expected, trust int) (a, b int) {
	state := 0
	if expected >= 0 {
		state = 2
		if (expected|256)>>(i+1) == node {
			state = 1
		}
	}
	return (state*8+i)*4 + trust, 96 + node
}
