package datapackage

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"koprik/portal"
	"koprik/portal/lang"
)

// periodWords are the words in which offices say how often data is renewed, in
// English, Russian and Uzbek. Uzbek in Cyrillic letters folds to the Latin word.
var periodWords = map[portal.Periodicity][]string{
	portal.Daily:      {"daily", "every day", "kunlik", "har kuni", "ежедневно", "ежедневный", "ежедневная", "ежедневные"},
	portal.Weekly:     {"weekly", "every week", "haftalik", "har hafta", "еженедельно", "еженедельный", "еженедельная", "еженедельные"},
	portal.Monthly:    {"monthly", "every month", "oylik", "har oy", "har oyda", "ежемесячно", "ежемесячный", "ежемесячная", "ежемесячные", "месячная"},
	portal.Quarterly:  {"quarterly", "every quarter", "choraklik", "har chorak", "har chorakda", "ежеквартально", "ежеквартальный", "ежеквартальная", "ежеквартальные", "квартальный", "квартальная"},
	portal.Semiannual: {"semiannual", "semi-annual", "half-yearly", "twice a year", "yarim yillik", "yarimyillik", "раз в полгода", "полугодовой", "полугодовая", "полугодовые"},
	portal.Annual:     {"annual", "annually", "yearly", "every year", "yillik", "har yili", "har yil", "ежегодно", "ежегодный", "ежегодная", "ежегодные", "годовой", "годовая"},
	portal.Irregular:  {"irregular", "as needed", "nomuntazam", "muntazam emas", "zaruratga koʻra", "нерегулярно", "нерегулярный", "по мере необходимости"},
	portal.Never:      {"never", "once", "bir marta", "bir martalik", "разово", "однократно", "не обновляется", "yangilanmaydi"},
}

// ParsePeriodicity reads how often data is renewed, in English, Russian or
// Uzbek of either script: "annual", "ежегодный", "yillik", "йиллик".
func ParsePeriodicity(s string) (portal.Periodicity, error) {
	key := squash(s)
	for _, p := range portal.Periodicities {
		for _, w := range periodWords[p] {
			if key == squash(w) {
				return p, nil
			}
		}
	}
	words := make([]string, len(portal.Periodicities))
	for i, p := range portal.Periodicities {
		words[i] = string(p)
	}
	return "", fmt.Errorf("%.60q is no periodicity: must be one of %s", s, strings.Join(words, ", "))
}

// squash folds scripts, apostrophes and case, and drops all but letters and digits.
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, lang.Fold(s))
}

// months are beginnings of folded month names: Uzbek and Russian, then English.
var months = [12][]string{
	{"yanv", "jan"},
	{"fev", "feb"},
	{"mar"},
	{"apr"},
	{"may"},
	{"iyun", "jun"},
	{"iyul", "jul"},
	{"avg", "aug"},
	{"sen", "sep"},
	{"okt", "oct"},
	{"noy", "nov"},
	{"dek", "dec"},
}

// yearWords may stand in a date beside its day, month and year.
var yearWords = map[string]bool{"g": true, "god": true, "goda": true, "yil": true, "yili": true, "y": true, "kun": true, "kuni": true}

// ParseDay reads a day as people write it: 2026-01-31, 31.01.2026,
// 31 January 2026, 31 января 2026 г., 2026-yil 31-yanvar. Days between slashes
// are refused: nobody knows which number is the month.
func ParseDay(s string) (portal.Date, error) {
	if d, err := portal.ParseDate(s); err == nil {
		return d, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return portal.Date(t.Format(time.DateOnly)), nil
	}
	if t, err := time.Parse("2.1.2006", s); err == nil {
		return portal.Date(t.Format(time.DateOnly)), nil
	}
	bad := fmt.Errorf("%.60q is no day: write it as 2026-01-31", s)
	if len(s) > 60 {
		return "", bad
	}
	day, month, year := 0, 0, 0
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '-' || r == ',' || r == '.' || r == '\u00a0' }) {
		n, err := strconv.Atoi(w)
		switch m := monthOf(w); {
		case err == nil && len(w) == 4 && year == 0:
			year = n
		case err == nil && len(w) <= 2 && day == 0:
			day = n
		case err != nil && m > 0 && month == 0:
			month = m
		case err != nil && yearWords[squash(w)]:
		default:
			return "", bad
		}
	}
	d, err := portal.ParseDate(fmt.Sprintf("%04d-%02d-%02d", year, month, day))
	if err != nil {
		return "", bad
	}
	return d, nil
}

func monthOf(w string) int {
	key := squash(w)
	for i, beginnings := range months {
		for _, b := range beginnings {
			if strings.HasPrefix(key, b) {
				return i + 1
			}
		}
	}
	return 0
}

var (
	yesWords = []string{"yes", "true", "ha", "да", "y"}
	noWords  = []string{"no", "false", "yoʻq", "нет", "n"}
)

// parseYes reads a yes or no in English, Russian or Uzbek.
func parseYes(s string) (yes, ok bool) {
	key := squash(s)
	for _, w := range yesWords {
		if key == squash(w) {
			return true, true
		}
	}
	for _, w := range noWords {
		if key == squash(w) {
			return false, true
		}
	}
	return false, false
}
