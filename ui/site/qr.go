package site

import "koprik/ui/qr"

// QR is an address as a code to be read by a telephone: one SVG path, with the
// quiet zone of four modules that readers need.
type QR struct {
	Size  int // modules a side, quiet zone included
	Path  string
	Label string // for those who cannot see it
}

// qrOf draws text; nil when it is too long for a code.
func qrOf(text, label string) *QR {
	path, size, ok := qr.Path(text)
	if !ok {
		return nil
	}
	return &QR{Size: size, Path: path, Label: label}
}
