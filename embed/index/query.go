package index

import (
	"slices"
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

// parse reads a query's text: words, "phrases" in any quotes, either with a
// minus before it, and field words ("year:2020"), which are conditions. It never
// refuses: what makes no sense is searched as words, and what is beyond the
// limits is not searched.
func parse(text string) (clauses []clause, conditions []condition) {
	rs := []rune(text)
	if len(rs) > portal.MaxQueryText {
		rs = rs[:portal.MaxQueryText]
	}
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
		if s, next, ok := quoted(rs, i); ok {
			add(s, true, exclude)
			i = next
			continue
		}
		if c, next, ok := fieldWord(rs, i); ok && len(conditions) < maxTerms {
			c.not = exclude
			conditions = append(conditions, c)
			i = next
			continue
		}
		end := wordEnd(rs, i)
		add(string(rs[i:end]), false, exclude)
		i = end
	}
	return clauses, conditions
}

// quoted reads what stands in quotes at i.
func quoted(rs []rune, i int) (s string, next int, ok bool) {
	if i >= len(rs) || quotes[rs[i]] == "" {
		return "", i, false
	}
	end := indexAny(rs[i+1:], quotes[rs[i]])
	if end < 0 {
		return "", i, false
	}
	return string(rs[i+1 : i+1+end]), i + end + 2, true
}

// wordEnd finds the space or the quote that ends what stands at i.
func wordEnd(rs []rune, i int) int {
	end := i + 1
	for end < len(rs) && !unicode.IsSpace(rs[end]) && quotes[rs[end]] == "" {
		end++
	}
	return end
}

// fieldNames are the names of field words by their loose keys, in the languages
// of the pages.
var fieldNames = map[string]portal.Facet{
	"publisher": portal.FacetPublisher, "nashr": portal.FacetPublisher, "tashkilot": portal.FacetPublisher, "izdatel": portal.FacetPublisher,
	"theme": portal.FacetTheme, "topic": portal.FacetTheme, "mavzu": portal.FacetTheme, "tema": portal.FacetTheme,
	"region": portal.FacetRegion, "hudud": portal.FacetRegion, "viloyat": portal.FacetRegion, "oblast": portal.FacetRegion, "aymaq": portal.FacetRegion,
	"year": portal.FacetYear, "yil": portal.FacetYear, "god": portal.FacetYear, "jil": portal.FacetYear,
	"format": portal.FacetFormat,
}

// fieldWord reads "name:value" or name:"value" at i.
func fieldWord(rs []rune, i int) (c condition, next int, ok bool) {
	end := wordEnd(rs, i)
	colon := slices.Index(rs[i:end], ':')
	if colon < 1 {
		return c, i, false
	}
	facet, known := fieldNames[lang.FoldLoose(string(rs[i:i+colon]))]
	value := string(rs[i+colon+1 : end])
	if value == "" {
		if s, after, found := quoted(rs, end); found {
			value, end = s, after
		}
	}
	value = strings.ToLower(strings.TrimSpace(value))
	if !known || value == "" {
		return c, i, false
	}
	c = condition{facet: facet, values: []string{value}}
	switch facet {
	case portal.FacetRegion:
		c.values[0] = regionCode(value)
	case portal.FacetYear:
		if years := yearsIn(strings.ReplaceAll(value, "..", "-")); len(years) > 0 {
			c.values = years
		}
	case portal.FacetFormat:
		c.values[0] = strings.TrimPrefix(value, ".")
	case portal.FacetPublisher:
		c.part = true
	}
	return c, end, true
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
	stem  bool // stands for other forms of the word than the one that was typed
}

// The boosts. A word in the title as it is spelt counts most; a stem in the
// description least.
const (
	boostStrict    = 0.2 // so little that a phone typist's first hit is the same
	boostTitle     = 4
	boostTitleStem = 1.5
	boostBody      = 0.6
	boostBodyStem  = 0.3
	boostWhole     = 1e4  // of a query that is a whole title
	boostSynonym   = 0.4  // of what stands for a word of the query
	boostOwn       = 1.05 // of stems of the reader's own language
)

