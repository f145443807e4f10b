package desk

import (
	"strings"
	"testing"

	"koprik/portal"
)

// ofMaker is a reuse that waits in an office.
var ofMaker = portal.InquiryID{5}

// submitted puts a reuse into an office.
func (o *office) submitted(consent bool) {
	c := portal.NewCase(ofMaker, "2026q4", portal.Digest{9}, true, now)
	d := portal.ReuseDetails{
		Kind: portal.ReuseApplication, Title: portal.Text{Translated: map[portal.Lang]string{portal.Uzbek: "Non <b>narxi</b>"}},
		Summary: portal.Text{Translated: map[portal.Lang]string{portal.Uzbek: "Narxni koʻrsatadi."}}, Link: "https://example.org/non",
		Consent: consent, Uses: []portal.ReuseSource{{Dataset: "stat_prices", Release: 1}},
	}
	if consent {
		d.By = "Namuna jamoasi"
	}
	c.Open(portal.Inquiry{ID: ofMaker, Kind: portal.ReuseSubmission, Lang: portal.Uzbek, Reuse: &d, Email: "maker@example.org", Day: "2026-11-23"}, "11", nil, 2)
	o.cases[ofMaker] = &c
}

const reuseAddress = "/desk/reuse/05000000000000000000000000000000"

// shownForm is the form of that reuse as a moderator sends it.
func shownForm(version string, more ...string) []string {
	return append([]string{
		"version", version, "do", "publish", "title-uz", "Non narxi", "summary-uz", "Narxni koʻrsatadi.", "title-en", "Price of bread (example)", "summary-en", "Shows it.",
		"kind", "visualization", "link", "https://example.org/non", "uses", "stat_prices@1\r\n/uz/dataset/stat_wages", "by", "Namuna jamoasi",
	}, more...)
}

func TestAModeratorPublishesWhatIsLeftOfAReuse(t *testing.T) {
	o := newOffice()
	o.submitted(true)
	b := o.as(t, o.serve(t), portal.DeskModerator)
	status, _, body := b.get("/desk/reuses")
	want(t, "the queue", status, 200, body, "Non &lt;b&gt;narxi&lt;/b&gt;", reuseAddress, "1 reuse")
	if _, _, inbox := b.get("/desk/"); strings.Contains(inbox, "narxi") {
		t.Error("a reuse stands among the questions")
	}
	if status, where, _ := b.get("/desk/inquiry/" + ofMaker.String()); status != 303 || where != reuseAddress {
		t.Errorf("%d to %q", status, where)
	}
	status, _, body = b.get(reuseAddress)
	want(t, "the reuse", status, 200, body, "maker@example.org", "stat_prices@1", "Namuna jamoasi", "no link here")
	if strings.Contains(body, `href="https://example.org`) {
		t.Error("what nobody looked at yet can be followed by mistake")
	}
	for what, fields := range map[string][]string{
		"a script for a link": shownForm("0", "link", "javascript:alert(1)"), "no title": shownForm("0", "title-uz", "", "title-en", ""),
		"no dataset": shownForm("0", "uses", ""), "a wrong dataset": shownForm("0", "uses", "../x"), "an old page": shownForm("7"), "a wrong kind": shownForm("0", "kind", "idea"),
	} {
		status, _, body := b.post(reuseAddress, fields...)
		want(t, what, status, 422, body, "There is something to mend", "Shows it.")
	}
	if c := o.cases[ofMaker]; c.Moderation.State != portal.Waiting || len(c.Events) != 0 {
		t.Fatalf("%+v", c)
	}
	status, where, body := b.post(reuseAddress, shownForm("0")...)
	if status != 303 || where != reuseAddress+"?done=reuse" {
		t.Fatalf("%d to %q: %s", status, where, body)
	}
	r, ok := o.cases[ofMaker].PublicReuse()
	if !ok || r.Kind != portal.ReuseVisualization || len(r.Uses) != 2 || r.Uses[1].Dataset != "stat_wages" || r.Title.Translated[portal.English] != "Price of bread (example)" {
		t.Errorf("%+v", r)
	}
	status, _, _ = b.post(reuseAddress, "version", "1", "do", "checkin", "state", "adopter")
	if state, _ := (&portal.Reuse{Lived: o.cases[ofMaker].Reuse.Lived}).StateOn(portal.DateOf(now)); status != 303 || state != portal.ReuseAdopter {
		t.Errorf("%d, %s", status, state)
	}
	status, _, body = b.post(reuseAddress, "version", "2", "do", "checkin", "state", "dead")
	want(t, "another state", status, 422, body)
	status, _, body = b.post(reuseAddress, "version", "2", "do", "refuse", "reason", " ")
	want(t, "no reason", status, 422, body)
	if status, _, _ = b.post(reuseAddress, "version", "2", "do", "refuse", "reason", "Sayt ochilmayapti."); status != 303 {
		t.Errorf("%d", status)
	}
	if _, ok := o.cases[ofMaker].PublicReuse(); ok || o.cases[ofMaker].Answers[0].Text != "Sayt ochilmayapti." {
		t.Errorf("%+v", o.cases[ofMaker])
	}
	status, _, body = b.get("/desk/reuses?list=refused&from=9999")
	want(t, "the refused", status, 200, body, "Price of bread (example)")
}

