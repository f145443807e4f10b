package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// InboxState is what the centre has of a publisher.
type InboxState struct {
	Publisher  portal.PublisherID `json:"publisher"`
	Version    int64              `json:"version"` // of its role file; the next one is one more
	Generation int64              `json:"generation"`
	Expires    time.Time          `json:"expires"`
	Suspended  bool               `json:"suspended"`
	Targets    map[string]string  `json:"targets"` // path → SHA-256
}

// InboxAnswer is the answer to a role file: accepted, or what is missing.
type InboxAnswer struct {
	Accepted   bool          `json:"accepted"`
	Generation int64         `json:"generation,omitempty"`
	Missing    []InboxObject `json:"missing,omitempty"`
}

// InboxObject is an object that is wanted, and how much of it has come.
type InboxObject struct {
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Have   int64  `json:"have"`
}

// Inbox takes what publishers with keys of their own hand in. A refusal is
// portal.ErrRejected, ErrInboxConflict among that.
type Inbox interface {
	State(ctx context.Context, p portal.PublisherID) (InboxState, error)
	// Offer takes a role file: it is accepted, or objects are missing, which Put
	// then takes.
	Offer(ctx context.Context, p portal.PublisherID, role []byte) (InboxAnswer, error)
	// Put appends to an object of the offer with the given SHA-256, from byte at
	// on. It takes no byte more than were signed, and keeps the object only when
	// it is what was signed.
	Put(ctx context.Context, p portal.PublisherID, offer, object portal.Digest, at int64, body io.Reader) (InboxObject, error)
}

// ErrInboxConflict says that what came is not what comes next: another version of
// a role file, another byte of an object. It is answered with 409.
var ErrInboxConflict = errors.New("not what comes next")

// OfferHeader names the offer that an object belongs to: the SHA-256 of the role
// file, which before its publication only the publisher knows.
const OfferHeader = "Koprik-Offer"

// Limits of one hand-over's requests.
const (
	maxInboxRole  = 8 << 20
	maxInboxPiece = 4 << 20
)

// NewInbox answers the addresses below /inbox/, where agencies hand in their
// signed releases (docs/how-to/agency.md). A signature is the only key to it:
// nothing is written before a role file has verified.
func NewInbox(inbox Inbox, log *slog.Logger) http.Handler {
	a := &api{log: log}
	if a.log == nil {
		a.log = slog.Default()
	}
	i := &inboxAPI{inbox: inbox}
	r := mux.NewRouter().SkipClean(true)
	for _, route := range i.routes() {
		r.HandleFunc(route.path, func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			p, err := portal.ParsePublisherID(mux.Vars(req)["publisher"])
			if err != nil {
				err = usage("publisher", "%v", err)
			} else {
				err = route.handle(w, req, p)
			}
			if err != nil {
				a.failInbox(w, req, err)
			}
		}).Methods(route.method)
	}
	r.NotFoundHandler = a.answer(noRoute)
	r.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		a.fail(w, req, &portal.Problem{Kind: errMethod, Where: req.Method, Message: "the inbox answers GET of a publisher, and PUT of its role and objects"})
	})
	return r
}

// failInbox answers a refusal with 409 where another try begins elsewhere.
func (a *api) failInbox(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, ErrInboxConflict) {
		a.fail(w, r, err)
		return
	}
	writeInbox(w, http.StatusConflict, fault{Error: describe(err)})
}

type inboxAPI struct{ inbox Inbox }

// inboxRoute is one address of the inbox and what answers it.
type inboxRoute struct {
	method, path string
	handle       func(http.ResponseWriter, *http.Request, portal.PublisherID) error
}

func (i *inboxAPI) routes() []inboxRoute {
	return []inboxRoute{
		{http.MethodGet, "/inbox/{publisher}", i.state},
		{http.MethodPut, "/inbox/{publisher}/role", i.role},
		{http.MethodPut, "/inbox/{publisher}/objects/{sha256:[0-9a-f]{64}}", i.object},
	}
}

func (i *inboxAPI) state(w http.ResponseWriter, r *http.Request, p portal.PublisherID) error {
	s, err := i.inbox.State(r.Context(), p)
	if err != nil {
		return err
	}
	writeInbox(w, http.StatusOK, s)
	return nil
}

func (i *inboxAPI) role(w http.ResponseWriter, r *http.Request, p portal.PublisherID) error {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInboxRole))
	if err != nil {
		return portal.Rejected("role", "cannot be read: %v", err)
	}
	answer, err := i.inbox.Offer(r.Context(), p, b)
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if answer.Accepted {
		status = http.StatusOK
	}
	writeInbox(w, status, answer)
	return nil
}

func (i *inboxAPI) object(w http.ResponseWriter, r *http.Request, p portal.PublisherID) error {
	object, err := portal.ParseDigest(mux.Vars(r)["sha256"])
	if err != nil {
		return usage("object", "%v", err)
	}
	offer, err := portal.ParseDigest(r.Header.Get(OfferHeader))
	if err != nil {
		return usage(OfferHeader, "must be the SHA-256 of the role file that was handed in first")
	}
	at, err := pieceStart(r.Header.Get("Content-Range"))
	if err != nil {
		return err
	}
	got, err := i.inbox.Put(r.Context(), p, offer, object, at, http.MaxBytesReader(w, r.Body, maxInboxPiece))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return portal.Rejected("object", "a piece has at most %d bytes", long.Limit).WithHint("what fitted was kept: go on behind it")
	case err != nil:
		return err
	}
	status := http.StatusAccepted
	if got.Have == got.Bytes {
		status = http.StatusOK
	}
	writeInbox(w, status, got)
	return nil
}

// pieceStart reads the first byte of "bytes 100-199/200"; no header is byte 0.
func pieceStart(header string) (int64, error) {
	if header == "" {
		return 0, nil
	}
	rest, ok := strings.CutPrefix(header, "bytes ")
	first, _, dash := strings.Cut(rest, "-")
	at, err := strconv.ParseInt(first, 10, 64)
	if !ok || !dash || err != nil || at < 0 {
		return 0, usage("Content-Range", "%q is not like bytes 100-199/200", header)
	}
	return at, nil
}

func writeInbox(w http.ResponseWriter, status int, v any) {
	data := encode(v)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // whoever asked may have gone: nothing is lost
}
