package portal

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Thread is an inquiry as the public sees it: on its dataset's page, on every
// node, inside the signed repository.
type Thread struct {
	ID      InquiryID      `json:"id"` // its public name
	Kind    InquiryKind    `json:"kind"`
	Lang    Lang           `json:"language"`
	Text    string         `json:"text"`
	About   Place          `json:"about,omitzero"`
	Asked   Date           `json:"asked"`
	State   InquiryState   `json:"state"`
	Due     Date           `json:"due,omitempty"`
	Stopped Text           `json:"stopped,omitzero"` // why the clock stands, when it does
	Answers []ThreadAnswer `json:"answers,omitempty"`
	Support int            `json:"support,omitempty"` // how many want it too
	Useful  UsefulCount    `json:"useful,omitzero"`
}

// ThreadReader reads public questions. A View that has any is one.
type ThreadReader interface {
	// Thread gives a question of the view's generation; ErrNotFound when it has none
	// of this name.
	Thread(ctx context.Context, id InquiryID) (Thread, error)
}

// ThreadsFound reads the questions that a search found, without those that the
// view has not.
func ThreadsFound(ctx context.Context, v View, found []ThreadHit) ([]Thread, error) {
	reader, ok := v.(ThreadReader)
	if !ok {
		return nil, nil
	}
	var threads []Thread
	for _, h := range found {
		t, err := reader.Thread(ctx, h.Thread)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		threads = append(threads, t)
	}
	return threads, nil
}

// LastSaid is the day of a thread's last answer, or of its question.
func LastSaid(t Thread) Date {
	if n := len(t.Answers); n > 0 {
		return t.Answers[n-1].Day
	}
	return t.Asked
}

// ThreadAnswer is one answer of a thread, oldest first.
type ThreadAnswer struct {
	Day     Date         `json:"day"`
	State   InquiryState `json:"state"`
	Text    string       `json:"text,omitempty"`
	Lang    Lang         `json:"language,omitempty"`
	Post    string       `json:"post,omitempty"`
	Office  string       `json:"office,omitempty"`
	Days    int          `json:"days"` // working days since the centre received the question
	Dataset DatasetID    `json:"dataset,omitempty"`
	Release int          `json:"release,omitempty"`
}

// UsefulCount is how many receipts said what of an answer.
type UsefulCount struct {
	Yes    int `json:"yes,omitempty"`
	Partly int `json:"partly,omitempty"`
	No     int `json:"no,omitempty"`
}

// Public gives what the public sees of a case; ok is false when it sees nothing.
func (c *Case) Public() (t Thread, ok bool) {
	if c.Moderation.State != Shown || !c.Opened || c.IsReuse() {
		return t, false
	}
	q := c.Inquiry
	t = Thread{
		ID: c.Thread, Kind: q.Kind, Lang: q.Lang, Text: q.Text, About: q.About, Asked: q.Day,
		State: c.State, Due: c.Deadline.Due, Support: len(c.Supporters),
	}
	if c.Moderation.Question != "" {
		t.Text, t.About.Value = c.Moderation.Question, ""
	}
	for _, s := range c.Deadline.Stops {
		if s.Until == "" {
			t.Stopped = s.Reason
		}
	}
	for _, a := range c.Answers {
		t.Answers = append(t.Answers, ThreadAnswer{
			Day: DateOf(a.At), State: a.State, Text: a.Text, Lang: a.Lang, Post: a.Post, Office: a.Office,
			Days: a.Days, Dataset: a.Dataset, Release: a.Release,
		})
	}
	for _, u := range c.Votes {
		switch u {
		case UsefulYes:
			t.Useful.Yes++
		case UsefulPartly:
			t.Useful.Partly++
		case UsefulNo:
			t.Useful.No++
		}
	}
	return t, true
}

// DeskNumbers are what a publisher or one of its units has done with inquiries;
// never what a person has (spec/talkback.md, "What happens to it").
type DeskNumbers struct {
	Publisher PublisherID `json:"publisher,omitempty"` // "" the centre itself
	Unit      Text        `json:"unit,omitzero"`       // zero: all of the publisher
	Received  int         `json:"received"`
	Answered  int         `json:"answered"`
	Overdue   int         `json:"overdue"`
	Median    int         `json:"median_days"` // working days to the first answer; 0 before there is one
}

// Count adds one case.
func (n *DeskNumbers) count(c *Case, today Date, cal WorkCalendar, days *[]int) {
	n.Received++
	if len(c.Answers) > 0 {
		n.Answered++
		*days = append(*days, c.Answers[0].Days)
	}
	if c.State.Open() && c.Deadline.Due != "" && !c.Deadline.Stopped(today) && c.Deadline.Effective(today, cal) < today {
		n.Overdue++
	}
}

// CountCases gives the numbers of all publishers and units in cases, publishers
// by id and each before its units.
func CountCases(cases []Case, unit func(Route) Text, today Date, cal WorkCalendar) []DeskNumbers {
	type tally struct {
		DeskNumbers
		days []int
	}
	var all []*tally
	find := func(p PublisherID, u Text) *tally {
		for _, t := range all {
			if t.Publisher == p && t.Unit.Equal(u) {
				return t
			}
		}
		t := &tally{DeskNumbers: DeskNumbers{Publisher: p, Unit: u}}
		all = append(all, t)
		return t
	}
	for i := range cases {
		c := &cases[i]
		t := find(c.Route.Publisher, Text{})
		t.count(c, today, cal, &t.days)
		if u := unit(c.Route); !u.IsZero() {
			t := find(c.Route.Publisher, u)
			t.count(c, today, cal, &t.days)
		}
	}
	slices.SortStableFunc(all, func(a, b *tally) int { return compareNumbers(a.DeskNumbers, b.DeskNumbers) })
	numbers := make([]DeskNumbers, len(all))
	for i, t := range all {
		slices.Sort(t.days)
		if n := len(t.days); n > 0 {
			t.Median = t.days[n/2]
		}
		numbers[i] = t.DeskNumbers
	}
	return numbers
}

func compareNumbers(a, b DeskNumbers) int {
	if a.Publisher != b.Publisher {
		if a.Publisher < b.Publisher {
			return -1
		}
		return 1
	}
	au, _ := a.Unit.In(English)
	bu, _ := b.Unit.In(English)
	switch {
	case au < bu:
		return -1
	case au > bu:
		return 1
	}
	return 0
}

// Waits is how an inquiry stands on the machine where it was asked.
type Waits struct {
	Count   int       // inquiries that wait for the centre's acknowledgement
	Bytes   int64     // that they take
	Oldest  Date      // day of the oldest; zero when none waits
	Sent    time.Time // when any of them was last handed on
	Relayed int       // posts of other nodes that wait here
}
