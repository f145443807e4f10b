package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"koprik/embed/sqlite"
	"koprik/portal"
)

// Enqueue puts an inquiry into the outbox, durable when it returns. seal is given
// the inquiry's sequence number, which is never used again, and makes its sealed
// bytes; its error leaves nothing behind. When all that waits here would be more
// than room bytes, it is portal.ErrNoSpace and nothing is kept, however many come
// at once; an id that is here already is portal.ErrRejected.
func (l *Local) Enqueue(ctx context.Context, id portal.InquiryID, epoch string, day portal.Date, room int64, seal func(sequence uint64) ([]byte, error)) (err error) {
	return l.write(ctx, "outbox", func(tx *sql.Tx) error {
		if err := onlyOnce(ctx, tx, id, day); err != nil {
			return err
		}
		w, err := waits(ctx, tx)
		if err != nil {
			return err
		}
		var sequence int64
		err = tx.QueryRowContext(ctx, `INSERT INTO counters (name, value) VALUES ('sequence', 1)
			ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`).Scan(&sequence)
		if err != nil {
			return err
		}
		sealed, err := seal(uint64(sequence)) //nolint:gosec // counts from 1
		if err != nil {
			return err
		}
		if w.Bytes+int64(len(sealed)) > room {
			return &portal.Problem{
				Kind: portal.ErrNoSpace, Message: fmt.Sprintf("there is no room for another question: %d wait here, of %d KiB", w.Count, w.Bytes>>10),
				Hint: "a sync or a stick takes them to the centre",
			}
		}
		mark := portal.MarkOf(sealed)
		_, err = tx.ExecContext(ctx, `INSERT INTO outbox (id, sequence, epoch, sealed, mark, day, sent, sent_to) VALUES (?, ?, ?, ?, ?, ?, 0, '')`,
			id[:], sequence, epoch, sealed, mark[:], string(day))
		return err
	})
}

// askedFor is how many days an id is remembered that was asked under.
const askedFor = 30

// onlyOnce refuses an id that was asked under, also when that question has left
// since: what came second would be taken for it, and never answered.
func onlyOnce(ctx context.Context, tx *sql.Tx, id portal.InquiryID, day portal.Date) error {
	forget := portal.DateOf(day.Time().AddDate(0, 0, -askedFor))
	if _, err := tx.ExecContext(ctx, `DELETE FROM asked WHERE day < ?`, string(forget)); err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO asked (id, day) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, id[:], string(day))
	if err != nil {
		return err
	}
	if fresh, err := result.RowsAffected(); err != nil || fresh > 0 {
		return err
	}
	return portal.Rejected("inquiry", "%s was asked before", id)
}

// write runs do in one transaction, durable when it returns nil.
func (l *Local) write(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	tx, err := l.db.Write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, sqlite.Explain(err))
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	if err := do(tx); err != nil {
		return fmt.Errorf("%s: %w", what, sqlite.Explain(err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, sqlite.Explain(err))
	}
	return nil
}

