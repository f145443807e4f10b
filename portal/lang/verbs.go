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
		list(anything, "di dim ding dik dingiz dinglar dilar dimi"),
		list(consonant, "adi aman asan amiz asiz adilar asizlar adimi"),
		list(vowel, "ydi yman ysan ymiz ysiz ydilar ysizlar ydimi"),
		list(anything, "yapti yapman yapsan yapmiz yapsiz yaptilar"),
		list(anything, "moqda moqdaman moqdasan moqdamiz moqdasiz moqdalar"),
		list(consonant, "ibdi ibman ibsan ibmiz ibsiz ibdilar"), list(vowel, "bdi bman bsan bmiz bsiz bdilar"),
		list(consonant, "ardi armiz arman ardim arding ardik ardilar"), list(vowel, "rdi rdim rding rdik rdilar"),
		list(anything, "masdi mas madi madim mading madik madilar madingiz maydi mayman maysan maymiz maysiz maydilar"),
		list(anything, "sin sinlar"), list(consonant, "aylik"), list(vowel, "ylik"),
		list(consonant, "inglar"),
		list(anything, "sam sang sangiz sak salar"),
		withPersons(anything, "gan"), withPersons(onlyK, "kan"), withPersons(onlyQ, "qan"),
		list(anything, "gandi gandim gandik gandilar ganmisiz"), list(onlyK, "kandi kandim kandilar"), list(onlyQ, "qandi qandim qandilar"),
	)

	// nonfinite make a noun, an attribute or an adverb of a verb.
	nonfinite = longestFirst(
		list(anything, "gan gach guncha gali ganlik"), list(onlyK, "kan kach kuncha kanlik"), list(onlyQ, "qan qach quncha qanlik"),
		list(consonant, "adigan ayotgan adiganlik ayotganlik ayotib ayotir"), list(vowel, "ydigan yotgan ydiganlik yotganlik yotib"),
		list(consonant, "ib ibgina"), list(vowel, "b"),
		list(anything, "moq mok moqchi moqch sa magan maydigan mayotgan may mayin masdan maslik mas"),
		list(consonant, "ish"), list(vowel, "sh"),
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

// withPersons makes the personal forms of a participle.
func withPersons(after class, text string) []ending {
	var out []ending
	for _, p := range persons {
		out = append(out, ending{text + p, after, 1})
	}
	return slices.Clip(out)
}

// verbForms are the forms of the shortest verbs and of the copula.
var verbForms = forms(map[string]string{
	"de":   "de dedi dedim deding dedik dedilar deb debdi degan deganda degani deganlar deydi deyman deymiz deysiz deydilar deyish deyishdi demoq demoqchi demoqda desa dema demadi dey deya degancha deyilgan deyiladi",
	"ye":   "ye yedi yedim yedik yedilar yeb yegan yeydi yeyman yeymiz yeydilar yeyish yemoq yesa yebdi",
	"edi":  "edi edim eding edik edingiz edilar",
	"ekan": "ekan ekanman ekansan ekanmiz ekansiz ekanlar ekanligi ekanligini ekanlik",
	"emas": "emas emasman emassan emasmiz emassiz emaslar emasligi",
})

// set makes a set of a list.
func set(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}
