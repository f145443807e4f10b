package node_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"koprik/internal/node"
	"koprik/internal/smtptest"
	"koprik/portal"
)

// post is a centre that writes letters to a server of the test, at a time that the
// test moves.
type post struct {
	*node.Node
	server *smtptest.Server
	now    time.Time
}

func newPost(t *testing.T, settings ...string) *post {
	t.Helper()
	p := &post{server: smtptest.Start(t, day), now: day}
	dir := t.TempDir()
	_, err := node.Init(t.Context(), dir, node.InitOptions{Config: config(t, append([]string{
		"role", "central", "title", "Markaz", "contact", "desk@example.org", "address", "https://data.example.org", "mail_server", p.server.Addr,
		"mail_security", "none", "mail_from", "portal@example.org", "mail_reply", "savol@example.org",
	}, settings...)...)}, options())
	must(t, err)
	p.Node = open(t, dir, p.options())
	publish(t, p.Node, revision("water", 1))
	return p
}

func (p *post) options() node.Options {
	o := options()
	o.Clock = func() time.Time { return p.now }
	return o
}

// write is one turn of a serving centre.
func (p *post) write(t *testing.T) (letters []smtptest.Letter) {
	t.Helper()
	p.server.Clear()
	must(t, p.Attend(t.Context()))
	_, err := p.SendLetters(t.Context())
	must(t, err)
	return p.server.Letters()
}

// asks has somebody ask and gives the letter to who has to answer.
func (p *post) asks(t *testing.T, text string) smtptest.Letter {
	t.Helper()
	ask(t, p.Node, text, false)
	speak(t, p.Node)
	letters := p.write(t)
	if len(letters) != 1 {
		t.Fatalf("%d letters", len(letters))
	}
	return letters[0]
}

var oneTime = regexp.MustCompile(`https://data\.example\.org(/desk/by-letter/([a-z2-7]+))\?lang=uz`)

// plain undoes the transfer encoding of a letter.
func plain(t *testing.T, l smtptest.Letter) string {
	t.Helper()
	text, err := l.Text()
	must(t, err)
	return text
}

func linkIn(t *testing.T, l smtptest.Letter) (path, token string) {
	t.Helper()
	found := oneTime.FindStringSubmatch(plain(t, l))
	if found == nil {
		t.Fatalf("no link in %s", plain(t, l))
	}
	return found[1], found[2]
}

func reply2(to, subject, body string) string {
	return "From: Boshliq <boss@example.org>\r\nTo: " + to + "\r\nSubject: Re: " + subject + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body
}

func bounceOf(l smtptest.Letter) string {
	return "Return-Path: <>\r\nFrom: MAILER-DAEMON@mail.example.org\r\nTo: " + l.From + "\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example.org\r\n\r\nFinal-Recipient: rfc822; " + l.To +
		"\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n--b--\r\n"
}

