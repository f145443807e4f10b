package demo

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"koprik/portal/region"
)

// The outlines of the demonstration are made of a drawing, which stands with its
// licence in testdata/svg-maps-uzbekistan (ui/assets/VENDOR.md).
// KOPRIK_MAKE_OUTLINES=1 writes the file anew.
const (
	drawingFile  = "testdata/svg-maps-uzbekistan/uzbekistan.svg"
	outlinesFile = "packages/region-outlines/region_outlines.geojson"
)

// drawnRegions are the codes of the drawing's elements, in its order. Two of them
// are called "tashkent": the first is the city, the second the region.
var drawnRegions = []struct{ id, iso string }{
	{"andijan", "UZ-AN"},
	{"bukhara", "UZ-BU"},
	{"fergana", "UZ-FA"},
	{"jizzakh", "UZ-JI"},
	{"namangan", "UZ-NG"},
	{"navoiy", "UZ-NW"},
	{"qashqadaryo", "UZ-QA"},
	{"karakalpakstan", "UZ-QR"},
	{"samarqand", "UZ-SA"},
	{"sirdaryo", "UZ-SI"},
	{"surxondaryo", "UZ-SU"},
	{"tashkent", "UZ-TK"},
	{"tashkent", "UZ-TO"},
	{"xorazm", "UZ-XO"},
	{"aral-sea", ""},
}

// The drawing is one of Mercator's projection without a scale. Its edges are put
// on the country's furthest points, in degrees.
const (
	furthestWest, furthestEast   = 55.998, 73.148
	furthestSouth, furthestNorth = 37.172, 45.590
)

type xy struct{ x, y float64 }

