package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"koprik/embed/sqlite"
	"koprik/embed/table/column"
	"koprik/portal"
)

// Query answers a query on a table; sheet is that of TableInfo. A table that is
// not there yet is built first. Limit is capped at portal.MaxLimit; where rows
// have more than 8 MiB of text there are fewer, and Next goes on after them.
//
// An unknown column, a value that is not comparable, or an After that is no
// cursor of this table and query is portal.ErrUsage; a query that takes too long
// or has too many groups is portal.ErrTooMuch; a sheet that is not there is
// portal.ErrNotFound.
func (s *Store) Query(ctx context.Context, r portal.Resource, sheet string, q portal.TableQuery) (portal.TableAnswer, error) {
	for try := 0; ; try++ {
		a, table, err := s.query(ctx, r, sheet, q)
		if err != nil && errors.Is(err, sqlite.ErrDamaged) && try == 0 {
			s.forget(resourceKey(r), table) // derived: make it again
			continue
		}
		if err != nil {
			return portal.TableAnswer{}, fmt.Errorf("rows of %s: %w", r.Name, err)
		}
		return a, nil
	}
}

func (s *Store) query(ctx context.Context, r portal.Resource, sheet string, q portal.TableQuery) (a portal.TableAnswer, table string, err error) {
	t, err := s.findTable(ctx, r, sheet)
	if err != nil {
		return a, "", err
	}
	if q.Limit == 0 {
		q.Limit = portal.DefaultRows
	}
	q.Limit = min(q.Limit, portal.MaxLimit)
	plan, err := column.Check(t.Info.Columns, q)
	if err != nil {
		return a, t.Key, err
	}
	db, release, err := s.open.use(t.Key, s.tablePath(t.Key))
	if err != nil {
		return a, t.Key, err
	}
	defer release()
	limited, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	x := &execution{s: s, t: t, q: q, plan: plan, db: db}
	x.source()
	if plan.Grouped() {
		err = x.groups(limited, &a)
	} else {
		err = x.rows(limited, &a)
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = x.tooLong(r, err)
	}
	if err = explain(err); !errors.Is(err, sqlite.ErrDamaged) {
		x.summarize()
	}
	return a, t.Key, err
}

// execution is one query being answered.
type execution struct {
	s     *Store
	t     listed
	q     portal.TableQuery
	plan  *column.Plan
	db    *sql.DB
	src   column.Source
	wants []int // columns of which a summary is made afterwards, for the next query
}

// source chooses the summary of the columns where there is one. Where there may
// be one it is begun, and this query reads the rows.
func (x *execution) source() {
	x.src = scan{x.db, len(x.t.Info.Columns)}
	needs := x.plan.Needs()
	if len(needs) == 0 {
		return
	}
	whole, wanting, ok := x.s.columns.get(x.t, needs)
	if ok {
		x.src = whole
		return
	}
	x.wants = wanting
}

// summarize begins the summary of the columns that had none. It waits until the
// query is answered, so that they do not share a core.
func (x *execution) summarize() {
	if len(x.wants) > 0 {
		x.s.columns.begin(func(ctx context.Context) {
			// What could not be made is asked for again by the next query.
			_ = x.s.summarize(ctx, x.t, x.wants)
		})
	}
}

func (x *execution) tooLong(r portal.Resource, cause error) error {
	p := &portal.Problem{Kind: portal.ErrTooMuch, Where: r.Name, Message: "the query takes too long on this table", Hint: "filter by fewer columns, or download the file", Cause: cause}
	if len(x.wants) > 0 {
		p.Hint = "a summary that makes it quick is being made: ask again in a few seconds"
	}
	return p
}

