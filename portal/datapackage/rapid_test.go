package datapackage_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// The drawing functions below make valid things in which texts have a plain
// wording and no white space around.

func aName(t *rapid.T, limit int) string {
	return rapid.StringMatching(fmt.Sprintf(`[a-z0-9]([a-z0-9-]{0,%d}[a-z0-9])?`, limit-2)).Filter(func(s string) bool {
		_, err := portal.NewDatasetID("x", s)
		return err == nil
	}).Draw(t, "name")
}

var words = rapid.SampledFrom([]string{
	"suv", "Вода", "oʻzbek", "gʻisht", "yes", "no", "null", "~", "1.10", "2026-01-01", "#x", "a: b", "'", "\"", "\\", "- x", "|", "\U0001F4A7", "ў", "{", "]", "&a", "*a", "!t", "%", "@", "`", "é", "a\u2028b",
})

func aLine(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(words, 1, 4).Draw(t, "words"), " ")
}

func aText(t *rapid.T, required bool, word func(*rapid.T) string) portal.Text {
	if !required && rapid.Bool().Draw(t, "none") {
		return portal.Text{}
	}
	text := portal.Text{Plain: word(t)}
	if rapid.Bool().Draw(t, "translated") {
		text.Translated = map[portal.Lang]string{}
		for _, l := range rapid.SliceOfNDistinct(rapid.SampledFrom(portal.Langs), 1, 5, rapid.ID).Draw(t, "langs") {
			text.Translated[l] = word(t)
		}
	}
	return text
}

func lines(t *rapid.T) string {
	return strings.Join([]string{aLine(t), aLine(t)}, rapid.SampledFrom([]string{" ", "\n", "\n\n"}).Draw(t, "break"))
}

func aURL(t *rapid.T) string { return "https://example.uz/" + aName(t, 20) + "?a=%20#b" }

func aDay(t *rapid.T) portal.Date {
	if rapid.Bool().Draw(t, "no day") {
		return ""
	}
	return portal.DateOf(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "day"), 0))
}

func listOf[T any](t *rapid.T, most int, one func(*rapid.T) T) []T {
	var all []T
	for range rapid.IntRange(0, most).Draw(t, "how many") {
		all = append(all, one(t))
	}
	return all
}

func aContact(t *rapid.T) portal.Contact {
	return portal.Contact{
		ID: portal.ContactID(aName(t, 40)), Post: aText(t, true, aLine), Unit: aText(t, false, aLine), Name: aText(t, false, aLine),
		Email: aName(t, 20) + "@example.uz", Phone: rapid.SampledFrom([]string{"", "+998 71 000", "1010"}).Draw(t, "phone"), Since: aDay(t),
	}
}

func aPassport(t *rapid.T) portal.Passport {
	p := portal.Passport{
		Contact: portal.ContactID(aName(t, 40)), FromPublisher: rapid.Bool().Draw(t, "from"), Uploaded: "2026-01-01",
		FirstPublished: aDay(t), LastChanged: aDay(t), NextDue: aDay(t),
		Periodicity: rapid.SampledFrom(append(portal.Periodicities, "")).Draw(t, "period"),
		Unit:        aText(t, false, lines), Indicator: rapid.SampledFrom([]string{"", "1.10"}).Draw(t, "code"), Method: aText(t, false, lines), MethodURL: aText(t, false, aURL),
		PrimarySource: aText(t, false, aLine), CompiledBy: aText(t, false, aLine), Quality: aText(t, false, lines),
	}
	p.Classifiers = listOf(t, 3, func(t *rapid.T) portal.Text { return aText(t, true, lines) })
	p.Notes = listOf(t, 3, func(t *rapid.T) portal.Text { return aText(t, true, lines) })
	if rapid.Bool().Draw(t, "split") {
		b := rapid.Bool().Draw(t, "by sex")
		p.BySex = &b
	}
	return p
}

func aField(t *rapid.T, name string) portal.Field {
	f := portal.Field{Name: name, Type: rapid.SampledFrom(append(portal.FieldTypes, "")).Draw(t, "type"), Title: aText(t, false, aLine), Description: aText(t, false, lines)}
	if rapid.Bool().Draw(t, "options") {
		f.Options = json.RawMessage(`{"decimalChar":",","groupChar":" ","trueValues":["ha","да"]}`)
	}
	if rapid.Bool().Draw(t, "constraints") {
		f.Constraints = json.RawMessage(`{"minimum":-1.50e3,"enum":["а\"",null,true,[{}]]}`)
	}
	return f
}

