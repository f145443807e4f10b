package datapackage

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"koprik/portal"
	"koprik/portal/lang"
)

// loader reads one descriptor.
type loader struct {
	*report
	fsys    fs.FS
	draft   Draft
	renamed map[string]string // resources whose names had to change
	keys    []value           // foreign keys, one of each resource
}

func loadDescriptor(fsys fs.FS, name string) (Draft, error) {
	v, err := readValue(fsys, name)
	if err != nil {
		return Draft{}, err
	}
	l := &loader{report: &report{}, fsys: fsys, renamed: map[string]string{}}
	if v.kind != object {
		return Draft{}, portal.Rejected(name, "is %s and must be a data package", kindNames[v.kind])
	}
	f := l.fields("", v)
	f.lenient = true
	l.dataset(f)
	resources := f.objects("resources")
	if !f.has("resources") {
		l.add("resources", "are missing: a data package has at least one")
	}
	for _, r := range resources {
		r.lenient = true
		l.resource(r)
	}
	l.relink()
	if len(l.problems) == 0 {
		l.problems = l.draft.Release.ValidateContent()
		for _, p := range l.problems {
			if strings.HasPrefix(p.Where, "passport.") || strings.HasPrefix(p.Where, "themes") || strings.HasPrefix(p.Where, "reason") {
				p.Where = "koprik." + p.Where
			}
		}
		if c := l.draft.Contact; c != nil {
			for _, p := range c.Validate() {
				p.Where = "koprik.passport.contact." + p.Where
				l.problems = append(l.problems, p)
			}
		}
	}
	return l.draft, l.problems.Under(name).Err()
}

// dataset reads what the package says of itself, and its koprik block.
func (l *loader) dataset(f *fields) {
	d := &l.draft
	f.head(d)
	name := f.word("name")
	if k, ok := f.get("koprik"); ok {
		block := f.fields("koprik.", k)
		d.Name = block.datasetName("dataset")
		block.themes(d)
		if p, ok := block.get("passport"); ok {
			passport := f.fields("koprik.passport.", p)
			passport.seen["from_publisher"] = true
			passport.passport(d)
			passport.unknown()
		}
		for _, k := range []string{"publisher", "release", "issued", "previous", "withdrawn"} {
			block.seen[k] = true // of a manifest that is published again
		}
		block.unknown()
	}
	if d.Name == "" {
		d.Name = lang.Slug(name)
	}
	if d.Name == "" {
		l.add("name", "is missing: a short name of the dataset, in a-z, 0-9 and hyphens")
	}
	if d.Release.Title.IsZero() {
		d.Release.Title = portal.PlainText(name)
	}
}

func (l *loader) resource(f *fields) {
	name := f.word("name")
	if name == "" {
		l.add(f.at+"name", "is missing")
	}
	r := portal.Resource{
		Name:        resourceName(name),
		Title:       f.prose("title"),
		Description: f.prose("description"),
		Format:      strings.TrimPrefix(strings.ToLower(f.word("format")), "."),
		MediaType:   strings.ToLower(f.word("mediatype")),
		Encoding:    f.word("encoding"),
		Bytes:       f.integer("bytes"),
		Dialect:     l.dialect(f),
		Schema:      l.schema(f),
	}
	r.Sheets = f.sheets(l.sheetSchema)
	if r.Name != name {
		l.renamed[name] = r.Name
	}
	file := DraftFile{DeclaredHash: f.word("hash"), DeclaredBytes: r.Bytes}
	l.content(f, &r, &file)
	if r.Format == "" {
		r.Format = formatOf(r.Path)
	}
	if r.MediaType == "" {
		r.MediaType = mediaTypes[r.Format]
	}
	if h := file.DeclaredHash; h != "" {
		algorithm, digits := declared(h)
		if _, err := newHash(algorithm, digits); err != nil {
			l.add(f.at+"hash", "%v", err)
		} else if algorithm == "sha256" {
			r.Hash, _ = portal.ParseDigest(digits)
		}
	}
	l.draft.Release.Resources = append(l.draft.Release.Resources, r)
	l.draft.Files = append(l.draft.Files, file)
}

// content finds the resource's bytes: one path, several to be joined, or data
// that stands in the descriptor.
func (l *loader) content(f *fields, r *portal.Resource, file *DraftFile) {
	data, inline := f.get("data")
	paths := f.many("path")
	switch {
	case inline && len(paths) > 0:
		l.add(f.at+"path", "stands beside data: a resource has one or the other")
		return
	case inline:
		l.inline(data, r, file)
		return
	case len(paths) == 0:
		l.add(f.at+"path", "is missing: where the file stands in the package")
		return
	}
	for i, p := range paths {
		at := f.at + "path"
		if len(paths) > 1 {
			at = fmt.Sprintf("%s[%d]", at, i)
		}
		if p.kind != text {
			l.add(at, "is %s and must be %s", kindNames[p.kind], kindNames[text])
			return
		}
		part, err := inPackage(p.str)
		if err != nil {
			l.add(at, "%v", err)
			return
		}
		if err := there(l.fsys, part); err != nil {
			l.add(at, "%q: %v", part, err)
			return
		}
		file.Parts = append(file.Parts, part)
	}
	r.Path = portablePath(file.Parts[0])
	if len(paths) > 1 {
		r.Path = portablePath(r.Name + strings.ToLower(path.Ext(file.Parts[0])))
	}
}

