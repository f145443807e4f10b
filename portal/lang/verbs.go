package lang

import (
	"slices"
	"strings"
)

// The endings of Uzbek verbs: what carries tense, mood, person or makes a
// participle, a converb or a verbal noun. Voices (-il, -in, -ish, -tir) stay
// with the stem, as dictionaries keep them. Written down from the same
// descriptions as the table of nouns, chapters on the verb.
var (
	persons = []string{"man", "san", "miz", "siz", "lar", "sizlar"}

	// finite end a sentence: nothing nominal follows them.
	finite = longestFirst(
		list(anything, "di dim ding dik dingiz dingizlar dinglar dilar"),
		list(consonant, "adi aman asan adilar asizlar"), list(ofVerb, "amiz asiz"),
		list(vowel, "ydi yman ysan ymiz ysiz ydilar ysizlar"),
		list(anything, "yapti yapman yapsan yapmiz yapsiz yapsizlar yaptilar yotir"),
		list(anything, "moqda moqdaman moqdasan moqdamiz moqdasiz moqdasizlar moqdalar"),
		list(consonant, "ibdi ibman ibsan ibmiz ibsiz ibsizlar ibdilar"), list(softVowel, "bdi bman bsan bmiz bsiz bsizlar bdilar"),
		list(consonant, "ardi armiz arman ardim arding ardik ardilar"), list(ofVerbIn, "rdi rdim rding rdik rdingiz rdilar"),
		list(anything, "masdi mas madi madim mading madik madilar madingiz madingizlar maydi mayman maysan maymiz maysiz maysizlar maydilar masin masinlar maylik manglar"),
		list(anything, "sin sinlar"), list(consonant, "aylik"),
		list(consonant, "inglar"), list(softVowel, "nglar"), list(ofVerb, "ing ingiz ingizlar"),
		list(ofVerb, "ar arkan arlar ay ayin ayik a"), list(ofVerbIn, "y yin ylik ng"),
		ifs("sam sang sangiz sangizlar sak salar"), list(anything, "masam masang masangiz masak masalar"),
		list(anything, "dimi dingmi dingizmi dilarmi"),
		list(anything, "moqchiman moqchisan moqchimiz moqchisiz moqchilar moqchiydi moqchiydim"),
		list(ofVerb, "gin magin"), list(ofVerbIn, "gin magin"), list(onlyK, "kin"), list(onlyQ, "qin"),
		withPersons(anything, "gan"), withPersons(consonant, "adigan"), withPersons(softVowel, "ydigan"), withPersons(consonant, "ayotgan"), withPersons(softVowel, "yotgan"), withPersons(onlyK, "kan"), withPersons(onlyQ, "qan"),
		list(anything, "gandi gandim gandik gandilar"), list(consonant, "ayotgandi ayotgandim ayotgandilar"), list(softVowel, "yotgandi yotgandim yotgandilar"), list(onlyK, "kandi kandim kandilar"), list(onlyQ, "qandi qandim qandilar"),
	)

	// nonfinite make a noun, an attribute or an adverb of a verb.
	nonfinite = longestFirst(
		list(anything, "gan gach guncha gali ganlik"), list(onlyK, "kan kach kuncha kanlik"), list(onlyQ, "qan qach quncha qanlik"),
		list(consonant, "adigan ayotgan adiganlik ayotganlik ayotib ayotir"), list(softVowel, "ydigan yotgan ydiganlik yotganlik yotib"),
		list(consonant, "ib ibgina"), list(softVowel, "b"),
		ifs("sa"), list(anything, "masa gancha ganicha gunicha"), list(onlyK, "kancha kanicha"), list(onlyQ, "qancha qanicha"),
		list(anything, "moq mok moqchi moqch magan maydigan mayotgan may mayin masdan maslik mas"),
		list(consonant, "ish"), list(softVowel, "sh"),
	)
)

// list makes endings that stand after one class of letters; one syllable stays.
func list(after class, texts string) []ending {
	var out []ending
	for _, text := range strings.Fields(texts) {
		out = append(out, ending{text, after, 1})
	}
	return out
}

// ifs makes the endings of the condition, in which nouns end too: after s and
// vowels they are taken of sure verbs only (muassasa, xulosa).
func ifs(texts string) []ending {
	return slices.Concat(list(notAfterS, texts), list(ofVerb, texts), list(ofVerbIn, texts))
}

// withPersons makes the personal forms of a participle.
func withPersons(after class, text string) []ending {
	var out []ending
	for _, p := range persons {
		out = append(out, ending{text + p, after, 1})
	}
	return slices.Clip(out)
}

// isNounIn tells whether a noun with its own ending reaches into what was taken
// for a verb's: asar-lar is no as-arlar.
func isNounIn(rest, taken string) bool {
	for i := 1; i <= len(taken); i++ {
		tail := taken[i:]
		if tail != "" && tail != "lik" && !nominal.has(tail) {
			continue
		}
		noun := rest + taken[:i]
		if notVerbs[noun] || unchanged[noun] {
			return true
		}
	}
	return false
}

// isNounBefore tells whether what was taken for an imperative is a noun's
// genitive, masala-ning, or its -ng, akula-ng: verbs are made in -la after a
// consonant.
func isNounBefore(rest, ending string) bool {
	switch {
	case strings.HasPrefix(ending, "ing"):
		return strings.HasSuffix(rest, "n") && !verbRoots[rest]
	case ending == "ng":
		head, ok := strings.CutSuffix(rest, "la")
		return ok && isVowelKey(head[len(head)-1])
	}
	return false
}

// verbForms are the forms of the shortest verbs and of the copula.
var verbForms = func() map[string]string {
	out := forms(map[string]string{
		"de":   "de dey deya deyish deyishdi deyishgan deyishibdi deyiladi deyilgan deyilishicha dema degancha",
		"ye":   "ye yey yeya yeyish yeyishdi yeyishgan yeyiladi yeyilgan yema",
		"edi":  "edi edim eding edik edingiz edilar",
		"ekan": "ekan ekanman ekansan ekanmiz ekansiz ekanlar ekanligi ekanligini ekanlik",
		"emas": "emas emasman emassan emasmiz emassiz emaslar emasligi",
	})
	for _, stem := range [...]string{"de", "ye"} {
		for _, e := range slices.Concat(finite.all(), nonfinite.all(), list(vowel, "dingmi dimi ydimi ydiku")) {
			if c := e.after; len(e.text) > 1 && (c == anything || c == vowel || c == softVowel) || e.text == "b" {
				out[stem+e.text] = stem
			}
		}
	}
	return out
}()

// set makes a set of a list.
func set(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}
