package read

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxJSONRecord = 8 << 20 // bytes of one record
	maxJSONDepth  = 64
)

// jsonShape is where the records of a JSON text stand.
type jsonShape struct {
	lines  bool   // one value a line, or values after each other
	member string // of the outer object, that holds the array
	nested bool
	arrays bool // records are arrays, not objects
	geo    bool // records are features: their properties and their geometry
}

// openJSON finds the records: an array at the top, the only array of records
// in an object, or values that follow each other. Other JSON is no table.
func (rd *reader) openJSON(kind fileKind) ([]*sheet, error) {
	cs, notes, err := rd.jsonCharset()
	if err != nil {
		return nil, err
	}
	shape, ok, err := rd.jsonShape(cs, kind)
	if err != nil || !ok {
		return nil, err
	}
	s := &sheet{notes: notes}
	records := func(ctx context.Context, fn func(n int, raw []byte) error) error {
		return rd.eachRecord(ctx, cs, shape, fn)
	}
	if shape.arrays {
		return rd.jsonRows(s, records)
	}
	s.named = true
	members := members
	if shape.geo {
		members = featureMembers
		s.geometry = true
	}
	place, err := rd.jsonKeys(s, records, members)
	if err != nil {
		return nil, err
	}
	s.each = func(ctx context.Context, fn func(int, []cell) error) error {
		return records(ctx, func(n int, raw []byte) error {
			cells := make([]cell, len(s.labels))
			for i := range cells {
				cells[i].kind = cellNull
			}
			err := members(raw, func(key string, value []byte) error {
				c, err := jsonCell(value)
				if at, ok := place[key]; ok {
					cells[at] = c
				}
				return err
			})
			if err != nil {
				return rd.recordError(n, err)
			}
			return fn(n, cells)
		})
	}
	return []*sheet{s}, nil
}

// jsonCharset: JSON is UTF-8 (RFC 8259); a byte order mark is passed over, and
// UTF-16 with one is read.
func (rd *reader) jsonCharset() (charset, []string, error) {
	keep := rd.res.Encoding
	rd.res.Encoding = "utf-8"
	defer func() { rd.res.Encoding = keep }()
	return rd.charset()
}

func (rd *reader) recordError(n int, err error) error {
	return unreadable(fmt.Sprintf("%s: record %d", rd.where(nil), n), "%v", err)
}

// jsonError tells what is wrong with the text from what went wrong in reading.
func (rd *reader) jsonError(d *json.Decoder, n int, err error) error {
	if rd.ctx.Err() != nil {
		return rd.ctx.Err()
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax), errors.Is(err, errTooBig), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		if errors.Is(err, io.EOF) {
			err = errors.New("the text ends too early")
		}
		return unreadable(fmt.Sprintf("%s: record %d, byte %d", rd.where(nil), n, d.InputOffset()), "%v", err)
	}
	return fmt.Errorf("read %s: %w", rd.where(nil), err)
}

// jsonReader is a decoder that holds at most one record.
type jsonReader struct {
	*json.Decoder
	m *meter
}

func newJSONReader(r *bufio.Reader) jsonReader {
	m := newMeter(r, maxJSONRecord)
	d := json.NewDecoder(m)
	d.UseNumber()
	return jsonReader{d, m}
}

// value reads one whole value.
func (j jsonReader) value() (json.RawMessage, error) {
	j.m.reset()
	var raw json.RawMessage
	err := j.Decode(&raw)
	return raw, err
}

// jsonShape looks over the whole text once; ok is false when it holds no
// records.
func (rd *reader) jsonShape(cs charset, kind fileKind) (shape jsonShape, ok bool, err error) {
	if kind == kindNDJSON {
		return rd.jsonLines(cs)
	}
	j := newJSONReader(cs.open(rd.src, rd.size))
	t, err := j.Token()
	if err != nil {
		return shape, false, rd.jsonError(j.Decoder, 0, err)
	}
	switch t {
	case json.Delim('['):
		first, n, err := rd.passArray(j)
		if err != nil {
			return shape, false, err
		}
		shape.arrays = isArray(first)
		return shape, n > 0 && (isArray(first) || isObject(first) && rd.isFlat(first, n)), rd.atEnd(j)
	case json.Delim('{'):
		return rd.objectShape(cs, j)
	}
	return shape, false, rd.atEnd(j)
}

// atEnd wants nothing but white space.
func (rd *reader) atEnd(j jsonReader) error {
	j.m.reset()
	if t, err := j.Token(); err != io.EOF {
		if err == nil {
			err = fmt.Errorf("%v stands after the end of the array: %w", t, io.ErrUnexpectedEOF)
		}
		return rd.jsonError(j.Decoder, 0, err)
	}
	return nil
}

