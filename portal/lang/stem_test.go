package lang

import (
	"slices"
	"testing"

	"koprik/portal"
)

func TestTheFormsOfANounShareAStem(t *testing.T) {
	for _, c := range []struct {
		want  string
		forms []string
	}{
		{"kitob", []string{"kitob", "kitobi", "kitoblar", "kitoblari", "kitobning", "kitobni", "kitobga", "kitobda", "kitobdan", "kitobgacha", "kitobdagi", "kitoblarimizdan", "китобларимиздаги", "kitobingizda"}},
		{"ahol", []string{"aholi", "aholisi", "aholining", "aholisini", "аҳолисининг", "AHOLIGA", "aholilarning"}},
		{"yurak", []string{"yurak", "yuragi", "yurakka", "yuragida", "yuraklar"}},
		{"qishlok", []string{"qishloq", "qishlogʻi", "qishloqqa", "қишлоғида", "qishloqlarda", "qishlogi"}},
		{"shahar", []string{"shahar", "shahri", "shahrida", "shaharlar", "шаҳрининг"}},
		{"oʻgʻil", []string{"oʻgʻil", "oʻgʻli", "oʻgʻlining", "ўғиллар"}},
		{"tuman", []string{"tuman", "tumani", "tumanlar", "tumanida", "tumanning", "тумани"}},
		{"insonlik", []string{"insonlik", "insonligi", "insonlikdan"}},
		{"inson", []string{"inson", "insoni", "insonni", "insonlar"}},
		{"daryo", []string{"daryo", "daryoni", "daryosi", "daryolar", "daryoning"}},
		{"asos", []string{"asos", "asosi", "asosida", "asoslari", "asosining"}},
		{"respublika", []string{"respublika", "respublikasi", "respublikasining", "respublikalar"}},
		{"ona", []string{"ona", "onam", "onamni", "onang", "onasi", "onalar"}},
		{"Oʻzbekiston", []string{"Oʻzbekiston"}},
	} {
		for _, form := range c.forms {
			if got := StemNoun(form); got != Fold(c.want) {
				t.Errorf("StemNoun(%q) = %q, want %q", form, got, c.want)
			}
		}
	}
}

func TestTheFormsOfAVerbShareAStem(t *testing.T) {
	for want, forms := range map[string][]string{
		"qil":   {"qildi", "qilgan", "qilib", "qilmoq", "qiladi", "qilmadi", "qilmaydi", "qilish", "qilishni", "qilganligi", "qilayotgan", "qilyapti", "qilsa", "qiladigan", "қилганлар", "qilmoqda"},
		"boshl": {"boshladi", "boshlaydi", "boshlagan", "boshlab", "boshlash", "boshlamoq", "boshlayotgan", "boshlamadi"},
		"oʻq":   {"oʻqidi", "oʻqiydi", "oʻqigan", "oʻqib", "oʻqish", "oʻqimadi"},
		"chiq":  {"chiqdi", "chiqqan", "chiqadi", "chiqib"},
		"de":    {"dedi", "deb", "degan", "deydi", "дейди"},
		"qoʻy":  {"qoʻydi", "qoʻyadi", "qoʻyib", "qoʻygan"},
	} {
		for _, form := range forms {
			if got := Stem(form); got != want {
				t.Errorf("Stem(%q) = %q, want %q", form, got, want)
			}
		}
	}
}

func TestTheFormsOfAPronounShareAStem(t *testing.T) {
	for want, forms := range map[string][]string{
		"men": {"meni", "mening", "menga", "менда"}, "u": {"uni", "uning", "unga", "undan"}, "bu": {"buni", "bunga", "bunday"},
		"oʻz": {"oʻzi", "oʻzining", "oʻzlari"},
	} {
		for _, form := range forms {
			if got := Stem(form); got != want {
				t.Errorf("Stem(%q) = %q, want %q", form, got, want)
			}
		}
	}
}

func TestWordsThatOnlyLookInflectedKeepTheirEnds(t *testing.T) {
	for _, w := range []string{"foyda", "dengiz", "trening", "dollar", "bilim", "tizim", "oʻlim", "odam", "maktab", "sabab", "guruh", "son", "ish", "bosh", "may"} {
		if got := Stem(w); got != Fold(w) {
			t.Errorf("Stem(%q) = %q", w, got)
		}
	}
	for _, w := range []string{"2024", "A4", "日本", "", "covid19"} {
		if got := Stem(w); got != Fold(w) {
			t.Errorf("Stem(%q) = %q", w, got)
		}
	}
}

func TestStemsOfDifferentWordsStayApart(t *testing.T) {
	for _, p := range [][2]string{{"son", "soni yoʻq"}, {"bola", "bolta"}, {"togʻ", "toʻgʻri"}, {"oʻt", "ot"}, {"tuz", "tuzilma"}, {"shahar", "shahzoda"}, {"aholi", "ahvol"}} {
		if a, b := Stem(p[0]), Stem(p[1]); a == b {
			t.Errorf("%q and %q share %q", p[0], p[1], a)
		}
	}
}

