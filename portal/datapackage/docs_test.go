package datapackage_test

import (
	"os"
	"strings"
	"testing"

	"koprik/portal"
	"koprik/portal/datapackage"
)

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/reference/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheExampleOfThePassportPageIsAWholePassport(t *testing.T) {
	_, rest, _ := strings.Cut(page(t, "passport.md"), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	d, err := datapackage.ParsePassport([]byte(example), "passport.md")
	if err != nil {
		t.Fatal(err)
	}
	p := d.Release.Passport
	if problems := p.Validate(*d.Contact, true); len(problems) > 0 {
		t.Error(problems)
	}
	if missing := p.Missing(); len(missing) > 0 {
		t.Errorf("the example misses %q", missing)
	}
	if p.NextDue != "2027-01-31" || p.Periodicity != portal.Annual || !*p.BySex {
		t.Errorf("%+v", p)
	}
}

// Every key that is written stands on its page, as `key`.
func TestEveryKeyStandsOnItsPage(t *testing.T) {
	manifest, err := datapackage.Encode(water())
	if err != nil {
		t.Fatal(err)
	}
	record, err := datapackage.EncodePublisher(office())
	if err != nil {
		t.Fatal(err)
	}
	for name, written := range map[string]string{"manifest.md": string(manifest), "publisher-record.md": string(record)} {
		text := page(t, name)
		for i, part := range strings.Split(written, `":`) {
			key := part[strings.LastIndexByte(part, '"')+1:]
			given := strings.HasSuffix(key, "_translated") || portalLang(key) || strings.Contains(`delimiter required reference resource fields text`, key)
			if !given && i < strings.Count(written, `":`) && !strings.Contains(text, "`"+key+"`") {
				t.Errorf("%s does not tell of `%s`", name, key)
			}
		}
	}
}

func portalLang(key string) bool {
	_, err := portal.ParseLang(key)
	return err == nil
}
