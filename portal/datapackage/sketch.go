package datapackage

import (
	"bytes"
	"encoding/json"
	"slices"

	"koprik/portal"
)

// Sketch writes a datapackage.json for tables as they were read, for a person to
// correct and to publish. What was guessed of columns stands there as if the
// publisher had said it: whoever publishes the file says it.
func Sketch(name string, title portal.Text, resources []portal.Resource) ([]byte, error) {
	tidy, err := compact(portal.Release{Resources: resources})
	if err != nil {
		return nil, err
	}
	var w writer
	w.open('{')
	w.stringField("name", name)
	w.textField("title", title)
	w.key("resources")
	w.open('[')
	for _, r := range tidy.Resources {
		w.open('{')
		w.stringField("name", r.Name)
		w.stringField("path", r.Path)
		w.textField("title", r.Title)
		w.textField("description", r.Description)
		w.stringField("format", r.Format)
		w.stringField("encoding", r.Encoding)
		w.rawField("dialect", r.Dialect)
		if r.Schema != nil {
			s := *r.Schema
			s.Fields = slices.Clone(s.Fields)
			for i := range s.Fields {
				s.Fields[i].Meaning.Confidence = 100
			}
			w.key("schema")
			w.schema(s)
		}
		w.close('}')
	}
	w.close(']')
	w.close('}')
	var out bytes.Buffer
	if err := json.Indent(&out, w.b, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
