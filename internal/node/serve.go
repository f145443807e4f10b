package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/ui/api"
	"koprik/ui/locale"
	"koprik/ui/site"
)

// watchEvery is how soon a server shows what another process has published or
// fetched in its data directory.
const watchEvery = 300 * time.Millisecond

// uploadTime is how long a file may take that somebody wants to be checked.
const uploadTime = 10 * time.Minute

// Handler serves the node's pages and machine interfaces.
func (n *Node) Handler() (http.Handler, error) {
	words, err := n.words()
	if err != nil {
		return nil, err
	}
	pages, err := site.New(n.pages(words))
	if err != nil {
		return nil, err
	}
	staff, err := n.desk(words)
	if err != nil {
		return nil, err
	}
	machine := n.withInbox(n.machine())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isExport(r.URL.Path) {
			patiently(machine, w, r)
			return
		}
		if forMachines(r.URL.Path) {
			machine.ServeHTTP(w, r)
			return
		}
		if staff != nil && forDesk(r.URL.Path) {
			staff.ServeHTTP(w, r)
			return
		}
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/verify") {
			// A file takes longer than a request. Where the connection has no
			// deadline there is none to be moved.
			_ = http.NewResponseController(w).SetReadDeadline(n.opt.Clock().Add(uploadTime))
		}
		pages.ServeHTTP(w, r)
	}), nil
}

// KioskHandler serves the pages in the layout of a public screen, and nothing
// for programs.
func (n *Node) KioskHandler() (http.Handler, error) {
	words, err := n.words()
	if err != nil {
		return nil, err
	}
	o := n.pages(words)
	o.Kiosk, o.Region = true, n.config.Region
	return site.New(o)
}

func (n *Node) pages(words *locale.Catalog) site.Options {
	memo := &markOf{}
	return site.Options{
		Mark: func() (site.Mark, bool) { return n.mark(memo) },
		Held: n.blobs.Has, Arrived: n.arrivals.Load,
		View: n.View, Status: n.Status, Verifier: n, Asker: n, Counter: n, Now: n.Now, Words: words, Log: n.opt.Log, OldAfter: n.oldAfter(), Version: n.opt.Version,
		Contact: n.config.Contact, Development: n.opt.Development,
	}
}

// words are the words of the pages, with the translators' own in place of ours
// where words.toml in the data directory has them.
func (n *Node) words() (*locale.Catalog, error) {
	const limit = 4 << 20
	b, err := disk.ReadFile(n.root, wordsFile, limit)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	c, err := locale.New(b)
	if err != nil {
		return nil, portal.Rejected(wordsFile, "%v", err)
	}
	return c, nil
}

