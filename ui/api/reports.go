package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"koprik/portal"
)

// Reports takes proof that somebody has signed two different things under one
// version.
type Reports interface {
	// Report checks evidence and keeps it; known says that it was known already.
	// What proves nothing is portal.ErrRejected.
	Report(ctx context.Context, evidence []byte) (known bool, err error)
}

// ReportAddress is where a node takes reports from nodes below it; no publisher is
// called so.
const ReportAddress = "/inbox/_equivocation"

// maxReport bounds evidence, in bytes.
const maxReport = 8 << 20

// NewReports answers POST at ReportAddress. Nobody is asked who they are: a
// report counts for the signatures in it. One is checked at a time.
func NewReports(reports Reports, log *slog.Logger) http.Handler {
	in := intake{what: "evidence", most: maxReport, atOnce: 1, busy: "another report is being checked"}
	return in.handler(log, func(ctx context.Context, b []byte) (any, error) {
		known, err := reports.Report(ctx, b)
		if errors.Is(err, portal.ErrUnverified) {
			err = portal.Rejected("evidence", "%v", err)
		}
		return struct {
			Known bool `json:"known"`
		}{known}, err
	})
}

// intake is an address at which a node takes bytes from nodes below it by POST.
type intake struct {
	what   string // the bytes, for messages
	most   int64  // of them
	atOnce int    // requests that are worked on
	busy   string // what one more is told
}

// handler gives the bytes to take, which answers what is written back.
func (in intake) handler(log *slog.Logger, take func(ctx context.Context, b []byte) (any, error)) http.Handler {
	a := &api{log: log}
	if a.log == nil {
		a.log = slog.Default()
	}
	places := make(chan struct{}, in.atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			a.fail(w, r, &portal.Problem{Kind: errMethod, Where: r.Method, Message: "this address answers POST only"})
			return
		}
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, in.most))
		if err != nil {
			a.fail(w, r, portal.Rejected(in.what, "cannot be read: %v", err))
			return
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			a.fail(w, r, &portal.Problem{Kind: portal.ErrTooMuch, Where: in.what, Message: in.busy, Hint: "try again in a moment"})
			return
		}
		answer, err := take(r.Context(), b)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		writeInbox(w, http.StatusOK, answer)
	})
}
