package lang

import "strings"

// The endings of Karakalpak nouns, as strict keys: ı and i are i there, ń is n,
// ǵ is gʻ (G here). After N. A. Baskakov, Karakalpakskij jazyk II, 1952, on
// number, belonging and case, and the spelling of the Latin alphabet of 2016.
// Verbs are left alone.
var (
	karakalpakCases = longestFirst(
		list(anything, "nin din tin ni di ti"),
		list(anything, "Ga ge qa ke ga"), list(vowel, "na ne"),
		list(anything, "nda nde da de ta te"),
		list(anything, "nan nen dan den tan ten"),
		list(anything, "daGi degi taGi tegi ndaGi ndegi niki diki tiki"),
	)
	karakalpakPossessives = longestFirst(
		list(consonant, "i imiz iniz"), list(vowel, "si miz niz"),
		[]ending{{"im", consonant, 2}, {"in", consonant, 2}},
	)
	karakalpakPlurals = list(anything, "lar ler")
)

// elidedKarakalpak are stems that lose their last vowel before a possessive.
var elidedKarakalpak = map[string]string{
	"xalq": "i", "halq": "i", "awz": "i", "orn": "i", "murn": "i", "qarn": "i", "moyn": "i", "erk": "i", "awl": "i", "wall": "a",
}

// unchangedKarakalpak are words whose end looks like an ending.
var unchangedKarakalpak = set("payda qagiyda bilim muallim ilim olim taglim sanaat eki jeti jigirma ushin menen kandi")

// stemKarakalpak takes case, possessive and plural, in this order.
func stemKarakalpak(w string) string {
	if unchangedKarakalpak[strings.ToLower(w)] {
		return w
	}
	for _, table := range [][]ending{karakalpakCases, karakalpakPossessives, karakalpakPlurals} {
		rest, e, ok := take(w, table)
		if !ok || unchangedKarakalpak[strings.ToLower(rest)] && e.text == "" {
			continue
		}
		w = rest
		if v, ok := elidedKarakalpak[strings.ToLower(w)]; ok && e.text[0] == 'i' {
			w = w[:len(w)-1] + v + w[len(w)-1:]
		}
	}
	if n := len(w); n > 2 && syllables(w) >= 2 && isVowelKey(w[n-2]) {
		switch w[n-1] {
		case 'b': // mektep, mektebi
			return w[:n-1] + "p"
		case 'q', 'G', 'g':
			return w[:n-1] + "k"
		}
	}
	return w
}
