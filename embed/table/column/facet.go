package column

import (
	"cmp"
	"context"
	"slices"

	"koprik/portal"
)

// facet counts the values of a column.
type facet struct {
	column int
	labels labels
	counts []int64
}

// facetPasses parts the facets: those that count the rows that pass, and those
// whose own filters are passed over.
func (p *Plan) facetPasses() (shared, own []*facet) {
	for _, c := range p.facets {
		one := &facet{column: c}
		if slices.ContainsFunc(p.conditions, func(f condition) bool { return f.column == c }) {
			own = append(own, one)
		} else {
			shared = append(shared, one)
		}
	}
	return shared, own
}

// count adds the block that was looked at to facets. Where few rows fail, they are taken
// off those that the values of a coded column have in the whole table: to look at a
// hundredth of the rows is to look at all.
func (f *filter) count(all []*facet, b *Block) error {
	for _, one := range all {
		v := &b.Vectors[one.column]
		switch {
		case v.Coded() && f.few:
			one.takeOff(v, f.lost())
		case v.Small != nil:
			one.addSmall(v, f.passed(b))
		default:
			if err := one.add(v, f.passed(b)); err != nil {
				return err
			}
		}
	}
	return nil
}

// add counts the rows sel of a block.
func (f *facet) add(v *Vector, sel []int32) error {
	for _, i := range sel {
		l := f.labels.of(v, int(i))
		for int(l) >= len(f.counts) {
			f.counts = append(f.counts, 0)
		}
		f.counts[l]++
	}
	if len(f.counts) > maxDict {
		return tooMuch("facet", "a column has more than %d different values", maxDict)
	}
	if f.labels.bytes > maxDictBytes {
		return tooMuch("facet", "the different values of a column have more than %d MiB", maxDictBytes>>20)
	}
	return nil
}

// addSmall counts codes of two bytes, of which most facets are.
func (f *facet) addSmall(v *Vector, sel []int32) {
	if f.counts == nil {
		f.labels.dict, f.counts = v.Dict, make([]int64, len(v.Dict))
	}
	counts, codes := f.counts, v.Small
	for _, i := range sel {
		counts[codes[i]]++
	}
}

// takeOff counts all rows of the table but those that are lost.
func (f *facet) takeOff(v *Vector, lost []int32) {
	if f.counts == nil {
		f.labels.dict, f.counts = v.Dict, make([]int64, len(v.Dict))
		for code, n := range v.rows {
			f.counts[code] = int64(n)
		}
	}
	for _, i := range lost {
		f.counts[v.code(int(i))]--
	}
}

func (p *Plan) ownFacet(ctx context.Context, src Source, one *facet) error {
	without := p.filter(one.column)
	return src.Blocks(ctx, unique(append(p.looks(), one.column)), 1, func(b *Block) error {
		without.look(b)
		return without.count([]*facet{one}, b)
	})
}

// facetsOf gives the facets in the order in which they were asked for.
func (p *Plan) facetsOf(all []*facet) []portal.TableFacet {
	var out []portal.TableFacet
	for _, c := range p.facets {
		f := all[slices.IndexFunc(all, func(f *facet) bool { return f.column == c })]
		values, ranks := f.labels.all(), f.labels.ranks(collationOf(p.Fields[c]))
		var found []uint32
		shown := portal.TableFacet{Column: p.Fields[c].Name}
		for l, n := range f.counts {
			if n == 0 {
				continue
			}
			found = append(found, uint32(l)) //nolint:gosec // at most maxDict
			if values[l] != nil {
				shown.Total++
			}
		}
		slices.SortFunc(found, func(i, j uint32) int {
			if c := cmp.Compare(f.counts[j], f.counts[i]); c != 0 {
				return c
			}
			return cmp.Compare(ranks[i], ranks[j])
		})
		for _, l := range found[:min(len(found), p.facetLimit)] {
			shown.Values = append(shown.Values, portal.FacetValue{Value: values[l], Count: f.counts[l]})
		}
		out = append(out, shown)
	}
	return out
}
