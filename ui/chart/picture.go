package chart

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"math"
	"slices"
	"strings"

	"golang.org/x/image/vector"
)

// maxPixels bounds a picture: 64 MB while it is made.
const maxPixels = 16 << 20

// PNG gives the drawing as a picture: what File says, on paper, two pixels for
// each of CSS, one where it would have more than 16 million. The same drawing
// gives the same bytes. The error is ErrFigure: larger than that.
func (d Drawing) PNG() ([]byte, error) {
	title, head := d.head()
	w, h := d.Width+2*fileMargin, d.Height+head+fileMargin
	scale := 2.0
	if w*h*scale*scale > maxPixels {
		scale = 1
	}
	if w*h*scale*scale > maxPixels {
		return nil, fmt.Errorf("a picture of %.0f by %.0f pixels: %w", w, h, ErrFigure)
	}
	c := &canvas{
		img: image.NewRGBA(image.Rect(0, 0, int(math.Ceil(w*scale)), int(math.Ceil(h*scale)))), scale: scale,
		left: fileMargin, top: head, size: 14,
	}
	if d.narrow {
		c.size = 12.5
	}
	draw.Draw(c.img, c.img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, m := range slices.Concat(title, d.marks) {
		c.mark(m)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, paletted(c.img)); err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	return b.Bytes(), nil
}

// paletted gives a picture of at most 256 colours, of which a figure has few but
// for the edges of its letters: a third of the bytes. The colours of areas stay as
// they are; those of edges are rounded as little as it takes.
func paletted(img *image.RGBA) image.Image {
	counts := map[uint32]int{}
	for i := 0; i < len(img.Pix); i += 4 {
		counts[colorKey(img.Pix[i:], 0)]++
	}
	keys := slices.Collect(maps.Keys(counts))
	slices.SortFunc(keys, func(a, b uint32) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	for bits := range 7 {
		out, places := image.NewPaletted(img.Bounds(), nil), make(map[uint32]uint8, len(keys))
		fits := true
		for i, key := range keys {
			as := key
			if i >= exactColors {
				as = colorKey([]uint8{uint8(key >> 16), uint8(key >> 8), uint8(key)}, bits) //nolint:gosec // a byte each
			}
			at := slices.Index(out.Palette, color.Color(colorOfKey(as)))
			if at < 0 {
				at = len(out.Palette)
				out.Palette = append(out.Palette, colorOfKey(as))
			}
			if fits = at < 256; !fits {
				break
			}
			places[key] = uint8(at) //nolint:gosec // fewer than 256
		}
		if !fits {
			continue
		}
		for i := 0; i < len(img.Pix); i += 4 {
			out.Pix[i/4] = places[colorKey(img.Pix[i:], 0)]
		}
		return out
	}
	return img
}

// exactColors is how many colours, the most frequent, are never rounded.
const exactColors = 40

func colorKey(pix []uint8, bits int) uint32 {
	return uint32(round8(pix[0], bits))<<16 | uint32(round8(pix[1], bits))<<8 | uint32(round8(pix[2], bits))
}

func colorOfKey(key uint32) color.RGBA {
	return color.RGBA{uint8(key >> 16), uint8(key >> 8), uint8(key), 255} //nolint:gosec // a byte each
}

// round8 leaves out the lowest bits of a colour's part; white stays white.
func round8(v uint8, bits int) uint8 {
	if bits == 0 {
		return v
	}
	step := 1 << bits
	return uint8(min((int(v)+step/2)/step*step, 255)) //nolint:gosec // at most 255
}

// canvas is a picture on its way.
type canvas struct {
	img       *image.RGBA
	scale     float64
	left, top float64 // where the drawing's zero stands, in CSS pixels
	size      float64 // of text, in CSS pixels
	raster    vector.Rasterizer
}

// mark draws one mark as its classes say.
func (c *canvas) mark(m mark) {
	look := lookOf(m.class)
	if m.shape == shapeText {
		c.text(m, look)
		return
	}
	lines, closed := m.outline()
	if closed && look.fill.A > 0 {
		c.fill(nested(lines), look.fill)
	}
	if look.stroke.A > 0 && look.width > 0 {
		var strokes [][]Point
		for _, line := range lines {
			if closed && len(line) > 1 {
				line = append(line[:len(line):len(line)], line[0])
			}
			for _, part := range dashed(line, look.dash) {
				strokes = append(strokes, stroked(part, look.width)...)
			}
		}
		c.fill(strokes, look.stroke)
	}
}

// outline gives the lines of a mark, and whether they enclose something.
func (m mark) outline() (lines [][]Point, closed bool) {
	at := m.at
	switch m.shape {
	case shapeRect:
		x, y, w, h := at[0], at[1], at[2], at[3]
		return [][]Point{{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}}, true
	case shapeLine:
		return [][]Point{{{at[0], at[1]}, {at[2], at[3]}}}, false
	case shapeCircle:
		return [][]Point{around2(Point{at[0], at[1]}, at[2])}, true
	case shapeRings:
		return m.rings, m.closed
	}
	var line []Point
	for i := 0; i+1 < len(at); i += 2 {
		line = append(line, Point{at[i], at[i+1]})
	}
	return [][]Point{line}, m.closed
}

// around2 is a circle with so many corners that nobody sees them.
func around2(center Point, r float64) []Point {
	n := max(12, int(r*4))
	ring := make([]Point, n)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		ring[i] = Point{center.X + r*cos, center.Y + r*sin}
	}
	return ring
}

// nested turns rings so that each runs against the one that it lies in: then
// holes are holes.
func nested(rings [][]Point) [][]Point {
	if len(rings) == 1 {
		return rings
	}
	turned := make([][]Point, len(rings))
	for i, ring := range rings {
		inside := false
		for j, other := range rings {
			if i == j || len(ring) == 0 {
				continue
			}
			for _, piece := range chords([][]Point{other}, ring[0].Y) {
				if ring[0].X > piece[0] && ring[0].X < piece[1] {
					inside = !inside
				}
			}
		}
		turned[i] = directed(ring, !inside)
	}
	return turned
}

// directed gives a ring in the one direction or the other.
func directed(ring []Point, forwards bool) []Point {
	if (areaOf(ring) >= 0) == forwards {
		return ring
	}
	back := make([]Point, len(ring))
	for i, q := range ring {
		back[len(ring)-1-i] = q
	}
	return back
}

// stroked gives a line of a width as rings that run the same way, with round ends.
func stroked(line []Point, width float64) [][]Point {
	var rings [][]Point
	for i, b := range line {
		if width > 1.5 {
			rings = append(rings, directed(around2(b, width/2), true))
		}
		if i == 0 {
			continue
		}
		a := line[i-1]
		length := math.Hypot(b.X-a.X, b.Y-a.Y)
		if length == 0 {
			continue
		}
		x, y := (b.Y-a.Y)/length*width/2, (a.X-b.X)/length*width/2
		rings = append(rings, directed([]Point{{a.X + x, a.Y + y}, {b.X + x, b.Y + y}, {b.X - x, b.Y - y}, {a.X - x, a.Y - y}}, true))
	}
	return rings
}

// dashed cuts a line into dashes of a length with gaps of the same; 0 leaves it.
func dashed(line []Point, dash float64) [][]Point {
	if dash <= 0 || len(line) < 2 {
		return [][]Point{line}
	}
	var parts [][]Point
	part, left, on := []Point{line[0]}, dash, true
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		for length := math.Hypot(b.X-a.X, b.Y-a.Y); length > left; length = math.Hypot(b.X-a.X, b.Y-a.Y) {
			a = Point{a.X + (b.X-a.X)*left/length, a.Y + (b.Y-a.Y)*left/length}
			if on {
				parts = append(parts, append(part, a))
			}
			part, left, on = []Point{a}, dash, !on
		}
		left -= math.Hypot(b.X-a.X, b.Y-a.Y)
		part = append(part, b)
	}
	if on && len(part) > 1 {
		parts = append(parts, part)
	}
	return parts
}

