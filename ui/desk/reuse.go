package desk

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/ui/locale"
)

// Cohorts are what reuses were begun at.
type Cohorts interface {
	Cohorts(ctx context.Context) ([]portal.Cohort, error)
	// SetCohort names one, or changes what is said of it. What is wrong with it is
	// portal.ErrRejected.
	SetCohort(ctx context.Context, c portal.Cohort) error
}

// ReusesPage is the struct of reuses.html.
type ReusesPage struct {
	*Frame
	Lists          []List
	Rows           []ReuseRow
	Count          string
	Previous, Next string
	Cohorts        []Fact
	Cohort         CohortTyped
}

// ReuseRow is one reuse of a list.
type ReuseRow struct {
	Href, Title, Tag string
	State, Kind, Due string
	Risks            string
}

// CohortTyped is the form of a cohort as it was typed.
type CohortTyped struct{ ID, Title, Day, Entries string }

// ReusePage is the struct of reuse.html.
type ReusePage struct {
	*Frame
	ID, Version string
	Facts       []Fact
	Risks       []Fact
	Events      []Event
	Link        string // as it is to be looked at, before it is shown
	Texts       []ReuseText
	Kinds       []Choice
	Cohorts     []Choice
	States      []Choice
	Typed       ReuseTyped
	MayName     bool // who made it agreed to be named
	Shown       bool

	MaxTitle, MaxSummary, MaxWords int
}

// ReuseText is title and summary in one language.
type ReuseText struct{ Tag, Path, Language, Title, Summary string }

// ReuseTyped is the rest of the form.
type ReuseTyped struct{ Link, Uses, By, Reason string }

// reuseLists are the lists of reuses, by the value of "list". What keeps those that
// belong is nil where the query alone says so.
var reuseLists = []struct {
	name  string
	words locale.Key
	state portal.ModerationState
	keeps func(c *portal.Case, today portal.Date) bool
}{
	{"waiting", "reuse.desk-waiting", portal.Waiting, nil},
	{"due", "reuse.desk-due", portal.Shown, func(c *portal.Case, today portal.Date) bool {
		due := (&portal.Reuse{Lived: c.Reuse.Lived}).CheckInDue()
		return due != "" && due <= today
	}},
	{"risks", "reuse.desk-risks", portal.Shown, func(c *portal.Case, _ portal.Date) bool { return len(c.Reuse.Risks) > 0 }},
	{"shown", "reuse.desk-shown", portal.Shown, nil},
	{"refused", "reuse.desk-refused", portal.Withheld, nil},
}

func (v *visit) reuses() error { return v.showReuses(http.StatusOK, CohortTyped{}, nil) }

func (v *visit) showReuses(status int, typed CohortTyped, problems []string) error {
	asked := v.r.URL.Query()
	page := ReusesPage{Frame: v.frame(v.T("reuse.title")), Cohort: typed}
	page.Problems = problems
	chosen := reuseLists[0]
	for _, l := range reuseLists {
		if l.name == asked.Get("list") {
			chosen = l
		}
	}
	for _, l := range reuseLists {
		page.Lists = append(page.Lists, List{Text: v.T(l.words), Href: "/desk/reuses?list=" + l.name, Current: l.name == chosen.name})
	}
	all, _, err := v.desk.o.Inquiries.Cases(v.r.Context(), portal.CaseQuery{Kinds: []portal.InquiryKind{portal.ReuseSubmission}, Moderate: chosen.state, Limit: math.MaxInt32})
	if err != nil {
		return err
	}
	today := portal.DateOf(v.now)
	if chosen.keeps != nil {
		all = slices.DeleteFunc(all, func(c portal.Case) bool { return !c.IsReuse() || !chosen.keeps(&c, today) })
	}
	from, err := strconv.Atoi(asked.Get("from"))
	if err != nil || from < 0 || from > len(all) {
		from = 0
	}
	to := min(len(all), from+inboxPage)
	for i := range all[from:to] {
		page.Rows = append(page.Rows, v.reuseRow(&all[from+i], today))
	}
	page.Count = v.N("reuse.count", len(all))
	at := func(from int) string {
		return "/desk/reuses?" + url.Values{"list": {chosen.name}, "from": {strconv.Itoa(from)}}.Encode()
	}
	if from > 0 {
		page.Previous = at(max(0, from-inboxPage))
	}
	if to < len(all) {
		page.Next = at(to)
	}
	cohorts, err := v.desk.o.Cohorts.Cohorts(v.r.Context())
	if err != nil {
		return err
	}
	for _, c := range cohorts {
		title, _ := c.Title.In(v.lang)
		page.Cohorts = append(page.Cohorts, Fact{Label: title, Value: string(c.ID) + " · " + v.Day(c.Day) + " · " + v.N("reuse.desk-took", c.Entries), Href: "/" + v.lang.Path() + "/reuses?cohort=" + string(c.ID)})
	}
	return v.render(status, "reuses", page)
}

