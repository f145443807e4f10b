package table

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"koprik/embed/sqlite"
)

// fetchText is how many bytes of text the rows of one reading have at most: a
// cell may have a megabyte, and a page a thousand rows.
const fetchText = 8 << 20

var errLong = errors.New("the rows have too much text to be held at once")

// fetch reads rows by their ids, in the order of the ids: all of them, or the
// first that together have no more than fetchText; one at least.
func (x *execution) fetch(ctx context.Context, ids []int64) ([][]any, error) {
	all, _, err := x.read(ctx, ids, fetchText)
	if !errors.Is(err, errLong) {
		return all, err
	}
	all = nil
	for i, text := 0, 0; i < len(ids) && text < fetchText; i++ {
		one, n, err := x.read(ctx, ids[i:i+1], math.MaxInt)
		if err != nil {
			return nil, err
		}
		if text += n; text <= fetchText || i == 0 {
			all = append(all, one...)
		}
	}
	return all, nil
}

// read reads rows by their ids, in the order of the ids, and says how many bytes
// of text they have; errLong where these are more than limit.
func (x *execution) read(ctx context.Context, ids []int64, limit int) (all [][]any, text int, err error) {
	if len(ids) == 0 {
		return nil, 0, nil
	}
	args := make([]any, len(ids))
	place := make(map[int64]int, len(ids))
	for i, id := range ids {
		args[i], place[id] = id, i
	}
	query := "SELECT rowid," + columnNames(x.plan.Columns) + " FROM t WHERE rowid IN (?" + strings.Repeat(",?", len(ids)-1) + ")" //nolint:gosec // columns are c0, c1, …
	rows, err := x.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("read: %w", err)
	}
	defer rows.Close()
	all = make([][]any, len(ids))
	for rows.Next() {
		id, values := int64(0), make([]any, len(x.plan.Columns))
		into := make([]any, 0, len(values)+1)
		into = append(into, &id)
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, 0, fmt.Errorf("read: %w", err)
		}
		for i, c := range x.plan.Columns {
			values[i] = present(values[i], x.t.Info.Columns[c].Type)
			if s, ok := values[i].(string); ok {
				text += len(s)
			}
		}
		if text > limit {
			return nil, 0, errLong
		}
		if at, ok := place[id]; ok {
			all[at] = values
		}
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("read: %w", err)
	}
	if slices.ContainsFunc(all, func(row []any) bool { return row == nil }) {
		return nil, 0, fmt.Errorf("%w: rows are missing", sqlite.ErrDamaged)
	}
	return all, text, nil
}
