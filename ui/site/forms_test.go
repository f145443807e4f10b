package site

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"koprik/portal"
)

// The forms in a browser: what is typed into them, and by whom.

// fillAll goes from the first page of a form to its last: a text into every field
// that takes one, the first of every choice, the button that goes on. Where the page
// says that a field is wrong, a good value follows. It names what is wrong with the
// pages, and gives the last one's text and how many there were.
const fillAll = `async (address, text, good) => {
  ` + lookOne + `
  const bad = [], refused = new Set();
  let page = await read(await fetch(address)), pages = 0, form, sent = false;
  for (;; pages++) {
    for (const b of look(page)) bad.push(page.status + " " + document.querySelector("h1")?.textContent + ": " + b);
    form = [...document.querySelectorAll("main form[method=post]")].at(-1);
    if (sent && page.status === 200 && !form?.querySelector("button[name=step]") || pages > 12) break;
    if (![200, 422].includes(page.status) || !form) { bad.push(address + ": " + page.status + " and nothing to go on with"); break; }
    if (page.status === 422) {
      const told = [...document.querySelectorAll("main a[href^='#']")].map(a => a.hash.slice(1)).filter(id => document.getElementById(id));
      if (!told.length) bad.push("nothing says what is wrong");
      for (const id of told) refused.add(id);
    }
    for (const e of form.querySelectorAll("input[type=text], textarea")) e.value = refused.has(e.id) ? good[e.id] ?? "" : text;
    for (const e of form.querySelectorAll("input[type=checkbox]")) e.checked = true;
    for (const name of new Set([...form.querySelectorAll("input[type=radio]")].map(e => e.name))) form.querySelector("input[name=" + name + "]").checked = true;
    for (const e of form.querySelectorAll("select")) e.selectedIndex = e.options.length - 1;
    const body = new URLSearchParams(new FormData(form, form.querySelector("button:not(.quiet)")));
    page = await read(await fetch(form.action, {method: "POST", body}));
    sent = true;
  }
  if (pages > 12) bad.push(address + ": never ends");
  const last = document.querySelector("main").textContent;
  document.body.replaceChildren();
  return JSON.stringify({bad: bad.join("\n"), last, pages});
}`

// typedForms are the forms that anybody may send, by where they begin, and whether
// their last page shows a receipt.
var typedForms = []struct {
	address string
	receipt bool
}{
	{"/ask?kind=question&dataset=main_population", true},
	{"/ask?kind=correction&dataset=main_population&table=population", true},
	{"/ask?kind=feedback", true},
	{"/reuses/new", true},
	{"/receipt", false},
	{"/reuses/09000000000000000000000000000000", false},
}

// goodWords follow where a text was refused.
var goodWords = map[string]string{
	"text": "a", "title": "a", "summary": "a", "link": "https://example.org/", "uses": "main_prices", "code": goodCode.Reveal(),
}

// TestNaughtyTextsTypedIntoEveryFieldBreakNoForm types them in a browser, from the
// first page of each form to its receipt: nothing runs, nothing sticks out, no page
// is an error, and whatever was refused is told at its field. Forms take turns;
// `make soak` takes every text through each.
func TestNaughtyTextsTypedIntoEveryFieldBreakNoForm(t *testing.T) {
	ctx := needsBrowser(t)
	every, turns := 24, 3
	if soak() {
		every, turns = 1, 1
	}
	w := newWorld(t, func(w *world) {
		w.asker.answer = portal.Answer{State: portal.Answered, At: now, Text: "Javob.", Lang: portal.Uzbek, Question: "Nega?", Reuse: portal.InquiryID{9}}
		var looks atomic.Int64 // at the clock: nobody types so fast that the budget of a listener is used up
		w.options.Now = func() time.Time { return now.Add(time.Duration(looks.Add(1)) * sendAgain) }
	})
	server := bare(t, w.handler)
	before(t, ctx, `window.alert = window.confirm = window.prompt = () => { window.ran = true; }`)
	window(t, ctx, 360, 740)
	visitPage(t, ctx, server.URL+bareAddress)
	good, err := json.Marshal(goodWords)
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for i, s := range naughty(t, every) {
		typed, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for j, f := range typedForms {
			if (i+j)%turns != 0 {
				continue
			}
			var got struct {
				Bad, Last string
				Pages     int
			}
			call := fmt.Sprintf("(%s)(%q, %s, %s)", fillAll, "/uz"+f.address, typed, good)
			if err := json.Unmarshal([]byte(ask[string](t, ctx, call)), &got); err != nil {
				t.Fatal(err)
			}
			if got.Bad != "" || f.receipt && !strings.Contains(got.Last, goodCode.Reveal()) {
				t.Errorf("%q into %s: %s\n%s", clip(s, 60), f.address, got.Bad, clip(got.Last, 200))
			}
			looked += got.Pages
		}
	}
	t.Logf("%d pages", looked)
}

