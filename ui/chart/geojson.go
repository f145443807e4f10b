package chart

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// Point is a place: a longitude and a latitude in degrees, or pixels.
type Point struct{ X, Y float64 }

// Area is one region of an outline.
type Area struct {
	// Key is its code (ISO 3166-2 or SOATO); "" for what is drawn and never
	// coloured: a lake.
	Key string
	// Rings enclose it, holes among them, in degrees; a ring ends where it began.
	Rings [][]Point
}

// Limits of a file of boundaries (guarantee 5).
const (
	MaxGeoJSON  = 16 << 20 // bytes
	maxAreas    = 3000
	maxVertices = 400_000
	maxPlaces   = 20_000
)

// Geo is what a file of GeoJSON has: areas, and places that are points.
type Geo struct {
	Areas  []Area
	Points []Point
}

// ReadGeoJSON reads a collection of features (RFC 7946), one after the other.
// key gives the code of a feature by its properties; areas of one key become one.
// The error is ErrFigure and names the feature.
func ReadGeoJSON(r io.Reader, key func(properties map[string]any) string) (Geo, error) {
	g := geoReader{key: key, places: map[string]int{}}
	bounded := &io.LimitedReader{R: r, N: MaxGeoJSON + 1}
	d := json.NewDecoder(bounded)
	err := g.collection(d)
	switch {
	case bounded.N <= 0:
		return Geo{}, fmt.Errorf("boundaries of more than %d bytes: %w", MaxGeoJSON, ErrFigure)
	case err != nil && !errors.Is(err, ErrFigure):
		return Geo{}, fmt.Errorf("boundaries: %w: %w", err, ErrFigure)
	case err != nil:
		return Geo{}, err
	}
	return g.Geo, nil
}

type geoReader struct {
	Geo
	key      func(map[string]any) string
	places   map[string]int // of an area by its key
	vertices int
}

// collection reads up to the list of features and each of them.
func (g *geoReader) collection(d *json.Decoder) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, fmt.Errorf("no collection of features: %w", ErrFigure))
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if name != "features" {
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return err
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			return errors.Join(err, fmt.Errorf("features that are no list: %w", ErrFigure))
		}
		for n := 1; d.More(); n++ {
			if err := g.feature(d); err != nil {
				return fmt.Errorf("feature %d: %w", n, err)
			}
		}
		_, err = d.Token()
		return err
	}
	return fmt.Errorf("a collection without features: %w", ErrFigure)
}

type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
	Geometries  []geometry      `json:"geometries"`
}

func (g *geoReader) feature(d *json.Decoder) error {
	var f struct {
		Properties map[string]any `json:"properties"`
		Geometry   *geometry      `json:"geometry"`
	}
	if err := d.Decode(&f); err != nil || f.Geometry == nil {
		return err
	}
	return g.shape(*f.Geometry, func() string { return g.key(f.Properties) }, 0)
}

func (g *geoReader) shape(s geometry, key func() string, depth int) error {
	switch s.Type {
	case "Point":
		var p [2]float64
		if err := json.Unmarshal(s.Coordinates, &p); err != nil {
			return err
		}
		return g.points([][2]float64{p})
	case "MultiPoint":
		var ps [][2]float64
		if err := json.Unmarshal(s.Coordinates, &ps); err != nil {
			return err
		}
		return g.points(ps)
	case "Polygon":
		var rings [][][2]float64
		if err := json.Unmarshal(s.Coordinates, &rings); err != nil {
			return err
		}
		return g.area(key(), rings)
	case "MultiPolygon":
		var parts [][][][2]float64
		if err := json.Unmarshal(s.Coordinates, &parts); err != nil {
			return err
		}
		var rings [][][2]float64
		for _, part := range parts {
			rings = append(rings, part...)
		}
		return g.area(key(), rings)
	case "GeometryCollection":
		if depth > 3 {
			return fmt.Errorf("collections within collections: %w", ErrFigure)
		}
		for _, part := range s.Geometries {
			if err := g.shape(part, key, depth+1); err != nil {
				return err
			}
		}
	}
	return nil // lines are roads and rivers: no area, no place
}

func (g *geoReader) points(list [][2]float64) error {
	if len(g.Points)+len(list) > maxPlaces {
		return fmt.Errorf("more than %d points: %w", maxPlaces, ErrFigure)
	}
	for _, p := range list {
		if !onEarth(p) {
			return fmt.Errorf("a point at %v, %v: %w", p[0], p[1], ErrFigure)
		}
		g.Points = append(g.Points, Point{p[0], p[1]})
	}
	return nil
}

func (g *geoReader) area(key string, rings [][][2]float64) error {
	a := Area{Key: key}
	for _, ring := range rings {
		if g.vertices += len(ring); g.vertices > maxVertices {
			return fmt.Errorf("more than %d corners: %w", maxVertices, ErrFigure)
		}
		points := make([]Point, len(ring))
		for i, p := range ring {
			if !onEarth(p) {
				return fmt.Errorf("a corner at %v, %v: %w", p[0], p[1], ErrFigure)
			}
			points[i] = Point{p[0], p[1]}
		}
		a.Rings = append(a.Rings, points)
	}
	if at, ok := g.places[key]; ok && key != "" {
		g.Areas[at].Rings = append(g.Areas[at].Rings, a.Rings...)
		return nil
	}
	if len(g.Areas) == maxAreas {
		return fmt.Errorf("more than %d areas: %w", maxAreas, ErrFigure)
	}
	g.places[key] = len(g.Areas)
	g.Areas = append(g.Areas, a)
	return nil
}

func onEarth(p [2]float64) bool { return math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90 }
