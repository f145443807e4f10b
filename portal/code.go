package portal

import "errors"

// codes name the sentinels in the order in which they are looked for: the more
// particular before the more general, because one error may wrap several.
var codes = []struct {
	kind error
	name string
}{
	{ErrGone, "withdrawn"},
	{ErrNotHeld, "not_held"},
	{ErrNotFound, "not_found"},
	{ErrUsage, "usage"},
	{ErrRejected, "rejected"},
	{ErrUnverified, "unverified"},
	{ErrUnreachable, "unreachable"},
	{ErrLocked, "locked"},
	{ErrReadOnly, "read_only"},
	{ErrUnavailable, "unavailable"},
	{ErrNoSpace, "no_space"},
	{ErrPartly, "partly"},
	{ErrTooMuch, "too_much"},
	{ErrExpired, "expired"},
}

// Code names err for a machine: the "code" of {"error": {…}} in the API and on
// the command line (docs/reference/exit-codes.md). An error without a sentinel
// is "internal"; nil is "".
func Code(err error) string {
	if err == nil {
		return ""
	}
	for _, c := range codes {
		if errors.Is(err, c.kind) {
			return c.name
		}
	}
	return "internal"
}
