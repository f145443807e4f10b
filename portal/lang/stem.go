package lang

import (
	"slices"
	"strings"

	"koprik/portal"
)

// Stem gives the strict key that the forms of one Uzbek word share: kitob,
// kitobi, kitoblarimizdan; qildi, qilgan, qilmoq. It takes nominal endings by
// the table of nouns and verbal ones by the table of verbs
// (docs/reference/language.md). The key is for comparing, never for showing: a
// final k, q, g and gʻ of a longer word are one letter in it, and a final i
// after a consonant is gone. FoldLoose of it is the loose key of the stem.
func Stem(word string) string { return StemIn(portal.Uzbek, word) }

// StemIn is Stem for a word of a known language: in Karakalpak the endings are
// its own.
func StemIn(l portal.Lang, word string) string {
	if l == portal.Karakalpak {
		return eachStem(word, l, stemKarakalpakWord)
	}
	return eachStem(word, l, stemWord)
}

// StemNoun takes nominal endings only: of participles and verbal nouns it
// leaves what a noun would leave.
func StemNoun(word string) string { return StemNounIn(portal.Uzbek, word) }

// StemNounIn is StemNoun for a word of a known language.
func StemNounIn(l portal.Lang, word string) string {
	if l == portal.Karakalpak {
		return eachStem(word, l, stemKarakalpak)
	}
	return eachStem(word, l, stemNoun)
}

// eachStem stems the words of s, of which there is one as a rule. Inside, oʻ
// and gʻ are the capitals O and G, so that every letter is one byte.
func eachStem(s string, l portal.Lang, stem func(w string) string) string {
	words := strings.Fields(FoldIn(l, s))
	for i, w := range words {
		w = marked.Replace(w)
		if isOwnWord(w) {
			words[i] = unmarked.Replace(stem(w))
		}
	}
	return strings.Join(words, " ")
}

var (
	marked   = strings.NewReplacer("o"+okina, "O", "g"+okina, "G", okina, "")
	unmarked = strings.NewReplacer("O", "o"+okina, "G", "g"+okina)
)

