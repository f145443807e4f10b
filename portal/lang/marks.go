package lang

import "strings"

// Marks gives the byte ranges of the words of text that one of words finds, in
// order: the same word in any script and spelling, or another form of it. Pages
// mark these in a hit; words are those of portal.Hit.
func Marks(text string, words []string) [][2]int {
	keys, stems := map[string]bool{}, map[string]bool{}
	for _, w := range words {
		for _, raw := range Tokens(w) {
			keys[FoldLoose(raw)] = true
			if stem := FoldLoose(Stem(raw)); len(stem) > 2 {
				stems[stem] = true
			}
		}
	}
	delete(keys, "")
	var marks [][2]int
	eachWord(text, func(start, end int) {
		raw := text[start:end]
		if keys[FoldLoose(raw)] || stems[FoldLoose(Stem(raw))] {
			marks = append(marks, [2]int{start, end})
		}
	})
	return marks
}

// Marked gives text with before and after around every word that words find; for
// what is not a page.
func Marked(text string, words []string, before, after string) string {
	var b strings.Builder
	done := 0
	for _, m := range Marks(text, words) {
		b.WriteString(text[done:m[0]] + before + text[m[0]:m[1]] + after)
		done = m[1]
	}
	b.WriteString(text[done:])
	return b.String()
}
