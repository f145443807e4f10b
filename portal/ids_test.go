package portal_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

func TestIdentifiersHaveOneSpelling(t *testing.T) {
	p40, n59 := strings.Repeat("p", 40), strings.Repeat("n", 59)
	for _, good := range []string{"main_water", "a_b", "0_0", "stat-uz_doctors-by-region", p40 + "_" + n59} {
		id, err := portal.ParseDatasetID(good)
		if err != nil || string(id) != good || string(id.Publisher())+"_"+id.Name() != good {
			t.Errorf("%q: %q, %v", good, id, err)
		}
	}
	for _, bad := range []string{
		"", "main", "_", "main_", "_water", "Main_water", "main_Water", "main_water_2", "main_wa ter", "main_-a", "main_a-", "-a_b", "a-_b", "main_ў", "main_a/b", "main_..",
		"root_water", "targets_a", "snapshot_a", "timestamp_a", "seal_a", "talkback_a", "app_a", "con_a", "main_nul", "main_com0", "lpt9_a", p40 + "p_a", "a_" + n59 + "n", "main_a\x00",
	} {
		if id, err := portal.ParseDatasetID(bad); err == nil {
			t.Errorf("%q is read as %q", bad, id)
		}
	}
	if _, err := portal.ParseContactID("a.b"); err == nil {
		t.Error("a contact id has a dot")
	}
}

func TestDigestsAreReadInTheirTwoSpellings(t *testing.T) {
	d := portal.DigestOf([]byte("abc"))
	for _, s := range []string{d.Hex(), d.String()} {
		if got, err := portal.ParseDigest(s); got != d || err != nil {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, bad := range []string{"", "sha256:", d.Hex()[1:], d.Hex() + "0", strings.ToUpper(d.Hex()), "SHA256:" + d.Hex(), "sha256:sha256:" + d.Hex(), strings.Repeat("g", 64)} {
		if got, err := portal.ParseDigest(bad); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
	b, err := json.Marshal(d)
	var back portal.Digest
	if err != nil || json.Unmarshal(b, &back) != nil || back != d || d.Short() != d.Hex()[:16] || d.IsZero() || !(portal.Digest{}).IsZero() {
		t.Errorf("%s, %v, %v", b, err, back)
	}
}

func TestPortablePathsCanBeWrittenOnAStick(t *testing.T) {
	for _, good := range []string{"a", "a.csv", "data/Water_2024-1.tar.gz", "_a", "console.csv", "com10", "a/b/c", strings.Repeat("a", 100)} {
		if got, err := portal.ParsePath(good); got != good || err != nil {
			t.Errorf("%q: %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{
		"", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", ".hidden", "a/.b", "a.", "a./b", "a ", " a", "a b", "-rf", "a/-b", "a\\b", "C:a", "a:b", "a*", "a?", "a|b", "\"a\"", "<a>",
		"сув.csv", "é", "a\x00", "a\n", "con", "CON.txt", "a/Nul.csv", "Com1.tar.gz", "lpt0", "aux.", strings.Repeat("a", 101), "~a", "a%20b", "\xff",
	} {
		if got, err := portal.ParsePath(bad); err == nil {
			t.Errorf("%q is read as %q", bad, got)
		}
	}
}

func TestResourceNamesAreOnePartInSmallLetters(t *testing.T) {
	for _, good := range []string{"a", "table-1", "a.b_c"} {
		if got, err := portal.ParseResourceName(good); got != good || err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "A", "a/b", ".a", "a.", "nul", "a b", "-a", strings.Repeat("a", 101)} {
		if _, err := portal.ParseResourceName(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("data/a.csv")
	f.Add("../a")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := portal.ParsePath(s)
		if err != nil {
			return
		}
		if p != s || len(p) > portal.MaxPath || strings.Contains("/"+p+"/", "/../") || strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\\: ") {
			t.Fatalf("%q", p)
		}
	})
}

func TestDatesAreDaysThatExist(t *testing.T) {
	d, err := portal.ParseDate("2024-02-29")
	if err != nil || !d.Time().Equal(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)) || portal.DateOf(d.Time()) != d {
		t.Errorf("%v, %v", d, err)
	}
	for _, bad := range []string{"", "2023-02-29", "2024-2-29", "29.02.2024", "2024-02-29T00:00:00Z", "24-02-29"} {
		if got, err := portal.ParseDate(bad); err == nil {
			t.Errorf("%q is read as %q", bad, got)
		}
	}
	if tashkent := time.FixedZone("", 5*3600); portal.DateOf(time.Date(2026, 1, 1, 3, 0, 0, 0, tashkent).UTC()) != "2026-01-01" {
		t.Error("a day is not the day in Tashkent")
	}
	if !portal.Date("").Time().IsZero() {
		t.Error("no date has a time")
	}
}
