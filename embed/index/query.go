package index

import (
	"strings"
	"unicode"

	"koprik/portal"
	"koprik/portal/lang"
)

// The limits of one query besides those of package portal (guarantee 5).
const (
	maxTerms  = 32  // words of a query; the rest is not searched
	maxValues = 100 // values of all filters together
)

// clause is one word or one phrase of a query.
type clause struct {
	words   []string // as typed; more than one, or a quoted one, is a phrase
	phrase  bool
	exclude bool
}

// parse reads a query's text: words, "phrases" in any quotes, and either with a
// minus before it. It never refuses: what makes no sense is searched as words,
// and what is beyond the limits is not searched.
func parse(text string) []clause {
	rs := []rune(text)
	if len(rs) > portal.MaxQueryText {
		rs = rs[:portal.MaxQueryText]
	}
	var clauses []clause
	terms := 0
	add := func(s string, phrase, exclude bool) {
		words := lang.Tokens(s)
		words = words[:min(len(words), maxTerms-terms)]
		terms += len(words)
		if phrase && len(words) > 0 {
			clauses = append(clauses, clause{words, true, exclude})
			return
		}
		for _, w := range words {
			clauses = append(clauses, clause{[]string{w}, false, exclude})
		}
	}
	for i := 0; i < len(rs); {
		if unicode.IsSpace(rs[i]) {
			i++
			continue
		}
		exclude := false
		if isMinus(rs[i]) && i+1 < len(rs) && !unicode.IsSpace(rs[i+1]) {
			exclude = true
			i++
		}
		if closing := quotes[rs[i]]; closing != "" {
			if end := indexAny(rs[i+1:], closing); end >= 0 {
				add(string(rs[i+1:i+1+end]), true, exclude)
				i += end + 2
				continue
			}
		}
		end := i + 1
		for end < len(rs) && !unicode.IsSpace(rs[end]) && (quotes[rs[end]] == "" || end == i) {
			end++
		}
		add(string(rs[i:end]), false, exclude)
		i = end
	}
	return clauses
}

func isMinus(r rune) bool { return r == '-' || r == '\u2212' || r == '\u2013' }

// quotes are the opening quotes, each with what may close it.
var quotes = map[rune]string{'"': "\"", '\u201C': "\u201D\u201C\"", '\u201E': "\u201C\u201D\"", '\u00AB': "\u00BB"}

func indexAny(rs []rune, chars string) int {
	for i, r := range rs {
		if strings.ContainsRune(chars, r) {
			return i
		}
	}
	return -1
}

// term is one term to look for in one field.
type term struct {
	field string
	text  string
	boost float64
}

// The boosts. A word in the title as it is spelt counts most; a stem in the
// description least.
const (
	boostStrict    = 8
	boostTitle     = 4
	boostTitleStem = 1.5
	boostBody      = 1
	boostBodyStem  = 0.3
	boostWhole     = 20
	boostOwn       = 1.5 // of stems of the reader's own language
)

// termsOf gives the terms of one word of a query, any of which will do.
func termsOf(word string, reader portal.Lang) []term {
	t := analyse(word, "")
	terms := []term{{fieldTitle, t.strict, boostStrict}, {fieldTitles, t.loose, boostTitle}, {fieldBody, t.loose, boostBody}}
	if loose := cut(lang.FoldLooseIn(portal.Karakalpak, word)); loose != t.loose { // ў may be w
		strict := cut(lang.FoldIn(portal.Karakalpak, word))
		terms = append(terms, term{fieldTitle, strict, boostStrict}, term{fieldTitles, loose, boostTitle}, term{fieldBody, loose, boostBody})
	}
	for _, s := range t.stems {
		own := 1.0
		if s.family == familyOf(reader) {
			own = boostOwn
		}
		terms = append(terms, term{fieldTitles, s.term, own * boostTitleStem}, term{fieldBody, s.term, own * boostBodyStem})
	}
	for i := 0; i < len(terms); {
		if terms[i].text == "" {
			terms = append(terms[:i], terms[i+1:]...)
			continue
		}
		i++
	}
	return terms
}

func familyOf(l portal.Lang) byte {
	switch l {
	case portal.Uzbek, portal.UzbekCyrillic, portal.Karakalpak:
		return turkic
	case portal.Russian:
		return russian
	case portal.English:
		return english
	}
	return 0
}

// looseWords gives the loose keys of a phrase's words.
func looseWords(words []string, l portal.Lang) []string {
	var keys []string
	for _, w := range words {
		if key := cut(lang.FoldLooseIn(l, w)); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
