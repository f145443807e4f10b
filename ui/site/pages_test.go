package site

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jba/templatecheck"
	"golang.org/x/net/html"

	"koprik/portal"
)

// pages are the addresses of all pages, below the language, and their status.
var pages = []struct {
	address string
	status  int
}{
	{"/", 200},
	{"/?region=UZ-XO", 200},
	{"/?region=UZ-QQ", 400},
	{"/search?q=maktab", 200},
	{"/search", 200},
	{"/search?q=maktab&theme=education&sort=updated&page=2", 200},
	{"/search?q=nothing-like-this", 200},
	{"/dataset/main_population", 200},
	{"/dataset/main_prices", 200},
	{"/dataset/main_hostile", 200},
	{"/dataset/main_set-01", 200},
	{"/dataset/water_canals", 410},
	{"/dataset/main_population/table/population", 200},
	{"/dataset/main_population/table/population?region__contains=Xorazm&year__eq=2020&sort=people&desc=1", 200},
	{"/dataset/main_population/table/population?region__eq=Nowhere", 200},
	{"/dataset/main_population/table/population?year__in=2019,2021&q=o&columns=year,region,people", 200},
	{"/dataset/main_prices/table/prices.xlsx", 200},
	{"/dataset/main_prices/table/prices.xlsx?sheet=2024+%26+oldin", 200},
	{"/dataset/main_population/chart/population", 200},
	{"/dataset/main_population/chart/population?view=bars+soato+-&at.year=2020", 200},
	{"/dataset/main_prices/chart/prices.xlsx", 404},
	{"/dataset/main_prices/chart/archive", 404},
	{"/dataset/main_prices/table/archive", 404},
	{"/dataset/main_population/table/method", 404},
	{"/dataset/water_canals/table/any", 410},
	{"/dataset/main_population/history", 200},
	{"/dataset/water_canals/history", 200},
	{"/dataset/main_hostile/history", 200},
	{"/dataset/main_population/history?from=2&to=3", 200},
	{"/dataset/main_population/history?from=1&to=1", 200},
	{"/dataset/main_population/history?from=1&to=99", 400},
	{"/dataset/main_population/table/population?none__eq=1", 400},
	{"/dataset/main_population/chart/population?m=none", 400},
	{"/search?page=0", 400},
	{"/publisher/main", 200},
	{"/publisher/main?page=2", 200},
	{"/publisher/water", 200},
	{"/theme/education", 200},
	{"/theme/energy", 200},
	{"/numbers", 200},
	{"/node", 200},
	{"/verify", 200},
	{"/verify?h=2d711642b726b044", 200},
	{"/ask", 200},
	{"/ask?dataset=main_population", 200},
	{"/ask?kind=question&dataset=main_population", 200},
	{"/ask?kind=correction&dataset=main_population&table=population&row=UZ-XO", 200},
	{"/ask?kind=data&text=maktab", 200},
	{"/ask?dataset=main_none", 404},
	{"/receipt", 200},
	{"/inquiry/01000000000000000000000000000000", 200},
	{"/inquiry/02000000000000000000000000000000", 404},
	{"/reuses", 200},
	{"/reuses?state=sleeping&kind=application&cohort=suv-2025&dataset=main_population", 200},
	{"/reuses?state=dead", 400},
	{"/reuses?page=9", 404},
	{"/reuses/new", 200},
	{"/reuses/new?uses=main_population", 200},
	{"/reuses/07000000000000000000000000000000", 200},
	{"/reuses/08000000000000000000000000000000", 200},
	{"/reuses/09000000000000000000000000000000", 200},
	{"/reuses/05000000000000000000000000000000", 404},
	{"/help", 200},
	{"/about", 200},
	{"/privacy", 200},
	{"/dataset/main_none", 404},
	{"/nowhere", 404},
}

func TestTemplatesFitTheirStructs(t *testing.T) {
	structs := map[string]any{
		"home": &homePage{}, "search": &searchPage{}, "dataset": &datasetPage{}, "table": &tablePage{}, "chart": &chartPage{}, "history": &historyPage{}, "changes": &changesPage{},
		"publisher": &publisherPage{}, "theme": &themePage{}, "node": &nodePage{}, "error": &errorPage{},
		"words": &wordsPage{}, "verify": &verifyPage{}, "components": &componentsPage{}, "attract": &attractPage{}, "embed": &embedPage{}, "embedcode": &embedCodePage{}, "numbers": &numbersPage{},
		"ask": &askPage{}, "receipt": &receiptPage{}, "thread": &threadPage{}, "reuses": &reusesPage{}, "reuse": &reusePage{}, "reuseform": &reuseFormPage{},
	}
	for _, kiosk := range []bool{false, true} {
		all, _, err := parseTemplates(kiosk)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range pageTemplates {
			if err := templatecheck.CheckHTMLStrict(all.Lookup(name+".html"), structs[name]); err != nil {
				t.Errorf("%s, kiosk %v: %v", name, kiosk, err)
			}
		}
	}
}

