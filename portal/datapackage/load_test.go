package datapackage_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// files makes a file system of names and contents by turns.
func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

func load(t *testing.T, fsys fstest.MapFS, name string) datapackage.Draft {
	t.Helper()
	d, err := datapackage.Load(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func contents(t *testing.T, d datapackage.Draft, i int, fsys fstest.MapFS) string {
	t.Helper()
	in, err := d.Files[i].Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const v1 = `{
	"name": "Water_Quality", "title": 2026, "profile": "tabular-data-package", "license": "CC BY 4.0",
	"licenses": {"type": "ODC-PDDL-1.0", "url": "https://opendatacommons.org/licenses/pddl/"},
	"keywords": "suv, вода; water", "sources": [{"name": "Laboratories", "web": "https://example.uz/"}, "Journals", {"title": "x", "path": "not an address", "email": "nobody"}],
	"contributors": [{"title": "A", "role": "author"}], "title_translated": {"fr": "Eau", "ru": "Вода"}, "unknown": {"deep": [1]},
	"resources": [
		{"name": "Table One", "path": ["./data/2024.csv", "data/2025.csv"], "format": ".CSV", "schema": "schema/t.json", "dialect": {"delimiter": ";"}},
		{"name": "inline", "data": [{"a": 1.50}], "schema": {"fields": [{"name": "a", "type": "number", "decimalChar": ",", "constraints": {"minimum": 0}}], "missingValues": ["", {"value": "-", "label": "none"}], "primaryKey": "a",
			"foreignKeys": [{"fields": "a", "reference": {"resource": "Table One", "fields": "a"}}]}},
		{"name": "text", "data": "a;b\n"},
		{"name": "doc", "path": "Ўзбекистон суви.PDF", "bytes": 3, "hash": "D0763EDAA9D9BD2A9516280E9044D885", "mediatype": "application/pdf"}
	]}`

func v1Files() fstest.MapFS {
	return files("p/datapackage.json", v1, "p/data/2024.csv", "a;b\n1;2", "p/data/2025.csv", "3;4\n",
		"p/schema/t.json", `{"fields": [{"name": "a"}, {"name": "b", "title": {"ru": "Б"}}]}`, "p/Ўзбекистон суви.PDF", "abc")
}

func TestLoadTakesAPackageAsItIsFound(t *testing.T) {
	d := load(t, v1Files(), "p")
	r := d.Release
	if d.Name != "water-quality" || d.HasPassport || r.Title.Plain != "2026" || r.Title.Translated[portal.Russian] != "Вода" || len(r.Title.Translated) != 1 {
		t.Errorf("name %q, title %+v", d.Name, r.Title)
	}
	if diff := cmp.Diff([]portal.License{{Name: "ODC-PDDL-1.0", Path: "https://opendatacommons.org/licenses/pddl/"}, {Name: "CC-BY-4.0", Title: "CC BY 4.0"}}, r.Licenses); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]portal.Source{{Title: "Laboratories", Path: "https://example.uz/"}, {Title: "Journals"}, {Title: "x"}}, r.Sources); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"suv", "вода", "water"}, r.Keywords); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, res := range r.Resources {
		got = append(got, fmt.Sprintf("%s %s %s %s", res.Name, res.Path, res.Format, res.MediaType))
	}
	want := []string{
		"table-one table-one.csv csv text/csv", "inline inline.json json application/json", "text text.csv csv text/csv",
		"doc ozbekiston-suvi.pdf pdf application/pdf",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s := r.Resources[0].Schema; len(s.Fields) != 2 || s.Fields[1].Title.Translated[portal.Russian] != "Б" || s.MissingValues != nil {
		t.Errorf("schema %+v", s)
	}
	s := r.Resources[1].Schema
	if string(s.Fields[0].Options) != `{"decimalChar":","}` || string(s.Fields[0].Constraints) != `{"minimum":0}` || fmt.Sprintf("%q", s.MissingValues) != `["" "-"]` || s.PrimaryKey[0] != "a" {
		t.Errorf("schema %+v", s)
	}
	if want := `[{"fields":"a","reference":{"resource":"table-one","fields":"a"}}]`; string(s.ForeignKeys) != want {
		t.Errorf("foreign keys %s", s.ForeignKeys)
	}
	for i, want := range []string{"a;b\n1;2\n3;4\n", `[{"a":1.50}]` + "\n", "a;b\n"} {
		if got := contents(t, d, i, v1Files()); got != want {
			t.Errorf("resource %d: %q, want %q", i, got, want)
		}
	}
}

