package lang

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cyrillicOf gives the letters that are written alike wherever they stand. c
// and w are no letters of Uzbek: a word that has one stays as it is.
var cyrillicOf = map[rune]string{
	'a': "а", 'b': "б", 'd': "д", 'e': "е", 'f': "ф", 'g': "г", 'h': "ҳ", 'i': "и", 'j': "ж", 'k': "к", 'l': "л",
	'm': "м", 'n': "н", 'o': "о", 'p': "п", 'q': "қ", 'r': "р", 's': "с", 't': "т", 'u': "у", 'v': "в", 'x': "х",
	'y': "й", 'z': "з", 'ş': "ш", 'ç': "ч", 'ō': "ў", 'ğ': "ғ",
}

// ToCyrillic writes Uzbek in Cyrillic letters, whichever Latin and apostrophes
// it came in. Words with letters that are not Uzbek ("COVID", "www"), Roman
// numerals, codes ("A4"), addresses and what is between words stay as they are. Where the
// Latin spelling does not say whether a word has ц, ь or э, a list of stems
// does; a word that is not on it may come out in another spelling than the
// dictionary's.
func ToCyrillic(s string) string { return mapWords(s, cyrillicWord) }

func cyrillicWord(word string) string {
	rs := letters(word)
	if isCode(rs) {
		return word
	}
	if !isUzbekLatin(rs) || isRoman(rs) {
		if slices.ContainsFunc(rs, isCyrillic) {
			return string(rs) // with its look-alikes mended
		}
		return word
	}
	lower := strings.ToLower(string(rs))
	if e, ok := latinException(lower); ok && isLowerOneToOne(lower, rs) {
		n := len(e.latin)
		stem := e.cyrillic
		if n < len(rs) {
			stem = strings.TrimSuffix(stem, "ь")
		}
		return recase(stem, rs[:n]) + cyrillicLetters(rs, n)
	}
	return cyrillicLetters(rs, 0)
}

// isUzbekLatin tells whether the word is Latin and all its letters are Uzbek.
func isUzbekLatin(rs []rune) bool {
	latin := false
	for i, r := range rs {
		r = unicode.ToLower(r)
		switch {
		case r == 'c':
			if at(rs, i+1) != 'h' {
				return false
			}
		case r == 'w' || isCyrillic(r):
			return false
		case isLatin(r):
			latin = true
			if cyrillicOf[r] == "" {
				return false
			}
		}
	}
	return latin
}

// isCode tells whether the word is one letter among digits: "A4", "2026M".
func isCode(rs []rune) bool {
	letters, digits := 0, 0
	for _, r := range rs {
		if unicode.IsDigit(r) {
			digits++
		} else if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters == 1 && digits > 0
}

// isRoman tells whether the word is a Roman numeral, of capital I, V and X,
// which stays Latin in Cyrillic text.
func isRoman(rs []rune) bool {
	for _, r := range rs {
		if !strings.ContainsRune("IVX", r) {
			return false
		}
	}
	return len(rs) > 1 || rs[0] != 'X' // a lone X is somebody's initial: Х.
}

// cyrillicLetters writes rs[from:] letter by letter.
func cyrillicLetters(rs []rune, from int) string {
	var b strings.Builder
	for i := from; i < len(rs); {
		out, n := cyrillicAt(rs, i)
		if n == 0 {
			b.WriteRune(rs[i])
			i++
			continue
		}
		if out == "ъ" && i > 0 && unicode.IsUpper(rs[i-1]) && shouts(rs, i) {
			out = "Ъ"
		}
		if unicode.IsUpper(rs[i]) {
			r, size := utf8.DecodeRuneInString(out)
			if shouts(rs, i) {
				out = strings.ToUpper(out)
			} else {
				out = string(unicode.ToUpper(r)) + out[size:]
			}
		}
		b.WriteString(out)
		i += n
	}
	return b.String()
}

// cyrillicAt gives what the letters from rs[i] become and how many they are; 0
// when rs[i] is no Uzbek letter.
func cyrillicAt(rs []rune, i int) (out string, n int) {
	r, prev, next := at(rs, i), at(rs, i-1), at(rs, i+1)
	switch {
	case r == 's' && next == 'h':
		return "ш", 2
	case r == 'c' && next == 'h':
		return "ч", 2
	case (r == 'o' || r == 'g') && next == '\'':
		return map[rune]string{'o': "ў", 'g': "ғ"}[r], 2
	case r == 's' && next == '\'' && at(rs, i+2) == 'h':
		return "с", 2
	case r == 'y' && (next != 'o' || at(rs, i+2) != '\''): // yoʻl is йўл
		return iotated(prev, next)
	case r == 'e' && (i == 0 || isVowel(prev)):
		return "э", 1
	case r == 't' && next == 's' && isTse(rs, i+2):
		return "ц", 2
	case r == 's' && strings.ContainsRune("knp", prev) && isTse(rs, i+1):
		return "ц", 1
	case r == '\'':
		return "ъ", 1
	}
	if out = cyrillicOf[r]; out == "" {
		return "", 0
	}
	return out, 1
}

// iotated gives what y becomes together with the vowel after it.
func iotated(prev, next rune) (string, int) {
	switch next {
	case 'o':
		return "ё", 2
	case 'u':
		return "ю", 2
	case 'a':
		return "я", 2
	case 'e':
		if softens(prev) || prev == '\'' {
			return "е", 2
		}
		return "ье", 2
	}
	return "й", 1
}

// isTse tells whether what follows is the end of a loanword in -ция or -цион,
// whose ц Latin writes as ts or s.
func isTse(rs []rune, i int) bool {
	rest := strings.ToLower(string(rs[i:min(i+3, len(rs))]))
	return strings.HasPrefix(rest, "iya") || strings.HasPrefix(rest, "ion")
}
