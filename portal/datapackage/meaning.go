package datapackage

import (
	"slices"

	"koprik/portal"
)

// meaningKey is the member of a schema's field that says what its column means.
const meaningKey = "koprik"

// meaning writes what a column means; nothing where nobody knows.
func (w *writer) meaning(m portal.Meaning) {
	if m.IsZero() {
		return
	}
	w.key(meaningKey)
	w.open('{')
	w.stringField("role", string(m.Role))
	w.stringField("kind", m.Kind)
	w.stringField("lang", string(m.Lang))
	w.stringField("sameAs", m.SameAs)
	w.stringField("unit", m.Unit)
	if m.Scale != 0 {
		w.intField("scale", m.Scale)
	}
	if m.Additive {
		w.key("additive")
		w.literal("true")
	}
	w.stringField("of", m.Of)
	w.stringField("sex", m.Sex)
	w.stringField("period", m.Period)
	w.stringField("age", m.Age)
	w.listField("totals", m.Totals)
	if m.Confidence != 100 {
		w.intField("confidence", int64(m.Confidence))
	}
	w.close('}')
}

// meaning reads what a manifest says of a column. Members and roles that are not
// known are passed over: a later version wrote them.
func (f *fields) meaning() portal.Meaning {
	in, ok := f.object(meaningKey)
	if !ok {
		return portal.Meaning{}
	}
	m := portal.Meaning{
		Role:   portal.ColumnRole(in.string("role")),
		Kind:   in.string("kind"),
		Lang:   portal.Lang(in.string("lang")),
		SameAs: in.string("sameAs"),
		Unit:   in.string("unit"),
		Scale:  in.integer("scale"),
		Of:     in.string("of"),
		Sex:    in.string("sex"),
		Period: in.string("period"),
		Age:    in.string("age"),
		Totals: in.strings("totals"),
	}
	if b := in.bool("additive"); b != nil {
		m.Additive = *b
	}
	m.Confidence = 100
	if in.has("confidence") {
		m.Confidence = in.int("confidence")
	}
	if m.Role == "" {
		in.add(in.at+"role", "is missing")
	}
	return m
}

// stated reads what a publisher says of a column. A word that means nothing here
// is a mistake of the pen, and is named. What he leaves out is guessed when the
// table is read.
func (f *fields) stated() portal.Meaning {
	if !f.has(meaningKey) {
		return portal.Meaning{}
	}
	m := f.meaning()
	at := f.at + meaningKey + "."
	if m.Role != "" && !slices.Contains(portal.ColumnRoles, m.Role) {
		f.add(at+"role", "%.40q is no role: must be one of %s", string(m.Role), joined(portal.ColumnRoles))
	}
	if m.Kind != "" && !slices.Contains(portal.Kinds, m.Kind) {
		f.add(at+"kind", "%.40q is no kind: must be one of %s", m.Kind, joined(portal.Kinds))
	}
	if m.Sex != "" && !slices.Contains(portal.Sexes, m.Sex) {
		f.add(at+"sex", "%.40q: must be one of %s", m.Sex, joined(portal.Sexes))
	}
	return m
}

// joined lists words for a message.
func joined[S ~string](words []S) string {
	out := ""
	for i, w := range words {
		if i > 0 {
			out += ", "
		}
		out += string(w)
	}
	return out
}

// unguessed gives the resources without what was only guessed of their columns:
// a better guess makes no release.
func unguessed(resources []portal.Resource) []portal.Resource {
	resources = slices.Clone(resources)
	for i := range resources {
		eachSchema(&resources[i], func(s *portal.TableSchema, _ string) {
			for j := range s.Fields {
				if s.Fields[j].Meaning.Confidence < 100 {
					s.Fields[j].Meaning = portal.Meaning{}
				}
			}
		})
	}
	return resources
}
