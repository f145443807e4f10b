package datapackage

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"koprik/portal"
)

// WritePassport renders a passport file with a comment at every line, from
// what is already known: the answers of `koprik passport new`. What is not known
// stands there as a comment, to be filled in. ParsePassport reads back an equal
// Draft, but for resources and files, when its texts have a plain wording.
func WritePassport(d Draft) []byte {
	r, p := d.Release, d.Release.Passport
	w := &passportWriter{}
	w.note("Passport of a dataset: what it is, who answers for it, how it was made.")
	w.note("A text may be one line, or a line for each language: uz, uz-Cyrl, kaa, ru, en.")
	w.section("The dataset")
	w.line("dataset", d.Name, "its name in addresses: a-z, 0-9, hyphens; chosen once", "doctors-by-region")
	w.text("title", r.Title, "what the table shows, where and when", "Doctors by region")
	w.text("description", r.Description, "what a reader has to know", "")
	w.list("keywords", r.Keywords, "words that people search for", "doctors, health")
	w.list("themes", slugs(r.Themes), "of: "+strings.Join(slugs(portal.Themes), " "), "health")
	w.licenses(r.Licenses)
	w.sources(r.Sources)
	w.line("homepage", r.Homepage, "a page about the data", "https://example.uz/doctors")
	w.line("version", r.Version, "your own label", "2026.1")
	w.text("reason", r.Reason, "why this release is made", "January added")
	w.section("Who answers for it (mandatory: a post or a name, and an e-mail)")
	w.contact(d)
	w.section("Dates (mandatory: uploaded)")
	w.line("uploaded", string(p.Uploaded), "the day on which the data was handed in", "2026-01-31")
	w.line("first_published", string(p.FirstPublished), "", "2025-01-31")
	w.line("last_changed", string(p.LastChanged), "", "2026-01-31")
	w.line("next_due", string(p.NextDue), "when people may expect the next figures", "2027-01-31")
	w.line("periodicity", string(p.Periodicity), "of: "+strings.Join(slugs(portal.Periodicities), " "), "annual")
	w.section("How it was made")
	w.text("unit", p.Unit, "unit of measurement", "persons")
	w.line("indicator", p.Indicator, "its code, where it has one", "1.01.01.0009")
	w.texts("classifiers", p.Classifiers, "classifications used")
	w.text("method", p.Method, "how the figures are calculated, in short", "")
	w.text("method_url", p.MethodURL, "where the whole method stands", "https://example.uz/method")
	w.text("primary_source", p.PrimarySource, "reports, surveys, administrative data", "Reports of hospitals")
	w.text("compiled_by", p.CompiledBy, "who calculated it, where it was not the publisher", "")
	w.text("quality", p.Quality, "how the figures were checked", "Totals compared with the national figure")
	w.texts("notes", p.Notes, "preliminary years, breaks, discrepancies")
	sex := ""
	if p.BySex != nil {
		sex = map[bool]string{true: "yes", false: "no"}[*p.BySex]
	}
	w.line("by_sex", sex, "whether the figures are split by sex: yes or no", "yes")
	return []byte(w.b.String())
}

type passportWriter struct{ b strings.Builder }

func (w *passportWriter) note(s string)    { fmt.Fprintf(&w.b, "# %s\n", s) }
func (w *passportWriter) section(s string) { fmt.Fprintf(&w.b, "\n# --- %s\n", s) }

func slugs[S ~string](list []S) []string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return words
}

func (w *passportWriter) remark(s string) {
	if s != "" {
		w.note(s)
	}
}

// line writes "key: value", or as a comment the example when there is no value.
func (w *passportWriter) line(key, s, remark, example string) {
	w.remark(remark)
	if s == "" {
		fmt.Fprintf(&w.b, "#%s: %s\n", key, example)
		return
	}
	fmt.Fprintf(&w.b, "%s: %s\n", key, scalarYAML(s))
}

func (w *passportWriter) text(key string, t portal.Text, remark, example string) {
	if len(t.Translated) == 0 {
		w.line(key, t.Plain, remark, example)
		return
	}
	w.remark(remark)
	fmt.Fprintf(&w.b, "%s:\n", key)
	w.wordings("  ", t)
}

