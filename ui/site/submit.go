package site

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"koprik/portal"
)

// How often something may be sent from the pages of one listener. A hall shares one
// network address, so there is one budget for all who stand in it; the screen in the
// hall is a listener of its own, and a telephone that sends without end cannot close
// it. Without the limit in time one telephone would use up within minutes the room
// that questions have here until the next stick, and whoever answers would have them all.
const (
	sendAgain  = 6 * time.Second // for one more: 600 in an hour
	sendAtOnce = 60              // a class that asks together
)

// tooOften is that the budget is used up.
type tooOften struct{ wait time.Duration }

// Error is for logs and tests.
func (e *tooOften) Error() string { return "too much is sent: one more in " + e.wait.String() }

// formPage is a livePage that a form is sent to. The form is read before anything
// is held for it, so that whoever sends it slowly keeps nobody else waiting.
func (s *site) formPage(h handler) http.Handler {
	page := s.livePage(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.ContentLength <= maxForm {
			b, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
			read := io.Reader(bytes.NewReader(b))
			if err != nil || len(b) > maxForm { // which form() tells
				read = io.MultiReader(read, r.Body)
			}
			r.Body = &readBody{read, r.Body}
		}
		page.ServeHTTP(w, r)
	})
}

// readBody is a body that was read already.
type readBody struct {
	io.Reader
	io.Closer
}

// submit has an inquiry sealed and kept, within the budget of this listener. What
// hinders it has a page: nothing was kept then.
func (v *visit) submit(q portal.Inquiry, code portal.ReceiptCode) (portal.ReceiptCode, error) {
	if r := v.site.sending.ReserveN(v.now, 1); r.DelayFrom(v.now) > 0 {
		wait := r.DelayFrom(v.now)
		r.CancelAt(v.now)
		return code, v.notSent(&tooOften{wait})
	}
	code, err := v.site.o.Asker.Send(v.ctx, q, code)
	if err != nil {
		return code, v.notSent(err)
	}
	return code, nil
}

// notSent is the page for what was not kept.
func (v *visit) notSent(err error) error {
	var often *tooOften
	switch {
	case errors.As(err, &often):
		v.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(often.wait.Seconds()))))
		return &pageError{status: http.StatusTooManyRequests, title: v.T("talk.crowd"), text: v.T("talk.crowdtext"), again: true, cause: err}
	case errors.Is(err, portal.ErrTooMuch):
		return &pageError{status: http.StatusServiceUnavailable, title: v.T("talk.crowd"), text: v.T("talk.crowdtext"), again: true, cause: err}
	case errors.Is(err, portal.ErrNoSpace):
		return &pageError{status: http.StatusInsufficientStorage, title: v.T("talk.full"), text: v.T("talk.fulltext"), cause: err}
	case errors.Is(err, portal.ErrUnavailable):
		return &pageError{status: http.StatusServiceUnavailable, title: v.T("talk.closed"), text: v.T("talk.closedtext"), cause: err}
	case errors.Is(err, portal.ErrRejected):
		return &pageError{status: http.StatusConflict, title: v.T("talk.twice"), text: v.T("talk.twicetext"), cause: err}
	}
	return err
}

// pressAgain shows a last page of a form once more, when what is on it can be sent a
// little later: nothing that was typed is lost. ok is false for any other error.
func (v *visit) pressAgain(err error) (status int, box *problemBox, ok bool) {
	var e *pageError
	if !errors.As(err, &e) || !e.again {
		return 0, nil, false
	}
	if v.w.Header().Get("Retry-After") == "" {
		v.w.Header().Set("Retry-After", retryBusy)
	}
	return e.status, &problemBox{Title: e.title, Items: []Link{{Shown: Shown{Text: v.T("talk.crowdkept", "send", v.T("talk.send"))}}}}, true
}
