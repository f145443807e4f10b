package lang

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"koprik/portal"
)

// Fold gives the strict key of s: its words, folded, with one space between.
// Equal keys mean the same spelling but for script (Cyrillic, Latin, new
// Latin), case, kind of apostrophe, composition and look-alike letters. The
// tutuq (ʼ, ъ) leaves no trace, for people leave it out; oʻ and gʻ stay apart
// from o and g. The key of a text in our scripts has a-z, 0-9 and U+02BB only.
//
// The Cyrillic ў is read as Uzbek: oʻ. FoldIn reads it by the language.
func Fold(s string) string { return foldWords(s, portal.Uzbek, false) }

// FoldLoose gives the loose key of s: the strict one with everything set aside
// that phone typists and Russian keyboards confuse: oʻ and o, gʻ and g, ye and
// e, x and h, ts and s. Fold(a) == Fold(b) implies FoldLoose(a) == FoldLoose(b).
func FoldLoose(s string) string { return foldWords(s, portal.Uzbek, true) }

// FoldIn is Fold for a text of a known language: in Karakalpak ў is w.
func FoldIn(l portal.Lang, s string) string { return foldWords(s, l, false) }

// FoldLooseIn is FoldLoose for a text of a known language.
func FoldLooseIn(l portal.Lang, s string) string { return foldWords(s, l, true) }

func foldWords(s string, l portal.Lang, loose bool) string {
	b := make([]byte, 0, len(s)+8)
	eachWord(s, func(start, end int) {
		if len(b) > 0 && b[len(b)-1] != ' ' {
			b = append(b, ' ')
		}
		word := len(b)
		b = appendFolded(b, s[start:end], l)
		b = append(b[:word], canonical(b[word:])...)
		if loose {
			b = loosen(b, word)
		}
	})
	return string(bytes.TrimSpace(b))
}

// The modifier letter that oʻ and gʻ keep in a strict key.
const okina = "\u02BB"

// appendFolded appends the strict key of one word.
func appendFolded(b []byte, word string, l portal.Lang) []byte {
	if isPlain(word) {
		for i := range len(word) {
			c := word[i]
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			}
			b = append(b, c)
		}
		return b
	}
	if from := len(b); isCyrillic(firstLetter(word)) {
		if out, ok := appendPureCyrillic(b, word, l); ok {
			return out
		}
		b = b[:from]
	}
	rs := letters(word)
	prev := rune(0)
	for _, r := range rs {
		r = unicode.ToLower(r)
		switch {
		case r == '\'':
			if prev == 'o' || prev == 'g' {
				b = append(b, okina...)
			}
		case r < utf8.RuneSelf:
			b = append(b, byte(r))
		case isCyrillic(r):
			b = appendCyrillic(b, r, prev, l)
		default:
			b = appendOther(b, r, prev, l)
		}
		prev = r
	}
	return b
}

func firstLetter(word string) rune {
	r, _ := utf8.DecodeRuneInString(word)
	return r
}

// appendPureCyrillic is the short way for most words: nothing but Cyrillic
// letters that need no mending. ok is false for any other word.
func appendPureCyrillic(b []byte, word string, l portal.Lang) (out []byte, ok bool) {
	prev := rune(0)
	for _, r := range word {
		switch {
		case 'А' <= r && r <= 'Я':
			r += 'а' - 'А'
		case 'а' <= r && r <= 'я':
		case isCyrillic(r) && isOurs(r):
			r = unicode.ToLower(r)
		default:
			return b, false
		}
		b = appendCyrillic(b, r, prev, l)
		prev = r
	}
	return b, true
}

func isPlain(word string) bool {
	for i := range len(word) {
		if word[i] >= utf8.RuneSelf || word[i] == '\'' || word[i] == '`' {
			return false
		}
	}
	return true
}

// foldedCyrillic gives the letters that are folded alike wherever they stand.
// The Karakalpak letters lose their marks; i, u and h of the neighbours'
// alphabets are there because Kazakh and Ukrainian keyboards are about.
var foldedCyrillic = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'ё': "yo", 'ж': "j", 'з': "z",
	'и': "i", 'й': "y", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p",
	'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "x", 'ч': "ch", 'ш': "sh",
	'щ': "sh", 'ъ': "", 'ы': "i", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
	'қ': "q", 'ғ': "g" + okina, 'ҳ': "h",
	'ә': "a", 'ө': "o", 'ү': "u", 'ң': "n",
	'і': "i", 'ї': "yi", 'є': "ye", 'ґ': "g", 'ұ': "u", 'һ': "h", 'ѐ': "e", 'ѝ': "i",
}

