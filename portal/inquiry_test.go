package portal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"koprik/portal"
)

func inquiry() portal.Inquiry {
	return portal.Inquiry{
		ID: portal.InquiryID{1, 2}, Kind: portal.Correction, Text: "Samarqandda 2024-yil soni notoʻgʻri.", Lang: portal.Uzbek,
		About: portal.Place{Dataset: "main_population", Release: 2, Resource: "population", Row: "UZ-SA 2024", Column: "population", Value: "4 208 500"},
		Email: "citizen@example.org", Day: "2026-11-23",
	}
}

func TestAWholeInquiryIsTaken(t *testing.T) {
	if err := inquiry().Validate(); err != nil {
		t.Error(err)
	}
	plain := portal.Inquiry{Kind: portal.Feedback, Text: strings.Repeat("қ", portal.MaxInquiryText), Lang: portal.UzbekCyrillic, Day: "2026-11-23"}
	if err := plain.Validate(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsWrongWithAnInquiryIsNamedByItsField(t *testing.T) {
	for where, spoil := range map[string]func(*portal.Inquiry){
		"kind":     func(q *portal.Inquiry) { q.Kind = "petition" },
		"text":     func(q *portal.Inquiry) { q.Text = " \n " },
		"text ":    func(q *portal.Inquiry) { q.Text = strings.Repeat("қ", portal.MaxInquiryText+1) },
		"text  ":   func(q *portal.Inquiry) { q.Text = "a\x00b" },
		"text   ":  func(q *portal.Inquiry) { q.Text = "\xff" },
		"language": func(q *portal.Inquiry) { q.Lang = "de" },
		"email":    func(q *portal.Inquiry) { q.Email = "a@example.org\r\nBcc: b@example.org" },
		"email ":   func(q *portal.Inquiry) { q.Email = "nobody" },
		"day":      func(q *portal.Inquiry) { q.Day = "2026-02-30" },
		"dataset":  func(q *portal.Inquiry) { q.About.Dataset = "Population" },
		"dataset ": func(q *portal.Inquiry) { q.About = portal.Place{} },
		"release":  func(q *portal.Inquiry) { q.About.Release = -1 },
		"resource": func(q *portal.Inquiry) { q.About.Resource = "../x" },
		"row":      func(q *portal.Inquiry) { q.About.Row = strings.Repeat("a", 501) },
	} {
		q := inquiry()
		spoil(&q)
		var p *portal.Problem
		if err := q.Validate(); !errors.As(err, &p) || p.Where != strings.TrimSpace(where) {
			t.Errorf("%s: %v", where, err)
		}
	}
	lost := inquiry()
	lost.About.Resource = ""
	if err := lost.Validate(); !errors.Is(err, portal.ErrRejected) {
		t.Errorf("a row without a table: %v", err)
	}
}

func TestAnInquiryGoesForwardOnly(t *testing.T) {
	states := []portal.InquiryState{portal.Queued, portal.Received, portal.Assigned, portal.Answered, portal.Refused, portal.Published}
	allowed := map[string]bool{
		"queued received": true, "received assigned": true, "received refused": true, "assigned assigned": true, "assigned answered": true,
		"assigned refused": true, "assigned published": true, "answered answered": true, "answered published": true, "refused assigned": true, "published published": true,
	}
	for _, from := range states {
		for _, to := range states {
			if err := from.Step(to); (err == nil) != allowed[fmt.Sprint(from, " ", to)] {
				t.Errorf("%s to %s: %v", from, to, err)
			}
		}
		if from.Open() != (from == portal.Queued || from == portal.Received || from == portal.Assigned) {
			t.Errorf("%s: open is %v", from, from.Open())
		}
	}
	if err := portal.InquiryState("lost").Step(portal.Received); err == nil {
		t.Error("an unknown state goes on")
	}
}

func TestNoEditMovesADueDate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := days(t)
		received := portal.DateOf(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 3000).Draw(t, "received")))
		d := portal.NewDeadline(received, portal.DefaultAnswerDays, c)
		due := d.Due
		for range rapid.IntRange(0, 4).Draw(t, "stops") {
			from := received.AddDays(rapid.IntRange(0, 60).Draw(t, "from"))
			d.Stops = append(d.Stops, portal.ClockStop{From: from, Until: from.AddDays(rapid.IntRange(0, 30).Draw(t, "long"))})
		}
		today := received.AddDays(rapid.IntRange(0, 200).Draw(t, "today"))
		if d.Due != due {
			t.Fatalf("the due date moved from %s to %s", due, d.Due)
		}
		effective := d.Effective(today, c)
		if effective < due {
			t.Fatalf("a stopped clock brought the due date forward, from %s to %s", due, effective)
		}
		if later := d.Effective(today.AddDays(1), c); later < effective {
			t.Fatalf("a day later it is due on %s, before %s", later, effective)
		}
	})
}