// TestAskingNeedsNoMouse goes from a dataset's page to the receipt with Tab, Space
// and Enter alone.
func TestAskingNeedsNoMouse(t *testing.T) {
	ctx := needsBrowser(t)
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	window(t, ctx, 360, 740)
	visitPage(t, ctx, server.URL+"/uz/dataset/main_population")
	for _, step := range []struct{ selector, keys string }{
		{`a[href*="/ask?dataset=main_population"]`, kb.Enter},
		{`a[href*="kind=question"]`, kb.Enter},
		{"#text", "Nega kam?"},
		{"button[value=contact]", kb.Enter},
		{"input[name=public]", " "},
		{"button[value=check]", kb.Enter},
		{"button[value=send]", kb.Enter},
	} {
		if err := chromedp.Do(ctx, chromedp.WaitVisible(step.selector)); err != nil {
			t.Fatalf("%s: %v", step.selector, err)
		}
		tabTo(t, ctx, step.selector)
		if err := chromedp.Do(ctx, chromedp.KeyEvent(step.keys)); err != nil {
			t.Fatalf("%s: %v", step.selector, err)
		}
	}
	mustSee(t, ctx, goodCode.Reveal())
	if sent := w.asker.sent; len(sent) != 1 || sent[0].Text != "Nega kam?" || !sent[0].Public || sent[0].About.Dataset != "main_population" {
		t.Errorf("sent %+v", sent)
	}
}

// tabTo presses Tab until what a selector names has the focus, which must be seen.
func tabTo(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	var passed []string
	for range 150 {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
		if ask[bool](t, ctx, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			if found := ask[string](t, ctx, focused); !strings.Contains(found, `"ring":true,"seen":true`) {
				t.Errorf("%s has the focus and is not seen: %s", selector, found)
			}
			return
		}
		passed = append(passed, ask[string](t, ctx, "document.activeElement.outerHTML.slice(0, 60)"))
	}
	t.Fatalf("Tab never comes to %s, but to %q", selector, slices.Compact(passed))
}

// measured counts what was read of a body.
type measured struct {
	io.Reader
	read int
}

func (c *measured) Read(p []byte) (n int, err error) {
	n, err = c.Reader.Read(p)
	c.read += n
	return n, err
}

// TestAHugeFormIsRefusedBeforeItIsRead sends 100 MB, with its length said and without.
func TestAHugeFormIsRefusedBeforeItIsRead(t *testing.T) {
	w := newWorld(t)
	const huge = 100_000_000
	for _, address := range []string{"/en/ask", "/en/receipt", "/en/reuses/new", "/en/inquiry/01000000000000000000000000000000", "/en/reuses/07000000000000000000000000000000"} {
		for _, length := range []int64{huge, -1} {
			body := &measured{Reader: io.MultiReader(strings.NewReader("text="), io.LimitReader(zeros{}, huge))}
			r := httptest.NewRequest(http.MethodPost, address, body)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.ContentLength = length
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			if rec.Code != http.StatusRequestEntityTooLarge || !strings.Contains(rec.Body.String(), "<h1>") {
				t.Errorf("%s: %d", address, rec.Code)
			}
			if body.read > 2*maxForm {
				t.Errorf("%s: %d bytes were read", address, body.read)
			}
		}
	}
	w.body(t, "/en/dataset/main_population", 200)
	if len(w.asker.sent) > 0 {
		t.Errorf("sent %+v", w.asker.sent)
	}
}
