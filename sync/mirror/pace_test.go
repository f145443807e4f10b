package mirror

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRequestsAreAsManyAsAreAnsweredSoon: many where each only waits, few where
// each takes long, and never more than are allowed.
func TestRequestsAreAsManyAsAreAnsweredSoon(t *testing.T) {
	for _, line := range []struct {
		name        string
		answer      time.Duration
		most, atEnd int
	}{
		{"far", 600 * time.Millisecond, MaxRequests, MaxRequests},
		{"thin", 10 * time.Second, fewest, fewest},
	} {
		synctest.Test(t, func(t *testing.T) {
			var p pace
			var busy, most atomic.Int64
			waits, err := sideBySide(t.Context(), &p, make([]int, 1000), func(context.Context, int) error {
				if n := busy.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(line.answer)
				busy.Add(-1)
				return nil
			})
			if err != nil || int(most.Load()) != line.most || p.width() != line.atEnd {
				t.Errorf("%s: at most %d at once, %d at the end, %v; want %d, %d", line.name, most.Load(), p.width(), err, line.most, line.atEnd)
			}
			if least := int64(1000 / line.most); waits < least || waits > least+20 {
				t.Errorf("%s: %d requests waited for one before", line.name, waits)
			}
		})
	}
}

// TestTheFirstErrorStopsWhatRunsBeside: nothing is begun after it, and what is on
// its way is told to end and waited for.
func TestTheFirstErrorStopsWhatRunsBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrong := errors.New("wrong")
		var begun, ended atomic.Int64
		_, err := sideBySide(t.Context(), &pace{}, make([]int, 100), func(ctx context.Context, _ int) error {
			defer ended.Add(1)
			if begun.Add(1) == 3 {
				return wrong
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, wrong) || begun.Load() != fewest || ended.Load() != fewest {
			t.Errorf("%v after %d of which %d ended", err, begun.Load(), ended.Load())
		}
	})
}
