package desk

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"koprik/portal"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// office is a desk's world in memory: accounts, sessions and inquiries.
type office struct {
	mu       sync.Mutex
	accounts map[string]portal.Account
	words    map[string]string // passwords
	sessions map[string]opened
	codes    map[string]bool // that the second factor takes, once
	cases    map[portal.InquiryID]*portal.Case
	nodes    []portal.KnownNode
	cohorts  []portal.Cohort
	links    map[string]portal.LetterVisit
	common   map[portal.PublisherID][]portal.AnswerTemplate
	form     portal.FormWords
	mail     portal.MailState
	begun    int
	clock    atomic.Int64
	errs     error // of Cases
	hold     chan struct{}
	came     chan struct{}
}

type opened struct {
	name  string
	whole bool
}

func (o *office) SignIn(_ context.Context, name, password string) (portal.Account, bool, error) {
	if o.came != nil {
		o.came <- struct{}{}
		<-o.hold
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	a, ok := o.accounts[name]
	return a, ok && o.words[name] == password && a.Disabled.IsZero(), nil
}

func (o *office) endAll(name string) {
	for cookie, s := range o.sessions {
		if s.name == name {
			delete(o.sessions, cookie)
		}
	}
}

func (o *office) SetPassword(_ context.Context, name, password string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(password) < leastPassword {
		return portal.Rejected("password", "must have at least 12 characters")
	}
	o.words[name] = password
	o.endAll(name)
	return nil
}

func (o *office) ChangeAccount(_ context.Context, name string, change func(a *portal.Account)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, ok := o.accounts[name]
	if !ok {
		return portal.ErrNotFound
	}
	change(&a)
	if err := a.Validate(); err != nil {
		return err
	}
	o.accounts[name] = a
	if !a.Disabled.IsZero() {
		o.endAll(name)
	}
	return nil
}

func (o *office) BeginSession(_ context.Context, name string, whole bool) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begun++
	cookie := fmt.Sprintf("session-%d", o.begun)
	o.sessions[cookie] = opened{name, whole}
	return cookie, nil
}

func (o *office) Session(_ context.Context, cookie string) (portal.Account, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.sessions[cookie]
	if !ok {
		return portal.Account{}, false, portal.ErrNotFound
	}
	return o.accounts[s.name], s.whole, nil
}

func (o *office) EndSession(_ context.Context, cookie string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.sessions, cookie)
	return nil
}

func (o *office) NewSecondFactor(name string) (portal.SecondFactor, error) {
	return portal.SecondFactor{Secret: "ABCDEFGH", Address: "otpauth://totp/Markaz:" + name + "?secret=ABCDEFGH"}, nil
}

func (o *office) ConfirmSecondFactor(_ context.Context, name, secret, code string) ([]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if secret != "ABCDEFGH" || code != "123456" {
		return nil, portal.Rejected("code", "wrong")
	}
	a := o.accounts[name]
	a.SecondFactor = true
	o.accounts[name] = a
	o.endAll(name)
	return []string{"PAPER00001", "PAPER00002"}, nil
}

func (o *office) CheckSecondFactor(_ context.Context, _, code string) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ok := o.codes[code]
	delete(o.codes, code)
	return ok, nil
}

func (o *office) RemoveSecondFactor(_ context.Context, name string) error {
	return o.ChangeAccount(context.Background(), name, func(a *portal.Account) { a.SecondFactor = false })
}

