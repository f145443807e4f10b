// Package region knows the country, its fourteen first-level divisions and
// their districts and cities: codes of SOATO and ISO 3166-2, and names in five
// languages. It recognises them as tables write them, and is for columns of
// regions, maps and questions that name a place.
//
// Sources: codes and names of regions from ISO 3166-2:UZ and from the tables of
// the National Statistics Committee (SIAT); districts and cities (districts.csv)
// from SIAT, indicator 2.01.02.0001, file of 22 April 2026. Karakalpak names of
// regions as Karakalpak official texts write them; there are none of districts
// here. In a code of SOATO a district's number is 2xx and a city's 4xx.
//
// Everything here is a pure function of its arguments and of these tables.
package region

import (
	_ "embed" // districts.csv
	"strings"
	"sync"

	"koprik/portal"
)

// Level is how high a place stands.
type Level uint8

// The levels.
const (
	Country  Level = iota + 1
	Region         // one of the fourteen: regions, the republic, the capital
	District       // a district, or a city of a region's rank
)

// Place is the country, a region, a district or a city.
type Place struct {
	SOATO  string // "1700", "1703", "1703202"
	ISO    string // "UZ", "UZ-AN"; "" for districts
	Level  Level
	Parent string // SOATO of what it lies in; "" for the country
	City   bool
	Name   portal.Text // with its kind: "Andijon viloyati"; Plain is the Uzbek one
}

// regions are the country and the fourteen: SOATO, ISO 3166-2, and names in
// the order of portal.Langs.
var regions = [][7]string{
	{"1700", "UZ", "Oʻzbekiston Respublikasi", "Ўзбекистон Республикаси", "Ózbekstan Respublikası", "Республика Узбекистан", "Uzbekistan"},
	{"1703", "UZ-AN", "Andijon viloyati", "Андижон вилояти", "Ándijan wálayatı", "Андижанская область", "Andijan region"},
	{"1706", "UZ-BU", "Buxoro viloyati", "Бухоро вилояти", "Buxara wálayatı", "Бухарская область", "Bukhara region"},
	{"1708", "UZ-JI", "Jizzax viloyati", "Жиззах вилояти", "Jizzax wálayatı", "Джизакская область", "Jizzakh region"},
	{"1710", "UZ-QA", "Qashqadaryo viloyati", "Қашқадарё вилояти", "Qashqadárya wálayatı", "Кашкадарьинская область", "Kashkadarya region"},
	{"1712", "UZ-NW", "Navoiy viloyati", "Навоий вилояти", "Nawayı wálayatı", "Навоийская область", "Navoi region"},
	{"1714", "UZ-NG", "Namangan viloyati", "Наманган вилояти", "Namangan wálayatı", "Наманганская область", "Namangan region"},
	{"1718", "UZ-SA", "Samarqand viloyati", "Самарқанд вилояти", "Samarqand wálayatı", "Самаркандская область", "Samarkand region"},
	{"1722", "UZ-SU", "Surxondaryo viloyati", "Сурхондарё вилояти", "Surxandárya wálayatı", "Сурхандарьинская область", "Surkhandarya region"},
	{"1724", "UZ-SI", "Sirdaryo viloyati", "Сирдарё вилояти", "Sırdárya wálayatı", "Сырдарьинская область", "Syrdarya region"},
	{"1726", "UZ-TK", "Toshkent shahri", "Тошкент шаҳри", "Tashkent qalası", "Город Ташкент", "Tashkent city"},
	{"1727", "UZ-TO", "Toshkent viloyati", "Тошкент вилояти", "Tashkent wálayatı", "Ташкентская область", "Tashkent region"},
	{"1730", "UZ-FA", "Fargʻona viloyati", "Фарғона вилояти", "Ferǵana wálayatı", "Ферганская область", "Fergana region"},
	{"1733", "UZ-XO", "Xorazm viloyati", "Хоразм вилояти", "Xorezm wálayatı", "Хорезмская область", "Khorezm region"},
	{"1735", "UZ-QR", "Qoraqalpogʻiston Respublikasi", "Қорақалпоғистон Республикаси", "Qaraqalpaqstan Respublikası", "Республика Каракалпакстан", "Republic of Karakalpakstan"},
}

// districts has a line for each: SOATO and the bare names in Uzbek of both
// scripts and Russian.
//
//go:embed districts.csv
var districts string

// All gives every place: the country, the regions by SOATO, then districts and
// cities by SOATO.
var All = sync.OnceValue(func() []Place {
	var all []Place
	for _, r := range regions {
		p := Place{SOATO: r[0], ISO: r[1], Level: Region, Parent: "1700", City: r[0] == "1726"}
		if p.ISO == "UZ" {
			p.Level, p.Parent = Country, ""
		}
		p.Name = portal.Text{Plain: r[2], Translated: map[portal.Lang]string{}}
		for i, l := range portal.Langs {
			p.Name.Translated[l] = r[2+i]
		}
		all = append(all, p)
	}
	for i, line := range strings.Split(strings.TrimSpace(districts), "\n") {
		c := strings.Split(line, ",")
		if i == 0 || len(c) != 4 {
			continue
		}
		p := Place{SOATO: c[0], Level: District, Parent: c[0][:4], City: c[0][4] == '4'}
		uz, cyrl, ru := c[1]+" tumani", c[2]+" тумани", c[3]+" район"
		if p.City {
			uz, cyrl, ru = c[1]+" shahri", c[2]+" шаҳри", "город "+c[3]
		}
		p.Name = portal.Text{Plain: uz, Translated: map[portal.Lang]string{portal.Uzbek: uz, portal.UzbekCyrillic: cyrl, portal.Russian: ru}}
		all = append(all, p)
	}
	return all
})

// BySOATO finds a place by its code; the country is 1700, and 17.
func BySOATO(code string) (Place, bool) {
	if code == "17" {
		code = "1700"
	}
	i, ok := index().bySOATO[code]
	if !ok {
		return Place{}, false
	}
	return All()[i], true
}

// ByISO finds the country or a region by its code of ISO 3166-2, in letters of
// either case.
func ByISO(code string) (Place, bool) {
	i, ok := index().byISO[strings.ToUpper(code)]
	if !ok {
		return Place{}, false
	}
	return All()[i], true
}

// IsRegion tells whether code is that of one of the fourteen by ISO 3166-2, as the
// standard spells it.
func IsRegion(code string) bool {
	p, ok := ByISO(code)
	return ok && p.Level == Region && p.ISO == code
}

// IsSOATO tells whether a code is one of SOATO by its form: 17, four digits for
// a region, seven for a district or city, ten for a settlement, of a region that
// is there.
func IsSOATO(code string) bool {
	for i := 0; i < len(code); i++ {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	switch len(code) {
	case 2, 4:
		_, ok := BySOATO(code)
		return ok
	case 7, 10:
		_, ok := BySOATO(code[:4])
		return ok && (code[4] == '2' || code[4] == '4')
	}
	return false
}
