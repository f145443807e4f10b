package site

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

// factTable is a table of one row a place: its columns after the place's code.
type factTable struct {
	dataset portal.DatasetID
	place   string
	columns []portal.Field
	rows    map[string][]any
	title   portal.Text // of the table
}

// kinds are the meanings of columns with codes of places.
var kinds = map[string]portal.Meaning{
	"iso_code": {Role: portal.RoleRegion, Kind: portal.KindISO}, "soato": {Role: portal.RoleRegion, Kind: portal.KindSOATO},
	"region": {Role: portal.RoleRegion, Kind: portal.KindName}, "district": {Role: portal.RoleRegion, Kind: portal.KindName},
}

// give puts a table into a dataset of the fake catalogue.
func (f *fakeView) give(t factTable) {
	r := portal.Resource{
		Name: "t", Path: "t.csv", Format: "csv", Title: t.title, Bytes: 100, Hash: digest("facts of " + string(t.dataset)),
		Schema: &portal.TableSchema{Fields: append([]portal.Field{{Name: t.place, Type: "string", Meaning: kinds[t.place]}}, t.columns...)},
	}
	var rows [][]any
	places := []string{"UZ", "1700", "UZ-XO", "1733", "UZ-AN", "UZ-AN again"}
	for _, place := range slices.Sorted(maps.Keys(t.rows)) {
		if !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	for _, place := range places {
		if row, ok := t.rows[place]; ok {
			rows = append(rows, append([]any{strings.TrimSuffix(place, " again")}, row...))
		}
	}
	f.tables[r.Hash] = []fakeTable{{info: portal.TableInfo{Resource: "t", Columns: r.Schema.Fields, Rows: int64(len(rows))}, rows: rows}}
	for i := range f.datasets {
		if f.datasets[i].ID == t.dataset {
			f.datasets[i].Latest.Resources = []portal.Resource{r}
		}
	}
}

func number(name string, titles ...string) portal.Field {
	f := portal.Field{Name: name, Type: "number", Meaning: portal.Meaning{Role: portal.RoleMeasure}}
	if len(titles) > 1 {
		f.Title = in(titles...)
	}
	return f
}

func ofSex(name, sex string) portal.Field {
	f := number(name)
	f.Meaning.Sex = sex
	return f
}

// addFacts gives the datasets that answer the questions of the home page.
func (f *fakeView) addFacts() {
	for i, c := range []portal.Field{
		number("population_thousand_2026", "uz", "Doimiy aholi, ming kishi, 2026", "ru", "Постоянное население, тыс. человек, 2026", "en", "Population, thousand, 2026"),
		number("live_births_2025"), number("doctors_2025"), number("schools_2024"), number("marriages_2025"), number("women_2026"), number("first_grade_2025"),
	} {
		f.give(factTable{
			dataset: portal.DatasetID(fmt.Sprintf("main_set-%02d", i+2)), place: "iso_code", columns: []portal.Field{c},
			rows: map[string][]any{"UZ": {38236.7 + float64(i)}, "UZ-XO": {2000.5 + float64(i)}},
		})
	}
	f.give(factTable{
		dataset: "main_set-01", place: "iso_code", title: in("uz", "Shifoxonalar"),
		columns: []portal.Field{number("hospitals_2021"), number("hospitals_2024", "uz", "Soni, 2024 oxiri", "ru", "Число, конец 2024", "en", "Number, end of 2024")},
		rows:    map[string][]any{"UZ": {1216.0, 1972.0}, "UZ-XO": {60.0, 83.0}},
	})
}

// findings are the figures of the tables, as a page in English writes them.
func findings(t *testing.T, tables ...factTable) []figure {
	t.Helper()
	w := newWorld(t)
	s, err := newSite(w.options)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		w.view.give(table)
	}
	view, err := w.options.View(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	v := &visit{site: s, ctx: context.Background(), lang: portal.English, view: view, Frame: &Frame{Words: s.words.Words(portal.English), Base: "/en"}}
	var list []figure
	for _, table := range tables {
		d, err := view.Dataset(context.Background(), table.dataset)
		if err != nil {
			t.Fatal(err)
		}
		f, _ := v.finding(d)
		list = append(list, f)
	}
	return list
}

func TestAFindingIsTheNewestFigureOfItsTable(t *testing.T) {
	year := portal.Field{Name: "year", Type: "year", Meaning: portal.Meaning{Role: portal.RoleTime, Kind: portal.KindYear}}
	for name, c := range map[string]struct {
		table               factTable
		number, where, mark string
	}{
		"years in columns": {factTable{
			place: "iso_code", columns: []portal.Field{number("x_2021"), number("x_2024"), number("x_2019")}, rows: map[string][]any{"UZ": {1.0, 2.0, 3.0}},
		}, "2", "Uzbekistan", ""},
		"an empty cell of the newest year": {factTable{
			place: "iso_code", columns: []portal.Field{number("x_2021"), number("x_2024")}, rows: map[string][]any{"UZ": {1.0, nil}},
		}, "1", "Uzbekistan", ""},
		"a number that is no year": {factTable{
			place: "iso_code", columns: []portal.Field{number("per_10000_2021"), number("x_2020")}, rows: map[string][]any{"UZ": {27.0, 9.0}},
		}, "27", "Uzbekistan", ""},
		"a title without the year": {factTable{
			place: "iso_code", columns: []portal.Field{number("x_2024", "en", "Things", "uz", "Narsalar")}, rows: map[string][]any{"UZ": {1.0}},
		}, "1", "Uzbekistan · 2024", ""},
		"by SOATO code": {factTable{
			place: "soato", columns: []portal.Field{year, number("x")}, rows: map[string][]any{"1700": {int64(2025), 5.0}, "1733": {int64(2025), 1.0}},
		}, "5", "Uzbekistan · 2025", ""},
		"of one region only": {factTable{
			place: "iso_code", columns: []portal.Field{year, number("x")}, rows: map[string][]any{"UZ-XO": {int64(2025), 5.0}},
		}, "5", "Khorezm Region · 2025", ""},
		"the year in the table's title": {factTable{
			place: "iso_code", columns: []portal.Field{number("x")}, rows: map[string][]any{"UZ": {5.0}}, title: portal.PlainText("January to March 2022"),
		}, "5", "Uzbekistan · January to March 2022", ""},
		"calculated by the publisher": {factTable{
			place: "iso_code", columns: []portal.Field{year, number("men_thousand"), {Name: "men_computed", Type: "boolean", Meaning: portal.Meaning{Role: portal.RoleCategory, Kind: portal.KindFlag}}}, rows: map[string][]any{"UZ": {int64(2025), 5.0, true}},
		}, "5", "Uzbekistan · 2025", "computed"},
		"of women and men apart": {factTable{
			place: "iso_code", columns: []portal.Field{year, ofSex("women", portal.SexFemale), ofSex("men", portal.SexMale)}, rows: map[string][]any{"UZ": {int64(2025), 5.0, 6.0}},
		}, "", "", ""},
		"of everybody beside women and men": {factTable{
			place: "iso_code", columns: []portal.Field{year, ofSex("women", portal.SexFemale), ofSex("men", portal.SexMale), ofSex("all", portal.SexBoth)}, rows: map[string][]any{"UZ": {int64(2025), 5.0, 6.0, 11.0}},
		}, "11", "Uzbekistan · 2025", ""},
		"of no known time":  {factTable{place: "iso_code", columns: []portal.Field{number("x")}, rows: map[string][]any{"UZ": {5.0}}}, "", "", ""},
		"of several places": {factTable{place: "iso_code", columns: []portal.Field{year, number("x")}, rows: map[string][]any{"UZ-AN": {int64(2025), 5.0}, "UZ-XO": {int64(2025), 6.0}}}, "", "", ""},
		"two rows of one time": {factTable{
			place: "iso_code", columns: []portal.Field{year, number("x")}, rows: map[string][]any{"UZ-AN": {int64(2025), 5.0}, "UZ-AN again": {int64(2025), 6.0}},
		}, "", "", ""},
	} {
		c.table.dataset = "main_set-15"
		if f := findings(t, c.table)[0]; f.Number != c.number || f.Where != c.where || f.Computed != c.mark {
			t.Errorf("%s: %q %q %q, want %q %q %q", name, f.Number, f.Where, f.Computed, c.number, c.where, c.mark)
		}
	}
}

func TestQuestionsAreAnsweredForTheCountryAndForTheReadersRegion(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, "/en/", 200), "Often asked", "How many hospitals are there in Uzbekistan?", "<b>1,972</b>", "How many people live in Uzbekistan?", "Choose a region")
	body := w.body(t, "/ru/?region=UZ-XO", 200)
	mustHave(t, body, "Сколько больниц в Хорезмской области?", "<b>83</b>", `href="/ru/?region=UZ-XO#region" aria-current="true"`, `href="/ru/search?region=UZ-XO"`, `href="/uz/?region=UZ-XO"`)
	mustHave(t, w.body(t, "/uz-cyrl/?region=UZ-AN", 200), "бу ҳудуд учун ҳали йўқ")
	if res := w.get(t, "/en/?region=UZ-XO"); len(res.Cookies()) != 1 || res.Cookies()[0].Name != languageCookie {
		t.Errorf("cookies %v: a region is remembered nowhere", res.Cookies())
	}
	mustHave(t, w.body(t, "/en/?region=%3Cb%3E", 400), "&lt;b&gt;")
}

