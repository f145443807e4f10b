package datapackage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"koprik/portal"
	"koprik/portal/datapackage"
)

const doctors = `
dataset: doctors-by-region
title:
  uz: Shifokorlar soni
  uz-cyrl: Шифокорлар сони
  ru: Численность врачей
  en: Doctors by region
keywords: shifokor, врач
themes: [health]
license: CC-BY-4.0
contact:
  post: {uz: Boshqarma boshligʻi, ru: Начальник управления, en: Head of department}
  unit: Sogʻliqni saqlash statistikasi boshqarmasi
  email: health@example.uz
  phone: +998 71 000 00 00
  since: 1 sentabr 2025
uploaded: 31.01.2026
last_changed: 30 января 2026 г.
next_due: 2027-yil 31-yanvar
periodicity: ежегодно
unit: {uz: kishi, ru: человек, en: persons}
notes: 2025 is preliminary
by_sex: ha
indicator: 1.10
`

func TestAPassportIsReadAsItIsWritten(t *testing.T) {
	d, err := datapackage.ParsePassport([]byte(doctors), "a.passport.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, p, c := d.Release, d.Release.Passport, d.Contact
	if d.Name != "doctors-by-region" || r.Title.Plain != "Shifokorlar soni" || len(r.Title.Translated) != 4 || len(r.Keywords) != 2 || r.Licenses[0].Name != "CC-BY-4.0" || r.Themes[0] != "health" {
		t.Errorf("release %+v", r)
	}
	if p.Uploaded != "2026-01-31" || p.LastChanged != "2026-01-30" || p.NextDue != "2027-01-31" || p.Periodicity != portal.Annual || !*p.BySex || p.Indicator != "1.10" || p.Notes[0].Plain != "2025 is preliminary" {
		t.Errorf("passport %+v", p)
	}
	if c == nil || c.Post.Translated[portal.Russian] != "Начальник управления" || c.Since != "2025-09-01" || c.Phone != "+998 71 000 00 00" || !strings.HasPrefix(string(c.ID), "health-") || c.ID != p.Contact {
		t.Errorf("contact %+v", c)
	}
	if problems := p.Validate(*c, true); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestAPassportSaysWhatIsWrongAndWhatWasMeant(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"a typo":              {"uplaoded: 2026-01-31", `p.yaml: uplaoded: is not known; did you mean "uploaded"?`},
		"another case":        {"Contact: a", `Contact: is not known; did you mean "contact"?`},
		"another word":        {"colour: red", "colour: is not known"},
		"in the contact":      {"contact: {post: a, e-mail: a@b.uz}", `contact.e-mail: is not known; did you mean "email"?`},
		"no e-mail":           {"contact: {post: Head}", "contact.email: is missing"},
		"an odd e-mail":       {"contact: {post: Head, email: a at b}", "contact.email"},
		"no post":             {"contact: {email: a@b.uz}", "contact.post: is missing"},
		"an e-mail for an id": {"contact: a@b.uz", "must be the id of a contact"},
		"an odd id":           {"contact: {id: A B, post: a, email: a@b.uz}", "contact.id"},
		"no day":              {"uploaded: soon", "uploaded: \"soon\" is no day"},
		"a day in slashes":    {"uploaded: 01/02/2026", "is no day"},
		"no periodicity":      {"periodicity: sometimes", "must be one of daily, weekly"},
		"no yes":              {"by_sex: maybe", "must be yes or no"},
		"an unknown language": {"title: {fr: Eau}", "title.fr: is no language"},
		"a list for a text":   {"title: [a]", "title: is a list"},
		"an unknown theme":    {"themes: [weather]", "themes[0]"},
		"an odd dataset":      {"dataset: Big Table", "dataset"},
		"a list":              {"- a", "is a list"},
		"a tab":               {"a:\n\tb: c", "line"},
		"not UTF-8":           {"title: \xff", "UTF-8"},
		"too long":            {strings.Repeat("#", datapackage.MaxPassport+1), "at most"},
		"too long a unit":     {"unit: " + strings.Repeat("x", 2001), "p.yaml: unit: 2001 characters"},
		"an unknown note":     {"notes: [{text: a, txt: b}]", "notes[0].txt"},
	} {
		_, err := datapackage.ParsePassport([]byte(c.in), "p.yaml")
		if !errors.Is(err, portal.ErrRejected) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if d, err := datapackage.ParsePassport(nil, "p.yaml"); err != nil || d.Contact != nil {
		t.Errorf("an empty passport: %+v, %v", d, err)
	}
}

func TestNumbersInAPassportKeepTheirSpelling(t *testing.T) {
	d, err := datapackage.ParsePassport([]byte("indicator: 0012\nversion: 1.10\ncontact: {id: 00, post: 1e3, email: a@b.uz, phone: +998710000000}\nkeywords: [007, 0x1F]\n"), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{d.Release.Passport.Indicator, d.Release.Version, string(d.Contact.ID), d.Contact.Post.Plain, d.Contact.Phone, d.Release.Keywords[0], d.Release.Keywords[1]}
	if diff := cmp.Diff([]string{"0012", "1.10", "00", "1e3", "+998710000000", "007", "0x1F"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDaysAndPeriodsAreUnderstoodInTheLanguagesOfOffices(t *testing.T) {
	for in, want := range map[string]portal.Date{
		"2026-01-31": "2026-01-31", "2026-01-31T23:00:00+05:00": "2026-01-31", "31.01.2026": "2026-01-31", "1.2.2026": "2026-02-01",
		"31 January 2026": "2026-01-31", "January 31, 2026": "2026-01-31", "5 мая 2026 года": "2026-05-05", "31 марта 2026 г.": "2026-03-31",
		"2026-yil 9-iyun": "2026-06-09", "9 июля 2026": "2026-07-09", "2026 йил 1 октябрь": "2026-10-01", "12-dekabr, 2025-yil": "2025-12-12",
		"30 февраля 2026": "", "13.13.2026": "", "2026": "", "": "", "31 2026": "", "1 2 2026": "", "may may 2026": "", strings.Repeat("1 ", 60): "",
	} {
		got, err := datapackage.ParseDay(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]portal.Periodicity{
		"annual": portal.Annual, "Yillik": portal.Annual, "йиллик": portal.Annual, "ежегодный": portal.Annual, "har yili": portal.Annual,
		"oylik": portal.Monthly, "ойлик": portal.Monthly, "ежемесячно": portal.Monthly, "har oy": portal.Monthly,
		"choraklik": portal.Quarterly, "чораклик": portal.Quarterly, "ежеквартально": portal.Quarterly, "Har chorakda": portal.Quarterly,
		"kunlik": portal.Daily, "haftalik": portal.Weekly, "yarim yillik": portal.Semiannual, "semi-annual": portal.Semiannual, "zaruratga koʻra": portal.Irregular, "разово": portal.Never,
	} {
		if got, err := datapackage.ParsePeriodicity(in); got != want || err != nil {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "sometimes", "йил"} {
		if got, err := datapackage.ParsePeriodicity(in); err == nil {
			t.Errorf("%q: got %q", in, got)
		}
	}
}

func TestAContactWithoutAnIDAlwaysGetsTheSameOne(t *testing.T) {
	a := portal.Contact{Post: portal.PlainText("Head"), Email: "Health.Stat@example.uz"}
	b := a
	b.Phone, b.Email = "1", "health.stat@EXAMPLE.uz"
	if datapackage.ContactID(a) != datapackage.ContactID(b) {
		t.Error("a phone or capital letters change the id")
	}
	b.Post = portal.PlainText("Deputy")
	if datapackage.ContactID(a) == datapackage.ContactID(b) {
		t.Error("two posts have one id")
	}
	for _, mail := range []string{"", "+@example.uz", strings.Repeat("long-name.", 6) + "x@example.uz"} {
		if _, err := portal.ParseContactID(string(datapackage.ContactID(portal.Contact{Email: mail}))); err != nil {
			t.Error(err)
		}
	}
}

func TestWritePassportIsReadBackEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := datapackage.Draft{Name: aName(t, 59), HasPassport: true}
		r := aRelease(t)
		want.Release = portal.Release{
			Title: r.Title, Description: r.Description, Reason: r.Reason, Keywords: r.Keywords, Themes: r.Themes, Licenses: r.Licenses,
			Sources: r.Sources, Homepage: r.Homepage, Version: r.Version, Passport: r.Passport,
		}
		want.Release.Passport.FromPublisher = false
		if rapid.Bool().Draw(t, "inline") {
			c := aContact(t)
			c.Until = ""
			if rapid.Bool().Draw(t, "derived") {
				c.ID = datapackage.ContactID(c)
			}
			want.Contact, want.Release.Passport.Contact = &c, c.ID
		}
		file := datapackage.WritePassport(want)
		got, err := datapackage.ParsePassport(file, "p.yaml")
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("-want +got\n%s\n%s", d, file)
		}
	})
}

func TestAnEmptyPassportIsAFormToFillIn(t *testing.T) {
	form := datapackage.WritePassport(datapackage.Draft{})
	if _, err := datapackage.ParsePassport(form, "p.yaml"); err != nil {
		t.Error(err)
	}
	for _, line := range strings.Split(string(form), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("a line that says something: %q", line)
		}
	}
	for _, key := range []string{"dataset:", "title:", "email:", "uploaded:", "periodicity:", "by_sex:"} {
		if !strings.Contains(string(form), key) {
			t.Errorf("the form does not ask for %s", key)
		}
	}
}
