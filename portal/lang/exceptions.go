package lang

import (
	"bytes"
	"slices"
	"strings"
)

// exception is a stem that the letter tables get wrong in one direction or in
// both. It is matched at the beginning of a word; what follows it goes by the
// tables.
type exception struct{ latin, cyrillic string }

// exceptions are loanwords of official texts: ц for s or ts, ь and ъ that Latin
// drops, э inside a word, months. Spelt by the orthographic rules of 1995.
var exceptions = []exception{
	{"yanvar", "январь"},
	{"fevral", "февраль"},
	{"aprel", "апрель"},
	{"iyun", "июнь"},
	{"iyul", "июль"},
	{"sentabr", "сентябрь"},
	{"oktabr", "октябрь"},
	{"noyabr", "ноябрь"},
	{"dekabr", "декабрь"},
	{"budjet", "бюджет"},
	{"bulleten", "бюллетень"},
	{"broshura", "брошюра"},
	{"parashut", "парашют"},
	{"obyekt", "объект"},
	{"subyekt", "субъект"},
	{"syezd", "съезд"},
	{"adyutant", "адъютант"},
	{"inyeksiya", "инъекция"},
	{"konyunktura", "конъюнктура"},
	{"sirk", "цирк"},
	{"sirkumfleks", "циркумфлекс"},
	{"sement", "цемент"},
	{"senzura", "цензура"},
	{"sentner", "центнер"},
	{"silindr", "цилиндр"},
	{"sitata", "цитата"},
	{"sivilizatsiya", "цивилизация"},
	{"sianid", "цианид"},
	{"sikl", "цикл"},
	{"sitrus", "цитрус"},
	{"konsert", "концерт"},
	{"konsepsiya", "концепция"},
	{"konsern", "концерн"},
	{"konsessiya", "концессия"},
	{"prinsip", "принцип"},
	{"prinsessa", "принцесса"},
	{"kansler", "канцлер"},
	{"vaksina", "вакцина"},
	{"aksioner", "акционер"},
	{"aksiz", "акциз"},
	{"aksent", "акцент"},
	{"punksiya", "пункция"},
	{"porsiya", "порция"},
	{"proporsiya", "пропорция"},
	{"proporsional", "пропорционал"},
	{"fransuz", "француз"},
	{"fransiya", "франция"},
	{"shveysariya", "швейцария"},
	{"kalsiy", "кальций"},
	{"inersiya", "инерция"},
	{"sink", "цинк"},
	{"litsey", "лицей"},
	{"litsenziya", "лицензия"},
	{"protsent", "процент"},
	{"protsess", "процесс"},
	{"dotsent", "доцент"},
	{"ofitser", "офицер"},
	{"retsept", "рецепт"},
	{"retsenziya", "рецензия"},
	{"meditsina", "медицина"},
	{"vitse", "вице"},
	{"matritsa", "матрица"},
	{"militsiya", "милиция"},
	{"politsiya", "полиция"},
	{"abzats", "абзац"},
	{"motosikl", "мотоцикл"},
	{"velosiped", "велосипед"},
	{"kvitansiya", "квитанция"},
	{"lotsman", "лоцман"},
	{"pensiya", "пенсия"},
	{"pension", "пенсион"},
	{"pansion", "пансион"},
	{"ekspansiya", "экспансия"},
	{"refleksiya", "рефлексия"},
	{"anneksiya", "аннексия"},
	{"transkripsiya", "транскрипция"},
	{"amunitsiya", "амуниция"},
	{"kompensatsiya", "компенсация"},
	{"poeziya", "поэзия"},
	{"poema", "поэма"},
	{"poet", "поэт"},
	{"aeroport", "аэропорт"},
	{"aerozol", "аэрозоль"},
	{"rol", "роль"},
	{"albom", "альбом"},
	{"alternativ", "альтернатив"},
	{"film", "фильм"},
	{"multfilm", "мультфильм"},
	{"parol", "пароль"},
	{"kontrol", "контроль"},
	{"asfalt", "асфальт"},
	{"palto", "пальто"},
	{"medal", "медаль"},
	{"kultura", "культура"},
	{"multimedia", "мультимедиа"},
	{"filtr", "фильтр"},
	{"skulptura", "скульптура"},
	{"avtomobil", "автомобиль"},
	{"model", "модель"},
	{"mebel", "мебель"},
	{"kalkulyator", "калькулятор"},
	{"dizel", "дизель"},
	{"bulvar", "бульвар"},
	{"fakultet", "факультет"},
	{"konsultatsiya", "консультация"},
	{"rezultat", "результат"},
	{"kompyuter", "компьютер"},
	{"intervyu", "интервью"},
	{"premyera", "премьера"},
	{"kuryer", "курьер"},
	{"baryer", "барьер"},
	{"pyesa", "пьеса"},
	{"karyera", "карьера"},
	{"bulyon", "бульон"},
	{"pavilyon", "павильон"},
	{"batalyon", "батальон"},
	{"milyard", "миллиард"},
	{"milliard", "миллиард"},
	{"million", "миллион"},
	{"gospital", "госпиталь"},
	{"feldsher", "фельдшер"},
}

