package lang

import (
	"strings"
	"testing"

	"koprik/portal"
)

func TestWordsForWomenAndMenAreKnownInFiveOrthographies(t *testing.T) {
	for text, want := range map[string]string{
		"Ayollar": portal.SexFemale, "аёллар": portal.SexFemale, "ayollarning": portal.SexFemale, "Hayallar": portal.SexFemale, "Женщины": portal.SexFemale,
		"women": portal.SexFemale, "Qiz bolalar": portal.SexFemale, "девочек": portal.SexFemale, "xotin-qizlar": portal.SexFemale,
		"Erkaklar": portal.SexMale, "эркаклар": portal.SexMale, "Erkekler": portal.SexMale, "мужчины": portal.SexMale, "men": portal.SexMale,
		"oʻgʻil bolalar": portal.SexMale, "O'gil": portal.SexMale, "мальчики": portal.SexMale,
		"": "", "aholi": "", "women and men": "", "mentor": "", "Xorazm": "",
	} {
		keys := strings.Fields(strings.ReplaceAll(FoldLoose(text), "-", " "))
		if got, _ := SexOf(keys); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if _, rest := SexOf([]string{FoldLoose("ayollar"), "soni", FoldLoose("aholi")}); len(rest) != 1 || rest[0] != "soni" {
		t.Errorf("beside it stands %q", rest)
	}
}
