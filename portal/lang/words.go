package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// apostrophes are the marks that stand for the modifier letter of oʻ and gʻ and
// for the tutuq in real files: one official table of 540 rows has four of them.
func isApostrophe(r rune) bool {
	switch r {
	case '\'', '`', '\u00B4', '\u02B9', '\u02BB', '\u02BC', '\u02BD', '\u02C8',
		'\u2018', '\u2019', '\u201B', '\u2032', '\u2035', '\uA78C', '\uFF07':
		return true
	}
	return false
}

// isLetter is what a word begins with; marks and format characters (a soft
// hyphen, a joiner) may only follow.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9'
	}
	if 0x400 <= r && r <= 0x481 || 0x48A <= r && r <= 0x52F {
		return true
	}
	return unicode.IsLetter(r) && !isApostrophe(r) || unicode.IsDigit(r)
}

func isMark(r rune) bool {
	return r >= 0xAD && !isCyrillic(r) && (unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r))
}

// Tokens gives the words of s as they are spelt, in order. A word is a run of
// letters, digits and their marks. An apostrophe belongs to it between two
// letters, and at its end after o or g ("togʻ") unless the word is quoted.
func Tokens(s string) []string { return AppendTokens(nil, s) }

// AppendTokens appends the words of s, as Tokens gives them, to words.
func AppendTokens(words []string, s string) []string {
	eachWord(s, func(start, end int) { words = append(words, s[start:end]) })
	return words
}

// eachWord calls f with the byte range of every word of s.
func eachWord(s string, f func(start, end int)) {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !isLetter(r) {
			i += n
			continue
		}
		quoted := false
		if i > 0 {
			before, _ := utf8.DecodeLastRuneInString(s[:i])
			quoted = isApostrophe(before)
		}
		end := wordEnd(s, i, quoted)
		f(i, end)
		i = end
	}
}

// wordEnd finds where the word that begins at i ends.
func wordEnd(s string, i int, quoted bool) int {
	end, last := i, rune(0)
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case isLetter(r):
			last = r
		case isMark(r):
		case isApostrophe(r):
			next, _ := utf8.DecodeRuneInString(s[i+n:])
			if isLetter(next) && !unicode.IsDigit(next) && !unicode.IsDigit(last) {
				break
			}
			if quoted || !strings.ContainsRune("oOgG", last) {
				return end
			}
			if isApostrophe(next) { // one too many: oʻ'
				return i + n
			}
		default:
			return end
		}
		i += n
		end = i
	}
	return end
}

// mapWords replaces every word of s by f of it and leaves the rest alone. Words
// inside an address (with "@" or "://", or from "www.") are left alone too.
func mapWords(s string, f func(word string) string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	done, runEnd, address := 0, 0, false
	eachWord(s, func(start, end int) {
		b.WriteString(s[done:start])
		if start >= runEnd {
			runEnd, address = run(s, start)
		}
		if address {
			b.WriteString(s[start:end])
		} else {
			b.WriteString(f(s[start:end]))
		}
		done = end
	})
	b.WriteString(s[done:])
	return b.String()
}

// run gives the end of the run without spaces around start, and whether it is
// an address.
func run(s string, start int) (end int, address bool) {
	from := strings.LastIndexAny(s[:start], " \t\n\r") + 1
	end = len(s)
	if n := strings.IndexAny(s[start:], " \t\n\r"); n >= 0 {
		end = start + n
	}
	text := s[from:end]
	return end, strings.Contains(text, "://") || strings.Contains(text, "@") || strings.HasPrefix(text, "www.")
}

// letters gives the word's runes in composed form, without format characters,
// every apostrophe as U+0027, look-alikes of the other script mended.
func letters(word string) []rune {
	composed := true
	for _, r := range word {
		if r >= 0x300 && unicode.Is(unicode.Mn, r) {
			composed = false
			break
		}
	}
	if !composed {
		word = norm.NFC.String(word)
	}
	rs := make([]rune, 0, len(word))
	for _, r := range word {
		switch {
		case isApostrophe(r):
			if len(rs) > 0 && rs[len(rs)-1] == '\'' {
				continue
			}
			r = '\''
		case r >= 0xAD && unicode.Is(unicode.Cf, r):
			continue
		case r >= 0x300 && unicode.Is(unicode.Mn, r) && len(rs) > 0 && (isCyrillic(rs[len(rs)-1]) || isLatin(rs[len(rs)-1])):
			continue // a stress mark; where a mark makes another letter there is a composed form
		case isCyrillic(r) && !isOurs(r) && isOurs(bare(r)):
			r = bare(r)
		}
		rs = append(rs, r)
	}
	mendLookalikes(rs)
	return rs
}

// Letters that cannot be told apart by eye, at least as capitals. They are
// paired in lower case so that a word folds alike however it is capitalised.
const (
	latinLooks    = "abcehkmoptxyi"
	cyrillicLooks = "авсенкмортхуі"
)

var toCyrillicLook, toLatinLook = lookTables()

func lookTables() (toCyrillic, toLatin map[rune]rune) {
	toCyrillic, toLatin = map[rune]rune{}, map[rune]rune{}
	latin, cyrillic := []rune(latinLooks), []rune(cyrillicLooks)
	for i := range latin {
		toCyrillic[latin[i]], toLatin[cyrillic[i]] = cyrillic[i], latin[i]
		l, c := unicode.ToUpper(latin[i]), unicode.ToUpper(cyrillic[i])
		toCyrillic[l], toLatin[c] = c, l
	}
	return toCyrillic, toLatin
}

// isCyrillic tells whether r is a Cyrillic letter; the marks among them are none.
func isCyrillic(r rune) bool { return 0x400 <= r && r <= 0x52F && (r <= 0x481 || r >= 0x48A) }

// isOurs tells whether the folding tables have the Cyrillic letter.
func isOurs(r rune) bool {
	switch r = unicode.ToLower(r); r {
	case 'ў', 'е', 'о', 'ц':
		return true
	}
	_, ok := foldedCyrillic[r]
	return ok
}

func isLatin(r rune) bool {
	return 'a' <= r|0x20 && r|0x20 <= 'z' || 0xC0 <= r && r <= 0x2AF && r != 0xD7 && r != 0xF7 || 0x1E00 <= r && r <= 0x1EFF
}

// mendLookalikes puts a word that mixes the two scripts into one of them when
// all letters of the other are look-alikes: "Aндижон" with a Latin A. A single
// Cyrillic look-alike among digits is a code's Latin letter: "С01".
func mendLookalikes(rs []rune) {
	var latin, cyrillic, digits, others, fakeLatin, fakeCyrillic int
	for _, r := range rs {
		switch {
		case isCyrillic(r):
			if !isOurs(r) {
				return
			}
			cyrillic++
			if toLatinLook[r] != 0 {
				fakeCyrillic++
			}
		case isLatin(r):
			latin++
			if toCyrillicLook[r] != 0 {
				fakeLatin++
			}
		case unicode.IsDigit(r):
			digits++
		case r != '\'':
			others++
		}
	}
	var table map[rune]rune
	switch {
	case cyrillic == 1 && latin+others == 0 && digits > 0 && fakeCyrillic == 1:
		table = toLatinLook
	case latin == 0 || cyrillic == 0:
		return
	case fakeLatin == latin && (fakeCyrillic < cyrillic || cyrillic >= latin):
		table = toCyrillicLook
	case fakeCyrillic == cyrillic:
		table = toLatinLook
	default:
		return
	}
	for i, r := range rs {
		if look := table[r]; look != 0 {
			rs[i] = look
		}
	}
}
