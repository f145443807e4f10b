package datapackage

import (
	"encoding/json"
	"time"

	"koprik/portal"
)

// Decode reads a release manifest, strictly: exactly one JSON text of at most
// MaxManifest bytes without duplicate keys, of the types and within the limits
// of docs/reference/manifest.md; whatever is unknown inside "koprik" is refused.
// Unknown members elsewhere are passed over, so that a later version can add
// what an older one may ignore; the signed bytes keep them. Everything wrong is
// portal.ErrRejected.
func Decode(data []byte) (portal.Release, error) {
	f, rep, err := document(data, MaxManifest, "manifest")
	if err != nil {
		return portal.Release{}, err
	}
	r := portal.Release{
		Title:       f.text("title"),
		Description: f.text("description"),
		Homepage:    f.string("homepage"),
		Version:     f.string("version"),
		Keywords:    some(f.strings("keywords")),
	}
	if s := f.string("$schema"); s != profile {
		rep.add("$schema", "%.100q: must be %s", s, profile)
	}
	for _, l := range f.objects("licenses") {
		r.Licenses = append(r.Licenses, portal.License{Name: l.string("name"), Path: l.string("path"), Title: l.string("title")})
	}
	for _, s := range f.objects("sources") {
		r.Sources = append(r.Sources, portal.Source{Title: s.string("title"), Path: s.string("path"), Email: s.string("email")})
	}
	if !f.has("resources") {
		rep.add("resources", "are missing")
	}
	for _, res := range f.objects("resources") {
		r.Resources = append(r.Resources, decodeResource(res))
	}
	decodeKoprik(f, &r)
	if name := f.string("name"); name != string(r.Dataset) {
		rep.add("name", "%.110q is not %q, the dataset", name, r.Dataset)
	}
	if len(rep.problems) == 0 {
		r, err = compact(r)
		if err != nil {
			return portal.Release{}, err
		}
		rep.problems = r.Validate()
	}
	if err := rep.problems.Under("manifest").Err(); err != nil {
		return portal.Release{}, err
	}
	return r, nil
}

// document reads bytes whose whole is one object.
func document(data []byte, limit int, where string) (*fields, *report, error) {
	if len(data) > limit {
		return nil, nil, portal.Rejected(where, "%d bytes long, at most %d are allowed", len(data), limit)
	}
	v, err := parseJSON(data)
	if err != nil {
		return nil, nil, portal.Rejected(where, "%v", err)
	}
	if v.kind != object {
		return nil, nil, portal.Rejected(where, "is %s and must be %s", kindNames[v.kind], kindNames[object])
	}
	rep := &report{strict: true}
	return rep.fields("", v), rep, nil
}

