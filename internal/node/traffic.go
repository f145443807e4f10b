package node

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// What the background has of the processor while requests come: a turn, and then
// nothing until none has come for a look, or so long that a server which is never
// idle makes its packs nevertheless, with a tenth of a core.
const (
	turn    = 10 * time.Millisecond
	look    = 15 * time.Millisecond
	yielded = 90 * time.Millisecond
)

// traffic counts the requests that are being answered, so that work for which
// nobody waits gives way to them.
type traffic struct {
	asked     atomic.Int64 // requests so far
	answering atomic.Int64 // of them not answered yet
	seen      atomic.Int64 // requests when the background looked last
	turned    atomic.Int64 // when its turn began, by the machine's clock
}

// counted is h with every request counted but those for files: they take as long
// as the reader's line, and little of the processor.
func (t *traffic) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isFile(r.URL.Path) {
			h.ServeHTTP(w, r)
			return
		}
		t.asked.Add(1)
		t.answering.Add(1)
		defer t.answering.Add(-1)
		h.ServeHTTP(w, r)
	})
}

// isFile tells addresses of files, and of what is made while it is sent.
func isFile(path string) bool {
	return strings.HasPrefix(path, "/repository/") || strings.HasPrefix(path, "/dataset/") || isExport(path)
}

// giveWay is called every few milliseconds of such work. It returns when the work
// may go on, or with the error of ctx.
func (t *traffic) giveWay(ctx context.Context) error {
	if SystemClock().UnixNano()-t.turned.Load() < int64(turn) {
		return ctx.Err()
	}
	for waited := time.Duration(0); waited < yielded && t.busy(); waited += look {
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	t.turned.Store(SystemClock().UnixNano())
	return ctx.Err()
}

// busy tells whether somebody is waiting, or has asked since the last look.
func (t *traffic) busy() bool {
	asked := t.asked.Load()
	return t.seen.Swap(asked) != asked || t.answering.Load() > 0
}
