// Package period reads the spans of time that tables are about: years, halves,
// quarters and months, as offices write them in five languages, and days.
//
//	2026   2026-yil   2026 год   2025/2026   y2026
//	2026-H1   1-yarim yillik 2026   I полугодие 2026 г.
//	2026-Q1   2026Q1   2026 I chorak   1 квартал 2026
//	2026-01   2026-M01 (the М also Cyrillic)   01.2026   yanvar 2026   январь 2026 г.
//	2026-01-31   31.01.2026
//
// Everything here is a pure function of its arguments.
package period

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
	"koprik/portal/lang"
)

// Period is a span of time. Part counts halves, quarters or months from 1.
type Period struct {
	Kind string // portal.KindYear, KindHalf, KindQuarter, KindMonth or KindDate
	Year int
	Part int // of a day: its month
	Day  int
}

// String is the one spelling of a period: 2026, 2026-H1, 2026-Q1, 2026-01,
// 2026-01-31. Periods of one kind sort by it.
func (p Period) String() string {
	switch p.Kind {
	case portal.KindHalf:
		return fmt.Sprintf("%04d-H%d", p.Year, p.Part)
	case portal.KindQuarter:
		return fmt.Sprintf("%04d-Q%d", p.Year, p.Part)
	case portal.KindMonth:
		return fmt.Sprintf("%04d-%02d", p.Year, p.Part)
	case portal.KindDate:
		return fmt.Sprintf("%04d-%02d-%02d", p.Year, p.Part, p.Day)
	}
	return fmt.Sprintf("%04d", p.Year)
}

// Start is the first day.
func (p Period) Start() time.Time {
	month, day := 1, 1
	switch p.Kind {
	case portal.KindHalf:
		month = 6*p.Part - 5
	case portal.KindQuarter:
		month = 3*p.Part - 2
	case portal.KindMonth:
		month = p.Part
	case portal.KindDate:
		month, day = p.Part, p.Day
	}
	return time.Date(p.Year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// maxText is longer than any period as people write it.
const maxText = 60

// Parse reads a whole text as a period. Years are from 1800 to 2200. A school
// year, "2025/2026", is the year in which it begins.
func Parse(s string) (Period, bool) {
	if len(s) > maxText {
		return Period{}, false
	}
	words := split(s)
	p, rest := read(words)
	return p, p.Year != 0 && len(rest) == 0
}

// In finds the one period that a label names, and gives the label's other words:
// "population_2025", "jan_sep_2022" has none, for it is no period of one kind.
func In(label string) (p Period, rest []string, ok bool) {
	if len(label) > 300 {
		return p, nil, false
	}
	p, rest = read(split(label))
	for _, w := range rest {
		if months[w] != 0 || isYear(w) {
			return Period{}, nil, false // from January to September; two years
		}
	}
	return p, rest, p.Year != 0
}

// Span reads two days with a dash between, the second of which may be open:
// 26.07.2024 — 23.03.2025, 24.03.2025 — …; to is then the zero value.
func Span(s string) (from, to Period, ok bool) {
	if len(s) > 2*maxText {
		return from, to, false
	}
	for _, dash := range []string{"—", "–", " - "} {
		a, b, found := strings.Cut(s, dash)
		if !found {
			continue
		}
		from, ok = Parse(a)
		if !ok || from.Kind != portal.KindDate {
			return Period{}, Period{}, false
		}
		if b = strings.Trim(b, " .…"); b == "" {
			return from, Period{}, true
		}
		to, ok = Parse(b)
		return from, to, ok && to.Kind == portal.KindDate && !to.Start().Before(from.Start())
	}
	return from, to, false
}

// split makes words of letters and words of digits, folded.
func split(s string) []string {
	var words []string
	var word strings.Builder
	digits := false
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range lang.FoldLoose(spaced(s)) {
		if r == ' ' || r == '-' || r == '\'' {
			flush()
			continue
		}
		if isDigit := '0' <= r && r <= '9'; isDigit != digits {
			flush()
			digits = isDigit
		}
		word.WriteRune(r)
	}
	flush()
	return words
}

// spaced puts spaces for marks, before folding drops them: 2025/2026, y_2026,
// and between letters and digits, so that the look-alike in "2026-М01" is a word
// of its own.
func spaced(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '/', '_', '.', ',', ':', '(', ')', '–', '—', '‑', '\u00a0', '"':
			return ' '
		}
		return r
	}, s)
}

func isYear(w string) bool { return len(w) == 4 && w >= "1800" && w <= "2200" && digitsOnly(w) }

func digitsOnly(w string) bool {
	for i := 0; i < len(w); i++ {
		if w[i] < '0' || w[i] > '9' {
			return false
		}
	}
	return w != ""
}

