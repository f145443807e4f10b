package api

import (
	"net"
	"net/http"
	"sync"
	"time"

	"koprik/portal"
)

// turns bounds how much of a costly kind is done at once and by whom. The zero
// value is ready.
type turns struct {
	mu      sync.Mutex
	running int
	readers map[string]*reader
}

// reader is one address and what it has begun.
type reader struct {
	running int
	spent   time.Duration // how far its allowance is used up
	at      time.Time     // when spent was right
}

// maxReaders is how many addresses are remembered; who has nothing running and
// nothing spent is forgotten first.
const maxReaders = 4096

// begin takes a turn, or says that there is none: portal.ErrTooMuch. now may be
// nil: then nobody's turns are counted over time. done gives it back.
func (t *turns) begin(r *http.Request, now func() time.Time) (done func(), err error) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.readers == nil {
		t.readers = map[string]*reader{}
	}
	var at time.Time
	if now != nil {
		at = now()
	}
	one := t.readers[host]
	if one == nil {
		t.forget(at)
		one = &reader{at: at}
		t.readers[host] = one
	}
	one.refill(at)
	switch {
	case t.running >= maxExports:
		return nil, tooMany("%d files are being made at this moment, which is as many as this node makes at once", t.running)
	case one.running >= maxOwnExports:
		return nil, tooMany("%d files are on their way to this address, which is as many as one has at once", one.running)
	case now != nil && one.spent+exportEvery > exportBurst*exportEvery:
		return nil, tooMany("this address has begun %d files in a short time", exportBurst)
	}
	if now != nil {
		one.spent += exportEvery
	}
	t.running++
	one.running++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.running--
		one.running--
	}, nil
}

func (r *reader) refill(at time.Time) {
	r.spent = max(0, r.spent-max(0, at.Sub(r.at)))
	r.at = at
}

// forget makes room for one more reader.
func (t *turns) forget(at time.Time) {
	if len(t.readers) < maxReaders {
		return
	}
	for host, one := range t.readers {
		if one.refill(at); one.running == 0 && (one.spent == 0 || len(t.readers) >= maxReaders) {
			delete(t.readers, host)
		}
	}
}

func tooMany(format string, args ...any) error {
	p := usage("export", format, args...)
	p.Kind = portal.ErrTooMuch
	return p.WithHint("ask again in half a minute")
}
