package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

// pages are addresses that answer 200 in newWorld.
var pages = []string{
	"/api/v1/openapi.json",
	"/api/v1/status",
	"/api/v1/datasets",
	"/api/v1/datasets?q=suv&theme=environment&sort=name&limit=5",
	"/api/v1/datasets/main_water",
	"/api/v1/datasets/main_names",
	"/api/v1/datasets/main_water/releases",
	"/api/v1/tables/main_water/water/rows",
	"/api/v1/tables/main_water/book/rows?sheet=Shahar",
	"/dataset/main_water/datapackage.json",
	"/dataset/main_water/release/1.json",
	"/dataset/main_water/release/2/manifest.json",
	"/dataset/main_names/release/1.json",
	"/dataset/main_water/release/2/water.csv",
	"/dataset/main_water/release/1/water.csv",
	"/dataset/main_water/release/2/tables/book.xlsx",
	"/repository/metadata/timestamp.json",
	"/healthz",
	"/readyz",
	"/.well-known/koprik",
}

func TestEveryAddressAnswersGetAndHeadAlike(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	for _, page := range pages {
		got, head := get(t, h, page), ask(t, h, http.MethodHead, page)
		if got.Code != http.StatusOK || got.Body.Len() == 0 {
			t.Errorf("GET %s: %d %s", page, got.Code, got.Body)
		}
		if head.Code != got.Code || head.Header().Get("Content-Length") != got.Header().Get("Content-Length") {
			t.Errorf("HEAD %s: %d, %s bytes; GET %d, %s bytes", page,
				head.Code, head.Header().Get("Content-Length"), got.Code, got.Header().Get("Content-Length"))
		}
	}
}

func TestNothingCanBeChangedHere(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		for _, page := range pages {
			rec := ask(t, h, method, page)
			refused(t, rec, http.StatusMethodNotAllowed, "method")
			if rec.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: Allow %q", method, page, rec.Header().Get("Allow"))
			}
		}
	}
}

func TestEveryAnswerMayBeReadFromAnyPageAndNeverRuns(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	for _, page := range append(pages, "/nowhere", "/dataset/main_water/release/2/docs/o%CA%BBqing.html") {
		got := get(t, h, page).Header()
		if got.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: not open to other origins", page)
		}
		if got.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(got.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: a browser might run it: %v", page, got)
		}
	}
}

func TestEveryAnswerOfAViewNamesItsGenerationAndHowFreshItIs(t *testing.T) {
	for grade, after := range map[portal.Freshness]time.Duration{
		portal.Fresh: time.Hour, portal.Stale: 200 * 24 * time.Hour, portal.Old: 400 * 24 * time.Hour,
	} {
		w := newWorld()
		w.state.Expires = signedAt.Add(7 * 24 * time.Hour)
		o := w.options(io.Discard)
		o.Now = func() time.Time { return signedAt.Add(after) }
		status := o.Status
		o.Status = func(ctx context.Context) (portal.Status, error) {
			s, err := status(ctx)
			s.State = w.state
			s.Fresh = s.State.Grade(o.Now(), 0)
			return s, err
		}
		h := New(o)
		for _, page := range pages {
			if strings.Contains(page, "openapi") || strings.HasPrefix(page, "/repository") || page == "/healthz" {
				continue
			}
			rec := get(t, h, page)
			head := rec.Header()
			if head.Get("Koprik-Generation") != "12" || head.Get("Koprik-As-Of") != "2026-05-03T09:00:00Z" || head.Get("Koprik-Fresh") != string(grade) {
				t.Errorf("%s: %v", page, head)
			}
			if strings.HasPrefix(page, "/api/") && decoded[generation](t, rec) != (generation{12, "2026-05-03T09:00:00Z", grade}) {
				t.Errorf("%s: %s", page, rec.Body)
			}
		}
	}
}

func TestEveryViewIsClosed(t *testing.T) {
	w := newWorld()
	views := 0
	o := w.options(io.Discard)
	o.View = func(context.Context) (portal.View, error) { views++; return w, nil }
	h := New(o)
	for _, page := range append(pages, "/api/v1/datasets/main_absent", "/api/v1/datasets?x=1") {
		before := w.closed
		opened := views
		get(t, h, page)
		if views > opened && w.closed == before {
			t.Errorf("%s left its view open", page)
		}
	}
	if w.opened != 0 {
		t.Errorf("%d objects left open", w.opened)
	}
}

