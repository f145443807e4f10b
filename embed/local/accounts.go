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

// Credentials are what an account proves itself by. They never leave the node.
type Credentials struct {
	Password string // argon2id with its parameters; "" when it cannot sign in
	TOTP     string // secret of the second factor, base32; "" when there is none
	Step     int64  // last time step whose code was taken
}

// AddAccount keeps a new account; portal.ErrRejected when the name is taken.
func (l *Local) AddAccount(ctx context.Context, a portal.Account, password string) error {
	result, err := l.db.Write.ExecContext(ctx, `INSERT INTO accounts
		(name, role, publisher, contact, post, language, password, totp, totp_step, created, disabled) VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, ?, ?)
		ON CONFLICT (name) DO NOTHING`,
		a.Name, string(a.Role), string(a.Publisher), string(a.Contact), a.Post, string(a.Lang), password, kept(a.Created), kept(a.Disabled))
	if err != nil {
		return fmt.Errorf("account %s: %w", a.Name, sqlite.Explain(err))
	}
	if n, err := result.RowsAffected(); err != nil {
		return fmt.Errorf("account %s: %w", a.Name, err)
	} else if n == 0 {
		return portal.Rejected("name", "there is an account %s", a.Name)
	}
	return nil
}

// SetAccount changes what an account is. Who was signed in by it no longer is
// when its role changed or it is disabled.
func (l *Local) SetAccount(ctx context.Context, a portal.Account) error {
	return l.write(ctx, "account "+a.Name, func(tx *sql.Tx) error {
		was, _, err := readAccount(tx.QueryRowContext(ctx, accountColumns+` WHERE name = ?`, a.Name))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE accounts SET role = ?, publisher = ?, contact = ?, post = ?, language = ?, disabled = ? WHERE name = ?`,
			string(a.Role), string(a.Publisher), string(a.Contact), a.Post, string(a.Lang), kept(a.Disabled), a.Name)
		if err != nil {
			return err
		}
		if was.Role == a.Role && was.Publisher == a.Publisher && was.Contact == a.Contact && a.Disabled.IsZero() {
			return nil
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE account = ?`, a.Name)
		return err
	})
}

// SetPassword changes what an account proves itself by, and ends all its sessions.
func (l *Local) SetPassword(ctx context.Context, name, password string) error {
	return l.changeAccount(ctx, name, `UPDATE accounts SET password = ? WHERE name = ?`, password, name)
}