// All pages stand in one set: of two parts of one name the later would take the
// place of the other everywhere.
func TestEveryPartIsDefinedOnce(t *testing.T) {
	define := regexp.MustCompile(`\{\{-?\s*(?:define|block)\s+"([^"]+)"`)
	for _, frame := range []string{"base", "kiosk"} {
		seen := map[string]string{}
		for _, name := range append([]string{frame, "embedframe", "parts"}, pageTemplates...) {
			text, err := templateFiles.ReadFile("templates/" + name + ".html")
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range define.FindAllStringSubmatch(string(text), -1) {
				if seen[m[1]] != "" {
					t.Errorf("%q is defined in %s.html and in %s.html", m[1], seen[m[1]], name)
				}
				seen[m[1]] = name
			}
		}
	}
}

func TestEveryPageStandsInEveryLanguage(t *testing.T) {
	w := newWorld(t)
	for _, l := range portal.Langs {
		for _, p := range pages {
			address := "/" + l.Path() + p.address
			res := w.get(t, address)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != p.status {
				t.Errorf("%s: status %d, want %d", address, res.StatusCode, p.status)
			}
			if got := res.Header.Get("Content-Security-Policy"); got != policy {
				t.Errorf("%s: policy %q", address, got)
			}
			if res.Header.Get("Koprik-Generation") != "12" || res.Header.Get("Koprik-As-Of") != "2026-10-12T06:00:00Z" || res.Header.Get("Koprik-Fresh") != "FRESH" {
				t.Errorf("%s: generation %q as of %q, %q", address, res.Header.Get("Koprik-Generation"), res.Header.Get("Koprik-As-Of"), res.Header.Get("Koprik-Fresh"))
			}
			checkPage(t, address, l, body)
		}
	}
	if w.log.Len() > 0 && !strings.Contains(w.log.String(), "disk on fire") {
		t.Errorf("logged: %s", w.log)
	}
}

var (
	untranslated = regexp.MustCompile(`\[[a-z-]+\.[a-zA-Z0-9-]+\]|\{[a-z]+\}|%!|<no value>|ZgotmplZ`)
	onEvent      = regexp.MustCompile(`^on`)
)

// checkPage holds every page to what the spec asks of all of them.
func checkPage(t *testing.T, address string, l portal.Lang, body []byte) {
	t.Helper()
	if !utf8.Valid(body) {
		t.Errorf("%s: not UTF-8", address)
	}
	if bad := untranslated.Find(body); bad != nil {
		t.Errorf("%s: has %q", address, bad)
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	seen := map[string]int{}
	ids, labels := map[string]bool{}, map[string]bool{}
	var controls []*html.Node
	level := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		seen[n.Data]++
		switch n.Data {
		case "style", "iframe", "object", "base", "embed":
			t.Errorf("%s: has a <%s>", address, n.Data)
		case "script":
			if attr(n, "type") != "module" || !strings.HasPrefix(attr(n, "src"), "/assets/") || n.FirstChild != nil {
				t.Errorf("%s: a script that is not one of ours", address)
			}
		case "html":
			if got := attr(n, "lang"); got != string(l) {
				t.Errorf("%s: lang %q", address, got)
			}
		case "h1", "h2", "h3":
			if now := int(n.Data[1] - '0'); now > level+1 {
				t.Errorf("%s: <%s> %q after level %d", address, n.Data, textOf(n), level)
			} else {
				level = now
			}
		case "label":
			labels[attr(n, "for")] = true
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" {
				controls = append(controls, n)
			}
		case "th":
			if attr(n, "scope") == "" {
				t.Errorf("%s: a heading of a table has no scope", address)
			}
		case "table":
			if n.FirstChild == nil || n.FirstChild.Data != "caption" {
				t.Errorf("%s: a table has no caption", address)
			}
		case "a":
			checkLink(t, address, n)
		}
		for _, a := range n.Attr {
			if a.Key == "style" || onEvent.MatchString(a.Key) {
				t.Errorf("%s: <%s %s=%q>", address, n.Data, a.Key, a.Val)
			}
			if a.Key == "id" && ids[a.Val] {
				t.Errorf("%s: the id %q is there twice", address, a.Val)
			} else if a.Key == "id" {
				ids[a.Val] = true
			}
		}
	}
	for _, n := range controls {
		if !labels[attr(n, "id")] && !(n.Parent.Data == "label" && attr(n.Parent, "for") == "") {
			t.Errorf("%s: the field %q has no label", address, attr(n, "name"))
		}
	}
	for _, n := range []string{"h1", "main", "header", "footer", "title"} {
		if seen[n] != 1 {
			t.Errorf("%s: %d <%s>", address, seen[n], n)
		}
	}
}

// checkLink lets links lead to this node, to web pages, to mail and telephone.
func checkLink(t *testing.T, address string, n *html.Node) {
	t.Helper()
	href := attr(n, "href")
	switch {
	case href == "", strings.HasPrefix(href, "//"):
		t.Errorf("%s: a link to %q", address, href)
	case strings.HasPrefix(href, "/"), strings.HasPrefix(href, "#"), strings.HasPrefix(href, "?"):
	case strings.HasPrefix(href, "https://"), strings.HasPrefix(href, "http://"):
	case strings.HasPrefix(href, "mailto:") && !strings.Contains(href, "?"), strings.HasPrefix(href, "tel:+998"):
	default:
		t.Errorf("%s: a link to %q", address, href)
	}
	if strings.TrimSpace(textOf(n)) == "" {
		t.Errorf("%s: the link to %s says nothing", address, href)
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}
