package post

import (
	"strings"
	"testing"

	"koprik/portal"
	"koprik/portal/datapackage"
)

func reuseOf(n byte, until portal.Date, words string) portal.Reuse {
	return portal.Reuse{ID: portal.InquiryID{n, n}, ReuseDetails: portal.ReuseDetails{
		Kind: portal.ReusePost, Title: portal.PlainText("T"), Summary: portal.PlainText(words), Link: "https://example.org/", Uses: []portal.ReuseSource{{Dataset: "main_water"}},
	}, Lived: []portal.Lived{{State: portal.ReuseAlive, From: "2020-01-01", Until: until}}}
}

func TestAShowcaseIsReadAsItWasWritten(t *testing.T) {
	s := portal.Showcase{Reuses: []portal.Reuse{reuseOf(1, "2026-01-01", "a"), reuseOf(2, "2025-01-01", "<b>")}, Cohorts: []portal.Cohort{{ID: "a", Title: portal.PlainText("A"), Day: "2026-01-01"}}}
	b, left, err := EncodeShowcase(s)
	if err != nil || left != 0 {
		t.Fatal(left, err)
	}
	got, err := DecodeShowcase(b)
	if err != nil || len(got.Reuses) != 2 || got.Reuses[1].Summary.Plain != "<b>" || got.Cohorts[0].ID != "a" {
		t.Errorf("%+v %v", got, err)
	}
}

func TestWhatIsTooMuchLeavesTheShowcaseTheLongestSilentFirst(t *testing.T) {
	var s portal.Showcase
	words := strings.Repeat("ў", portal.MaxReuseSummary)
	for i := range 2600 {
		r := reuseOf(1, portal.Date("2020-01-01").AddDays((i*7)%2600), words)
		r.ID = portal.InquiryID{byte(i), byte(i >> 8)}
		s.Reuses = append(s.Reuses, r)
	}
	b, left, err := EncodeShowcase(s)
	if err != nil || left == 0 || len(b) > datapackage.MaxSide || len(b) < datapackage.MaxSide-8<<10 {
		t.Fatal(len(b), left, err)
	}
	got, err := DecodeShowcase(b)
	if err != nil || len(got.Reuses)+left != len(s.Reuses) {
		t.Fatal(len(got.Reuses), err)
	}
	oldest := got.Reuses[0].CheckedIn()
	for _, r := range got.Reuses {
		oldest = min(oldest, r.CheckedIn())
	}
	if want := portal.Date("2020-01-01").AddDays(left); oldest != want {
		t.Errorf("the longest silent that is kept is of %s, want %s", oldest, want)
	}
}

func TestASignedShowcaseLeadsNowhereItMustNot(t *testing.T) {
	for what, spoil := range map[string]func(s *portal.Showcase){
		"a script":     func(s *portal.Showcase) { s.Reuses[0].Link = "javascript:alert(1)" },
		"no day":       func(s *portal.Showcase) { s.Reuses[0].Lived[0].Until = "soon" },
		"no time":      func(s *portal.Showcase) { s.Reuses[0].Lived = nil },
		"no state":     func(s *portal.Showcase) { s.Reuses[0].Lived[0].State = "dead" },
		"a dataset":    func(s *portal.Showcase) { s.Reuses[0].Uses[0].Dataset = "../x" },
		"a cohort":     func(s *portal.Showcase) { s.Cohorts = []portal.Cohort{{ID: "A B"}} },
		"a turned way": func(s *portal.Showcase) { s.Reuses[0].By = "a\u202eb" },
	} {
		s := portal.Showcase{Reuses: []portal.Reuse{reuseOf(1, "2026-01-01", "a")}}
		spoil(&s)
		b, _, err := EncodeShowcase(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeShowcase(b); err == nil {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

func FuzzShowcase(f *testing.F) {
	b, _, _ := EncodeShowcase(portal.Showcase{Reuses: []portal.Reuse{reuseOf(1, "2026-01-01", "a")}})
	f.Add(b)
	f.Add([]byte(`{"reuses":[{"lived":[]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeShowcase(b)
		if err != nil {
			return
		}
		for i := range s.Reuses {
			if !strings.HasPrefix(s.Reuses[i].Link, "http") {
				t.Errorf("leads to %q", s.Reuses[i].Link)
			}
			s.Reuses[i].StateIn("2026-01-01")
			s.Reuses[i].CheckInDue()
		}
	})
}