// isOwnWord tells whether a word has letters of ours only; numbers and codes
// have no stem.
func isOwnWord(w string) bool {
	for i := range len(w) {
		if c := w[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// ending is one affix of a table.
type ending struct {
	text  string
	after class // what it may follow
	least int   // syllables that must stay
}

// class says after which letters an ending stands.
type class uint8

const (
	anything   class = iota
	vowel            // after a vowel
	consonant        // after a consonant
	notAfterS        // after a consonant other than s and t: nouns end in -ssa, -tsa
	roundVowel       // after o or u
	onlyK            // after k
	onlyQ            // after q
	softVowel        // after a or i, in which stems of verbs may end
	ofVerb           // after a consonant, of what isVerb
	ofVerbIn         // after a or i, of what isVerb without it
	voiceless        // after p, t, k, q, s, sh, ch, f, h, x
	madeVerb         // after la, le, and i: where stems of Karakalpak verbs end in a vowel
)

func (c class) holds(rest string) bool {
	before := rest[len(rest)-1]
	switch c {
	case softVowel:
		return before == 'a' || before == 'i'
	case voiceless:
		return strings.IndexByte("ptkqshfx", before) >= 0
	case madeVerb:
		return before == 'i' || strings.HasSuffix(rest, "la") || strings.HasSuffix(rest, "le")
	case ofVerb:
		return !isVowelKey(before) && isVerb(strings.TrimSuffix(rest, "ma"))
	case ofVerbIn:
		head := rest[:len(rest)-1]
		return before == 'a' && (isVerb(head) || strings.HasSuffix(rest, "la") && syllables(rest) > 1) || before == 'i' && verbsInI[head]
	case vowel:
		return isVowelKey(before)
	case consonant:
		return !isVowelKey(before)
	case notAfterS:
		return !isVowelKey(before) && before != 's' && before != 't'
	case roundVowel:
		return before == 'o' || before == 'O' || before == 'u'
	case onlyK:
		return before == 'k' || before == 'g'
	case onlyQ:
		return before == 'q'
	}
	return true
}

func isVowelKey(c byte) bool { return strings.IndexByte("aeiouO", c) >= 0 }

func syllables(w string) int {
	n := 0
	for i := range len(w) {
		if isVowelKey(w[i]) {
			n++
		}
	}
	return n
}

// take removes the longest ending of a table that w has and may lose. The
// table is sorted, longest first.
func take(w string, table affixes) (rest string, e ending, ok bool) {
	if w == "" {
		return w, e, false
	}
	for _, e := range table[w[len(w)-1]] {
		rest, found := strings.CutSuffix(w, e.text)
		if found && len(rest) >= 2 && syllables(rest) >= max(e.least, 1) && !isVowelOnly(rest) && e.after.holds(rest) {
			return rest, e, true
		}
	}
	return w, ending{}, false
}

// isVowelOnly refuses to leave an open syllable of two letters ("soni" is no
// "so" and "ni").
func isVowelOnly(rest string) bool { return len(rest) == 2 && isVowelKey(rest[1]) }

// affixes are a table for take, by the last byte of an ending and then the
// longest first: of a hundred endings a word may have few.
type affixes map[byte][]ending

func longestFirst(tables ...[]ending) affixes {
	all := slices.Concat(tables...)
	slices.SortStableFunc(all, func(a, b ending) int { return len(b.text) - len(a.text) })
	by := affixes{}
	for _, e := range all {
		last := e.text[len(e.text)-1]
		by[last] = append(by[last], e)
	}
	return by
}

func (a affixes) all() (list []ending) {
	for _, some := range a {
		list = append(list, some...)
	}
	return list
}

// has tells whether text, which is not empty, is one of the endings.
func (a affixes) has(text string) bool {
	return slices.ContainsFunc(a[text[len(text)-1]], func(e ending) bool { return e.text == text })
}

// stemWord takes a finite verb's ending, or nominal endings and then what makes
// a participle or a verbal noun.
func stemWord(w string) string {
	if form, ok := verbForms[strings.ToLower(w)]; ok {
		return form
	}
	if form, ok := pronounForms[strings.ToLower(w)]; ok {
		return form
	}
	if rest, ok := takeVerb(w, finite); ok {
		return plainStem(rest)
	}
	for _, particle := range [...]string{"mi", "ku", "chi", "ki"} { // keldimi, keldiku
		if head, found := strings.CutSuffix(w, particle); found && len(head) > 3 {
			if rest, ok := takeVerb(head, finite); ok && isVerb(plainStem(rest)) {
				return plainStem(rest)
			}
		}
	}
	w = stemNoun(w)
	if form, ok := verbForms[w]; ok {
		return form
	}
	if rest, ok := takeVerb(w, nonfinite); ok {
		return able(rest)
	}
	return w
}

// takeVerb takes one verbal ending, the negation before it, and the vowel in
// which a verb's stem may end, for "qiladi" and "boshladi" do not show to which
// part their a belongs.
func takeVerb(w string, table affixes) (stem string, ok bool) {
	if key := strings.ToLower(w); unchanged[key] || notVerbs[key] || notVerbs[w] {
		return w, false
	}
	rest, e, ok := take(w, table)
	if !ok || isNounIn(rest, e.text) || isNounBefore(rest, e.text) || strings.HasPrefix(e.text, "di") && !looksPast(rest) || strings.HasPrefix(e.text, "adi") && finalD[strings.ToLower(rest)+"ad"] {
		return w, false
	}
	rest = wholeRoot(rest, e.text, table)
	if head, found := strings.CutSuffix(rest, "ma"); found && syllables(head) >= 1 && len(head) >= 2 {
		rest = head
	}
	if last := rest[len(rest)-1]; syllables(rest) >= 2 && (last == 'a' || last == 'i') {
		rest = rest[:len(rest)-1]
	}
	return rest, true
}

// wholeRoot gives back what an ending took of a verb's root: chiqar-di is no
// chiq-ardi, oʻrgan-di no oʻr-gandi.
func wholeRoot(rest, taken string, table affixes) string {
	for i := len(taken) - 1; i > 0; i-- {
		root := rest + taken[:i]
		if verbRoots[root] && slices.ContainsFunc(table[taken[len(taken)-1]], func(e ending) bool { return e.text == taken[i:] && e.after.holds(root) }) {
			return root
		}
	}
	return rest
}

// stemNoun takes the nominal endings.
func stemNoun(w string) string {
	if form, ok := pronounForms[strings.ToLower(w)]; ok {
		return form
	}
	for range maxEndings {
		key := strings.ToLower(w)
		if unchanged[key] || strings.HasSuffix(key, "zoda") { // shahzoda: a child of
			break
		}
		if stem, ok := finalConsonant(w); ok {
			w = stem
			continue
		}
		rest, e, ok := take(w, nominal)
		if !ok {
			break
		}
		if e.text[0] == 'y' && !withY[strings.ToLower(rest)] {
			rest += "y" // saroy-i
		}
		w = rest
		if vowel, ok := elided[strings.ToLower(w)]; ok && e.text[0] == 'i' {
			w = w[:len(w)-1] + vowel + w[len(w)-1:]
		}
	}
	for _, own := range [...]string{"im", "ing", "m", "ng"} {
		n, found := strings.CutSuffix(w, own)
		if !found {
			continue
		}
		if kin[strings.ToLower(n)] {
			w = n
			break
		}
		if vowel, ok := elided[strings.ToLower(n)]; ok && own[0] == 'i' { // koʻngl-im
			w = n[:len(n)-1] + vowel + n[len(n)-1:]
			break
		}
	}
	return softened(w)
}

// isParticiple tells whether the n before an ending is that of -gan.
func isParticiple(w string) bool {
	stem, ok := strings.CutSuffix(w, "gan")
	return ok && len(stem) >= 2 && syllables(stem) >= 1
}

// maxEndings bounds how many endings one word may lose; real ones have five.
const maxEndings = 6

// finalConsonant sees that the s of "asosi" and the n of "tumani" belong to the
// stem, where the table would take -si and -ni.
func finalConsonant(w string) (stem string, ok bool) {
	for _, tail := range []string{"", "ni", "ning", "ga", "da", "dan", "gacha", "dagi", "dagilar"} {
		head, found := strings.CutSuffix(w, tail)
		if !found || len(head) < 4 || head[len(head)-1] != 'i' {
			continue
		}
		head = head[:len(head)-1]
		switch {
		case head[len(head)-1] == 's' && finalS[strings.ToLower(head)]:
			return head, true
		case clusterN[strings.ToLower(head)]:
			return head[:len(head)-1] + elided[strings.ToLower(head)] + head[len(head)-1:], true
		case head[len(head)-1] == 'n' && isVowelKey(head[len(head)-2]) && (finalN[strings.ToLower(head)] || isParticiple(head) || head[len(head)-2] == 'o' && !finalO[strings.ToLower(head[:len(head)-1])]):
			return head, true
		}
	}
	return "", false
}

// softened writes a final k, q, g or gʻ of a longer word as one letter, for
// they change before an ending: yurak, yuragi; qishloq, qishlogʻi.
func softened(w string) string {
	if syllables(w) < 2 || unchanged[strings.ToLower(w)] {
		return w
	}
	switch w[len(w)-1] {
	case 'k', 'q', 'g', 'G':
		if isVowelKey(w[len(w)-2]) {
			return w[:len(w)-1] + "k"
		}
	}
	return w
}
