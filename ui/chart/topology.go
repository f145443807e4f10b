package chart

import (
	"container/heap"
	"fmt"
	"math"
	"slices"
)

// Outline is a map without values: areas whose common edges are held once, so
// that neighbours stay neighbours however few corners are drawn. It is made once
// for a release of boundaries and may be used by many at a time.
type Outline struct {
	areas      []outlined
	arcs       []arc
	projection projection
	min, max   Point // on the plane
}

// outlined is an area as rings of arcs; a negative arc ^i is arc i run backwards.
type outlined struct {
	key   string
	rings [][]int
}

// arc is a line between two junctions, or a ring that touches no other. A corner
// carries the area of the triangle that is lost without it (Visvalingam and
// Whyatt, 1993): drawing leaves out those below what the eye can tell.
type arc []corner

type corner struct {
	Point
	weight float64
}

// grid is how many steps the plane has each way: corners within one step of each
// other are the same.
const grid = 1 << 20

type gridPoint struct{ x, y int32 }

// NewOutline finds the common edges of areas and weighs their corners. The error
// is ErrFigure: no area has an extent.
func NewOutline(areas []Area) (*Outline, error) {
	west, south, east, north := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, a := range areas {
		for _, ring := range a.Rings {
			for _, p := range ring {
				west, east = min(west, p.X), max(east, p.X)
				south, north = min(south, p.Y), max(north, p.Y)
			}
		}
	}
	if !(east > west) || !(north > south) {
		return nil, fmt.Errorf("boundaries without extent: %w", ErrFigure)
	}
	o := &Outline{projection: newProjection(west, south, east, north)}
	rings := o.onGrid(areas)
	cutter := newCutter(rings)
	at := 0
	for _, a := range areas {
		out := outlined{key: a.Key}
		for range a.Rings {
			if ring := cutter.cut(rings[at]); len(ring) > 0 {
				out.rings = append(out.rings, ring)
			}
			at++
		}
		if len(out.rings) > 0 {
			o.areas = append(o.areas, out)
		}
	}
	if len(o.areas) == 0 {
		return nil, fmt.Errorf("boundaries without an area: %w", ErrFigure)
	}
	step := max(o.max.X-o.min.X, o.max.Y-o.min.Y) / grid
	for _, points := range cutter.arcs {
		line := make(arc, len(points))
		for i, g := range points {
			line[i].Point = Point{o.min.X + float64(g.x)*step, o.min.Y + float64(g.y)*step}
		}
		line.weigh()
		o.arcs = append(o.arcs, line)
	}
	return o, nil
}

// Has tells whether the outline has an area of a code.
func (o *Outline) Has(key string) bool {
	return key != "" && slices.ContainsFunc(o.areas, func(a outlined) bool { return a.key == key })
}

// Keys are the codes of the areas.
func (o *Outline) Keys() []string {
	var keys []string
	for _, a := range o.areas {
		if a.key != "" {
			keys = append(keys, a.key)
		}
	}
	return keys
}

// onGrid puts the rings of all areas onto the plane and its grid, each without
// its last corner, which is its first, and without corners that coincide.
func (o *Outline) onGrid(areas []Area) [][]gridPoint {
	var plane [][]Point
	o.min, o.max = Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, a := range areas {
		for _, ring := range a.Rings {
			points := make([]Point, len(ring))
			for i, d := range ring {
				p := o.projection.at(d)
				o.min, o.max = Point{min(o.min.X, p.X), min(o.min.Y, p.Y)}, Point{max(o.max.X, p.X), max(o.max.Y, p.Y)}
				points[i] = p
			}
			plane = append(plane, points)
		}
	}
	step := max(o.max.X-o.min.X, o.max.Y-o.min.Y) / grid
	rings := make([][]gridPoint, len(plane))
	for i, points := range plane {
		ring := make([]gridPoint, 0, len(points))
		for _, p := range points {
			g := gridPoint{int32(math.Round((p.X - o.min.X) / step)), int32(math.Round((p.Y - o.min.Y) / step))}
			if len(ring) == 0 || ring[len(ring)-1] != g {
				ring = append(ring, g)
			}
		}
		for len(ring) > 1 && ring[0] == ring[len(ring)-1] {
			ring = ring[:len(ring)-1]
		}
		rings[i] = ring
	}
	return rings
}

// cutter cuts rings where three or more edges meet, and holds each arc once.
type cutter struct {
	junction map[gridPoint]bool
	arcs     [][]gridPoint
	known    map[[3]gridPoint][]int // arcs by their first two and last points, forwards
}

