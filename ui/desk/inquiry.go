package desk

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
	"koprik/ui/locale"
)

// InquiryPage is the struct of inquiry.html.
type InquiryPage struct {
	*Frame
	ID, Version         string
	Text, AskedIn       string // AskedIn: language of Text
	Sealed              bool
	Facts               []Fact
	Answers             []Said
	Events              []Event
	MayAnswer, MayAsk   bool
	MayAssign           bool
	MayModerate         bool
	Stopped             string // why the clock stands; "" it runs
	Typed               Typed
	Langs               []Choice
	Templates           []List // answers given often, each puts itself into the form
	Offices             []Choice
	Shown               string // what the public reads; what a moderator starts from
	ModerationSays      string
	MaxAnswer, MaxWords int
}

// Fact is one line about an inquiry.
type Fact struct{ Label, Value, Href string }

// Said is one answer that was given.
type Said struct{ Text, Tag, By, Day string }

// Event is one line of what was done.
type Event struct{ At, By, What, Note string }

// Choice is one of a list to choose from.
type Choice struct {
	Value, Text string
	Chosen      bool
}

// Typed is what somebody wrote into the forms, to be there again when something
// was wrong with it.
type Typed struct {
	Answer, Dataset, Release, Reason, Question, Withhold, Belongs string

	Lang portal.Lang // of Answer; "" the asker's
}

// found gives the inquiry of the address; one that the account may not read is
// not there.
func (v *visit) found() (portal.Case, error) {
	id, err := portal.ParseInquiryID(v.path("id"))
	if err != nil {
		return portal.Case{}, portal.ErrNotFound
	}
	c, err := v.desk.o.Inquiries.FindCase(v.r.Context(), id.String())
	if err == nil && !v.account.Reads(&c) {
		err = portal.ErrNotFound
	}
	return c, err
}

func (v *visit) inquiryPage() error {
	c, err := v.found()
	if err != nil {
		return err
	}
	if c.IsReuse() {
		return v.redirect("/desk/reuse/" + c.Inquiry.ID.String())
	}
	typed := Typed{Question: c.Inquiry.Text}
	if err := v.fromTemplate(&typed); err != nil {
		return err
	}
	return v.showInquiry(http.StatusOK, &c, typed, nil)
}

func (v *visit) showInquiry(status int, c *portal.Case, typed Typed, problems []string) error {
	cal, err := v.desk.o.Calendar(v.r.Context())
	if err != nil {
		return err
	}
	if typed.Question == "" {
		typed.Question = c.Inquiry.Text
	}
	today := portal.DateOf(v.now)
	page := InquiryPage{
		Frame: v.frame(v.T("desk.inquiry", "id", c.Inquiry.ID.String()[:8])), ID: c.Inquiry.ID.String(), Version: version(c),
		Text: c.Inquiry.Text, AskedIn: string(c.Inquiry.Lang), Sealed: !c.Opened, Typed: typed,
		MayAnswer: c.Opened && v.account.May(portal.ActAnswer, c), MayAsk: c.State.Open(),
		MayAssign:   (c.State.Open() || c.State == portal.Refused) && v.account.May(portal.ActAssign, c),
		MayModerate: c.Opened && c.Inquiry.Public && v.account.May(portal.ActModerate, c),
		MaxAnswer:   portal.MaxAnswerText, MaxWords: portal.MaxInquiryText,
	}
	page.Problems = problems
	page.Facts = v.facts(c, today, cal)
	for _, s := range c.Deadline.Stops {
		if s.Until == "" {
			page.Stopped, _ = s.Reason.In(v.lang)
		}
	}
	for _, a := range c.Answers {
		by := strings.Trim(a.Post+", "+a.Office, ", ")
		page.Answers = append(page.Answers, Said{Text: a.Text, Tag: string(a.Lang), By: by, Day: v.Date(a.At.In(portal.Zone))})
	}
	for _, e := range c.Events {
		page.Events = append(page.Events, Event{At: v.DateTime(e.At.In(portal.Zone)), By: e.By, What: v.happened(e.What), Note: e.Note})
	}
	wanted := c.Inquiry.Lang
	if typed.Lang != "" {
		wanted = typed.Lang
	}
	if page.MayAnswer {
		if page.Templates, err = v.templateLinks(c); err != nil {
			return err
		}
	}
	for _, l := range portal.Langs {
		page.Langs = append(page.Langs, Choice{Value: l.Path(), Text: v.desk.words.Words(l).T("lang.self"), Chosen: l == wanted})
	}
	if page.MayAssign {
		if page.Offices, err = v.offices(c.Route); err != nil {
			return err
		}
	}
	if page.MayModerate {
		page.ModerationSays = v.T(moderationWords[c.Moderation.State])
	}
	return v.render(status, "inquiry", page)
}

var moderationWords = map[portal.ModerationState]locale.Key{
	portal.Waiting: "desk.waits", portal.Shown: "desk.isshown", portal.Withheld: "desk.iswithheld", portal.NotForPublic: "desk.waits",
}