// some makes an empty list nil: what is not written reads back as it was.
func some(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func decodeKoprik(f *fields, r *portal.Release) {
	k, ok := f.object("koprik")
	if !ok {
		f.add("koprik", "is missing: not a release manifest")
		return
	}
	r.Dataset = portal.DatasetID(k.string("dataset"))
	if p := k.string("publisher"); p != string(r.Dataset.Publisher()) {
		k.add("koprik.publisher", "%.60q does not own the dataset %.110q", p, string(r.Dataset))
	}
	r.Number = k.int("release")
	r.Issued = k.moment("issued")
	r.Reason = k.text("reason")
	if p, ok := k.object("previous"); ok {
		r.Previous = &portal.PreviousRelease{Release: p.int("release"), SHA256: p.hex("sha256"), Length: p.integer("length")}
		p.unknown()
	}
	for _, t := range k.strings("themes") {
		r.Themes = append(r.Themes, portal.ThemeID(t))
	}
	if p, ok := k.object("passport"); ok {
		r.Passport = decodePassport(p)
		p.unknown()
	}
	if w, ok := k.object("withdrawn"); ok {
		r.Withdrawn = &portal.Withdrawal{Reason: w.text("reason")}
		w.unknown()
	}
	k.unknown()
}

func decodePassport(p *fields) portal.Passport {
	passport := portal.Passport{
		Contact:        portal.ContactID(p.string("contact")),
		Uploaded:       p.date("uploaded"),
		FirstPublished: p.date("first_published"),
		LastChanged:    p.date("last_changed"),
		NextDue:        p.date("next_due"),
		Periodicity:    portal.Periodicity(p.string("periodicity")),
		Unit:           p.text("unit"),
		Indicator:      p.string("indicator"),
		Classifiers:    p.texts("classifiers"),
		Method:         p.text("method"),
		MethodURL:      p.text("method_url"),
		PrimarySource:  p.text("primary_source"),
		CompiledBy:     p.text("compiled_by"),
		Quality:        p.text("quality"),
		Notes:          p.texts("notes"),
		BySex:          p.bool("by_sex"),
	}
	if b := p.bool("from_publisher"); b != nil {
		passport.FromPublisher = *b
	}
	return passport
}

// texts gives a list of {"text", "text_translated"}.
func (f *fields) texts(key string) []portal.Text {
	var all []portal.Text
	for _, t := range f.objects(key) {
		all = append(all, t.text("text"))
		t.unknown()
	}
	return all
}

func (f *fields) bool(key string) *bool {
	v, ok := f.of(key, boolean)
	if !ok {
		return nil
	}
	b := v.str == "true"
	return &b
}

// moment reads a time in the one spelling that is written: UTC, whole seconds.
func (f *fields) moment(key string) time.Time {
	s := f.string(key)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.UTC().Format(time.RFC3339) != s {
		f.add(f.at+key, "%.40q: must be a time written as 2026-01-31T09:00:00Z", s)
		return time.Time{}
	}
	return t.UTC()
}

// hex reads a bare SHA-256.
func (f *fields) hex(key string) portal.Digest {
	s := f.string(key)
	d, err := portal.ParseDigest(s)
	if err != nil || d.Hex() != s {
		f.add(f.at+key, "%.80q: must be 64 small hex digits", s)
	}
	return d
}

func decodeResource(f *fields) portal.Resource {
	r := portal.Resource{
		Name:        f.string("name"),
		Path:        f.string("path"),
		Title:       f.text("title"),
		Description: f.text("description"),
		Format:      f.string("format"),
		MediaType:   f.string("mediatype"),
		Encoding:    f.string("encoding"),
		Bytes:       f.integer("bytes"),
		Dialect:     f.raw("dialect", object),
	}
	if !f.has("bytes") {
		f.add(f.at+"bytes", "is missing")
	}
	s := f.string("hash")
	d, err := portal.ParseDigest(s)
	if err != nil || d.String() != s {
		f.add(f.at+"hash", "%.80q: must be sha256: and 64 small hex digits", s)
	}
	r.Hash = d
	if f.has("schema") {
		r.Schema = decodeSchema(f)
	}
	r.Sheets = f.sheets(decodeSchema)
	return r
}

// decodeSchema reads the member "schema" of a resource or of one of its sheets.
func decodeSchema(of *fields) *portal.TableSchema {
	f, ok := of.object("schema")
	if !ok {
		return nil
	}
	s := portal.TableSchema{
		PrimaryKey:    some(f.strings("primaryKey")),
		MissingValues: f.strings("missingValues"),
		ForeignKeys:   f.raw("foreignKeys", list),
	}
	for _, field := range f.objects("fields") {
		s.Fields = append(s.Fields, decodeField(field))
	}
	return &s
}

func decodeField(f *fields) portal.Field {
	return portal.Field{
		Name:        f.string("name"),
		Type:        f.string("type"),
		Format:      f.string("format"),
		Title:       f.text("title"),
		Description: f.text("description"),
		Constraints: f.raw("constraints", object),
		Options:     f.options(),
		Meaning:     f.meaning(),
	}
}

// options gathers a field's own properties into one object; nil when it has none.
func (f *fields) options() json.RawMessage {
	v := value{kind: object}
	for _, k := range optionKeys {
		if item, ok := f.get(k); ok {
			v.keys, v.items = append(v.keys, k), append(v.items, item)
		}
	}
	if len(v.keys) == 0 {
		return nil
	}
	var w writer
	w.value(v)
	return w.b
}
