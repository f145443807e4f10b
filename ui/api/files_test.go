package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"

	"koprik/portal"
)

const csvAt = "/dataset/main_water/release/2/water.csv"

func TestAFileIsTheOriginalBytesUnderItsHash(t *testing.T) {
	rec := get(t, New(newWorld().options(io.Discard)), csvAt)
	if !bytes.Equal(rec.Body.Bytes(), csvBytes) {
		t.Errorf("body %q", rec.Body)
	}
	sum := sha256.Sum256(csvBytes)
	for header, want := range map[string]string{
		"ETag":                `"` + portal.Digest(sum).Hex() + `"`,
		"Repr-Digest":         "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":",
		"Content-Length":      "31",
		"Content-Type":        "text/csv; charset=utf-8",
		"Content-Disposition": "attachment; filename=water.csv",
		"Cache-Control":       "public, max-age=31536000, immutable",
		"Accept-Ranges":       "bytes",
		"Last-Modified":       "Thu, 30 Apr 2026 12:00:00 GMT",
	} {
		if got := rec.Header().Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}

func TestACutDownloadResumesAtTheByte(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	etag := get(t, h, csvAt).Header().Get("ETag")
	rec := get(t, h, csvAt, "Range", "bytes=10-", "If-Range", etag)
	if rec.Code != http.StatusPartialContent || !bytes.Equal(rec.Body.Bytes(), csvBytes[10:]) {
		t.Errorf("%d %q", rec.Code, rec.Body)
	}
	if rec.Header().Get("Repr-Digest") == "" {
		t.Error("a part does not say the digest of the whole")
	}
	if rec := get(t, h, csvAt, "Range", "bytes=10-", "If-Range", `"other"`); rec.Code != http.StatusOK {
		t.Errorf("another version's rest: %d", rec.Code)
	}
	if rec := get(t, h, csvAt, "Range", "bytes=100-"); rec.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", rec.Code)
	}
	if rec := get(t, h, csvAt, "Range", "bytes=0-1,4-5"); rec.Code != http.StatusOK || rec.Body.Len() != len(csvBytes) {
		t.Errorf("several ranges: %d, %d bytes", rec.Code, rec.Body.Len())
	}
}

func TestAnUploadedPageIsSavedAndNeverShown(t *testing.T) {
	rec := get(t, New(newWorld().options(io.Discard)), "/dataset/main_water/release/2/docs/o%CA%BBqing.html")
	if rec.Code != http.StatusOK || !bytes.Equal(rec.Body.Bytes(), htmlBytes) {
		t.Fatalf("%d %q", rec.Code, rec.Body)
	}
	kind, params, err := mime.ParseMediaType(rec.Header().Get("Content-Disposition"))
	if err != nil || kind != "attachment" || params["filename"] != "oʻqing.html" {
		t.Errorf("disposition %q: %v", rec.Header().Get("Content-Disposition"), err)
	}
	csp := rec.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, "sandbox") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "allow-scripts") {
		t.Errorf("policy %q", csp)
	}
	if rec.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a browser may guess another type")
	}
}

func TestAFileIsNeverCompressedOnTheWay(t *testing.T) {
	rec := get(t, New(newWorld().options(io.Discard)), csvAt, "Accept-Encoding", "gzip, zstd")
	if rec.Header().Get("Content-Encoding") != "" || rec.Header().Get("Content-Length") != "31" {
		t.Errorf("%v", rec.Header())
	}
}

func TestWithdrawnBytesAnswerGoneWithTheReason(t *testing.T) {
	w := newWorld()
	h := New(w.options(io.Discard))
	for _, at := range []string{
		"/dataset/main_names/release/1/water.csv",
		"/dataset/main_names/release/2/water.csv",
		"/dataset/main_names/datapackage.json",
	} {
		f := refused(t, get(t, h, at), http.StatusGone, "withdrawn")
		if f.Reason == nil || f.Reason.Plain != "Held names of persons" || f.Reason.Translated[portal.Russian] == "" {
			t.Errorf("%s: reason %+v", at, f.Reason)
		}
		page := get(t, h, at, "Accept", "text/html,*/*;q=0.8")
		if page.Code != http.StatusGone || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/plain") ||
			!strings.Contains(page.Body.String(), "Содержал имена") {
			t.Errorf("%s for a person: %d %s", at, page.Code, page.Body)
		}
	}
	if rec := get(t, h, "/dataset/main_names/release/1.json"); rec.Code != http.StatusOK {
		t.Errorf("the signed manifest of a withdrawn dataset: %d", rec.Code)
	}
}

func TestBytesTakenBackStayGoneWhenTheDatasetReturns(t *testing.T) {
	w := newWorld()
	d := w.datasets["main_names"]
	tombstone := d.Latest
	back := w.releases["main_water/2"]
	back.Dataset, back.Number = "main_names", 3
	before := w.releases["main_names/1"]
	before.Resources = []portal.Resource{{Path: "names.csv", Bytes: 9, Hash: portal.DigestOf([]byte("names"))}}
	d.Latest, d.History = back, nil
	w.add(d, before, tombstone, back)
	h := New(w.options(io.Discard))
	refused(t, get(t, h, "/dataset/main_names/release/1/names.csv"), http.StatusGone, "withdrawn")
	refused(t, get(t, h, "/dataset/main_names/release/2/names.csv"), http.StatusGone, "withdrawn")
	if rec := get(t, h, "/dataset/main_names/release/3/water.csv"); rec.Code != http.StatusOK {
		t.Errorf("the new release: %d", rec.Code)
	}
}

