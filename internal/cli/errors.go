package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"koprik/portal"
)

// usage says that a command was called wrongly, and where it is explained.
func usage(where, format string, args ...any) *portal.Problem {
	return &portal.Problem{
		Kind: portal.ErrUsage, Where: where, Message: fmt.Sprintf(format, args...), Hint: where + " --help explains",
	}
}

// errInterrupted is the kind of what Ctrl-C ended. Serving that Ctrl-C ends is
// no error.
var errInterrupted = errors.New("interrupted")

// interrupted is what a person reads who pressed Ctrl-C.
func interrupted(cause error) error {
	return &portal.Problem{
		Kind: errInterrupted, Message: "interrupted", Cause: cause,
		Hint: "nothing is half done: what stood before stands, and the same command goes on from there",
	}
}

// exitCodes are the codes of DESIGN.md, "Commands", the more particular first.
var exitCodes = []struct {
	kind error
	code int
}{
	{errInterrupted, 130}, // 128 + SIGINT, as shells count
	{portal.ErrPartly, 7},
	{portal.ErrUsage, 2},
	{portal.ErrLocked, 5},
	{portal.ErrNoSpace, 6},
	{portal.ErrUnverified, 3},
	{portal.ErrUnreachable, 4},
	{portal.ErrRejected, 8},
}

// verdict is the exit code for problems, and their code for machines. The kind
// of a problem decides, never what is below it.
func verdict(problems []*portal.Problem) (exit int, code string) {
	for _, e := range exitCodes {
		for _, p := range problems {
			switch {
			case !errors.Is(p.Kind, e.kind):
			case e.kind == errInterrupted:
				return e.code, "interrupted"
			default:
				return e.code, portal.Code(e.kind)
			}
		}
	}
	return 1, portal.Code(problems[0].Kind)
}

// maxShown is how many problems are put before a person at once.
const maxShown = 50

// complain says what went wrong and what to do, in words or as JSON, and gives
// the exit code.
func (a *app) complain(err error) int {
	problems := explain(err)
	exit, code := verdict(problems)
	if a.json {
		_ = json.NewEncoder(a.stderr).Encode(map[string]any{"error": asJSON(problems, code)})
		return exit
	}
	for i, p := range problems {
		if i == maxShown {
			fmt.Fprintf(a.stderr, "koprik: and %d more\n", len(problems)-i)
			break
		}
		text := strings.ReplaceAll(p.Error(), "\n", "\n  ")
		if !strings.HasPrefix(text, "koprik ") && !strings.HasPrefix(text, "koprik: ") { // the command's own name
			text = "koprik: " + text
		}
		fmt.Fprintln(a.stderr, text)
		if p.Hint != "" && (i+1 == len(problems) || problems[i+1].Hint != p.Hint) {
			fmt.Fprintln(a.stderr, "  "+p.Hint)
		}
	}
	return exit
}

// errorJSON is one error for machines (docs/reference/exit-codes.md).
type errorJSON struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Where   string `json:"where"`
	Hint    string `json:"hint"`
	// Problems has each of several problems; one problem is the error itself.
	Problems []errorJSON `json:"problems,omitempty"`
}

func asJSON(problems []*portal.Problem, code string) errorJSON {
	first := problems[0]
	if len(problems) == 1 {
		return errorJSON{Code: code, Message: first.Message, Where: first.Where, Hint: first.Hint}
	}
	all := errorJSON{Code: code}
	var words []string
	for _, p := range problems {
		_, own := verdict([]*portal.Problem{p})
		all.Problems = append(all.Problems, errorJSON{Code: own, Message: p.Message, Where: p.Where, Hint: p.Hint})
		if len(words) < maxShown {
			words = append(words, p.Error())
		}
		if all.Hint == "" {
			all.Hint = p.Hint
		}
	}
	all.Message = strings.Join(words, "; ")
	return all
}

// explain gives everything in err that a person is to read, each thing once.
// It is never empty.
func explain(err error) []*portal.Problem {
	var all []*portal.Problem
	for _, p := range flatten(err) {
		if !slices.ContainsFunc(all, func(q *portal.Problem) bool { return q.Error() == p.Error() }) {
			all = append(all, p)
		}
	}
	return all
}

// flatten walks down to the problems in err; an error without one is put into
// words. What a wrapping says before a problem goes into the problem's place.
func flatten(err error) []*portal.Problem {
	switch e := err.(type) { //nolint:errorlint // this error's own form; its chain is walked below
	case *portal.Problem:
		return []*portal.Problem{e}
	case portal.Problems:
		if len(e) > 0 {
			return e
		}
	case interface{ Unwrap() []error }:
		var all []*portal.Problem
		for _, part := range e.Unwrap() {
			all = append(all, flatten(part)...)
		}
		if len(all) > 0 {
			return all
		}
	case interface{ Unwrap() error }:
		var one *portal.Problem
		if !errors.As(err, &one) {
			break
		}
		inner := flatten(e.Unwrap())
		if len(inner) != 1 {
			return inner
		}
		placed := *inner[0]
		if before, ok := strings.CutSuffix(err.Error(), ": "+placed.Error()); ok {
			placed.Where = strings.TrimSuffix(before+": "+placed.Where, ": ")
		}
		return []*portal.Problem{&placed}
	}
	return []*portal.Problem{inWords(err)}
}

// inWords makes a problem of an error that nobody put into words below.
func inWords(err error) *portal.Problem {
	p := &portal.Problem{Kind: err, Message: err.Error(), Cause: err}
	if path := pathOf(err); path != "" {
		p.Where = path
		p.Message = errnoOf(err)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &portal.Problem{Kind: errInterrupted, Message: "interrupted", Cause: err}
	case errors.Is(err, context.DeadlineExceeded):
		p.Message = "took longer than it is given: " + p.Message
		p.Hint = "try again"
	case errors.Is(err, syscall.ENOSPC):
		p.Kind, p.Message, p.Hint = portal.ErrNoSpace, "the disk is full", "free some space and run the command again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		p.Kind, p.Message = portal.ErrReadOnly, "this user may not do that here: "+p.Message
		p.Hint = "check who owns it"
	case errors.Is(err, fs.ErrNotExist) && p.Where != "":
		p.Kind, p.Message, p.Hint = portal.ErrNotFound, "there is no such file or folder", "check the path"
	case portal.Code(err) == "internal":
		p.Hint = "nobody expected this; koprik doctor looks the data directory over"
	}
	return p
}

// pathOf is the file that an error of the operating system is about.
func pathOf(err error) string {
	var one *fs.PathError
	if errors.As(err, &one) {
		return one.Path
	}
	var two *os.LinkError
	if errors.As(err, &two) {
		return two.New
	}
	return ""
}

// errnoOf is what the operating system says, without the call and the path.
func errnoOf(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}
