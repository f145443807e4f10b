package desk

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

func TestALinkAnswersOnceWithoutAnAccountAndLookingUsesNothingUp(t *testing.T) {
	o := newOffice()
	b := newBrowser(t, o.serve(t))
	at := letterPath + aQuestion
	for range 2 {
		status, _, body := b.get(at + "?lang=en")
		want(t, "the page", status, 200, body, "What does bread cost?", "Head of prices", "Refuse")
		if strings.Contains(body, "asker@example.org") || strings.Contains(body, "moderate") {
			t.Errorf("the page gives away more than it needs: %s", body)
		}
	}
	for what, fields := range map[string][]string{
		"nothing":    {"do", "answered", "text", "", "language", "en"},
		"too much":   {"do", "answered", "text", strings.Repeat("x", portal.MaxAnswerText+1), "language", "en"},
		"language":   {"do", "answered", "text", "kept words", "language", "tlh"},
		"no button":  {"text", "kept words", "language", "en"},
		"publishing": {"do", "published", "text", "kept words", "language", "en"},
	} {
		status, _, body := b.post(at+"?lang=en", fields...)
		want(t, what, status, 422, body)
		if !o.cases[ofPrices].State.Open() {
			t.Fatalf("%s: was answered", what)
		}
	}
	status, _, body := b.post(at+"?lang=en", "do", "refused", "text", "Nobody counts it.", "language", "en")
	want(t, "refuse", status, 200, body, "The refusal is kept", "You can close this page")
	status, _, body = b.post(at+"?lang=en", "do", "answered", "text", "again", "language", "en")
	want(t, "again", status, 410, body, "This link has ended")
	status, _, body = b.get(at + "?lang=en")
	want(t, "look again", status, 410, body, "This link has ended")
	for _, token := range []string{"cccccccccccccccccccccccccccccccc", "x", strings.Repeat("a", 100), "A"} {
		status, _, body := b.get(letterPath + token)
		want(t, token, status, 404, body)
	}
}

func TestALetterIsPassedOnOnceWithItsReasonAndSeenAtTheDesk(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	b := newBrowser(t, at)
	status, _, body := b.get(letterPath + aQuestion + "?lang=en")
	want(t, "offered", status, 200, body, "This is not for our office", `value="not-ours"`)
	for what, fields := range map[string][]string{
		"no reason": {"do", "not-ours", "reason", " ", "belongs", "kept words"},
		"too long":  {"do", "not-ours", "reason", strings.Repeat("ў", portal.MaxNotOurs+1), "belongs", "kept words"},
		"zero byte": {"do", "not-ours", "reason", "a\x00b", "belongs", "kept words"},
	} {
		status, _, body := b.post(letterPath+aQuestion+"?lang=en", fields...)
		want(t, what, status, 422, body, "<details open>", "kept words")
	}
	due := o.cases[ofPrices].Deadline
	status, _, body = b.post(letterPath+aQuestion+"?lang=en", "do", "not-ours", "reason", "We count <b>no</b> wages.", "belongs", "Labour ministry")
	want(t, "pass on", status, 200, body, "went to the next office", "You can close this page")
	status, _, body = b.post(letterPath+aQuestion+"?lang=en", "do", "not-ours", "reason", "again")
	want(t, "again", status, 410, body, "This link has ended")
	if c := o.cases[ofPrices]; c.Route.Contact != "desk" || c.Deadline.Due != due.Due || !c.State.Open() {
		t.Errorf("%+v", c)
	}
	status, _, body = o.as(t, at, portal.DeskCoordinator).get(inquiry(ofPrices))
	want(t, "the desk", status, 200, body, "“not for us”, went to the next office: We count &lt;b&gt;no&lt;/b&gt; wages. → Labour ministry", "stat/prices")
	// The letter to the centre has nobody to pass it on to.
	o.links[aQuestion] = portal.LetterVisit{Link: portal.Link{Kind: portal.LetterQuestion, Inquiry: ofCentre}}
	status, _, body = b.get(letterPath + aQuestion + "?lang=en")
	if want(t, "the centre's", status, 200, body); strings.Contains(body, "not-ours") {
		t.Error("the centre is offered to pass it on")
	}
	status, _, body = b.post(letterPath+aQuestion+"?lang=en", "do", "not-ours", "reason", "Not ours.")
	want(t, "the centre passes on", status, 422, body)
}

func TestALetterAsksWhetherSomebodyIsStillThere(t *testing.T) {
	o := newOffice()
	b := newBrowser(t, o.serve(t))
	status, _, body := b.get(letterPath + aStill + "?lang=en")
	want(t, "asks", status, 200, body, "Do you still answer", "Head of prices, Statistics")
	status, _, body = b.post(letterPath+aStill+"?lang=en", "do", "yes")
	want(t, "yes", status, 200, body, "It is noted.")
	status, _, body = b.post(letterPath+aStill+"?lang=en", "do", "no")
	want(t, "twice", status, 410, body)
}