func (v *visit) reuseRow(c *portal.Case, today portal.Date) ReuseRow {
	r := portal.Reuse{ReuseDetails: c.Reuse.Details, Lived: c.Reuse.Lived}
	title, l := r.Title.In(v.lang)
	row := ReuseRow{Href: "/desk/reuse/" + c.Inquiry.ID.String(), Title: title, Tag: string(l), Kind: v.T(reuseKindWords[r.Kind])}
	row.State = v.T(reuseModerationWords[c.Moderation.State])
	if c.Moderation.State == portal.Shown {
		state, _ := r.StateIn(today)
		row.State = v.T(reuseStateWords[state])
		if due := r.CheckInDue(); due != "" {
			row.Due = v.Day(due)
		}
	}
	if n := len(c.Reuse.Risks); n > 0 {
		row.Risks = v.T("reuse.desk-risks")
	}
	return row
}

var reuseKindWords = map[portal.ReuseKind]locale.Key{
	portal.ReuseApplication: "reuse.application", portal.ReuseVisualization: "reuse.visualization", portal.ReuseNews: "reuse.news",
	portal.ReusePaper: "reuse.paper", portal.ReusePost: "reuse.post", portal.ReuseAPI: "reuse.api", portal.ReuseHardware: "reuse.hardware",
	portal.ReuseTeaching: "reuse.teaching",
}

var reuseStateWords = map[portal.ReuseState]locale.Key{
	portal.ReuseAlive: "reuse.alive", portal.ReuseSleeping: "reuse.sleeping", portal.ReuseAdopter: "reuse.adopter",
}

var reuseModerationWords = map[portal.ModerationState]locale.Key{
	portal.Waiting: "reuse.desk-waiting", portal.Shown: "reuse.desk-shown", portal.Withheld: "reuse.desk-refused",
}

// cohort names a cohort, or changes what is said of it.
func (v *visit) cohort() error {
	typed := CohortTyped{ID: v.field("id"), Title: v.field("title"), Day: v.field("day"), Entries: v.field("entries")}
	c := portal.Cohort{ID: portal.CohortID(typed.ID), Day: portal.Date(typed.Day), Title: portal.PlainText(typed.Title)}
	var err error
	if typed.Entries != "" {
		if c.Entries, err = strconv.Atoi(typed.Entries); err != nil {
			c.Entries = -1
		}
	}
	if err = v.desk.o.Cohorts.SetCohort(v.r.Context(), c); err == nil {
		return v.redirect("/desk/reuses?done=cohort")
	}
	if lines, ok := wrong(err); ok {
		return v.showReuses(http.StatusUnprocessableEntity, typed, lines)
	}
	return err
}

// foundReuse gives the reuse of the address; a question is none.
func (v *visit) foundReuse() (portal.Case, error) {
	c, err := v.found()
	if err == nil && !c.IsReuse() {
		err = portal.ErrNotFound
	}
	return c, err
}

func (v *visit) reusePage() error {
	c, err := v.foundReuse()
	if err != nil {
		return err
	}
	return v.showReuse(http.StatusOK, &c, c.Reuse.Details, "", nil)
}

// showReuse shows a reuse with what was typed into its form.
func (v *visit) showReuse(status int, c *portal.Case, d portal.ReuseDetails, reason string, problems []string) error {
	title, _ := c.Reuse.Details.Title.In(v.lang)
	page := ReusePage{
		Frame: v.frame(title), ID: c.Inquiry.ID.String(), Version: version(c), Link: c.Reuse.Details.Link, Shown: c.Moderation.State == portal.Shown,
		MayName:  c.Inquiry.Reuse.Consent,
		MaxTitle: portal.MaxReuseTitle, MaxSummary: portal.MaxReuseSummary, MaxWords: portal.MaxInquiryText,
		Typed: ReuseTyped{Link: d.Link, By: d.By, Reason: reason},
	}
	page.Problems = problems
	var uses []string
	for _, s := range d.Uses {
		uses = append(uses, s.String())
	}
	page.Typed.Uses = strings.Join(uses, "\n")
	for _, l := range portal.Langs {
		page.Texts = append(page.Texts, ReuseText{Tag: string(l), Path: l.Path(), Language: v.desk.words.Words(l).T("lang.self"), Title: d.Title.Translated[l], Summary: d.Summary.Translated[l]})
	}
	for _, k := range portal.ReuseKinds {
		page.Kinds = append(page.Kinds, Choice{Value: string(k), Text: v.T(reuseKindWords[k]), Chosen: k == d.Kind})
	}
	cohorts, err := v.desk.o.Cohorts.Cohorts(v.r.Context())
	if err != nil {
		return err
	}
	for _, one := range cohorts {
		text, _ := one.Title.In(v.lang)
		page.Cohorts = append(page.Cohorts, Choice{Value: string(one.ID), Text: text, Chosen: one.ID == d.Cohort})
	}
	for _, s := range portal.ReuseStates {
		page.States = append(page.States, Choice{Value: string(s), Text: v.T(reuseStateWords[s])})
	}
	page.Facts = v.reuseFacts(c)
	for _, r := range c.Reuse.Risks {
		for _, column := range r.Columns {
			page.Risks = append(page.Risks, Fact{Label: string(r.Dataset) + " · " + v.T("dataset.release", "n", r.Release), Value: column.String(), Href: "/" + v.lang.Path() + "/dataset/" + string(r.Dataset) + "/history"})
		}
	}
	for _, e := range c.Events {
		page.Events = append(page.Events, Event{At: v.DateTime(e.At.In(portal.Zone)), By: e.By, What: v.happened(e.What), Note: e.Note})
	}
	return v.render(status, "reuse", page)
}

