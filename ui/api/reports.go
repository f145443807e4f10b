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
	a := &api{log: log}
	if a.log == nil {
		a.log = slog.Default()
	}
	one := make(chan struct{}, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			a.fail(w, r, &portal.Problem{Kind: errMethod, Where: r.Method, Message: "this address answers POST only"})
			return
		}
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
		if err != nil {
			a.fail(w, r, portal.Rejected("evidence", "cannot be read: %v", err))
			return
		}
		select {
		case one <- struct{}{}:
			defer func() { <-one }()
		default:
			a.fail(w, r, &portal.Problem{Kind: portal.ErrTooMuch, Where: "evidence", Message: "another report is being checked", Hint: "try again in a moment"})
			return
		}
		known, err := reports.Report(r.Context(), b)
		if errors.Is(err, portal.ErrUnverified) {
			err = portal.Rejected("evidence", "%v", err)
		}
		if err != nil {
			a.fail(w, r, err)
			return
		}
		writeInbox(w, http.StatusOK, struct {
			Known bool `json:"known"`
		}{known})
	})
}
