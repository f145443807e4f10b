package read

import (
	"slices"
	"strings"

	"koprik/portal/lang"
)

// The words by which columns are understood, in Uzbek, Karakalpak, Russian and
// English, compared by the loose key of portal/lang: script, case, apostrophes
// and look-alike letters don't count. A word with an asterisk stands for all
// that begin like it.
var (
	femaleCodes = newWords("f a ж жен w")
	maleCodes   = newWords("m e м муж")
	sexLabels   = newWords("jins* жинс* jınıs* пол sex gender")
	bothWords   = newWords("ikkala оба both sexes jins пола jınıs")
	totalWords  = newWords("jami жами hammasi barcha barchasi umumiy yigʻindi всего итого общий общая общее все total totals all overall sum барлығы barlıǵı hámmesi jámi yigʻma сводный composite cumulative")
	beside      = newWords("boʻyicha по области республике района городу region regions country mamlakat viloyat* respublika* tuman* shahar* aholi population население persons people ages age yosh* sexes sex jins* пола index indeks* индекс* sum summa qator rows of the va and и va hammasi ta shu jumladan в том числе including lets группы guruh*")

	ageLabels = newWords("age ages aged yosh* жас* возраст* jas jası")
	ageUnits  = newWords("yosh* лет год* года years year old over under older younger жас* jas jası старше младше и and above katta kichik undan va до моложе от dan gacha ham qarilar")

	regionLabels = newWords("viloyat* вилоят* hudud* ҳудуд* region* область* област* регион* aymaq* wálayat* tuman* туман* район* district* shahar* soato соато territory территор* oblast province")
	timeLabels   = newWords("yil* йил* жыл* jıl* год* year* davr* давр* period* период* sana* сана* date* дата* oy месяц* month* chorak* квартал* quarter* vaqt* время* time kun day")
	unitLabels   = newWords("unit units birlig* birligi birlik единица ед unit_measure ólshem oʻlchov")
	idLabels     = newWords("id ids code codes kod kodi kodı код коды nomer номер raqam raqami no stir inn инн pinfl okpo tartib uuid guid key index_no mfo")
	geoLon       = newWords("lon lng long longitude долгота uzunlik boylama")
	geoLat       = newWords("lat latitude широта kenglik")
	noteLabels   = newWords("note notes remark remarks comment comments izoh izohlar примечани* комментари* source manba источник* url link address manzil адрес phone telefon телефон email pochta description tavsif описани* status_note")

	rateWords = newWords("percent* foiz* процент* % share* ulush* доля доли rate rates ratio koeffitsient* коэффициент* coefficient* index* indeks* индекс* per boshiga oʻrtach* средн* average mean median narx* цена цены price* stavka* ставк* growth oʻsish* рост* прирост* surʼat* темп* density zichlig* плотность level daraja* уровень pupils_per persons_per")

	thousandWords = newWords("ming минг тыс тысяч* thousand* th")
	millionWords  = newWords("mln million* млн миллион*")
	billionWords  = newWords("mlrd milliard* млрд миллиард* billion* bln")
	trillionWords = newWords("trln trillion* трлн триллион*")
	unitWords     = newWords("kishi adam человек чел people person persons foiz* процент* percent* soʻm* sum сум* dollar* доллар* usd eur rubl* aqsh kg tonna* тонн* ton tons tonne* ga gektar* гектар* hectare* km км metr* метр* dona шт штук* piece pieces unit units birlik ta единиц* gradus bal ball балл* kvt kwh mwh soat час* hour hours kun дней days litr литр* m2 m3 kub kv кв sq case cases holat* случа* ta'lim")
)

// words is a list of words and beginnings of words, by their loose keys.
type words struct {
	whole  map[string]bool
	begins []string
}

func newWords(list string) words {
	w := words{whole: map[string]bool{}}
	for s := range strings.FieldsSeq(list) {
		base, beginning := strings.CutSuffix(s, "*")
		key := lang.FoldLoose(base)
		switch {
		case key == "":
		case beginning:
			w.begins = append(w.begins, key)
		default:
			w.whole[key] = true
		}
	}
	return w
}

// has tells whether a loose key is one of the words.
func (w words) has(key string) bool {
	return w.whole[key] || slices.ContainsFunc(w.begins, func(b string) bool { return strings.HasPrefix(key, b) })
}

// in tells whether one of the keys is.
func (w words) in(keys []string) bool { return slices.ContainsFunc(keys, w.has) }

// keysOf gives the loose keys of a text's words.
func keysOf(text string) []string {
	if len(text) > 400 {
		text = clip(strings.ToValidUTF8(text, " "), 400)
	}
	return strings.Fields(lang.FoldLoose(strings.ReplaceAll(text, "_", " ")))
}

// isTotalWord tells whether a value stands for the whole of others: Jami, Всего,
// Итого по области, Total, Ikkala jins. "Total fertility rate" does not: the
// words beside say no more than of what it is the whole.
func isTotalWord(value string) bool {
	if len(value) > 80 {
		return false
	}
	if value == "_T" { // SDMX
		return true
	}
	keys := keysOf(value)
	if len(keys) == 0 || len(keys) > 5 {
		return false
	}
	if len(keys) == 2 && bothWords.has(keys[0]) && bothWords.has(keys[1]) {
		return true
	}
	total := false
	for _, k := range keys {
		switch {
		case totalWords.has(k):
			total = true
		case !beside.has(k):
			return false
		}
	}
	return total
}