func TestALetterCarriesAOneTimeLinkThatAnswersWithoutAnAccount(t *testing.T) {
	p := newPost(t)
	l := p.asks(t, "Suv nega kam?")
	text := plain(t, l)
	if l.To != "desk@example.org" || !strings.HasPrefix(l.From, "savol+") || !strings.Contains(text, "Suv nega kam?") || strings.Contains(text, "citizen@example.org") || !strings.HasPrefix(text, "##-") {
		t.Errorf("to %s from %s:\n%s", l.To, l.From, text)
	}
	path, token := linkIn(t, l)
	must(t, holdsNone(t, filepath.Join(p.Dir(), "local.db"), []string{token}))
	must(t, holdsNone(t, filepath.Join(p.Dir(), "local.db-wal"), []string{token}))
	if again := p.write(t); len(again) != 0 {
		t.Errorf("the same letter is written again: %+v", again)
	}
	server := httptest.NewServer(handler(t, p.Node))
	t.Cleanup(server.Close)
	for range 3 { // a program that checks mail opens links too
		if body := fetch(t, server.URL+path, nil, 200); !strings.Contains(body, "Suv nega kam?") || strings.Contains(body, "citizen@example.org") {
			t.Errorf("%s", body)
		}
	}
	kiosk, err := p.KioskHandler()
	must(t, err)
	screen := httptest.NewServer(kiosk)
	t.Cleanup(screen.Close)
	fetch(t, screen.URL+path, nil, 404)
	fetch(t, server.URL+path, url.Values{"do": {"answered"}, "text": {" "}, "language": {"uz"}}, 422)
	fetch(t, server.URL+path, url.Values{"do": {"answered"}, "text": {"Yoz quruq keldi."}, "language": {"uz"}}, 200)
	fetch(t, server.URL+path, url.Values{"do": {"answered"}, "text": {"Ikkinchi."}, "language": {"uz"}}, 410)
	fetch(t, server.URL+path, nil, 410)
	fetch(t, server.URL+"/desk/by-letter/"+strings.Repeat("a", 32), nil, 404)
	c := cases(t, p.Node)[0]
	if c.State != portal.Answered || len(c.Answers) != 1 || c.Answers[0].Text != "Yoz quruq keldi." || c.Answers[0].Post == "" || c.Events[len(c.Events)-1].By != "main/desk" {
		t.Errorf("%+v", c)
	}
	// The asker left an e-mail, and is told there as well; the question is not repeated.
	told := p.write(t)
	if len(told) != 1 || told[0].To != "citizen@example.org" || !strings.Contains(plain(t, told[0]), "Yoz quruq keldi.") || strings.Contains(plain(t, told[0]), "nega kam") {
		t.Errorf("%+v", told)
	}
}

// fetch asks as a browser on the same site does.
func fetch(t *testing.T, address string, form url.Values, status int) string {
	t.Helper()
	method, body := http.MethodGet, strings.NewReader("")
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, body)
	must(t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return answered(t, r, status)
}

func answered(t *testing.T, r *http.Request, status int) string {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	must(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(t, err)
	if res.StatusCode != status {
		t.Errorf("%s %s: %s, want %d\n%.600s", r.Method, r.URL.Path, res.Status, status, b)
	}
	return string(b)
}

func TestAFormOfAnotherSiteUsesNoLink(t *testing.T) {
	p := newPost(t)
	path, _ := linkIn(t, p.asks(t, "Nega?"))
	server := httptest.NewServer(handler(t, p.Node))
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader("do=refused&text=x&language=uz"))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answered(t, r, 403)
	if c := cases(t, p.Node)[0]; !c.State.Open() {
		t.Errorf("%+v", c)
	}
}

func TestALinkEndsWithItsTimeAndWhenTheQuestionGoesElsewhere(t *testing.T) {
	p := newPost(t)
	_, token := linkIn(t, p.asks(t, "Nega?"))
	c := cases(t, p.Node)[0]
	_, err := p.ChangeCase(t.Context(), c.Inquiry.ID, "admin", func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
		return c.Assign(portal.Route{Level: portal.ToPortalTop}, 15, cal, e)
	})
	must(t, err)
	wantKind(t, p.AnswerByLetter(t.Context(), token, portal.Answer{State: portal.Answered, Text: "x"}), portal.ErrExpired)
	l := p.write(t) // the centre is written to now
	_, second := linkIn(t, l[0])
	p.now = p.now.Add(61 * 24 * time.Hour)
	_, err = p.ByLetter(t.Context(), second)
	wantKind(t, err, portal.ErrExpired)
	wantKind(t, p.AnswerByLetter(t.Context(), second, portal.Answer{State: portal.Answered, Text: "x"}), portal.ErrExpired)
}

