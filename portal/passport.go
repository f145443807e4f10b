package portal

import "time"

// Date is a day without a time zone, "2006-01-02". The zero Date is no date.
type Date string

// ParseDate accepts exactly yyyy-mm-dd of a day that exists.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", Rejected("", "date %q: must be a day written as 2026-01-31", s)
	}
	return Date(s), nil
}

// Zone is where days begin, for whatever is dated, counted or shown: Tashkent,
// which knows no summer time.
var Zone = time.FixedZone("UTC+5", 5*60*60)

// DateOf is the day of t in Zone.
func DateOf(t time.Time) Date { return Date(t.In(Zone).Format(time.DateOnly)) }

// Time is the day's first moment in UTC; the zero Date gives the zero Time.
func (d Date) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Periodicity says how often a dataset is renewed.
type Periodicity string

// The periodicities, by the names of the EU frequency vocabulary in lower case.
const (
	Daily      Periodicity = "daily"
	Weekly     Periodicity = "weekly"
	Monthly    Periodicity = "monthly"
	Quarterly  Periodicity = "quarterly"
	Semiannual Periodicity = "semiannual"
	Annual     Periodicity = "annual"
	Irregular  Periodicity = "irregular"
	Never      Periodicity = "never"
)

// Periodicities are all of them, the most frequent first.
var Periodicities = []Periodicity{Daily, Weekly, Monthly, Quarterly, Semiannual, Annual, Irregular, Never}

// Passport says who answers for the data and how it was made (DESIGN.md,
// "Words"). It is a superset of what the statistics office publishes with each
// indicator. Uploaded and a contact with a post or a name and an e-mail are
// mandatory; the contact itself stands in the publisher's ContactRecord, under
// the id that Contact names, so that a person's name can be removed later
// without touching a signed release.
type Passport struct {
	Contact        ContactID // who answers; an id of the publisher's contact record
	FromPublisher  bool      // no passport came with the data: the publisher's default contact answers
	Uploaded       Date      // mandatory
	FirstPublished Date
	LastChanged    Date
	NextDue        Date
	Periodicity    Periodicity
	Unit           Text // unit of measurement
	Indicator      string
	Classifiers    []Text
	Method         Text   // how it is calculated, in short
	MethodURL      Text   // where the whole method stands; may differ by language
	PrimarySource  Text   // reports, surveys, administrative data
	CompiledBy     Text   // the organisation that calculated it, where it is not the publisher
	Quality        Text   // how the figures were checked
	Notes          []Text // preliminary years, breaks, discrepancies in the source
	BySex          *bool  // whether the data is split by sex; nil is not said
}

// ContactID names a contact within one publisher: 1 to 40 of [a-z0-9-].
type ContactID string

// ParseContactID accepts exactly the spelling that comes out.
func ParseContactID(s string) (ContactID, error) {
	if err := checkSlug(s, MaxPublisherID); err != nil {
		return "", Rejected("contact", "id %q: %v", s, err)
	}
	return ContactID(s), nil
}

// Contact is a post that answers for data, and the person in it where the
// office publishes names. It is DCAT's contactPoint.
type Contact struct {
	ID    ContactID
	Post  Text   // "Head of the department of price statistics"
	Unit  Text   // department
	Name  Text   // only where the office publishes it
	Email string // functional mailbox; mandatory
	Phone string
	Since Date // in this post since
	Until Date // the contact answered until then; zero while it answers
}

// Publisher is an organisation that answers for datasets, with its own signed
// contact record: who its contacts are now and were before.
type Publisher struct {
	ID          PublisherID
	Version     int // of the record, from 1; a newer one replaces it
	Issued      time.Time
	Title       Text
	Description Text
	Homepage    string
	Default     ContactID // answers for data that came without a passport; may be ""
	Contacts    []Contact
}

// Contact finds a contact by its id; ok is false when the record has none.
func (p Publisher) Contact(id ContactID) (c Contact, ok bool) {
	for _, c := range p.Contacts {
		if c.ID == id && id != "" {
			return c, true
		}
	}
	return Contact{}, false
}
