package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// ErrRefused is what dialing gives when the link is down or nobody listens.
var ErrRefused = errors.New("connection refused")

// Link is a line between a client and a server. All connections over it share
// its rate, as they share a village's line; each direction has the full rate. The
// zero Link is perfect. Set its fields before the first connection.
type Link struct {
	// Delay is how long a byte travels, one way. A round trip takes twice that.
	Delay time.Duration
	// Rate is bytes a second in each direction; 0 has no limit.
	Rate int64
	// Cut says after how many bytes, counted in both directions, a connection
	// drops: conn 0 is the first over this link. 0 never drops it; nil never any.
	Cut func(conn int) int64
	// CutAge is how long a connection lives before it drops; 0 is for ever.
	CutAge time.Duration
	// Lost tells of each segment, by its number, whether it is lost on the way: then
	// it goes over the line again, and arrives a round trip later. nil loses none.
	Lost func(segment int) bool

	mu        sync.Mutex
	unplugged bool
	open      map[*carriage]bool
	conns     int
	segments  int
	turns     int
	toServer  *line
	toClient  *line
}

// line is one direction. Whoever has put its token in turn may send.
type line struct {
	turn  chan struct{}
	bytes int64 // kept by the link's mu
}

// CutEvery drops every connection after n bytes.
func CutEvery(n int64) func(conn int) int64 { return func(int) int64 { return n } }

// CutFirst drops the first connections after as many bytes as given, and no more.
func CutFirst(after ...int64) func(conn int) int64 {
	return func(conn int) int64 {
		if conn < len(after) {
			return after[conn]
		}
		return 0
	}
}

// Listener lays the link before a server.
func (l *Link) Listener(inner net.Listener) net.Listener { return &linkListener{inner, l} }

// Dial lays the link behind a client. A nil dial is the network's own.
func (l *Link) Dial(dial DialFunc) DialFunc {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if l.isDown() {
			return nil, fmt.Errorf("dial %s %s: %w", network, addr, ErrRefused)
		}
		if err := sleep(ctx, 2*l.Delay); err != nil { // as TCP shakes hands
			return nil, fmt.Errorf("dial %s %s: %w", network, addr, err)
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		toServer, toClient := l.lines()
		return l.carry(conn, toServer, toClient), nil
	}
}

// SetDown pulls the cable, which drops every connection and refuses new ones, or
// plugs it in again.
func (l *Link) SetDown(down bool) {
	l.mu.Lock()
	l.unplugged = down
	var open []*carriage
	if down {
		open = slices.Collect(maps.Keys(l.open))
	}
	l.mu.Unlock()
	for _, c := range open {
		c.drop()
	}
}

// Carried is how many bytes went from clients to servers and back, and over how
// many connections.
func (l *Link) Carried() (up, down int64, conns int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.toServer == nil {
		return 0, 0, 0
	}
	return l.toServer.bytes, l.toClient.bytes, l.conns
}

// Turns is how often a client spoke after it had heard the server, or spoke first:
// what a protocol of questions and answers waits for, one after the other on each
// connection.
func (l *Link) Turns() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turns
}

// lines gives both directions, made in the bubble of the first connection.
func (l *Link) lines() (toServer, toClient *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.toServer == nil {
		l.toServer, l.toClient = &line{turn: make(chan struct{}, 1)}, &line{turn: make(chan struct{}, 1)}
	}
	return l.toServer, l.toClient
}

func (l *Link) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unplugged
}

// linkListener gives connections that went over the link.
type linkListener struct {
	net.Listener
	link *Link
}

func (ll *linkListener) Accept() (net.Conn, error) {
	conn, err := ll.Listener.Accept()
	if err != nil {
		return nil, err
	}
	toServer, toClient := ll.link.lines()
	return ll.link.carry(conn, toClient, toServer), nil
}

// segment is the unit in which connections share a line, about what two packets
// of Ethernet carry.
const segment = 3000

// window is how many segments one connection has under way in one direction
// before its writer waits; about 190 KB, so that 64 kbit/s at 600 ms is filled.
const window = 64

// carriage is one connection's journey over the link: far is the real end, near
// the other end of the pipe whose first end the caller holds.
type carriage struct {
	link      *Link
	far, near net.Conn
	done      chan struct{}
	end       sync.Once

	mu   sync.Mutex
	left int64 // bytes until it drops; negative never does
	last *line // kept by the link's mu: what carried last
}

