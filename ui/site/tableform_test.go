package site

import (
	"net/http"
	"strings"
	"testing"

	"koprik/portal"
)

func TestTickedBoxesBecomeOneFilterOfTheirColumn(t *testing.T) {
	w := newWorld(t)
	for from, to := range map[string]string{
		"?_f=year&_is.year=2020&_column=&_op=eq&_value=":                     "?year__eq=2020",
		"?_f=year&_is.year=2020&_is.year=2021&_column=&_op=eq&_value=&q=":    "?year__in=2020%2C2021",
		"?_f=year&year__in=2020,2021&_column=&_op=eq&_value=":                "",
		"?_f=year,region&_is.region=a,b&_is.region=c&year__ge=2015":          "?region__in=%22a%2Cb%22%2Cc&year__ge=2015",
		"?_c=1&_col=year&_col=region&columns=soato":                          "?columns=year%2Cregion",
		"?_c=1&sort=year__desc&desc=1":                                       "?desc=1&sort=year__desc",
		"?_f=&_is.year=2020&_column=year&_op=begins&_value=20&after=o5&q=+x": "?_is.year=2020&q=+x&year__begins=20",
	} {
		res := w.get(t, tableAddress+from)
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != tableAddress+to {
			t.Errorf("%s: %d to %q, want %q", from, res.StatusCode, got, tableAddress+to)
		}
	}
	mustHave(t, w.body(t, tableAddress+"?_f=nothing", 400), "no column “nothing”")
	mustHave(t, w.body(t, tableAddress+"?_f=%22", 400), "cannot be used")
}

func TestFacetsCountAndKeepWhatIsChosen(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, tableAddress+"?year__in=2019,2021", 200)
	mustHave(t, body, `name="_f" value="year"`, `name="_is.year" value="2019" checked><span>2019</span> <span class="mute">6</span>`,
		`name="_is.year" value="2020"><span>2020</span>`, "2019, 2021: 12 rows of 96.")
	mustNotHave(t, body, `name="year__in"`)
	body = w.body(t, tableAddress+"?year__in=2019,2021&year__eq=2019", 200) // boxes cannot say both
	mustHave(t, body, `name="year__in" value="2019,2021"`, `name="year__eq" value="2019"`)
	mustNotHave(t, body, `name="_is.year"`)
}

