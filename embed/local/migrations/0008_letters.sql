-- Letters of the centre by e-mail: what they are about, never their words, which
-- are made when they are sent.
CREATE TABLE letters (
	id        INTEGER PRIMARY KEY,
	about     TEXT    NOT NULL UNIQUE, -- so that nothing is written of twice
	kind      TEXT    NOT NULL,
	inquiry   BLOB    NOT NULL, -- 16 zero bytes: of none
	publisher TEXT    NOT NULL, -- to whom; '': the centre, or the asker
	contact   TEXT    NOT NULL,
	level     INTEGER NOT NULL,
	made      INTEGER NOT NULL, -- microseconds since 1970
	next      INTEGER NOT NULL, -- not to be tried before
	tries     INTEGER NOT NULL,
	done      INTEGER NOT NULL, -- 0: it waits
	problem   TEXT    NOT NULL
) STRICT;
CREATE INDEX letters_next ON letters (done, next);

-- One-time links and reply addresses: what they hash to, and what for.
CREATE TABLE links (
	digest    BLOB    PRIMARY KEY, -- SHA-256 of the token of the link
	reply     BLOB    NOT NULL UNIQUE, -- SHA-256 of the tag of the reply address
	kind      TEXT    NOT NULL,
	inquiry   BLOB    NOT NULL,
	publisher TEXT    NOT NULL,
	contact   TEXT    NOT NULL,
	email     TEXT    NOT NULL, -- where the letter went
	made      INTEGER NOT NULL,
	ends      INTEGER NOT NULL,
	used      INTEGER NOT NULL -- 0: not yet
) STRICT;
CREATE INDEX links_inquiry ON links (inquiry);
CREATE INDEX links_ends ON links (ends);

CREATE INDEX cases_changed ON cases (changed);
