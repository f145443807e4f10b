package portal

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func atlas() ReuseDetails {
	return ReuseDetails{
		Kind: ReuseVisualization, Title: PlainText("Atlas"), Summary: PlainText("Maps of wells.\nBy district."), Link: "https://example.org/atlas",
		By: "Example lab", Consent: true, Uses: []ReuseSource{{Dataset: "main_wells", Release: 2}, {Dataset: "main_rain"}}, Cohort: "water-2026",
	}
}

func TestAReuseIsWholeOrSaysWhereItIsNot(t *testing.T) {
	if err := atlas().Validate(); err != nil {
		t.Fatal(err)
	}
	for where, spoil := range map[string]func(d *ReuseDetails){
		"kind":                      func(d *ReuseDetails) { d.Kind = "idea" },
		"title: is missing":         func(d *ReuseDetails) { d.Title = Text{} },
		"title: is empty":           func(d *ReuseDetails) { d.Title = PlainText("  ") },
		"title: 121":                func(d *ReuseDetails) { d.Title = PlainText(strings.Repeat("ў", MaxReuseTitle+1)) },
		"title: has U+202E":         func(d *ReuseDetails) { d.Title = PlainText("a\u202eb") },
		"title_translated":          func(d *ReuseDetails) { d.Title = Text{Translated: map[Lang]string{"xx": "a"}} },
		"summary: 1001":             func(d *ReuseDetails) { d.Summary = PlainText(strings.Repeat("a", MaxReuseSummary+1)) },
		"summary: has the control":  func(d *ReuseDetails) { d.Summary = PlainText("a\x00") },
		"link: \"javascript":        func(d *ReuseDetails) { d.Link = "javascript:alert(1)//https://example.org" },
		"link: \"data":              func(d *ReuseDetails) { d.Link = "data:text/html,<script>" },
		"link: \"ftp":               func(d *ReuseDetails) { d.Link = "ftp://example.org/" },
		"link: \"https://gov.uz":    func(d *ReuseDetails) { d.Link = "https://gov.uz@example.org/" },
		"link: \"\"":                func(d *ReuseDetails) { d.Link = "" },
		"link: 501":                 func(d *ReuseDetails) { d.Link = "https://example.org/" + strings.Repeat("a", MaxReuseLink-19) },
		"by: is shown":              func(d *ReuseDetails) { d.Consent = false },
		"uses: at least":            func(d *ReuseDetails) { d.Uses = nil },
		"uses: \"../etc@2\"":        func(d *ReuseDetails) { d.Uses[0].Dataset = "../etc" },
		"uses: main_rain is named":  func(d *ReuseDetails) { d.Uses = append(d.Uses, ReuseSource{Dataset: "main_rain", Release: 1}) },
		"uses: 22 of them":          func(d *ReuseDetails) { d.Uses = append(d.Uses, make([]ReuseSource, MaxReuseUses)...) },
		"uses: \"main_wells@-1\"":   func(d *ReuseDetails) { d.Uses[0].Release = -1 },
		"cohort: cohort \"Water!\"": func(d *ReuseDetails) { d.Cohort = "Water!" },
	} {
		d := atlas()
		d.Uses = slices.Clone(d.Uses)
		spoil(&d)
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), where) {
			t.Errorf("%s: %v", where, err)
		}
	}
}

func TestASourceIsNamedByADatasetOrAnyAddressOfIt(t *testing.T) {
	for text, want := range map[string]ReuseSource{
		"main_wells": {Dataset: "main_wells"}, " main_wells@3\n": {Dataset: "main_wells", Release: 3},
		"https://data.example.uz/uz/dataset/main_wells":               {Dataset: "main_wells"},
		"/ru/dataset/main_wells/table/t?f=1":                          {Dataset: "main_wells"},
		"http://10.0.0.1:8080/dataset/main_wells/release/2/wells.csv": {Dataset: "main_wells", Release: 2},
		"/dataset/main_wells/release/2.json":                          {Dataset: "main_wells", Release: 2},
	} {
		if got, err := ParseReuseSource(text); err != nil || got != want {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "wells", "main_wells@0", "main_wells@x", "main_wells@99999999999999999999", "/dataset/", "/uz/publisher/main", "https://%zz/dataset/main_wells", "javascript:/dataset/x"} {
		if got, err := ParseReuseSource(text); err == nil {
			t.Errorf("%q gives %+v", text, got)
		}
	}
}

func FuzzReuseSource(f *testing.F) {
	for _, s := range []string{"main_wells", "main_wells@3", "/uz/dataset/main_wells", "https://a/dataset/main_wells/release/2/x.csv", "@", "?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseReuseSource(s)
		if err != nil {
			return
		}
		if again, err := ParseReuseSource(got.String()); err != nil || again != got {
			t.Errorf("%q: %+v, again %+v %v", s, got, again, err)
		}
	})
}

