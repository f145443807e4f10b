package table

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"koprik/embed/sqlite"
	"koprik/portal"
)

// MaxChanges bounds the rows that Compare shows of each kind.
const MaxChanges = 200

// Compare says how a table differs from what it was in another release: rows are
// matched by the columns that say what they are about (Meaning.Dimension), or else
// by all that hold no measure, where that makes every row one; otherwise whole
// rows are compared. Columns are matched by their names. show is how many rows of
// each kind come with it, at most MaxChanges.
//
// Both tables must be held: portal.ErrNotHeld otherwise. A sheet that is not there
// is portal.ErrNotFound, tables that take too long to compare portal.ErrTooMuch.
func (s *Store) Compare(ctx context.Context, before, after portal.Resource, sheet string, show int) (portal.TableChange, error) {
	var sides [2]listed
	for i, r := range []portal.Resource{before, after} {
		l, err := s.ensure(ctx, r)
		if err != nil {
			return portal.TableChange{}, fmt.Errorf("compare %s: %w", r.Name, err)
		}
		at := slices.IndexFunc(l.Tables, func(t listed) bool { return t.Info.Sheet == sheet })
		if at < 0 {
			return portal.TableChange{}, fmt.Errorf("compare %s: table %q: %w", r.Name, sheet, portal.ErrNotFound)
		}
		sides[i] = l.Tables[at]
	}
	limited, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	change, err := s.compare(limited, sides[0], sides[1], min(show, MaxChanges))
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = &portal.Problem{Kind: portal.ErrTooMuch, Where: after.Name, Message: "these tables take too long to compare", Hint: "download both files", Cause: err}
	}
	if err != nil {
		return portal.TableChange{}, fmt.Errorf("compare %s: %w", after.Name, explain(err))
	}
	return change, nil
}

func (s *Store) compare(ctx context.Context, before, after listed, show int) (portal.TableChange, error) {
	db, err := sql.Open("sqlite", ":memory:?_dqs=0&_pragma=temp_store(MEMORY)&_pragma=trusted_schema(off)")
	if err != nil {
		return portal.TableChange{}, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for name, key := range map[string]string{"old": before.Key, "new": after.Key} {
		if _, err := db.ExecContext(ctx, "ATTACH ? AS "+name, sqlite.FileURI(s.tablePath(key))+"?mode=ro&immutable=1"); err != nil {
			return portal.TableChange{}, fmt.Errorf("open: %w", err)
		}
	}
	c := &comparison{db: db, before: before.Info, after: after.Info, show: show}
	c.RowsBefore, c.RowsAfter = before.Info.Rows, after.Info.Rows
	c.matchColumns()
	if err := c.findKey(ctx); err != nil {
		return portal.TableChange{}, err
	}
	steps := []func(context.Context) error{c.byKey, c.totals}
	if len(c.Key) == 0 {
		steps[0] = c.byRow
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return portal.TableChange{}, err
		}
	}
	return c.TableChange, nil
}

// comparison is two tables side by side; columns of the old one are o.c0, those
// of the new one n.c0.
type comparison struct {
	portal.TableChange
	db            *sql.DB
	before, after portal.TableInfo
	both          []pair // columns that both have, in the new one's order
	keys          []pair // those of Key
	show          int
}

// pair is one column in both tables.
type pair struct{ before, after int }

func (c *comparison) matchColumns() {
	find := func(in portal.TableInfo, name string) int {
		return slices.IndexFunc(in.Columns, func(f portal.Field) bool { return f.Name == name })
	}
	for i, f := range c.after.Columns {
		if at := find(c.before, f.Name); at >= 0 {
			c.both = append(c.both, pair{at, i})
		} else {
			c.ColumnsAdded = append(c.ColumnsAdded, f.Name)
		}
	}
	for _, f := range c.before.Columns {
		if find(c.after, f.Name) < 0 {
			c.ColumnsGone = append(c.ColumnsGone, f.Name)
		}
	}
}

// findKey chooses the first set of columns by which every row of both tables is
// one.
func (c *comparison) findKey(ctx context.Context) error {
	for _, fits := range []func(portal.Meaning) bool{
		func(m portal.Meaning) bool { return m.Dimension() && m.SameAs == "" && m.Kind != portal.KindFlag },
		func(m portal.Meaning) bool { return m.Dimension() && m.SameAs == "" },
		func(m portal.Meaning) bool { return m.Role != portal.RoleMeasure },
	} {
		var keys []pair
		for _, p := range c.both {
			if fits(c.after.Columns[p.after].Meaning) {
				keys = append(keys, p)
			}
		}
		if len(keys) == 0 {
			continue
		}
		one, err := c.unique(ctx, keys)
		if err != nil {
			return err
		}
		if one {
			c.keys = keys
			for _, p := range keys {
				c.Key = append(c.Key, c.after.Columns[p.after].Name)
			}
			return nil
		}
	}
	return nil
}