// SetTOTP sets or, with "", removes the second factor, with the digests of the
// codes that stand in for it once each, and ends all sessions of the account.
func (l *Local) SetTOTP(ctx context.Context, name, secret string, step int64, recovery []portal.Digest) error {
	return l.write(ctx, "account "+name, func(tx *sql.Tx) error {
		if err := changeAccount(ctx, tx, name, `UPDATE accounts SET totp = ?, totp_step = ? WHERE name = ?`, secret, step, name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM recovery WHERE account = ?`, name); err != nil {
			return err
		}
		for _, d := range recovery {
			if _, err := tx.ExecContext(ctx, `INSERT INTO recovery (account, digest) VALUES (?, ?)`, name, d[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Local) changeAccount(ctx context.Context, name, query string, args ...any) error {
	return l.write(ctx, "account "+name, func(tx *sql.Tx) error { return changeAccount(ctx, tx, name, query, args...) })
}

// changeAccount does one update of an account and ends its sessions.
func changeAccount(ctx context.Context, tx *sql.Tx, name, query string, args ...any) error {
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, portal.ErrNotFound)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE account = ?`, name)
	return err
}

// UseStep takes the code of a time step: true once for each step, and never for
// one before a step that was taken.
func (l *Local) UseStep(ctx context.Context, name string, step int64) (bool, error) {
	return l.once(ctx, name, `UPDATE accounts SET totp_step = ?1 WHERE name = ?2 AND totp <> '' AND totp_step < ?1`, step, name)
}

// UseRecovery takes a code that stands in for the second factor: true once.
func (l *Local) UseRecovery(ctx context.Context, name string, digest portal.Digest) (bool, error) {
	return l.once(ctx, name, `DELETE FROM recovery WHERE account = ? AND digest = ?`, name, digest[:])
}

func (l *Local) once(ctx context.Context, name, query string, args ...any) (bool, error) {
	result, err := l.db.Write.ExecContext(ctx, query, args...)
	if err != nil {
		return false, fmt.Errorf("account %s: %w", name, sqlite.Explain(err))
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

const accountColumns = `SELECT name, role, publisher, contact, post, language, password, totp, totp_step, created, disabled FROM accounts`

func readAccount(row interface{ Scan(...any) error }) (a portal.Account, c Credentials, err error) {
	var created, disabled int64
	err = row.Scan(&a.Name, &a.Role, &a.Publisher, &a.Contact, &a.Post, &a.Lang, &c.Password, &c.TOTP, &c.Step, &created, &disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return a, c, portal.ErrNotFound
	}
	a.Created, a.Disabled, a.SecondFactor = when(created), when(disabled), c.TOTP != ""
	return a, c, err
}

// Account gives one account and what it proves itself by; portal.ErrNotFound
// when there is none.
func (l *Local) Account(ctx context.Context, name string) (portal.Account, Credentials, error) {
	a, c, err := readAccount(l.db.Read.QueryRowContext(ctx, accountColumns+` WHERE name = ?`, name))
	if err != nil {
		return a, c, fmt.Errorf("account %.80q: %w", name, sqlite.Explain(err))
	}
	return a, c, nil
}

// Accounts gives all accounts by name.
func (l *Local) Accounts(ctx context.Context) (list []portal.Account, err error) {
	rows, err := l.db.Read.QueryContext(ctx, accountColumns+` ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", sqlite.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		a, _, err := readAccount(rows)
		if err != nil {
			return nil, fmt.Errorf("accounts: %w", sqlite.Explain(err))
		}
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("accounts: %w", sqlite.Explain(err))
	}
	return list, nil
}

// Session is one sign-in.
type Session struct {
	Digest  portal.Digest // SHA-256 of the cookie's value
	Account string
	Whole   bool // false while the second factor is asked for
	Begun   time.Time
	Seen    time.Time
}

// PutSession keeps a session, new or changed, and forgets those that nobody has
// used since a time or that began before another.
func (l *Local) PutSession(ctx context.Context, s Session, unusedSince, begunBefore time.Time) error {
	return l.write(ctx, "session", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE seen < ? OR begun < ?`, unusedSince.UnixMicro(), begunBefore.UnixMicro()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (digest, account, whole, begun, seen) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (digest) DO UPDATE SET seen = excluded.seen`, s.Digest[:], s.Account, s.Whole, kept(s.Begun), kept(s.Seen))
		return err
	})
}

// Session gives a session and its account; portal.ErrNotFound when it has ended.
func (l *Local) Session(ctx context.Context, digest portal.Digest) (s Session, a portal.Account, err error) {
	var begun, seen int64
	err = l.db.Read.QueryRowContext(ctx, `SELECT account, whole, begun, seen FROM sessions WHERE digest = ?`, digest[:]).
		Scan(&s.Account, &s.Whole, &begun, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		err = portal.ErrNotFound
	}
	if err == nil {
		a, _, err = readAccount(l.db.Read.QueryRowContext(ctx, accountColumns+` WHERE name = ?`, s.Account))
	}
	if err != nil {
		return Session{}, portal.Account{}, fmt.Errorf("session: %w", sqlite.Explain(err))
	}
	s.Digest, s.Begun, s.Seen = digest, when(begun), when(seen)
	return s, a, nil
}

// EndSession ends a session, if there is one.
func (l *Local) EndSession(ctx context.Context, digest portal.Digest) error {
	if _, err := l.db.Write.ExecContext(ctx, `DELETE FROM sessions WHERE digest = ?`, digest[:]); err != nil {
		return fmt.Errorf("session: %w", sqlite.Explain(err))
	}
	return nil
}
