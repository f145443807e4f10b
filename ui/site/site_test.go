package site

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"koprik/portal"
	"koprik/ui/assets"
)

func mustAssets(t testing.TB) *assets.Set {
	t.Helper()
	s, err := assets.Load(false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustHave finds every text in the page's source or in what it spells out.
func mustHave(t *testing.T, body string, wanted ...string) {
	t.Helper()
	plain := html.UnescapeString(body)
	for _, w := range wanted {
		if !strings.Contains(body, w) && !strings.Contains(plain, w) {
			t.Errorf("does not have %q in\n%s", w, body)
		}
	}
}

func mustNotHave(t *testing.T, body string, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(body, w) {
			t.Errorf("has %q in\n%s", w, body)
		}
	}
}

func TestNewRefusesMissingOptions(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error")
	}
}

func TestRootChoosesTheLanguage(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ cookie, accept, want string }{
		{"", "", "/uz/"},
		{"", "de-DE,de;q=0.9", "/uz/"},
		{"", "ru-RU,ru;q=0.9,en;q=0.8", "/ru/"},
		{"", "en-GB", "/en/"},
		{"", "uz-Cyrl-UZ", "/uz-cyrl/"},
		{"", "kaa", "/kaa/"},
		{"", "uz-UZ", "/uz/"},
		{"lang=kaa", "ru", "/kaa/"},
		{"lang=klingon", "ru", "/ru/"},
		{"", "\x00;;;q=q", "/uz/"},
	} {
		res := w.get(t, "/", "Cookie", c.cookie, "Accept-Language", c.accept)
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusFound || got != c.want {
			t.Errorf("cookie %q, Accept-Language %q: %d to %q, want %q", c.cookie, c.accept, res.StatusCode, got, c.want)
		}
		if res.Header.Get("Vary") == "" {
			t.Error("no Vary")
		}
	}
}

func TestTheLanguageOfAPageIsRememberedOnce(t *testing.T) {
	w := newWorld(t)
	res := w.get(t, "/ru/node")
	if got := res.Header.Get("Set-Cookie"); !strings.HasPrefix(got, "lang=ru;") || !strings.Contains(got, "HttpOnly") || !strings.Contains(got, "SameSite=Lax") {
		t.Errorf("cookie %q", got)
	}
	if got := w.get(t, "/ru/node", "Cookie", "lang=ru").Header.Get("Set-Cookie"); got != "" {
		t.Errorf("set again: %q", got)
	}
	if got := w.get(t, "/de/node").Header.Get("Set-Cookie"); got != "" {
		t.Errorf("set by an unknown language: %q", got)
	}
}

func TestTheLanguageSwitchKeepsTheAddress(t *testing.T) {
	body := newWorld(t).body(t, "/en/search?q=%D0%B2%D0%BE%D0%B4%D0%B0&page=1", 200)
	for _, l := range []string{"uz", "uz-cyrl", "kaa", "ru"} {
		mustHave(t, body, `href="/`+l+`/search?q=%D0%B2%D0%BE%D0%B4%D0%B0&amp;page=1"`)
	}
	mustHave(t, body, "Oʻzbekcha", "Ўзбекча", "Qaraqalpaqsha", "Русский", `<b lang="en" aria-current="true">English</b>`)
}

func TestOtherSpellingsOfALanguageLeadToTheAddress(t *testing.T) {
	w := newWorld(t)
	for from, to := range map[string]string{
		"/uz": "/uz/", "/uz-Cyrl/node?x=1": "/uz-cyrl/node?x=1", "/RU/search": "/ru/search", "/EN//evil.example/": "/en/evil.example/",
	} {
		res := w.get(t, from)
		got := res.Header.Get("Location")
		if from == "/EN//evil.example/" { // the router cleans the path first
			got = w.get(t, got).Header.Get("Location")
		}
		if res.StatusCode != http.StatusMovedPermanently || got != to {
			t.Errorf("%s: %d to %q, want %q", from, res.StatusCode, got, to)
		}
	}
}

