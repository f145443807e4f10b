package delta

import (
	"errors"
	"fmt"
	"io"
)

// coder is a binary arithmetic coder in both directions: bit codes the bit that
// it is given, or gives the one that was coded. So a model is written once, and
// both sides cannot part.
type coder struct {
	lo, hi uint64
	out    []byte

	in       io.ByteReader // nil when coding
	x        uint64
	past     int // bytes read beyond the end
	err      error
	decoding bool
}

func newEncoder() *coder { return &coder{hi: ^uint64(0)} }

func newDecoder(in io.ByteReader) *coder {
	c := &coder{hi: ^uint64(0), in: in, decoding: true}
	for range 8 {
		c.shift()
	}
	return c
}

// shift takes the next byte of the body; a coder ends as early as zeros would
// say the same, so up to eight zeros follow the end.
//
//go:norace
func (c *coder) shift() {
	b, err := c.in.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		b = 0
		if c.past++; c.past > 8 && c.err == nil {
			c.err = fmt.Errorf("%w: body ends early", ErrPatch)
		}
	case err != nil && c.err == nil:
		c.err = fmt.Errorf("read patch: %w", err)
	}
	c.x = c.x<<8 | uint64(b)
}

// bit codes b, or decodes and returns it. p of 65,536 is the probability of a
// one, 1 ≤ p ≤ 65,535.
//
//go:norace
func (c *coder) bit(b int, p uint32) int {
	mid := c.lo + (c.hi-c.lo)>>16*uint64(p)
	if c.decoding {
		b = 0
		if c.x <= mid {
			b = 1
		}
	}
	if b == 1 {
		c.hi = mid
	} else {
		c.lo = mid + 1
	}
	for (c.lo^c.hi)>>56 == 0 {
		if c.decoding {
			c.shift()
		} else {
			c.out = append(c.out, byte(c.hi>>56))
		}
		c.lo <<= 8
		c.hi = c.hi<<8 | 0xff
	}
	return b
}

// direct codes n bits of v, the highest first, as likely one as zero.
//
//go:norace
func (c *coder) direct(v uint32, n int) uint32 {
	var got uint32
	for i := n - 1; i >= 0; i-- {
		got = got<<1 | uint32(c.bit(int(v>>i&1), 1<<15)) //nolint:gosec // a bit
	}
	return got
}

// finish gives the body: as few bytes more as name a number between lo and hi
// when zeros follow.
func (c *coder) finish() []byte {
	for n := 0; n <= 8; n++ {
		var mask uint64
		if n < 8 {
			mask = ^uint64(0) >> (8 * n)
		}
		v := c.lo
		if v&mask != 0 {
			v = (v | mask) + 1 // may wrap to zero, which is below lo
		}
		if v >= c.lo && v <= c.hi {
			for i := range n {
				c.out = append(c.out, byte(v>>(56-8*i)))
			}
			break
		}
	}
	return c.out
}

// end tells whether a body was read to its end and not beyond.
func (c *coder) end() error {
	if c.err != nil {
		return c.err
	}
	if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: bytes follow the end", ErrPatch)
	}
	return nil
}
