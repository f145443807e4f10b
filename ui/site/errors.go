package site

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"koprik/portal"
)

// pageError is an error whose page is already in the reader's words.
type pageError struct {
	status      int
	title, text string
	languages   bool // offer the languages
	back        Link // where to go, besides the home page
	again       bool // the same may be sent a little later
	cause       error
}

// Error is for logs and tests.
func (e *pageError) Error() string { return e.title + ": " + e.text }

// Unwrap gives the error below.
func (e *pageError) Unwrap() error { return e.cause }

// retryBusy is when a program should ask again that met a busy node, in seconds.
const retryBusy = "5"

// errorPage is the struct of templates/error.html.
type errorPage struct {
	*Frame
	Status    int
	Text      string
	Problem   problemBox
	Offer     bool // of the languages
	Back      Link
	HomeLabel string
}

// problemBox sums up what is wrong with what a reader sent; an item may lead to
// the field. It is the struct of the template "problem".
type problemBox struct {
	Title string
	Items []Link
}

// fail turns an error into a page: what happened, what it means, what to do
// next. Only what nobody expected is logged, with the id that the page shows.
func (v *visit) fail(err error) {
	if errors.Is(err, context.Canceled) && v.r.Context().Err() != nil {
		return // the reader went away
	}
	e := v.explain(err)
	v.Title, v.Wide = e.title, true
	if e.status == http.StatusServiceUnavailable {
		v.w.Header().Set("Retry-After", retryBusy)
	}
	if e.status >= 500 {
		v.w.Header().Set("Cache-Control", "no-store")
	}
	page := &errorPage{Frame: v.Frame, Status: e.status, Text: e.text, Offer: e.languages, Back: e.back, HomeLabel: v.T("error.home")}
	if e.status == http.StatusBadRequest {
		page.Problem = problemBox{Title: v.T("error.summary"), Items: []Link{{Shown: Shown{Text: e.text}}}}
	}
	body, err := v.render(answer{template: "error", data: page})
	if err != nil {
		v.site.log.Error("error page", "err", err)
		http.Error(v.w, http.StatusText(e.status), e.status)
		return
	}
	v.send(e.status, body)
}

// explain finds the page for an error by its sentinel.
func (v *visit) explain(err error) *pageError {
	var e *pageError
	if errors.As(err, &e) {
		return e
	}
	switch {
	case errors.Is(err, portal.ErrGone):
		return &pageError{status: http.StatusGone, title: v.T("error.gone"), text: v.T("dataset.withdrawnkept")}
	case errors.Is(err, portal.ErrNotHeld):
		return &pageError{status: http.StatusNotFound, title: v.T("error.notheld"), text: v.T("error.notfoundtext")}
	case errors.Is(err, portal.ErrNotFound):
		return &pageError{status: http.StatusNotFound, title: v.T("error.notfound"), text: v.T("error.notfoundtext")}
	case errors.Is(err, portal.ErrUsage):
		return &pageError{status: http.StatusBadRequest, title: v.T("error.bad"), text: v.T("error.badtext")}
	case errors.Is(err, portal.ErrRejected):
		return &pageError{status: http.StatusUnprocessableEntity, title: v.T("error.bad"), text: v.T("error.badtext")}
	case errors.Is(err, portal.ErrTooMuch), errors.Is(err, portal.ErrLocked), errors.Is(err, context.DeadlineExceeded):
		return &pageError{status: http.StatusServiceUnavailable, title: v.T("error.busy"), text: v.T("error.busytext")}
	}
	id := strings.ToLower(rand.Text()[:10])
	v.site.log.ErrorContext(v.ctx, "page", "id", id, "path", v.r.URL.Path, "err", err)
	return &pageError{status: http.StatusInternalServerError, title: v.T("error.internal"), text: v.T("error.internaltext", "id", id)}
}

// notFound answers every address that is no page. One that begins with a
// language that this portal does not have, or has in another spelling, is
// answered with those it has.
func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	l, err := portal.ParseLang(first)
	if err == nil && first != l.Path() {
		target := "/" + l.Path() + "/" + strings.TrimLeft(rest, "/")
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, target, http.StatusMovedPermanently)
		return
	}
	s.page(func(v *visit) (answer, error) {
		if err != nil && looksLikeLanguage(first) {
			return answer{}, &pageError{status: http.StatusNotFound, title: v.T("error.nolang"), text: v.T("error.nolangtext"), languages: true}
		}
		return answer{}, portal.ErrNotFound
	}).ServeHTTP(w, r)
}

// looksLikeLanguage tells whether a first part of an address is shaped like a
// language tag: "de", "kk-Cyrl".
func looksLikeLanguage(s string) bool {
	base, script, tagged := strings.Cut(s, "-")
	if len(base) < 2 || len(base) > 3 || tagged && len(script) != 2 && len(script) != 4 {
		return false
	}
	return !strings.ContainsFunc(base+script, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}