func TestTheSentenceSaysWhatIsShownInEveryLanguage(t *testing.T) {
	w := newWorld(t)
	for l, want := range map[portal.Lang][2]string{
		portal.Uzbek:         {"2020, “Xor” soʻzlari bor: 96 ta satrdan 6 tasi.", "Butun jadval: 96 ta satr."},
		portal.UzbekCyrillic: {"2020, “Xor” сўзлари бор: 96 та сатрдан 6 таси.", "Бутун жадвал: 96 та сатр."},
		portal.Karakalpak:    {"2020, “Xor” sózleri bar: 96 qatardan 6.", "Pútkil keste: 96 qatar."},
		portal.Russian:       {"2020, со словами «Xor»: 6 строк из 96.", "Вся таблица: 96 строк."},
		portal.English:       {"2020, with the words “Xor”: 6 rows of 96.", "The whole table: 96 rows."},
	} {
		address := "/" + l.Path() + strings.TrimPrefix(tableAddress, "/en")
		mustHave(t, w.body(t, address+"?year__eq=2020&q=Xor", 200), want[0])
		mustHave(t, w.body(t, address, 200), want[1])
	}
	for n, want := range map[int64]string{1: "2020: 1 строка из 96.", 2: "2020: 2 строки из 96.", 11: "2020: 11 строк из 96.", 21: "2020: 21 строка из 96."} {
		v := &visit{Frame: &Frame{Words: wordsOf(t, portal.Russian)}}
		q := portal.TableQuery{Filters: []portal.TableFilter{{Column: "year", Op: portal.OpEqual, Values: []string{"2020"}}}}
		columns := []portal.Field{{Name: "year", Meaning: portal.Meaning{Role: portal.RoleTime}}}
		if got, _ := v.sentence(columns, q, n, 96); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheSentenceCallsACodeByItsName(t *testing.T) {
	columns := []portal.Field{{Name: "region_code", Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindISO}}}
	q := portal.TableQuery{Filters: []portal.TableFilter{{Column: "region_code", Op: portal.OpIn, Values: []string{"UZ", "UZ-XO", "?"}}}}
	for l, want := range map[portal.Lang]string{
		portal.Uzbek:   "Oʻzbekiston Respublikasi, Xorazm viloyati, ?: 96 ta satrdan 2 tasi.",
		portal.Russian: "Республика Узбекистан, Хорезмская область, ?: 2 строки из 96.",
	} {
		v := &visit{Frame: &Frame{Words: wordsOf(t, l)}, lang: l}
		if got, _ := v.sentence(columns, q, 2, 96); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEveryConditionHasWords(t *testing.T) {
	for _, l := range portal.Langs {
		v := &visit{Frame: &Frame{Words: wordsOf(t, l)}}
		for _, op := range portal.TableOps {
			for _, values := range [][]string{{"1"}, {"0"}, {"1", "2", "3", "4", "5"}} {
				if got := v.condition(nil, portal.TableFilter{Column: "x", Op: op, Values: values}); got == "" || strings.Contains(got, "[") {
					t.Errorf("%s %s: %q", l, op, got)
				}
			}
		}
	}
}

func TestAViewIsGivenAsFilesOfItsRelease(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, tableAddress+"?year__eq=2020&sort=region&after=o5", 200)
	const view = `/api/v1/tables/main_population/population/export?`
	for _, choice := range []string{
		"format=xlsx&amp;lang=en", "decimal=comma&amp;format=csv&amp;lang=en", "format=csv&amp;release", "format=json", "format=ndjson", "format=parquet", "format=sqlite",
	} {
		mustHave(t, body, `href="`+view+choice)
	}
	mustHave(t, body, `&amp;sort=region&amp;year__eq=2020" download>XLSX</a>`, `/en/code.svg?a=%2Fen%2Fdataset%2Fmain_population%2Ftable%2Fpopulation%3F`)
	mustNotHave(t, body, "after=o5&amp;format", "GeoJSON")
	kiosk := newWorld(t, func(w *world) { w.options.Kiosk = true })
	mustNotHave(t, kiosk.body(t, tableAddress, 200), "/export?", "code.svg?a=")
}

func TestACodeLeadsToThisNodeAndNowhereElse(t *testing.T) {
	w := newWorld(t)
	res := w.get(t, "/en/code.svg?a=%2Fen%2Fdataset%2Fmain_population%2Ftable%2Fpopulation%3Fyear__eq%3D2020")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/svg+xml" {
		t.Error(res.StatusCode, res.Header)
	}
	for _, a := range []string{"", "https://example.org/en/", "//example.org/en/", "/api/v1/status", "/ru/", "/en/" + strings.Repeat("x", 4000)} {
		if res := w.get(t, "/en/code.svg?a="+a); res.StatusCode != http.StatusNotFound {
			t.Errorf("%.40s: %d", a, res.StatusCode)
		}
	}
}

func TestRowsAreAskedAboutOnlyWhereThatIsPossible(t *testing.T) {
	quiet := newWorld(t, withoutAsker)
	mustNotHave(t, quiet.body(t, tableAddress, 200), `action="/en/ask"`)
	w := newWorld(t)
	mustHave(t, w.body(t, tableAddress+"?year__eq=2020", 200), `<form class="asks" action="/en/ask"><input type="hidden" name="dataset" value="main_population"><input type="hidden" name="release" value="3"><input type="hidden" name="table" value="population">`,
		`<button class="quiet" name="row" value="Xorazm viloyati · 2020">Ask about this row</button>`)
}

// sumsOf is the last row of a table with these columns, as the page of w shows it.
func sumsOf(t *testing.T, totals []string, query string) string {
	t.Helper()
	w := newWorld(t)
	columns := []portal.Field{
		{Name: "place", Meaning: portal.Meaning{Role: portal.RoleRegion, Totals: totals}},
		{Name: "year", Type: "year", Meaning: portal.Meaning{Role: portal.RoleTime}},
		{Name: "births", Type: "integer", Meaning: portal.Meaning{Role: portal.RoleMeasure, Additive: true}},
		{Name: "share", Type: "number", Meaning: portal.Meaning{Role: portal.RoleMeasure}},
	}
	rows := [][]any{{"Jami", int64(2020), int64(30), 1.5}, {"Xorazm", int64(2020), int64(10), 1.5}, {"Buxoro", int64(2020), int64(20), 1.5}, {"Buxoro", int64(2021), int64(21), 1.5}}
	for hash, tables := range w.view.tables {
		for i, table := range tables {
			if table.info.Resource == "population" || i == 0 && table.info.Rows == 96 {
				w.view.tables[hash][i] = fakeTable{info: portal.TableInfo{Resource: "population", Columns: columns, Rows: 4}, rows: rows}
			}
		}
	}
	body := w.body(t, tableAddress+query, 200)
	_, foot, _ := strings.Cut(body, "<tfoot>")
	foot, _, _ = strings.Cut(foot, "</tfoot>")
	return foot
}

func TestOnlyWhatAddsUpIsSummedAndTotalsAreNotCountedTwice(t *testing.T) {
	if foot := sumsOf(t, nil, ""); foot != "" {
		t.Errorf("years are added up: %s", foot)
	}
	foot := sumsOf(t, nil, "?year__eq=2020")
	mustHave(t, foot, "Sum of 3 rows (computed)", ">60</td>")
	mustNotHave(t, foot, "4.5")
	foot = sumsOf(t, []string{"Jami"}, "?year__eq=2020")
	mustHave(t, foot, "Sum of 2 rows that are no totals themselves (computed)", ">30</td>")
	foot = sumsOf(t, []string{"Jami"}, "?year__eq=2020&columns=place,share")
	mustNotHave(t, foot, "Sum")
	many := make([]string, maxExcluded+1)
	for i := range many {
		many[i] = strings.Repeat("x", i+1)
	}
	if foot := sumsOf(t, many, "?year__eq=2020"); foot != "" {
		t.Errorf("totals could be among them: %s", foot)
	}
}

func TestColumnsOfOtherLanguagesWaitUntilTheyAreAskedFor(t *testing.T) {
	region := func(name string, l portal.Lang, same string) portal.Field {
		return portal.Field{Name: name, Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindName, Lang: l, SameAs: same}}
	}
	columns := []portal.Field{
		region("uz", portal.Uzbek, ""), region("ru", portal.Russian, "uz"), region("kaa", portal.Karakalpak, "uz"),
		{Name: "soato", Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindSOATO, SameAs: "uz"}},
		{Name: "n"},
	}
	for l, want := range map[portal.Lang]string{portal.Uzbek: "uz,n", portal.Russian: "ru,n", portal.Karakalpak: "kaa,n", portal.English: "uz,n"} {
		v := &visit{lang: l}
		if got := strings.Join(v.usual(columns), ","); got != want {
			t.Errorf("%s: %s, want %s", l, got, want)
		}
		if got := strings.Join(v.faceted(columns), ","); got != want[:strings.Index(want, ",")] {
			t.Errorf("%s: boxes of %s", l, got)
		}
	}
	coded := []portal.Field{{Name: "soato", Meaning: columns[3].Meaning}, {Name: "n"}, region("name", portal.Uzbek, "soato"), region("название", portal.Russian, "soato")}
	coded[0].Meaning.SameAs = ""
	if got := strings.Join((&visit{lang: portal.Russian}).usual(coded), ","); got != "название,n" {
		t.Errorf("codes before words: %s", got)
	}
	if v := (&visit{lang: portal.Uzbek}); v.usual(columns[3:]) != nil {
		t.Error("all columns are shown, and that is said twice")
	}
}

