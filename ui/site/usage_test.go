package site

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

// fakeCounter notes what was counted, and tells numbers.
type fakeCounter struct {
	counted []portal.UsageKey
	missed  []string
	numbers portal.Numbers
}

func (f *fakeCounter) Count(r *http.Request, k portal.UsageKey) {
	if r.Method == http.MethodGet {
		f.counted = append(f.counted, k)
	}
}

func (f *fakeCounter) Missed(_ *http.Request, _ portal.Lang, text string) {
	f.missed = append(f.missed, text)
}

func (f *fakeCounter) Numbers(context.Context, portal.View) (portal.Numbers, error) {
	return f.numbers, nil
}

func (f *fakeCounter) Used(_ context.Context, _ portal.View, id portal.DatasetID) (int64, error) {
	return f.numbers.Country.Used(id), nil
}

// counting is a world with a counter.
func counting(t testing.TB, numbers portal.Numbers, change ...func(*world)) (*world, *fakeCounter) {
	t.Helper()
	f := &fakeCounter{numbers: numbers}
	return newWorld(t, append(change, func(w *world) { w.options.Counter = f })...), f
}

func oneVisit(l portal.Lang, id string) portal.UsageKey {
	return portal.UsageKey{Kind: portal.Visits, Lang: l, Name: id}
}

func TestPagesOfADatasetSearchesAndMissesAreCounted(t *testing.T) {
	w, f := counting(t, portal.Numbers{}, func(w *world) { w.view.counted = true })
	for _, c := range []struct {
		address string
		status  int
		want    []portal.UsageKey
		missed  string
	}{
		{"/en/dataset/main_prices", 200, []portal.UsageKey{oneVisit("en", "main_prices")}, ""},
		{"/uz-cyrl/dataset/main_prices", 200, []portal.UsageKey{oneVisit("uz-Cyrl", "main_prices")}, ""},
		{"/ru/dataset/main_prices/history", 200, []portal.UsageKey{oneVisit("ru", "main_prices")}, ""},
		{"/ru/dataset/main_prices/table/prices.xlsx", 200, []portal.UsageKey{oneVisit("ru", "main_prices")}, ""},
		{"/ru/dataset/main_nothing", 404, nil, ""},
		{"/en/", 200, nil, ""},
		{"/en/search", 200, nil, ""},
		{"/en/search?q=a", 200, []portal.UsageKey{{Kind: portal.Searches, Lang: "en"}}, ""},
		{"/en/search?q=a&page=1", 200, nil, ""},
		{"/en/search?q=zzzz+qqqq", 200, []portal.UsageKey{{Kind: portal.Searches, Lang: "en"}}, "zzzz qqqq"},
		{"/en/search?q=zzzz+qqqq&theme=health", 200, []portal.UsageKey{{Kind: portal.Searches, Lang: "en"}}, ""},
		{"/en/search?q=zzzz&sort=bad", 400, nil, ""},
	} {
		for _, how := range []string{"made", "kept"} {
			f.counted, f.missed = nil, nil
			w.body(t, c.address, c.status)
			if !slices.Equal(f.counted, c.want) {
				t.Errorf("%s, %s: %v, want %v", c.address, how, f.counted, c.want)
			}
			if strings.Join(f.missed, "|") != c.missed {
				t.Errorf("%s, %s: missed %q, want %q", c.address, how, f.missed, c.missed)
			}
		}
	}
}

func TestAPageThatTheReaderHasIsCountedAndOneThatIsOnlyLookedForIsNot(t *testing.T) {
	w, f := counting(t, portal.Numbers{}, func(w *world) {
		w.options.Mark = func() (Mark, bool) { return Mark{State: w.view.state}, true }
	})
	tag := w.get(t, "/en/dataset/main_prices").Header.Get("ETag")
	f.counted = nil
	if res := w.get(t, "/en/dataset/main_prices", "If-None-Match", tag); res.StatusCode != http.StatusNotModified || len(f.counted) != 1 {
		t.Errorf("status %d, counted %v", res.StatusCode, f.counted)
	}
	f.counted = nil
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodHead, "/en/dataset/main_prices", nil))
	if rec.Code != 200 || len(f.counted) != 0 {
		t.Errorf("status %d, counted %v", rec.Code, f.counted)
	}
}

func TestASessionAtAKioskIsCountedOnce(t *testing.T) {
	w, f := counting(t, portal.Numbers{}, func(w *world) { w.options.Kiosk = true })
	w.get(t, "/kiosk/")
	if len(f.counted) != 0 {
		t.Errorf("nobody is there: %v", f.counted)
	}
	cookies := w.get(t, "/ru/").Cookies()
	want := []portal.UsageKey{{Kind: portal.KioskSessions, Lang: portal.Russian}}
	if !slices.Equal(f.counted, want) {
		t.Errorf("a visit: %v", f.counted)
	}
	for _, c := range cookies {
		if c.Name == visitCookie {
			w.get(t, "/ru/help", "Cookie", c.Name+"="+c.Value)
		}
	}
	if !slices.Equal(f.counted, want) {
		t.Errorf("its second page: %v", f.counted)
	}
}

