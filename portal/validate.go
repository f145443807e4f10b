package portal

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what a publisher may write. Everything that is read from outside
// has one, so that no page and no index meets a text without end (guarantee 5).
const (
	MaxTitle       = 300    // characters of a title, a name or a label, in each language
	MaxShort       = 2_000  // characters of a reason, a unit or a source, in each language
	MaxDescription = 20_000 // characters of a description, a method or a note, in each language
	MaxURL         = 2_000  // bytes
	MaxKeywords    = 100
	MaxKeyword     = 100 // characters
	MaxLicenses    = 20
	MaxSources     = 100
	MaxResources   = 200
	MaxFields      = 2_000 // of one table
	MaxSheets      = 200   // tables of one file
	MaxNotes       = 50    // notes, and classifiers
	MaxContacts    = 500
	MaxFragment    = 64 << 10 // bytes of a dialect, of constraints, of foreign keys
	MaxNumber      = 999_999_999
	maxProblems    = 100 // more are not listed
)

// FieldTypes are the Frictionless field types (Table Schema 2.0) that a column
// may have.
var FieldTypes = []string{
	"string", "number", "integer", "boolean", "object", "array", "list", "datetime", "date",
	"time", "year", "yearmonth", "duration", "geopoint", "geojson", "any",
}

// Under puts where before the place of every problem: "water.passport.yaml"
// and "contact.email" make "water.passport.yaml: contact.email".
func (ps Problems) Under(where string) Problems {
	if where == "" {
		return ps
	}
	placed := make(Problems, len(ps))
	for i, p := range ps {
		q := *p
		q.Where = where
		if p.Where != "" {
			q.Where += ": " + p.Where
		}
		placed[i] = &q
	}
	return placed
}

// Validate says in words what is missing or wrong in a passport whose contact
// is c; ok is false when nobody is known under the passport's contact id.
// Mandatory are the date of upload and a contact that is complete. Places are
// keys of the passport: "uploaded", "contact.email".
func (p Passport) Validate(c Contact, ok bool) Problems {
	var k checker
	k.passport("", p)
	if p.Uploaded == "" {
		k.add("uploaded", "is missing: the day on which the data was uploaded, written as 2026-01-31")
	}
	if !ok {
		k.add("contact", "is missing: a post or a person, with an e-mail, who answers for the data")
		return k.problems
	}
	k.contact("contact.", c)
	return k.problems
}

// Missing names the optional items that the passport does not have, by their
// keys, the ones that people ask for most first: the passport's quality meter.
// It is empty for a passport to which nothing can be added.
func (p Passport) Missing() []string {
	var missing []string
	for _, item := range []struct {
		key   string
		there bool
	}{
		{"unit", !p.Unit.IsZero()},
		{"periodicity", p.Periodicity != ""},
		{"last_changed", p.LastChanged != ""},
		{"next_due", p.NextDue != "" || p.Periodicity == Never || p.Periodicity == Irregular},
		{"method", !p.Method.IsZero() || !p.MethodURL.IsZero()},
		{"primary_source", !p.PrimarySource.IsZero()},
		{"quality", !p.Quality.IsZero()},
		{"by_sex", p.BySex != nil},
		{"classifiers", len(p.Classifiers) > 0},
		{"first_published", p.FirstPublished != ""},
	} {
		if !item.there {
			missing = append(missing, item.key)
		}
	}
	return missing
}

// Validate says what is missing or wrong in a contact: mandatory are a post or
// a name, and an e-mail that looks like one.
func (c Contact) Validate() Problems {
	var k checker
	k.contact("", c)
	return k.problems
}

