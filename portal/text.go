package portal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Lang is a language of the portal as BCP 47 writes it.
type Lang string

// The five orthographies. Karakalpak is in the Latin letters of 2016.
const (
	Uzbek         Lang = "uz"
	UzbekCyrillic Lang = "uz-Cyrl"
	Karakalpak    Lang = "kaa"
	Russian       Lang = "ru"
	English       Lang = "en"
)

// Langs are all languages in the order in which people are offered them.
var Langs = []Lang{Uzbek, UzbekCyrillic, Karakalpak, Russian, English}

// ParseLang accepts the tag and its spelling in addresses ("uz-cyrl").
func ParseLang(s string) (Lang, error) {
	for _, l := range Langs {
		if strings.EqualFold(s, string(l)) {
			return l, nil
		}
	}
	return "", fmt.Errorf("language %q: must be one of uz, uz-cyrl, kaa, ru, en", s)
}

// Path is the language as addresses spell it: lower case.
func (l Lang) Path() string { return strings.ToLower(string(l)) }

// Text is a short text in several languages. In a manifest it is a plain
// string with a sibling "…_translated" (DESIGN.md, "The release manifest").
// Plain may be in a language nobody named; the translations say theirs.
type Text struct {
	Plain      string
	Translated map[Lang]string
}

// PlainText is a text in one unnamed language.
func PlainText(s string) Text { return Text{Plain: s} }

// IsZero tells whether there is no text in any language.
func (t Text) IsZero() bool { return t.Plain == "" && len(t.Translated) == 0 }

// fallbacks says, for each language, what its readers read most easily next.
var fallbacks = map[Lang][]Lang{
	Uzbek:         {Uzbek, UzbekCyrillic, Karakalpak, Russian, English},
	UzbekCyrillic: {UzbekCyrillic, Uzbek, Russian, Karakalpak, English},
	Karakalpak:    {Karakalpak, Uzbek, UzbekCyrillic, Russian, English},
	Russian:       {Russian, UzbekCyrillic, Uzbek, English, Karakalpak},
	English:       {English, Russian, Uzbek, UzbekCyrillic, Karakalpak},
}

// In gives the text for a reader of lang and the language it is really in
// ("" when that is unknown). It is never empty unless the text is.
func (t Text) In(lang Lang) (string, Lang) {
	if s := t.Translated[lang]; s != "" {
		return s, lang
	}
	for _, l := range fallbacks[lang] {
		s := t.Translated[l]
		if s == "" {
			continue
		}
		if t.Plain != "" && !t.knows(t.Plain) {
			break // the plain text is the original; a translation into a third language is farther away
		}
		return s, l
	}
	if t.Plain != "" {
		return t.Plain, t.langOf(t.Plain)
	}
	for _, l := range slices.Sorted(maps.Keys(t.Translated)) {
		if s := t.Translated[l]; s != "" {
			return s, l
		}
	}
	return "", ""
}

func (t Text) knows(s string) bool { return t.langOf(s) != "" }

func (t Text) langOf(s string) Lang {
	for _, l := range Langs {
		if t.Translated[l] == s {
			return l
		}
	}
	return ""
}

// All gives every distinct wording, the plain one first.
func (t Text) All() []string {
	var all []string
	if t.Plain != "" {
		all = append(all, t.Plain)
	}
	for _, l := range slices.Sorted(maps.Keys(t.Translated)) {
		if s := t.Translated[l]; s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// Equal compares wording by wording.
func (t Text) Equal(u Text) bool { return t.Plain == u.Plain && maps.Equal(t.Translated, u.Translated) }
