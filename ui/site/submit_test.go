package site

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"koprik/portal"
)

// lastForm is the last page of asking, as a browser sends it.
func lastForm(text string) url.Values {
	return url.Values{"kind": {"question"}, "text": {text}, "public": {"no"}, "step": {"send"}}
}

func lastReuseForm() url.Values {
	form := reuseForm()
	form.Set("step", "send")
	return form
}

// sendForm sends a form and gives the whole answer.
func (w *world) sendForm(address string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, address, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

// TestAFloodIsToldToWaitAndNothingThatWasTypedIsLost sends what one telephone can.
func TestAFloodIsToldToWaitAndNothingThatWasTypedIsLost(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Now = time.Now })
	kiosk := newWorld(t, func(w *world) { w.options.Now, w.options.Kiosk = time.Now, true })
	synctest.Test(t, func(t *testing.T) {
		flood := func() (last *httptest.ResponseRecorder) {
			for range 100 {
				last = w.sendForm("/en/ask", strings.NewReader(lastForm("Why <i>now</i>?").Encode()))
			}
			return last
		}
		refused := flood()
		if n := len(w.asker.sent); n != sendAtOnce || refused.Code != http.StatusTooManyRequests || refused.Header().Get("Retry-After") != "6" {
			t.Fatalf("%d were sent, then %d, Retry-After %q", n, refused.Code, refused.Header().Get("Retry-After"))
		}
		for _, want := range []string{`name="text" value="Why &lt;i&gt;now&lt;/i&gt;?"`, `name="step" value="send"`, "press “Send” again", `name="id"`} {
			if !strings.Contains(refused.Body.String(), want) {
				t.Errorf("lacks %q: %s", want, refused.Body)
			}
		}
		// What else is sent to the centre has the same budget; what is read has none.
		for address, form := range map[string]url.Values{
			"/ru/receipt": {"code": {goodCode.Norm()}, "useful": {"yes"}}, "/kaa/inquiry/01000000000000000000000000000000": {}, "/uz/reuses/new": lastReuseForm(),
		} {
			w.fill(t, address, http.StatusTooManyRequests, form)
		}
		w.fill(t, "/uz/receipt", 200, url.Values{"code": {goodCode.Norm()}})
		w.body(t, "/uz/ask?kind=question", 200)
		time.Sleep(sendAgain)
		if flood(); len(w.asker.sent) != sendAtOnce+1 {
			t.Errorf("%d were sent after one more was due", len(w.asker.sent))
		}
		time.Sleep(24 * time.Hour)
		if flood(); len(w.asker.sent) != 2*sendAtOnce+1 {
			t.Errorf("%d were sent by the next day", len(w.asker.sent))
		}
		// The screen in the hall has a budget of its own.
		kiosk.fill(t, "/uz/ask", 200, lastForm("Nega?"))
	})
}

func TestWhoMeetsABusyNodePressesSendAgain(t *testing.T) {
	for err, status := range map[error]int{portal.ErrTooMuch: 503, portal.ErrNoSpace: 507, portal.ErrUnavailable: 503, portal.ErrRejected: 409} {
		w := newWorld(t, func(w *world) { w.asker.busy = err })
		for address, form := range map[string]url.Values{"/uz/ask": lastForm("Nega hozir?"), "/ru/reuses/new": lastReuseForm()} {
			page := w.fill(t, address, status, form)
			if kept := strings.Contains(page, `value="send"`); kept != (err == portal.ErrTooMuch) { //nolint:errorlint // the sentinel itself
				t.Errorf("%v: %s: may be sent again: %v", err, address, kept)
			}
		}
		w.fill(t, "/en/inquiry/01000000000000000000000000000000", status, url.Values{})
		w.fill(t, "/uz/receipt", status, url.Values{"code": {goodCode.Norm()}, "useful": {"no"}})
	}
}

// slow is a form that comes byte by byte: at each it looks whether a view is held.
type slow struct {
	t    *testing.T
	w    *world
	rest string
}

func (s *slow) Read(p []byte) (int, error) {
	if held := s.w.open.Load(); held > 0 {
		s.t.Errorf("%d views are held while a form comes", held)
	}
	if s.rest == "" {
		return 0, io.EOF
	}
	n := copy(p[:1], s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func TestWhoSendsAFormSlowlyHoldsNoView(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{"/uz/ask", "/uz/receipt", "/uz/reuses/new", "/uz/reuses/07000000000000000000000000000000", "/uz/inquiry/01000000000000000000000000000000"} {
		w.sendForm(address, &slow{t, w, "step=text&text=nega"})
	}
}
