package column

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"koprik/portal"
)

// Figures are what a query computes beside its rows.
type Figures struct {
	Total  int64               // rows that pass
	Totals []any               // the aggregates over them; nil where none were asked for
	Groups []portal.TableGroup // all of them, in their order
	Facets []portal.TableFacet
}

func tooMuch(where, format string, args ...any) error {
	return &portal.Problem{Kind: portal.ErrTooMuch, Where: where, Message: fmt.Sprintf(format, args...), Hint: "narrow the query by a filter, or download the file"}
}

// labels gives every value of a column a number, in the order in which values
// come; of a coded column it is its code.
type labels struct {
	dict    []any // of a coded column
	seen    map[any]uint32
	numbers map[uint64]uint32
	values  []any
	bytes   int // of the texts among values
}

func (l *labels) of(v *Vector, i int) uint32 {
	switch {
	case v.Small != nil:
		l.dict = v.Dict
		return uint32(v.Small[i])
	case v.Large != nil:
		l.dict = v.Dict
		return v.Large[i]
	case v.Numbers != nil:
		f := v.Numbers[i]
		bits := math.Float64bits(f)
		n, ok := l.numbers[bits]
		if !ok {
			if l.numbers == nil {
				l.numbers = map[uint64]uint32{}
			}
			n = l.next(Canonical(f))
			l.numbers[bits] = n
		}
		return n
	}
	value := Canonical(v.Plain[i])
	n, ok := l.seen[value]
	if !ok {
		if l.seen == nil {
			l.seen = map[any]uint32{}
		}
		n = l.next(value)
		l.seen[value] = n
	}
	return n
}

func (l *labels) next(value any) uint32 {
	l.values = append(l.values, value)
	if s, text := value.(string); text {
		l.bytes += len(s)
	}
	return uint32(len(l.values) - 1) //nolint:gosec // callers stop at maxDict
}

func (l *labels) all() []any {
	if l.dict != nil {
		return l.dict
	}
	return l.values
}

// ranks gives the place of every value in the column's order.
func (l *labels) ranks(key collation) []uint32 {
	values := l.all()
	ranks := make([]uint32, len(values))
	if l.dict != nil {
		for i := range ranks {
			ranks[i] = uint32(i) //nolint:gosec // at most maxDict
		}
		return ranks
	}
	for to, from := range sorted(values, key) {
		ranks[from] = uint32(to) //nolint:gosec // as above
	}
	return ranks
}

// grouping numbers the groups of rows.
type grouping struct {
	columns []int
	labels  []labels
	widths  []int             // how many codes each column has, where the combined codes are few
	direct  bool              // the combined codes are so few that they number the groups
	dense   []uint32          // group + 1 by the combined codes, where they are few but do not
	sparse  map[uint64]uint32 // by the group of the columns before and the label
	chain   uint32            // beginnings of groups in sparse
	keys    []uint32          // labels of every group, one after another
	rows    []int64
}

// Of so many combined codes each has a group, whether it has rows or not; of so many
// the group is looked up in a list.
const (
	maxDirect = 1 << 14
	maxDense  = 1 << 20
)

func newGrouping(columns []int) *grouping {
	return &grouping{columns: columns, labels: make([]labels, len(columns)), sparse: map[uint64]uint32{}}
}

// begin chooses how groups are numbered, when the first block shows the forms of the
// columns.
func (g *grouping) begin(b *Block) {
	product := 1
	for n, c := range g.columns {
		v := &b.Vectors[c]
		if product *= len(v.Dict); !v.Coded() || product > maxDense {
			g.widths = nil
			return
		}
		g.widths, g.labels[n].dict = append(g.widths, len(v.Dict)), v.Dict
	}
	if g.direct = product <= maxDirect; g.direct {
		g.rows = make([]int64, product)
	} else {
		g.dense = make([]uint32, product)
	}
}

