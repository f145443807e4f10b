package local

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"koprik/embed/sqlite"
	"koprik/portal"
)

// Incoming is an inquiry that came to the centre.
type Incoming struct {
	ID       portal.InquiryID
	Epoch    string
	Sealed   []byte
	Node     portal.Digest
	Enrolled bool
	Received time.Time
}

// Arrival says what an inquiry that came was.
type Arrival int

// The three arrivals. Whatever it was, it is kept when Take returns.
const (
	Fresh       Arrival = iota // the first time
	Again                      // it had come before
	Conflicting                // other bytes had come under its id: the first ones count
)

// Take keeps an inquiry that came to the centre, exactly once however often it
// comes; durable when it returns.
func (l *Local) Take(ctx context.Context, in Incoming) (a Arrival, err error) {
	err = l.write(ctx, "inquiry "+in.ID.String(), func(tx *sql.Tx) (err error) {
		a, err = take(ctx, tx, in)
		return err
	})
	return a, err
}

// TakeAll is Take of several, all or none of them.
func (l *Local) TakeAll(ctx context.Context, all []Incoming) (arrivals []Arrival, err error) {
	err = l.write(ctx, "inquiries", func(tx *sql.Tx) error {
		arrivals = nil
		for _, in := range all {
			a, err := take(ctx, tx, in)
			if err != nil {
				return err
			}
			arrivals = append(arrivals, a)
		}
		return nil
	})
	return arrivals, err
}

func take(ctx context.Context, tx *sql.Tx, in Incoming) (Arrival, error) {
	mark, at := portal.MarkOf(in.Sealed), in.Received.UnixMicro()
	if counted, err := renewUsage(ctx, tx, mark, at); err != nil || counted {
		return Again, err
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO inquiries (id, mark, epoch, sealed, node, received, renewed) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`, in.ID[:], mark[:], in.Epoch, in.Sealed, in.Node[:], at, at)
	if err != nil {
		return Fresh, err
	}
	if n, err := result.RowsAffected(); err != nil {
		return Fresh, err
	} else if n == 1 {
		c := portal.NewCase(in.ID, in.Epoch, in.Node, in.Enrolled, in.Received.UTC().Truncate(time.Microsecond))
		return Fresh, putCase(ctx, tx, &c)
	}
	result, err = tx.ExecContext(ctx, `UPDATE inquiries SET renewed = max(renewed, ?) WHERE id = ? AND mark = ?`, at, in.ID[:], mark[:])
	if err != nil {
		return Again, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return Again, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO conflicts (mark, id, epoch, sealed, node, received, renewed) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (mark) DO UPDATE SET renewed = max(renewed, excluded.renewed)`, mark[:], in.ID[:], in.Epoch, in.Sealed, in.Node[:], at, at)
	return Conflicting, err
}

// Conflicts is how many sealed bytes came under an id that was taken.
func (l *Local) Conflicts(ctx context.Context) (n int, err error) {
	err = l.db.Read.QueryRowContext(ctx, `SELECT count(*) FROM conflicts`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("conflicts: %w", sqlite.Explain(err))
	}
	return n, nil
}