// notPrefixes are short stems of exceptions that begin other words too; they
// hold only before one of these endings or at the end of the word.
var notPrefixes = map[string]bool{"rol": true, "model": true, "poet": true, "film": true, "sikl": true, "sirk": true, "sink": true, "iyun": true, "iyul": true}

// endings begin a suffix of Uzbek grammar.
var endings = []string{"ga", "gi", "da", "dan", "ni", "ning", "lar", "li", "lik", "cha", "chi", "dagi", "i", "im", "ing", "imiz", "siz"}

// byLatin and byCyrillic are the exceptions, the longest stem first.
var byLatin, byCyrillic = sortedExceptions()

func sortedExceptions() (byLatin, byCyrillic []exception) {
	byLatin, byCyrillic = slices.Clone(exceptions), slices.Clone(exceptions)
	slices.SortStableFunc(byLatin, func(a, b exception) int { return len(b.latin) - len(a.latin) })
	slices.SortStableFunc(byCyrillic, func(a, b exception) int { return len(b.cyrillic) - len(a.cyrillic) })
	return byLatin, byCyrillic
}

// latinException finds the exception that a lower-case Latin word begins with.
func latinException(word string) (exception, bool) {
	for _, e := range byLatin {
		rest, ok := strings.CutPrefix(word, e.latin)
		if ok && (!notPrefixes[e.latin] || rest == "" || slices.Contains(endings, rest)) {
			return e, true
		}
	}
	return exception{}, false
}

// cyrillicException finds the exception that a lower-case Cyrillic word begins
// with. A final ь is dropped before a suffix: "апрелда".
func cyrillicException(word string) (e exception, stem string, ok bool) {
	for _, e := range byCyrillic {
		if strings.HasPrefix(word, e.cyrillic) {
			return e, e.cyrillic, true
		}
		if short, soft := strings.CutSuffix(e.cyrillic, "ь"); soft && len(short) > len("роль") && strings.HasPrefix(word, short) {
			return e, short, true
		}
	}
	return exception{}, "", false
}

// variants are beginnings of folded words that are spelt in more than one way
// in official texts, with the spelling that stands for all: the Latin that
// transcribes Cyrillic letter by letter against the one of the dictionary.
var variants = []struct{ from, to string }{
	{"byudjet", "budjet"},
	{"byulleten", "bulleten"},
	{"broshyura", "broshura"},
	{"parashyut", "parashut"},
	{"jyuri", "juri"},
	{"sentyabr", "sentabr"},
	{"oktyabr", "oktabr"},
	{"syujet", "sujet"},
	{"kostyum", "kostum"},
	{"milyard", "milliard"},
	{"tsivil", "sivil"},
	{"tsement", "sement"},
	{"tsirk", "sirk"},
	{"tsikl", "sikl"},
	{"tsentner", "sentner"},
}

// canonical gives the one spelling of a folded word.
func canonical(word []byte) []byte {
	if len(word) < 5 {
		return word
	}
	switch word[0] {
	case 'b', 'p', 'j', 's', 'o', 'k', 'm', 't':
	default:
		return word
	}
	for _, v := range variants {
		if bytes.HasPrefix(word, []byte(v.from)) {
			return append([]byte(v.to), word[len(v.from):]...)
		}
	}
	return word
}
