package site

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/query"
	"koprik/ui/assets"
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
	columns := []portal.Field{
		{Name: s, Title: text, Meaning: portal.Meaning{Role: portal.RoleCategory, Confidence: 100}},
		{Name: "b", Title: text, Meaning: portal.Meaning{Role: portal.RoleMeasure, Unit: s, Confidence: 100}},
		{Name: "c"},
		{Name: "d"},
	}
	rows := [][]any{{s, 4.5, s, s}, {"other", int64(3), s, s}, {s + "!", int64(-2), s, s}}
	f.tables[file.Hash] = []fakeTable{
		{info: portal.TableInfo{Resource: "t", Sheet: s, Columns: columns, Rows: 3, Notes: []string{s}}, rows: rows},
		{info: portal.TableInfo{Resource: "t", Sheet: s + "2", Columns: columns}},
	}
	r := portal.Release{
		Dataset: portal.DatasetID(fmt.Sprintf("main_n%d", i)), Number: 2, Issued: now, Reason: text, Title: text, Description: text, Keywords: []string{s},
		Themes: []portal.ThemeID{"health", portal.ThemeID(s)}, Licenses: []portal.License{{Name: s, Title: s, Path: s}}, Sources: []portal.Source{{Title: s, Path: s, Email: s}},
		Homepage: s, Version: s, Resources: []portal.Resource{file},
		Passport: portal.Passport{
			Contact: "data", Uploaded: "2026-01-01", Periodicity: portal.Annual, Unit: text, Indicator: s, Classifiers: []portal.Text{text}, Method: text, MethodURL: text,
			PrimarySource: text, CompiledBy: text, Quality: text, Notes: []portal.Text{text},
		},
	}
	f.add(r, "", 2)
	f.showcase.Reuses = append(f.showcase.Reuses, portal.Reuse{ID: naughtyReuse(i), ReuseDetails: portal.ReuseDetails{
		Kind: portal.ReusePost, Title: text, Summary: text, Link: "https://example.org/", By: s, Uses: []portal.ReuseSource{{Dataset: r.Dataset}}, Cohort: portal.CohortID(s),
	}, Lived: []portal.Lived{{State: portal.ReuseAlive, From: "2026-10-01", Until: "2026-10-01"}}, Risks: []portal.ReuseRisk{
		{Day: "2026-10-02", Dataset: r.Dataset, Release: 2, Columns: []portal.ColumnChange{{Table: s, Column: s, What: portal.ColumnRenamed, After: s}}},
	}})
	before := r
	before.Number, before.Resources = 1, []portal.Resource{file, {Name: s, Path: "gone.csv", Title: text}}
	before.Resources[0].Hash = digest(fmt.Sprint("naughty before", i))
	f.releases[string(r.Dataset)+"/1"] = before
	f.changes[before.Resources[0].Hash.Short()+file.Hash.Short()+s] = portal.TableChange{
		Key: []string{s}, ColumnsAdded: []string{s}, ColumnsGone: []string{s}, RowsBefore: 1, RowsAfter: 1, Added: 1, Changed: 1,
		Rows: []portal.RowChange{
			{What: portal.RowAdded, Key: []any{s}}, {What: portal.RowChanged, Key: []any{s}, Cells: []portal.CellChange{{Column: s, Before: s, After: s}}},
		},
		Totals: []portal.TotalMoved{{Column: s, Before: 1, After: 2}},
	}
}

// naughtyReuse is the public name of the reuse that has the i-th text.
func naughtyReuse(i int) portal.InquiryID { return portal.InquiryID{0xff, byte(i), byte(i >> 8)} }

