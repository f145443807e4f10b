package datapackage

import (
	"strings"
	"time"

	"koprik/portal"
)

// EncodePublisher writes a publisher's record (docs/reference/publisher-record.md)
// under the same rules as Encode, at most MaxPublisher bytes.
func EncodePublisher(p portal.Publisher) ([]byte, error) {
	if err := p.Validate().Under("publisher record").Err(); err != nil {
		return nil, err
	}
	var w writer
	w.open('{')
	w.stringField("publisher", string(p.ID))
	w.intField("version", int64(p.Version))
	w.stringField("issued", p.Issued.UTC().Format(time.RFC3339))
	w.textField("title", p.Title)
	w.textField("description", p.Description)
	w.stringField("homepage", p.Homepage)
	w.stringField("default", string(p.Default))
	w.key("contacts")
	w.open('[')
	for _, c := range p.Contacts {
		w.open('{')
		w.stringField("id", string(c.ID))
		w.textField("post", c.Post)
		w.textField("unit", c.Unit)
		w.textField("name", c.Name)
		w.stringField("email", c.Email)
		w.stringField("phone", c.Phone)
		w.stringField("since", string(c.Since))
		w.stringField("until", string(c.Until))
		w.close('}')
	}
	w.close(']')
	w.close('}')
	return sized(w.b, MaxPublisher, "publisher record")
}

// DecodePublisher reads a publisher's record as strictly as Decode reads a
// manifest. Unknown members are refused, but for those of the record itself
// that begin with "x-", which a later version may add.
func DecodePublisher(data []byte) (portal.Publisher, error) {
	const where = "publisher record"
	f, rep, err := document(data, MaxPublisher, where)
	if err != nil {
		return portal.Publisher{}, err
	}
	p := portal.Publisher{
		ID:          portal.PublisherID(f.string("publisher")),
		Version:     f.int("version"),
		Issued:      f.moment("issued"),
		Title:       f.text("title"),
		Description: f.text("description"),
		Homepage:    f.string("homepage"),
		Default:     portal.ContactID(f.string("default")),
	}
	for _, c := range f.objects("contacts") {
		p.Contacts = append(p.Contacts, portal.Contact{
			ID:    portal.ContactID(c.string("id")),
			Post:  c.text("post"),
			Unit:  c.text("unit"),
			Name:  c.text("name"),
			Email: c.string("email"),
			Phone: c.string("phone"),
			Since: c.date("since"),
			Until: c.date("until"),
		})
		c.unknown()
	}
	for _, k := range f.v.keys {
		if strings.HasPrefix(k, "x-") {
			f.seen[k] = true
		}
	}
	f.unknown()
	if len(rep.problems) == 0 {
		rep.problems = p.Validate()
	}
	if err := rep.problems.Under(where).Err(); err != nil {
		return portal.Publisher{}, err
	}
	return p, nil
}