func TestTheFormsOfAKarakalpakVerbShareAStem(t *testing.T) {
	for want, forms := range map[string][]string{
		"bar":   {"bardı", "barǵan", "baradı", "barıp", "barıw", "barmaq", "барған", "бармады", "barǵanda", "barsa", "baratuǵın"},
		"kel":   {"keldi", "kelgen", "keledi", "kelip", "keliw", "келген", "kelmedi", "kelmeydi", "keletuǵın", "keliwi"},
		"oq":    {"oqıdı", "oqıǵan", "oqıydı", "oqıp", "oqıw", "оқыған", "oqıytuǵın"},
		"isl":   {"isledi", "islegen", "isleydi", "islep", "islew", "ислеген", "islemedi"},
		"jaz":   {"jazdı", "jazǵan", "jazadı", "jazıp", "jazıwı", "jazbadı", "жазған"},
		"aytil": {"aytıldı", "aytılǵan", "aytıladı", "aytılıp"},
	} {
		for _, form := range forms {
			if got := StemIn(portal.Karakalpak, form); got != want {
				t.Errorf("StemIn(kaa, %q) = %q, want %q", form, got, want)
			}
		}
	}
	for _, noun := range []string{"zaman", "kitap", "jumıs", "suw", "orman"} {
		if got := StemIn(portal.Karakalpak, noun); got != FoldIn(portal.Karakalpak, noun) {
			t.Errorf("StemIn(kaa, %q) = %q", noun, got)
		}
	}
}

func TestEndingsOfNounsAndVerbsAreToldApart(t *testing.T) {
	for want, forms := range map[string][]string{
		"hudud": {"hududi", "hududlari", "hududida", "ҳудуди"}, "maqsad": {"maqsadi", "maqsadlar"}, "zavod": {"zavodi", "zavodlar"},
		"janub": {"janub", "janubda", "жануб"}, "javob": {"javobi", "javoblar"}, "saroy": {"saroyi", "saroyida", "saroylar"},
		"respublika": {"respublikamiz", "respublikamizda", "respublikasi"}, "turmush": {"turmush", "turmushda"},
		"idish": {"idish", "idishlar", "idishda"}, "asalari": {"asalari", "asalarilar", "asalarisi"}, "hali": {"hali", "haligacha"}, "endi": {"endi"},
		"obroʻ": {"obroʻyi", "obroʻsi"}, "zehn": {"zehni", "zehnini"}, "burun": {"burni", "burnidan", "burunlar"}, "poyezd": {"poyezdi", "poyezdlar"},
		"qil": {"qila", "qilar", "qilay", "qiling", "qilamiz", "qilishdi", "qilolmadi", "qildimi"}, "ishl": {"ishlay", "ishlaymiz", "ishlardi"},
		"koʻcha": {"koʻcha", "koʻchada"}, "ota": {"ota", "otasi"}, "xabar": {"xabar", "xabari"}, "chiqar": {"chiqardi", "chiqargan"},
	} {
		for _, form := range forms {
			if got := Stem(form); got != Fold(want) {
				t.Errorf("Stem(%q) = %q, want %q", form, got, want)
			}
		}
	}
}

func TestTheFormsOfAKarakalpakNounShareAStem(t *testing.T) {
	for want, forms := range map[string][]string{
		"mektep": {"mektep", "mektebi", "mektepler", "mektepke", "мектеплердиң", "mekteplerinde", "mektepten"},
		"xalik":  {"xalıq", "xalqı", "халқының", "xalıqlar", "xalıqqa"},
		"qala":   {"qala", "qalası", "qalanıń", "qalalar", "қаласында"},
		"awil":   {"awıl", "awılı", "awıllar", "аўыллардағы"},
	} {
		for _, form := range forms {
			if got := StemIn(portal.Karakalpak, form); got != want {
				t.Errorf("StemIn(kaa, %q) = %q, want %q", form, got, want)
			}
		}
	}
}

func TestSortKeysKeepTheOrderOfTheAlphabet(t *testing.T) {
	for l, want := range map[portal.Lang][]string{
		portal.Uzbek:         {"2-maktab", "10-maktab", "anor", "bosh", "sabzi", "suv", "zar", "oʻrik", "O'zbekiston", "gʻalla", "shahar", "şaxmat", "choy"},
		portal.UzbekCyrillic: {"2-мактаб", "10-мактаб", "анор", "сув", "шаҳар", "яхши", "ўрик", "қишлоқ", "ғалла", "ҳосил"},
		portal.Karakalpak:    {"adam", "árman", "gúl", "ǵarrı", "xalıq", "ıssı", "ini", "kól", "qala", "nan", "sual", "ósim", "zaman", "shash", "chek"},
		portal.Russian:       {"2 года", "10 лет", "ель", "ёж", "жизнь"},
		portal.English:       {"9", "100", "area", "birth"},
	} {
		if l == portal.Karakalpak {
			want = []string{"adam", "árman", "gúl", "ǵarrı", "xalıq", "ıssı", "ini", "kól", "qala", "nan", "orın", "ósim", "sual", "zaman", "shash", "chek"}
		}
		got := slices.Clone(want)
		slices.Reverse(got)
		slices.SortFunc(got, func(a, b string) int {
			ka, kb := SortKey(l, a), SortKey(l, b)
			return map[bool]int{true: -1}[ka < kb] + map[bool]int{true: 1}[ka > kb]
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
	if SortKey(portal.Uzbek, "Oʻzbekiston") != SortKey(portal.Uzbek, "O'ZBEKISTON") || SortKey(portal.Uzbek, "007") != SortKey(portal.Uzbek, "7") {
		t.Error("spellings of one word stand apart")
	}
}

func TestMendPutsLookAlikesRightAndLeavesTheRest(t *testing.T) {
	for in, want := range map[string]string{
		"\u0041ндижон вилояти": "Андижон вилояти", "2026-\u041c01": "2026-M01", "Oʻzbekiston": "Oʻzbekiston", "O'zbekiston": "O'zbekiston",
		"Андижон": "Андижон", "Toshkent \u0421hirchiq": "Toshkent Chirchiq", "маъ'но": "маъ'но", "IT-парк": "IT-парк",
	} {
		if got := Mend(in); got != want {
			t.Errorf("Mend(%q) = %q, want %q", in, got, want)
		}
	}
}
