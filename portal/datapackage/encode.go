package datapackage

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"koprik/portal"
)

// Limits of what travels, in bytes.
const (
	MaxManifest  = 4 << 20
	MaxPublisher = 1 << 20
)

const profile = "https://datapackage.org/profiles/2.0/datapackage.json"

// Encode writes a release's manifest (docs/reference/manifest.md): compact JSON
// with its keys in a fixed order and a newline at the end. The same release
// gives the same bytes, always. A release that is not valid, or whose manifest
// would be longer than MaxManifest, is portal.ErrRejected.
func Encode(r portal.Release) ([]byte, error) {
	r, err := compact(r)
	if err != nil {
		return nil, err
	}
	if err := r.Validate().Under("manifest").Err(); err != nil {
		return nil, err
	}
	var w writer
	w.manifest(r)
	return sized(w.b, MaxManifest, "manifest")
}

func (w *writer) manifest(r portal.Release) {
	w.open('{')
	w.key("$schema")
	w.string(profile)
	w.stringField("name", string(r.Dataset))
	w.textField("title", r.Title)
	w.textField("description", r.Description)
	w.stringField("homepage", r.Homepage)
	w.stringField("version", r.Version)
	if len(r.Keywords) > 0 {
		w.listField("keywords", r.Keywords)
	}
	w.terms(r)
	w.key("resources")
	w.open('[')
	for _, res := range r.Resources {
		w.resource(res)
	}
	w.close(']')
	w.key("koprik")
	w.koprik(r)
	w.close('}')
}

func sized(b []byte, limit int, where string) ([]byte, error) {
	b = append(b, '\n')
	if len(b) > limit {
		return nil, portal.Rejected(where, "%d bytes long, at most %d are allowed", len(b), limit)
	}
	return b, nil
}

// compact gives a release whose JSON fragments are in the form in which they
// are written: no white space, the members of options in the order of optionKeys.
func compact(r portal.Release) (portal.Release, error) {
	var problems portal.Problems
	tidy := func(raw *json.RawMessage, options bool, where ...any) {
		if *raw == nil {
			return
		}
		v, err := parseJSON(*raw)
		if err == nil && options {
			v, err = sortOptions(v)
		}
		if err != nil {
			problems.Add("manifest: resources"+fmt.Sprint(where...), "%v", err)
			return
		}
		var w writer
		w.value(v)
		if *raw = w.b; options && len(v.keys) == 0 {
			*raw = nil
		}
	}
	resources := append([]portal.Resource(nil), r.Resources...)
	for i := range resources {
		res := &resources[i]
		at := fmt.Sprintf("[%d].", i)
		tidy(&res.Dialect, false, at, "dialect")
		eachSchema(res, func(s *portal.TableSchema, of string) {
			tidy(&s.ForeignKeys, false, at, of, "schema.foreignKeys")
			for j := range s.Fields {
				tidy(&s.Fields[j].Constraints, false, at, of, "schema.fields[", j, "].constraints")
				tidy(&s.Fields[j].Options, true, at, of, "schema.fields[", j, "].options")
			}
		})
		for j := range res.Sheets { // eachSchema has copied them
			tidy(&res.Sheets[j].Dialect, false, at, "koprik.sheets[", j, "].dialect")
		}
	}
	r.Resources = resources
	return r, problems.Err()
}

// optionKeys are the properties of single field types that a field's Options
// may have (Table Schema 1.0 and 2.0), in the order in which they are written.
var optionKeys = []string{
	"decimalChar", "groupChar", "bareNumber", "trueValues", "falseValues", "itemType", "delimiter",
	"categories", "categoriesOrdered", "missingValues", "rdfType",
}

func sortOptions(v value) (value, error) {
	sorted := value{kind: object}
	for _, k := range optionKeys {
		if item, ok := v.get(k); ok {
			sorted.keys, sorted.items = append(sorted.keys, k), append(sorted.items, item)
		}
	}
	for _, k := range v.keys {
		if _, ok := sorted.get(k); !ok {
			return v, fmt.Errorf("%.80q is not known: must be one of %s", k, strings.Join(optionKeys, ", "))
		}
	}
	return sorted, nil
}

func (w *writer) terms(r portal.Release) {
	if len(r.Licenses) > 0 {
		w.key("licenses")
		w.open('[')
		for _, l := range r.Licenses {
			w.open('{')
			w.stringField("name", l.Name)
			w.stringField("path", l.Path)
			w.stringField("title", l.Title)
			w.close('}')
		}
		w.close(']')
	}
	if len(r.Sources) > 0 {
		w.key("sources")
		w.open('[')
		for _, s := range r.Sources {
			w.open('{')
			w.stringField("title", s.Title)
			w.stringField("path", s.Path)
			w.stringField("email", s.Email)
			w.close('}')
		}
		w.close(']')
	}
}