// Validate says what is missing or wrong in a publisher's record.
func (p Publisher) Validate() Problems {
	var k checker
	if _, err := ParsePublisherID(string(p.ID)); err != nil {
		k.add("publisher", "%v", err)
	}
	k.number("version", p.Version)
	k.moment("issued", p.Issued)
	k.required("title", p.Title, MaxTitle)
	k.text("description", p.Description, MaxDescription, true)
	k.url("homepage", p.Homepage)
	k.count("contacts", len(p.Contacts), MaxContacts)
	seen := map[ContactID]bool{}
	for i, c := range p.Contacts[:min(len(p.Contacts), MaxContacts)] {
		at := fmt.Sprintf("contacts[%d].", i)
		k.contact(at, c)
		if _, err := ParseContactID(string(c.ID)); err != nil {
			k.add(at+"id", "%q is no contact id: 1 to %d of a-z, 0-9 and the hyphen", c.ID, MaxPublisherID)
		}
		if seen[c.ID] {
			k.add(at+"id", "%q stands twice", c.ID)
		}
		seen[c.ID] = true
	}
	if p.Default != "" && !seen[p.Default] {
		k.add("default", "%q is not among the contacts", p.Default)
	}
	return k.problems
}

// Validate says what is missing or wrong in a release that is to be signed, or
// was. A withdrawn release has a reason and no resources; every other has both
// resources and their hashes.
func (r Release) Validate() Problems {
	k := checker{problems: r.ValidateContent()}
	if _, err := ParseDatasetID(string(r.Dataset)); err != nil {
		k.add("dataset", "%v", err)
	}
	k.number("release", r.Number)
	k.moment("issued", r.Issued)
	k.previous(r)
	if r.Passport.Uploaded == "" {
		k.add("passport.uploaded", "is missing")
	}
	if r.Passport.Contact == "" {
		k.add("passport.contact", "is missing: the id of who answers for the data")
	}
	switch {
	case r.Withdrawn != nil && len(r.Resources) > 0:
		k.add("resources", "a withdrawn release has none")
	case r.Withdrawn == nil && len(r.Resources) == 0:
		k.add("resources", "are missing: a release has at least one file")
	}
	if r.Withdrawn != nil {
		k.required("withdrawn.reason", r.Withdrawn.Reason, MaxShort)
	}
	for i, res := range r.Resources {
		if res.Hash.IsZero() {
			k.add(fmt.Sprintf("resources[%d].hash", i), "is missing")
		}
	}
	return k.problems
}

// ValidateContent says what is wrong in the part of a release that its
// publisher writes: what Validate asks, but for the release's identity, its
// hashes and the mandatory lines of its passport.
func (r Release) ValidateContent() Problems {
	var k checker
	k.required("title", r.Title, MaxTitle)
	k.text("description", r.Description, MaxDescription, true)
	k.text("reason", r.Reason, MaxShort, true)
	k.url("homepage", r.Homepage)
	k.line("version", r.Version, MaxKeyword)
	k.count("keywords", len(r.Keywords), MaxKeywords)
	for i, w := range r.Keywords[:min(len(r.Keywords), MaxKeywords)] {
		k.must(fmt.Sprintf("keywords[%d]", i), w, MaxKeyword)
	}
	k.themes(r.Themes)
	k.terms(r)
	k.passport("passport.", r.Passport)
	k.resources(r.Resources)
	return k.problems
}

// checker gathers problems.
type checker struct{ problems Problems }

func (k *checker) add(where, format string, args ...any) {
	if len(k.problems) < maxProblems {
		k.problems.Add(where, format, args...)
	}
}

func (k *checker) count(where string, n, limit int) {
	if n > limit {
		k.add(where, "%d of them, at most %d are allowed", n, limit)
	}
}

func (k *checker) number(where string, n int) {
	if n < 1 || n > MaxNumber {
		k.add(where, "%d is not a number from 1 to %d", n, MaxNumber)
	}
}

func (k *checker) moment(where string, t time.Time) {
	switch {
	case t.IsZero():
		k.add(where, "is missing")
	case t.Nanosecond() != 0:
		k.add(where, "%v: must be a whole second", t)
	case t.UTC().Year() < 1970 || t.UTC().Year() > 9999:
		k.add(where, "%v: must be a year from 1970 to 9999", t)
	}
}

func (k *checker) date(where string, d Date) {
	if d == "" {
		return
	}
	if _, err := ParseDate(string(d)); err != nil {
		k.add(where, "%.40q: must be a day written as 2026-01-31", string(d))
	}
}

