package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"koprik/portal"
)

// fakeInbox answers what a test wants, and remembers what it got.
type fakeInbox struct {
	err  error
	at   int64
	body string
}

func (f *fakeInbox) State(_ context.Context, p portal.PublisherID) (InboxState, error) {
	return InboxState{Publisher: p, Version: 2}, f.err
}

func (f *fakeInbox) Offer(context.Context, portal.PublisherID, []byte) (InboxAnswer, error) {
	return InboxAnswer{Accepted: true, Generation: 9}, f.err
}

func (f *fakeInbox) Put(_ context.Context, _ portal.PublisherID, _, object portal.Digest, at int64, body io.Reader) (InboxObject, error) {
	b, err := io.ReadAll(body)
	f.at, f.body = at, string(b)
	return InboxObject{SHA256: object.Hex(), Bytes: 10, Have: at + int64(len(b))}, errors.Join(f.err, err)
}

func TestInboxAnswersItsAddressesAndNoOther(t *testing.T) {
	conflict := portal.Rejected("role", "is version 1")
	conflict.Cause = ErrInboxConflict
	hex := strings.Repeat("ab", 32)
	for _, c := range []struct {
		what, method, path string
		err                error
		status             int
		says               string
	}{
		{"a publisher", "GET", "/inbox/health", nil, 200, `"version":2`},
		{"nobody's", "GET", "/inbox/Health", nil, 400, "publisher"},
		{"a role", "PUT", "/inbox/health/role", nil, 200, `"generation":9`},
		{"a refused role", "PUT", "/inbox/health/role", portal.Rejected("role", "why"), 422, "why"},
		{"an old role", "PUT", "/inbox/health/role", conflict, 409, "is version 1"},
		{"a full disk", "PUT", "/inbox/health/role", &portal.Problem{Kind: portal.ErrNoSpace, Message: "full"}, 507, "full"},
		{"a reader", "GET", "/inbox/health/role", nil, 405, "inbox"},
		{"a form", "POST", "/inbox/health/role", nil, 405, "inbox"},
		{"a deletion", "DELETE", "/inbox/health", nil, 405, "inbox"},
		{"an object without its offer", "PUT", "/inbox/health/objects/" + hex, nil, 400, "Koprik-Offer"},
		{"no hash", "PUT", "/inbox/health/objects/" + strings.ToUpper(hex), nil, 404, "nothing"},
		{"a way out", "PUT", "/inbox/../role", nil, 400, "publisher"},
	} {
		w := httptest.NewRecorder()
		NewInbox(&fakeInbox{err: c.err}, nil).ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader("{}")))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s, want %d %q", c.what, w.Code, w.Body, c.status, c.says)
		}
	}
}

func TestPieceOfAnObjectGoesWhereItsRangeSays(t *testing.T) {
	hex := strings.Repeat("ab", 32)
	for _, c := range []struct {
		header, body string
		status       int
		at           int64
	}{
		{"", "0123456789", http.StatusOK, 0},
		{"bytes 4-9/10", "456789", http.StatusOK, 4},
		{"bytes 4-7/10", "4567", http.StatusAccepted, 4},
		{"bytes -4", "4567", http.StatusBadRequest, 0},
		{"bytes 4", "4567", http.StatusBadRequest, 0},
		{"octets 4-7/10", "4567", http.StatusBadRequest, 0},
		{"bytes 99999999999999999999-1/2", "4567", http.StatusBadRequest, 0},
		{"", strings.Repeat("x", maxInboxPiece+1), http.StatusUnprocessableEntity, 0},
	} {
		inbox := &fakeInbox{}
		r := httptest.NewRequest(http.MethodPut, "/inbox/health/objects/"+hex, strings.NewReader(c.body))
		r.Header.Set(OfferHeader, hex)
		if c.header != "" {
			r.Header.Set("Content-Range", c.header)
		}
		w := httptest.NewRecorder()
		NewInbox(inbox, nil).ServeHTTP(w, r)
		if w.Code != c.status || w.Code < 300 && (inbox.at != c.at || inbox.body != c.body) {
			t.Errorf("%q: %d %s, want %d; %q at %d", c.header, w.Code, w.Body, c.status, inbox.body, inbox.at)
		}
	}
}
