package portal

import (
	"fmt"
	"slices"
	"strings"
)

func (k *checker) passport(at string, p Passport) {
	if p.Contact != "" {
		if _, err := ParseContactID(string(p.Contact)); err != nil {
			k.add(at+"contact", "%.60q is no contact id: 1 to %d of a-z, 0-9 and the hyphen", string(p.Contact), MaxPublisherID)
		}
	}
	k.date(at+"uploaded", p.Uploaded)
	k.date(at+"first_published", p.FirstPublished)
	k.date(at+"last_changed", p.LastChanged)
	k.date(at+"next_due", p.NextDue)
	if p.Periodicity != "" && !slices.Contains(Periodicities, p.Periodicity) {
		k.add(at+"periodicity", "%.40q: must be one of %s", string(p.Periodicity), join(Periodicities))
	}
	k.text(at+"unit", p.Unit, MaxShort, true)
	k.line(at+"indicator", p.Indicator, MaxKeyword)
	k.texts(at+"classifiers", p.Classifiers)
	k.text(at+"method", p.Method, MaxDescription, true)
	k.addresses(at+"method_url", p.MethodURL)
	k.text(at+"primary_source", p.PrimarySource, MaxShort, true)
	k.text(at+"compiled_by", p.CompiledBy, MaxShort, true)
	k.text(at+"quality", p.Quality, MaxDescription, true)
	k.texts(at+"notes", p.Notes)
}

func (k *checker) texts(where string, list []Text) {
	k.count(where, len(list), MaxNotes)
	for i, t := range list[:min(len(list), MaxNotes)] {
		at := fmt.Sprintf("%s[%d]", where, i)
		if t.IsZero() {
			k.add(at, "is empty")
		}
		k.text(at, t, MaxDescription, true)
	}
}

func (k *checker) addresses(where string, t Text) {
	k.text(where, t, MaxURL, false)
	k.url(where, t.Plain)
	for _, l := range sortedLangs(t) {
		k.url(where+"_translated."+string(l), t.Translated[l])
	}
}

func (k *checker) contact(at string, c Contact) {
	if c.Post.IsZero() && c.Name.IsZero() {
		k.add(at+"post", "is missing: the post that answers for the data, or a person's name")
	}
	k.text(at+"post", c.Post, MaxTitle, false)
	k.text(at+"unit", c.Unit, MaxTitle, false)
	k.text(at+"name", c.Name, MaxTitle, false)
	if c.Email == "" {
		k.add(at+"email", "is missing: a mailbox that somebody reads, best of the office and not of a person")
	} else if err := CheckEmail(c.Email); err != nil {
		k.add(at+"email", "%v", err)
	}
	k.line(at+"phone", c.Phone, MaxKeyword)
	k.date(at+"since", c.Since)
	k.date(at+"until", c.Until)
	if c.Since != "" && c.Until != "" && c.Until < c.Since {
		k.add(at+"until", "%s is before since, %s", c.Until, c.Since)
	}
}

func (k *checker) previous(r Release) {
	switch p := r.Previous; {
	case p == nil && r.Number > 1:
		k.add("previous", "is missing: release %d comes after another", r.Number)
	case p == nil:
	case r.Number <= 1:
		k.add("previous", "the first release has none")
	case p.Release != r.Number-1:
		k.add("previous.release", "%d: must be %d, the release before %d", p.Release, r.Number-1, r.Number)
	case p.SHA256.IsZero():
		k.add("previous.sha256", "is missing")
	case p.Length < 1:
		k.add("previous.length", "%d: must be the length of a manifest", p.Length)
	}
}

func (k *checker) themes(themes []ThemeID) {
	k.count("themes", len(themes), len(Themes))
	for i, t := range themes[:min(len(themes), len(Themes))] {
		at := fmt.Sprintf("themes[%d]", i)
		switch {
		case !IsTheme(t):
			k.add(at, "%.40q: must be one of %s", string(t), join(Themes))
		case slices.Contains(themes[:i], t):
			k.add(at, "%q stands twice", t)
		}
	}
}

// terms checks licences and sources. The grammar of a licence's name is
// Frictionless' (profile datapackage 2.0).
func (k *checker) terms(r Release) {
	k.count("licenses", len(r.Licenses), MaxLicenses)
	for i, l := range r.Licenses[:min(len(r.Licenses), MaxLicenses)] {
		at := fmt.Sprintf("licenses[%d]", i)
		if l.Name == "" && l.Path == "" {
			k.add(at, "has neither a name nor a path")
		}
		if len(l.Name) > MaxKeyword || strings.ContainsFunc(l.Name, func(r rune) bool { return !isPathRune(r) }) {
			k.add(at+".name", "%.120q: must be an identifier such as CC-BY-4.0", l.Name)
		}
		k.line(at+".title", l.Title, MaxTitle)
		k.url(at+".path", l.Path)
	}
	k.count("sources", len(r.Sources), MaxSources)
	for i, s := range r.Sources[:min(len(r.Sources), MaxSources)] {
		at := fmt.Sprintf("sources[%d]", i)
		if s == (Source{}) {
			k.add(at, "is empty")
		}
		k.line(at+".title", s.Title, MaxShort)
		k.url(at+".path", s.Path)
		if s.Email != "" {
			if err := CheckEmail(s.Email); err != nil {
				k.add(at+".email", "%v", err)
			}
		}
	}
}

