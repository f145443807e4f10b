package chart

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// Drawing is a figure laid out: marks on a plane of CSS pixels.
type Drawing struct {
	Title, Desc   string
	Width, Height float64
	marks         []mark
	narrow        bool
}

// shape is what a mark is.
type shape uint8

const (
	shapeRect shape = iota
	shapeLine
	shapePath // a polyline, closed where the class fills it
	shapeCircle
	shapeText
	shapeRings // an area of several rings, or several lines that are no ring
)

// mark is one thing drawn. What it looks like its classes say; classes are
// listed in style.go.
type mark struct {
	shape  shape
	class  string
	at     []float64 // rect: x y w h; line: x1 y1 x2 y2; path: x y …; circle: x y r; text: x y
	text   string
	anchor string // of text: start, middle, end
	closed bool   // of a path, and of rings
	rings  [][]Point
}

func (p *plot) rect(x, y, w, h float64, class string) {
	p.marks = append(p.marks, mark{shape: shapeRect, class: class, at: []float64{x, y, max(w, .5), h}})
}

func (p *plot) rule(x1, y1, x2, y2 float64, class string) {
	p.marks = append(p.marks, mark{shape: shapeLine, class: class, at: []float64{x1, y1, x2, y2}})
}

func (p *plot) path(class string, points []float64) {
	p.marks = append(p.marks, mark{shape: shapePath, class: class, at: points})
}

func (p *plot) circle(x, y, r float64, class string) {
	p.marks = append(p.marks, mark{shape: shapeCircle, class: class, at: []float64{x, y, r}})
}

func (p *plot) area(rings [][]Point, class string) {
	p.marks = append(p.marks, mark{shape: shapeRings, class: class, rings: rings, closed: true})
}

func (p *plot) text(x, y float64, s, anchor, class string) {
	if s != "" {
		p.marks = append(p.marks, mark{shape: shapeText, class: class, at: []float64{x, y}, text: s, anchor: anchor})
	}
}

// SVG gives the drawing as an element for a page: classes instead of styles, and
// further classes for the element itself. Words are escaped; nothing of a table
// can become markup.
func (d Drawing) SVG(class string) string {
	var b strings.Builder
	b.WriteString(`<svg class="chart`)
	if d.narrow {
		b.WriteString(" narrow")
	}
	if class != "" {
		b.WriteString(" " + escape(class))
	}
	said := strings.TrimSpace(d.Title + ". " + d.Desc)
	b.WriteString(`" viewBox="0 0 ` + num(d.Width) + " " + num(d.Height) + `" role="img" aria-label="` + escape(said) + `">`)
	d.body(&b)
	b.WriteString("</svg>")
	return b.String()
}

// Around a drawing that is a file: what is left white, where the last line of its
// title stands, and how far apart its lines are.
const fileMargin, fileHead, fileTitle, fileTitleLine = 16.0, 40.0, -14.0, 22.0

// head is the title of a file, line by line from the top, and the room above the
// drawing that it takes.
func (d Drawing) head() (lines []mark, room float64) {
	rows := lettering{size: 17, bold: true}.wrap(d.Title, d.Width, 3)
	for i, row := range rows {
		y := fileTitle - float64(len(rows)-1-i)*fileTitleLine
		lines = append(lines, mark{shape: shapeText, class: "head", at: []float64{0, y}, text: row, anchor: "start"})
	}
	return lines, fileHead + float64(max(len(rows)-1, 0))*fileTitleLine
}

// File gives the drawing as a file of its own, with its style in it and its title
// above: for downloads, which need no page around them.
func (d Drawing) File() []byte {
	const margin = fileMargin
	title, head := d.head()
	var b strings.Builder
	w, h := d.Width+2*margin, d.Height+head+margin
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="` + num(w) + `" height="` + num(h) +
		`" viewBox="` + num(-margin) + " " + num(-head) + " " + num(w) + " " + num(h) + `" role="img"><title>` + escape(d.Title) + "</title>")
	if d.Desc != "" {
		b.WriteString("<desc>" + escape(d.Desc) + "</desc>")
	}
	b.WriteString("<style>" + FileStyle + `</style><rect class="paper" x="` + num(-margin) + `" y="` + num(-head) + `" width="` + num(w) + `" height="` + num(h) + `"/>`)
	for _, line := range title {
		line.svg(&b)
	}
	d.body(&b)
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (d Drawing) body(b *strings.Builder) {
	for _, m := range d.marks {
		m.svg(b)
	}
}

func (m mark) svg(b *strings.Builder) {
	attr := func(name string, v float64) { b.WriteString(" " + name + `="` + num(v) + `"`) }
	names := [...]string{"rect", "line", "path", "circle", "text", "path"}
	b.WriteString("<" + names[m.shape])
	if m.class != "" {
		b.WriteString(` class="` + m.class + `"`)
	}
	switch m.shape {
	case shapeRect:
		attr("x", m.at[0])
		attr("y", m.at[1])
		attr("width", m.at[2])
		attr("height", m.at[3])
	case shapeLine:
		attr("x1", m.at[0])
		attr("y1", m.at[1])
		attr("x2", m.at[2])
		attr("y2", m.at[3])
	case shapeCircle:
		attr("cx", m.at[0])
		attr("cy", m.at[1])
		attr("r", m.at[2])
	case shapePath:
		b.WriteString(` d="` + pathData(m.at, m.closed) + `"`)
	case shapeRings:
		b.WriteString(` d="`)
		for _, ring := range m.rings {
			flat := make([]float64, 0, 2*len(ring))
			for _, q := range ring {
				flat = append(flat, q.X, q.Y)
			}
			b.WriteString(pathData(flat, m.closed))
		}
		b.WriteString(`"`)
	case shapeText:
		attr("x", m.at[0])
		attr("y", m.at[1])
		if m.anchor != "start" {
			b.WriteString(` text-anchor="` + m.anchor + `"`)
		}
		b.WriteString(">" + escape(m.text) + "</text>")
		return
	}
	b.WriteString("/>")
}

// pathData writes points as steps from one to the next: shorter, and it
// compresses better.
func pathData(at []float64, closed bool) string {
	var b strings.Builder
	x, y := 0.0, 0.0
	for i := 0; i+1 < len(at); i += 2 {
		px, py := round(at[i]), round(at[i+1])
		if i == 0 {
			b.WriteString("M" + num(px) + " " + num(py))
		} else {
			b.WriteString("l" + num(px-x) + " " + num(py-y))
		}
		x, y = px, py
	}
	if closed {
		b.WriteByte('z')
	}
	return b.String()
}

func round(v float64) float64 {
	n, _ := strconv.ParseFloat(num(v), 64)
	return n
}

// num writes a length with at most one decimal.
func num(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
