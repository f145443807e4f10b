// Package qr draws QR codes as one SVG path.
package qr

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quietZone is the margin of four modules that readers need.
const quietZone = 4

// Path gives text as the d of an SVG path, one unit a module, in a square of size
// modules with its margin; ok is false when it is too long for a code.
func Path(text string) (path string, size int, ok bool) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", 0, false
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
	return b.String(), code.Size + 2*quietZone, true
}
