package site

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/ui/locale"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pageTemplates are the pages; each begins with "top" and ends with "bottom" of
// base.html, or on a kiosk of kiosk.html, and uses parts.html.
var pageTemplates = []string{"home", "search", "dataset", "table", "chart", "history", "changes", "publisher", "theme", "node", "words", "verify", "error", "components", "attract", "embed", "embedcode", "numbers", "ask", "receipt", "thread", "reuses", "reuse", "reuseform"}

// parseTemplates gives one set, in which each page is called by the name of its
// file, and a digest of all. What pages share is held once: a set for each page
// took 6 MB, a third of a server at rest.
func parseTemplates(kiosk bool) (*template.Template, string, error) {
	frame := "base"
	if kiosk {
		frame = "kiosk"
	}
	all := template.New("")
	h := sha256.New()
	for _, name := range append([]string{frame, "embedframe", "parts"}, pageTemplates...) {
		text, err := templateFiles.ReadFile("templates/" + name + ".html")
		if err != nil {
			return nil, "", fmt.Errorf("template %s: %w", name, err)
		}
		h.Write(text)
		if _, err := all.New(name + ".html").Parse(string(text)); err != nil {
			return nil, "", fmt.Errorf("template %s: %w", name, err)
		}
	}
	return all, hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// Frame is what stands around every page. Its methods are the reader's words.
type Frame struct {
	*locale.Words
	Site           string // name of the portal
	Title          string // of the page, without the site's name
	Base           string // "/uz", before every address of a page
	Style, Icon    string
	FigureStyle    string // of pages that draw; "" elsewhere
	Script         string // of the small comforts
	Feed           string // what is new of what the page is about; "" where there is none
	Languages      []LanguageLink
	Menu, Foot     template.HTML // lists of links; "" on a kiosk
	AskLink        NavLink       // without an address where nothing is asked, or a form is open
	ReceiptLink    NavLink
	Crumbs         []Link // above the heading, after the home page
	Kiosk          *Kiosk // nil but on a kiosk
	Wide           bool   // the page sets its own margins
	State          StateLine
	Paper          *Paper // what a printed page is checked by; nil on pages that show no release
	Transliterated bool   // something on the page is: the footer explains the mark
}

// NavLink is a link of the menu or of the foot.
type NavLink struct {
	Text, Href string
	Current    bool
}

// StateLine says which copy of the catalogue the page was made from.
type StateLine struct {
	Grade      string // "fresh", "stale", "old" or "none"; names the look
	Text       string
	Generation string // "" without a copy
	Href       string // the page about this copy; "" on a kiosk, where it stands too high to be reached
	Clock      string // says that the machine's clock is wrong, where it is
}

// Shown is a text as a reader gets it.
type Shown struct {
	Text  string
	Tag   string // BCP 47, where the text is not in the page's language
	Note  string // "transliterated", where it is; in the reader's words
	Parts []Part // the same text in pieces, where some of it is marked
}

// Part is a piece of a text; Found ones are what a search looked for.
type Part struct {
	Text  string
	Found bool
}

// Link is a text that may lead somewhere.
type Link struct {
	Shown
	Href  string
	Count string
}

// frame is what a page shares with the others of its language. Templates give it to
// "top", "bottom" and "crumbs" as .Frame: to find a field of an embedded struct costs
// reflection a microsecond.
func (s *site) frame(l portal.Lang, r *http.Request) *Frame {
	words := s.words.Words(l)
	f := &Frame{
		Words: words, Site: words.T("frame.site"), Base: "/" + l.Path(),
		Style: s.assets.URL("style.css"), Icon: s.assets.URL("icon.svg"), Script: s.assets.URL("site.js"),
		Languages: s.languages(l, r),
	}
	if s.o.Asker != nil {
		f.AskLink = NavLink{Text: words.T("talk.title"), Href: f.Base + "/ask"}
		f.ReceiptLink = NavLink{Text: words.T("talk.receipt"), Href: f.Base + "/receipt"}
	}
	if !s.o.Kiosk {
		f.Menu, f.Foot = s.menu(f, l, r.URL.Path), s.foot(f, l)
	}
	return f
}

// menu is the list of the menu; where the page is one of its own, that is marked.
func (s *site) menu(f *Frame, l portal.Lang, path string) template.HTML {
	current, _ := strings.CutPrefix(path, f.Base)
	switch current {
	case "/search", "/ask", "/help", "/about":
	default:
		current = ""
	}
	return s.links(listName{l, "menu" + current}, func() []NavLink {
		menu := []NavLink{
			{Text: f.T("frame.search"), Href: f.Base + "/search"},
			f.AskLink,
			{Text: f.T("frame.help"), Href: f.Base + "/help"},
			{Text: f.T("frame.about"), Href: f.Base + "/about"},
		}
		for i := range menu {
			menu[i].Current = current != "" && menu[i].Href == f.Base+current
		}
		return menu
	})
}

// foot is the list of the foot.
func (s *site) foot(f *Frame, l portal.Lang) template.HTML {
	return s.links(listName{l, "foot"}, func() []NavLink {
		return []NavLink{
			f.ReceiptLink,
			{Text: f.T("frame.about"), Href: f.Base + "/about"},
			{Text: f.T("reuse.title"), Href: f.Base + "/reuses"},
			{Text: f.T("numbers.title"), Href: f.Base + "/numbers"},
			{Text: f.T("frame.node"), Href: f.Base + "/node"},
			{Text: f.T("verify.title"), Href: f.Base + "/verify"},
			{Text: f.T("frame.help"), Href: f.Base + "/help"},
			{Text: f.T("frame.privacy"), Href: f.Base + "/privacy"},
			{Text: f.T("frame.programs"), Href: "/api/v1/openapi.json"},
		}
	})
}

// listName names a list of links that many pages have: "menu" with the address in it
// that is the page's own, or "foot".
type listName struct {
	lang portal.Lang
	list string
}

// links gives a list of links as the template "navlinks" writes it, once a name; those
// without an address are left out.
func (s *site) links(name listName, list func() []NavLink) template.HTML {
	if made, ok := s.lists.Load(name); ok {
		return made.(template.HTML)
	}
	all := slices.DeleteFunc(list(), func(n NavLink) bool { return n.Href == "" })
	var b strings.Builder
	if err := s.templates.ExecuteTemplate(&b, "navlinks", all); err != nil {
		panic(err) // into memory, of strings: the template does not fit its struct
	}
	made := template.HTML(b.String()) //nolint:gosec // html/template has escaped it
	s.lists.Store(name, made)
	return made
}

// grade is the freshness of the copy, "none" before the first one.
func (v *visit) grade(state portal.CopyState) string {
	if state.AsOf.IsZero() {
		return "none"
	}
	return strings.ToLower(string(state.Grade(v.now, v.site.o.OldAfter)))
}

func (v *visit) stateLine(state portal.CopyState) StateLine {
	line := StateLine{Grade: v.grade(state), Href: v.Base + "/node"}
	if v.Kiosk != nil {
		line.Href = ""
	}
	if v.status.ClockWrong {
		line.Clock = v.T("state.clock")
	}
	date, ago := v.day(state.AsOf), v.Ago(v.now.Sub(state.AsOf))
	switch line.Grade {
	case "none":
		line.Text = v.T("state.none")
		return line
	case "fresh":
		line.Text = v.T("state.copy", "date", date)
	case "stale":
		line.Text = v.T("state.stale", "date", date, "ago", ago)
	default:
		line.Text = v.T("state.old", "date", date, "ago", ago)
	}
	line.Generation = v.T("state.generation", "n", state.Generation)
	return line
}

// text gives t for the reader: in the reader's language, or in the nearest one
// with its tag. Uzbek that was written in the other script is transliterated
// and marked so; other texts never are.
func (v *visit) text(t portal.Text) Shown {
	s, l := t.In(v.lang)
	switch {
	case v.lang == portal.UzbekCyrillic && l == portal.Uzbek:
		return v.transliterated(lang.ToCyrillic(s), s)
	case v.lang == portal.Uzbek && l == portal.UzbekCyrillic:
		return v.transliterated(lang.ToLatin(s), s)
	case l == v.lang:
		return Shown{Text: s}
	case l == "" && foreignScript(s, v.lang):
		return Shown{Text: s, Tag: "und"}
	}
	return Shown{Text: s, Tag: string(l)}
}

func (v *visit) transliterated(s, original string) Shown {
	if s == original {
		return Shown{Text: s}
	}
	v.Transliterated = true
	return Shown{Text: s, Note: v.T("frame.transliterated")}
}

// foreignScript tells whether s, of an unknown language, cannot be in l: it has
// letters of the other script only.
func foreignScript(s string, l portal.Lang) bool {
	cyrillicPage := l == portal.Russian || l == portal.UzbekCyrillic
	latin, cyrillic := false, false
	for _, r := range s {
		latin = latin || unicode.Is(unicode.Latin, r)
		cyrillic = cyrillic || unicode.Is(unicode.Cyrillic, r)
	}
	return latin && !cyrillic && cyrillicPage || cyrillic && !latin && !cyrillicPage
}

// web gives an address that a link may lead to: http or https with a host.
// Anything else, as javascript: or data:, gives "" and is shown as text.
func web(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

// mail gives a mailto address for a plain e-mail address, and "" for anything
// that could carry more than that.
func mail(address string) string {
	name, host, ok := strings.Cut(address, "@")
	if !ok || name == "" || host == "" || strings.ContainsFunc(address, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`?&%"<>()[]\,;:`, r)
	}) || strings.Contains(host, "@") {
		return ""
	}
	return "mailto:" + address
}

// phone gives a tel address for a number written with the usual separators.
func phone(number string) template.URL {
	var b strings.Builder
	for i, r := range number {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			b.WriteRune(r)
		case !strings.ContainsRune(" -()\u00a0", r):
			return ""
		}
	}
	if b.Len() < 5 {
		return ""
	}
	return template.URL("tel:" + b.String()) //nolint:gosec // digits and a plus
}
