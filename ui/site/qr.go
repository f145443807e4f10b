package site

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// QR is an address as a code to be read by a telephone: one SVG path, with the
// quiet zone of four modules that readers need.
type QR struct {
	Size  int // modules a side, quiet zone included
	Path  string
	Label string // for those who cannot see it
}

const quietZone = 4

// qrOf draws text; nil when it is too long for a code.
func qrOf(text, label string) *QR {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil
	}
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for x+run < code.Size && code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%d", x+quietZone, y+quietZone, run, run)
				x += run
			}
		}
	}
	return &QR{Size: code.Size + 2*quietZone, Path: b.String(), Label: label}
}
