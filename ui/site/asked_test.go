package site

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
	"koprik/ui/chart"
)

// visitOf is a visit in a language that reads the test's catalogue.
func visitOf(t *testing.T, w *world, tag string) *visit {
	t.Helper()
	s, err := newSite(w.options)
	if err != nil {
		t.Fatal(err)
	}
	lang, err := portal.ParseLang(tag)
	if err != nil {
		t.Fatal(err)
	}
	return &visit{site: s, ctx: t.Context(), lang: lang, view: w.view, Frame: &Frame{Words: s.words.Words(lang), Base: "/" + tag}}
}

// The test's catalogue has the population of six regions, in thousands, from 2010
// to 2025.
func TestASearchThatNamesANumberOpensWithIt(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ lang, query, number, where string }{
		{"en", "population Khorezm 2020", "4,313.3\u00a0thousand people", "Khorezm region · 2020"},
		{"ru", "население Хорезма 2020 год", "4 313,3 тыс. человек", "Хорезмская область · 2020"},
		{"ru", "население Хорезмской области в 2020 году", "4 313,3 тыс. человек", "Хорезмская область · 2020"},
		{"uz", "Xorazm aholisi 2020-yil", "4 313,3\u00a0ming kishi", "Xorazm viloyati · 2020"},
		{"uz", "Toshkentda aholi soni 2020", "4 413,3\u00a0ming kishi", "Toshkent shahri · 2020"},
		{"uz-cyrl", "Хоразм аҳолиси 2020", "4 313,3\u00a0минг киши", "Хоразм вилояти · 2020"},
		{"uz", "Xorazm aholisi", "4 318,3\u00a0ming kishi", "Xorazm viloyati · 2025"},
	} {
		q, ok := readAsked(tt.query)
		if !ok {
			t.Errorf("%q is no question", tt.query)
			continue
		}
		v := visitOf(t, w, tt.lang)
		box := v.answerTo(tt.query, w.view.datasets[:1])
		if box == nil {
			t.Errorf("%q, read as %+v, has no answer", tt.query, q)
			continue
		}
		number := strings.ReplaceAll(box.Figure.Number, "\u00a0", " ")
		if number != strings.ReplaceAll(tt.number, "\u00a0", " ") || box.Figure.Where != tt.where || box.Drawing == nil {
			t.Errorf("%q: %q, %q", tt.query, box.Figure.Number, box.Figure.Where)
		}
	}
}

func TestWhatIsNotSureIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{
		"", "population", "population 2020", // of six regions and no whole
		"population Khorezm 1999", "population Khorezm Buxoro 2020", "cotton Khorezm 2020", "population Khorezm women 2020",
		"population Mars 2020", `title:population Khorezm`, `"population" Khorezm 2020`, "women men Khorezm 2020", strings.Repeat("population ", 30),
		"population Khorezm 2020 2021", "\xff\x00", "Khorezm", "Khorezm 2020", // a place, and nothing of it
	} {
		if box := visitOf(t, w, "en").answerTo(query, w.view.datasets[:1]); box != nil {
			t.Errorf("%q: %s, %s", query, box.Figure.Number, box.Figure.Where)
		}
	}
}

func TestAnAnswerStandsAboveTheHits(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en/search?q=Population+of+Uzbekistan", 200)
	mustNotHave(t, body, `/chart/population">Figure`)
	w.view.datasets[0].Latest.Title = in("en", "Khorezm population 2020")
	body = w.body(t, "/en/search?q=khorezm+population+2020", 200)
	mustHave(t, body, "<b>4,313.3\u00a0thousand people</b>", `href="/en/dataset/main_population/chart/population?at.soato=1733"`, `href="/en/dataset/main_population#passport"`, "Release 3, ")
	if i, j := strings.Index(body, "4,313.3"), strings.Index(body, `class="hits"`); i < 0 || j < i {
		t.Errorf("the answer stands at %d, the hits at %d", i, j)
	}
	mustNotHave(t, w.body(t, "/en/search?q=khorezm+population+2020&theme=education", 200), "4,313.3\u00a0thousand people</b>")
}

func TestAnAnswerIsTheCellAndNothingElse(t *testing.T) {
	w := newWorld(t)
	w.view.datasets[0].Latest.Passport.Unit = portal.Text{}
	box := visitOf(t, w, "en").answerTo("population Khorezm 2020", w.view.datasets[:1])
	if box == nil || !regexp.MustCompile(`^4,313\.3\b`).MatchString(box.Figure.Number) {
		t.Errorf("%+v", box)
	}
}