// rows answers a query for rows, with what is to be counted beside them.
func (x *execution) rows(ctx context.Context, a *portal.TableAnswer) error {
	for _, c := range x.plan.Columns {
		a.Columns = append(a.Columns, x.t.Info.Columns[c])
	}
	tag := cursorTag(x.t.Key, x.q)
	after := int64(0)
	if x.q.After != "" {
		var err error
		if after, err = parseCursor(x.q.After, tag); err != nil {
			return err
		}
	}
	total := int64(-1)
	if x.plan.HasFigures() {
		f, err := x.figures(ctx)
		if err != nil {
			return err
		}
		a.Totals, a.Facets, total = f.Totals, f.Facets, f.Total
	} else if x.plan.All() {
		total = x.t.Info.Rows
	} else if known, ok := x.s.answers.total(totalKey(x.t.Key, x.q)); ok {
		total = known
	}
	page, err := x.page(ctx, after, total)
	if err != nil {
		return err
	}
	if total < 0 {
		x.s.answers.keepTotal(totalKey(x.t.Key, x.q), page.Total)
	}
	a.Total = page.Total
	if a.Rows, err = x.fetch(ctx, page.Rows); err != nil {
		return err
	}
	if n := len(a.Rows); page.More || n < len(page.Rows) {
		a.Next = makeCursor(tag, page.Rows[n-1])
	}
	return nil
}

// page finds the rows of the page. Where all rows pass in the order of the file
// they are known.
func (x *execution) page(ctx context.Context, after, total int64) (column.Page, error) {
	reverse, file := x.plan.FileOrder()
	if !x.plan.All() || !file {
		page, err := x.plan.Rows(ctx, x.src, after, total)
		if err == nil && total >= 0 {
			page.Total = total
		}
		return page, err
	}
	page := column.Page{Total: x.t.Info.Rows}
	row, step := after+1, int64(1)
	if reverse {
		if step, row = -1, after-1; after == 0 {
			row = x.t.Info.Rows
		}
	}
	for ; row >= 1 && row <= x.t.Info.Rows; row += step {
		if len(page.Rows) == x.plan.Limit {
			page.More = true
			break
		}
		page.Rows = append(page.Rows, row)
	}
	return page, nil
}

// figures computes groups, totals and facets, or remembers them: a table never changes.
func (x *execution) figures(ctx context.Context) (column.Figures, error) {
	key := figuresKey(x.t.Key, x.q)
	if f, ok := x.s.answers.figures(key); ok {
		return f, nil
	}
	f, err := x.plan.Figures(ctx, x.src)
	if err != nil {
		return f, err
	}
	for _, facet := range f.Facets {
		kind := x.typeOf(facet.Column)
		for i, v := range facet.Values {
			facet.Values[i].Value = present(v.Value, kind)
		}
	}
	for _, g := range f.Groups {
		for i, name := range x.q.Group {
			g.Keys[i] = present(g.Keys[i], x.typeOf(name))
		}
	}
	x.s.answers.keepFigures(key, f)
	return f, nil
}

func (x *execution) typeOf(name string) string {
	i := slices.IndexFunc(x.t.Info.Columns, func(f portal.Field) bool { return f.Name == name })
	return x.t.Info.Columns[i].Type
}

// groups answers a grouped query. A cursor is the number of groups before it.
func (x *execution) groups(ctx context.Context, a *portal.TableAnswer) error {
	for _, name := range x.q.Group {
		i := slices.IndexFunc(x.t.Info.Columns, func(f portal.Field) bool { return f.Name == name })
		a.Columns = append(a.Columns, x.t.Info.Columns[i])
	}
	tag := cursorTag(x.t.Key, x.q)
	after := int64(0)
	if x.q.After != "" {
		var err error
		if after, err = parseCursor(x.q.After, tag); err != nil {
			return err
		}
	}
	f, err := x.figures(ctx)
	if err != nil {
		return err
	}
	a.Total, a.Totals, a.Facets, a.GroupTotal = f.Total, f.Totals, f.Facets, int64(len(f.Groups))
	from := min(after, a.GroupTotal)
	to := min(from+int64(x.q.Limit), a.GroupTotal)
	a.Groups = f.Groups[from:to:to]
	if to < a.GroupTotal {
		a.Next = makeCursor(tag, to)
	}
	return nil
}
