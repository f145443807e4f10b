// Package local keeps local.db: what only this machine knows and nobody could
// give back to it. A write is on the platter when it returns
// (synchronous=FULL: with NORMAL a power cut lost 200 of 200 acknowledged
// commits), and the file is never deleted or made anew.
package local

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"koprik/embed/sqlite"
)

//go:embed migrations/*.sql
var files embed.FS

// applicationID is "Kpl" and the layout's number.
const applicationID = 0x4b706c01

// ErrDamaged says that the file cannot be read. It is left as it is, for
// somebody to save what is in it.
var ErrDamaged = sqlite.ErrDamaged

// Local is an open local.db.
type Local struct{ db *sqlite.DB }

// Open opens or creates the file at path. A damaged or foreign file is
// ErrDamaged, one of a newer program sqlite.ErrNewer; it is not touched then.
func Open(ctx context.Context, path string) (*Local, error) {
	db, err := sqlite.Open(path, sqlite.Options{ApplicationID: applicationID, Readers: 4, Erase: true})
	if err != nil {
		return nil, fmt.Errorf("local database: %w", err)
	}
	migrations, err := fs.Sub(files, "migrations")
	if err == nil {
		err = sqlite.Migrate(ctx, db.Write, migrations)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("local database %s: %w", path, err), db.Close())
	}
	return &Local{db: db}, nil
}

// Close ends all use of the file.
func (l *Local) Close() error { return l.db.Close() }

// Get gives the value that was last Set under key; ok is false when none was.
func (l *Local) Get(ctx context.Context, key string) (value string, ok bool, err error) {
	err = l.db.Read.QueryRowContext(ctx, "SELECT value FROM state WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("local state %q: %w", key, sqlite.Explain(err))
	}
	return value, true, nil
}

// Set keeps value under key. After an error or a power cut key has the value
// of before or the new one; after nil it has the new one.
func (l *Local) Set(ctx context.Context, key, value string) error {
	_, err := l.db.Write.ExecContext(ctx, `INSERT INTO state (key, value) VALUES (?, ?)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	if err != nil {
		return fmt.Errorf("local state %q: %w", key, sqlite.Explain(err))
	}
	return nil
}

// SyncRecord is one line of the sync log.
type SyncRecord struct {
	At         time.Time // when it ended, by this node's trusted time
	Upstream   string    // address or folder
	Generation int64     // held afterwards
	BytesDown  int64
	BytesUp    int64
	Requests   int64
	Duration   time.Duration
	Result     string // "" when it went well; why not otherwise
	Detail     string // what came and how, as JSON; "" when that is not known
}

// AddSync adds a line to the sync log, durable when it returns.
func (l *Local) AddSync(ctx context.Context, r SyncRecord) error {
	_, err := l.db.Write.ExecContext(ctx, `INSERT INTO syncs
		(at, upstream, generation, bytes_down, bytes_up, requests, duration, result, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.At.UnixMicro(), r.Upstream, r.Generation, r.BytesDown, r.BytesUp, r.Requests, int64(r.Duration), r.Result, r.Detail)
	if err != nil {
		return fmt.Errorf("sync log: %w", sqlite.Explain(err))
	}
	return nil
}

// LastSync gives the newest line of the sync log; ok is false before the first.
func (l *Local) LastSync(ctx context.Context) (r SyncRecord, ok bool, err error) {
	list, err := l.Syncs(ctx, 1)
	if err != nil || len(list) == 0 {
		return SyncRecord{}, false, err
	}
	return list[0], true, nil
}

// Syncs gives the newest lines of the sync log, the newest first, at most limit.
func (l *Local) Syncs(ctx context.Context, limit int) ([]SyncRecord, error) {
	rows, err := l.db.Read.QueryContext(ctx, `SELECT at, upstream, generation, bytes_down, bytes_up, requests, duration, result, detail
		FROM syncs ORDER BY id DESC LIMIT ?`, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("sync log: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	var list []SyncRecord
	for rows.Next() {
		var r SyncRecord
		var at int64
		if err := rows.Scan(&at, &r.Upstream, &r.Generation, &r.BytesDown, &r.BytesUp, &r.Requests, (*int64)(&r.Duration), &r.Result, &r.Detail); err != nil {
			return nil, fmt.Errorf("sync log: %w", sqlite.Explain(err))
		}
		r.At = time.UnixMicro(at).UTC()
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sync log: %w", sqlite.Explain(err))
	}
	return list, nil
}