// forMachines tells addresses of programs from pages (DESIGN.md, "Addresses").
func forMachines(path string) bool {
	for _, prefix := range []string{"/api/", "/dataset/", "/repository/", "/.well-known/", "/inbox/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "/healthz" || path == "/readyz" || path == api.PostAddress
}

// repositoryFS is what /repository/ gives away; a node without one gives nothing.
func (n *Node) repositoryFS() fs.FS {
	if !n.serves() {
		return nil
	}
	return lateFS{filepath.Join(n.dir, repositoryDir)}
}

// lateFS opens a folder that may come into being after the server has started,
// and follows no link out of it.
type lateFS struct{ dir string }

func (l lateFS) Open(name string) (fs.File, error) {
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := root.Open(filepath.FromSlash(name))
	return f, errors.Join(err, root.Close())
}

// Serving is a node that answers requests.
type Serving struct {
	Addr  string // the address that is really listened on
	Kiosk string // the same of the kiosk's pages; "" where there are none

	servers []*http.Server
	ends    chan error
	stop    context.CancelFunc
	idle    chan struct{} // closed when the background work has ended
}

// Serve begins to answer on listen ("" is the configured address), on the
// kiosk's address where one is configured, and to do the node's background work,
// until Stop.
func (n *Node) Serve(ctx context.Context, listen string) (*Serving, error) {
	if !n.owner() {
		return nil, locked(n.dir, nil)
	}
	if listen == "" {
		listen = n.config.Listen
	}
	handler, err := n.Handler()
	if err != nil {
		return nil, err
	}
	l, err := listenOn("--listen", listen)
	if err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Serving{Addr: l.Addr().String(), ends: make(chan error, 2), stop: stop, idle: make(chan struct{})}
	if n.config.KioskListen != "" {
		if err := n.serveKiosk(background, s); err != nil {
			stop()
			return nil, errors.Join(err, l.Close())
		}
	}
	n.packing = make(chan struct{}, 1)
	s.begin(background, l, n.traffic.counted(handler))
	go func() {
		defer close(s.idle)
		var packs sync.WaitGroup
		if n.packer != nil {
			packs.Go(func() { n.packWhenTold(background, n.packing) })
		}
		if n.central() {
			packs.Go(func() { n.mailWhenDue(background) })
		}
		n.work(background)
		packs.Wait()
	}()
	return s, nil
}

func (n *Node) serveKiosk(ctx context.Context, s *Serving) error {
	handler, err := n.KioskHandler()
	if err != nil {
		return err
	}
	l, err := listenOn("--kiosk-listen", n.config.KioskListen)
	if err != nil {
		return err
	}
	s.Kiosk = l.Addr().String()
	s.begin(ctx, l, n.traffic.counted(handler))
	return nil
}

func listenOn(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	p := &portal.Problem{
		Kind: portal.ErrUnavailable, Where: flag + " " + address, Cause: err, Message: fmt.Sprintf("cannot listen there: %v", err),
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		p.Hint = "another program uses this port: stop it, or choose another with " + flag
	}
	return nil, p
}

// begin answers on l with the limits that every listener has.
func (s *Serving) begin(ctx context.Context, l net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	s.servers = append(s.servers, server)
	go func() {
		err := server.Serve(l)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		s.ends <- err
	}()
}

// Wait returns when the server has ended by itself, with the reason, or when
// ctx is done.
func (s *Serving) Wait(ctx context.Context) error {
	select {
	case err := <-s.ends:
		return err
	case <-ctx.Done():
		return nil
	}
}

// Stop lets running requests end, at most five seconds, and then the background
// work, which leaves nothing half done.
func (s *Serving) Stop() error {
	const grace = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var all error
	for _, server := range s.servers {
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		all = errors.Join(all, err)
	}
	s.stop()
	<-s.idle
	return all
}

// rest gives memory back to the system after work that took much: a server may
// have nothing to do for days. What is in a pool goes with the second collection.
func rest() {
	runtime.GC()
	debug.FreeOSMemory()
}

// work does what a serving node does by itself: it shows what other processes
// left for it, keeps the centre's timestamp fresh, and syncs a mirror.
func (n *Node) work(ctx context.Context) {
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	talk := time.NewTicker(talkEvery)
	defer talk.Stop()
	count := time.NewTicker(usageFlush)
	defer count.Stop()
	next := time.NewTimer(0)
	defer next.Stop()
	rest() // of what the start took
	failures := 0
	for {
		select {
		case <-ctx.Done():
			n.logged("keep what was counted", n.FlushUsage(context.WithoutCancel(ctx)))
			return
		case <-count.C:
			n.logged("keep what was counted", n.FlushUsage(ctx))
		case <-watch.C:
			n.logged("catch up", errors.Join(n.noticed(ctx), n.showArrived(ctx)))
		case <-talk.C:
			n.logged("answer questions", n.talkOnce(ctx))
		case <-next.C:
			var wait time.Duration
			if n.central() {
				n.logged("sign the timestamp", n.refresh(ctx))
				n.logged("publish what was counted", n.publishUsageDue(ctx))
				wait = time.Hour
			} else {
				wait = n.syncOnce(ctx, &failures)
			}
			next.Reset(wait)
		}
	}
}

func (n *Node) logged(doing string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		n.opt.Log.Error(doing, "error", err)
	}
}

// syncOnce syncs and says how long to wait: the interval, or after a failure a
// growing time with jitter, so that a thousand mirrors do not come back at once.
func (n *Node) syncOnce(ctx context.Context, failures *int) time.Duration {
	interval := n.config.SyncInterval
	if n.config.Upstream == "" && len(n.config.Upstreams) == 0 {
		return interval
	}
	if wait := n.config.SyncHours.Wait(n.opt.Clock().Local()); wait > 0 {
		return wait + rand.N(time.Minute) //nolint:gosec // jitter, no secret
	}
	report, err := n.Sync(ctx, SyncOptions{Scheduled: true})
	if report.Generation > report.Previous {
		rest()
	}
	if err == nil {
		*failures = 0
		return interval
	}
	n.logged("sync", err)
	*failures++
	return mirror.Retry(interval, *failures, rand.N[time.Duration])
}

// noticed applies what another process has written: then the timestamp, which
// is written last, has changed.
func (n *Node) noticed(ctx context.Context) error {
	name := trustDir + "/timestamp.json"
	if n.central() {
		name = repositoryDir + "/metadata/timestamp.json"
	}
	const limit = 64 << 10
	now, err := disk.ReadFile(n.root, name, limit)
	if err != nil || bytes.Equal(now, n.noticedLast) {
		return nil //nolint:nilerr // nothing is there yet
	}
	release, err := n.writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	n.noticedLast = now
	if err := n.catchUp(ctx); err != nil {
		return err
	}
	n.pack(ctx)
	return nil
}

// refresh signs a centre's timestamp anew once a day.
func (n *Node) refresh(ctx context.Context) error {
	const daily = 24 * time.Hour
	release, err := n.writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	o, done, err := n.origin()
	if err != nil {
		return err
	}
	defer done()
	signed, err := o.SignedAt()
	if err != nil || n.Now().Sub(signed) < daily {
		return err
	}
	if _, err := o.Refresh(ctx); err != nil {
		return err
	}
	if err := n.followOwn(ctx); err != nil {
		return err
	}
	n.pack(ctx)
	return nil
}
