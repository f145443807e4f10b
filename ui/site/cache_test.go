package site

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"koprik/ui/assets"
	"koprik/ui/guard"
)

// marked makes a world whose site is told cheaply what it shows.
func marked(t testing.TB, change ...func(*world)) *world {
	return newWorld(t, append([]func(*world){func(w *world) {
		w.options.Mark = func() (Mark, bool) {
			return Mark{State: w.view.state, Title: w.status.Title, ClockWrong: w.status.ClockWrong}, true
		}
	}}, change...)...)
}

func TestAPageIsMadeOnceAGenerationAndLanguage(t *testing.T) {
	w := marked(t)
	const address = "/en/dataset/main_population"
	first := w.get(t, address, "Accept-Encoding", "gzip")
	wanted, _ := io.ReadAll(first.Body)
	for range 3 {
		res := w.get(t, address, "Accept-Encoding", "gzip")
		body, _ := io.ReadAll(res.Body)
		if string(body) != string(wanted) || res.StatusCode != 200 {
			t.Errorf("another page: %d", res.StatusCode)
		}
		for _, name := range []string{"Etag", "Koprik-Generation", "Koprik-As-Of", "Koprik-Fresh", "Content-Language", "Content-Type", "Cache-Control", "Content-Encoding", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Vary"} {
			if first.Header.Get(name) == "" {
				t.Errorf("no %s", name)
			}
		}
		if !maps.EqualFunc(res.Header, first.Header, slices.Equal) {
			t.Errorf("headers %v, the first time %v", res.Header, first.Header)
		}
	}
	if n := w.views.Load(); n != 1 {
		t.Errorf("%d views for one page", n)
	}
	if res := w.get(t, address, "If-None-Match", first.Header.Get("ETag")); res.StatusCode != http.StatusNotModified || w.views.Load() != 1 {
		t.Errorf("status %d with %d views", res.StatusCode, w.views.Load())
	}
	mustHave(t, w.body(t, address, 200), "Population of Uzbekistan") // without compression
	w.body(t, "/ru/dataset/main_population", 200)
	if n := w.views.Load(); n != 2 {
		t.Errorf("%d views for two languages", n)
	}
}

func TestWhatAPageDoesNotReadMakesNoPageOfItsOwn(t *testing.T) {
	w := marked(t)
	const address = "/en/dataset/main_population"
	first := w.get(t, address+"?from=somewhere")
	for _, query := range []string{"", "?", "?from=elsewhere", "?q=%ff&q=%zz", "?" + strings.Repeat("a", 9000)} {
		if res := w.get(t, address+query); res.StatusCode != 200 || res.Header.Get("ETag") != first.Header.Get("ETag") {
			t.Errorf("%s: status %d, tag %s", clip(query, 40), res.StatusCode, res.Header.Get("ETag"))
		}
	}
	if n := w.views.Load(); n != 1 {
		t.Errorf("%d views for one page", n)
	}
	mustHave(t, w.body(t, address+"?from=elsewhere", 200), `href="/ru/dataset/main_population"`)

	mustHave(t, w.body(t, "/en/search", 200), "Population of Uzbekistan") // is asked by its query
	mustHave(t, w.body(t, "/en/search?q=nothing-like-this", 200), "nothing-like-this")
}

func TestAKeptPageGoesWithWhatItShowed(t *testing.T) {
	for name, change := range map[string]func(*world){
		"generation": func(w *world) { w.view.state.Generation++ },
		"freshness":  func(w *world) { w.view.state.Media = true },
		"title":      func(w *world) { w.status.Title = "Another" },
		"clock":      func(w *world) { w.status.ClockWrong = true },
	} {
		w := marked(t)
		w.body(t, "/en/", 200)
		change(w)
		w.body(t, "/en/", 200)
		if n := w.views.Load(); n != 2 {
			t.Errorf("%s: %d views", name, n)
		}
	}
	day := now
	w := marked(t, func(w *world) { w.options.Now = func() time.Time { return day } })
	w.body(t, "/en/", 200)
	day = day.Add(24 * time.Hour)
	w.body(t, "/en/", 200)
	if n := w.views.Load(); n != 2 {
		t.Errorf("day: %d views", n)
	}
}

func TestWhatIsNoPageIsNotKept(t *testing.T) {
	w := marked(t)
	for range 2 {
		w.body(t, "/en/dataset/main_none", 404)
		w.body(t, "/en/dataset/water_canals", 410)
		w.body(t, "/en/node", 200)
	}
	if n := w.views.Load(); n != 6 {
		t.Errorf("%d views", n)
	}
}

func TestKeptPagesStayWithinTheirMemory(t *testing.T) {
	const limit = 40_000
	w := marked(t, func(w *world) { w.options.CacheBytes = limit })
	for i := range 60 {
		w.body(t, fmt.Sprintf("/en/search?q=x%d", i), 200)
	}
	s, err := newSite(w.options)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		s.cache.put(&keptPage{name: fmt.Sprint(i), gzip: newForm(make([]byte, 50*i), "gzip")})
		if s.cache.size > limit || s.cache.order.Len() != len(s.cache.pages) {
			t.Fatalf("%d bytes, %d pages in order, %d by name", s.cache.size, s.cache.order.Len(), len(s.cache.pages))
		}
	}
	if s.cache.get("59") == nil || s.cache.get("0") != nil {
		t.Error("not the least used page went")
	}
	s.cache.put(&keptPage{name: "large", gzip: newForm(make([]byte, largestKept), "gzip")})
	if s.cache.get("large") != nil {
		t.Error("one page took everything")
	}
}

