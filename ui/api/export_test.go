package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

// press is an Exporter that writes what it was told, and may fail.
type press struct {
	asked   portal.TableQuery
	file    portal.Export
	sheet   string
	calls   int
	before  error         // of the query
	after   error         // in the middle
	waiting chan struct{} // held until closed
	inside  chan struct{} // told once one is at work
}

func (p *press) ExportVersion() string { return "1.2" }

func (p *press) Export(_ context.Context, w io.Writer, _ portal.Resource, sheet string, q portal.TableQuery, e portal.Export) error {
	if p.waiting != nil {
		p.inside <- struct{}{}
		<-p.waiting
	} else {
		p.asked, p.file, p.sheet = q, e, sheet
		p.calls++
	}
	if p.before != nil {
		return p.before
	}
	if _, err := fmt.Fprintln(w, e.From.String()); err != nil {
		return err
	}
	return p.after
}

func pressed(t *testing.T) (*press, *world, http.Handler) {
	t.Helper()
	w, p := newWorld(), &press{}
	o := w.options(io.Discard)
	o.Exporter = p
	return p, w, New(o)
}

const exportOf = "/api/v1/tables/main_water/water/export?"

func TestAnExportSaysOfWhichReleaseItIsAndWhereItIsMadeAgain(t *testing.T) {
	p, w, h := pressed(t)
	rec := get(t, h, exportOf+"format=csv&separator=semicolon&decimal=comma&lang=ru&year__ge=2014&sort=year__desc&columns=year,water&limit=10")
	if rec.Code != http.StatusOK {
		t.Fatal(rec.Code, rec.Body)
	}
	want := portal.TableQuery{
		Columns: []string{"year", "water"}, Limit: 10, Order: []portal.TableOrder{{By: "year", Desc: true}},
		Filters: []portal.TableFilter{{Column: "year", Op: portal.OpLeast, Values: []string{"2014"}}},
	}
	if diff := cmp.Diff(want, p.asked); diff != "" {
		t.Error(diff)
	}
	d := w.datasets["main_water"]
	from := portal.Provenance{
		Dataset: "main_water", Release: 2, Fingerprint: d.Manifest,
		Address: "/api/v1/tables/main_water/water/export?columns=year%2Cwater&decimal=comma&format=csv&lang=ru&limit=10&release=2&separator=semicolon&sort=year__desc&v=1.2&year__ge=2014",
	}
	if p.file.From != from || p.file.Release.Number != 2 || p.file.Separator != ';' || !p.file.DecimalComma || p.file.Lang != portal.Russian {
		t.Errorf("%+v", p.file)
	}
	for name, want := range map[string]string{
		"Koprik-Dataset": "main_water", "Koprik-Release": "2", "Koprik-Fingerprint": d.Manifest.Hex(), "Koprik-Generation": "12", "Koprik-Fresh": "STALE",
		"Content-Type": "text/csv; charset=utf-8; header=present", "Content-Disposition": "attachment; filename=main_water_r2_part.csv",
	} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	again := get(t, h, from.Address)
	if again.Body.String() != rec.Body.String() || again.Header().Get("ETag") != rec.Header().Get("ETag") {
		t.Error("the address in the file makes another file")
	}
	if w.closed != 2 && w.closed != 4 {
		t.Errorf("views closed %d times", w.closed)
	}
}

func TestAnExportThatTheReaderHasIsNotMadeAgain(t *testing.T) {
	p, _, h := pressed(t)
	tag := get(t, h, exportOf+"format=json").Header().Get("ETag")
	for _, tag := range []string{tag, strings.TrimSuffix(tag, `"`) + `-gzip"`} {
		if rec := get(t, h, exportOf+"format=json", "If-None-Match", tag); rec.Code != http.StatusNotModified || p.calls != 1 {
			t.Errorf("%d, made %d times", rec.Code, p.calls)
		}
	}
	if other := get(t, h, exportOf+"format=json&release=1").Header().Get("ETag"); other == tag {
		t.Error("two releases have one tag")
	}
}

func TestEveryWrongExportIsAnsweredInWords(t *testing.T) {
	_, _, h := pressed(t)
	for raw, where := range map[string]string{
		"": "format", "format=xls": "format", "format=csv&format=csv": "format", "format=csv&release=0": "release", "format=csv&lang=de": "lang",
		"format=csv&separator=%7C": "separator", "format=json&separator=tab": "separator", "format=csv&decimal=comma": "decimal", "format=csv&decimal=x": "decimal",
		"format=xlsx&bare=1": "bare", "format=csv&bare=yes": "bare", "format=csv&after=x": "after", "format=csv&facet=year": "facet", "format=csv&colour=red": "colour",
		"format=csv&year__is=5": "year__is", "format=csv&desc=maybe": "desc", "format=csv&limit=many": "limit", "format=csv&x=%FF": "query",
	} {
		if f := refused(t, get(t, h, exportOf+raw), http.StatusBadRequest, "usage"); f.Error.Where != where {
			t.Errorf("%s: where is %q: %s", raw, f.Error.Where, f.Error.Message)
		}
	}
	long := exportOf + "format=csv&a__eq=" + strings.Repeat(url.QueryEscape("ў"), 700) + "&b__eq=" + strings.Repeat("'", 4000)
	refused(t, get(t, h, long), http.StatusBadRequest, "usage")
	refused(t, get(t, h, exportOf+"format=csv&release=7"), http.StatusNotFound, "not_found")
	refused(t, get(t, h, exportOf+"format=csv&v=0.9"), http.StatusNotFound, "not_found")
	refused(t, get(t, h, exportOf+"format=csv&sheet=x"), http.StatusNotFound, "not_found")
	refused(t, get(t, h, "/api/v1/tables/main_water/absent/export?format=csv"), http.StatusNotFound, "not_found")
	refused(t, get(t, h, "/api/v1/tables/main_water/page/export?format=csv"), http.StatusNotFound, "not_found")
	refused(t, get(t, h, "/api/v1/tables/main_water/big/export?format=csv"), http.StatusNotFound, "not_held")
	refused(t, get(t, h, "/api/v1/tables/main_names/water/export?format=csv&release=1"), http.StatusGone, "withdrawn")
	refused(t, get(t, New(newWorld().options(io.Discard)), exportOf+"format=csv"), http.StatusNotFound, "not_found")
}

