// Package chart draws figures in Go: a small table of values goes in, a drawing
// comes out that prints, needs no script and says in words what it shows
// (spec/experience.md, "Rules"). Colours are classes, so that a strict content
// policy, dark pages and forced colours hold; every series has a direct label,
// so that no colour speaks alone.
//
// What to draw is the caller's choice: Choose in choose.go proposes a kind from
// what columns mean.
package chart

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Kind is a way to draw.
type Kind string

// The kinds. All but Line, Multiples and Spark have one row for each label.
const (
	Line      Kind = "line"      // a value over time
	Bars      Kind = "bars"      // one value for each label
	Grouped   Kind = "grouped"   // two or three side by side
	Stacked   Kind = "stacked"   // parts of a whole
	Shares    Kind = "shares"    // parts of 100 %
	Pyramid   Kind = "pyramid"   // two populations by age, back to back
	Gap       Kind = "gap"       // two values and the distance between them
	Dots      Kind = "dots"      // one value for each label where zero says nothing
	Multiples Kind = "multiples" // one small line for each series, on one scale
	Spark     Kind = "spark"     // a line beside a number, without words
)

// Kinds are all of them.
var Kinds = []Kind{Line, Bars, Grouped, Stacked, Shares, Pyramid, Gap, Dots, Multiples, Spark}

// Limits of one figure: what a person can read and a page can carry.
const (
	MaxPoints    = 400 // labels of a line
	MaxRows      = 60  // labels of everything else
	MaxSeries    = 6   // with colours of their own
	MaxMultiples = 40
)

// Figure is what is drawn.
type Figure struct {
	Kind   Kind
	Title  string // what a reader of the screen hears first
	Desc   string // the finding in words
	Labels []string
	// At says where the labels of a line stand, in ascending order and any unit; nil
	// is evenly. Years with gaps between them need it.
	At     []float64
	Series []Series
	// Breaks are places in Labels before which figures are not comparable: no line
	// is drawn across.
	Breaks []int
	// Mark is the label that stands out, or -1: the reader's region, the country.
	Mark int
	// Notes stand under the figure, a line each: unit, source and date, what is computed.
	Notes []string
	// Keys are the codes of Labels in the outline of a Map, one for each.
	Keys []string
	// Outline is what a Map colours, and what Places lie on.
	Outline *Outline
	// Points are those of Places: longitudes and latitudes.
	Points []Point
}

// Series is one value for each label; NaN where there is none.
type Series struct {
	Name   string
	Values []float64
}

// Words are how the reader's language writes what is drawn.
type Words struct {
	Number func(float64) string // in full
	Short  func(float64) string // on an axis: "1.2 mln"
	Signed func(float64) string // a difference: "+1.4"
	Share  func(float64) string // of 1: "48.3 %"
	None   string               // "no data"
	// Range is from one value to another, Tile a region's name as short as a tile
	// wants it, by its code, or ""; nil: as a Map writes them itself.
	Range func(lo, hi float64) string
	Tile  func(key string) string
}

// Widths of drawings in CSS pixels: a phone's and a desktop's.
const (
	Narrow = 344
	Wide   = 720

	narrowBelow = 480
)

// ErrFigure says that a figure cannot be drawn: its parts do not fit together.
var ErrFigure = errors.New("cannot be drawn")

// Draw lays a figure out at a width in CSS pixels, 240 to 2000. The error is
// ErrFigure and says what does not fit.
func Draw(f Figure, w Words, width int) (Drawing, error) {
	if err := f.check(); err != nil {
		return Drawing{}, err
	}
	if width < 240 || width > 2000 {
		return Drawing{}, fmt.Errorf("a width of %d pixels: %w", width, ErrFigure)
	}
	p := &plot{Figure: f, Words: w, width: float64(width), size: 14}
	if width < narrowBelow {
		p.size = 12.5
	}
	p.line = p.size * 1.3
	p.plain, p.strong = lettering{size: p.size}, lettering{size: p.size, bold: true}
	switch f.Kind {
	case Line:
		p.lines()
	case Bars, Grouped:
		p.bars()
	case Stacked, Shares:
		p.stacks()
	case Pyramid:
		p.pyramid()
	case Gap, Dots:
		p.dots()
	case Multiples:
		p.multiples()
	case Spark:
		p.spark()
	case Map:
		p.choropleth()
	case Places:
		p.places()
	}
	if f.Kind != Spark {
		p.notes()
	}
	return Drawing{Title: f.Title, Desc: f.Desc, Width: p.width, Height: math.Ceil(p.y), marks: p.marks, narrow: width < narrowBelow}, nil
}