// happened names an event; what is none of ours stands as it is.
func (v *visit) happened(what string) string {
	if key, ok := eventWords[what]; ok {
		return v.T(key)
	}
	return what
}

var eventWords = map[string]locale.Key{
	"assigned": "desk.state-assigned", "answered": "desk.state-answered", "refused": "desk.state-refused", "published": "desk.state-published",
	"checked in": "reuse.desk-checkedin", "columns changed": "reuse.risks",
	"shown": "desk.isshown", "withheld": "desk.iswithheld", "clock stopped": "desk.did-stop", "clock started": "desk.did-start",
	"told the coordinator": "desk.told-coordinator", "told the centre": "desk.told-centre", "moved on": "desk.did-move", "not ours": "desk.did-notours",
}

func (v *visit) facts(c *portal.Case, today portal.Date, cal portal.WorkCalendar) (list []Fact) {
	add := func(label locale.Key, value, href string) {
		if value != "" {
			list = append(list, Fact{v.T(label), value, href})
		}
	}
	q := c.Inquiry
	add("desk.state", v.state(c.State), "")
	add("desk.kind", v.kind(q.Kind), "")
	if at := q.About; at.Dataset != "" {
		add("desk.about", string(at.Dataset), "/"+v.lang.Path()+"/dataset/"+string(at.Dataset))
		where := strings.Trim(strings.Join([]string{at.Resource, at.Row, at.Column}, " · "), " ·")
		add("desk.place", where, "")
		add("desk.value", at.Value, "")
	}
	add("desk.received", v.DateTime(c.Received.In(portal.Zone)), "")
	if c.Deadline.Due != "" {
		add("desk.due", v.Day(c.Deadline.Due), "")
		if effective := c.Deadline.Effective(today, cal); effective != c.Deadline.Due {
			add("desk.effective", v.Day(effective), "")
		}
	}
	add("desk.office", v.office(c.Route), "")
	if q.Public {
		add("desk.public", v.T("desk.yes"), "")
	} else if c.Opened {
		add("desk.public", v.T("desk.no"), "")
	}
	add("desk.email", q.Email, "")
	if len(c.Supporters) > 0 {
		add("desk.support", v.Int(int64(len(c.Supporters))), "")
	}
	if !c.Enrolled {
		add("desk.from", v.T("desk.stranger"), "")
	}
	return list
}

// offices are those to whom the account may give an inquiry: contacts of its own
// publisher, for the centre those of all, and the centre itself.
func (v *visit) offices(now portal.Route) (list []Choice, err error) {
	all, err := v.desk.o.Publishers(v.r.Context())
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if !v.account.OfCentre() && p.ID != v.account.Publisher {
			continue
		}
		title, _ := p.Title.In(v.lang)
		for _, c := range p.Contacts {
			post, _ := c.Post.In(v.lang)
			list = append(list, Choice{
				Value: string(p.ID) + "/" + string(c.ID), Text: title + ": " + post,
				Chosen: now.Publisher == p.ID && now.Contact == c.ID,
			})
		}
	}
	return append(list, Choice{Value: "centre", Text: v.T("desk.thecentre"), Chosen: now.Publisher == ""}), nil
}

// version changes whenever anything was done with a case: who decides by a page
// that has become old is told so.
func version(c *portal.Case) string { return strconv.Itoa(len(c.Events)) }

var errOld = errors.New("desk: somebody else has changed it meanwhile")

// change does something to the inquiry of the address, as it was when the form
// was made. What is wrong with it is shown beside what was typed.
func (v *visit) change(act portal.DeskAct, done string, typed Typed, problems []string, do func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error) error {
	c, err := v.found()
	if err != nil {
		return err
	}
	if !v.account.May(act, &c) {
		return errNotYours
	}
	if len(problems) > 0 {
		return v.showInquiry(http.StatusUnprocessableEntity, &c, typed, problems)
	}
	_, err = v.desk.o.Inquiries.ChangeCase(v.r.Context(), c.Inquiry.ID, v.account.Name, func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
		switch {
		case !v.account.May(act, c):
			return errNotYours
		case version(c) != v.field("version"):
			return errOld
		}
		return do(c, cal, e)
	})
	switch {
	case err == nil:
		return v.leave(c.Inquiry.ID, done)
	case errors.Is(err, errOld):
		problems = []string{v.T("desk.meanwhile")}
	case errors.Is(err, portal.ErrRejected):
		problems = []string{v.T("desk.cannot")}
	default:
		return err
	}
	if c, err = v.found(); err != nil {
		return err
	}
	return v.showInquiry(http.StatusUnprocessableEntity, &c, typed, problems)
}

// leave goes back to the inquiry, or to the inbox when it is no longer the
// account's.
func (v *visit) leave(id portal.InquiryID, done string) error {
	c, err := v.desk.o.Inquiries.FindCase(v.r.Context(), id.String())
	if err != nil {
		return err
	}
	if !v.account.Reads(&c) {
		return v.redirect("/desk/?done=" + done)
	}
	return v.redirect("/desk/inquiry/" + id.String() + "?done=" + done)
}

