package lang

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"koprik/portal"
)

var seeds = []string{
	"Oʻzbekiston aholisi soni", "Ўзбекистон аҳолиси сони", "O'zbekiston", "Aндижон", "2026-М01", "Исҳоқ", "ЁЗУВ ШАҲАР",
	"Qaraqalpaqstan xalqı", "şahar çoy ōzbek toğ", "con", "\u200b\u00ad", "İIıi", "g\u0303", "а\u0301", "ʼʻ'`´", "ﬁ ²", "",
}

// FuzzFold holds the promises of the two keys on any bytes.
func FuzzFold(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		strict, loose := Fold(s), FoldLoose(s)
		if again := Fold(strict); again != strict {
			t.Errorf("Fold(%q) = %q, folded again %q", s, strict, again)
		}
		if again := FoldLoose(loose); again != loose {
			t.Errorf("FoldLoose(%q) = %q, folded again %q", s, loose, again)
		}
		if from := FoldLoose(strict); from != loose {
			t.Errorf("FoldLoose(%q) = %q, of its strict key %q", s, loose, from)
		}
		if !utf8.ValidString(strict) || strings.ContainsFunc(strict, func(r rune) bool { return r != ' ' && unicode.IsSpace(r) }) {
			t.Errorf("Fold(%q) = %q", s, strict)
		}
		for _, w := range Tokens(s) {
			if w == "" || !strings.Contains(s, w) {
				t.Errorf("Tokens(%q) has %q", s, w)
			}
		}
	})
}

// FuzzSlug holds that a slug is one that portal accepts, whatever the title.
func FuzzSlug(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		slug := Slug(s)
		if slug == "" {
			for _, r := range s {
				if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'а' <= r && r <= 'щ' {
					t.Errorf("Slug(%q) is empty", s)
				}
			}
			return
		}
		if _, err := portal.NewDatasetID("main", slug); err != nil {
			t.Errorf("Slug(%q): %v", s, err)
		}
		if again := Slug(slug); again != slug {
			t.Errorf("Slug(%q) = %q, of which the slug is %q", s, slug, again)
		}
	})
}

// FuzzTransliterate holds that no text breaks the writers, and that where no
// apostrophe stands loose and nothing is an address, one pass is enough.
func FuzzTransliterate(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		latin, cyrillic := ToLatin(s), ToCyrillic(s)
		if !utf8.ValidString(s) || strings.ContainsFunc(s, isApostrophe) || strings.ContainsAny(s, "@:.") {
			return
		}
		if again := ToLatin(latin); again != latin {
			t.Errorf("ToLatin(%q) = %q, again %q", s, latin, again)
		}
		if again := ToCyrillic(cyrillic); again != cyrillic {
			t.Errorf("ToCyrillic(%q) = %q, again %q", s, cyrillic, again)
		}
	})
}