func (w *writer) rawField(k string, raw json.RawMessage) {
	if raw != nil {
		w.key(k)
		w.literal(string(raw))
	}
}

func (w *writer) resource(r portal.Resource) {
	w.open('{')
	w.stringField("name", r.Name)
	w.stringField("path", r.Path)
	w.textField("title", r.Title)
	w.textField("description", r.Description)
	w.stringField("format", r.Format)
	w.stringField("mediatype", r.MediaType)
	w.stringField("encoding", r.Encoding)
	if !r.Hash.IsZero() { // a sketch names files that nobody has packed yet
		w.intField("bytes", r.Bytes)
		w.stringField("hash", r.Hash.String())
	}
	w.rawField("dialect", r.Dialect)
	if r.Schema != nil {
		w.key("schema")
		w.schema(*r.Schema)
	}
	w.sheets(r.Sheets)
	w.close('}')
}

func (w *writer) schema(s portal.TableSchema) {
	w.open('{')
	w.key("fields")
	w.open('[')
	for _, f := range s.Fields {
		w.open('{')
		w.stringField("name", f.Name)
		w.stringField("type", f.Type)
		w.stringField("format", f.Format)
		w.textField("title", f.Title)
		w.textField("description", f.Description)
		w.rawField("constraints", f.Constraints)
		if len(f.Options) > len("{}") {
			w.literal(string(f.Options[1 : len(f.Options)-1])) // members of the field itself
		}
		w.meaning(f.Meaning)
		w.close('}')
	}
	w.close(']')
	if len(s.PrimaryKey) > 0 {
		w.listField("primaryKey", s.PrimaryKey)
	}
	w.listField("missingValues", s.MissingValues)
	w.rawField("foreignKeys", s.ForeignKeys)
	w.close('}')
}

func (w *writer) koprik(r portal.Release) {
	w.open('{')
	w.stringField("publisher", string(r.Dataset.Publisher()))
	w.stringField("dataset", string(r.Dataset))
	w.intField("release", int64(r.Number))
	w.stringField("issued", r.Issued.UTC().Format(time.RFC3339))
	w.textField("reason", r.Reason)
	if p := r.Previous; p != nil {
		w.key("previous")
		w.open('{')
		w.intField("release", int64(p.Release))
		w.stringField("sha256", p.SHA256.Hex())
		w.intField("length", p.Length)
		w.close('}')
	}
	if len(r.Themes) > 0 {
		w.key("themes")
		w.open('[')
		for _, t := range r.Themes {
			w.string(string(t))
		}
		w.close(']')
	}
	w.key("passport")
	w.passport(r.Passport)
	if r.Withdrawn != nil {
		w.key("withdrawn")
		w.open('{')
		w.textField("reason", r.Withdrawn.Reason)
		w.close('}')
	}
	w.close('}')
}

func (w *writer) boolField(k string, b bool) {
	w.key(k)
	w.literal(map[bool]string{true: "true", false: "false"}[b])
}

func (w *writer) textsField(k string, list []portal.Text) {
	if len(list) == 0 {
		return
	}
	w.key(k)
	w.open('[')
	for _, t := range list {
		w.open('{')
		w.textField("text", t)
		w.close('}')
	}
	w.close(']')
}

func (w *writer) passport(p portal.Passport) {
	w.open('{')
	w.stringField("contact", string(p.Contact))
	if p.FromPublisher {
		w.boolField("from_publisher", true)
	}
	w.stringField("uploaded", string(p.Uploaded))
	w.stringField("first_published", string(p.FirstPublished))
	w.stringField("last_changed", string(p.LastChanged))
	w.stringField("next_due", string(p.NextDue))
	w.stringField("periodicity", string(p.Periodicity))
	w.textField("unit", p.Unit)
	w.stringField("indicator", p.Indicator)
	w.textsField("classifiers", p.Classifiers)
	w.textField("method", p.Method)
	w.textField("method_url", p.MethodURL)
	w.textField("primary_source", p.PrimarySource)
	w.textField("compiled_by", p.CompiledBy)
	w.textField("quality", p.Quality)
	w.textsField("notes", p.Notes)
	if p.BySex != nil {
		w.boolField("by_sex", *p.BySex)
	}
	w.close('}')
}
