package node

import (
	"slices"

	"koprik/portal"
)

// maxLearned columns of one file are some 600 KB of a manifest.
const maxLearned = 4000

// learn keeps what was found out about a file's tables in the release, so that
// every node reads them the same way: types where the publisher gave none, what
// columns mean, and how a table is written where that had to be guessed. What the
// publisher said stays. Of a file whose tables have more than maxLearned columns
// together, the first table and those that the publisher described are kept; every
// node guesses the others by the same rules.
func learn(r *portal.Resource, tables []portal.TableInfo) {
	switch len(tables) {
	case 0:
		return
	case 1:
		r.Schema = learned(r.Schema, tables[0])
		if r.Encoding == "" {
			r.Encoding = tables[0].Encoding
		}
		if r.Dialect == nil {
			r.Dialect = tables[0].Dialect
		}
		return
	}
	stated, columns := r.Sheets, 0
	r.Sheets = make([]portal.Sheet, 0, len(tables))
	for i, t := range tables {
		columns += len(t.Columns)
		s := portal.Sheet{Name: t.Sheet, Encoding: t.Encoding, Dialect: t.Dialect}
		if at := slices.IndexFunc(stated, func(s portal.Sheet) bool { return s.Name == t.Sheet }); at >= 0 {
			s = stated[at]
			if s.Encoding == "" {
				s.Encoding = t.Encoding
			}
			if s.Dialect == nil {
				s.Dialect = t.Dialect
			}
		} else if i > 0 && columns > maxLearned {
			continue
		}
		if i == 0 && s.Schema == nil {
			r.Schema = learned(r.Schema, t)
		} else {
			s.Schema = learned(s.Schema, t)
		}
		r.Sheets = append(r.Sheets, s)
	}
}

// learned completes a table's schema, or makes one of what was found.
func learned(stated *portal.TableSchema, t portal.TableInfo) *portal.TableSchema {
	if stated == nil {
		return &portal.TableSchema{Fields: t.Columns}
	}
	s := *stated
	s.Fields = slices.Clone(s.Fields)
	for i := range s.Fields {
		at := slices.IndexFunc(t.Columns, func(f portal.Field) bool { return f.Name == s.Fields[i].Name })
		if at >= 0 {
			s.Fields[i].Meaning = t.Columns[at].Meaning
		}
	}
	return &s
}