func TestYAMLAndJSONOfOnePackageReadAlike(t *testing.T) {
	yaml := "name: wells\nversion: 1.10\ntitle: &t Wells\ndescription: *t\nresources:\n- name: wells\n  path: wells.csv\n  dialect: {quoteChar: ~, skipInitialSpace: .5}\n  schema:\n    fields:\n    - {name: a, type: integer, constraints: {minimum: 0x10}}\n"
	json := `{"name":"wells","version":"1.10","title":"Wells","description":"Wells","resources":[{"name":"wells","path":"wells.csv","dialect":{"quoteChar":null,"skipInitialSpace":0.5},"schema":{"fields":[{"name":"a","type":"integer","constraints":{"minimum":16}}]}}]}`
	a := load(t, files("datapackage.yaml", yaml, "wells.csv", "a\n"), ".")
	b := load(t, files("datapackage.json", json, "wells.csv", "a\n"), "datapackage.json")
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
}

func TestAPackageCarriesItsPassportAndTheFileBesideItWins(t *testing.T) {
	descriptor := `{"name":"wells","title":"Wells","resources":[{"name":"wells","path":"wells.csv"}],"koprik":{"publisher":"other","dataset":"other_deep-wells","release":3,"issued":"x","themes":["environment"],
		"passport":{"contact":{"post":"Head","email":"head@example.uz"},"uploaded":"2026-01-01","unit":"m","unit_translated":{"ru":"м"},"notes":[{"text":"a","text_translated":{"ru":"б"}}],"from_publisher":true}}}`
	fsys := files("datapackage.json", descriptor, "wells.csv", "a\n")
	d := load(t, fsys, ".")
	p := d.Release.Passport
	if d.Name != "deep-wells" || !d.HasPassport || d.Contact == nil || d.Contact.ID != p.Contact || p.Uploaded != "2026-01-01" || p.FromPublisher {
		t.Errorf("draft %+v", d)
	}
	if p.Unit.Plain != "m" || p.Unit.Translated[portal.Russian] != "м" || p.Notes[0].Translated[portal.Russian] != "б" || d.Release.Themes[0] != "environment" {
		t.Errorf("passport %+v", p)
	}
	fsys["passport.yaml"] = &fstest.MapFile{Data: []byte("uploaded: 2026-02-02\ncontact: office\ntitle: Deep wells\ndataset: wells-2\n")}
	d = load(t, fsys, ".")
	if d.Name != "wells-2" || d.Contact != nil || d.Release.Passport.Contact != "office" || d.Release.Passport.Uploaded != "2026-02-02" || d.Release.Title.Plain != "Deep wells" || !d.Release.Passport.Unit.IsZero() {
		t.Errorf("draft %+v", d)
	}
}

func TestATableFileIsReadWithThePassportBesideIt(t *testing.T) {
	fsys := files("in/Suv sifati.CSV", "a\n", "in/Suv sifati.passport.yaml", "title: {uz: Suv sifati, ru: Качество воды}\ncontact: lab\nuploaded: 2026-01-31\n", "in/plain_table.xlsx", "x")
	d := load(t, fsys, "in/Suv sifati.CSV")
	r := d.Release.Resources[0]
	if d.Name != "suv-sifati" || r.Name != "suv-sifati" || r.Path != "suv-sifati.csv" || r.Format != "csv" || r.MediaType != "text/csv" || !d.HasPassport || d.Release.Title.Plain != "Suv sifati" {
		t.Errorf("draft %+v", d)
	}
	if contents(t, d, 0, fsys) != "a\n" {
		t.Error("the file's bytes are not found under their own name")
	}
	d = load(t, fsys, "in/plain_table.xlsx")
	r = d.Release.Resources[0]
	if d.HasPassport || d.Release.Passport.Uploaded != "" || r.Path != "plain_table.xlsx" || r.Name != "plain_table" || d.Release.Title.Plain != "plain_table" {
		t.Errorf("draft %+v", d)
	}
}

