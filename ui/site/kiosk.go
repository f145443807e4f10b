package site

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// The kiosk layout (spec/experience.md, "Kiosk"): the same pages for a public
// screen, on a listener of its own. Nothing about a visitor outlives the visit:
// the only cookies are session cookies without an identity, they end with the
// visit, no page is stored by the browser, and the server ends a visit by itself
// when scripts did not.

// The cookies of a kiosk; both end with the browser's session.
const (
	visitCookie = "visit" // Unix time of the visit's last page
	sizeCookie  = "size"  // "2" where the visitor asked for larger text
)

// visitEnds is how long a visit lives without a page asked for. The dialogue of
// kiosk.js comes sooner, after 60 + 20 seconds without a touch.
const visitEnds = 5 * time.Minute

// forgets are the headers by which a browser forgets a visit. Over plain HTTP
// browsers ignore Clear-Site-Data but on loopback, so the cookies are also ended
// one by one.
func forgets(w http.ResponseWriter) {
	w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	w.Header().Set("Cache-Control", "no-store")
	for _, name := range []string{visitCookie, sizeCookie, languageCookie} {
		http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	}
}

// kioskRoutes are what only a kiosk has.
func (s *site) kioskRoutes(r *mux.Router) {
	r.Handle("/kiosk/", http.HandlerFunc(s.attract)).Methods(http.MethodGet, http.MethodHead)
	r.Handle("/kiosk/end", http.HandlerFunc(s.endVisit)).Methods(http.MethodPost)
	r.Handle("/kiosk/size", http.HandlerFunc(s.changeSize)).Methods(http.MethodPost)
}

// endVisit forgets the visitor and shows the attract page.
func (s *site) endVisit(w http.ResponseWriter, r *http.Request) {
	forgets(w)
	http.Redirect(w, r, "/kiosk/", http.StatusSeeOther)
}

// changeSize turns larger text on and off and goes back to the page.
func (s *site) changeSize(w http.ResponseWriter, r *http.Request) {
	size := ""
	if sizeOf(r) == "" {
		size = "2"
	}
	http.SetCookie(w, &http.Cookie{Name: sizeCookie, Value: size, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, backOf(r, "/kiosk/"), http.StatusSeeOther)
}

func sizeOf(r *http.Request) string {
	if c, err := r.Cookie(sizeCookie); err == nil && c.Value == "2" {
		return "2"
	}
	return ""
}

// backOf is the page of this kiosk that the request came from, or otherwise.
func backOf(r *http.Request, otherwise string) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/kiosk/end") {
		return otherwise
	}
	return u.RequestURI()
}

// Kiosk is what the frame of a kiosk has besides.
type Kiosk struct {
	Style, Script string
	Large         string // the class of larger text, or ""
	Back          string // the page before, for when no script runs
	Idle, Answer  int    // seconds until the question, and until the end
	Attract       bool
}

// kiosk fills the frame of a page of a kiosk and marks the visit. over says that
// the visit ended without anybody telling: its page is not shown.
func (s *site) kiosk(f *Frame, w http.ResponseWriter, r *http.Request) (over bool) {
	f.Kiosk = s.kioskFrame(f, r)
	w.Header().Set("Cache-Control", "no-store")
	if strings.HasPrefix(r.URL.Path, "/kiosk/") {
		return false // belongs to no visit
	}
	now := s.o.Now()
	if c, err := r.Cookie(visitCookie); err == nil {
		last, err := strconv.ParseInt(c.Value, 10, 64)
		if age := now.Sub(time.Unix(last, 0)); err != nil || age > visitEnds || age < -visitEnds {
			return true
		}
	} else {
		s.count(r, counted{counts: true, key: portal.UsageKey{Kind: portal.KioskSessions, Lang: s.languageOf(r)}})
	}
	http.SetCookie(w, &http.Cookie{
		Name: visitCookie, Value: strconv.FormatInt(now.Unix(), 10), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	return false
}

func (s *site) kioskFrame(f *Frame, r *http.Request) *Kiosk {
	const idle, answer = 60, 20
	k := &Kiosk{
		Style: s.assets.URL("kiosk.css"), Script: s.assets.URL("kiosk.js"), Idle: idle, Answer: answer, Back: backOf(r, f.Base+"/"),
	}
	if sizeOf(r) != "" {
		k.Large = "large"
	}
	return k
}

// attractPage is the struct of templates/attract.html.
type attractPage struct {
	*Frame
	Greetings []greeting
	Slides    []figure // one after the other, each in another language
}

// greeting is a language's own question on the attract page.
type greeting struct {
	LanguageLink
	Question string
}

// attract is what a kiosk shows when nobody is there. It forgets whoever was.
func (s *site) attract(w http.ResponseWriter, r *http.Request) {
	s.livePage(func(v *visit) (answer, error) {
		forgets(w)
		v.Title, v.Wide = v.T("home.title"), true
		v.Kiosk.Attract, v.Kiosk.Large = true, ""
		p := &attractPage{Frame: v.Frame}
		for i, l := range portal.Langs {
			p.Greetings = append(p.Greetings, greeting{
				LanguageLink: LanguageLink{Name: v.Languages[i].Name, Tag: string(l), Href: "/" + l.Path() + "/"},
				Question:     s.words.Words(l).T("home.title"),
			})
		}
		var err error
		p.Slides, err = v.slides()
		return answer{template: "attract", data: p}, err
	}).ServeHTTP(w, r)
}

// slides are questions with their figures, each language's another one; those
// of the office's region where it is set and they are answered for it.
func (v *visit) slides() ([]figure, error) {
	place := country
	if v.site.o.Region != "" {
		own, err := v.answered(v.site.o.Region, len(portal.Langs))
		if err != nil {
			return nil, err
		}
		if len(own) == len(portal.Langs) {
			place = v.site.o.Region
		}
	}
	var slides []figure
	for i, l := range portal.Langs {
		reader := *v // the same view and request, another reader
		reader.lang, reader.Frame = l, v.site.frame(l, v.r)
		all, err := reader.answered(place, len(portal.Langs))
		if err != nil {
			return nil, err
		}
		if i < len(all) {
			all[i].Tag = string(l)
			slides = append(slides, all[i])
		}
	}
	return slides, nil
}

// kioskValue makes of an address that leads away from this node a text with a
// code: a kiosk follows no link outside.
func (v *visit) kioskValue(val Value) Value {
	if v.Kiosk == nil || val.Href == "" && val.Tel == "" {
		return val
	}
	if strings.HasPrefix(val.Href, "/") {
		return val
	}
	address := val.Href
	if address == "" {
		address = string(val.Tel)
	}
	plainAddress := strings.TrimPrefix(strings.TrimPrefix(address, "mailto:"), "tel:")
	if plainAddress != val.Text && val.Tel == "" {
		val.Address = plainAddress
	}
	val.Href, val.Tel = "", ""
	val.QR = qrOf(address, v.T("kiosk.qr"))
	return val
}
