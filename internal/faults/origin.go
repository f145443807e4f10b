package faults

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// Origin serves a repository folder as a static web server does, with ETags, ranges
// and conditions, and lies where it is told to. It is an http.Handler; behind
// http.StripPrefix it can stand at any address. It is safe for concurrent use.
type Origin struct {
	mu       sync.Mutex
	repo     fs.FS
	rules    []*rule
	requests []*Request
}

// Request is what a client asked for, and got.
type Request struct {
	Method    string
	Path      string // without the first slash
	Range     string // the header, as sent
	Condition string // If-None-Match or If-Range, as sent
	Status    int    // 0 until it is answered
	Sent      int64  // bytes of the body
}

// rule is a lie about some paths.
type rule struct {
	pattern string // path.Match
	left    int    // requests it still holds for; negative: all
	lies    []Lie
}

// NewOrigin gives an honest origin.
func NewOrigin(repo fs.FS) *Origin { return &Origin{repo: repo} }

// Serve gives the repository as it is from now on.
func (o *Origin) Serve(repo fs.FS) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.repo = repo
}

// Lie tells lies about the paths that match a pattern of path.Match, from now on
// and with every request. The newest rule that matches holds, alone.
func (o *Origin) Lie(pattern string, lies ...Lie) { o.LieTimes(-1, pattern, lies...) }

// LieTimes is Lie for the next n requests only.
func (o *Origin) LieTimes(n int, pattern string, lies ...Lie) {
	if _, err := path.Match(pattern, ""); err != nil {
		panic("faults: pattern " + pattern + ": " + err.Error()) // a mistake in the test
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rules = append(o.rules, &rule{pattern, n, lies})
}

// BeHonest ends all lies.
func (o *Origin) BeHonest() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rules = nil
}

// Requests gives what was asked for until now, in order.
func (o *Origin) Requests() []Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := make([]Request, len(o.requests))
	for i, r := range o.requests {
		list[i] = *r
	}
	return list
}

// Forget empties the record of requests.
func (o *Origin) Forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = nil
}

// ServeHTTP answers GET and HEAD.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	record := &Request{
		Method: r.Method, Path: name, Range: r.Header.Get("Range"),
		Condition: r.Header.Get("If-None-Match") + r.Header.Get("If-Range"),
	}
	repo, lies := o.begin(record)
	out := &wire{ResponseWriter: w, origin: o, record: record, request: r, cutAfter: -1, stallAfter: -1}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(out, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	a := &Answer{Path: name, Header: w.Header(), CutAfter: -1, StallAfter: -1}
	a.read(repo)
	for _, lie := range lies {
		lie(a)
	}
	out.cutAfter, out.stallAfter = a.CutAfter, a.StallAfter
	out.write(a)
}

// begin records a request and says what it gets.
func (o *Origin) begin(record *Request) (fs.FS, []Lie) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = append(o.requests, record)
	for i := len(o.rules) - 1; i >= 0; i-- {
		rule := o.rules[i]
		if ok, _ := path.Match(rule.pattern, record.Path); !ok || rule.left == 0 {
			continue
		}
		if rule.left > 0 {
			rule.left--
		}
		return o.repo, rule.lies
	}
	return o.repo, nil
}

// read begins with the truth of a repository.
func (a *Answer) read(repo fs.FS) {
	body, err := fs.ReadFile(repo, a.Path)
	if err != nil {
		a.Status, a.Body = http.StatusNotFound, nil
		a.Header.Del("ETag")
		return
	}
	sum := sha256.Sum256(body)
	a.Status, a.Body = http.StatusOK, body
	a.Header.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
}

// wire is the way to the client: it counts, and breaks off or falls silent.
type wire struct {
	http.ResponseWriter
	origin     *Origin
	record     *Request
	request    *http.Request
	cutAfter   int64
	stallAfter int64
}

func (w *wire) write(a *Answer) {
	switch {
	case a.Status != http.StatusOK:
		a.Header.Del("ETag")
		http.Error(w, http.StatusText(a.Status), a.Status)
	case a.Endless:
		w.WriteHeader(http.StatusOK)
		w.endless(a.Body)
	default:
		if a.NoRanges {
			w.request.Header.Del("Range")
		}
		http.ServeContent(w, w.request, a.Path, time.Time{}, bytes.NewReader(a.Body))
	}
}

func (w *wire) endless(chunk []byte) {
	for w.request.Method != http.MethodHead {
		if _, err := w.Write(chunk); err != nil {
			return
		}
		chunk = make([]byte, 4096)
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *wire) WriteHeader(code int) {
	w.origin.mu.Lock()
	w.record.Status = code
	w.origin.mu.Unlock()
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *wire) Write(p []byte) (int, error) {
	w.origin.mu.Lock()
	sent := w.record.Sent
	ends := w.cutAfter >= 0 && sent+int64(len(p)) >= w.cutAfter
	stalls := w.stallAfter >= 0 && sent+int64(len(p)) >= w.stallAfter
	switch {
	case ends:
		p = p[:w.cutAfter-sent]
	case stalls:
		p = p[:w.stallAfter-sent]
	}
	w.record.Sent += int64(len(p)) // before they go, so that who has read them finds them counted
	w.origin.mu.Unlock()
	n, err := w.ResponseWriter.Write(p)
	if !ends && !stalls || err != nil {
		return n, err
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush() // an error: the client is gone already
	if ends {
		panic(http.ErrAbortHandler) // net/http's way to drop the connection
	}
	<-w.request.Context().Done()
	return n, errors.New("the client gave up")
}
