package index

import (
	"slices"
	"testing"

	"koprik/portal"
	places "koprik/portal/region"
)

// TestTheBeginningsOfRegionsAgreeWithTheListOfPlaces holds the two tables of
// regions together: every name that the list has in any language is read as its
// code here, in its forms too.
func TestTheBeginningsOfRegionsAgreeWithTheListOfPlaces(t *testing.T) {
	n := 0
	for _, p := range places.All() {
		if p.ISO == "" || p.ISO == "UZ" {
			continue
		}
		n++
		for _, l := range portal.Langs {
			name := p.Name.Translated[l]
			if name == "" {
				continue
			}
			if got := slices.Compact(regionsIn(name)); !slices.Equal(got, []string{p.ISO}) {
				t.Errorf("%s %q: %q, want %s", l, name, got, p.ISO)
			}
			if got := regionCode(name); got != p.ISO {
				t.Errorf("region:%q is %s, want %s", name, got, p.ISO)
			}
		}
	}
	if n != 14 {
		t.Errorf("%d regions, want 14", n)
	}
	for text, want := range map[string]string{
		"Самаркандской области": "UZ-SA", "andijonliklar": "UZ-AN", "в Ташкентской области": "UZ-TO", "Toshkentda": "UZ-TK", "Хорезмда": "UZ-XO",
	} {
		if got := regionsIn(text); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: %q, want %s", text, got, want)
		}
	}
}
