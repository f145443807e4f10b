package local

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"koprik/portal"

	"github.com/google/go-cmp/cmp"
)

var prices = portal.Account{
	Name: "prices", Role: portal.DeskHolder, Publisher: "stat", Contact: "prices", Post: "Head of price statistics", Lang: portal.Uzbek, Created: day,
}

// accounts is a database with one account and a session of it.
func accounts(t *testing.T) (*Local, portal.Digest) {
	t.Helper()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	if err := l.AddAccount(context.Background(), prices, "hash"); err != nil {
		t.Fatal(err)
	}
	return l, signIn(t, l, "cookie")
}

func signIn(t *testing.T, l *Local, cookie string) portal.Digest {
	t.Helper()
	digest := portal.DigestOf([]byte(cookie))
	if err := l.PutSession(context.Background(), Session{Digest: digest, Account: "prices", Whole: true, Begun: day, Seen: day}, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestAnAccountIsKeptOnceUnderItsName(t *testing.T) {
	ctx := context.Background()
	l, _ := accounts(t)
	if err := l.AddAccount(ctx, portal.Account{Name: "prices", Role: portal.DeskAdmin}, "other"); !errors.Is(err, portal.ErrRejected) {
		t.Errorf("a second one: %v", err)
	}
	a, c, err := l.Account(ctx, "prices")
	if diff := cmp.Diff(prices, a); err != nil || diff != "" || c != (Credentials{Password: "hash"}) {
		t.Errorf("%v %+v %s", err, c, diff)
	}
	if _, _, err := l.Account(ctx, "nobody"); !errors.Is(err, portal.ErrNotFound) {
		t.Error(err)
	}
	for _, err := range []error{
		l.SetAccount(ctx, portal.Account{Name: "nobody"}), l.SetPassword(ctx, "nobody", "x"), l.SetTOTP(ctx, "nobody", "x", 0, nil),
	} {
		if !errors.Is(err, portal.ErrNotFound) {
			t.Error(err)
		}
	}
	list, err := l.Accounts(ctx)
	if diff := cmp.Diff([]portal.Account{prices}, list); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestASessionEndsWithWhatItStoodOn(t *testing.T) {
	ctx := context.Background()
	changed := func(change func(a *portal.Account)) portal.Account {
		a := prices
		change(&a)
		return a
	}
	for what, c := range map[string]struct {
		do   func(l *Local) error
		ends bool
	}{
		"a new password":  {func(l *Local) error { return l.SetPassword(ctx, "prices", "new") }, true},
		"a second factor": {func(l *Local) error { return l.SetTOTP(ctx, "prices", "SECRET", 0, nil) }, true},
		"another role": {func(l *Local) error {
			return l.SetAccount(ctx, changed(func(a *portal.Account) { a.Role = portal.DeskAdmin }))
		}, true},
		"another contact": {func(l *Local) error {
			return l.SetAccount(ctx, changed(func(a *portal.Account) { a.Contact = "other" }))
		}, true},
		"disabled": {func(l *Local) error { return l.SetAccount(ctx, changed(func(a *portal.Account) { a.Disabled = day })) }, true},
		"another language": {func(l *Local) error {
			return l.SetAccount(ctx, changed(func(a *portal.Account) { a.Lang = portal.Russian }))
		}, false},
		"signing out": {func(l *Local) error { return l.EndSession(ctx, portal.DigestOf([]byte("cookie"))) }, true},
		"nothing":     {func(*Local) error { return nil }, false},
	} {
		l, digest := accounts(t)
		if err := c.do(l); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		s, a, err := l.Session(ctx, digest)
		switch {
		case c.ends && !errors.Is(err, portal.ErrNotFound):
			t.Errorf("%s: the session stands: %+v, %v", what, s, err)
		case !c.ends && (err != nil || a.Name != "prices" || !s.Whole || !s.Begun.Equal(day)):
			t.Errorf("%s: %+v of %+v, %v", what, s, a, err)
		}
	}
}

func TestSessionsThatNobodyUsesAreForgotten(t *testing.T) {
	ctx := context.Background()
	l, old := accounts(t)
	put := func(cookie string, begun, seen, unusedSince, begunBefore time.Time) {
		t.Helper()
		err := l.PutSession(ctx, Session{Digest: portal.DigestOf([]byte(cookie)), Account: "prices", Whole: true, Begun: begun, Seen: seen}, unusedSince, begunBefore)
		if err != nil {
			t.Fatal(err)
		}
	}
	put("used", day, day.Add(time.Hour), time.Time{}, time.Time{})
	put("new", day.Add(time.Hour), day.Add(time.Hour), day.Add(time.Minute), day)
	if _, _, err := l.Session(ctx, old); !errors.Is(err, portal.ErrNotFound) {
		t.Errorf("one that was not used stands: %v", err)
	}
	if _, _, err := l.Session(ctx, portal.DigestOf([]byte("used"))); err != nil {
		t.Errorf("one that was used: %v", err)
	}
	put("newest", day.Add(2*time.Hour), day.Add(2*time.Hour), day, day.Add(time.Minute))
	if _, _, err := l.Session(ctx, portal.DigestOf([]byte("used"))); !errors.Is(err, portal.ErrNotFound) {
		t.Errorf("one that is too old stands: %v", err)
	}
	if err := l.PutSession(ctx, Session{Digest: portal.Digest{1}, Account: "nobody"}, time.Time{}, time.Time{}); err == nil {
		t.Error("a session of no account was kept")
	}
}

func TestACodeCountsOnce(t *testing.T) {
	ctx := context.Background()
	l, _ := accounts(t)
	must := func(want bool, what string) func(got bool, err error) {
		return func(got bool, err error) {
			t.Helper()
			if err != nil || got != want {
				t.Errorf("%s: %v, %v", what, got, err)
			}
		}
	}
	must(false, "a step without a second factor")(l.UseStep(ctx, "prices", 10))
	if err := l.SetTOTP(ctx, "prices", "SECRET", 9, []portal.Digest{{1}, {2}}); err != nil {
		t.Fatal(err)
	}
	must(false, "the step by which it was made")(l.UseStep(ctx, "prices", 9))
	must(true, "a step")(l.UseStep(ctx, "prices", 10))
	must(false, "the same step")(l.UseStep(ctx, "prices", 10))
	must(false, "a step before")(l.UseStep(ctx, "prices", 9))
	must(true, "a stand-in")(l.UseRecovery(ctx, "prices", portal.Digest{1}))
	must(false, "the same stand-in")(l.UseRecovery(ctx, "prices", portal.Digest{1}))
	must(false, "nobody's")(l.UseRecovery(ctx, "nobody", portal.Digest{2}))
	if err := l.SetTOTP(ctx, "prices", "", 0, nil); err != nil {
		t.Fatal(err)
	}
	must(false, "a stand-in for nothing")(l.UseRecovery(ctx, "prices", portal.Digest{2}))
	if a, _, err := l.Account(ctx, "prices"); err != nil || a.SecondFactor {
		t.Errorf("%+v, %v", a, err)
	}
}