func TestTheOutlinesAreMadeOfTheVendoredDrawing(t *testing.T) {
	made := outlines(t)
	if os.Getenv("KOPRIK_MAKE_OUTLINES") != "" {
		if err := os.WriteFile(outlinesFile, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(outlinesFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, kept) {
		t.Errorf("%s is not what %s makes: KOPRIK_MAKE_OUTLINES=1 writes it anew", outlinesFile, drawingFile)
	}
}

// capitals are the seats of the regions, in degrees as any atlas gives them.
var capitals = map[string]xy{
	"UZ-AN": {72.34, 40.78}, "UZ-BU": {64.43, 39.77}, "UZ-FA": {71.78, 40.39}, "UZ-JI": {67.84, 40.12}, "UZ-NG": {71.67, 41.00},
	"UZ-NW": {65.38, 40.10}, "UZ-QA": {65.80, 38.86}, "UZ-QR": {59.61, 42.46}, "UZ-SA": {66.97, 39.65}, "UZ-SI": {68.78, 40.49},
	"UZ-SU": {67.28, 37.25}, "UZ-TK": {69.28, 41.31}, "UZ-TO": {69.35, 41.04}, "UZ-XO": {60.63, 41.55},
}

func TestEveryRegionalCapitalLiesWithinItsOutline(t *testing.T) {
	var collection struct {
		Features []struct {
			Properties map[string]any
			Geometry   struct {
				Type        string
				Coordinates [][][][2]float64
			}
		}
	}
	b, err := os.ReadFile(outlinesFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &collection); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range collection.Features {
		code, _ := f.Properties["iso_code"].(string)
		if code == "" {
			continue
		}
		seen[code] = true
		capital := capitals[code]
		inside := false
		for _, polygon := range f.Geometry.Coordinates {
			for _, ring := range polygon {
				for i, a := range ring[1:] {
					if b := ring[i]; (a[1] <= capital.y) != (b[1] <= capital.y) && capital.x < a[0]+(capital.y-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
						inside = !inside
					}
				}
			}
		}
		if !inside {
			t.Errorf("%s: the capital at %v is not within the outline", code, capital)
		}
	}
	if len(seen) != 14 {
		t.Errorf("%d regions have an outline, there are 14", len(seen))
	}
}

// outlines turns the drawing into GeoJSON.
func outlines(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(drawingFile)
	if err != nil {
		t.Fatal(err)
	}
	var drawing struct {
		Paths []struct {
			ID string `xml:"id,attr"`
			D  string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(b, &drawing); err != nil {
		t.Fatal(err)
	}
	if len(drawing.Paths) != len(drawnRegions) {
		t.Fatalf("%d elements in the drawing, expected %d", len(drawing.Paths), len(drawnRegions))
	}
	shapes := make([][][]xy, len(drawing.Paths))
	for i, path := range drawing.Paths {
		if path.ID != drawnRegions[i].id {
			t.Fatalf("element %d is %q, expected %q", i, path.ID, drawnRegions[i].id)
		}
		shapes[i] = ringsOf(t, path.D)
	}
	snap(shapes)
	degrees := onGlobe(shapes)
	var out strings.Builder
	out.WriteString("{\"type\": \"FeatureCollection\", \"features\": [\n")
	for i, rings := range shapes {
		properties := map[string]string{"kind": "water", "name_uz": "Orol dengizi", "name_ru": "Аральское море", "name_en": "Aral Sea", "name_uz_cyrl": "Орол денгизи", "name_kaa": "Aral teńizi"}
		if place, ok := region.ByISO(drawnRegions[i].iso); ok {
			name := place.Name.Translated
			properties = map[string]string{
				"kind": "region", "iso_code": place.ISO, "soato": place.SOATO,
				"name_uz": name["uz"], "name_uz_cyrl": name["uz-Cyrl"], "name_kaa": name["kaa"], "name_ru": name["ru"], "name_en": name["en"],
			}
		}
		said, err := json.Marshal(properties)
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, part := range polygons(rings) {
			var written []string
			for _, ring := range part {
				var points []string
				for _, p := range append(ring, ring[0]) {
					q := degrees(p)
					points = append(points, "["+strconv.FormatFloat(q.x, 'f', -1, 64)+","+strconv.FormatFloat(q.y, 'f', -1, 64)+"]")
				}
				written = append(written, "["+strings.Join(points, ",")+"]")
			}
			parts = append(parts, "["+strings.Join(written, ",")+"]")
		}
		out.WriteString(`{"type": "Feature", "properties": ` + string(said) + `, "geometry": {"type": "MultiPolygon", "coordinates": [` + strings.Join(parts, ",") + "]}}")
		if i < len(shapes)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]}\n")
	return []byte(out.String())
}

var pathPart = regexp.MustCompile(`[a-zA-Z]|-?[0-9.]+`)

// ringsOf reads a path of the commands m, M, l, L and z.
func ringsOf(t *testing.T, d string) [][]xy {
	t.Helper()
	var rings [][]xy
	var ring []xy
	var at xy
	command, half := "", math.NaN()
	for _, part := range pathPart.FindAllString(d, -1) {
		n, err := strconv.ParseFloat(part, 64)
		switch {
		case part == "z" || part == "Z":
			at, rings, ring = ring[0], append(rings, ring), nil
		case err != nil && strings.Contains("mMlL", part):
			command = part
		case err != nil:
			t.Fatalf("a path with the command %q", part)
		case math.IsNaN(half):
			half = n
		default:
			if command == "m" || command == "l" {
				at = xy{at.x + half, at.y + n}
			} else {
				at = xy{half, n}
			}
			ring, half = append(ring, at), math.NaN()
		}
	}
	if len(ring) > 0 {
		rings = append(rings, ring)
	}
	return rings
}

// snap makes one of corners that lie within a third of a unit of each other in
// different elements: neighbours are to share their edge.
func snap(shapes [][][]xy) {
	const near = .3
	type owned struct {
		xy
		shape int
	}
	var fixed []owned
	for i, rings := range shapes {
		for _, ring := range rings {
			for j, p := range ring {
				at, best := -1, near
				for k, f := range fixed {
					if d := math.Hypot(f.x-p.x, f.y-p.y); f.shape != i && d < best {
						at, best = k, d
					}
				}
				if at >= 0 {
					ring[j] = fixed[at].xy
					continue
				}
				fixed = append(fixed, owned{p, i})
			}
		}
	}
}

// onGlobe gives degrees for places of the drawing, to a thousandth.
func onGlobe(shapes [][][]xy) func(xy) xy {
	lo, hi := xy{math.Inf(1), math.Inf(1)}, xy{math.Inf(-1), math.Inf(-1)}
	for _, rings := range shapes {
		for _, ring := range rings {
			for _, p := range ring {
				lo, hi = xy{min(lo.x, p.x), min(lo.y, p.y)}, xy{max(hi.x, p.x), max(hi.y, p.y)}
			}
		}
	}
	mercator := func(lat float64) float64 { return math.Log(math.Tan(math.Pi/4 + lat*math.Pi/360)) }
	north, south := mercator(furthestNorth), mercator(furthestSouth)
	thousandth := func(v float64) float64 { return math.Round(v*1000) / 1000 }
	return func(p xy) xy {
		lon := furthestWest + (p.x-lo.x)/(hi.x-lo.x)*(furthestEast-furthestWest)
		y := north + (p.y-lo.y)/(hi.y-lo.y)*(south-north)
		return xy{thousandth(lon), thousandth((2*math.Atan(math.Exp(y)) - math.Pi/2) * 180 / math.Pi)}
	}
}

// polygons puts holes behind the ring that they lie in. The outer ring runs
// against the clock, holes with it (RFC 7946).
func polygons(rings [][]xy) [][][]xy {
	area := func(ring []xy) float64 {
		sum := 0.0
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			sum += a.x*b.y - b.x*a.y
		}
		return sum // y points down: above zero is with the clock
	}
	within := func(p xy, ring []xy) bool {
		inside := false
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			if (a.y <= p.y) != (b.y <= p.y) && p.x < a.x+(p.y-a.y)/(b.y-a.y)*(b.x-a.x) {
				inside = !inside
			}
		}
		return inside
	}
	var parts [][][]xy
	rings = slices.Clone(rings)
	slices.SortStableFunc(rings, func(a, b []xy) int { return int(math.Copysign(1, math.Abs(area(b))-math.Abs(area(a)))) })
	for _, ring := range rings {
		ring = slices.Clone(ring)
		at := slices.IndexFunc(parts, func(part [][]xy) bool { return within(ring[0], part[0]) })
		if with := area(ring) > 0; with != (at >= 0) {
			slices.Reverse(ring)
		}
		if at >= 0 {
			parts[at] = append(parts[at], ring)
			continue
		}
		parts = append(parts, [][]xy{ring})
	}
	return parts
}
