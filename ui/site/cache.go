package site

import (
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
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

// pageCache keeps compressed pages by their names. A name has the generation in
// it, so a page of an older one is never found again and falls out at the end.
type pageCache struct {
	max int

	mu    sync.Mutex
	size  int
	pages map[string]*list.Element // of *keptPage
	order list.List                // least recently used last
}

// keptPage is a page that was answered with 200.
type keptPage struct {
	name       string
	tag        string
	body       assets.Packed
	generation string
	asOf       string
}

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
	size := p.body.Size() + len(p.name)
	if size > largestKept || size > c.max {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages[p.name] != nil {
		return // two readers asked for it at the same moment
	}
	c.pages[p.name] = c.order.PushFront(p)
	c.size += size
	for c.size > c.max {
		last := c.order.Back()
		old := c.order.Remove(last).(*keptPage)
		delete(c.pages, old.name)
		c.size -= old.body.Size() + len(old.name)
	}
}

// etag names what a page would be: generation, language, address, build, and
// what of the node and the clock stands on every page.
func (s *site) etag(l portal.Lang, uri string, m Mark, now time.Time) string {
	grade, ago := "none", ""
	if !m.State.AsOf.IsZero() {
		grade = string(m.State.Grade(now, s.o.OldAfter))
	}
	if grade != string(portal.Fresh) {
		ago = s.words.Words(l).Ago(now.Sub(m.State.AsOf))
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %d %s %q %v %s", l, uri, s.build, m.Title, m.State.AsOf.Unix(), grade, ago, m.ClockWrong, s.today(now))
	return fmt.Sprintf(`W/"%d-%s"`, m.State.Generation, hex.EncodeToString(h.Sum(nil)[:9]))
}

// sendKept answers from the cache, without opening a view; ok is false when
// the page has to be made.
func (s *site) sendKept(w http.ResponseWriter, r *http.Request) (ok bool) {
	if s.o.Mark == nil || s.o.Kiosk || len(r.RequestURI) > maxAddress {
		return false
	}
	m, ok := s.o.Mark()
	if !ok {
		return false
	}
	l := s.languageOf(r)
	uri := r.URL.RequestURI()
	tag := s.etag(l, uri, m, s.o.Now())
	p := s.cache.get(pageName(tag, l, uri))
	if p == nil {
		return false
	}
	h := w.Header()
	h.Set("Content-Language", string(l))
	h.Set("Cache-Control", "no-cache")
	rememberLanguage(w, r, l)
	h.Set("Koprik-Generation", p.generation)
	if p.asOf != "" {
		h.Set("Koprik-As-Of", p.asOf)
	}
	h.Set("ETag", p.tag)
	if slices.Contains(tagsIn(r.Header.Get("If-None-Match")), p.tag) {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	h.Set("Content-Type", pageType)
	p.body.Send(w, r, http.StatusOK)
	return true
}

const pageType = "text/html; charset=utf-8"

// pageName is the whole name of a page: the tag alone has only a part of a hash.
func pageName(tag string, l portal.Lang, uri string) string { return tag + " " + string(l) + " " + uri }

// keep compresses a page, keeps it for the next reader and sends it.
func (v *visit) keep(tag string, body []byte) error {
	packed, err := assets.Pack(body)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	state := v.view.State()
	page := &keptPage{
		name: pageName(tag, v.lang, v.r.URL.RequestURI()), tag: tag, body: packed, generation: strconv.FormatInt(state.Generation, 10),
		asOf: v.w.Header().Get("Koprik-As-Of"),
	}
	page.body.Plain = nil
	v.site.cache.put(page)
	v.w.Header().Set("ETag", tag)
	v.w.Header().Set("Content-Type", pageType)
	packed.Send(v.w, v.r, http.StatusOK)
	return nil
}
