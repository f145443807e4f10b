package column

import (
	"fmt"
	"slices"
	"strings"

	"koprik/portal"
	"koprik/portal/lang"
)

// Plan is a query that was checked against its table.
type Plan struct {
	Fields  []portal.Field // of the whole table
	Columns []int          // of the answer's rows
	Limit   int

	conditions []condition
	words      []string // folded
	raw        []string // the same as typed, for those that fold to nothing: ""
	order      []order
	reverse    bool // the order of the file, from its end
	facets     []int
	facetLimit int
	group      []int
	aggregates []aggregate
	groupOrder []groupOrder
}

type order struct {
	column int
	desc   bool
	key    collation
}

type aggregate struct {
	column  int // -1: the rows themselves
	fn      portal.AggFunc
	percent float64 // NaN for other functions
}

// groupOrder sorts groups by a key or by an aggregate.
type groupOrder struct {
	key       int // place in group, or -1
	aggregate int // place in aggregates, or countRows
	desc      bool
}

const countRows = -1

func usage(where, format string, args ...any) error {
	return &portal.Problem{Kind: portal.ErrUsage, Where: where, Message: fmt.Sprintf(format, args...)}
}

// Check makes a plan of a query on a table with these columns. What is wrong is
// portal.ErrUsage and names its parameter.
func Check(fields []portal.Field, q portal.TableQuery) (*Plan, error) {
	p := &Plan{Fields: fields, Limit: q.Limit, facetLimit: q.FacetLimit}
	if q.Limit < 0 || q.FacetLimit < 0 {
		return nil, usage("limit", "%d: must be from 1 to %d", min(q.Limit, q.FacetLimit), portal.MaxLimit)
	}
	if p.facetLimit == 0 {
		p.facetLimit = portal.DefaultFacet
	}
	p.facetLimit = min(p.facetLimit, portal.MaxLimit)
	for _, step := range []func(portal.TableQuery) error{p.checkCounts, p.checkFilters, p.checkColumns, p.checkGroups, p.checkOrder} {
		if err := step(q); err != nil {
			return nil, err
		}
	}
	p.words = strings.Fields(q.Text)
	for i, w := range p.words {
		p.raw = append(p.raw, "")
		if folded := lang.FoldLoose(w); folded != "" {
			p.words[i] = folded
		} else {
			p.raw[i] = w
		}
	}
	return p, nil
}

func (p *Plan) checkCounts(q portal.TableQuery) error {
	for _, c := range []struct {
		where   string
		n, most int
	}{
		{"filters", len(q.Filters), portal.MaxTableFilters},
		{"sort", len(q.Order), portal.MaxTableOrder},
		{"facet", len(q.Facets), portal.MaxFacets},
		{"group", len(q.Group), portal.MaxGroupColumns},
		{"aggregate", len(q.Aggregates), portal.MaxTableAggregates},
	} {
		if c.n > c.most {
			return usage(c.where, "%d given, at most %d are allowed", c.n, c.most)
		}
	}
	return nil
}

func (p *Plan) checkFilters(q portal.TableQuery) error {
	for _, f := range q.Filters {
		where := clip(f.Column + "__" + string(f.Op))
		i, err := p.find(where, f.Column)
		if err != nil {
			return err
		}
		if !slices.Contains(portal.TableOps, f.Op) {
			return usage(where, "no operator %q; the operators are: %s", clip(string(f.Op)), portal.Listed(portal.TableOps))
		}
		if len(f.Values) > portal.MaxFilterValues {
			return usage(where, "%d values, at most %d are allowed", len(f.Values), portal.MaxFilterValues)
		}
		for _, v := range f.Values {
			if len(v) > portal.MaxFilterValue {
				return usage(where, "the value is longer than %d bytes", portal.MaxFilterValue)
			}
		}
		c, err := compile(f, i, p.Fields[i])
		if err != nil {
			return usage(where, "%v", err)
		}
		p.conditions = append(p.conditions, c)
	}
	return nil
}

func (p *Plan) checkColumns(q portal.TableQuery) error {
	var err error
	if p.Columns, err = p.findAll("columns", q.Columns); err != nil {
		return err
	}
	if len(q.Columns) == 0 {
		for i := range p.Fields {
			p.Columns = append(p.Columns, i)
		}
	}
	p.facets, err = p.findAll("facet", q.Facets)
	return err
}