// A table without a column of time may have it in its names, or nowhere.
func TestAnAnswerNeverStandsWithoutItsTime(t *testing.T) {
	for _, tt := range []struct{ table, period, where string }{
		{"Aholi, 2024-yil", "", "Xorazm viloyati · Aholi, 2024-yil"},
		{"Aholi", "2024-Q1", "Xorazm viloyati · 2024-yil 1-chorak"},
		{"Aholi", "", "Xorazm viloyati · jadvalda vaqti aytilmagan"},
	} {
		w := newWorld(t)
		resource := &w.view.datasets[0].Latest.Resources[0]
		resource.Title = in("uz", tt.table)
		table := &w.view.tables[resource.Hash][0]
		table.info.Columns = slices.Delete(slices.Clone(table.info.Columns), 2, 3) // the year
		table.info.Columns[2].Meaning.Period = tt.period
		var rows [][]any
		for _, row := range table.rows {
			if row[2] == int64(2024) {
				rows = append(rows, slices.Delete(slices.Clone(row), 2, 3))
			}
		}
		table.rows, table.info.Rows = rows, int64(len(rows))
		box := visitOf(t, w, "uz").answerTo("Xorazm aholisi", w.view.datasets[:1])
		if box == nil || box.Figure.Where != tt.where {
			t.Errorf("%+v: %+v", tt, box)
		}
	}
}

func TestAnswersNameTheSourceAsTheFigureDoes(t *testing.T) {
	w := newWorld(t)
	box := visitOf(t, w, "uz").answerTo("Xorazm aholisi", w.view.datasets[:1])
	if box == nil || !strings.Contains(box.Release, "Statistika boshqarmasi") {
		t.Errorf("%+v", box)
	}
}

func TestARussianUnitAgreesWithItsNumber(t *testing.T) {
	for unit, want := range map[string]string{
		"тысяч человек": "тыс. человек", "тысяча браков": "тыс. браков", "тыс. человек": "тыс. человек",
		"миллиардов сумов": "млрд сумов", "млн кубометров": "млн кубометров",
	} {
		if got, declined := abbreviated(unit); got != want || declined {
			t.Errorf("%q: %q, declined %v", unit, got, declined)
		}
	}
	for _, unit := range []string{"человек", "окон", "тысяч", "", "тысячелетий", "центнеров с гектара"} {
		if got, declined := abbreviated(unit); got != unit || !declined {
			t.Errorf("%q: %q, declined %v", unit, got, declined)
		}
	}
}

func TestATimeThatAnotherIsComparedWithIsSaidAsWhatItIs(t *testing.T) {
	w := newWorld(t)
	for key, want := range map[string]struct{ label, en, ru string }{
		"2025":                    {"2025", "in 2025", "в 2025 году"},
		"2025-Q1":                 {"Q1 2025", "in Q1 2025", "раньше (Q1 2025)"},
		"2025-01-31":              {"31 January 2025", "before (31 January 2025)", "раньше (31 January 2025)"},
		"26.07.2024 — 23.03.2025": {"26 July 2024 – 23 March 2025", "before (26 July 2024 – 23 March 2025)", "раньше (26 July 2024 – 23 March 2025)"},
	} {
		d := drawn{cube: &chart.Cube{Dims: []chart.Dim{{Values: []chart.Value{{Key: key, Label: want.label}}}}}}
		if en, ru := visitOf(t, w, "en").than(d, want.label), visitOf(t, w, "ru").than(d, want.label); en != want.en || ru != want.ru {
			t.Errorf("%s: %q, %q", key, en, ru)
		}
	}
}

func TestAUnitWithinASentenceIsSmall(t *testing.T) {
	for s, want := range map[string]string{
		"Ming kishi": "ming kishi", "Oʻgʻil bolalar": "oʻgʻil bolalar", "Тысяч": "тысяч", "GWh": "GWh", "": "", "E": "E", "Oʻ": "Oʻ",
	} {
		if got := lower(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}

func FuzzReadAsked(f *testing.F) {
	for _, s := range []string{"Samarqand aholisi 2025", "население Самарканда", "\xff", "2020 2021", "женщин"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, ok := readAsked(s)
		if ok && (len(q.words) == 0 || len(q.words) > answerWords) {
			t.Fatalf("%+v", q)
		}
		for _, word := range q.words {
			if word.text == "" {
				t.Fatal("an empty word")
			}
		}
	})
}
