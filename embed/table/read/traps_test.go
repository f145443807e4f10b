package read

import (
	"slices"
	"strings"
	"testing"

	"koprik/portal"

	"github.com/xuri/excelize/v2"
)

func roleOf(t *testing.T, info portal.TableInfo, name string) portal.Meaning {
	t.Helper()
	for _, f := range info.Columns {
		if f.Name == name {
			return f.Meaning
		}
	}
	t.Fatalf("no column %q in %s", name, columns(info))
	return portal.Meaning{}
}

// Known traps of official files, each as it was found in one.

func TestLookAlikeLettersInHeadersDoNotHideAColumn(t *testing.T) {
	// Latin o, p and c in Russian words, a Cyrillic а in an Uzbek one.
	info := mustCheck(t, "a.csv", "Oблаcть,жeнщины,мyжчины,yil\nAндижанская область,1,2,2024\nБухарскaя область,3,4,2024\n")
	if m := roleOf(t, info, "Oблаcть"); m.Role != portal.RoleRegion {
		t.Error(m)
	}
	if f, m := roleOf(t, info, "жeнщины"), roleOf(t, info, "мyжчины"); f.Sex != portal.SexFemale || m.Sex != portal.SexMale || f.Of != m.Of || f.Of == "" {
		t.Error(f, m)
	}
}

func TestZerosBeforeADistrictExistedAreNoted(t *testing.T) {
	info := mustCheck(t, "a.csv", "tuman,2010,2015,2020,2025\nNukus shahri,271.5,300.7,319.6,344.7\nBoʻzatov tumani,0.0,0.0,21.5,21.9\nTaxiatosh tumani,0.0,0.0,73.8,77.4\n")
	if !slices.ContainsFunc(info.Notes, func(n string) bool {
		return strings.Contains(n, "2 rows have 0 in the first periods") && strings.Contains(n, "row 3")
	}) {
		t.Errorf("%q", info.Notes)
	}
	info = mustCheck(t, "a.csv", "tuman,2010,2015,2020,2025\nNukus shahri,0,1,0,2\nChimboy tumani,5,6,7,8\n")
	if len(info.Notes) != 0 {
		t.Errorf("small counts: %q", info.Notes)
	}
}

func TestTotalsPublishedAboveTheirPartsAreTotals(t *testing.T) {
	info := mustCheck(t, "a.csv", "hudud,soni\nOʻzbekiston Respublikasi,30\nAndijon viloyati,10\nBuxoro viloyati,20\n")
	if m := roleOf(t, info, "hudud"); !m.IsTotal("Oʻzbekiston Respublikasi") || m.IsTotal("Andijon viloyati") || info.Totals != 1 {
		t.Error(m, info.Totals)
	}
	info = mustCheck(t, "a.csv", "hudud,soni\nAndijon viloyati,10\nAndijon tumani,4\nAsaka tumani,6\nBuxoro viloyati,3\nGʻijduvon tumani,3\n")
	if m := roleOf(t, info, "hudud"); !m.IsTotal("Andijon viloyati") || !m.IsTotal("Buxoro viloyati") || m.IsTotal("Asaka tumani") {
		t.Error(m)
	}
	info = mustCheck(t, "a.csv", "tovar,narx\nЖами,30\nGuruch,10\nUn,20\nИтого по области,60\n")
	if m := roleOf(t, info, "tovar"); !slices.Equal(m.Totals, []string{"Жами", "Итого по области"}) || info.Totals != 2 {
		t.Error(m, info.Totals)
	}
	info = mustCheck(t, "a.csv", "koʻrsatkich,soni\nTotal fertility rate,3\nUmumiy ovqatlanish xizmatlari hajmi,10\n")
	if m := roleOf(t, info, "koʻrsatkich"); len(m.Totals) != 0 {
		t.Error(m)
	}
}

