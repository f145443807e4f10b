package portal_test

import (
	"testing"

	"pgregory.net/rapid"

	"koprik/portal"
)

// TestWhateverIsDoneToACaseItsDueDateStays does anything in any order to a case, under calendars that
// change meanwhile: the day that was set at reception stays, and what the asker and
// the answers say is that day.
func TestWhateverIsDoneToACaseItsDueDateStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := inquiry()
		q.Public = true
		c := portal.NewCase(q.ID, "2026q4", portal.Digest{1}, true, received)
		c.Open(q, "ab", []byte{1}, 1)
		cal, answer := tenYears(t), rapid.IntRange(1, portal.MaxAnswerDays).Draw(t, "time to answer")
		if err := c.Assign(portal.Route{Publisher: "main"}, answer, cal, after(0)); err != nil {
			t.Fatal(err)
		}
		due := cal.Add(portal.DateOf(received), answer)
		for day := range rapid.IntRange(1, 40).Draw(t, "edits") {
			if rapid.Bool().Draw(t, "another calendar") {
				cal = tenYears(t)
			}
			e := after(day)
			// What is refused changes nothing either.
			switch rapid.IntRange(0, 8).Draw(t, "edit") {
			case 0:
				_ = c.Assign(portal.Route{Publisher: "other", Level: portal.ToPortalTop}, rapid.IntRange(1, 250).Draw(t, "days"), cal, e)
			case 1:
				_ = c.Reply(portal.Answer{State: portal.Answered, Text: "Javob.", Lang: portal.Uzbek}, cal, e)
			case 2:
				_ = c.Reply(portal.Answer{State: portal.Refused, Text: "Yoʻq.", Lang: portal.Uzbek}, cal, e)
			case 3:
				_ = c.StopClock(portal.PlainText("Vazirlik javobi kutilmoqda"), e)
			case 4:
				_ = c.StartClock(e)
			case 5:
				_ = c.Moderate(portal.Moderation{State: portal.Shown}, portal.InquiryID{9}, e)
			case 6:
				c.Support("cd")
			case 7:
				c.Vote("ab", portal.UsefulYes)
			case 8:
				c.Open(q, "ab", []byte{1}, 1) // opened again with a key that was brought
			}
			if c.Deadline.Due != due || c.Status().Due != due {
				t.Fatalf("the due date moved from %s to %s, the asker is told %s", due, c.Deadline.Due, c.Status().Due)
			}
			for _, a := range c.Answers {
				if a.Due != due {
					t.Fatalf("an answer says it was due on %s, not %s", a.Due, due)
				}
			}
			if effective := c.Deadline.Effective(portal.DateOf(e.At), cal); effective < due {
				t.Fatalf("a clock that stood makes %s of %s", effective, due)
			}
		}
	})
}
