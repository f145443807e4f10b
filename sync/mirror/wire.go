package mirror

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
)

// Wire counts what goes over the connections of an HTTP client, headers and TLS
// with it. It is safe for concurrent use.
type Wire struct{ up, down, dials atomic.Int64 }

// traffic is what went over a wire until now.
type traffic struct{ up, down, dials int64 }

// Dial counts the connections that dial makes.
func (w *Wire) Dial(dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		w.dials.Add(1)
		return &wired{conn, w}, nil
	}
}

// HTTP is HTTP over a client whose connections are counted by w.
func (w *Wire) HTTP(base string, client *http.Client) (Source, error) {
	s, err := HTTP(base, client)
	if h, ok := s.(*httpSource); ok {
		h.wire = w
	}
	return s, err
}

func (w *Wire) traffic() traffic { return traffic{w.up.Load(), w.down.Load(), w.dials.Load()} }

type wired struct {
	net.Conn
	wire *Wire
}

func (c *wired) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.down.Add(int64(n))
	return n, err
}

func (c *wired) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.wire.up.Add(int64(n))
	return n, err
}

// begin remembers what had gone over the source's wire before a round.
func (c *counted) begin() *counted {
	if s, ok := c.Source.(*httpSource); ok && s.wire != nil {
		c.before = s.wire.traffic()
	}
	return c
}

// tell writes what a round cost into its report: bytes as they went over the
// wire, or of files where nobody counts there. Connections are made side by side,
// so that all together are one round trip.
func (c *counted) tell(r *Report, trips int64) {
	r.BytesDown, r.Requests, r.Upstream = c.bytes.Load(), int(c.requests.Load()), c.String()
	if s, ok := c.Source.(*httpSource); ok && s.wire != nil {
		now := s.wire.traffic()
		r.BytesDown, r.BytesUp = now.down-c.before.down, now.up-c.before.up
		trips += min(now.dials-c.before.dials, 1)
	}
	r.RoundTrips = int(trips)
}
