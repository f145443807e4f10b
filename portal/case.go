package portal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RouteLevel is how far up an inquiry has gone to find somebody who answers.
type RouteLevel int

// The levels, from the one who knows the data to the centre.
const (
	ToHolder    RouteLevel = iota // the passport's contact
	ToUnit                        // another contact of the same unit
	ToDesk                        // the publisher's default contact
	ToPortalTop                   // the centre's own desk
)

// Route says who has to answer. Publisher is "" when the centre itself has to.
type Route struct {
	Publisher PublisherID `json:"publisher,omitempty"`
	Contact   ContactID   `json:"contact,omitempty"`
	Level     RouteLevel  `json:"level"`
}

// Ref names who has to answer.
func (r Route) Ref() ContactRef { return ContactRef{r.Publisher, r.Contact} }

// FindRoute gives who answers for a contact's data: the contact, another one of
// its unit, the publisher's desk, the centre. One that has left, or is amber (its
// e-mail bounced, or two confirmations were missed), is passed over.
func FindRoute(p Publisher, holder ContactID, today Date, amber func(ContactID) bool) Route {
	reachable := func(c Contact) bool {
		return (c.Until == "" || today < c.Until) && c.Email != "" && (amber == nil || !amber(c.ID))
	}
	held, known := p.Contact(holder)
	if known && reachable(held) {
		return Route{Publisher: p.ID, Contact: held.ID, Level: ToHolder}
	}
	for _, c := range p.Contacts {
		if known && c.ID != holder && !held.Unit.IsZero() && sameText(c.Unit, held.Unit) && reachable(c) {
			return Route{Publisher: p.ID, Contact: c.ID, Level: ToUnit}
		}
	}
	if desk, ok := p.Contact(p.Default); ok && reachable(desk) {
		return Route{Publisher: p.ID, Contact: desk.ID, Level: ToDesk}
	}
	return Route{Level: ToPortalTop}
}

// sameText tells whether two texts agree in a language that both have.
func sameText(a, b Text) bool {
	if a.Plain != "" && a.Plain == b.Plain {
		return true
	}
	for lang, s := range a.Translated {
		if s != "" && s == b.Translated[lang] {
			return true
		}
	}
	return false
}

// ModerationState is how far an inquiry is on its way to the public.
type ModerationState string

// The states of moderation.
const (
	NotForPublic ModerationState = ""         // its asker did not want it
	Waiting      ModerationState = "waiting"  // for a moderator
	Shown        ModerationState = "shown"    // question, and answer when there is one
	Withheld     ModerationState = "withheld" // personal data, abuse, spam
)

// Moderation says what of an inquiry the public sees. The asker's own words are
// kept beside it.
type Moderation struct {
	State    ModerationState `json:"state,omitempty"`
	Question string          `json:"question,omitempty"` // as it is shown; "" as it was asked
	Reason   string          `json:"reason,omitempty"`   // why it is withheld; for the desk alone
	By       string          `json:"by,omitempty"`
	At       time.Time       `json:"at,omitzero"`
}

// CaseEvent is one line of what was done with an inquiry.
type CaseEvent struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"` // a user's name, a contact "main/desk", or the program itself: ""
	What string    `json:"what"`
	Note string    `json:"note,omitempty"`
}

// Case is an inquiry as the centre works on it.
type Case struct {
	Inquiry    Inquiry
	Opened     bool // false: the key of its epoch is elsewhere, and Inquiry is empty but for its ID
	Epoch      string
	Node       Digest // id of the key of the node where it was asked
	Enrolled   bool   // the centre knew that node when the inquiry came
	Sequence   uint64 // of the node
	Slot       string // where the asker looks for answers, hexadecimal; "" while it is sealed
	ReceiptKey []byte // to which they are sealed
	Received   time.Time

	State      InquiryState
	Route      Route
	Turn       int          `json:",omitempty"` // how often it went from one office to another
	Passed     []ContactRef `json:",omitempty"` // who said that it is not theirs
	Deadline   Deadline
	Told       Escalation // the highest that somebody was told of
	Answers    []Answer   // oldest first; the last one counts
	Moderation Moderation
	Thread     InquiryID         // the public name, when it is shown; not the inquiry's own
	Supporters []string          // slots of those who want it too, each once
	Votes      map[string]Useful // what was said of the answer, by slot
	Events     []CaseEvent       // oldest first
	Changed    time.Time         // when an asker would last see a difference

	Reuse *ReuseWork `json:",omitempty"` // of ReuseSubmission
}

// NewCase is what came in, not yet opened.
func NewCase(id InquiryID, epoch string, node Digest, enrolled bool, received time.Time) Case {
	return Case{
		Inquiry: Inquiry{ID: id}, Epoch: epoch, Node: node, Enrolled: enrolled, Received: received, State: Received, Changed: received,
	}
}

