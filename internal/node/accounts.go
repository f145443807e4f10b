package node

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"koprik/embed/local"
	"koprik/portal"
)

// A session ends when nobody used it for SessionIdle, and SessionLife after its
// beginning whatever was done with it.
const (
	SessionIdle = 30 * time.Minute
	SessionLife = 12 * time.Hour

	// sessionTouch is how much older than now the last use may be written: a page
	// of the desk does not write to the disk each time.
	sessionTouch = time.Minute
)

// The bounds of a password, in characters and in bytes.
const (
	minPassword = 12
	maxPassword = 1 << 10
)

// AddAccount makes an account that can sign in with a password. What is wrong
// with either is portal.ErrRejected, by the name of the field.
func (n *Node) AddAccount(ctx context.Context, a portal.Account, password string) (err error) {
	defer named(n.dir, &err)
	if err := n.checkAccount(ctx, a); err != nil {
		return err
	}
	hash, err := newPassword(password)
	if err != nil {
		return err
	}
	a.Created = n.Now().Truncate(time.Microsecond)
	return n.local.AddAccount(ctx, a, hash)
}

// ChangeAccount keeps what change makes of an account. Its name
// and the day on which it was made stay.
func (n *Node) ChangeAccount(ctx context.Context, name string, change func(a *portal.Account)) (err error) {
	defer named(n.dir, &err)
	was, _, err := n.local.Account(ctx, name)
	if err != nil {
		return err
	}
	a := was
	change(&a)
	a.Name, a.Created = was.Name, was.Created
	if err := n.checkAccount(ctx, a); err != nil {
		return err
	}
	return n.local.SetAccount(ctx, a)
}

// checkAccount is Validate, and that the publisher and its contact are known here.
func (n *Node) checkAccount(ctx context.Context, a portal.Account) error {
	if err := a.Validate(); err != nil || a.Publisher == "" {
		return err
	}
	all, err := n.Publishers(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.ID != a.Publisher {
			continue
		}
		if _, ok := p.Contact(a.Contact); a.Contact != "" && !ok {
			return portal.Rejected("contact", "the publisher %s has no contact %s", a.Publisher, a.Contact)
		}
		return nil
	}
	return portal.Rejected("publisher", "there is no publisher %s here", a.Publisher)
}

// Accounts gives all accounts by name.
func (n *Node) Accounts(ctx context.Context) (list []portal.Account, err error) {
	defer named(n.dir, &err)
	return n.local.Accounts(ctx)
}

// Account gives one account; portal.ErrNotFound when there is none.
func (n *Node) Account(ctx context.Context, name string) (a portal.Account, err error) {
	defer named(n.dir, &err)
	a, _, err = n.local.Account(ctx, name)
	return a, err
}

// SetPassword gives an account another password and ends all its sessions.
func (n *Node) SetPassword(ctx context.Context, name, password string) (err error) {
	defer named(n.dir, &err)
	hash, err := newPassword(password)
	if err != nil {
		return err
	}
	return n.local.SetPassword(ctx, name, hash)
}

func newPassword(password string) (string, error) {
	switch count := utf8.RuneCountInString(password); {
	case count < minPassword:
		return "", portal.Rejected("password", "must have at least %d characters", minPassword)
	case len(password) > maxPassword:
		return "", portal.Rejected("password", "must have at most %d bytes", maxPassword)
	}
	return hashPassword(password)
}

// SignIn tells whether a name and a password are those of an account that can
// sign in. It takes the same time for a name that nobody has.
func (n *Node) SignIn(ctx context.Context, name, password string) (a portal.Account, ok bool, err error) {
	defer named(n.dir, &err)
	a, c, err := n.local.Account(ctx, name)
	if err != nil && !errors.Is(err, portal.ErrNotFound) {
		return portal.Account{}, false, err
	}
	if len(password) > maxPassword {
		password = ""
	}
	fits, weak := checkPassword(c.Password, password)
	if err != nil || !fits || !a.Disabled.IsZero() {
		return portal.Account{}, false, nil
	}
	if weak { // it was hashed for less effort than passwords are today
		if err := n.rehash(ctx, name, password); err != nil {
			return portal.Account{}, false, err
		}
	}
	return a, true, nil
}

func (n *Node) rehash(ctx context.Context, name, password string) error {
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	return n.local.SetPassword(ctx, name, hash)
}

// BeginSession signs an account in and gives the value of its cookie: 32 random
// bytes, of which only the SHA-256 is kept. whole is false while the second
// factor is still asked for.
func (n *Node) BeginSession(ctx context.Context, name string, whole bool) (cookie string, err error) {
	defer named(n.dir, &err)
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	cookie = base64.RawURLEncoding.EncodeToString(random)
	now := n.Now()
	return cookie, n.putSession(ctx, local.Session{Digest: portal.DigestOf([]byte(cookie)), Account: name, Whole: whole, Begun: now, Seen: now})
}

func (n *Node) putSession(ctx context.Context, s local.Session) error {
	return n.local.PutSession(ctx, s, s.Seen.Add(-SessionIdle), s.Seen.Add(-SessionLife))
}

// Session gives who is signed in by a cookie, and whether the second factor was
// given or is not asked for; portal.ErrNotFound when the session has ended or
// never was.
func (n *Node) Session(ctx context.Context, cookie string) (a portal.Account, whole bool, err error) {
	defer named(n.dir, &err)
	s, a, err := n.local.Session(ctx, portal.DigestOf([]byte(cookie)))
	if err != nil {
		return portal.Account{}, false, err
	}
	now := n.Now()
	if now.Sub(s.Seen) > SessionIdle || now.Sub(s.Begun) > SessionLife || !a.Disabled.IsZero() {
		return portal.Account{}, false, fmt.Errorf("session: it has ended: %w", errors.Join(n.local.EndSession(ctx, s.Digest), portal.ErrNotFound))
	}
	if now.Sub(s.Seen) > sessionTouch {
		s.Seen = now
		err = n.putSession(ctx, s)
	}
	return a, s.Whole, err
}

// EndSession signs out.
func (n *Node) EndSession(ctx context.Context, cookie string) (err error) {
	defer named(n.dir, &err)
	return n.local.EndSession(ctx, portal.DigestOf([]byte(cookie)))
}
