package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"koprik/embed/sqlite"
	"koprik/portal"

	engine "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// maxFilters of one query, and how long it may take (guarantee 5).
const (
	maxFilters  = 32
	maxValue    = 4096 // bytes of a filter's value
	maxDuration = 1500 * time.Millisecond
)

// Rows gives one page of a table; sheet is that of TableInfo. A table that is
// not there yet is built first.
//
// Columns of integers, numbers and years compare by value, others as text,
// dates in the ISO form. "eq" and "ne" with an empty value ask for cells without
// and with a value; "ne" keeps cells without one; the comparisons and "contains"
// never do. "contains" passes over case, script and punctuation. Cells without a value sort last. Limit
// is capped at portal.MaxLimit.
//
// An unknown column or operator, a value that is not comparable, or an After
// that is no cursor of this table and query is portal.ErrUsage; a query that
// takes too long is portal.ErrTooMuch; a sheet that is not there is
// portal.ErrNotFound.
func (s *Store) Rows(ctx context.Context, r portal.Resource, sheet string, q portal.RowQuery) (portal.RowPage, error) {
	for try := 0; ; try++ {
		page, table, err := s.rows(ctx, r, sheet, q)
		if err != nil && errors.Is(err, sqlite.ErrDamaged) && try == 0 {
			s.forget(resourceKey(r), table) // derived: make it again
			continue
		}
		if err != nil {
			return portal.RowPage{}, fmt.Errorf("rows of %s: %w", r.Name, err)
		}
		return page, nil
	}
}

func (s *Store) rows(ctx context.Context, r portal.Resource, sheet string, q portal.RowQuery) (page portal.RowPage, key string, err error) {
	l, err := s.ensure(ctx, r)
	if err != nil {
		return page, "", err
	}
	var t listed
	for _, t = range l.Tables {
		if t.Info.Sheet == sheet {
			break
		}
	}
	if t.Key == "" || t.Info.Sheet != sheet {
		return page, "", fmt.Errorf("table %q: %w", sheet, portal.ErrNotFound)
	}
	sel, err := newSelection(t, q)
	if err != nil {
		return page, t.Key, err
	}
	db, release, err := s.open.use(t.Key, s.tablePath(t.Key))
	if err != nil {
		return page, t.Key, err
	}
	defer release()
	limited, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	page, err = sel.run(limited, db)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = &portal.Problem{Kind: portal.ErrTooMuch, Where: r.Name, Message: "the query takes too long on this table", Hint: "filter by fewer columns, or download the file", Cause: err}
	}
	return page, t.Key, explain(err)
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

// selection is a query that was checked against its table.
type selection struct {
	table   listed
	columns []int // places in table.Info.Columns
	where   []string
	args    []any
	sort    int // place of the sort column, -1 for the file's order
	desc    bool
	limit   int
	tag     [tagLen]byte // names table, filters and order in cursors
	after   int64        // row id to go on after; 0: from the beginning
}

func usage(where, format string, args ...any) error {
	return &portal.Problem{Kind: portal.ErrUsage, Where: where, Message: fmt.Sprintf(format, args...)}
}

// newSelection checks q.
func newSelection(t listed, q portal.RowQuery) (*selection, error) {
	sel := &selection{table: t, sort: -1, desc: q.Desc, limit: q.Limit}
	switch {
	case q.Limit < 0:
		return nil, usage("limit", "%d: must be from 1 to %d", q.Limit, portal.MaxLimit)
	case q.Limit == 0:
		sel.limit = portal.DefaultRows
	case q.Limit > portal.MaxLimit:
		sel.limit = portal.MaxLimit
	}
	if len(q.Filters) > maxFilters {
		return nil, usage("filter", "%d filters; at most %d are allowed", len(q.Filters), maxFilters)
	}
	if err := sel.choose(q.Columns); err != nil {
		return nil, err
	}
	for _, f := range q.Filters {
		if err := sel.filter(f); err != nil {
			return nil, err
		}
	}
	if q.Sort != "" {
		var err error
		if sel.sort, err = sel.find("sort", q.Sort); err != nil {
			return nil, err
		}
	}
	sel.tag = cursorTag(t.Key, q)
	if q.After != "" {
		var err error
		if sel.after, err = parseCursor(q.After, sel.tag); err != nil {
			return nil, err
		}
	}
	return sel, nil
}

