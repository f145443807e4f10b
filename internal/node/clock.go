package node

import "time"

// maxAhead is how far a clock may run before the newest signed time
// (spec/trust.md, "Trusted time").
const maxAhead = 400 * 24 * time.Hour

// trustedNow is max(build, floor, min(rtc, floor + 400 days)). The floor is the
// newest signed time that was accepted; without one there is nothing to hold
// the machine's clock against but the build. wrong says that the machine's
// clock is before what is known to have passed.
func trustedNow(build, floor, rtc time.Time) (now time.Time, wrong bool) {
	now = rtc
	if !floor.IsZero() && rtc.After(floor.Add(maxAhead)) {
		now = floor.Add(maxAhead)
		wrong = true
	}
	for _, known := range []time.Time{build, floor} {
		if now.Before(known) {
			now, wrong = known, true
		}
	}
	return now.UTC(), wrong
}

// SystemClock is the machine's clock: the one place of the program that asks it.
func SystemClock() time.Time { return time.Now() }
