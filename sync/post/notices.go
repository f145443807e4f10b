package post

import (
	"fmt"

	"koprik/portal"
)

// NoticesPath is the target of the centre's notices.
const NoticesPath = "talkback/notices"

// EncodeNotices writes who cannot be reached, and the words of the form.
func EncodeNotices(n portal.Notices) ([]byte, error) { return encode(n) }

// DecodeNotices reads what EncodeNotices writes.
func DecodeNotices(b []byte) (n portal.Notices, err error) {
	if err := decode(b, &n); err != nil {
		return n, fmt.Errorf("notices: %w", err)
	}
	if err := n.Form.Validate(); err != nil {
		return portal.Notices{}, fmt.Errorf("notices: %w", err)
	}
	return n, nil
}
