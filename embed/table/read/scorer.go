package read

import (
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// candidates are the encodings that the scorer tells apart.
var candidates = []struct {
	key   string
	table *charmap.Charmap
	latin bool
}{
	{"windows1251", charmap.Windows1251, false},
	{"koi8r", charmap.KOI8R, false},
	{"ibm866", charmap.CodePage866, false},
	{"ibm855", charmap.CodePage855, false},
	{"maccyrillic", charmap.MacintoshCyrillic, false},
	{"windows1252", charmap.Windows1252, true},
	{"windows1254", charmap.Windows1254, true},
}

// cyrillicWeight is how often a small letter stands in Russian running text,
// in thousandths (Russian National Corpus, rounded); Uzbek differs, but not in
// which byte ranges it uses.
var cyrillicWeight = map[rune]int{
	'о': 110, 'е': 85, 'а': 80, 'и': 74, 'н': 67, 'т': 63, 'с': 55, 'р': 47, 'в': 45, 'л': 44, 'к': 35, 'м': 32,
	'д': 30, 'п': 28, 'у': 26, 'я': 20, 'ы': 19, 'ь': 17, 'г': 17, 'з': 16, 'б': 16, 'ч': 15, 'й': 12, 'х': 10,
	'ж': 9, 'ш': 7, 'ю': 6, 'ц': 5, 'щ': 4, 'э': 3, 'ф': 3, 'ъ': 1, 'ё': 2, 'ў': 6, 'қ': 6, 'ғ': 3, 'ҳ': 5,
}

// guessCharset picks the encoding in which the sample reads most like words.
func guessCharset(sample []byte) (best charset, ok bool) {
	top := 0
	for _, c := range candidates {
		if s := score(sample, c.table, c.latin); s > top {
			top, best, ok = s, charsets[c.key], true
		}
	}
	return best, ok
}

// score adds up how likely each high character is where it stands: frequent
// small letters are good, a capital after a small letter or a symbol inside a
// word is bad, Cyrillic beside Latin letters is bad.
func score(sample []byte, table *charmap.Charmap, latin bool) int {
	sum := 0
	prev := ' '
	for i, b := range sample {
		r := table.DecodeByte(b)
		if b >= 0x80 {
			next := ' '
			if i+1 < len(sample) {
				next = table.DecodeByte(sample[i+1])
			}
			if latin {
				sum += latinScore(prev, r, next)
			} else {
				sum += cyrillicScore(prev, r, next)
			}
		}
		prev = r
	}
	return sum
}

func cyrillicScore(prev, r, next rune) int {
	if isLatin(prev) || isLatin(next) {
		return -40
	}
	if unicode.IsDigit(prev) && unicode.IsDigit(next) {
		return symbolScore(r) // a letter inside a number is no letter
	}
	if w, ok := cyrillicWeight[r]; ok {
		return w
	}
	if w, ok := cyrillicWeight[unicode.ToLower(r)]; ok {
		if unicode.Is(unicode.Cyrillic, prev) && unicode.IsLower(prev) {
			return -60
		}
		return w / 3
	}
	return symbolScore(r)
}

func latinScore(prev, r, next rune) int {
	if !unicode.Is(unicode.Latin, r) {
		return symbolScore(r)
	}
	if unicode.IsUpper(r) && unicode.IsLower(prev) {
		return -60
	}
	high := func(r rune) bool { return r >= 0x80 && unicode.IsLetter(r) }
	if high(prev) || high(next) {
		return -30 // accented letters seldom stand together
	}
	switch {
	case strings.ContainsRune("ðþýÐÞÝ", r):
		return 15 // Icelandic is rarer here than Turkish, which has ğ ş ı in their places
	case isLatin(prev) || isLatin(next):
		return 60
	}
	return -20
}

// symbolScore: the marks that people type are fine, the rest is noise.
func symbolScore(r rune) int {
	switch r {
	case '«', '»', '–', '—', '“', '”', '„', '‘', '’', '№', '°', '§', '©', '®', '€', '£', '…', '\u00a0', '½', '²', '³', '·':
		return 5
	}
	return -50
}

func isLatin(r rune) bool { return unicode.Is(unicode.Latin, r) }
