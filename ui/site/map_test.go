package site

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"koprik/portal"
)

const mapAddress = "/dataset/main_population/map/population"

// withBoundaries adds a dataset on which maps are drawn: squares for five of the
// six regions of the population.
func withBoundaries(w *world) {
	var features []string
	for i, code := range []string{"UZ-QR", "UZ-AN", "UZ-BU", "UZ-JI", "UZ-XO"} {
		x := 60 + i
		features = append(features, fmt.Sprintf(`{"type":"Feature","properties":{"iso":%q},"geometry":{"type":"Polygon","coordinates":[[[%d,40],[%d,40],[%d,42],[%d,42],[%d,40]]]}}`, code, x, x+1, x+1, x, x))
	}
	w.view.addGeo("main_outlines", "Outlines, boundaries", `{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+`]}`)
}

func (f *fakeView) addGeo(id portal.DatasetID, title, body string) {
	r := portal.Resource{Name: "shapes", Path: "shapes.geojson", Format: "geojson", Bytes: int64(len(body)), Hash: digest(string(id)), Schema: &portal.TableSchema{}}
	if f.objects == nil {
		f.objects = map[portal.Digest]string{}
	}
	f.objects[r.Hash] = body
	f.tables[r.Hash] = []fakeTable{{info: portal.TableInfo{Resource: "shapes", Rows: 5, Columns: []portal.Field{
		{Name: "iso", Type: "string", Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindISO, Confidence: 100}},
		{Name: "geometry", Type: "geojson", Meaning: portal.Meaning{Role: portal.RoleGeometry, Confidence: 100}},
	}}}}
	f.add(portal.Release{
		Dataset: id, Number: 1, Issued: now, Title: in("en", title), Keywords: []string{boundariesKeyword},
		Passport: portal.Passport{Contact: "data", Uploaded: "2026-01-01", CompiledBy: in("en", "A drawing")}, Resources: []portal.Resource{r},
	}, "", 1)
}

// withPlaces adds a table with coordinates.
func withPlaces(w *world) {
	r := portal.Resource{Name: "clinics", Path: "clinics.csv", Format: "csv", Hash: digest("clinics"), Schema: &portal.TableSchema{}}
	geometry := func(kind string) portal.Meaning {
		return portal.Meaning{Role: portal.RoleGeometry, Kind: kind, Confidence: 100}
	}
	w.view.tables[r.Hash] = []fakeTable{{info: portal.TableInfo{Resource: "clinics", Rows: 3, Columns: []portal.Field{
		{Name: "name", Type: "string", Meaning: portal.Meaning{Role: portal.RoleText, Confidence: 100}},
		{Name: "lat", Type: "number", Meaning: geometry(portal.KindLatitude)},
		{Name: "lon", Type: "number", Meaning: geometry(portal.KindLongitude)},
	}}, rows: [][]any{{"A", 41.3, 60.5}, {"B", 40.9, 61.5}, {"C", nil, 62.0}}}}
	w.view.add(portal.Release{
		Dataset: "main_clinics", Number: 1, Issued: now, Title: in("en", "Clinics"), Resources: []portal.Resource{r},
		Passport: portal.Passport{Contact: "data", Uploaded: "2026-01-01"},
	}, "", 1)
}

func TestOneFigureIsAChartAMapAndATable(t *testing.T) {
	w := newWorld(t, withBoundaries)
	body := w.body(t, "/en"+chartAddress+"?at.year=2020&kind=bars&by=soato", 200)
	mustHave(t, body, `<a href="/en`+mapAddress+`?at.year=2020">Map</a>`, `<option value="map soato -">Map by Region</option>`)
	body = inOneLine(w.body(t, "/en"+mapAddress+"?at.year=2020", 200))
	mustHave(t, body, `<b aria-current="page">Map</b>`, `<a href="/en`+chartAddress+`?at.year=2020">Figure</a>`, `href="/en/dataset/main_population/table/population"`,
		`class="q5"`, "2020", "Highest: Tashkent city, 4,413.3", `<option value="map soato -" selected>`, `<option value="2020" selected>`, "<title>Map: Population by region",
		"Outlines: Outlines, boundaries (A drawing; 14 October 2026). They imply no endorsement of any boundary.", "Totals, not rates")
	mustNotHave(t, body, "style=")
	mustHave(t, w.body(t, "/en"+chartAddress+"?view=map+soato+-", 200), `<b aria-current="page">Map</b>`)
	mustHave(t, w.body(t, "/en"+mapAddress+"?view=bars+soato+-", 200), `<b aria-current="page">Figure</b>`)
	for _, query := range []string{"?at.year=1900", "?at.none=1", "?m=none"} {
		w.body(t, "/en"+mapAddress+query, 400)
	}
}

func TestAMapSpeaksTheReadersLanguage(t *testing.T) {
	w := newWorld(t, withBoundaries)
	for lang, want := range map[string][]string{
		"uz":      {"Xarita: ", ">Xorazm<", "hech qanday chegarani maʼqullashni"},
		"uz-cyrl": {"Харита: ", ">Хоразм<", "чегарани маъқуллашни"},
		"kaa":     {"Karta: ", ">Xorezm<"},
		"ru":      {"Карта: ", ">Хорезм<", "не означают одобрения каких-либо границ"},
	} {
		mustHave(t, inOneLine(w.body(t, "/"+lang+mapAddress, 200)), want...)
	}
}

// brokenLine is where a sentence of a drawing goes on in the next line.
var brokenLine = regexp.MustCompile(`</text>\s*<text class="note"[^>]*>`)

func inOneLine(body string) string { return brokenLine.ReplaceAllString(body, " ") }

func TestWithoutBoundariesThereIsNoMapAndThePageSaysWhy(t *testing.T) {
	w := newWorld(t)
	mustNotHave(t, w.body(t, "/en"+chartAddress, 200), "/map/population")
	mustHave(t, w.body(t, "/en"+mapAddress, 404), "This table has no map", `href="/en/dataset/main_population/table/population"`)
	w = newWorld(t, func(w *world) { w.view.addGeo("main_bad", "Broken boundaries", "{") })
	w.body(t, "/en"+mapAddress, 404)
	mustHave(t, w.log.String(), "main_bad")
}

func TestCoordinatesAreShownAsPlacesOnTheOutline(t *testing.T) {
	w := newWorld(t, withBoundaries, withPlaces)
	body := w.body(t, "/en/dataset/main_clinics/map/clinics", 200)
	mustHave(t, body, "2 places on the map.", `class="place"`, `class="land"`, "They imply no endorsement")
	if n := strings.Count(body, `class="place"`); n != 4 { // for a phone and for a desk
		t.Errorf("%d places in two drawings", n)
	}
	mustHave(t, w.body(t, "/en/dataset/main_outlines/map/shapes", 200), `class="land"`)
}

func TestAFigureIsGivenAwayAsDrawingPictureAndValues(t *testing.T) {
	w := newWorld(t, withBoundaries)
	get := func(address, mime string) []byte {
		t.Helper()
		res := w.get(t, address)
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != mime || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment; filename=population-population.") {
			t.Errorf("%s: %d %v %v", address, res.StatusCode, res.Header, err)
		}
		return body
	}
	for _, base := range []string{"/uz" + mapAddress, "/ru" + chartAddress} {
		mustHave(t, string(get(base+"/figure.svg", "image/svg+xml")), "<svg xmlns=", "<style>")
		img, err := png.Decode(bytes.NewReader(get(base+"/figure.png", "image/png")))
		if err != nil || img.Bounds().Dx() != 1504 {
			t.Errorf("%s: %v", base, err)
		}
	}
	text := string(get("/en"+mapAddress+"/figure.csv?at.year=2020", "text/csv; charset=utf-8"))
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != 7 || strings.Join(rows[0], "|") != "Region|Code|All, thousand" || strings.Join(rows[1], "|") != "Tashkent city|UZ-TK|4413.3" {
		t.Errorf("%q, %v", rows, err)
	}
}

func TestNoValueOfAFileIsAFormula(t *testing.T) {
	for text, want := range map[string]string{"=1+1": "'=1+1", "-5.5": "-5.5", "+x": "'+x", "@a": "'@a", "Navoiy": "Navoiy", "": "", "-": "'-"} {
		if got := defused(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestOnlyAFigureMayStandInOtherSites(t *testing.T) {
	w := newWorld(t, withBoundaries)
	for _, address := range []string{"/embed/en" + chartAddress, "/embed/ru" + mapAddress, "/embed/uz" + chartAddress + "?kind=bars&by=soato"} {
		res := w.get(t, address)
		body, _ := io.ReadAll(res.Body)
		if got := res.Header.Get("Content-Security-Policy"); res.StatusCode != http.StatusOK || got != embedPolicy || !strings.Contains(got, "frame-ancestors *") {
			t.Errorf("%s: %d, %q", address, res.StatusCode, got)
		}
		if len(res.Cookies()) > 0 {
			t.Errorf("%s: sets %v", address, res.Cookies())
		}
		mustHave(t, string(body), "<h1>", "<figure>", `target="_blank"`, "/dataset/main_population/")
		mustNotHave(t, string(body), "<script", "<form", "style=")
	}
	for _, address := range []string{
		"/embed/en/dataset/main_population", "/embed/en/", "/embed/en" + chartAddress + "?m=none", "/embed/en/dataset/main_prices/chart/prices.xlsx",
		"/embed/en/dataset/none/chart/none", "/en" + chartAddress, "/en" + mapAddress, "/en" + mapAddress + "/embed", "/en/search",
	} {
		if got := w.get(t, address).Header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s: %q", address, got)
		}
	}
	mustHave(t, w.body(t, "/embed/ru"+chartAddress, 200), `<html lang="ru">`, "Выпуск 3")
	kiosk := newWorld(t, withBoundaries, func(w *world) { w.options.Kiosk = true })
	if res := kiosk.get(t, "/embed/en"+chartAddress); res.StatusCode != http.StatusNotFound {
		t.Errorf("a kiosk: %d", res.StatusCode)
	}
}

func TestTheSnippetNamesThisNodeAsTheReaderDoes(t *testing.T) {
	w := newWorld(t, withBoundaries)
	body := w.body(t, "/en"+chartAddress+"/embed?kind=bars&by=soato", 200)
	mustHave(t, body, `&lt;iframe src=&#34;http://example.com/embed/en`+chartAddress+`?kind=bars&amp;amp;by=soato&#34; title=&#34;Population by region&#34;`, "data-copy")
}

// The budget of the spec for a page with a figure is 5 ms from rows that are at
// hand; go test -run '^$' -bench FigurePage ./ui/site
func BenchmarkFigurePage(b *testing.B) {
	for name, address := range map[string]string{"chart": chartAddress, "map": mapAddress} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, withBoundaries)
			for i := 0; b.Loop(); i++ {
				r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/en%s?i=%d", address, i), nil)
				res := httptest.NewRecorder()
				w.handler.ServeHTTP(res, r)
				if res.Code != http.StatusOK {
					b.Fatal(res.Code)
				}
			}
		})
	}
}