func TestATokenStandsInNoLog(t *testing.T) {
	o := newOffice()
	d := o.desk(t)
	var log bytes.Buffer
	options := d.o
	options.Log = slog.New(slog.NewTextHandler(&log, nil))
	options.Calendar = func(context.Context) (portal.WorkCalendar, error) { return portal.WorkCalendar{}, errors.New("broken") }
	h, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, letterPath+aQuestion, http.NoBody))
	if w.Code != http.StatusInternalServerError || log.Len() == 0 || strings.Contains(log.String(), aQuestion) {
		t.Errorf("%d %s", w.Code, log.String())
	}
}

func TestTemplatesBeginAnAnswerAndBelongToOnePublisher(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	holder := o.as(t, at, portal.DeskHolder)
	status, _, body := holder.get(inquiry(ofPrices))
	want(t, "offered", status, 200, body, inquiry(ofPrices)+"?template=1", "Not collected")
	status, _, body = holder.get(inquiry(ofPrices) + "?template=1")
	want(t, "filled in", status, 200, body, ">Эти данные не собираются.</textarea>", `value="ru" selected`)
	for _, odd := range []string{"0", "2", "-1", "x", "99999999999999999999"} {
		status, _, body = holder.get(inquiry(ofPrices) + "?template=" + odd)
		want(t, odd, status, 200, body, "></textarea>")
	}
	status, _, body = holder.post("/desk/templates", "title", "x", "text", "x", "language", "en")
	want(t, "a holder changes none", status, 403, body)
	coordinator := o.as(t, at, portal.DeskCoordinator)
	status, _, body = coordinator.post("/desk/templates", "title", "", "text", "kept words", "language", "en")
	want(t, "no name", status, 422, body, "kept words")
	status, _, body = coordinator.post("/desk/templates", "title", "<b>", "text", "Words", "language", "uz")
	want(t, "add", status, 303, body)
	status, _, body = coordinator.get("/desk/templates")
	want(t, "list", status, 200, body, "&lt;b&gt;", "Words", "Not collected")
	status, _, body = coordinator.post("/desk/templates", "do", "remove", "title", "Not collected", "language", "ru")
	want(t, "remove", status, 303, body)
	if got := o.common["stat"]; len(got) != 1 || got[0].Title != "<b>" {
		t.Errorf("%+v", got)
	}
	for len(o.common["stat"]) < portal.MaxTemplates {
		o.common["stat"] = append(o.common["stat"], portal.AnswerTemplate{Title: "x", Text: "x", Lang: portal.Uzbek})
	}
	status, _, body = coordinator.post("/desk/templates", "title", "one more", "text", "kept words", "language", "en")
	want(t, "too many", status, 422, body, "kept words")
	status, _, body = o.as(t, at, portal.DeskModerator).get("/desk/templates")
	want(t, "the centre's own", status, 200, body, "Nothing is here")
}

func TestTheWordsOfTheFormAreSetByAdministrators(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	status, _, body := o.as(t, at, portal.DeskCoordinator).get("/desk/form")
	want(t, "a coordinator", status, 403, body)
	b := o.as(t, at, portal.DeskAdmin)
	status, _, body = b.post("/desk/form", "appeal-ru", strings.Repeat("я", portal.MaxFormWords+1), "appeal-en", "kept words")
	want(t, "too long", status, 422, body, "kept words")
	status, _, body = b.post("/desk/form", "appeal-ru", "Обращение подают на my.gov.uz.", "reads-uz", " ")
	want(t, "set", status, 303, body)
	if o.form.Appeal.Translated[portal.Russian] != "Обращение подают на my.gov.uz." || !o.form.Reads.IsZero() {
		t.Errorf("%+v", o.form)
	}
	status, _, body = b.get("/desk/form")
	want(t, "shown", status, 200, body, "Обращение подают на my.gov.uz.")
}

func TestTheCentreSeesThatItsMailServerTakesNoLetters(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	admin, clerk := o.as(t, at, portal.DeskAdmin), o.as(t, at, portal.DeskHolder)
	for age, seen := range map[time.Duration]bool{time.Minute: false, time.Hour: true} {
		o.mail = portal.MailState{Waiting: 3, Oldest: now.Add(-age), Problem: "451 4.3.2 <b>later</b>"}
		status, _, body := admin.get("/desk/")
		if want(t, "the centre", status, 200, body); strings.Contains(body, "451 4.3.2 &lt;b&gt;later") != seen || strings.Contains(body, "3 letters wait") != seen {
			t.Errorf("after %s: %s", age, body)
		}
		status, _, body = clerk.get("/desk/")
		if want(t, "an office", status, 200, body); strings.Contains(body, "451 4.3.2") {
			t.Errorf("an office sees the centre's mail server: %s", body)
		}
	}
}

func TestWhatWaitsTooLongStandsOut(t *testing.T) {
	o := newOffice()
	o.cases[ofPrices].Told = portal.ToCentre
	b := o.as(t, o.serve(t), portal.DeskHolder)
	status, _, body := b.get("/desk/")
	want(t, "list", status, 200, body, "centre was told", "Waits too long")
}
