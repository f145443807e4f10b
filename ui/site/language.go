package site

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"koprik/portal"
)

// languageCookie remembers a reader's choice. It holds nothing else and no
// page needs it.
const languageCookie = "lang"

var tags = func() []language.Tag {
	all := make([]language.Tag, len(portal.Langs))
	for i, l := range portal.Langs {
		all[i] = language.MustParse(string(l))
	}
	return all
}()

// matcher falls back to the first of portal.Langs, Uzbek.
var matcher = language.NewMatcher(tags)

// chooseLanguage sends "/" to the home page in the reader's language.
func (s *site) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Cookie, Accept-Language")
	w.Header().Set("Cache-Control", "no-cache")
	http.Redirect(w, r, "/"+preferred(r).Path()+"/", http.StatusFound)
}

// languageOf is the language that the address names, or the preferred one
// where the address names none.
func (s *site) languageOf(r *http.Request) portal.Lang {
	if l, ok := pathLanguage(r.URL.Path); ok {
		return l
	}
	if s.o.Kiosk {
		return portal.Uzbek // whoever stands there has not said yet
	}
	return preferred(r)
}

func pathLanguage(path string) (portal.Lang, bool) {
	path = inLanguage(path)
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	l, err := portal.ParseLang(first)
	return l, err == nil
}

// inLanguage is a path from its language on: what stands before it in the
// addresses of feeds and of figures for other sites is left out.
func inLanguage(path string) string {
	for _, prefix := range []string{embedPath, feedsPath} {
		if rest, ok := strings.CutPrefix(path, prefix+"/"); ok {
			return "/" + rest
		}
	}
	return path
}

// preferred is the reader's own choice, then what the browser asks for, then
// Uzbek.
func preferred(r *http.Request) portal.Lang {
	if c, err := r.Cookie(languageCookie); err == nil {
		if l, err := portal.ParseLang(c.Value); err == nil {
			return l
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(wanted) == 0 {
		return portal.Uzbek
	}
	_, i, _ := matcher.Match(wanted...)
	return portal.Langs[i]
}

// rememberLanguage keeps the language of the address for the next visit of
// "/", where it is not kept already.
func rememberLanguage(w http.ResponseWriter, r *http.Request, l portal.Lang) {
	if _, ok := pathLanguage(r.URL.Path); !ok || inLanguage(r.URL.Path) != r.URL.Path {
		return // and no cookie for programs and for who looks at another site
	}
	if cookieIs(r, languageCookie, l.Path()) {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: languageCookie, Value: l.Path(), Path: "/", MaxAge: 365 * 24 * 60 * 60,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// cookieIs tells whether the first cookie of a name has a value, without making a list
// of all, as r.Cookie does.
func cookieIs(r *http.Request, name, value string) bool {
	for _, line := range r.Header["Cookie"] {
		for one := range strings.SplitSeq(line, ";") {
			if n, v, _ := strings.Cut(strings.TrimSpace(one), "="); n == name {
				return v == value
			}
		}
	}
	return false
}

// LanguageLink leads to the same page in another language.
type LanguageLink struct {
	Name    string // in its own script
	Tag     string
	Href    string
	Current bool
}

// languages lists all five for the address asked for, which they keep.
func (s *site) languages(current portal.Lang, r *http.Request) []LanguageLink {
	rest := "/"
	if _, ok := pathLanguage(r.URL.Path); ok {
		path := inLanguage(r.URL.EscapedPath())
		if i := strings.IndexByte(path[1:], '/'); i >= 0 {
			rest = path[1+i:]
		}
		if r.URL.RawQuery != "" && len(r.URL.RawQuery) <= maxAddress {
			rest += "?" + r.URL.RawQuery
		}
	}
	links := make([]LanguageLink, len(portal.Langs))
	for i, l := range portal.Langs {
		links[i] = LanguageLink{
			Name: s.words.Words(l).T("lang.self"), Tag: string(l),
			Href: "/" + l.Path() + rest, Current: l == current,
		}
	}
	return links
}
