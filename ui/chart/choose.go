package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"koprik/portal"
)

// Plan says how a cube is drawn: which dimension gives the labels, which the
// series, and at which value each other one is held.
type Plan struct {
	Kind   Kind
	Label  int   // place in Cube.Dims
	Series int   // place in Cube.Dims; -1: one series
	Hold   []int // for each dimension the place of the value it is held at; -1 for Label and Series
	Sorted bool  // labels by value, the greatest first
}

// How many values make a trend, and how many can be told apart as series.
const (
	leastTrend = 3
	fewSeries  = 4
)

// Plans are the ways to draw a cube, the one that answers most first. Empty: it
// has nothing to compare. Names and remarks are no dimension, so that no persons
// are ranked.
func (c *Cube) Plans() []Plan {
	var plans []Plan
	add := func(kind Kind, label, series int) {
		if label < 0 || series == label {
			return
		}
		p := Plan{Kind: kind, Label: label, Series: series, Hold: c.hold(label, series)}
		p.Sorted = c.sorts(label)
		if _, err := c.Figure(p); err == nil && !slices.ContainsFunc(plans, func(o Plan) bool { return o.Kind == kind && o.Label == label && o.Series == series }) {
			plans = append(plans, p)
		}
	}
	time, sex, age := c.find(portal.RoleTime, leastTrend), c.find(portal.RoleSex, 2), c.find(portal.RoleAge, 2)
	region, category := c.find(portal.RoleRegion, 2), c.find(portal.RoleCategory, 2)
	pair := Gap
	if c.Additive {
		pair = Grouped
	}
	if time >= 0 {
		c.overTime(add, time, sex, age, region, category)
	}
	if sex >= 0 {
		if age >= 0 && c.Additive {
			add(Pyramid, age, sex)
		}
		for _, label := range []int{region, category, age} {
			if label >= 0 {
				add(pair, label, sex)
				add(Gap, label, sex)
			}
		}
		add(Bars, sex, -1)
	}
	for _, label := range []int{region, category, age} {
		if label < 0 {
			continue
		}
		few := c.few(category, label)
		if few >= 0 && c.Additive && c.total(few) < 0 { // one of the parts would pass for the whole
			add(Grouped, label, few)
		}
		add(c.single(label), label, -1)
		add(Bars, label, -1)
		if few >= 0 && c.Additive {
			add(Stacked, label, few)
			add(Shares, label, few)
		}
	}
	if short := c.find(portal.RoleTime, 2); short >= 0 && time < 0 {
		add(Bars, short, -1)
	}
	return plans
}

// sorts tells whether the labels of a dimension have no order of their own: those
// of time, age and sex have.
func (c *Cube) sorts(dim int) bool {
	return c.Dims[dim].Role == portal.RoleRegion || c.Dims[dim].Role == portal.RoleCategory
}

// overTime proposes lines: the whole where there is one, its parts beside it.
func (c *Cube) overTime(add func(Kind, int, int), time, sex, age, region, category int) {
	whole := true
	for i := range c.Dims {
		if i != time && len(c.parts(i)) > 1 && c.total(i) < 0 {
			whole = false
		}
	}
	if whole {
		add(Line, time, -1)
	}
	for _, series := range []int{c.few(sex, time), c.few(category, time), c.few(age, time), c.few(region, time)} {
		if series >= 0 {
			add(Line, time, series)
		}
	}
	for _, series := range []int{region, category, age} {
		if series >= 0 {
			add(Multiples, time, series)
		}
	}
	add(Line, time, -1)
}

// single is the way to draw one value for each label: bars from zero, or dots
// where what differs is small beside the whole and zero says nothing.
func (c *Cube) single(label int) Kind {
	f, err := c.Figure(Plan{Kind: Bars, Label: label, Series: -1, Hold: c.hold(label, -1)})
	if err != nil {
		return Bars
	}
	if lo, hi := f.extent(); !c.Additive && lo > 0 && hi-lo < lo {
		return Dots
	}
	return Bars
}

// few gives a dimension that is no other and has few enough parts for series, or -1.
func (c *Cube) few(dim, other int) int {
	if dim < 0 || dim == other || len(c.parts(dim)) > fewSeries {
		return -1
	}
	return dim
}

