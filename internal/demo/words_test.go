package demo

import (
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"koprik/portal"
	"koprik/portal/lang"
)

// keptLatin are names that stay in Latin letters in Cyrillic text too: those of
// standards, formats, licences, addresses, and codes of these tables.
var keptLatin = regexp.MustCompile(`ISO 3166-2|SIAT|CC BY 4\.0|data\.gov\.uz|siat\.stat\.uz|XLSX|JSON|\bgirls\b|\bboys\b`)

// inCyrillic is what lang.ToCyrillic makes of s, but for the kept names.
func inCyrillic(s string) string {
	var b strings.Builder
	at := 0
	for _, place := range keptLatin.FindAllStringIndex(s, -1) {
		b.WriteString(lang.ToCyrillic(s[at:place[0]]))
		b.WriteString(s[place[0]:place[1]])
		at = place[1]
	}
	b.WriteString(lang.ToCyrillic(s[at:]))
	return b.String()
}

// eachName gives the names of places in the tables, with their language.
func eachName(t *testing.T, fn func(where string, l portal.Lang, text string, row map[string]string)) {
	t.Helper()
	endings := map[string]portal.Lang{"_uz": portal.Uzbek, "_uz_cyrl": portal.UzbekCyrillic, "_kaa": portal.Karakalpak, "_ru": portal.Russian, "_en": portal.English}
	eachFile(t, func(name string, _ []byte) {
		if path.Ext(name) != ".csv" {
			return
		}
		table := readCSV(t, files, name)
		for _, row := range table.rows {
			for _, column := range table.header {
				for ending, l := range endings {
					if strings.HasSuffix(column, ending) {
						fn(name+" "+column, l, row[column], row)
					}
				}
			}
		}
	})
}

func TestUzbekInCyrillicAgreesWithItsLatin(t *testing.T) {
	for _, r := range loaded(t) {
		for _, w := range wordings(r.draft) {
			if got, want := w.text.Translated[portal.UzbekCyrillic], inCyrillic(w.text.Translated[portal.Uzbek]); got != want {
				t.Errorf("%v: %s:\n got %s\nwant %s", r, w.where, got, want)
			}
		}
	}
	eachName(t, func(where string, l portal.Lang, text string, row map[string]string) {
		if l != portal.UzbekCyrillic {
			return
		}
		_, column, _ := strings.Cut(strings.TrimSuffix(where, "_cyrl"), " ")
		latin := row[column]
		if want := inCyrillic(latin); text != want {
			t.Errorf("%s: %q, and %q in Latin makes %q", where, text, latin, want)
		}
	})
}

// misspelt says what is wrong with the letters of a text of language l, or "".
// Uzbek has oʻ and gʻ with U+02BB and the tutuq belgisi U+02BC; Karakalpak has
// the letters of 2016; no word mixes alphabets.
func misspelt(l portal.Lang, text string) string {
	if strings.ContainsAny(text, "'`´‘’′") && l != portal.English {
		return "an apostrophe that is no letter"
	}
	var before rune
	for _, r := range text {
		switch {
		case r == 'ʻ' && !strings.ContainsRune("oOgG", before):
			return "U+02BB that follows neither o nor g"
		case r == 'ʼ' && strings.ContainsRune("oOgG", before):
			return "U+02BC after o or g"
		case unicode.Is(unicode.Cyrillic, r) && l != portal.Russian && l != portal.UzbekCyrillic:
			return "Cyrillic " + string(r)
		case l == portal.Karakalpak && unicode.IsLetter(r) && !strings.ContainsRune("aábcdefgǵhiıjklmnńoópqrstuúvwxyzʻ", karakalpakLower(r)):
			return "no letter of Karakalpak: " + string(r)
		}
		before = r
	}
	if l == portal.Russian || l == portal.UzbekCyrillic {
		text = keptLatin.ReplaceAllString(text, "")
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		latin, cyrillic := false, false
		for _, r := range word {
			latin = latin || unicode.Is(unicode.Latin, r)
			cyrillic = cyrillic || unicode.Is(unicode.Cyrillic, r)
		}
		if latin && cyrillic {
			return "two alphabets in " + word
		}
	}
	return ""
}

// karakalpakLower knows that Í is the capital of ı.
func karakalpakLower(r rune) rune {
	if r == 'Í' {
		return 'ı'
	}
	return unicode.ToLower(r)
}

func TestEveryTextIsWrittenInItsOwnLetters(t *testing.T) {
	for _, r := range loaded(t) {
		for _, w := range wordings(r.draft) {
			for l, s := range w.text.Translated {
				if wrong := misspelt(l, s); wrong != "" {
					t.Errorf("%v: %s in %s: %s in %q", r, w.where, l, wrong, s)
				}
			}
		}
		for _, k := range r.draft.Release.Keywords {
			if strings.ContainsAny(k, "'`´‘’′") {
				t.Errorf("%v: keyword %q", r, k)
			}
		}
	}
	eachName(t, func(where string, l portal.Lang, text string, _ map[string]string) {
		if wrong := misspelt(l, text); wrong != "" || text == "" {
			t.Errorf("%s: %q: %s", where, text, wrong)
		}
	})
}

// A code, and a name in any language, mean one place wherever they stand.
func TestAPlaceHasOneNameAndOneCode(t *testing.T) {
	known := map[string]string{}
	same := func(where, key, value string) {
		if before, ok := known[key]; ok && before != value {
			t.Errorf("%s: %s is %q here and %q elsewhere", where, key, value, before)
		}
		known[key] = value
	}
	eachFile(t, func(name string, _ []byte) {
		if path.Ext(name) != ".csv" {
			return
		}
		for _, row := range readCSV(t, files, name).rows {
			if row["soato"] == "" {
				continue // no table of places
			}
			code, iso := row["soato"], row["iso_code"]
			if _, district := row["district_uz"]; district {
				same(name, "ISO of "+row["region_soato"], row["region_iso_code"])
			} else {
				same(name, "ISO of "+code, iso)
				same(name, "SOATO of "+iso, code)
			}
			for _, column := range []string{"district_uz", "district_ru", "district_uz_cyrl"} {
				if row[column] != "" {
					same(name, column+" of "+code, row[column])
				}
			}
			for _, column := range []string{"region_uz", "region_ru", "region_en", "region_uz_cyrl", "region_kaa"} {
				key := row["region_soato"]
				if key == "" {
					key = code
				}
				if row[column] != "" {
					same(name, column+" of "+key, row[column])
				}
			}
		}
	})
}
