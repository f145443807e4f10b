package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"koprik/portal"
)

// alphabets are the orders of letters, by the laws on the alphabets: Uzbek
// Latin of 1995 (oʻ gʻ sh ch after z), Uzbek Cyrillic of 1940 (ў қ ғ ҳ after я),
// Karakalpak Latin of 2016. Letters that a language has not follow those that
// it has. A letter of two characters is one letter.
var alphabets = map[portal.Lang]*alphabet{
	portal.Uzbek:         newAlphabet("a b c d e f g h i j k l m n o p q r s t u v w x y z o' g' sh ch " + cyrillicOrder + " ў қ ғ ҳ"),
	portal.UzbekCyrillic: newAlphabet(cyrillicOrder + " ў қ ғ ҳ a b c d e f g h i j k l m n o p q r s t u v w x y z o' g' sh ch"),
	portal.Karakalpak:    newAlphabet("a á b d e f g ǵ h x ı i j k q l m n ń o ó p r s t u ú v w y z sh c ch а ә б в г ғ д е ё ж з и й к қ л м н ң о ө п р с т у ү ў ф х ҳ ц ч ш щ ъ ы ь э ю я"),
	portal.Russian:       newAlphabet(cyrillicOrder + " ў қ ғ ҳ a b c d e f g h i j k l m n o p q r s t u v w x y z"),
	portal.English:       newAlphabet("a b c d e f g h i j k l m n o p q r s t u v w x y z " + cyrillicOrder + " ў қ ғ ҳ"),
}

const cyrillicOrder = "а б в г д е ё ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я"

// alphabet gives the place of each letter, and of letters of two characters.
type alphabet struct {
	place  map[string]int
	single [0x530]byte // keyLetter + place of letters of one character; 0 for none
}

func newAlphabet(order string) *alphabet {
	a := &alphabet{place: map[string]int{}}
	for i, l := range strings.Fields(order) {
		a.place[l] = i
		if r, n := utf8.DecodeRuneInString(l); n == len(l) {
			a.single[r] = byte(keyLetter + i)
		}
	}
	return a
}

// What a key's parts begin with, in their order: the end of a word, a number, a
// letter of the alphabets, any other letter.
const (
	keyGap    = 0x01
	keyNumber = 0x02
	keyLetter = 0x10
	keyOther  = 0xF0
)

// SortKey gives a key by which texts stand in the order of a language's
// alphabet: compare keys as strings. Numbers stand before letters and by their
// value ("2-maktab" before "10-maktab"); case, apostrophes other than those of
// oʻ and gʻ, look-alikes and what is between words make no difference. Of a
// language that is not ours the Uzbek order is used.
func SortKey(l portal.Lang, s string) string {
	a := alphabets[l]
	if a == nil {
		a = alphabets[portal.Uzbek]
	}
	var b strings.Builder
	eachWord(s, func(start, end int) {
		if b.Len() > 0 {
			b.WriteByte(keyGap)
		}
		rs := letters(s[start:end])
		for i := range rs {
			rs[i] = unicode.ToLower(rs[i])
		}
		for i := 0; i < len(rs); {
			i += a.appendKey(&b, rs[i:])
		}
	})
	return b.String()
}

// appendKey writes the key of the first letter or number of rs and tells how
// many characters it took.
func (a *alphabet) appendKey(b *strings.Builder, rs []rune) int {
	if isDigitRune(rs[0]) {
		return appendNumber(b, rs)
	}
	if folded := foldNew(rs[0]); folded != "" {
		if place, ok := a.place[folded]; ok {
			b.WriteByte(byte(keyLetter + place))
			return 1
		}
	}
	if len(rs) > 1 && (rs[1] == 'h' || rs[1] == '\'') { // all letters of two end so
		if place, ok := a.place[string(rs[:2])]; ok {
			b.WriteByte(byte(keyLetter + place))
			return 2
		}
	}
	switch r := rs[0]; {
	case int(r) < len(a.single) && a.single[r] != 0:
		b.WriteByte(a.single[r])
	case r != '\'':
		b.WriteByte(keyOther)
		b.WriteRune(r)
	}
	return 1
}

// foldNew gives the letters of the new Latin as those of 1995, "" any other.
func foldNew(r rune) string {
	switch r {
	case 'ş':
		return "sh"
	case 'ç':
		return "ch"
	case 'ō', 'ö':
		return "o'"
	case 'ğ':
		return "g'"
	}
	return ""
}

func isDigitRune(r rune) bool { return '0' <= r && r <= '9' }

// appendNumber writes a number so that longer ones stand later; zeros before it
// say nothing.
func appendNumber(b *strings.Builder, rs []rune) int {
	n := 0
	for n < len(rs) && isDigitRune(rs[n]) {
		n++
	}
	digits := strings.TrimLeft(string(rs[:n]), "0")
	b.WriteByte(keyNumber)
	for length := len(digits); ; length -= 0x7F {
		b.WriteByte(byte(0x10 + min(length, 0x7F)))
		if length < 0x7F {
			break
		}
	}
	b.WriteString(digits)
	return n
}

// Mend puts look-alike letters of the other script right, word by word:
// "Aндижон" with a Latin A becomes all Cyrillic, "2026-М01" with a Cyrillic М
// all Latin. Words without such letters stay as they are.
func Mend(s string) string {
	return mapWords(s, func(word string) string {
		latin, cyrillic, digit := false, false, false
		for _, r := range word {
			latin = latin || isLatin(r)
			cyrillic = cyrillic || isCyrillic(r)
			digit = digit || unicode.IsDigit(r)
		}
		if !cyrillic || !latin && !digit {
			return word
		}
		return restoreApostrophes(string(letters(word)), word)
	})
}

// restoreApostrophes keeps a word as it was where letters changed more than
// look-alikes: apostrophes are not for Mend to change.
func restoreApostrophes(mended, word string) string {
	if utf8.RuneCountInString(mended) != utf8.RuneCountInString(word) {
		return word
	}
	old := []rune(word)
	out := []rune(mended)
	for i, r := range out {
		if r == '\'' {
			out[i] = old[i]
		}
	}
	return string(out)
}
