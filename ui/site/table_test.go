package site

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"koprik/portal"
)

const tableAddress = "/en/dataset/main_population/table/population"

func TestATableIsAskedByItsAddress(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, tableAddress+"?region__contains=Xorazm&year__eq=2020&sort=people&desc=1", 200)
	mustHave(t, body, "Region contains “Xorazm”, 2020: 1 row of 96.", "Sorted by All, thousand, descending.",
		`aria-sort="descending"`, `>2020</td>`, `>4,313.3</td>`, "–", `>yes</td>`,
		`name="region__contains" value="Xorazm"`, `name="_is.year" value="2020" checked`, "Show everything")
	mustNotHave(t, body, "Andijon")
}

func TestHeadingsSortAndTurnTheOrderRound(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, tableAddress+"?region__contains=X", 200), `href="`+tableAddress+`?region__contains=X&amp;sort=year"`)
	mustHave(t, w.body(t, tableAddress+"?sort=year", 200), `href="`+tableAddress+`?desc=1&amp;sort=year"`, `aria-sort="ascending"`)
	mustHave(t, w.body(t, tableAddress+"?sort=year&desc=1", 200), `href="`+tableAddress+`?sort=year"`)
}

func TestPagesOfATableFollowTheCursor(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, tableAddress, 200), `href="`+tableAddress+`?after=o11"`, "The whole table: 96 rows.")
	body := w.body(t, tableAddress+"?after=o85", 200)
	mustHave(t, body, "Toshkent shahri", `href="`+tableAddress+`"`)
	mustNotHave(t, body, "Next rows")
}

func TestTheFormsNewConditionBecomesTheAddressItMeans(t *testing.T) {
	w := newWorld(t)
	for from, to := range map[string]string{
		"?_column=region&_op=eq&_value=Buxoro+viloyati&sort=&desc=":      "?region__eq=Buxoro+viloyati",
		"?_column=&_op=eq&_value=&sort=year&desc=1&after=o50":            "?desc=1&sort=year",
		"?_column=year&_op=ge&_value=2020&region__eq=&people__gt=5":      "?people__gt=5&year__ge=2020",
		"?_column=year&_op=ne&_value=2021&year__ne=2020&sort=&desc=1":    "?year__ne=2020&year__ne=2021",
		"?_column=&_op=eq&_value=&region__eq=&sort=&desc=":               "",
		"?_column=&_op=eq&_value=&region__eq=a+%26+b&sheet=&unknown=yes": "?region__eq=a+%26+b&unknown=yes",
	} {
		res := w.get(t, tableAddress+from)
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != tableAddress+to {
			t.Errorf("%s: %d to %q, want %q", from, res.StatusCode, got, tableAddress+to)
		}
	}
}

func TestWorkbooksShowTheirSheets(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en/dataset/main_prices/table/prices.xlsx", 200)
	mustHave(t, body, `<b aria-current="true">2025</b>`, `?sheet=2024&#43;%26&#43;oldin`, "row 3 was taken as the heading")
	body = w.body(t, "/en/dataset/main_prices/table/prices.xlsx?sheet=2024+%26+oldin", 200)
	mustHave(t, body, "No row meets these conditions", `type="hidden" name="sheet" value="2024 &amp; oldin"`)
}