// termsOf gives the terms of one word of a query, any of which will do.
func termsOf(word string, reader portal.Lang) []term {
	t := analyse(word, "")
	if len(t.stems) > 0 {
		t.addKarakalpak(word)
	}
	terms := spelt(t.strict, t.loose)
	if loose := cut(lang.FoldLooseIn(portal.Karakalpak, word)); loose != t.loose { // ў may be w
		terms = append(terms, spelt(cut(lang.FoldIn(portal.Karakalpak, word)), loose)...)
	}
	for _, s := range t.stems {
		own := 1.0
		if s.family == familyOf(reader) {
			own = boostOwn
		}
		terms = append(terms, term{fieldTitles, s.term, own * boostTitleStem, true}, term{fieldBody, s.term, own * boostBodyStem, true})
		if bare := s.bare(); len(bare) >= minStem || s.family == turkic || s.family == kipchak { // ИНН is no "in"
			terms = addBare(terms, bare, own)
		}
	}
	return slices.DeleteFunc(terms, func(t term) bool { return t.text == "" })
}

// maxUnkeyed is how many letters of a word keyboardTerms takes for others.
const maxUnkeyed = 4

// keyboardTerms gives what a word may be that stands nowhere as it was typed: a
// Russian keyboard has no ў and no қ, and who has no other types у and к
// (узбекистон, кишлок, ukuvchi). They count as forms of a word do.
func keyboardTerms(word string) (terms []term) {
	spellings := [][]byte{nil}
	for _, letter := range []byte(lang.FoldLoose(word)) {
		other := map[byte]byte{'u': 'o', 'k': 'q'}[letter]
		n := len(spellings)
		for i := range n {
			if other != 0 && n < 1<<maxUnkeyed {
				spellings = append(spellings, append(slices.Clone(spellings[i]), other))
			}
			spellings[i] = append(spellings[i], letter)
		}
	}
	for _, spelling := range spellings[1:] {
		t := token{loose: cut(string(spelling))}
		t.addUzbek(t.loose)
		t.addKarakalpak(t.loose)
		terms = append(terms, term{fieldTitles, t.loose, boostTitleStem, true}, term{fieldBody, t.loose, boostBodyStem, true})
		for _, s := range t.stems {
			terms = append(terms, term{fieldTitles, s.term, boostTitleStem, true}, term{fieldBody, s.term, boostBodyStem, true})
			terms = addBare(terms, s.bare(), 1)
		}
	}
	return terms
}

// spelt gives the terms of a word as it is spelt.
func spelt(strict, loose string) []term {
	return []term{{fieldTitle, strict, boostStrict, false}, {fieldTitles, loose, boostTitle, false}, {fieldBody, loose, boostBody, false}}
}

// addBare adds the word that is its own stem, and is therefore indexed without
// one: as a term, or as so much more of the term that stands there already.
func addBare(terms []term, bare string, own float64) []term {
	for _, t := range []term{{fieldTitles, bare, own * boostTitleStem, true}, {fieldBody, bare, own * boostBodyStem, true}} {
		i := slices.IndexFunc(terms, func(old term) bool { return old.field == t.field && old.text == t.text })
		switch {
		case i < 0:
			terms = append(terms, t)
		case terms[i].stem:
			terms[i].boost = max(terms[i].boost, t.boost)
		case t.field == fieldTitles:
			terms[i].boost = max(terms[i].boost, boostTitle+t.boost)
		default:
			terms[i].boost = max(terms[i].boost, boostBody+t.boost)
		}
	}
	return terms
}

func familyOf(l portal.Lang) byte {
	switch l {
	case portal.Uzbek, portal.UzbekCyrillic:
		return turkic
	case portal.Karakalpak:
		return kipchak
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
