package column

import (
	"context"
	"slices"
)

// MaxSorted is how many rows are put in order at once.
const MaxSorted = 2_000_000

// Each calls yield for every row that passes, in the order of the file, with the
// plan's columns in the block.
func (p *Plan) Each(ctx context.Context, src Source, yield func(b *Block, i int) error) error {
	f, room := p.filter(-1), make([]int32, BlockRows)
	return src.Blocks(ctx, unique(append(p.looks(), p.Columns...)), 1, func(b *Block) error {
		sel := f.keep(b, room)
		for _, i := range sel {
			if err := yield(b, int(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sorted gives all rows that pass in the order asked for.
func (p *Plan) Sorted(ctx context.Context, src Source) ([]uint32, error) {
	t := &top{orders: p.order, reverse: p.reverse}
	width := len(p.order)
	var rows []uint32
	var keys []key
	f, room := p.filter(-1), make([]int32, BlockRows)
	err := src.Blocks(ctx, p.orders(), 1, func(b *Block) error {
		sel := f.keep(b, room)
		if len(rows)+len(sel) > MaxSorted && width > 0 {
			return tooMuch("sort", "at most %d rows are put in order; leave them in the order of the file", MaxSorted)
		}
		for _, i := range sel {
			rows = append(rows, uint32(b.First)+uint32(i)) //nolint:gosec // at most read.MaxRows
			at := len(keys)
			for range width {
				keys = append(keys, key{})
			}
			t.keys(b, int(i), keys[at:])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if width == 0 {
		if p.reverse {
			slices.Reverse(rows)
		}
		return rows, nil
	}
	order := make([]uint32, len(rows))
	for i := range order {
		order[i] = uint32(i) //nolint:gosec // at most MaxSorted
	}
	slices.SortFunc(order, func(i, j uint32) int {
		a := entry{int64(rows[i]), keys[int(i)*width : int(i+1)*width]}
		b := entry{int64(rows[j]), keys[int(j)*width : int(j+1)*width]}
		return t.compare(a, b)
	})
	for n, i := range order {
		order[n] = rows[i]
	}
	return order, nil
}
