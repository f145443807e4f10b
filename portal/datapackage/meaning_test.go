package datapackage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
	"koprik/portal/datapackage"
)

func meant(m portal.Meaning) portal.Release {
	r := water()
	s := *r.Resources[0].Schema
	s.Fields = append([]portal.Field(nil), s.Fields...)
	s.Fields[0].Meaning = m
	r.Resources = append([]portal.Resource(nil), r.Resources...)
	r.Resources[0].Schema = &s
	return r
}

func TestWhatAColumnMeansTravelsInTheManifest(t *testing.T) {
	for name, m := range map[string]portal.Meaning{
		"guessed": {Role: portal.RoleMeasure, Unit: "ming kishi", Scale: 1000, Additive: true, Of: "aholi", Sex: portal.SexFemale, Period: "2025", Age: "0-14", Confidence: 70},
		"stated":  {Role: portal.RoleRegion, Kind: portal.KindName, Lang: portal.Russian, SameAs: "region_uz", Totals: []string{"Республика"}, Confidence: 100},
		"none":    {Role: portal.RoleCategory, Totals: []string{}, Confidence: 100},
		"later":   {Role: "mood", Kind: "of a later version", Confidence: 100},
	} {
		b, err := datapackage.Encode(meant(m))
		if err != nil {
			t.Fatal(name, err)
		}
		r, err := datapackage.Decode(b)
		if err != nil {
			t.Fatal(name, err)
		}
		if d := cmp.Diff(m, r.Resources[0].Schema.Fields[0].Meaning); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if _, err := datapackage.Encode(meant(portal.Meaning{Unit: "%"})); !errors.Is(err, portal.ErrRejected) {
		t.Errorf("a meaning without a role was written: %v", err)
	}
}

func TestAPublisherCorrectsWhatAColumnMeans(t *testing.T) {
	pkg := func(block string) string {
		return `{"name": "a", "title": "A", "resources": [{"name": "t", "path": "t.csv", "schema": {"fields": [{"name": "x", "koprik": ` + block + `}]}}]}`
	}
	d := load(t, files("datapackage.json", pkg(`{"role": "category", "totals": []}`), "t.csv", "x\n1\n"), ".")
	want := portal.Meaning{Role: portal.RoleCategory, Totals: []string{}, Confidence: 100}
	if diff := cmp.Diff(want, d.Release.Resources[0].Schema.Fields[0].Meaning); diff != "" {
		t.Error(diff)
	}
	for block, says := range map[string]string{
		`{"role": "kategory"}`:                "must be one of time, region",
		`{"role": "sex", "sex": "m"}`:         "must be one of female, male, both",
		`{"role": "time", "kind": "century"}`: "must be one of date",
		`{"unit": "%"}`:                       "role: is missing",
		`"region"`:                            "must be a set",
	} {
		_, err := datapackage.Load(files("datapackage.json", pkg(block), "t.csv", "x\n1\n"), ".")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", block, err, says)
		}
	}
}

func TestABetterGuessMakesNoRelease(t *testing.T) {
	guess := portal.Meaning{Role: portal.RoleMeasure, Confidence: 60}
	better := portal.Meaning{Role: portal.RoleCategory, Confidence: 90}
	said := portal.Meaning{Role: portal.RoleCategory, Confidence: 100}
	if !datapackage.SameContent(water(), meant(guess)) || !datapackage.SameContent(meant(guess), meant(better)) {
		t.Error("a guess counts as content")
	}
	if datapackage.SameContent(meant(guess), meant(said)) {
		t.Error("what the publisher says does not count")
	}
}

func TestASketchIsAPackageToCorrect(t *testing.T) {
	r := meant(portal.Meaning{Role: portal.RoleMeasure, Unit: "%", Confidence: 55}).Resources[0]
	guessed := &portal.TableSchema{Fields: []portal.Field{{Name: "x", Meaning: portal.Meaning{Role: portal.RoleID, Confidence: 60}}}}
	r.Sheets = []portal.Sheet{{Name: "one"}, {Name: "two", Schema: guessed}}
	b, err := datapackage.Sketch("water", portal.PlainText("Water"), []portal.Resource{r})
	if err != nil {
		t.Fatal(err)
	}
	d := load(t, files("datapackage.json", string(b), r.Path, "x\n1\n"), ".")
	got := d.Release.Resources[0].Schema.Fields[0].Meaning
	if d.Name != "water" || got.Role != portal.RoleMeasure || got.Unit != "%" || got.Confidence != 100 {
		t.Error(d.Name, got)
	}
	if s := d.Release.Resources[0].Sheets; len(s) != 2 || !cmp.Equal(s[1].Schema.Fields[0].Meaning, portal.Meaning{Role: portal.RoleID, Confidence: 100}) {
		t.Errorf("sheets %+v", s)
	}
}