func TestAReuseOfWhichNobodySaysAnythingSleepsByRule(t *testing.T) {
	r := Reuse{Lived: []Lived{
		{ReuseAlive, "2025-01-01", "2025-03-01"}, {ReuseAdopter, "2025-12-01", "2025-12-01"}, {ReuseSleeping, "2026-01-10", "2026-01-10"},
	}}
	for day, want := range map[Date]struct {
		state  ReuseState
		byRule bool
	}{
		"2024-12-31": {"", false}, "2025-01-01": {ReuseAlive, false}, "2025-03-02": {ReuseAlive, false},
		"2025-08-27": {ReuseAlive, false}, "2025-08-28": {ReuseSleeping, true}, "2025-11-30": {ReuseSleeping, true},
		"2025-12-01": {ReuseAdopter, false}, "2026-01-10": {ReuseSleeping, false}, "2030-01-01": {ReuseSleeping, false},
	} {
		if state, byRule := r.StateOn(day); state != want.state || byRule != want.byRule {
			t.Errorf("on %s it is %q (%v), want %q (%v)", day, state, byRule, want.state, want.byRule)
		}
	}
	if due := r.CheckInDue(); due != "" {
		t.Errorf("one that sleeps is asked on %s", due)
	}
	r.Lived = r.Lived[:2]
	if due := r.CheckInDue(); due != "2026-03-01" {
		t.Errorf("due on %s", due)
	}
}

