package portal

import (
	"errors"
	"fmt"
	"strings"
)

// The sentinels a caller can act on. A command ends with the exit code that
// stands beside each (DESIGN.md, "Commands"); a page answers with its status.
var (
	ErrUsage       = errors.New("wrong usage")                    // exit 2, 400
	ErrUnverified  = errors.New("does not verify")                // exit 3, 502
	ErrUnreachable = errors.New("upstream unreachable")           // exit 4, 502
	ErrLocked      = errors.New("locked by another process")      // exit 5, 503
	ErrReadOnly    = errors.New("cannot be written")              // exit 1, 503
	ErrUnavailable = errors.New("not available")                  // exit 1, 503: a port that is taken
	ErrNoSpace     = errors.New("no space left")                  // exit 6, 507
	ErrPartly      = errors.New("partly done")                    // exit 7
	ErrRejected    = errors.New("input rejected")                 // exit 8, 422
	ErrNotFound    = errors.New("not found")                      // exit 1, 404
	ErrGone        = errors.New("withdrawn")                      // exit 1, 410
	ErrNotHeld     = errors.New("not on this node")               // exit 1, 404 with size and place
	ErrExpired     = errors.New("expired")                        // freshness, a label and not a wall
	ErrTooMuch     = errors.New("more than this node gives away") // a limit of guarantee 5; 503
)

// Problem is an error made to be shown: what happened, where, and what to do
// next. Kind is one of the sentinels above and is what errors.Is finds.
type Problem struct {
	Kind    error  // a sentinel; never nil
	Where   string // file, row, field, address or role: "passport.yaml: contact.email"
	Message string // what is wrong, in one sentence without a full stop
	Hint    string // what to do next; may be empty
	Cause   error  // the error below, if there is one
}

// Error gives "where: message", and the hint stays apart.
func (p *Problem) Error() string {
	if p.Where == "" {
		return p.Message
	}
	return p.Where + ": " + p.Message
}

// Unwrap lets errors.Is find both the sentinel and the cause.
func (p *Problem) Unwrap() []error {
	if p.Cause == nil {
		return []error{p.Kind}
	}
	return []error{p.Kind, p.Cause}
}

// Rejected says that an input is not acceptable, where, and why.
func Rejected(where, format string, args ...any) *Problem {
	return &Problem{Kind: ErrRejected, Where: where, Message: fmt.Sprintf(format, args...)}
}

// Unverified says that bytes at where do not verify, and why.
func Unverified(where, format string, args ...any) *Problem {
	return &Problem{Kind: ErrUnverified, Where: where, Message: fmt.Sprintf(format, args...)}
}

// WithHint adds what to do next and returns p.
func (p *Problem) WithHint(format string, args ...any) *Problem {
	p.Hint = fmt.Sprintf(format, args...)
	return p
}

// Problems collects everything that is wrong with one input, so that a person
// mends it in one go. A nil or empty list is no error: use Err.
type Problems []*Problem

// Add appends a rejection.
func (ps *Problems) Add(where, format string, args ...any) {
	*ps = append(*ps, Rejected(where, format, args...))
}

// join adds what err says is wrong: nil, one problem or several.
func (ps *Problems) join(err error) {
	var several Problems
	var one *Problem
	switch {
	case errors.As(err, &several):
		*ps = append(*ps, several...)
	case errors.As(err, &one):
		*ps = append(*ps, one)
	}
}

// Err returns nil when nothing is wrong, the one problem, or all of them.
func (ps Problems) Err() error {
	switch len(ps) {
	case 0:
		return nil
	case 1:
		return ps[0]
	}
	return ps
}

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes every problem visible to errors.Is and errors.As.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}