func (k *checker) line(where, s string, limit int) {
	if wrong := wrongText(s, limit, false); wrong != "" {
		k.add(where, "%s", wrong)
	}
}

func (k *checker) must(where, s string, limit int) {
	if strings.TrimSpace(s) == "" {
		k.add(where, "is empty")
		return
	}
	k.line(where, s, limit)
}

func (k *checker) required(where string, t Text, limit int) {
	if t.IsZero() {
		k.add(where, "is missing")
		return
	}
	k.text(where, t, limit, limit > MaxTitle)
}

func (k *checker) text(where string, t Text, limit int, lines bool) {
	if wrong := wrongText(t.Plain, limit, lines); wrong != "" {
		k.add(where, "%s", wrong)
	}
	for _, l := range sortedLangs(t) {
		at := where + "_translated." + string(l)
		switch wrong := wrongText(t.Translated[l], limit, lines); {
		case !slices.Contains(Langs, l):
			k.add(where+"_translated", "language %.40q: must be one of uz, uz-Cyrl, kaa, ru, en", string(l))
		case t.Translated[l] == "":
			k.add(at, "is empty")
		case wrong != "":
			k.add(at, "%s", wrong)
		}
	}
}

func sortedLangs(t Text) []Lang {
	langs := make([]Lang, 0, len(t.Translated))
	for l := range t.Translated {
		langs = append(langs, l)
	}
	slices.Sort(langs)
	return langs
}

// wrongText says why s cannot be shown as it is, or "". Bidirectional controls
// are refused because they make a text read otherwise than it is signed.
func wrongText(s string, limit int, lines bool) string {
	if !utf8.ValidString(s) {
		return "is not UTF-8"
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fmt.Sprintf("%d characters, at most %d are allowed", n, limit)
	}
	for _, r := range s {
		switch {
		case lines && (r == '\n' || r == '\t'):
		case unicode.IsControl(r):
			return fmt.Sprintf("has the control character %U", r)
		case unicode.Is(unicode.Bidi_Control, r) && r != '\u200e' && r != '\u200f' && r != '\u061c':
			return fmt.Sprintf("has %U, which turns the direction of the text", r)
		}
	}
	return ""
}

func (k *checker) url(where, s string) {
	if s == "" {
		return
	}
	if err := CheckURL(s); err != nil {
		k.add(where, "%v", err)
	}
}

// CheckURL accepts an absolute address that a page may link to: http, https or
// ftp with a host, at most MaxURL bytes, no spaces and no controls.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case len(s) > MaxURL:
		return fmt.Errorf("%d bytes, at most %d are allowed", len(s), MaxURL)
	case err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "ftp"}, u.Scheme), !strings.HasPrefix(s, u.Scheme),
		wrongText(s, MaxURL, false) != "", strings.ContainsAny(s, " <>\"\\^`{|}"):
		return fmt.Errorf("%.200q is not an address that begins with https:// or http://", s)
	}
	return nil
}

// CheckEmail accepts what looks like an e-mail address: local@domain.tld in
// ASCII, at most 254 bytes. Whether anybody reads it only a letter can tell.
func CheckEmail(s string) error {
	bad := fmt.Errorf("%.100q does not look like an e-mail address", s)
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > 254 || local == "" || len(local) > 64 || strings.Contains(domain, "@") {
		return bad
	}
	for _, r := range local {
		if r <= ' ' || r > '~' || strings.ContainsRune(`()<>[]:;,\"`, r) {
			return bad
		}
	}
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return bad
	}
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return bad
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return bad
		}
		for _, r := range label {
			if r != '-' && (!isPathRune(r) || r == '.' || r == '_') {
				return bad
			}
		}
	}
	return nil
}

func (k *checker) fragment(where string, raw json.RawMessage, open byte) {
	switch {
	case raw == nil:
	case len(raw) > MaxFragment:
		k.add(where, "%d bytes, at most %d are allowed", len(raw), MaxFragment)
	case !json.Valid(raw) || raw[0] != open:
		k.add(where, "is not a JSON value that begins with %q", open)
	}
}
