package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The letters that official Latin uses for the apostrophes.
const (
	modifier = '\u02BB' // of oʻ and gʻ
	tutuq    = '\u02BC'
)

// latinOf gives the letters that are written alike wherever they stand, by the
// official table of Uzbek; Karakalpak, Russian and neighbours' letters by the
// nearest Uzbek one.
var latinOf = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'ё': "yo", 'ж': "j", 'з': "z",
	'и': "i", 'й': "y", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p",
	'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "x", 'ч': "ch", 'ш': "sh",
	'щ': "sh", 'ы': "i", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
	'ў': "o\u02BB", 'қ': "q", 'ғ': "g\u02BB", 'ҳ': "h",
	'ә': "a", 'ө': "o", 'ү': "u", 'ң': "ng",
	'і': "i", 'ї': "yi", 'є': "ye", 'ґ': "g", 'ұ': "u", 'һ': "h", 'ѐ': "e", 'ѝ': "i",
	'ş': "sh", 'ç': "ch", 'ō': "o\u02BB", 'ğ': "g\u02BB",
}

// ToLatin writes Uzbek in the Latin letters of 1995, with U+02BB in oʻ and gʻ
// and U+02BC for the tutuq, whichever script and apostrophes it came in. Words
// of other alphabets, addresses and everything between words stay as they are.
// Text of a machine, not of an editor: pages mark it as transliterated.
func ToLatin(s string) string { return mapWords(s, latinWord) }

func latinWord(word string) string {
	rs := letters(word)
	lower := strings.ToLower(string(rs))
	if e, stem, ok := cyrillicException(lower); ok && isLowerOneToOne(lower, rs) {
		n := utf8.RuneCountInString(stem)
		return recase(e.latin, rs[:n]) + latinLetters(rs, n)
	}
	return latinLetters(rs, 0)
}

func isLowerOneToOne(lower string, rs []rune) bool { return utf8.RuneCountInString(lower) == len(rs) }

// latinLetters writes rs[from:] letter by letter.
func latinLetters(rs []rune, from int) string {
	var b strings.Builder
	for i := from; i < len(rs); i++ {
		r := unicode.ToLower(rs[i])
		prev, next := at(rs, i-1), at(rs, i+1)
		var out string
		switch {
		case r == '\'':
			out = latinApostrophe(prev)
		case r == 'е':
			out = "e"
			if softens(prev) {
				out = "ye"
			}
		case r == 'о' && prev == 'ь':
			out = "yo"
		case r == 'ц':
			out = "s"
			if isVowel(prev) {
				out = "ts"
			}
		case r == 'с' && next == 'ҳ': // Исҳоқ is Isʼhoq: s and h, not sh
			out = "s" + string(tutuq)
		case r == 'ъ':
			if prev != 'ў' && (isVowel(prev) || !strings.ContainsRune("еёюя", next)) {
				out = string(tutuq)
			}
		default:
			var ok bool
			if out, ok = latinOf[r]; !ok {
				b.WriteRune(rs[i])
				continue
			}
		}
		b.WriteString(recaseLetter(out, rs, i))
	}
	return b.String()
}

func latinApostrophe(prev rune) string {
	switch prev {
	case 'o', 'g':
		return string(modifier)
	}
	return string(tutuq)
}

// at gives the lower-case letter at i, 0 outside the word.
func at(rs []rune, i int) rune {
	if i < 0 || i >= len(rs) {
		return 0
	}
	return unicode.ToLower(rs[i])
}

// recaseLetter puts what the letter rs[i] became into its case: "Sh" at the
// beginning of "Шаҳар", "SH" in "ШАҲАР".
func recaseLetter(out string, rs []rune, i int) string {
	if !unicode.IsUpper(rs[i]) {
		return out
	}
	if len(out) > 1 && !shouts(rs, i) {
		r, n := utf8.DecodeRuneInString(out)
		return string(unicode.ToUpper(r)) + out[n:]
	}
	return strings.ToUpper(out)
}

// shouts tells whether the capital rs[i] stands among capitals.
func shouts(rs []rune, i int) bool {
	for j := i + 1; j < len(rs); j++ {
		if unicode.IsLetter(rs[j]) {
			return unicode.IsUpper(rs[j])
		}
	}
	for j := i - 1; j >= 0; j-- {
		if unicode.IsLetter(rs[j]) {
			return unicode.IsUpper(rs[j])
		}
	}
	return false
}

// recase puts a stem into the case of the letters it replaces: all capitals, a
// capital at the beginning, or none.
func recase(stem string, like []rune) string {
	switch {
	case len(like) > 1 && unicode.IsUpper(like[0]) && unicode.IsUpper(like[1]):
		return strings.ToUpper(stem)
	case len(like) > 0 && unicode.IsUpper(like[0]):
		r, n := utf8.DecodeRuneInString(stem)
		return string(unicode.ToUpper(r)) + stem[n:]
	}
	return stem
}

// bare gives a letter without its marks.
func bare(r rune) rune {
	d, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
	return d
}
