package portal_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"koprik/portal"
)

func TestWorkingDaysOfAKnownMonth(t *testing.T) {
	// March 2026: the 8th is a Sunday and its holiday is taken on Monday the 9th;
	// Navruz, the 21st, is a Saturday; Saturday the 28th is worked.
	c := portal.NewWorkCalendar([]portal.Date{"2026-03-09", "2026-03-20", "2026-03-21"}, []portal.Date{"2026-03-28"})
	for _, tt := range []struct {
		from portal.Date
		n    int
		want portal.Date
	}{
		{"2026-03-06", 0, "2026-03-06"},
		{"2026-03-06", 1, "2026-03-10"},
		{"2026-03-07", 1, "2026-03-10"},
		{"2026-03-19", 1, "2026-03-23"},
		{"2026-03-27", 1, "2026-03-28"},
		{"2026-03-27", 2, "2026-03-30"},
		{"2026-03-02", 15, "2026-03-25"},
	} {
		if got := c.Add(tt.from, tt.n); got != tt.want {
			t.Errorf("%d working days after %s: %s, want %s", tt.n, tt.from, got, tt.want)
		}
		if got := c.Between(tt.from, tt.want); got != tt.n {
			t.Errorf("between %s and %s: %d, want %d", tt.from, tt.want, got, tt.n)
		}
	}
}

// days draws a calendar of ten years with holidays and moved working days.
func days(t *rapid.T) portal.WorkCalendar {
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	day := rapid.Custom(func(t *rapid.T) portal.Date {
		return portal.DateOf(start.AddDate(0, 0, rapid.IntRange(0, 3652).Draw(t, "day")))
	})
	return portal.NewWorkCalendar(rapid.SliceOfN(day, 0, 200).Draw(t, "holidays"), rapid.SliceOfN(day, 0, 60).Draw(t, "working"))
}

func TestADueDateIsAWorkingDayAndAsManyOfThemLater(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := days(t)
		from := portal.DateOf(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 3500).Draw(t, "from")))
		n := rapid.IntRange(1, 40).Draw(t, "n")
		due := c.Add(from, n)
		if !c.Works(due) {
			t.Fatalf("%s, %d working days after %s, is not worked", due, n, from)
		}
		if got := c.Between(from, due); got != n {
			t.Fatalf("%d working days between %s and %s, want %d", got, from, due, n)
		}
		if more := c.Add(due, 1); more != c.Add(from, n+1) {
			t.Fatalf("steps do not add up: %s and %s", more, c.Add(from, n+1))
		}
	})
}

func TestACalendarWithoutWorkingDaysEnds(t *testing.T) {
	var holidays []portal.Date
	for d := portal.Date("2026-01-01"); d < "2030-01-01"; d = d.AddDays(1) {
		holidays = append(holidays, d)
	}
	if due := portal.NewWorkCalendar(holidays, nil).Add("2026-01-01", portal.MaxAnswerDays); due > "2070-01-01" {
		t.Errorf("due on %s", due)
	}
}

// tenYears draws the calendar of an office from 2020 to 2029 as decrees make it: eight
// holidays a year and two that follow the moon, those on a weekend moved to the next
// working day, and days off that are worked on a Saturday instead.
func tenYears(t *rapid.T) portal.WorkCalendar {
	var holidays, working []portal.Date
	off := func(d portal.Date) bool {
		c := portal.NewWorkCalendar(holidays, working)
		return !c.Works(d)
	}
	for year := 2020; year < 2030; year++ {
		begin := portal.DateOf(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		days := []portal.Date{begin, begin.AddDays(66), begin.AddDays(79), begin.AddDays(128), begin.AddDays(243), begin.AddDays(273), begin.AddDays(341)}
		for range 2 {
			days = append(days, begin.AddDays(rapid.IntRange(0, 364).Draw(t, "moon")))
		}
		for _, d := range days {
			moved := d
			for off(moved) {
				moved = moved.AddDays(1)
			}
			holidays = append(holidays, d, moved)
		}
		for range rapid.IntRange(0, 4).Draw(t, "moved") {
			d := begin.AddDays(rapid.IntRange(0, 357).Draw(t, "bridge"))
			saturday := d
			for saturday.Time().Weekday() != time.Saturday {
				saturday = saturday.AddDays(1)
			}
			if !off(d) && off(saturday) {
				holidays, working = append(holidays, d), append(working, saturday)
			}
		}
	}
	return portal.NewWorkCalendar(holidays, working)
}

// TestTenYearsOfDecreesCountAsOnAWallCalendar compares with crossing out days one by
// one: every day of ten years, for each time to answer that is in use.
func TestTenYearsOfDecreesCountAsOnAWallCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := tenYears(t)
		off := map[portal.Date]bool{}
		for _, d := range c.Holidays {
			off[d] = true
		}
		for _, d := range c.Working {
			off[d] = false
		}
		var worked []portal.Date // of the wall calendar
		place := map[portal.Date]int{}
		for d := portal.Date("2020-01-01"); d < "2030-12-31"; d = d.AddDays(1) {
			rests, decreed := off[d]
			if day := d.Time().Weekday(); !decreed {
				rests = day == time.Saturday || day == time.Sunday
			}
			if !rests {
				worked = append(worked, d)
			}
			place[d] = len(worked) // how many are worked up to it
		}
		n := rapid.SampledFrom([]int{1, 5, 10, 15, 30}).Draw(t, "days")
		for d := portal.Date("2020-01-01"); d < "2030-01-01"; d = d.AddDays(1) {
			if got, want := c.Add(d, n), worked[place[d]+n-1]; got != want {
				t.Fatalf("%d working days after %s: %s, the wall calendar says %s", n, d, got, want)
			}
		}
	})
}
