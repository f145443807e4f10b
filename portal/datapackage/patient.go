package datapackage

import (
	"fmt"
	"slices"
	"strings"

	"koprik/portal"
)

// The readers of this file meet what people write: a number where a text is
// meant, one thing where a list is meant, texts by language in a mapping.

// tidy takes away what editors and spreadsheets leave behind: a byte order
// mark, foreign line ends, white space around.
func tidy(s string) string {
	s = strings.TrimPrefix(s, "\ufeff")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.TrimSpace(s)
}

// word gives a scalar of any kind as it is spelled, tidied.
func (f *fields) word(key string) string {
	v, ok := f.get(key)
	if !ok {
		return ""
	}
	if v.kind == list || v.kind == object {
		f.add(f.at+key, "is %s and must be %s", kindNames[v.kind], kindNames[text])
		return ""
	}
	return tidy(v.str)
}

// many gives the members of a list, or a single thing as a list of one.
func (f *fields) many(key string) []value {
	v, ok := f.get(key)
	switch {
	case !ok:
		return nil
	case v.kind == list && len(v.items) > portal.MaxFields:
		f.add(f.at+key, "%d of them, at most %d are allowed", len(v.items), portal.MaxFields)
		return nil
	case v.kind == list:
		return v.items
	}
	return []value{v}
}

// words gives a list of texts; a single text is split at commas and semicolons.
func (f *fields) words(key string) []string {
	v, ok := f.get(key)
	if !ok {
		return nil
	}
	var all []string
	add := func(s string) {
		if s = tidy(s); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if v.kind == text {
		for s := range strings.FieldsFuncSeq(v.str, func(r rune) bool { return r == ',' || r == ';' }) {
			if add(s); len(all) > portal.MaxKeywords {
				f.add(f.at+key, "more than %d of them", portal.MaxKeywords)
				break
			}
		}
		return all
	}
	for i, item := range f.many(key) {
		if item.kind == list || item.kind == object {
			f.add(fmt.Sprintf("%s%s[%d]", f.at, key, i), "is %s and must be %s", kindNames[item.kind], kindNames[text])
			continue
		}
		add(item.str)
	}
	return all
}

// prose reads a text: one wording, or one for each language, with or without a
// sibling "…_translated". The first language's wording becomes the plain one
// when nothing else is.
func (f *fields) prose(key string) portal.Text {
	v, _ := f.get(key)
	t := f.wordings(f.at+key, v)
	if more, ok := f.get(key + translated); ok {
		for l, s := range f.wordings(f.at+key+translated, more).Translated {
			if t.Translated == nil {
				t.Translated = map[portal.Lang]string{}
			}
			t.Translated[l] = s
		}
	}
	return filled(t)
}

func filled(t portal.Text) portal.Text {
	for _, l := range portal.Langs {
		if t.Plain == "" {
			t.Plain = t.Translated[l]
		}
	}
	return t
}

// proses reads a list of texts; a single one is a list of one.
func (f *fields) proses(key string) []portal.Text {
	var all []portal.Text
	for i, v := range f.many(key) {
		at := fmt.Sprintf("%s%s[%d]", f.at, key, i)
		t := portal.Text{}
		if _, ok := v.get("text"); ok { // as a manifest writes them
			inner := f.fields(at+".", v)
			t = inner.prose("text")
			inner.unknown()
		} else {
			t = filled(f.wordings(at, v))
		}
		if !t.IsZero() {
			all = append(all, t)
		}
	}
	return all
}

// wordings reads a scalar, or an object of languages and "plain".
func (f *fields) wordings(at string, v value) portal.Text {
	switch v.kind {
	case list:
		f.add(at, "is %s and must be a text, or a text for each language", kindNames[v.kind])
		return portal.Text{}
	case object:
	default:
		return portal.Text{Plain: tidy(v.str)}
	}
	var t portal.Text
	for i, k := range v.keys {
		item := v.items[i]
		if item.kind == list || item.kind == object {
			f.add(at+"."+clip(k), "is %s and must be %s", kindNames[item.kind], kindNames[text])
			continue
		}
		s := tidy(item.str)
		l, err := portal.ParseLang(strings.ReplaceAll(k, "_", "-"))
		switch {
		case s == "" || item.kind == null:
		case k == "plain":
			t.Plain = s
		case err != nil && !f.lenient:
			f.add(at+"."+clip(k), "is no language: must be one of uz, uz-Cyrl, kaa, ru, en")
		case err != nil:
		default:
			if t.Translated == nil {
				t.Translated = map[portal.Lang]string{}
			}
			t.Translated[l] = s
		}
	}
	return t
}

// day reads a date as people write it.
func (f *fields) day(key string) portal.Date {
	s := f.word(key)
	if s == "" {
		return ""
	}
	d, err := ParseDay(s)
	if err != nil {
		f.add(f.at+key, "%v", err)
	}
	return d
}

// licenses reads "licenses" and "license", each an identifier, an object or a
// list of them, of version 1 (type and url) or 2.
func (f *fields) licenses() []portal.License {
	var all []portal.License
	for _, key := range []string{"licenses", "license"} {
		for i, v := range f.many(key) {
			var l portal.License
			if v.kind == object {
				in := f.fields(fmt.Sprintf("%s%s[%d].", f.at, key, i), v)
				l.Name, l.Title, l.Path = in.first("name", "type", "id"), in.word("title"), in.first("path", "url")
			} else {
				l.Name = tidy(v.str)
			}
			if l = usableLicense(l); l != (portal.License{}) && !slices.Contains(all, l) {
				all = append(all, l)
			}
		}
	}
	return all
}

// usableLicense makes an identifier of a name that is none ("CC BY 4.0" becomes
// CC-BY-4.0 and stays the title), and drops a path that nobody can follow.
func usableLicense(l portal.License) portal.License {
	if portal.CheckURL(l.Name) == nil {
		l.Path, l.Name = l.Name, ""
	}
	if portal.CheckURL(l.Path) != nil {
		l.Path = ""
	}
	name := strings.Join(strings.FieldsFunc(l.Name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '_')
	}), "-")
	if name != l.Name && l.Title == "" {
		l.Title = l.Name
	}
	if l.Name = name; l.Name == "" && l.Path == "" && l.Title != "" {
		l.Name = "other"
	}
	return l
}

// sources reads a list of sources, each a title, an address or an object, of
// version 1 (name, web) or 2.
func (f *fields) sources() []portal.Source {
	var all []portal.Source
	for i, v := range f.many("sources") {
		var s portal.Source
		if v.kind == object {
			in := f.fields(fmt.Sprintf("%ssources[%d].", f.at, i), v)
			s = portal.Source{Title: in.first("title", "name"), Path: in.first("path", "web", "url"), Email: in.word("email")}
		} else {
			s.Title = tidy(v.str)
		}
		if portal.CheckURL(s.Title) == nil && s.Path == "" {
			s.Title, s.Path = "", s.Title
		}
		if s.Path != "" && portal.CheckURL(s.Path) != nil {
			if s.Title == "" {
				s.Title = s.Path
			}
			s.Path = ""
		}
		if portal.CheckEmail(s.Email) != nil {
			s.Email = ""
		}
		if s != (portal.Source{}) {
			all = append(all, s)
		}
	}
	return all
}

func (f *fields) first(keys ...string) string {
	var found string
	for _, k := range keys {
		if s := f.word(k); found == "" {
			found = s
		}
	}
	return found
}