// passArray reads to the end of an array whose bracket was read; all elements
// are of the first one's kind, or first is nil.
func (rd *reader) passArray(j jsonReader) (first json.RawMessage, n int, err error) {
	mixed := false
	for ; j.More(); n++ {
		if n%1024 == 0 && rd.ctx.Err() != nil {
			return nil, n, rd.ctx.Err()
		}
		raw, err := j.value()
		if err != nil {
			return nil, n, rd.jsonError(j.Decoder, n+1, err)
		}
		if n == 0 {
			first = raw
		}
		mixed = mixed || raw[0] != first[0]
	}
	j.m.reset()
	if _, err := j.Token(); err != nil {
		return nil, n, rd.jsonError(j.Decoder, n, err)
	}
	if mixed {
		return nil, n, nil
	}
	return first, n, nil
}

// objectShape looks for the one array of records in an object.
func (rd *reader) objectShape(cs charset, j jsonReader) (shape jsonShape, ok bool, err error) {
	arrays := 0
	for j.More() {
		if rd.ctx.Err() != nil {
			return shape, false, rd.ctx.Err()
		}
		j.m.reset()
		key, err := j.Token()
		if err != nil {
			return shape, false, rd.jsonError(j.Decoder, 0, err)
		}
		t, err := j.Token()
		if err != nil {
			return shape, false, rd.jsonError(j.Decoder, 0, err)
		}
		switch t {
		case json.Delim('{'):
			err = rd.passValue(j)
		case json.Delim('['):
			var first json.RawMessage
			if first, _, err = rd.passArray(j); err == nil && (isObject(first) || isArray(first)) {
				arrays++
				name, _ := key.(string)
				shape = jsonShape{member: name, nested: true, arrays: isArray(first), geo: name == "features" && isFeature(first)}
			}
		}
		if err != nil {
			return shape, false, err
		}
	}
	j.m.reset()
	if _, err := j.Token(); err != nil {
		return shape, false, rd.jsonError(j.Decoder, 0, err)
	}
	j.m.reset()
	if _, err := j.Token(); err == nil {
		return rd.jsonLines(cs) // another value follows: one a line
	} else if err != io.EOF {
		return shape, false, rd.jsonError(j.Decoder, 0, err)
	}
	return shape, arrays == 1, nil
}

// passValue reads to the end of an object whose brace was read.
func (rd *reader) passValue(j jsonReader) error {
	for depth := 1; depth > 0; {
		j.m.reset()
		t, err := j.Token()
		if err != nil {
			return rd.jsonError(j.Decoder, 0, err)
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxJSONDepth {
			return unreadable(rd.where(nil), "values stand more than %d deep", maxJSONDepth)
		}
	}
	return nil
}

// jsonLines looks over values that follow each other.
func (rd *reader) jsonLines(cs charset) (shape jsonShape, ok bool, err error) {
	j := newJSONReader(cs.open(rd.src, rd.size))
	shape.lines = true
	var first byte
	n := 0
	for ; ; n++ {
		if n%1024 == 0 && rd.ctx.Err() != nil {
			return shape, false, rd.ctx.Err()
		}
		raw, err := j.value()
		if err == io.EOF {
			break
		}
		if err != nil {
			return shape, false, rd.jsonError(j.Decoder, n+1, err)
		}
		if n == 0 {
			first = raw[0]
		}
		if raw[0] != first {
			return shape, false, rd.recordError(n+1, errors.New("the values are not all of one kind"))
		}
	}
	shape.arrays = first == '['
	return shape, n > 0 && (first == '{' || first == '['), nil
}

func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }
func isArray(raw []byte) bool  { return len(raw) > 0 && raw[0] == '[' }

// isFlat: one single object that itself holds arrays of objects is a document
// (an indicator of SIAT with its passport), no table of one row. A schema says
// otherwise.
func (rd *reader) isFlat(first []byte, n int) bool {
	if n > 1 || rd.res.Schema != nil {
		return true
	}
	flat := true
	_ = members(first, func(_ string, v []byte) error {
		v = bytes.TrimLeft(v[min(1, len(v)):], " \t\r\n")
		flat = flat && (len(v) == 0 || v[0] != '{')
		return nil
	})
	return flat
}

