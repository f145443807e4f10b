package site

import (
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"koprik/portal"
	"koprik/ui/assets"
)

// Mark is what a page shows of the node beside the catalogue's content. With
// the language and the address it names a page.
type Mark struct {
	State      portal.CopyState
	Title      string
	ClockWrong bool
}

// defaultCache is how many bytes of compressed pages are kept.
const defaultCache = 16 << 20

// largestKept is the largest page that is kept: one page may not push out all
// others.
const largestKept = 256 << 10

// pageCache keeps compressed pages by their addresses. A page has a stamp: one of
// an older generation is never sent, and goes when its address is asked again.
type pageCache struct {
	max int

	mu    sync.Mutex
	size  int
	pages map[string]*list.Element // of *keptPage
	order list.List                // least recently used last
}

// keptPage is a page that was answered with 200, with every header that it had
// but those of the form in which it is sent and of its reader.
type keptPage struct {
	name  string // its address, which begins with its language
	lang  portal.Lang
	stamp stamp
	tag   string
	plain bool // the name is its path: it answers every query too
	head  []headerLine
	gzip  form
	count counted

	mu   sync.Mutex
	zstd *form // made when somebody first asks
}

// headerLine is a header as http.Header keeps it: it is shared by all answers
// and never changed.
type headerLine struct {
	name   string
	values []string
}

// form is a body with the headers that it is sent with.
type form struct {
	body             []byte
	encoding, length []string
}

func newForm(body []byte, encoding string) form {
	f := form{body: body, length: []string{strconv.Itoa(len(body))}}
	if encoding != "" {
		f.encoding = []string{encoding}
	}
	return f
}

// size is what the page takes of the memory, with a form that may come.
func (p *keptPage) size() int { return len(p.name) + 2*len(p.gzip.body) + 1024 }

func newPageCache(limit int) *pageCache {
	return &pageCache{max: limit, pages: map[string]*list.Element{}}
}

func (c *pageCache) get(name string) *keptPage {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.pages[name]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*keptPage)
}

func (c *pageCache) put(p *keptPage) {
	size := p.size()
	if size > largestKept || size > c.max {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.pages[p.name]; e != nil {
		c.drop(e)
	}
	c.pages[p.name] = c.order.PushFront(p)
	c.size += size
	for c.size > c.max {
		c.drop(c.order.Back())
	}
}

func (c *pageCache) drop(e *list.Element) {
	old := c.order.Remove(e).(*keptPage)
	delete(c.pages, old.name)
	c.size -= old.size()
}

// stamp is what of the node and the clock stands on every page: a kept page
// goes when any of it changes.
type stamp struct {
	generation, asOf, day int64
	grade                 portal.Freshness
	ago                   string // only where the copy is not fresh
	title                 string
	clockWrong            bool
	arrived               int64 // contents that came within the generation
}

func (s *site) stamp(l portal.Lang, m Mark, now time.Time) stamp {
	_, offset := now.In(portal.Zone).Zone()
	const day = 24 * 60 * 60
	st := stamp{
		generation: m.State.Generation, asOf: m.State.AsOf.Unix(), day: (now.Unix() + int64(offset)) / day,
		grade: m.State.Grade(now, s.o.OldAfter), title: m.Title, clockWrong: m.ClockWrong,
	}
	if s.o.Arrived != nil {
		st.arrived = s.o.Arrived()
	}
	if st.grade != portal.Fresh {
		st.ago = s.words.Words(l).Ago(now.Sub(m.State.AsOf))
	}
	return st
}

// etag names what a page would be: its stamp, language, address and build.
func (s *site) etag(l portal.Lang, uri string, st stamp) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q", l, uri, s.build, fmt.Sprint(st))
	return fmt.Sprintf(`W/"%d-%s"`, st.generation, hex.EncodeToString(h.Sum(nil)[:9]))
}

// front sends kept pages before anything else looks at a request.
func (s *site) front(next http.Handler) http.Handler {
	if s.o.Mark == nil || s.o.Kiosk {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && s.sendKept(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sendKept answers from the cache, without opening a view; false when the page
// has to be made.
func (s *site) sendKept(w http.ResponseWriter, r *http.Request) bool {
	p := s.kept(r)
	if p == nil {
		return false
	}
	m, ok := s.o.Mark()
	if !ok || s.stamp(p.lang, m, s.o.Now()) != p.stamp {
		return false
	}
	h := w.Header()
	for _, line := range p.head {
		h[line.name] = line.values
	}
	rememberLanguage(w, r, p.lang)
	if hasTag(r.Header.Get("If-None-Match"), p.tag) {
		delete(h, "Content-Type")
		w.WriteHeader(http.StatusNotModified)
		s.count(r, p.count)
		return true
	}
	f, err := p.form(r.Header.Get("Accept-Encoding"))
	if err != nil {
		return false
	}
	s.count(r, p.count)
	f.send(w, r)
	return true
}

// kept is the page that answers r; nil when none is kept.
func (s *site) kept(r *http.Request) *keptPage {
	if p := s.cache.get(pageName(r)); p != nil || r.URL.RawQuery == "" && !r.URL.ForceQuery {
		return p
	}
	if p := s.cache.get(pathName(r)); p != nil && p.plain {
		return p
	}
	return nil
}

// pageName is what a page is kept under: the address as it was asked for.
func pageName(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // a proxy asked, by the whole address
}

// pathName is pageName of an address without its query.
func pathName(r *http.Request) string {
	path, _, _ := strings.Cut(pageName(r), "?")
	return path
}

// form is the page as a reader takes it.
func (p *keptPage) form(accept string) (form, error) {
	gz, zs := assets.Accepted(accept)
	if gz && !zs {
		return p.gzip, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !zs || p.zstd == nil {
		plain, err := assets.Gunzip(p.gzip.body)
		if err != nil || !zs {
			return newForm(plain, ""), err
		}
		f := newForm(assets.Zstd(plain), "zstd")
		p.zstd = &f
	}
	if gz && len(p.gzip.body) < len(p.zstd.body) {
		return p.gzip, nil
	}
	return *p.zstd, nil
}

func (f form) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if f.encoding != nil {
		h["Content-Encoding"] = f.encoding
	}
	h["Content-Length"] = f.length
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.body) // the reader went away: nobody is left to tell
	}
}

const pageType = "text/html; charset=utf-8"

// keep compresses a page, keeps it for the next reader and sends it. page has what
// the request alone does not tell.
func (v *visit) keep(page *keptPage, body []byte) error {
	packed, err := assets.Gzip(body)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	h := v.w.Header()
	h.Set("ETag", page.tag)
	h.Set("Content-Type", pageType)
	if !slices.Contains(h.Values("Vary"), "Accept-Encoding") {
		h.Add("Vary", "Accept-Encoding")
	}
	page.name, page.lang, page.gzip = pageName(v.r), v.lang, newForm(packed, "gzip")
	for name, values := range h {
		if name != "Set-Cookie" {
			page.head = append(page.head, headerLine{name, slices.Clone(values)})
		}
	}
	v.site.cache.put(page)
	f := newForm(body, "")
	if gz, _ := assets.Accepted(v.r.Header.Get("Accept-Encoding")); gz {
		f = page.gzip
	}
	f.send(v.w, v.r)
	return nil
}
