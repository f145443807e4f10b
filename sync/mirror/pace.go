package mirror

import (
	"context"
	"sync/atomic"
	"time"
)

// Requests side by side. On a far line each spends most of its time waiting, so
// that many fill what few leave empty; on a thin line many would only share what
// there is, until each counts as dead.
const (
	fewest = 4               // at first, and always
	brisk  = 3 * time.Second // five round trips of 600 ms
	// MaxRequests is the most that are on their way at once; a client needs as many
	// connections, where it does not speak HTTP/2.
	MaxRequests = 64
)

// pace is how many requests are on their way at once. One that is answered within
// brisk lets there be one more, one that takes longer one less. The zero pace
// begins with the fewest.
type pace struct {
	more int // than the fewest
}

func (p *pace) width() int { return fewest + p.more }

func (p *pace) learn(wasBrisk bool) {
	if wasBrisk {
		p.more = min(p.more+1, MaxRequests-fewest)
	} else {
		p.more = max(p.more-1, 0)
	}
}

// timed tells whether f took no longer than brisk.
func timed(f func()) bool {
	var late atomic.Bool
	timer := time.AfterFunc(brisk, func() { late.Store(true) })
	defer timer.Stop()
	f()
	return !late.Load()
}

// sideBySide does something with every item, as many at a time as p says, and
// stops at the first error. It gives how many of them waited for one before.
func sideBySide[T any](ctx context.Context, p *pace, items []T, do func(context.Context, T) error) (waits int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan bool)
	busy, abreast := 0, 0 // abreast: how many more wait together with the last that was counted
	for next := 0; next < len(items) || busy > 0; {
		for ; next < len(items) && busy < p.width(); next, busy = next+1, busy+1 {
			if abreast == 0 {
				waits, abreast = waits+1, p.width()
			}
			abreast--
			it := items[next]
			go func() {
				ended <- timed(func() {
					if err := do(ctx, it); err != nil {
						cancel(err)
					}
				})
			}()
		}
		p.learn(<-ended)
		if busy--; ctx.Err() != nil {
			next = len(items)
		}
	}
	return waits, context.Cause(ctx)
}
