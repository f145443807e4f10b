package site

import (
	"net/http"
	"strings"
	"testing"

	"koprik/portal"
	"koprik/ui/assets"
)

// The budgets of spec/experience.md, "Rules", in bytes over the wire after gzip.
const (
	pageBudget   = 4 << 10
	figureBudget = 10 << 10 // of a page with a figure or a whole table
	styleBudget  = 5 << 10
	scriptBudget = 3 << 10
	kioskBudget  = 2 << 10 // of its script, besides
	firstVisit   = 12 << 10
	firstFigure  = 18 << 10 // where the page has a figure
	fontBudget   = 26 << 10 // of a kiosk
)

// wire is what an address weighs as a browser on a local network gets it.
func (w *world) wire(t *testing.T, address string) int {
	t.Helper()
	res := w.get(t, address, "Accept-Encoding", "gzip")
	n := 0
	buf := make([]byte, 32<<10)
	for {
		k, err := res.Body.Read(buf)
		n += k
		if err != nil {
			return n
		}
	}
}

func TestPagesKeepTheirBudgets(t *testing.T) {
	w := newWorld(t)
	most, where, drawn := 0, "", 0
	for _, l := range portal.Langs {
		for _, p := range pages {
			limit := pageBudget
			if p.status == http.StatusOK && strings.Contains(w.body(t, "/"+l.Path()+p.address, p.status), "<figure>") || p.address == "/dataset/main_prices" {
				limit = figureBudget
			}
			n := w.wire(t, "/"+l.Path()+p.address)
			if limit == figureBudget {
				drawn = max(drawn, n)
			}
			if n > limit {
				t.Errorf("/%s%s: %d bytes, at most %d", l.Path(), p.address, n, limit)
			}
			if limit == pageBudget && n > most {
				most, where = n, "/"+l.Path()+p.address
			}
		}
	}
	a := mustAssets(t)
	style, script, icon := w.wire(t, a.URL("style.css")), w.wire(t, a.URL("site.js")), w.wire(t, a.URL("icon.svg"))
	if style > styleBudget || script > scriptBudget {
		t.Errorf("style sheet %d bytes, script %d", style, script)
	}
	k, err := assets.Load(true)
	if err != nil {
		t.Fatal(err)
	}
	kiosk := newWorld(t, func(w *world) { w.options.Kiosk = true })
	if n := kiosk.wire(t, k.URL("kiosk.woff2")); n > fontBudget {
		t.Errorf("the kiosk's font has %d bytes", n)
	}
	if n := kiosk.wire(t, k.URL("kiosk.js")); n > kioskBudget {
		t.Errorf("the kiosk's script has %d bytes", n)
	}
	if first := most + style + script + icon; first > firstVisit {
		t.Errorf("a first visit has %d bytes, at most %d", first, firstVisit)
	}
	if first := drawn + style + script + icon + w.wire(t, a.URL("figure.css")); first > firstFigure {
		t.Errorf("a first visit to a page with a figure has %d bytes, at most %d", first, firstFigure)
	}
	t.Logf("heaviest page %s %d bytes, style sheet %d, script %d, icon %d: first visit at most %d", where, most, style, script, icon, most+style+script+icon)
}
