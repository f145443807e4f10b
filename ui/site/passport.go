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
	List   bool // the values are sentences: each stands by itself
}

// Value is a text that may lead somewhere outside the page.
type Value struct {
	Shown
	Href string       // http, https or mailto only
	Tel  template.URL // a telephone number to call
	Code bool         // to be compared letter by letter
	QR   *QR          // on a kiosk, of an address that may not be followed there
	// Address is shown behind a text that is no link here.
	Address string
	Warn    string // a word of warning behind it
}

// passportCard is who answers for a dataset, and how it was made; the struct of
// the template of that name.
type passportCard struct {
	Who       string
	Note      string // why the publisher answers
	Amber     string // letters do not reach the office; "" they do
	Contact   []Row  // empty where no office is named
	NoContact string
	Release   string
	Rows      []Row
	Meter     meter
	// Making is how the figures were made, which takes more room than a card
	// beside the page has.
	Making []Row
}

// meter says how much of what a passport can say is said, and what is not.
type meter struct {
	Title, Said, Missing string
	Of, Width            int
	Bars                 []meterBar
}

// meterBar is one item of a meter.
type meterBar struct {
	X  int
	On bool
}

// passportItems is how many optional items a passport has.
var passportItems = len(portal.Passport{}.Missing())

// meter names what the passport lacks, in words (spec/experience.md, page 3).
func (v *visit) meter(p portal.Passport) meter {
	missing := p.Missing()
	have := passportItems - len(missing)
	m := meter{
		Title: v.T("passport.complete"), Said: v.T("passport.meter", "have", have, "all", passportItems),
		Missing: v.T("passport.full"), Of: passportItems, Width: passportItems*meterStep - 1,
	}
	if len(missing) > 0 {
		names := make([]string, len(missing))
		for i, key := range missing {
			names[i] = v.MissingItem(key)
		}
		m.Missing = v.T("passport.missing", "items", v.List(names))
	}
	for i := range passportItems {
		m.Bars = append(m.Bars, meterBar{X: i * meterStep, On: i < have})
	}
	return m
}

// meterStep is the width of one item with its gap, in the units of the drawing.
const meterStep = 10

// rows are the lines of a card.
type rows []Row