func (c *comparison) unique(ctx context.Context, keys []pair) (bool, error) {
	for _, side := range []struct {
		table string
		of    func(pair) int
	}{{"old.t", func(p pair) int { return p.before }}, {"new.t", func(p pair) int { return p.after }}} {
		columns := columnsOf(keys, "", side.of)
		var twice bool
		query := "SELECT EXISTS (SELECT 1 FROM " + side.table + " GROUP BY " + columns + " HAVING count(*) > 1)"
		if err := c.db.QueryRowContext(ctx, query).Scan(&twice); err != nil || twice {
			return false, err
		}
	}
	return true, nil
}

func columnsOf(pairs []pair, table string, of func(pair) int) string {
	names := make([]string, len(pairs))
	for i, p := range pairs {
		names[i] = fmt.Sprintf("%sc%d", table, of(p))
	}
	return strings.Join(names, ", ")
}

func oldSide(p pair) int { return p.before }
func newSide(p pair) int { return p.after }

// matched pairs the rows of both tables by their keys: in the temporary table m
// each row of the new one (n) with the row that it was (o), or NULL. A key is
// written as one text, so that looking it up is one comparison: without that,
// 100,000 rows took 4 s.
func (c *comparison) matched(ctx context.Context) error {
	for _, statement := range []string{
		"CREATE TEMP TABLE k (k TEXT PRIMARY KEY, o INTEGER) WITHOUT ROWID",
		"INSERT INTO k SELECT json_array(" + columnsOf(c.keys, "", oldSide) + "), rowid FROM old.t",
		"CREATE TEMP TABLE m (n INTEGER PRIMARY KEY, o INTEGER)",
		"INSERT INTO m SELECT t.rowid, k.o FROM new.t t LEFT JOIN k ON k.k = json_array(" + columnsOf(c.keys, "t.", newSide) + ")",
		"CREATE INDEX mo ON m (o)",
	} {
		if _, err := c.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("match rows: %w", err)
		}
	}
	return nil
}

// byKey counts and shows rows that are new, gone or other than they were.
func (c *comparison) byKey(ctx context.Context) error {
	if err := c.matched(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		what, from, columns string
		count               *int64
	}{
		{portal.RowAdded, "m JOIN new.t n ON n.rowid = m.n WHERE m.o IS NULL", columnsOf(c.keys, "n.", newSide), &c.Added},
		{portal.RowRemoved, "old.t o WHERE NOT EXISTS (SELECT 1 FROM m WHERE m.o = o.rowid)", columnsOf(c.keys, "o.", oldSide), &c.Removed},
	} {
		if err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM "+part.from).Scan(part.count); err != nil {
			return fmt.Errorf("rows %s: %w", part.what, err)
		}
		err := c.rows(ctx, "SELECT "+part.columns+" FROM "+part.from+" LIMIT ?", len(c.keys), func(values []any) {
			c.Rows = append(c.Rows, portal.RowChange{What: part.what, Key: c.presentKey(values)})
		})
		if err != nil {
			return fmt.Errorf("rows %s: %w", part.what, err)
		}
	}
	return c.changedRows(ctx)
}

func (c *comparison) changedRows(ctx context.Context) error {
	var values []pair
	var differs []string
	for _, p := range c.both {
		if !slices.Contains(c.keys, p) {
			values = append(values, p)
			differs = append(differs, fmt.Sprintf("o.c%d IS NOT n.c%d", p.before, p.after))
		}
	}
	if len(values) == 0 {
		return nil
	}
	from := "m JOIN new.t n ON n.rowid = m.n JOIN old.t o ON o.rowid = m.o WHERE " + strings.Join(differs, " OR ")
	if err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM "+from).Scan(&c.Changed); err != nil {
		return fmt.Errorf("rows changed: %w", err)
	}
	columns := columnsOf(c.keys, "n.", newSide) + ", " + columnsOf(values, "o.", oldSide) + ", " + columnsOf(values, "n.", newSide)
	err := c.rows(ctx, "SELECT "+columns+" FROM "+from+" LIMIT ?", len(c.keys)+2*len(values), func(row []any) {
		change := portal.RowChange{What: portal.RowChanged, Key: c.presentKey(row[:len(c.keys)])}
		before, after := row[len(c.keys):][:len(values)], row[len(c.keys)+len(values):]
		for i, p := range values {
			was, is := present(before[i], c.before.Columns[p.before].Type), present(after[i], c.after.Columns[p.after].Type)
			if was != is {
				change.Cells = append(change.Cells, portal.CellChange{Column: c.after.Columns[p.after].Name, Before: was, After: is})
			}
		}
		c.Rows = append(c.Rows, change)
	})
	if err != nil {
		return fmt.Errorf("rows changed: %w", err)
	}
	return nil
}

func (c *comparison) presentKey(values []any) []any {
	key := make([]any, len(values))
	for i, v := range values {
		key[i] = present(v, c.after.Columns[c.keys[i].after].Type)
	}
	return key
}