func TestBadQueriesOfATableAreNamed(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", maxValue+1)
	many := strings.Repeat("&year__ne=1", maxConditions+1)
	for query, want := range map[string]string{
		"?sort=nothing":                        "no column “nothing”",
		"?nothing__eq=1":                       "no column “nothing”",
		"?year__like=1":                        "condition “like” is not known",
		"?year__eq=" + long:                    "at most 200 characters",
		"?" + many:                             "at most 20 are allowed",
		"?after=tomorrow":                      "cannot be asked this",
		"?desc=sideways&sort=year":             "“sideways”",
		"?sheet=4":                             "no sheet “4”",
		"?_column=year&_op=eq&_value=":         "conditions are incomplete",
		"?_column=&_op=eq&_value=5":            "conditions are incomplete",
		"?_column=nothing&_op=eq&_value=5":     "no column “nothing”",
		"?_column=year&_op=sounds&_value=5":    "condition “sounds” is not known",
		"?year__eq=%ff":                        "cannot be used",
		"?year__eq=%zz":                        "cannot be used",
		"?year__eq=a%00b":                      "cannot be used",
		"?x=" + strings.Repeat("y", 9000):      "at most 8,192 characters",
		"?%3Cscript%3E__eq=1":                  "no column “&lt;script&gt;”",
		"?__eq=1&sort=" + url.QueryEscape("'"): "no column “&#39;”",
	} {
		body := w.body(t, tableAddress+query, 400)
		mustHave(t, body, want)
		checkPage(t, query[:min(40, len(query))], portal.English, []byte(body))
	}
}

func TestWhatIsNoTableSaysWhatItIs(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, "/en/dataset/main_population/table/method", 404), "This file is not a table", `href="/en/dataset/main_population"`)
	mustHave(t, w.body(t, "/en/dataset/main_prices/table/archive", 404), "This file is not on this node", "2.3\u00a0GB", `href="/en/dataset/main_prices"`)
	mustHave(t, w.body(t, "/en/dataset/main_population/table/none", 404), "There is no such page")
	w.body(t, "/en/dataset/main_prices/table/broken", 500)
}

func TestNumbersThatAreNamesKeepTheirDigitsTogether(t *testing.T) {
	rows := [][]any{{int64(2020)}, {int64(1999)}}
	for _, c := range []struct {
		field portal.Field
		rows  [][]any
		label bool
	}{
		{portal.Field{Name: "Yil", Type: "integer"}, rows, true},
		{portal.Field{Name: "год"}, rows, true},
		{portal.Field{Name: "yili"}, [][]any{{int64(1893300)}}, false},
		{portal.Field{Name: "n", Type: "year"}, rows, true},
		{portal.Field{Name: "region_code"}, rows, true},
		{portal.Field{Name: "x", Title: in("ru", "Код СОАТО")}, rows, true},
		{portal.Field{Name: "people"}, rows, false},
		{portal.Field{Name: "godly_sum"}, [][]any{{2020.5}}, false},
	} {
		if got := isLabel(c.field, c.rows, 0); got != c.label {
			t.Errorf("%s: %v", c.field.Name, got)
		}
	}
	if numeric(portal.Field{}, [][]any{{nil}, {"a"}}, 0) || !numeric(portal.Field{}, [][]any{{nil}, {1.5}}, 0) || numeric(portal.Field{Type: "string"}, rows, 0) {
		t.Error("which columns are numbers")
	}
}

// Any query of any page gets a page: an answer or what is wrong, never 500.
func FuzzAddresses(f *testing.F) {
	for _, q := range []string{"q=a&theme=health&page=2", "sort=year&desc=1&region__eq=x", "_column=year&_op=eq&_value=1", "after=o5", "%zz", "sheet=;", "page=-1", "_f=year&_is.year=2020&_is.year=2021&_c=1&_col=year", "year__in=2020,\"a\"&columns=year&q=x&year__between=1,"} {
		f.Add(q)
	}
	w := newWorld(f)
	w.log = nil
	f.Fuzz(func(t *testing.T, query string) {
		u := url.URL{RawQuery: query}
		if _, err := url.ParseRequestURI("/?" + query); err != nil || strings.ContainsAny(u.String(), " \r\n") {
			return
		}
		for _, path := range []string{"/uz/search", tableAddress, "/ru/publisher/main"} {
			if res := w.get(t, path+"?"+query); res.StatusCode >= 500 {
				t.Errorf("%s?%s: %d", path, query, res.StatusCode)
			}
		}
	})
}
