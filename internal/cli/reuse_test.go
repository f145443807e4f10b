package cli

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"koprik/internal/demo"
	"koprik/portal"
)

// TestAReuseWalksFromAnOfflineMirrorToTheCentreAndToAnyOther is the walk with
// processes: a mirror without a network takes a reuse, and is killed when the receipt
// is shown; a stick carries it; the centre looks at it; another mirror, which nothing
// but the stick has reached, shows it, and takes the check-in.
func TestAReuseWalksFromAnOfflineMirrorToTheCentreAndToAnyOther(t *testing.T) {
	dir := t.TempDir()
	central, kiosk, other, stick := filepath.Join(dir, "central"), filepath.Join(dir, "kiosk"), filepath.Join(dir, "other"), t.TempDir()
	koprik(t, "init", "--role", "central", "--title", "Markaz", "--contact", "desk@example.org", "--dir", central)
	koprik(t, "publish", writeRevision(t, filepath.Join(dir, "in"), 1)[2], "--dir", central)
	koprik(t, "reuse", "cohort", "suv-2026", "--title", "Suv xakatoni", "--day", "2025-05-01", "--entries", "20", "--dir", central)
	koprik(t, "inquiry", "send", "--dir", central)
	koprik(t, "export", "--to", stick, "--dir", central)
	for _, m := range []string{kiosk, other} {
		koprik(t, "init", "--role", "mirror", "--title", "Koʻzgu", "--upstream", "http://127.0.0.1:1/", "--trust", filepath.Join(central, "repository/metadata/1.root.json"), "--dir", m)
		koprik(t, "sync", "--from", stick, "--dir", m)
	}

	server := start(t, "serve", "--listen", "127.0.0.1:0", "--dir", kiosk)
	home := server.address(t)
	form := url.Values{
		"kind": {"application"}, "title": {"Quduqlar xaritasi"}, "summary": {"Yaqin quduqni topadi."}, "link": {"https://example.org/quduq"},
		"uses": {home + "/uz/dataset/main_wells"}, "by": {"Namuna"}, "consent": {"1"}, "cohort": {"suv-2026"}, "step": {"send"},
	}
	shown := page(t, home+"/uz/reuses/new", form)
	must(t, server.Process.Kill())
	_ = server.Wait()
	code := regexp.MustCompile(`[0-9A-Z]{5}(-[0-9A-Z]{5}){3}`).FindString(shown)
	if code == "" {
		t.Fatalf("no receipt: %s", shown)
	}

	koprik(t, "sync", "--from", stick, "--dir", kiosk)
	koprik(t, "sync", "--from", stick, "--dir", central)
	var list struct {
		Reuses []struct {
			ID, Title, Moderation, Public string
			Uses                          []portal.ReuseSource
		}
	}
	must(t, json.Unmarshal(koprik(t, "reuse", "list", "--waiting", "--json", "--dir", central), &list))
	if len(list.Reuses) != 1 || list.Reuses[0].Title != "Quduqlar xaritasi" || list.Reuses[0].Uses[0].Dataset != "main_wells" {
		t.Fatalf("%+v", list)
	}
	if got := koprik(t, "inquiry", "list", "--dir", central); strings.Contains(string(got), list.Reuses[0].ID[:8]) {
		t.Errorf("a reuse stands among the questions: %s", got)
	}
	koprik(t, "reuse", "publish", list.Reuses[0].ID[:8], "--dir", central)
	koprik(t, "inquiry", "send", "--dir", central)
	koprik(t, "export", "--to", stick, "--dir", central)
	must(t, json.Unmarshal(koprik(t, "reuse", "list", "--json", "--dir", central), &list))
	public := list.Reuses[0].Public

	koprik(t, "sync", "--from", stick, "--dir", other)
	away := start(t, "serve", "--listen", "127.0.0.1:0", "--dir", other).address(t)
	for address, want := range map[string]string{
		"/ru/reuses": "Quduqlar xaritasi", "/en/reuses": "of 20 alive", "/ru/dataset/main_wells": public, "/uz/search?q=quduqni": public,
		"/api/v1/reuses?dataset=main_wells": public, "/feeds/uz/reuses.atom": public,
	} {
		if got := page(t, away+address, nil); !strings.Contains(got, want) {
			t.Errorf("%s lacks %q: %s", address, want, got)
		}
	}
	if got := page(t, away+"/uz/receipt", url.Values{"code": {code}}); !strings.Contains(got, public) {
		t.Errorf("the receipt opens: %s", got)
	}
	page(t, away+"/uz/reuses/"+public, url.Values{"code": {strings.ToLower(code)}, "state": {"adopter"}})
	if got := koprik(t, "search", "quduqni", "--json", "--dir", central); !strings.Contains(string(got), public) {
		t.Errorf("search: %s", got)
	}
}

func TestTheDemonstrationShowsReusesThatSayTheyAreExamples(t *testing.T) {
	names := map[portal.DatasetID]bool{}
	for _, p := range demo.Packages() {
		names[portal.DatasetID(string(demo.Publisher)+"_"+p.Name)] = true
	}
	for _, r := range demo.Reuses() {
		if err := r.Details.Validate(); err != nil {
			t.Error(err)
		}
		for l, mark := range map[portal.Lang]string{portal.Uzbek: "misol", portal.Karakalpak: "mısal", portal.Russian: "пример", portal.English: "example"} {
			if !strings.Contains(r.Details.Title.Translated[l], mark) {
				t.Errorf("%s: %q does not say that it is an example", l, r.Details.Title.Translated[l])
			}
		}
		if slices.ContainsFunc(r.Details.Uses, func(s portal.ReuseSource) bool { return !names[s.Dataset] }) {
			t.Errorf("%+v: a dataset is not there", r.Details.Uses)
		}
	}
}
