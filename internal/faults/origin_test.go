package faults_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"koprik/internal/faults"
)

const (
	rootPath = "metadata/1.root.json"
	headPath = "metadata/timestamp.json"
	objPath  = "objects/3f/3fab.zst"
)

func repository(version string) fstest.MapFS {
	return fstest.MapFS{
		rootPath: {Data: []byte("root")},
		headPath: {Data: []byte("timestamp " + version)},
		objPath:  {Data: []byte("0123456789")},
	}
}

func TestHonestOriginServesWhatThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := faults.NewOrigin(repository("1"))
		w := newWorld(t, &faults.Link{}, o)
		tests := []struct {
			path, ranges string
			status       int
			body         string
		}{
			{headPath, "", 200, "timestamp 1"},
			{objPath, "bytes=4-", 206, "456789"},
			{objPath, "bytes=2-3", 206, "23"},
			{objPath, "bytes=10-", 416, ""},
			{"metadata/2.root.json", "", 404, ""},
			{"metadata", "", 404, ""},
			{"../etc/passwd", "", 404, ""},
		}
		for _, tt := range tests {
			status, body, err := w.get(t, tt.path, tt.ranges)
			if err != nil || status != tt.status || tt.body != "" && string(body) != tt.body {
				t.Errorf("%s %s: %d %q, %v", tt.path, tt.ranges, status, body, err)
			}
		}
		got := o.Requests()
		want := faults.Request{Method: "GET", Path: objPath, Range: "bytes=4-", Status: 206, Sent: 6}
		if len(got) != len(tests) || got[1] != want {
			t.Errorf("%d requests were recorded; the second is %+v, want %+v", len(got), got[1], want)
		}
		o.Forget()
		if n := len(o.Requests()); n != 0 {
			t.Errorf("%d requests were not forgotten", n)
		}
		o.Serve(repository("2"))
		if _, body, _ := w.get(t, headPath, ""); string(body) != "timestamp 2" {
			t.Errorf("of the repository as it is now: %q", body)
		}
	})
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	o := faults.NewOrigin(repository("1"))
	first := httptest.NewRecorder()
	o.ServeHTTP(first, httptest.NewRequest("GET", "/"+headPath, nil))
	etag := first.Header().Get("ETag")
	ask := func(header, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/"+headPath, nil)
		r.Header.Set(header, value)
		r.Header.Set("Range", "bytes=9-")
		w := httptest.NewRecorder()
		o.ServeHTTP(w, r)
		return w
	}
	if got := ask("If-None-Match", etag).Code; got != http.StatusNotModified {
		t.Errorf("unchanged: %d", got)
	}
	if got := ask("If-Range", etag).Body.String(); got != " 1" {
		t.Errorf("the rest of an unchanged file: %q", got)
	}
	o.Serve(repository("2"))
	if got := ask("If-Range", etag).Body.String(); got != "timestamp 2" {
		t.Errorf("the rest of a changed file: %q", got)
	}
	last := o.Requests()[3]
	if last.Condition != etag || last.Status != 200 || last.Sent != 11 {
		t.Errorf("recorded: %+v", last)
	}
}

