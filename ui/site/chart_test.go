package site

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

const chartAddress = "/dataset/main_population/chart/population"

func TestAFigureSpeaksTheReadersLanguage(t *testing.T) {
	w := newWorld(t)
	for lang, want := range map[string][]string{
		"en":      {"<h1>Population by region</h1>", "(computed from the table)", ">Khorezm region<", "Source: ", "Release 3, ", "thousand people"},
		"uz":      {"Aholi soni hududlar boʻyicha", "(jadvaldan hisoblangan)", ">Xorazm viloyati<", "Manba: Statistika boshqarmasi. 3-\u2060nashr"},
		"uz-cyrl": {"(жадвалдан ҳисобланган)", ">Хоразм вилояти<", "Манба: "},
		"ru":      {"Население по регионам", "(вычислено по таблице)", "тысяч человек", "Выпуск 3, "},
		"kaa":     {"(kesteden esaplanǵan)", "Derek: "},
	} {
		mustHave(t, w.body(t, "/"+lang+chartAddress, 200), want...)
	}
}

func TestAFigureIsDrawnForAPhoneAndADesk(t *testing.T) {
	body := newWorld(t).body(t, "/en"+chartAddress, 200)
	mustHave(t, body, `<svg class="chart narrow phone"`, `<svg class="chart desk"`, "/assets/figure.", `href="/en/dataset/main_population/table/population"`,
		`href="/en`+chartAddress+`/figure.svg"`)
	mustNotHave(t, body, "style=")
}

func TestTheAddressOfAFigureIsItsQuery(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en"+chartAddress+"?view=bars+soato+-&at.year=2020", 200)
	mustHave(t, body, "Highest: Tashkent city, 4,413.3\u00a0thousand people.", `<option value="bars soato -" selected>Bars by Region</option>`, `<option value="2020" selected>2020</option>`,
		`/figure.svg?view=bars&#43;soato&#43;-&amp;at.year=2020"`)
	mustHave(t, w.body(t, "/en"+chartAddress+"?kind=bars&by=soato&at.year=2020", 200), "Highest: Tashkent city, 4,413.3\u00a0thousand people.")
	for _, query := range []string{"?m=nothing", "?kind=pie", "?by=nothing", "?split=year&by=year", "?at.year=1900", "?at.nothing=1", "?view=bars", "?sheet=4", "?kind=%ff"} {
		mustHave(t, w.body(t, "/en"+chartAddress+query, 400), "<h1>")
	}
	mustHave(t, w.body(t, "/en"+chartAddress+"?kind=pie", 400), "“pie”")
	mustHave(t, w.body(t, "/en"+chartAddress+"?at.year=1900", 400), "“at.year=1900”")
}

func TestAFigureIsGivenAwayAsAFile(t *testing.T) {
	w := newWorld(t)
	res := w.get(t, "/ru"+chartAddress+"/figure.svg?kind=bars&by=soato")
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(string(body), "<svg xmlns=") ||
		res.Header.Get("Content-Disposition") != "attachment; filename=population-population.svg" || res.Header.Get("Koprik-As-Of") == "" {
		t.Errorf("%d %v %.200s", res.StatusCode, res.Header, body)
	}
	mustHave(t, string(body), "<style>", "Выпуск 3")
}

func TestATableWithoutAFigureSaysSo(t *testing.T) {
	body := newWorld(t).body(t, "/en/dataset/main_prices/chart/prices.xlsx", 404)
	mustHave(t, body, "This table has no figure", `href="/en/dataset/main_prices/table/prices.xlsx?sheet=2025"`)
}

func TestATableLongerThanAFigureIsNotRead(t *testing.T) {
	w := newWorld(t)
	for digest, tables := range w.view.tables {
		if digest == w.view.datasets[0].Latest.Resources[0].Hash {
			tables[0].info.Rows = 1_000_000
		}
	}
	mustHave(t, w.body(t, "/en"+chartAddress, 404), "This table has no figure")
}

func TestADifferenceHasNoMoreDecimalsThanItsFigures(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en"+chartAddress+"?kind=line&at.soato=1733", 200)
	mustHave(t, body, "2025: 4,318.3\u00a0thousand people. That is 1\u00a0thousand people more than in 2024.")
}