// foldedBasic is the part of foldedCyrillic that nearly every letter is in.
var foldedBasic = func() (basic ['я' - 'а' + 1]string) {
	for i := range basic {
		basic[i] = foldedCyrillic['а'+rune(i)]
	}
	return basic
}()

// appendCyrillic folds a lower-case Cyrillic letter by the official tables; prev
// is the letter before it, 0 at the beginning of a word.
func appendCyrillic(b []byte, r, prev rune, l portal.Lang) []byte {
	switch r {
	case 'ў':
		if l == portal.Karakalpak {
			return append(b, 'w')
		}
		return append(b, "o"+okina...)
	case 'е':
		if softens(prev) {
			b = append(b, 'y')
		}
		return append(b, 'e')
	case 'о':
		if prev == 'ь' { // бульон, bulyon
			b = append(b, 'y')
		}
		return append(b, 'o')
	case 'ц':
		if isVowel(prev) {
			b = append(b, 't')
		}
		return append(b, 's')
	}
	if 'а' <= r && r <= 'я' {
		return append(b, foldedBasic[r-'а']...)
	}
	if s, ok := foldedCyrillic[r]; ok {
		return append(b, s...)
	}
	return utf8.AppendRune(b, r)
}

// softens tells whether a Cyrillic е after prev is read ye.
func softens(prev rune) bool {
	return !unicode.IsLetter(prev) || isVowel(prev) || prev == 'ъ' || prev == 'ь'
}

func isVowel(r rune) bool {
	return r != 0 && strings.ContainsRune("аеёиоуўэюяыәөүіaeiou", r)
}

// foldedLatin are the letters of the new Latin, of the Latin of 1993, and of
// Karakalpak. ō, ö and õ all stand for oʻ on some keyboard.
var foldedLatin = map[rune]string{
	'ş': "sh", 'ș': "sh", 'š': "sh", 'ç': "ch", 'č': "ch",
	'ō': "o" + okina, 'ö': "o" + okina, 'õ': "o" + okina, 'ŏ': "o" + okina,
	'ğ': "g" + okina, 'ǵ': "g" + okina, 'ĝ': "g" + okina, 'ġ': "g" + okina, 'ḡ': "g" + okina,
	'á': "a", 'ó': "o", 'ú': "u", 'ń': "n", 'ñ': "n", 'ŋ': "n", 'ı': "i", 'í': "i", 'ə': "a",
	'ß': "ss", 'æ': "ae", 'ø': "o", 'œ': "oe", 'đ': "d", 'ł': "l", 'þ': "th", 'ð': "d",
}

// appendOther folds a lower-case letter that is neither ASCII nor Cyrillic: by
// the table, else without its marks.
func appendOther(b []byte, r, prev rune, l portal.Lang) []byte {
	if s, ok := foldedLatin[r]; ok {
		return append(b, s...)
	}
	if unicode.Is(unicode.Mn, r) {
		return b
	}
	for _, d := range norm.NFKD.String(string(r)) {
		d = unicode.ToLower(d)
		if s, ok := foldedLatin[d]; ok {
			b = append(b, s...)
		} else if isCyrillic(d) { // a raised letter
			b = appendCyrillic(b, d, prev, l)
		} else if !unicode.Is(unicode.Mn, d) && isLetter(d) {
			b = utf8.AppendRune(b, d)
		}
	}
	return b
}

// loosen rewrites the strict word in b[from:] as its loose key.
func loosen(b []byte, from int) []byte {
	out := from
	for i := from; i < len(b); i++ {
		c := b[i]
		switch {
		case bytes.HasPrefix(b[i:], []byte(okina)):
			i += len(okina) - 1
			continue
		case c == 'y' && after(b[i:], 'y') == 'e':
			continue
		case c == 't' && after(b[i:], 't') == 's':
			continue
		case c == 'x':
			c = 'h'
		}
		b[out] = c
		out++
	}
	return b[:out]
}

// after gives the first letter of word that is not c; 0 at its end. The s of sh
// counts as none.
func after(word []byte, c byte) byte {
	rest := bytes.TrimLeft(word, string(rune(c)))
	if len(rest) == 0 || bytes.HasPrefix(rest, []byte("sh")) {
		return 0
	}
	return rest[0]
}
