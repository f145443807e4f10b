package chart

import (
	"math"
	"slices"
)

// frame carries the plane of an outline onto pixels.
type frame struct {
	o             *Outline
	scale         float64
	left, top     float64
	width, height float64
	least         float64 // weight of a corner that is drawn
}

// Of an outline are drawn the corners whose triangle has at least leastTriangle
// square pixels, and no more than maxCorners of the largest, on a phone fewer: two
// drawings of it and a table have to fit a page of 10 KB.
const (
	leastTriangle    = 2.5
	maxCorners       = 560
	maxCornersNarrow = 400
)

// fitMap fits an outline into a width, no higher than it is wide.
func (p *plot) fitMap(o *Outline, width float64) frame {
	const edge = 2.0
	w, h := o.max.X-o.min.X, o.max.Y-o.min.Y
	f := frame{o: o, scale: (width - 2*edge) / w, left: edge, top: p.y + edge, width: width}
	if h*f.scale > width {
		f.scale = (width - 2*edge) / h
		f.left = (width - w*f.scale) / 2
	}
	f.height = h*f.scale + 2*edge
	f.least = leastTriangle / (f.scale * f.scale)
	most := maxCorners
	if width < narrowBelow {
		most = maxCornersNarrow
	}
	var weights []float64
	for _, a := range o.arcs {
		for _, c := range a {
			if !math.IsInf(c.weight, 1) && c.weight >= f.least {
				weights = append(weights, c.weight)
			}
		}
	}
	if len(weights) > most {
		slices.Sort(weights)
		f.least = weights[len(weights)-most]
	}
	return f
}

// at is the pixel of a place on the plane.
func (f frame) at(q Point) Point {
	return Point{f.left + (q.X-f.o.min.X)*f.scale, f.top + (q.Y-f.o.min.Y)*f.scale}
}

// rings are an area in pixels with as few corners as the eye needs. Rings too
// small to be seen are left out, but for the largest.
func (f frame) rings(a outlined) [][]Point {
	var rings [][]Point
	largest, most := -1, 0.0
	var sizes []float64
	for _, arcs := range a.rings {
		ring := f.ring(arcs)
		size := math.Abs(areaOf(ring))
		if size > most || largest < 0 {
			largest, most = len(rings), size
		}
		rings, sizes = append(rings, ring), append(sizes, size)
	}
	var seen [][]Point
	for i, ring := range rings {
		if i == largest || sizes[i] >= 2 {
			seen = append(seen, ring)
		}
	}
	return seen
}

func (f frame) ring(arcs []int) []Point {
	var ring []Point
	add := func(c corner) {
		if c.weight < f.least {
			return
		}
		q := f.at(c.Point)
		q = Point{round(q.X), round(q.Y)}
		if len(ring) == 0 || ring[len(ring)-1] != q {
			ring = append(ring, q)
		}
	}
	for _, at := range arcs {
		if at >= 0 {
			for _, c := range f.o.arcs[at] {
				add(c)
			}
			continue
		}
		for _, c := range slices.Backward(f.o.arcs[^at]) {
			add(c)
		}
	}
	if len(ring) > 1 && ring[0] == ring[len(ring)-1] {
		ring = ring[:len(ring)-1]
	}
	return ring
}

// areaOf is the area that a ring encloses, below zero where it runs the other way.
func areaOf(ring []Point) float64 {
	sum := 0.0
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		sum += a.X*b.Y - b.X*a.Y
	}
	return sum / 2
}

// chords are the pieces of a horizontal line that lie within rings.
func chords(rings [][]Point, y float64) [][2]float64 {
	var xs []float64
	for _, ring := range rings {
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			if (a.Y <= y) != (b.Y <= y) {
				xs = append(xs, a.X+(y-a.Y)/(b.Y-a.Y)*(b.X-a.X))
			}
		}
	}
	slices.Sort(xs)
	var pieces [][2]float64
	for i := 0; i+1 < len(xs); i += 2 {
		pieces = append(pieces, [2]float64{xs[i], xs[i+1]})
	}
	return pieces
}

// hatch draws slanting lines within rings: what has no value is told by a
// pattern, not by a colour.
func (p *plot) hatch(rings [][]Point) {
	const apart = 6.0
	slant := math.Sqrt2 / 2
	turned := make([][]Point, len(rings)) // by 45 degrees, so that the lines lie flat
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, ring := range rings {
		turned[i] = make([]Point, len(ring))
		for j, q := range ring {
			turned[i][j] = Point{(q.X - q.Y) * slant, (q.X + q.Y) * slant}
			lo, hi = min(lo, turned[i][j].Y), max(hi, turned[i][j].Y)
		}
	}
	var lines [][]Point
	for y := (math.Floor(lo/apart) + .5) * apart; y < hi; y += apart {
		back := func(x float64) Point { return Point{(x + y) * slant, (y - x) * slant} }
		for _, piece := range chords(turned, y) {
			lines = append(lines, []Point{back(piece[0]), back(piece[1])})
		}
	}
	if len(lines) > 0 {
		p.marks = append(p.marks, mark{shape: shapeRings, class: "hatch", rings: lines})
	}
}

// areaLabels writes the names of those areas that have room for them.
func (p *plot) areaLabels(f frame, shade func(string) string) {
	tiny := p.plain.times(.8)
	for _, a := range p.Outline.areas {
		if a.key == "" {
			continue
		}
		class := shade(a.key)
		rings := f.rings(a)
		name := p.tileName(a.key)
		if at, ok := roomIn(rings, tiny.width(name)+8, tiny.size*1.3); ok && class != "q0" {
			p.text(at.X, at.Y+tiny.size*.35, name, "middle", "tiny w"+class[1:])
		}
	}
}

// roomIn finds where a label of a width and a height stands wholly within rings:
// near their middle, where it has room.
func roomIn(rings [][]Point, width, height float64) (Point, bool) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, ring := range rings {
		for _, q := range ring {
			lo, hi = min(lo, q.Y), max(hi, q.Y)
		}
	}
	best, most := Point{}, 0.0
	for i := 1; i < 24; i++ {
		y := lo + (hi-lo)*float64(i)/24
		for _, piece := range within(chords(rings, y-height/2), within(chords(rings, y+height/2), chords(rings, y))) {
			w := piece[1] - piece[0]
			if room := min(w, width*1.5) - math.Abs(y-(lo+hi)/2)/4; w > width && room > most {
				best, most = Point{(piece[0] + piece[1]) / 2, y}, room
			}
		}
	}
	return best, most > 0
}

// within gives the pieces of a that lie within pieces of b.
func within(a, b [][2]float64) [][2]float64 {
	var common [][2]float64
	for _, x := range a {
		for _, y := range b {
			if from, to := max(x[0], y[0]), min(x[1], y[1]); to > from {
				common = append(common, [2]float64{from, to})
			}
		}
	}
	return common
}
