package datapackage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"koprik/portal"
	"koprik/portal/datapackage"
)

var update = flag.Bool("update", false, "write the golden files anew")

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
		Passport:    waterPassport(),
		Resources: []portal.Resource{{
			Name: "table", Path: "data/water.csv", Title: portal.PlainText("Table"), Description: portal.PlainText("By well"),
			Format: "csv", MediaType: "text/csv", Encoding: "utf-8", Bytes: 8, Hash: portal.DigestOf([]byte("a,b\n1,2\n")),
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

func waterPassport() portal.Passport {
	return portal.Passport{
		Contact: "lab", Uploaded: "2026-02-03", FirstPublished: "2025-01-10", LastChanged: "2026-02-01", NextDue: "2026-03-05",
		Periodicity: portal.Monthly, Unit: portal.Text{Plain: "mg/l"}, Indicator: "3.01", Classifiers: []portal.Text{portal.PlainText("SOATO")},
		Method: portal.PlainText("Photometry"), MethodURL: portal.PlainText("https://example.uz/method"), PrimarySource: portal.PlainText("Laboratories"),
		CompiledBy: portal.PlainText("Institute"), Quality: portal.PlainText("Two people read every figure"),
		Notes: []portal.Text{portal.PlainText("2025 is preliminary")}, BySex: new(bool),
	}
}

// goldens are the releases of testdata.
func goldens() map[string]portal.Release {
	full, withdrawn := water(), water()
	withdrawn.Resources, withdrawn.Withdrawn = nil, &portal.Withdrawal{Reason: portal.PlainText("A name stood in it")}
	first := portal.Release{
		Dataset: "main_wells", Number: 1, Issued: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Title: portal.PlainText("Wells"),
		Passport:  portal.Passport{Contact: "office", FromPublisher: true, Uploaded: "2026-01-01"},
		Resources: []portal.Resource{{Name: "wells", Path: "wells.pdf", Hash: portal.DigestOf(nil)}},
	}
	return map[string]portal.Release{"full": full, "withdrawn": withdrawn, "first": first, "workbook": workbook()}
}

func TestManifestsStayByteForByteWhatTheyWere(t *testing.T) {
	for name, want := range goldens() {
		b, err := datapackage.Encode(want)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		file := filepath.Join("testdata", "manifest-"+name+".json")
		if *update {
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, golden) {
			t.Errorf("%s: Encode wrote\n%s\nthe golden file has\n%s", name, b, golden)
		}
		got, err := datapackage.Decode(golden)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// workbook is a release of a file with two tables.
func workbook() portal.Release {
	r := water()
	r.Number, r.Previous = 1, nil
	r.Resources = []portal.Resource{{
		Name: "wells", Path: "wells.xlsx", Format: "xlsx", Bytes: 8, Hash: portal.DigestOf([]byte("wells")),
		Schema: &portal.TableSchema{Fields: []portal.Field{{Name: "yil", Type: "year", Meaning: portal.Meaning{Role: portal.RoleTime, Kind: portal.KindYear, Confidence: 95}}}},
		Sheets: []portal.Sheet{
			{Name: "Quduqlar", Dialect: json.RawMessage(`{"headerRows":[2,3]}`)},
			{Name: "Колодцы", Encoding: "windows-1251", Schema: &portal.TableSchema{
				Fields: []portal.Field{{Name: "n", Type: "integer", Options: json.RawMessage(`{"groupChar":" "}`), Meaning: portal.Meaning{Role: portal.RoleMeasure, Unit: "dona", Confidence: 100}}},
			}},
		},
	}}
	return r
}

func ourSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(datapackage.ManifestSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("manifest", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("manifest")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestManifestsConformToTheirSchema(t *testing.T) {
	s := ourSchema(t)
	for name, r := range goldens() {
		b, err := datapackage.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := conforms(t, s, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]string{
		"no koprik": `{"$schema":"https://datapackage.org/profiles/2.0/datapackage.json","name":"a_b","title":"t","resources":[{"name":"a","path":"a","bytes":0,"hash":"sha256:` + strings.Repeat("0", 64) + `"}]}`,
		"nothing":   `{}`,
	} {
		if conforms(t, s, []byte(bad)) == nil {
			t.Errorf("%s conforms", name)
		}
	}
}

func TestDecodeRefusesWhatEncodeWouldNotWrite(t *testing.T) {
	good, err := datapackage.Encode(water())
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, replacement string) string {
		if !strings.Contains(string(good), old) {
			t.Fatalf("the manifest has no %s", old)
		}
		return strings.Replace(string(good), old, replacement, 1)
	}
	for name, c := range map[string]struct{ in, want string }{
		"a duplicate key":           {swap(`"koprik":{`, `"koprik":{"release":2,`), `"release" stands twice`},
		"another case":              {swap(`"release":2`, `"Release":2`), `koprik.Release: is not known; did you mean "release"?`},
		"an unknown koprik key":     {swap(`"koprik":{`, `"koprik":{"extra":1,`), "koprik.extra: is not known"},
		"an unknown passport key":   {swap(`"uploaded"`, `"uplaoded"`), `koprik.passport.uplaoded: is not known; did you mean "uploaded"?`},
		"an unknown previous key":   {swap(`"previous":{`, `"previous":{"url":"x",`), "koprik.previous.url"},
		"something after the end":   {string(good) + "{}", "something after the end"},
		"invalid UTF-8":             {swap("Suv", "\xff"), "UTF-8"},
		"a lone surrogate":          {swap("Suv", `\ud800`), "lone surrogate"},
		"a bad escape":              {swap("Suv", `\x41`), "unknown escape"},
		"a control character":       {swap("Suv", "\x01"), "control character"},
		"nesting":                   {swap(`"dialect":{`, `"dialect":{"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,`), "nested more than"},
		"null":                      {swap(`"version":"2026.1"`, `"version":null`), "version: stands there empty"},
		"an empty text":             {swap(`"version":"2026.1"`, `"version":""`), "version: stands there empty"},
		"a number for a text":       {swap(`"version":"2026.1"`, `"version":2026.1`), "version: is a number and must be a text"},
		"a fraction for a number":   {swap(`"release":2,"issued"`, `"release":2.0,"issued"`), "koprik.release"},
		"another dataset's name":    {swap(`"name":"main_water-quality"`, `"name":"main_other"`), "is not \"main_water-quality\""},
		"another publisher":         {swap(`"publisher":"main"`, `"publisher":"other"`), "does not own"},
		"a reserved publisher":      {strings.ReplaceAll(string(good), `main`, `root`), "reserved"},
		"local time":                {swap("04:05:06Z", "04:05:06+05:00"), "koprik.issued"},
		"parts of a second":         {swap("04:05:06Z", "04:05:06.5Z"), "koprik.issued"},
		"a path that leads out":     {swap(`"data/water.csv"`, `"../water.csv"`), "resources[0].path"},
		"a hash in capitals":        {swap(`"hash":"sha256:`, `"hash":"SHA256:`), "resources[0].hash"},
		"a bare hash":               {swap(`"hash":"sha256:`, `"hash":"`), "resources[0].hash"},
		"no bytes":                  {swap(`"bytes":8,`, ``), "resources[0].bytes: is missing"},
		"bytes beyond 2^53":         {swap(`"bytes":8`, `"bytes":9007199254740993`), "resources[0].bytes"},
		"no resources":              {swap(`"resources":[`, `"files":[`), "resources: are missing"},
		"an unknown language":       {swap(`"en":"Water`, `"fr":"Water`), "title_translated.fr: is no language"},
		"an unknown theme":          {swap(`"environment"`, `"weather"`), "themes[0]"},
		"a day that does not exist": {swap(`"next_due":"2026-03-05"`, `"next_due":"2026-02-30"`), "koprik.passport.next_due"},
		"a gap in the releases":     {swap(`"previous":{"release":1`, `"previous":{"release":7`), "previous.release"},
		"a script as a link":        {swap("https://example.uz/water", "javascript:alert(1)"), "homepage"},
		"another profile":           {swap("profiles/2.0", "profiles/1.0"), "$schema"},
		"an unknown type":           {swap(`"type":"number"`, `"type":"float"`), "fields[0].type"},
		"turned text":               {swap("Suv", "\u202eSuv"), "U+202E"},
		"sheets that are no list":   {swap(`"schema":{`, `"koprik":{"sheets":{}},"schema":{`), "resources[0].koprik.sheets: is a set"},
		"a sheet without a name":    {swap(`"schema":{`, `"koprik":{"sheets":[{}]},"schema":{`), "resources[0].koprik.sheets[0].name"},
		"a sheet that stands twice": {swap(`"schema":{`, `"koprik":{"sheets":[{"name":"a"},{"name":"a","schema":{"fields":[{"name":"x"}]}}]},"schema":{`), "koprik.sheets[1].name: \"a\" stands twice"},
		"a second sheet unknown":    {swap(`"schema":{`, `"koprik":{"sheets":[{"name":"a"},{"name":"b"}]},"schema":{`), "koprik.sheets[1].schema: is missing"},
		"a list":                    {"[]", "is a list"},
		"nothing":                   {"", "ends too early"},
		"half":                      {string(good[:len(good)/2]), "line 1"},
	} {
		_, err := datapackage.Decode([]byte(c.in))
		if !errors.Is(err, portal.ErrRejected) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestDecodePassesOverWhatALaterVersionAddsOutsideKoprik(t *testing.T) {
	b, err := datapackage.Encode(water())
	if err != nil {
		t.Fatal(err)
	}
	later := strings.NewReplacer(
		`"name":"main_water-quality"`, `"name":"main_water-quality","spatial":{"bbox":[1,2]}`,
		`"name":"table"`, `"name":"table","rows":12,"note":null`,
		`"name":"b"`, `"name":"b","unit":"m"`,
	).Replace(string(b))
	got, err := datapackage.Decode([]byte(" " + later + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(water(), got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestEncodeRefusesAReleaseThatIsNotWhole(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*portal.Release)
		want  string
	}{
		"no upload":      {func(r *portal.Release) { r.Passport.Uploaded = "" }, "manifest: passport.uploaded"},
		"no hash":        {func(r *portal.Release) { r.Resources[0].Hash = portal.Digest{} }, "resources[0].hash"},
		"bad dialect":    {func(r *portal.Release) { r.Resources[0].Dialect = json.RawMessage(`{"a":1,"a":2}`) }, "resources[0].dialect"},
		"odd option":     {func(r *portal.Release) { r.Resources[0].Schema.Fields[0].Options = json.RawMessage(`{"name":"b"}`) }, "fields[0].options"},
		"broken option":  {func(r *portal.Release) { r.Resources[0].Schema.Fields[0].Options = json.RawMessage(`{`) }, "fields[0].options"},
		"not UTF-8":      {func(r *portal.Release) { r.Title.Plain = "\xff" }, "title: is not UTF-8"},
		"no title":       {func(r *portal.Release) { r.Title = portal.Text{} }, "title: is missing"},
		"too many bytes": {func(r *portal.Release) { r.Resources = many(200) }, "at most 4194304"},
	} {
		r := water()
		c.spoil(&r)
		if _, err := datapackage.Encode(r); !errors.Is(err, portal.ErrRejected) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// many gives so many resources, each within its limits, that the manifest is not.
func many(n int) []portal.Resource {
	var all []portal.Resource
	for i := range n {
		name := fmt.Sprintf("r%d", i)
		all = append(all, portal.Resource{Name: name, Path: name, Hash: portal.DigestOf(nil), Description: portal.Text{
			Plain: strings.Repeat("ў", 20_000),
		}})
	}
	return all
}

func TestSameContentLooksAtWhatAReleaseSaysAndNotAtWhichItIs(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*portal.Release)
		same   bool
	}{
		"nothing":                 {func(*portal.Release) {}, true},
		"number, time and reason": {func(r *portal.Release) { r.Number, r.Issued, r.Reason, r.Previous = 1, time.Time{}, portal.Text{}, nil }, true},
		"spaces in the dialect":   {func(r *portal.Release) { r.Resources[0].Dialect = json.RawMessage(`{ "delimiter": ";" }`) }, true},
		"no day of upload":        {func(r *portal.Release) { r.Passport.Uploaded, r.Passport.LastChanged = "", "" }, true},
		"another day of upload":   {func(r *portal.Release) { r.Passport.Uploaded = "2026-03-03" }, false},
		"another title":           {func(r *portal.Release) { r.Title.Plain = "Suv" }, false},
		"other bytes":             {func(r *portal.Release) { r.Resources[0].Hash = portal.DigestOf([]byte("x")) }, false},
		"withdrawn":               {func(r *portal.Release) { r.Withdrawn = &portal.Withdrawal{Reason: portal.PlainText("x")} }, false},
		"another contact":         {func(r *portal.Release) { r.Passport.Contact = "other" }, false},
	} {
		r := water()
		c.change(&r)
		if got := datapackage.SameContent(water(), r); got != c.same {
			t.Errorf("%s: got %v", name, got)
		}
	}
	a, b := water(), water()
	a.Passport.FromPublisher, b.Passport.FromPublisher, b.Passport.Uploaded = true, true, "2026-03-03"
	if !datapackage.SameContent(a, b) {
		t.Error("a day that was filled in for want of a passport makes a difference")
	}
}
