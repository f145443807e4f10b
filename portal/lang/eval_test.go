package lang

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"koprik/internal/sharedtest"
	"koprik/portal"
)

// The evaluation is docs/reference/language.md, "Measured"; `make eval-text
// DATA=<folder>` runs it and prints the table. Without DATA it runs over the
// shared data and holds the goals.

// tuned are the treebanks by which the rules were written. Every other one
// under uz-text is for testing.
var tuned = map[string]bool{"ud-uzudt": true}

// evalData finds the folder that is laid out as ../shared/data.
func evalData(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("KOPRIK_EVAL_DATA"); dir != "" {
		return filepath.Join(dir, "uz-text")
	}
	return sharedtest.Path(t, "data/uz-text")
}

func TestEvalText(t *testing.T) {
	dir := evalData(t)
	fmt.Printf("%-52s %9s %8s\n", "two scripts", "tokens", "alike")
	for _, suffix := range []string{"LongText.txt", "Text.txt"} {
		evalScripts(t, filepath.Join(dir, "lotin-kirill", "fixtures"), suffix)
	}
	banks, err := filepath.Glob(filepath.Join(dir, "ud-*", "*.conllu"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%-52s %-12s %6s %6s %6s %6s\n", "stemming", "method", "tokens", "P", "R", "F1")
	for _, path := range banks {
		evalTreebank(t, path)
	}
	evalParadigms(t, filepath.Join(dir, "unimorph-uzb"))
}

func evalScripts(t *testing.T, dir, suffix string) {
	if _, err := os.Stat(filepath.Join(dir, "latin"+suffix)); err != nil {
		fmt.Printf("%s is not there\n", filepath.Join(dir, "latin"+suffix))
		return
	}
	pairs := parallelText(t, dir, suffix)
	for _, m := range []struct {
		name  string
		least float64
		holds func(pair) bool
	}{
		{"folding, strict", .998, func(p pair) bool { return Fold(p.cyrillic) == Fold(p.latin) }},
		{"folding, loose", .998, func(p pair) bool { return FoldLoose(p.cyrillic) == FoldLoose(p.latin) }},
		{"Latin from Cyrillic", .995, func(p pair) bool { return ToLatin(p.cyrillic) == ToLatin(p.latin) }},
		{"round trip Latin, Cyrillic, Latin", .995, func(p pair) bool { return ToLatin(ToCyrillic(p.latin)) == ToLatin(p.latin) }},
		{"stems in both scripts", .995, func(p pair) bool { return Stem(p.cyrillic) == Stem(p.latin) }},
	} {
		n := 0
		for _, p := range pairs {
			if m.holds(p) {
				n++
			}
		}
		got := float64(n) / float64(len(pairs))
		fmt.Printf("%-52s %9d %7.2f%%\n", m.name+" ("+suffix+")", len(pairs), 100*got)
		if got < m.least {
			t.Errorf("%s %s: %.4f, want %.4f", suffix, m.name, got, m.least)
		}
	}
}

// occurrence is one word of a treebank with its lemma.
type occurrence struct{ form, lemma, pos string }

// treebank reads the words of a CoNLL-U file that have a lemma.
func treebank(t *testing.T, path string) []occurrence {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []occurrence
	for line := range strings.Lines(string(b)) {
		cell := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(cell) < 4 || strings.ContainsAny(cell[0], "-.#") || cell[2] == "_" {
			continue
		}
		out = append(out, occurrence{cell[1], cell[2], cell[3]})
	}
	return out
}

// unlemmatised tells whether nearly every lemma is the form itself, as in the
// test file of UzUDT.
func unlemmatised(words []occurrence) bool {
	same := 0
	for _, w := range words {
		if plainForm(w.form) == plainForm(w.lemma) {
			same++
		}
	}
	return same*10 > len(words)*9
}

var (
	nouns         = map[string]bool{"NOUN": true, "PROPN": true}
	nounsAndVerbs = map[string]bool{"NOUN": true, "PROPN": true, "VERB": true}
)

// plainForm is a word as it is spelt but for case and the kind of apostrophe.
func plainForm(s string) string {
	return strings.Map(func(r rune) rune {
		if isApostrophe(r) {
			return '\''
		}
		return unicode.ToLower(r)
	}, s)
}

func firstFive(s string) string {
	rs := []rune(plainForm(s))
	return string(rs[:min(5, len(rs))])
}

// pairwise compares every two words of a kind: they should have one key where
// they have one lemma. Lemmas are compared as they are spelt, infinitives
// without -moq.
func pairwise(words []occurrence, kinds map[string]bool, key func(string) string) (n int, p, r, f float64) {
	type both struct{ key, lemma string }
	byKey, byLemma, byBoth := map[string]float64{}, map[string]float64{}, map[both]float64{}
	for _, w := range words {
		if !kinds[w.pos] {
			continue
		}
		n++
		k, l := key(w.form), plainForm(w.lemma)
		if w.pos == "VERB" {
			l = strings.TrimSuffix(l, "moq")
		}
		byKey[k]++
		byLemma[l]++
		byBoth[both{k, l}]++
	}
	p = pairs(byBoth) / max(pairs(byKey), 1)
	r = pairs(byBoth) / max(pairs(byLemma), 1)
	return n, p, r, 2 * p * r / max(p+r, 1e-9)
}

func pairs[K comparable](groups map[K]float64) (sum float64) {
	for _, n := range groups {
		sum += n * (n - 1) / 2
	}
	return sum
}

func evalTreebank(t *testing.T, path string) {
	words := treebank(t, path)
	bank := filepath.Base(filepath.Dir(path))
	use := "for testing"
	if tuned[bank] {
		use = "tuned by"
	}
	name := filepath.Base(path) + ", " + use
	if unlemmatised(words) {
		fmt.Printf("%-52s its lemmas are the forms: nothing to measure\n", filepath.Base(path))
		return
	}
	for _, m := range []struct {
		kind, method string
		kinds        map[string]bool
		key          func(string) string
	}{
		{"nouns", "none", nouns, plainForm},
		{"nouns", "five letters", nouns, firstFive},
		{"nouns", "StemNoun", nouns, StemNoun},
		{"nouns", "Stem", nouns, Stem},
		{"nouns and verbs", "none", nounsAndVerbs, plainForm},
		{"nouns and verbs", "five letters", nounsAndVerbs, firstFive},
		{"nouns and verbs", "Stem", nounsAndVerbs, Stem},
	} {
		n, p, r, f := pairwise(words, m.kinds, m.key)
		fmt.Printf("%-52s %-12s %6d %6.3f %6.3f %6.3f\n", name+", "+m.kind, m.method, n, p, r, f)
		if strings.HasSuffix(path, "uz_uzudt-ud-train.conllu") && m.method == "StemNoun" && f < .72 {
			t.Errorf("%s: F1 %.3f, want .72", name, f)
		}
	}
}

// evalParadigms takes the word forms of UniMorph as a treebank in which every
// form stands once. They were looked at: what they showed to be missing from the
// tables was added.
func evalParadigms(t *testing.T, dir string) {
	for name, pos := range map[string]string{"uzb": "NOUN", "uzb_verbs": "VERB"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			fmt.Printf("unimorph-uzb/%s is not there\n", name)
			continue
		}
		var words []occurrence
		seen := map[occurrence]bool{}
		for line := range strings.Lines(string(b)) {
			cell := strings.Split(line, "\t")
			if len(cell) < 2 || strings.Contains(cell[1], " ") || strings.Contains(cell[0], " ") {
				continue
			}
			if w := (occurrence{cell[1], cell[0], pos}); !seen[w] {
				seen[w] = true
				words = append(words, w)
			}
		}
		for _, m := range []struct {
			method string
			key    func(string) string
		}{{"none", plainForm}, {"five letters", firstFive}, {"Stem", Stem}} {
			n, p, r, f := pairwise(words, map[string]bool{pos: true}, m.key)
			fmt.Printf("%-52s %-12s %6d %6.3f %6.3f %6.3f\n", "unimorph-uzb/"+name+", looked at", m.method, n, p, r, f)
		}
	}
}

// A stemmer that makes one word of many would score well above. So: how many
// dictionary nouns share their stem with another.
func TestFewDictionaryNounsShareAStem(t *testing.T) {
	b, err := os.ReadFile(sharedtest.Path(t, "data/uz-text/apertium-uzb-vocab/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	byStem, n := map[string]map[string]bool{}, 0
	for line := range strings.Lines(string(b)) {
		cell := strings.Split(line, ",")
		if len(cell) < 3 || cell[1] != "N1" || strings.ContainsAny(cell[0], " -") {
			continue
		}
		stem := StemNounIn(portal.Uzbek, cell[0])
		if byStem[stem] == nil {
			byStem[stem] = map[string]bool{}
		}
		byStem[stem][Fold(cell[0])] = true
		n++
	}
	shared := 0
	for _, words := range byStem {
		if len(words) > 1 {
			shared += len(words)
		}
	}
	t.Logf("%d of %d nouns of a vocabulary share their stem with another", shared, n)
	if share := float64(shared) / float64(n); share > .03 {
		t.Errorf("%.4f share their stem, want at most .03", share)
	}
}
