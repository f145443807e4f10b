package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"koprik/portal"
	"koprik/ui/locale"
)

// visit is one request for a page: its reader's language, the generation it is
// answered from, and the frame that the page will stand in.
type visit struct {
	*Frame
	site   *site
	w      http.ResponseWriter
	r      *http.Request
	ctx    context.Context
	lang   portal.Lang
	view   portal.View // nil when none could be had; then only errors are shown
	status portal.Status
	now    time.Time
	query  url.Values
	body   *bytes.Buffer // of bodies; nil before a page is written
	rows   readRows
}

// answer is what a handler found: a template and the struct it is checked
// against, or another address.
type answer struct {
	template string
	data     any
	status   int    // 0 means 200
	redirect string // an address on this node
	file     *file  // instead of a page
	missed   bool   // a search that found nothing
}

// handler finds the answer to a visit, or says why there is none.
type handler func(*visit) (answer, error)

// page answers from one view, and with 304 where the reader has this page of
// this generation already.
func (s *site) page(h handler) http.Handler { return s.serve(h, true, false) }

// plainPage is a page that reads nothing but its path: what stands behind a
// question mark makes no page of its own, so that nobody who makes it up can
// have the same page made again and the others pushed out.
func (s *site) plainPage(h handler) http.Handler { return s.serve(h, true, true) }

// livePage is for pages that change without a new generation.
func (s *site) livePage(h handler) http.Handler { return s.serve(h, false, false) }

func (s *site) serve(h handler, cacheable, plain bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if plain {
			r = withoutQuery(r)
		}
		v, err := s.begin(w, r, cacheable)
		defer v.close()
		var a answer
		var st stamp
		tag := ""
		if err == nil {
			if cacheable && v.Kiosk == nil {
				st = s.stamp(v.lang, Mark{State: v.view.State(), Title: v.status.Title, ClockWrong: v.status.ClockWrong}, v.now)
				tag = s.etag(v.lang, r.URL.RequestURI(), st)
			}
			if tag != "" && hasTag(r.Header.Get("If-None-Match"), tag) {
				w.Header().Set("ETag", tag)
				w.WriteHeader(http.StatusNotModified)
				return
			}
			a, err = h(v)
		}
		if errors.Is(err, errVisitOver) {
			s.endVisit(w, r)
			return
		}
		if err == nil && a.redirect != "" {
			http.Redirect(w, r, a.redirect, http.StatusSeeOther)
			return
		}
		if err == nil && a.file != nil {
			if tag != "" {
				w.Header().Set("ETag", tag)
			}
			s.count(r, v.countedAs(false))
			v.sendFile(*a.file)
			return
		}
		var body []byte
		if err == nil {
			body, err = v.render(a)
		}
		if err != nil {
			v.fail(err)
			return
		}
		var c counted
		if a.status == 0 {
			c = v.countedAs(a.missed)
			s.count(r, c)
		}
		if a.status == 0 && tag != "" {
			if err := v.keep(&keptPage{stamp: st, tag: tag, plain: plain, count: c}, body); err != nil {
				v.fail(err)
			}
			return
		}
		v.send(a.status, body)
	})
}

// withoutQuery is a request for the path alone.
func withoutQuery(r *http.Request) *http.Request {
	if r.URL.RawQuery == "" && !r.URL.ForceQuery {
		return r
	}
	plain, address := *r, *r.URL
	address.RawQuery, address.ForceQuery = "", false
	plain.URL, plain.RequestURI = &address, pathName(r)
	return &plain
}

// errVisitOver says that a visit to a kiosk had ended before this request.
var errVisitOver = errors.New("the visit is over")

