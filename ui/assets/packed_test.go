package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func unpack(t *testing.T, res *http.Response) []byte {
	t.Helper()
	var r io.Reader = res.Body
	var err error
	switch res.Header.Get("Content-Encoding") {
	case "gzip":
		r, err = gzip.NewReader(res.Body)
	case "zstd":
		r, err = zstd.NewReader(res.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestABodyIsTheSameInEveryForm(t *testing.T) {
	body := []byte(strings.Repeat("Oʻzbekiston aholisi. ", 200))
	p, err := Pack(body)
	if err != nil {
		t.Fatal(err)
	}
	kept := p
	kept.Plain = nil
	for accept, want := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "zstd": "zstd", "gzip;q=0": "", "br, zstd;q=0.5": "zstd", "gzip;q=0, zstd;q=0.0": "", "GZIP ; q=1": "gzip",
	} {
		for _, packed := range []Packed{p, kept} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Accept-Encoding", accept)
			rec := httptest.NewRecorder()
			packed.Send(rec, r, http.StatusOK)
			res := rec.Result()
			if got := res.Header.Get("Content-Encoding"); got != want {
				t.Errorf("%q is answered with %q, want %q", accept, got, want)
			}
			if !bytes.Equal(unpack(t, res), body) {
				t.Errorf("%q: another body", accept)
			}
			if res.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%q: no Vary", accept)
			}
		}
	}
}

func TestHeadHasNoBody(t *testing.T) {
	p, err := Pack([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	p.Send(rec, httptest.NewRequest(http.MethodHead, "/", nil), http.StatusOK)
	if rec.Body.Len() > 0 || rec.Header().Get("Content-Length") != "1" {
		t.Errorf("%d bytes, %v", rec.Body.Len(), rec.Header())
	}
}
