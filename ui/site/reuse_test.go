package site

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

// fakeShowcase has a reuse that is alive and stands on data that has changed, one
// that looks for an adopter and one that sleeps by rule.
func fakeShowcase() portal.Showcase {
	of := func(n byte, title string, kind portal.ReuseKind, lived portal.Lived) portal.Reuse {
		return portal.Reuse{ID: portal.InquiryID{n}, ReuseDetails: portal.ReuseDetails{
			Kind: kind, Title: in("uz", title, "en", title+" (example)"), Summary: in("uz", "Aholi sonini xaritada koʻrsatadi."), Link: "https://example.org/" + title, By: "Namuna tashkiloti",
			Uses: []portal.ReuseSource{{Dataset: "main_population", Release: 2}, {Dataset: "main_prices"}, {Dataset: "gone_away"}}, Cohort: "suv-2025",
		}, Lived: []portal.Lived{lived}}
	}
	atlas := of(7, "Atlas", portal.ReuseVisualization, portal.Lived{State: portal.ReuseAlive, From: "2026-09-01", Until: "2026-09-20"})
	atlas.Risks = []portal.ReuseRisk{{Day: "2026-10-01", Dataset: "main_population", Release: 3, Columns: []portal.ColumnChange{
		{Table: "population", Column: "people", What: portal.ColumnRenamed, After: "persons"},
		{Table: "population", Column: "year", What: portal.ColumnRetyped, Before: "year", After: "string"},
		{Table: "population", Column: "sex", What: portal.ColumnRemoved},
		{Table: "method", What: portal.ColumnRemoved},
	}}}
	return portal.Showcase{
		Cohorts: []portal.Cohort{{ID: "suv-2025", Title: in("uz", "Suv xakatoni", "ru", "Водный хакатон"), Day: "2025-05-01", Entries: 20}},
		Reuses: []portal.Reuse{
			of(9, "Uyqu", portal.ReusePost, portal.Lived{State: portal.ReuseAlive, From: "2025-06-01", Until: "2025-06-01"}),
			of(8, "Yetim", portal.ReuseApplication, portal.Lived{State: portal.ReuseAdopter, From: "2026-09-01", Until: "2026-09-20"}),
			atlas,
		},
	}
}

