package node

import (
	"slices"

	"koprik/portal"
)

// learn keeps what was found out about a table in the release, so that every
// node reads it the same way: types where the publisher gave none, what columns
// mean, and how the file is written where that had to be guessed. What the
// publisher said stays. Of a workbook with several tables, a schema can keep the
// first one only; every node guesses the others by the same rules.
func learn(r *portal.Resource, tables []portal.TableInfo) {
	switch {
	case len(tables) == 0:
		return
	case r.Schema == nil && len(tables) > 1:
		return
	case r.Schema == nil:
		r.Schema = &portal.TableSchema{Fields: tables[0].Columns}
	default:
		s := *r.Schema
		s.Fields = slices.Clone(s.Fields)
		for i := range s.Fields {
			at := slices.IndexFunc(tables[0].Columns, func(f portal.Field) bool { return f.Name == s.Fields[i].Name })
			if at >= 0 {
				s.Fields[i].Meaning = tables[0].Columns[at].Meaning
			}
		}
		r.Schema = &s
	}
	if r.Encoding == "" {
		r.Encoding = tables[0].Encoding
	}
	if r.Dialect == nil {
		r.Dialect = tables[0].Dialect
	}
}