// Outgoing gives inquiries of the outbox, the oldest first, until they are limit
// bytes: those that were never sent, were sent to somebody else than to, or were
// sent before again and are still not acknowledged.
func (l *Local) Outgoing(ctx context.Context, limit int64, to string, again time.Time) ([]portal.Outgoing, error) {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT id, sequence, epoch, sealed, day, sent, sent_to FROM outbox
		WHERE sent = 0 OR sent_to <> ? OR sent < ? ORDER BY sequence`, to, again.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	return scanOutgoing(rows, limit)
}

// scanOutgoing reads rows of Outgoing until they are limit bytes.
func scanOutgoing(rows *sql.Rows, limit int64) (list []portal.Outgoing, err error) {
	for rows.Next() {
		var o portal.Outgoing
		var id []byte
		var sent int64
		if err := rows.Scan(&id, &o.Sequence, &o.Epoch, &o.Sealed, &o.Day, &sent, &o.SentTo); err != nil {
			return nil, fmt.Errorf("outbox: %w", sqlite.Explain(err))
		}
		if limit -= int64(len(o.Sealed)); limit < 0 && len(list) > 0 {
			break
		}
		copy(o.ID[:], id)
		o.Sent = when(sent)
		list = append(list, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("outbox: %w", sqlite.Explain(err))
	}
	return list, nil
}

// when reads a time as it is kept; 0 is the zero time.
func when(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

// kept is a time as when reads it.
func kept(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Sent notes that inquiries and reports of use were handed to somebody. They stay until they are
// acknowledged.
func (l *Local) Sent(ctx context.Context, ids []portal.InquiryID, to string, at time.Time) error {
	return l.write(ctx, "outbox", func(tx *sql.Tx) error {
		for _, id := range ids {
			for _, update := range []string{`UPDATE outbox SET sent = ?, sent_to = ? WHERE id = ?`, `UPDATE usage_reports SET sent = ?, sent_to = ? WHERE id = ?`} {
				if _, err := tx.ExecContext(ctx, update, at.UnixMicro(), to, id[:]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Waiting gives the marks of everything that waits here for an acknowledgement:
// own inquiries and reports of use by no node, and those of other nodes by theirs.
func (l *Local) Waiting(ctx context.Context) (own []portal.Mark, relayed map[portal.Digest][]portal.Mark, err error) {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT x'', mark FROM outbox UNION ALL SELECT x'', mark FROM usage_reports UNION ALL
		SELECT node, mark FROM relayed_marks JOIN relayed USING (digest)`)
	if err != nil {
		return nil, nil, fmt.Errorf("outbox: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	relayed = map[portal.Digest][]portal.Mark{}
	for rows.Next() {
		var node, mark []byte
		if err := rows.Scan(&node, &mark); err != nil {
			return nil, nil, fmt.Errorf("outbox: %w", sqlite.Explain(err))
		}
		var m portal.Mark
		copy(m[:], mark)
		if len(node) == 0 {
			own = append(own, m)
			continue
		}
		var id portal.Digest
		copy(id[:], node)
		relayed[id] = append(relayed[id], m)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("outbox: %w", sqlite.Explain(err))
	}
	return own, relayed, nil
}

// Acknowledged removes what the centre has: its bytes are overwritten. It says how
// many inquiries of our own went. Marks of nothing are passed over.
func (l *Local) Acknowledged(ctx context.Context, marks []portal.Mark) (own int, err error) {
	if len(marks) == 0 {
		return 0, nil
	}
	err = l.write(ctx, "outbox", func(tx *sql.Tx) error {
		for _, m := range marks {
			result, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE mark = ?`, m[:])
			if err != nil {
				return err
			}
			gone, err := result.RowsAffected()
			if err != nil {
				return err
			}
			own += int(gone)
			for _, remove := range []string{`DELETE FROM relayed_marks WHERE mark = ?`, `DELETE FROM usage_reports WHERE mark = ?`} {
				if _, err := tx.ExecContext(ctx, remove, m[:]); err != nil {
					return err
				}
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM relayed WHERE NOT EXISTS (SELECT 1 FROM relayed_marks m WHERE m.digest = relayed.digest)`)
		return err
	})
	return own, err
}

// Waits says what waits here.
func (l *Local) Waits(ctx context.Context) (portal.Waits, error) {
	w, err := waits(ctx, l.db.Read)
	if err != nil {
		return w, fmt.Errorf("outbox: %w", sqlite.Explain(err))
	}
	return w, nil
}

// waits is Waits, also as a transaction sees it that is under way.
func waits(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
},
) (w portal.Waits, err error) {
	var oldest sql.NullString
	var sent sql.NullInt64
	var relayedBytes int64
	err = q.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(length(sealed)), 0), min(day), max(sent),
		(SELECT count(*) FROM relayed), (SELECT coalesce(sum(length(post)), 0) FROM relayed) FROM outbox`).
		Scan(&w.Count, &w.Bytes, &oldest, &sent, &w.Relayed, &relayedBytes)
	w.Bytes += relayedBytes
	w.Oldest, w.Sent = portal.Date(oldest.String), when(sent.Int64)
	return w, err
}

// Post is a signed post of another node.
type Post struct {
	Digest portal.Digest // of Bytes
	Node   portal.Digest
	Bytes  []byte
	Marks  []portal.Mark // of the inquiries in it
}

// KeepPost keeps a post of another node until the centre has acknowledged all of
// it; durable when it returns. One that is there already changes nothing.
func (l *Local) KeepPost(ctx context.Context, p Post, at time.Time) error {
	return l.write(ctx, "relayed post", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO relayed (digest, node, post, came, sent, sent_to) VALUES (?, ?, ?, ?, 0, '')
			ON CONFLICT (digest) DO NOTHING`, p.Digest[:], p.Node[:], p.Bytes, at.UnixMicro())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		for _, m := range p.Marks {
			if _, err := tx.ExecContext(ctx, `INSERT INTO relayed_marks (mark, digest) VALUES (?, ?) ON CONFLICT DO NOTHING`, m[:], p.Digest[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// NextPost gives the oldest post that is to be sent to somebody, as Outgoing
// chooses; ok is false when there is none.
func (l *Local) NextPost(ctx context.Context, to string, again time.Time) (p Post, ok bool, err error) {
	var digest, node []byte
	err = l.db.Read.QueryRowContext(ctx, `SELECT digest, node, post FROM relayed WHERE sent = 0 OR sent_to <> ? OR sent < ?
		ORDER BY came, digest LIMIT 1`, to, again.UnixMicro()).Scan(&digest, &node, &p.Bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("relayed post: %w", sqlite.Explain(err))
	}
	copy(p.Digest[:], digest)
	copy(p.Node[:], node)
	return p, true, nil
}

// PostSent notes that a post of another node was handed on.
func (l *Local) PostSent(ctx context.Context, digest portal.Digest, to string, at time.Time) error {
	_, err := l.db.Write.ExecContext(ctx, `UPDATE relayed SET sent = ?, sent_to = ? WHERE digest = ?`, at.UnixMicro(), to, digest[:])
	if err != nil {
		return fmt.Errorf("relayed post: %w", sqlite.Explain(err))
	}
	return nil
}
