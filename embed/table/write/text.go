package write

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// risky tells a text that a spreadsheet program could take for a formula when it
// opens a file: it begins with = + - @, a tab or a line's end, or with a wide form
// of one of these (OWASP, "CSV Injection"). What reads as a number does nothing
// but count, and a lone sign is how offices write "none".
func risky(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '@', '\t', '\r', '\n':
	case '+', '-':
		if len(s) == 1 || plainNumber(s[1:]) {
			return false
		}
	default:
		r, _ := utf8.DecodeRuneInString(s)
		return strings.ContainsRune("＝＋－＠", r)
	}
	return true
}

// plainNumber tells digits with at most one decimal mark.
func plainNumber(s string) bool {
	marks, digits := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' || c == ',':
			marks++
		default:
			return false
		}
	}
	return digits > 0 && marks <= 1
}

// appendFloat writes a number with as few digits as bring it back, as JSON and
// CSV have it; the exponent only where the digits would be a row of zeros.
func appendFloat(b []byte, v float64) []byte {
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. Bytes that are no characters become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				b = append(append(b, s[start:i]...), "\ufffd"...)
			case r == '\u2028' || r == '\u2029': // ends a line in old JavaScript
				b = append(append(b, s[start:i]...), '\\', 'u', '2', '0', '2', hexDigits[r&0xf])
			default:
				i += n
				continue
			}
			i += n
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// appendValue writes a cell as JSON. A number that JSON has no form for is null.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			break
		}
		return appendFloat(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return appendString(b, v)
	}
	return append(b, "null"...)
}