func (sel *selection) choose(names []string) error {
	if len(names) == 0 {
		for i := range sel.table.Info.Columns {
			sel.columns = append(sel.columns, i)
		}
		return nil
	}
	chosen := map[int]bool{}
	for _, name := range names {
		i, err := sel.find("columns", name)
		if err != nil {
			return err
		}
		if chosen[i] {
			return usage("columns", "column %q stands twice", name)
		}
		chosen[i] = true
		sel.columns = append(sel.columns, i)
	}
	return nil
}

// find gives the place of a column by its name.
func (sel *selection) find(where, name string) (int, error) {
	var names []string
	for i, f := range sel.table.Info.Columns {
		if f.Name == name {
			return i, nil
		}
		if len(names) < 50 {
			names = append(names, f.Name)
		}
	}
	return 0, usage(where, "no column %q; the columns are: %s", clip(name, 60), strings.Join(names, ", "))
}

// run counts and reads.
func (sel *selection) run(ctx context.Context, db *sql.DB) (portal.RowPage, error) {
	page := portal.RowPage{Total: sel.table.Info.Rows}
	for _, i := range sel.columns {
		page.Columns = append(page.Columns, sel.table.Info.Columns[i])
	}
	if len(sel.where) > 0 {
		count := "SELECT count(*) FROM t WHERE " + strings.Join(sel.where, " AND ")
		if err := db.QueryRowContext(ctx, count, sel.args...).Scan(&page.Total); err != nil {
			return page, fmt.Errorf("count: %w", err)
		}
	}
	query, args := sel.sql()
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return page, fmt.Errorf("read: %w", err)
	}
	defer rows.Close()
	var last int64
	for rows.Next() {
		if len(page.Rows) == sel.limit {
			page.Next = makeCursor(sel.tag, last)
			break
		}
		var values []any
		if last, values, err = sel.scan(rows); err != nil {
			return page, fmt.Errorf("read: %w", err)
		}
		page.Rows = append(page.Rows, values)
	}
	if err := rows.Err(); err != nil {
		return page, fmt.Errorf("read: %w", err)
	}
	return page, nil
}

func (sel *selection) scan(rows *sql.Rows) (id int64, values []any, err error) {
	values = make([]any, len(sel.columns))
	into := make([]any, 0, len(values)+1)
	into = append(into, &id)
	for i := range values {
		into = append(into, &values[i])
	}
	if err := rows.Scan(into...); err != nil {
		return 0, nil, err
	}
	for i, v := range values {
		values[i] = present(v, sel.table.Info.Columns[sel.columns[i]].Type)
	}
	return id, values, nil
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

// sql is the page's statement. One row more than the page has tells whether
// there is a next one. The cursor is a row id: the table never changes, so the
// value that the row sorts by is looked up in it.
func (sel *selection) sql() (string, []any) {
	cols := make([]string, 0, len(sel.columns)+1)
	cols = append(cols, "rowid")
	for _, i := range sel.columns {
		cols = append(cols, fmt.Sprintf("c%d", i))
	}
	where := append([]string(nil), sel.where...)
	args := append([]any(nil), sel.args...)
	order := "rowid"
	switch {
	case sel.sort < 0 && sel.desc:
		order = "rowid DESC"
		if sel.after > 0 {
			where, args = append(where, "rowid < ?"), append(args, sel.after)
		}
	case sel.sort < 0:
		if sel.after > 0 {
			where, args = append(where, "rowid > ?"), append(args, sel.after)
		}
	default:
		c, way, beyond := fmt.Sprintf("c%d", sel.sort), "", ">"
		if sel.desc {
			way, beyond = " DESC", "<"
		}
		order = fmt.Sprintf("%s IS NULL, %s%s, rowid", c, c, way)
		if sel.after > 0 {
			value := fmt.Sprintf("(SELECT %s FROM t WHERE rowid = ?)", c)
			where = append(where, fmt.Sprintf(
				"CASE WHEN %[2]s IS NULL THEN %[1]s IS NULL AND rowid > ? ELSE %[1]s %[3]s %[2]s OR %[1]s = %[2]s AND rowid > ? OR %[1]s IS NULL END",
				c, value, beyond))
			args = append(args, sel.after, sel.after, sel.after, sel.after, sel.after)
		}
	}
	text := "SELECT " + strings.Join(cols, ",") + " FROM t"
	if len(where) > 0 {
		text += " WHERE (" + strings.Join(where, ") AND (") + ")"
	}
	return text + " ORDER BY " + order + " LIMIT ?", append(args, sel.limit+1)
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
