package lang

import (
	"strconv"
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

// FuzzStem holds that stems are made of the word's own folded letters, are
// alike in any case and script of it, and hardly longer.
func FuzzStem(f *testing.F) {
	for _, s := range append(seeds, "kitoblarimizdan", "qilmayotganligi", "шаҳридагилар", "mektepleriniń", "onamning", "di", "imlar") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range []portal.Lang{portal.Uzbek, portal.Karakalpak} {
			folded := FoldIn(l, s)
			for _, stem := range []func(portal.Lang, string) string{StemIn, StemNounIn} {
				got := stem(l, s)
				if strings.Count(got, " ") != strings.Count(folded, " ") || len(got) > len(folded)+3*(1+strings.Count(folded, " ")) {
					t.Errorf("stem of %q is %q", s, got)
				}
				if again := stem(l, folded); l == portal.Uzbek && again != got {
					t.Errorf("stem of %q is %q, of its key %q", s, got, again)
				}
				if !utf8.ValidString(got) || folded != "" && got == "" {
					t.Errorf("stem of %q is %q", s, got)
				}
			}
		}
	})
}

// FuzzSortKey holds that a key depends on the words alone and orders numbers by
// value.
func FuzzSortKey(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, uint32(i), uint32(i*7919))
	}
	f.Fuzz(func(t *testing.T, s string, m, n uint32) {
		for _, l := range portal.Langs {
			if a, b := SortKey(l, s), SortKey(l, "  "+s+" "); a != b {
				t.Errorf("%s: SortKey(%q) = %q, with spaces around %q", l, s, a, b)
			}
			a, b := SortKey(l, strconv.FormatUint(uint64(m), 10)), SortKey(l, strconv.FormatUint(uint64(n), 10))
			if (m < n) != (a < b) {
				t.Errorf("%s: %d and %d have %q and %q", l, m, n, a, b)
			}
		}
	})
}

// FuzzBounds holds how much longer a text may become, in characters, and that
// Mend changes letters and never their number.
func FuzzBounds(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := utf8.RuneCountInString(s)
		if got := ToLatin(s); utf8.RuneCountInString(got) > 2*n+2 {
			t.Errorf("ToLatin(%q) = %q", s, got)
		}
		if got := ToCyrillic(s); utf8.RuneCountInString(got) > 2*n+2 {
			t.Errorf("ToCyrillic(%q) = %q", s, got)
		}
		if got := Mend(s); utf8.ValidString(s) && utf8.RuneCountInString(got) != n {
			t.Errorf("Mend(%q) = %q", s, got)
		}
		if got := Fold(s); utf8.RuneCountInString(got) > 18*n+2 { // U+FDFA alone is 18 letters
			t.Errorf("Fold(%q) = %q", s, got)
		}
		if again := Mend(Mend(s)); again != Mend(s) {
			t.Errorf("Mend(%q) = %q, again %q", s, Mend(s), again)
		}
	})
}