func TestReusesAreListedWithHowTheyAreAsOfTheCopy(t *testing.T) {
	w := newWorld(t)
	page := w.body(t, "/en/reuses", 200)
	atlas, yetim, uyqu := strings.Index(page, "Atlas"), strings.Index(page, "Yetim"), strings.Index(page, "Uyqu")
	if atlas < 0 || yetim < atlas || uyqu < yetim {
		t.Errorf("alive, looking for an adopter, sleeping: at %d, %d, %d", atlas, yetim, uyqu)
	}
	for _, want := range []string{"Alive", "Sleeping", "Looking for an adopter", "0 of 20 alive after 1 year", "1 of 20 alive on 12 October 2026", "computed", "/en/reuses?cohort=suv-2025", "/feeds/en/reuses.atom"} {
		if !strings.Contains(page, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	page = w.body(t, "/en/reuses?state=sleeping", 200)
	if strings.Contains(page, "Atlas") || !strings.Contains(page, "Uyqu") {
		t.Error("the filter does not filter")
	}
	page = w.body(t, "/en/reuses/09000000000000000000000000000000", 200)
	if !strings.Contains(page, "after two check-ins of 90 days") {
		t.Errorf("why it sleeps is not told: %s", page)
	}
	page = w.body(t, "/en/reuses/08000000000000000000000000000000", 200)
	if !strings.Contains(page, "kind=feedback") || !strings.Contains(page, "08000000000000000000000000000000") {
		t.Errorf("nobody can adopt it: %s", page)
	}
	page = w.body(t, "/en/reuses/07000000000000000000000000000000", 200)
	for _, want := range []string{`href="https://example.org/Atlas"`, "now called “persons”", "was of the type year and is string", "“sex” is gone", "The table “method” is gone", "gone_away"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
	w.view.state.AsOf = now.AddDate(0, 0, 300) // a newer copy: nobody has said anything since
	if page = w.body(t, "/en/reuses/07000000000000000000000000000000", 200); !strings.Contains(page, "Sleeping") {
		t.Error("what nobody confirmed is alive for ever")
	}
}

func TestReusesStandBesideTheirDataAndInSearchAndFeed(t *testing.T) {
	w := newWorld(t)
	page := w.body(t, "/en/dataset/main_population", 200)
	for _, want := range []string{"Used by", "Atlas", "/en/reuses/new?uses=main_population"} {
		if !strings.Contains(page, want) {
			t.Errorf("the dataset's page lacks %q", want)
		}
	}
	if feed := w.body(t, "/feeds/en/reuses.atom", 200); !strings.Contains(feed, "koprik-reuse:07") || !strings.Contains(feed, "<title>Atlas (example)</title>") {
		t.Errorf("%s", feed)
	}
	w.options.Asker = nil
	closed := newWorld(t, func(w *world) { w.options.Asker = nil })
	for _, address := range []string{"/en/reuses", "/en/reuses/07000000000000000000000000000000", "/en/dataset/main_population"} {
		if page := closed.body(t, address, 200); strings.Contains(page, "reuses/new") || strings.Contains(page, `method="post"`) {
			t.Errorf("%s offers what is not taken", address)
		}
	}
}

func TestAKioskShowsLinksOutsideAsTextWithACode(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Kiosk = true })
	page := w.body(t, "/uz/reuses/07000000000000000000000000000000", 200)
	if strings.Contains(page, `href="http`) || !strings.Contains(page, "https://example.org/Atlas") || !strings.Contains(page, "<svg") {
		t.Errorf("%s", page)
	}
}

// reuseForm is a form that is filled in whole.
func reuseForm() url.Values {
	return url.Values{
		"kind": {"application"}, "title": {" Narxlar <b>xaritasi</b> "}, "summary": {"Narxlarni\r\nkoʻrsatadi."}, "link": {"https://example.org/narx"},
		"uses": {"main_prices\r\nhttps://data.example.uz/ru/dataset/main_population/history"}, "cohort": {"suv-2025"}, "by": {"Namuna"}, "consent": {"1"}, "email": {"maker@example.org"},
	}
}

func TestSubmittingGoesStepByStepAndShowsTheReceiptOnce(t *testing.T) {
	for _, kiosk := range []bool{false, true} {
		w := newWorld(t, func(w *world) { w.options.Kiosk = kiosk })
		form := reuseForm()
		for step, want := range map[string]string{"where": `name="link"`, "who": `name="consent"`, "check": `name="id"`, "what": `name="summary"`} {
			form.Set("step", step)
			page := w.fill(t, "/uz/reuses/new", 200, form)
			if !strings.Contains(page, want) || strings.Contains(page, "<b>xaritasi") {
				t.Errorf("%s: %s", step, page)
			}
			for _, kept := range []string{"Narxlar", "https://example.org/narx", "maker@example.org"} {
				if !strings.Contains(page, kept) {
					t.Errorf("%s forgets %q", step, kept)
				}
			}
		}
		form.Set("step", "send")
		page := w.fill(t, "/uz/reuses/new", 200, form)
		if !strings.Contains(page, goodCode.Reveal()) || strings.Contains(page, "maker@") {
			t.Errorf("receipt: %s", page)
		}
		q := w.asker.sent[0]
		want := []portal.ReuseSource{{Dataset: "main_prices", Release: 1}, {Dataset: "main_population", Release: 3}}
		if len(w.asker.sent) != 1 || q.Kind != portal.ReuseSubmission || !slices.Equal(q.Reuse.Uses, want) || q.Reuse.Title.Translated[portal.Uzbek] != "Narxlar <b>xaritasi</b>" || q.Email != "maker@example.org" {
			t.Errorf("sent %+v %+v", q, q.Reuse)
		}
	}
}

func TestWhatIsWrongWithAReuseIsToldAtItsFieldAndNothingIsSent(t *testing.T) {
	w := newWorld(t)
	for field, bad := range map[string][]string{
		"kind": {"", "idea", "<script>"}, "title": {"", "  ", strings.Repeat("a", 121), "a\u202eb"}, "summary": {"", strings.Repeat("a", 1001), "a\x00b"},
		"link":    {"", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//example.org", "https://gov.uz@example.org", "http://", "https://example.org/ a", "ftp://example.org"},
		"uses":    {"", "main_none", "../../etc/passwd", "main_population " + strings.Repeat("x_y ", 40)},
		"consent": {""}, "email": {"nobody", "a@b"}, "cohort": {"Xakaton!"},
	} {
		for _, value := range bad {
			form := reuseForm()
			form.Set(field, value)
			form.Set("step", "send")
			page := w.fill(t, "/ru/reuses/new", 422, form)
			at := map[string]string{"cohort": "uses"}[field]
			if at == "" {
				at = field
			}
			if !strings.Contains(page, `href="#`+at+`"`) || !strings.Contains(page, `id="`+at+`"`) {
				t.Errorf("%s=%.40q is not told at its field: %s", field, value, page)
			}
			if strings.Contains(page, "<script>") && field == "kind" {
				t.Error("what was typed is not escaped")
			}
		}
	}
	if len(w.asker.sent) != 0 {
		t.Errorf("sent %+v", w.asker.sent)
	}
	if page := w.fill(t, "/uz/reuses/new", 413, url.Values{"summary": {strings.Repeat("a", 1<<20)}}); strings.Contains(page, "aaaa") {
		t.Error("what is too long is repeated")
	}
	w.asker.refuses = portal.ErrNoSpace
	w.fill(t, "/uz/reuses/new", 507, reuseForm())
}

func TestACheckInNeedsTheReceiptOfThisReuse(t *testing.T) {
	w := newWorld(t)
	const address = "/en/reuses/07000000000000000000000000000000"
	if page := w.fill(t, address, 422, url.Values{"code": {goodCode.Reveal()}}); !strings.Contains(page, `href="#state"`) {
		t.Errorf("%s", page)
	}
	if page := w.fill(t, address, 422, url.Values{"state": {"alive"}, "code": {"ABC"}}); !strings.Contains(page, `href="#code"`) {
		t.Errorf("%s", page)
	}
	w.asker.answer = portal.Answer{State: portal.Published, At: now, Reuse: portal.InquiryID{8}}
	w.fill(t, address, 422, url.Values{"state": {"alive"}, "code": {goodCode.Reveal()}})
	if len(w.asker.sent) != 0 {
		t.Fatalf("sent %+v", w.asker.sent)
	}
	w.asker.answer.Reuse = portal.InquiryID{7}
	w.fill(t, address, 200, url.Values{"state": {"adopter"}, "code": {goodCode.Reveal()}})
	if len(w.asker.sent) != 1 || w.asker.sent[0].CheckIn != portal.ReuseAdopter || w.asker.codes[0] != goodCode {
		t.Errorf("sent %+v", w.asker.sent)
	}
	if page := w.fill(t, "/en/receipt", 200, url.Values{"code": {goodCode.Reveal()}}); !strings.Contains(page, "/en/reuses/07") {
		t.Errorf("the receipt does not lead to it: %s", page)
	}
	w.fill(t, "/en/reuses/05000000000000000000000000000000", 404, url.Values{"state": {"alive"}, "code": {goodCode.Reveal()}})
}

func TestAFormOfAnotherSiteSubmitsNothing(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("POST", "/uz/reuses/new", strings.NewReader(reuseForm().Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if rec.Code != 403 || len(w.asker.sent) != 0 {
		t.Errorf("status %d, sent %+v", rec.Code, w.asker.sent)
	}
}