func (o *office) Accounts(context.Context) (list []portal.Account, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range o.accounts {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b portal.Account) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (o *office) AddAccount(_ context.Context, a portal.Account, password string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.accounts[a.Name]; ok {
		return portal.Rejected("name", "there is an account %s", a.Name)
	}
	o.accounts[a.Name], o.words[a.Name] = a, password
	return nil
}

func (o *office) Cases(_ context.Context, q portal.CaseQuery) (list []portal.Case, total int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.cases {
		if (q.Publisher == "" || c.Route.Publisher == q.Publisher) && (q.Contact == "" || c.Route.Contact == q.Contact) && (!q.Centre || c.Route.Publisher == "") &&
			(len(q.States) == 0 || slices.Contains(q.States, c.State)) && (q.Moderate == "" || c.Moderation.State == q.Moderate) &&
			(len(q.Kinds) == 0 || slices.Contains(q.Kinds, c.Inquiry.Kind)) {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b portal.Case) int { return strings.Compare(a.Inquiry.ID.String(), b.Inquiry.ID.String()) })
	total = len(list)
	from := min(q.Offset, total)
	return list[from:min(total, from+q.Limit)], total, o.errs
}

func (o *office) FindCase(_ context.Context, id string) (portal.Case, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.cases {
		if c.Inquiry.ID.String() == id {
			return *c, nil
		}
	}
	return portal.Case{}, portal.ErrNotFound
}

func (o *office) ChangeCase(_ context.Context, id portal.InquiryID, by string, do func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error) (portal.Case, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := *o.cases[id]
	if err := do(&c, portal.WorkCalendar{}, portal.CaseEvent{At: now, By: by}); err != nil {
		return c, err
	}
	o.cases[id] = &c
	return c, nil
}

func (o *office) Cohorts(context.Context) ([]portal.Cohort, error) { return o.cohorts, nil }

func (o *office) SetCohort(_ context.Context, c portal.Cohort) error {
	if err := c.Validate(); err != nil {
		return err
	}
	o.cohorts = append(o.cohorts, c)
	return nil
}

func (o *office) KnownNodes(context.Context) ([]portal.KnownNode, error) { return o.nodes, nil }

func (o *office) SetNode(_ context.Context, k portal.KnownNode) error {
	for i := range o.nodes {
		if o.nodes[i].ID == k.ID {
			o.nodes[i] = k
		}
	}
	return nil
}

func (o *office) ByLetter(_ context.Context, token string) (portal.LetterVisit, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := o.links[token]
	switch {
	case !ok:
		return v, portal.ErrNotFound
	case !v.Link.Used.IsZero():
		return v, portal.ErrExpired
	}
	if c := o.cases[v.Link.Inquiry]; c != nil {
		v.Case = *c
	}
	return v, nil
}

func (o *office) use(token string) error {
	v, err := o.ByLetter(context.Background(), token)
	if err == nil {
		v.Link.Used = now
		o.links[token] = v
	}
	return err
}

func (o *office) AnswerByLetter(ctx context.Context, token string, a portal.Answer) error {
	v, err := o.ByLetter(ctx, token)
	if err != nil {
		return err
	}
	_, err = o.ChangeCase(ctx, v.Link.Inquiry, "stat/prices", func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error { return c.Reply(a, cal, e) })
	if err != nil {
		return err
	}
	return o.use(token)
}

func (o *office) MailState(context.Context) (portal.MailState, error) { return o.mail, nil }

func (o *office) PassOnByLetter(ctx context.Context, token string, why portal.NotOurs) error {
	v, err := o.ByLetter(ctx, token)
	if err != nil {
		return err
	}
	_, err = o.ChangeCase(ctx, v.Link.Inquiry, "stat/prices", func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
		return c.PassOn(why, portal.Route{Publisher: "stat", Contact: "desk", Level: portal.ToDesk}, 15, cal, e)
	})
	if err != nil {
		return err
	}
	return o.use(token)
}

func (o *office) ConfirmByLetter(_ context.Context, token string, _ bool) error { return o.use(token) }

func (o *office) Templates(_ context.Context, p portal.PublisherID) ([]portal.AnswerTemplate, error) {
	return o.common[p], nil
}

func (o *office) ChangeTemplates(_ context.Context, p portal.PublisherID, change func([]portal.AnswerTemplate) []portal.AnswerTemplate) error {
	list := change(o.common[p])
	if len(list) > portal.MaxTemplates {
		return portal.Rejected("templates", "too many")
	}
	o.common[p] = list
	return nil
}

func (o *office) FormWords(context.Context) (portal.FormWords, error) { return o.form, nil }

func (o *office) SetFormWords(_ context.Context, w portal.FormWords) error {
	if err := w.Validate(); err != nil {
		return err
	}
	o.form = w
	return nil
}

var stat = portal.Publisher{
	ID: "stat", Title: portal.PlainText("Statistics"),
	Contacts: []portal.Contact{
		{ID: "prices", Post: portal.PlainText("Head of prices"), Unit: portal.PlainText("Prices")},
		{ID: "desk", Post: portal.PlainText("Desk"), Unit: portal.PlainText("Desk")},
	},
}

// the accounts of an office, by role; all have the password "four plain words".
var people = map[portal.DeskRole]portal.Account{
	portal.DeskHolder:      {Name: "prices", Role: portal.DeskHolder, Publisher: "stat", Contact: "prices", Post: "Head of prices", Lang: portal.English},
	portal.DeskCoordinator: {Name: "stat", Role: portal.DeskCoordinator, Publisher: "stat", Post: "Coordinator", Lang: portal.English},
	portal.DeskModerator:   {Name: "moderator", Role: portal.DeskModerator, Post: "Moderator", Lang: portal.English},
	portal.DeskAdmin:       {Name: "admin", Role: portal.DeskAdmin, Post: "Administrator", Lang: portal.English},
}

const password = "four plain words"

// the tokens of two letters.
const aQuestion, aStill = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// The inquiries of an office: of prices, of the desk of the same publisher, of
// another publisher, of the centre.
var ofPrices, ofDesk, ofHealth, ofCentre = portal.InquiryID{1}, portal.InquiryID{2}, portal.InquiryID{3}, portal.InquiryID{4}

