package chart

import (
	"math"
	"strings"

	"koprik/portal"
	"koprik/portal/lang"
)

// Pair are women and men in one measure.
type Pair struct {
	Women, Men Value   // as the table calls them: girls, boys
	W, M       float64 // their values
	Held       []Value // where other dimensions are held; those of one value among them
	Summed     bool    // the values are sums over parts that have no whole in the table
}

// Pair finds the values of women and men at the whole of all other dimensions and
// the newest time. Parts are added up where the table has no row for their whole
// and its values may be added. It is false where there are no such two values.
func (c *Cube) Pair() (p Pair, ok bool) {
	sex, women, men := -1, -1, -1
	for i, d := range c.Dims {
		if d.Role != portal.RoleSex {
			continue
		}
		sex = i
		for j, v := range d.Values {
			switch sexOf(v) {
			case portal.SexFemale:
				women = j
			case portal.SexMale:
				men = j
			}
		}
	}
	if sex < 0 || women < 0 || men < 0 {
		return p, false
	}
	hold := c.hold(sex, -1)
	for i, d := range c.Dims {
		if i == sex || d.Role == portal.RoleTime || len(d.Values) < 2 || c.total(i) >= 0 {
			continue
		}
		if !c.Additive {
			return p, false
		}
		hold[i], p.Summed = -1, true
	}
	for i, at := range hold {
		if at >= 0 && i != sex {
			p.Held = append(p.Held, c.Dims[i].Values[at])
		}
	}
	p.Women, p.Men = c.Dims[sex].Values[women], c.Dims[sex].Values[men]
	p.W, p.M = c.sum(hold, sex, women), c.sum(hold, sex, men)
	return p, !math.IsNaN(p.W) && !math.IsNaN(p.M)
}

// sum adds up what stands at the places of hold, over all of those below zero but
// one dimension's; NaN where nothing does.
func (c *Cube) sum(hold []int, dim, at int) float64 {
	sum := math.NaN()
	for place, v := range c.cells {
		fits := int(place[dim]) == at
		for i, h := range hold {
			fits = fits && (i == dim || h < 0 || int(place[i]) == h)
		}
		switch {
		case !fits:
		case math.IsNaN(sum):
			sum = v
		default:
			sum += v
		}
	}
	return sum
}

func sexOf(v Value) string {
	if v.Key == portal.SexFemale || v.Key == portal.SexMale {
		return v.Key
	}
	sex, _ := lang.SexOf(strings.Fields(lang.FoldLoose(v.Key)))
	return sex
}