// fill fills rings in CSS pixels with a colour.
func (c *canvas) fill(rings [][]Point, with color.RGBA) {
	pixels := func(q Point) Point { return Point{(q.X + c.left) * c.scale, (q.Y + c.top) * c.scale} }
	lo, hi := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, ring := range rings {
		for _, q := range ring {
			q = pixels(q)
			lo, hi = Point{min(lo.X, q.X), min(lo.Y, q.Y)}, Point{max(hi.X, q.X), max(hi.Y, q.Y)}
		}
	}
	if !(hi.X >= lo.X) {
		return
	}
	box := image.Rect(int(math.Floor(lo.X)), int(math.Floor(lo.Y)), int(math.Ceil(hi.X))+1, int(math.Ceil(hi.Y))+1).Intersect(c.img.Bounds())
	if box.Empty() {
		return
	}
	c.raster.Reset(box.Dx(), box.Dy())
	for _, ring := range rings {
		for i, q := range ring {
			q = pixels(q)
			x, y := float32(q.X-float64(box.Min.X)), float32(q.Y-float64(box.Min.Y))
			if i == 0 {
				c.raster.MoveTo(x, y)
			} else {
				c.raster.LineTo(x, y)
			}
		}
		c.raster.ClosePath()
	}
	c.raster.Draw(c.img, box, image.NewUniform(with), image.Point{})
}

// text writes a text with the fonts that are compiled in.
func (c *canvas) text(m mark, l look) {
	size := c.size
	if l.size > 0 {
		size = l.size
	}
	size *= l.em
	face := regular
	if l.bold {
		face = bold
	}
	x := m.at[0]
	switch m.anchor {
	case "middle":
		x -= face().width(m.text, size) / 2
	case "end":
		x -= face().width(m.text, size)
	}
	c.fill(face().rings(strings.ToValidUTF8(m.text, "?"), x, m.at[1], size, c.scale), l.fill)
}
