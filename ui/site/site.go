// Package site answers people: the pages of a node, made on the server, in five
// languages, as plain HTML that needs no script.
//
// Every page takes one portal.View at its beginning and closes it at its end,
// so that what it shows, and the line that says which copy this is, are of the
// same generation (guarantee 2).
package site

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/time/rate"

	"koprik/portal"
	"koprik/portal/region"
	"koprik/ui/assets"
	"koprik/ui/guard"
	"koprik/ui/locale"
)

// Options say what the pages read from.
type Options struct {
	// View gives one generation, held still for one request. Mandatory.
	View func(context.Context) (portal.View, error)
	// Status tells how the node is. Mandatory.
	Status func(context.Context) (portal.Status, error)
	// Mark tells what Status would, cheaply; then pages that are kept are sent
	// without opening a view. ok is false when it cannot tell. nil: every page
	// is made for every reader.
	Mark func() (m Mark, ok bool)
	// Held tells whether this node has the contents; nil: it has all.
	Held func(portal.Digest) bool
	// Arrived grows when contents came without a new generation; pages that were
	// kept before are made anew. nil: none do.
	Arrived func() int64
	// CacheBytes bounds the memory for kept pages; 0 means 16 MiB.
	CacheBytes int
	// Verifier says whether files and fingerprints are what was signed. Mandatory.
	Verifier Verifier
	// Asker takes questions and opens answers; nil: nothing is asked here, and no
	// page leads to /{lang}/ask.
	Asker Asker
	// Counter counts what people use; nil: nothing is counted or told.
	Counter Counter
	// Now is the node's trusted time. Mandatory.
	Now func() time.Time
	// Words are the words of the pages; nil means those compiled in.
	Words *locale.Catalog
	// Log takes the errors nobody expected; nil means slog.Default().
	Log *slog.Logger
	// OldAfter is the age from which a copy is called old; 0 means
	// portal.DefaultOldAfter.
	OldAfter time.Duration
	// Development adds /desk/components, the living page of all parts.
	Development bool
	// Kiosk makes the layout of a public screen: large, without links outside,
	// without a memory of the visitor. "/" leads to /kiosk/, and no file, no
	// machine interface and nothing of /desk is offered.
	Kiosk bool
	// Region is that of the office in which a kiosk stands, by ISO 3166-2
	// ("UZ-XO"): its figures are shown when the visitor chose none. "" is none.
	Region string
	// Contact is the e-mail of those who run the node: whom to ask for data that
	// nobody has published. "" is none.
	Contact string
	// Version is the program's; pages change their ETag with it.
	Version string
}

// maxAddress is the longest address answered, path and query together, bytes.
const maxAddress = 8 << 10

// policy lets a page load what this node serves and nothing else; inline
// styles and scripts do not run (spec/experience.md, "Rules").
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"

type site struct {
	o         Options
	log       *slog.Logger
	words     *locale.Catalog
	assets    *assets.Set
	templates *template.Template
	lists     sync.Map // of template.HTML, by listName
	answers   answers
	outlines  outlines
	splits    splits
	cache     *pageCache
	uploads   chan struct{} // a place for each file that is being read
	sending   *rate.Limiter // of what is sent to the centre
	build     string        // changes when any page could look different over the same data
}

// New makes the handler of "/", "/{lang}/…" and "/assets/…". It answers every
// other address with the page that says there is none.
func New(o Options) (http.Handler, error) {
	s, err := newSite(o)
	if err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(512))
	if err != nil {
		return nil, err
	}
	var forgery http.CrossOriginProtection
	return s.front(guard.Pages(policy, forgery.Handler(compress(s.routes())))), nil
}

