package table

import (
	"errors"

	"koprik/portal"
)

func isRejection(err error) bool { return errors.Is(err, portal.ErrRejected) }