func TestOriginLies(t *testing.T) {
	old := repository("0")
	delete(old, objPath)
	tests := []struct {
		name   string
		lies   []faults.Lie
		path   string
		ranges string
		status int
		body   string
		cut    bool
	}{
		{"flips a byte", []faults.Lie{faults.FlipByte(0)}, objPath, "", 200, "\xcf123456789", false},
		{"flips a byte of a range", []faults.Lie{faults.FlipByte(-1)}, objPath, "bytes=8-", 206, "8\xc6", false},
		{"flips a byte that is not there", []faults.Lie{faults.FlipByte(10)}, objPath, "", 200, "0123456789", false},
		{"truncates", []faults.Lie{faults.Truncate(3)}, objPath, "", 200, "012", false},
		{"appends", []faults.Lie{faults.Append([]byte("!"))}, objPath, "", 200, "0123456789!", false},
		{"replaces", []faults.Lie{faults.Replace([]byte("x"))}, "metadata/9.root.json", "", 200, "x", false},
		{"gives an older version", []faults.Lie{faults.Older(old)}, headPath, "", 200, "timestamp 0", false},
		{"hides what an older version lacks", []faults.Lie{faults.Older(old)}, objPath, "", 404, "Not Found\n", false},
		{"says 500", []faults.Lie{faults.Status(500)}, objPath, "", 500, "Internal Server Error\n", false},
		{"cuts", []faults.Lie{faults.CutAfter(4)}, objPath, "", 200, "0123", true},
		{"cuts a range", []faults.Lie{faults.CutAfter(2)}, objPath, "bytes=5-", 206, "56", true},
		{"cuts before the first byte", []faults.Lie{faults.CutAfter(0)}, objPath, "", 200, "", true},
		{"ignores ranges", []faults.Lie{faults.WithoutRanges()}, objPath, "bytes=5-", 200, "0123456789", false},
		{"lies twice", []faults.Lie{faults.Truncate(3), faults.FlipByte(1)}, objPath, "", 200, "0\xce2", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := faults.NewOrigin(repository("1"))
				w := newWorld(t, &faults.Link{}, o)
				o.Lie(tt.path, tt.lies...)
				status, body, err := w.get(t, tt.path, tt.ranges)
				if status != tt.status || string(body) != tt.body || errors.Is(err, io.ErrUnexpectedEOF) != tt.cut {
					t.Errorf("%d %q, %v", status, body, err)
				}
				if got := o.Requests()[0]; got.Status != tt.status || got.Sent != int64(len(tt.body)) {
					t.Errorf("recorded: %+v", got)
				}
				if _, body, err := w.get(t, rootPath, ""); string(body) != "root" || err != nil {
					t.Errorf("the lie spread: %q, %v", body, err)
				}
				o.BeHonest()
				if status, _, err := w.get(t, objPath, ""); status != 200 || err != nil {
					t.Errorf("honest again: %d, %v", status, err)
				}
			})
		})
	}
}

func TestNewestRuleHoldsAndEndsAfterItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := faults.NewOrigin(repository("1"))
		w := newWorld(t, &faults.Link{}, o)
		o.Lie("*/*/*.zst", faults.Truncate(1))
		o.LieTimes(2, objPath, faults.Status(503))
		for i, want := range []int{503, 503, 200} {
			status, body, err := w.get(t, objPath, "")
			if status != want || err != nil || want == 200 && string(body) != "0" {
				t.Errorf("request %d: %d %q, %v", i, status, body, err)
			}
		}
	})
}

func TestStallEndsWhenTheClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := faults.NewOrigin(repository("1"))
		w := newWorld(t, &faults.Link{}, o)
		o.Lie(objPath, faults.StallAfter(5))
		w.client.Timeout = time.Hour
		begin := time.Now()
		_, body, err := w.get(t, objPath, "")
		if !errors.Is(err, context.DeadlineExceeded) && !os.IsTimeout(err) || string(body) != "01234" {
			t.Errorf("%q, %v", body, err)
		}
		near(t, "the stall", time.Since(begin), time.Hour)
	})
}

func TestEndlessAnswerIsLimitedOnlyByTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := faults.NewOrigin(repository("1"))
		w := newWorld(t, &faults.Link{}, o)
		o.Lie(headPath, faults.Endless())
		res, err := w.client.Get("http://origin.example/" + headPath)
		if err != nil {
			t.Fatal(err)
		}
		const limit = 1 << 20
		body, err := io.ReadAll(io.LimitReader(res.Body, limit))
		if err != nil || len(body) != limit || !bytes.HasPrefix(body, []byte("timestamp 1\x00")) {
			t.Errorf("%d bytes, %v", len(body), err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOriginOnlyGives(t *testing.T) {
	o := faults.NewOrigin(repository("1"))
	for method, want := range map[string]int{"HEAD": 200, "POST": 405, "DELETE": 405} {
		w := httptest.NewRecorder()
		o.ServeHTTP(w, httptest.NewRequest(method, "/"+headPath, strings.NewReader("x")))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", method, w.Code, want)
		}
	}
}

func TestPatternOfALieMustBeOne(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a pattern that is none was taken")
		}
	}()
	faults.NewOrigin(nil).Lie("[", faults.Truncate(0))
}
