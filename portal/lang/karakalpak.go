package lang

import "strings"

// The endings of Karakalpak nouns, as strict keys: ı and i are i there, ń is n,
// ǵ is gʻ (G here). After N. A. Baskakov, Karakalpakskij jazyk II, 1952, on
// number, belonging and case, and the spelling of the Latin alphabet of 2016.
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
	karakalpakPlurals = longestFirst(list(anything, "lar ler"))
)

// elidedKarakalpak are stems that lose their last vowel before a possessive.
var elidedKarakalpak = map[string]string{
	"xalq": "i", "halq": "i", "awz": "i", "orn": "i", "murn": "i", "qarn": "i", "moyn": "i", "erk": "i", "awl": "i", "wall": "a",
}

// unchangedKarakalpak are words whose end looks like an ending.
var unchangedKarakalpak = set("payda qagiyda bilim muallim ilim olim taglim sanaat eki jeti jigirma ushin menen kandi")

// The endings of Karakalpak verbs, after the same book, chapters on mood, tense,
// participles and adverbial participles: bar-dı, bar-ǵan, bar-adı, bar-ıp,
// bar-ıw, kel-edi, kel-gen, kel-etuǵın, oqı-ydı. ı is i and ǵ is G.
var (
	karakalpakFinite = longestFirst(
		// After a consonant -di, -din, -ti and -tin are cases of nouns too, and are
		// taken as such.
		list(vowel, "di din"), list(anything, "dim dik diniz dilar tim tik tiniz tilar"),
		list(consonant, "adi amiz asiz edi emiz esiz"), list(vowel, "ydi yman ymen ysan ysen ymiz ysiz"),
		list(consonant, "ipti ippen ipsen ipsiz"), list(vowel, "pti ppan ppen"),
		list(anything, "Ganman Gansan Ganmiz genmen gensen genmiz Gandi gendi"), list(voiceless, "qanman kenmen qandi kendi"),
		list(anything, "maydi meydi baydi beydi paydi peydi madi medi badi bedi padi pedi"),
		list(anything, "sin sinlar sinler saq sek sam sem"), list(consonant, "ayiq eyik"), list(vowel, "yiq yik"),
	)
	karakalpakNonfinite = longestFirst(
		list(anything, "Gan gen Ganda gende Gansha genshe"), list(voiceless, "qan ken qanda kende"),
		list(consonant, "atuGin etuGin atiGin etiGin"), list(vowel, "ytuGin ytiGin"),
		list(consonant, "ip"), list(madeVerb, "p"), list(consonant, "iw"), list(madeVerb, "w"),
		list(anything, "maq mek may mey maGan megen baGan begen paGan pegen"),
		list(anything, "sa se Gali geli qali keli"),
		list(consonant, "iwshi"), list(madeVerb, "wshi"),
	)
)

// stemKarakalpakWord takes a finite verb's ending, or nominal endings and then
// what makes a participle or a verbal noun.
func stemKarakalpakWord(w string) string {
	if rest, ok := takeKarakalpakVerb(w, karakalpakFinite); ok {
		return rest
	}
	n := stemKarakalpak(w)
	if rest, ok := takeKarakalpakVerb(n, karakalpakNonfinite); ok {
		return rest
	}
	if rest, ok := takeKarakalpakVerb(w, karakalpakNonfinite); ok && n != w {
		return rest
	}
	return n
}

// takeKarakalpakVerb takes one ending, the negation before it, and a final a, e
// or i of the stem, as takeVerb does.
func takeKarakalpakVerb(w string, table affixes) (stem string, ok bool) {
	key := strings.ToLower(w)
	if unchangedKarakalpak[key] || nounsKarakalpak[key] {
		return w, false
	}
	rest, _, ok := take(w, table)
	if !ok {
		return w, false
	}
	for _, not := range [...]string{"ma", "me", "ba", "be", "pa", "pe"} {
		if head, found := strings.CutSuffix(rest, not); found && syllables(head) >= 1 && len(head) >= 3 && !isVowelKey(head[len(head)-1]) == (not[0] != 'm') {
			rest = head
			break
		}
	}
	if last := rest[len(rest)-1]; syllables(rest) >= 2 && (last == 'a' || last == 'e' || last == 'i') {
		rest = rest[:len(rest)-1]
	}
	return rest, true
}

// nounsKarakalpak are nouns that end as verbs do.
var nounsKarakalpak = set(`
	insan zaman jaman aman duman arman orman qorGan urgan turgan kitap hisap jawap mektep kasip tartip sebep talap
	suw juw taw baw tuw buw daw jaw saw qaraw jasaw basliq
	xalik jer jil
	kisi bala ana ata qala dala jaqsi kempir qarindas joldas
	bazar kemis kumis jumis
	qatti qati jetti tatti betti itti sutti otti etti kushti katti bagitti
`)

// stemKarakalpak takes case, possessive and plural, in this order.
func stemKarakalpak(w string) string {
	if unchangedKarakalpak[strings.ToLower(w)] {
		return w
	}
	for _, table := range []affixes{karakalpakCases, karakalpakPossessives, karakalpakPlurals} {
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