func TestLoadSaysInWordsWhatItCannotTake(t *testing.T) {
	pack := func(resource string) fstest.MapFS {
		return files("datapackage.json", `{"name":"a","resources":[`+resource+`]}`, "a.csv", "a\n", "b.csv", "b\n")
	}
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		path string
		want string
	}{
		"a remote path":         {pack(`{"name":"a","path":"https://example.uz/a.csv"}`), ".", "datapackage.json: resources[0].path: \"https://example.uz/a.csv\" is on the network"},
		"a path outside":        {pack(`{"name":"a","path":"data/../../a.csv"}`), ".", "leads outside the package"},
		"an absolute path":      {pack(`{"name":"a","path":"/etc/passwd"}`), ".", "absolute path"},
		"a drive":               {pack(`{"name":"a","path":"C:/a.csv"}`), ".", "absolute path"},
		"a backslash":           {pack(`{"name":"a","path":"data\\a.csv"}`), ".", "write /"},
		"no such file":          {pack(`{"name":"a","path":"c.csv"}`), ".", "there is no such file in the package"},
		"no name":               {pack(`{"path":"a.csv"}`), ".", "resources[0].name: is missing"},
		"no path":               {pack(`{"name":"a"}`), ".", "resources[0].path: is missing"},
		"path and data":         {pack(`{"name":"a","path":"a.csv","data":"x"}`), ".", "one or the other"},
		"a name twice":          {pack(`{"name":"a","path":"a.csv"},{"name":"A","path":"b.csv"}`), ".", `resources[1].name: "a" stands twice`},
		"a path twice":          {pack(`{"name":"a","path":"a.csv"},{"name":"b","path":"a.csv"}`), ".", `resources[1].path: "a.csv" stands twice`},
		"a remote schema":       {pack(`{"name":"a","path":"a.csv","schema":"https://example.uz/s.json"}`), ".", "resources[0].schema"},
		"a missing schema":      {pack(`{"name":"a","path":"a.csv","schema":"s.json"}`), ".", "s.json: there is no such file"},
		"an unknown type":       {pack(`{"name":"a","path":"a.csv","schema":{"fields":[{"name":"x","type":"float"}]}}`), ".", "fields[0].type"},
		"an unknown hash":       {pack(`{"name":"a","path":"a.csv","hash":"crc32:00"}`), ".", "only md5, sha1, sha256 and sha512"},
		"a short hash":          {pack(`{"name":"a","path":"a.csv","hash":"sha256:00"}`), ".", "must be 64 hex digits"},
		"no resources":          {files("datapackage.json", `{"name":"a"}`), ".", "resources: are missing"},
		"no package name":       {files("datapackage.json", `{"resources":[{"name":"a","data":"x"}]}`), ".", "datapackage.json: name: is missing"},
		"two descriptors":       {files("datapackage.json", "{}", "datapackage.yml", ""), ".", "has two descriptors"},
		"no descriptor":         {files("a.csv", "a\n"), ".", "has no data package"},
		"nothing there":         {files("a.csv", "a\n"), "b.csv", "there is no such file or folder"},
		"a passport for a file": {files("a.passport.yaml", "contact: a"), "a.passport.yaml", "is a passport"},
		"a list":                {files("datapackage.json", "[]"), ".", "must be a data package"},
		"broken JSON":           {files("datapackage.json", "{\n\"name\": }"), ".", "datapackage.json: line 2, byte 9"},
		"broken YAML":           {files("datapackage.yaml", "a: [1"), ".", "datapackage.yaml: line 1"},
		"two documents":         {files("datapackage.yaml", "a: 1\n---\nb: 1\n"), ".", "more than one document"},
		"a merge key":           {files("datapackage.yaml", "a: &a {x: 1}\nb: {<<: *a}\n"), ".", "merge keys"},
		"a YAML key twice":      {files("datapackage.yaml", "a: 1\na: 2\n"), ".", "a"},
		"a koprik typo":         {files("datapackage.json", `{"name":"a","resources":[{"name":"a","data":"x"}],"koprik":{"passport":{"uplaoded":"2026-01-01"}}}`), ".", `koprik.passport.uplaoded: is not known; did you mean "uploaded"?`},
		"a passport's contact":  {files("datapackage.json", `{"name":"a","resources":[{"name":"a","data":"x"}],"koprik":{"passport":{"contact":{"post":"Head"}}}}`), ".", "koprik.passport.contact.email: is missing"},
		"a long passport unit":  {files("datapackage.json", `{"name":"a","resources":[{"name":"a","data":"x"}],"koprik":{"passport":{"unit":"`+strings.Repeat("x", 2001)+`"}}}`), ".", "koprik.passport.unit: 2001 characters"},
		"a nameless table":      {files("....csv", "a\n"), "....csv", "gives no name for the dataset"},
	} {
		_, err := datapackage.Load(c.fsys, c.path)
		if !errors.Is(err, portal.ErrRejected) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := datapackage.Load(files("datapackage.json", `{"name":"a","resources":[{"path":"/a"},{"name":"b"}]}`), ".")
	var all portal.Problems
	if !errors.As(err, &all) || len(all) != 3 {
		t.Errorf("got %v", err)
	}
}

