package demo

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"koprik/embed/table/read"
	"koprik/portal"
	"koprik/portal/datapackage"
)

// release is one package as publishing reads it.
type release struct {
	Package
	update bool
	draft  datapackage.Draft
}

func (r release) String() string {
	if r.update {
		return "update of " + r.Name
	}
	return r.Name
}

func loaded(t *testing.T) []release {
	t.Helper()
	var all []release
	for i, packages := range [][]Package{Packages(), Updates()} {
		for _, p := range packages {
			d, err := datapackage.Load(p.FS, ".")
			if err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
			all = append(all, release{p, i == 1, d})
		}
	}
	return all
}

// wording is a text and where it stands.
type wording struct {
	where string
	text  portal.Text
}

// wordings are all texts of a package that stand in several languages.
func wordings(d datapackage.Draft) []wording {
	r, p := d.Release, d.Release.Passport
	all := []wording{
		{"title", r.Title},
		{"description", r.Description},
		{"reason", r.Reason},
		{"unit", p.Unit},
		{"method", p.Method},
		{"primary_source", p.PrimarySource},
		{"compiled_by", p.CompiledBy},
		{"quality", p.Quality},
	}
	for _, c := range p.Classifiers {
		all = append(all, wording{"classifiers", c})
	}
	for _, n := range p.Notes {
		all = append(all, wording{"notes", n})
	}
	if d.Contact != nil {
		all = append(all, wording{"contact.post", d.Contact.Post}, wording{"contact.unit", d.Contact.Unit})
	}
	for _, res := range r.Resources {
		all = append(all, wording{res.Name, res.Title})
		if res.Schema == nil {
			continue
		}
		for _, f := range res.Schema.Fields {
			all = append(all, wording{res.Name + "." + f.Name, f.Title})
			if !f.Description.IsZero() {
				all = append(all, wording{res.Name + "." + f.Name + " described", f.Description})
			}
		}
	}
	return all
}

func TestEveryTextIsThereInAllLanguages(t *testing.T) {
	for _, r := range loaded(t) {
		for _, w := range wordings(r.draft) {
			for _, l := range portal.Langs {
				if w.text.Translated[l] == "" {
					t.Errorf("%v: %s: no text in %s", r, w.where, l)
				}
			}
		}
	}
}

func TestEveryPassportIsFull(t *testing.T) {
	for _, r := range loaded(t) {
		p := r.draft.Release.Passport
		if !r.draft.HasPassport || r.draft.Contact == nil {
			t.Errorf("%v: no passport, or nobody answers in it", r)
			continue
		}
		if err := p.Validate(*r.draft.Contact, true).Err(); err != nil {
			t.Errorf("%v: %v", r, err)
		}
		if missing := p.Missing(); len(missing) > 0 {
			t.Errorf("%v: the passport lacks %q", r, missing)
		}
		if len(p.Notes) == 0 {
			t.Errorf("%v: no note says under which terms the figures were seen", r)
		}
		if p.NextDue != "" && p.Periodicity != portal.Annual {
			t.Errorf("%v: next due %s, and the periodicity is %s", r, p.NextDue, p.Periodicity)
		}
	}
}

func TestOnlyTheDemonstrationDeskAnswers(t *testing.T) {
	for _, r := range loaded(t) {
		c := r.draft.Contact
		if c == nil || c.Email != Contact || c.ID != "demonstration-desk" || !c.Name.IsZero() || c.Phone != "" {
			t.Errorf("%v: the contact is %+v", r, c)
		}
		for _, s := range r.draft.Release.Sources {
			if s.Title == "" || s.Path == "" || s.Email != "" {
				t.Errorf("%v: the source %+v must have a title and an address, and no mailbox", r, s)
			}
		}
	}
}

func TestEveryDatasetCanBeFoundAndUsed(t *testing.T) {
	for _, r := range loaded(t) {
		d := r.draft.Release
		if r.draft.Name != r.Name {
			t.Errorf("%v: the package calls itself %q", r, r.draft.Name)
		}
		if len(d.Themes) == 0 || len(d.Licenses) == 0 || len(d.Sources) == 0 || len(d.Keywords) < 5 {
			t.Errorf("%v: themes %v, licences %v, %d sources, %d keywords", r, d.Themes, d.Licenses, len(d.Sources), len(d.Keywords))
		}
	}
}

// What is invented says so in every language, first of all in its title.
func TestWhatIsInventedSaysSo(t *testing.T) {
	marks := map[portal.Lang]string{portal.Uzbek: "oʻylab topilgan", portal.UzbekCyrillic: "ўйлаб топилган", portal.Karakalpak: "oylap tabılǵan", portal.Russian: "вымышлен", portal.English: "invented"}
	n := 0
	for _, r := range loaded(t) {
		if r.draft.Release.Sources[0].Path != "https://example.org/" {
			continue
		}
		n++
		d := r.draft.Release
		for _, text := range []portal.Text{d.Title, d.Description, d.Resources[0].Title, d.Passport.Notes[0], d.Passport.PrimarySource} {
			for l, mark := range marks {
				if !strings.Contains(strings.ToLower(text.Translated[l]), mark) {
					t.Errorf("%v: %s: %q does not say that it is invented", r, l, text.Translated[l])
				}
			}
		}
	}
	if n != 1 {
		t.Errorf("%d invented datasets", n)
	}
}

