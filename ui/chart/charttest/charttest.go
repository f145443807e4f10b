// Package charttest reads drawings back, for tests: whether each word stands where
// it can be read.
package charttest

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"koprik/ui/chart"
)

// text is one of a drawing, with the box that it fills: in CSS pixels, its letters
// as wide as those of DejaVu Sans.
type text struct {
	words                    string
	left, right, top, bottom float64
}

// Misplaced says of an SVG, as chart.Drawing gives it to pages, which of its texts
// leave the drawing, overlap, or are cut. Half a pixel is nothing that anybody sees.
func Misplaced(t testing.TB, svg string) (faults []string) {
	t.Helper()
	const unseen = .5
	width, height, texts := read(t, svg)
	for i, a := range texts {
		if out := max(-a.left, a.right-width, -a.top, a.bottom-height); out > unseen {
			faults = append(faults, fmt.Sprintf("%q leaves the drawing by %.1f px", a.words, out))
		}
		if strings.HasSuffix(a.words, "…") {
			faults = append(faults, fmt.Sprintf("%q is cut", a.words))
		}
		for _, b := range texts[i+1:] {
			x, y := min(a.right, b.right)-max(a.left, b.left), min(a.bottom, b.bottom)-max(a.top, b.top)
			if x > unseen && y > unseen {
				faults = append(faults, fmt.Sprintf("%q and %q overlap by %.1f × %.1f px", a.words, b.words, x, y))
			}
		}
	}
	return faults
}

// read gives the size of a drawing and its texts.
func read(t testing.TB, svg string) (width, height float64, texts []text) {
	t.Helper()
	size := 14.0
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return width, height, texts
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attr := map[string]string{}
		for _, a := range start.Attr {
			attr[a.Name.Local] = a.Value
		}
		switch start.Name.Local {
		case "svg":
			if _, err := fmt.Sscanf(attr["viewBox"], "0 0 %g %g", &width, &height); err != nil {
				t.Fatalf("viewBox %q: %v", attr["viewBox"], err)
			}
			if strings.Contains(" "+attr["class"]+" ", " narrow ") {
				size = 12.5
			}
		case "text":
			var words string
			if err := d.DecodeElement(&words, &start); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, boxOf(words, attr, size))
		}
	}
}

// The style of figures, as pages and files have it.
var (
	sizes = regexp.MustCompile(`\.(\w+)\{font-size:(\.\d+)em\}`).FindAllStringSubmatch(chart.FileStyle, -1)
	bolds = regexp.MustCompile(`\.(\w+)\{font-weight:600\}`).FindAllStringSubmatch(chart.FileStyle, -1)
)

// boxOf is the box of a text, from the top of its capitals to where its letters
// reach below the line.
func boxOf(words string, attr map[string]string, size float64) text {
	class, bold := " "+attr["class"]+" ", false
	for _, m := range sizes {
		if strings.Contains(class, " "+m[1]+" ") {
			em, _ := strconv.ParseFloat(m[2], 64)
			size *= em
		}
	}
	for _, m := range bolds {
		bold = bold || strings.Contains(class, " "+m[1]+" ")
	}
	x, errX := strconv.ParseFloat(attr["x"], 64)
	y, errY := strconv.ParseFloat(attr["y"], 64)
	if errX != nil || errY != nil {
		x, y = math.Inf(-1), math.Inf(-1)
	}
	w := chart.TextWidth(words, size, bold)
	switch attr["text-anchor"] {
	case "middle":
		x -= w / 2
	case "end":
		x -= w
	}
	return text{words, x, x + w, y - .73*size, y + .22*size}
}