func TestAKioskKnowsTheRegionOfItsOffice(t *testing.T) {
	w := kiosk(t, func(w *world) { w.options.Region = "UZ-XO" })
	body := w.body(t, "/en/", 200)
	mustHave(t, body, `<h3>Khorezm Region</h3>`, "How many hospitals are there in Khorezm Region?")
	if n := strings.Count(body, `<li class="fig">`); n != kioskQuestions {
		t.Errorf("%d tiles of questions", n)
	}
	attract := w.body(t, "/kiosk/", 200)
	mustHave(t, attract, "Xorazm viloyatida qancha odam yashaydi?", `lang="ru"><h2>Сколько больниц в Хорезмской области?`)
	if n := strings.Count(attract, `<div class="slide"`); n != len(portal.Langs) {
		t.Errorf("%d slides", n)
	}
	if _, err := New(Options{View: w.options.View, Status: w.options.Status, Now: w.options.Now, Region: "Xorazm"}); err == nil {
		t.Error("a region that is none is taken")
	}
}

func TestFiguresAreThoseOfTheirGeneration(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, "/en/", 200), "<b>1,972</b>")
	w.view.give(factTable{dataset: "main_set-01", place: "iso_code", columns: []portal.Field{number("hospitals_2025")}, rows: map[string][]any{"UZ": {2001.0}}})
	mustHave(t, w.body(t, "/en/", 200), "<b>1,972</b>") // the same generation is read once
	w.view.state.Generation++
	mustHave(t, w.body(t, "/en/", 200), "<b>2,001</b>")
}