func newOffice() *office {
	o := &office{
		accounts: map[string]portal.Account{}, words: map[string]string{}, sessions: map[string]opened{}, codes: map[string]bool{"654321": true},
		cases: map[portal.InquiryID]*portal.Case{}, nodes: []portal.KnownNode{{ID: portal.Digest{9}, Missing: 2, Duplicates: []uint64{7}, LastSeen: now.Add(-time.Hour)}},
	}
	o.common = map[portal.PublisherID][]portal.AnswerTemplate{"stat": {{Title: "Not collected", Lang: portal.Russian, Text: "Эти данные не собираются."}}}
	to := portal.ContactRef{Publisher: "stat", Contact: "prices"}
	o.links = map[string]portal.LetterVisit{
		aQuestion: {Link: portal.Link{Kind: portal.LetterQuestion, Inquiry: ofPrices, To: to}, Publisher: stat, Contact: stat.Contacts[0]},
		aStill:    {Link: portal.Link{Kind: portal.LetterStill, To: to}, Publisher: stat, Contact: stat.Contacts[0]},
	}
	o.clock.Store(now.Unix())
	for _, a := range people {
		o.accounts[a.Name], o.words[a.Name] = a, password
	}
	for id, route := range map[portal.InquiryID]portal.Route{
		ofPrices: {Publisher: "stat", Contact: "prices"}, ofDesk: {Publisher: "stat", Contact: "desk"}, ofHealth: {Publisher: "health", Contact: "desk"}, ofCentre: {},
	} {
		c := portal.NewCase(id, "2026q4", portal.Digest{9}, false, now.AddDate(0, 0, -30))
		c.Open(portal.Inquiry{
			ID: id, Kind: portal.Question, Text: "What does bread cost? " + id.String()[:2], Lang: portal.English, Public: true, Day: "2026-10-24",
			About: portal.Place{Dataset: "stat_prices", Release: 1, Resource: "prices", Row: "2026", Column: "bread", Value: "4000"}, Email: "asker@example.org",
		}, "00", nil, 1)
		c.State, c.Route = portal.Assigned, route
		c.Deadline = portal.NewDeadline(portal.DateOf(c.Received), 15, portal.WorkCalendar{})
		o.cases[id] = &c
	}
	return o
}

func (o *office) desk(t *testing.T) *desk {
	t.Helper()
	d, err := newDesk(Options{
		Accounts: o, Sessions: o, Factors: o, Inquiries: o, Cohorts: o, Staff: o, Nodes: o, Letters: o, Templates: o, Form: o,
		Calendar:   func(context.Context) (portal.WorkCalendar, error) { return portal.WorkCalendar{}, nil },
		Publishers: func(context.Context) ([]portal.Publisher, error) { return []portal.Publisher{stat}, nil },
		AnswerDays: func(context.Context, portal.PublisherID) (int, error) { return 15, nil },
		NewThread:  func() portal.InquiryID { return portal.InquiryID{0xaa} },
		Now:        func() time.Time { return now }, Machine: func() time.Time { return time.Unix(o.clock.Load(), 0) },
		DeviceKey: []byte("sixteen bytes or more"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// browser keeps cookies and follows nothing.
type browser struct {
	t      *testing.T
	client *http.Client
	at     string
}

func (o *office) serve(t *testing.T) string {
	t.Helper()
	h, err := New(o.desk(t).o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func newBrowser(t *testing.T, at string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, at: at, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a browser in which the account of a role is signed in.
func (o *office) as(t *testing.T, at string, role portal.DeskRole) *browser {
	t.Helper()
	b := newBrowser(t, at)
	if status, where, body := b.signIn(people[role].Name, password); status != http.StatusSeeOther || where != "/desk/" {
		t.Fatalf("sign-in of %s: %d to %q: %s", role, status, where, body)
	}
	return b
}

func (b *browser) do(r *http.Request) (status int, location, body string) {
	b.t.Helper()
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.Header.Get("Cache-Control") != "no-store" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		b.t.Errorf("%s %s: headers %v", r.Method, r.URL, res.Header)
	}
	return res.StatusCode, res.Header.Get("Location"), string(text)
}

func (b *browser) get(path string) (status int, location, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.at+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, fields ...string) (status int, location, body string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.at+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.at)
	return b.do(r)
}

func (b *browser) signIn(name, password string) (status int, location, body string) {
	b.t.Helper()
	return b.post("/desk/sign-in", "name", name, "password", password)
}

func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.at + "/desk/sign-in")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// want checks an answer.
func want(t *testing.T, what string, status, wantStatus int, body string, has ...string) {
	t.Helper()
	if status != wantStatus {
		t.Errorf("%s: status %d, want %d: %.600s", what, status, wantStatus, body)
	}
	for _, s := range has {
		if !strings.Contains(body, s) {
			t.Errorf("%s: lacks %q: %.3000s", what, s, body)
		}
	}
}