// newCutter finds the junctions: points that have other neighbours in one ring
// than in another.
func newCutter(rings [][]gridPoint) *cutter {
	type neighbours struct{ a, b gridPoint }
	seen := map[gridPoint]neighbours{}
	c := &cutter{junction: map[gridPoint]bool{}, known: map[[3]gridPoint][]int{}}
	for _, ring := range rings {
		for i, p := range ring {
			a, b := ring[(i+len(ring)-1)%len(ring)], ring[(i+1)%len(ring)]
			was, ok := seen[p]
			switch {
			case !ok:
				seen[p] = neighbours{a, b}
			case was != neighbours{a, b} && was != neighbours{b, a}:
				c.junction[p] = true
			}
		}
	}
	return c
}

// cut gives a ring as arcs. A ring of fewer than three corners encloses nothing.
func (c *cutter) cut(ring []gridPoint) []int {
	if len(ring) < 3 {
		return nil
	}
	first := slices.IndexFunc(ring, func(p gridPoint) bool { return c.junction[p] })
	if first < 0 { // it touches no other, or is another one's wholly: begin where that one does
		first = 0
		for i, p := range ring {
			if p.x < ring[first].x || p.x == ring[first].x && p.y < ring[first].y {
				first = i
			}
		}
	}
	around := append(slices.Clone(ring[first:]), ring[:first+1]...)
	var arcs []int
	from := 0
	for i := 1; i < len(around); i++ {
		if c.junction[around[i]] || i == len(around)-1 {
			arcs = append(arcs, c.arc(around[from:i+1]))
			from = i
		}
	}
	return arcs
}

// arc gives the place of a line among the arcs; ^place where it is there
// backwards.
func (c *cutter) arc(line []gridPoint) int {
	n := len(line)
	for _, at := range c.known[[3]gridPoint{line[0], line[1], line[n-1]}] {
		if slices.Equal(c.arcs[at], line) {
			return at
		}
	}
	back := slices.Clone(line)
	slices.Reverse(back)
	for _, at := range c.known[[3]gridPoint{back[0], back[1], back[n-1]}] {
		if slices.Equal(c.arcs[at], back) {
			return ^at
		}
	}
	key := [3]gridPoint{line[0], line[1], line[n-1]}
	c.known[key] = append(c.known[key], len(c.arcs))
	c.arcs = append(c.arcs, slices.Clone(line))
	return len(c.arcs) - 1
}

// weigh gives every corner the area of the triangle that is lost without it, no
// less than those that went before it. Ends are never left out, and of a ring
// three corners never are.
func (a arc) weigh() {
	a[0].weight, a[len(a)-1].weight = math.Inf(1), math.Inf(1)
	if len(a) < 3 {
		return
	}
	before, after := make([]int, len(a)), make([]int, len(a))
	q := &queue{}
	for i := 1; i < len(a)-1; i++ {
		before[i], after[i] = i-1, i+1
		q.list = append(q.list, queued{i, triangle(a[i-1].Point, a[i].Point, a[i+1].Point)})
		a[i].weight = q.list[i-1].area
	}
	heap.Init(q)
	done := make([]bool, len(a))
	most := 0.0
	for q.Len() > 0 {
		next := heap.Pop(q).(queued)
		i := next.corner
		if done[i] || next.area != a[i].weight {
			continue // weighed anew since
		}
		done[i] = true
		most = max(most, next.area)
		a[i].weight = most
		l, r := before[i], after[i]
		for _, j := range []int{l, r} {
			if j == 0 || j == len(a)-1 || done[j] {
				continue
			}
			if j == l {
				after[j] = r
			} else {
				before[j] = l
			}
			a[j].weight = triangle(a[before[j]].Point, a[j].Point, a[after[j]].Point)
			heap.Push(q, queued{j, a[j].weight})
		}
	}
	if a[0].Point == a[len(a)-1].Point {
		a.keepThree()
	}
}

// keepThree makes the two heaviest inner corners of a ring stay for ever.
func (a arc) keepThree() {
	for range 2 {
		best := -1
		for i := 1; i < len(a)-1; i++ {
			if !math.IsInf(a[i].weight, 1) && (best < 0 || a[i].weight > a[best].weight) {
				best = i
			}
		}
		if best > 0 {
			a[best].weight = math.Inf(1)
		}
	}
}

// triangle is the area between three points.
func triangle(a, b, c Point) float64 {
	return math.Abs((b.X-a.X)*(c.Y-a.Y)-(c.X-a.X)*(b.Y-a.Y)) / 2
}

type queued struct {
	corner int
	area   float64
}

// queue gives the corner with the least area first.
type queue struct{ list []queued }

func (q *queue) Len() int { return len(q.list) }
func (q *queue) Less(i, j int) bool {
	if q.list[i].area != q.list[j].area {
		return q.list[i].area < q.list[j].area
	}
	return q.list[i].corner < q.list[j].corner
}
func (q *queue) Swap(i, j int) { q.list[i], q.list[j] = q.list[j], q.list[i] }
func (q *queue) Push(x any)    { q.list = append(q.list, x.(queued)) }
func (q *queue) Pop() any {
	last := q.list[len(q.list)-1]
	q.list = q.list[:len(q.list)-1]
	return last
}
