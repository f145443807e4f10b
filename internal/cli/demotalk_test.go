package cli

import (
	"io"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"koprik/internal/demo"
	"koprik/portal"
)

// TestTheDemonstrationHasQuestionsInEachState as a visitor finds them, also when it
// is started a second time.
func TestTheDemonstrationHasQuestionsInEachState(t *testing.T) {
	if testing.Short() {
		t.Skip("publishes the demonstration: not under -short")
	}
	a := &app{Program: Program{Version: "test"}, stdout: io.Discard, stderr: io.Discard, flags: map[string]string{}, quiet: true}
	dir := filepath.Join(t.TempDir(), "central")
	for range 2 {
		s, stop, err := a.demoCentral(t.Context(), dir, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		cal, err := s.node.Calendar(t.Context())
		if err != nil || len(cal.Holidays) == 0 {
			t.Errorf("no calendar: %v", err)
		}
		list, _, err := s.node.Cases(t.Context(), portal.CaseQuery{Kinds: portal.InquiryKinds})
		if err != nil || len(list) != len(demo.Questions()) {
			t.Fatalf("%d questions: %v", len(list), err)
		}
		seen := map[string]bool{}
		for _, c := range list {
			seen[string(c.State)] = true
			if c.Moderation.State == portal.Waiting {
				seen["to moderate"] = true
			}
			if c.Escalation(portal.DateOf(s.node.Now()), cal) == portal.ToCentre {
				seen["late"] = true
			}
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, []string{"answered", "assigned", "late", "published", "refused", "to moderate"}) {
			t.Errorf("%v", got)
		}
		if told, ok, err := s.node.OpenReceipt(t.Context(), demo.Receipt); err != nil || !ok || told.State != portal.Answered || told.Thread != (portal.InquiryID{}) {
			t.Errorf("the receipt opens %+v %v %v", told, ok, err)
		}
		if password, err := demoLogin(t.Context(), s.node); err != nil {
			t.Error(err)
		} else if _, ok, err := s.node.SignIn(t.Context(), demoAccount, password); !ok || err != nil {
			t.Errorf("nobody can sign in: %v", err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
}
