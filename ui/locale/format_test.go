package locale

import (
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"koprik/portal"
)

func TestPluralsAreThoseOfCLDR(t *testing.T) {
	names := map[plural.Form]Form{plural.One: One, plural.Few: Few, plural.Many: Many, plural.Other: Other}
	for _, l := range []portal.Lang{portal.Uzbek, portal.Russian, portal.English} {
		for n := range 1200 {
			want := names[plural.Cardinal.MatchPlural(language.MustParse(string(l)), n, 0, 0, 0, 0)]
			if got := Plural(l, int64(n)); got != want {
				t.Fatalf("%s: %d is %s, want %s", l, n, got, want)
			}
		}
	}
}

func TestCountsAreSaidRightly(t *testing.T) {
	for _, c := range []struct {
		lang portal.Lang
		n    int
		want string
	}{
		{portal.Russian, 1, "1 набор данных"},
		{portal.Russian, 2, "2 набора данных"},
		{portal.Russian, 11, "11 наборов данных"},
		{portal.Russian, 21, "21 набор данных"},
		{portal.Russian, 1893300, "1\u00a0893\u00a0300 наборов данных"},
		{portal.English, 1, "1 dataset"},
		{portal.English, 0, "0 datasets"},
		{portal.English, 1234, "1,234 datasets"},
		{portal.Uzbek, 5, "5 ta maʼlumotlar toʻplami"},
		{portal.Karakalpak, 5, "5 maǵlıwmatlar toplamı"},
	} {
		if got := words(t, c.lang).N("home.datasets", c.n); got != c.want {
			t.Errorf("%s %d: %q, want %q", c.lang, c.n, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		lang portal.Lang
		f    float64
		want string
	}{
		{portal.Uzbek, 1893300.25, "1\u00a0893\u00a0300,25"},
		{portal.Russian, -12.5, "−12,5"},
		{portal.English, 1234567.891, "1,234,567.891"},
		{portal.English, -999, "−999"},
		{portal.English, 0, "0"},
		{portal.Russian, 1e21, "1e+21"},
		{portal.Russian, 1.5e-9, "1,5e-09"},
		{portal.English, math.NaN(), "NaN"},
		{portal.English, math.Inf(-1), "-Inf"},
	} {
		if got := words(t, c.lang).Float(c.f); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.lang, c.f, got, c.want)
		}
	}
	if got := words(t, portal.English).Int(math.MinInt64); got != "−9,223,372,036,854,775,808" {
		t.Errorf("%q", got)
	}
}

// A line of Uzbek or Karakalpak never ends after the hyphen within a date: a word
// joiner follows it.
func TestDates(t *testing.T) {
	day := portal.Date("2026-05-03")
	for l, want := range map[portal.Lang]string{
		portal.Uzbek: "2026-\u2060yil 3-\u2060may", portal.UzbekCyrillic: "2026 йил 3 май", portal.Karakalpak: "2026-\u2060jıl 3-\u2060may",
		portal.Russian: "3 мая 2026\u00a0г.", portal.English: "3 May 2026",
	} {
		if got := words(t, l).Day(day); got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
	w := words(t, portal.English)
	if w.Day("") != "" || w.Date(time.Time{}) != "" || w.DateTime(time.Time{}) != "" {
		t.Error("no date is written as one")
	}
	if got := w.DateTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)); got != "2 January 2026, 03:04" {
		t.Errorf("%q", got)
	}
}

func TestAges(t *testing.T) {
	const day = 24 * time.Hour
	for age, want := range map[time.Duration]string{
		-day: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 90 * time.Minute: "1 hour ago",
		47 * time.Hour: "1 day ago", 203 * day: "203 days ago", 366 * day: "12 months ago", 730 * day: "2 years ago", 3 * 366 * day: "3 years ago",
	} {
		if got := words(t, portal.English).Ago(age); got != want {
			t.Errorf("%v: %q, want %q", age, got, want)
		}
	}
	if got := words(t, portal.Russian).Ago(5 * day); got != "5 дней назад" {
		t.Errorf("%q", got)
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 байт", 1: "1 байт", 999: "999 байт", 1000: "1 КБ", 1500: "1,5 КБ", 48213: "48 КБ", 999_499: "999 КБ", 999_500: "1 МБ",
		1_400_000: "1,4 МБ", 2_300_000_000: "2,3 ГБ", 5e15: "5\u00a0000 ТБ",
	} {
		want = strings.ReplaceAll(want, " ", nbsp) // a line never ends before the unit
		if got := words(t, portal.Russian).Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestLists(t *testing.T) {
	for l, want := range map[portal.Lang]string{portal.Uzbek: "{b}, b va c", portal.Russian: "{b}, b и c", portal.English: "{b}, b and c"} {
		if got := words(t, l).List([]string{"{b}", "b", "c"}); got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
	w := words(t, portal.English)
	if w.List(nil) != "" || w.List([]string{"a"}) != "a" || w.List([]string{"a", "b"}) != "a and b" {
		t.Error("short lists")
	}
}

func TestWhatIsFilledInStaysAsItIs(t *testing.T) {
	w := words(t, portal.English)
	if got := w.Condition("eq", "{value}", "{column}"); got != "{value} is “{column}”" {
		t.Errorf("%q", got)
	}
	if got := w.T("no.such-key"); got != "[no.such-key]" {
		t.Errorf("%q", got)
	}
	if got := (&Words{}).N("home.datasets", 3); got != "[home.datasets]" {
		t.Errorf("%q", got)
	}
}

func TestAPlainTextHasNoJoiners(t *testing.T) {
	if got := Plain(words(t, portal.Uzbek).Day("2026-05-03")); got != "2026-yil 3-may" {
		t.Errorf("%q", got)
	}
}
