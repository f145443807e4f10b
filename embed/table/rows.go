package table

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"koprik/embed/sqlite"
	"koprik/portal"

	engine "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// maxDuration is how long a query may take by the clock. The collector works beside
// it on another core, and the page is made afterwards: together they stay within
// the 1.5 s of processor time that a request has (guarantee 5).
const maxDuration = 1200 * time.Millisecond

// Rows gives one page of a table; sheet is that of TableInfo. It is Query for who
// wants rows only. Limit is capped at portal.MaxLimit.
func (s *Store) Rows(ctx context.Context, r portal.Resource, sheet string, q portal.RowQuery) (portal.RowPage, error) {
	full := portal.TableQuery{Columns: q.Columns, After: q.After, Limit: q.Limit}
	for _, f := range q.Filters {
		full.Filters = append(full.Filters, portal.TableFilter{Column: f.Column, Op: portal.TableOp(f.Op), Values: []string{f.Value}})
	}
	if q.Sort != "" || q.Desc {
		full.Order = []portal.TableOrder{{By: q.Sort, Desc: q.Desc}}
	}
	a, err := s.Query(ctx, r, sheet, full)
	if err != nil {
		return portal.RowPage{}, err
	}
	return portal.RowPage{Columns: a.Columns, Total: a.Total, Rows: a.Rows, Next: a.Next}, nil
}

// findTable gives one table of a resource; it is made if it is not there.
func (s *Store) findTable(ctx context.Context, r portal.Resource, sheet string) (listed, error) {
	l, err := s.ensure(ctx, r)
	if err != nil {
		return listed{}, err
	}
	for _, t := range l.Tables {
		if t.Info.Sheet == sheet {
			return t, nil
		}
	}
	return listed{}, fmt.Errorf("table %q: %w", sheet, portal.ErrNotFound)
}

// explain makes damage of what cannot be a statement's fault, for the
// statements are ours: a table that isn't in the file, a file that vanished.
func explain(err error) error {
	var e *engine.Error
	if err = sqlite.Explain(err); errors.As(err, &e) {
		if code := e.Code() & 0xff; code == lib.SQLITE_ERROR || code == lib.SQLITE_CANTOPEN {
			return fmt.Errorf("%w: %w", sqlite.ErrDamaged, err)
		}
	}
	return err
}

func usage(where, format string, args ...any) error {
	return &portal.Problem{Kind: portal.ErrUsage, Where: where, Message: fmt.Sprintf(format, args...)}
}

// present gives a value as callers know it: a boolean is stored as 1 or 0.
func present(v any, fieldType string) any {
	switch v := v.(type) {
	case int64:
		if fieldType == "boolean" {
			return v != 0
		}
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
	case []byte:
		return string(v)
	}
	return v
}

// clip shortens s to n characters.
func clip(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