// Open puts the words of an inquiry into its case.
func (c *Case) Open(q Inquiry, slot string, key []byte, sequence uint64) {
	c.Inquiry, c.Slot, c.ReceiptKey, c.Sequence, c.Opened = q, slot, key, sequence, true
	if q.Public && q.Kind.Asks() {
		c.Moderation.State = Waiting
	}
	if q.Kind == ReuseSubmission {
		c.Moderation.State = Waiting
		c.Reuse = &ReuseWork{Details: *q.Reuse}
	}
}

// Assign gives a case to somebody. The due date is set the first time and stays,
// whoever gets it later.
func (c *Case) Assign(r Route, days int, cal WorkCalendar, e CaseEvent) error {
	if err := c.State.Step(Assigned); err != nil {
		return err
	}
	if c.Deadline.Due == "" {
		c.Deadline = NewDeadline(DateOf(c.Received), days, cal)
	}
	if c.State == Assigned && r.Ref() != c.Route.Ref() {
		c.Turn++
	}
	if r.Publisher != c.Route.Publisher {
		c.Told = NotEscalated // another coordinator, who was told of nothing
	}
	c.State, c.Route = Assigned, r
	c.note(e, "assigned")
	c.Changed = e.At
	return nil
}

// NotOurs is what an office says of an inquiry that is not for it.
type NotOurs struct {
	Reason  string
	Belongs string // where it belongs, in the office's own words; "" not known
}

// MaxNotOurs bounds each of its texts, in characters.
const MaxNotOurs = 500

// Validate names what is wrong, by the field of the form.
func (n NotOurs) Validate() error {
	var ps Problems
	checkWords(&ps, "reason", n.Reason, MaxNotOurs, true)
	checkWords(&ps, "belongs", n.Belongs, MaxNotOurs, false)
	return ps.Err()
}

func (n NotOurs) String() string {
	if n.Belongs == "" {
		return n.Reason
	}
	return n.Reason + " → " + n.Belongs
}

// PassOn gives a case to whoever comes next, because the office that it waits for
// says that it is not its own. The due date stays. Behind the centre nobody comes.
func (c *Case) PassOn(why NotOurs, next Route, days int, cal WorkCalendar, e CaseEvent) error {
	if err := why.Validate(); err != nil {
		return err
	}
	at := c.Route.Ref()
	if c.State != Assigned || at == (ContactRef{}) {
		return Rejected("state", "there is no other office to pass it on to")
	}
	e.What, e.Note = "not ours", why.String()
	if err := c.Assign(next, days, cal, e); err != nil {
		return err
	}
	if !slices.Contains(c.Passed, at) {
		c.Passed = append(c.Passed, at)
	}
	return nil
}

// Reply answers, refuses or marks as published, by a.State. Who answers and when
// is taken from e; the working days taken are counted from reception.
func (c *Case) Reply(a Answer, cal WorkCalendar, e CaseEvent) error {
	if !slices.Contains([]InquiryState{Answered, Refused, Published}, a.State) {
		return Rejected("state", "%.40q is no answer", a.State)
	}
	if !c.Inquiry.Kind.Asks() {
		return Rejected("kind", "%.40q is nothing to answer", c.Inquiry.Kind)
	}
	from := c.State
	if from == Received && a.State != Refused {
		from = Assigned // who answers at once has taken it
	}
	if err := from.Step(a.State); err != nil {
		return err
	}
	a.Inquiry, a.At, a.Due, a.Question = c.Inquiry.ID, e.At, c.Deadline.Due, ""
	a.Days = cal.Between(DateOf(c.Received), DateOf(e.At))
	if err := a.Validate(); err != nil {
		return err
	}
	for i, s := range c.Deadline.Stops {
		if s.Until == "" {
			c.Deadline.Stops[i].Until = DateOf(e.At)
		}
	}
	c.State = a.State
	c.Answers = append(c.Answers, a)
	c.note(e, string(a.State))
	c.Changed = e.At
	return nil
}

// StopClock waits for somebody else, for a reason that is public.
func (c *Case) StopClock(reason Text, e CaseEvent) error {
	today := DateOf(e.At)
	switch {
	case reason.IsZero():
		return Rejected("reason", "must not be empty: it is public")
	case !c.State.Open():
		return Rejected("state", "an inquiry that is %s has no clock", c.State)
	case c.Deadline.Stopped(today):
		return Rejected("clock", "stands already")
	}
	c.Deadline.Stops = append(c.Deadline.Stops, ClockStop{From: today, Reason: reason})
	c.note(e, "clock stopped")
	c.Changed = e.At
	return nil
}

