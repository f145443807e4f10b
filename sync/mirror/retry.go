package mirror

import "time"

// Retry says how long to wait after so many rounds in a row that brought nothing:
// from two seconds on twice as long each time, at most the interval, and of that
// at least half. draw gives a time below its argument, so that a thousand mirrors
// whose upstream was away do not come back at once.
func Retry(interval time.Duration, failures int, draw func(time.Duration) time.Duration) time.Duration {
	const first, doublings = 2 * time.Second, 10
	backoff := min(interval, first<<min(failures, doublings))
	return backoff/2 + draw(backoff/2+1)
}
