package column

import (
	"context"
	"math"
	"slices"
	"strings"
)

// Vector holds the values of one column for the rows of a block, in one of
// three forms.
type Vector struct {
	// Dict are the different values in order, and Small or Large the place of
	// each row's value in it.
	Dict  []any
	Small []uint16
	Large []uint32
	// Numbers are the values of a column of numbers; NaN is a missing one.
	Numbers []float64
	// Plain are the values as they are.
	Plain []any
	// scale is 1, 10 … 10,000 where all numbers times it are whole and so small that
	// any sum of them is exact; 0 where there is none. See measure.
	scale float64
	// rows are how many rows of the whole column have each value of Dict.
	rows []uint32
}

// maxSmall times read.MaxRows is less than what a float64 holds exactly.
const maxSmall = 1 << 28

// measure looks at all numbers and finds their scale: with as many decimals as
// offices write.
func (v *Vector) measure() {
	v.scale = 0
	if !v.Coded() && v.Numbers == nil {
		return
	}
	scale := 1.0
	fits := func(f float64) bool {
		for ; scale <= 10_000; scale *= 10 {
			if whole := math.Round(f * scale); math.Abs(whole) > maxSmall {
				return false
			} else if whole/scale == f || f != f { //nolint:gocritic // NaN
				return true
			}
		}
		return false
	}
	for _, d := range v.Dict {
		if !fits(numberOrNaN(d)) {
			return
		}
	}
	for _, f := range v.Numbers {
		if !fits(f) {
			return
		}
	}
	most := 0.0
	for _, d := range v.Dict {
		if f, ok := number(d); ok {
			most = max(most, math.Abs(f))
		}
	}
	for _, f := range v.Numbers {
		most = max(most, math.Abs(f)) // NaN is never the greater
	}
	if most*scale <= maxSmall {
		v.scale = scale
	}
}

// count finds the rows of each value.
func (v *Vector) count() {
	v.rows = make([]uint32, len(v.Dict))
	for _, c := range v.Small {
		v.rows[c]++
	}
	for _, c := range v.Large {
		v.rows[c]++
	}
}

// Coded tells whether the vector has codes.
func (v *Vector) Coded() bool { return v.Small != nil || v.Large != nil }

// code of a coded vector.
func (v *Vector) code(i int) uint32 {
	if v.Small != nil {
		return uint32(v.Small[i])
	}
	return v.Large[i]
}

// At gives one value.
func (v *Vector) At(i int) any {
	switch {
	case v.Coded():
		return v.Dict[v.code(i)]
	case v.Numbers != nil:
		return Canonical(v.Numbers[i])
	}
	return Canonical(v.Plain[i])
}

// Cut is a part of the vector.
func (v *Vector) Cut(from, to int) Vector {
	switch {
	case v.Small != nil:
		return Vector{Dict: v.Dict, Small: v.Small[from:to], scale: v.scale, rows: v.rows}
	case v.Large != nil:
		return Vector{Dict: v.Dict, Large: v.Large[from:to], scale: v.scale, rows: v.rows}
	case v.Numbers != nil:
		return Vector{Numbers: v.Numbers[from:to], scale: v.scale}
	}
	return Vector{Plain: v.Plain[from:to]}
}

// Len is the number of rows.
func (v *Vector) Len() int { return len(v.Small) + len(v.Large) + len(v.Numbers) + len(v.Plain) }

// Bytes is about what the vector holds of memory.
func (v *Vector) Bytes() int64 {
	n := int64(2*len(v.Small) + 4*len(v.Large) + 8*len(v.Numbers) + 16*len(v.Plain) + 20*len(v.Dict))
	for _, d := range v.Dict {
		if s, ok := d.(string); ok {
			n += int64(len(s))
		}
	}
	return n
}

// Block is rows next to each other: row First, counted from 1 in the order of
// the file, and those after it. Vectors has one place for each column of the
// table; those that were not asked for are empty.
type Block struct {
	First   int64
	N       int
	Vectors []Vector
}

// BlockRows is how many rows a block has at most.
const BlockRows = 4096

// Source gives the rows of one table. Blocks calls yield for rows from a place
// on, with the columns asked for; a block is good until yield returns, and what
// yield returns ends it. Row is one row as a block.
type Source interface {
	Blocks(ctx context.Context, columns []int, from int64, yield func(*Block) error) error
	Row(ctx context.Context, columns []int, row int64) (*Block, error)
}

// Whole is a Source of columns that are held in memory as wholes.
type Whole struct {
	Rows    int64
	Vectors []Vector // in the order of the table; those that are not held are empty
}