// words beside a period that only say what it is.
var (
	yearWords    = set("yil", "yili", "yillik", "yilda", "god", "goda", "g", "gg", "year", "y", "jil", "jili", "jilgi", "fy", "oʻquv", "учебный", "school", "oqıw")
	halfWords    = set("h", "yarim", "polugodie", "half", "yarimyillik", "s", "polugodiya")
	quarterWords = set("q", "chorak", "choragi", "kvartal", "quarter", "kv", "sherek", "k")
	monthWords   = set("m", "oy", "oyi", "mesyac", "mesyats", "month", "ay")
	roman        = map[string]int{"i": 1, "ii": 2, "iii": 3, "iv": 4}
	months       = monthNames()
)

func set(words ...string) map[string]bool {
	m := map[string]bool{}
	for _, w := range words {
		m[lang.FoldLoose(w)] = true
	}
	return m
}

func monthNames() map[string]int {
	m := map[string]int{}
	for i, names := range [12]string{
		"yanvar yanvarya январь января january jan янв yanvarı",
		"fevral февраль февраля february feb фев fev",
		"mart март марта march mar мар",
		"aprel апрель апреля april apr апр",
		"may май мая",
		"iyun июнь июня june jun июн",
		"iyul июль июля july jul июл",
		"avgust август августа august aug авг avg",
		"sentabr sentyabr сентябрь сентября september sep sept сен sen",
		"oktabr oktyabr октябрь октября october oct окт okt",
		"noyabr ноябрь ноября november nov ноя noy",
		"dekabr декабрь декабря december dec дек dek",
	} {
		for n := range strings.FieldsSeq(names) {
			m[lang.FoldLoose(n)] = i + 1
		}
	}
	return m
}

// read takes the period out of words.
func read(words []string) (p Period, rest []string) {
	year := -1
	for i, w := range words {
		if isYear(w) {
			year = i
			break
		}
	}
	if year < 0 {
		return p, words
	}
	p.Year, _ = strconv.Atoi(words[year]) // four digits
	p.Kind = portal.KindYear
	before, after := words[:year:year], words[year+1:]
	if len(after) > 0 && isYear(after[0]) {
		if next, _ := strconv.Atoi(after[0]); next == p.Year+1 {
			after = after[1:] // a school year
		}
	} else if len(after) == 1 && len(after[0]) == 2 && len(before) == 0 && after[0] == fmt.Sprintf("%02d", (p.Year+1)%100) && p.Year%100 >= 12 {
		after = nil // 2025-26: no month has that number
	}
	others := append(before, after...)
	if p.day(before, after) {
		return p, nil
	}
	if len(after) == 2 && p.day(nil, after) { // hospitals_2021_01_01
		return p, before
	}
	return p, p.part(others)
}

// day reads 2026-01-31 and 31.01.2026.
func (p *Period) day(before, after []string) bool {
	month, day := "", ""
	switch {
	case len(before) == 0 && len(after) == 2:
		month, day = after[0], after[1]
	case len(before) == 2 && len(after) == 0:
		day, month = before[0], before[1]
	default:
		return false
	}
	if len(month) != 2 || len(day) != 2 || !digitsOnly(month) || !digitsOnly(day) {
		return false
	}
	t, err := time.Parse(time.DateOnly, fmt.Sprintf("%04d-%s-%s", p.Year, month, day))
	if err != nil {
		return false
	}
	p.Kind, p.Part, p.Day = portal.KindDate, int(t.Month()), t.Day()
	return true
}

// part reads what of the year is meant, and gives the words that say nothing of it.
func (p *Period) part(words []string) (rest []string) {
	number, kind := 0, ""
	var numbers []string
	for _, w := range words {
		switch {
		case months[w] != 0 && kind == "":
			kind, number = portal.KindMonth, months[w]
		case quarterWords[w] && kind == "":
			kind = portal.KindQuarter
		case halfWords[w] && kind == "":
			kind = portal.KindHalf
		case monthWords[w] && kind == "":
			kind = portal.KindMonth
		case yearWords[w]:
		case roman[w] != 0, digitsOnly(w) && len(w) <= 2:
			numbers = append(numbers, w)
		default:
			rest = append(rest, w)
		}
	}
	if number == 0 && len(numbers) == 1 {
		if number = roman[numbers[0]]; number == 0 {
			number, _ = strconv.Atoi(numbers[0]) // at most two digits
		}
		if kind == "" && len(numbers[0]) == 2 && len(rest) == 0 {
			kind = portal.KindMonth // 2026-01, 01.2026
		}
		numbers = nil
	}
	limit := map[string]int{portal.KindHalf: 2, portal.KindQuarter: 4, portal.KindMonth: 12}[kind]
	if kind == "" && number == 0 && len(numbers) == 0 {
		return rest
	}
	if limit == 0 || number < 1 || number > limit || len(numbers) > 0 {
		return words // something else stands beside the year
	}
	p.Kind, p.Part = kind, number
	return rest
}
