package faults

import (
	"io/fs"
	"net/http"
	"slices"
)

// Answer is what the origin is about to say, for lies to change. It begins as the
// truth: the whole file with the ETag of its bytes, or 404.
type Answer struct {
	Path   string // as asked for: "metadata/timestamp.json"
	Status int    // 200 (or 206, 304, 416 as asked for); anything else is sent with no more than its name
	Header http.Header
	Body   []byte // the whole file; ranges are taken from it afterwards

	// CutAfter drops the connection after so many bytes of the body were sent;
	// negative is never.
	CutAfter int64
	// StallAfter sends so many bytes of the body and then nothing, until the client
	// gives up; negative is never.
	StallAfter int64
	// Endless goes on with zeros where the body ends, until the client gives up.
	// The length is not announced, and no range is taken.
	Endless bool
	// NoRanges sends the whole file whatever range is asked for.
	NoRanges bool
}

// Lie changes an answer. Several are applied in order.
type Lie func(*Answer)

// FlipByte inverts the bits of the byte at an offset of the file; a negative one
// counts from its end. The ETag stays that of the true file.
func FlipByte(off int) Lie {
	return func(a *Answer) {
		at := off
		if at < 0 {
			at += len(a.Body)
		}
		if at >= 0 && at < len(a.Body) {
			a.Body = slices.Clone(a.Body)
			a.Body[at] ^= 0xff
		}
	}
}

// Truncate gives only the first n bytes of the file, as if there were no more.
func Truncate(n int) Lie {
	return func(a *Answer) { a.Body = a.Body[:min(n, len(a.Body))] }
}

// Append gives a file that is longer than the true one.
func Append(more []byte) Lie {
	return func(a *Answer) { a.Body = slices.Concat(a.Body, more) }
}

// Replace gives another file.
func Replace(body []byte) Lie {
	return func(a *Answer) { a.Status, a.Body = http.StatusOK, body }
}

// Older gives the file as another repository has it, an older one as a rule, with
// its ETag; 404 when it has none.
func Older(repo fs.FS) Lie {
	return func(a *Answer) { a.read(repo) }
}

// Status answers without the file: http.StatusNotFound, or 500, 503, …
func Status(code int) Lie {
	return func(a *Answer) { a.Status = code }
}

// CutAfter drops the connection after n bytes of what was asked for.
func CutAfter(n int64) Lie { return func(a *Answer) { a.CutAfter = n } }

// StallAfter falls silent after n bytes of what was asked for.
func StallAfter(n int64) Lie { return func(a *Answer) { a.StallAfter = n } }

// Endless never stops sending.
func Endless() Lie { return func(a *Answer) { a.Endless = true } }

// WithoutRanges ignores the Range of a request and sends the whole file, as
// simple servers do.
func WithoutRanges() Lie {
	return func(a *Answer) { a.NoRanges = true }
}