// Blocks implements Source; columns that are not held are left empty.
func (w *Whole) Blocks(ctx context.Context, columns []int, from int64, yield func(*Block) error) error {
	b := Block{Vectors: make([]Vector, len(w.Vectors))}
	for at := max(from, 1) - 1; at < w.Rows; at += BlockRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min(at+BlockRows, w.Rows)
		for _, c := range columns {
			b.Vectors[c] = w.Vectors[c].Cut(int(at), int(end))
		}
		b.First, b.N = at+1, int(end-at)
		if err := yield(&b); err != nil {
			return err
		}
	}
	return nil
}

// Row implements Source.
func (w *Whole) Row(_ context.Context, columns []int, row int64) (*Block, error) {
	b := &Block{First: row, N: 1, Vectors: make([]Vector, len(w.Vectors))}
	for _, c := range columns {
		b.Vectors[c] = w.Vectors[c].Cut(int(row-1), int(row))
	}
	return b, nil
}

// Limits of a column that gets codes.
const (
	maxDict      = 1 << 18
	maxDictBytes = 16 << 20
)

// Builder makes a Vector of values one after another.
type Builder struct {
	codes   []uint32
	numbers []float64
	seen    map[any]uint32
	dict    []any
	bytes   int
	none    bool // the values have no form that is better than themselves
	numeric bool // all are numbers that a float64 holds, or missing
}

// NewBuilder makes one for about n rows.
func NewBuilder(n int) *Builder {
	return &Builder{codes: make([]uint32, 0, n), seen: map[any]uint32{}, numeric: true}
}

// Add appends a value.
func (b *Builder) Add(v any) {
	v = Canonical(v)
	if b.none {
		return
	}
	if b.numbers != nil {
		b.addNumber(v)
		return
	}
	code, ok := b.seen[v]
	if !ok {
		long := false
		code = uint32(len(b.dict)) //nolint:gosec // at most maxDict
		b.seen[v] = code
		b.dict = append(b.dict, v)
		if s, text := v.(string); text {
			b.bytes += len(s)
			long = len(s) > orderedBytes // its place in the order would not be that of its row's
		}
		b.numeric = b.numeric && fits(v)
		if long || len(b.dict) > maxDict || b.bytes > maxDictBytes {
			b.overflow(v)
			return
		}
	}
	b.codes = append(b.codes, code)
}

// fits tells whether a float64 holds the value.
func fits(v any) bool {
	switch v := v.(type) {
	case nil, float64:
		return true
	case int64:
		return -exact <= v && v <= exact
	}
	return false
}

// overflow goes on with numbers, or not at all.
func (b *Builder) overflow(v any) {
	if !b.numeric {
		*b = Builder{none: true}
		return
	}
	b.numbers = make([]float64, 0, cap(b.codes))
	for _, c := range b.codes {
		b.addNumber(b.dict[c])
	}
	b.codes, b.seen, b.dict = nil, nil, nil
	b.addNumber(v)
}

func (b *Builder) addNumber(v any) {
	if !fits(v) {
		*b = Builder{none: true}
		return
	}
	f, ok := number(v)
	if !ok {
		f = math.NaN()
	}
	b.numbers = append(b.numbers, f)
}

// Vector ends the building; ok is false for a column with too many texts. The
// order of the values is that of the collation.
func (b *Builder) Vector(key func(string) string) (v Vector, ok bool) {
	defer func() {
		v.measure()
		v.count()
	}()
	if b.none {
		return Vector{}, false
	}
	if b.numbers != nil {
		return Vector{Numbers: b.numbers}, true
	}
	order := sorted(b.dict, key)
	dict, place := make([]any, len(order)), make([]uint32, len(order))
	for to, from := range order {
		dict[to], place[from] = b.dict[from], uint32(to) //nolint:gosec // at most maxDict
	}
	if len(dict) <= math.MaxUint16+1 {
		small := make([]uint16, len(b.codes))
		for i, c := range b.codes {
			small[i] = uint16(place[c]) //nolint:gosec // as checked
		}
		return Vector{Dict: dict, Small: small}, true
	}
	for i, c := range b.codes {
		b.codes[i] = place[c]
	}
	return Vector{Dict: dict, Large: b.codes}, true
}

// sorted gives the places of values in their order.
func sorted(values []any, key collation) []uint32 {
	keys := make([]string, len(values))
	order := make([]uint32, len(values))
	for i, v := range values {
		order[i] = uint32(i) //nolint:gosec // at most maxDict
		if s, text := v.(string); text {
			keys[i] = key(s)
		}
	}
	none := func(string) string { return "" }
	slices.SortFunc(order, func(i, j uint32) int {
		if classOf(values[i]) == classText && classOf(values[j]) == classText {
			if c := strings.Compare(keys[i], keys[j]); c != 0 {
				return c
			}
		}
		return compare(none, values[i], values[j])
	})
	return order
}
