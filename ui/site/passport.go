package site

import (
	"html/template"
	"strings"

	"koprik/portal"
)

// Row is one line of a card: a label and what stands beside it.
type Row struct {
	Label  string
	Values []Value
}

// Value is a text that may lead somewhere outside the page.
type Value struct {
	Shown
	Href string       // http, https or mailto only
	Tel  template.URL // a telephone number to call
	Code bool         // to be compared letter by letter
	Warn string       // a word of warning behind it
}

// passportCard is who answers for a dataset, and how it was made.
type passportCard struct {
	FromPublisher bool
	Contact       []Row // empty where no office is named
	Rows          []Row
}

// rows collects the lines that have something to say.
type rows []Row

func (rs *rows) add(label string, values ...Value) {
	kept := values[:0:0]
	for _, v := range values {
		if v.Text != "" {
			kept = append(kept, v)
		}
	}
	if len(kept) > 0 {
		*rs = append(*rs, Row{Label: label, Values: kept})
	}
}

func plain(s string) Value { return Value{Shown: Shown{Text: s}} }

func (v *visit) shown(t portal.Text) Value { return Value{Shown: v.text(t)} }

// contactRows shows a contact. People's names are shown as the office wrote
// them: transliterated only with the mark.
func (v *visit) contactRows(c portal.Contact) []Row {
	var rs rows
	rs.add(v.T("passport.post"), v.shown(c.Post))
	rs.add(v.T("passport.unit"), v.shown(c.Unit))
	rs.add(v.T("passport.name"), v.shown(c.Name))
	rs.add(v.T("passport.email"), Value{Shown: Shown{Text: c.Email}, Href: mail(c.Email)})
	rs.add(v.T("passport.phone"), Value{Shown: Shown{Text: c.Phone}, Tel: phone(c.Phone)})
	rs.add(v.T("passport.since"), plain(v.Day(c.Since)))
	return rs
}

func (v *visit) passport(d portal.Dataset) passportCard {
	p := d.Latest.Passport
	card := passportCard{FromPublisher: p.FromPublisher}
	if c, ok := d.Contact(); ok {
		card.Contact = v.contactRows(c)
	}
	var rs rows
	publisher := v.publisherLink(d.Publisher)
	rs.add(v.T("passport.publisher"), Value{Shown: publisher.Shown, Href: publisher.Href})
	v.addDates(&rs, p)
	v.addMaking(&rs, p)
	v.addTerms(&rs, d.Latest)
	rs.add(v.T("passport.release"), plain(v.T("passport.releaseof", "n", d.Latest.Number, "date", v.day(d.Latest.Issued))))
	rs.add(v.T("passport.version"), plain(d.Latest.Version))
	rs.add(v.T("passport.fingerprint"), Value{Shown: Shown{Text: d.Manifest.Short()}, Code: true})
	keys := make([]Value, len(d.Signers))
	for i, id := range d.Signers {
		keys[i] = Value{Shown: Shown{Text: shortKey(id)}, Code: true}
	}
	rs.add(v.T("passport.signed"), keys...)
	card.Rows = rs
	return card
}

// shortKey is the beginning of a key id, as long as a short fingerprint.
func shortKey(id string) string { return id[:min(len(id), 16)] }

func (v *visit) addDates(rs *rows, p portal.Passport) {
	rs.add(v.T("passport.uploaded"), plain(v.Day(p.Uploaded)))
	rs.add(v.T("passport.firstpublished"), plain(v.Day(p.FirstPublished)))
	rs.add(v.T("passport.lastchanged"), plain(v.Day(p.LastChanged)))
	due := plain(v.Day(p.NextDue))
	if p.NextDue != "" && p.NextDue < v.today() {
		due.Warn = v.T("passport.overdue")
	}
	rs.add(v.T("passport.nextdue"), due)
	if p.Periodicity != "" {
		rs.add(v.T("passport.periodicity"), plain(v.Periodicity(p.Periodicity)))
	}
}

func (v *visit) addMaking(rs *rows, p portal.Passport) {
	rs.add(v.T("passport.measure"), v.shown(p.Unit))
	rs.add(v.T("passport.indicator"), plain(p.Indicator))
	classifiers := make([]Value, len(p.Classifiers))
	for i, c := range p.Classifiers {
		classifiers[i] = v.shown(c)
	}
	rs.add(v.T("passport.classifiers"), classifiers...)
	rs.add(v.T("passport.method"), v.shown(p.Method))
	method, _ := p.MethodURL.In(v.lang)
	rs.add(v.T("passport.methodlink"), outside(method, method))
	rs.add(v.T("passport.primary"), v.shown(p.PrimarySource))
	rs.add(v.T("passport.compiled"), v.shown(p.CompiledBy))
	rs.add(v.T("passport.quality"), v.shown(p.Quality))
	if p.BySex != nil {
		said := v.T("passport.no")
		if *p.BySex {
			said = v.T("passport.yes")
		}
		rs.add(v.T("passport.bysex"), plain(said))
	}
	notes := make([]Value, len(p.Notes))
	for i, n := range p.Notes {
		notes[i] = v.shown(n)
	}
	rs.add(v.T("passport.notes"), notes...)
}

func (v *visit) addTerms(rs *rows, r portal.Release) {
	licenses := make([]Value, len(r.Licenses))
	for i, l := range r.Licenses {
		name := l.Title
		if name == "" {
			name = l.Name
		}
		licenses[i] = outside(name, l.Path)
	}
	rs.add(v.T("passport.license"), licenses...)
	sources := make([]Value, len(r.Sources))
	for i, s := range r.Sources {
		name := s.Title
		if name == "" {
			name = s.Path
		}
		sources[i] = outside(name, s.Path)
		if sources[i].Href == "" && s.Path == "" {
			sources[i].Href = mail(s.Email)
		}
	}
	rs.add(v.T("passport.sources"), sources...)
	rs.add(v.T("passport.homepage"), outside(r.Homepage, r.Homepage))
}

// outside names an address on another site; one that is no web address is
// shown and leads nowhere.
func outside(name, address string) Value {
	name = strings.TrimSpace(name)
	if name == "" {
		name = strings.TrimSpace(address)
	}
	return Value{Shown: Shown{Text: clip(name, 200)}, Href: web(address)}
}