func TestACohortCountsItsDeadToo(t *testing.T) {
	of := func(lived ...Lived) Reuse {
		d := atlas()
		return Reuse{ReuseDetails: d, Lived: lived}
	}
	reuses := []Reuse{
		of(Lived{ReuseAlive, "2024-05-02", "2026-11-01"}),
		of(Lived{ReuseAlive, "2024-05-02", "2025-01-01"}), // sleeps by rule from 2025-06-30
		of(Lived{ReuseAlive, "2024-05-02", "2024-05-02"}),
		of(Lived{ReuseAlive, "2025-06-01", "2026-11-01"}), // told of too late for the first year
		{ReuseDetails: ReuseDetails{Cohort: "other"}, Lived: []Lived{{ReuseAlive, "2024-05-02", "2026-11-01"}}},
	}
	c := Cohort{ID: "water-2026", Title: PlainText("Water"), Day: "2024-05-01", Entries: 20}
	want := []Survival{{1, 2, 20}, {2, 2, 20}, {0, 2, 20}}
	if got := c.Survived(reuses, "2026-11-23"); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	c.Entries = 1 // fewer than stand here cannot have taken part
	if got := c.Survived(reuses, "2024-06-01"); !slices.Equal(got, []Survival{{0, 3, 4}}) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []Cohort{{}, {ID: "a", Title: PlainText("A"), Day: "yesterday"}, {ID: "A", Title: PlainText("A"), Day: "2026-01-01"}, {ID: "a", Title: PlainText("A"), Day: "2026-01-01", Entries: -1}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// submitted is a case with a reuse that waits for a moderator.
func submitted() *Case {
	c := NewCase(InquiryID{1}, "2026q4", Digest{}, true, time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC))
	d := atlas()
	c.Open(Inquiry{ID: InquiryID{1}, Kind: ReuseSubmission, Lang: Uzbek, Reuse: &d, Day: "2026-01-01"}, "00", nil, 1)
	return &c
}

func on(day Date) CaseEvent { return CaseEvent{At: day.Time(), By: "moderator"} }

func TestWhatIsShownOfAReuseIsTheModeratorsAndTheSubmissionStays(t *testing.T) {
	c := submitted()
	if _, ok := c.PublicReuse(); ok || c.CheckInReuse(ReuseAlive, on("2026-01-02")) == nil {
		t.Fatal("it is shown before anybody looked at it")
	}
	d := c.Reuse.Details
	d.Title = PlainText("Atlas of wells")
	if err := c.PublishReuse(d, InquiryID{2}, on("2026-01-02")); err != nil {
		t.Fatal(err)
	}
	r, ok := c.PublicReuse()
	if !ok || r.ID != (InquiryID{2}) || r.Title.Plain != "Atlas of wells" || r.Consent || c.Inquiry.Reuse.Title.Plain != "Atlas" {
		t.Errorf("%+v", r)
	}
	if _, thread := c.Public(); thread {
		t.Error("a reuse is shown among the questions")
	}
	if a := c.Status(); a.State != Published || a.Reuse != (InquiryID{2}) || a.Validate() != nil {
		t.Errorf("%+v %v", a, a.Validate())
	}
	d.Link = "javascript:alert(1)"
	if c.PublishReuse(d, InquiryID{3}, on("2026-01-03")) == nil {
		t.Error("a moderator publishes what no page may lead to")
	}
	c.Inquiry.Reuse.Consent, d = false, c.Reuse.Details
	if err := c.PublishReuse(d, InquiryID{3}, on("2026-01-03")); err == nil || !strings.Contains(err.Error(), "consent") {
		t.Errorf("a name without consent: %v", err)
	}
	for what, err := range map[string]error{
		"an answer":     c.Reply(Answer{State: Answered, Text: "a"}, WorkCalendar{}, on("2026-01-03")),
		"no reason":     c.RefuseReuse(" ", Uzbek, on("2026-01-03")),
		"a question's":  (&Case{Inquiry: Inquiry{Kind: Question}}).PublishReuse(atlas(), InquiryID{1}, on("2026-01-03")),
		"a moderation":  c.Moderate(Moderation{State: Shown}, InquiryID{4}, on("2026-01-03")),
		"another state": c.CheckInReuse("dead", on("2026-01-03")),
	} {
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

func TestCheckInsAreKeptAsTimes(t *testing.T) {
	c := submitted()
	if err := c.PublishReuse(c.Reuse.Details, InquiryID{2}, on("2026-01-02")); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		state ReuseState
		day   Date
	}{
		{ReuseAlive, "2026-03-01"}, {ReuseAlive, "2026-05-01"}, {ReuseAlive, "2026-04-01"}, // a stick came late
		{ReuseAdopter, "2026-05-10"}, {ReuseAlive, "2026-05-10"}, {ReuseAlive, "2026-12-01"}, // long after it fell asleep
		{ReuseSleeping, "2026-12-20"},
	} {
		if err := c.CheckInReuse(step.state, on(step.day)); err != nil {
			t.Fatal(err)
		}
	}
	want := []Lived{
		{ReuseAlive, "2026-01-02", "2026-05-01"}, {ReuseAlive, "2026-05-10", "2026-05-10"}, {ReuseAlive, "2026-12-01", "2026-12-01"}, {ReuseSleeping, "2026-12-20", "2026-12-20"},
	}
	if !slices.Equal(c.Reuse.Lived, want) {
		t.Errorf("%+v, want %+v", c.Reuse.Lived, want)
	}
	for i := range 3 * maxLived {
		state := ReuseStates[i%2]
		if err := c.CheckInReuse(state, on(Date("2027-01-01").AddDays(i))); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.Reuse.Lived) != maxLived {
		t.Errorf("%d times are kept", len(c.Reuse.Lived))
	}
}

func TestColumnsThatAreTakenAwayAreNamed(t *testing.T) {
	table := func(name string, fields ...Field) Resource {
		return Resource{Name: name, Schema: &TableSchema{Fields: fields}}
	}
	before := Release{Resources: []Resource{
		table("a", Field{Name: "region"}, Field{Name: "wells", Type: "integer"}, Field{Name: "depth", Type: "number"}, Field{Name: "year", Type: "year"}),
		table("b", Field{Name: "x"}),
		{Name: "photo"},
		table("c", Field{Name: "x"}),
	}}
	after := Release{Resources: []Resource{
		table("a", Field{Name: "region", Type: "string"}, Field{Name: "count", Type: "integer"}, Field{Name: "depth", Type: "string"}, Field{Name: "new"}),
		{Name: "c"},
	}}
	var said []string
	for _, c := range ColumnChanges(before, after) {
		said = append(said, c.String())
	}
	want := []string{"a: column wells is now count", "a: column depth was number and is string", "a: column year is gone", "table b is gone"}
	if !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	if got := ColumnChanges(before, before); got != nil {
		t.Errorf("the same release: %v", got)
	}
}

func TestACheckInThatIsCountedTwiceChangesNothing(t *testing.T) {
	for _, state := range ReuseStates {
		c := submitted()
		if err := c.PublishReuse(c.Reuse.Details, InquiryID{2}, on("2026-01-02")); err != nil {
			t.Fatal(err)
		}
		var once []Lived
		for range 2 { // a cut came between counting it and noting that it was counted
			if err := c.CheckInReuse(state, on("2026-03-01")); err != nil {
				t.Fatal(err)
			}
			if once == nil {
				once = slices.Clone(c.Reuse.Lived)
			}
		}
		if !slices.Equal(c.Reuse.Lived, once) {
			t.Errorf("%s: %+v, after one %+v", state, c.Reuse.Lived, once)
		}
	}
}
