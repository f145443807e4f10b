package portal

import (
	"iter"
	"math"
	"strconv"
	"strings"
)

// TableQuery asks a table. It is what the address of a table's page, the rows
// of the API and an export say (portal/query reads it from an address and writes
// it back); the zero value is the first page of the whole table.
type TableQuery struct {
	Columns []string      // in this order; empty means all
	Filters []TableFilter // all must hold
	Text    string        // each of its words must stand somewhere in the row
	Order   []TableOrder  // empty means the order of the file
	After   string        // TableAnswer.Next of the page before
	Limit   int           // rows or groups of a page, 1 to MaxLimit; 0 means DefaultRows. Of a stream: 0 means all

	// Facets are columns whose values are counted, FacetLimit of each (0 means
	// DefaultFacet, at most MaxLimit). A column's own filters do not narrow its
	// facet, so that several of its values can be chosen.
	Facets     []string
	FacetLimit int

	// Group makes one group of the rows with the same values in these columns;
	// the answer then has Groups and no Rows, and Order may name an aggregate.
	Group []string
	// Aggregates are computed for every group, and for all rows that pass.
	Aggregates []Aggregate
}

// Limits of a table query (guarantee 5).
const (
	MaxTableFilters    = 32
	MaxFilterValues    = 1000 // of one filter
	MaxFilterValue     = 4096 // bytes of one value
	MaxTableOrder      = 8
	MaxFacets          = 20
	DefaultFacet       = 50
	MaxGroupColumns    = 8
	MaxTableAggregates = 32
)

// TableFilter keeps the rows whose column compares so to the values.
type TableFilter struct {
	Column string
	Op     TableOp
	Values []string // one; OpIn any number, OpBetween two, OpEmpty "1" or "0"
}

// TableOp is a comparison.
type TableOp string

// The comparisons. Numbers, years, dates and flags compare by value where the
// column has that type, texts by the alphabet of the table's language. A missing
// value is equal to nothing; only OpNot and OpEmpty keep it. OpEqual and OpNot
// with "" ask for cells without and with anything in them.
const (
	OpEqual    TableOp = "eq"
	OpNot      TableOp = "ne"
	OpLess     TableOp = "lt"
	OpMost     TableOp = "le"
	OpGreater  TableOp = "gt"
	OpLeast    TableOp = "ge"
	OpBetween  TableOp = "between" // both ends count; an end that is "" is open
	OpIn       TableOp = "in"      // one of the values
	OpContains TableOp = "contains"
	OpBegins   TableOp = "begins"
	OpEmpty    TableOp = "empty" // "1": no value, "0": a value
)

// TableOps are all of them, in the order of forms and messages.
var TableOps = []TableOp{OpEqual, OpNot, OpContains, OpBegins, OpGreater, OpLeast, OpLess, OpMost, OpBetween, OpIn, OpEmpty}

// TableOrder sorts by one column or, in a grouped query, by an aggregate's name.
// Cells without a value stand last either way; rows that are equal keep the
// order of the file. By "" is the order of the file itself.
type TableOrder struct {
	By   string
	Desc bool
}

// Aggregate is one figure made of many rows. Only numbers count; a cell without
// one is passed over.
type Aggregate struct {
	Column string // "" with AggCount: the rows themselves
	Func   AggFunc
}

// AggFunc is what is computed: one of the constants, or a percentile, "p0" to "p100".
type AggFunc string

// The aggregates. A percentile is that of Excel's PERCENTILE.INC (type 7 of
// Hyndman and Fan): of the n values in order, that at place 1 + (n−1)·p/100,
// between two values in proportion. AggMedian is p50.
const (
	AggCount  AggFunc = "count" // cells with a value
	AggSum    AggFunc = "sum"
	AggMean   AggFunc = "mean"
	AggMin    AggFunc = "min"
	AggMax    AggFunc = "max"
	AggMedian AggFunc = "median"
)