func (l *loader) inline(data value, r *portal.Resource, file *DraftFile) {
	if data.kind == text {
		file.Inline = []byte(data.str)
		if r.Format == "" {
			r.Format = "csv"
		}
	} else {
		var w writer
		w.value(data)
		file.Inline = append(w.b, '\n')
		r.Format = "json"
	}
	r.Path = portablePath(r.Name + "." + r.Format)
}

// inPackage accepts a path that stays inside the package.
func inPackage(s string) (string, error) {
	switch clean := path.Clean(s); {
	case strings.Contains(s, "://"):
		return "", fmt.Errorf("%.200q is on the network: download the file into the package", s)
	case strings.ContainsAny(s, `\`):
		return "", fmt.Errorf("%.200q has a backslash: write /", s)
	case strings.HasPrefix(s, "/") || len(s) > 1 && s[1] == ':' || strings.HasPrefix(s, "~"):
		return "", fmt.Errorf("%.200q is an absolute path: a package names files inside itself", s)
	case strings.Contains("/"+s+"/", "/../"):
		return "", fmt.Errorf("%.200q leads outside the package", s)
	case s == "" || clean == "." || !fs.ValidPath(clean):
		return "", fmt.Errorf("%.200q is no path", s)
	default:
		return clean, nil
	}
}

// described gives an object that stands in the descriptor, or in a file of the
// package that it names.
func (l *loader) described(f *fields, key string) (*fields, bool) {
	v, ok := f.get(key)
	if !ok {
		return nil, false
	}
	if v.kind == text {
		name, err := inPackage(v.str)
		if err == nil {
			v, err = readValue(l.fsys, name)
		}
		if err != nil {
			l.add(f.at+key, "%v", err)
			return nil, false
		}
	}
	in := l.fields(f.at+key+".", v)
	in.lenient = true
	return in, true
}

func (l *loader) dialect(f *fields) []byte {
	in, ok := l.described(f, "dialect")
	if !ok {
		return nil
	}
	var w writer
	w.value(in.v)
	return w.b
}

// schema reads that of a resource; its foreign keys wait for relink.
func (l *loader) schema(f *fields) *portal.TableSchema {
	s, keys := l.tableSchema(f)
	l.keys = append(l.keys, keys)
	return s
}

// sheetSchema reads that of one sheet.
func (l *loader) sheetSchema(f *fields) *portal.TableSchema {
	s, keys := l.tableSchema(f)
	if keys.kind == list {
		var w writer
		w.value(keys)
		s.ForeignKeys = w.b
	}
	return s
}

// tableSchema reads the member "schema", and its foreign keys as they stand there.
func (l *loader) tableSchema(f *fields) (_ *portal.TableSchema, keys value) {
	in, ok := l.described(f, "schema")
	if !ok || len(in.v.keys) == 0 {
		return nil, keys
	}
	s := portal.TableSchema{PrimaryKey: scalars(in.many("primaryKey")), MissingValues: in.missing()}
	if all, ok := in.of("foreignKeys", list); ok && len(all.items) > 0 {
		keys = all
	}
	for _, field := range in.objects("fields") {
		field.lenient = true
		c := portal.Field{
			Name:        field.word("name"),
			Type:        field.word("type"),
			Format:      field.word("format"),
			Title:       field.prose("title"),
			Description: field.prose("description"),
			Constraints: field.raw("constraints", object),
			Options:     field.options(),
			Meaning:     field.stated(),
		}
		s.Fields = append(s.Fields, c)
	}
	return &s, keys
}

func scalars(items []value) []string {
	var all []string
	for _, v := range items {
		all = append(all, v.str)
	}
	return all
}

// missing reads missing values, of version 1 (texts) or 2 (also with labels).
func (f *fields) missing() []string {
	v, ok := f.of("missingValues", list)
	if !ok {
		return nil
	}
	all := []string{}
	for _, item := range v.items {
		if inner, ok := item.get("value"); ok {
			item = inner
		}
		all = append(all, item.str)
	}
	return all
}

// relink writes the foreign keys, with the names that resources have now.
func (l *loader) relink() {
	for i, keys := range l.keys {
		if keys.kind != list {
			continue
		}
		for _, key := range keys.items {
			reference, _ := key.get("reference")
			for j, k := range reference.keys {
				if name, ok := l.renamed[reference.items[j].str]; ok && k == "resource" {
					reference.items[j].str = name
				}
			}
		}
		var w writer
		w.value(keys)
		l.draft.Release.Resources[i].Schema.ForeignKeys = w.b
	}
}