// find gives the first dimension of a role with at least n parts, or -1.
func (c *Cube) find(role portal.ColumnRole, n int) int {
	return slices.IndexFunc(c.Dims, func(d Dim) bool {
		parts := 0
		for _, v := range d.Values {
			if !v.Total {
				parts++
			}
		}
		return d.Role == role && parts >= n
	})
}

// parts are the places of values that stand for no others.
func (c *Cube) parts(dim int) []int {
	var places []int
	for i, v := range c.Dims[dim].Values {
		if !v.Total {
			places = append(places, i)
		}
	}
	return places
}

// total is the place of the value that stands for all others, or -1.
func (c *Cube) total(dim int) int {
	return slices.IndexFunc(c.Dims[dim].Values, func(v Value) bool { return v.Total })
}

// hold holds each dimension that is neither label nor series at its whole, its
// newest period, or else its first value.
func (c *Cube) hold(label, series int) []int {
	hold := make([]int, len(c.Dims))
	for i, d := range c.Dims {
		switch {
		case i == label || i == series:
			hold[i] = -1
		case d.Role == portal.RoleTime:
			hold[i] = len(d.Values) - 1
		default:
			hold[i] = max(c.total(i), 0)
		}
	}
	return hold
}

// Held names the values at which dimensions are held, for the line that says
// what is shown. A dimension of one value is among them.
func (c *Cube) Held(p Plan) []Value {
	var held []Value
	for i, at := range p.Hold {
		if at >= 0 && i != p.Label && i != p.Series {
			held = append(held, c.Dims[i].Values[at])
		}
	}
	return held
}

// Adjust changes a plan as a reader asked: another kind, other dimensions by
// name, values to hold by key. Empty arguments change nothing. The error is
// ErrFigure and names what the cube does not have.
func (c *Cube) Adjust(p Plan, kind Kind, label, series string, hold map[string]string) (Plan, error) {
	find := func(name string, was int) (int, error) {
		if name == "" {
			return was, nil
		}
		i := slices.IndexFunc(c.Dims, func(d Dim) bool { return d.Name == name })
		if i < 0 {
			return 0, fmt.Errorf("no dimension %.40q: %w", name, ErrFigure)
		}
		return i, nil
	}
	var err error
	if p.Label, err = find(label, p.Label); err != nil {
		return p, err
	}
	if series == "-" {
		p.Series = -1
	} else if p.Series, err = find(series, p.Series); err != nil {
		return p, err
	}
	if p.Series >= 0 && series == "" && hold[c.Dims[p.Series].Name] != "" { // one of them is asked for
		p.Series = -1
		if p.Kind == Multiples {
			p.Kind = Line
		}
	}
	p.Kind = cmp.Or(kind, p.Kind)
	if series == "" && (p.Series == p.Label || p.Kind == Bars || p.Kind == Dots) {
		p.Series = -1
	}
	p.Hold, p.Sorted = c.hold(p.Label, p.Series), c.sorts(p.Label)
	if p, err = c.Hold(p, hold); err != nil {
		return p, err
	}
	_, err = c.Figure(p)
	return p, err
}

// Hold holds dimensions, by their names, at values by their keys. Those that the
// plan draws it leaves. The error is ErrFigure and names what the cube does not
// have.
func (c *Cube) Hold(p Plan, hold map[string]string) (Plan, error) {
	for name, key := range hold {
		dim := slices.IndexFunc(c.Dims, func(d Dim) bool { return d.Name == name })
		if dim < 0 {
			return p, fmt.Errorf("no dimension %.40q: %w", name, ErrFigure)
		}
		at := slices.IndexFunc(c.Dims[dim].Values, func(v Value) bool { return v.Key == key })
		if at < 0 {
			return p, fmt.Errorf("%q has no value %.40q: %w", name, key, ErrFigure)
		}
		if p.Hold[dim] >= 0 {
			p.Hold[dim] = at
		}
	}
	return p, nil
}

// leastMapped is how many regions with a value make a map.
const leastMapped = 3