func TestAnUnchangedAnswerIsNotSentAgain(t *testing.T) {
	w := newWorld()
	h := New(w.options(io.Discard))
	for _, page := range pages {
		etag := get(t, h, page).Header().Get("ETag")
		if !strings.HasPrefix(etag, `"`) {
			t.Errorf("%s: ETag %q is not strong", page, etag)
			continue
		}
		for _, given := range []string{etag, `"other", ` + etag, "W/" + etag, "*"} {
			if rec := get(t, h, page, "If-None-Match", given); rec.Code != http.StatusNotModified || rec.Body.Len() > 0 {
				t.Errorf("%s with %s: %d", page, given, rec.Code)
			}
		}
		if rec := get(t, h, page, "If-None-Match", `"other"`); rec.Code != http.StatusOK {
			t.Errorf("%s with another ETag: %d", page, rec.Code)
		}
	}
	before := get(t, h, "/api/v1/datasets/main_water").Header().Get("ETag")
	w.state.Generation = 13
	if rec := get(t, h, "/api/v1/datasets/main_water", "If-None-Match", before); rec.Code != http.StatusOK {
		t.Errorf("the next generation answered %d", rec.Code)
	}
}

func TestJSONTravelsCompressedUnderAnETagOfItsOwn(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	const page = "/api/v1/datasets/main_water"
	plain, packed := get(t, h, page), get(t, h, page, "Accept-Encoding", "gzip")
	if packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("not compressed: %v", packed.Header())
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) {
		t.Errorf("unpacks to something else: %v", err)
	}
	etag := packed.Header().Get("ETag")
	if etag == plain.Header().Get("ETag") {
		t.Error("two encodings share one strong ETag")
	}
	if rec := get(t, h, page, "Accept-Encoding", "gzip", "If-None-Match", etag); rec.Code != http.StatusNotModified {
		t.Errorf("asked again with %s: %d", etag, rec.Code)
	}
}

func TestBadAddressesAreAnsweredInWords(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	long := strings.Repeat("a", maxAddress)
	for _, c := range []struct {
		target string
		status int
		code   string
		where  string
	}{
		{"/nowhere", 404, "not_found", "/nowhere"},
		{"/api/v1/", 404, "not_found", "/api/v1/"},
		{"/api/v2/datasets", 404, "not_found", "/api/v2/datasets"},
		{"/api/v1//datasets", 404, "not_found", "/api/v1//datasets"},
		{"/api/v1/datasets?q=" + long, 400, "usage", "address"},
		{"/api/v1/datasets?q=%zz", 400, "usage", "query"},
		{"/api/v1/datasets?q=a;b", 400, "usage", "query"},
		{"/api/v1/datasets?=0", 400, "usage", "query"},
		{"/api/v1/datasets?q=%ff", 400, "usage", "query"},
		{"/api/v1/datasets?q=%00", 400, "usage", "query"},
		{"/api/v1/datasets?q=a&q=b", 400, "usage", "q"},
		{"/api/v1/datasets?q=" + strings.Repeat("a", portal.MaxQueryText+1), 400, "usage", "q"},
		{"/api/v1/datasets?lang=de", 400, "usage", "lang"},
		{"/api/v1/datasets?sort=random", 400, "usage", "sort"},
		{"/api/v1/datasets?limit=0", 400, "usage", "limit"},
		{"/api/v1/datasets?limit=1001", 400, "usage", "limit"},
		{"/api/v1/datasets?limit=-1", 400, "usage", "limit"},
		{"/api/v1/datasets?limit=99999999999999999999", 400, "usage", "limit"},
		{"/api/v1/datasets?cursor=x", 400, "usage", "cursor"},
		{"/api/v1/datasets?cursor=007", 400, "usage", "cursor"},
		{"/api/v1/datasets?cursor=100001", 400, "usage", "cursor"},
		{"/api/v1/datasets?publishr=main", 400, "usage", "publishr"},
		{"/api/v1/datasets?" + strings.Repeat("theme=health&", maxValues+1), 400, "usage", "theme"},
		{"/api/v1/datasets/main_water?x=1", 400, "usage", "x"},
		{"/api/v1/status?x=1", 400, "usage", "x"},
		{"/api/v1/datasets/Main_Water", 404, "not_found", "dataset"},
		{"/api/v1/datasets/water", 404, "not_found", "dataset"},
		{"/api/v1/datasets/root_water", 404, "not_found", "dataset"},
		{"/api/v1/datasets/main_absent", 404, "not_found", ""},
		{"/api/v1/datasets/..%2f..%2fetc", 404, "not_found", "/api/v1/datasets/../../etc"},
		{"/api/v1/tables/main_water/absent/rows", 404, "not_found", "table"},
		{"/api/v1/tables/main_water/water/rows?sheet=2", 404, "not_found", "sheet"},
		{"/api/v1/tables/main_water/book/rows?sheet=Yoʻq", 404, "not_found", "sheet"},
		{"/api/v1/tables/main_water/page/rows", 404, "not_found", "table page of main_water"},
		{"/api/v1/tables/main_water/water/rows?desc=maybe", 400, "usage", "desc"},
		{"/api/v1/tables/main_water/water/rows?year__like=1", 400, "usage", "year__like"},
		{"/api/v1/tables/main_water/water/rows?year=1", 400, "usage", "year"},
		{"/api/v1/tables/main_water/water/rows?columns=%22year", 400, "usage", "columns"},
		{"/api/v1/tables/main_water/water/rows?" + strings.Repeat("year__eq=1&", portal.MaxTableFilters+1), 400, "usage", "filters"},
		{"/api/v1/tables/main_names/water/rows", 410, "withdrawn", "main_names"},
		{"/dataset/main_water/release/0/water.csv", 404, "not_found", ""},
		{"/dataset/main_water/release/02/water.csv", 404, "not_found", "release"},
		{"/dataset/main_water/release/3/water.csv", 404, "not_found", ""},
		{"/dataset/main_water/release/99999999999999999999/water.csv", 404, "not_found", "release"},
		{"/dataset/main_water/release/2/absent.csv", 404, "not_found", "file"},
		{"/dataset/main_water/release/2/../../../etc/passwd", 404, "not_found", "file"},
		{"/dataset/main_water/release/2/", 404, "not_found", "/dataset/main_water/release/2/"},
	} {
		f := refused(t, get(t, h, strings.ReplaceAll(c.target, "ʻ", "%CA%BB")), c.status, c.code)
		if f.Error.Where != c.where {
			t.Errorf("%.80s: where %q, want %q", c.target, f.Error.Where, c.where)
		}
	}
}

