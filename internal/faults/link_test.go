package faults_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"koprik/internal/faults"
)

// world is a server behind a link, in memory.
type world struct {
	link   *faults.Link
	client *http.Client
}

// newWorld serves h over link; the link lies behind the client. Everything ends
// with the test.
func newWorld(t *testing.T, link *faults.Link, h http.Handler) *world {
	t.Helper()
	network := faults.NewNetwork()
	server := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(network)
	}()
	transport := &http.Transport{DialContext: link.Dial(network.Dial)}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-served
	})
	return &world{link, &http.Client{Transport: transport}}
}

// get fetches an address, with a Range where that is not "".
func (w *world) get(t *testing.T, path, ranges string) (status int, body []byte, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://origin.example/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ranges != "" {
		req.Header.Set("Range", ranges)
	}
	res, err := w.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// sized answers every request with n bytes.
func sized(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), n))
	}
}

// near checks that a duration is what was computed, and at most a tenth more:
// headers weigh something too.
func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want || got > want+want/10+time.Millisecond {
		t.Errorf("%s took %v, want %v and little more", what, got, want)
	}
}

func TestLinkTakesTheTimeThatItsDelayAndRateSay(t *testing.T) {
	tests := []struct {
		name  string
		link  *faults.Link
		bytes int
		want  time.Duration // with the connect
	}{
		{"perfect", &faults.Link{}, 1 << 20, 0},
		{"far", &faults.Link{Delay: 300 * time.Millisecond}, 100, 4 * 300 * time.Millisecond},
		{"far, and much, is not many round trips", &faults.Link{Delay: 300 * time.Millisecond}, 150_000, 1200 * time.Millisecond},
		{"slow", &faults.Link{Rate: 8000}, 80_000, 10 * time.Second},
		{"far and slow", &faults.Link{Delay: 300 * time.Millisecond, Rate: 8000}, 80_000, 11200 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tt.link, sized(tt.bytes))
				begin := time.Now()
				_, body, err := w.get(t, "f", "")
				if err != nil || len(body) != tt.bytes {
					t.Fatalf("%d bytes, %v", len(body), err)
				}
				near(t, "the first request", time.Since(begin), tt.want)
				up, down, conns := w.link.Carried()
				if w.link.Turns() != 1 {
					t.Errorf("%d turns", w.link.Turns())
				}
				if up < 50 || up > 500 || down < int64(tt.bytes) || down > int64(tt.bytes)+500 || conns != 1 {
					t.Errorf("carried %d bytes up and %d down on %d connections", up, down, conns)
				}
			})
		})
	}
}

func TestLostSegmentsGoOverTheLineAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := &faults.Link{Rate: 8000, Delay: 300 * time.Millisecond, Lost: func(n int) bool { return n%3 == 2 }}
		w := newWorld(t, link, sized(80_000))
		begin := time.Now()
		if _, body, err := w.get(t, "f", ""); err != nil || len(body) != 80_000 {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
		near(t, "with every third segment lost", time.Since(begin), 16*time.Second)
		if _, down, _ := link.Carried(); down > 80_500 {
			t.Errorf("%d bytes arrived", down)
		}
	})
}

func TestConnectionsShareOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &faults.Link{Rate: 8000}, sized(40_000))
		begin := time.Now()
		ends := make(chan error)
		for range 2 {
			go func() {
				_, _, err := w.get(t, "f", "")
				ends <- err
			}()
		}
		first := <-ends
		firstTook := time.Since(begin)
		if err := errors.Join(first, <-ends); err != nil {
			t.Fatal(err)
		}
		near(t, "both", time.Since(begin), 10*time.Second)
		if firstTook < 9*time.Second {
			t.Errorf("the first of two ended after %v: it did not share", firstTook)
		}
	})
}

func TestConnectionDropsAfterItsBytes(t *testing.T) {
	const n = 10_000
	for _, link := range []*faults.Link{
		{Cut: faults.CutEvery(n)},
		{Cut: faults.CutEvery(n), Delay: time.Second, Rate: 5000},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, link, sized(50_000))
			for range 3 {
				_, body, err := w.get(t, "f", "")
				if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) < n-500 || len(body) >= n {
					t.Errorf("%d bytes, %v", len(body), err)
				}
			}
			up, down, conns := w.link.Carried()
			if up+down != 3*n || conns != 3 {
				t.Errorf("carried %d bytes on %d connections, want %d each", up+down, conns, n)
			}
		})
	}
}

func TestOnlyTheFirstConnectionsDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &faults.Link{Cut: faults.CutFirst(1000, 0, 2000)}, sized(5000))
		w.client.Transport.(*http.Transport).DisableKeepAlives = true
		for conn, whole := range []bool{false, true, false, true, true} {
			_, body, err := w.get(t, "f", "")
			if (err == nil) != whole || (len(body) == 5000) != whole {
				t.Errorf("connection %d: %d bytes, %v", conn, len(body), err)
			}
		}
	})
}

func TestConnectionDropsAtItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &faults.Link{Rate: 1000, CutAge: 20 * time.Second}, sized(50_000))
		begin := time.Now()
		_, body, err := w.get(t, "f", "")
		near(t, "the connection", time.Since(begin), 20*time.Second)
		if err == nil || len(body) < 15_000 || len(body) > 20_000 {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	})
}

func TestCableOutDropsAndRefusesUntilItIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &faults.Link{Rate: 1000}, sized(10_000))
		time.AfterFunc(3*time.Second, func() { w.link.SetDown(true) })
		begin := time.Now()
		if _, _, err := w.get(t, "f", ""); err == nil {
			t.Error("a download outlived the cable")
		}
		near(t, "what the cable let through", time.Since(begin), 3*time.Second)
		if _, _, err := w.get(t, "f", ""); !errors.Is(err, faults.ErrRefused) {
			t.Errorf("dial without a cable: %v", err)
		}
		w.link.SetDown(false)
		if _, body, err := w.get(t, "f", ""); err != nil || len(body) != 10_000 {
			t.Errorf("with the cable in again: %d bytes, %v", len(body), err)
		}
	})
}

func TestNetworkRefusesWhatNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := faults.NewNetwork()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := network.Dial(ctx, "tcp", "a:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial when nobody accepts: %v", err)
		}
		if err := errors.Join(network.Close(), network.Close()); err != nil {
			t.Error(err)
		}
		if _, err := network.Dial(t.Context(), "tcp", "a:1"); !errors.Is(err, faults.ErrRefused) {
			t.Errorf("dial when all is closed: %v", err)
		}
		if _, err := network.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept when all is closed: %v", err)
		}
	})
}

func TestLinkLiesBeforeARealListener(t *testing.T) {
	link := &faults.Link{Cut: faults.CutFirst(2000)}
	server := httptest.NewUnstartedServer(sized(5000))
	server.Listener = link.Listener(server.Listener)
	server.Start()
	defer server.Close()
	for i, whole := range []bool{false, true} {
		res, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if (err == nil) != whole || (len(body) == 5000) != whole {
			t.Errorf("connection %d: %d bytes, %v", i, len(body), err)
		}
	}
	_, down, _ := link.Carried()
	if down < 6000 {
		t.Errorf("carried %d bytes down", down)
	}
}

func TestLinkLiesBehindARealClient(t *testing.T) {
	link := &faults.Link{Rate: 1 << 20}
	server := httptest.NewServer(sized(5000))
	defer server.Close()
	transport := &http.Transport{DialContext: link.Dial(nil)}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || len(body) != 5000 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	if _, down, conns := link.Carried(); down < 5000 || conns != 1 {
		t.Errorf("carried %d bytes down on %d connections", down, conns)
	}
}

func TestLinkForwardsToARealServer(t *testing.T) {
	server := httptest.NewServer(sized(5000))
	defer server.Close()
	link := &faults.Link{Cut: faults.CutFirst(2000)}
	addr, stop, err := link.Forward(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for i, whole := range []bool{false, true, true} {
		res, err := (&http.Client{Transport: transport}).Get("http://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if (err == nil) != whole || (len(body) == 5000) != whole {
			t.Errorf("request %d: %d bytes, %v", i, len(body), err)
		}
	}
	if _, down, conns := link.Carried(); down < 11_000 || conns != 2 {
		t.Errorf("carried %d bytes down on %d connections", down, conns)
	}
}