// MapPlan draws the dimension of regions of which most stand in an outline; by
// names another one. mapped is how many do; 0: too few for a map.
func (c *Cube) MapPlan(o *Outline, by string) (best Plan, mapped int) {
	for i, d := range c.Dims {
		if d.Role != portal.RoleRegion || by != "" && d.Name != by {
			continue
		}
		p := Plan{Kind: Map, Label: i, Series: -1, Hold: c.hold(i, -1), Sorted: true}
		f, err := c.Figure(p)
		if err != nil {
			continue
		}
		n := 0
		for j, key := range f.Keys {
			if o.Has(key) && known(f.Series[0].Values[j]) {
				n++
			}
		}
		if n >= leastMapped && n > mapped {
			best, mapped = p, n
		}
	}
	return best, mapped
}

// Figure fills a plan with values. Titles, notes and what stands out are the
// caller's. Totals are no labels and no series. The error is ErrFigure.
func (c *Cube) Figure(p Plan) (Figure, error) {
	if p.Label < 0 || p.Label >= len(c.Dims) || p.Series >= len(c.Dims) || p.Series == p.Label || len(p.Hold) != len(c.Dims) {
		return Figure{}, fmt.Errorf("a plan for another table: %w", ErrFigure)
	}
	labels, series := c.parts(p.Label), []int{-1}
	if p.Series >= 0 {
		series = c.parts(p.Series)
	}
	f := Figure{Kind: p.Kind, Mark: -1}
	for _, s := range series {
		row := Series{}
		if s >= 0 {
			row.Name = c.Dims[p.Series].Values[s].Label
		}
		for _, l := range labels {
			var at cell
			for i, h := range p.Hold {
				at[i] = int16(max(h, 0))
			}
			at[p.Label] = int16(l)
			if s >= 0 {
				at[p.Series] = int16(s)
			}
			row.Values = append(row.Values, c.value(at))
		}
		f.Series = append(f.Series, row)
	}
	for _, l := range labels {
		f.Labels = append(f.Labels, c.Dims[p.Label].Values[l].Label)
		if p.Kind == Map {
			f.Keys = append(f.Keys, c.Dims[p.Label].Values[l].Code)
		}
	}
	if c.Dims[p.Label].Role == portal.RoleTime && (p.Kind == Line || p.Kind == Multiples || p.Kind == Spark) {
		for _, l := range labels {
			f.At = append(f.At, c.Dims[p.Label].Values[l].at)
		}
	}
	if len(f.Series) > 1 { // those of another region, say, than the one that is held
		f.Series = slices.DeleteFunc(f.Series, func(s Series) bool { return !slices.ContainsFunc(s.Values, known) })
	}
	f.drop()
	if p.Sorted {
		f.sort()
	}
	if p.Kind == Map { // its outline is still to come
		return f, nil
	}
	return f, f.check()
}

// drop leaves out labels that no series has a value for.
func (f *Figure) drop() {
	keep := make([]int, 0, len(f.Labels))
	for i := range f.Labels {
		if slices.ContainsFunc(f.Series, func(s Series) bool { return known(s.Values[i]) }) {
			keep = append(keep, i)
		}
	}
	f.pick(keep)
}

// sort puts the greatest first, by the first series; what is not known comes last.
func (f *Figure) sort() {
	order := make([]int, len(f.Labels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := f.Series[0].Values[a], f.Series[0].Values[b]
		switch {
		case math.IsNaN(x) && math.IsNaN(y):
			return 0
		case math.IsNaN(x):
			return 1
		case math.IsNaN(y):
			return -1
		}
		return cmp.Compare(y, x)
	})
	f.pick(order)
}

func known(v float64) bool { return !math.IsNaN(v) }

func (f *Figure) pick(order []int) {
	labels, keys, at := make([]string, len(order)), make([]string, len(order)), make([]float64, len(order))
	for to, from := range order {
		labels[to] = f.Labels[from]
		if f.Keys != nil {
			keys[to] = f.Keys[from]
		}
		if f.At != nil {
			at[to] = f.At[from]
		}
	}
	for i, s := range f.Series {
		values := make([]float64, len(order))
		for to, from := range order {
			values[to] = s.Values[from]
		}
		f.Series[i].Values = values
	}
	f.Labels = labels
	if f.Keys != nil {
		f.Keys = keys
	}
	if f.At != nil {
		f.At = at
	}
}
