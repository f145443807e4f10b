package portal_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

var (
	received = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) // a Monday
	workdays = portal.NewWorkCalendar([]portal.Date{"2026-12-08"}, nil)
)

func after(days int) portal.CaseEvent {
	return portal.CaseEvent{At: received.AddDate(0, 0, days), By: "main/desk"}
}

func opened(t *testing.T) portal.Case {
	t.Helper()
	q := inquiry()
	q.Public = true
	c := portal.NewCase(q.ID, "2026q4", portal.Digest{1}, true, received)
	c.Open(q, "ab", []byte{1}, 1)
	if err := c.Assign(portal.Route{Publisher: "main", Contact: "prices"}, 10, workdays, after(0)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestADueDateIsSetOnceAndMovesNoMore(t *testing.T) {
	c := opened(t)
	if c.Deadline.Due != "2026-12-07" {
		t.Fatalf("due %s", c.Deadline.Due)
	}
	if err := c.Assign(portal.Route{Publisher: "other"}, 100, portal.WorkCalendar{}, after(5)); err != nil {
		t.Fatal(err)
	}
	if c.Deadline.Due != "2026-12-07" || c.Route.Publisher != "other" {
		t.Errorf("%+v", c)
	}
}

func TestWhoeverAQuestionIsNotForPassesItOnAndTheDueDateStays(t *testing.T) {
	c := opened(t)
	why := portal.NotOurs{Reason: "Biz sanamaymiz.", Belongs: "Suv qoʻmitasi"}
	for _, bad := range []portal.NotOurs{{}, {Belongs: "x"}, {Reason: strings.Repeat("a", portal.MaxNotOurs+1)}, {Reason: "a\x00"}} {
		if err := c.PassOn(bad, portal.Route{}, 10, workdays, after(1)); !errors.Is(err, portal.ErrRejected) || len(c.Passed) > 0 {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := c.PassOn(why, portal.Route{Level: portal.ToPortalTop}, 100, workdays, after(1)); err != nil {
		t.Fatal(err)
	}
	if c.Deadline.Due != "2026-12-07" || c.Route.Ref() != (portal.ContactRef{}) || c.Turn != 1 || len(c.Passed) != 1 || c.Passed[0].Contact != "prices" {
		t.Errorf("%+v", c)
	}
	if e := c.Events[len(c.Events)-1]; e.What != "not ours" || e.Note != "Biz sanamaymiz. → Suv qoʻmitasi" {
		t.Errorf("%+v", e)
	}
	if err := c.PassOn(why, portal.Route{}, 10, workdays, after(2)); !errors.Is(err, portal.ErrRejected) {
		t.Errorf("behind the centre: %v", err)
	}
}

func TestAnAnswerSaysHowLongItTookAndWhatWasAsked(t *testing.T) {
	c := opened(t)
	if err := c.Reply(portal.Answer{State: portal.Answered, Text: "Javob.", Lang: portal.Uzbek, Post: "Boshliq"}, workdays, after(16)); err != nil {
		t.Fatal(err)
	}
	a := c.Status()
	if a.Days != 11 || a.State != portal.Answered || a.Question != c.Inquiry.Text || a.Inquiry != c.Inquiry.ID || a.Due != "2026-12-07" {
		t.Errorf("%+v", a)
	}
	if err := c.Reply(portal.Answer{State: portal.Refused, Text: "No."}, workdays, after(17)); !errors.Is(err, portal.ErrRejected) {
		t.Errorf("an answer was refused afterwards: %v", err)
	}
	if err := c.Reply(portal.Answer{State: portal.Answered, Text: "Tuzatilgan javob."}, workdays, after(17)); err != nil || len(c.Answers) != 2 {
		t.Errorf("a corrected answer: %v", err)
	}
}

func TestWhatIsNotAnAnswerIsRefused(t *testing.T) {
	for name, a := range map[string]portal.Answer{
		"no words": {State: portal.Answered}, "no reason": {State: portal.Refused}, "another state": {State: portal.Assigned, Text: "a"},
	} {
		c := opened(t)
		if err := c.Reply(a, workdays, after(1)); !errors.Is(err, portal.ErrRejected) || c.State != portal.Assigned || len(c.Answers) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAStoppedClockNeedsAPublicReasonAndEscalatesNobody(t *testing.T) {
	c := opened(t)
	if err := c.StopClock(portal.Text{}, after(1)); !errors.Is(err, portal.ErrRejected) {
		t.Error(err)
	}
	if err := c.StopClock(portal.PlainText("the ministry was asked"), after(1)); err != nil {
		t.Fatal(err)
	}
	if e := c.Escalation("2027-02-01", workdays); e != portal.NotEscalated || c.Status().Stopped == "" {
		t.Errorf("escalated to %d", e)
	}
	if err := c.StartClock(after(8)); err != nil {
		t.Fatal(err)
	}
	if e := c.Escalation("2027-02-01", workdays); e != portal.ToCentre || c.Deadline.Due != "2026-12-07" {
		t.Errorf("escalated to %d, due %s", e, c.Deadline.Due)
	}
}

func TestThePublicSeesWhatWasModeratedAndNothingElse(t *testing.T) {
	c := opened(t)
	if _, ok := c.Public(); ok {
		t.Error("shown before moderation")
	}
	if err := c.Moderate(portal.Moderation{State: portal.Withheld}, portal.InquiryID{}, after(1)); !errors.Is(err, portal.ErrRejected) {
		t.Errorf("withheld without a reason: %v", err)
	}
	if err := c.Moderate(portal.Moderation{State: portal.Shown, Question: "Savol."}, portal.InquiryID{9}, after(1)); err != nil {
		t.Fatal(err)
	}
	if !c.Support("01") || c.Support("01") || c.Support("ab") || !c.Vote("01", portal.UsefulPartly) || c.Vote("01", "much") || !c.Vote("01", portal.UsefulYes) {
		t.Error("somebody was counted twice, or not at all")
	}
	thread, ok := c.Public()
	if !ok || thread.Text != "Savol." || thread.ID == c.Inquiry.ID || thread.Support != 1 || thread.Useful != (portal.UsefulCount{Yes: 1}) || thread.About.Value != "" {
		t.Errorf("%+v %v", thread, ok)
	}
	private := opened(t)
	private.Inquiry.Public = false
	if err := private.Moderate(portal.Moderation{State: portal.Shown}, portal.InquiryID{9}, after(1)); !errors.Is(err, portal.ErrRejected) {
		t.Errorf("a private question was shown: %v", err)
	}
}

func TestTheRouteGoesUpPastWhoCannotBeReached(t *testing.T) {
	unit := portal.PlainText("Narxlar boʻlimi")
	p := portal.Publisher{ID: "main", Default: "desk", Contacts: []portal.Contact{
		{ID: "prices", Unit: unit, Email: "a@example.org"}, {ID: "deputy", Unit: unit, Email: "b@example.org"}, {ID: "desk", Email: "c@example.org"},
	}}
	amber := map[portal.ContactID]bool{}
	for _, want := range []portal.Route{
		{Publisher: "main", Contact: "prices", Level: portal.ToHolder},
		{Publisher: "main", Contact: "deputy", Level: portal.ToUnit},
		{Publisher: "main", Contact: "desk", Level: portal.ToDesk},
		{Level: portal.ToPortalTop},
	} {
		got := portal.FindRoute(p, "prices", "2026-11-23", func(c portal.ContactID) bool { return amber[c] })
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		amber[want.Contact] = true
	}
}

func TestNumbersAreThoseOfOfficesNeverOfPeople(t *testing.T) {
	answered, late := opened(t), opened(t)
	if err := answered.Reply(portal.Answer{State: portal.Answered, Text: "Javob."}, workdays, after(3)); err != nil {
		t.Fatal(err)
	}
	unit := portal.PlainText("Narxlar boʻlimi")
	got := portal.CountCases([]portal.Case{answered, late}, func(portal.Route) portal.Text { return unit }, "2027-01-01", workdays)
	if len(got) != 2 || got[0].Received != 2 || got[0].Answered != 1 || got[0].Overdue != 1 || got[0].Median != 3 || got[1].Unit.Plain != unit.Plain {
		t.Errorf("%+v", got)
	}
}