// carry takes a real connection and gives the one that the link makes of it:
// what is written to that travels on line out, what is read from it on line in.
// When the cable is out it is dropped at once.
func (l *Link) carry(conn net.Conn, out, in *line) net.Conn {
	mine, near := net.Pipe()
	c := &carriage{link: l, far: conn, near: near, done: make(chan struct{}), left: -1}
	l.mu.Lock()
	if l.Cut != nil {
		if n := l.Cut(l.conns); n > 0 {
			c.left = n
		}
	}
	l.conns++
	if l.open == nil {
		l.open = map[*carriage]bool{}
	}
	l.open[c] = true
	unplugged := l.unplugged
	l.mu.Unlock()
	if unplugged {
		c.drop()
	}
	go c.pump(conn, near, out)
	go c.pump(near, conn, in)
	if l.CutAge > 0 {
		go c.age(time.NewTimer(l.CutAge))
	}
	return &linkConn{Conn: mine, far: conn}
}

// drop ends both ends at once; what is under way is lost.
func (c *carriage) drop() {
	c.end.Do(func() {
		close(c.done)
		_ = c.far.Close()
		_ = c.near.Close()
		c.link.mu.Lock()
		delete(c.link.open, c)
		c.link.mu.Unlock()
	})
}

func (c *carriage) age(limit *time.Timer) {
	if c.wait(limit) {
		c.drop()
	}
}

// wait lets time pass, and tells whether the connection still stands.
func (c *carriage) wait(timer *time.Timer) bool {
	defer timer.Stop()
	select {
	case <-c.done:
		return false
	case <-timer.C:
		return true
	}
}

// parcel is a segment under way.
type parcel struct {
	bytes   []byte
	arrives *time.Timer
	drops   bool // the connection breaks when this one has arrived
}

// pump carries one direction until it ends. A close arrives with the last byte
// before it, without a delay of its own: a test need not wait for it.
func (c *carriage) pump(dst io.Writer, src io.Reader, on *line) {
	parcels := make(chan parcel, window)
	go c.load(parcels, src, on)
	defer c.drop()
	for p := range parcels {
		if !c.wait(p.arrives) {
			return
		}
		if _, err := dst.Write(p.bytes); err != nil || p.drops {
			return
		}
	}
}

// load puts what is sent on the line.
func (c *carriage) load(parcels chan<- parcel, src io.Reader, on *line) {
	defer close(parcels)
	for {
		buf := make([]byte, segment)
		n, err := src.Read(buf)
		n, drops := c.spend(n)
		if n == 0 && drops {
			<-c.done // the other direction has the last byte, still under way
			return
		}
		if n > 0 && !c.send(parcels, on, parcel{bytes: buf[:n], drops: drops}) || drops {
			return
		}
		if err != nil {
			return
		}
	}
}

// spend says how many of n bytes the connection still carries, and whether it
// drops then.
func (c *carriage) spend(n int) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left < 0 {
		return n, false
	}
	n = int(min(int64(n), c.left))
	c.left -= int64(n)
	return n, c.left == 0
}

// send waits for its turn on the line and for the bytes to leave, and tells
// whether the connection still stands. Their journey begins then.
func (c *carriage) send(parcels chan<- parcel, on *line, p parcel) bool {
	times := c.link.sendings()
	if rate := c.link.Rate; rate > 0 {
		select {
		case on.turn <- struct{}{}:
		case <-c.done:
			return false
		}
		leaves := time.Duration(float64(times*len(p.bytes)) / float64(rate) * float64(time.Second))
		stands := c.wait(time.NewTimer(leaves))
		<-on.turn
		if !stands {
			return false
		}
	}
	c.link.mu.Lock()
	on.bytes += int64(len(p.bytes))
	if on == c.link.toServer && c.last != on {
		c.link.turns++
	}
	c.last = on
	c.link.mu.Unlock()
	p.arrives = time.NewTimer(c.link.Delay * time.Duration(2*times-1))
	select {
	case parcels <- p:
		return true
	case <-c.done:
		return false
	}
}

// sendings is how often the next segment goes over the line until it arrives.
func (l *Link) sendings() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for times := 1; ; times++ {
		l.segments++
		if l.Lost == nil || !l.Lost(l.segments-1) {
			return times
		}
	}
}

// sleep lets time pass, or gives the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// linkConn is the caller's end, with the addresses of the real connection.
type linkConn struct {
	net.Conn
	far net.Conn
}

func (c *linkConn) LocalAddr() net.Addr  { return c.far.LocalAddr() }
func (c *linkConn) RemoteAddr() net.Addr { return c.far.RemoteAddr() }
