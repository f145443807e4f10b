package lang

import (
	"slices"
	"testing"

	"koprik/portal"
)

func TestTokensAreTheWordsAsSpelt(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"Oʻzbekiston aholisi  soni", []string{"Oʻzbekiston", "aholisi", "soni"}},
		{"o'g'il bola", []string{"o'g'il", "bola"}},
		{"tog', bog‘.", []string{"tog'", "bog‘"}},
		{"'tog' va ‘bog’", []string{"tog", "va", "bog"}},
		{"ma’lumot", []string{"ma’lumot"}},
		{"2026-М01", []string{"2026", "М01"}},
		{"1.01.01.0026", []string{"1", "01", "01", "0026"}},
		{"name_uz", []string{"name", "uz"}},
		{"90' 2'a", []string{"90", "2", "a"}},
		{"ота-она", []string{"ота", "она"}},
		{"so\u00adni", []string{"so\u00adni"}},
		{"' ’ -", nil},
		{"", nil},
	} {
		if got := Tokens(c.in); !slices.Equal(got, c.want) {
			t.Errorf("Tokens(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestFoldMakesEverySpellingOne(t *testing.T) {
	for _, c := range []struct {
		want   string
		spelt  []string
		differ []string
	}{
		{"oʻzbekiston", []string{
			"O'zbekiston", "O`zbekiston", "Oʻzbekiston", "Oʼzbekiston", "O‘zbekiston", "O’zbekiston", "O´zbekiston",
			"ЎЗБЕКИСТОН", "Ўзбекистон", "Ōzbekiston", "Özbekiston", "o'ZBEKISTON", "O\u0304zbekiston", "У\u0306збекистон",
		}, []string{"Ozbekiston", "Узбекистон"}},
		{"gʻalla", []string{"g'alla", "Ғалла", "ğalla", "g\u0306alla", "ǵalla"}, []string{"galla"}},
		{"shahar choy", []string{"Шаҳар  чой", "şahar çoy", "SHAHAR CHOY"}, nil},
		{"malumot", []string{"maʼlumot", "ma'lumot", "маълумот", "malumot"}, nil},
		{"moʻjiza", []string{"мўъжиза", "mo‘jiza"}, nil},
		{"ishoq", []string{"Исҳоқ", "Isʼhoq"}, nil},
		{"yer elon poema deyarli", []string{"ер эълон поэма деярли", "yer eʼlon poema deyarli"}, nil},
		{"obyekt premyera bulyon", []string{"объект премьера бульон", "obyekt premyera bulyon", "ob'yekt premyera bulyon"}, nil},
		{"konstitutsiya aksiya sirk", []string{"Конституция акция цирк", "konstitutsiya aksiya sirk", "konstitutsiya aksiya tsirk"}, nil},
		{"yoʻl yozuv yulduz", []string{"йўл ёзув юлдуз", "yo'l yozuv yulduz"}, nil},
		{"budjet sentabr oktabrda", []string{"бюджет сентябрь октябрда", "byudjet sentyabr oktyabrda", "Budjet SENTABR oktabrda"}, nil},
		{"andijon", []string{"Андижон", "\u0041ндижон", "Andijon", "\u0410ndijon"}, nil}, // one with a Latin A, one with a Cyrillic one
		{"2026 m01", []string{"2026-М01", "2026-M01"}, nil},
		{"c01", []string{"С01", "C01"}, nil},
		{"qaraqalpaqstan xalqi", []string{"Қарақалпақстан халқы", "Qaraqalpaqstan xalqı"}, nil},
		{"agartiw konil oner ulgi", []string{"агартыў көңил өнер үлги", "agartıw kóńil óner úlgi"}[1:], nil},
		{"soni", []string{"so\u00adni", "so\u200bni", "с\u043e\u0301ни"}, nil},
	} {
		for _, s := range c.spelt {
			if got := Fold(s); got != c.want {
				t.Errorf("Fold(%q) = %q, want %q", s, got, c.want)
			}
		}
		for _, s := range c.differ {
			if got := Fold(s); got == c.want {
				t.Errorf("Fold(%q) = %q too", s, got)
			}
		}
	}
}

func TestFoldLooseForgivesThePhoneTypist(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"Oʻzbekiston", "ozbekiston"},
		{"Togʻli Qorabogʻ", "togli qorabog"},
		{"Ўзбекистон аҳолиси", "ozbekiston axolisi"},
		{"аҳоли", "ахоли"},
		{"litsenziya", "lisenziya"},
		{"qayerda", "qaerda"},
		{"yer", "er"},
	} {
		if a, b := FoldLoose(c.a), FoldLoose(c.b); a != b {
			t.Errorf("FoldLoose: %q gives %q, %q gives %q", c.a, a, c.b, b)
		}
	}
	if FoldLoose("hisob") != "hisob" || FoldLoose("otsham") != "otsham" {
		t.Error("FoldLoose changed h, or the t before sh")
	}
}

func TestFoldInReadsKarakalpak(t *testing.T) {
	if got := FoldIn(portal.Karakalpak, "Агартыў"); got != "agartiw" {
		t.Errorf("got %q", got)
	}
	if got := FoldLooseIn(portal.Karakalpak, "Аўыл"); got != FoldLoose("awıl") {
		t.Errorf("got %q", got)
	}
}

