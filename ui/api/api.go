// Package api answers programs: the JSON interface of version 1, data packages,
// the original files of releases, and the repository that mirrors follow.
//
// Everything here reads; nothing changes. What is served is listed, address by
// address, in openapi.json, which is also served as /api/v1/openapi.json.
package api

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"

	"koprik/portal"
)

// Options say what the interface reads from.
type Options struct {
	// View gives one generation, held still for one request. Mandatory.
	View func(context.Context) (portal.View, error)
	// Status tells how the node is. Mandatory.
	Status func(context.Context) (portal.Status, error)
	// Repository is the tree of signed metadata, manifests and compressed
	// objects, served under /repository/. Its files must be io.ReadSeekers.
	// Nil where this node publishes none: every address below is then 404.
	Repository fs.FS
	// Exporter makes files of tables. Nil where none are made.
	Exporter Exporter
	// SQL answers /api/v1/sql. Nil where it is not answered.
	SQL Querier
	// Held tells whether this node has the contents; nil: it has all.
	Held func(portal.Digest) bool
	// Count counts one use, unless it was no person's; nil: nothing is counted.
	Count func(r *http.Request, k portal.UsageKey)
	// Now is the trusted time (spec/trust.md); nil where ages are not told.
	Now func() time.Time
	// OldAfter is the age from which a copy is called old; 0 means
	// portal.DefaultOldAfter.
	OldAfter time.Duration
	// Log takes the errors nobody expected. Nil means slog.Default().
	Log *slog.Logger
}

// Limits of one request (guarantee 5).
const (
	maxAddress  = 8 << 10          // bytes of path and query together
	requestTime = 10 * time.Second // for the answer to be made, not for it to be sent
)

// New makes the handler. It answers GET and HEAD only, and keeps to one
// generation from the beginning of a request to its end.
func New(o Options) http.Handler {
	a := &api{o: o, log: o.Log}
	if a.log == nil {
		a.log = slog.Default()
	}
	r := mux.NewRouter().SkipClean(true)
	for _, route := range a.routes() {
		var h http.Handler = a.answer(route.handle)
		if route.path == exportPath {
			h = a.answerWithin(exportTime, route.handle)
		}
		if route.compress {
			h = compressed(h)
		}
		r.Handle(route.path, h).Methods(http.MethodGet, http.MethodHead)
	}
	r.NotFoundHandler = a.answer(noRoute)
	r.MethodNotAllowedHandler = http.HandlerFunc(a.wrongMethod)
	a.router = r
	return a
}

type api struct {
	o      Options
	log    *slog.Logger
	router *mux.Router

	exports turns
}

// route is one address and what answers it.
type route struct {
	path     string
	handle   handler
	compress bool // JSON made here; files go out as they are
}

// handler answers one request or returns why not; it has then written nothing.
type handler func(http.ResponseWriter, *http.Request) error

func (a *api) routes() []route {
	const release = "/dataset/{slug}/release/{n:[0-9]+}"
	return []route{
		{"/api/v1/openapi.json", a.openapi, true},
		{"/api/v1/status", a.status, true},
		{"/api/v1/datasets", a.viewed(a.datasets), true},
		{"/api/v1/datasets/{slug}", a.viewed(a.dataset), true},
		{"/api/v1/datasets/{slug}/releases", a.viewed(a.releases), true},
		{"/api/v1/reuses", a.viewed(a.reuses), true},
		{"/api/v1/reuses/{id}", a.viewed(a.reuse), true},
		{"/api/v1/sql", a.viewed(a.sql), true},
		{"/api/v1/tables/{slug}/{name}", a.viewed(a.describeTables), true},
		{"/api/v1/tables/{slug}/{name}/rows", a.viewed(a.rows), true},
		{exportPath, a.viewed(a.export), true},
		{"/dataset/{slug}/datapackage.json", a.viewed(a.dataPackage), true},
		{release + ".json", a.viewed(a.manifest), true},
		{release + "/manifest.json", a.viewed(a.manifestOrFile), false},
		{release + "/{path:.+}", a.viewed(a.file), false},
		{"/repository/{path:.+}", a.repository, false},
		{"/healthz", a.healthz, false},
		{"/readyz", a.readyz, false},
		{"/.well-known/koprik", a.wellKnown, false},
	}
}

