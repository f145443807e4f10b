package site

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"koprik/portal"
)

// What axe cannot see: how a page feels with a keyboard, a thumb, large text,
// few colours, no motion and no scripts.

func needsBrowser(t *testing.T, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser: not with -short")
	}
	return browser(t, flags...)
}

// focused describes the element that has the focus: its place among all
// elements, and whether one can see it.
const focused = `(() => { const e = document.activeElement; if (!e || e === document.body) return "";
  const s = getComputedStyle(e), r = e.getBoundingClientRect();
  return JSON.stringify({place: [...document.querySelectorAll("*")].indexOf(e), what: e.outerHTML.slice(0, 90),
    ring: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2, seen: r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth}); })()`

func TestTheKeyboardGoesThroughAPageInItsOrder(t *testing.T) {
	ctx := needsBrowser(t)
	for _, lay := range layouts {
		url, _ := lay.served(t)
		window(t, ctx, lay.width, lay.height)
		for _, address := range []string{"/uz/", "/en/?region=UZ-XO", "/ru/search?q=maktab", "/en/dataset/main_population", "/kaa/dataset/main_population/table/population"} {
			visitPage(t, ctx, url+address)
			last, steps := -1, 0
			for range 300 {
				if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
					t.Fatal(err)
				}
				text := ask[string](t, ctx, focused)
				if text == "" {
					break
				}
				var f struct {
					Place      int
					What       string
					Ring, Seen bool
				}
				if err := json.Unmarshal([]byte(text), &f); err != nil {
					t.Fatal(err)
				}
				if f.Place == last {
					t.Errorf("%s %s: the focus does not leave %s", lay.name, address, f.What)
				}
				if f.Place <= last {
					break // round again
				}
				last = f.Place
				steps++
				if !f.Ring || !f.Seen {
					t.Errorf("%s %s: the focus is not seen (ring %v, in view %v) on %s", lay.name, address, f.Ring, f.Seen, f.What)
				}
			}
			if steps < 5 {
				t.Errorf("%s %s: only %d steps", lay.name, address, steps)
			}
		}
	}
}

// targets names controls that are smaller than a side in px. Links inside a
// sentence are left out (WCAG 2.5.8, "Inline"), but not on a kiosk.
const targets = `((side, inline) => [...document.querySelectorAll("a,button,input,select,summary")].filter(e => {
  if (!e.checkVisibility({visibilityProperty: true}) || e.closest(".vh,.skip,dialog:not([open])") || ((e.type === "checkbox" || e.type === "radio") && e.closest("label"))) return false;
  if (inline && getComputedStyle(e).display === "inline" && e.closest("p,li,dd,td,th,h2,h3,nav")) return false;
  const r = e.getBoundingClientRect(); return r.width < side - .5 || r.height < side - .5;
}).map(e => Math.round(e.getBoundingClientRect().width) + "x" + Math.round(e.getBoundingClientRect().height) + " " + e.outerHTML.slice(0, 90)).join("\n"))`

// The languages and the menu leave the screen of a phone, the smallest included, to
// what somebody came for.
func TestTheHeadOfAPageOnAPhoneIsThreeLines(t *testing.T) {
	ctx := needsBrowser(t)
	url, _ := layouts[0].served(t)
	for _, width := range []int64{320, 360} {
		window(t, ctx, width, 740)
		for _, l := range portal.Langs {
			visitPage(t, ctx, url+"/"+l.Path()+"/help")
			if lines := ask[int64](t, ctx, `Math.max(...[...document.querySelectorAll(".langs .row, .top .row")].map(e => new Set([...e.children].map(li => li.offsetTop)).size))`); lines != 1 {
				t.Errorf("%s, %d px: %d lines", l, width, lines)
			}
		}
	}
}

func TestTargetsAreLargeEnough(t *testing.T) {
	ctx := needsBrowser(t)
	for _, lay := range layouts {
		url, addresses := lay.served(t)
		window(t, ctx, lay.width, lay.height)
		call := targets + "(24, true)"
		if lay.kiosk {
			call = targets + "(64, false)"
		}
		for i, address := range addresses {
			where := "/" + portal.Langs[i%len(portal.Langs)].Path() + address
			visitPage(t, ctx, url+where)
			if small := ask[string](t, ctx, call); small != "" {
				t.Errorf("%s %s: too small:\n%s", lay.name, where, small)
			}
		}
	}
}