func aResource(t *rapid.T, name string) portal.Resource {
	r := portal.Resource{
		Name: name, Path: rapid.SampledFrom([]string{"", "data/", "A_b/c-d/"}).Draw(t, "folder") + name + ".x", Title: aText(t, false, aLine), Description: aText(t, false, lines),
		Format: rapid.SampledFrom([]string{"", "csv"}).Draw(t, "format"), MediaType: rapid.SampledFrom([]string{"", "text/csv"}).Draw(t, "media"),
		Bytes: rapid.Int64Range(0, 1<<53).Draw(t, "bytes"), Hash: portal.DigestOf([]byte(name)),
	}
	if rapid.Bool().Draw(t, "table") {
		r.Schema = aSchema(t)
		if rapid.IntRange(0, 3).Draw(t, "several tables") == 0 {
			r.Sheets = []portal.Sheet{
				{Name: "1", Dialect: rapid.SampledFrom([]json.RawMessage{nil, json.RawMessage(`{"headerRows":[2]}`)}).Draw(t, "dialect")},
				{Name: aLine(t) + "2", Encoding: rapid.SampledFrom([]string{"", "koi8-r"}).Draw(t, "encoding"), Schema: aSchema(t)},
			}
		}
	}
	return r
}

func aSchema(t *rapid.T) *portal.TableSchema {
	s := &portal.TableSchema{}
	for i := range rapid.IntRange(1, 4).Draw(t, "fields") {
		s.Fields = append(s.Fields, aField(t, fmt.Sprintf("%s %d", aLine(t), i)))
	}
	if rapid.Bool().Draw(t, "missing") {
		s.MissingValues = []string{"", aLine(t)}[:rapid.IntRange(0, 2).Draw(t, "values")]
	}
	if rapid.Bool().Draw(t, "key") {
		s.PrimaryKey = []string{s.Fields[0].Name}
	}
	return s
}

func aRelease(t *rapid.T) portal.Release {
	r := portal.Release{
		Dataset: portal.DatasetID(aName(t, 36) + "-p_" + aName(t, 59)), Number: rapid.IntRange(1, 3).Draw(t, "number"), Issued: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "issued"), 0).UTC(),
		Title: aText(t, true, aLine), Description: aText(t, false, lines), Reason: aText(t, false, lines), Passport: aPassport(t),
		Homepage: rapid.SampledFrom([]string{"", "https://example.uz/"}).Draw(t, "home"), Version: rapid.SampledFrom([]string{"", "1.10", "v 2"}).Draw(t, "version"),
	}
	if r.Number > 1 {
		r.Previous = &portal.PreviousRelease{Release: r.Number - 1, SHA256: portal.DigestOf(nil), Length: 5}
	}
	if n := rapid.IntRange(0, 3).Draw(t, "keywords"); n > 0 {
		r.Keywords = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"suv", "вода", "oʻ", "a b"}), n, n, rapid.ID).Draw(t, "words")
	}
	if n := rapid.IntRange(0, 3).Draw(t, "themes"); n > 0 {
		r.Themes = rapid.SliceOfNDistinct(rapid.SampledFrom(portal.Themes), n, n, rapid.ID).Draw(t, "which")
	}
	if rapid.Bool().Draw(t, "license") {
		r.Licenses = []portal.License{{Name: "CC-BY-4.0", Title: rapid.SampledFrom([]string{"", "By"}).Draw(t, "terms")}, {Path: aURL(t)}}[:rapid.IntRange(1, 2).Draw(t, "licenses")]
	}
	r.Sources = listOf(t, 2, func(t *rapid.T) portal.Source { return portal.Source{Title: aLine(t), Path: aURL(t), Email: "a@b.uz"} })
	for i := range rapid.IntRange(1, 4).Draw(t, "resources") {
		r.Resources = append(r.Resources, aResource(t, fmt.Sprintf("%s.%d", aName(t, 20), i)))
	}
	if rapid.IntRange(0, 9).Draw(t, "withdrawn") == 0 {
		r.Withdrawn, r.Resources = &portal.Withdrawal{Reason: aText(t, true, lines)}, nil
	}
	return r
}

func TestEveryReleaseComesBackFromItsManifest(t *testing.T) {
	schema := ourSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		want := aRelease(t)
		b, err := datapackage.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := datapackage.Decode(b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("-want +got\n%s", d)
		}
		var doc any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Fatal(err)
		}
		if !datapackage.SameContent(want, got) {
			t.Fatal("the content is not the same")
		}
	})
}

func TestEveryPublisherComesBackFromItsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := portal.Publisher{
			ID: portal.PublisherID(aName(t, 36) + "-p"), Version: rapid.IntRange(1, 9).Draw(t, "version"), Issued: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "issued"), 0).UTC(),
			Title: aText(t, true, aLine), Description: aText(t, false, lines), Homepage: "https://example.uz/",
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "contacts") {
			c := aContact(t)
			c.ID = portal.ContactID(fmt.Sprintf("c%d", i))
			want.Contacts, want.Default = append(want.Contacts, c), c.ID
		}
		b, err := datapackage.EncodePublisher(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := datapackage.DecodePublisher(b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("-want +got\n%s", d)
		}
	})
}
