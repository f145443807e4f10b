package index

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/lang"
)

// Limits of suggestions and spelling (guarantee 5).
const (
	minPrefix      = 2    // letters
	maxSuggestions = 8    //
	maxPrefixTerms = 4000 // words looked at for one prefix, in all segments together
	maxNearTerms   = 2000 // words looked at for one misspelt word
	minNearLetters = 4    // of a word that is corrected
	maxCorrected   = 3    // words of one query
	maxTried       = 6    // words of one query for which a near one is looked for
)

func dateOf(unix uint32) string { return time.Unix(int64(unix), 0).UTC().Format(time.DateOnly) }

// suggest completes the last word of a query by words of titles.
func suggest(ctx context.Context, v *view, q portal.Query) (portal.Results, error) {
	results := portal.Results{Facets: noFacets()}
	text := []rune(q.Text)
	if len(text) > portal.MaxQueryText {
		text = text[:portal.MaxQueryText]
	}
	head, last := lastWord(string(text))
	key := lang.FoldLoose(last)
	if utf8.RuneCountInString(key) < minPrefix || strings.Contains(key, " ") {
		return results, nil
	}
	found, err := spellings(ctx, v, key)
	if err != nil {
		return results, err
	}
	cyrillic := strings.ContainsFunc(last, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
	best := map[string]spelling{} // by key: the most frequent spelling in the script of the query
	for _, s := range found {
		old, ok := best[s.key]
		if same := s.cyrillic == cyrillic; !ok || same && old.cyrillic != cyrillic || same == (old.cyrillic == cyrillic) && s.n > old.n {
			best[s.key] = s
		}
	}
	list := make([]spelling, 0, len(best))
	for _, s := range best {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b spelling) int {
		return cmp.Or(-compareBool(a.cyrillic == cyrillic, b.cyrillic == cyrillic), cmp.Compare(b.n, a.n), cmp.Compare(a.word, b.word))
	})
	for _, s := range list[:min(len(list), maxSuggestions)] {
		results.Suggestions = append(results.Suggestions, head+s.word)
	}
	return results, nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// lastWord parts a text before its last word.
func lastWord(text string) (head, last string) {
	words := lang.Tokens(text)
	if len(words) == 0 {
		return text, ""
	}
	last = words[len(words)-1]
	at := strings.LastIndex(text, last)
	if strings.ContainsFunc(text[at+len(last):], unicode.IsSpace) {
		return text, "" // a space is after it: the next word has not begun
	}
	return text[:at], last
}

// spelling is a word of titles.
type spelling struct {
	key, word string
	n         int // datasets
	cyrillic  bool
}

// spellings gives the words of titles whose keys begin with prefix.
func spellings(ctx context.Context, v *view, prefix string) ([]spelling, error) {
	n := map[string]int{}
	segments := v.snapshot.Segments()
	for _, s := range segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d, err := s.Segment().Dictionary(fieldWords)
		if err != nil {
			return nil, err
		}
		it := d.AutomatonIterator(nil, []byte(prefix), after(prefix))
		for range max(maxPrefixTerms/len(segments), 100) {
			e, err := it.Next()
			if err != nil {
				return nil, err
			}
			if e == nil {
				break
			}
			n[e.Term] += int(e.Count)
		}
	}
	out := make([]spelling, 0, len(n))
	for term, count := range n {
		key, word, _ := strings.Cut(term, "\x00")
		cyrillic := strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
		out = append(out, spelling{key, word, count, cyrillic})
	}
	slices.SortFunc(out, func(a, b spelling) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.word, b.word)) })
	return out, nil
}

// after is the first key after all that begin with prefix.
func after(prefix string) []byte {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xFF {
			b[i]++
			return b[:i+1]
		}
	}
	return nil
}

// didYouMean gives the query with every word that stands nowhere replaced by
// the nearest that does; "" when there is none or all were found.
func (s *search) didYouMean() (string, error) {
	text, corrected, tried := s.query.Text, 0, 0
	for i := range s.plan.words {
		w := &s.plan.words[i]
		if !w.typed || w.df > 0 || s.plan.stoodIn(i) || corrected == maxCorrected || tried == maxTried {
			continue
		}
		tried++
		near, err := s.near(w.raw)
		if err != nil {
			return "", err
		}
		if near != "" {
			text = strings.Replace(text, w.raw, near, 1)
			corrected++
		}
	}
	if corrected == 0 {
		return "", nil
	}
	return text, nil
}

// near finds the most frequent word of titles within one letter of a word, or
// within two where it has eight letters and more.
func (s *search) near(raw string) (string, error) {
	key := cut(lang.FoldLoose(raw))
	n := utf8.RuneCountInString(key)
	if n < minNearLetters || strings.ContainsFunc(key, unicode.IsDigit) {
		return "", nil
	}
	for distance := 1; distance <= 2 && (distance == 1 || n >= 6); distance++ {
		dict, err := s.view.snapshot.FieldDictFuzzy(fieldTitles, key, distance, key[:1])
		if err != nil {
			return "", err
		}
		best, most := "", 0
		for range maxNearTerms {
			e, err := dict.Next()
			if err != nil {
				return "", err
			}
			if e == nil {
				break
			}
			if isStem(e.Term) || strings.HasPrefix(e.Term, "=") || neutral[e.Term] {
				continue
			}
			count, err := s.count(fieldTitles, e.Term)
			if err != nil {
				return "", err
			}
			if count > most {
				best, most = e.Term, count
			}
		}
		if err := dict.Close(); err != nil {
			return "", err
		}
		if best != "" {
			return s.spelt(best, raw)
		}
	}
	return "", nil
}

// count tells how many documents have a term.
func (s *search) count(field, text string) (n int, err error) {
	for _, p := range s.parts {
		if err := s.ctx.Err(); err != nil {
			return 0, err
		}
		d, err := p.dict(field)
		if err != nil {
			return 0, err
		}
		f, err := postingOf(d, text, p.n)
		if err != nil {
			return 0, err
		}
		n += f.n
	}
	return n, nil
}

// spelt gives a word by its loose key as titles spell it, in the script of like.
func (s *search) spelt(key, like string) (string, error) {
	found, err := spellings(s.ctx, s.view, key+"\x00")
	if err != nil || len(found) == 0 {
		return key, err
	}
	cyrillic := strings.ContainsFunc(like, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
	for _, f := range found {
		if f.cyrillic == cyrillic {
			return f.word, nil
		}
	}
	return found[0].word, nil
}
