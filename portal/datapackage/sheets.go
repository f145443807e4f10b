package datapackage

import (
	"fmt"
	"slices"

	"koprik/portal"
)

// sheets writes what is known of each table of a file that has several, as a
// member of the resource that other readers of data packages pass over.
func (w *writer) sheets(all []portal.Sheet) {
	if len(all) == 0 {
		return
	}
	w.key(meaningKey)
	w.open('{')
	w.key("sheets")
	w.open('[')
	for _, s := range all {
		w.open('{')
		w.stringField("name", s.Name)
		w.stringField("encoding", s.Encoding)
		w.rawField("dialect", s.Dialect)
		if s.Schema != nil {
			w.key("schema")
			w.schema(*s.Schema)
		}
		w.close('}')
	}
	w.close(']')
	w.close('}')
}

// sheets reads what is said of the tables of one file; table reads a schema.
// Members that are not known are passed over.
func (f *fields) sheets(table func(*fields) *portal.TableSchema) []portal.Sheet {
	in, ok := f.object(meaningKey)
	if !ok {
		return nil
	}
	var all []portal.Sheet
	for _, s := range in.objects("sheets") {
		sheet := portal.Sheet{Name: s.string("name"), Encoding: s.string("encoding"), Dialect: s.raw("dialect", object)}
		if s.has("schema") {
			sheet.Schema = table(s)
		}
		all = append(all, sheet)
	}
	return all
}

// eachSchema gives fn a copy of every schema of a resource, which keeps what fn
// makes of it; at is where it stands in the resource.
func eachSchema(r *portal.Resource, fn func(s *portal.TableSchema, at string)) {
	change := func(to **portal.TableSchema, at string) {
		if *to == nil {
			return
		}
		s := **to
		s.Fields = slices.Clone(s.Fields)
		fn(&s, at)
		*to = &s
	}
	change(&r.Schema, "")
	r.Sheets = slices.Clone(r.Sheets)
	for i := range r.Sheets {
		change(&r.Sheets[i].Schema, fmt.Sprintf("koprik.sheets[%d].", i))
	}
}