// begin takes the view and fills the frame. It gives a visit even with an
// error, so that the error can be told in the reader's language.
// marked says that of the node's status no more is needed than a Mark has.
func (s *site) begin(w http.ResponseWriter, r *http.Request, marked bool) (*visit, error) {
	v := &visit{site: s, w: w, r: r, ctx: r.Context(), lang: s.languageOf(r), now: s.o.Now()}
	v.Frame = s.frame(v.lang, r)
	w.Header().Set("Content-Language", string(v.lang))
	w.Header().Set("Cache-Control", "no-cache")
	if s.o.Kiosk {
		if s.kiosk(v.Frame, w, r) {
			return v, errVisitOver
		}
	} else {
		rememberLanguage(w, r, v.lang)
	}
	var err error
	if v.status, err = s.statusFor(v.ctx, marked); err != nil {
		return v, fmt.Errorf("status of the node: %w", err)
	}
	if v.status.Title != "" {
		v.Site = v.status.Title
	}
	if v.view, err = s.o.View(v.ctx); err != nil {
		v.view = nil
		return v, fmt.Errorf("view of the catalogue: %w", err)
	}
	state := v.view.State()
	v.State = v.stateLine(state)
	w.Header().Set("Koprik-Generation", strconv.FormatInt(state.Generation, 10))
	if !state.AsOf.IsZero() {
		w.Header().Set("Koprik-As-Of", state.AsOf.UTC().Format(time.RFC3339))
		w.Header().Set("Koprik-Fresh", string(state.Grade(v.now, s.o.OldAfter)))
	}
	if len(r.URL.EscapedPath())+len(r.URL.RawQuery) > maxAddress {
		return v, v.bad("error.longquery", "max", maxAddress, "n", len(r.URL.RawQuery))
	}
	if v.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return v, v.bad("error.badfilter", "got", clip(r.URL.RawQuery, 100))
	}
	for name, values := range v.query {
		for _, text := range append(values, name) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return v, v.bad("error.badfilter", "got", clip(strings.ToValidUTF8(text, "\uFFFD"), 100))
			}
		}
	}
	return v, nil
}

// statusFor tells how the node is; of a Mark's worth, cheaply.
func (s *site) statusFor(ctx context.Context, marked bool) (portal.Status, error) {
	if marked && s.o.Mark != nil {
		if m, ok := s.o.Mark(); ok {
			return portal.Status{Title: m.Title, ClockWrong: m.ClockWrong}, nil
		}
	}
	return s.o.Status(ctx)
}

func (v *visit) close() {
	if v.body != nil && v.body.Cap() <= largestKept { // a large one is not held for small ones
		bodies.Put(v.body)
	}
	v.body = nil
	if v.view != nil {
		v.view.Close()
	}
}

// hasTag tells whether an If-None-Match header names a tag. "*" matches nothing
// here: whether a page exists is only known once it is made.
func hasTag(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(one) == tag {
			return true
		}
	}
	return false
}

// today is the day as of this visit: ages on pages change with it.
func (v *visit) today() portal.Date { return portal.DateOf(v.now) }

// day writes the day of a moment in the portal's zone.
func (v *visit) day(t time.Time) string { return v.Date(t.In(portal.Zone)) }

// moment writes day and time in the portal's zone, and names the zone.
func (v *visit) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(portal.Zone)
	return v.DateTime(t) + " " + t.Format("(MST)")
}

// bodies are what pages are written into, until they are sent.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// render writes a page; its bytes are good until the visit is closed.
func (v *visit) render(a answer) ([]byte, error) {
	if v.body == nil {
		v.body = bodies.Get().(*bytes.Buffer)
	}
	v.body.Reset()
	if err := v.site.templates.ExecuteTemplate(v.body, a.template+".html", a.data); err != nil {
		return nil, fmt.Errorf("template %s: %w", a.template, err)
	}
	return v.body.Bytes(), nil
}

func (v *visit) send(status int, body []byte) {
	if status == 0 {
		status = http.StatusOK
	}
	v.w.Header().Set("Content-Type", pageType)
	v.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	v.w.WriteHeader(status)
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(body) // the reader went away: nobody is left to tell
	}
}

// file is what a page gives away to be kept; without a name it is read at once.
type file struct {
	name, mime string
	body       []byte
}

func (v *visit) sendFile(f file) {
	h := v.w.Header()
	h.Set("Content-Type", f.mime)
	if f.name != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
	}
	h.Set("Content-Length", strconv.Itoa(len(f.body)))
	v.w.WriteHeader(http.StatusOK)
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(f.body) // the reader went away: nobody is left to tell
	}
}

// bad is a 400 that says in the reader's words what cannot be answered.
func (v *visit) bad(key locale.Key, args ...any) error {
	return &pageError{status: http.StatusBadRequest, title: v.T("error.bad"), text: v.T(key, args...)}
}

// one takes a parameter's first value, trimmed.
func (v *visit) one(name string) string { return strings.TrimSpace(v.query.Get(name)) }

// number takes a whole number from 1 to limit; absent is 1.
func (v *visit) number(name string, limit int) (int, error) {
	text := v.one(name)
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > limit {
		return 0, v.bad("error.badpage", "max", limit, "got", clip(text, 40))
	}
	return n, nil
}

// clip shortens a text to n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return strings.TrimSpace(string(runes[:n])) + "…"
}