func TestAKioskIsReadFromAStepAwayAndReachedByEveryone(t *testing.T) {
	ctx := needsBrowser(t)
	lay := layouts[2]
	url, addresses := lay.served(t)
	window(t, ctx, lay.width, lay.height)
	for i, address := range append(addresses, "/../kiosk/") {
		where := "/" + portal.Langs[i%len(portal.Langs)].Path() + address
		if below, ok := strings.CutPrefix(address, "/.."); ok {
			where = below
		}
		visitPage(t, ctx, url+where)
		if small := ask[string](t, ctx, `[...document.querySelectorAll("body *")].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility() && !e.closest("noscript,.vh") && parseFloat(getComputedStyle(e).fontSize) * (e.ownerSVGElement ? e.getScreenCTM().a : 1) < 23.9).map(e => getComputedStyle(e).fontSize + " " + e.outerHTML.slice(0, 80)).join("\n")`); small != "" {
			t.Errorf("%s: text too small:\n%s", where, small)
		}
		if high := ask[string](t, ctx, `[...document.querySelectorAll("a,button,input,select,summary")].filter(e => e.checkVisibility() && !e.closest(".skip") && e.getBoundingClientRect().top < innerHeight / 3).map(e => e.outerHTML.slice(0, 80)).join("\n")`); high != "" {
			t.Errorf("%s: too high to be reached from a wheelchair:\n%s", where, high)
		}
		if wide := ask[int64](t, ctx, "document.documentElement.scrollWidth"); wide > lay.width {
			t.Errorf("%s: %d px wide", where, wide)
		}
	}
}

// cutOff names elements whose text is cut where nothing says so.
const cutOff = `[...document.querySelectorAll("body *")].filter(e => { const s = getComputedStyle(e);
  return e.checkVisibility() && s.overflowX === "hidden" && !e.closest(".vh,.cut,.hero,thead,svg,select,dialog") && e.scrollWidth > e.clientWidth + 1; }).map(e => e.outerHTML.slice(0, 80)).join("\n")`

func TestTextMayBeTwiceAsLargeInEveryLanguage(t *testing.T) {
	ctx := needsBrowser(t)
	url, addresses := layouts[0].served(t)
	window(t, ctx, 640, 800)
	for i, address := range addresses {
		for j, l := range portal.Langs {
			if !soak() && i%len(portal.Langs) != j {
				continue
			}
			where := "/" + l.Path() + address
			visitPage(t, ctx, url+where)
			ask[bool](t, ctx, `(document.documentElement.style.fontSize = "200%", true)`)
			if wide := ask[int64](t, ctx, "document.documentElement.scrollWidth"); wide > 640 {
				t.Errorf("%s: %d px wide", where, wide)
			}
			if cut := ask[string](t, ctx, cutOff); cut != "" {
				t.Errorf("%s: cut off:\n%s", where, cut)
			}
		}
	}
}

// broken names words that a line's end goes through where nothing allows it: no
// hyphen, soft or hard, stroke or dot. Addresses, codes and words without end are left out.
const broken = `[...document.querySelectorAll("h1,h2,h3,p,a,button,label,legend,summary,dt,th,strong,span,option")].filter(e => e.checkVisibility() && !e.closest("svg,code,.vh,.cut,noscript")).flatMap(e => [...e.childNodes].filter(n => n.nodeType === 3).flatMap(n => [...n.data.matchAll(/(?<!\xad)[\p{L}\p{M}ʻʼ’]{2,24}(?![\p{L}\p{M}ʻʼ’\xad])/gu)].filter(m => {
  const r = document.createRange(); r.setStart(n, m.index); r.setEnd(n, m.index + m[0].length);
  return new Set([...r.getClientRects()].filter(b => b.width > 0).map(b => Math.round(b.top))).size > 1; }).map(m => e.localName + ": " + m[0]))).join("\n")`

func TestNoWordIsBrokenOnAPhone(t *testing.T) {
	ctx := needsBrowser(t)
	url, addresses := layouts[0].served(t)
	window(t, ctx, 360, 800)
	for i, address := range addresses {
		for j, l := range portal.Langs {
			if !soak() && i%len(portal.Langs) != j && address != "/privacy" {
				continue
			}
			where := "/" + l.Path() + address
			visitPage(t, ctx, url+where)
			if words := ask[string](t, ctx, broken); words != "" {
				t.Errorf("%s: broken:\n%s", where, words)
			}
		}
	}
}