func TestOverlappingStopsCountOnce(t *testing.T) {
	c := portal.WorkCalendar{}
	d := portal.Deadline{Due: "2026-03-06", Stops: []portal.ClockStop{{From: "2026-03-02", Until: "2026-03-04"}, {From: "2026-03-03", Until: "2026-03-05"}}}
	if got := d.Effective("2026-04-01", c); got != "2026-03-11" {
		t.Errorf("three days stood, due on %s", got)
	}
}

func TestWhoWaitsTooLongIsHeardByTheNextOffice(t *testing.T) {
	c := portal.WorkCalendar{}
	d := portal.Deadline{Due: "2026-03-06"} // a Friday
	for _, tt := range []struct {
		today portal.Date
		want  portal.Escalation
	}{
		{"2026-03-06", portal.NotEscalated},
		{"2026-03-12", portal.NotEscalated},
		{"2026-03-13", portal.ToCoordinator},
		{"2026-03-19", portal.ToCoordinator},
		{"2026-03-20", portal.ToCentre},
		{"2027-03-20", portal.ToCentre},
	} {
		if got := d.Escalation(tt.today, c); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.today, got, tt.want)
		}
	}
	d.Stops = []portal.ClockStop{{From: "2026-03-05"}}
	if got := d.Escalation("2026-12-01", c); got != portal.NotEscalated || !d.Stopped("2026-12-01") {
		t.Errorf("the clock stands and it is escalated: %d", got)
	}
}

func TestAnAnswerSaysWhatItsStateNeeds(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, ok := range []portal.Answer{
		{State: portal.Received, At: at},
		{State: portal.Assigned, At: at, Due: "2026-12-14"},
		{State: portal.Answered, At: at, Text: "4 208 500", Lang: portal.Russian},
		{State: portal.Published, At: at, Dataset: "main_water", Release: 1},
	} {
		if err := ok.Validate(); err != nil {
			t.Errorf("%s: %v", ok.State, err)
		}
	}
	for _, bad := range []portal.Answer{
		{State: portal.Queued, At: at},
		{State: "", At: at},
		{State: portal.Answered, At: at},
		{State: portal.Refused, At: at},
		{State: portal.Published, At: at},
		{State: portal.Received},
		{State: portal.Assigned, At: at, Due: "soon"},
		{State: portal.Answered, At: at, Text: strings.Repeat("a", portal.MaxAnswerText+1)},
		{State: portal.Answered, At: at, Text: "a", Lang: "de"},
		{State: portal.Published, At: at, Dataset: "x"},
	} {
		if err := bad.Validate(); !errors.Is(err, portal.ErrRejected) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestAnInquirysIDHasOneSpelling(t *testing.T) {
	id := portal.InquiryID{0xab, 1}
	if got, err := portal.ParseInquiryID(id.String()); err != nil || got != id {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"", "AB", strings.ToUpper(id.String()), id.String() + "00", "zz" + id.String()[2:]} {
		if _, err := portal.ParseInquiryID(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