func TestAHitAnswersAndShowsWhereItsWordsStand(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en/search?q=maktablar", 200)
	mustHave(t, body, "<mark>Maktablar</mark> roʻyxati 1", "Also found in: columns of a table and values of a table", `<p class="ans"><b>1,972</b> Number, end of 2024 <span class="mute">Uzbekistan</span></p>`)
	// The fake search finds by titles: a region's name in one.
	for i := range w.view.datasets {
		if w.view.datasets[i].ID == "main_set-01" {
			w.view.datasets[i].Latest.Title = portal.PlainText("Xorazm shifoxonalari")
			w.view.datasets[i].Latest.Description = portal.PlainText(strings.Repeat("boshqa gap ", 20) + "oxirida shifoxonalari <b>bor")
		}
	}
	mustHave(t, w.body(t, "/uz/search?q=Xorazm+shifoxonalari", 200), "<mark>Xorazm</mark> <mark>shifoxonalari</mark>", "<b>83</b>", "Xorazm viloyati",
		"… boshqa", "<mark>shifoxonalari</mark> &lt;b&gt;bor")
}

func TestAHitHasRatherNoNumberThanAWrongOne(t *testing.T) {
	w := newWorld(t)
	at := slices.IndexFunc(w.view.datasets, func(d portal.Dataset) bool { return d.ID == "main_set-01" }) // titled "Maktablar roʻyxati 1"
	d := w.view.datasets[at]
	for query, c := range map[string]struct{ found, number string }{ // found: the words of which the hit has some
		"maktablar":               {"maktablar", "1,972"},
		"maktablar Xorazm":        {"maktablar xorazm", "83"},
		"maktablar 2024":          {"maktablar", "1,972"},
		"maktablar 2019":          {"maktablar", ""}, // of another year
		"maktablar 2023 2024":     {"maktablar", ""},
		"maktablar Beruniy":       {"maktablar beruniy", ""}, // of a district
		"maktablar tumani":        {"maktablar", ""},
		"maktablar Xorazm Buxoro": {"maktablar xorazm buxoro", ""},
		"maktablar oylik":         {"maktablar", ""}, // a word that the hit lacks
		"maktablar ayollar":       {"maktablar", ""}, // of women
		"roʻyxatsiz Xorazm":       {"xorazm", ""},
	} {
		hits := []Hit{{}}
		results := portal.Results{Hits: []portal.Hit{{Dataset: d.ID, Words: strings.Fields(c.found)}}}
		some := visitOf(t, w, "en").answerHits(hits, []portal.Dataset{d}, results, query)
		got := ""
		if hits[0].Answer != nil {
			got = hits[0].Answer.Number
		}
		if got != c.number || some != (got != "") {
			t.Errorf("%s: %q, want %q", query, got, c.number)
		}
	}
}