// resources checks each and all: no two paths may be one file on a disk that
// does not know small letters from capitals, nor one file and one folder.
func (k *checker) resources(list []Resource) {
	k.count("resources", len(list), MaxResources)
	list = list[:min(len(list), MaxResources)]
	names, paths, folders := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, r := range list {
		at := fmt.Sprintf("resources[%d].", i)
		k.resource(at, r)
		low := strings.ToLower(r.Path)
		if names[r.Name] {
			k.add(at+"name", "%q stands twice", r.Name)
		}
		if paths[low] {
			k.add(at+"path", "%q stands twice (capital and small letters are the same on many disks)", r.Path)
		}
		if low == "datapackage.json" {
			k.add(at+"path", "%q is the name of the manifest itself", r.Path)
		}
		names[r.Name], paths[low] = true, true
		for j := range len(low) {
			if low[j] == '/' {
				folders[low[:j]] = true
			}
		}
	}
	for i, r := range list {
		if folders[strings.ToLower(r.Path)] {
			k.add(fmt.Sprintf("resources[%d].path", i), "%q is also a folder of another resource", r.Path)
		}
	}
}

func (k *checker) resource(at string, r Resource) {
	if _, err := ParseResourceName(r.Name); err != nil {
		k.add(at+"name", "%v", err)
	}
	if _, err := ParsePath(r.Path); err != nil {
		k.add(at+"path", "%v", err)
	}
	k.text(at+"title", r.Title, MaxTitle, false)
	k.text(at+"description", r.Description, MaxDescription, true)
	k.token(at+"format", r.Format, 32, "+.-")
	k.token(at+"encoding", r.Encoding, 40, "+.-_:")
	if strings.ToLower(r.Format) != r.Format {
		k.add(at+"format", "%.40q: must be in small letters", r.Format)
	}
	if r.MediaType != "" {
		k.token(at+"mediatype", r.MediaType, 200, "+.-_/;= ")
		if major, minor, ok := strings.Cut(r.MediaType, "/"); !ok || major == "" || minor == "" {
			k.add(at+"mediatype", "%.80q: must be written as text/csv", r.MediaType)
		}
	}
	if r.Bytes < 0 {
		k.add(at+"bytes", "%d is less than nothing", r.Bytes)
	}
	k.fragment(at+"dialect", r.Dialect, '{')
	if r.Schema != nil {
		k.schema(at+"schema.", *r.Schema)
	}
	k.sheets(at, r)
}

// sheets checks what is said of the tables of one file: each once, and the
// resource's schema belongs to one that has none of its own.
func (k *checker) sheets(at string, r Resource) {
	k.count(at+"koprik.sheets", len(r.Sheets), MaxSheets)
	names := map[string]bool{}
	for i, s := range r.Sheets[:min(len(r.Sheets), MaxSheets)] {
		in := fmt.Sprintf("%skoprik.sheets[%d].", at, i)
		k.must(in+"name", s.Name, MaxTitle)
		if names[s.Name] {
			k.add(in+"name", "%.80q stands twice", s.Name)
		}
		names[s.Name] = true
		k.token(in+"encoding", s.Encoding, 40, "+._:-")
		k.fragment(in+"dialect", s.Dialect, '{')
		switch {
		case s.Schema != nil:
			k.schema(in+"schema.", *s.Schema)
		case i > 0:
			k.add(in+"schema", "is missing: only the first sheet has that of the resource")
		}
	}
}

func (k *checker) token(where, s string, limit int, marks string) {
	other := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(marks, r))
	}
	if len(s) > limit || strings.ContainsFunc(s, other) {
		k.add(where, "%.80q: at most %d of a-z, 0-9 and %q", s, limit, marks)
	}
}

func (k *checker) schema(at string, s TableSchema) {
	k.count(at+"fields", len(s.Fields), MaxFields)
	if len(s.Fields) == 0 {
		k.add(at+"fields", "are missing: a table has at least one column")
	}
	names := map[string]bool{}
	for i, f := range s.Fields[:min(len(s.Fields), MaxFields)] {
		field := fmt.Sprintf("%sfields[%d].", at, i)
		k.must(field+"name", f.Name, MaxTitle)
		if names[f.Name] {
			k.add(field+"name", "%.80q stands twice", f.Name)
		}
		names[f.Name] = true
		if f.Type != "" && !slices.Contains(FieldTypes, f.Type) {
			k.add(field+"type", "%.40q: must be one of %s", f.Type, strings.Join(FieldTypes, ", "))
		}
		k.line(field+"format", f.Format, MaxKeyword)
		k.text(field+"title", f.Title, MaxTitle, false)
		k.text(field+"description", f.Description, MaxDescription, true)
		k.fragment(field+"constraints", f.Constraints, '{')
		k.fragment(field+"options", f.Options, '{')
		k.meaning(field+"koprik.", f.Meaning)
	}
	for i, name := range s.PrimaryKey[:min(len(s.PrimaryKey), MaxFields)] {
		if !names[name] {
			k.add(fmt.Sprintf("%sprimaryKey[%d]", at, i), "%.80q is no column", name)
		}
	}
	k.count(at+"primaryKey", len(s.PrimaryKey), MaxFields)
	k.count(at+"missingValues", len(s.MissingValues), MaxKeywords)
	for i, v := range s.MissingValues[:min(len(s.MissingValues), MaxKeywords)] {
		k.line(fmt.Sprintf("%smissingValues[%d]", at, i), v, MaxKeyword)
	}
	k.fragment(at+"foreignKeys", s.ForeignKeys, '[')
}

func join[S ~string](list []S) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}
