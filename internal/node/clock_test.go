package node_test

import (
	"testing"
	"time"

	"koprik/internal/node"
)

// TestClockThatCannotBeTrustedIsShownAndNotBelieved (spec/trust.md, "Trusted time").
func TestClockThatCannotBeTrustedIsShownAndNotBelieved(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	mirror := newMirror(t, central)
	sync(t, mirror)
	must(t, mirror.Close())
	cases := []struct {
		name  string
		rtc   time.Time
		wrong bool
		fresh string
	}{
		{"a minute later", day.Add(time.Minute), false, "FRESH"},
		{"a board without a battery", time.Date(1970, 1, 1, 0, 3, 0, 0, time.UTC), true, "FRESH"},
		{"the day before", day.AddDate(0, 0, -1), true, "FRESH"},
		{"a year later", day.AddDate(0, 0, 370), false, "OLD"},
		{"far in the future", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), true, "OLD"},
	}
	for _, c := range cases {
		o := options()
		o.Clock = func() time.Time { return c.rtc }
		n, err := node.Open(t.Context(), mirror.Dir(), o)
		must(t, err)
		s, err := n.Status(t.Context())
		must(t, err)
		if s.ClockWrong != c.wrong || string(s.Fresh) != c.fresh {
			t.Errorf("%s: wrong %v, %s; want %v, %s", c.name, s.ClockWrong, s.Fresh, c.wrong, c.fresh)
		}
		if now := n.Now(); now.Before(day) || now.After(day.AddDate(0, 0, 400)) {
			t.Errorf("%s: the trusted time is %v", c.name, now)
		}
		must(t, n.Close())
	}
}
