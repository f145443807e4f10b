package api

import (
	"context"
	"log/slog"
	"net/http"
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
	in := intake{what: "post", most: MaxPostBody, atOnce: 4, busy: "others are being taken"}
	return in.handler(log, func(ctx context.Context, b []byte) (any, error) {
		taken, err := posts.TakePost(ctx, b)
		return struct {
			Taken int `json:"taken"`
		}{taken}, err
	})
}
