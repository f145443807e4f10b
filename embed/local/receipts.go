package local

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"koprik/embed/sqlite"
)

// Lying is what lies at a slot, for whoever holds its receipt.
type Lying struct {
	Slot   string // 32 hexadecimal digits
	Sealed []byte
	Says   string // tells whether there is something else to say; "" for a dummy
	At     time.Time
}

// Receipts gives everything that lies at a slot, by slot.
func (l *Local) Receipts(ctx context.Context) (all []Lying, err error) {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT slot, sealed, says, at FROM receipts ORDER BY slot`)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var r Lying
		var at int64
		if err := rows.Scan(&r.Slot, &r.Sealed, &r.Says, &at); err != nil {
			return nil, fmt.Errorf("receipts: %w", sqlite.Explain(err))
		}
		r.At = when(at)
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("receipts: %w", sqlite.Explain(err))
	}
	return all, nil
}

// PutReceipts lays a batch, and takes away what was laid before a time: all of it
// or nothing.
func (l *Local) PutReceipts(ctx context.Context, batch []Lying, before time.Time) error {
	return l.write(ctx, "receipts", func(tx *sql.Tx) error {
		for _, r := range batch {
			if _, err := tx.ExecContext(ctx, `INSERT INTO receipts (slot, sealed, says, at) VALUES (?, ?, ?, ?)
				ON CONFLICT (slot) DO UPDATE SET sealed = excluded.sealed, says = excluded.says, at = excluded.at`, r.Slot, r.Sealed, r.Says, r.At.UnixMicro()); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM receipts WHERE at < ?`, before.UnixMicro())
		return err
	})
}
