package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"koprik/embed/sqlite"
	"koprik/portal"
)

// horizonKey is where state has the first day that can still be counted. It never
// goes back, whatever the clock says.
const horizonKey = "usage-horizon"

// ownUsage is the node of what this one has counted itself.
var ownUsage = []byte{}

// KeepUsage keeps what processes of this node have counted so far, durable when it
// returns: each count of a state is kept as the larger of what was and what is said,
// so that keeping a state twice changes nothing.
func (l *Local) KeepUsage(ctx context.Context, states []portal.UsageState) error {
	return l.write(ctx, "use", func(tx *sql.Tx) error {
		horizon, err := usageHorizon(ctx, tx)
		if err != nil {
			return err
		}
		for _, s := range states {
			if s.Day < horizon {
				continue
			}
			if err := mergeState(ctx, tx, ownUsage, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func usageHorizon(ctx context.Context, tx *sql.Tx) (day portal.Date, err error) {
	err = tx.QueryRowContext(ctx, `SELECT value FROM state WHERE key = ?`, horizonKey).Scan(&day)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return day, err
}

// mergeState takes of each count the larger; what grew is to be reported again.
func mergeState(ctx context.Context, tx *sql.Tx, node []byte, s portal.UsageState) error {
	var before []byte
	err := tx.QueryRowContext(ctx, `SELECT counts FROM usage_days WHERE node = ? AND boot = ? AND day = ?`, node, s.Boot[:], string(s.Day)).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	counts, err := portal.DecodeUsage(before)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Day, err)
	}
	counts.Merge(s.Counts)
	if len(counts) > portal.MaxUsageKeys {
		return nil // no honest node says so
	}
	after := counts.Encode()
	if string(after) == string(before) {
		return nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO usage_days (node, boot, day, counts) VALUES (?, ?, ?, ?)
		ON CONFLICT (node, boot, day) DO UPDATE SET counts = excluded.counts, batch = NULL`, node, s.Boot[:], string(s.Day), after)
	return err
}

// EachUsage gives the counts of this node and, with all, those of every node that
// is enrolled, in no order: a day, or the first day of a month that was summed.
func (l *Local) EachUsage(ctx context.Context, all bool, do func(node portal.Digest, d portal.UsageDay) error) error {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT node, day, counts FROM (
			SELECT node, day, counts FROM usage_days UNION ALL SELECT node, month || '-01', counts FROM usage_months)
		WHERE node = x'' OR ? AND node IN (SELECT id FROM nodes WHERE enrolled <> 0 AND revoked = 0)`, all)
	if err != nil {
		return fmt.Errorf("use: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var node, counts []byte
		var d portal.UsageDay
		if err := rows.Scan(&node, &d.Day, &counts); err != nil {
			return fmt.Errorf("use: %w", sqlite.Explain(err))
		}
		if d.Counts, err = portal.DecodeUsage(counts); err != nil {
			return fmt.Errorf("use of %s: %w", d.Day, err)
		}
		var id portal.Digest
		copy(id[:], node)
		if err := do(id, d); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("use: %w", sqlite.Explain(err))
	}
	return nil
}

// Unreported gives the states of this node that are in no report, of days before a
// day; the oldest first.
func (l *Local) Unreported(ctx context.Context, before portal.Date) ([]portal.UsageState, error) {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT boot, day, counts FROM usage_days WHERE node = x'' AND batch IS NULL AND day < ? ORDER BY day, boot`, string(before))
	if err != nil {
		return nil, fmt.Errorf("use: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	var list []portal.UsageState
	for rows.Next() {
		var s portal.UsageState
		var boot, counts []byte
		if err := rows.Scan(&boot, &s.Day, &counts); err != nil {
			return nil, fmt.Errorf("use: %w", sqlite.Explain(err))
		}
		copy(s.Boot[:], boot)
		if s.Counts, err = portal.DecodeUsage(counts); err != nil {
			return nil, fmt.Errorf("use of %s: %w", s.Day, err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("use: %w", sqlite.Explain(err))
	}
	return list, nil
}

// Report is a sealed report of use of this node.
type Report struct {
	ID     portal.InquiryID
	Epoch  string
	Sealed []byte
}

// QueueReports keeps reports until the centre has acknowledged them, and notes that
// they have all of states. A state that has grown meanwhile is to be reported again.
func (l *Local) QueueReports(ctx context.Context, reports []Report, states []portal.UsageState) error {
	if len(reports) == 0 {
		return nil
	}
	batch := reports[0].ID
	return l.write(ctx, "reports of use", func(tx *sql.Tx) error {
		for _, r := range reports {
			mark := portal.MarkOf(r.Sealed)
			_, err := tx.ExecContext(ctx, `INSERT INTO usage_reports (id, batch, epoch, sealed, mark, sent, sent_to) VALUES (?, ?, ?, ?, ?, 0, '')`,
				r.ID[:], batch[:], r.Epoch, r.Sealed, mark[:])
			if err != nil {
				return err
			}
		}
		for _, s := range states {
			_, err := tx.ExecContext(ctx, `UPDATE usage_days SET batch = ? WHERE node = x'' AND boot = ? AND day = ? AND counts = ?`,
				batch[:], s.Boot[:], string(s.Day), s.Counts.Encode())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Reports is how many reports of use wait for an acknowledgement.
func (l *Local) Reports(ctx context.Context) (n int, err error) {
	err = l.db.Read.QueryRowContext(ctx, `SELECT count(*) FROM usage_reports`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("reports of use: %w", sqlite.Explain(err))
	}
	return n, nil
}

// Unreport takes back all reports that wait: their states are to be reported again,
// together. One of them that is on its way counts all the same, and once.
func (l *Local) Unreport(ctx context.Context) error {
	return l.write(ctx, "reports of use", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE usage_days SET batch = NULL WHERE batch IN (SELECT batch FROM usage_reports)`)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM usage_reports`)
		}
		return err
	})
}

// OutgoingReports is Outgoing of reports of use, the oldest batch first.
func (l *Local) OutgoingReports(ctx context.Context, limit int64, to string, again time.Time) ([]portal.Outgoing, error) {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT id, 0, epoch, sealed, '', sent, sent_to FROM usage_reports
		WHERE sent = 0 OR sent_to <> ? OR sent < ? ORDER BY rowid`, to, again.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("reports of use: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	return scanOutgoing(rows, limit)
}

// What one node may take at the centre: an honest one restarts less often, and its
// year is smaller.
const (
	maxBoots      = 200      // processes on one day
	maxNodeCounts = 32 << 20 // bytes of counts
)

// CountUsage takes a report that was opened out of the inquiries and counts it,
// exactly once in effect however often it comes; durable when it returns. States of
// days before the horizon are passed over, for good. So are those of days after last,
// which a clock that is ahead has counted; but then the report is not acknowledged,
// so that it comes again when they have come. dropped is how many were passed over.
func (l *Local) CountUsage(ctx context.Context, id portal.InquiryID, states []portal.UsageState, last portal.Date) (dropped int, err error) {
	err = l.write(ctx, "use", func(tx *sql.Tx) error {
		dropped = 0
		early := slices.ContainsFunc(states, func(s portal.UsageState) bool { return s.Day > last })
		node, err := dropInquiry(ctx, tx, id, !early)
		if err != nil || node == nil {
			return err
		}
		horizon, err := usageHorizon(ctx, tx)
		if err != nil {
			return err
		}
		var size int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(length(counts)), 0) FROM usage_days WHERE node = ?`, node).Scan(&size); err != nil {
			return err
		}
		for _, s := range states {
			var others int
			err := tx.QueryRowContext(ctx, `SELECT count(*) FROM usage_days WHERE node = ? AND day = ? AND boot <> ?`, node, string(s.Day), s.Boot[:]).Scan(&others)
			if err != nil {
				return err
			}
			if s.Day < horizon || s.Day > last || others >= maxBoots || size > maxNodeCounts {
				dropped++
				continue
			}
			if err := mergeState(ctx, tx, node, s); err != nil {
				return err
			}
		}
		return nil
	})
	return dropped, err
}

// RefuseUsage takes a report that does not count out of the inquiries: of a node
// that is not enrolled, which may send it again when it is, or, with acknowledged,
// one that is none, which need not come again.
func (l *Local) RefuseUsage(ctx context.Context, id portal.InquiryID, acknowledged bool) error {
	return l.write(ctx, "use", func(tx *sql.Tx) error {
		node, err := dropInquiry(ctx, tx, id, acknowledged)
		if err != nil || node == nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE nodes SET uncounted = uncounted + 1 WHERE id = ?`, node)
		return err
	})
}

// dropInquiry removes what came under an id and was no question; with acknowledged
// its mark stays, so that the node that sent it hears of it. node is nil when another
// process has removed it already.
func dropInquiry(ctx context.Context, tx *sql.Tx, id portal.InquiryID, acknowledged bool) (node []byte, err error) {
	var mark []byte
	var renewed int64
	err = tx.QueryRowContext(ctx, `SELECT node, mark, renewed FROM inquiries WHERE id = ?`, id[:]).Scan(&node, &mark, &renewed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM cases WHERE id = ?`, id[:]); err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM inquiries WHERE id = ?`, id[:]); err != nil {
		return nil, err
	}
	if acknowledged {
		_, err = tx.ExecContext(ctx, `INSERT INTO usage_marks (mark, node, renewed) VALUES (?, ?, ?) ON CONFLICT (mark) DO NOTHING`, mark, node, renewed)
	}
	return node, err
}

// renewUsage notes that a report came again that was counted already.
func renewUsage(ctx context.Context, tx *sql.Tx, mark portal.Mark, at int64) (counted bool, err error) {
	result, err := tx.ExecContext(ctx, `UPDATE usage_marks SET renewed = max(renewed, ?) WHERE mark = ?`, at, mark[:])
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// FoldUsage sums days before a day by month: from then on they are no longer
// counted when they come. Marks of reports that were renewed before a time go, and
// places of words before a day.
func (l *Local) FoldUsage(ctx context.Context, before portal.Date, marks time.Time, misses portal.Date) error {
	return l.write(ctx, "use", func(tx *sql.Tx) error {
		horizon, err := usageHorizon(ctx, tx)
		if err != nil {
			return err
		}
		if before > horizon {
			_, err := tx.ExecContext(ctx, `INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, horizonKey, string(before))
			if err != nil {
				return err
			}
		}
		if err := foldDays(ctx, tx, before); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM usage_marks WHERE renewed < ?`, marks.UnixMicro()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM usage_misses WHERE day < ?`, string(misses))
		return err
	})
}

func foldDays(ctx context.Context, tx *sql.Tx, before portal.Date) error {
	type place struct {
		node  string
		month portal.Month
	}
	sums := map[place]portal.Usage{}
	read := func(query string, args ...any) error {
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var node, b []byte
			var day portal.Date
			if err := rows.Scan(&node, &day, &b); err != nil {
				return err
			}
			counts, err := portal.DecodeUsage(b)
			if err != nil {
				return err
			}
			at := place{string(node), portal.MonthOf(day)}
			if sums[at] == nil {
				sums[at] = portal.Usage{}
			}
			sums[at].Add(counts)
		}
		return rows.Err()
	}
	if err := read(`SELECT node, day, counts FROM usage_days WHERE day < ?`, string(before)); err != nil || len(sums) == 0 {
		return err
	}
	if err := read(`SELECT node, month || '-01', counts FROM usage_months m
		WHERE EXISTS (SELECT 1 FROM usage_days d WHERE d.node = m.node AND d.day < ? AND substr(d.day, 1, 7) = m.month)`, string(before)); err != nil {
		return err
	}
	for at, counts := range sums {
		_, err := tx.ExecContext(ctx, `INSERT INTO usage_months (node, month, counts) VALUES (?, ?, ?)
			ON CONFLICT (node, month) DO UPDATE SET counts = excluded.counts`, []byte(at.node), string(at.month), counts.Encode())
		if err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM usage_days WHERE day < ?`, string(before))
	return err
}

// Missed notes that words of searches without hits had places on a day, and gives
// for each place on how many days it was noted within the memory. At most limit
// places are new on one day; what is more is not noted.
func (l *Local) Missed(ctx context.Context, places []int64, day portal.Date, limit int) (days map[int64]int, err error) {
	err = l.write(ctx, "missed words", func(tx *sql.Tx) error {
		days = map[int64]int{}
		var noted int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM usage_misses WHERE day = ?`, string(day)).Scan(&noted); err != nil {
			return err
		}
		for _, p := range places {
			if noted < limit {
				result, err := tx.ExecContext(ctx, `INSERT INTO usage_misses (place, day) VALUES (?, ?) ON CONFLICT DO NOTHING`, p, string(day))
				if err != nil {
					return err
				}
				n, err := result.RowsAffected()
				if err != nil {
					return err
				}
				noted += int(n)
			}
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM usage_misses WHERE place = ?`, p).Scan(&n); err != nil {
				return err
			}
			days[p] = n
		}
		return nil
	})
	return days, err
}
