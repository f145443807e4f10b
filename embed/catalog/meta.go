package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"koprik/embed/sqlite"
	"koprik/portal"
)

// meta is the row that says which generation this is.
type meta struct {
	state   portal.CopyState
	count   int   // datasets not withdrawn
	logFrom int64 // the change log is complete from here on
}

// rowReader is a *sql.DB or *sql.Tx.
type rowReader interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

const queryMeta = "SELECT generation, as_of, expires, repository, media, datasets, log_from FROM meta WHERE id = 1"

func readMeta(ctx context.Context, r rowReader) (m meta, err error) {
	var asOf, expires sql.NullInt64
	var repository []byte
	err = r.QueryRowContext(ctx, queryMeta).
		Scan(&m.state.Generation, &asOf, &expires, &repository, &m.state.Media, &m.count, &m.logFrom)
	if errors.Is(err, sql.ErrNoRows) || err == nil && repository != nil && len(repository) != len(m.state.Repository) {
		return meta{}, fmt.Errorf("catalogue generation: %w", ErrDamaged)
	}
	if err != nil {
		return meta{}, fmt.Errorf("catalogue generation: %w", sqlite.Explain(err))
	}
	copy(m.state.Repository[:], repository)
	m.state.AsOf, m.state.Expires = fromMicros(asOf), fromMicros(expires)
	return m, nil
}

func writeMeta(ctx context.Context, tx *sql.Tx, m meta) error {
	var repository any
	if !m.state.Repository.IsZero() {
		repository = m.state.Repository[:]
	}
	_, err := tx.ExecContext(ctx, `UPDATE meta SET generation = ?, as_of = ?, expires = ?, repository = ?, media = ?, log_from = ?,
		datasets = (SELECT count(*) FROM datasets WHERE NOT withdrawn)`,
		m.state.Generation, micros(m.state.AsOf), micros(m.state.Expires), repository, m.state.Media, m.logFrom)
	return err
}

// micros is NULL for the zero time.
func micros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

func fromMicros(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}
