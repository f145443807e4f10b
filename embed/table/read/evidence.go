package read

import "strings"

// evidence is what the values of one column tell of its meaning: the different
// values and how often each stands, as long as they are few.
type evidence struct {
	counts map[string]int64
	many   bool // more different values than are counted
	long   bool // some are too long to be names of anything
	last   string
	run    int64 // how often last stood since it was counted
	bytes  int64
}

// The limits of what is remembered of values.
const (
	maxDistinct    = 2_000
	maxEvidence    = 100_000 // of all columns of a table
	maxNameOfValue = 300     // bytes
)

// see counts one value. Values of most columns stand in runs.
func (e *evidence) see(s string, limit int) {
	e.bytes += int64(len(s))
	if e.many {
		return
	}
	if s == e.last && e.run > 0 {
		e.run++
		return
	}
	e.settle()
	if len(s) > maxNameOfValue {
		e.long = true
		e.forget()
		return
	}
	if _, known := e.counts[s]; !known {
		if len(e.counts) >= limit {
			e.forget()
			return
		}
		if e.counts == nil {
			e.counts = map[string]int64{}
		}
		s = strings.Clone(s)
		e.counts[s] = 0
		e.last = s
	} else {
		e.last = strings.Clone(s)
	}
	e.run = 1
}

// settle adds the run that is open.
func (e *evidence) settle() {
	if e.run > 0 {
		e.counts[e.last] += e.run
		e.run = 0
	}
}

func (e *evidence) forget() { e.counts, e.many, e.last, e.run = nil, true, "", 0 }

// share is the share of the different values for which fn holds; 0 where they
// are too many or none.
func (e *evidence) share(fn func(string) bool) float64 {
	if e.many || len(e.counts) == 0 {
		return 0
	}
	n := 0
	for v := range e.counts {
		if fn(v) {
			n++
		}
	}
	return float64(n) / float64(len(e.counts))
}