// naughtyAddresses are the pages of the dataset that has the i-th text, and
// every parameter that takes text with it; wild ones may be answered with 400.
func naughtyAddresses(i int, s string) (calm, wild []string) {
	id, q := fmt.Sprintf("main_n%d", i), url.QueryEscape(s)
	calm = []string{
		"/dataset/" + id, "/dataset/" + id + "/history", "/dataset/" + id + "/history?from=1&to=2", "/dataset/" + id + "/table/t", "/dataset/" + id + "/chart/t",
		"/reuses/" + naughtyReuse(i).String(), "/reuses?dataset=" + id,
	}
	for _, name := range []string{"q", "theme", "publisher", "region", "year", "format", "license", "language", "sex", "freshness", "sort", "page", q} {
		wild = append(wild, "/search?"+name+"="+q)
	}
	for _, name := range []string{"m", "kind", "by", "split", "view", "sheet", "at." + q, "at.b", q} {
		wild = append(wild, "/dataset/"+id+"/chart/t?"+name+"="+q)
	}
	wild = append(wild, "/dataset/"+id+"/map/t?m="+q, "/dataset/"+id+"/map/t", "/dataset/"+id+"/chart/t/embed?m="+q, "/dataset/"+id+"/chart/t/embed", "/code.svg?a="+q, "/numbers?page="+q)
	for _, name := range []string{"kind", "text", "email", "public", "clerk", "dataset", "table", "row", "column", "value", "release", "id", q} {
		wild = append(wild, "/ask?kind=correction&dataset="+id+"&"+name+"="+q)
	}
	wild = append(wild, "/ask?"+q+"="+q, "/receipt?code="+q, "/inquiry/"+url.PathEscape(s))
	for _, name := range []string{"state", "kind", "cohort", "dataset", "page", q} {
		wild = append(wild, "/reuses?"+name+"="+q)
	}
	for _, name := range []string{"kind", "title", "summary", "link", "uses", "cohort", "by", "consent", "email", "id", "step", q} {
		wild = append(wild, "/reuses/new?"+name+"="+q)
	}
	wild = append(wild, "/dataset/"+id+"/history?from="+q+"&to=2", "/dataset/"+id+"/history?from=1&to="+q)
	own := []string{"sheet", q, q + "__eq", "b__contains", "b__in", "b__between", "b__empty", "b__" + q, boxPrefix + "b", boxPrefix + q}
	for _, name := range slices.Concat(query.Names, ours, own) {
		wild = append(wild, "/dataset/"+id+"/table/t?"+name+"="+q)
	}
	for _, name := range []string{"state", "kind", "cohort", "dataset", "page"} {
		wild = append(wild, "/reuses?"+name+"="+q)
	}
	for _, name := range []string{"kind", "title", "summary", "link", "uses", "cohort", "by", "consent", "email", "id", "step", q} {
		wild = append(wild, "/reuses/new?"+name+"="+q)
	}
	wild = append(wild, "/reuses/new?uses="+q+"&title="+q+"&link="+q, "/reuses/"+url.PathEscape(s))
	wild = append(wild, "/code.svg?a="+q, "/dataset/"+id+"/table/t?_f="+q+"&_is."+q+"="+q+"&_c=1&_col="+q, "/verify?h="+q, "/verify/code.svg?h="+q, "/?region="+q, "/?"+q+"="+q, "/theme/"+url.PathEscape(s), "/publisher/"+url.PathEscape(s), "/dataset/"+url.PathEscape(s),
		"/publisher/main?page="+q, "/dataset/"+id+"/table/"+url.PathEscape(s), "/dataset/"+id+"/chart/"+url.PathEscape(s), "/dataset/"+id+"/"+url.PathEscape(s), "/"+url.PathEscape(s))
	return calm, wild
}