func TestEveryFoldedLetterHasALatinOne(t *testing.T) {
	for r := range foldedCyrillic {
		if _, ok := latinOf[r]; !ok && r != 'ъ' {
			t.Errorf("%c is folded and not transliterated", r)
		}
	}
}

func TestExceptionsFoldAlikeInBothScripts(t *testing.T) {
	for _, e := range exceptions {
		if l, c := FoldLoose(e.latin), FoldLoose(e.cyrillic); l != c {
			t.Errorf("%s and %s fold to %q and %q", e.latin, e.cyrillic, l, c)
		}
	}
}

func TestTransliterationKeepsTheOfficialTables(t *testing.T) {
	for _, c := range []struct{ latin, cyrillic string }{
		{"Oʻzbekiston Respublikasi", "Ўзбекистон Республикаси"},
		{"gʻalla", "ғалла"},
		{"Shahar SHAHAR shahar", "Шаҳар ШАҲАР шаҳар"},
		{"Choy CHOY", "Чой ЧОЙ"},
		{"yer Yer YER", "ер Ер ЕР"},
		{"eʼlon Ekin EKIN", "эълон Экин ЭКИН"},
		{"poeziya deyarli", "поэзия деярли"},
		{"Yozuv yulduz Yaxshi", "Ёзув юлдуз Яхши"},
		{"YOZUV YULDUZ", "ЁЗУВ ЮЛДУЗ"},
		{"yoʻl", "йўл"},
		{"maʼlumot SANʼAT", "маълумот САНЪАТ"},
		{"Isʼhoq", "Исҳоқ"},
		{"maʼyus", "маъюс"},
		{"obyekt Obyektiv", "объект Объектив"},
		{"konstitutsiya", "конституция"},
		{"aksiya funksiya pensiya", "акция функция пенсия"},
		{"sentabr sentabrda", "сентябрь сентябрда"},
		{"budjetdan Budjet BUDJET", "бюджетдан Бюджет БЮДЖЕТ"},
		{"kompyuter rol", "компьютер роль"},
		{"sirk sement prinsip", "цирк цемент принцип"},
		{"ming tenglik", "минг тенглик"},
		{"Mirziyoyev", "Мирзиёев"},
		{"Sh.Ch.", "Ш.Ч."},
		{"2024-yil", "2024-йил"},
	} {
		if got := ToCyrillic(c.latin); got != c.cyrillic {
			t.Errorf("ToCyrillic(%q) = %q, want %q", c.latin, got, c.cyrillic)
		}
		if got := ToLatin(c.cyrillic); got != c.latin {
			t.Errorf("ToLatin(%q) = %q, want %q", c.cyrillic, got, c.latin)
		}
	}
}

func TestToLatinMendsApostrophesAndLookAlikes(t *testing.T) {
	for in, want := range map[string]string{
		"O'zbekiston ma'lumot":  "Oʻzbekiston maʼlumot",
		"şahar ōzbek":           "shahar oʻzbek",
		"\u0041ндижон":          "Andijon",
		"мўъжиза":               "moʻjiza",
		"Щетка, объём":          "Shetka, obyom",
		"a@b.uz https://ўзб.уз": "a@b.uz https://ўзб.уз",
		"日本 Toshkent":           "日本 Toshkent",
	} {
		if got := ToLatin(in); got != want {
			t.Errorf("ToLatin(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestToCyrillicLeavesWhatIsNotUzbek(t *testing.T) {
	for in, want := range map[string]string{
		"COVID-19":                    "COVID-19",
		"XX asr, IV chorak":           "XX аср, IV чорак",
		"www.stat.uz info@stat.uz a":  "www.stat.uz info@stat.uz а",
		"Windows A4 Ўзбекистон":       "Windows A4 Ўзбекистон",
		"O'ZBEKISTON, to`g`ri, so’m!": "ЎЗБЕКИСТОН, тўғри, сўм!",
	} {
		if got := ToCyrillic(in); got != want {
			t.Errorf("ToCyrillic(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSlugIsReadableAndOneForBothScripts(t *testing.T) {
	for in, want := range map[string]string{
		"Oʻzbekiston aholisi soni": "ozbekiston-aholisi-soni",
		"Ўзбекистон аҳолиси сони":  "ozbekiston-aholisi-soni",
		"O'ZBEKISTON AHOLISI SONI": "ozbekiston-aholisi-soni",
		"Население Узбекистана":    "naseleniye-uzbekistana",
		"Qaraqalpaqstan xalqı":     "qaraqalpaqstan-xalqi",
		"Water supply, 2015 (%)":   "water-supply-2015",
		"Ёш, Шаҳар, Чой":           "yosh-shahar-choy",
		"con":                      "con-1",
		"日本":                       "",
		"Ь!":                       "",
		"Yalpi ichki mahsulot hajmi (ishlab chiqarish usulida, joriy narxlarda, yillik)": "yalpi-ichki-mahsulot-hajmi-ishlab-chiqarish-usulida-joriy",
	} {
		if got := Slug(in); got != want {
			t.Errorf("Slug(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	for _, s := range []string{"Oʻzbekiston Respublikasi aholisining soni", "Ўзбекистон Республикаси аҳолисининг сони"} {
		b.Run(s[:2], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Fold(s)
			}
		})
	}
}