func TestAnExportThatCannotBeginIsAnErrorAndOneThatBreaksOffIsNoFile(t *testing.T) {
	p, _, h := pressed(t)
	p.before = &portal.Problem{Kind: portal.ErrUsage, Where: "filter", Message: "no column"}
	rec := get(t, h, exportOf+"format=csv")
	if f := refused(t, rec, http.StatusBadRequest, "usage"); f.Error.Message != "no column" || rec.Header().Get("Content-Disposition") != "" {
		t.Errorf("%+v", f)
	}
	p.before, p.after = nil, errors.New("the disk broke")
	server := httptest.NewServer(h)
	defer server.Close()
	for _, encoding := range []string{"identity", "gzip"} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+exportOf+"format=csv", nil)
		r.Header.Set("Accept-Encoding", encoding)
		answer, err := server.Client().Do(r)
		if err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: half a file looks whole", encoding)
		}
	}
}

func TestTheHeadOfAnExportIsCheckedAndHasNoBody(t *testing.T) {
	p, _, h := pressed(t)
	rec := ask(t, h, http.MethodHead, exportOf+"format=parquet")
	if rec.Code != http.StatusOK || rec.Body.Len() > 0 || rec.Header().Get("Content-Type") != "application/vnd.apache.parquet" {
		t.Error(rec.Code, rec.Body, rec.Header())
	}
	p.before = portal.ErrUsage
	if rec := ask(t, h, http.MethodHead, exportOf+"format=parquet"); rec.Code != http.StatusBadRequest {
		t.Error(rec.Code)
	}
}

func TestFewExportsAreMadeAtOnceAndNobodyHasThemAll(t *testing.T) {
	p := &press{waiting: make(chan struct{}), inside: make(chan struct{})}
	o := newWorld().options(io.Discard)
	o.Exporter = p
	o.View = func(context.Context) (portal.View, error) { return newWorld(), nil } // a world counts, for one reader
	h := New(o)
	done := make(chan int)
	from := func(host string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, exportOf+"format=csv", nil)
		r.RemoteAddr = host + ":1"
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec
	}
	start := func(host string) {
		go func() { done <- from(host).Code }()
		<-p.inside
	}
	start("10.0.0.1")
	start("10.0.0.1")
	rec := from("10.0.0.1")
	refused(t, rec, http.StatusServiceUnavailable, "too_much")
	if rec.Header().Get("Retry-After") == "" || rec.Header().Get("ETag") != "" {
		t.Error(rec.Header())
	}
	start("10.0.0.2")
	start("10.0.0.2")
	refused(t, from("10.0.0.3"), http.StatusServiceUnavailable, "too_much")
	close(p.waiting)
	for range maxExports {
		if code := <-done; code != http.StatusOK {
			t.Error(code)
		}
	}
}

func TestAReaderHasAnAllowanceThatFillsAgain(t *testing.T) {
	var turns turns
	at := signedAt
	now := func() time.Time { return at }
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for n := range exportBurst {
		done, err := turns.begin(r, now)
		if err != nil {
			t.Fatal(n, err)
		}
		done()
	}
	if _, err := turns.begin(r, now); !errors.Is(err, portal.ErrTooMuch) {
		t.Error(err)
	}
	at = at.Add(exportEvery)
	if _, err := turns.begin(r, now); err != nil {
		t.Error(err)
	}
	for n := range 3 * maxReaders {
		r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:1", n>>8, n&255)
		if done, err := turns.begin(r, now); err == nil {
			done()
		}
	}
	if len(turns.readers) > maxReaders {
		t.Errorf("%d addresses are remembered", len(turns.readers))
	}
}

func FuzzExportAddressesHaveOneSpelling(f *testing.F) {
	f.Add("format=csv&separator=semicolon&year__ge=2014&sort=a,b__desc")
	f.Add("format=ndjson&bare=1&columns=a,%22b,c%22&r__in=a,b")
	f.Fuzz(func(t *testing.T, raw string) {
		req, err := parseExport(raw)
		if err != nil {
			return
		}
		req.release, req.version = max(req.release, 1), "1"
		address := req.address("main_water", "water")
		_, query, _ := strings.Cut(address, "?")
		again, err := parseExport(query)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		if got := again.address("main_water", "water"); got != address {
			t.Errorf("%s\n%s", address, got)
		}
	})
}