// On paper stands what the page says: its tables and figures, and nothing that
// could only be pressed or filled in.
func TestAPrintedPageHasItsTablesAndNoControls(t *testing.T) {
	ctx := needsBrowser(t)
	for _, lay := range layouts[1:] {
		url, addresses := lay.served(t)
		window(t, ctx, lay.width, lay.height)
		for i, address := range addresses {
			where := "/" + portal.Langs[i%len(portal.Langs)].Path() + address
			visitPage(t, ctx, url+where)
			read := ask[int64](t, ctx, whatIsRead)
			do(t, ctx, func(ctx context.Context, tab *chromedp.Target) error {
				_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
				return err
			})
			if printed := ask[int64](t, ctx, whatIsRead); printed != read {
				t.Errorf("%s %s: %d headings, tables and figures, %d on paper", lay.name, where, read, printed)
			}
			if controls := ask[string](t, ctx, `[...document.querySelectorAll("button,input,select,textarea")].filter(e => e.checkVisibility() && !e.closest("dialog")).map(e => e.outerHTML.slice(0, 80)).join("\n")`); controls != "" {
				t.Errorf("%s %s: on paper stand\n%s", lay.name, where, controls)
			}
			media(t, ctx)
		}
	}
}

// whatIsRead counts what a page is read for.
const whatIsRead = `[...document.querySelectorAll("main h1,main table,main figure")].filter(e => e.checkVisibility() && !e.closest("details,.map,form:not(.asks)")).length`

func TestFewColoursAndNoMotion(t *testing.T) {
	ctx := needsBrowser(t)
	url, _ := layouts[1].served(t)
	window(t, ctx, 1280, 900)
	media(t, ctx, "forced-colors", "active", "prefers-reduced-motion", "reduce")
	for _, address := range []string{"/uz/", "/en/dataset/main_population", "/ru/search"} {
		visitPage(t, ctx, url+address)
		if !ask[bool](t, ctx, `matchMedia("(forced-colors: active)").matches`) {
			t.Skip("this browser cannot be made to force colours")
		}
		for what, expression := range map[string]string{
			"a button has no edge":             `[...document.querySelectorAll("button:not([hidden])")].every(e => getComputedStyle(e).borderTopStyle === "solid" && parseFloat(getComputedStyle(e).borderTopWidth) >= 1)`,
			"the dot of the state is no shape": `[...document.querySelectorAll(".dot")].every(e => parseFloat(getComputedStyle(e).borderTopWidth) >= 2)`,
			"the meter is one surface":         `[...document.querySelectorAll(".meter rect")].every(e => getComputedStyle(e).stroke !== "none" || e.classList.contains("on"))`,
			"something moves":                  `document.getAnimations().length === 0 && [...document.querySelectorAll("*")].every(e => parseFloat(getComputedStyle(e).transitionDuration) === 0)`,
		} {
			if !ask[bool](t, ctx, expression) {
				t.Errorf("%s: %s", address, what)
			}
		}
	}
}

func TestWordsAreCompletedWhileTheyAreTyped(t *testing.T) {
	ctx := needsBrowser(t)
	pages, asked := newWorld(t).handler, make(chan string, 9)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/datasets" {
			pages.ServeHTTP(w, r)
			return
		}
		asked <- r.URL.RawQuery
		io.WriteString(w, `{"suggestions":["maktab","<b>maktablar"]}`)
	}))
	defer server.Close()
	visitPage(t, ctx, server.URL+"/uz-cyrl/search")
	ask[bool](t, ctx, `(q => { q.value = "ma"; q.dispatchEvent(new Event("input", {bubbles: true})); return true; })(document.getElementById("q"))`)
	if got := <-asked; got != "q=ma&suggest=true&lang=uz-cyrl&limit=8" {
		t.Errorf("asked for %s", got)
	}
	const offered = `[...(document.getElementById("q").list?.options || [])].map(o => o.value).join(" ")`
	got := ""
	for range 1000 { // until the answer is in the page
		if got = ask[string](t, ctx, offered); got != "" {
			break
		}
	}
	if got != "maktab <b>maktablar" {
		t.Errorf("offered %q", got)
	}
}

