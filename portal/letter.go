package portal

import (
	"cmp"
	"context"
	"time"
)

// LetterKind says what a letter of the centre is about.
type LetterKind string

// The kinds of letters.
const (
	LetterQuestion LetterKind = "question" // to who has to answer, with a one-time link
	LetterLate     LetterKind = "late"     // an inquiry waits too long
	LetterStill    LetterKind = "still"    // "is this still you?", with a one-time link
	LetterAnswer   LetterKind = "answer"   // to an asker who left an e-mail
)

// Letter is an e-mail that the centre has to send. Its words are made when it is
// sent, of what is known then.
type Letter struct {
	ID      int64
	Key     string // what it is about, so that nothing is written of twice
	Kind    LetterKind
	Inquiry InquiryID  // of all kinds but LetterStill
	To      ContactRef // of all kinds but LetterAnswer; the zero value is the centre
	Level   Escalation // of LetterLate
	Made    time.Time  // when it was queued
	Next    time.Time  // not to be tried before
	Tries   int        // how often it was handed to the mail server
	Done    time.Time  // zero: it waits
	Problem string     // why the last try came to nothing, or why it was not sent at all
}

// MailState says how the letters of a centre get on.
type MailState struct {
	Waiting int       // letters
	Oldest  time.Time // when the oldest of them was queued; zero: none waits
	Problem string    // why the mail server did not take it, without any address; "" it was not tried, or none waits
}

// mailPatience is how long a mail server may refuse before somebody is told: many
// refuse a first try on purpose.
const mailPatience = time.Hour

// Trouble tells whether somebody should look after the mail server.
func (s MailState) Trouble(now time.Time) bool {
	return s.Problem != "" && now.Sub(s.Oldest) >= mailPatience
}

// ContactRef names one contact of a publisher; the zero value is the centre's own desk.
type ContactRef struct {
	Publisher PublisherID `json:"publisher,omitempty"`
	Contact   ContactID   `json:"contact,omitempty"`
}

// String gives "publisher/contact", and "centre" for the zero value.
func (r ContactRef) String() string {
	if r == (ContactRef{}) {
		return "centre"
	}
	return string(r.Publisher) + "/" + string(r.Contact)
}

// Compare orders by publisher, then contact.
func (r ContactRef) Compare(other ContactRef) int {
	return cmp.Or(cmp.Compare(r.Publisher, other.Publisher), cmp.Compare(r.Contact, other.Contact))
}

// Link is a one-time link or the tag of a reply address, as they are kept: who
// holds what hashes to Digest may do what the letter asked for, once, until Ends.
type Link struct {
	Digest  Digest // SHA-256 of the link's token
	Reply   Digest // SHA-256 of the reply address's tag
	Kind    LetterKind
	Inquiry InquiryID // of LetterQuestion
	To      ContactRef
	Email   string // where the letter went
	Made    time.Time
	Ends    time.Time
	Used    time.Time // zero: not yet
}

// Reach is what the centre knows of how a contact is reached.
type Reach struct {
	Confirmed time.Time `json:"confirmed"`        // when it last said that it is there, or was first seen
	Asked     time.Time `json:"asked,omitzero"`   // when "is this still you?" was sent and not answered yet
	Missed    int       `json:"missed,omitempty"` // such letters in a row without an answer
	Amber     Amber     `json:"amber,omitzero"`
}