// plot is a figure on its way to marks; y is where the next part begins.
type plot struct {
	Figure
	Words
	width, y   float64
	size, line float64 // of text: font size and height of a line
	marks      []mark

	plain, strong lettering // of the classes none and "strong"
}

func (f Figure) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrFigure)
	}
	if f.Kind == Map || f.Kind == Places {
		if err := f.checkMap(); err != nil || f.Kind == Places {
			return err
		}
	}
	limit, series := MaxRows, MaxSeries
	switch f.Kind {
	case Map:
		limit = maxAreas
	case Line, Spark:
		limit = MaxPoints
	case Multiples:
		limit, series = MaxPoints, MaxMultiples
	case Pyramid, Gap:
		if len(f.Series) != 2 {
			return bad("a %s of %d series, it needs 2", f.Kind, len(f.Series))
		}
	case Bars, Dots:
		series = 1
	case Grouped:
		series = 3
	case Stacked, Shares:
	default:
		return bad("kind %.20q", f.Kind)
	}
	if len(f.Labels) == 0 || len(f.Labels) > limit {
		return bad("%d labels, from 1 to %d can be drawn", len(f.Labels), limit)
	}
	if len(f.Series) == 0 || len(f.Series) > series {
		return bad("%d series, from 1 to %d can be drawn", len(f.Series), series)
	}
	if f.At != nil && (len(f.At) != len(f.Labels) || !slices.IsSorted(f.At)) {
		return bad("places of labels that are not in order, one each")
	}
	known := false
	for _, s := range f.Series {
		if len(s.Values) != len(f.Labels) {
			return bad("series %.40q has %d values for %d labels", s.Name, len(s.Values), len(f.Labels))
		}
		for _, v := range s.Values {
			if math.IsInf(v, 0) || math.Abs(v) > 1e18 {
				return bad("series %.40q has a value without bound", s.Name)
			}
			if v < 0 && (f.Kind == Stacked || f.Kind == Shares || f.Kind == Pyramid) {
				return bad("series %.40q: a part of a whole is below zero", s.Name)
			}
			known = known || !math.IsNaN(v)
		}
	}
	if !known {
		return bad("no value at all")
	}
	return nil
}

// extent gives the least and the greatest value of all series.
func (f Figure) extent() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range f.Series {
		for _, v := range s.Values {
			if !math.IsNaN(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	return lo, hi
}

// notes are the lines under a figure.
func (p *plot) notes() {
	p.y += p.line * .4
	for _, note := range p.Notes {
		for _, row := range p.plain.times(.92).wrap(note, p.width, 6) {
			p.y += p.line * .95
			p.text(0, p.y, row, "start", "note")
		}
	}
	p.y += p.line * .4
}

// legend names the series with a swatch each, in rows.
func (p *plot) legend() {
	const swatch, gap = 11, 18
	x := 0.0
	p.y += p.line
	for i, s := range p.Series {
		name := p.plain.fit(s.Name, p.width-swatch-6)
		need := swatch + 6 + p.plain.width(name)
		if x > 0 && x+need > p.width {
			x, p.y = 0, p.y+p.line
		}
		p.rect(x, p.y-swatch+1, swatch, swatch, seriesClass("b", i))
		p.text(x+swatch+6, p.y, name, "start", "")
		x += need + gap
	}
	p.y += p.line * .7
}

func seriesClass(prefix string, i int) string { return fmt.Sprintf("%s%d", prefix, i%MaxSeries+1) }
