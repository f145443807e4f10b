package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/gorilla/sessions"
	"golang.org/x/text/language"

	"koprik/portal"
	"koprik/ui/locale"
)

// Errors that become pages of the desk.
var (
	errForged   = errors.New("desk: the form was sent from another site")
	errMethod   = errors.New("desk: this address is not asked so")
	errNotYours = errors.New("desk: the account may not do this")
	errTooMany  = errors.New("desk: too many tries")
	errBusy     = errors.New("desk: too many sign in at once")
	errTooLarge = errors.New("desk: the form is too large")
)

// visit is one request.
type visit struct {
	*locale.Words
	desk    *desk
	w       http.ResponseWriter
	r       *http.Request
	lang    portal.Lang
	session *sessions.Session
	account portal.Account // who is signed in; zero before
	now     time.Time
}

// Frame is what stands around every page.
type Frame struct {
	*locale.Words
	Title       string
	Style, Icon string
	Account     *portal.Account // nil before somebody has signed in
	Admin       bool
	Centre      bool   // an account of the centre
	Here        string // path of this page
	Languages   []Language
	Done        string   // what was just done; "" nothing
	Problems    []string // what is wrong with what was sent
}

// Language is one to choose.
type Language struct {
	Name, Tag, Path string
	Current         bool
}

func (v *visit) frame(title string) *Frame {
	f := &Frame{
		Words: v.Words, Title: title, Style: v.desk.assets.URL("style.css"), Icon: v.desk.assets.URL("icon.svg"), Here: v.r.URL.Path,
	}
	if whole, _ := v.session.Values[keyWhole].(bool); whole {
		f.Account, f.Admin, f.Centre = &v.account, v.account.May(portal.ActAccounts, nil), v.account.OfCentre()
	}
	for _, l := range portal.Langs {
		f.Languages = append(f.Languages, Language{Name: v.desk.words.Words(l).T("lang.self"), Tag: string(l), Path: l.Path(), Current: l == v.lang})
	}
	if done := v.r.URL.Query().Get("done"); doneWords[done] != "" {
		f.Done = v.T(doneWords[done])
	}
	return f
}

// doneWords say what a page that was redirected to has just done.
var doneWords = map[string]locale.Key{
	"answered": "desk.done-answered", "refused": "desk.done-refused", "published": "desk.done-published", "assigned": "desk.done-assigned",
	"clock": "desk.done-clock", "shown": "desk.done-shown", "withheld": "desk.done-withheld",
	"reuse": "reuse.desk-donepublish", "reuserefused": "reuse.desk-donerefuse", "checkin": "reuse.desk-donecheckin", "cohort": "reuse.desk-donecohort",
	"password": "desk.done-password", "language": "desk.done-language", "factor": "desk.done-factor", "user": "desk.done-user", "node": "desk.done-node",
	"template": "desk.done-template", "form": "desk.done-form",
}

// page answers one address for its audience.
func (d *desk) page(who audience, answer func(v *visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{desk: d, w: w, r: r, now: d.o.Now()}
		var err error
		if v.session, err = d.store.Get(r, sessionCookie); err == nil {
			v.account, _ = v.session.Values[keyAccount].(portal.Account)
		}
		v.lang = v.language()
		v.Words = d.words.Words(v.lang)
		if err == nil {
			err = v.admit(who, answer)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// admit answers those for whom an address is, and sends the others to sign in.
func (v *visit) admit(who audience, answer func(v *visit) error) error {
	whole, _ := v.session.Values[keyWhole].(bool)
	switch {
	case who == anyone:
	case v.account.Name == "":
		return v.redirect("/desk/sign-in" + after(v.r))
	case who == halfway:
	case !whole:
		return v.redirect("/desk/code" + after(v.r))
	case !who.admits(v.account):
		return errNotYours
	}
	if v.r.Method == http.MethodPost {
		if err := v.r.ParseForm(); err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return errTooLarge
			}
			return portal.Rejected("form", "cannot be read")
		}
	}
	return answer(v)
}

// after names the page that was asked for, to go there after the sign-in.
func after(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/desk/" || r.URL.RawQuery != "" {
		return ""
	}
	return "?next=" + r.URL.EscapedPath()
}