// manyNumbers are as many as the page shows at most.
func manyNumbers() portal.Numbers {
	counts := func(n int64) portal.UsageCounts {
		return portal.UsageCounts{Visits: n, Downloads: n / 7, Searches: n / 3, Misses: 1, KioskSessions: n / 20, Langs: map[portal.Lang]int64{"uz": n / 2, "ru": 1}}
	}
	t := portal.UsageTotals{Until: "2026-10-13", Nodes: 17, Year: counts(123_400)}
	for i := range portal.UsageMonths {
		t.Months = append(t.Months, portal.UsageMonth{Month: portal.Month("2026-10").Before(portal.UsageMonths - 1 - i), UsageCounts: counts(int64(9000 + 331*i))})
	}
	for i := range 30 {
		t.Datasets = append(t.Datasets, portal.DatasetUse{Dataset: portal.DatasetID(fmt.Sprintf("main_rooms-%02d", i)), Visits: int64(900 - i), Downloads: 1})
		t.Words = append(t.Words, portal.WordUse{Word: strings.Repeat("avtobus", 2) + string(rune('a'+i%26)), Searches: int64(90 - i)})
	}
	t.Datasets[0].Dataset = "main_prices"
	own := t
	own.Nodes, own.Year = 0, counts(40)
	n := portal.Numbers{Own: own, Country: &t}
	for i := range 30 {
		n.Desks = append(n.Desks, portal.DeskNumbers{Publisher: "main", Unit: in("en", fmt.Sprintf("Unit of statistics no %d", i)), Received: 90 + i, Answered: 80 + i, Overdue: i, Median: i % 9})
	}
	return n
}

func TestNumbersShowTheCountryAndThisOffice(t *testing.T) {
	w, _ := counting(t, manyNumbers(), withSexes)
	body := w.body(t, "/en/numbers", 200)
	mustHave(t, body, "123,400 pages of datasets", "Counted up to 13 October 2026, at 17 nodes", "<figure>", "Unit of statistics no 3", "&lt;5", "avtobus", `href="/en/dataset/main_prices"`, "/en/numbers.csv", "Country: Visits")
	for _, l := range portal.Langs {
		if n := w.wire(t, "/"+l.Path()+"/numbers"); n > figureBudget {
			t.Errorf("%s: %d bytes, at most %d", l, n, figureBudget)
		}
	}
	mustHave(t, w.body(t, "/en/dataset/main_prices", 200), "Used 900 times in twelve months")
}

func TestNumbersBeforeAnythingCameSayWhatWasCountedHere(t *testing.T) {
	w, _ := counting(t, portal.Numbers{Own: portal.UsageTotals{Until: "2026-10-13", Year: portal.UsageCounts{Visits: 1}}})
	body := w.body(t, "/en/numbers", 200)
	mustHave(t, body, "&lt;5 pages of datasets", "nothing has come from the centre yet")
	mustNotHave(t, body, `id="desks"`, "Country")
}

func TestNumbersOfANodeOfTheFirstHourAreNoTableOfZeros(t *testing.T) {
	w, _ := counting(t, portal.Numbers{Own: portal.UsageTotals{Until: "2026-10-13"}})
	body := w.body(t, "/en/numbers", 200)
	mustHave(t, body, "Nothing has been counted yet", `id="fresh"`)
	mustNotHave(t, body, "Searches without hits", "pages of datasets", "numbers.csv")
}

func TestTheCentreDoesNotWaitForTheCentre(t *testing.T) {
	w, _ := counting(t, portal.Numbers{Own: portal.UsageTotals{Until: "2026-10-13", Year: portal.UsageCounts{Visits: 12}}}, func(w *world) { w.status.Role = portal.Central })
	body := w.body(t, "/en/numbers", 200)
	mustHave(t, body, "on this node alone")
	mustNotHave(t, body, "nothing has come from the centre")
}

func TestNumbersAsCSVHideSmallCounts(t *testing.T) {
	w, _ := counting(t, manyNumbers())
	body := w.body(t, "/en/numbers.csv", 200)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\uFEFF"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, r := range rows {
		have[strings.Join(r, " ")] = true
		if v := r[4]; v == "1" && !strings.HasPrefix(r[2], "questions") && !strings.HasPrefix(r[2], "median") {
			t.Errorf("a small count: %v", r)
		}
	}
	for _, want := range []string{"scope period measure of value", "country year visits  123400", "office year misses  <5", "country year visits main_prices 900", "country year downloads main_prices <5", "country 2026-10 searches  5537", "country all questions_received main/Unit of statistics no 0 90"} {
		if !have[want] {
			t.Errorf("no line %q", want)
		}
	}
	if kiosk, _ := counting(t, manyNumbers(), func(w *world) { w.options.Kiosk = true }); kiosk.get(t, "/en/numbers.csv").StatusCode != 404 {
		t.Error("a kiosk gives a file away")
	}
}
