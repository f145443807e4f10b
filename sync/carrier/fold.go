package carrier

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// Marks of the folded form. Bytes that look like one are escaped.
const (
	foldEscape = 0 // the next byte as it is
	foldShort  = 1 // 32 bytes that were 64 hexadecimal digits
	foldLong   = 2 // 64 bytes that were 128
)

// fold writes hexadecimal digests and signatures as the bytes that they stand
// for: half the length, and nothing for a model of text to learn from in vain.
// Every run of exactly 64 or 128 lower-case digits is one.
func fold(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		n := 0
		for i+n < len(b) && isHex(b[i+n]) {
			n++
		}
		switch {
		case n == 64 || n == 128:
			out = append(out, byte(n/64))
			out, _ = hex.AppendDecode(out, b[i:i+n])
		case n > 0:
			out = append(out, b[i:i+n]...)
		default:
			if b[i] <= foldLong {
				out = append(out, foldEscape)
			}
			out = append(out, b[i])
			n = 1
		}
		i += n
	}
	return out
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

var errFold = errors.New("not the folded form")

// unfold is the inverse of fold; it gives exactly size bytes or an error.
func unfold(b []byte, size int64) ([]byte, error) {
	out := make([]byte, 0, size)
	for len(b) > 0 {
		c, n := b[0], 1
		switch {
		case c == foldEscape:
			n = 2
		case c <= foldLong:
			n = 1 + 32*int(c)
		}
		if len(b) < n {
			return nil, errFold
		}
		switch {
		case c == foldEscape:
			out = append(out, b[1])
		case c <= foldLong:
			out = hex.AppendEncode(out, b[1:n])
		default:
			out = append(out, c)
		}
		if int64(len(out)) > size {
			return nil, fmt.Errorf("%w: more than %d bytes", errFold, size)
		}
		b = b[n:]
	}
	if int64(len(out)) != size {
		return nil, fmt.Errorf("%w: %d bytes instead of %d", errFold, len(out), size)
	}
	return out, nil
}
