package period_test

import (
	"strings"
	"testing"
	"time"

	"koprik/portal/period"
)

func TestPeriodsAreReadAsOfficesWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"2026": "2026", "2026-yil": "2026", "2026 год": "2026", "2026 г.": "2026", "2026-йил": "2026", "2025/2026": "2025", "2025-2026": "2025", "2025-26": "2025", "2025/2026 oʻquv yili": "2025", "2025-2026 учебный год": "2025",
		"2026-H1": "2026-H1", "I полугодие 2026 г.": "2026-H1", "2026-yil 1-yarim yillik": "2026-H1",
		"2026-Q1": "2026-Q1", "2026Q4": "2026-Q4", "1 квартал 2026": "2026-Q1", "2026-yil I chorak": "2026-Q1", "IV кв. 2026": "2026-Q4", "Q5 2026": "",
		"2026-01": "2026-01", "2026-M01": "2026-01", "2026-М01": "2026-01", "2026М12": "2026-12", "01.2026": "2026-01", "yanvar 2026": "2026-01", "Январь 2026 г.": "2026-01", "January 2026": "2026-01", "2026-yil yanvar": "2026-01", "2026-13": "",
		"2026-01-31": "2026-01-31", "31.01.2026": "2026-01-31", "31.02.2026": "",
		"": "", "12": "", "1799": "", "Jami": "", "2026 apples": "", "yanvar": "", "jan-sep 2022": "", "+998712026": "", "2020-2026": "",
	} {
		p, ok := period.Parse(text)
		got := ""
		if ok {
			got = p.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestALabelGivesItsPeriodAndTheRest(t *testing.T) {
	for label, want := range map[string]string{
		"population_2025": "2025|population", "y2010": "2010|", "hospitals_2021_01_01": "2021-01-01|hospitals", "2026-М03": "2026-03|",
		"doctors_per_10000_2021": "2021|doctors per 10000", "jan_sep_2022": "|", "women": "|", "2024-yil, ming kishi": "2024|ming kishi",
	} {
		p, rest, ok := period.In(label)
		got := "|"
		if ok {
			got = p.String() + "|" + strings.Join(rest, " ")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", label, got, want)
		}
	}
}

func TestAPeriodBeginsOnItsFirstDay(t *testing.T) {
	for text, want := range map[string]string{"2026": "2026-01-01", "2026-H2": "2026-07-01", "2026-Q3": "2026-07-01", "2026-M02": "2026-02-01", "31.01.2026": "2026-01-31"} {
		if p, _ := period.Parse(text); p.Start().Format(time.DateOnly) != want {
			t.Errorf("%s begins on %s", text, p.Start())
		}
	}
}

func TestASpanGoesFromADayToADay(t *testing.T) {
	for text, want := range map[string]string{"26.07.2024 — 23.03.2025": "2024-07-26 2025-03-23", "24.03.2025 — ...": "2024", "2024-01-01 - 2024-02-01": "2024-01-01 2024-02-01", "23.03.2025 — 26.07.2024": "", "2024-2025": "", "a — b": ""} {
		from, to, ok := period.Span(text)
		switch {
		case want == "2024":
			if !ok || to != (period.Period{}) {
				t.Errorf("%q: %v %v", text, to, ok)
			}
		case ok != (want != ""), ok && from.String()+" "+to.String() != want:
			t.Errorf("%q: %v %v %v", text, from, to, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2026-М01", "I chorak 2026", "31.01.2026", "2025/2026", "2026 -"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := period.Parse(s)
		period.In(s)
		if !ok {
			return
		}
		if again, ok := period.Parse(p.String()); !ok || again != p {
			t.Fatalf("%q is %q, which reads as %v", s, p, again)
		}
	})
}
