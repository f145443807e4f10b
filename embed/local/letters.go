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

// MaxLetters is how many letters may wait: a centre without a mail server for
// long keeps no more.
const MaxLetters = 10_000

// QueueLetter keeps a letter to be sent, once for each Key however often it is
// asked to; durable when it returns. fresh is false when there was one of that
// key, sent or not. portal.ErrTooMuch when MaxLetters wait.
func (l *Local) QueueLetter(ctx context.Context, m portal.Letter) (fresh bool, err error) {
	err = l.write(ctx, "letter", func(tx *sql.Tx) error {
		var known, waiting int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM letters WHERE about = ?`, m.Key).Scan(&known); err != nil || known > 0 {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM letters WHERE done = 0`).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= MaxLetters {
			return &portal.Problem{Kind: portal.ErrTooMuch, Where: "letters", Message: fmt.Sprintf("%d wait to be sent, and no more are kept", waiting), Hint: "koprik inquiry letters says why they wait"}
		}
		fresh = true
		_, err := tx.ExecContext(ctx, `INSERT INTO letters (about, kind, inquiry, publisher, contact, level, made, next, tries, done, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '')`,
			m.Key, string(m.Kind), m.Inquiry[:], string(m.To.Publisher), string(m.To.Contact), int(m.Level), kept(m.Made), kept(m.Next))
		return err
	})
	return fresh && err == nil, err
}

const letterColumns = `SELECT id, about, kind, inquiry, publisher, contact, level, made, next, tries, done, problem FROM letters `

func readLetter(row interface{ Scan(...any) error }) (m portal.Letter, err error) {
	var inquiry []byte
	var made, next, done int64
	err = row.Scan(&m.ID, &m.Key, &m.Kind, &inquiry, &m.To.Publisher, &m.To.Contact, &m.Level, &made, &next, &m.Tries, &done, &m.Problem)
	copy(m.Inquiry[:], inquiry)
	m.Made, m.Next, m.Done = when(made), when(next), when(done)
	return m, err
}

// Letters gives those that wait, the next one first, and how many there are
// without the limit.
func (l *Local) Letters(ctx context.Context, limit int) (list []portal.Letter, total int, err error) {
	if err := l.db.Read.QueryRowContext(ctx, `SELECT count(*) FROM letters WHERE done = 0`).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("letters: %w", sqlite.Explain(err))
	}
	rows, err := l.db.Read.QueryContext(ctx, letterColumns+`WHERE done = 0 ORDER BY next, id LIMIT ?`, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("letters: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		m, err := readLetter(rows)
		if err != nil {
			return nil, 0, fmt.Errorf("letters: %w", sqlite.Explain(err))
		}
		list = append(list, m)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("letters: %w", sqlite.Explain(err))
	}
	return list, total, nil
}

// MailState says what waits to be sent, and why the oldest of it that was tried was
// not taken.
func (l *Local) MailState(ctx context.Context) (s portal.MailState, err error) {
	var oldest sql.NullInt64
	err = l.db.Read.QueryRowContext(ctx, `SELECT count(*), min(made), coalesce((SELECT problem FROM letters WHERE done = 0 AND problem <> '' ORDER BY made, id LIMIT 1), '')
		FROM letters WHERE done = 0`).Scan(&s.Waiting, &oldest, &s.Problem)
	if err != nil {
		return s, fmt.Errorf("letters: %w", sqlite.Explain(err))
	}
	s.Oldest = when(oldest.Int64)
	return s, nil
}

// ClaimLetter gives the letter that is to be tried now, and lets nobody else have
// it before again: a process that dies in the middle leaves it to be sent then.
// ok is false when none is to be tried.
func (l *Local) ClaimLetter(ctx context.Context, now time.Time, again func(tries int) time.Time) (m portal.Letter, ok bool, err error) {
	err = l.write(ctx, "letter", func(tx *sql.Tx) (err error) {
		m, err = readLetter(tx.QueryRowContext(ctx, letterColumns+`WHERE done = 0 AND next <= ? ORDER BY next, id LIMIT 1`, now.UnixMicro()))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		m.Tries++
		m.Next = again(m.Tries)
		_, err = tx.ExecContext(ctx, `UPDATE letters SET tries = ?, next = ? WHERE id = ?`, m.Tries, kept(m.Next), m.ID)
		return err
	})
	return m, ok && err == nil, err
}

// LetterDone ends a letter: it was sent, or problem says why it never will be.
func (l *Local) LetterDone(ctx context.Context, id int64, now time.Time, problem string) error {
	return l.changeLetter(ctx, `UPDATE letters SET done = ?, problem = ? WHERE id = ?`, kept(now), problem, id)
}

