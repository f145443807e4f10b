package desk

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
	"koprik/ui/locale"
)

// inboxPage is how many inquiries stand on one page.
const inboxPage = 50

// InboxPage is the struct of inbox.html.
type InboxPage struct {
	*Frame
	Lists            []List
	Rows             []Row
	Count            string
	Previous, Next   string
	MayModerate      bool
	NothingToDoToday string
	Mail             string // what is wrong with the mail server; "" nothing is
	MailProblem      string // in its own words
}

// List is one of the lists that an inbox has.
type List struct {
	Text, Href string
	Current    bool
}

// Row is one inquiry of a list.
type Row struct {
	Href, Text, Kind, State string
	Tag                     string // language of Text
	About, Office           string
	Due                     string
	Overdue, Stopped        bool
	Told                    string // who was told that it waits too long
}

// inboxLists are the lists of an inbox, by the value of "list".
var inboxLists = []struct {
	name   string
	words  locale.Key
	centre bool
	query  portal.CaseQuery
}{
	{"open", "desk.open", false, portal.CaseQuery{States: []portal.InquiryState{portal.Received, portal.Assigned}}},
	{"late", "desk.late", false, portal.CaseQuery{Late: true, States: []portal.InquiryState{portal.Received, portal.Assigned}}},
	{"moderate", "desk.tomoderate", true, portal.CaseQuery{Moderate: portal.Waiting}},
	{"ours", "desk.ours", true, portal.CaseQuery{Centre: true, States: []portal.InquiryState{portal.Received, portal.Assigned}}},
	{"done", "desk.closed", false, portal.CaseQuery{States: []portal.InquiryState{portal.Answered, portal.Refused, portal.Published}}},
}

func (v *visit) inbox() error {
	asked := v.r.URL.Query()
	page := InboxPage{Frame: v.frame(v.T("desk.inbox"))}
	chosen := inboxLists[0]
	for _, l := range inboxLists {
		if l.centre && !v.account.OfCentre() {
			continue
		}
		if l.name == asked.Get("list") {
			chosen = l
		}
	}
	for _, l := range inboxLists {
		if !l.centre || v.account.OfCentre() {
			page.Lists = append(page.Lists, List{Text: v.T(l.words), Href: "/desk/?list=" + l.name, Current: l.name == chosen.name})
		}
	}
	from, err := strconv.Atoi(asked.Get("from"))
	if err != nil || from < 0 || from > 1_000_000 {
		from = 0
	}
	q, ok := v.account.Sees(chosen.query)
	var list []portal.Case
	var total int
	if ok {
		q.Limit, q.Offset, q.Kinds = inboxPage, from, portal.DeskKinds
		if list, total, err = v.desk.o.Inquiries.Cases(v.r.Context(), q); err != nil {
			return err
		}
	}
	if err := v.mailTrouble(&page); err != nil {
		return err
	}
	cal, err := v.desk.o.Calendar(v.r.Context())
	if err != nil {
		return err
	}
	for i := range list {
		page.Rows = append(page.Rows, v.row(&list[i], cal))
	}
	page.Count = v.N("desk.count", total)
	at := func(from int) string {
		return "/desk/?" + url.Values{"list": {chosen.name}, "from": {strconv.Itoa(from)}}.Encode()
	}
	if from > 0 {
		page.Previous = at(max(0, from-inboxPage))
	}
	if from+len(list) < total {
		page.Next = at(from + inboxPage)
	}
	return v.render(http.StatusOK, "inbox", page)
}

// mailTrouble tells those of the centre when the mail server takes no letters:
// offices are not written to, and nobody else would see it.
func (v *visit) mailTrouble(page *InboxPage) error {
	if !v.account.OfCentre() {
		return nil
	}
	mail, err := v.desk.o.Letters.MailState(v.r.Context())
	if err == nil && mail.Trouble(v.now) {
		page.Mail, page.MailProblem = v.N("desk.mailwaits", mail.Waiting, "date", v.DateTime(mail.Oldest.In(portal.Zone))), mail.Problem
	}
	return err
}

func (v *visit) row(c *portal.Case, cal portal.WorkCalendar) Row {
	today := portal.DateOf(v.now)
	r := Row{
		Href: "/desk/inquiry/" + c.Inquiry.ID.String(), Text: beginning(c.Inquiry.Text), Tag: string(c.Inquiry.Lang),
		Kind: v.kind(c.Inquiry.Kind), State: v.state(c.State), About: string(c.Inquiry.About.Dataset), Office: v.office(c.Route),
		Stopped: c.State.Open() && c.Deadline.Stopped(today),
	}
	if key, told := toldWords[c.Told]; told && c.State.Open() {
		r.Told = v.T(key)
	}
	if !c.Opened {
		r.Text, r.Tag, r.Kind = v.T("desk.sealed"), string(v.lang), ""
	}
	if c.State.Open() && c.Deadline.Due != "" {
		due := c.Deadline.Effective(today, cal)
		r.Due, r.Overdue = v.Day(due), !r.Stopped && due < today
	}
	return r
}

var toldWords = map[portal.Escalation]locale.Key{portal.ToCoordinator: "desk.told-coordinator", portal.ToCentre: "desk.told-centre"}

// beginning is the first words of a text.
func beginning(s string) string {
	const most = 120
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func (v *visit) kind(k portal.InquiryKind) string {
	if !k.Asks() {
		return ""
	}
	return v.T(kindWords[k])
}

var kindWords = map[portal.InquiryKind]locale.Key{
	portal.Question: "desk.kind-question", portal.Correction: "desk.kind-correction", portal.DataRequest: "desk.kind-data",
	portal.BreakdownRequest: "desk.kind-breakdown", portal.Feedback: "desk.kind-feedback",
}

func (v *visit) state(s portal.InquiryState) string { return v.T(stateWords[s]) }

var stateWords = map[portal.InquiryState]locale.Key{
	portal.Queued: "desk.state-received", portal.Received: "desk.state-received", portal.Assigned: "desk.state-assigned",
	portal.Answered: "desk.state-answered", portal.Refused: "desk.state-refused", portal.Published: "desk.state-published",
}

// office names who has to answer, in short.
func (v *visit) office(r portal.Route) string {
	if r.Publisher == "" {
		return v.T("desk.thecentre")
	}
	if r.Contact == "" {
		return string(r.Publisher)
	}
	return string(r.Publisher) + "/" + string(r.Contact)
}