func newSite(o Options) (*site, error) {
	if o.View == nil || o.Status == nil || o.Now == nil || o.Verifier == nil {
		return nil, errors.New("site: View, Status, Verifier and Now are needed")
	}
	if o.Region != "" && !region.IsRegion(o.Region) {
		return nil, fmt.Errorf("site: region %q: not one of ISO 3166-2:UZ", o.Region)
	}
	s := &site{o: o, log: o.Log, words: o.Words}
	if s.log == nil {
		s.log = slog.Default()
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCache
	}
	s.cache = newPageCache(o.CacheBytes)
	s.uploads = make(chan struct{}, maxUploads)
	s.sending = rate.NewLimiter(rate.Every(sendAgain), sendAtOnce)
	var err error
	if s.words == nil {
		if s.words, err = locale.New(nil); err != nil {
			return nil, err
		}
	}
	if s.assets, err = assets.Load(o.Kiosk); err != nil {
		return nil, err
	}
	var digest string
	if s.templates, digest, err = parseTemplates(o.Kiosk); err != nil {
		return nil, err
	}
	s.build = digest + s.words.Digest() + s.assets.URL("style.css") + s.assets.URL("figure.css") + s.assets.URL("site.js") + s.assets.URL("kiosk.css") + s.assets.URL("kiosk.js") + o.Version + o.Contact
	return s, nil
}

func (s *site) routes() http.Handler {
	r := mux.NewRouter().StrictSlash(true)
	get := func(path string, h http.Handler) { r.Handle(path, h).Methods(http.MethodGet, http.MethodHead) }
	if s.o.Kiosk {
		get("/", http.RedirectHandler("/kiosk/", http.StatusFound))
		s.kioskRoutes(r)
	} else {
		get("/", http.HandlerFunc(s.chooseLanguage))
	}
	r.PathPrefix(assets.Prefix).Handler(s.assets).Methods(http.MethodGet, http.MethodHead)
	const in = "/{lang:uz|uz-cyrl|kaa|ru|en}"
	get(in+"/", s.page(s.home))
	get(in+"/search", s.page(s.search))
	get(in+"/dataset/{slug}", s.plainPage(s.dataset))
	get(in+"/dataset/{slug}/history", s.page(s.history))
	get(in+"/dataset/{slug}/table/{name}", s.page(s.table))
	const figure = "/dataset/{slug}/{way:chart|map}/{name}"
	get(in+figure, s.page(s.chart))
	if !s.o.Kiosk {
		get(in+figure+"/figure.{format:svg|png|csv}", s.page(s.chartFile))
		get(in+figure+"/embed", s.livePage(s.embedCode))
		get(embedPath+in+figure, s.page(s.embed))
		s.feedRoutes(get)
	}
	get(in+"/publisher/{slug}", s.page(s.publisher))
	get(in+"/theme/{slug}", s.page(s.theme))
	get(in+"/numbers", s.page(s.numbers))
	if !s.o.Kiosk {
		get(in+"/numbers.csv", s.page(s.numbersFile))
	}
	get(in+"/node", s.livePage(s.node))
	get(in+"/verify", s.livePage(s.verify))
	get(in+"/verify/code.svg", http.HandlerFunc(s.printedCode))
	get(in+"/code.svg", http.HandlerFunc(s.addressCode))
	if !s.o.Kiosk {
		r.Handle(in+"/verify", s.livePage(s.verifyFile)).Methods(http.MethodPost)
	}
	post := func(path string, h http.Handler) { r.Handle(path, h).Methods(http.MethodPost) }
	s.askRoutes(get, post, in)
	s.reuseRoutes(get, post, in)
	get(in+"/help", s.plainPage(s.help))
	get(in+"/about", s.plainPage(s.about))
	get(in+"/privacy", s.plainPage(s.privacy))
	if s.o.Development {
		get("/desk/components", s.livePage(s.components))
	}
	r.NotFoundHandler = http.HandlerFunc(s.notFound)
	r.MethodNotAllowedHandler = s.page(func(v *visit) (answer, error) {
		v.w.Header().Set("Allow", "GET, HEAD")
		return answer{}, &pageError{status: http.StatusMethodNotAllowed, title: v.T("error.method"), text: v.T("error.methodtext")}
	})
	return r
}
