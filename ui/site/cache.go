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

// pageCache keeps compressed pages by their addresses. A page has a stamp: one of
// an older generation is never sent, and goes when its address is asked again.
type pageCache struct {
	max int

	mu    sync.Mutex
	size  int
	pages map[string]*list.Element // of *keptPage
	order list.List                // least recently used last
}

// keptPage is a page that was answered with 200.
type keptPage struct {
	name       string // its address, which begins with its language
	lang       portal.Lang
	stamp      stamp
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
	c.size -= old.body.Size() + len(old.name)
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
	_, offset := now.In(s.zone).Zone()
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
	p := s.cache.get(r.URL.RequestURI())
	if p == nil {
		return false
	}
	m, ok := s.o.Mark()
	if !ok || s.stamp(p.lang, m, s.o.Now()) != p.stamp {
		return false
	}
	h := w.Header()
	h.Set("Content-Language", string(p.lang))
	h.Set("Cache-Control", "no-cache")
	rememberLanguage(w, r, p.lang)
	h.Set("Koprik-Generation", p.generation)
	if p.asOf != "" {
		h.Set("Koprik-As-Of", p.asOf)
		h.Set("Koprik-Fresh", string(p.stamp.grade))
	}
	h.Set("ETag", p.tag)
	if match := r.Header.Get("If-None-Match"); match != "" && slices.Contains(tagsIn(match), p.tag) {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	h.Set("Content-Type", pageType)
	p.body.Send(w, r, http.StatusOK)
	return true
}

const pageType = "text/html; charset=utf-8"

// keep compresses a page, keeps it for the next reader and sends it.
func (v *visit) keep(tag string, st stamp, body []byte) error {
	packed, err := assets.Pack(body)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	state := v.view.State()
	page := &keptPage{
		name: v.r.URL.RequestURI(), lang: v.lang, stamp: st, tag: tag, body: packed, generation: strconv.FormatInt(state.Generation, 10),
		asOf: v.w.Header().Get("Koprik-As-Of"),
	}
	page.body.Plain = nil
	v.site.cache.put(page)
	v.w.Header().Set("ETag", tag)
	v.w.Header().Set("Content-Type", pageType)
	packed.Send(v.w, v.r, http.StatusOK)
	return nil
}
