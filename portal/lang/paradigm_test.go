package lang

import (
	"strings"
	"testing"
)

// The paradigms that these tests build are those of the grammars named in
// nouns.go and verbs.go, written down the other way round: there what comes off,
// here what is put on. So an ending that a table has not shows itself, on words
// that no treebank has.

// inflected gives the forms of a noun: number, person, case, and what follows.
func inflected(noun string) []string {
	var out []string
	for _, number := range []string{noun, noun + "lar"} {
		stems := []string{number}
		if endsInVowel(number) {
			stems = append(stems, number+"si", number+"miz", number+"ngiz")
		} else {
			owned := voiced(number)
			stems = append(stems, owned+"i", owned+"imiz", owned+"ingiz")
			if number != noun {
				stems = append(stems, owned+"im", owned+"ing")
			}
		}
		for _, stem := range stems {
			ga := "ga"
			switch stem[len(stem)-1] {
			case 'k':
				ga = "ka"
			case 'q':
				ga = "qa"
			}
			for _, ending := range []string{"", "ning", "ni", "da", "dan", ga, ga + "cha", "dagi", "dagilar", "dek", "dir"} {
				out = append(out, stem+ending)
			}
		}
	}
	return out
}

func endsInVowel(s string) bool {
	return strings.ContainsAny(s[len(s)-1:], "aeiou") || strings.HasSuffix(s, "oʻ")
}

// voiced is a stem before a vowel: yurak, yurag-; qishloq, qishlogʻ-.
func voiced(s string) string {
	if syllables(s) < 2 {
		return s
	}
	if head, ok := strings.CutSuffix(s, "k"); ok {
		return head + "g"
	}
	if head, ok := strings.CutSuffix(s, "q"); ok {
		return head + "gʻ"
	}
	return s
}

// conjugated gives the forms of a verb's stem.
func conjugated(stem string) []string {
	var out []string
	add := func(base string, endings ...string) {
		for _, e := range endings {
			out = append(out, base+e)
		}
	}
	a, ar, ib, ish, ay, gan := stem+"a", stem+"ar", stem+"ib", stem+"ish", stem+"ay", stem+"gan"
	switch {
	case endsInVowel(stem):
		a, ar, ib, ish, ay = stem+"y", stem+"r", stem+"b", stem+"sh", stem+"y"
	case strings.HasSuffix(stem, "k"):
		gan = stem + "kan"
	case strings.HasSuffix(stem, "q"):
		gan = stem + "qan"
	}
	going := stem + "ayotgan"
	if endsInVowel(stem) {
		going = stem + "yotgan"
	}
	add(stem+"di", "", "m", "ng", "k", "ngiz", "lar", "ngizlar", "mi")
	add(stem+"ma", "di", "dim", "ydi", "yman", "ymiz", "ysiz", "gan", "ganlar", "ganligi", "ydigan", "yapti", "yotgan", "sa", "sam", "sin", "sligi", "slik", "s", "sdan", "y", "slar", "bdi", "ganda", "ganidan", "salar")
	add(a, "di", "man", "san", "miz", "siz", "dilar", "digan", "diganlar", "diganini")
	add(ar, "", "di", "dik")
	add(ib, "", "di", "man", "siz")
	add(ish, "", "i", "ni", "ga", "da", "ining", "imiz", "lari")
	add(gan, "", "lar", "i", "ini", "da", "dan", "ligi", "ligini", "man", "miz", "di", "larning", "imizda", "cha")
	add(going, "", "lar", "i", "da", "di")
	add(stem, "yapti", "yapman", "yapmiz", "yaptilar", "moqda", "moqdamiz", "moqdalar", "moq", "moqchi", "sa", "sam", "sak", "salar", "sangiz", "sin", "sinlar", "guncha", "gach")
	add(ay, "", "lik")
	return out
}

// TestEveryFormOfANounHasItsStem and the next count the forms that have not the
// stem of their first one.
func TestEveryFormOfANounHasItsStem(t *testing.T) {
	wantStems(t, .995, StemNoun, inflected, `kitob maktab yurak qishloq daraxt bola ota uy yoʻl til xalq davlat hudud shahar tuman viloyat mamlakat
		iqtisodiyot sanoat masala mahalla oila jumla soha qonun hujjat qaror loyiha hukumat vazirlik qoʻmita tashkilot muassasa korxona hamkorlik
		savdo daryo baho muammo dunyo maʼno talaba oʻqituvchi oʻquvchi shifokor kasalxona dori bozor narx daromad xarajat budjet soliq ish son
		yil oy kun hafta yosh ayol erkak farzand avlod tarix madaniyat sanʼat fan texnologiya axborot dastur tizim bilim tadqiqot natija
		suv yer havo togʻ dengiz koʻl oʻrmon hayvon oʻsimlik paxta bugʻdoy meva goʻsht sut non choy qoʻy ot it qush`)
}

func TestEveryFormOfAVerbHasItsStem(t *testing.T) {
	wantStems(t, .98, Stem, conjugated, `qil boʻl ber ol kel ket chiq kir bor tur yur oʻtir yot koʻr eshit bil ayt soʻra gapir yoz oʻqi ishla boshla tugat
		och yop qoʻy sol tashla tut ushla top yoʻqot qoch quv ur sin buz tuz yasa qur soʻzla tingla oʻrgan oʻrgat tushun tushuntir esla unut
		sev yoqtir xohla ista kut uchra uchrash tani kuzat tekshir tanla sayla belgila aniqla hisobla oʻlcha qoʻsh ayir koʻpay kamay oʻs
		rivojlan rivojlantir taʼminla tasdiqla joylash joylashtir foydalan shugʻullan qatnash yordamlash`)
}

func wantStems(t *testing.T, least float64, stem func(string) string, forms func(string) []string, words string) {
	t.Helper()
	right, all := 0, 0
	var wrong []string
	for _, w := range strings.Fields(words) {
		want := stem(forms(w)[0])
		for _, f := range forms(w) {
			if all++; stem(f) == want {
				right++
			} else {
				wrong = append(wrong, f+">"+stem(f))
			}
		}
	}
	t.Logf("%d of %d forms; not: %s", right, all, strings.Join(wrong, " "))
	if got := float64(right) / float64(all); got < least {
		t.Errorf("%.4f of the forms have the stem of the first, want %.3f", got, least)
	}
}
