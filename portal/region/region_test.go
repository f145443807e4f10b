package region_test

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/region"
)

func TestThereAreFourteenRegionsAndEveryPlaceLiesInOne(t *testing.T) {
	count := map[region.Level]int{}
	for _, p := range region.All() {
		count[p.Level]++
		if !region.IsSOATO(p.SOATO) {
			t.Errorf("%s is no code of SOATO", p.SOATO)
		}
		if parent, ok := region.BySOATO(p.Parent); p.Level != region.Country && (!ok || parent.Level >= p.Level) {
			t.Errorf("%s lies in %q", p.SOATO, p.Parent)
		}
	}
	if count[region.Country] != 1 || count[region.Region] != 14 || count[region.District] != 206 {
		t.Error(count)
	}
}

func TestOnlyTheFourteenAreRegions(t *testing.T) {
	n := 0
	for _, p := range region.All() {
		if region.IsRegion(p.ISO) {
			n++
		}
	}
	if n != 14 {
		t.Errorf("%d regions", n)
	}
	for _, code := range []string{"", "UZ", "uz-xo", "UZ-QQ", "1733", "Xorazm"} {
		if region.IsRegion(code) {
			t.Errorf("%q is a region", code)
		}
	}
}

func TestEveryNameFindsItsPlace(t *testing.T) {
	for _, p := range region.All() {
		for _, l := range portal.Langs {
			name := p.Name.Translated[l]
			if name == "" {
				continue
			}
			for _, spelt := range []string{name, strings.ToUpper(name), strings.ReplaceAll(name, "ʻ", "'"), strings.ReplaceAll(name, "ʻ", "‘"), "  " + name + " "} {
				got, ok := region.ByName(spelt)
				if !ok && p.Level == region.District {
					continue // two districts have one name
				}
				if got.SOATO != p.SOATO {
					t.Errorf("%q is %s, found %q", spelt, p.SOATO, got.SOATO)
				}
			}
		}
	}
}

func TestPlacesAreFoundAsTablesWriteThem(t *testing.T) {
	for text, code := range map[string]string{
		"Andijon": "1703", "Aндижон": "1703", "Андижанская обл.": "1703", "Fergana": "1730", "Fargona": "1730", "Фарғона": "1730",
		"Toshkent": "1726", "г. Ташкент": "1726", "Toshkent sh.": "1726", "Ташкентская область": "1727", "Toshkent vil.": "1727", "Tashkent region": "1727",
		"Samarqand shahri": "1718401", "Samarqand tumani": "1718", "Самаркандский район": "1718", "Respublika": "1700", "Республика Узбекистан": "1700",
		"По республике": "1700", "UZ-QR": "1735", "uz-tk": "1726", "1703202": "1703202", "Oʻzbekiston Respublikasi": "1700", "Бухара": "1706",
		"Qaraqalpaqstan Respublikası": "1735", "ҚОРАҚАЛПОҒИСТОН РЕСПУБЛИКАСИ": "1735", "Republic of Karakalpakstan": "1735", "Jami Andijon viloyati boʻyicha": "1703",
	} {
		p, ok := region.Find(text)
		if !ok || !strings.HasPrefix(p.SOATO, code) {
			t.Errorf("%q: %q %v, want %s", text, p.SOATO, ok, code)
		}
	}
	for _, text := range []string{"", "Jami", "Moscow", "1799", "UZ-ZZ", "Women", "2025", strings.Repeat("a", 5000), "Andijon va Buxoro"} {
		if p, ok := region.Find(text); ok {
			t.Errorf("%q is taken for %s", text, p.SOATO)
		}
	}
}

// The list that others keep: their names of the same codes are found.
func TestThePublicListOfDistrictsIsFound(t *testing.T) {
	f, err := os.Open(sharedtest.Path(t, "data/uz-geo/mimaxuz/CSV/districts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	good, all := 0, 0
	for _, row := range rows[1:] {
		want, ok := region.BySOATO(row[2])
		if !ok {
			continue // a district that the figures don't have
		}
		for _, name := range row[3:6] {
			all++
			if p, ok := region.ByName(name); ok && p.SOATO == want.SOATO {
				good++
			}
		}
	}
	t.Logf("%d of %d names find their district", good, all)
	if good*100 < all*90 {
		t.Error("fewer than 90 %")
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"Andijon viloyati", "г. Ташкент", "1703202", "UZ-AN", "\xff", "of the"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok := region.Find(s); ok && (p.SOATO == "" || p.Level == 0) {
			t.Fatal(s)
		}
	})
}
