package node_test

import (
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"koprik/embed/sqlite"
	"koprik/internal/node"
	"koprik/portal"
)

const password = "to‘rtta oddiy soʻz"

// deskNode is a centre with an administrator, and a clock that a test moves.
func deskNode(t *testing.T) (n *node.Node, clock *atomic.Int64) {
	t.Helper()
	dir := newCentral(t).Dir()
	clock = &atomic.Int64{}
	clock.Store(day.Unix())
	o := options()
	o.Clock = func() time.Time { return time.Unix(clock.Load(), 0).UTC() }
	n = open(t, dir, o)
	must(t, n.AddAccount(t.Context(), portal.Account{Name: "admin", Role: portal.DeskAdmin, Post: "Administrator"}, password))
	return n, clock
}

func TestAnAccountIsOfAPublisherAndContactThatAreKnown(t *testing.T) {
	n, _ := deskNode(t)
	account := func(p portal.PublisherID, c portal.ContactID) portal.Account {
		return portal.Account{Name: "holder", Role: portal.DeskHolder, Publisher: p, Contact: c, Post: "Post"}
	}
	for where, a := range map[string]portal.Account{
		"publisher": account("other", "desk"), "contact": account("main", "nobody"), "post": {Name: "x", Role: portal.DeskAdmin},
	} {
		if err := n.AddAccount(t.Context(), a, password); !errors.Is(err, portal.ErrRejected) || !strings.Contains(err.Error(), where) {
			t.Errorf("%s: %v", where, err)
		}
	}
	must(t, n.AddAccount(t.Context(), account("main", "desk"), password))
	err := n.ChangeAccount(t.Context(), "holder", func(a *portal.Account) { a.Name, a.Contact = "other", "nobody" })
	wantKind(t, err, portal.ErrRejected)
	must(t, n.ChangeAccount(t.Context(), "holder", func(a *portal.Account) { a.Name, a.Post = "other", "Another post" }))
	a, err := n.Account(t.Context(), "holder")
	if err != nil || a.Post != "Another post" || !a.Created.Equal(day) {
		t.Errorf("%+v, %v", a, err)
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", 2000)} {
		if err := n.SetPassword(t.Context(), "holder", bad); !errors.Is(err, portal.ErrRejected) || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("a password of %d bytes: %v", len(bad), err)
		}
	}
}

func TestOnlyTheRightPasswordOfAnAccountThatStandsSignsIn(t *testing.T) {
	n, _ := deskNode(t)
	tries := func(name, password string, want bool) {
		t.Helper()
		a, ok, err := n.SignIn(t.Context(), name, password)
		if err != nil || ok != want || (a.Name != "") != want {
			t.Errorf("%q %q: %+v, %v, %v", name, password, a, ok, err)
		}
	}
	tries("admin", password, true)
	for _, wrong := range []string{"", "admin", password + " ", strings.ToUpper(password), strings.Repeat(password, 200)} {
		tries("admin", wrong, false)
	}
	tries("", password, false)
	tries("nobody", password, false)
	tries("admin' OR 1=1 --", password, false)
	must(t, n.ChangeAccount(t.Context(), "admin", func(a *portal.Account) { a.Disabled = day }))
	tries("admin", password, false)
	must(t, n.ChangeAccount(t.Context(), "admin", func(a *portal.Account) { a.Disabled = time.Time{} }))
	must(t, n.SetPassword(t.Context(), "admin", "e\u0301 another password"))
	tries("admin", password, false)
	tries("admin", "\u00e9 another password", true) // the same letters, composed
}

// What was hashed for less effort is hashed anew; what would take the node's
// memory, or is no hash at all, fits nothing.
func TestKeptPasswordsGrowWithTheEffort(t *testing.T) {
	n, _ := deskNode(t)
	db, err := sqlite.Open(filepath.Join(n.Dir(), "local.db"), sqlite.Options{ApplicationID: 0x4b706c01, Readers: 1})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	kept := func() (hash string) {
		must(t, db.Read.QueryRow(`SELECT password FROM accounts WHERE name = 'admin'`).Scan(&hash))
		return hash
	}
	was := kept()
	if !strings.HasPrefix(was, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("kept as %s", was)
	}
	// The password above, with 8 KiB and one pass.
	const weak = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
	for _, hash := range []string{
		"", "plain", weak, weak + "AAAA", strings.Replace(was, "m=19456", "m=99999999", 1), strings.Replace(was, "t=2", "t=0", 1),
		strings.Replace(was, "p=1", "p=255", 1), strings.Replace(was, "v=19", "v=16", 1), strings.TrimSuffix(was, was[len(was)-4:]),
	} {
		_, err := db.Write.Exec(`UPDATE accounts SET password = ? WHERE name = 'admin'`, hash)
		must(t, err)
		if _, ok, err := n.SignIn(t.Context(), "admin", password); ok || err != nil {
			t.Errorf("%q fits: %v", hash, err)
		}
	}
	_, err = db.Write.Exec(`UPDATE accounts SET password = ? WHERE name = 'admin'`, node.WeakPassword(password))
	must(t, err)
	if _, ok, err := n.SignIn(t.Context(), "admin", password); !ok || err != nil {
		t.Fatalf("%v %v", ok, err)
	}
	if now := kept(); !strings.Contains(now, "m=19456,t=2") {
		t.Errorf("still kept as %s", now)
	}
}

