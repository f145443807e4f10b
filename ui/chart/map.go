package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kinds of maps. They stand apart from Kinds: they need an outline.
const (
	Map    Kind = "map"    // one value for each region: shades, and a grid of tiles beside
	Places Kind = "places" // points
)

// wideMap is the width from which a legend stands beside the outline.
const wideMap = 640

// tile is where a region stands in the grid of them, which is laid out as the
// country is, from north-west to south-east.
type tile struct {
	key         string // ISO 3166-2
	column, row int
}

// tiles are the fourteen, all of one size: on an outline the capital is a dot.
var tiles = []tile{
	{"UZ-QR", 1, 0},
	{"UZ-NW", 2, 0},
	{"UZ-TK", 3, 0},
	{"UZ-TO", 4, 0},
	{"UZ-NG", 5, 0},
	{"UZ-XO", 0, 1},
	{"UZ-BU", 1, 1},
	{"UZ-SA", 2, 1},
	{"UZ-JI", 3, 1},
	{"UZ-SI", 4, 1},
	{"UZ-AN", 5, 1},
	{"UZ-QA", 2, 2},
	{"UZ-SU", 3, 2},
	{"UZ-FA", 5, 2},
}

// checkMap is the part of check for maps.
func (f Figure) checkMap() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrFigure)
	}
	switch {
	case f.Kind == Places && len(f.Points) == 0 && f.Outline == nil:
		return bad("a map of no point")
	case f.Kind == Places && len(f.Points) > maxPlaces:
		return bad("a map of %d points, at most %d can be drawn", len(f.Points), maxPlaces)
	case f.Kind == Places:
		return nil
	case f.Outline == nil:
		return bad("a map without boundaries")
	case len(f.Series) != 1:
		return bad("a map of %d series, it needs 1", len(f.Series))
	case len(f.Keys) != len(f.Labels):
		return bad("%d codes for %d regions", len(f.Keys), len(f.Labels))
	case len(f.Labels) > maxAreas:
		return bad("a map of %d regions, at most %d can be drawn", len(f.Labels), maxAreas)
	case !slices.ContainsFunc(f.Keys, f.Outline.Has):
		return bad("none of the regions has a boundary")
	}
	return nil
}

// choropleth draws the outline in shades, what they stand for, and the tiles.
func (p *plot) choropleth() {
	ranges := classes(p.Series[0].Values, maxClasses)
	shade := func(key string) string {
		at := slices.Index(p.Keys, key)
		if at < 0 || math.IsNaN(p.Series[0].Values[at]) {
			return "q0"
		}
		return shadeOf(classOf(ranges, p.Series[0].Values[at]), len(ranges))
	}
	wide := p.width >= wideMap
	room := p.width
	if wide {
		room = p.width * .72
	}
	frame := p.fitMap(p.Outline, room)
	void := false
	for _, a := range p.Outline.areas {
		if a.key == "" {
			p.area(frame.rings(a), "sea")
			continue
		}
		class := shade(a.key)
		rings := frame.rings(a)
		p.area(rings, class)
		if class == "q0" {
			void = true
			p.hatch(rings)
		}
	}
	if p.Mark >= 0 && p.Mark < len(p.Keys) {
		for _, a := range p.Outline.areas {
			if a.key == p.Keys[p.Mark] {
				p.area(frame.rings(a), "mark")
			}
		}
	}
	p.areaLabels(frame, shade)
	top, bottom := p.y, p.y+frame.height
	if wide {
		p.y = top + p.line
		p.shades(ranges, void, room+16)
		p.y = max(p.y, bottom)
	} else {
		p.y = bottom + p.line*.6
		p.shades(ranges, void, 0)
	}
	p.tiles(shade)
}

// shadeOf spreads as many shades as there are over the five: two are the
// lightest and the darkest.
func shadeOf(at, of int) string {
	if of < 2 {
		return "q3"
	}
	return fmt.Sprintf("q%d", 1+int(math.Round(float64(at)*(maxClasses-1)/float64(of-1))))
}

// shades say what each shade stands for, in numbers.
func (p *plot) shades(ranges []class, void bool, x float64) {
	const swatch, gap = 16.0, 14.0
	at := x
	write := func(class, said string) {
		need := swatch + 6 + p.plain.width(said)
		if x == 0 && at > 0 && at+need > p.width { // the next row
			at, p.y = 0, p.y+p.line*1.25
		}
		p.rect(at, p.y, swatch, p.size, class)
		if class == "q0" {
			p.hatch([][]Point{{{at, p.y}, {at + swatch, p.y}, {at + swatch, p.y + p.size}, {at, p.y + p.size}}})
		}
		p.text(at+swatch+6, p.y+p.size*.85, said, "start", "")
		if x > 0 {
			p.y += p.line * 1.25
			return
		}
		at += need + gap
	}
	for i, c := range slices.Backward(ranges) {
		said := p.Number(c.lo)
		if c.hi > c.lo {
			said = p.between(c.lo, c.hi)
		}
		write(shadeOf(i, len(ranges)), said)
	}
	if void {
		write("q0", p.None)
	}
	if x == 0 {
		p.y += p.line * 1.25
	}
}

