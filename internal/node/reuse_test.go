package node_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

// waterMap is a reuse of the dataset main_water.
func waterMap() portal.Inquiry {
	return portal.Inquiry{Kind: portal.ReuseSubmission, Lang: portal.Uzbek, Email: "maker@example.org", Reuse: &portal.ReuseDetails{
		Kind: portal.ReuseApplication, Title: portal.Text{Translated: map[portal.Lang]string{portal.Uzbek: "Quduqlar xaritasi"}},
		Summary: portal.Text{Translated: map[portal.Lang]string{portal.Uzbek: "Yaqin quduqni topadi."}},
		Link:    "https://example.org/quduq", By: "Namuna jamoasi", Consent: true, Uses: []portal.ReuseSource{{Dataset: "main_water", Release: 1}},
	}}
}

func submit(t *testing.T, n *node.Node, q portal.Inquiry, code portal.ReceiptCode) portal.ReceiptCode {
	t.Helper()
	code, err := n.Send(t.Context(), q, code)
	must(t, err)
	return code
}

func publishReuse(t *testing.T, n *node.Node, c portal.Case, at time.Time) {
	t.Helper()
	_, err := n.ChangeCase(t.Context(), c.Inquiry.ID, "moderator", func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
		if !at.IsZero() {
			e.At = at
		}
		return c.PublishReuse(c.Reuse.Details, node.NewInquiryID(), e)
	})
	must(t, err)
}

func showcase(t *testing.T, n *node.Node) portal.Showcase {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	s, err := portal.ShowcaseOf(t.Context(), v)
	must(t, err)
	return s
}

// reusesFound searches and gives the public names of the reuses found.
func reusesFound(t *testing.T, n *node.Node, text string) int {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	results, err := v.Search(t.Context(), portal.Query{Text: text})
	must(t, err)
	if len(results.Threads) > 0 || results.ReusesTotal != len(results.Reuses) {
		t.Errorf("%q: %+v", text, results)
	}
	return len(results.Reuses)
}

func TestAReuseWalksFromAnOfflineMirrorByStickToTheCentreAndToAnotherMirror(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kiosk, other := newMirror(t, central), newMirror(t, central)
	sync(t, kiosk)
	code := submit(t, kiosk, waterMap(), portal.ReceiptCode{})
	stick := stickOf(t, central, 0)
	carry(t, stick, kiosk, central)
	carry(t, stick, kiosk, central)
	list := cases(t, central)
	if len(list) != 1 || !list[0].IsReuse() || list[0].Moderation.State != portal.Waiting || list[0].Deadline.Due != "" {
		t.Fatalf("%+v", list)
	}
	if waiting(t, kiosk) != 0 || told(t, kiosk, code).State != portal.Received {
		t.Error("the submission is not acknowledged")
	}
	if got := showcase(t, central); len(got.Reuses) != 0 {
		t.Errorf("before anybody looked at it: %+v", got)
	}
	publishReuse(t, central, list[0], time.Time{})
	must(t, central.SetCohort(t.Context(), portal.Cohort{ID: "suv-2026", Title: portal.PlainText("Suv xakatoni"), Day: "2026-05-01", Entries: 20}))
	speak(t, central)
	sync(t, other)
	sync(t, kiosk)
	for _, n := range []*node.Node{central, kiosk, other} {
		got := showcase(t, n)
		if len(got.Reuses) != 1 || got.Reuses[0].Link != "https://example.org/quduq" || got.Reuses[0].Lived[0].State != portal.ReuseAlive || len(got.Cohorts) != 1 {
			t.Fatalf("%s shows %+v", n.Config().Title, got)
		}
		if r := got.Reuses[0]; r.ID == list[0].Inquiry.ID || len(got.Using("main_water")) != 1 {
			t.Errorf("%s: %+v", n.Config().Title, r)
		}
		for text, want := range map[string]int{"quduqlar": 1, "қудуқни": 1, "namuna jamoasi": 1, "metro": 0} {
			if found := reusesFound(t, n, text); found != want {
				t.Errorf("%s: %q finds %d reuses, want %d", n.Config().Title, text, found, want)
			}
		}
	}
	public := showcase(t, other).Reuses[0].ID
	if a := told(t, other, code); a.State != portal.Published || a.Reuse != public || a.Thread != (portal.InquiryID{}) {
		t.Errorf("the receipt opens %+v", a)
	}
	// The one who submitted it says how it is, at any node.
	submit(t, other, portal.Inquiry{Kind: portal.ReuseCheckIn, Lang: portal.Uzbek, CheckIn: portal.ReuseAdopter}, code)
	submit(t, other, portal.Inquiry{Kind: portal.ReuseCheckIn, Lang: portal.Uzbek, CheckIn: portal.ReuseSleeping}, portal.ReceiptCode{}) // somebody else
	carry(t, stickOf(t, central, 0), other, central)
	speak(t, central)
	sync(t, kiosk)
	r := showcase(t, kiosk).Reuses[0]
	if state, byRule := r.StateOn(portal.DateOf(day)); state != portal.ReuseAdopter || byRule {
		t.Errorf("after a check-in it is %s %v: %+v", state, byRule, r.Lived)
	}
	if v, err := other.Verify(t.Context()); err != nil {
		t.Errorf("%+v %v", v, err)
	}
	for _, n := range []*node.Node{kiosk, other} {
		must(t, holdsNone(t, n.Dir()+"/local.db", []string{"maker@example.org"}))
	}
}

