package desk

import (
	"errors"
	"net/http"

	"github.com/gorilla/sessions"

	"koprik/portal"
)

// sessionCookie holds 32 random bytes and nothing else.
const sessionCookie = "koprik_desk"

// What a session holds, as the handlers read it.
const (
	keyAccount = "account" // portal.Account
	keyWhole   = "whole"   // bool: the second factor was given, or is not asked for
)

// store is a sessions.Store over Sessions: the cookie names the session, and what
// is in it stands on the server alone, so that signing out ends it everywhere. A
// session begins with the sign-in and with a new name, whatever cookie came.
type store struct{ sessions Sessions }

// Get gives the session of a request, once a request.
func (s *store) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New gives the session that the cookie names, or a new one that holds nothing.
func (s *store) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.IsNew = true
	// Lax, so that a link in a letter leads to the page and not to the sign-in. What
	// changes something comes by POST, and from the desk's own pages (New's
	// CrossOriginProtection). Without TLS on a LAN the cookie cannot be Secure.
	session.Options = &sessions.Options{Path: "/desk", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil}
	var cookie string
	for _, c := range r.CookiesNamed(name) {
		cookie = c.Value
	}
	if cookie == "" {
		return session, nil
	}
	account, whole, err := s.sessions.Session(r.Context(), cookie)
	if errors.Is(err, portal.ErrNotFound) {
		return session, nil
	}
	if err != nil {
		return session, err
	}
	session.ID, session.IsNew = cookie, false
	session.Values[keyAccount], session.Values[keyWhole] = account, whole
	return session, nil
}

// Save begins a session for the account that was put into a new one, and ends one
// whose MaxAge is negative.
func (s *store) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		if session.ID == "" {
			return nil
		}
		return s.sessions.EndSession(r.Context(), session.ID)
	}
	if account, ok := session.Values[keyAccount].(portal.Account); ok && session.ID == "" {
		whole, _ := session.Values[keyWhole].(bool)
		cookie, err := s.sessions.BeginSession(r.Context(), account.Name, whole)
		if err != nil {
			return err
		}
		session.ID = cookie
		http.SetCookie(w, sessions.NewCookie(session.Name(), cookie, session.Options))
	}
	return nil
}

// begin signs an account in under a new name and ends the session that was.
func (v *visit) begin(account portal.Account, whole bool) error {
	if id := v.session.ID; id != "" {
		if err := v.desk.o.Sessions.EndSession(v.r.Context(), id); err != nil {
			return err
		}
	}
	v.session.ID = ""
	v.session.Values[keyAccount], v.session.Values[keyWhole] = account, whole
	return v.session.Save(v.r, v.w)
}

// end signs out.
func (v *visit) end() error {
	v.session.Options.MaxAge = -1
	return v.session.Save(v.r, v.w)
}