// next is where to go after the sign-in: a page of the desk, whatever was sent.
func (v *visit) next() string {
	next := v.r.FormValue("next")
	if !strings.HasPrefix(next, "/desk/inquiry/") || strings.ContainsAny(next, "\\?#%") || strings.Contains(next, "..") || strings.Contains(next, "//") {
		return "/desk/"
	}
	return next
}

func (v *visit) redirect(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// language is the account's, the one chosen on the page of the sign-in, or the
// browser's.
func (v *visit) language() portal.Lang {
	if l, err := portal.ParseLang(v.r.URL.Query().Get("lang")); err == nil {
		return l
	}
	if v.account.Lang != "" {
		return v.account.Lang
	}
	if c, err := v.r.Cookie("lang"); err == nil { // which the portal's pages set
		if l, err := portal.ParseLang(c.Value); err == nil {
			return l
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(v.r.Header.Get("Accept-Language"))
	if err != nil || len(wanted) == 0 {
		return portal.Uzbek
	}
	_, i, _ := matcher.Match(wanted...)
	return portal.Langs[i]
}

var matcher = language.NewMatcher(func() (all []language.Tag) {
	for _, l := range portal.Langs {
		all = append(all, language.MustParse(string(l)))
	}
	return all
}())

// render writes a whole page or none.
func (v *visit) render(status int, name string, page any) error {
	var b bytes.Buffer
	if err := v.desk.templates[name].ExecuteTemplate(&b, "base.html", page); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	if _, err := v.w.Write(b.Bytes()); v.r.Context().Err() == nil { // otherwise the reader went away
		return err
	}
	return nil
}

// ErrorPage is the struct of error.html.
type ErrorPage struct {
	*Frame
	Text string
}

// fail turns an error into a page. Only what nobody expected is logged.
func (v *visit) fail(err error) {
	if errors.Is(err, context.Canceled) && v.r.Context().Err() != nil {
		return
	}
	status, title, text := v.explain(err)
	if status == http.StatusInternalServerError {
		id := rand.Text()[:8]
		v.desk.o.Log.Error("desk", "id", id, "method", v.r.Method, "path", loggedPath(v.r.URL.Path), "error", err)
		text = v.T("desk.error-text", "id", id)
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		v.w.Header().Set("Retry-After", "60")
	}
	if v.session == nil {
		v.session = sessions.NewSession(v.desk.store, sessionCookie)
	}
	if err := v.render(status, "error", ErrorPage{Frame: v.frame(title), Text: text}); err != nil {
		v.desk.o.Log.Error("desk", "path", loggedPath(v.r.URL.Path), "error", err)
	}
}

func (v *visit) explain(err error) (status int, title, text string) {
	var p *portal.Problem
	switch {
	case errors.Is(err, errForged):
		return http.StatusForbidden, v.T("desk.forged"), v.T("desk.forged-text")
	case errors.Is(err, errNotYours):
		return http.StatusForbidden, v.T("desk.notyours"), v.T("desk.notyours-text")
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed, v.T("error.method"), v.T("desk.missing-text")
	case errors.Is(err, errTooMany):
		return http.StatusTooManyRequests, v.T("desk.toomany"), v.T("desk.toomany-text")
	case errors.Is(err, errBusy):
		return http.StatusServiceUnavailable, v.T("desk.busy"), v.T("desk.busy-text")
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge, v.T("desk.toolarge"), v.T("desk.toolarge-text")
	case errors.Is(err, portal.ErrExpired):
		return http.StatusGone, v.T("desk.ended"), v.T("desk.ended-text")
	case errors.Is(err, portal.ErrNotFound), errors.Is(err, portal.ErrUsage):
		return http.StatusNotFound, v.T("desk.missing"), v.T("desk.missing-text")
	case errors.Is(err, portal.ErrRejected) && errors.As(err, &p):
		return http.StatusUnprocessableEntity, v.T("desk.problem"), err.Error()
	}
	return http.StatusInternalServerError, v.T("desk.error"), ""
}

// wrong gives what is wrong with what was sent, a line each; ok is false when err
// is of another kind.
func wrong(err error) (lines []string, ok bool) {
	if !errors.Is(err, portal.ErrRejected) {
		return nil, false
	}
	return strings.Split(err.Error(), "\n"), true
}

// path gives a variable of the address.
func (v *visit) path(name string) string { return mux.Vars(v.r)[name] }

// field gives what was sent under a name, without the space around it.
func (v *visit) field(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(v.r.PostFormValue(name), "\r\n", "\n"))
}
