package portal

import (
	"slices"
	"time"
)

// DefaultAnswerDays is the time to answer in working days where a publisher
// sets no other (spec/talkback.md). Law differs, so it is data.
const DefaultAnswerDays = 15

// MaxAnswerDays bounds the time to answer, in working days.
const MaxAnswerDays = 250

// WorkCalendar says which days are worked. Monday to Friday are, but for
// Holidays, and Working days are, whatever day of the week. It is data, dated
// and signed: spec/talkback.md, "What happens to it". The zero value knows no
// holidays.
type WorkCalendar struct {
	Holidays []Date // not worked, sorted
	Working  []Date // worked though on a weekend or a holiday, sorted
}

// NewWorkCalendar sorts the days; a day in both lists is worked.
func NewWorkCalendar(holidays, working []Date) WorkCalendar {
	sorted := func(days []Date) []Date {
		days = slices.Clone(days)
		slices.Sort(days)
		return slices.Compact(days)
	}
	return WorkCalendar{Holidays: sorted(holidays), Working: sorted(working)}
}

// Works tells whether d is a working day.
func (c WorkCalendar) Works(d Date) bool {
	if _, ok := slices.BinarySearch(c.Working, d); ok {
		return true
	}
	if _, ok := slices.BinarySearch(c.Holidays, d); ok {
		return false
	}
	day := d.Time().Weekday()
	return day != time.Saturday && day != time.Sunday
}

// maxIdleDays bounds a search for a working day: no calendar rests longer. One
// that claims to is treated as if it rested no further.
const maxIdleDays = 60

// Add gives the n-th working day after d; d itself does not count. n below 1
// gives d.
func (c WorkCalendar) Add(d Date, n int) Date {
	idle := 0
	for n > 0 {
		d = d.AddDays(1)
		if !c.Works(d) && idle < maxIdleDays {
			idle++
			continue
		}
		idle = 0
		n--
	}
	return d
}

// Between counts the working days after from, up to and including to; 0 when to
// is not later.
func (c WorkCalendar) Between(from, to Date) int {
	n := 0
	for d := from.AddDays(1); d <= to; d = d.AddDays(1) {
		if c.Works(d) {
			n++
		}
	}
	return n
}

// AddDays gives the day n days later; the zero Date stays zero.
func (d Date) AddDays(n int) Date {
	if d == "" {
		return ""
	}
	return DateOf(d.Time().AddDate(0, 0, n))
}