func TestADocumentCannotUnfoldWithoutEnd(t *testing.T) {
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	for name, c := range map[string]struct{ in, want string }{
		"aliases": {bomb, "more than 300000 values"},
		"a ring":  {"a: &a [*a]\n", "nested more than"},
		"depth":   {"a: " + strings.Repeat("[", 100) + strings.Repeat("]", 100), "nested more than"},
		"length":  {strings.Repeat("# x\n", 1<<20), "longer than"},
	} {
		_, err := datapackage.Load(files("datapackage.yaml", c.in), ".")
		if !errors.Is(err, portal.ErrRejected) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %.300v", name, err)
		}
	}
	_, err := datapackage.Load(files("datapackage.json", "["+strings.Repeat("1,", 400_000)+"1]"), ".")
	if err == nil || !strings.Contains(err.Error(), "more than 300000 values") {
		t.Errorf("got %v", err)
	}
}

func TestDeclaredHashesAndLengthsAreComparedWhileReading(t *testing.T) {
	for name, c := range map[string]struct {
		hash  string
		bytes int64
		want  string
	}{
		"md5":            {"900150983cd24fb0d6963f7d28e17f72", 3, ""},
		"md5, named":     {"MD5:900150983CD24FB0D6963F7D28E17F72", 0, ""},
		"sha1":           {"sha1:a9993e364706816aba3e25717850c26c9cd0d89d", 0, ""},
		"sha256":         {"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 0, ""},
		"nothing":        {"", 0, ""},
		"another length": {"", 4, "a.csv: is 3 bytes long, the package declares 4"},
		"another hash":   {"sha1:0000000000000000000000000000000000000000", 0, "a.csv: has the sha1 a9993e"},
		"unknown":        {"crc:00", 0, "a.csv: hash \"crc\""},
	} {
		f := datapackage.DraftFile{Parts: []string{"a.csv"}, DeclaredHash: c.hash, DeclaredBytes: c.bytes}
		in, err := f.Open(files("a.csv", "abc"))
		if err == nil {
			_, err = io.ReadAll(in)
		}
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !errors.Is(err, portal.ErrRejected)) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	in, err := datapackage.DraftFile{Parts: []string{"a.csv", "none.csv"}}.Open(files("a.csv", "abc"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(in); err == nil {
		t.Error("a part that is not there makes no error")
	}
}
