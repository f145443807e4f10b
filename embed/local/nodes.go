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

// SeeNode notes that a post of a node came, and gives what is known of it.
func (l *Local) SeeNode(ctx context.Context, id portal.Digest, public string, at time.Time) (n portal.KnownNode, err error) {
	err = l.write(ctx, "node "+id.Short(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO nodes (id, public, name, enrolled, revoked, first_seen, last_seen, posts) VALUES (?, ?, '', 0, 0, ?, ?, 1)
			ON CONFLICT (id) DO UPDATE SET posts = posts + 1, last_seen = excluded.last_seen,
				first_seen = CASE first_seen WHEN 0 THEN excluded.first_seen ELSE first_seen END`, id[:], public, at.UnixMicro(), at.UnixMicro())
		if err != nil {
			return err
		}
		n, err = readNode(tx.QueryRowContext(ctx, nodeColumns+` WHERE id = ?`, id[:]))
		return err
	})
	return n, err
}

// Node gives what is known of one node; portal.ErrNotFound when nothing is.
func (l *Local) Node(ctx context.Context, id portal.Digest) (portal.KnownNode, error) {
	n, err := readNode(l.db.Read.QueryRowContext(ctx, nodeColumns+` WHERE id = ?`, id[:]))
	if errors.Is(err, sql.ErrNoRows) {
		err = portal.ErrNotFound
	}
	if err != nil {
		return n, fmt.Errorf("node %s: %w", id.Short(), sqlite.Explain(err))
	}
	return n, nil
}

// SetNode enrols or revokes a node, and names it; durable when it returns.
func (l *Local) SetNode(ctx context.Context, n portal.KnownNode) error {
	_, err := l.db.Write.ExecContext(ctx, `INSERT INTO nodes (id, public, name, enrolled, revoked, first_seen, last_seen, posts) VALUES (?, ?, ?, ?, ?, 0, 0, 0)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, enrolled = excluded.enrolled, revoked = excluded.revoked`,
		n.ID[:], n.Public, n.Name, kept(n.Enrolled), kept(n.Revoked))
	if err != nil {
		return fmt.Errorf("node %s: %w", n.ID.Short(), sqlite.Explain(err))
	}
	return nil
}

// AddSequence notes which number an opened inquiry of a node has.
func (l *Local) AddSequence(ctx context.Context, node portal.Digest, sequence uint64, id portal.InquiryID) error {
	_, err := l.db.Write.ExecContext(ctx, `INSERT INTO sequences (node, sequence, id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		node[:], int64(sequence), id[:]) //nolint:gosec // beyond 2^63 it is a lie, and stays a number
	if err != nil {
		return fmt.Errorf("node %s: %w", node.Short(), sqlite.Explain(err))
	}
	return nil
}

const nodeColumns = `SELECT id, public, name, enrolled, revoked, first_seen, last_seen, posts, uncounted FROM nodes`

func readNode(row interface{ Scan(...any) error }) (n portal.KnownNode, err error) {
	var id []byte
	var enrolled, revoked, first, last int64
	if err := row.Scan(&id, &n.Public, &n.Name, &enrolled, &revoked, &first, &last, &n.Posts, &n.Uncounted); err != nil {
		return n, err
	}
	copy(n.ID[:], id)
	n.Enrolled, n.Revoked, n.FirstSeen, n.LastSeen = when(enrolled), when(revoked), when(first), when(last)
	return n, nil
}

// maxDuplicates bounds what is told of a cloned card.
const maxDuplicates = 20

// Nodes gives all nodes that the centre has heard of, by id, with what their
// sequence numbers tell.
func (l *Local) Nodes(ctx context.Context) ([]portal.KnownNode, error) {
	rows, err := l.db.Read.QueryContext(ctx, nodeColumns+` ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("nodes: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	var all []portal.KnownNode
	for rows.Next() {
		n, err := readNode(rows)
		if err != nil {
			return nil, fmt.Errorf("nodes: %w", sqlite.Explain(err))
		}
		all = append(all, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("nodes: %w", sqlite.Explain(err))
	}
	for i := range all {
		if err := l.numbersOf(ctx, &all[i]); err != nil {
			return nil, fmt.Errorf("node %s: %w", all[i].ID.Short(), sqlite.Explain(err))
		}
	}
	return all, nil
}

func (l *Local) numbersOf(ctx context.Context, n *portal.KnownNode) error {
	var highest, distinct int64
	// A node that was restored from a backup numbers from a new beginning: BeginLife.
	err := l.db.Read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM inquiries WHERE node = ?1), coalesce(sum(highest), 0), coalesce(sum(came), 0)
		FROM (SELECT max(sequence & ?2) AS highest, count(DISTINCT sequence) AS came FROM sequences WHERE node = ?1 GROUP BY sequence >> ?3)`,
		n.ID[:], int64(1<<lifeBits-1), lifeBits).Scan(&n.Inquiries, &highest, &distinct)
	if err != nil {
		return err
	}
	n.Highest, n.Missing = uint64(max(highest, 0)), int(max(highest-distinct, 0))
	rows, err := l.db.Read.QueryContext(ctx, `SELECT sequence FROM sequences WHERE node = ? GROUP BY sequence HAVING count(*) > 1 ORDER BY sequence LIMIT ?`, n.ID[:], maxDuplicates)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var twice int64
		if err := rows.Scan(&twice); err != nil {
			return err
		}
		n.Duplicates = append(n.Duplicates, uint64(twice)) //nolint:gosec // as it was written
	}
	return rows.Err()
}