func TestErrorsOfTheRoomsKeepTheirMeaning(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{portal.ErrUsage, 400, "usage"},
		{portal.ErrNotFound, 404, "not_found"},
		{portal.ErrGone, 410, "withdrawn"},
		{portal.ErrRejected, 422, "rejected"},
		{portal.ErrUnverified, 502, "unverified"},
		{portal.ErrTooMuch, 503, "too_much"},
		{portal.ErrLocked, 503, "locked"},
		{portal.ErrReadOnly, 503, "read_only"},
		{portal.ErrNoSpace, 507, "no_space"},
		{context.DeadlineExceeded, 503, "too_much"},
		{portal.Rejected("row 3", "no number"), 422, "rejected"},
		{errors.New("open /var/lib/koprik/catalog.db: disk I/O error"), 500, "internal"},
	} {
		w := newWorld()
		w.err = fmt.Errorf("below: %w", c.err)
		var log bytes.Buffer
		rec := get(t, New(w.options(&log)), "/api/v1/datasets")
		refused(t, rec, c.status, c.code)
		if logged := log.Len() > 0; logged != (c.status == 500) {
			t.Errorf("%v: logged %v", c.err, logged)
		}
		if strings.Contains(rec.Body.String(), "/var/lib") {
			t.Errorf("tells strangers the paths of this machine: %s", rec.Body)
		}
		if rec.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%v may be cached", c.err)
		}
	}
}

func TestWhoeverHasGoneGetsNoAnswerAndNoLogLine(t *testing.T) {
	w := newWorld()
	w.err = context.Canceled
	var log bytes.Buffer
	h := New(w.options(&log))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := &discard{header: http.Header{}}
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/datasets", nil)
	h.ServeHTTP(rec, r)
	if log.Len() > 0 || rec.wrote {
		t.Errorf("wrote %v, logged %q", rec.wrote, log.String())
	}
}

type discard struct {
	header http.Header
	wrote  bool
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { d.wrote = true; return len(b), nil }
func (d *discard) WriteHeader(int)             { d.wrote = true }

func TestANodeWithoutACatalogueIsAliveButNotReady(t *testing.T) {
	o := newWorld().options(io.Discard)
	o.View = func(context.Context) (portal.View, error) { return nil, errors.New("still opening") }
	h := New(o)
	if rec := get(t, h, "/healthz"); rec.Code != http.StatusOK {
		t.Errorf("/healthz: %d", rec.Code)
	}
	refused(t, get(t, h, "/readyz"), http.StatusServiceUnavailable, "not_ready")
}
