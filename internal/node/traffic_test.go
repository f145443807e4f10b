package node

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// asked begins a request that is answered when the function it gives is called.
func asked(t *traffic, address string) (answer func()) {
	began, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	h := t.counted(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(began)
		<-end
	}))
	go func() {
		defer close(ended)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, address, http.NoBody))
	}()
	<-began
	return func() {
		close(end)
		<-ended
	}
}

func TestTheBackgroundGivesWayToRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		traffic := &traffic{}
		waits := func(what string, want time.Duration) {
			t.Helper()
			time.Sleep(turn) // of work
			began := time.Now()
			if err := traffic.giveWay(t.Context()); err != nil || time.Since(began) != want {
				t.Errorf("%s: waited %v, want %v; %v", what, time.Since(began), want, err)
			}
		}
		waits("nobody asks", 0)
		file := asked(traffic, "/repository/objects/aa/aa.zst")
		waits("a file is sent", 0)
		file()

		asked(traffic, "/uz/")()
		waits("one has been answered meanwhile", look)
		waits("nobody has asked since", 0)
		page, rows := asked(traffic, "/uz/"), asked(traffic, "/api/v1/datasets")
		time.AfterFunc(turn+look/2, page)
		time.AfterFunc(turn+look*3/2, rows)
		waits("two ask", 2*look)

		long := asked(traffic, "/uz/search?q=suv")
		waits("an answer takes long", yielded)
		began := time.Now()
		if err := traffic.giveWay(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("within its turn it waited %v; %v", time.Since(began), err)
		}
		time.Sleep(turn)
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, stop)
		if err := traffic.giveWay(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a node that stops: %v", err)
		}
		long()
		waits("all are answered", 0)
	})
}
