package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"koprik/portal"
)

// Posts takes what nodes hand on: sealed questions, signed by the node.
type Posts interface {
	// TakePost keeps a post; what it says was taken is on the platter. What is none
	// is portal.ErrRejected, what there is no room for portal.ErrNoSpace, and what
	// comes too fast portal.ErrTooMuch.
	TakePost(ctx context.Context, b []byte) (taken int, err error)
}

// PostAddress is where a node takes posts from nodes below it.
const PostAddress = "/post"

// MaxPostBody bounds a post, in bytes; a node with more to say sends several.
const MaxPostBody = 256 << 10

// NewPosts answers POST at PostAddress. A post counts for its signature alone, and
// may come any number of times. Few are taken at once.
func NewPosts(posts Posts, log *slog.Logger) http.Handler {
	a := &api{log: log}
	if a.log == nil {
		a.log = slog.Default()
	}
	const atOnce = 4
	some := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			a.fail(w, r, &portal.Problem{Kind: errMethod, Where: r.Method, Message: "this address answers POST only"})
			return
		}
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPostBody))
		if err != nil {
			a.fail(w, r, portal.Rejected("post", "cannot be read: %v", err))
			return
		}
		select {
		case some <- struct{}{}:
			defer func() { <-some }()
		default:
			a.fail(w, r, &portal.Problem{Kind: portal.ErrTooMuch, Where: "post", Message: "others are being taken", Hint: "try again in a moment"})
			return
		}
		taken, err := posts.TakePost(r.Context(), b)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		writeInbox(w, http.StatusOK, struct {
			Taken int `json:"taken"`
		}{taken})
	})
}
