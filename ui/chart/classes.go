package chart

import (
	"math"
	"slices"
)

// maxClasses is how many shades a reader can tell apart on a map.
const maxClasses = 5

// class is a range of values that one shade stands for; both ends are values that
// are there.
type class struct{ lo, hi float64 }

// classes are the natural breaks of values (Fisher, 1958; Jenks): of all ways to
// cut them into that many ranges the one in which values lie nearest to the mean
// of their range. NaN is left out. Values that are alike are never cut apart.
func classes(values []float64, most int) []class {
	sorted := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(sorted)
	distinct := slices.Compact(slices.Clone(sorted))
	k := min(most, len(distinct))
	if k == 0 {
		return nil
	}
	n := len(sorted)
	sum, squares := make([]float64, n+1), make([]float64, n+1)
	for i, v := range sorted {
		v -= sorted[0] // nearer to zero: squares keep their digits
		sum[i+1], squares[i+1] = sum[i]+v, squares[i]+v*v
	}
	cost := func(from, to int) float64 { // of sorted[from:to]
		s := sum[to] - sum[from]
		return squares[to] - squares[from] - s*s/float64(to-from)
	}
	best := make([][]float64, k+1) // best[j][i]: of the first i values in j ranges
	cut := make([][]int, k+1)
	for j := range best {
		best[j], cut[j] = make([]float64, n+1), make([]int, n+1)
		for i := range best[j] {
			best[j][i] = math.Inf(1)
		}
	}
	best[0][0] = 0
	for j := 1; j <= k; j++ {
		for i := j; i <= n; i++ {
			for from := j - 1; from < i; from++ {
				if from > 0 && sorted[from] == sorted[from-1] {
					continue
				}
				if c := best[j-1][from] + cost(from, i); c < best[j][i] {
					best[j][i], cut[j][i] = c, from
				}
			}
		}
	}
	ranges := make([]class, k)
	for j, i := k, n; j > 0; j-- {
		from := cut[j][i]
		ranges[j-1] = class{sorted[from], sorted[i-1]}
		i = from
	}
	return ranges
}

// classOf gives the place of a value's range; -1 for none.
func classOf(ranges []class, v float64) int {
	return slices.IndexFunc(ranges, func(c class) bool { return v >= c.lo && v <= c.hi })
}