func TestACityComesBeforeTheRegionThatIsCalledSoInWhateverTable(t *testing.T) {
	w := newWorld(t)
	region := func(name string) portal.Field {
		return portal.Field{Name: name, Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindName}}
	}
	people := portal.Field{Name: "population_2025", Type: "number", Title: portal.PlainText("Population 2025"), Meaning: portal.Meaning{Role: portal.RoleMeasure, Period: "2025"}}
	for i, columns := range [][]portal.Field{{region("region"), people}, {region("district"), region("region"), people}} {
		rows := map[string][]any{"Samarqand viloyati": {4297.5}, "Buxoro viloyati": {2045.0}}
		if i == 1 {
			rows = map[string][]any{"Samarqand shahri": {"Samarqand viloyati", 595.8}, "Samarqand tumani": {"Samarqand viloyati", 260.5}}
		}
		w.view.give(factTable{dataset: w.view.datasets[i].ID, place: columns[0].Name, columns: columns[1:], rows: rows})
		w.view.datasets[i].Latest.Title = portal.PlainText("Population 2025")
	}
	for query, want := range map[string]string{"population Samarkand 2025": "595.8", "population Samarkand region 2025": "4,297.5"} {
		box := visitOf(t, w, "en").answerTo(query, w.view.datasets[:2])
		if box == nil || !strings.HasPrefix(box.Figure.Number, want) {
			t.Errorf("%s: %+v, want %s", query, box, want)
		}
	}
}

func TestAHitShowsItsFigureOverTime(t *testing.T) {
	w := newWorld(t)
	year := portal.Field{Name: "year", Type: "year", Meaning: portal.Meaning{Role: portal.RoleTime, Kind: portal.KindYear}}
	give := func(years ...int64) {
		w.view.give(factTable{dataset: "main_set-01", place: "iso_code", columns: []portal.Field{year, number("x", "uz", "Maktablar", "en", "Schools")}})
		table := &w.view.tables[digest("facts of main_set-01")][0]
		for i, y := range years {
			table.rows = append(table.rows, []any{"UZ", y, int64(10 + i)})
		}
		table.info.Rows = int64(len(years))
		w.view.state.Generation++
	}
	give(2022, 2023, 2025)
	body := w.body(t, "/en/search?q=maktablar", 200)
	mustHave(t, body, `aria-label="Schools, 2022–2025."`, `spark" viewBox="0 0 240 60"`, "<b>12</b>", "figure")
	if n := strings.Count(body, "<svg"); n != 1 {
		t.Errorf("%d lines", n)
	}
	give(2024, 2025)
	mustNotHave(t, w.body(t, "/en/search?q=maktablar", 200), "<svg")
}

func TestARegionIsKnownByItsNameInEveryLanguage(t *testing.T) {
	for text, want := range map[string]string{
		"": country, "aholi": country, "Andijonda aholi": "UZ-AN", "больницы Фергана": "UZ-FA", "Тошкент шифохона": "UZ-TK", "Toshkent viloyati": "UZ-TO",
		"Ташкентская область": "UZ-TO", "Qaraqalpaqstan": "UZ-QR", "schools in Samarkand": "UZ-SA", "Самарқанд": "UZ-SA",
	} {
		q, _ := readAsked(text)
		if got := q.regionIn(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestAnEmptyTopicSaysWhomToAsk(t *testing.T) {
	w := newWorld(t, withoutAsker, func(w *world) { w.options.Contact = "data@example.uz" })
	mustHave(t, w.body(t, "/en/theme/energy", 200), "Ask for this data", `href="mailto:data@example.uz"`)
	mustHave(t, w.body(t, "/en/", 200), `href="/en/theme/energy"`, "Choose one to ask for its data")
	mustHave(t, w.body(t, "/en/search?q=suv+narxi", 200), "Nothing was found", "Ask for this data", `href="mailto:data@example.uz"`)
	nobody := newWorld(t, withoutAsker)
	mustHave(t, nobody.body(t, "/en/theme/energy", 200), "names no address", `href="/en/#who"`)
	asking := newWorld(t)
	mustHave(t, asking.body(t, "/en/search?q=suv+narxi", 200), `href="/en/ask?kind=data&amp;text=suv`)
	mustHave(t, asking.body(t, "/ru/theme/energy", 200), `href="/ru/ask?kind=data&amp;text=`, "Написать запрос")
}

func TestAFileSaysWhatStandsInItsColumns(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, "/ru/dataset/main_set-01", 200), "Что означают 3 столбца", "Число, конец 2024 <code>hospitals_2024</code>")
	mustHave(t, w.body(t, "/en/dataset/main_set-01/table/t", 200), `<a href="/en/dataset/main_set-01#files">What the columns mean</a>`)
}