func (p *Plan) checkGroups(q portal.TableQuery) error {
	var err error
	if p.group, err = p.findAll("group", q.Group); err != nil {
		return err
	}
	for _, a := range q.Aggregates {
		if !a.Func.Known() || a.Column == "" && a.Func != portal.AggCount {
			return usage("aggregate", "no function %q; the functions are %s and percentiles p0 to p100", clip(string(a.Func)), portal.Listed(portal.AggFuncs))
		}
		of := aggregate{column: -1, fn: a.Func, percent: a.Func.Percentile()}
		if a.Column != "" {
			if of.column, err = p.find("aggregate", a.Column); err != nil {
				return err
			}
		}
		p.aggregates = append(p.aggregates, of)
	}
	return nil
}

func (p *Plan) checkOrder(q portal.TableQuery) error {
	for _, o := range q.Order {
		if len(q.Group) > 0 {
			if err := p.orderGroups(q, o); err != nil {
				return err
			}
			continue
		}
		if o.By == "" {
			p.reverse = o.Desc
			break
		}
		i, err := p.find("sort", o.By)
		if err != nil {
			return err
		}
		p.order = append(p.order, order{i, o.Desc, collationOf(p.Fields[i])})
	}
	return nil
}

func (p *Plan) orderGroups(q portal.TableQuery, o portal.TableOrder) error {
	is := func(a portal.Aggregate) bool { return a.Name() == o.By }
	switch {
	case slices.ContainsFunc(q.Aggregates, is):
		p.groupOrder = append(p.groupOrder, groupOrder{-1, slices.IndexFunc(q.Aggregates, is), o.Desc})
	case o.By == portal.Aggregate{Func: portal.AggCount}.Name():
		p.groupOrder = append(p.groupOrder, groupOrder{-1, countRows, o.Desc})
	case slices.Contains(q.Group, o.By):
		p.groupOrder = append(p.groupOrder, groupOrder{slices.Index(q.Group, o.By), 0, o.Desc})
	default:
		return usage("sort", "%q is neither a column of the groups nor one of their aggregates", clip(o.By))
	}
	return nil
}

// find gives the place of a column by its name.
func (p *Plan) find(where, name string) (int, error) {
	var names []string
	for i, f := range p.Fields {
		if f.Name == name {
			return i, nil
		}
		if len(names) < 50 {
			names = append(names, f.Name)
		}
	}
	return 0, usage(where, "no column %q; the columns are: %s", clip(name), strings.Join(names, ", "))
}

func (p *Plan) findAll(where string, names []string) ([]int, error) {
	var all []int
	for _, name := range names {
		i, err := p.find(where, name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(all, i) {
			return nil, usage(where, "column %q stands twice", clip(name))
		}
		all = append(all, i)
	}
	return all, nil
}

// Grouped tells whether the answer has groups.
func (p *Plan) Grouped() bool { return len(p.group) > 0 }

// HasFigures tells whether more than rows is asked for.
func (p *Plan) HasFigures() bool { return len(p.group)+len(p.aggregates)+len(p.facets) > 0 }

// All tells whether every row passes.
func (p *Plan) All() bool { return len(p.conditions)+len(p.words) == 0 }

// FileOrder tells whether rows keep the order of the file; reverse, from its end.
func (p *Plan) FileOrder() (reverse, ok bool) { return p.reverse, len(p.order) == 0 }

// looks are the columns that filters look at, each once, in the order of the table.
func (p *Plan) looks() []int {
	if len(p.words) > 0 {
		all := make([]int, len(p.Fields))
		for i := range all {
			all[i] = i
		}
		return all
	}
	var all []int
	for _, c := range p.conditions {
		all = append(all, c.column)
	}
	return unique(all)
}

// orders are those of filters and order.
func (p *Plan) orders() []int {
	all := p.looks()
	for _, o := range p.order {
		all = append(all, o.column)
	}
	return unique(all)
}

// figures are those of filters, groups, facets and aggregates.
func (p *Plan) figures() []int {
	all := append(append(p.looks(), p.group...), p.facets...)
	for _, a := range p.aggregates {
		if a.column >= 0 {
			all = append(all, a.column)
		}
	}
	return unique(all)
}

// Needs are all columns but those that are only shown.
func (p *Plan) Needs() []int { return unique(append(p.orders(), p.figures()...)) }

func unique(all []int) []int {
	all = slices.Clone(all)
	slices.Sort(all)
	return slices.Compact(all)
}
