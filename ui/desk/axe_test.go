package desk

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"koprik/internal/sharedtest"
	"koprik/portal"
)

// TestAxeFindsNothingAtTheDesk runs axe-core on every page of the desk and of letters, in
// every language and by turns in the light and in the dark, in a real browser. Without one
// it is skipped, unless KOPRIK_REQUIRE_BROWSER=1.
func TestAxeFindsNothingAtTheDesk(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser: not with -short")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("KOPRIK_REQUIRE_BROWSER") == "1" {
			t.Fatal("no Chromium on this machine, and KOPRIK_REQUIRE_BROWSER=1")
		}
		t.Skip("no Chromium on this machine")
	}
	axe, err := os.ReadFile("../site/testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice()
	at := o.serve(t)
	o.cases[ofPrices].Told = portal.ToCoordinator
	o.submitted(true)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, chromedp.ExecPath(path), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless,
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	open := func(address string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Navigate(at+address)); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
	}
	run := func(script string) string {
		t.Helper()
		found, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	looks := 0
	look := func(address string) {
		t.Helper()
		scheme(t, ctx, []string{"light", "dark"}[looks%2])
		looks++
		open(address)
		found := run(string(axe) + `;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]})
			.then(r => r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | ")).join("\n"))`)
		if found != "" {
			t.Errorf("%s:\n%s", address, found)
		}
		if wide := run(`String(document.documentElement.scrollWidth > innerWidth)`); wide != "false" {
			t.Errorf("%s is wider than its window", address)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 740)); err != nil {
		t.Fatal(err)
	}
	for _, l := range portal.Langs {
		look(letterPath + aQuestion + "?lang=" + l.Path())
		look(letterPath + aStill + "?lang=" + l.Path())
	}
	for _, l := range portal.Langs {
		look("/desk/sign-in?lang=" + l.Path())
	}
	signInAs(t, ctx, "admin")
	inLanguage := func(l portal.Lang) {
		o.mu.Lock()
		defer o.mu.Unlock()
		a := o.accounts["admin"]
		a.Lang = l
		o.accounts["admin"] = a
	}
	// An odd number of pages: each is light in one language and dark in the next.
	pages := []string{
		"/desk/", "/desk/?list=late", inquiry(ofPrices), inquiry(ofCentre), "/desk/reuses", reuseAddress, "/desk/templates", "/desk/form",
		"/desk/users", "/desk/users/prices", "/desk/nodes", "/desk/account", "/desk/account/factor",
	}
	for _, l := range portal.Langs {
		inLanguage(l)
		for _, address := range pages {
			look(address)
		}
	}
	t.Logf("%d runs", looks)
	// Naughty texts, from wherever, run nothing and break no page.
	for i, text := range naughty(t) {
		o.common[""] = append(o.common[""], portal.AnswerTemplate{Title: text, Text: text, Lang: portal.Uzbek})
		o.cases[ofPrices].Inquiry.Text += "\n" + text
		o.cases[ofPrices].Inquiry.About.Value = text
		if i%40 == 0 {
			look(inquiry(ofPrices) + "?template=" + strconv.Itoa(i+1))
		}
	}
	for _, address := range []string{"/desk/", inquiry(ofPrices), "/desk/templates", letterPath + aQuestion} {
		open(address)
		if ran := run(`String(window.ran === undefined && document.querySelectorAll("main script, main img, main iframe, main svg").length === 0)`); ran != "true" {
			t.Errorf("%s: a text became markup", address)
		}
	}
}

// scheme makes the browser prefer light or dark.
func scheme(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// signInAs fills in the form that is open, and waits until the desk is there.
func signInAs(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	fill := `document.querySelector("#name").value = "` + name + `"; document.querySelector("#password").value = "` + password + `"; document.forms[document.forms.length - 1].requestSubmit(); ""`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[string](fill)); err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil { // while the page changes there is nothing to ask
		where, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + document.readyState`))
		if err == nil && where == "/desk/complete" {
			return
		}
	}
	t.Fatal(ctx.Err())
}

// naughty is the Big List of Naughty Strings where it is at hand.
func naughty(t *testing.T) (list []string) {
	t.Helper()
	const source = "data/strings/blns/blns.json"
	if !sharedtest.Has(t, source) {
		t.Log("without ../shared/data/strings/blns: a few texts only")
		return []string{`"><script>window.ran=1</script>`, `<img src=x onerror="window.ran=1">`, "\u202eright to left", "{{.}}", "👩‍👩‍👧‍👦"}
	}
	b, err := os.ReadFile(sharedtest.Path(t, source))
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}
