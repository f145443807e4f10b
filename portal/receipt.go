package portal

import (
	"fmt"
	"strings"
)

// A receipt's code: 19 random symbols of five bits and one check symbol.
const (
	ReceiptRandom  = 12 // bytes of randomness that NewReceiptCode takes; 95 of their 96 bits are used
	receiptSymbols = 20
	receiptGroup   = 5
)

// receiptAlphabet is Crockford's base32: no I, L, O and U.
const receiptAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ReceiptCode is what a citizen keeps of an inquiry: 95 random bits that find
// and open its answer at any kiosk (spec/talkback.md, "Receipts"). It is shown
// once and written nowhere, so it prints as a placeholder: only Reveal gives it
// away. The zero value is no code.
type ReceiptCode struct {
	symbols [receiptSymbols]byte // each below 32; the last is the check symbol
	set     bool
}

// NewReceiptCode makes a code from random bytes; the first bit is not used.
func NewReceiptCode(random [ReceiptRandom]byte) ReceiptCode {
	c := ReceiptCode{set: true}
	for i := range c.symbols[:receiptSymbols-1] {
		for bit := range 5 {
			n := 1 + 5*i + bit
			c.symbols[i] = c.symbols[i]<<1 | random[n/8]>>(7-n%8)&1
		}
	}
	c.symbols[receiptSymbols-1] = checkSymbol(c.symbols[:receiptSymbols-1])
	return c
}

// ParseReceiptCode reads what a person typed: any case, with or without hyphens
// and spaces, O for 0, I and L for 1, and Cyrillic letters that look like Latin
// ones. Every single wrong symbol and every swap of neighbours is found; the
// error is ErrRejected and does not repeat the code.
func ParseReceiptCode(s string) (ReceiptCode, error) {
	c := ReceiptCode{set: true}
	n := 0
	for i, r := range s {
		symbol, skip := receiptSymbol(r)
		switch {
		case skip:
			continue
		case symbol < 0:
			return ReceiptCode{}, Rejected("receipt", "%q at place %d is no letter or digit of a receipt code", r, i+1)
		case n < receiptSymbols:
			c.symbols[n] = byte(symbol)
		}
		if n++; n > receiptSymbols {
			break
		}
	}
	if n != receiptSymbols {
		return ReceiptCode{}, Rejected("receipt", "a receipt code has %d letters and digits, these are %s", receiptSymbols, fewOrMore(n))
	}
	if checkSymbol(c.symbols[:receiptSymbols-1]) != c.symbols[receiptSymbols-1] {
		return ReceiptCode{}, Rejected("receipt", "one letter or digit of the code is not right")
	}
	return c, nil
}

func fewOrMore(n int) string {
	if n > receiptSymbols {
		return "more"
	}
	return fmt.Sprint(n)
}

// lookAlikes are Cyrillic capitals drawn like Latin ones.
var lookAlikes = map[rune]rune{
	'А': 'A', 'В': 'B', 'С': 'C', 'Е': 'E', 'Н': 'H', 'К': 'K', 'М': 'M', 'О': '0', 'Р': 'P', 'Т': 'T', 'Х': 'X',
	'O': '0', 'I': '1', 'L': '1',
}

// receiptSymbol gives a rune's five bits, or -1; skip is true for what stands
// between groups.
func receiptSymbol(r rune) (symbol int, skip bool) {
	switch r {
	case ' ', '-', '\t', '\n', '\r', '\u00a0', '\u2009', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u202f', '\u2212':
		return 0, true
	}
	if r >= 'a' && r <= 'z' {
		r -= 'a' - 'A'
	} else if r >= 'а' && r <= 'я' {
		r -= 'а' - 'А'
	}
	if latin, ok := lookAlikes[r]; ok {
		r = latin
	}
	return strings.IndexRune(receiptAlphabet, r), false
}

// checkSymbol is the sum of α^i·s_i over GF(32) with x⁵+x²+1, i from 1. All
// weights differ, so that every substitution and every swap changes it.
func checkSymbol(symbols []byte) byte {
	sum, weight := byte(0), byte(1)
	for _, s := range symbols {
		weight = times(weight, 2)
		sum ^= times(weight, s)
	}
	return sum
}

// times multiplies in GF(32).
func times(a, b byte) byte {
	var product byte
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		if a <<= 1; a&32 != 0 {
			a ^= 0b100101
		}
	}
	return product
}

// IsZero tells whether c is no code.
func (c ReceiptCode) IsZero() bool { return !c.set }

// Reveal gives the code as it is shown and printed, 4 groups of 5:
// "ZFFV1-J5AXG-S5MFW-W6PWF". The zero value gives "".
func (c ReceiptCode) Reveal() string {
	if !c.set {
		return ""
	}
	var b strings.Builder
	for i, s := range c.symbols {
		if i > 0 && i%receiptGroup == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(receiptAlphabet[s])
	}
	return b.String()
}

// Norm is the one spelling from which keys are derived: 20 symbols, no hyphens.
func (c ReceiptCode) Norm() string { return strings.ReplaceAll(c.Reveal(), "-", "") }

// Format keeps the code out of logs and error messages, whatever the verb.
func (c ReceiptCode) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte("(receipt code)"))
}

// MarshalText refuses: a code is never stored.
func (c ReceiptCode) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("a receipt code is never written")
}
