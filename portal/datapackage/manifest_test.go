package datapackage_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// water is a release with something in every field.
func water() portal.Release {
	return portal.Release{
		Dataset: "main_water-quality",
		Number:  2,
		Issued:  time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC),
		Reason:  portal.Text{Plain: "January added", Translated: map[portal.Lang]string{portal.Uzbek: "Yanvar qoʻshildi", portal.English: "January added"}},
		Previous: &portal.PreviousRelease{
			Release: 1, SHA256: portal.DigestOf([]byte("one")), Length: 1234,
		},
		Title:       portal.Text{Plain: "Suv sifati", Translated: map[portal.Lang]string{portal.Uzbek: "Suv sifati", portal.UzbekCyrillic: "Сув сифати", portal.Karakalpak: "Suw sapası", portal.Russian: "Качество воды", portal.English: "Water quality"}},
		Description: portal.PlainText("Two lines,\nthe second with \"quotes\" & <angles>."),
		Keywords:    []string{"suv", "вода"},
		Themes:      []portal.ThemeID{"environment", "health"},
		Licenses:    []portal.License{{Name: "CC-BY-4.0", Title: "Creative Commons Attribution 4.0", Path: "https://creativecommons.org/licenses/by/4.0/"}},
		Sources:     []portal.Source{{Title: "Laboratory journals", Path: "https://example.uz/journals", Email: "lab@example.uz"}},
		Homepage:    "https://example.uz/water",
		Version:     "2026.1",
		Passport: portal.Passport{
			Contact: "lab", Uploaded: "2026-02-03", FirstPublished: "2025-01-10", LastChanged: "2026-02-01", NextDue: "2026-03-05",
			Periodicity: portal.Monthly, Unit: portal.Text{Plain: "mg/l"}, Indicator: "3.01", Classifiers: []portal.Text{portal.PlainText("SOATO")},
			Method: portal.PlainText("Photometry"), MethodURL: portal.PlainText("https://example.uz/method"), PrimarySource: portal.PlainText("Laboratories"),
			CompiledBy: portal.PlainText("Institute"), Quality: portal.PlainText("Two people read every figure"),
			Notes: []portal.Text{portal.PlainText("2025 is preliminary")}, BySex: new(bool),
		},
		Resources: []portal.Resource{{
			Name: "table", Path: "data/water.csv", Title: portal.PlainText("Table"), Description: portal.PlainText("By well"),
			Format: "csv", MediaType: "text/csv", Encoding: "utf-8", Bytes: 9, Hash: portal.DigestOf([]byte("a,b\n1,2\n")),
			Dialect: json.RawMessage(`{"delimiter":";"}`),
			Schema: &portal.TableSchema{
				Fields: []portal.Field{
					{Name: "a", Type: "number", Title: portal.PlainText("A"), Options: json.RawMessage(`{"decimalChar":",","bareNumber":false}`), Constraints: json.RawMessage(`{"required":true}`)},
					{Name: "b", Type: "string", Format: "default", Description: portal.PlainText("B")},
				},
				PrimaryKey: []string{"a"}, MissingValues: []string{"", "-"}, ForeignKeys: json.RawMessage(`[{"fields":["b"],"reference":{"resource":"","fields":["a"]}}]`),
			},
		}},
	}
}

func TestDecodeReadsBackWhatEncodeWrote(t *testing.T) {
	tombstone := water()
	tombstone.Resources, tombstone.Withdrawn = nil, &portal.Withdrawal{Reason: portal.PlainText("A name stood in it")}
	for name, want := range map[string]portal.Release{"full": water(), "withdrawn": tombstone} {
		b, err := datapackage.Encode(want)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := datapackage.Decode(b)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, b)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}