func (v *visit) reuseFacts(c *portal.Case) (list []Fact) {
	add := func(label locale.Key, value, href string) {
		if value != "" {
			list = append(list, Fact{v.T(label), value, href})
		}
	}
	r := portal.Reuse{Lived: c.Reuse.Lived}
	add("desk.moderation", v.T(reuseModerationWords[c.Moderation.State]), "")
	if state, byRule := r.StateIn(portal.DateOf(v.now)); state != "" {
		add("reuse.state", v.T(reuseStateWords[state]), "")
		if byRule {
			add("reuse.desk-rule", v.T("desk.yes"), "")
		}
		add("reuse.published", v.Day(r.Published()), "/"+v.lang.Path()+"/reuses/"+c.Thread.String())
		add("reuse.due", v.Day(r.CheckInDue()), "")
	}
	add("desk.received", v.DateTime(c.Received.In(portal.Zone)), "")
	add("desk.email", c.Inquiry.Email, "")
	add("reuse.desk-sentby", c.Inquiry.Reuse.By, "")
	add("reuse.desk-sentlink", c.Inquiry.Reuse.Link, "")
	if !c.Enrolled {
		add("desk.from", v.T("desk.stranger"), "")
	}
	return list
}

// typedReuse reads the form of a reuse. Sources that name nothing are in problems.
func (v *visit) typedReuse() (d portal.ReuseDetails, problems []string) {
	d = portal.ReuseDetails{
		Kind: portal.ReuseKind(v.field("kind")), Link: v.field("link"), By: v.field("by"), Cohort: portal.CohortID(v.field("cohort")),
		Title: portal.Text{Translated: map[portal.Lang]string{}}, Summary: portal.Text{Translated: map[portal.Lang]string{}},
	}
	for _, l := range portal.Langs {
		if s := v.field("title-" + l.Path()); s != "" {
			d.Title.Translated[l] = s
		}
		if s := v.field("summary-" + l.Path()); s != "" {
			d.Summary.Translated[l] = s
		}
	}
	for _, one := range strings.Fields(v.field("uses")) {
		src, err := portal.ParseReuseSource(one)
		if err != nil {
			return d, []string{v.T("reuse.unknown", "name", beginning(one))}
		}
		d.Uses = append(d.Uses, src)
	}
	return d, nil
}

// decideReuse publishes a reuse, refuses it, or says how it is.
func (v *visit) decideReuse() error {
	reason := v.field("reason")
	switch v.field("do") {
	case "refuse":
		c, err := v.foundReuse()
		if err != nil {
			return err
		}
		problems := v.bounded("desk.reason", reason, portal.MaxInquiryText)
		return v.changeReuse("reuserefused", c.Reuse.Details, reason, problems, func(c *portal.Case, e portal.CaseEvent) error {
			return c.RefuseReuse(reason, c.Inquiry.Lang, e)
		})
	case "checkin":
		c, err := v.foundReuse()
		if err != nil {
			return err
		}
		return v.changeReuse("checkin", c.Reuse.Details, "", nil, func(c *portal.Case, e portal.CaseEvent) error {
			return c.CheckInReuse(portal.ReuseState(v.field("state")), e)
		})
	}
	d, problems := v.typedReuse()
	return v.changeReuse("reuse", d, "", problems, func(c *portal.Case, e portal.CaseEvent) error {
		return c.PublishReuse(d, v.desk.o.NewThread(), e)
	})
}

// changeReuse does something to the reuse of the address, as it was when the form
// was made.
func (v *visit) changeReuse(done string, typed portal.ReuseDetails, reason string, problems []string, do func(c *portal.Case, e portal.CaseEvent) error) error {
	c, err := v.foundReuse()
	if err != nil {
		return err
	}
	if len(problems) == 0 {
		_, err = v.desk.o.Inquiries.ChangeCase(v.r.Context(), c.Inquiry.ID, v.account.Name, func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
			switch {
			case !v.account.May(portal.ActModerate, c):
				return errNotYours
			case version(c) != v.field("version"):
				return errOld
			}
			return do(c, e)
		})
		lines, rejected := wrong(err)
		switch {
		case err == nil:
			return v.redirect("/desk/reuse/" + c.Inquiry.ID.String() + "?done=" + done)
		case errors.Is(err, errOld):
			problems = []string{v.T("desk.meanwhile")}
		case rejected:
			problems = lines
		default:
			return err
		}
		if c, err = v.foundReuse(); err != nil {
			return err
		}
	}
	return v.showReuse(http.StatusUnprocessableEntity, &c, typed, reason, problems)
}
