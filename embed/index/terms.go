package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/ru"
	"github.com/blevesearch/bleve/v2/analysis/token/porter"

	"koprik/portal"
	"koprik/portal/lang"
)

// token is one word as it is indexed or looked for.
type token struct {
	strict, loose string
	stems         []stem
}

// stem is a term that stands for all forms of a word in one family of
// languages. Families have a letter and a colon before the term, so that stems
// of one never meet words or stems of another.
type stem struct {
	family byte
	term   string
}

// The families.
const (
	turkic  = 'u' // Uzbek: endings of lang.Stem
	kipchak = 'k' // Karakalpak: endings of lang.StemIn
	russian = 'r' // Snowball
	english = 'e' // Porter
)

// minStem is the length of the shortest word that is stemmed.
const minStem = 3

// maxTerm bounds a term, bytes. What is longer is no word.
const maxTerm = 80

// analyser remembers what it made of words: the words of a catalogue repeat.
// One goroutine uses it at a time.
type analyser struct {
	tokens map[rawWord]token
	keys   map[string]keyed
}

// keyed is the loose key of a word, and whether it may name a region or a part
// of the whole.
type keyed struct {
	key     string
	telling bool
}

type rawWord struct {
	text string
	lang portal.Lang
}

// maxRemembered is after how many words an analyser begins anew.
const maxRemembered = 20_000

func newAnalyser() *analyser { return &analyser{map[rawWord]token{}, map[string]keyed{}} }

// analyse is the function of that name, remembered.
func (a *analyser) analyse(raw string, l portal.Lang) token {
	if t, ok := a.tokens[rawWord{raw, l}]; ok {
		return t
	}
	if len(a.tokens) >= maxRemembered {
		clear(a.tokens)
	}
	t := analyse(raw, l)
	a.tokens[rawWord{strings.Clone(raw), l}] = t
	return t
}

// words gives the loose keys of the words of a text, and whether any of them may
// name a region or a part of the whole.
func (a *analyser) words(text string) (keys []string, telling bool) {
	for _, raw := range lang.Tokens(text) {
		k, ok := a.keys[raw]
		if !ok {
			if len(a.keys) >= maxRemembered {
				clear(a.keys)
			}
			k.key = lang.FoldLoose(raw)
			k.telling = isTelling(k.key)
			a.keys[strings.Clone(raw)] = k
		}
		if k.key != "" {
			keys = append(keys, k.key)
			telling = telling || k.telling
		}
	}
	return keys, telling
}

// analyse gives the terms of one word of a language; of every language that its
// script allows when the language is not known ("").
func analyse(raw string, l portal.Lang) token {
	t := token{strict: cut(lang.FoldIn(l, raw)), loose: cut(lang.FoldLooseIn(l, raw))}
	letters := 0
	cyrillic, ascii := true, true
	for _, r := range raw {
		if unicode.IsLetter(r) {
			letters++
			cyrillic = cyrillic && unicode.Is(unicode.Cyrillic, r)
			ascii = ascii && r < utf8.RuneSelf
		}
	}
	if letters < minStem {
		return t
	}
	switch l {
	case portal.Russian:
		t.addRussian(raw)
	case portal.English:
		t.addEnglish(raw)
	case portal.Uzbek, portal.UzbekCyrillic:
		t.addUzbek(raw)
	case portal.Karakalpak:
		t.addKarakalpak(raw)
	default:
		t.addUzbek(raw)
		if cyrillic {
			t.addRussian(raw)
		}
		if ascii {
			t.addEnglish(raw)
		}
	}
	return t
}

func (t *token) addUzbek(raw string) { t.add(turkic, lang.FoldLoose(lang.Stem(raw))) }

func (t *token) addKarakalpak(raw string) {
	t.add(kipchak, lang.FoldLoose(lang.StemIn(portal.Karakalpak, raw)))
}

func (t *token) addRussian(raw string) {
	word := strings.ReplaceAll(strings.ToLower(raw), "ё", "е")
	t.add(russian, lang.FoldLoose(filter(ru.NewRussianStemmerFilter(), word)))
}

func (t *token) addEnglish(raw string) {
	t.add(english, filter(porter.NewPorterStemmer(), strings.ToLower(raw)))
}

func (t *token) add(family byte, term string) {
	if term != "" {
		t.stems = append(t.stems, stem{family, string(rune(family)) + ":" + cut(term)})
	}
}

func isStem(term string) bool { return len(term) > 1 && term[1] == ':' }

// filter runs one of Bleve's token filters over one word.
func filter(f analysis.TokenFilter, word string) string {
	out := f.Filter(analysis.TokenStream{{Term: []byte(word)}})
	if len(out) == 0 {
		return ""
	}
	return string(out[0].Term)
}

func cut(term string) string {
	if len(term) <= maxTerm {
		return term
	}
	end := maxTerm
	for end > 0 && !utf8.RuneStart(term[end]) {
		end--
	}
	return term[:end]
}