func TestAReplyBecomesTheAnswerAndAnAbsenceNoteDoesNot(t *testing.T) {
	p := newPost(t)
	l := p.asks(t, "Nega?")
	absent := strings.Replace(reply2(l.From, "x", "Men taʼtildaman."), "Subject", "Auto-Submitted: auto-replied\r\nSubject", 1)
	if out, err := p.TakeMail(t.Context(), strings.NewReader(absent)); err != nil || out.What != "ignored" || !cases(t, p.Node)[0].State.Open() {
		t.Fatalf("%+v %v", out, err)
	}
	for what, message := range map[string]string{
		"to nobody":     reply2("savol@example.org", "x", "Javob."),
		"another tag":   reply2("savol+abcdefghijklmnop@example.org", "x", "Javob."),
		"nothing above": reply2(l.From, "x", "> ##- yozing\r\n> Suv\r\n"),
		"too long":      reply2(l.From, "x", strings.Repeat("a", portal.MaxAnswerText+1)),
		"no message":    "\x00\x01",
	} {
		if _, err := p.TakeMail(t.Context(), strings.NewReader(message)); !errors.Is(err, portal.ErrRejected) {
			t.Errorf("%s: %v", what, err)
		}
	}
	out, err := p.TakeMail(t.Context(), strings.NewReader(reply2("Markaz <SAVOL"+strings.TrimPrefix(l.From, "savol")+">", "x", "Quduqlar quridi.\r\n\r\nMarkaz <savol@example.org> yozdi, 23.11.2026 14:00:\r\n> ##- yozing\r\n> Suv\r\n")))
	must(t, err)
	if c := cases(t, p.Node)[0]; out.What != "answered" || c.State != portal.Answered || c.Answers[0].Text != "Quduqlar quridi." || c.Answers[0].Lang != portal.Uzbek {
		t.Errorf("%+v %+v", out, c.Answers)
	}
	_, err = p.TakeMail(t.Context(), strings.NewReader(reply2(l.From, "x", "Yana.")))
	wantKind(t, err, portal.ErrRejected)
}

// holder publishes a dataset that somebody else than the publisher's desk answers for.
func holder(t *testing.T, p *post) portal.ContactRef {
	t.Helper()
	publish(t, p.Node, node.Input{Label: "wells", Name: "wells.csv", FS: fstest.MapFS{
		"wells.csv":           {Data: []byte("well,depth\n1,40\n2,55\n")},
		"wells.passport.yaml": {Data: []byte("title: {uz: Quduqlar}\ncontact: {id: wells, post: Boshliq, unit: Quduqlar boʻlimi, email: wells@example.org}\nuploaded: 2026-01-15\n")},
	}})
	return portal.ContactRef{Publisher: "main", Contact: "wells"}
}

func TestALetterThatComesBackMarksTheContactAndMovesItsQuestionsOn(t *testing.T) {
	p := newPost(t)
	at := holder(t, p)
	_, err := p.Send(t.Context(), portal.Inquiry{Kind: portal.Question, Text: "Nechta?", Lang: portal.Uzbek, About: portal.Place{Dataset: "main_wells"}}, portal.ReceiptCode{})
	must(t, err)
	speak(t, p.Node)
	letters := p.write(t)
	c := cases(t, p.Node)[0]
	if len(letters) != 1 || letters[0].To != "wells@example.org" || c.Route.Contact != "wells" {
		t.Fatalf("%+v %+v", letters, c.Route)
	}
	for range 2 { // reports come twice
		out, err := p.TakeMail(t.Context(), strings.NewReader(bounceOf(letters[0])))
		if err != nil || out.What != "bounced" || out.To != at {
			t.Fatalf("%+v %v", out, err)
		}
	}
	moved := cases(t, p.Node)[0]
	if moved.Route.Contact != "desk" || moved.Route.Level != portal.ToDesk || moved.Deadline.Due != c.Deadline.Due || len(moved.Events) != len(c.Events)+1 {
		t.Errorf("%+v", moved)
	}
	next := p.write(t)
	if len(next) != 1 || next[0].To != "desk@example.org" {
		t.Errorf("%+v", next)
	}
	speak(t, p.Node)
	mirror := newMirror(t, p.Node)
	sync(t, mirror)
	v, err := mirror.View(t.Context())
	must(t, err)
	defer v.Close()
	said, err := portal.NoticesOf(t.Context(), v)
	must(t, err)
	if said.AmberSince("main", "wells") != "2026-11-23" || said.AmberSince("main", "desk") != "" {
		t.Errorf("a mirror is told %+v", said)
	}
	must(t, p.ClearAmber(t.Context(), at))
	if r, err := p.Reach(t.Context(), at); err != nil || r.IsAmber("wells@example.org") {
		t.Errorf("%+v %v", r, err)
	}
}

