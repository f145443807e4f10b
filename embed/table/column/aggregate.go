package column

import (
	"math"
	"slices"
	"strconv"

	"koprik/portal"
)

// Limits of what is computed (guarantee 5).
const (
	maxGroups = 100_000
	maxValues = 8 << 20 // numbers kept for percentiles
)

// accumulator makes one aggregate for every group.
type accumulator struct {
	aggregate
	numbers []float64 // of a coded column, by code; NaN for what is no number
	some    []bool    // of a coded column, by code: there is a value

	count    []int64
	sum      []float64
	rest     []float64 // what sum lost (Neumaier)
	low      []float64
	high     []float64
	values   [][]float64
	block    []float64 // numbers of the block in hand
	valueLen *int      // numbers kept by all accumulators of a query
}

func (p *Plan) accumulators() []*accumulator {
	all := make([]*accumulator, len(p.aggregates))
	kept := new(int)
	for i, a := range p.aggregates {
		all[i] = &accumulator{aggregate: a, valueLen: kept}
	}
	return all
}

// grow makes room for n groups.
func (a *accumulator) grow(n int) {
	for len(a.count) < n {
		a.count = append(a.count, 0)
		switch {
		case a.fn == portal.AggSum || a.fn == portal.AggMean:
			a.sum, a.rest = append(a.sum, 0), append(a.rest, 0)
		case a.fn == portal.AggMin:
			a.low = append(a.low, math.Inf(1))
		case a.fn == portal.AggMax:
			a.high = append(a.high, math.Inf(-1))
		case a.fn != portal.AggCount:
			a.values = append(a.values, nil)
		}
	}
}

// add takes the rows sel of a block, of which row sel[i] is of the group ids[i].
func (a *accumulator) add(b *Block, sel []int32, ids []uint32) error {
	if a.column < 0 {
		for _, id := range ids {
			a.count[id]++
		}
		return nil
	}
	v := &b.Vectors[a.column]
	if a.fn == portal.AggCount {
		a.addCount(v, sel, ids)
		return nil
	}
	if v.Coded() && a.numbers == nil {
		a.numbers = make([]float64, len(v.Dict))
		for i, d := range v.Dict {
			a.numbers[i] = numberOrNaN(d)
		}
	}
	a.gather(v, sel)
	if v.small && a.sum != nil {
		a.takeWhole(ids)
	} else {
		a.takeAll(ids)
	}
	if *a.valueLen > maxValues {
		return tooMuch("aggregate", "percentiles of more than %d numbers are not computed", maxValues)
	}
	return nil
}

// gather puts the numbers of the rows next to each other; NaN is no number.
func (a *accumulator) gather(v *Vector, sel []int32) {
	a.block = slices.Grow(a.block[:0], len(sel))[:len(sel)]
	out := a.block
	switch {
	case v.Small != nil:
		numbers, codes := a.numbers, v.Small
		for n, i := range sel {
			out[n] = numbers[codes[i]]
		}
	case v.Large != nil:
		numbers, codes := a.numbers, v.Large
		for n, i := range sel {
			out[n] = numbers[codes[i]]
		}
	case v.Numbers != nil && len(sel) == len(v.Numbers):
		copy(out, v.Numbers)
	case v.Numbers != nil:
		for n, i := range sel {
			out[n] = v.Numbers[i]
		}
	default:
		for n, i := range sel {
			out[n] = numberOrNaN(v.Plain[i])
		}
	}
}

// takeWhole adds up numbers whose sums are exact.
func (a *accumulator) takeWhole(ids []uint32) {
	count, sum := a.count, a.sum
	for n, f := range a.block {
		if f == f { //nolint:gocritic // a number
			id := ids[n]
			count[id]++
			sum[id] += f
		}
	}
}

// takeAll adds the gathered numbers; of sums it keeps what was lost (Neumaier).
func (a *accumulator) takeAll(ids []uint32) {
	if a.sum == nil {
		for n, f := range a.block {
			if f == f { //nolint:gocritic // a number
				a.take(ids[n], f)
			}
		}
		return
	}
	for n, f := range a.block {
		if f != f { //nolint:gocritic // no number
			continue
		}
		id := ids[n]
		a.count[id]++
		s := a.sum[id]
		t := s + f
		a.sum[id] = t
		if t-s != f || t-f != s { // something was lost
			if math.Abs(s) >= math.Abs(f) {
				a.rest[id] += (s - t) + f
			} else {
				a.rest[id] += (f - t) + s
			}
		}
	}
}

// take adds one number to a group.
func (a *accumulator) take(id uint32, f float64) {
	a.count[id]++
	switch {
	case a.sum != nil:
		s := a.sum[id]
		t := s + f
		if math.Abs(s) >= math.Abs(f) {
			a.rest[id] += (s - t) + f
		} else {
			a.rest[id] += (f - t) + s
		}
		a.sum[id] = t
	case a.low != nil:
		if f < a.low[id] {
			a.low[id] = f
		}
	case a.high != nil:
		if f > a.high[id] {
			a.high[id] = f
		}
	default:
		a.values[id] = append(a.values[id], f)
		*a.valueLen++
	}
}

func (a *accumulator) addCount(v *Vector, sel []int32, ids []uint32) {
	if v.Coded() && a.some == nil {
		a.some = make([]bool, len(v.Dict))
		for i, d := range v.Dict {
			a.some[i] = d != nil
		}
	}
	for n, i := range sel {
		switch {
		case v.Coded():
			if a.some[v.code(int(i))] {
				a.count[ids[n]]++
			}
		case v.At(int(i)) != nil:
			a.count[ids[n]]++
		}
	}
}

func numberOrNaN(v any) float64 {
	if f, ok := number(v); ok {
		return f
	}
	return math.NaN()
}

// merge adds what another group has: the total of all groups is made of them.
func (a *accumulator) merge(of *accumulator, id int) {
	a.count[0] += of.count[id]
	switch {
	case a.sum != nil:
		n := a.count[0]
		a.take(0, of.sum[id])
		a.rest[0] += of.rest[id]
		a.count[0] = n
	case a.low != nil:
		a.low[0] = min(a.low[0], of.low[id])
	case a.high != nil:
		a.high[0] = max(a.high[0], of.high[id])
	case a.values != nil:
		a.values[0] = append(a.values[0], of.values[id]...)
	}
}

// result is the aggregate of a group: int64, float64, or nil where no row has a number.
func (a *accumulator) result(id int) any {
	n := a.count[id]
	if a.fn == portal.AggCount {
		return n
	}
	if n == 0 {
		return nil
	}
	var f float64
	switch {
	case a.fn == portal.AggSum:
		f = rounded(a.sum[id] + a.rest[id])
	case a.fn == portal.AggMean:
		f = rounded((a.sum[id] + a.rest[id]) / float64(n))
	case a.low != nil:
		f = a.low[id]
	case a.high != nil:
		f = a.high[id]
	default:
		f = rounded(percentile(a.values[id], a.percent))
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return Canonical(f)
}

// rounded gives a computed number the 15 digits that a float64 surely has, so
// that 0.1 + 0.2 is 0.3.
func rounded(f float64) float64 {
	if f == math.Trunc(f) && math.Abs(f) <= exact {
		return f
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if err != nil {
		return f
	}
	return r
}

// percentile is type 7 of Hyndman and Fan (portal.AggMedian). It sorts the values.
func percentile(values []float64, p float64) float64 {
	slices.Sort(values)
	at := p * float64(len(values)-1)
	i := int(at)
	if i+1 >= len(values) {
		return values[len(values)-1]
	}
	return values[i] + (values[i+1]-values[i])*(at-float64(i))
}
