package site

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"koprik/portal"
)

func kiosk(t testing.TB, change ...func(*world)) *world {
	return newWorld(t, append([]func(*world){func(w *world) { w.options.Kiosk = true }}, change...)...)
}

func TestAKioskHasEveryPageAndNoWayOut(t *testing.T) {
	w := kiosk(t)
	for _, l := range portal.Langs {
		for _, p := range pages {
			address := "/" + l.Path() + p.address
			res := w.get(t, address)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != p.status {
				t.Errorf("%s: status %d, want %d", address, res.StatusCode, p.status)
			}
			if got := res.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: Cache-Control %q", address, got)
			}
			for _, c := range res.Cookies() {
				if c.MaxAge > 0 || !c.Expires.IsZero() {
					t.Errorf("%s: the cookie %q outlives the visit", address, c.Name)
				}
			}
			checkPage(t, address, l, body)
			mustLeadNowhere(t, address, string(body))
		}
	}
}

// mustLeadNowhere finds links and forms that leave the pages of the kiosk.
func mustLeadNowhere(t *testing.T, address, body string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		to := attr(n, "href") + attr(n, "action")
		switch {
		case n.Type != html.ElementNode, to == "", n.Data == "link", strings.HasPrefix(to, "#"):
		case strings.HasPrefix(to, "//"), !strings.HasPrefix(to, "/"), strings.HasPrefix(to, "/desk"), strings.HasPrefix(to, "/api"), strings.HasPrefix(to, "/dataset/"):
			t.Errorf("%s: leads to %s", address, to)
		}
	}
}

func TestOnAKioskNoButtonLeadsOutOfAFormThatIsOpen(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Kiosk = true })
	const out = `<a class="button" href="/en/ask">`
	mustHave(t, w.body(t, "/en/help", 200), out)
	for _, address := range []string{"/en/ask", "/en/ask?kind=data", "/en/receipt", "/en/reuses/new"} {
		mustNotHave(t, w.body(t, address, 200), out)
	}
}

func TestAddressesOutsideStandAsTextWithACode(t *testing.T) {
	body := kiosk(t).body(t, "/en/dataset/main_population", 200)
	mustHave(t, body, "prices@example.uz", "https://example.uz/method", `<svg viewBox="0 0`, "Code for your telephone", "https://creativecommons.org/licenses/by/4.0/")
	mustNotHave(t, body, "mailto:", "tel:", `href="https:`)
}

func TestTheEndOfAVisitForgetsEverything(t *testing.T) {
	w := kiosk(t)
	r := httptest.NewRequest(http.MethodPost, "/kiosk/end", nil)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	res := rec.Result()
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/kiosk/" {
		t.Errorf("%d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if got := res.Header.Get("Clear-Site-Data"); got != `"cache", "cookies", "storage"` {
		t.Errorf("Clear-Site-Data: %s", got)
	}
	ended := map[string]bool{}
	for _, c := range res.Cookies() {
		ended[c.Name] = c.MaxAge < 0
	}
	for _, name := range []string{visitCookie, sizeCookie, languageCookie} {
		if !ended[name] {
			t.Errorf("the cookie %s lives on", name)
		}
	}
	for _, bad := range []string{http.MethodGet, http.MethodPut} {
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, httptest.NewRequest(bad, "/kiosk/end", nil))
		if rec.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", bad, rec.Code)
		}
	}
	foreign := httptest.NewRequest(http.MethodPost, "/kiosk/end", nil)
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	rec = httptest.NewRecorder()
	w.handler.ServeHTTP(rec, foreign)
	if rec.Code != http.StatusForbidden {
		t.Errorf("another site may end a visit: %d", rec.Code)
	}
}

