package datapackage

import (
	"bytes"
	"encoding/json"

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
		eachSchema(&r, func(s *portal.TableSchema, _ string) {
			for i := range s.Fields {
				s.Fields[i].Meaning.Confidence = 100
			}
		})
		// What belongs to a file that is not packed yet is left out.
		r.MediaType, r.Bytes, r.Hash = "", 0, portal.Digest{}
		w.resource(r)
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
