package node_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	gosync "sync"
	"sync/atomic"
	"testing"
	"time"

	"koprik/embed/local"
	"koprik/internal/node"
	"koprik/portal"
)

// room is what may wait at a node, in bytes.
const room = 64 << 20

// fillOutbox leaves a little room in a node's outbox.
func fillOutbox(t *testing.T, dir string, left int) {
	t.Helper()
	l, err := local.Open(t.Context(), filepath.Join(dir, "local.db"))
	must(t, err)
	for size := room - left; size > 0; size -= 1 << 20 {
		err := l.Enqueue(t.Context(), node.NewInquiryID(), "2026q4", "2026-11-22", room, func(uint64) ([]byte, error) { return make([]byte, min(size, 1<<20)), nil })
		must(t, err)
	}
	must(t, l.Close())
}

// TestAFloodOfQuestionsNeverPassesTheRoomAndLosesNoneThatHasAReceipt has hundreds
// send at once where a few questions still fit.
func TestAFloodOfQuestionsNeverPassesTheRoomAndLosesNoneThatHasAReceipt(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	dir := initMirror(t, central)
	sync(t, open(t, dir, options()))
	must(t, open(t, dir, options()).Close())
	const left, senders = 40_000, 300
	fillOutbox(t, dir, left)
	kiosk := open(t, dir, options())
	before, err := kiosk.Waits(t.Context())
	must(t, err)
	screen, err := kiosk.KioskHandler()
	must(t, err)
	handlers := []http.Handler{handler(t, kiosk), screen}
	code := regexp.MustCompile(`[0-9A-Z]{5}(-[0-9A-Z]{5}){3}`)
	var kept gosync.Map
	var count [600]atomic.Int64
	var most atomic.Uint64
	var all gosync.WaitGroup
	for i := range senders {
		all.Go(func() {
			id := node.NewInquiryID()
			form := url.Values{"kind": {"question"}, "text": {strings.Repeat("қ", portal.MaxInquiryText)}, "public": {"no"}, "id": {id.String()}, "step": {"send"}}
			r := httptest.NewRequest(http.MethodPost, "/uz/ask", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			handlers[i%len(handlers)].ServeHTTP(rec, r)
			count[rec.Code].Add(1)
			body, err := io.ReadAll(rec.Body)
			if err != nil {
				t.Error(err)
			}
			words := map[int]string{200: "Kvitansiya kodi", 429: "Hozir koʻp kishi", 503: "Hozir koʻp kishi", 507: "Yana bir savol uchun joy yoʻq"}[rec.Code]
			if words == "" || !strings.Contains(string(body), words) || code.Match(body) != (rec.Code == 200) {
				t.Errorf("%d %s", rec.Code, body)
			}
			if rec.Code == 200 {
				kept.Store(id, true)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			for old := most.Load(); m.HeapInuse > old && !most.CompareAndSwap(old, m.HeapInuse); old = most.Load() {
			}
		})
	}
	all.Wait()
	t.Logf("receipts %d, no room %d, too many %d, busy %d; %d MiB at most", count[200].Load(), count[507].Load(), count[429].Load(), count[503].Load(), most.Load()>>20)
	w, err := kiosk.Waits(t.Context())
	must(t, err)
	if w.Bytes > room || w.Count-before.Count != int(count[200].Load()) || count[200].Load() == 0 || count[507].Load() == 0 {
		t.Errorf("%d bytes wait, %d questions of those", w.Bytes, w.Count-before.Count)
	}
	const bound = 256 << 20 // unbounded, their codes alone take 5.6 GiB
	if most.Load() > bound {
		t.Errorf("%d MiB", most.Load()>>20)
	}
	must(t, kiosk.Close())
	l, err := local.Open(t.Context(), filepath.Join(dir, "local.db"))
	must(t, err)
	defer l.Close()
	outbox, err := l.Outgoing(t.Context(), 2*room, "centre", time.Time{})
	must(t, err)
	kept.Range(func(id, _ any) bool {
		if !slices.ContainsFunc(outbox, func(o portal.Outgoing) bool { return o.ID == id }) {
			t.Errorf("%s has a receipt and is lost", id)
		}
		return true
	})
}

// TestAFormThatIsSentAgainAsksOnce also when its question has left meanwhile, as when
// a browser loads the last page again.
func TestAFormThatIsSentAgainAsksOnce(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kiosk := newMirror(t, central)
	sync(t, kiosk)
	q := asked("Nega suv kam?", false)
	q.ID = node.NewInquiryID()
	_, err := kiosk.Send(t.Context(), q, portal.ReceiptCode{})
	must(t, err)
	server := httptest.NewServer(handler(t, kiosk))
	t.Cleanup(server.Close)
	again := func() {
		t.Helper()
		form := url.Values{"kind": {"question"}, "text": {q.Text}, "public": {"no"}, "id": {q.ID.String()}, "step": {"send"}}
		if body := fetch(t, server.URL+"/uz/ask", form, http.StatusConflict); !strings.Contains(body, "Bu allaqachon yuborilgan") {
			t.Errorf("%s", body)
		}
	}
	again()
	stick := stickOf(t, central, 0)
	carry(t, stick, kiosk, central)
	carry(t, stick, kiosk, central)
	if waiting(t, kiosk) != 0 {
		t.Fatal("it is not acknowledged")
	}
	again()
	if n := len(cases(t, central)); n != 1 || waiting(t, kiosk) != 0 {
		t.Errorf("%d cases, %d wait", n, waiting(t, kiosk))
	}
}