// Amber says that a contact cannot be reached, and since when. It is of an
// e-mail address: another one in the publisher's record ends it.
type Amber struct {
	Why   string    `json:"why,omitempty"` // for the desk alone; "" it is not amber
	Email string    `json:"email,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// The rules of confirmations (spec/talkback.md, "Routing").
const (
	ConfirmWithin = 30 * 24 * time.Hour // in which "is this still you?" is answered, or was missed
	MostMissed    = 2                   // missed in a row, from which a contact is amber
)

// IsAmber tells whether a contact with this e-mail is passed over.
func (r Reach) IsAmber(email string) bool { return r.Amber.Why != "" && r.Amber.Email == email }

// Confirm notes that a contact was heard of.
func (r Reach) Confirm(now time.Time) Reach { return Reach{Confirmed: now} }

// Mark makes a contact amber. One that is amber already stays so since then.
func (r Reach) Mark(why, email string, now time.Time) Reach {
	if !r.IsAmber(email) {
		r.Amber = Amber{Why: why, Email: email, Since: now}
	}
	return r
}

// Review says what is to be done about a contact now: ask whether it is still
// there, when it was not heard of for a time; after an unanswered letter again;
// after two of them it is amber. every is 0 where nobody is asked.
func (r Reach) Review(email string, every time.Duration, now time.Time) (next Reach, ask bool) {
	switch {
	case r.Confirmed.IsZero():
		return Reach{Confirmed: now}, false
	case r.Amber.Why != "" && r.Amber.Email != email:
		return Reach{Confirmed: now}, false // another address: it begins anew
	case r.IsAmber(email):
		return r, false
	case !r.Asked.IsZero() && now.Sub(r.Asked) < ConfirmWithin:
		return r, false
	case !r.Asked.IsZero():
		r.Asked = time.Time{}
		if r.Missed++; r.Missed >= MostMissed {
			return r.Mark("two letters that asked whether it is still there had no answer", email, now), false
		}
		return r, every > 0
	}
	return r, every > 0 && (r.Missed > 0 || now.Sub(r.Confirmed) >= every)
}

// AmberContact is a contact that cannot be reached, as every node shows it beside
// what it answers for.
type AmberContact struct {
	ContactRef
	Since Date `json:"since"`
}

// FormWords are what the centre sets on the form for questions: who reads them,
// and where a statutory appeal is made. A zero Text leaves the program's words.
type FormWords struct {
	Reads  Text `json:"reads,omitzero"`
	Appeal Text `json:"appeal,omitzero"`
}

// MaxFormWords bounds each of them, in characters.
const MaxFormWords = 600

// Validate names what is wrong, by the field of the form.
func (w FormWords) Validate() error {
	var ps Problems
	for _, part := range []struct {
		name string
		text Text
	}{{"reads", w.Reads}, {"appeal", w.Appeal}} {
		checkWords(&ps, part.name, part.text.Plain, MaxFormWords, false)
		for _, l := range Langs {
			checkWords(&ps, part.name, part.text.Translated[l], MaxFormWords, false)
		}
	}
	return ps.Err()
}

// Notices are what the centre says to every node beside questions and answers.
type Notices struct {
	Amber []AmberContact `json:"amber,omitempty"` // sorted
	Form  FormWords      `json:"form,omitzero"`
}

// IsZero tells whether there is nothing to say.
func (n Notices) IsZero() bool {
	return len(n.Amber) == 0 && n.Form.Reads.IsZero() && n.Form.Appeal.IsZero()
}

// AmberSince is since when a contact cannot be reached; "" when it can.
func (n Notices) AmberSince(p PublisherID, c ContactID) Date {
	for _, a := range n.Amber {
		if a.Publisher == p && a.Contact == c {
			return a.Since
		}
	}
	return ""
}

// NoticeReader reads notices. A View that has any is one.
type NoticeReader interface {
	Notices(ctx context.Context) (Notices, error)
}

// NoticesOf are those of a view's generation; none where it has none.
func NoticesOf(ctx context.Context, v View) (Notices, error) {
	if r, ok := v.(NoticeReader); ok {
		return r.Notices(ctx)
	}
	return Notices{}, nil
}

// AnswerTemplate is the beginning of an answer that a publisher gives often.
type AnswerTemplate struct {
	Title string `json:"title"`
	Lang  Lang   `json:"language"`
	Text  string `json:"text"`
}

// MaxTemplates is how many a publisher has.
const MaxTemplates = 50

// Validate names what is wrong, by the field of the form.
func (t AnswerTemplate) Validate() error {
	const maxTitle = 100
	var ps Problems
	checkWords(&ps, "title", t.Title, maxTitle, true)
	checkWords(&ps, "text", t.Text, MaxAnswerText, true)
	if _, err := ParseLang(t.Lang.Path()); err != nil {
		ps.Add("language", "%.40q is no language of the portal", t.Lang)
	}
	return ps.Err()
}

// LetterVisit is what the holder of a one-time link sees.
type LetterVisit struct {
	Link      Link
	Case      Case // of LetterQuestion
	Publisher Publisher
	Contact   Contact
}
