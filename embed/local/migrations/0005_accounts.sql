-- Who can sign in at the desk.
CREATE TABLE accounts (
	name      TEXT    PRIMARY KEY,
	role      TEXT    NOT NULL,
	publisher TEXT    NOT NULL,
	contact   TEXT    NOT NULL,
	post      TEXT    NOT NULL,
	language  TEXT    NOT NULL,
	password  TEXT    NOT NULL, -- argon2id with its parameters; '': cannot sign in
	totp      TEXT    NOT NULL, -- secret of the second factor in base32; '': none
	totp_step INTEGER NOT NULL, -- last time step whose code was taken: a code counts once
	created   INTEGER NOT NULL, -- microseconds since 1970
	disabled  INTEGER NOT NULL  -- 0: it can sign in
) STRICT;

-- One-time codes for who has lost the second factor.
CREATE TABLE recovery (
	account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
	digest  BLOB NOT NULL, -- SHA-256
	PRIMARY KEY (account, digest)
) STRICT, WITHOUT ROWID;

-- Who is signed in. The cookie's value is not kept, only what it hashes to.
CREATE TABLE sessions (
	digest  BLOB    PRIMARY KEY, -- SHA-256
	account TEXT    NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
	whole   INTEGER NOT NULL,    -- 0: the second factor is still asked for
	begun   INTEGER NOT NULL,
	seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions (account);
