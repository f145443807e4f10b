package site

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"koprik/portal"
)

func TestHomeOffersThemesNewestAndPublishers(t *testing.T) {
	body := newWorld(t).body(t, "/ru/", 200)
	mustHave(t, body, "Что вы хотите узнать?", "28 наборов данных", `href="/ru/theme/education"`, `<span class="mute">25</span>`,
		"Численность населения Узбекистана", `href="/ru/publisher/main"`, "Демонстрационный издатель")
	_, void, _ := strings.Cut(body, "По этим темам пока ничего не опубликовано.")
	mustHave(t, void, `href="/ru/theme/energy"`)
	empty := newWorld(t, func(w *world) { w.view.datasets = nil })
	for _, address := range []string{"/ru/", "/ru/search"} {
		body := empty.body(t, address, 200)
		mustHave(t, body, "Здесь ещё нет наборов данных.")
		mustNotHave(t, body, "Ничего не найдено")
	}
	mustNotHave(t, empty.body(t, "/ru/numbers", 200), `id="split"`, `id="fresh"`, "0 из 0")
}

func TestSearchKeepsTheQueryAndCountsItsFacets(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en/search?q=maktab", 200)
	mustHave(t, body, `value="maktab"`, "25 datasets found", `name="year" value="2016"`, "Page 1 of 3", `href="/en/search?page=2&amp;q=maktab"`,
		"<title>Search: maktab")
	body = w.body(t, "/en/search?q=maktab&theme=education&theme=health&page=2", 200)
	mustHave(t, body, `value="education" checked`, `value="health" checked`, `href="/en/search?q=maktab&amp;theme=health"`, `href="/en/search?q=maktab"`,
		"Page 2 of 3")
	body = w.body(t, "/en/search?format=csv&license=CC-BY-4.0&publisher=main", 200)
	mustHave(t, body, "1 dataset found", "Population of Uzbekistan", "Demonstration publisher", "CC BY 4.0")
}

func TestNothingFoundIsAPage(t *testing.T) {
	body := newWorld(t).body(t, "/en/search?q=zzz&theme=health", 200)
	mustHave(t, body, "Nothing was found.", "both Latin and Cyrillic", "Also searched: ззз", `href="/en/theme/education"`, "Remove the filters.", `href="/en/search?q=zzz"`)
}

func TestFacetsNameTheirValuesAndStandInTheirOrder(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en/search?q=maktab", 200)
	mustHave(t, body, "Tashkent City", "By region", `name="sex" value="yes"`, "Split by sex", `name="freshness" value="month"`, "Within a month",
		`name="language" value="ru"`, "<summary>Show 2 more</summary>")
	box := body[strings.Index(body, "<legend>Year</legend>"):]
	if years := regexp.MustCompile(`name="year" value="(\d+)"`).FindAllStringSubmatch(box, -1); len(years) != 10 || years[0][1] != "2025" || years[9][1] != "2016" {
		t.Errorf("years %v", years)
	}
	if shown, _, _ := strings.Cut(box, "<details>"); strings.Count(shown, "<input") != 8 {
		t.Errorf("%d years are shown at once", strings.Count(shown, "<input"))
	}
	if strings.Contains(body, `name="license"`) || strings.Contains(body, `name="theme"`) {
		t.Error("a facet with one value is offered")
	}
	body = w.body(t, "/ru/search?q=maktab&region=UZ-TK&year=2016", 200)
	mustHave(t, body, "Город Ташкент", `value="2016" checked`, `href="/ru/search?q=maktab&amp;year=2016"`)
	mustHave(t, w.body(t, "/uz-cyrl/search?q=maktab", 200), "Тошкент шаҳри", "Жинс бўйича ажратилган")
}

func TestASearchSaysWhatWasMeantAndWhatElseItLookedFor(t *testing.T) {
	body := newWorld(t).body(t, "/en/search?q=maktb&page=1&theme=health", 200)
	mustHave(t, body, `Did you mean: <a href="/en/search?q=maktab&amp;theme=health"><b>maktab</b></a>`, "Also searched: мактб")
	body = newWorld(t).body(t, "/en/search?q=maktab", 200)
	mustHave(t, body, "Also searched: мактаб")
	if strings.Contains(body, "Did you mean") {
		t.Error("a word that was found is doubted")
	}
}