// eachRecord gives the records as raw JSON, numbered from 1.
func (rd *reader) eachRecord(ctx context.Context, cs charset, shape jsonShape, fn func(n int, raw []byte) error) error {
	j := newJSONReader(cs.open(rd.src, rd.size))
	if err := rd.enter(j, shape); err != nil {
		return err
	}
	for n := 1; shape.lines || j.More(); n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		raw, err := j.value()
		if err == io.EOF && shape.lines {
			return nil
		}
		if err != nil {
			return rd.jsonError(j.Decoder, n, err)
		}
		if isArray(raw) != shape.arrays || isObject(raw) == shape.arrays { // the key stood twice
			return rd.recordError(n, errors.New("the records are not all of one kind"))
		}
		if err := checkRecord(raw); err != nil {
			return rd.recordError(n, err)
		}
		if err := fn(n, raw); err != nil {
			return err
		}
	}
	return nil
}

// enter reads up to the first record.
func (rd *reader) enter(j jsonReader, shape jsonShape) error {
	if shape.lines {
		return nil
	}
	if _, err := j.Token(); err != nil || !shape.nested {
		return err
	}
	for j.More() {
		j.m.reset()
		key, err := j.Token()
		if err != nil {
			return err
		}
		t, err := j.Token()
		if err != nil {
			return err
		}
		switch {
		case t == json.Delim('[') && key == shape.member:
			return nil
		case t == json.Delim('['), t == json.Delim('{'):
			if err := rd.passValue(j); err != nil {
				return err
			}
		}
	}
	return unreadable(rd.where(nil), "the array %q is not where it was", shape.member)
}

// checkRecord bounds what is valid JSON already.
func checkRecord(raw []byte) error {
	if !utf8.Valid(raw) {
		return errors.New("the text is not UTF-8")
	}
	depth, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case inString:
			switch b {
			case '\\':
				i++
			case '"':
				inString = false
			}
		case b == '"':
			inString = true
		case b == '{' || b == '[':
			if depth++; depth > maxJSONDepth {
				return fmt.Errorf("values stand more than %d deep", maxJSONDepth)
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return nil
}

// jsonKeys collects the keys of all records in the order in which they come.
func (rd *reader) jsonKeys(s *sheet, records func(context.Context, func(int, []byte) error) error, members memberReader) (map[string]int, error) {
	place := map[string]int{}
	var seen []int // record in which the key stood last
	s.labels = []string{}
	err := records(rd.ctx, func(n int, raw []byte) error {
		return members(raw, func(key string, _ []byte) error {
			i, ok := place[key]
			if !ok {
				if len(key) > MaxRecord/MaxColumns {
					return rd.recordError(n, fmt.Errorf("key %q is too long", clip(key, 40)))
				}
				i = len(s.labels)
				if i >= MaxColumns {
					return rd.recordError(n, fmt.Errorf("more than %d different keys", MaxColumns))
				}
				place[strings.Clone(key)] = i
				s.labels = append(s.labels, strings.Clone(key))
				seen = append(seen, 0)
			}
			if seen[i] == n {
				rd.flaw(s, n, fmt.Sprintf("the key %q stands twice", clip(key, 40)))
			}
			seen[i] = n
			return nil
		})
	})
	return place, err
}

// jsonRows is a table of arrays: the first is the header when it is all words.
func (rd *reader) jsonRows(s *sheet, records func(context.Context, func(int, []byte) error) error) ([]*sheet, error) {
	stop := errors.New("stop")
	header := true
	err := records(rd.ctx, func(n int, raw []byte) error {
		cells, err := rowCells(raw, nil)
		if err != nil {
			return rd.recordError(n, err)
		}
		for _, c := range cells {
			header = header && c.kind == cellLiteral
			s.labels = append(s.labels, c.text)
		}
		return stop
	})
	if err != stop && err != nil { //nolint:errorlint // our own, never wrapped
		return nil, err
	}
	if !header || len(s.labels) == 0 {
		header, s.labels = false, nil
		s.note("the first row is not a header")
	}
	var cells []cell
	s.each = func(ctx context.Context, fn func(int, []cell) error) error {
		return records(ctx, func(n int, raw []byte) error {
			if n == 1 && header {
				return nil
			}
			var err error
			if cells, err = rowCells(raw, cells[:0]); err != nil {
				return rd.recordError(n, err)
			}
			return fn(n, cells)
		})
	}
	return []*sheet{s}, nil
}

func rowCells(raw []byte, cells []cell) ([]cell, error) {
	err := elements(raw, func(value []byte) error {
		if len(cells) > MaxColumns {
			return fmt.Errorf("more than %d cells", MaxColumns)
		}
		c, err := jsonCell(value)
		cells = append(cells, c)
		return err
	})
	return cells, err
}
