package datapackage

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"koprik/portal"
	"koprik/portal/lang"
)

// MaxPassport bounds a passport file, in bytes.
const MaxPassport = 256 << 10

// ParsePassport reads a passport file (docs/reference/passport.md): what it
// says of the dataset, who answers for it and how it was made, in a Draft
// without resources. where names the file in problems. A key that is not known
// is a problem that names the nearest one that is. Whether the mandatory lines
// are there is for portal.Passport.Validate to say; a contact that is given
// must be whole.
func ParsePassport(data []byte, where string) (Draft, error) {
	if len(data) > MaxPassport {
		return Draft{}, portal.Rejected(where, "%d bytes long, at most %d are allowed", len(data), MaxPassport)
	}
	v, err := parseYAML(data)
	if err != nil {
		return Draft{}, portal.Rejected(where, "%v", err)
	}
	rep := &report{}
	f := rep.fields("", v)
	d := Draft{HasPassport: true}
	f.head(&d)
	d.Name = f.datasetName("dataset")
	f.themes(&d)
	f.passport(&d)
	f.unknown()
	if len(rep.problems) == 0 {
		rep.problems = misfits(d)
	}
	return d, rep.problems.Under(where).Err()
}

// misfits says what is wrong in what a passport file says, by its own keys.
func misfits(d Draft) portal.Problems {
	r := d.Release
	if r.Title.IsZero() {
		r.Title = portal.PlainText(d.Name + "?") // the package, or the file's name, gives it one
	}
	problems := r.ValidateContent()
	for _, p := range problems {
		p.Where = strings.TrimPrefix(p.Where, "passport.")
	}
	if d.Contact != nil {
		for _, p := range d.Contact.Validate() {
			p.Where = "contact." + p.Where
			problems = append(problems, p)
		}
	}
	return problems
}

// head reads what a package and a passport file both say of a dataset. Only
// what is there is set, so that a passport file read later wins.
func (f *fields) head(d *Draft) {
	r := &d.Release
	set(&r.Title, f.prose("title"))
	set(&r.Description, f.prose("description"))
	if s := f.word("homepage"); s != "" {
		r.Homepage = s
	}
	if s := f.word("version"); s != "" {
		r.Version = s
	}
	if list := f.words("keywords"); list != nil {
		r.Keywords = list
	}
	if list := f.licenses(); list != nil {
		r.Licenses = list
	}
	if list := f.sources(); list != nil {
		r.Sources = list
	}
}

func set(t *portal.Text, u portal.Text) {
	if !u.IsZero() {
		*t = u
	}
}

// themes reads the themes and the reason, which a descriptor keeps in its
// koprik block and a passport file among the rest.
func (f *fields) themes(d *Draft) {
	set(&d.Release.Reason, f.prose("reason"))
	var themes []portal.ThemeID
	for _, s := range f.words("themes") {
		themes = append(themes, portal.ThemeID(strings.ToLower(s)))
	}
	if themes != nil {
		d.Release.Themes = themes
	}
}

// datasetName reads the dataset's part of its id; a whole id gives its part.
func (f *fields) datasetName(key string) string {
	s := f.word(key)
	if s == "" {
		return ""
	}
	if _, name, ok := strings.Cut(s, "_"); ok {
		s = name
	}
	if _, err := portal.NewDatasetID("x", s); err != nil {
		f.add(f.at+key, "%v", err)
		return ""
	}
	return s
}

// passport reads who answers and how the data was made.
func (f *fields) passport(d *Draft) {
	p := portal.Passport{
		Uploaded:       f.day("uploaded"),
		FirstPublished: f.day("first_published"),
		LastChanged:    f.day("last_changed"),
		NextDue:        f.day("next_due"),
		Unit:           f.prose("unit"),
		Indicator:      f.word("indicator"),
		Classifiers:    f.proses("classifiers"),
		Method:         f.prose("method"),
		MethodURL:      f.prose("method_url"),
		PrimarySource:  f.prose("primary_source"),
		CompiledBy:     f.prose("compiled_by"),
		Quality:        f.prose("quality"),
		Notes:          f.proses("notes"),
	}
	if s := f.word("periodicity"); s != "" {
		period, err := ParsePeriodicity(s)
		if err != nil {
			f.add(f.at+"periodicity", "%v", err)
		}
		p.Periodicity = period
	}
	if s := f.word("by_sex"); s != "" {
		yes, ok := parseYes(s)
		if !ok {
			f.add(f.at+"by_sex", "%.40q: must be yes or no", s)
		}
		p.BySex = &yes
	}
	p.Contact, d.Contact = f.contact("contact")
	d.Release.Passport, d.HasPassport = p, true
}

// contact reads the id of who answers, or all about them.
func (f *fields) contact(key string) (portal.ContactID, *portal.Contact) {
	v, ok := f.get(key)
	if !ok {
		return "", nil
	}
	if v.kind != object {
		id, err := portal.ParseContactID(f.word(key))
		if err != nil {
			f.add(f.at+key, "%.60q: must be the id of a contact of the publisher, or the contact's post, name and email", v.str)
		}
		return id, nil
	}
	in := f.fields(f.at+key+".", v)
	c := portal.Contact{
		Post:  in.prose("post"),
		Unit:  in.prose("unit"),
		Name:  in.prose("name"),
		Email: in.word("email"),
		Phone: in.word("phone"),
		Since: in.day("since"),
	}
	given := in.word("id")
	in.unknown()
	if given != "" {
		id, err := portal.ParseContactID(given)
		if err != nil {
			in.add(in.at+"id", "%.60q: must be 1 to %d of a-z, 0-9 and the hyphen", given, portal.MaxPublisherID)
		}
		c.ID = id
	} else {
		c.ID = ContactID(c)
	}
	if len(v.keys) == 1 && given != "" {
		return c.ID, nil
	}
	return c.ID, &c
}

// ContactID makes the id of a contact that was given without one: what stands
// before the @ of its e-mail and eight digits of the SHA-256 of its post and
// e-mail. The same post with the same mailbox has the same id in every passport.
func ContactID(c portal.Contact) portal.ContactID {
	local, _, _ := strings.Cut(c.Email, "@")
	sum := sha256.Sum256([]byte(c.Post.Plain + "\x00" + strings.ToLower(c.Email)))
	tail := hex.EncodeToString(sum[:4])
	name := lang.Slug(local)
	name = strings.TrimRight(name[:min(len(name), portal.MaxPublisherID-len(tail)-1)], "-")
	if name == "" {
		name = "contact"
	}
	return portal.ContactID(name + "-" + tail)
}