// byRow compares whole rows as they occur: one that stands there twice and stood
// there once is one added.
func (c *comparison) byRow(ctx context.Context) error {
	if len(c.both) == 0 {
		c.Added, c.Removed = c.RowsAfter, c.RowsBefore
		return nil
	}
	numbered := func(table string, of func(pair) int) string {
		columns := columnsOf(c.both, "", of)
		return "SELECT " + columns + ", row_number() OVER (PARTITION BY " + columns + ") FROM " + table
	}
	before, after := numbered("old.t", oldSide), numbered("new.t", newSide)
	for _, part := range []struct {
		what, query string
		count       *int64
	}{
		{portal.RowAdded, after + " EXCEPT " + before, &c.Added},
		{portal.RowRemoved, before + " EXCEPT " + after, &c.Removed},
	} {
		if err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM ("+part.query+")").Scan(part.count); err != nil {
			return fmt.Errorf("rows %s: %w", part.what, err)
		}
		err := c.rows(ctx, "SELECT * FROM ("+part.query+") LIMIT ?", len(c.both)+1, func(row []any) {
			key := make([]any, len(c.both))
			for i, p := range c.both {
				key[i] = present(row[i], c.after.Columns[p.after].Type)
			}
			c.Rows = append(c.Rows, portal.RowChange{What: part.what, Key: key})
		})
		if err != nil {
			return fmt.Errorf("rows %s: %w", part.what, err)
		}
	}
	return nil
}

// rows reads at most show rows of a query that ends with a limit.
func (c *comparison) rows(ctx context.Context, query string, width int, yield func([]any)) error {
	if c.show <= 0 {
		return nil
	}
	rows, err := c.db.QueryContext(ctx, query, c.show)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, into := make([]any, width), make([]any, width)
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		yield(values)
	}
	return rows.Err()
}

// totals adds up the columns that may be, without rows that are totals. Nobody
// says whether a figure is a stock, which cannot be added up over time: where a
// table has a time, the sums are of the last one that stands in both; where it has
// two, or a column of units, there are none.
func (c *comparison) totals(ctx context.Context) error {
	times, ok := c.times()
	if !ok {
		return nil
	}
	var last any
	if len(times) == 1 {
		t := times[0]
		query := fmt.Sprintf("SELECT max(c%d) FROM new.t WHERE c%d IN (SELECT c%d FROM old.t)", t.after, t.after, t.before)
		if err := c.db.QueryRowContext(ctx, query).Scan(&last); err != nil {
			return fmt.Errorf("last time of both tables: %w", err)
		}
		if last == nil {
			return nil
		}
	}
	for _, p := range c.both {
		f := c.after.Columns[p.after]
		if f.Meaning.Role != portal.RoleMeasure || !f.Meaning.Additive {
			continue
		}
		moved := portal.TotalMoved{Column: f.Name}
		if last != nil {
			moved.Time = fmt.Sprint(last)
		}
		for _, side := range []struct {
			table string
			info  portal.TableInfo
			at    func(pair) int
			into  *float64
		}{
			{"old.t", c.before, func(p pair) int { return p.before }, &moved.Before},
			{"new.t", c.after, func(p pair) int { return p.after }, &moved.After},
		} {
			conditions, args := withoutTotals(side.info)
			for _, t := range times {
				conditions, args = append(conditions, fmt.Sprintf("c%d = ?", side.at(t))), append(args, last)
			}
			column := fmt.Sprintf("c%d", side.at(p))
			query := "SELECT total(CASE WHEN typeof(" + column + ") IN ('integer', 'real') THEN " + column + " END) FROM " + side.table
			if len(conditions) > 0 {
				query += " WHERE " + strings.Join(conditions, " AND ")
			}
			if err := c.db.QueryRowContext(ctx, query, args...).Scan(side.into); err != nil {
				return fmt.Errorf("total of %s: %w", f.Name, err)
			}
		}
		if moved.Before != moved.After {
			c.Totals = append(c.Totals, moved)
		}
	}
	return nil
}

// times are the columns of time by which both tables are told apart; ok is false
// where nothing can be added up.
func (c *comparison) times() (times []pair, ok bool) {
	timed := func(f portal.Field) bool { return f.Meaning.Role == portal.RoleTime && f.Meaning.SameAs == "" }
	dated := 0
	for _, side := range []portal.TableInfo{c.before, c.after} {
		for _, f := range side.Columns {
			if f.Meaning.Role == portal.RoleUnit {
				return nil, false
			}
			if timed(f) {
				dated++
			}
		}
	}
	for _, p := range c.both {
		if timed(c.before.Columns[p.before]) && timed(c.after.Columns[p.after]) {
			times = append(times, p)
		}
	}
	return times, dated == 0 || dated == 2 && len(times) == 1
}

func withoutTotals(info portal.TableInfo) (conditions []string, args []any) {
	for i, f := range info.Columns {
		if len(f.Meaning.Totals) == 0 || f.Meaning.SameAs != "" {
			continue
		}
		conditions = append(conditions, fmt.Sprintf("coalesce(trim(c%d), '') NOT IN (?%s)", i, strings.Repeat(",?", len(f.Meaning.Totals)-1)))
		for _, t := range f.Meaning.Totals {
			args = append(args, t)
		}
	}
	return conditions, args
}
