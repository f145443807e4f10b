package read

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"koprik/portal"
)

func TestSchemaTypesAreCast(t *testing.T) {
	opt := func(s string) json.RawMessage { return json.RawMessage(s) }
	for _, c := range []struct {
		field portal.Field
		good  map[string]any
		bad   []string
	}{
		{portal.Field{Type: "integer"}, map[string]any{"007": int64(7), "-5": int64(-5), "12.0": int64(12), "1E3": int64(1000)}, []string{"x", "1.5", "1 000", "99999999999999999999", "5%"}},
		{portal.Field{Type: "integer", Options: opt(`{"groupChar": " ", "bareNumber": false}`)}, map[string]any{"1 000 soʻm": int64(1000), "1\u00a0000": int64(1000)}, []string{"x"}},
		{portal.Field{Type: "number"}, map[string]any{"33.50": 33.5, "1e3": 1000.0, "NaN": "NaN", "-INF": "-INF", "5": 5.0}, []string{"33,5", "0x10", "1_000", "Infinity", "1e999"}},
		{portal.Field{Type: "number", Options: opt(`{"decimalChar": ",", "groupChar": "."}`)}, map[string]any{"1.234,5": 1234.5}, []string{"x"}},
		{portal.Field{Type: "number", Options: opt(`{"decimalChar": ","}`)}, map[string]any{"33,5": 33.5}, []string{"33.5"}},
		{portal.Field{Type: "number", Options: opt(`{"bareNumber": false}`)}, map[string]any{"$33.5": 33.5, "95%": 95.0}, []string{"%"}},
		{portal.Field{Type: "boolean"}, map[string]any{"true": int64(1), "0": int64(0)}, []string{"yes", "2"}},
		{portal.Field{Type: "boolean", Options: opt(`{"trueValues": ["ha"], "falseValues": ["yoʻq"]}`)}, map[string]any{"ha": int64(1), "yoʻq": int64(0)}, []string{"true"}},
		{portal.Field{Type: "date"}, map[string]any{"2020-01-31": "2020-01-31"}, []string{"31.01.2020", "2020-02-30"}},
		{portal.Field{Type: "date", Format: "%d/%m/%y"}, map[string]any{"31/01/20": "2020-01-31"}, []string{"2020-01-31"}},
		{portal.Field{Type: "date", Format: "any"}, map[string]any{"31.01.2020": "2020-01-31", "2020/01/31": "2020-01-31"}, []string{"soon"}},
		{portal.Field{Type: "datetime"}, map[string]any{"2020-01-31T10:00:00Z": "2020-01-31T10:00:00Z", "2020-01-31 10:00:00": "2020-01-31T10:00:00"}, []string{"2020-01-31"}},
		{portal.Field{Type: "time"}, map[string]any{"10:30:00": "10:30:00"}, []string{"25:00:00"}},
		{portal.Field{Type: "year"}, map[string]any{"2020": int64(2020), "-0044": int64(-44)}, []string{"20", "20200"}},
		{portal.Field{Type: "yearmonth"}, map[string]any{"2020-12": "2020-12"}, []string{"2020-13"}},
		{portal.Field{Type: "duration"}, map[string]any{"P1Y2M": "P1Y2M"}, []string{"1 year"}},
		{portal.Field{Type: "object"}, map[string]any{`{"a": 1}`: `{"a":1}`}, []string{"[1]", "{"}},
		{portal.Field{Type: "array"}, map[string]any{`[1, 2]`: `[1,2]`}, []string{"{}"}},
		{portal.Field{Type: "geopoint"}, map[string]any{"69.24, 41.31": "69.24, 41.31"}, []string{"200,41", "x"}},
		{portal.Field{Type: "geopoint", Format: "object"}, map[string]any{`{"lon": 69, "lat": 41}`: `{"lon": 69, "lat": 41}`}, []string{`{"lon": 69}`}},
		{portal.Field{Type: "geopoint", Format: "array"}, map[string]any{`[69, 41]`: `[69, 41]`}, []string{`[69]`}},
		{portal.Field{Type: "any"}, map[string]any{"x": "x"}, nil},
		{portal.Field{Type: ""}, map[string]any{" x ": " x "}, nil},
	} {
		cast, err := newCaster(c.field)
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range c.good {
			if v, ok := cast(cell{text: text}); !ok || v != want {
				t.Errorf("%s %s %s: %q gives %v (%T), %v, want %v (%T)", c.field.Type, c.field.Format, c.field.Options, text, v, v, ok, want, want)
			}
		}
		for _, text := range c.bad {
			if v, ok := cast(cell{text: text}); ok {
				t.Errorf("%s %s %s: %q gives %v", c.field.Type, c.field.Format, c.field.Options, text, v)
			}
		}
	}
	for _, f := range []portal.Field{{Type: "whole"}, {Type: "date", Format: "DD.MM"}, {Type: "date", Format: "%Q"}, {Type: "number", Options: opt(`{"decimalChar": ""}`)}, {Type: "number", Options: opt(`[]`)}} {
		if _, err := newCaster(f); err == nil {
			t.Errorf("%v: a broken field is taken", f)
		}
	}
}

func TestValuesThatDoNotCastAreAllNamed(t *testing.T) {
	schema := withSchema(portal.Field{Name: "a", Type: "integer"}, portal.Field{Name: "b", Type: "date"})
	_, err := check("data/a.csv", "a,b\nx,2020-01-31\n5,soon\n", schema)
	want := "data/a.csv: row 2, column \"a\": \"x\" is not an integer\ndata/a.csv: row 3, column \"b\": \"soon\" is not a date"
	if !isRejection(err) || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	_, err = check("a.csv", "a,b\n"+strings.Repeat("x,\n", 50), schema)
	if lines := strings.Split(fmt.Sprint(err), "\n"); len(lines) != 21 || lines[20] != "and 30 more" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestAFileAndItsSchemaMustHaveTheSameColumns(t *testing.T) {
	a, b := portal.Field{Name: "a", Type: "integer"}, portal.Field{Name: "b", Type: "string"}
	_, err := check("x.csv", "a,c\n1,2\n", withSchema(a, b))
	if want := "x.csv: column \"b\" of the schema is not in the file\nx.csv: column 2, \"c\", is not in the schema"; !isRejection(err) || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	i := mustCheck(t, "x.csv", "b,a\nx,1\n", withSchema(a, b))
	if columns(i) != "a:integer, b:string" || len(i.Notes) != 1 {
		t.Errorf("%s %q", columns(i), i.Notes)
	}
	if _, err := check("x.csv", "a,b\n1,x\n", withSchema(a, portal.Field{Name: "b", Type: "text"})); !isRejection(err) {
		t.Error(err)
	}
	i = mustCheck(t, "x.csv", "1,x\n", withSchema(a, b), withDialect(`{"header": false}`))
	if columns(i) != "a:integer, b:string" || i.Rows != 1 {
		t.Error(columns(i))
	}
}

func TestMissingValuesAreNoValues(t *testing.T) {
	r := func(r *portal.Resource) {
		r.Schema = &portal.TableSchema{Fields: []portal.Field{{Name: "a", Type: "integer"}, {Name: "b", Type: "string"}}, MissingValues: []string{"-", "n/a"}}
	}
	mustCheck(t, "a.csv", "a,b\n-,x\nn/a,-\n1,\n", r)
	if _, err := check("a.csv", "a,b\n,x\n", r); !isRejection(err) {
		t.Error("the empty string is no missing value any more, but passes", err)
	}
}