func TestAnUnknownLanguageOffersThoseThereAre(t *testing.T) {
	w := newWorld(t)
	res := w.get(t, "/de/search", "Accept-Language", "en")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 404 {
		t.Errorf("status %d", res.StatusCode)
	}
	mustHave(t, string(body), "does not speak that language", `href="/uz/"`, `href="/kaa/"`)
	mustHave(t, w.body(t, "/en/nowhere", 404), "There is no such page")
}

func TestTheStateLineSaysWhichCopy(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*world)
		lang   string
		want   []string
	}{
		{"fresh", func(*world) {}, "en", []string{`class="state fresh"`, "Copy of 12 October 2026, verified", "generation 12"}},
		{"fresh in Uzbek", func(*world) {}, "uz", []string{"2026-\u2060yil 12-\u2060oktabr holatidagi nusxa, tekshirilgan"}},
		{"fresh in Cyrillic", func(*world) {}, "uz-cyrl", []string{"2026 йил 12 октябрь"}},
		{"fresh in Karakalpak", func(*world) {}, "kaa", []string{"2026-\u2060jıl 12-\u2060oktyabr"}},
		{"stale", func(w *world) { w.view.state.Expires = now.Add(-time.Hour) }, "ru", []string{`class="state stale"`, "12 октября 2026\u00a0г., 2 дня назад"}},
		{"from a stick", func(w *world) { w.view.state.Media = true }, "en", []string{`class="state stale"`}},
		{"old", func(w *world) { w.view.state.AsOf = now.AddDate(-2, 0, 0) }, "en", []string{`class="state old"`, "This copy is old"}},
		{"set to be old", func(w *world) { w.options.OldAfter = time.Hour }, "en", []string{`class="state old"`}},
		{"never filled", func(w *world) { w.view.state = portal.CopyState{} }, "en", []string{`class="state none"`, "does not hold a copy"}},
		{"clock", func(w *world) { w.status.ClockWrong = true }, "en", []string{"the clock of this machine is wrong"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.change)
			mustHave(t, w.body(t, "/"+c.lang+"/", 200), c.want...)
			grade := strings.ToUpper(strings.Fields(strings.ReplaceAll(c.name, "set to be ", ""))[0])
			if got := w.get(t, "/"+c.lang+"/help").Header.Get("Koprik-Fresh"); (grade == "FRESH" || grade == "STALE" || grade == "OLD") && got != grade {
				t.Errorf("the header says %q", got)
			}
			w.body(t, "/"+c.lang+"/node", 200)
		})
	}
}

func TestADayBeginsInTheZoneOfThePortal(t *testing.T) {
	// Issued on 11 October at 20:30 UTC, which in Tashkent is the 12th.
	mustHave(t, newWorld(t).body(t, "/en/dataset/main_population", 200), "3, 12 October 2026")
}

func TestAPageIsNotSentTwice(t *testing.T) {
	w := newWorld(t)
	const address = "/en/dataset/main_population"
	tag := w.get(t, address).Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"12-`) {
		t.Fatalf("ETag %q", tag)
	}
	res := w.get(t, address, "If-None-Match", `"other", `+tag)
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusNotModified || len(body) > 0 {
		t.Errorf("status %d with %d bytes", res.StatusCode, len(body))
	}
	if w.get(t, address, "If-None-Match", "*").StatusCode != 200 {
		t.Error("a star matched")
	}
	for _, other := range []string{"/ru/dataset/main_population", "/en/dataset/main_prices"} {
		if w.get(t, other).Header.Get("ETag") == tag {
			t.Errorf("%s has the same ETag", other)
		}
	}
	if w.get(t, "/en/search").Header.Get("ETag") == w.get(t, "/en/search?q=aholi").Header.Get("ETag") {
		t.Error("two searches have the same ETag")
	}
	changes := map[string]func(*world){
		"generation": func(w *world) { w.view.state.Generation++ },
		"freshness":  func(w *world) { w.view.state.Media = true },
		"title":      func(w *world) { w.status.Title = "Another" },
		"build":      func(w *world) { w.options.Version = "2" },
		"day":        func(w *world) { w.options.Now = func() time.Time { return now.Add(24 * time.Hour) } },
	}
	for name, change := range changes {
		if newWorld(t, change).get(t, address, "If-None-Match", tag).StatusCode != 200 {
			t.Errorf("another %s has the same ETag", name)
		}
	}
	for _, none := range []string{"/en/node", "/en/dataset/main_none", "/en/dataset/water_canals"} {
		if got := w.get(t, none).Header.Get("ETag"); got != "" {
			t.Errorf("%s has the ETag %s", none, got)
		}
	}
}