// add puts a line on a card, if it has something to say.
func (v *visit) add(rs *rows, label string, values ...Value) {
	kept := values[:0:0]
	for _, val := range values {
		if val.Text != "" {
			kept = append(kept, v.kioskValue(val))
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
	v.add(&rs, v.T("passport.post"), v.shown(c.Post))
	v.add(&rs, v.T("passport.unit"), v.shown(c.Unit))
	v.add(&rs, v.T("passport.name"), v.shown(c.Name))
	v.add(&rs, v.T("passport.email"), Value{Shown: Shown{Text: c.Email}, Href: mail(c.Email)})
	v.add(&rs, v.T("passport.phone"), Value{Shown: Shown{Text: c.Phone}, Tel: phone(c.Phone)})
	v.add(&rs, v.T("passport.since"), plain(v.Day(c.Since)))
	return rs
}

func (v *visit) passport(d portal.Dataset) passportCard {
	p := d.Latest.Passport
	card := passportCard{
		Who: v.T("passport.who"), NoContact: v.T("passport.nocontact"), Release: v.T("dataset.release", "n", d.Latest.Number), Meter: v.meter(p),
	}
	if p.FromPublisher {
		card.Note = v.T("passport.frompublisher")
	}
	if c, ok := d.Contact(); ok {
		card.Contact = v.contactRows(c)
	}
	if said, err := portal.NoticesOf(v.ctx, v.view); err != nil {
		v.site.log.WarnContext(v.ctx, "passport", "dataset", d.ID, "err", err)
	} else if since := said.AmberSince(d.Publisher.ID, p.Contact); since != "" {
		card.Amber = v.T("passport.amber", "date", v.Day(since))
	}
	var rs rows
	publisher := v.publisherLink(d.Publisher)
	v.add(&rs, v.T("passport.publisher"), Value{Shown: publisher.Shown, Href: publisher.Href})
	v.addDates(&rs, d.Latest)
	v.addUnit(&rs, p)
	v.addTerms(&rs, d.Latest)
	v.add(&rs, v.T("passport.release"), plain(v.T("passport.releaseof", "n", d.Latest.Number, "date", v.day(d.Latest.Issued))))
	v.add(&rs, v.T("passport.version"), plain(d.Latest.Version))
	v.add(&rs, v.T("passport.fingerprint"), Value{Shown: Shown{Text: d.Manifest.Short()}, Code: true},
		Value{Shown: Shown{Text: v.T("verify.title")}, Href: v.verifyURL(d)})
	v.add(&rs, v.T("passport.signed"), v.signedBy(d.Publisher, d.Signers)...)
	card.Rows, card.Making = rs, v.making(d.Latest)
	return card
}

// signedBy names who signed, and with which keys; nobody where no signature holds.
func (v *visit) signedBy(p portal.Publisher, keys []string) []Value {
	if len(keys) == 0 {
		return nil
	}
	values := []Value{{Shown: v.publisherName(p)}}
	for _, id := range keys {
		values = append(values, Value{Shown: Shown{Text: shortKey(id)}, Code: true})
	}
	return values
}

// shortKey is the beginning of a key id, as long as a short fingerprint.
func shortKey(id string) string { return id[:min(len(id), 16)] }

func (v *visit) addDates(rs *rows, r portal.Release) {
	p := r.Passport
	v.add(rs, v.T("passport.uploaded"), plain(v.Day(p.Uploaded)))
	v.add(rs, v.T("passport.firstpublished"), plain(v.Day(p.FirstPublished)))
	v.add(rs, v.T("passport.lastchanged"), plain(v.Day(p.LastChanged)))
	due := plain(v.Day(p.NextDue))
	if p.NextDue != "" && p.NextDue < v.today() && r.Withdrawn == nil {
		due.Warn = v.T("passport.overdue")
	}
	v.add(rs, v.T("passport.nextdue"), due)
	if p.Periodicity != "" {
		v.add(rs, v.T("passport.periodicity"), plain(v.Periodicity(p.Periodicity)))
	}
}

func (v *visit) addUnit(rs *rows, p portal.Passport) {
	v.add(rs, v.T("passport.measure"), v.shown(p.Unit))
	if p.BySex != nil {
		said := v.T("passport.no")
		if *p.BySex {
			said = v.T("passport.yes")
		}
		v.add(rs, v.T("passport.bysex"), plain(said))
	}
	v.add(rs, v.T("passport.indicator"), plain(p.Indicator))
}

func (v *visit) making(r portal.Release) []Row {
	var rs rows
	p := r.Passport
	v.add(&rs, v.T("passport.method"), v.shown(p.Method))
	method, _ := p.MethodURL.In(v.lang)
	v.add(&rs, v.T("passport.methodlink"), outside(method, method))
	v.add(&rs, v.T("passport.primary"), v.shown(p.PrimarySource))
	v.add(&rs, v.T("passport.compiled"), v.shown(p.CompiledBy))
	v.add(&rs, v.T("passport.quality"), v.shown(p.Quality))
	v.addAll(&rs, v.T("passport.notes"), p.Notes)
	v.addAll(&rs, v.T("passport.classifiers"), p.Classifiers)
	v.addSources(&rs, r)
	return rs
}

// addAll puts several texts on a card, each by itself.
func (v *visit) addAll(rs *rows, label string, texts []portal.Text) {
	values := make([]Value, len(texts))
	for i, t := range texts {
		values[i] = v.shown(t)
	}
	v.addList(rs, label, values)
}

func (v *visit) addList(rs *rows, label string, values []Value) {
	before := len(*rs)
	v.add(rs, label, values...)
	if len(*rs) > before && len((*rs)[before].Values) > 1 {
		(*rs)[before].List = true
	}
}

func (v *visit) addTerms(rs *rows, r portal.Release) {
	licenses := make([]Value, len(r.Licenses))
	for i, l := range r.Licenses {
		name := l.Title
		if name == "" {
			name = portal.LicenseLabel(l.Name)
		}
		licenses[i] = outside(name, l.Path)
	}
	v.add(rs, v.T("passport.license"), licenses...)
	v.add(rs, v.T("passport.homepage"), outside(r.Homepage, r.Homepage))
}

func (v *visit) addSources(rs *rows, r portal.Release) {
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
	v.addList(rs, v.T("passport.sources"), sources)
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