func TestASessionEndsByItselfAndWhenToldTo(t *testing.T) {
	n, clock := deskNode(t)
	begin := func() string {
		t.Helper()
		cookie, err := n.BeginSession(t.Context(), "admin", true)
		must(t, err)
		return cookie
	}
	stands := func(cookie string, want bool) {
		t.Helper()
		a, whole, err := n.Session(t.Context(), cookie)
		if want && (err != nil || a.Name != "admin" || !whole) || !want && !errors.Is(err, portal.ErrNotFound) {
			t.Errorf("%+v, %v, %v; want it to stand: %v", a, whole, err, want)
		}
	}
	one, other := begin(), begin()
	if one == other || len(one) < 43 {
		t.Errorf("cookies %q and %q", one, other)
	}
	stands(one, true)
	must(t, n.EndSession(t.Context(), one))
	stands(one, false)
	stands(other, true)
	stands("", false)
	clock.Add(int64((node.SessionIdle + time.Second) / time.Second))
	stands(other, false)
	used := begin()
	for range 24 { // every 20 minutes, for eight hours
		clock.Add(20 * 60)
		if _, _, err := n.Session(t.Context(), used); err != nil {
			break
		}
	}
	stands(used, true)
	clock.Add(int64(node.SessionLife / time.Second))
	stands(used, false)
	half, err := n.BeginSession(t.Context(), "admin", false)
	must(t, err)
	if _, whole, err := n.Session(t.Context(), half); err != nil || whole {
		t.Errorf("a session without its second factor is whole: %v", err)
	}
}

func TestTheSecondFactorIsAskedForAndCountsOnce(t *testing.T) {
	n, clock := deskNode(t)
	now := func() time.Time { return time.Unix(clock.Load(), 0) }
	code := func(secret string, at time.Time) string {
		c, err := totp.GenerateCode(secret, at)
		must(t, err)
		return c
	}
	try := func(code string, want bool) {
		t.Helper()
		if ok, err := n.CheckSecondFactor(t.Context(), "admin", code); err != nil || ok != want {
			t.Errorf("%q: %v, %v", code, ok, err)
		}
	}
	try("123456", false)
	f, err := n.NewSecondFactor("admin")
	must(t, err)
	if u, err := url.Parse(f.Address); err != nil || u.Scheme != "otpauth" || u.Query().Get("secret") != f.Secret || u.Query().Get("issuer") != "Markaz" {
		t.Errorf("%s, %v", f.Address, err)
	}
	_, err = n.ConfirmSecondFactor(t.Context(), "admin", f.Secret, "000000")
	wantKind(t, err, portal.ErrRejected)
	shown := code(f.Secret, now())
	paper, err := n.ConfirmSecondFactor(t.Context(), "admin", f.Secret, shown)
	if err != nil || len(paper) != 10 {
		t.Fatalf("%v, %v", paper, err)
	}
	if a, err := n.Account(t.Context(), "admin"); err != nil || !a.SecondFactor {
		t.Errorf("%+v, %v", a, err)
	}
	try(shown, false) // it was used to confirm
	clock.Add(60)
	late := code(f.Secret, now().Add(-30*time.Second))
	next := code(f.Secret, now())
	try(next[:3]+" "+next[3:], true)
	try(next, false)
	try(late, false) // of a step before one that was taken
	clock.Add(300)
	try(next, false)
	try(code(f.Secret, now().Add(30*time.Second)), true) // a telephone that is ahead
	try(strings.ToLower(paper[0][:5]+"-"+paper[0][5:]), true)
	try(paper[0], false)
	try(strings.NewReplacer("0", "O", "1", "l").Replace(paper[1]), true)
	try("", false)
	must(t, n.RemoveSecondFactor(t.Context(), "admin"))
	try(paper[2], false)
}