func (p *plot) between(lo, hi float64) string {
	if p.Range != nil {
		return p.Range(lo, hi)
	}
	return p.Number(lo) + " – " + p.Number(hi)
}

// tiles draws the regions as tiles of one size with name and value, where at
// least half of the fourteen are what the figure is about.
func (p *plot) tiles(shade func(string) string) {
	known := 0
	for _, t := range tiles {
		if slices.Contains(p.Keys, t.key) {
			known++
		}
	}
	if known < len(tiles)/2 {
		return
	}
	columns, rows := 3, (len(tiles)+2)/3
	if p.width >= wideMap {
		columns, rows = 6, 3
	}
	const gap = 4.0
	w, lines := (p.width-gap*float64(columns-1))/float64(columns), 1
	for _, t := range tiles {
		rows, _ := p.tileRows(p.tileName(t.key), w)
		lines = max(lines, len(rows))
	}
	h := p.line * (1.5 + float64(lines))
	p.y += p.line * .7
	for i, t := range tiles {
		column, row := t.column, t.row
		if columns == 3 {
			column, row = i%3, i/3
		}
		x, y := float64(column)*(w+gap), p.y+float64(row)*(h+gap)
		class := shade(t.key)
		p.rect(x, y, w, h, class)
		value, letters, weight := p.None, p.plain, ""
		if at := slices.Index(p.Keys, t.key); at >= 0 {
			if v := p.Series[0].Values[at]; !math.IsNaN(v) {
				value, letters, weight = p.Number(v), p.strong, "strong "
			}
			if at == p.Mark {
				p.rect(x, y, w, h, "mark")
			}
		}
		words := "w" + strings.TrimPrefix(class, "q")
		rows, size := p.tileRows(p.tileName(t.key), w)
		for j, row := range rows {
			p.text(x+w/2, y+p.line*(1.02+.9*float64(j)+.45*float64(lines-len(rows))), row, "middle", size+words)
		}
		p.text(x+w/2, y+h-p.line*.44, letters.fit(value, w-6), "middle", weight+words)
	}
	p.y += float64(rows)*(h+gap) + p.line*.2
}

// tileRows is a name in a tile so wide, and the class of its size: in one line or
// two, smaller before it is cut.
func (p *plot) tileRows(name string, w float64) (rows []string, class string) {
	for _, size := range []struct {
		class string
		em    float64
	}{{"name ", .86}, {"tiny ", .8}} {
		rows, class = p.plain.times(size.em).wrap(name, w-6, 2), size.class
		if whole(rows, name) {
			break
		}
	}
	return rows, class
}

func (p *plot) tileName(key string) string {
	if p.Tile != nil {
		if name := p.Tile(key); name != "" {
			return name
		}
	}
	if at := slices.Index(p.Keys, key); at >= 0 {
		return p.Labels[at]
	}
	return key
}

// places draws points on the outline, where there is one.
func (p *plot) places() {
	o := p.Outline
	if o == nil {
		o = around(p.Points)
	}
	frame := p.fitMap(o, p.width)
	for _, a := range o.areas {
		class := "land"
		if a.key == "" {
			class = "sea"
		}
		p.area(frame.rings(a), class)
	}
	if len(p.Points) == 0 {
		p.areaLabels(frame, func(string) string { return "q1" })
	}
	type pixel struct{ x, y int }
	seen := map[pixel]bool{}
	for _, place := range p.Points {
		at := frame.at(o.projection.at(place))
		px := pixel{int(math.Round(at.X)), int(math.Round(at.Y))}
		if at.X < 0 || at.X > frame.width || at.Y < p.y || at.Y > p.y+frame.height || seen[px] {
			continue
		}
		seen[px] = true
		p.circle(float64(px.x), float64(px.y), 3.5, "place")
	}
	p.y += frame.height + p.line*.4
}

// around is an outline without areas, as large as the points need.
func around(points []Point) *Outline {
	lo, hi := points[0], points[0]
	for _, q := range points {
		lo, hi = Point{min(lo.X, q.X), min(lo.Y, q.Y)}, Point{max(hi.X, q.X), max(hi.Y, q.Y)}
	}
	pad := max(hi.X-lo.X, hi.Y-lo.Y, .1) * .05
	lo, hi = Point{lo.X - pad, lo.Y - pad}, Point{hi.X + pad, hi.Y + pad}
	o := &Outline{projection: newProjection(lo.X, lo.Y, hi.X, hi.Y), min: Point{math.Inf(1), math.Inf(1)}, max: Point{math.Inf(-1), math.Inf(-1)}}
	for _, corner := range []Point{lo, {lo.X, hi.Y}, hi, {hi.X, lo.Y}, {(lo.X + hi.X) / 2, lo.Y}, {(lo.X + hi.X) / 2, hi.Y}} {
		q := o.projection.at(corner)
		o.min, o.max = Point{min(o.min.X, q.X), min(o.min.Y, q.Y)}, Point{max(o.max.X, q.X), max(o.max.Y, q.Y)}
	}
	return o
}
