package site

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/portal/period"
)

// An answer is one cell of a signed table, found by the words of a search: "what",
// "where" and "when". It is shown only when the words name it: every word stands
// in the table's names, in a place, a time or a sex, and exactly one cell is
// left. Nothing in it is computed.

// asked is a search read as a question.
type asked struct {
	period period.Period
	timed  bool
	sex    string // portal.SexFemale, SexMale; "" where the words name none
	kind   string // of the place: "region", "district", "city"; "" where no word says
	words  []word // the other words, without those that say nothing
}

// answerBox is the answer above the hits; the struct of the template "answer".
type answerBox struct {
	Figure   figure
	Release  string // "Release 2, 23 November 2026"
	Said     Link   // who answers for it: the passport
	ChartURL string
	Drawing  *drawing // the place over time, where the table has that
}

// Limits of answering one search.
const (
	answerHits  = 3    // datasets tried, the best first
	answerRows  = 4000 // of a table
	answerWords = 12
)

// answerTo finds the number that a search asks for; nil when it asks for none or
// none is sure.
func (v *visit) answerTo(text string, datasets []portal.Dataset) *answerBox {
	q, ok := readAsked(text)
	if !ok {
		return nil
	}
	var first *found
	for _, d := range datasets[:min(len(datasets), answerHits)] {
		if d.Latest.Withdrawn != nil || d.Suspended {
			continue
		}
		for _, r := range d.Latest.Resources {
			f := v.answerIn(q, d, r)
			if f == nil {
				continue
			}
			if q.kind != "" || f.place < 0 || f.inCity() {
				return v.answerBox(*f)
			}
			if first == nil {
				first = f // of a region; a city of that name comes before it, in whatever table
			}
		}
	}
	if first == nil {
		return nil
	}
	return v.answerBox(*first)
}

// oneYear finds years in a search.
var oneYear = regexp.MustCompile(`\b(19|20)\d\d\b`)

// readAsked splits a search into what, where, when and whom. ok is false when it
// names no time, no sex and too many words, or nothing at all.
func readAsked(text string) (q asked, ok bool) {
	if utf8.RuneCountInString(text) > 200 || strings.ContainsAny(text, `":`) {
		return q, false
	}
	q.period, _, q.timed = period.In(text)
	if years := oneYear.FindAllString(text, 2); len(years) > 1 && !strings.ContainsAny(text, "/-–") {
		return q, false // two years, and not a school's
	}
	for _, word := range lang.Tokens(text) {
		lower := strings.ToLower(word)
		for beginning, kind := range placeKinds {
			if strings.HasPrefix(lower, beginning) {
				q.kind = kind
			}
		}
		switch sex := sexNamed(lower); {
		case silent[lower] || q.timed && isPartOfPeriod(lower):
		case sex != "":
			if q.sex != "" && q.sex != sex {
				return q, false // women and men: no one number
			}
			q.sex = sex
		default:
			q.words = append(q.words, wordOf(lower))
		}
	}
	return q, len(q.words) > 0 && len(q.words) <= answerWords
}

func isPartOfPeriod(word string) bool {
	p, rest, ok := period.In(word)
	return ok && p.Year != 0 && len(rest) == 0 || periodWords[word]
}

func setOf(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// silent words ask and do not name.
var silent = setOf("bor bormi бор bar есть is there does have qancha nechta necha nechtadir қанча нечта неча qansha neshe сколько how many much what is of in the by for at on и в во на по за у va ва hám boʻyicha бўйича boyınsha " +
	"soni сони sanı число количество number count son viloyati viloyatida viloyat вилояти вилоятида область области region oblast wálayatı tumani tumanida тумани район района district shahri shahrida шаҳри город городе города city qalası respublikasi республика республики respublikası")

// placeKinds are beginnings of words that say which of two places is meant.
var placeKinds = map[string]string{
	"viloyat": "region", "вилоят": "region", "област": "region", "oblast": "region", "region": "region", "wálayat": "region",
	"tuman": "district", "туман": "district", "район": "district", "district": "district",
	"shahar": "city", "shahri": "city", "шаҳар": "city", "шаҳри": "city", "город": "city", "city": "city", "qala": "city",
}

// periodWords stand beside a year.
var periodWords = setOf("yil yilda yili yilgi йил йилда йили год года году г year jıl jılı jılda chorak чорак квартал sherek quarter yarim yillik")

// sexNamed is the sex that a text names; "" for none or both.
func sexNamed(text string) string {
	sex, _ := lang.SexOf(strings.Fields(lang.FoldLoose(text)))
	return sex
}

// word is one in lower case with what it is compared by.
type word struct{ text, key, stem string }

func wordOf(text string) word {
	return word{text: text, key: lang.Fold(text), stem: lang.Stem(text)}
}

// is tells whether b, of a reader, is a form of a word in a name: by the stem, or
// by a long common beginning with short endings (Russian: Самаркандская, Самарканде).
func (a word) is(b word) bool {
	if a.text == b.text || a.key == b.key || a.stem == b.stem {
		return true
	}
	x, y := []rune(a.text), []rune(b.text)
	if !unicode.Is(unicode.Cyrillic, x[0]) || !unicode.Is(unicode.Cyrillic, y[0]) {
		return false
	}
	x, y = []rune(bareAdjective(a.text)), []rune(bareAdjective(b.text))
	common := 0
	for common < len(x) && common < len(y) && x[common] == y[common] {
		common++
	}
	return common >= 4 && len(x)-common <= 2 && len(y)-common <= 3 && 3*common >= 2*max(len(x), len(y))
}

// bareAdjective takes the ending off a Russian adjective of a place: Самаркандской.
func bareAdjective(word string) string {
	for _, suffix := range []string{"инск", "ск"} {
		for _, ending := range []string{"ая", "ий", "ой", "ую", "ого", "ому", "ом"} {
			if cut, ok := strings.CutSuffix(word, suffix+ending); ok {
				return cut
			}
		}
	}
	return word
}