// rows is how many rows every table has, by resource.
var rows = map[string]int64{
	"doctors_by_region": 15, "doctors_by_sex_2025": 1, "example_service_centres": 4, "education_by_region": 15, "general_schools": 5, "hospitals_by_region": 15,
	"live_births_january_september": 30, "live_births_by_sex_2022_q1": 15, "live_births_by_sex_long_2022_q1": 30,
	"region_outlines": 15, "live_births_samarkand": 6, "live_births_tashkent_region_2024_h1": 22,
	"marriages_and_divorces_2022": 15, "marriages_2025": 15,
	"population_by_district": 206, "population_by_district_and_year": 1001,
	"population_by_sex_2026": 15, "population_by_sex_and_settlement_2022": 7,
	"population_by_region": 16 * 15, "update: population_by_region": 17 * 15,
}

func TestEveryTableReadsWithoutAGuess(t *testing.T) {
	seen := map[string]bool{}
	formats := map[string]bool{}
	for _, r := range loaded(t) {
		for i, res := range r.draft.Release.Resources {
			key := res.Name
			if r.update {
				key = "update: " + key
			}
			seen[key], formats[res.Format] = true, true
			f, err := r.draft.Files[i].Open(r.FS)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(f)
			if err != nil {
				t.Fatal(err)
			}
			infos, err := read.Check(t.Context(), bytes.NewReader(data), int64(len(data)), res)
			if err != nil || len(infos) != 1 {
				t.Errorf("%v: %s: %d tables, %v", r, res.Path, len(infos), err)
				continue
			}
			if info := infos[0]; info.Rows != rows[key] || len(info.Notes) > 0 {
				t.Errorf("%v: %s: %d rows, not %d; notes %q", r, res.Path, info.Rows, rows[key], info.Notes)
			}
		}
	}
	if len(seen) != len(rows) {
		t.Errorf("tables read: %d, expected: %d", len(seen), len(rows))
	}
	if got := slices.Sorted(maps.Keys(formats)); !slices.Equal(got, []string{"csv", "geojson", "json", "xlsx"}) {
		t.Errorf("formats shown: %v", got)
	}
}

func TestAnUpdateSaysMoreAndWhy(t *testing.T) {
	all := loaded(t)
	for _, r := range all {
		if !r.update {
			continue
		}
		i := slices.IndexFunc(all, func(o release) bool { return o.Name == r.Name && !o.update })
		if i < 0 {
			t.Errorf("%v: there is no first release", r)
			continue
		}
		first := all[i].draft.Release
		if r.draft.Release.Reason.Equal(first.Reason) || r.draft.Release.Reason.IsZero() {
			t.Errorf("%v: the reason is %v", r, r.draft.Release.Reason)
		}
		for _, res := range first.Resources {
			before := readCSV(t, files, "packages/"+r.Name+"/"+res.Path)
			after := readCSV(t, files, "updates/"+r.Name+"/"+res.Path)
			if !slices.Equal(before.header, after.header) || len(after.rows) <= len(before.rows) {
				t.Errorf("%v: %s has %d rows after %d", r, res.Path, len(after.rows), len(before.rows))
			}
			for _, row := range before.rows {
				if !slices.ContainsFunc(after.rows, func(o map[string]string) bool { return maps.Equal(row, o) }) {
					t.Errorf("%v: %s: the row %v is gone", r, res.Path, row)
				}
			}
		}
	}
}

// eachFile gives every file that is embedded.
func eachFile(t *testing.T, fn func(name string, data []byte)) {
	t.Helper()
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err == nil {
			fn(name, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAllFilesTogetherStaySmall(t *testing.T) {
	const limit = 480_000 // 56 kB of them the outlines of the regions
	total := 0
	eachFile(t, func(_ string, data []byte) { total += len(data) })
	if total >= limit {
		t.Errorf("%d bytes are embedded; the demonstration has %d", total, limit)
	}
}

func TestNothingIsEmbeddedThatNoPackageNames(t *testing.T) {
	named := map[string]bool{}
	for _, r := range loaded(t) {
		dir := "packages/" + r.Name
		if r.update {
			dir = "updates/" + r.Name
		}
		named[dir+"/datapackage.yaml"], named[dir+"/passport.yaml"] = true, true
		for _, res := range r.draft.Release.Resources {
			named[path.Join(dir, res.Path)] = true
		}
	}
	eachFile(t, func(name string, _ []byte) {
		if !named[name] {
			t.Errorf("%s belongs to no package", name)
		}
	})
}

func TestNoMailboxButTheDemonstrations(t *testing.T) {
	eachFile(t, func(name string, data []byte) {
		if path.Ext(name) == ".xlsx" {
			return // compressed; its cells are those of the table beside it
		}
		if bytes.Count(data, []byte("@")) != strings.Count(string(data), Contact) {
			t.Errorf("%s has an @ outside %s", name, Contact)
		}
	})
}