func (w *passportWriter) wordings(indent string, t portal.Text) {
	if t.Plain != "" && t.Plain != filled(portal.Text{Translated: t.Translated}).Plain {
		fmt.Fprintf(&w.b, "%splain: %s\n", indent, scalarYAML(t.Plain))
	}
	for _, l := range portal.Langs {
		if s := t.Translated[l]; s != "" {
			fmt.Fprintf(&w.b, "%s%s: %s\n", indent, l, scalarYAML(s))
		}
	}
}

func (w *passportWriter) list(key string, list []string, remark, example string) {
	w.remark(remark)
	if len(list) == 0 {
		fmt.Fprintf(&w.b, "#%s: [%s]\n", key, example)
		return
	}
	fmt.Fprintf(&w.b, "%s:\n", key)
	for _, s := range list {
		fmt.Fprintf(&w.b, "  - %s\n", scalarYAML(s))
	}
}

func (w *passportWriter) texts(key string, list []portal.Text, remark string) {
	w.remark(remark)
	if len(list) == 0 {
		fmt.Fprintf(&w.b, "#%s: []\n", key)
		return
	}
	fmt.Fprintf(&w.b, "%s:\n", key)
	for _, t := range list {
		if len(t.Translated) == 0 {
			fmt.Fprintf(&w.b, "  - %s\n", scalarYAML(t.Plain))
			continue
		}
		w.b.WriteString("  -\n")
		w.wordings("    ", t)
	}
}

// entries writes a list of objects of which each member is a line of text.
func (w *passportWriter) entries(key string, entries [][]string) {
	fmt.Fprintf(&w.b, "%s:\n", key)
	for _, e := range entries {
		lead := "  - "
		for i := 0; i < len(e); i += 2 {
			if e[i+1] != "" {
				fmt.Fprintf(&w.b, "%s%s: %s\n", lead, e[i], scalarYAML(e[i+1]))
				lead = "    "
			}
		}
	}
}

func (w *passportWriter) licenses(list []portal.License) {
	w.remark("under which the data may be used")
	if len(list) == 0 {
		w.b.WriteString("#license: CC-BY-4.0\n")
		return
	}
	if len(list) == 1 && list[0] == (portal.License{Name: list[0].Name}) {
		fmt.Fprintf(&w.b, "license: %s\n", scalarYAML(list[0].Name))
		return
	}
	var entries [][]string
	for _, l := range list {
		entries = append(entries, []string{"name", l.Name, "title", l.Title, "path", l.Path})
	}
	w.entries("licenses", entries)
}

func (w *passportWriter) sources(list []portal.Source) {
	w.remark("where the figures were taken from")
	if len(list) == 0 {
		w.b.WriteString("#sources: []\n")
		return
	}
	var entries [][]string
	for _, s := range list {
		entries = append(entries, []string{"title", s.Title, "path", s.Path, "email", s.Email})
	}
	w.entries("sources", entries)
}

func (w *passportWriter) contact(d Draft) {
	c := d.Contact
	switch {
	case c == nil && d.Release.Passport.Contact != "":
		w.line("contact", string(d.Release.Passport.Contact), "the id of a contact of the publisher", "")
		return
	case c == nil:
		w.note("contact:")
		w.note("  post: Head of the department of health statistics")
		w.note("  email: health@example.uz")
		return
	}
	w.b.WriteString("contact:\n")
	if c.ID != ContactID(*c) {
		fmt.Fprintf(&w.b, "  id: %s\n", scalarYAML(string(c.ID)))
	}
	for _, part := range []struct {
		key string
		t   portal.Text
	}{{"post", c.Post}, {"unit", c.Unit}, {"name", c.Name}} {
		switch {
		case len(part.t.Translated) > 0:
			fmt.Fprintf(&w.b, "  %s:\n", part.key)
			w.wordings("    ", part.t)
		case part.t.Plain != "":
			fmt.Fprintf(&w.b, "  %s: %s\n", part.key, scalarYAML(part.t.Plain))
		}
	}
	for _, part := range [][2]string{{"email", c.Email}, {"phone", c.Phone}, {"since", string(c.Since)}} {
		if part[1] != "" {
			fmt.Fprintf(&w.b, "  %s: %s\n", part[0], scalarYAML(part[1]))
		}
	}
}

// scalarYAML writes a text on one line: bare where it reads back as a text, in
// quotation marks where it would not.
func scalarYAML(s string) string {
	if b, err := yaml.Marshal(s); err == nil {
		if line := strings.TrimSuffix(string(b), "\n"); !strings.ContainsAny(line, "\n\r") {
			return line
		}
	}
	return string(appendString(nil, s))
}
