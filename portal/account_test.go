package portal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	holder      = Account{Name: "prices", Role: DeskHolder, Publisher: "stat", Contact: "prices", Post: "Head of price statistics"}
	coordinator = Account{Name: "stat", Role: DeskCoordinator, Publisher: "stat", Post: "Coordinator"}
	moderator   = Account{Name: "centre", Role: DeskModerator, Post: "Moderator"}
	admin       = Account{Name: "admin", Role: DeskAdmin, Post: "Administrator"}
)

func TestAnAccountIsWholeOrItsFieldsAreNamed(t *testing.T) {
	for _, a := range []Account{holder, coordinator, moderator, admin} {
		if err := a.Validate(); err != nil {
			t.Errorf("%s: %v", a.Name, err)
		}
	}
	for name, c := range map[string]struct {
		field  string
		change func(a *Account)
	}{
		"no name":                  {"name", func(a *Account) { a.Name = "" }},
		"capital letters":          {"name", func(a *Account) { a.Name = "Prices" }},
		"too long a name":          {"name", func(a *Account) { a.Name = strings.Repeat("a", MaxAccountName+1) }},
		"no role":                  {"role", func(a *Account) { a.Role = "" }},
		"a role of elsewhere":      {"role", func(a *Account) { a.Role = "root" }},
		"nobody's publisher":       {"publisher", func(a *Account) { a.Publisher = "" }},
		"a publisher with a slash": {"publisher", func(a *Account) { a.Publisher = "a/b" }},
		"no contact":               {"contact", func(a *Account) { a.Contact = "" }},
		"no post":                  {"post", func(a *Account) { a.Post = " " }},
		"a post with a control":    {"post", func(a *Account) { a.Post = "a\x00" }},
		"a language of elsewhere":  {"language", func(a *Account) { a.Lang = "de" }},
		"a moderator's publisher":  {"publisher", func(a *Account) { a.Role, a.Contact = DeskModerator, "" }},
		"a coordinator's contact":  {"contact", func(a *Account) { a.Role = DeskCoordinator }},
	} {
		a := holder
		c.change(&a)
		err := a.Validate()
		if !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), c.field) {
			t.Errorf("%s: %v, want it to name %s", name, err, c.field)
		}
	}
}

func TestAnAccountMayWhatItsRoleSaysAndNothingElse(t *testing.T) {
	routed := map[string]*Case{
		"its contact":       {Route: Route{Publisher: "stat", Contact: "prices"}},
		"its publisher":     {Route: Route{Publisher: "stat", Contact: "desk"}},
		"another publisher": {Route: Route{Publisher: "health", Contact: "prices"}},
		"the centre":        {Route: Route{}},
	}
	all := []DeskAct{ActAnswer, ActAssign, ActModerate, ActAccounts, ActNodes}
	disabled := admin
	disabled.Disabled = time.Unix(1, 0)
	for _, c := range []struct {
		account Account
		want    map[string][]DeskAct
	}{
		{holder, map[string][]DeskAct{"its contact": {ActAnswer}}},
		{coordinator, map[string][]DeskAct{"its contact": {ActAnswer, ActAssign}, "its publisher": {ActAnswer, ActAssign}}},
		{moderator, map[string][]DeskAct{
			"its contact": all[:3], "its publisher": all[:3], "another publisher": all[:3], "the centre": all[:3],
		}},
		{admin, map[string][]DeskAct{"its contact": all, "its publisher": all, "another publisher": all, "the centre": all}},
		{disabled, nil},
		{Account{}, nil},
		{Account{Role: DeskHolder}, nil}, // one that is broken must not see what is the centre's
		{Account{Role: DeskCoordinator}, nil},
	} {
		for where, routed := range routed {
			var may []DeskAct
			for _, do := range all {
				if c.account.May(do, routed) {
					may = append(may, do)
				}
			}
			if diff := cmp.Diff(c.want[where], may); diff != "" {
				t.Errorf("%s %s, %s: %s", c.account.Role, c.account.Name, where, diff)
			}
		}
	}
	for _, do := range all[:3] {
		if admin.May(do, nil) {
			t.Errorf("%s is done to no case", do)
		}
	}
}

func TestWhatAnAccountListsIsWhatItReads(t *testing.T) {
	for _, a := range []Account{holder, coordinator, moderator, admin, {}, {Role: DeskHolder, Publisher: "stat"}} {
		for _, asked := range []CaseQuery{{}, {Publisher: "stat"}, {Publisher: "health"}, {Publisher: "stat", Contact: "prices"}, {Publisher: "stat", Contact: "desk"}, {Centre: true}} {
			q, ok := a.Sees(asked)
			for _, c := range []Case{{Route: Route{Publisher: "stat", Contact: "prices"}}, {Route: Route{Publisher: "stat", Contact: "desk"}}, {Route: Route{Publisher: "health", Contact: "prices"}}, {}} {
				matches := func(q CaseQuery) bool {
					return (q.Publisher == "" || c.Route.Publisher == q.Publisher) && (q.Contact == "" || c.Route.Contact == q.Contact) && (!q.Centre || c.Route.Publisher == "")
				}
				if listed, reads := ok && matches(q), matches(asked) && a.Reads(&c); listed != reads {
					t.Errorf("%s asks %+v: of %+v it lists %v and reads %v", a.Name, asked, c.Route, listed, reads)
				}
			}
		}
	}
}