func TestAFileThatIsElsewhereIsAnsweredWithItsSizeAndPlace(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	const at = "/dataset/main_water/release/2/big.zip"
	f := refused(t, get(t, h, at), http.StatusNotFound, "not_held")
	if f.Bytes != 3_200_000 || f.Hash != portal.DigestOf([]byte("elsewhere")).String() || f.Upstream != "https://data.example" {
		t.Errorf("%+v", f)
	}
	page := get(t, h, at, "Accept", "text/html").Body.String()
	for _, want := range []string{"3200000 bytes", f.Hash, "https://data.example"} {
		if !strings.Contains(page, want) {
			t.Errorf("a person does not read %q in:\n%s", want, page)
		}
	}
}

func TestBytesOfAnotherLengthThanSignedAreNotGivenOut(t *testing.T) {
	w := newWorld()
	w.objects[portal.DigestOf(csvBytes)] = csvBytes[:20]
	var log bytes.Buffer
	refused(t, get(t, New(w.options(&log)), csvAt), http.StatusInternalServerError, "internal")
	if !strings.Contains(log.String(), "20 bytes held, 31 signed") {
		t.Errorf("log %q", &log)
	}
}

func TestASlowDownloadDoesNotHoldTheGeneration(t *testing.T) {
	w := newWorld()
	h := New(w.options(io.Discard))
	closedAtFirstByte := -1
	rec := &spy{header: http.Header{}, onWrite: func() { closedAtFirstByte = w.closed }}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, csvAt, nil)
	h.ServeHTTP(rec, r)
	if closedAtFirstByte < 1 {
		t.Errorf("the view was still open when the first byte went out (%d)", closedAtFirstByte)
	}
}

type spy struct {
	header  http.Header
	onWrite func()
}

func (s *spy) Header() http.Header { return s.header }
func (s *spy) WriteHeader(int)     {}
func (s *spy) Write(b []byte) (int, error) {
	s.onWrite()
	return len(b), nil
}

func TestTheManifestIsByteForByteWhatWasSigned(t *testing.T) {
	w := newWorld()
	h := New(w.options(io.Discard))
	for _, at := range []string{"/dataset/main_water/release/1.json", "/dataset/main_water/release/1/manifest.json"} {
		rec := get(t, h, at)
		want := w.manifests["main_water/1"]
		if !bytes.Equal(rec.Body.Bytes(), want) || rec.Header().Get("Repr-Digest") != reprDigest(portal.DigestOf(want)) {
			t.Errorf("%s: %s %v", at, rec.Body, rec.Header())
		}
	}
}

func TestAFileCalledManifestKeepsItsAddressAndHidesNothing(t *testing.T) {
	w := newWorld()
	d := w.datasets["main_water"]
	d.History = nil
	d.Latest.Resources = append(d.Latest.Resources, portal.Resource{
		Name: "m", Path: "manifest.json", Bytes: int64(len(csvBytes)), Hash: portal.DigestOf(csvBytes),
	})
	w.add(d, w.releases["main_water/1"], d.Latest)
	h := New(w.options(io.Discard))
	if rec := get(t, h, "/dataset/main_water/release/2/manifest.json"); !bytes.Equal(rec.Body.Bytes(), csvBytes) {
		t.Errorf("the file: %d %s", rec.Code, rec.Body)
	}
	if rec := get(t, h, "/dataset/main_water/release/2.json"); !bytes.Equal(rec.Body.Bytes(), w.manifests["main_water/2"]) {
		t.Errorf("the manifest: %d %s", rec.Code, rec.Body)
	}
	if rec := get(t, h, "/dataset/main_water/release/1/manifest.json"); !bytes.Equal(rec.Body.Bytes(), w.manifests["main_water/1"]) {
		t.Errorf("the manifest before: %d %s", rec.Code, rec.Body)
	}
}

func TestWhatAPublisherDeclaresCannotBendTheHeaders(t *testing.T) {
	for _, c := range []struct {
		res  portal.Resource
		want string
	}{
		{portal.Resource{MediaType: "text/csv", Encoding: "windows-1251"}, "text/csv; charset=windows-1251"},
		{portal.Resource{MediaType: "text/csv;charset=koi8-r", Encoding: "utf-8"}, "text/csv; charset=koi8-r"},
		{portal.Resource{Format: "xlsx"}, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{portal.Resource{Format: "strange"}, "application/octet-stream"},
		{portal.Resource{MediaType: "text/html\r\nSet-Cookie: a=b", Format: "strange"}, "application/octet-stream"},
		{portal.Resource{MediaType: "html", Format: "csv"}, "text/csv; charset=utf-8"},
		{portal.Resource{MediaType: "text/csv", Encoding: "\r\nX: 1"}, "text/csv; charset*=utf-8''%0D%0AX%3A%201"},
	} {
		if got := mediaType(c.res); got != c.want {
			t.Errorf("%+v: %q, want %q", c.res, got, c.want)
		}
	}
}