func TestARefusedReuseIsToldWhyAndShownToNobody(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	code := submit(t, central, waterMap(), portal.ReceiptCode{})
	speak(t, central)
	c := cases(t, central)[0]
	publishReuse(t, central, c, time.Time{})
	speak(t, central)
	_, err := central.ChangeCase(t.Context(), c.Inquiry.ID, "moderator", func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
		return c.RefuseReuse("Havola boshqa narsaga olib boradi.", portal.Uzbek, e)
	})
	must(t, err)
	speak(t, central)
	if a := told(t, central, code); a.State != portal.Refused || !strings.Contains(a.Text, "Havola") || a.Reuse != (portal.InquiryID{}) {
		t.Errorf("%+v", a)
	}
	if got := showcase(t, central); len(got.Reuses) != 0 || reusesFound(t, central, "quduqlar") != 0 {
		t.Errorf("%+v", got)
	}
}

// columnsOf is a package of the dataset water with a header of its own.
func columnsOf(header, row string) node.Input {
	return node.Input{Label: "water", Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: []byte(`{"name":"water","title":"Water","resources":[{"name":"t","path":"t.csv"}]}`)},
		"t.csv":            {Data: []byte(header + "\n" + strings.Repeat(row+"\n", 5))},
	}}
}

func TestThePublisherIsWarnedBeforeColumnsAreTakenFromAReuse(t *testing.T) {
	central := newCentral(t)
	publish(t, central, columnsOf("region,wells,depth", "r1,7,12"))
	submit(t, central, waterMap(), portal.ReceiptCode{})
	speak(t, central)
	publishReuse(t, central, cases(t, central)[0], time.Time{})
	speak(t, central)
	breaking := columnsOf("region,wells_total,depth", "r1,7,twelve")
	breaking.KeepColumns = true
	if _, err := central.Publish(t.Context(), "", []node.Input{breaking}); !errors.Is(err, portal.ErrRejected) || !strings.Contains(err.Error(), "Quduqlar") {
		t.Fatalf("%v", err)
	}
	if out := publish(t, central, columnsOf("region,wells,depth,year", "r1,7,12,2026")); out.Published[0].Breaks != nil {
		t.Errorf("a column more breaks nobody: %+v", out.Published[0].Breaks)
	}
	speak(t, central)
	if got := showcase(t, central).Reuses[0].Risks; len(got) != 0 {
		t.Errorf("%+v", got)
	}
	breaking.KeepColumns = false
	b := publish(t, central, breaking).Published[0].Breaks
	if b == nil || len(b.Reuses) != 1 || len(b.Columns) != 3 || b.Columns[0].String() != "t: column wells is now wells_total" ||
		b.Columns[1].String() != "t: column depth was integer and is string" || b.Columns[2].String() != "t: column year is gone" {
		t.Fatalf("%+v", b)
	}
	speak(t, central)
	speak(t, central) // a release is looked at once
	risks := showcase(t, central).Reuses[0].Risks
	if len(risks) != 1 || risks[0].Release != 3 || len(risks[0].Columns) != 3 {
		t.Fatalf("%+v", risks)
	}
	_, err := central.ChangeCase(t.Context(), cases(t, central)[0].Inquiry.ID, "moderator", func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
		return c.CheckInReuse(portal.ReuseAlive, e)
	})
	must(t, err)
	speak(t, central)
	if got := showcase(t, central).Reuses[0].Risks; len(got) != 0 {
		t.Errorf("after a check-in: %+v", got)
	}
}
