package delta

import "math/bits"

// The arithmetic below is all in integers: every machine must predict the same.

// logistic is 65536/(1+exp(-x/2)) for x from -12 to 12 in halves of two.
var logistic = [49]int32{
	1, 1, 1, 2, 3, 5, 8, 13, 22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743,
	32768, 40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500,
	65514, 65523, 65528, 65531, 65533, 65534, 65535, 65535, 65535,
}

const maxStretch = 3071

// squash turns 256·ln(p/(1-p)) into p of 65,536, between 1 and 65,535.
//
//go:norace
func squash(x int32) int32 {
	x = min(max(x, -maxStretch), maxStretch) + 3072
	i, f := x>>7, x&127
	return (logistic[i]*(128-f) + logistic[i+1]*f + 64) >> 7
}

// stretchTable undoes squash for probabilities of 4,096; priceTable is the cost
// of a bit of that probability in 1/256 bit; steps is 65536/(n+1.5).
var (
	stretchTable = makeStretch()
	priceTable   = makePrices()
	steps        = makeSteps()
)

func makeStretch() (t [4096]int16) {
	next := 0
	for x := int32(-maxStretch); x <= maxStretch; x++ {
		for v := int(squash(x) >> 4); next <= v; next++ {
			t[next] = int16(x) //nolint:gosec // within ±3071
		}
	}
	for ; next < 4096; next++ {
		t[next] = maxStretch
	}
	return t
}

// makePrices computes logarithms by squaring; only the coding side uses them.
func makePrices() (t [4096]uint16) {
	for i := range t {
		v := uint64(2*i+1) << 19 // of 2^32
		price := 0
		for v < 1<<31 {
			v <<= 1
			price += 256
		}
		for step := 128; step > 0; step >>= 1 {
			v = v >> 16 * (v >> 16) // squares; now of 2^32 with its top bit anywhere
			if v < 1<<31 {
				price += step
				v <<= 1
			}
		}
		t[i] = uint16(price) //nolint:gosec // at most 13 bits of 256
	}
	return t
}

func makeSteps() (t [1024]int64) {
	for n := range t {
		t[n] = int64(131072 / (2*n + 3))
	}
	return t
}

// counter is a probability of 22 bits and how often it was right to learn, 10 bits.
type counter uint32

const fresh counter = 1 << 31

//go:norace
func (c counter) p() int32 { return min(max(int32(c>>16), 1), 65535) } //nolint:gosec // 16 bits

//go:norace
func (c counter) stretch() int32 { return int32(stretchTable[c>>20]) }

// learn moves towards b, ever slower until limit.
//
//go:norace
func (c *counter) learn(b int, limit uint32) {
	n := uint32(*c) & 1023
	p := int64(*c >> 10)
	p += ((int64(b)<<22 - p) >> 3) * steps[n] >> 13
	p = min(max(p, 0), 1<<22-1)
	if n < limit {
		n++
	}
	*c = counter(uint32(p)<<10 | n) //nolint:gosec // 22 bits
}

// adapt codes a bit by one counter.
//
//go:norace
func (c *coder) adapt(b int, m *counter) int {
	b = c.bit(b, uint32(m.p())) //nolint:gosec // positive
	m.learn(b, 60)
	return b
}

//go:norace
func price(p int32, b int) uint32 {
	if b == 0 {
		p = 65536 - p
	}
	return uint32(priceTable[min(p>>4, 4095)])
}

// number codes numbers by their length in bits, three leading bits, and the rest.
type number struct {
	size [64]counter
	lead [32][8]counter
}

func newNumber() *number {
	m := &number{}
	for i := range m.size {
		m.size[i] = fresh
	}
	for i := range m.lead {
		for j := range m.lead[i] {
			m.lead[i][j] = fresh
		}
	}
	return m
}

// number codes v < 2^31.
//
//go:norace
func (c *coder) number(v uint32, m *number) uint32 {
	v++
	size := bits.Len32(v) - 1
	node := 1
	for i := 4; i >= 0; i-- {
		node = node<<1 | c.adapt(size>>i&1, &m.size[node])
	}
	if size = node - 32; size > 30 {
		size = 30 // only a damaged body says so; its content won't verify
	}
	lead, got := 1, uint32(1)
	i := size - 1
	for ; i >= 0 && i >= size-3; i-- {
		b := c.adapt(int(v>>i&1), &m.lead[size][lead])
		lead = lead<<1 | b
		got = got<<1 | uint32(b) //nolint:gosec // a bit
	}
	if i >= 0 {
		got = got<<(i+1) | c.direct(v, i+1)
	}
	return got - 1
}

// price is what number would cost, in 1/256 bit.
//
//go:norace
func (m *number) price(v uint32) uint32 {
	v++
	size := bits.Len32(v) - 1
	node, sum := 1, uint32(0)
	for i := 4; i >= 0; i-- {
		b := size >> i & 1
		sum += price(m.size[node].p(), b)
		node = node<<1 | b
	}
	lead := 1
	i := size - 1
	for ; i >= 0 && i >= size-3; i-- {
		b := int(v >> i & 1)
		sum += price(m.lead[size][lead].p(), b)
		lead = lead<<1 | b
	}
	return sum + uint32(i+1)*256 //nolint:gosec // i is at least -1
}

// zigzag turns small numbers of either sign into small numbers.
func zigzag(v int64) uint32 { return uint32(v<<1 ^ v>>63) } //nolint:gosec // lengths are below 2^30

func unzigzag(u uint32) int64 { return int64(u>>1) ^ -int64(u&1) }