// LetterFailed notes why a try came to nothing; the letter waits for its next.
func (l *Local) LetterFailed(ctx context.Context, id int64, problem string) error {
	return l.changeLetter(ctx, `UPDATE letters SET problem = ? WHERE id = ?`, problem, id)
}

// HurryLetters lets everything that waits be tried now.
func (l *Local) HurryLetters(ctx context.Context, now time.Time) error {
	return l.changeLetter(ctx, `UPDATE letters SET next = min(next, ?) WHERE done = 0`, kept(now))
}

func (l *Local) changeLetter(ctx context.Context, query string, args ...any) error {
	if _, err := l.db.Write.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("letter: %w", sqlite.Explain(err))
	}
	return nil
}

// AddLink keeps a one-time link before its letter is sent, and forgets those that
// ended before a time.
func (l *Local) AddLink(ctx context.Context, k portal.Link, forget time.Time) error {
	return l.write(ctx, "link", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM links WHERE ends < ?`, kept(forget)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO links (digest, reply, kind, inquiry, publisher, contact, email, made, ends, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
			k.Digest[:], k.Reply[:], string(k.Kind), k.Inquiry[:], string(k.To.Publisher), string(k.To.Contact), k.Email, kept(k.Made), kept(k.Ends))
		return err
	})
}

// DropLink forgets a link whose letter did not leave.
func (l *Local) DropLink(ctx context.Context, digest portal.Digest) error {
	return l.changeLetter(ctx, `DELETE FROM links WHERE digest = ?`, digest[:])
}

func readLink(row interface{ Scan(...any) error }) (k portal.Link, err error) {
	var digest, reply, inquiry []byte
	var made, ends, used int64
	err = row.Scan(&digest, &reply, &k.Kind, &inquiry, &k.To.Publisher, &k.To.Contact, &k.Email, &made, &ends, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return k, portal.ErrNotFound
	}
	copy(k.Digest[:], digest)
	copy(k.Reply[:], reply)
	copy(k.Inquiry[:], inquiry)
	k.Made, k.Ends, k.Used = when(made), when(ends), when(used)
	return k, err
}

const linkColumns = `SELECT digest, reply, kind, inquiry, publisher, contact, email, made, ends, used FROM links `

// Link finds a link by the digest of its token, used or not; portal.ErrNotFound
// when there is none.
func (l *Local) Link(ctx context.Context, digest portal.Digest) (portal.Link, error) {
	return l.link(ctx, `WHERE digest = ?`, digest)
}

// LinkOfReply finds a link by the digest of the tag of a reply address.
func (l *Local) LinkOfReply(ctx context.Context, reply portal.Digest) (portal.Link, error) {
	return l.link(ctx, `WHERE reply = ?`, reply)
}

func (l *Local) link(ctx context.Context, where string, digest portal.Digest) (portal.Link, error) {
	k, err := readLink(l.db.Read.QueryRowContext(ctx, linkColumns+where, digest[:]))
	if err != nil {
		return k, fmt.Errorf("link: %w", sqlite.Explain(err))
	}
	return k, nil
}

// UseLink does something to the inquiry of a link and ends all links of that
// inquiry, all in one step: of two who use it at once one is portal.ErrExpired.
// So is a link that was used or has ended. An error of do changes nothing, and
// the link stays.
func (l *Local) UseLink(ctx context.Context, digest portal.Digest, now time.Time, do func(k portal.Link, c *portal.Case) error) (c portal.Case, err error) {
	err = l.write(ctx, "link", func(tx *sql.Tx) error {
		k, err := usable(ctx, tx, digest, now)
		if err != nil {
			return err
		}
		if c, err = readCase(tx.QueryRowContext(ctx, `SELECT doc FROM cases WHERE id = ?`, k.Inquiry[:])); err != nil {
			return err
		}
		if err := do(k, &c); err != nil {
			return err
		}
		c.Inquiry.ID = k.Inquiry
		if err := putCase(ctx, tx, &c); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE links SET used = ? WHERE inquiry = ? AND used = 0`, kept(now), k.Inquiry[:])
		return err
	})
	return c, err
}

// UseUp uses a link that belongs to no inquiry; portal.ErrExpired as UseLink.
func (l *Local) UseUp(ctx context.Context, digest portal.Digest, now time.Time) (k portal.Link, err error) {
	err = l.write(ctx, "link", func(tx *sql.Tx) error {
		if k, err = usable(ctx, tx, digest, now); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE links SET used = ? WHERE digest = ?`, kept(now), digest[:])
		return err
	})
	return k, err
}

func usable(ctx context.Context, tx *sql.Tx, digest portal.Digest, now time.Time) (portal.Link, error) {
	k, err := readLink(tx.QueryRowContext(ctx, linkColumns+`WHERE digest = ?`, digest[:]))
	if err == nil && (!k.Used.IsZero() || now.After(k.Ends)) {
		err = portal.ErrExpired
	}
	return k, err
}
