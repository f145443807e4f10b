package region

import (
	"slices"
	"strings"
	"sync"

	"koprik/portal"
	"koprik/portal/lang"
)

// kindOf is what a word beside a name says of the place.
type kindOf uint8

const (
	anyKind kindOf = iota
	countryKind
	regionKind
	districtKind
	cityKind
	republicKind
	fillerKind // of, the
)

// kindWords are loose keys of the words beside a name, in five languages and in
// the short forms of tables.
var kindWords = keyed(map[kindOf][]string{
	regionKind:   {"viloyati", "viloyat", "vil", "вилояти", "область", "обл", "области", "wálayatı", "wálayat", "уәлаяты", "region", "province", "oblast", "oblasti", "viloyatida"},
	districtKind: {"tumani", "tuman", "t", "тумани", "район", "района", "рн", "rayonı", "rayon", "районы", "district", "raion"},
	cityKind:     {"shahri", "shahar", "sh", "шаҳри", "шаҳар", "город", "города", "г", "qalası", "qala", "қаласы", "city", "town"},
	republicKind: {"respublikasi", "respublika", "респ", "республикаси", "республика", "respublikası", "republic", "rep", "республике", "республики"},
	fillerKind:   {"of", "the", "boʻyicha", "по", "жами", "jami", "итого", "всего", "total", "барча"},
})

func keyed(words map[kindOf][]string) map[string]kindOf {
	m := map[string]kindOf{}
	for k, list := range words {
		for _, w := range list {
			m[lang.FoldLoose(w)] = k
		}
	}
	return m
}

// more are names that tables use beside those of the lists, without a kind.
var more = map[string][]string{
	"1700": {"Uzbekistan", "Узбекистан", "Oʻzbekiston", "Ózbekstan", "Ўзбекистон", "OʻzR", "РУз", "Mamlakat", "Страна", "Country"},
	"1703": {"Андижан", "Andijan", "Andizhan", "Ándijan"},
	"1706": {"Бухара", "Bukhara", "Bokhara", "Buxara"},
	"1708": {"Джизак", "Jizzakh", "Djizak", "Dzhizak", "Jizak", "Jizzah"},
	"1710": {"Кашкадарья", "Kashkadarya", "Qashqadarya", "Qashqadárya", "Kashkadar'ya"},
	"1712": {"Навои", "Навоий", "Navoi", "Navoiy", "Nawayı"},
	"1714": {"Наманган", "Namangan"},
	"1718": {"Самарканд", "Samarkand", "Samarqand"},
	"1722": {"Сурхандарья", "Surkhandarya", "Surxandárya", "Surkhandar'ya"},
	"1724": {"Сырдарья", "Syrdarya", "Sırdárya", "Sirdarya", "Syrdar'ya"},
	"1726": {"Ташкент", "Tashkent", "Toshkent"},
	"1727": {"Ташкентская", "Тошкент вилоят"},
	"1730": {"Фергана", "Fergana", "Ferghana", "Ferǵana"},
	"1733": {"Хорезм", "Khorezm", "Khorazm", "Horezm", "Xorezm"},
	"1735": {"Каракалпакстан", "Karakalpakstan", "Qaraqalpaqstan", "Каракалпакия", "Karakalpakia", "Qoraqalpogʻiston"},
}

type places struct {
	bySOATO, byISO map[string]int
	byName         map[string][]int // by the loose key of the name without its kind
}

// index is made at the first question.
var index = sync.OnceValue(func() places {
	ix := places{map[string]int{}, map[string]int{}, map[string][]int{}}
	add := func(name string, i int) {
		key, _ := bare(name)
		if key != "" && !slices.Contains(ix.byName[key], i) {
			ix.byName[key] = append(ix.byName[key], i)
		}
	}
	for i, p := range All() {
		ix.bySOATO[p.SOATO] = i
		if p.ISO != "" {
			ix.byISO[p.ISO] = i
		}
		for _, l := range portal.Langs {
			if name := p.Name.Translated[l]; name != "" {
				add(name, i)
			}
		}
		for _, name := range more[p.SOATO] {
			add(name, i)
		}
	}
	return ix
})

// bare gives the loose key of a name without the words that say its kind, and
// the kind.
func bare(name string) (key string, kind kindOf) {
	var words []string
	for w := range strings.FieldsSeq(lang.FoldLoose(name)) {
		k, ok := kindWords[strings.Trim(w, "'-")]
		switch {
		case !ok:
			words = append(words, w)
		case k != fillerKind:
			kind = k
		}
	}
	return strings.Join(words, " "), kind
}

// maxName is longer than any name here.
const maxName = 100

// ByName finds the place that a text names, whole: "Andijon viloyati",
// "Андижанская обл.", "г. Ташкент", "Samarqand t.". A name alone is the region,
// where there is one, then the city, then the district; Toshkent alone is the
// city. A name that several districts share is not found without its kind.
func ByName(text string) (Place, bool) {
	if len(text) > maxName {
		return Place{}, false
	}
	key, kind := bare(text)
	if key == "" {
		if kind == republicKind {
			return All()[0], true // "Respublika", "По республике"
		}
		return Place{}, false
	}
	var found []int
	for _, i := range index().byName[key] {
		if p := All()[i]; kind.fits(p) {
			found = append(found, i)
		}
	}
	if len(found) > 1 {
		found = highest(found)
	}
	if len(found) != 1 {
		return Place{}, false
	}
	return All()[found[0]], true
}

func (k kindOf) fits(p Place) bool {
	switch k {
	case regionKind:
		return p.Level == Region && !p.City
	case districtKind:
		return p.Level == District && !p.City
	case cityKind:
		return p.City
	case republicKind:
		return p.Level == Country || p.ISO == "UZ-QR"
	}
	return true
}

// highest keeps the places of the highest level, cities before districts; the
// capital before the region that is called so.
func highest(found []int) []int {
	rank := func(i int) int {
		p := All()[i]
		switch {
		case p.SOATO == "1726":
			return 0
		case p.Level == District && !p.City:
			return 5
		}
		return int(p.Level)
	}
	best := rank(found[0])
	for _, i := range found[1:] {
		best = min(best, rank(i))
	}
	return slices.DeleteFunc(found, func(i int) bool { return rank(i) != best })
}

// Find reads a value of a column: a code of SOATO or ISO 3166-2, or a name.
func Find(text string) (Place, bool) {
	text = strings.TrimSpace(text)
	if p, ok := BySOATO(text); ok {
		return p, true
	}
	if p, ok := ByISO(text); ok {
		return p, true
	}
	return ByName(text)
}
