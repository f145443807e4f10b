package catalog

import (
	"context"
	"database/sql"
)

// statements are the queries of pages, compiled once a connection and not once
// a request: compiling was an eighth of the time of a dataset's page.
type statements map[string]*sql.Stmt

// prepared lists them. They are compiled when the catalogue is opened, because
// compiling takes a connection of its own.
var prepared = []string{queryMeta, queryLatest, querySigners, queryHistory, queryManifest}

func prepareAll(ctx context.Context, db *sql.DB) (statements, error) {
	all := statements{}
	for _, query := range prepared {
		stmt, err := db.PrepareContext(ctx, query)
		if err != nil {
			return nil, err // the end of the database closes the others
		}
		all[query] = stmt
	}
	return all, nil
}

// queries runs queries in a transaction, by their compiled form where there is one.
type queries struct {
	tx    *sql.Tx
	stmts statements // of the transaction's database; nil: none
}

// QueryContext is that of sql.Tx.
func (q queries) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := q.stmts[query]; stmt != nil {
		return q.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
	}
	return q.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of sql.Tx.
func (q queries) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := q.stmts[query]; stmt != nil {
		return q.tx.StmtContext(ctx, stmt).QueryRowContext(ctx, args...)
	}
	return q.tx.QueryRowContext(ctx, query, args...)
}
