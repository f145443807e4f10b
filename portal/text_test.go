package portal_test

import (
	"slices"
	"testing"
	"time"

	"koprik/portal"
)

func TestATextIsReadInTheNearestLanguageThereIs(t *testing.T) {
	full := portal.Text{Plain: "suv", Translated: map[portal.Lang]string{"uz": "suv", "ru": "вода", "en": "water"}}
	foreign := portal.Text{Plain: "eau", Translated: map[portal.Lang]string{"en": "water"}}
	for _, c := range []struct {
		text   portal.Text
		reader portal.Lang
		want   string
		lang   portal.Lang
	}{
		{full, portal.Uzbek, "suv", "uz"},
		{full, portal.UzbekCyrillic, "suv", "uz"},
		{full, portal.Karakalpak, "suv", "uz"},
		{full, portal.Russian, "вода", "ru"},
		{full, portal.English, "water", "en"},
		{foreign, portal.English, "water", "en"},
		{foreign, portal.Uzbek, "eau", ""},
		{portal.PlainText("x"), portal.Russian, "x", ""},
		{portal.Text{Translated: map[portal.Lang]string{"kaa": "suw"}}, portal.English, "suw", "kaa"},
		{portal.Text{Translated: map[portal.Lang]string{"fr": "eau"}}, portal.English, "eau", "fr"},
		{portal.Text{}, portal.English, "", ""},
	} {
		if got, lang := c.text.In(c.reader); got != c.want || lang != c.lang {
			t.Errorf("%+v for %s: %q in %q, want %q in %q", c.text, c.reader, got, lang, c.want, c.lang)
		}
	}
	if got := full.All(); !slices.Equal(got, []string{"suv", "water", "вода"}) {
		t.Errorf("all wordings: %q", got)
	}
	if full.Equal(foreign) || !full.Equal(full) || full.IsZero() || !(portal.Text{}).IsZero() {
		t.Error("texts compare wrongly")
	}
}

func TestLanguagesAreReadAsAddressesAndTagsSpellThem(t *testing.T) {
	for _, l := range portal.Langs {
		for _, s := range []string{string(l), l.Path()} {
			if got, err := portal.ParseLang(s); got != l || err != nil {
				t.Errorf("%s: %v, %v", s, got, err)
			}
		}
	}
	for _, bad := range []string{"", "fr", "uz-latn", "ru-RU"} {
		if got, err := portal.ParseLang(bad); err == nil {
			t.Errorf("%q is read as %q", bad, got)
		}
	}
}

func TestACopyIsGradedByItsSignedTimeAndNeverBetterThanItIs(t *testing.T) {
	signed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := portal.CopyState{AsOf: signed, Expires: signed.Add(7 * 24 * time.Hour)}
	for _, c := range []struct {
		state portal.CopyState
		age   time.Duration
		old   time.Duration
		want  portal.Freshness
	}{
		{s, time.Hour, 0, portal.Fresh},
		{s, 7 * 24 * time.Hour, 0, portal.Stale},
		{s, 365 * 24 * time.Hour, 0, portal.Stale},
		{s, 366 * 24 * time.Hour, 0, portal.Old},
		{s, 2 * time.Hour, time.Hour, portal.Old},
		{portal.CopyState{AsOf: signed, Expires: s.Expires, Media: true}, time.Hour, 0, portal.Stale},
		{portal.CopyState{}, 0, 0, portal.Old},
	} {
		if got := c.state.Grade(signed.Add(c.age), c.old); got != c.want {
			t.Errorf("%+v after %v: %s, want %s", c.state, c.age, got, c.want)
		}
	}
}

func TestADatasetFindsItsContactAndItsFiles(t *testing.T) {
	d := portal.Dataset{
		Latest:    portal.Release{Passport: portal.Passport{Contact: "lab"}, Resources: []portal.Resource{{Name: "a"}}},
		Publisher: portal.Publisher{Contacts: []portal.Contact{{Email: "nobody@example.uz"}, lab()}},
	}
	if c, ok := d.Contact(); !ok || c.Email != "lab@example.uz" {
		t.Errorf("%+v, %v", c, ok)
	}
	if _, ok := d.Publisher.Contact(""); ok {
		t.Error("no id names a contact")
	}
	if _, ok := d.Resource("a"); !ok {
		t.Error("a resource is not found")
	}
	if _, ok := d.Resource("b"); ok {
		t.Error("a resource is found that there is not")
	}
}