func TestARowIsNamedByItsWordsOnceInTheReadersLanguage(t *testing.T) {
	field := func(name, kind, same string, role portal.ColumnRole) portal.Field {
		return portal.Field{Name: name, Meaning: portal.Meaning{Role: role, Kind: kind, SameAs: same}}
	}
	district, region := field("district_ru", portal.KindName, "district_uz", portal.RoleRegion), field("region_ru", portal.KindName, "region_uz", portal.RoleRegion)
	code, flag := field("soato", portal.KindSOATO, "district_uz", portal.RoleRegion), field("city", portal.KindFlag, "", portal.RoleCategory)
	year, n := field("year", portal.KindYear, "", portal.RoleTime), field("n", "", "", portal.RoleMeasure)
	for want, c := range map[string]struct {
		columns []portal.Field
		row     []string
	}{
		"Бузатовский район · Каракалпакстан": {[]portal.Field{code, district, region, flag, n}, []string{"1735209", "Бузатовский район", "Каракалпакстан", "нет", "21"}},
		"1735209 · 2024": {[]portal.Field{code, year, n}, []string{"1735209", "2024", "21"}},
		"Suv · 2024":     {[]portal.Field{field("name", "", "", portal.RoleText), year}, []string{"Suv", "2024"}},
	} {
		var row []cell
		for _, text := range c.row {
			row = append(row, cell{Text: text})
		}
		if got := strings.Join(rowWords(c.columns, row), " · "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
