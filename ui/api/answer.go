package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
)

// fault is the body of every answer that is an error.
type fault struct {
	Error    problem `json:"error"`
	Bytes    int64   `json:"bytes,omitempty"`    // of a file that is not on this node
	Hash     string  `json:"hash,omitempty"`     // of the same
	Upstream string  `json:"upstream,omitempty"` // where this node takes its data from
	Reason   *text   `json:"reason,omitempty"`   // of a withdrawal
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Where   string `json:"where,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func usage(where, format string, args ...any) *portal.Problem {
	return &portal.Problem{Kind: portal.ErrUsage, Where: where, Message: fmt.Sprintf(format, args...)}
}

func notFound(where, format string, args ...any) *portal.Problem {
	return &portal.Problem{Kind: portal.ErrNotFound, Where: where, Message: fmt.Sprintf(format, args...)}
}

// statusOf gives the HTTP status of an error (portal, "sentinels").
func statusOf(err error) int {
	switch portal.Code(err) {
	case "usage":
		return http.StatusBadRequest
	case "not_found", "not_held":
		return http.StatusNotFound
	case "withdrawn":
		return http.StatusGone
	case "rejected":
		return http.StatusUnprocessableEntity
	case "unverified", "unreachable":
		return http.StatusBadGateway
	case "locked", "read_only", "unavailable", "too_much":
		return http.StatusServiceUnavailable
	case "no_space":
		return http.StatusInsufficientStorage
	}
	switch {
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed
	case errors.Is(err, errNotReady), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// describe makes an error fit to be shown. What nobody expected is not told to
// strangers: it may name files of this machine.
func describe(err error) problem {
	p := problem{Code: portal.Code(err), Message: err.Error()}
	var known *portal.Problem
	switch {
	case errors.Is(err, errMethod):
		p.Code = "method"
	case errors.Is(err, errNotReady):
		p.Code = "not_ready"
	case errors.Is(err, context.DeadlineExceeded):
		p.Code, p.Message = "too_much", "the answer took longer than this node gives one request"
	case p.Code == "internal":
		p.Message = "something went wrong inside this node"
		p.Hint = "its log says what"
	}
	if errors.As(err, &known) && p.Code != "internal" {
		p.Message, p.Where, p.Hint = known.Message, known.Where, known.Hint
	}
	return p
}

// fail answers with an error. Only the unexpected is logged, once.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // whoever asked has gone
	}
	status := statusOf(err)
	if status == http.StatusInternalServerError {
		a.log.Error("answer a request", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	body := fault{Error: describe(err)}
	var file *fileFault
	if errors.As(err, &file) {
		body.Bytes, body.Hash, body.Upstream, body.Reason = file.bytes, file.hash, file.upstream, file.reason
	}
	h := w.Header()
	for _, k := range []string{"ETag", "Last-Modified", "Repr-Digest", "Content-Disposition"} {
		h.Del(k)
	}
	h.Set("Cache-Control", "no-cache")
	data := encode(body)
	if file != nil && wantsText(r) {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		data = file.text(body.Error)
	} else {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // whoever asked may have gone: nothing is lost
}

// wantsText tells a browser, which a person reads, from a program.
func wantsText(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// send answers with v as JSON under a strong ETag of its bytes, or 304.
func send(w http.ResponseWriter, r *http.Request, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	sendBytes(w, r, "application/json; charset=utf-8", append(data, '\n'))
	return nil
}

// sendBytes answers with data, to be asked about again each time: the next
// generation may say otherwise.
func sendBytes(w http.ResponseWriter, r *http.Request, mediaType string, data []byte) {
	sendTagged(w, r, mediaType, `"`+portal.DigestOf(data).Short()+`"`, data)
}

// sendTagged is sendBytes under a tag that is known.
func sendTagged(w http.ResponseWriter, r *http.Request, mediaType, etag string, data []byte) {
	if unchanged(w, r, etag) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(data)
}

// unchanged answers 304 where the reader has what the tag names.
func unchanged(w http.ResponseWriter, r *http.Request, etag string) bool {
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "no-cache")
	if !matches(r.Header.Values("If-None-Match"), etag) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// matches tells whether an If-None-Match names etag, in any of the encodings
// in which it was given out.
func matches(given []string, etag string) bool {
	for _, line := range given {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
			for _, suffix := range []string{`-gzip"`, `-zstd"`} {
				if rest, ok := strings.CutSuffix(one, suffix); ok {
					one = rest + `"`
				}
			}
			if one == etag || one == "*" {
				return true
			}
		}
	}
	return false
}

// encode is for what is known to have a JSON form.
func encode(v any) []byte {
	var b bytes.Buffer
	_ = json.NewEncoder(&b).Encode(v)
	return b.Bytes()
}

// moment writes a time as RFC 3339 in UTC; the zero time is "".
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