// TestNaughtyTextsBreakNoPage takes every second text, with -short every
// twelfth, through a quarter of the parameters; a soak takes all through all.
func TestNaughtyTextsBreakNoPage(t *testing.T) {
	every := 2
	switch {
	case soak():
		every = 1
	case testing.Short():
		every = 12
	}
	list := naughty(t, every)
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
			for j, address := range wild {
				if !soak() && j%4 != i%4 {
					continue
				}
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
	if n := strings.Count(body, "<img"); n > strings.Count(body, `<p class="paper"><img src="/`)+strings.Count(body, `/code.svg?a=%2F`) {
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

// bareAddress is a page of the test's own: the style of all pages without their
// policy, so that a script can put other pages into it.
const bareAddress = "/bare"

// bare serves the site and beside it a page into which lookAll puts others.
func bare(t *testing.T, site http.Handler) *httptest.Server {
	t.Helper()
	a, err := assets.Load(false)
	if err != nil {
		t.Fatal(err)
	}
	page := fmt.Sprintf(`<!doctype html><html lang="uz"><meta name="viewport" content="width=device-width"><link rel="stylesheet" href="%s"><link rel="stylesheet" href="%s"><body>`,
		a.URL("style.css"), a.URL("figure.css"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == bareAddress {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, page)
			return
		}
		site.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// lookOne lays a page out without opening it, and names what is wrong with it: a
// text that has become an element, an attribute or an address that runs, and what
// sticks out of the window. The page's elements stay in this one's body.
const lookOne = `const runs = /^\s*(javascript|data|vbscript):/i;
const read = async answer => ({status: answer.status, html: /^text\/html/.test(answer.headers.get("content-type") || "") ? await answer.text() : ""});
const look = ({status, html}) => {
  const doc = new DOMParser().parseFromString(html, "text/html"), bad = [];
  if (status >= 500) bad.push(status);
  if (doc.scripts.length > 1 || doc.querySelector("iframe, object, base, meta[http-equiv], style, body link")) bad.push("an element that no page has");
  for (const e of doc.querySelectorAll("*")) for (const a of e.attributes)
    if (/^on|^style$|^srcdoc$/i.test(a.name) || /href|src|action/i.test(a.name) && runs.test(a.value) && !(e.localName === "img" && a.value.startsWith("data:image/"))) bad.push(e.localName + " " + a.name);
  document.body.replaceChildren(...doc.body.childNodes);
  if (document.documentElement.scrollWidth > innerWidth) bad.push(document.documentElement.scrollWidth + " px wide");
  if (window.ran) bad.push("it ran");
  window.ran = false;
  return bad;
};
`

// lookAll reads pages as a browser does and looks at each.
const lookAll = `async addresses => {
  ` + lookOne + `
  const found = [];
  const pages = await Promise.all(addresses.map(async address => ({address, ...await read(await fetch(address))})));
  for (const page of pages) {
    const bad = look(page);
    if (bad.length) found.push(page.address.slice(0, 120) + ": " + bad.join(", "));
  }
  document.body.replaceChildren();
  return found.join("\n");
}`

// TestNaughtyTextsBreakNoLayout opens them in a browser: nothing runs, nothing
// sticks out on a phone. `make soak` takes all of the list and every parameter,
// otherwise the parameters take turns: one page of each text is opened, the others
// are read and laid out in one. KOPRIK_PART=2/6 is the second of six parts.
func TestNaughtyTextsBreakNoLayout(t *testing.T) {
	ctx := needsBrowser(t)
	every, part, parts := 24, 0, 1
	if soak() {
		every = 1
	}
	if _, err := fmt.Sscanf(os.Getenv("KOPRIK_PART"), "%d/%d", &part, &parts); err != nil || parts < 1 {
		part, parts = 0, 1
	}
	list := naughty(t, every)
	w := newWorld(t, func(w *world) {
		for i, s := range list {
			w.view.everywhere(i, s)
		}
	})
	server := bare(t, w.handler)
	before(t, ctx, `window.alert = window.confirm = window.prompt = () => { window.ran = true; }`)
	window(t, ctx, 360, 740)
	looked := 0
	for i, s := range list {
		if i%parts != part%parts {
			continue
		}
		addresses, wild := naughtyAddresses(i, s)
		opened := addresses[i%len(addresses)]
		visitPage(t, ctx, server.URL+"/uz"+opened)
		if found := ask[string](t, ctx, `(window.ran ? "a script ran; " : "") + (document.scripts.length !== 1 ? document.scripts.length + " scripts; " : "") + (document.documentElement.scrollWidth > 360 ? document.documentElement.scrollWidth + " px wide" : "")`); found != "" {
			t.Errorf("%q on %s: %s", clip(s, 60), clip(opened, 100), found)
		}
		if soak() {
			addresses = append(addresses, wild...)
		} else {
			addresses = append(addresses, wild[i%len(wild)])
		}
		for j, address := range addresses {
			addresses[j] = "/uz" + address
		}
		visitPage(t, ctx, server.URL+bareAddress)
		asked, err := json.Marshal(addresses)
		if err != nil {
			t.Fatal(err)
		}
		if found := ask[string](t, ctx, "("+lookAll+")("+string(asked)+")"); found != "" {
			t.Errorf("%q:\n%s", clip(s, 60), found)
		}
		looked += len(addresses)
	}
	t.Logf("%d texts, %d pages", len(list), looked)
}

// TestWhatIsLaidOutInOnePageIsLookedAt shows that lookAll sees what it should.
func TestWhatIsLaidOutInOnePageIsLookedAt(t *testing.T) {
	ctx := needsBrowser(t)
	bodies := map[string]string{
		"/script": "<script>1</script><script>2</script>", "/event": `<p onclick="1">`, "/address": `<a href=" JavaScript:1">a</a>`, "/wide": "<p>" + strings.Repeat("W", 400),
		"/z-image": `<img src="/none" onerror="window.ran=true">`, "/frame": "<iframe></iframe>", "/fine": `<p>a</p><a href="/b">b</a>`,
	}
	server := bare(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, bodies[r.URL.Path])
	}))
	window(t, ctx, 360, 740)
	visitPage(t, ctx, server.URL+bareAddress)
	for _, address := range slices.Sorted(maps.Keys(bodies)) { // the image comes last: whether it ran is known later
		if found := ask[string](t, ctx, "("+lookAll+")(["+strconv.Quote(address)+"])"); (found == "") != (address == "/fine") {
			t.Errorf("%s: %q", address, found)
		}
	}
}
