package mirror

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// conditional is a Source that can be asked for a file only when it has changed,
// and for the rest of one only while it is the same.
type conditional interface {
	// getIf asks for path from offset on. With an offset of 0 and a mark the answer
	// may be that nothing has changed; with an offset, that the file is another one
	// now and comes from its beginning.
	getIf(ctx context.Context, path string, offset int64, mark string) (answer, error)
}

// answer is what a conditional source says.
type answer struct {
	body      io.ReadCloser // nil when unchanged
	start     int64         // where body begins
	total     int64         // bytes of the whole file; -1 when not said
	mark      string        // what names this state of the file; "" when nothing does
	unchanged bool
}

func (s *httpSource) getIf(ctx context.Context, path string, offset int64, mark string) (answer, error) {
	where := s.base.JoinPath(path).String()
	ctx, cancel := context.WithCancelCause(ctx)
	a, err := s.ask(ctx, where, offset, mark)
	if err != nil || a.unchanged {
		cancel(nil)
		return a, err
	}
	a.body = newPatient(a.body, cancel)
	return a, nil
}

func (s *httpSource) ask(ctx context.Context, where string, offset int64, mark string) (answer, error) {
	h := http.Header{}
	dated := mark != "" && !strings.HasSuffix(mark, `"`)
	switch {
	case offset > 0 && mark != "":
		h.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
		h.Set("If-Range", mark)
	case dated:
		h.Set("If-Modified-Since", mark)
	case mark != "":
		h.Set("If-None-Match", mark)
	}
	resp, err := s.do(ctx, where, h)
	if err != nil {
		return answer{}, err
	}
	a := answer{body: resp.Body, total: resp.ContentLength, mark: resp.Header.Get("ETag")}
	if a.mark == "" {
		a.mark = resp.Header.Get("Last-Modified")
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return a, nil
	case resp.StatusCode == http.StatusNotModified && offset == 0 && mark != "":
		return answer{unchanged: true, mark: mark}, resp.Body.Close()
	case resp.StatusCode == http.StatusPartialContent && offset > 0:
		start, ok := rangeStart(resp.Header.Get("Content-Range"))
		if ok && start == offset {
			a.start = start
			if a.total >= 0 {
				a.total += start
			}
			return a, nil
		}
	}
	return answer{}, refused(where, resp)
}

// getIf counts as Get does; a source that takes no conditions has none.
func (c *counted) getIf(ctx context.Context, path string, offset int64, mark string) (answer, error) {
	s, ok := c.Source.(conditional)
	if !ok {
		return answer{}, errUnconditional
	}
	c.requests.Add(1)
	a, err := s.getIf(ctx, path, offset, mark)
	if err == nil && a.body != nil {
		a.body = &countedBody{ReadCloser: a.body, n: &c.bytes}
	}
	return a, err
}

var errUnconditional = errors.New("the source takes no conditions")
