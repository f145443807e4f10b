package site

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"koprik/portal"
)

// fakeAsker keeps what was sent and gives one answer and one thread.
type fakeAsker struct {
	refuses error
	busy    error // what sending ends with
	sent    []portal.Inquiry
	codes   []portal.ReceiptCode
	answer  portal.Answer
}

// goodCode is a receipt that opens the fake's answer.
var goodCode = portal.NewReceiptCode([portal.ReceiptRandom]byte{1, 2, 3})

func (f *fakeAsker) CanAsk(context.Context) error { return f.refuses }

func (f *fakeAsker) Send(_ context.Context, q portal.Inquiry, code portal.ReceiptCode) (portal.ReceiptCode, error) {
	if f.busy != nil {
		return code, f.busy
	}
	q.Day = "2026-10-14"
	if err := q.Validate(); err != nil {
		return code, err
	}
	f.sent, f.codes = append(f.sent, q), append(f.codes, code)
	if code.IsZero() {
		code = goodCode
	}
	return code, nil
}

func (f *fakeAsker) OpenReceipt(_ context.Context, code portal.ReceiptCode) (portal.Answer, bool, error) {
	return f.answer, code == goodCode && f.answer.State != "", nil
}

func (f *fakeAsker) NewestThreads(ctx context.Context, v portal.View, most int) ([]portal.Thread, error) {
	list, err := f.Threads(ctx, v, "main_population")
	return list[:min(len(list), most)], err
}

func (f *fakeAsker) Threads(_ context.Context, _ portal.View, id portal.DatasetID) ([]portal.Thread, error) {
	if id != "main_population" {
		return nil, nil
	}
	return []portal.Thread{fakeThread()}, nil
}

func (f *fakeAsker) Thread(_ context.Context, _ portal.View, id portal.InquiryID) (portal.Thread, error) {
	if t := fakeThread(); t.ID == id {
		return t, nil
	}
	return portal.Thread{}, portal.ErrNotFound
}

func fakeThread() portal.Thread {
	return portal.Thread{
		ID: portal.InquiryID{1}, Kind: portal.Question, Lang: portal.Uzbek, Text: "Nega 2020-yilda aholi soni boshqacha? <b>", About: portal.Place{Dataset: "main_population"},
		Asked: "2026-10-01", State: portal.Answered, Due: "2026-10-22", Support: 2, Useful: portal.UsefulCount{Yes: 1},
		Answers: []portal.ThreadAnswer{{Day: "2026-10-08", State: portal.Answered, Text: "Hisoblash usuli oʻzgardi.", Lang: portal.Uzbek, Post: "Boʻlim boshligʻi", Days: 5, Dataset: "main_population"}},
	}
}

// fill sends a form and gives the page.
func (w *world) fill(t testing.TB, address string, status int, form url.Values) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	body, err := io.ReadAll(rec.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Code != status {
		t.Fatalf("%s: status %d, want %d\n%s", address, rec.Code, status, body)
	}
	if got := rec.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control %q", address, got)
	}
	if n := w.open.Load(); n != 0 {
		t.Errorf("%s: %d views left open", address, n)
	}
	return string(body)
}

func TestAskingGoesStepByStepAndShowsTheReceiptOnce(t *testing.T) {
	for _, kiosk := range []bool{false, true} {
		w := newWorld(t, func(w *world) { w.options.Kiosk = kiosk })
		form := url.Values{"kind": {"question"}, "dataset": {"main_population"}, "text": {" Nega <i>boshqacha</i>?\r\nRahmat. "}, "step": {"contact"}}
		if page := w.fill(t, "/uz/ask", 200, form); !strings.Contains(page, `name="public"`) || !strings.Contains(page, `value="Nega &lt;i&gt;boshqacha&lt;/i&gt;?`) {
			t.Errorf("contact: %s", page)
		}
		form.Set("step", "check")
		if page := w.fill(t, "/uz/ask", 422, form); !strings.Contains(page, `href="#public"`) {
			t.Errorf("nothing was chosen: %s", page)
		}
		form.Set("public", "yes")
		form.Set("email", "citizen@example.org")
		page := w.fill(t, "/uz/ask", 200, form)
		for _, want := range []string{"citizen@example.org", "Nega 2020-yilda", `value="send"`, `name="id"`} {
			if !strings.Contains(page, want) {
				t.Errorf("check lacks %q: %s", want, page)
			}
		}
		form.Set("step", "send")
		page = w.fill(t, "/uz/ask", 200, form)
		if !strings.Contains(page, goodCode.Reveal()) || !strings.Contains(page, "<svg") || strings.Contains(page, "boshqacha") || strings.Contains(page, "citizen@") {
			t.Errorf("receipt: %s", page)
		}
		if got := w.asker.sent; len(got) != 1 || got[0].Text != "Nega <i>boshqacha</i>?\nRahmat." || !got[0].Public || got[0].About.Release == 0 || got[0].Lang != portal.Uzbek {
			t.Errorf("sent %+v", got)
		}
	}
}

