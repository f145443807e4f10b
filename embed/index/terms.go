package index

import (
	"slices"
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
	// key is the loose key by which regions and parts of the whole are known,
	// whatever the language; telling says that it may name one.
	key     string
	telling bool
}

// stem is a term that stands for all forms of a word in one family of
// languages. Families have a letter and a colon before the term, so that stems
// of one never meet words or stems of another.
type stem struct {
	family byte
	term   string
}

// bare is the stem without its family: the loose key of a word that is its own
// stem. Such a word is indexed once, as it is; that is a third of all terms, and
// who looks for a stem looks for the word too.
func (s stem) bare() string { return s.term[2:] }

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
	remembered map[portal.Lang]*vocabulary
	n          int      // words in the young halves
	raws       []string // of the text being read; used anew for each
	keys       []string // likewise
}

// vocabulary is what is remembered of one language in two halves: when the
// young one is full it becomes the old one, and what was not asked for since is
// forgotten.
type vocabulary struct{ young, old map[string]*token }

// maxRemembered is after how many words the young halves become the old ones.
const maxRemembered = 20_000

func newAnalyser() *analyser { return &analyser{remembered: map[portal.Lang]*vocabulary{}} }

// forget lets go of what was remembered.
func (a *analyser) forget() { *a = *newAnalyser() }

// of gives the vocabulary of a language.
func (a *analyser) of(l portal.Lang) *vocabulary {
	v := a.remembered[l]
	if v == nil {
		v = &vocabulary{young: map[string]*token{}}
		a.remembered[l] = v
	}
	return v
}

// analyse is the function of that name, remembered in v, the vocabulary of l.
// Nobody may change what it gives.
func (a *analyser) analyse(v *vocabulary, raw string, l portal.Lang) *token {
	t := v.young[raw]
	if t != nil {
		return t
	}
	if t = v.old[raw]; t == nil {
		made := analyse(raw, l)
		made.key = made.loose
		if l == portal.Karakalpak {
			made.key = lang.FoldLoose(raw)
		}
		made.telling = isTelling(made.key)
		made.stems = slices.DeleteFunc(made.stems, func(s stem) bool { return s.bare() == made.loose })
		t = &made
	}
	if a.n++; a.n > maxRemembered {
		a.n = 1
		for _, each := range a.remembered {
			each.young, each.old = map[string]*token{}, each.young
		}
	}
	v.young[strings.Clone(raw)] = t
	return t
}

// words gives the loose keys of the words of a text in no known language, and
// whether any of them may name a region or a part of the whole. The keys are good
// until the next text.
func (a *analyser) words(text string) (keys []string, telling bool) {
	v := a.of("")
	a.raws, a.keys = lang.AppendTokens(a.raws[:0], text), a.keys[:0]
	for _, raw := range a.raws {
		telling = a.note(a.analyse(v, raw, "")) || telling
	}
	return a.keys, telling
}

// note adds the key of a word to those of the text being read.
func (a *analyser) note(t *token) (telling bool) {
	if t.key == "" {
		return false
	}
	a.keys = append(a.keys, t.key)
	return t.telling
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
