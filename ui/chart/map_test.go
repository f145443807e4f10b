package chart

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"koprik/internal/sharedtest"
)

func plainWords() Words {
	plain := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	return Words{Number: plain, Short: plain, Signed: plain, Share: plain, None: "no data"}
}

// A drawing that changes is looked at, and its file made anew with UPDATE=1.
func TestAMapIsDrawnAsItWasLookedAt(t *testing.T) {
	for name, width := range map[string]int{"narrow": Narrow, "wide": Wide} {
		d, err := Draw(sampleMap(t), plainWords(), width)
		if err != nil {
			t.Fatal(err)
		}
		got, file := d.SVG("")+"\n", filepath.Join("testdata", "map-"+name+".svg")
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || got != string(want) {
			t.Errorf("%s has changed (%v):\n%s", file, err, got)
		}
	}
}

func TestAMapHasFiveShadesAtMostNumbersBesideThemAndAHatchForNoData(t *testing.T) {
	d, err := Draw(sampleMap(t), plainWords(), Wide)
	if err != nil {
		t.Fatal(err)
	}
	svg := d.SVG("")
	shades := map[string]bool{}
	for _, m := range regexp.MustCompile(`class="(q\d)"`).FindAllStringSubmatch(svg, -1) {
		shades[m[1]] = true
	}
	if len(shades) != 6 { // five and the one without a value
		t.Errorf("shades: %v", shades)
	}
	for _, part := range []string{`class="hatch"`, ">no data<", ">100 – 212<", ">1108 – 1283<", ">Region UZ-TK<", "Source: an office"} {
		if !strings.Contains(svg, part) {
			t.Errorf("no %s in %s", part, svg)
		}
	}
	if n := strings.Count(svg, `class="name w`); n != 14 {
		t.Errorf("%d tiles", n)
	}
}

func TestAMapWithBothItsWidthsLeavesRoomOnAPageOfTenKilobytes(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, width := range []int{Narrow, Wide} {
		d, err := Draw(sampleMap(t), plainWords(), width)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = z.Write([]byte(d.SVG("")))
	}
	z.Close()
	if b.Len() > 6500 {
		t.Errorf("%d bytes", b.Len())
	}
}

func TestNeighboursShareTheirEdgeHoweverSmallTheMap(t *testing.T) {
	o := demoOutline(t)
	used := map[int]int{}
	for _, a := range o.areas {
		for _, ring := range a.rings {
			for _, at := range ring {
				used[max(at, ^at)]++
			}
		}
	}
	shared := 0
	for at, n := range used {
		if n > 2 {
			t.Errorf("arc %d belongs to %d areas", at, n)
		}
		if n == 2 {
			shared++
		}
	}
	if shared < 20 {
		t.Errorf("%d common edges of %d; fourteen regions have more", shared, len(o.arcs))
	}
	for _, width := range []float64{120, Narrow, Wide, 2000} {
		p := &plot{}
		f := p.fitMap(o, width)
		edges := map[[2]Point]int{}
		for _, a := range o.areas {
			for _, ring := range f.rings(a) {
				if len(ring) < 3 {
					t.Errorf("width %v: %s has a ring of %d corners", width, a.key, len(ring))
				}
				for i, q := range ring {
					edges[[2]Point{q, ring[(i+1)%len(ring)]}]++
				}
			}
		}
		both := 0
		for e, n := range edges {
			if n > 1 {
				t.Errorf("width %v: an edge is drawn twice the same way", width)
			}
			if edges[[2]Point{e[1], e[0]}] > 0 {
				both++
			}
		}
		if both < len(edges)/4 {
			t.Errorf("width %v: %d of %d edges are common", width, both, len(edges))
		}
	}
}