func TestANameIsShownOnlyWithConsent(t *testing.T) {
	o := newOffice()
	o.submitted(false)
	b := o.as(t, o.serve(t), portal.DeskAdmin)
	status, _, body := b.get(reuseAddress)
	want(t, "the reuse", status, 200, body, "did not agree")
	if status, _, body = b.post(reuseAddress, shownForm("0")...); status != 422 {
		t.Errorf("a name is published without consent: %d %s", status, body)
	}
	if status, _, _ = b.post(reuseAddress, shownForm("0", "by", "")...); status != 303 {
		t.Errorf("%d", status)
	}
}

func TestReusesAreTheCentresAlone(t *testing.T) {
	for _, role := range []portal.DeskRole{portal.DeskHolder, portal.DeskCoordinator} {
		o := newOffice()
		o.submitted(true)
		o.cases[ofMaker].Route = portal.Route{Publisher: "stat", Contact: "prices"}
		b := o.as(t, o.serve(t), role)
		for _, path := range []string{"/desk/reuses", reuseAddress} {
			if status, _, body := b.get(path); status != 403 {
				t.Errorf("%s reads %s: %d %.200s", role, path, status, body)
			}
		}
		if status, _, _ := b.post(reuseAddress, shownForm("0")...); status != 403 || o.cases[ofMaker].Moderation.State != portal.Waiting {
			t.Errorf("%s publishes: %d", role, status)
		}
	}
	o := newOffice()
	b := o.as(t, o.serve(t), portal.DeskModerator)
	if status, _, _ := b.get("/desk/reuse/" + ofPrices.String()); status != 404 {
		t.Errorf("a question is shown as a reuse: %d", status)
	}
}

func TestListsSayWhichReusesNeedSomebody(t *testing.T) {
	o := newOffice()
	o.submitted(true)
	c := o.cases[ofMaker]
	long := now.AddDate(0, 0, -100)
	if err := c.PublishReuse(c.Reuse.Details, portal.InquiryID{0xbb}, portal.CaseEvent{At: long}); err != nil {
		t.Fatal(err)
	}
	b := o.as(t, o.serve(t), portal.DeskModerator)
	for list, listed := range map[string]bool{"waiting": false, "due": true, "risks": false, "shown": true, "refused": false, "none": false} {
		if _, _, body := b.get("/desk/reuses?list=" + list); strings.Contains(body, reuseAddress) != listed {
			t.Errorf("%s: listed %v", list, !listed)
		}
	}
	c.LookAt("stat_prices", 2, []portal.ColumnChange{{Table: "prices", Column: "bread", What: portal.ColumnRemoved}}, portal.CaseEvent{At: now})
	if _, _, body := b.get("/desk/reuses?list=risks"); !strings.Contains(body, reuseAddress) {
		t.Error("one whose data has changed is not listed")
	}
	status, _, body := b.get(reuseAddress)
	want(t, "the change", status, 200, body, "prices: column bread is gone")
}

func TestCohortsAreNamedByTheCentre(t *testing.T) {
	o := newOffice()
	b := o.as(t, o.serve(t), portal.DeskModerator)
	status, _, body := b.post("/desk/reuses", "id", "Suv 2026", "title", "Suv <i>xakatoni</i>", "day", "kecha", "entries", "many")
	want(t, "what is wrong", status, 422, body, "There is something to mend", "Suv &lt;i&gt;xakatoni&lt;/i&gt;", "kecha")
	if status, where, _ := b.post("/desk/reuses", "id", "suv-2026", "title", "Suv xakatoni", "day", "2026-05-01", "entries", "20"); status != 303 || where != "/desk/reuses?done=cohort" {
		t.Errorf("%d to %q", status, where)
	}
	if len(o.cohorts) != 1 || o.cohorts[0].Entries != 20 {
		t.Errorf("%+v", o.cohorts)
	}
}