// number gives the group of each row of sel.
func (g *grouping) number(b *Block, sel []int32, ids []uint32) ([]uint32, error) {
	if g.columns != nil && b.First == 1 {
		g.begin(b)
	}
	if g.direct {
		ids = g.combine(b, sel, ids[:len(sel)])
		rows := g.rows
		for _, id := range ids {
			rows[id]++
		}
		return ids, nil
	}
	if g.dense != nil {
		return g.numberDense(b, sel, ids)
	}
	ids = ids[:0]
	for _, i := range sel {
		id := g.inSparse(b, int(i))
		if len(g.rows) > maxGroups {
			return nil, tooMuch("group", "there are more than %d groups", maxGroups)
		}
		g.rows[id]++
		ids = append(ids, id)
	}
	for n := range g.labels {
		if g.labels[n].bytes > maxDictBytes {
			return nil, tooMuch("group", "the different values of a column have more than %d MiB", maxDictBytes>>20)
		}
	}
	return ids, nil
}

// numberDense combines the codes, column by column, and looks the groups up.
func (g *grouping) numberDense(b *Block, sel []int32, ids []uint32) ([]uint32, error) {
	ids = g.combine(b, sel, ids[:len(sel)])
	dense, rows := g.dense, g.rows
	for at, combined := range ids {
		id := dense[combined]
		if id == 0 {
			id = g.add(b, int(sel[at])) + 1
			dense[combined], rows = id, g.rows
			if len(g.rows) > maxGroups {
				return nil, tooMuch("group", "there are more than %d groups", maxGroups)
			}
		}
		rows[id-1]++
		ids[at] = id - 1
	}
	return ids, nil
}

// combine makes one number of the codes of each row. Whole blocks of columns with
// few values, which most groups are of, are gone through in order.
func (g *grouping) combine(b *Block, sel []int32, ids []uint32) []uint32 {
	clear(ids)
	for n, c := range g.columns {
		v, width := &b.Vectors[c], uint32(g.widths[n]) //nolint:gosec // at most maxDense
		switch {
		case v.Small != nil && len(sel) == b.N:
			codes := v.Small[:len(ids)]
			for at, code := range codes {
				ids[at] = ids[at]*width + uint32(code)
			}
		case v.Small != nil:
			for at, i := range sel {
				ids[at] = ids[at]*width + uint32(v.Small[i])
			}
		default:
			for at, i := range sel {
				ids[at] = ids[at]*width + v.Large[i]
			}
		}
	}
	return ids
}

// filled gives the groups that have rows, whose keys stand one after another then.
func (g *grouping) filled() []int {
	ids := make([]int, 0, len(g.rows))
	for id, n := range g.rows {
		if n == 0 {
			continue
		}
		ids = append(ids, id)
		if !g.direct {
			continue
		}
		at := len(g.keys)
		g.keys = slices.Grow(g.keys, len(g.widths))[:at+len(g.widths)]
		for n, rest := len(g.widths)-1, id; n >= 0; n-- {
			g.keys[at+n] = uint32(rest % g.widths[n]) //nolint:gosec // a code
			rest /= g.widths[n]
		}
	}
	return ids
}

func (g *grouping) inSparse(b *Block, i int) uint32 {
	last := len(g.columns) - 1
	before := uint32(0)
	for n, c := range g.columns {
		label := g.labels[n].of(&b.Vectors[c], i)
		at := uint64(n)<<60 | uint64(before)<<30 | uint64(label)
		id, ok := g.sparse[at]
		if !ok {
			if n == last {
				id = g.add(b, i)
			} else {
				id = g.chain
				g.chain++ // groups are bounded, and so are their beginnings
			}
			g.sparse[at] = id
		}
		before = id
	}
	return before
}

// add makes a group of the row's values.
func (g *grouping) add(b *Block, i int) uint32 {
	for n, c := range g.columns {
		g.keys = append(g.keys, g.labels[n].of(&b.Vectors[c], i))
	}
	g.rows = append(g.rows, 0)
	return uint32(len(g.rows) - 1) //nolint:gosec // at most maxGroups
}

