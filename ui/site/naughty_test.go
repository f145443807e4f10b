package site

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
)

// ownNaughty are texts that have broken pages; with ../shared/data/strings the
// Big List of Naughty Strings (MIT) comes to them.
var ownNaughty = []string{
	"", " ", "null", "undefined", "NaN", "0", "-1", "1e999", "{n}", "{{.}}", "%s%d%!", "[home.title]", "';--", `"><script>window.ran=1</script>`,
	`<img src=x onerror="window.ran=1">`, "javascript:window.ran=1", "data:text/html,<script>window.ran=1</script>", "]]>--><svg/onload=window.ran=1>",
	"\u202eright to left", "a\u0301\u0327\u0331 combining", strings.Repeat("\u0488", 50), strings.Repeat("W", 400), strings.Repeat("ж", 400), "\ufeffbom", "👩‍👩‍👧‍👦 🇺🇿",
	"Ω≈ç√∫˜µ≤≥÷", "田中さんにあげて下さい", "مشكلة", "\u200b\u200c\u200d", "../../../etc/passwd", "__proto__", "q__eq", "a__b__eq", "\t\n\r", "\x7f", "＜script＞",
}

// naughty gives the list; in samples every eighth of the large one.
func naughty(t *testing.T, every int) []string {
	t.Helper()
	const source = "data/strings/blns/blns.json"
	if !sharedtest.Has(t, source) {
		t.Log("without ../shared/data/strings/blns: our own list only")
		return ownNaughty
	}
	b, err := os.ReadFile(sharedtest.Path(t, source))
	var all []string
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	list := ownNaughty
	for i, s := range all {
		if i%every == 0 {
			list = append(list, s)
		}
	}
	return list
}

// everywhere puts one text into every field of a dataset that takes any.
func (f *fakeView) everywhere(i int, s string) {
	text := in("uz", s, "ru", s)
	file := portal.Resource{
		Name: "t", Path: "t.csv", Format: s, Title: text, Description: text, Bytes: 1, Hash: digest(fmt.Sprint("naughty", i)), Schema: &portal.TableSchema{},
	}
	columns := []portal.Field{{Name: s, Title: text}, {Name: "b", Title: text}, {Name: "c"}, {Name: "d"}}
	f.tables[file.Hash] = []fakeTable{{info: portal.TableInfo{Resource: "t", Columns: columns, Rows: 1, Notes: []string{s}}, rows: [][]any{{s, s, s, s}}}}
	f.add(portal.Release{
		Dataset: portal.DatasetID(fmt.Sprintf("main_n%d", i)), Number: 1, Issued: now, Reason: text, Title: text, Description: text, Keywords: []string{s},
		Themes: []portal.ThemeID{"health", portal.ThemeID(s)}, Licenses: []portal.License{{Name: s, Title: s, Path: s}}, Sources: []portal.Source{{Title: s, Path: s, Email: s}},
		Homepage: s, Version: s, Resources: []portal.Resource{file},
		Passport: portal.Passport{
			Contact: "data", Uploaded: "2026-01-01", Periodicity: portal.Annual, Unit: text, Indicator: s, Classifiers: []portal.Text{text}, Method: text, MethodURL: text,
			PrimarySource: text, CompiledBy: text, Quality: text, Notes: []portal.Text{text},
		},
	}, "", 1)
}

// naughtyAddresses are the pages of the dataset that has the i-th text, and
// every parameter that takes text with it; wild ones may be answered with 400.
func naughtyAddresses(i int, s string) (calm, wild []string) {
	id, q := fmt.Sprintf("main_n%d", i), url.QueryEscape(s)
	calm = []string{"/dataset/" + id, "/dataset/" + id + "/history", "/dataset/" + id + "/table/t"}
	for _, name := range []string{"theme", "publisher", "format", "license", "sort", "page"} {
		wild = append(wild, "/search?"+name+"="+q)
	}
	for _, name := range []string{"sort", "desc", "after", "sheet", q, q + "__eq", "b__contains", "b__" + q, "_column", "_op", "_value"} {
		wild = append(wild, "/dataset/"+id+"/table/t?"+name+"="+q)
	}
	wild = append(wild, "/verify?h="+q, "/?region="+q, "/search?region="+q, "/search?q="+q, "/search?"+q+"="+q, "/theme/"+url.PathEscape(s), "/publisher/"+url.PathEscape(s), "/dataset/"+url.PathEscape(s))
	return calm, wild
}

func TestNaughtyTextsBreakNoPage(t *testing.T) {
	list := naughty(t, 1)
	for _, onKiosk := range []bool{false, true} {
		w := newWorld(t, func(w *world) {
			w.options.Kiosk = onKiosk
			for i, s := range list {
				w.view.everywhere(i, s)
			}
		})
		for i, s := range list {
			calm, wild := naughtyAddresses(i, s)
			for _, address := range calm {
				checkNaughty(t, "/ru"+address, w.body(t, "/ru"+address, 200))
			}
			if onKiosk {
				continue
			}
			for _, address := range wild {
				res := w.get(t, "/uz"+address)
				body, _ := io.ReadAll(res.Body)
				if res.StatusCode >= 500 {
					t.Errorf("%q: %d", address, res.StatusCode)
				}
				if res.StatusCode == 200 || res.StatusCode == 400 {
					checkNaughty(t, "/uz"+address, string(body))
				}
			}
		}
		if w.log.Len() > 0 {
			t.Errorf("logged: %s", w.log)
		}
	}
}

// checkNaughty looks for what a text could have become.
func checkNaughty(t *testing.T, address, body string) {
	t.Helper()
	if n := strings.Count(body, "<img"); n > strings.Count(body, `<p class="paper"><img src="/`) {
		t.Errorf("%q has %d pictures", clip(address, 100), n)
	}
	for _, bad := range []string{"<script>", "<iframe", "onerror=\"", "ZgotmplZ", `href="javascript`, `href="data:`, `href="vbscript`} {
		if strings.Contains(body, bad) {
			t.Errorf("%q has %q", clip(address, 100), bad)
		}
	}
	for _, once := range []string{"<h1>", "<main", "</html>"} {
		if strings.Count(body, once) != 1 {
			t.Errorf("%q has %d of %s", clip(address, 100), strings.Count(body, once), once)
		}
	}
}

// TestNaughtyTextsBreakNoLayout opens them in a browser: nothing runs, nothing
// sticks out on a phone. `make soak` takes all of the list.
func TestNaughtyTextsBreakNoLayout(t *testing.T) {
	ctx := needsBrowser(t)
	every := 16
	if soak() {
		every = 1
	}
	list := naughty(t, every)
	w := newWorld(t, func(w *world) {
		for i, s := range list {
			w.view.everywhere(i, s)
		}
	})
	server := httptest.NewServer(w.handler)
	defer server.Close()
	before(t, ctx, `window.alert = window.confirm = window.prompt = () => { window.ran = true; }`)
	window(t, ctx, 360, 740)
	for i, s := range list {
		calm, wild := naughtyAddresses(i, s)
		for _, address := range append(calm, wild[len(wild)-5]) {
			visitPage(t, ctx, server.URL+"/uz"+address)
			if found := ask[string](t, ctx, `(window.ran ? "a script ran; " : "") + (document.scripts.length !== 1 ? document.scripts.length + " scripts; " : "") + (document.documentElement.scrollWidth > 360 ? document.documentElement.scrollWidth + " px wide" : "")`); found != "" {
				t.Errorf("%q on %s: %s", clip(s, 60), clip(address, 100), found)
			}
		}
	}
	t.Logf("%d texts", len(list))
}
