package write

import (
	"bufio"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
)

// jsonFile writes one object: where the rows are from, what the columns are, and
// the rows as objects.
type jsonFile struct {
	w     *bufio.Writer
	f     File
	names [][]byte // of the columns, as JSON with the colon
	line  []byte
	n     int // rows
	tail  string
}

// names of columns as keys of an object. Rows keep them whatever the language.
func keysOf(f File) [][]byte {
	keys := make([][]byte, len(f.Columns)-f.Hidden)
	for i := range keys {
		keys[i] = append(appendString(nil, f.Columns[i].Name), ':')
	}
	return keys
}

func appendMember(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return appendString(append(appendString(b, key), ':'), value)
}

// appendOrigin writes the members that every JSON file begins with.
func appendOrigin(b []byte, f File) []byte {
	b = appendMember(b, "koprik_provenance", f.From.String())
	b = appendMember(b, "dataset", string(f.From.Dataset))
	b = append(b, `,"release":`...)
	b = strconv.AppendInt(b, int64(f.From.Release), 10)
	b = appendMember(b, "issued", f.Release.Issued.UTC().Format(time.RFC3339))
	b = appendMember(b, "fingerprint", f.From.Fingerprint.Hex())
	title, _ := f.Release.Title.In(f.language())
	b = appendMember(b, "title", title)
	b = appendMember(b, "table", f.Table)
	return appendMember(b, "license", strings.Join(licenses(f.Release), "; "))
}

// appendSchema writes what the columns are, as a Frictionless table schema in
// short.
func appendSchema(b []byte, f File) []byte {
	b = append(b, `"schema":{"fields":[`...)
	for i, c := range f.Columns[:len(f.Columns)-f.Hidden] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		b = appendMember(b, "name", c.Name)
		kind := c.Type
		if kind == "" {
			kind = "string"
		}
		b = appendMember(b, "type", kind)
		title, _ := c.Title.In(f.language())
		b = appendMember(b, "title", title)
		b = appendMember(b, "unit", c.Meaning.Unit)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

func newJSON(w *bufio.Writer, f File) (encoder, error) {
	b := appendOrigin([]byte{'{'}, f)
	b = appendSchema(append(b, ",\n"...), f)
	if _, err := w.Write(append(b, ",\n\"rows\":["...)); err != nil {
		return nil, err
	}
	return &jsonFile{w: w, f: f, names: keysOf(f), tail: "\n]}\n"}, nil
}

// appendObject writes a row as an object.
func appendObject(b []byte, names [][]byte, values []any) []byte {
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(append(b, name...), values[i])
	}
	return append(b, '}')
}

func (j *jsonFile) row(values []any) error {
	if j.n++; j.n > 1 {
		j.line = append(j.line, ',')
	}
	j.line = appendObject(append(j.line, '\n'), j.names, values)
	return j.flush()
}

func (j *jsonFile) flush() error {
	_, err := j.w.Write(j.line)
	j.line = j.line[:0]
	return err
}

func (j *jsonFile) end() error {
	_, err := j.w.WriteString(j.tail)
	return err
}

func (j *jsonFile) close() {}

// ndjsonFile writes an object a line; the last line, unless the file is bare, is
// the provenance.
type ndjsonFile struct{ jsonFile }

func newNDJSON(w *bufio.Writer, f File) encoder {
	n := &ndjsonFile{jsonFile{w: w, f: f, names: keysOf(f)}}
	if !f.Bare {
		n.tail = string(appendMember([]byte{'{'}, "koprik_provenance", f.From.String())) + "}\n"
	}
	return n
}

func (j *ndjsonFile) row(values []any) error {
	j.line = append(appendObject(j.line, j.names, values), '\n')
	return j.flush()
}

// geoFile writes a FeatureCollection (RFC 7946).
type geoFile struct {
	jsonFile
	shape    int // the column that has the geometry; -1: a point of the two below
	lon, lat int
	props    []int // columns that are properties
}

// Geometry finds the columns that a GeoJSON file takes its geometry from: one
// with shapes, or a longitude and a latitude. ok is false where there are none.
func Geometry(columns []portal.Field) (places []int, ok bool) {
	lon, lat := -1, -1
	for i, c := range columns {
		switch {
		case kindOf(c) == geometry:
			return []int{i}, true
		case c.Meaning.Role != portal.RoleGeometry:
		case c.Meaning.Kind == portal.KindLongitude && lon < 0:
			lon = i
		case c.Meaning.Kind == portal.KindLatitude && lat < 0:
			lat = i
		}
	}
	if lon < 0 || lat < 0 {
		return nil, false
	}
	return []int{lon, lat}, true
}

func newGeoJSON(w *bufio.Writer, f File) (encoder, error) {
	places, ok := Geometry(f.Columns)
	if !ok {
		return nil, &portal.Problem{
			Kind: portal.ErrUsage, Where: "format", Message: "this table has no geometry and no coordinates",
			Hint: "take json, or another format",
		}
	}
	g := &geoFile{jsonFile: jsonFile{w: w, f: f, tail: "\n]}\n"}, shape: -1}
	if len(places) == 1 {
		g.shape = places[0]
	} else {
		g.lon, g.lat = places[0], places[1]
	}
	for i := range len(f.Columns) - f.Hidden {
		if i != g.shape {
			g.props = append(g.props, i)
			g.names = append(g.names, append(appendString(nil, f.Columns[i].Name), ':'))
		}
	}
	b := appendOrigin(appendMember([]byte{'{'}, "type", "FeatureCollection"), f)
	_, err := w.Write(append(b, ",\n\"features\":["...))
	return g, err
}

func (g *geoFile) row(values []any) error {
	if g.n++; g.n > 1 {
		g.line = append(g.line, ',')
	}
	g.line = append(g.line, "\n{\"type\":\"Feature\",\"geometry\":"...)
	g.line = g.place(g.line, values)
	g.line = append(g.line, `,"properties":{`...)
	for i, column := range g.props {
		if i > 0 {
			g.line = append(g.line, ',')
		}
		g.line = appendValue(append(g.line, g.names[i]...), values[column])
	}
	g.line = append(g.line, "}}"...)
	return g.flush()
}

// place writes a row's geometry; null where it has none that could be drawn.
func (g *geoFile) place(b []byte, values []any) []byte {
	if g.shape >= 0 {
		s, _ := values[g.shape].(string)
		if s = strings.TrimSpace(s); strings.HasPrefix(s, "{") && json.Valid([]byte(s)) && isGeometry(s) {
			return append(b, s...)
		}
		return append(b, "null"...)
	}
	lon, okLon := degrees(values[g.lon], 180)
	lat, okLat := degrees(values[g.lat], 90)
	if !okLon || !okLat {
		return append(b, "null"...)
	}
	b = append(b, `{"type":"Point","coordinates":[`...)
	b = append(appendFloat(b, lon), ',')
	return append(appendFloat(b, lat), "]}"...)
}

func isGeometry(s string) bool {
	var shape struct {
		Type string `json:"type"`
	}
	if json.Unmarshal([]byte(s), &shape) != nil {
		return false
	}
	switch shape.Type {
	case "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection":
		return true
	}
	return false
}

// degrees reads a coordinate of at most so many degrees either way.
func degrees(v any, most float64) (float64, bool) {
	var f float64
	switch v := v.(type) {
	case int64:
		f = float64(v)
	case float64:
		f = v
	case string:
		parsed, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(v), ",", ".", 1), 64)
		if err != nil {
			return 0, false
		}
		f = parsed
	default:
		return 0, false
	}
	return f, f >= -most && f <= most
}