// TestAKeptPageIsSentWithoutAllocating: what stands between the server and a page
// that is kept makes no garbage, with a reader's language remembered and without.
func TestAKeptPageIsSentWithoutAllocating(t *testing.T) {
	w := marked(t)
	s, err := newSite(w.options)
	if err != nil {
		t.Fatal(err)
	}
	handler := s.front(guard.Pages(policy, s.routes()))
	r := httptest.NewRequest(http.MethodGet, "/en/dataset/main_population", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("Cookie", "other=1; lang=en")
	r.Header.Set("If-None-Match", `W/"1-other", W/"2-another"`)
	handler.ServeHTTP(httptest.NewRecorder(), r) // makes it
	out := &discard{header: http.Header{}}
	if n := testing.AllocsPerRun(100, func() {
		clear(out.header)
		handler.ServeHTTP(out, r)
	}); n > 0 || out.status != http.StatusOK || out.bytes == 0 || w.views.Load() != 1 {
		t.Errorf("%v allocations, status %d, %d bytes, %d views", n, out.status, out.bytes, w.views.Load())
	}
}

// discard is a http.ResponseWriter that keeps nothing.
type discard struct {
	header        http.Header
	status, bytes int
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(b []byte) (int, error) {
	d.bytes += len(b)
	return len(b), nil
}

// BenchmarkPages has a row for each kind of page, made and kept, over a catalogue in
// memory: what the pages themselves cost, without SQLite, Bleve and the connection.
func BenchmarkPages(b *testing.B) {
	for _, kind := range []struct{ name, address string }{
		{"home", "/uz/"},
		{"search", "/uz/search?q=aholi"},
		{"dataset", "/uz/dataset/main_population"},
		{"table", "/uz/dataset/main_population/table/population"},
		{"figure", "/uz/dataset/main_population/chart/population"},
		{"map", "/uz" + mapAddress},
		{"publisher", "/uz/publisher/main"},
		{"theme", "/uz/theme/population"},
		{"node", "/uz/node"},
		{"thread", "/uz/inquiry/01000000000000000000000000000000"},
	} {
		r := httptest.NewRequest(http.MethodGet, kind.address, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set("Cookie", "lang=uz")
		for _, way := range []string{"made", "kept"} {
			if way == "kept" && (kind.name == "node" || kind.name == "thread") { // change without a new generation
				continue
			}
			b.Run(way+"/"+kind.name, func(b *testing.B) {
				w := marked(b, withBoundaries, func(w *world) {
					if way == "made" {
						w.options.CacheBytes = 1
					}
				})
				handler, err := New(w.options)
				if err != nil {
					b.Fatal(err)
				}
				out := &discard{header: http.Header{}}
				b.ReportAllocs()
				for b.Loop() {
					clear(out.header)
					if handler.ServeHTTP(out, r); out.status != http.StatusOK {
						b.Fatalf("status %d", out.status)
					}
				}
				if views := int(w.views.Load()); way == "kept" && views != 1 || way == "made" && views < b.N {
					b.Errorf("%d views for %d pages", views, b.N)
				}
			})
		}
	}
}

// TestAKeptPageIsTheSameInEveryForm: whichever form is asked for first.
func TestAKeptPageIsTheSameInEveryForm(t *testing.T) {
	w := marked(t)
	const address = "/en/dataset/main_population"
	wanted := w.body(t, address, 200)
	for range 2 {
		for accept, encoding := range map[string]string{"": "", "gzip": "gzip", "gzip, deflate, br, zstd": "", "zstd": "zstd", "gzip;q=0": ""} {
			res := w.get(t, address, "Accept-Encoding", accept)
			got := res.Header.Get("Content-Encoding")
			if encoding != "" && got != encoding {
				t.Errorf("%q is answered with %q", accept, got)
			}
			b, err := io.ReadAll(res.Body)
			if n := res.Header.Get("Content-Length"); err != nil || n != fmt.Sprint(len(b)) {
				t.Errorf("%q: %d bytes, said %s, %v", accept, len(b), n, err)
			}
			if text := unpacked(t, got, b); text != wanted {
				t.Errorf("%q: another page, %d bytes instead of %d", accept, len(text), len(wanted))
			}
		}
	}
	if n := w.views.Load(); n != 1 {
		t.Errorf("%d views for one page", n)
	}
}

func unpacked(t *testing.T, encoding string, b []byte) string {
	t.Helper()
	var err error
	switch encoding {
	case "gzip":
		b, err = assets.Gunzip(b)
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(nil); err == nil {
			defer z.Close()
			b, err = z.DecodeAll(b, nil)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