func TestAPageTakesOneView(t *testing.T) {
	w := newWorld(t)
	w.body(t, "/en/dataset/main_population", 200)
	if n := w.views.Load(); n != 1 {
		t.Errorf("%d views", n)
	}
}

func TestOnlyReadingIsAnswered(t *testing.T) {
	w := newWorld(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, httptest.NewRequest(method, "/ru/search", strings.NewReader("q=1")))
		if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, rec.Code, rec.Header().Get("Allow"))
		}
		mustHave(t, rec.Body.String(), "можно только читать")
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodHead, "/ru/search", nil))
	if rec.Code != 200 || rec.Body.Len() != 0 {
		t.Errorf("HEAD: %d with %d bytes", rec.Code, rec.Body.Len())
	}
}

func TestErrorsBecomePages(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		want   string
		logged bool
	}{
		{"busy", fmt.Errorf("index: %w", portal.ErrTooMuch), 503, "This node is busy", false},
		{"slow", context.DeadlineExceeded, 503, "This node is busy", false},
		{"locked", portal.ErrLocked, 503, "This node is busy", false},
		{"usage", fmt.Errorf("q: %w", portal.ErrUsage), 400, "cannot be answered", false},
		{"rejected", portal.Rejected("q", "no"), 422, "cannot be answered", false},
		{"gone", portal.ErrGone, 410, "Withdrawn", false},
		{"not held", portal.ErrNotHeld, 404, "not on this node", false},
		{"unexpected", errors.New("secret: /var/lib/koprik is on fire"), 500, "Something went wrong", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.view.failing = c.err })
			body := w.body(t, "/en/search?q=x", c.status)
			mustHave(t, body, c.want, "generation 12")
			mustNotHave(t, body, "secret", "fire")
			if (w.log.Len() > 0) != c.logged {
				t.Errorf("log: %q", w.log)
			}
			if c.logged {
				_, rest, _ := strings.Cut(body, "the number ")
				id, _, _ := strings.Cut(rest, ".")
				mustHave(t, w.log.String(), "id="+id, "secret")
			}
		})
	}
}

func TestWithoutAViewThereIsStillAPage(t *testing.T) {
	w := newWorld(t, func(w *world) { w.viewErr = fmt.Errorf("catalog: %w", portal.ErrLocked) })
	body := w.body(t, "/ru/", 503)
	mustHave(t, body, "Этот узел занят", "<h1>")
	mustNotHave(t, body, `class="state`)
	w = newWorld(t, func(w *world) {
		w.options.Status = func(context.Context) (portal.Status, error) { return portal.Status{}, errors.New("no") }
	})
	w.body(t, "/ru/", 500)
}

func TestTheDraftMarkStandsUnderUnreviewedWords(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, "/kaa/", 200), "Awdarma joybarı")
	mustNotHave(t, w.body(t, "/en/", 200), "Draft translation")
}

func TestAssetsStayForEver(t *testing.T) {
	w := newWorld(t)
	res := w.get(t, mustAssets(t).URL("style.css"))
	if res.StatusCode != 200 || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/css") {
		t.Errorf("%d, %v", res.StatusCode, res.Header)
	}
	if w.get(t, "/assets/style.css").StatusCode != 404 {
		t.Error("an address without the digest is answered")
	}
}

func TestPagesAreCompressed(t *testing.T) {
	res := newWorld(t).get(t, "/uz/", "Accept-Encoding", "gzip")
	if res.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(res.Header.Get("Vary"), "Accept-Encoding") {
		t.Errorf("%v", res.Header)
	}
}
