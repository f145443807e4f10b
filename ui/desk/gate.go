package desk

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How often somebody may try to sign in. A name is tried by devices that have
// signed in under it before, each with a budget of its own, and by all others
// together: whoever guesses at a name uses up the others' budget, and its owner
// still gets in from the own desk (OWASP, "device cookies").
const (
	triesAtOnce   = 5                // of a name or a device
	triesAgain    = time.Minute      // for one more
	addressAtOnce = 20               // of a network address
	addressAgain  = 10 * time.Second // for one more

	// hashing is how many passwords are tried at the same time: each takes 19 MiB.
	hashing = 2

	// maxBuckets bounds the memory of a gate: about 2 MB.
	maxBuckets = 10_000

	deviceCookie = "koprik_device"
	deviceAge    = 365 * 24 * time.Hour
)

// gate says who may try.
type gate struct {
	key    []byte
	now    func() time.Time
	places chan struct{}

	mu     sync.Mutex
	recent map[string]*rate.Limiter // used since the last turn
	before map[string]*rate.Limiter // used before it
}

func newGate(key []byte, now func() time.Time) *gate {
	return &gate{key: key, now: now, places: make(chan struct{}, hashing), recent: map[string]*rate.Limiter{}, before: map[string]*rate.Limiter{}}
}

// admit tells whether a try under a name may be made now.
func (g *gate) admit(r *http.Request, name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	bucket := "name " + name
	if device := g.device(r, name); device != "" {
		bucket = "device " + device
	}
	now := g.now()
	of := g.bucket("address "+network(r), addressAgain, addressAtOnce)
	return of.AllowN(now, 1) && g.bucket(bucket, triesAgain, triesAtOnce).AllowN(now, 1)
}

// bucket gives the budget of a key. The fullest half is forgotten when there are
// too many: those that nobody used lately.
func (g *gate) bucket(key string, again time.Duration, burst int) *rate.Limiter {
	if l, ok := g.recent[key]; ok {
		return l
	}
	l, ok := g.before[key]
	if !ok {
		l = rate.NewLimiter(rate.Every(again), burst)
	}
	if len(g.recent) >= maxBuckets/2 {
		g.before, g.recent = g.recent, map[string]*rate.Limiter{}
	}
	g.recent[key] = l
	return l
}

// enter takes one of the places in which passwords are tried; leave gives it
// back. ok is false when all are taken.
func (g *gate) enter() (leave func(), ok bool) {
	select {
	case g.places <- struct{}{}:
		return func() { <-g.places }, true
	default:
		return nil, false
	}
}

// remember gives the browser a cookie that says it has signed in under a name.
func (g *gate) remember(w http.ResponseWriter, r *http.Request, name string) error {
	if g.device(r, name) != "" {
		return nil
	}
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	id := base64.RawURLEncoding.EncodeToString(nonce)
	http.SetCookie(w, &http.Cookie{
		Name: deviceCookie, Value: id + "." + g.sign(id, name), Path: "/desk/sign-in", MaxAge: int(deviceAge / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	return nil
}

// device is the id of a browser that has signed in under a name; "" of others.
func (g *gate) device(r *http.Request, name string) string {
	c, err := r.Cookie(deviceCookie)
	if err != nil {
		return ""
	}
	id, mac, ok := strings.Cut(c.Value, ".")
	if !ok || !hmac.Equal([]byte(mac), []byte(g.sign(id, name))) {
		return ""
	}
	return id
}

func (g *gate) sign(id, name string) string {
	h := hmac.New(sha256.New, g.key)
	h.Write([]byte("koprik device\x00" + id + "\x00" + name))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// network is the part of the client's address that one household or attacker has:
// an IPv4 address, the first 64 bits of an IPv6 one.
func network(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	const household = 64
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.WithZone("").Prefix(household); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