// bounded says what is wrong with a text that a person has to write.
func (v *visit) bounded(label locale.Key, s string, most int) []string {
	switch n := utf8.RuneCountInString(s); {
	case s == "":
		return []string{v.T("desk.empty", "field", v.T(label))}
	case n > most:
		return []string{v.T("desk.toolong", "field", v.T(label), "n", n, "most", most)}
	}
	return nil
}

// answer answers, refuses, or says in which dataset the answer stands.
func (v *visit) answer() error {
	typed := Typed{Answer: v.field("text"), Dataset: v.field("dataset"), Release: v.field("release")}
	a := portal.Answer{State: portal.InquiryState(v.field("state")), Text: typed.Answer, Post: v.account.Post}
	var problems []string
	if a.State != portal.Published || typed.Dataset == "" {
		problems = v.bounded("desk.answer", typed.Answer, portal.MaxAnswerText)
	}
	var err error
	if a.Lang, err = portal.ParseLang(v.field("language")); err != nil {
		problems = append(problems, v.T("desk.badlanguage"))
	}
	if typed.Dataset != "" {
		if a.Dataset, err = portal.ParseDatasetID(typed.Dataset); err != nil {
			problems = append(problems, v.T("desk.baddataset"))
		}
	}
	if a.State == portal.Published && typed.Dataset == "" {
		problems = append(problems, v.T("desk.baddataset"))
	}
	if typed.Release != "" {
		if a.Release, err = strconv.Atoi(typed.Release); err != nil || a.Release < 1 || a.Dataset == "" {
			problems = append(problems, v.T("desk.badrelease"))
		}
	}
	if a.Office, err = v.officeOf(a.Lang); err != nil {
		return err
	}
	return v.change(portal.ActAnswer, string(a.State), typed, problems, func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
		return c.Reply(a, cal, e)
	})
}

// officeOf names the account's office in a language: the unit and the publisher.
func (v *visit) officeOf(l portal.Lang) (string, error) {
	if v.account.Publisher == "" {
		return v.desk.words.Words(l).T("desk.thecentre"), nil
	}
	all, err := v.desk.o.Publishers(v.r.Context())
	if err != nil {
		return "", err
	}
	for _, p := range all {
		if p.ID != v.account.Publisher {
			continue
		}
		title, _ := p.Title.In(l)
		c, _ := p.Contact(v.account.Contact)
		if unit, _ := c.Unit.In(l); unit != "" && unit != title {
			return unit + ", " + title, nil
		}
		return title, nil
	}
	return string(v.account.Publisher), nil
}

// clock stops and starts the clock.
func (v *visit) clock() error {
	typed := Typed{Reason: v.field("reason")}
	if v.field("do") == "start" {
		return v.change(portal.ActAnswer, "clock", typed, nil, func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
			return c.StartClock(e)
		})
	}
	problems := v.bounded("desk.reason", typed.Reason, portal.MaxInquiryText)
	return v.change(portal.ActAnswer, "clock", typed, problems, func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
		return c.StopClock(portal.PlainText(typed.Reason), e)
	})
}

// assign gives an inquiry to another office. The due date stays.
func (v *visit) assign() error {
	to, choices := v.field("to"), []Choice(nil)
	c, err := v.found()
	if err == nil {
		choices, err = v.offices(c.Route)
	}
	if err != nil {
		return err
	}
	var route *portal.Route
	for _, choice := range choices {
		if choice.Value == to {
			publisher, contact, _ := strings.Cut(to, "/")
			route = &portal.Route{Publisher: portal.PublisherID(publisher), Contact: portal.ContactID(contact)}
			if to == "centre" {
				route = &portal.Route{Level: portal.ToPortalTop}
			}
		}
	}
	if route == nil {
		return v.change(portal.ActAssign, "assigned", Typed{}, []string{v.T("desk.badoffice")}, nil)
	}
	days, err := v.desk.o.AnswerDays(v.r.Context(), route.Publisher)
	if err != nil {
		return err
	}
	return v.change(portal.ActAssign, "assigned", Typed{}, nil, func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
		return c.Assign(*route, days, cal, e)
	})
}

// moderate shows an inquiry to the public, or withholds it.
func (v *visit) moderate() error {
	typed := Typed{Question: v.field("question"), Withhold: v.field("withhold")}
	if v.field("do") == "withhold" {
		problems := v.bounded("desk.reason", typed.Withhold, portal.MaxInquiryText)
		return v.change(portal.ActModerate, "withheld", typed, problems, func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
			return c.Moderate(portal.Moderation{State: portal.Withheld, Reason: typed.Withhold}, portal.InquiryID{}, e)
		})
	}
	problems := v.bounded("desk.question", typed.Question, portal.MaxInquiryText)
	return v.change(portal.ActModerate, "shown", typed, problems, func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
		m := portal.Moderation{State: portal.Shown}
		if typed.Question != c.Inquiry.Text {
			m.Question = typed.Question
		}
		return c.Moderate(m, v.desk.o.NewThread(), e)
	})
}
