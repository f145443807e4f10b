package portal

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// InquiryID names one inquiry everywhere: 16 random bytes, made where it was asked.
type InquiryID [16]byte

// String gives the id in lower-case hexadecimal, as addresses and files spell it.
func (id InquiryID) String() string { return hex.EncodeToString(id[:]) }

// ParseInquiryID accepts exactly the spelling that String gives.
func ParseInquiryID(s string) (InquiryID, error) {
	var id InquiryID
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) || s != strings.ToLower(s) {
		return id, fmt.Errorf("inquiry %.40q: must be 32 lower-case hexadecimal digits", s)
	}
	copy(id[:], b)
	return id, nil
}

// MarshalText and UnmarshalText keep the one spelling in JSON.
func (id InquiryID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *InquiryID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseInquiryID(string(b))
	return err
}

// InquiryKind says what a person sends (spec/talkback.md).
type InquiryKind string

// The kinds.
const (
	Question         InquiryKind = "question"
	Correction       InquiryKind = "correction" // of a cell or a row
	DataRequest      InquiryKind = "data"       // for data that does not exist yet
	BreakdownRequest InquiryKind = "breakdown"  // by sex
	Feedback         InquiryKind = "feedback"   // on the portal itself

	SupportRequest InquiryKind = "support" // "I want this too", of Inquiry.Thread
	Opinion        InquiryKind = "opinion" // Inquiry.Useful, of Inquiry.Thread or the receipt's own inquiry

	ReuseSubmission InquiryKind = "reuse"   // Inquiry.Reuse, to be shown to everybody
	ReuseCheckIn    InquiryKind = "checkin" // Inquiry.CheckIn, of the receipt's own reuse
)

// InquiryKinds are those that a person asks by, in the order in which people are
// offered them.
var InquiryKinds = []InquiryKind{Question, Correction, DataRequest, BreakdownRequest, Feedback}

// DeskKinds are those that somebody answers, and those that nobody could open yet.
var DeskKinds = append([]InquiryKind{""}, InquiryKinds...)

// Asks tells kinds that are to be answered from those that are only counted.
func (k InquiryKind) Asks() bool { return slices.Contains(InquiryKinds, k) }

// OfReceipt tells whether an inquiry is made with the receipt of another one: what
// lies at its slot is about that one, and nothing is said of itself.
func (k InquiryKind) OfReceipt() bool { return k == Opinion || k == ReuseCheckIn }

// The longest texts of an inquiry and its answer.
const (
	MaxInquiryText = 2000 // characters
	MaxAnswerText  = 4000 // characters
	maxCellText    = 500  // characters of a row's key, a column's name or a value
)

