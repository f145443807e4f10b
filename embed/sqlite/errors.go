package sqlite

import (
	"errors"
	"fmt"

	"koprik/portal"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// What can be wrong with a database as a whole.
var (
	ErrDamaged = errors.New("database is damaged or not ours")
	ErrNewer   = errors.New("database was made by a newer version of this program")
	ErrChanged = errors.New("a migration that was already applied has changed")
)

// Explain wraps an error of the engine so that errors.Is finds what a caller
// can act on: ErrDamaged, portal.ErrNoSpace, portal.ErrLocked,
// portal.ErrReadOnly. Other errors, and nil, come back as they are.
func Explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	for _, known := range []error{ErrDamaged, portal.ErrNoSpace, portal.ErrLocked, portal.ErrReadOnly} {
		if errors.Is(err, known) {
			return err
		}
	}
	switch e.Code() & 0xff { // the primary code
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_FORMAT:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case lib.SQLITE_FULL:
		return fmt.Errorf("%w: %w", portal.ErrNoSpace, err)
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return fmt.Errorf("%w: %w", portal.ErrReadOnly, err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL:
		return fmt.Errorf("%w: %w", portal.ErrLocked, err)
	}
	return err
}

// unreadable is Explain for statements that cannot be wrong by themselves: a
// general error of theirs is the file's ("unsupported file format").
func unreadable(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code() == lib.SQLITE_ERROR {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return Explain(err)
}
