package chart

import (
	_ "embed" // the two fonts
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The fonts of pictures: subsets of Noto Sans, regular and semibold, with the
// letters of five orthographies (ui/assets/VENDOR.md). Other letters are boxes.
var (
	//go:embed figure-400.ttf
	regularFont []byte
	//go:embed figure-600.ttf
	boldFont []byte

	regular = sync.OnceValue(func() *face { return newFace(regularFont) })
	bold    = sync.OnceValue(func() *face { return newFace(boldFont) })
)

// face reads outlines of letters. It may be used by many at a time.
type face struct{ font *sfnt.Font }

func newFace(data []byte) *face {
	f, err := sfnt.Parse(data)
	if err != nil {
		panic(err) // compiled in: a test reads both
	}
	return &face{f}
}

// unit is the size at which outlines are read: as exact as fixed points can be.
const unit = 1024

// glyph finds a letter. Every space is a space; of what is not there comes a box.
func (f *face) glyph(b *sfnt.Buffer, r rune) sfnt.GlyphIndex {
	if unicode.IsSpace(r) {
		r = ' '
	}
	if unicode.Is(unicode.Mn, r) {
		r = '\u02bc' // no letter alone; has little width
	}
	g, err := f.font.GlyphIndex(b, r)
	if err != nil {
		return 0
	}
	return g
}

// drawn is a text without what only says how it is set: joiners, soft hyphens and
// marks of direction.
func drawn(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// width is that of a text at a size.
func (f *face) width(s string, size float64) float64 {
	var b sfnt.Buffer
	sum := 0.0
	for _, r := range drawn(s) {
		sum += f.advance(&b, f.glyph(&b, r)) * size
	}
	return sum
}

// advance is in ems.
func (f *face) advance(b *sfnt.Buffer, g sfnt.GlyphIndex) float64 {
	a, err := f.font.GlyphAdvance(b, g, fixed.I(unit), font.HintingNone)
	if err != nil {
		return 0
	}
	return float64(a) / 64 / unit
}

// rings are the outlines of a text that begins at x on the line y, with curves
// cut so that nobody sees it at so many pixels for one.
func (f *face) rings(s string, x, y, size, scale float64) [][]Point {
	var b sfnt.Buffer
	var rings [][]Point
	steps := 3
	if size*scale > 24 {
		steps = 5
	}
	for _, r := range drawn(s) {
		g := f.glyph(&b, r)
		segments, err := f.font.LoadGlyph(&b, g, fixed.I(unit), nil)
		if err != nil {
			continue
		}
		at := func(p fixed.Point26_6) Point {
			return Point{x + float64(p.X)/64/unit*size, y + float64(p.Y)/64/unit*size}
		}
		var ring []Point
		for _, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if len(ring) > 2 {
					rings = append(rings, ring)
				}
				ring = []Point{at(s.Args[0])}
			case sfnt.SegmentOpLineTo:
				ring = append(ring, at(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				from, by, to := ring[len(ring)-1], at(s.Args[0]), at(s.Args[1])
				for i := 1; i <= steps; i++ {
					t := float64(i) / float64(steps)
					u := 1 - t
					ring = append(ring, Point{u*u*from.X + 2*u*t*by.X + t*t*to.X, u*u*from.Y + 2*u*t*by.Y + t*t*to.Y})
				}
			case sfnt.SegmentOpCubeTo: // the fonts here have none
				ring = append(ring, at(s.Args[2]))
			}
		}
		if len(ring) > 2 {
			rings = append(rings, ring)
		}
		x += f.advance(&b, g) * size
	}
	return rings
}