func TestWhatIsWrongIsToldAtItsField(t *testing.T) {
	w := newWorld(t)
	for field, form := range map[string]url.Values{
		"#text":  {"kind": {"question"}, "text": {strings.Repeat("қ", 2001)}, "step": {"contact"}},
		"#text ": {"kind": {"feedback"}, "text": {"a\x00b"}, "step": {"send"}, "public": {"no"}},
		"#email": {"kind": {"question"}, "text": {"a"}, "email": {"nobody"}, "public": {"no"}, "step": {"send"}},
		"#row":   {"kind": {"correction"}, "dataset": {"main_population"}, "table": {"population"}, "row": {strings.Repeat("a", 501)}, "text": {"a"}, "step": {"contact"}},
	} {
		if page := w.fill(t, "/en/ask", 422, form); !strings.Contains(page, `href="`+strings.TrimSpace(field)+`"`) {
			t.Errorf("%s: %s", field, page)
		}
	}
	if len(w.asker.sent) > 0 {
		t.Error("something was sent")
	}
	w.fill(t, "/en/ask", 413, url.Values{"text": {strings.Repeat("a", 100<<10)}})
}

func TestAFullMachineSaysSoBeforeAnythingIsTyped(t *testing.T) {
	for refuses, status := range map[error]int{portal.ErrNoSpace: 507, portal.ErrUnavailable: 503} {
		w := newWorld(t, func(w *world) { w.asker.refuses = refuses })
		if page := w.body(t, "/ru/ask?kind=question", status); strings.Contains(page, "<textarea") {
			t.Errorf("%v: a form is shown", refuses)
		}
	}
}

func TestAReceiptOpensItsAnswerAndWrongOnesAreAlike(t *testing.T) {
	w := newWorld(t)
	w.asker.answer = portal.Answer{State: portal.Answered, At: now, Text: "Usul oʻzgardi.", Lang: portal.Uzbek, Question: "Nega?", Thread: portal.InquiryID{1}, Post: "Boshliq"}
	page := w.fill(t, "/uz/receipt", 200, url.Values{"code": {strings.ToLower(goodCode.Reveal())}})
	for _, want := range []string{"Usul oʻzgardi.", "Nega?", "/uz/inquiry/01", `name="useful"`} {
		if !strings.Contains(page, want) {
			t.Errorf("lacks %q: %s", want, page)
		}
	}
	other := portal.NewReceiptCode([portal.ReceiptRandom]byte{9})
	if page := w.fill(t, "/uz/receipt", 200, url.Values{"code": {other.Reveal()}}); !strings.Contains(page, "hali hech narsa") || strings.Contains(page, other.Reveal()) {
		t.Error(page)
	}
	w.fill(t, "/uz/receipt", 422, url.Values{"code": {"ZFFV1"}})
	w.fill(t, "/uz/receipt", 200, url.Values{"code": {goodCode.Norm()}, "useful": {"partly"}})
	if got := w.asker.sent; len(got) != 1 || got[0].Kind != portal.Opinion || got[0].Useful != portal.UsefulPartly || w.asker.codes[0] != goodCode {
		t.Errorf("%+v", got)
	}
}

func TestAPublicQuestionStandsOnItsDatasetsPage(t *testing.T) {
	w := newWorld(t)
	page := w.body(t, "/uz/dataset/main_population", 200)
	for _, want := range []string{"/uz/inquiry/01000000000000000000000000000000", "Nega 2020-yilda aholi soni boshqacha? &lt;b&gt;", "/uz/ask?dataset=main_population"} {
		if !strings.Contains(page, want) {
			t.Errorf("lacks %q", want)
		}
	}
	page = w.body(t, "/ru/inquiry/01000000000000000000000000000000", 200)
	for _, want := range []string{"Hisoblash usuli", "через 5 рабочих дней", "Boʻlim boshligʻi"} {
		if !strings.Contains(page, want) {
			t.Errorf("lacks %q: %s", want, page)
		}
	}
	mustNotHave(t, page, ">main_population<") // the dataset is linked by its title, in what it is about and in the answer
}

func TestWhoWantsItTooIsCountedAndGetsAReceipt(t *testing.T) {
	w := newWorld(t)
	page := w.fill(t, "/en/inquiry/01000000000000000000000000000000", 200, url.Values{})
	if !strings.Contains(page, goodCode.Reveal()) || len(w.asker.sent) != 1 || w.asker.sent[0].Thread != (portal.InquiryID{1}) || w.asker.sent[0].Kind != portal.SupportRequest {
		t.Errorf("%+v: %s", w.asker.sent, page)
	}
	w.fill(t, "/en/inquiry/01000000000000000000000000000000", 422, url.Values{"code": {"wrong"}})
}

func TestAFormOfAnotherSiteIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{"/uz/ask", "/uz/receipt", "/uz/inquiry/01000000000000000000000000000000"} {
		r := httptest.NewRequest(http.MethodPost, address, strings.NewReader("kind=question&text=a&public=no&step=send"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if rec.Code != http.StatusForbidden {
			t.Errorf("%s: %d", address, rec.Code)
		}
	}
	if len(w.asker.sent) > 0 {
		t.Error("it was sent")
	}
}

func TestNothingIsOfferedWhereNobodyTakesQuestions(t *testing.T) {
	w := newWorld(t, withoutAsker)
	if page := w.body(t, "/en/dataset/main_population", 200); strings.Contains(page, "/ask") {
		t.Error("asking is offered")
	}
	w.body(t, "/en/ask", 404)
}
