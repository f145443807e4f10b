package read

import (
	"strconv"
	"strings"
)

// notation is a way to write numbers: the decimal mark, and the mark between
// thousands (0: none; ' ' is any space).
type notation struct{ dec, group byte }

// notations are tried on every cell of a column; of those that all cells fit,
// the first wins.
var notations = [...]notation{
	{'.', 0}, {',', 0}, {'.', ' '}, {',', ' '}, {'.', ','}, {',', '.'}, {'.', '\''},
}

const (
	allNotations = 1<<len(notations) - 1
	commaDecimal = 1 << 1
	commaGroup   = 1 << 4
	dotDecimal   = 1<<0 | 1<<2 | 1<<4 | 1<<6
)

// maxDigits before the decimal mark: longer ones are codes, and a float64 could
// not hold them.
const maxDigits = 15

// numberShape is what one cell says about its column.
type numberShape struct {
	live     uint8 // bit i: the cell is a number in notations[i]; 0: it is none
	fraction uint8 // bit i: and not an integer there
	comma    bool
}

// numberMask looks at one trimmed cell.
func numberMask(s string) numberShape {
	if s == "" || len(s) > 64 {
		return numberShape{}
	}
	if plainDigits(s) {
		if len(s) > maxDigits || len(s) > 1 && s[0] == '0' {
			return numberShape{}
		}
		return numberShape{live: allNotations}
	}
	if i := strings.IndexByte(s, '.'); i > 0 && i <= maxDigits && len(s)-i != 4 && (i == 1 || s[0] != '0') && plainDigits(s[:i]) && plainDigits(s[i+1:]) {
		return numberShape{live: dotDecimal, fraction: dotDecimal} // 12.5: the commonest of all
	}
	s = plainSpaces(s)
	var sh numberShape
	sh.comma = strings.IndexByte(s, ',') >= 0
	for i, n := range notations {
		_, fraction, ok := n.clean(s, true)
		if ok {
			sh.live |= 1 << i
		}
		if ok && fraction {
			sh.fraction |= 1 << i
		}
	}
	return sh
}

func plainDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// plainSpaces makes the spaces and minus signs that people and programs put
// into numbers plain.
func plainSpaces(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return spaceReplacer.Replace(s)
		}
	}
	return s
}

var spaceReplacer = strings.NewReplacer("\u00a0", " ", "\u2009", " ", "\u202f", " ", "\u2007", " ", "\u2212", "-")

// clean gives s as strconv reads it. Guessing is strict: no leading zeros, no
// plus sign (a telephone number has one), thousands in threes.
func (n notation) clean(s string, strict bool) (text string, fraction, ok bool) {
	var buf [72]byte
	out := buf[:0]
	i := 0
	if i < len(s) && (s[i] == '-' || !strict && s[i] == '+') {
		out = append(out, s[i])
		i++
	}
	first, digits, group, groups := i, 0, 0, 0
	for ; i < len(s); i++ {
		b := s[i]
		if b >= '0' && b <= '9' {
			out = append(out, b)
			digits++
			group++
			continue
		}
		if b != n.group || n.group == 0 || digits == 0 {
			break
		}
		if groups > 0 && group != 3 || groups == 0 && group > 3 {
			return "", false, false
		}
		group, groups = 0, groups+1
	}
	if digits == 0 || groups > 0 && group != 3 {
		return "", false, false
	}
	if strict && (digits > maxDigits || digits > 1 && s[first] == '0') {
		return "", false, false
	}
	if i < len(s) && s[i] == n.dec {
		fraction = true
		out = append(out, '.')
		start := i + 1
		for i = start; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			out = append(out, s[i])
		}
		if i == start {
			return "", false, false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if _, err := strconv.ParseFloat("1"+s[i:], 64); err != nil || len(s)-i > 5 {
			return "", false, false
		}
		fraction = true
		out = append(out, s[i:]...)
		i = len(s)
	}
	return string(out), fraction, i == len(s)
}

// isYear: four digits from 1800 to 2100.
func isYear(s string) bool {
	return len(s) == 4 && plainDigits(s) && s >= "1800" && s <= "2100"
}

// isPhone: a number of Uzbekistan with its country code, without the plus.
func isPhone(s string) bool { return len(s) == 12 && strings.HasPrefix(s, "998") && plainDigits(s) }
