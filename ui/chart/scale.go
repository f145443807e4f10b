package chart

import "math"

// scale carries values onto pixels.
type scale struct {
	lo, hi   float64 // values
	from, to float64 // pixels
	ticks    []float64
}

// at gives the pixel of a value.
func (s scale) at(v float64) float64 {
	if s.hi == s.lo {
		return s.from
	}
	return s.from + (v-s.lo)/(s.hi-s.lo)*(s.to-s.from)
}

// newScale finds round bounds around lo and hi with about n ticks. Zero is taken
// in when it must be, or when it is near enough to cost little.
func newScale(lo, hi float64, zero bool, n int, from, to float64) scale {
	if zero || lo > 0 && lo < hi*.4 {
		lo = min(lo, 0)
	}
	if zero || hi < 0 && hi > lo*.4 {
		hi = max(hi, 0)
	}
	if lo == hi {
		pad := math.Abs(lo) * .1
		if pad == 0 {
			pad = 1
		}
		if lo != 0 && zero {
			lo, hi = min(lo, 0), max(hi, 0)
		} else {
			lo, hi = lo-pad, hi+pad
		}
	}
	step := niceStep((hi - lo) / float64(max(n, 1)))
	s := scale{lo: math.Floor(lo/step+1e-9) * step, hi: math.Ceil(hi/step-1e-9) * step, from: from, to: to}
	for i := 0; ; i++ {
		v := s.lo + float64(i)*step
		if v > s.hi+step/2 || i > 20 {
			break
		}
		if math.Abs(v) < step*1e-9 {
			v = 0
		}
		s.ticks = append(s.ticks, v)
	}
	return s
}

// niceStep is the smallest of 1, 2, 2.5, 5 times a power of ten that is no less.
func niceStep(raw float64) float64 {
	if raw <= 0 || math.IsInf(raw, 0) || math.IsNaN(raw) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if raw <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// spread moves places on a line apart until they are gap from each other, each
// as little as can be, all within lo and hi where there is room. at must be in
// ascending order; it is changed.
func spread(at []float64, gap, lo, hi float64) {
	for i := range at {
		if i > 0 {
			at[i] = max(at[i], at[i-1]+gap)
		} else {
			at[i] = max(at[i], lo)
		}
	}
	for i := len(at) - 1; i >= 0; i-- {
		limit := hi
		if i < len(at)-1 {
			limit = at[i+1] - gap
		}
		at[i] = min(at[i], limit)
	}
}
