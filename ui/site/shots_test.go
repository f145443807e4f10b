package site

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// shownPages are the pages of docs/screenshots, by name.
var shownPages = []struct{ name, address string }{
	{"home", "/"},
	{"region", "/?region=UZ-XO#region"},
	{"search", "/search?q=aholi"},
	{"dataset", "/dataset/demo_population-by-region"},
	{"table", "/dataset/demo_population-by-region/table/population_by_region?iso_code__eq=UZ&sort=year&desc=1"},
	{"chart", "/dataset/demo_population-by-sex/chart/population_by_sex_2026"},
	{"map", "/dataset/demo_population-by-region/map/population_by_region"},
	{"history", "/dataset/demo_population-by-region/history"},
	{"changes", "/dataset/demo_population-by-region/history?from=1&to=2"},
	{"publisher", "/publisher/demo"},
	{"theme", "/theme/health"},
	{"topic-without-data", "/theme/energy"},
	{"numbers", "/numbers"},
	{"verify", "/verify"},
	{"ask", "/ask"},
	{"ask-words", "/ask?kind=data&text=suv"},
	{"receipt", "/receipt"},
	{"embed", "/dataset/demo_population-by-region/chart/population_by_region/embed"},
	{"reuses", "/reuses"},
	{"reuse-form", "/reuses/new"},
	{"node", "/node"},
	{"help", "/help"},
	{"about", "/about"},
	{"privacy", "/privacy"},
	{"error", "/nowhere"},
}

// deskPages are the pages of the signed-in side, by name.
var deskPages = []struct{ name, address string }{
	{"desk-inbox", "/desk/"},
	{"desk-reuses", "/desk/reuses"},
	{"desk-users", "/desk/users"},
	{"desk-nodes", "/desk/nodes"},
	{"desk-account", "/desk/account"},
}

// TestScreenshots takes the pictures of docs/screenshots from a running
// demonstration: `make screenshots`. KOPRIK_SHOTS names, with commas between, the
// address of its pages and that of its kiosk, the program, and the centre's data
// directory.
func TestScreenshots(t *testing.T) {
	named := strings.Split(os.Getenv("KOPRIK_SHOTS"), ",")
	if len(named) != 4 {
		t.Skip("takes pictures of a running demonstration: make screenshots")
	}
	pagesAt, kioskAt := named[0], named[1]
	centre := stage{url: pagesAt, program: named[2], dir: named[3]}
	folder := filepath.Join("..", "..", "docs", "screenshots")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	total := 0
	take := func(name, url, scheme string, width, height int64, scale float64) {
		media(t, ctx, "prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce")
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)), chromedp.Navigate(url)); err != nil {
			t.Fatal(err)
		}
		b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		small, err := reduced(b)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name+".png"), small, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		total += len(small)
	}
	for _, p := range shownPages {
		for _, l := range []string{"uz", "ru", "en"} {
			take(fmt.Sprintf("%s-%s-phone", p.name, l), pagesAt+"/"+l+p.address, "light", 360, 780, 1)
			take(fmt.Sprintf("%s-%s-desktop", p.name, l), pagesAt+"/"+l+p.address, "light", 1280, 900, 0.75)
		}
	}
	thread, work := centre.talk(t)
	away := withoutFiles(t)
	for _, l := range []string{"uz", "ru", "en"} {
		for name, url := range map[string]string{"thread": pagesAt + "/" + l + thread, "not-here": away + "/" + l + "/dataset/main_population", "not-here-table": away + "/" + l + "/dataset/main_population/table/population"} {
			take(name+"-"+l+"-phone", url, "light", 360, 780, 1)
			take(name+"-"+l+"-desktop", url, "light", 1280, 900, 0.75)
		}
		take("desk-sign-in-"+l+"-phone", pagesAt+"/desk/sign-in?lang="+l, "light", 360, 780, 1)
		who := centre.signedIn(t, l)
		cookie(t, ctx, pagesAt, who)
		for _, p := range append(deskPages, struct{ name, address string }{"desk-question", work}) {
			take(p.name+"-"+l+"-phone", pagesAt+p.address, "light", 360, 780, 1)
			take(p.name+"-"+l+"-desktop", pagesAt+p.address, "light", 1280, 900, 0.75)
		}
		who.Value = ""
		cookie(t, ctx, pagesAt, who)
	}
	take("home-uz-dark", pagesAt+"/uz/", "dark", 1280, 900, 0.75)
	take("dataset-ru-dark", pagesAt+"/ru"+shownPages[3].address, "dark", 360, 780, 1)
	take("kiosk-attract", kioskAt+"/kiosk/", "light", 1080, 1920, 0.4)
	take("kiosk-home-uz", kioskAt+"/uz/", "light", 1080, 1920, 0.4)
	take("kiosk-region-en", kioskAt+"/en/?region=UZ-XO#region", "light", 1080, 1920, 0.4)
	take("kiosk-dataset-ru", kioskAt+"/ru"+shownPages[3].address, "light", 1080, 1920, 0.4)
	take("kiosk-search-en", kioskAt+"/en"+shownPages[2].address, "dark", 1080, 1920, 0.4)
	t.Logf("%d bytes in all", total)
	if total > 6_000_000 {
		t.Errorf("the pictures have %d bytes, at most 6 MB", total)
	}
}

// shownColours is how many colours a picture keeps: the pages have few.
const shownColours = 96

// reduced writes a PNG with its most frequent colours only.
func reduced(b []byte) ([]byte, error) {
	src, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	bounds := src.Bounds()
	counts := map[color.RGBA]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[rgba(src.At(x, y))]++
		}
	}
	all := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	var palette color.Palette
	for _, c := range all {
		if len(palette) < shownColours && !tooNear(palette, c) {
			palette = append(palette, c)
		}
	}
	out := image.NewPaletted(bounds, palette)
	index := map[color.RGBA]uint8{}
	for c := range counts {
		index[c] = uint8(palette.Index(c))
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			out.SetColorIndex(x, y, index[rgba(src.At(x, y))])
		}
	}
	var small bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, out)
	return small.Bytes(), err
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }

// tooNear tells whether the palette has nearly this colour: the edges of letters
// would otherwise fill it.
func tooNear(palette color.Palette, c color.RGBA) bool {
	const near = 8
	for _, p := range palette {
		q := rgba(p)
		if abs(int(q.R)-int(c.R)) < near && abs(int(q.G)-int(c.G)) < near && abs(int(q.B)-int(c.B)) < near {
			return true
		}
	}
	return false
}

func abs(n int) int { return max(n, -n) }
