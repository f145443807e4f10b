package node

import (
	"errors"

	"koprik/internal/disk"
	"koprik/portal"
)

// named gives an error of the disk the sentinel that callers act on, with what
// it means and what to do. It is deferred by every exported method that writes.
func named(dir string, err *error) {
	if *err == nil {
		return
	}
	var p *portal.Problem
	if errors.As(*err, &p) {
		return
	}
	switch {
	case errors.Is(*err, disk.ErrNoSpace):
		*err = &portal.Problem{
			Kind: portal.ErrNoSpace, Where: dir, Cause: *err, Message: "the disk is full: " + (*err).Error(),
			Hint: "free some space and run the command again; nothing that was accepted is lost",
		}
	case errors.Is(*err, disk.ErrLocked):
		*err = locked(dir, *err)
	case errors.Is(*err, disk.ErrReadOnly):
		*err = &portal.Problem{
			Kind: portal.ErrReadOnly, Where: dir, Cause: *err, Message: "cannot be written: " + (*err).Error(),
			Hint: "give the user that runs koprik the right to write there, or name another directory with --dir",
		}
	}
}

func locked(dir string, cause error) error {
	return &portal.Problem{
		Kind: portal.ErrLocked, Where: dir, Cause: cause, Message: "another koprik process is working in this data directory",
		Hint: "wait for it to end, or stop it",
	}
}