func TestAVisitThatNobodyEndedIsEndedByTheServer(t *testing.T) {
	w := kiosk(t)
	at := func(ago time.Duration) string { return visitCookie + "=" + strconv.FormatInt(now.Add(-ago).Unix(), 10) }
	for _, c := range []struct {
		cookie string
		over   bool
	}{{"", false}, {at(time.Minute), false}, {at(visitEnds + time.Second), true}, {at(-time.Hour), true}, {visitCookie + "=x", true}} {
		res := w.get(t, "/ru/search?q=suv", "Cookie", c.cookie)
		if over := res.StatusCode == http.StatusSeeOther && res.Header.Get("Location") == "/kiosk/"; over != c.over {
			t.Errorf("cookie %q: status %d", c.cookie, res.StatusCode)
		}
		if c.over && res.Header.Get("Clear-Site-Data") == "" {
			t.Errorf("cookie %q: nothing is forgotten", c.cookie)
		}
	}
	mustHave(t, w.body(t, "/ru/", 200), `<noscript><meta http-equiv="refresh"`)
}

func TestNobodyIsThereOnTheAttractPage(t *testing.T) {
	w := kiosk(t)
	res := w.get(t, "/kiosk/", "Cookie", visitCookie+"=1; "+sizeCookie+"=2")
	body, _ := io.ReadAll(res.Body)
	for _, l := range portal.Langs {
		mustHave(t, string(body), `href="/`+l.Path()+`/"`)
	}
	if res.StatusCode != 200 || res.Header.Get("Clear-Site-Data") == "" {
		t.Errorf("%d, %v", res.StatusCode, res.Header)
	}
	for _, c := range res.Cookies() {
		if c.MaxAge >= 0 {
			t.Errorf("sets the cookie %s", c.Name)
		}
	}
	mustNotHave(t, string(body), "data-idle", "http-equiv")
	if res := w.get(t, "/"); res.Header.Get("Location") != "/kiosk/" {
		t.Errorf("/ leads to %q", res.Header.Get("Location"))
	}
}

func TestLargerTextStaysForTheVisit(t *testing.T) {
	w := kiosk(t)
	r := httptest.NewRequest(http.MethodPost, "/kiosk/size", nil)
	r.Header.Set("Referer", "http://"+r.Host+"/uz/search?q=suv")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/uz/search?q=suv" {
		t.Errorf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	cookies := rec.Result().Cookies()
	if len(cookies) != 1 || cookies[0].Value != "2" || cookies[0].MaxAge != 0 {
		t.Fatalf("%v", cookies)
	}
	body, _ := io.ReadAll(w.get(t, "/uz/", "Cookie", sizeCookie+"=2").Body)
	mustHave(t, string(body), `class="large"`, "A−")
	for _, from := range []string{"http://evil.example/x", "http://example.com//evil.example", "::", ""} {
		r.Header.Set("Referer", from)
		if got := backOf(r, "/kiosk/"); got != "/kiosk/" {
			t.Errorf("from %q back to %q", from, got)
		}
	}
}

func TestComponentsAreShownInDevelopmentOnly(t *testing.T) {
	newWorld(t).body(t, "/desk/components", 404)
	mustHave(t, kiosk(t, func(w *world) { w.options.Development = true }).body(t, "/desk/components", 200), `class="slide"`, `class="bar"`, "<dialog")
	w := newWorld(t, func(w *world) { w.options.Development = true })
	for _, l := range portal.Langs {
		res := w.get(t, "/desk/components", "Cookie", "lang="+l.Path())
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 200 {
			t.Errorf("%s: %d", l, res.StatusCode)
		}
		checkPage(t, "/desk/components", l, body)
	}
}

func TestACodeIsReadAsWhatItSays(t *testing.T) {
	if qrOf(strings.Repeat("x", 5000), "") != nil {
		t.Error("a code for what does not fit one")
	}
	q := qrOf("https://example.uz/", "label")
	if q == nil || q.Size < 21+2*4 || !strings.HasPrefix(q.Path, "M4 4h7v1h-7") || len(q.Path) > 4000 {
		t.Errorf("%+v", q)
	}
}
