package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	pathpkg "path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"koprik/portal"
)

// Source is where a repository is read from: nothing but static files.
type Source interface {
	// Get opens a file of the repository. It may begin at an offset; start says
	// where the body really begins (a server may give the whole file instead).
	// A file that isn't there is portal.ErrNotFound, anything that another try
	// may mend is portal.ErrUnreachable.
	Get(ctx context.Context, path string, offset int64) (body io.ReadCloser, start int64, err error)
	// String names the source to a person.
	String() string
}

// HTTP reads a repository from a web server; base is the address of the folder
// that holds metadata/, with or without the /repository/ that our nodes serve it under.
func HTTP(base string, client *http.Client) (Source, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, &portal.Problem{Kind: portal.ErrUsage, Where: base, Message: "is not an http or https address"}
	}
	if !strings.HasSuffix(u.Path, "/repository") && !strings.HasSuffix(u.Path, "/repository/") {
		u = u.JoinPath("repository")
	}
	return &httpSource{base: u, client: client}, nil
}

type httpSource struct {
	base   *url.URL
	client *http.Client
	wire   *Wire // nil: nobody counts
}

func (s *httpSource) String() string { return s.base.String() }

func (s *httpSource) Get(ctx context.Context, path string, offset int64) (io.ReadCloser, int64, error) {
	where := s.base.JoinPath(path).String()
	ctx, cancel := context.WithCancelCause(ctx)
	body, start, err := s.get(ctx, where, offset)
	if err != nil {
		cancel(nil)
		return nil, 0, err
	}
	return newPatient(body, cancel), start, nil
}

func (s *httpSource) get(ctx context.Context, where string, offset int64) (io.ReadCloser, int64, error) {
	h := http.Header{}
	if offset > 0 {
		h.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
	}
	resp, err := s.do(ctx, where, h)
	if err != nil {
		return nil, 0, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp.Body, 0, nil
	case http.StatusPartialContent:
		if start, ok := rangeStart(resp.Header.Get("Content-Range")); ok && start <= offset {
			return resp.Body, start, nil
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return io.NopCloser(strings.NewReader("")), offset, resp.Body.Close()
	}
	return nil, 0, refused(where, resp)
}

func (s *httpSource) do(ctx context.Context, where string, h http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, err
	}
	req.Header = h
	// Ranges and byte counts are about the file, not about a transfer encoding.
	h.Set("Accept-Encoding", "identity")
	h.Set("User-Agent", "koprik")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, unreachable(where, err)
	}
	return resp, nil
}

// refused says what an answer without the file means. Its body is read, so that
// the connection can be used again.
func refused(where string, resp *http.Response) error {
	const short = 4 << 10
	_, _ = io.CopyN(io.Discard, resp.Body, short) // nobody needs it
	err := unreachable(where, fmt.Errorf("answered %s", resp.Status))
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone {
		err = fmt.Errorf("%s: %w", where, portal.ErrNotFound)
	}
	return errors.Join(err, resp.Body.Close())
}

// A body has to bring stallBytes within stallTime, or its end, before its
// connection counts as dead: nothing at all, or a drip that keeps a mirror busy
// for ever. A 64 kbit/s line shared by four connections brings 120 KB.
const (
	stallTime  = 60 * time.Second
	stallBytes = 4 << 10
)

var errStalled = errors.New("less than 4 KB came in a minute")

// patient is a body that is given up when it brings too little.
type patient struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
	timer  *time.Timer
	came   int // bytes since the timer was set
	dead   atomic.Bool
}

func newPatient(body io.ReadCloser, cancel context.CancelCauseFunc) *patient {
	p := &patient{ReadCloser: body, cancel: cancel}
	p.timer = time.AfterFunc(stallTime, func() {
		p.dead.Store(true)
		cancel(errStalled)
	})
	return p
}

func (p *patient) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if p.dead.Load() && err != nil && !errors.Is(err, io.EOF) {
		return n, errStalled
	}
	if p.came += n; p.came >= stallBytes {
		p.timer.Reset(stallTime)
		p.came = 0
	}
	return n, err
}

func (p *patient) Close() error {
	p.timer.Stop()
	err := p.ReadCloser.Close()
	p.cancel(nil)
	return err
}

// rangeStart reads the first byte's number out of "bytes 100-199/200".
func rangeStart(header string) (int64, bool) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	if !ok {
		return 0, false
	}
	first, _, ok := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(first, 10, 64)
	return n, ok && err == nil && n >= 0
}

func unreachable(where string, cause error) error {
	return &portal.Problem{
		Kind: portal.ErrUnreachable, Where: where, Cause: cause,
		Message: fmt.Sprintf("cannot be reached: %v", cause),
		Hint:    "the node goes on with the copy it has and tries again",
	}
}

// counted counts what a round costs.
type counted struct {
	Source
	limits
	before   traffic // over the source's wire
	bytes    atomic.Int64
	requests atomic.Int64
	pack     map[string][]byte // small files that are here already; nil: ask for all
}

func (c *counted) Get(ctx context.Context, path string, offset int64) (io.ReadCloser, int64, error) {
	if body, err, here := c.inPack(path); here {
		return body, 0, err
	}
	c.requests.Add(1)
	body, start, err := c.open(ctx, path, offset)
	if err != nil {
		return nil, 0, err
	}
	return &countedBody{ReadCloser: body, n: &c.bytes}, start, nil
}

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}

// inPack gives what a pack brought. It holds every root that is new, so that one
// which it lacks is not asked for. Manifests stand in it without their digest;
// one that is another counts as absent.
func (c *counted) inPack(path string) (io.ReadCloser, error, bool) {
	if c.pack == nil {
		return nil, nil, false
	}
	if b, ok := c.pack[path]; ok && strings.HasPrefix(path, "metadata/") {
		return io.NopCloser(bytes.NewReader(b)), nil, true
	}
	if strings.HasPrefix(path, "metadata/") && strings.HasSuffix(path, ".root.json") {
		return nil, fmt.Errorf("%s: %w", path, portal.ErrNotFound), true
	}
	folder, file := pathpkg.Split(path)
	digest, name, ok := strings.Cut(file, ".")
	b, held := c.pack[folder+name]
	if !ok || !held || portal.DigestOf(b).Hex() != digest {
		return nil, nil, false
	}
	return io.NopCloser(bytes.NewReader(b)), nil, true
}