// Marks gives what came from each node since a time, sorted: what the centre
// acknowledges.
func (l *Local) Marks(ctx context.Context, since time.Time) (map[portal.Digest][]portal.Mark, error) {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT node, mark FROM inquiries WHERE renewed >= ? UNION
		SELECT node, mark FROM conflicts WHERE renewed >= ? UNION
		SELECT node, mark FROM usage_marks WHERE renewed >= ? ORDER BY node, mark`, since.UnixMicro(), since.UnixMicro(), since.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("inquiries: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	all := map[portal.Digest][]portal.Mark{}
	for rows.Next() {
		var node, mark []byte
		if err := rows.Scan(&node, &mark); err != nil {
			return nil, fmt.Errorf("inquiries: %w", sqlite.Explain(err))
		}
		var id portal.Digest
		var m portal.Mark
		copy(id[:], node)
		copy(m[:], mark)
		all[id] = append(all[id], m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("inquiries: %w", sqlite.Explain(err))
	}
	return all, nil
}

// Sealed gives what came under an id, as it came; portal.ErrNotFound otherwise.
func (l *Local) Sealed(ctx context.Context, id portal.InquiryID) (in Incoming, err error) {
	var node []byte
	var received int64
	err = l.db.Read.QueryRowContext(ctx, `SELECT epoch, sealed, node, received FROM inquiries WHERE id = ?`, id[:]).
		Scan(&in.Epoch, &in.Sealed, &node, &received)
	if errors.Is(err, sql.ErrNoRows) {
		return in, fmt.Errorf("inquiry %s: %w", id, portal.ErrNotFound)
	}
	if err != nil {
		return in, fmt.Errorf("inquiry %s: %w", id, sqlite.Explain(err))
	}
	in.ID, in.Received = id, when(received)
	copy(in.Node[:], node)
	return in, nil
}

// Unopened gives the ids of cases that nobody could open yet, oldest first.
func (l *Local) Unopened(ctx context.Context) ([]portal.InquiryID, error) {
	return l.caseIDs(ctx, `SELECT id FROM cases WHERE opened = 0 ORDER BY received, id`)
}

// CaseIDs gives the ids of cases whose id begins with a prefix of hexadecimal
// digits, at most two: one is what a person meant.
func (l *Local) CaseIDs(ctx context.Context, prefix string) ([]portal.InquiryID, error) {
	return l.caseIDs(ctx, `SELECT id FROM cases WHERE lower(hex(id)) GLOB ? LIMIT 2`, strings.ToLower(prefix)+"*")
}

func (l *Local) caseIDs(ctx context.Context, query string, args ...any) (ids []portal.InquiryID, err error) {
	rows, err := l.db.Read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("cases: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, fmt.Errorf("cases: %w", sqlite.Explain(err))
		}
		var id portal.InquiryID
		copy(id[:], b)
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("cases: %w", sqlite.Explain(err))
	}
	return ids, nil
}

// putCase writes a case and the columns that are taken from it.
func putCase(ctx context.Context, tx *sql.Tx, c *portal.Case) error {
	doc, err := json.Marshal(c)
	if err != nil {
		return err
	}
	id := c.Inquiry.ID
	_, err = tx.ExecContext(ctx, `INSERT INTO cases
		(id, received, state, publisher, contact, level, due, dataset, moderation, thread, slot, opened, changed, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, publisher = excluded.publisher, contact = excluded.contact, level = excluded.level,
			due = excluded.due, dataset = excluded.dataset, moderation = excluded.moderation, thread = excluded.thread, slot = excluded.slot,
			opened = excluded.opened, changed = excluded.changed, doc = excluded.doc`,
		id[:], c.Received.UnixMicro(), string(c.State), string(c.Route.Publisher), string(c.Route.Contact), int(c.Route.Level), string(c.Deadline.Due),
		string(c.Inquiry.About.Dataset), string(c.Moderation.State), c.Thread[:], c.Slot, c.Opened, c.Changed.UnixMicro(), string(doc))
	return err
}

// Case gives one case; portal.ErrNotFound when there is none.
func (l *Local) Case(ctx context.Context, id portal.InquiryID) (portal.Case, error) {
	c, err := readCase(l.db.Read.QueryRowContext(ctx, `SELECT doc FROM cases WHERE id = ?`, id[:]))
	if err != nil {
		return c, fmt.Errorf("inquiry %s: %w", id, err)
	}
	return c, nil
}

// CaseByThread gives the case that has a public name; portal.ErrNotFound when none has.
func (l *Local) CaseByThread(ctx context.Context, thread portal.InquiryID) (portal.Case, error) {
	c, err := readCase(l.db.Read.QueryRowContext(ctx, `SELECT doc FROM cases WHERE thread = ?`, thread[:]))
	if err != nil || thread == (portal.InquiryID{}) {
		return c, fmt.Errorf("thread %s: %w", thread, errors.Join(err, portal.ErrNotFound))
	}
	return c, nil
}

// CaseBySlot gives the case whose asker looks at a slot, and none of those that
// were made with its receipt later (portal.InquiryKind.OfReceipt), also when all of
// them came at once; portal.ErrNotFound when there is none.
func (l *Local) CaseBySlot(ctx context.Context, slot string) (portal.Case, error) {
	c, err := readCase(l.db.Read.QueryRowContext(ctx, `SELECT doc FROM cases WHERE slot = ? AND slot <> '' AND kind NOT IN (?, ?)
		ORDER BY received LIMIT 1`, slot, string(portal.Opinion), string(portal.ReuseCheckIn)))
	if err != nil {
		return c, fmt.Errorf("receipt: %w", err)
	}
	return c, nil
}

func readCase(row interface{ Scan(...any) error }) (c portal.Case, err error) {
	var doc string
	if err := row.Scan(&doc); errors.Is(err, sql.ErrNoRows) {
		return c, portal.ErrNotFound
	} else if err != nil {
		return c, sqlite.Explain(err)
	}
	if err := json.Unmarshal([]byte(doc), &c); err != nil {
		return c, fmt.Errorf("case: %w", err)
	}
	return c, nil
}

// ChangeCase reads a case, lets do change it, and writes it, all in one step that
// no other change comes between; durable when it returns. An error of do changes
// nothing.
func (l *Local) ChangeCase(ctx context.Context, id portal.InquiryID, do func(c *portal.Case) error) (c portal.Case, err error) {
	err = l.write(ctx, "inquiry "+id.String(), func(tx *sql.Tx) error {
		c, err = readCase(tx.QueryRowContext(ctx, `SELECT doc FROM cases WHERE id = ?`, id[:]))
		if err != nil {
			return err
		}
		if err := do(&c); err != nil {
			return err
		}
		c.Inquiry.ID = id
		return putCase(ctx, tx, &c)
	})
	return c, err
}

// Cases gives cases, the oldest first, and how many there are without a limit.
func (l *Local) Cases(ctx context.Context, q portal.CaseQuery) (list []portal.Case, total int, err error) {
	where, args := caseWhere(q)
	if err := l.db.Read.QueryRowContext(ctx, `SELECT count(*) FROM cases WHERE `+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("cases: %w", sqlite.Explain(err))
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	rows, err := l.db.Read.QueryContext(ctx, `SELECT doc FROM cases WHERE `+where+` ORDER BY received, id LIMIT ? OFFSET ?`, append(args, limit, max(q.Offset, 0))...) //nolint:gosec // conditions of ours; every value is an argument
	if err != nil {
		return nil, 0, fmt.Errorf("cases: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		c, err := readCase(rows)
		if err != nil {
			return nil, 0, fmt.Errorf("cases: %w", err)
		}
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("cases: %w", sqlite.Explain(err))
	}
	return list, total, nil
}

func caseWhere(q portal.CaseQuery) (string, []any) {
	where, args := []string{"1"}, []any{}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Publisher != "" {
		add("publisher = ?", string(q.Publisher))
	}
	if q.Contact != "" {
		add("contact = ?", string(q.Contact))
	}
	if q.Centre {
		add("publisher = ''")
	}
	if q.Dataset != "" {
		add("dataset = ?", string(q.Dataset))
	}
	if !q.Changed.IsZero() {
		add("changed >= ?", kept(q.Changed))
	}
	if q.Late {
		add("json_extract(doc, '$.Told') > 0")
	}
	if q.Moderate != "" {
		add("moderation = ?", string(q.Moderate))
	}
	if len(q.States) > 0 {
		add("state IN ("+marks(len(q.States))+")", anys(q.States)...)
	}
	if len(q.Kinds) > 0 {
		add("kind IN ("+marks(len(q.Kinds))+")", anys(q.Kinds)...)
	}
	return strings.Join(where, " AND "), args
}

// marks are so many placeholders of a list.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// anys gives words as arguments of a statement.
func anys[S ~string](list []S) []any {
	values := make([]any, len(list))
	for i, s := range list {
		values[i] = string(s)
	}
	return values
}
