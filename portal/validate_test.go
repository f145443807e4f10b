package portal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

func lab() portal.Contact {
	return portal.Contact{ID: "lab", Post: portal.PlainText("Head of the laboratory"), Email: "lab@example.uz"}
}

func wells() portal.Release {
	return portal.Release{
		Dataset: "main_wells", Number: 1, Issued: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Title: portal.PlainText("Wells"),
		Passport: portal.Passport{Contact: "lab", Uploaded: "2026-01-02"},
		Resources: []portal.Resource{
			{Name: "wells", Path: "data/wells.csv", Format: "csv", MediaType: "text/csv; charset=utf-8", Hash: portal.DigestOf(nil), Schema: &portal.TableSchema{Fields: []portal.Field{{Name: "a"}, {Name: "b", Type: "year"}}}},
			{Name: "notes", Path: "notes.pdf", Hash: portal.DigestOf(nil)},
		},
	}
}

// said joins problems as a person reads them.
func said(ps portal.Problems) string {
	var lines []string
	for _, p := range ps {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

func TestAPassportSaysInWordsWhatItLacks(t *testing.T) {
	whole := portal.Passport{Uploaded: "2026-01-02"}
	for name, c := range map[string]struct {
		p    portal.Passport
		c    portal.Contact
		ok   bool
		want []string
	}{
		"whole":            {whole, lab(), true, nil},
		"a name, no post":  {whole, portal.Contact{Name: portal.PlainText("A person"), Email: "a@b.uz"}, true, nil},
		"nothing":          {portal.Passport{}, portal.Contact{}, false, []string{"uploaded: is missing", "contact: is missing"}},
		"an empty contact": {whole, portal.Contact{}, true, []string{"contact.post: is missing", "contact.email: is missing"}},
		"an odd e-mail":    {whole, portal.Contact{Post: portal.PlainText("x"), Email: "a@b"}, true, []string{`contact.email: "a@b" does not look like an e-mail address`}},
		"odd days":         {portal.Passport{Uploaded: "31.01.2026", NextDue: "2026-02-30"}, lab(), true, []string{"uploaded: ", "next_due: "}},
		"odd words":        {portal.Passport{Uploaded: "2026-01-02", Periodicity: "often", MethodURL: portal.PlainText("javascript:x")}, lab(), true, []string{"periodicity: ", "method_url: "}},
		"an empty note":    {portal.Passport{Uploaded: "2026-01-02", Notes: []portal.Text{{}}}, lab(), true, []string{"notes[0]: is empty"}},
	} {
		got := c.p.Validate(c.c, c.ok)
		if len(got) != len(c.want) {
			t.Errorf("%s: got\n%s\nwant %d problems", name, said(got), len(c.want))
		}
		for _, w := range c.want {
			if !strings.Contains(said(got), w) {
				t.Errorf("%s: got\n%s\nwant %s", name, said(got), w)
			}
		}
		if len(c.want) > 0 && !errors.Is(got.Err(), portal.ErrRejected) {
			t.Errorf("%s: not a rejection", name)
		}
	}
}

func TestMissingNamesWhatMakesAPassportBetter(t *testing.T) {
	yes := true
	p := portal.Passport{
		Unit: portal.PlainText("m"), Periodicity: portal.Annual, LastChanged: "2026-01-01", NextDue: "2027-01-01", MethodURL: portal.PlainText("https://example.uz/"),
		PrimarySource: portal.PlainText("x"), Quality: portal.PlainText("x"), BySex: &yes, Classifiers: []portal.Text{portal.PlainText("x")}, FirstPublished: "2025-01-01",
	}
	if got := p.Missing(); len(got) > 0 {
		t.Errorf("a full passport misses %q", got)
	}
	p.Unit, p.BySex = portal.Text{}, nil
	if got := p.Missing(); !slices.Equal(got, []string{"unit", "by_sex"}) {
		t.Errorf("got %q", got)
	}
	p.NextDue, p.Periodicity = "", portal.Never
	if slices.Contains(p.Missing(), "next_due") {
		t.Error("data that is never renewed is asked for its next day")
	}
	if got := (portal.Passport{}).Missing(); len(got) != 10 {
		t.Errorf("an empty passport misses %d items", len(got))
	}
}

func TestAReleaseIsWholeOrSaysWhereItIsNot(t *testing.T) {
	if ps := wells().Validate(); len(ps) > 0 {
		t.Fatal(said(ps))
	}
	long := strings.Repeat("x", 301)
	for name, c := range map[string]struct {
		spoil func(*portal.Release)
		want  string
	}{
		"no dataset":               {func(r *portal.Release) { r.Dataset = "wells" }, "dataset: "},
		"number zero":              {func(r *portal.Release) { r.Number = 0 }, "release: 0"},
		"no time":                  {func(r *portal.Release) { r.Issued = time.Time{} }, "issued: is missing"},
		"half a second":            {func(r *portal.Release) { r.Issued = r.Issued.Add(5e8) }, "issued: "},
		"before computers":         {func(r *portal.Release) { r.Issued = time.Unix(-1, 0) }, "issued: "},
		"no title":                 {func(r *portal.Release) { r.Title = portal.Text{} }, "title: is missing"},
		"a long title":             {func(r *portal.Release) { r.Title.Plain = long }, "title: 301 characters, at most 300"},
		"a long translation":       {func(r *portal.Release) { r.Title.Translated = map[portal.Lang]string{"ru": long} }, "title_translated.ru: 301"},
		"an empty translation":     {func(r *portal.Release) { r.Title.Translated = map[portal.Lang]string{"ru": ""} }, "title_translated.ru: is empty"},
		"an unknown language":      {func(r *portal.Release) { r.Title.Translated = map[portal.Lang]string{"fr": "x"} }, `title_translated: language "fr"`},
		"two lines of title":       {func(r *portal.Release) { r.Title.Plain = "a\nb" }, "title: has the control character U+000A"},
		"turned text":              {func(r *portal.Release) { r.Description.Plain = "a\u202eb" }, "description: has U+202E"},
		"a long description":       {func(r *portal.Release) { r.Description.Plain = strings.Repeat("ў", 20_001) }, "description: 20001 characters"},
		"a link that is none":      {func(r *portal.Release) { r.Homepage = "example.uz" }, "homepage: "},
		"many keywords":            {func(r *portal.Release) { r.Keywords = slices.Repeat([]string{"a"}, 101) }, "keywords: 101 of them"},
		"an empty keyword":         {func(r *portal.Release) { r.Keywords = []string{" "} }, "keywords[0]: is empty"},
		"a theme twice":            {func(r *portal.Release) { r.Themes = []portal.ThemeID{"health", "health"} }, "themes[1]"},
		"a licence without a name": {func(r *portal.Release) { r.Licenses = []portal.License{{Title: "x"}} }, "licenses[0]: has neither"},
		"a licence in words":       {func(r *portal.Release) { r.Licenses = []portal.License{{Name: "CC BY"}} }, "licenses[0].name"},
		"an empty source":          {func(r *portal.Release) { r.Sources = make([]portal.Source, 1) }, "sources[0]: is empty"},
		"an odd source":            {func(r *portal.Release) { r.Sources = []portal.Source{{Path: "x", Email: "y"}} }, "sources[0].email"},
		"no resources":             {func(r *portal.Release) { r.Resources = nil }, "resources: are missing"},
		"many resources":           {func(r *portal.Release) { r.Resources = slices.Repeat(r.Resources, 101) }, "resources: 202 of them"},
		"a name twice":             {func(r *portal.Release) { r.Resources[1].Name = "wells" }, `resources[1].name: "wells" stands twice`},
		"a path in other letters":  {func(r *portal.Release) { r.Resources[1].Path = "DATA/Wells.csv" }, `resources[1].path: "DATA/Wells.csv" stands twice`},
		"a file that is a folder":  {func(r *portal.Release) { r.Resources[1].Path = "Data" }, "resources[1].path: \"Data\" is also a folder"},
		"the manifest's own name":  {func(r *portal.Release) { r.Resources[1].Path = "DataPackage.json" }, "the manifest itself"},
		"less than nothing":        {func(r *portal.Release) { r.Resources[1].Bytes = -1 }, "resources[1].bytes"},
		"no hash":                  {func(r *portal.Release) { r.Resources[1].Hash = portal.Digest{} }, "resources[1].hash: is missing"},
		"a format in capitals":     {func(r *portal.Release) { r.Resources[1].Format = "PDF" }, "resources[1].format"},
		"a media type of one word": {func(r *portal.Release) { r.Resources[1].MediaType = "pdf" }, "resources[1].mediatype"},
		"a broken dialect":         {func(r *portal.Release) { r.Resources[1].Dialect = json.RawMessage(`[1]`) }, "resources[1].dialect"},
		"an empty dialect":         {func(r *portal.Release) { r.Resources[1].Dialect = json.RawMessage{} }, "resources[1].dialect"},
		"a long dialect":           {func(r *portal.Release) { r.Resources[1].Dialect = make(json.RawMessage, 70_000) }, "resources[1].dialect: 70000 bytes"},
		"no columns":               {func(r *portal.Release) { r.Resources[1].Schema = &portal.TableSchema{} }, "resources[1].schema.fields: are missing"},
		"many columns":             {func(r *portal.Release) { r.Resources[0].Schema.Fields = make([]portal.Field, 2001) }, "schema.fields: 2001 of them"},
		"a column twice":           {func(r *portal.Release) { r.Resources[0].Schema.Fields[1].Name = "a" }, `schema.fields[1].name: "a" stands twice`},
		"an unknown type":          {func(r *portal.Release) { r.Resources[0].Schema.Fields[1].Type = "float" }, "schema.fields[1].type"},
		"a key of no column":       {func(r *portal.Release) { r.Resources[0].Schema.PrimaryKey = []string{"c"} }, `schema.primaryKey[0]: "c" is no column`},
		"no contact":               {func(r *portal.Release) { r.Passport.Contact = "" }, "passport.contact: is missing"},
		"an odd contact":           {func(r *portal.Release) { r.Passport.Contact = "A" }, "passport.contact: \"A\" is no contact id"},
		"no upload":                {func(r *portal.Release) { r.Passport.Uploaded = "" }, "passport.uploaded: is missing"},
		"a first after another":    {func(r *portal.Release) { r.Previous = &portal.PreviousRelease{} }, "previous: the first release has none"},
		"a second after nothing":   {func(r *portal.Release) { r.Number = 2 }, "previous: is missing"},
		"a gap":                    {func(r *portal.Release) { r.Number, r.Previous = 3, &portal.PreviousRelease{Release: 1} }, "previous.release: 1: must be 2"},
		"files of a withdrawn one": {func(r *portal.Release) { r.Withdrawn = &portal.Withdrawal{Reason: portal.PlainText("x")} }, "resources: a withdrawn release has none"},
		"withdrawn without reason": {func(r *portal.Release) { r.Withdrawn, r.Resources = &portal.Withdrawal{}, nil }, "withdrawn.reason: is missing"},
	} {
		r := wells()
		c.spoil(&r)
		if got := said(r.Validate()); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%.300s\nwant %s", name, got, c.want)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	r := wells()
	r.Resources[0].Schema.Fields = make([]portal.Field, 2000)
	if n := len(r.Validate()); n > 200 {
		t.Errorf("%d problems", n)
	}
}

func TestAPublisherIsWholeOrSaysWhereItIsNot(t *testing.T) {
	good := func() portal.Publisher {
		return portal.Publisher{ID: "main", Version: 1, Issued: time.Unix(0, 0), Title: portal.PlainText("Office"), Default: "lab", Contacts: []portal.Contact{lab()}}
	}
	if ps := good().Validate(); len(ps) > 0 {
		t.Fatal(said(ps))
	}
	for want, spoil := range map[string]func(*portal.Publisher){
		"publisher: ":                    func(p *portal.Publisher) { p.ID = "Main" },
		"version: ":                      func(p *portal.Publisher) { p.Version = 0 },
		"title: is missing":              func(p *portal.Publisher) { p.Title = portal.Text{} },
		"default: ":                      func(p *portal.Publisher) { p.Default = "desk" },
		"contacts[0].id: ":               func(p *portal.Publisher) { p.Contacts[0].ID = "" },
		"contacts[1].id: ":               func(p *portal.Publisher) { p.Contacts = append(p.Contacts, lab()) },
		"contacts[0].email: ":            func(p *portal.Publisher) { p.Contacts[0].Email = "" },
		"contacts[0].since: ":            func(p *portal.Publisher) { p.Contacts[0].Since = "x" },
		"contacts: 501 of them, at most": func(p *portal.Publisher) { p.Contacts = slices.Repeat(p.Contacts, 501) },
	} {
		p := good()
		spoil(&p)
		if got := said(p.Validate()); !strings.Contains(got, want) {
			t.Errorf("got\n%.300s\nwant %s", got, want)
		}
	}
}

func TestCheckEmailKnowsAnAddressWhenItSeesOne(t *testing.T) {
	for _, good := range []string{"a@b.uz", "first.last+tag@dept.stat.uz", "x_1@xn--80ak6aa92e.com"} {
		if err := portal.CheckEmail(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{
		"", "a", "@b.uz", "a@", "a@b", "a@b@c.uz", "a b@c.uz", "a@b..uz", "a@-b.uz", "a@b_.uz", ".a@b.uz", "a..b@c.uz", "a@b.uz\n", "\"a\"@b.uz", "почта@b.uz", "a@почта.уз",
		strings.Repeat("a", 65) + "@b.uz", "a@" + strings.Repeat("b.", 130) + "uz", "<a@b.uz>",
	} {
		if portal.CheckEmail(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestCheckURLTakesWhatAPageMayLinkTo(t *testing.T) {
	for _, good := range []string{"https://example.uz", "http://example.uz:8080/a?b=c#d", "ftp://example.uz/a", "https://example.uz/сув"} {
		if err := portal.CheckURL(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{
		"", "example.uz", "//example.uz", "https://", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://a b", "https://a\n", "https://a/\"x", "https://a/<x>", "HTTPS://a", "https:a", "https://%zz",
		"https://a/" + strings.Repeat("x", 2000),
	} {
		if portal.CheckURL(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestProblemsUnderAFileSayWhereTwice(t *testing.T) {
	ps := portal.Problems{portal.Rejected("contact.email", "is missing"), portal.Rejected("", "is empty")}
	got := said(ps.Under("a.yaml"))
	if want := "a.yaml: contact.email: is missing\na.yaml: is empty"; got != want {
		t.Errorf("got %q", got)
	}
	if ps[0].Where != "contact.email" || fmt.Sprint(ps.Under("")) != fmt.Sprint(ps) {
		t.Error("Under changes what it is given")
	}
	if (portal.Problems{}).Err() != nil || portal.Problems(nil).Under("x").Err() != nil {
		t.Error("no problems are an error")
	}
	var p *portal.Problem
	if err := fmt.Errorf("publish: %w", ps.Err()); !errors.As(err, &p) || !errors.Is(err, portal.ErrRejected) {
		t.Error("the problems cannot be found in what wraps them")
	}
}

func TestALicenceIsCalledAsItsMakersCallIt(t *testing.T) {
	for name, want := range map[string]string{
		"CC-BY-4.0": "CC BY 4.0", "CC-BY-NC-SA-4.0": "CC BY-NC-SA 4.0", "CC0-1.0": "CC0 1.0",
		"ODbL-1.0": "ODbL-1.0", "data.gov.uz": "data.gov.uz", "CC": "CC", "": "",
	} {
		if got := portal.LicenseLabel(name); got != want {
			t.Errorf("%q: %q instead of %q", name, got, want)
		}
	}
}
