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

// cell is what a group has of one column.
type cell struct {
	count     int64   // numbers
	sum, rest float64 // rest is what sum lost (Neumaier)
	low, high float64
}

var noNumbers = cell{low: math.Inf(1), high: math.Inf(-1)}

// accumulator gathers what all aggregates of one column need, for every group.
// Numbers are in units of 1/scale, so that sums of decimals are mostly exact.
type accumulator struct {
	column int // -1: rows are counted
	scale  float64
	ends   bool // the least and the greatest are wanted

	cells  []cell
	filled []int64     // values of any kind; nil where nobody counts them
	values [][]float64 // nil where no percentile is wanted

	numbers []float64 // of a coded column, by code; NaN for what is no number
	some    []bool    // of a coded column, by code: there is a value
	block   []float64 // numbers of the block in hand
	valued  *int      // numbers kept by all accumulators of a query
}

// accumulators makes one for each column that is aggregated; of says which one an
// aggregate reads.
func (p *Plan) accumulators() (all []*accumulator, of []int) {
	kept := new(int)
	for _, one := range p.aggregates {
		at := slices.IndexFunc(all, func(a *accumulator) bool { return a.column == one.column })
		if at < 0 {
			at = len(all)
			all = append(all, &accumulator{column: one.column, valued: kept})
		}
		a := all[at]
		switch {
		case one.fn == portal.AggCount:
			a.filled = []int64{}
		case one.fn == portal.AggMin, one.fn == portal.AggMax:
			a.ends = true
		case one.fn.Percentile() >= 0:
			a.values = [][]float64{}
		}
		of = append(of, at)
	}
	return all, of
}

// grow makes room for n groups.
func (a *accumulator) grow(n int) {
	for len(a.cells) < n {
		a.cells = append(a.cells, noNumbers)
		if a.filled != nil {
			a.filled = append(a.filled, 0)
		}
		if a.values != nil {
			a.values = append(a.values, nil)
		}
	}
}

// add takes the rows sel of a block, of which row sel[i] is of the group ids[i].
func (a *accumulator) add(b *Block, sel []int32, ids []uint32) error {
	if a.column < 0 {
		for _, id := range ids {
			a.filled[id]++
		}
		return nil
	}
	v := &b.Vectors[a.column]
	if a.filled != nil {
		a.addFilled(v, sel, ids)
	}
	numbers := a.gather(v, sel)
	if v.scale > 0 {
		a.takeExact(numbers, ids)
	} else {
		a.takeAll(numbers, ids)
	}
	if a.values != nil {
		a.keepValues(numbers, ids)
	}
	if *a.valued > maxValues {
		return tooMuch("aggregate", "percentiles of more than %d numbers are not computed", maxValues)
	}
	return nil
}

// gather gives the numbers of the rows next to each other; NaN is no number.
func (a *accumulator) gather(v *Vector, sel []int32) []float64 {
	if a.scale == 0 { // all vectors of a column are alike
		a.scale = max(v.scale, 1)
	}
	if v.Coded() && a.numbers == nil {
		a.numbers = make([]float64, len(v.Dict))
		for i, d := range v.Dict {
			a.numbers[i] = a.scaled(numberOrNaN(d))
		}
	}
	if v.Numbers != nil && len(sel) == len(v.Numbers) && a.scale == 1 {
		return v.Numbers
	}
	a.block = slices.Grow(a.block[:0], len(sel))[:len(sel)]
	out := a.block
	switch {
	case v.Small != nil && len(sel) == len(v.Small):
		numbers := a.numbers
		for n, code := range v.Small {
			out[n] = numbers[code]
		}
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
	case v.Numbers != nil:
		for n, i := range sel {
			out[n] = a.scaled(v.Numbers[i])
		}
	default:
		for n, i := range sel {
			out[n] = a.scaled(numberOrNaN(v.Plain[i]))
		}
	}
	return out
}

// scaled gives a number in the accumulator's units.
func (a *accumulator) scaled(f float64) float64 {
	if a.scale == 1 {
		return f
	}
	return math.Round(f * a.scale)
}

// takeExact adds numbers whose sums are exact.
func (a *accumulator) takeExact(numbers []float64, ids []uint32) {
	cells, ends := a.cells, a.ends
	for n, id := range ids {
		f := numbers[n]
		if f != f { //nolint:gocritic // no number
			continue
		}
		c := &cells[id]
		c.count++
		c.sum += f
		if !ends {
			continue
		}
		if f < c.low {
			c.low = f
		}
		if f > c.high {
			c.high = f
		}
	}
}

// takeAll adds numbers and keeps what their sums lose.
func (a *accumulator) takeAll(numbers []float64, ids []uint32) {
	for n, id := range ids {
		if f := numbers[n]; f == f { //nolint:gocritic // a number
			c := &a.cells[id]
			c.count++
			c.low, c.high = min(c.low, f), max(c.high, f)
			c.plus(f)
		}
	}
}

// plus adds to the sum (Neumaier).
func (c *cell) plus(f float64) {
	s := c.sum
	t := s + f
	if math.Abs(s) >= math.Abs(f) {
		c.rest += (s - t) + f
	} else {
		c.rest += (f - t) + s
	}
	c.sum = t
}

// keepValues remembers the numbers for percentiles.
func (a *accumulator) keepValues(numbers []float64, ids []uint32) {
	for n, id := range ids {
		if f := numbers[n]; f == f { //nolint:gocritic // a number
			a.values[id] = append(a.values[id], f)
			*a.valued++
		}
	}
}

func (a *accumulator) addFilled(v *Vector, sel []int32, ids []uint32) {
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
				a.filled[ids[n]]++
			}
		case v.At(int(i)) != nil:
			a.filled[ids[n]]++
		}
	}
}

func numberOrNaN(v any) float64 {
	if f, ok := number(v); ok {
		return f
	}
	return math.NaN()
}

// merge adds what a group of another has to the first of this one: the total of
// all groups is made of them.
func (a *accumulator) merge(of *accumulator, id int) {
	from, to := of.cells[id], &a.cells[0]
	a.scale = of.scale
	to.count += from.count
	to.plus(from.sum)
	to.rest += from.rest
	to.low, to.high = min(to.low, from.low), max(to.high, from.high)
	if a.filled != nil {
		a.filled[0] += of.filled[id]
	}
	if a.values != nil {
		a.values[0] = append(a.values[0], of.values[id]...)
	}
}

// result is an aggregate of a group: int64, float64, or nil where no row has a number.
func (a *accumulator) result(one aggregate, id int) any {
	if one.fn == portal.AggCount {
		return a.filled[id]
	}
	c := a.cells[id]
	if c.count == 0 {
		return nil
	}
	var f float64
	switch one.fn {
	case portal.AggSum:
		f = rounded((c.sum + c.rest) / a.scale)
	case portal.AggMean:
		f = rounded((c.sum + c.rest) / a.scale / float64(c.count))
	case portal.AggMin:
		f = c.low / a.scale
	case portal.AggMax:
		f = c.high / a.scale
	default:
		f = rounded(percentile(a.values[id], one.percent) / a.scale)
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