// StartClock ends the wait.
func (c *Case) StartClock(e CaseEvent) error {
	for i, s := range c.Deadline.Stops {
		if s.Until == "" {
			c.Deadline.Stops[i].Until = DateOf(e.At)
			c.note(e, "clock started")
			c.Changed = e.At
			return nil
		}
	}
	return Rejected("clock", "does not stand")
}

// Moderate shows an inquiry to the public, or withholds it. question replaces the
// asker's words there; thread is the name under which it is shown for the first
// time.
func (c *Case) Moderate(m Moderation, thread InquiryID, e CaseEvent) error {
	switch {
	case !c.Opened || !c.Inquiry.Public || !c.Inquiry.Kind.Asks():
		return Rejected("moderation", "its asker did not want it to be public")
	case m.State != Shown && m.State != Withheld:
		return Rejected("moderation", "%.40q: must be shown or withheld", m.State)
	case m.State == Withheld && strings.TrimSpace(m.Reason) == "":
		return Rejected("reason", "must not be empty")
	}
	var ps Problems
	checkWords(&ps, "question", m.Question, MaxInquiryText, false)
	if err := ps.Err(); err != nil {
		return err
	}
	m.By, m.At = e.By, e.At
	if m.State == Shown && c.Thread == (InquiryID{}) {
		c.Thread = thread
	}
	c.Moderation = m
	c.note(e, string(m.State))
	c.Changed = e.At
	return nil
}

// Support counts somebody who wants it too, once per receipt.
func (c *Case) Support(slot string) bool {
	if slot == "" || slot == c.Slot || slices.Contains(c.Supporters, slot) {
		return false
	}
	c.Supporters = append(c.Supporters, slot)
	return true
}

// Vote keeps what a receipt said of the answer; the last word counts.
func (c *Case) Vote(slot string, u Useful) bool {
	if slot == "" || !slices.Contains([]Useful{UsefulYes, UsefulPartly, UsefulNo}, u) || c.Votes[slot] == u {
		return false
	}
	if c.Votes == nil {
		c.Votes = map[string]Useful{}
	}
	c.Votes[slot] = u
	return true
}

// Escalation says who has to be told today.
func (c *Case) Escalation(today Date, cal WorkCalendar) Escalation {
	if !c.State.Open() || c.Deadline.Due == "" {
		return NotEscalated
	}
	return c.Deadline.Escalation(today, cal)
}

// Escalate marks a case that waits too long. It is false when whoever is to be
// told today was told before.
func (c *Case) Escalate(cal WorkCalendar, e CaseEvent) bool {
	level := c.Escalation(DateOf(e.At), cal)
	if level <= c.Told {
		return false
	}
	c.Told = level
	c.note(e, map[Escalation]string{ToCoordinator: "told the coordinator", ToCentre: "told the centre"}[level])
	return true
}

func (c *Case) note(e CaseEvent, what string) {
	if e.What == "" {
		e.What = what
	}
	c.Events = append(c.Events, e)
}

// Status is what the asker is told now: the last answer, or the state alone.
func (c *Case) Status() Answer {
	a := Answer{State: c.State, At: c.Changed}
	if n := len(c.Answers); n > 0 && !c.State.Open() {
		a = c.Answers[n-1]
		a.State = c.State
		a.Question = c.Inquiry.Text
	}
	a.Inquiry, a.Due = c.Inquiry.ID, c.Deadline.Due
	if !c.IsReuse() {
		a.Thread = c.Thread
	} else if c.Moderation.State == Shown {
		a = Answer{Inquiry: c.Inquiry.ID, State: Published, At: c.Changed, Reuse: c.Thread}
	}
	for _, s := range c.Deadline.Stops {
		if s.Until == "" {
			a.Stopped, _ = s.Reason.In(c.Inquiry.Lang)
		}
	}
	return a
}

// CaseQuery chooses cases. The zero value chooses all.
type CaseQuery struct {
	Kinds     []InquiryKind   // empty: any; "" among them: those still sealed
	Publisher PublisherID     // "" any
	Contact   ContactID       // "" any; of Publisher
	Centre    bool            // only those that the centre itself has to answer
	States    []InquiryState  // empty: any
	Moderate  ModerationState // "": any
	Dataset   DatasetID       // "" any
	Late      bool            // only those of which somebody was told that they wait too long
	Changed   time.Time       // zero: any; only those whose asker sees a difference since then
	Limit     int             // 0: 100
	Offset    int
}

// MatchesID tells whether a case is meant by the beginning of its id, at least 6
// digits of it.
func MatchesID(id InquiryID, prefix string) bool {
	const least = 6
	return len(prefix) >= least && strings.HasPrefix(id.String(), strings.ToLower(prefix))
}

// Says tells in one line what a case is, without any of its asker's words.
func (c *Case) Says() string {
	return fmt.Sprintf("%s %s %s due %s", c.Inquiry.ID.String()[:8], c.State, c.Inquiry.Kind, c.Deadline.Due)
}
