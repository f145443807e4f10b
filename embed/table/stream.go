package table

import (
	"context"
	"errors"
	"fmt"

	"koprik/embed/sqlite"
	"koprik/embed/table/column"
	"koprik/portal"
)

// streamRows are read at once where rows do not come in the order of the file.
const streamRows = 500

// Stream gives all rows of a query, or all groups as keys, number of rows and
// aggregates, one after another; After, Facets and, for rows, Aggregates are
// passed over, and Limit 0 means all. Memory does not grow with the rows unless
// they are sorted: then each takes 4 bytes, beside 64 MiB at most, and more than
// column.MaxSorted are portal.ErrTooMuch.
//
// What is wrong with the query is told before the first row. Rows end early with
// an error: that of ctx, which is the only limit of time, or of the disk.
func (s *Store) Stream(ctx context.Context, r portal.Resource, sheet string, q portal.TableQuery) (portal.TableRows, error) {
	t, err := s.findTable(ctx, r, sheet)
	if err != nil {
		return portal.TableRows{}, fmt.Errorf("rows of %s: %w", r.Name, err)
	}
	q.After, q.Facets = "", nil
	if len(q.Group) == 0 {
		q.Aggregates = nil
	}
	plan, err := column.Check(t.Info.Columns, q)
	if err != nil {
		return portal.TableRows{}, fmt.Errorf("rows of %s: %w", r.Name, err)
	}
	x := &execution{s: s, t: t, q: q, plan: plan}
	out := portal.TableRows{}
	if plan.Grouped() {
		out.Columns = q.GroupFields(t.Info.Columns)
	} else {
		for _, c := range plan.Columns {
			out.Columns = append(out.Columns, t.Info.Columns[c])
		}
	}
	out.Rows = func(yield func([]any, error) bool) {
		err := x.stream(ctx, yield)
		if err = explain(err); !errors.Is(err, sqlite.ErrDamaged) {
			x.summarize()
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, fmt.Errorf("rows of %s: %w", r.Name, err))
		}
	}
	return out, nil
}

// errStopped says that who reads wants no more; it is no error.
var errStopped = errors.New("stopped")

func (x *execution) stream(ctx context.Context, yield func([]any, error) bool) error {
	db, release, err := x.s.open.use(x.t.Key, x.s.tablePath(x.t.Key))
	if err != nil {
		return err
	}
	defer release()
	x.db = db
	x.src = scan{db, len(x.t.Info.Columns)}
	reverse, file := x.plan.FileOrder()
	switch {
	case x.plan.Grouped():
		return x.streamGroups(ctx, yield)
	case file && !reverse:
		return x.streamFile(ctx, yield)
	}
	return x.streamSorted(ctx, yield)
}

func (x *execution) streamGroups(ctx context.Context, yield func([]any, error) bool) error {
	x.source()
	f, err := x.figures(ctx)
	if err != nil {
		return err
	}
	for n, g := range f.Groups {
		if x.q.Limit > 0 && n == x.q.Limit {
			return nil
		}
		if !yield(x.q.GroupRow(g), nil) {
			return errStopped
		}
	}
	return nil
}

// streamFile reads the table once, in its order.
func (x *execution) streamFile(ctx context.Context, yield func([]any, error) bool) error {
	row := make([]any, len(x.plan.Columns))
	sent := 0
	return x.plan.Each(ctx, x.src, func(b *column.Block, i int) error {
		if x.q.Limit > 0 && sent == x.q.Limit {
			return errStopped
		}
		for n, c := range x.plan.Columns {
			row[n] = present(b.Vectors[c].Plain[i], x.t.Info.Columns[c].Type)
		}
		sent++
		if !yield(row, nil) {
			return errStopped
		}
		return nil
	})
}

// streamSorted finds the order of all rows first, and then reads them.
func (x *execution) streamSorted(ctx context.Context, yield func([]any, error) bool) error {
	x.source()
	ids, err := x.plan.Sorted(ctx, x.src)
	if err != nil {
		return err
	}
	if x.q.Limit > 0 {
		ids = ids[:min(len(ids), x.q.Limit)]
	}
	part := make([]int64, 0, streamRows)
	for len(ids) > 0 {
		part = part[:0]
		for _, id := range ids[:min(streamRows, len(ids))] {
			part = append(part, int64(id))
		}
		rows, err := x.fetch(ctx, part)
		if err != nil {
			return err
		}
		ids = ids[len(rows):]
		for _, row := range rows {
			if !yield(row, nil) {
				return errStopped
			}
		}
	}
	return nil
}