func TestPublicQuestionsStandUnderTheHits(t *testing.T) {
	w := newWorld(t)
	if body := w.body(t, "/en/search?q=maktab", 200); strings.Contains(body, `id="threads"`) {
		t.Error("a heading over nothing")
	}
	w = newWorld(t)
	about := w.view.datasets[0].ID
	w.view.threads = map[portal.InquiryID]portal.Thread{
		{1}: {ID: portal.InquiryID{1}, Kind: portal.Question, Lang: portal.Uzbek, Text: "Yangi maktab <b>qachon</b>\n ochiladi?", About: portal.Place{Dataset: about}, Answers: []portal.ThreadAnswer{{Text: "Kuzda"}}},
		{2}: {ID: portal.InquiryID{2}, Text: "maktab: gone since"}, // of another generation
	}
	body := w.body(t, "/en/search?q=maktab", 200)
	mustHave(t, body, `<h2 id="threads">`, `<a href="/en/inquiry/01000000000000000000000000000000"><span lang="uz">Yangi maktab &lt;b&gt;qachon&lt;/b&gt;`)
	if strings.Contains(body, "gone since") {
		t.Error("a question that the view has not is shown")
	}
	checkPage(t, "questions", portal.English, []byte(body))
}

func TestTheOrderByUseIsOfferedWhereUsesAreCounted(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en/search?sort=name", 200)
	mustHave(t, body, `<option value="title" selected>By name</option>`)
	if strings.Contains(body, `value="used"`) {
		t.Error("an order that means nothing is offered")
	}
	w = newWorld(t)
	w.view.counted = true
	mustHave(t, w.body(t, "/en/search?sort=used", 200), `<option value="used" selected>Most used first</option>`)
}

func TestBadSearchesAreNamed(t *testing.T) {
	w := newWorld(t)
	for query, want := range map[string]string{
		"?page=0":                    "whole number from 1 to",
		"?page=-3":                   "whole number from 1 to",
		"?page=x%3C":                 "“x&lt;” is not",
		"?page=99999999999999999999": "whole number from 1 to",
		"?page=9000":                 "whole number from 1 to 8,333",
		"?theme=gossip":              "no topic “gossip”",
		"?publisher=Not%20A%20Slug":  "“Not A Slug” cannot be used",
		"?region=UZ-ZZ":              "“UZ-ZZ” cannot be used",
		"?year=20x4":                 "“20x4” cannot be used",
		"?language=de":               "“de” cannot be used",
		"?sex=maybe":                 "“maybe” cannot be used",
		"?freshness=today":           "“today” cannot be used",
		"?sort=random":               "“random” is not known",
		"?q=" + url.QueryEscape(strings.Repeat("ў", 501)): "at most 500 characters are allowed, yours has 501",
		"?format=" + strings.Repeat("x", 101):             "at most 100 characters",
		"?q=%ff":                                          "cannot be used",
	} {
		body := w.body(t, "/en/search"+query, 400)
		mustHave(t, body, want)
		checkPage(t, query[:min(40, len(query))], portal.English, []byte(body))
	}
	var many strings.Builder
	for i := range maxFilterValues + 1 {
		many.WriteString("&format=f" + strings.Repeat("x", i))
	}
	mustHave(t, w.body(t, "/en/search?"+many.String(), 400), "at most 50 are allowed")
	mustHave(t, w.body(t, "/en/search?q=maktab&page=4", 404), "results end at page 3", `href="/en/search?q=maktab"`)
}

func TestListsOfThemesAndPublishersHavePages(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, "/en/theme/education", 200), "25 datasets", `href="/en/theme/education?page=2"`)
	mustHave(t, w.body(t, "/en/theme/education?page=3", 200), `href="/en/theme/education?page=2"`, "Maktablar roʻyxati 24")
	mustHave(t, w.body(t, "/en/theme/energy", 200), "No datasets on this topic yet.")
	mustHave(t, w.body(t, "/en/theme/gossip", 404), "no topic “gossip”")
	mustHave(t, w.body(t, "/en/publisher/main", 200), "Answered until 31 December 2023", `href="https://example.uz/"`)
	for _, none := range []string{"/en/publisher/nobody", "/en/publisher/Not%20One", "/en/dataset/nobody_x", "/en/dataset/%3Cscript%3E"} {
		mustHave(t, w.body(t, none, 404), "There is no such page")
	}
}