func TestClassesAreNaturalBreaks(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{[]float64{1, 2, 3, 100, 101, 102, 1000}, "[{1 1} {2 3} {100 100} {101 102} {1000 1000}]"},
		{[]float64{1, 2, 10, 11, 20, 21, 30, 31, 40, 41}, "[{1 2} {10 11} {20 21} {30 31} {40 41}]"},
		{[]float64{5, 5, 5}, "[{5 5}]"},
		{[]float64{math.NaN(), 2, 1}, "[{1 1} {2 2}]"},
		{nil, "[]"},
	} {
		if got := fmt.Sprint(classes(c.values, maxClasses)); got != c.want {
			t.Errorf("%v: %s, want %s", c.values, got, c.want)
		}
	}
}

func TestEveryValueHasOneClassInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 60).Draw(t, "values")
		ranges := classes(values, maxClasses)
		if len(ranges) == 0 || len(ranges) > maxClasses {
			t.Fatalf("%d classes", len(ranges))
		}
		for i, c := range ranges {
			if c.lo > c.hi || i > 0 && c.lo <= ranges[i-1].hi {
				t.Fatalf("%v", ranges)
			}
		}
		for _, v := range values {
			if classOf(ranges, v) < 0 {
				t.Fatalf("%v is in none of %v", v, ranges)
			}
		}
	})
}

func TestWordsStandOutFromEveryShadeAndShadesFromEachOther(t *testing.T) {
	fills := map[string]string{}
	for _, m := range regexp.MustCompile(`\.(q[1-5])\{fill:(#[0-9a-f]{6})\}`).FindAllStringSubmatch(FileStyle, -1) {
		fills[m[1]] = m[2]
	}
	before := 2.0
	for i := 1; i <= 5; i++ {
		shade := fills["q"+strconv.Itoa(i)]
		word := lookOf("w" + strconv.Itoa(i)).fill
		hex := fmt.Sprintf("#%02x%02x%02x", word.R, word.G, word.B)
		if got := contrast(shade, hex); got < 4.5 {
			t.Errorf("words on q%d: %.1f to 1", i, got)
		}
		// Lightness alone tells the shades apart: whatever colours a reader sees.
		if l := luminance(shade); l > before*.75 {
			t.Errorf("q%d is not much darker than the shade before", i)
		} else {
			before = l
		}
	}
}

func TestAMapThatDoesNotFitTogetherIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Figure){
		"no outline":     func(f *Figure) { f.Outline = nil },
		"no codes":       func(f *Figure) { f.Keys = nil },
		"two series":     func(f *Figure) { f.Series = append(f.Series, f.Series[0]) },
		"other regions":  func(f *Figure) { f.Keys = make([]string, len(f.Keys)) },
		"no value":       func(f *Figure) { f.Series[0].Values = make([]float64, 1) },
		"infinite value": func(f *Figure) { f.Series[0].Values[0] = math.Inf(1) },
		"no point":       func(f *Figure) { f.Kind, f.Outline = Places, nil },
	} {
		f := sampleMap(t)
		spoil(&f)
		if _, err := Draw(f, plainWords(), Wide); !errors.Is(err, ErrFigure) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPointsLieOnTheOutlineAndOnceEach(t *testing.T) {
	f := Figure{Kind: Places, Outline: demoOutline(t), Mark: -1, Points: []Point{{69.28, 41.31}, {69.28, 41.31}, {59.61, 42.46}, {2.35, 48.85}}}
	d, err := Draw(f, plainWords(), Wide)
	if err != nil {
		t.Fatal(err)
	}
	svg := d.SVG("")
	if n := strings.Count(svg, `class="place"`); n != 2 {
		t.Errorf("%d points; one is there twice, one is in another country", n)
	}
	f.Outline = nil
	if d, err = Draw(f, plainWords(), Narrow); err != nil || strings.Count(d.SVG(""), `class="place"`) != 3 {
		t.Errorf("without an outline: %v", err)
	}
}

const squares = `{"type":"FeatureCollection","name":"x","features":[
{"type":"Feature","properties":{"code":"A"},"geometry":{"type":"Polygon","coordinates":[[[60,40],[61,40],[61,41],[60,41],[60,40]]]}},
{"type":"Feature","properties":{"code":"B"},"geometry":{"type":"MultiPolygon","coordinates":[[[[61,40],[62,40,7],[62,41],[61,41],[61,40]]]]}},
{"type":"Feature","properties":{"code":"A"},"geometry":{"type":"GeometryCollection","geometries":[{"type":"Polygon","coordinates":[[[63,40],[64,40],[64,41],[63,40]]]},{"type":"Point","coordinates":[60.5,40.5]}]}},
{"type":"Feature","properties":null,"geometry":null},
{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[1,2],[3,4]]}}]}`

func codeKey(p map[string]any) string { s, _ := p["code"].(string); return s }

func TestAreasOfOneCodeAreOne(t *testing.T) {
	g, err := ReadGeoJSON(strings.NewReader(squares), codeKey)
	if err != nil || len(g.Areas) != 2 || len(g.Areas[0].Rings) != 2 || len(g.Points) != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	o, err := NewOutline(g.Areas)
	if err != nil || !slices.Equal(o.Keys(), []string{"A", "B"}) || !o.Has("B") || o.Has("C") || o.Has("") {
		t.Errorf("%v, %v", o, err)
	}
}

func TestBoundariesThatAreNoneAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "a list": "[]", "no features": `{"type":"FeatureCollection"}`, "features of text": `{"features":"x"}`,
		"cut off": squares[:300], "beyond the poles": `{"features":[{"geometry":{"type":"Point","coordinates":[0,91]}}]}`,
		"text for a corner":  `{"features":[{"geometry":{"type":"Polygon","coordinates":[[["a",1]]]}}]}`,
		"nested collections": `{"features":[{"geometry":` + strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 9) + strings.Repeat("]}", 9) + "}]}",
	} {
		if _, err := ReadGeoJSON(strings.NewReader(text), codeKey); !errors.Is(err, ErrFigure) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewOutline([]Area{{Key: "A", Rings: [][]Point{{{60, 40}, {60, 40}}}}}); !errors.Is(err, ErrFigure) {
		t.Errorf("a point for an area: %v", err)
	}
}

func FuzzReadGeoJSON(f *testing.F) {
	f.Add(squares)
	f.Add(`{"features":[{"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]],[],[[2,2],[3,3],[2,2],[3,3]]]}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ReadGeoJSON(strings.NewReader(text), codeKey)
		if err != nil {
			if !errors.Is(err, ErrFigure) {
				t.Fatal(err)
			}
			return
		}
		o, err := NewOutline(g.Areas)
		if err != nil {
			return
		}
		if _, err := Draw(Figure{Kind: Places, Outline: o, Points: g.Points, Mark: -1}, plainWords(), Narrow); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRealOutlinesAreDrawn(t *testing.T) {
	for _, name := range []string{"akbartus/uzbekistan_regional.geojson", "akbartus/jizzakh_region_districts.geojson", "mledoze/uzb.geo.json"} {
		f, err := os.Open(sharedtest.Path(t, "data", "uz-geo", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		g, err := ReadGeoJSON(f, func(map[string]any) string { n++; return "K" + strconv.Itoa(n) })
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		o, err := NewOutline(g.Areas)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d, err := Draw(Figure{Kind: Places, Outline: o, Mark: -1}, plainWords(), Wide)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := len(d.SVG("")); n > 24<<10 {
			t.Errorf("%s: a drawing of %d bytes", name, n)
		}
	}
}

func BenchmarkOutline(b *testing.B) {
	data, err := os.ReadFile("../../internal/demo/packages/region-outlines/region_outlines.geojson")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		g, err := ReadGeoJSON(bytes.NewReader(data), codeKey)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := NewOutline(g.Areas); err != nil {
			b.Fatal(err)
		}
	}
}