// AggFuncs are those with a name, in the order of forms and messages.
var AggFuncs = []AggFunc{AggCount, AggSum, AggMean, AggMin, AggMax, AggMedian}

// Listed writes what a message has to choose from: "eq, ne, contains".
func Listed[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// Known tells whether f is one that can be computed.
func (f AggFunc) Known() bool {
	switch f {
	case AggCount, AggSum, AggMean, AggMin, AggMax, AggMedian:
		return true
	}
	return !math.IsNaN(f.Percentile())
}

// Percentile gives the place of a percentile, from 0 to 1; NaN for other functions.
func (f AggFunc) Percentile() float64 {
	if f == AggMedian {
		return 0.5
	}
	digits, ok := strings.CutPrefix(string(f), "p")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || n > 100 || strconv.Itoa(n) != digits {
		return math.NaN()
	}
	return float64(n) / 100
}

// Name is how an aggregate is called in orders, columns and addresses:
// "population__sum", and "__count" for the number of rows.
func (a Aggregate) Name() string { return a.Column + "__" + string(a.Func) }

// GroupFields describes the columns of a grouped query's groups as rows: the keys,
// the number of rows as "__count", and the aggregates under their names. columns
// are the table's.
func (q TableQuery) GroupFields(columns []Field) []Field {
	find := func(name string) Field {
		for _, f := range columns {
			if f.Name == name {
				return f
			}
		}
		return Field{}
	}
	all := make([]Field, 0, len(q.Group)+1+len(q.Aggregates))
	for _, name := range q.Group {
		all = append(all, find(name))
	}
	rows := Aggregate{Func: AggCount}
	all = append(all, Field{Name: rows.Name(), Type: "integer"})
	for _, a := range q.Aggregates {
		f := find(a.Column)
		switch {
		case a == rows:
		case a.Func == AggCount:
			all = append(all, Field{Name: a.Name(), Type: "integer", Title: f.Title})
		default:
			m := f.Meaning
			m.Additive = m.Additive && a.Func == AggSum
			all = append(all, Field{Name: a.Name(), Type: "number", Title: f.Title, Meaning: m})
		}
	}
	return all
}

// GroupRow is a group as a row of GroupFields.
func (q TableQuery) GroupRow(g TableGroup) []any {
	row := make([]any, 0, len(g.Keys)+1+len(g.Values))
	row = append(append(row, g.Keys...), g.Count)
	for i, a := range q.Aggregates {
		if a.Column != "" {
			row = append(row, g.Values[i])
		}
	}
	return row
}

// TableAnswer answers a TableQuery.
type TableAnswer struct {
	Columns []Field // of Rows, or of the groups' keys
	Total   int64   // rows that pass the filters
	Rows    [][]any // nil, int64, float64, bool or string, in the order of Columns
	Next    string  // for After; "" on the last page
	Facets  []TableFacet
	Totals  []any // the aggregates over all rows that pass, in their order; nil where none were asked for
	Groups  []TableGroup
	// GroupTotal is how many groups there are.
	GroupTotal int64
}

// TableFacet counts the values of one column.
type TableFacet struct {
	Column string
	Values []FacetValue // most frequent first, equal ones in the column's order; at most FacetLimit
	Total  int64        // how many different values there are, a missing one not counted
}

// FacetValue is one value, as a filter with OpEqual takes it.
type FacetValue struct {
	Value any // nil: without a value
	Count int64
}

// TableGroup is one group of rows.
type TableGroup struct {
	Keys   []any // in the order of Group
	Count  int64 // rows
	Values []any // the aggregates in their order: int64, float64, or nil where no row has a number
}

// TableRows are all rows of a query, one after another.
type TableRows struct {
	Columns []Field
	// Rows gives every row that passes, or every group as keys, number of rows and
	// aggregates. A row is good until the next one is asked for. An error ends it.
	Rows iter.Seq2[[]any, error]
}