func TestARecipientThatIsRefusedForGoodIsABounce(t *testing.T) {
	p := newPost(t)
	at := holder(t, p)
	p.server.SetAnswer(func(command string) string {
		if strings.HasPrefix(command, "RCPT TO:<wells@") {
			return "550 5.1.1 no such user"
		}
		return ""
	})
	_, err := p.Send(t.Context(), portal.Inquiry{Kind: portal.Question, Text: "Nechta?", Lang: portal.Uzbek, About: portal.Place{Dataset: "main_wells"}}, portal.ReceiptCode{})
	must(t, err)
	speak(t, p.Node)
	if letters := p.write(t); len(letters) != 0 {
		t.Errorf("%+v", letters)
	}
	if r, err := p.Reach(t.Context(), at); err != nil || !r.IsAmber("wells@example.org") || !strings.Contains(r.Amber.Why, "5.1.1") {
		t.Errorf("%+v %v", r, err)
	}
	if letters := p.write(t); len(letters) != 1 || letters[0].To != "desk@example.org" {
		t.Errorf("%+v", letters)
	}
}

func TestLettersWaitForAServerAndArriveOnce(t *testing.T) {
	p := newPost(t)
	p.server.SetAnswer(func(command string) string {
		if strings.HasPrefix(command, "MAIL") {
			return "451 4.3.2 <citizen@example.org> later"
		}
		return ""
	})
	ask(t, p.Node, "Nega?", false)
	speak(t, p.Node)
	must(t, p.Attend(t.Context()))
	waits := time.Duration(0)
	for try := range 12 { // each time twice as long, at most six hours
		if _, err := p.SendLetters(t.Context()); !errors.Is(err, portal.ErrUnreachable) {
			t.Fatalf("try %d: %v", try, err)
		}
		if _, err := p.SendLetters(t.Context()); err != nil {
			t.Fatalf("try %d: nothing is due: %v", try, err)
		}
		list, _, err := p.Letters(t.Context(), 10)
		must(t, err)
		wait := list[0].Next.Sub(p.now)
		if len(list) != 1 || list[0].Tries != try+1 || !strings.Contains(list[0].Problem, "451") || wait < waits || wait > 6*time.Hour {
			t.Fatalf("try %d: %+v", try, list)
		}
		waits = wait
		seen, err := p.MailState(t.Context())
		must(t, err)
		if seen.Waiting != 1 || !strings.Contains(seen.Problem, "451") || strings.Contains(seen.Problem, "@") || seen.Trouble(p.now) != (p.now.Sub(day) >= time.Hour) {
			t.Fatalf("try %d: %+v", try, seen)
		}
		p.now = list[0].Next
	}
	p.server.SetAnswer(nil)
	if letters := p.write(t); len(letters) != 1 {
		t.Fatalf("%d letters", len(letters))
	}
	if list, total, err := p.Letters(t.Context(), 10); err != nil || total != 0 || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

// A line that breaks when the letter is on its way, or a process that dies before
// it has recorded that it was taken: it is sent again, with the same Message-ID,
// and the link of either answers, once.
func TestALetterOfDoubtIsSentAgainAndBothLinksAnswerOnce(t *testing.T) {
	p := newPost(t)
	broke := false
	p.server.SetAnswer(func(command string) string {
		if command == "." && !broke {
			broke = true
			return "drop"
		}
		return ""
	})
	ask(t, p.Node, "Nega?", false)
	speak(t, p.Node)
	must(t, p.Attend(t.Context()))
	if _, err := p.SendLetters(t.Context()); err == nil {
		t.Fatal("a broken line is no success")
	}
	p.now = p.now.Add(time.Hour)
	_, err := p.SendLetters(t.Context())
	must(t, err)
	letters := p.server.Letters()
	if len(letters) != 2 || letters[0].Header("Message-ID") != letters[1].Header("Message-ID") || letters[0].Header("Message-ID") == "" {
		t.Fatalf("%d letters: %q", len(letters), letters[0].Header("Message-ID"))
	}
	_, first := linkIn(t, letters[0])
	_, second := linkIn(t, letters[1])
	must(t, p.AnswerByLetter(t.Context(), first, portal.Answer{State: portal.Answered, Text: "Bir."}))
	wantKind(t, p.AnswerByLetter(t.Context(), second, portal.Answer{State: portal.Answered, Text: "Ikki."}), portal.ErrExpired)
}

func TestWhoIsLateIsToldOfOnceAndHigherUpLater(t *testing.T) {
	p := newPost(t, "confirm_every_days", "0")
	p.asks(t, "Nega?")
	due := cases(t, p.Node)[0].Deadline.Due
	cal, err := p.Calendar(t.Context())
	must(t, err)
	for _, step := range []struct {
		late int
		told portal.Escalation
		to   string
	}{{4, portal.NotEscalated, ""}, {5, portal.ToCoordinator, "desk@example.org"}, {6, portal.ToCoordinator, ""}, {10, portal.ToCentre, "desk@example.org"}, {20, portal.ToCentre, ""}} {
		p.now = cal.Add(due, step.late).Time().Add(9 * time.Hour)
		letters := p.write(t)
		if c := cases(t, p.Node)[0]; c.Told != step.told || c.Deadline.Due != due {
			t.Errorf("%d days late: told %v, due %s", step.late, c.Told, c.Deadline.Due)
		}
		if (len(letters) == 1) != (step.to != "") || step.to != "" && (letters[0].To != step.to || strings.Contains(plain(t, letters[0]), "Nega?")) {
			t.Errorf("%d days late: %+v", step.late, letters)
		}
	}
	list, _, err := p.Cases(t.Context(), portal.CaseQuery{Late: true})
	if err != nil || len(list) != 1 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestTwoConfirmationsMissedMakeAContactAmberAndOneIsEnoughToStay(t *testing.T) {
	p := newPost(t, "confirm_every_days", "100")
	at := portal.ContactRef{Publisher: "main", Contact: "desk"}
	const days = 24 * time.Hour
	if letters := p.write(t); len(letters) != 0 {
		t.Fatalf("somebody new is asked at once: %+v", letters)
	}
	p.now = p.now.Add(101 * days)
	first := p.write(t)
	if len(first) != 1 || !strings.Contains(plain(t, first[0]), "/desk/by-letter/") {
		t.Fatalf("%+v", first)
	}
	p.now = p.now.Add(31 * days)
	if second := p.write(t); len(second) != 1 {
		t.Fatalf("a missed confirmation is asked for again: %+v", second)
	}
	path, token := linkIn(t, p.server.Letters()[0])
	server := httptest.NewServer(handler(t, p.Node))
	t.Cleanup(server.Close)
	fetch(t, server.URL+path, nil, 200)
	if r, err := p.Reach(t.Context(), at); err != nil || r.Missed != 1 {
		t.Errorf("looking confirms nothing: %+v %v", r, err)
	}
	must(t, p.ConfirmByLetter(t.Context(), token, true))
	wantKind(t, p.ConfirmByLetter(t.Context(), token, false), portal.ErrExpired)
	if r, err := p.Reach(t.Context(), at); err != nil || r.Missed != 0 || r.IsAmber("desk@example.org") {
		t.Errorf("%+v %v", r, err)
	}
	for range 2 {
		p.now = p.now.Add(101 * days)
		p.write(t)
	}
	p.now = p.now.Add(31 * days)
	p.write(t)
	p.now = p.now.Add(2 * time.Hour)
	p.write(t)
	if r, err := p.Reach(t.Context(), at); err != nil || !r.IsAmber("desk@example.org") {
		t.Errorf("two missed: %+v %v", r, err)
	}
}
