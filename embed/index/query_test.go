package index

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"koprik/portal"
)

func TestParseReadsWordsPhrasesAndExclusions(t *testing.T) {
	word := func(w string) clause { return clause{words: []string{w}} }
	not := func(w string) clause { return clause{words: []string{w}, exclude: true} }
	phrase := func(ws ...string) clause { return clause{words: ws, phrase: true} }
	for in, want := range map[string][]clause{
		"":                         nil,
		"  \t ":                    nil,
		"aholi soni":               {word("aholi"), word("soni")},
		"ota-ona":                  {word("ota"), word("ona")},
		"aholi -soni":              {word("aholi"), not("soni")},
		"- soni -":                 {word("soni")},
		`"aholi soni" 2020`:        {phrase("aholi", "soni"), word("2020")},
		`-"aholi soni"`:            {{words: []string{"aholi", "soni"}, phrase: true, exclude: true}},
		"«aholi soni» “a b” „c d“": {phrase("aholi", "soni"), phrase("a", "b"), phrase("c", "d")},
		`"aholi soni`:              {word("aholi"), word("soni")},
		`aholi"soni bor"`:          {word("aholi"), phrase("soni", "bor")},
		`""`:                       nil,
		"o'g'il":                   {word("o'g'il")},
		"title:x +y (z OR w)*":     {word("title"), word("x"), word("y"), word("z"), word("OR"), word("w")},
	} {
		if got, _ := parse(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
}

// FuzzParse holds the limits of guarantee 5 on any text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"aholi -soni", `"a b" c`, `-"`, "«", "ўў", "\xff\"\xff", strings.Repeat("a ", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, terms := 0, 0
		clauses, _ := parse(s)
		for _, c := range clauses {
			words += len(c.words)
			if len(c.words) == 0 || !c.phrase && len(c.words) != 1 {
				t.Errorf("%q: clause %+v", s, c)
			}
			for _, w := range c.words {
				for _, term := range termsOf(w, portal.Uzbek) {
					terms++
					if term.text == "" || len(term.text) > maxTerm+2 || !utf8.ValidString(term.text) {
						t.Errorf("%q: term %q", s, term.text)
					}
				}
			}
		}
		if words > maxTerms || terms > 16*maxTerms {
			t.Errorf("%q: %d words, %d terms", s, words, terms)
		}
	})
}

func TestStemsOfOneFamilyNeverMeetAnother(t *testing.T) {
	families := map[byte]bool{}
	for _, l := range append([]portal.Lang{""}, portal.Langs...) {
		for _, w := range []string{"населения", "aholisining", "populations", "мектеплер"} {
			for _, s := range analyse(w, l).stems {
				families[s.family] = true
				if !strings.HasPrefix(s.term, string(rune(s.family))+":") || !isStem(s.term) {
					t.Errorf("%q in %q: %+v", w, l, s)
				}
			}
		}
	}
	if len(families) != 4 {
		t.Errorf("families %v", families)
	}
	for _, w := range []string{"ab", "2024", ""} {
		if s := analyse(w, "").stems; len(s) != 0 {
			t.Errorf("%q: %v", w, s)
		}
	}
}