// Figures computes groups, totals and facets.
func (p *Plan) Figures(ctx context.Context, src Source) (Figures, error) {
	var out Figures
	g := newGrouping(p.group)
	accs, of := p.accumulators()
	if len(p.group) == 0 { // one group of all rows
		g.rows = make([]int64, 1)
	}
	shared, own := p.facetPasses()
	ids := make([]uint32, 0, BlockRows)
	f := p.filter(-1)
	err := src.Blocks(ctx, p.figures(), 1, func(b *Block) error {
		var err error
		sel := f.keep(b)
		out.Total += int64(len(sel))
		if len(p.group) > 0 {
			if ids, err = g.number(b, sel, ids); err != nil {
				return err
			}
		} else {
			ids = ids[:len(sel)]
			clear(ids)
		}
		for _, a := range accs {
			a.grow(len(g.rows))
			if err := a.add(b, sel, ids); err != nil {
				return err
			}
		}
		return f.count(shared, b)
	})
	if err != nil {
		return out, err
	}
	for _, c := range own {
		if err := p.ownFacet(ctx, src, c); err != nil {
			return out, err
		}
	}
	out.Facets = p.facetsOf(append(shared, own...))
	p.finish(&out, g, accs, of)
	return out, nil
}

// finish turns accumulators into groups and totals.
func (p *Plan) finish(out *Figures, g *grouping, accs []*accumulator, of []int) {
	for _, a := range accs {
		a.grow(len(g.rows))
	}
	if len(p.group) == 0 {
		for n, a := range of {
			out.Totals = append(out.Totals, accs[a].result(p.aggregates[n], 0))
		}
		return
	}
	whole, _ := p.accumulators()
	filled := g.filled()
	for n, a := range accs {
		whole[n].grow(1)
		for _, id := range filled {
			whole[n].merge(a, id)
		}
	}
	for n, a := range of {
		out.Totals = append(out.Totals, whole[a].result(p.aggregates[n], 0))
	}
	width := len(p.group)
	groups := make([]portal.TableGroup, len(filled))
	for at, id := range filled {
		one := &groups[at]
		one.Count = g.rows[id]
		one.Keys, one.Values = make([]any, width), make([]any, len(of))
		for n := range width {
			one.Keys[n] = g.labels[n].all()[g.keys[at*width+n]]
		}
		for n, a := range of {
			one.Values[n] = accs[a].result(p.aggregates[n], id)
		}
	}
	out.Groups = p.sortGroups(groups, g)
}

// sortGroups puts groups in the order asked for, and then in that of their keys.
func (p *Plan) sortGroups(groups []portal.TableGroup, g *grouping) []portal.TableGroup {
	width := len(p.group)
	ranks := make([][]uint32, width)
	for n, c := range p.group {
		ranks[n] = g.labels[n].ranks(collationOf(p.Fields[c]))
	}
	byKey := func(i, j, n int, desc bool) int {
		a, b := g.keys[i*width+n], g.keys[j*width+n]
		c := cmp.Compare(ranks[n][a], ranks[n][b])
		if desc && groups[i].Keys[n] != nil && groups[j].Keys[n] != nil {
			return -c
		}
		return c
	}
	order := make([]int, len(groups))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		for _, o := range p.groupOrder {
			c := 0
			switch {
			case o.key >= 0:
				c = byKey(i, j, o.key, o.desc)
			case o.aggregate == countRows:
				c = compareValues(groups[i].Count, groups[j].Count, o.desc)
			default:
				c = compareValues(groups[i].Values[o.aggregate], groups[j].Values[o.aggregate], o.desc)
			}
			if c != 0 {
				return c
			}
		}
		for n := range width {
			if c := byKey(i, j, n, false); c != 0 {
				return c
			}
		}
		return 0
	})
	all := make([]portal.TableGroup, len(groups))
	for to, from := range order {
		all[to] = groups[from]
	}
	return all
}

// compareValues puts numbers in order and what is missing last.
func compareValues(a, b any, desc bool) int {
	c := compare(nil, a, b)
	if desc && a != nil && b != nil {
		return -c
	}
	return c
}