func TestEverythingWorksWithoutScripts(t *testing.T) {
	ctx := needsBrowser(t)
	url, _ := layouts[0].served(t)
	const comfort = `document.querySelectorAll("code[data-copy] + button").length > 0`
	visitPage(t, ctx, url+"/en/dataset/main_population")
	if !ask[bool](t, ctx, comfort) {
		t.Error("with scripts a fingerprint cannot be copied")
	}
	do(t, ctx, func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
	visitPage(t, ctx, url+"/en/")
	if err := chromedp.Do(ctx, chromedp.SendKeys("#q", "maktab"+kb.Enter)); err != nil {
		t.Fatal(err)
	}
	mustSee(t, ctx, "25 datasets found")
	visitPage(t, ctx, url+"/en/")
	if err := chromedp.Do(ctx, chromedp.Click(`.map a[href*="UZ-XO"]`)); err != nil {
		t.Fatal(err)
	}
	mustSee(t, ctx, "How many hospitals are there in Khorezm Region?")
	visitPage(t, ctx, url+"/en/search?q=maktab")
	if err := chromedp.Do(ctx, chromedp.Click(".hits h3 a")); err != nil {
		t.Fatal(err)
	}
	mustSee(t, ctx, "Who answers for this data")
	if ask[bool](t, ctx, comfort) {
		t.Error("a script ran")
	}
}

// mustSee waits for a text on the page.
func mustSee(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	for range 600 { // half a minute, for busy machines
		if got, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf("document.readyState === 'complete' && document.body.innerText.includes(%q)", text))); err == nil && got {
			return
		}
		<-time.After(50 * time.Millisecond) // the browser has a clock of its own
	}
	got, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + document.body.innerText.slice(0, 400)"))
	t.Fatalf("never saw %q at %s", text, got)
}

func TestAKioskAsksWhetherSomebodyIsThereAndForgets(t *testing.T) {
	ctx := needsBrowser(t)
	url, _ := layouts[2].served(t)
	window(t, ctx, 1080, 1920)
	before(t, ctx, `{ const real = setInterval; window.setInterval = (f, ms) => real(f, ms / 50); }`) // a minute in 1.2 s
	visitPage(t, ctx, url+"/en/search?q=maktab")
	mustSee(t, ctx, "Are you still here?")
	if err := chromedp.Do(ctx, chromedp.Click("dialog button")); err != nil {
		t.Fatal(err)
	}
	if ask[bool](t, ctx, `document.querySelector("dialog").open`) {
		t.Error("the question stays after the answer")
	}
	mustSee(t, ctx, "Boshlash uchun tilni bosing")
	if got := ask[string](t, ctx, "location.pathname + document.cookie"); got != "/kiosk/" {
		t.Errorf("ended at %q", got)
	}
}

// TestTheAttractPageLoopsUnlessMotionIsUnwanted: the figures take turns, stand
// still while somebody looks closer, and none moves where motion is unwanted.
func TestTheAttractPageLoopsUnlessMotionIsUnwanted(t *testing.T) {
	ctx := needsBrowser(t)
	url, _ := layouts[2].served(t)
	window(t, ctx, 1080, 1920)
	const seen = `[...document.querySelectorAll(".slide")].filter(e => getComputedStyle(e).display !== "none" && getComputedStyle(e).opacity > .5).length`
	const moving = `document.getAnimations().filter(a => a.playState === "running").length`
	media(t, ctx, "prefers-reduced-motion", "no-preference")
	visitPage(t, ctx, url+"/kiosk/")
	if n := ask[int64](t, ctx, moving); n != 5 {
		t.Errorf("%d of 5 slides take their turn", n)
	}
	if n := ask[int64](t, ctx, `(document.getAnimations().forEach(a => { a.currentTime = 20000; }), `+seen+`)`); n != 1 {
		t.Errorf("%d slides are seen at once", n)
	}
	if n := ask[int64](t, ctx, `(document.querySelector(".attract a").focus(), `+moving+`)`); n != 0 {
		t.Errorf("%d slides move on under a reader", n)
	}
	if high := ask[float64](t, ctx, "document.documentElement.scrollHeight"); high > 1920 {
		t.Errorf("the page is %v px high", high)
	}
	media(t, ctx, "prefers-reduced-motion", "reduce")
	visitPage(t, ctx, url+"/kiosk/")
	if n := ask[int64](t, ctx, moving); n != 0 {
		t.Errorf("%d things move", n)
	}
	if n := ask[int64](t, ctx, seen); n != 2 {
		t.Errorf("%d slides stand still", n)
	}
	if font := ask[bool](t, ctx, `document.fonts.ready.then(() => [...document.fonts].some(f => f.family.includes("Noto Sans Kiosk") && f.status === "loaded"))`); !font {
		t.Error("the kiosk's own font is not used")
	}
}