// Place is what an inquiry is about. All parts may be empty; each needs the one
// before it.
type Place struct {
	Dataset  DatasetID `json:"dataset,omitempty"`
	Release  int       `json:"release,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Row      string    `json:"row,omitempty"` // the row's key as the table shows it
	Column   string    `json:"column,omitempty"`
	Value    string    `json:"value,omitempty"` // of the cell, as it was shown
}

// Inquiry is what a citizen writes, before it is sealed.
type Inquiry struct {
	ID     InquiryID
	Kind   InquiryKind
	Text   string
	Lang   Lang
	About  Place
	Email  string // where an answer may go as well; "" when the person gave none
	Public bool   // may be shown with its answer, after moderation
	Day    Date   // on which it was asked, by the node's trusted time; no hour, so that nobody is found by it
	Clerk  bool   // a clerk typed it for the citizen

	Thread InquiryID // of SupportRequest and Opinion: the public name of what they are about
	Useful Useful    // of Opinion

	Reuse   *ReuseDetails // of ReuseSubmission; nil otherwise
	CheckIn ReuseState    // of ReuseCheckIn
}

// Validate names everything that is wrong, by the field of the form.
func (q Inquiry) Validate() error {
	var ps Problems
	switch {
	case q.Kind == SupportRequest && q.Thread == (InquiryID{}):
		ps.Add("thread", "what is wanted too must be named")
	case q.Kind == Opinion && !slices.Contains([]Useful{UsefulYes, UsefulPartly, UsefulNo}, q.Useful):
		ps.Add("useful", "%.40q: must be yes, partly or no", q.Useful)
	case q.Kind == ReuseCheckIn && !slices.Contains(ReuseStates, q.CheckIn):
		ps.Add("state", "%.40q: must be alive, sleeping or adopter", q.CheckIn)
	case (q.Kind == ReuseSubmission) != (q.Reuse != nil):
		ps.Add("reuse", "a reuse says what it is, and nothing else does")
	case !q.Kind.Asks() && !slices.Contains([]InquiryKind{SupportRequest, Opinion, ReuseSubmission, ReuseCheckIn}, q.Kind):
		ps.Add("kind", "%.40q is no kind of inquiry", q.Kind)
	}
	checkWords(&ps, "text", q.Text, MaxInquiryText, q.Kind.Asks())
	if !slices.Contains(Langs, q.Lang) {
		ps.Add("language", "%.40q is no language of the portal", q.Lang)
	}
	if q.Email != "" && CheckEmail(q.Email) != nil {
		ps.Add("email", "this does not look like an e-mail address") // and is not repeated: errors reach logs
	}
	if _, err := ParseDate(string(q.Day)); err != nil {
		ps.Add("day", "%v", err)
	}
	q.About.validate(&ps)
	if q.Kind == Correction && q.About.Dataset == "" {
		ps.Add("dataset", "a correction needs the dataset that it corrects")
	}
	if q.Reuse != nil {
		ps.join(q.Reuse.Validate())
	}
	return ps.Err()
}

func (p Place) validate(ps *Problems) {
	if p.Dataset != "" {
		if _, err := ParseDatasetID(string(p.Dataset)); err != nil {
			ps.Add("dataset", "%v", err)
		}
	}
	if p.Release < 0 || p.Release > MaxNumber {
		ps.Add("release", "%d is no release", p.Release)
	}
	if p.Resource != "" {
		if _, err := ParseResourceName(p.Resource); err != nil {
			ps.Add("resource", "%v", err)
		}
	}
	for _, part := range []struct{ name, text string }{{"row", p.Row}, {"column", p.Column}, {"value", p.Value}} {
		checkWords(ps, part.name, part.text, maxCellText, false)
	}
	chain := []bool{p.Dataset != "", p.Resource != "", p.Row != ""}
	for i := 1; i < len(chain); i++ {
		if chain[i] && !chain[i-1] {
			ps.Add("dataset", "a row stands in a table, and a table in a dataset")
			break
		}
	}
}

// checkWords bounds a text in characters and refuses what no person types.
func checkWords(ps *Problems, where, s string, limit int, must bool) {
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		ps.Add(where, "is not UTF-8")
	case must && strings.TrimSpace(s) == "":
		ps.Add(where, "must not be empty")
	case n > limit:
		ps.Add(where, "has %d characters, at most %d are allowed", n, limit)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }):
		ps.Add(where, "has a control character")
	}
}

// InquiryState is where an inquiry stands. Everyone sees it; the asker sees the words.
type InquiryState string

// The states in their order.
const (
	Queued    InquiryState = "queued"    // on the machine where it was asked
	Received  InquiryState = "received"  // the centre has acknowledged it
	Assigned  InquiryState = "assigned"  // to an office, with a due date
	Answered  InquiryState = "answered"  //
	Refused   InquiryState = "refused"   // with a reason
	Published InquiryState = "published" // it became data, with the link
)

// nextStates says which state may follow which. An answer may be corrected, an
// inquiry may go to another office, and a refusal may be thought over.
var nextStates = map[InquiryState][]InquiryState{
	Queued:    {Received},
	Received:  {Assigned, Refused},
	Assigned:  {Assigned, Answered, Refused, Published},
	Answered:  {Answered, Published},
	Refused:   {Assigned},
	Published: {Published},
}

// Step checks that next may follow s; ErrRejected otherwise.
func (s InquiryState) Step(next InquiryState) error {
	if slices.Contains(nextStates[s], next) {
		return nil
	}
	return Rejected("state", "an inquiry that is %s cannot become %s", s, next)
}

// Open tells whether somebody still owes an answer.
func (s InquiryState) Open() bool { return s == Queued || s == Received || s == Assigned }

// Escalation marks an inquiry that waits too long; it is no state.
type Escalation int

// Who is told, and how many working days past the due date.
const (
	NotEscalated Escalation = iota
	ToCoordinator
	ToCentre

	coordinatorAfter = 5
	centreAfter      = 10
)

// ClockStop is a time in which an inquiry waits for somebody else. The reason is public.
type ClockStop struct {
	From   Date
	Until  Date // the zero Date while it stands
	Reason Text
}

// Deadline is when an answer is due. Due is set once, at reception, and no edit
// moves it; stops are counted on top and shown beside it.
type Deadline struct {
	Due   Date
	Stops []ClockStop
}

// NewDeadline sets the due date of an inquiry that the centre received on a day.
func NewDeadline(received Date, days int, c WorkCalendar) Deadline {
	return Deadline{Due: c.Add(received, days)}
}

// Effective is the due date with the working days on which the clock stood, as
// of today.
func (d Deadline) Effective(today Date, c WorkCalendar) Date {
	stood := map[Date]bool{}
	for _, s := range d.Stops {
		until := s.Until
		if until == "" || until > today {
			until = today
		}
		for day := s.From; day < until; day = day.AddDays(1) {
			if c.Works(day) {
				stood[day] = true
			}
		}
	}
	return c.Add(d.Due, len(stood))
}

// Stopped tells whether the clock stands on a day.
func (d Deadline) Stopped(today Date) bool {
	return slices.ContainsFunc(d.Stops, func(s ClockStop) bool { return s.From <= today && (s.Until == "" || today < s.Until) })
}

// Escalation says who has to be told of an open inquiry today.
func (d Deadline) Escalation(today Date, c WorkCalendar) Escalation {
	if d.Stopped(today) {
		return NotEscalated
	}
	switch late := c.Between(d.Effective(today, c), today); {
	case late >= centreAfter:
		return ToCentre
	case late >= coordinatorAfter:
		return ToCoordinator
	}
	return NotEscalated
}

// Useful is what an asker says of an answer.
type Useful string

// The three answers to "was this useful?".
const (
	UsefulYes    Useful = "yes"
	UsefulPartly Useful = "partly"
	UsefulNo     Useful = "no"
)

// Answer is what comes back: the state of an inquiry and, when there is one, the
// answer's words. It is sealed to the asker's receipt, and the public part of it
// stands on the dataset's page.
type Answer struct {
	Inquiry  InquiryID    `json:"inquiry"`
	State    InquiryState `json:"state"`
	At       time.Time    `json:"at"` // of this state
	Due      Date         `json:"due,omitempty"`
	Text     string       `json:"text,omitempty"`   // the answer, or the reason of a refusal
	Lang     Lang         `json:"lang,omitempty"`   // of Text
	Post     string       `json:"post,omitempty"`   // who answered: the role, never a name
	Office   string       `json:"office,omitempty"` // unit and publisher
	Days     int          `json:"days,omitempty"`   // working days taken
	Dataset  DatasetID    `json:"dataset,omitempty"`
	Release  int          `json:"release,omitempty"`
	Question string       `json:"question,omitempty"` // the asker's words, so that the receipt opens all of it
	Thread   InquiryID    `json:"thread,omitzero"`    // where the public reads it, when it does
	Reuse    InquiryID    `json:"reuse,omitzero"`     // of a reuse that everybody can see: its public name
	Stopped  string       `json:"stopped,omitempty"`  // why the clock stands, when it does
}

// Validate names everything that is wrong with an answer.
func (a Answer) Validate() error {
	var ps Problems
	if _, known := nextStates[a.State]; !known || a.State == Queued {
		ps.Add("state", "%.40q is no state of an answer", a.State)
	}
	said := a.State == Answered || a.State == Refused || a.State == Published && a.Dataset == "" && a.Reuse == (InquiryID{})
	checkWords(&ps, "text", a.Text, MaxAnswerText, said)
	for _, part := range []struct{ name, text string }{{"post", a.Post}, {"office", a.Office}} {
		checkWords(&ps, part.name, part.text, maxCellText, false)
	}
	checkWords(&ps, "question", a.Question, MaxInquiryText, false)
	checkWords(&ps, "stopped", a.Stopped, MaxInquiryText, false)
	if a.Lang != "" && !slices.Contains(Langs, a.Lang) {
		ps.Add("language", "%.40q is no language of the portal", a.Lang)
	}
	if a.Due != "" {
		if _, err := ParseDate(string(a.Due)); err != nil {
			ps.Add("due", "%v", err)
		}
	}
	if a.At.IsZero() {
		ps.Add("at", "must be a time")
	}
	Place{Dataset: a.Dataset, Release: a.Release}.validate(&ps)
	return ps.Err()
}