func TestTheCyrillicMOfPeriodsIsAMonth(t *testing.T) {
	info := mustCheck(t, "a.csv", "davr,qiymat\n2026-М01,100.7\n2026-М02,100.6\n2026-M03,99\n")
	if m := roleOf(t, info, "davr"); m.Role != portal.RoleTime || m.Kind != portal.KindMonth {
		t.Error(m)
	}
	info = mustCheck(t, "a.csv", "tovar,2026-М01,2026-М02,2026-M03\nGuruch,100.7,100.6,100.1\nUn,99.5,101.5,100.2\n")
	if m := roleOf(t, info, "2026-М02"); m.Role != portal.RoleMeasure || m.Period != "2026-02" || m.Of == "" {
		t.Error(m)
	}
}

func TestDecimalCommasAndThinSpacesAreNumbers(t *testing.T) {
	info := mustCheck(t, "a.csv", "hudud;aholi, ming kishi;ulush, %\nAndijon;3\u2009461,5;9,2\nBuxoro;2\u00a0107,0;5,6\nJizzax;1\u202f500,25;4,1\n")
	if got := columns(info); !strings.Contains(got, "aholi, ming kishi:number") || !strings.Contains(got, "ulush, %:number") {
		t.Error(got)
	}
	if m := roleOf(t, info, "aholi, ming kishi"); m.Unit != "ming kishi" || m.Scale != 1000 || !m.Additive {
		t.Error(m)
	}
	if m := roleOf(t, info, "ulush, %"); m.Unit != "%" || m.Additive {
		t.Error(m)
	}
}

func TestWordsForSexAreKnownInFiveLanguages(t *testing.T) {
	for _, pair := range [][2]string{
		{"ayol", "erkak"},
		{"Аёллар", "Эркаклар"},
		{"qizlar", "oʻgʻil bolalar"},
		{"hayallar", "erkekler"},
		{"женщины", "мужчины"},
		{"девочки", "мальчики"},
		{"Female", "Male"},
		{"women", "men"},
		{"girls", "boys"},
		{"xotin-qizlar", "erkaklar"},
	} {
		info := mustCheck(t, "a.csv", "nima,soni\n"+pair[0]+",1\n"+pair[1]+",2\nJami,3\n")
		if m := roleOf(t, info, "nima"); m.Role != portal.RoleSex || !m.IsTotal("Jami") {
			t.Errorf("%q: %+v", pair, m)
		}
		info = mustCheck(t, "a.csv", "hudud,"+pair[0]+" soni,"+pair[1]+" soni\nAndijon viloyati,1,2\nBuxoro viloyati,3,4\n")
		if m := roleOf(t, info, pair[1]+" soni"); m.Sex != portal.SexMale {
			t.Errorf("%q: %+v", pair, m)
		}
	}
}

func TestAMergedCellSpeaksForAllItsRows(t *testing.T) {
	data := workbook(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", []any{"Aholi soni"}, []any{"hudud", "jins", "soni"}, []any{"Andijon viloyati", "ayol", 1}, []any{nil, "erkak", 2}, []any{"Buxoro viloyati", "ayol", 3}, []any{nil, "erkak", 4})
		for _, m := range [][2]string{{"A1", "C1"}, {"A3", "A4"}, {"A5", "A6"}} {
			if err := f.MergeCell("Sheet1", m[0], m[1]); err != nil {
				t.Fatal(err)
			}
		}
	})
	_, rows, err := readAll(t, writeFile(t, "a.xlsx", string(data)), portal.Resource{})
	if err != nil || len(rows) != 4 || rows[1][0] != "Andijon viloyati" || rows[3][0] != "Buxoro viloyati" {
		t.Errorf("%q %v", rows, err)
	}
	infos, err := checkXLSX(data)
	if err != nil || infos[0].Above[0] != "Aholi soni" {
		t.Error(infos, err)
	}
}

func TestACityCalledAsItsRegionIsNoTotal(t *testing.T) {
	info := mustCheck(t, "a.csv", "soato,nomi,aholi\n1703401,Andijon,492.4\n1703202,Oltinkoʻl tumani,190\n1703203,Andijon tumani,277\n1703206,Baliqchi tumani,222\n1703209,Boʻz tumani,80\n")
	if m := roleOf(t, info, "nomi"); m.Role != portal.RoleRegion || len(m.Totals) != 0 || info.Totals != 0 {
		t.Errorf("%+v, %d totals", m, info.Totals)
	}
}