// exposed are the headers that programs on other pages may read.
const exposed = "Koprik-Generation, Koprik-As-Of, Koprik-Fresh, Koprik-Dataset, Koprik-Release, Koprik-Fingerprint, ETag, Repr-Digest, Content-Disposition, Content-Range, Accept-Ranges"

// ServeHTTP refuses what is too long before anything looks at it, and sets what
// every answer carries: programs on any page may read it, and nothing in it runs.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	if !strings.HasPrefix(r.URL.Path, "/repository/") { // mirrors read bytes, and pay for every one
		h.Set("Access-Control-Expose-Headers", exposed)
	}
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxAddress {
		a.fail(w, r, usage("address", "longer than %d bytes", maxAddress))
		return
	}
	a.router.ServeHTTP(w, r)
}

// answer turns the error of a handler into an answer.
func (a *api) answer(next handler) http.HandlerFunc { return a.answerWithin(requestTime, next) }

// answerWithin is answer for what may take longer.
func (a *api) answerWithin(most time.Duration, next handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), most)
		defer cancel()
		if err := next(w, r.WithContext(ctx)); err != nil {
			a.fail(w, r, err)
		}
	}
}

// viewed opens one generation for next and says in the headers which it is.
// The view is closed when next returns or, for a file that takes minutes to
// send, by next itself.
func (a *api) viewed(next func(http.ResponseWriter, *http.Request, portal.View) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := a.o.View(r.Context())
		if err != nil {
			return err
		}
		defer v.Close()
		a.stamp(w, v.State())
		return next(w, r, v)
	}
}

// stamp says which copy an answer was made from, and how fresh it is.
func (a *api) stamp(w http.ResponseWriter, s portal.CopyState) {
	w.Header().Set("Koprik-Generation", strconv.FormatInt(s.Generation, 10))
	if !s.AsOf.IsZero() {
		w.Header().Set("Koprik-As-Of", s.AsOf.UTC().Format(time.RFC3339))
	}
	if grade := a.grade(s); grade != "" {
		w.Header().Set("Koprik-Fresh", string(grade))
	}
}

// grade is how fresh a copy is by the trusted time; "" where nobody tells the time.
func (a *api) grade(s portal.CopyState) portal.Freshness {
	if a.o.Now == nil {
		return ""
	}
	return s.Grade(a.o.Now(), a.o.OldAfter)
}

// origin says of which release an answer was made, so that a saved file can be
// checked: koprik verify, or the page of that name.
func origin(w http.ResponseWriter, p portal.Provenance) {
	w.Header().Set("Koprik-Dataset", string(p.Dataset))
	w.Header().Set("Koprik-Release", strconv.Itoa(p.Release))
	w.Header().Set("Koprik-Fingerprint", p.Fingerprint.Hex())
}

// provenanceOf is that of a release of d; ok is false when d has no such release.
func provenanceOf(d portal.Dataset, release int) (p portal.Provenance, ok bool) {
	for _, ref := range d.History {
		if ref.Number == release {
			return portal.Provenance{Dataset: d.ID, Release: release, Fingerprint: ref.Manifest}, true
		}
	}
	if release == d.Latest.Number {
		return portal.Provenance{Dataset: d.ID, Release: release, Fingerprint: d.Manifest}, true
	}
	return p, false
}

func noRoute(_ http.ResponseWriter, r *http.Request) error {
	p := &portal.Problem{Kind: portal.ErrNotFound, Where: r.URL.Path, Message: "there is nothing at this address"}
	return p.WithHint("every address is listed in /api/v1/openapi.json")
}

func (a *api) wrongMethod(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD")
	p := &portal.Problem{Kind: errMethod, Where: r.Method, Message: "this address answers GET and HEAD only"}
	a.fail(w, r, p)
}

// What goes wrong in HTTP alone and not in the domain.
var (
	errMethod   = errors.New("method not allowed")
	errNotReady = errors.New("not ready")
)

// compressed sends JSON in gzip or zstd to whoever reads it. The suffix keeps
// the ETags of the spellings apart; matches knows it.
func compressed(h http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(512), gzhttp.SuffixETag("-gzip"))
	if err != nil { // the options above are constants, and a test calls New
		panic(err)
	}
	return wrap(h)
}
