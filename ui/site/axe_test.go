package site

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"koprik/portal"
)

// soak tells whether the full counts were asked for (make soak).
func soak() bool { return os.Getenv("KOPRIK_SOAK") == "1" }

func visitPage(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", clip(expression, 80), err)
	}
	return got
}

// media makes the browser report features of CSS: pairs of a name and a value.
func media(t *testing.T, ctx context.Context, pairs ...string) {
	t.Helper()
	var features []*emulation.MediaFeature
	for i := 0; i+1 < len(pairs); i += 2 {
		features = append(features, &emulation.MediaFeature{Name: pairs[i], Value: pairs[i+1]})
	}
	do(t, ctx, func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	})
}

// before runs a script in every page before its own.
func before(t *testing.T, ctx context.Context, script string) {
	t.Helper()
	do(t, ctx, func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// cookie sets a cookie of a site, as an answer of it would.
func cookie(t *testing.T, ctx context.Context, url string, c *http.Cookie) {
	t.Helper()
	do(t, ctx, func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: url, Path: c.Path})
		return err
	})
}

func do(t *testing.T, ctx context.Context, f func(context.Context, *chromedp.Target) error) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Func(f)); err != nil {
		t.Fatal(err)
	}
}

func window(t *testing.T, ctx context.Context, width, height int64) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
}

// layout is a way in which the pages come.
type layout struct {
	name          string
	kiosk         bool
	width, height int64
}

var layouts = []layout{{"phone", false, 360, 740}, {"desktop", false, 1280, 900}, {"kiosk", true, 1080, 1920}}

// served starts the site in a layout, and gives its address and those of its pages.
func (l layout) served(t *testing.T) (url string, addresses []string) {
	t.Helper()
	w := newWorld(t, withBoundaries, withPlaces, func(w *world) { w.options.Kiosk, w.options.Development = l.kiosk, true })
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	for _, p := range pages {
		addresses = append(addresses, p.address)
	}
	addresses = append(addresses, mapAddress, "/dataset/main_clinics/map/clinics")
	if !l.kiosk {
		addresses = append(addresses, chartAddress+"/embed?kind=bars&by=soato")
	}
	return server.URL, addresses
}

// axe is run with everything up to WCAG 2.2 AA and its own good practices.
const runAxe = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]})
  .then(r => r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map(n => n.target + " " + n.html.slice(0, 120) + " " + n.any.concat(n.all).map(c => c.message).slice(0, 1)).join(" | ")).join("\n"))`

// TestAxeFindsNothing runs axe-core on every page. Each page is seen in every
// language, scheme and layout by `make soak`; otherwise language and scheme
// change from page to page.
func TestAxeFindsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser: not with -short")
	}
	source, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, lay := range layouts {
		t.Run(lay.name, func(t *testing.T) { axeOn(t, lay, string(source)) })
	}
}

// axeOn lets axe read the pages of one layout. Every language is a test of its own,
// so that a soak can be run in parts: -run TestAxeFindsNothing/phone/uz$.
func axeOn(t *testing.T, lay layout, source string) {
	t.Helper()
	ctx := browser(t)
	url, addresses := lay.served(t)
	window(t, ctx, lay.width, lay.height)
	addresses = append(addresses, "/../desk/components")
	if lay.kiosk {
		addresses = append(addresses, "/../kiosk/")
	}
	for j, l := range portal.Langs {
		t.Run(l.Path(), func(t *testing.T) {
			runs := 0
			for i, address := range addresses {
				for k, scheme := range []string{"light", "dark"} {
					if !soak() && (i%len(portal.Langs) != j || (i/len(portal.Langs))%2 != k) {
						continue
					}
					media(t, ctx, "prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce")
					where := "/" + l.Path() + address
					if below, ok := strings.CutPrefix(address, "/.."); ok {
						where = below
					}
					visitPage(t, ctx, url+where)
					if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](source+";true")); err != nil {
						t.Fatal(err)
					}
					runs++
					if found := ask[string](t, ctx, runAxe); found != "" {
						t.Errorf("%s %s %s:\n%s", lay.name, scheme, where, found)
					}
				}
			}
			t.Logf("%d runs", runs)
		})
	}
}
