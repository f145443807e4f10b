-- What goes on by itself and is never used twice: the sequence of inquiries.
CREATE TABLE counters (
	name  TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Inquiries asked here, sealed to the centre, until it has acknowledged them.
CREATE TABLE outbox (
	id       BLOB    PRIMARY KEY, -- 16 bytes
	sequence INTEGER NOT NULL UNIQUE,
	epoch    TEXT    NOT NULL,
	sealed   BLOB    NOT NULL,
	mark     BLOB    NOT NULL,    -- first 16 bytes of the SHA-256 of sealed: what an acknowledgement names
	day      TEXT    NOT NULL,
	sent     INTEGER NOT NULL,    -- microseconds since 1970; 0: never
	sent_to  TEXT    NOT NULL
) STRICT;
CREATE INDEX outbox_mark ON outbox (mark);

-- Signed posts of other nodes on their way through this one, and what is in them.
CREATE TABLE relayed (
	digest  BLOB    PRIMARY KEY, -- SHA-256 of post
	node    BLOB    NOT NULL,
	post    BLOB    NOT NULL,
	came    INTEGER NOT NULL,
	sent    INTEGER NOT NULL,
	sent_to TEXT    NOT NULL
) STRICT;
CREATE TABLE relayed_marks (
	mark   BLOB NOT NULL,
	digest BLOB NOT NULL REFERENCES relayed (digest) ON DELETE CASCADE,
	PRIMARY KEY (mark, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX relayed_marks_digest ON relayed_marks (digest);

-- At the centre: what came in, as it came. Never changed but for renewed.
CREATE TABLE inquiries (
	id       BLOB    PRIMARY KEY,
	mark     BLOB    NOT NULL,
	epoch    TEXT    NOT NULL,
	sealed   BLOB    NOT NULL,
	node     BLOB    NOT NULL, -- id of the node's key
	received INTEGER NOT NULL,
	renewed  INTEGER NOT NULL  -- when it came last: acknowledgements are repeated for a while after that
) STRICT;
CREATE INDEX inquiries_renewed ON inquiries (renewed);

-- Other bytes that came under an id that was taken: kept for a person to look at.
CREATE TABLE conflicts (
	mark     BLOB    PRIMARY KEY,
	id       BLOB    NOT NULL,
	epoch    TEXT    NOT NULL,
	sealed   BLOB    NOT NULL,
	node     BLOB    NOT NULL,
	received INTEGER NOT NULL,
	renewed  INTEGER NOT NULL
) STRICT;

-- Inquiries as the centre works on them: doc is a portal.Case as JSON, the
-- columns beside it are taken from it at every write.
CREATE TABLE cases (
	id         BLOB    PRIMARY KEY REFERENCES inquiries (id),
	received   INTEGER NOT NULL,
	state      TEXT    NOT NULL,
	publisher  TEXT    NOT NULL,
	contact    TEXT    NOT NULL,
	level      INTEGER NOT NULL,
	due        TEXT    NOT NULL,
	dataset    TEXT    NOT NULL,
	moderation TEXT    NOT NULL,
	thread     BLOB    NOT NULL, -- 16 zero bytes while it has no public name
	slot       TEXT    NOT NULL,
	opened     INTEGER NOT NULL,
	changed    INTEGER NOT NULL,
	doc        TEXT    NOT NULL
) STRICT;
CREATE INDEX cases_received ON cases (received);
CREATE INDEX cases_route ON cases (publisher, contact, state);
CREATE INDEX cases_state ON cases (state, due);
CREATE INDEX cases_dataset ON cases (dataset);
CREATE INDEX cases_thread ON cases (thread);
CREATE INDEX cases_slot ON cases (slot);

-- Nodes that the centre has heard of.
CREATE TABLE nodes (
	id         BLOB    PRIMARY KEY, -- SHA-256 that names its key
	public     TEXT    NOT NULL,    -- 64 hexadecimal digits
	name       TEXT    NOT NULL,
	enrolled   INTEGER NOT NULL,    -- microseconds since 1970; 0: never
	revoked    INTEGER NOT NULL,
	first_seen INTEGER NOT NULL,
	last_seen  INTEGER NOT NULL,
	posts      INTEGER NOT NULL
) STRICT;

-- Which sequence numbers of a node have come: two inquiries under one number are
-- a cloned card, a number that is missing is one that is on its way or was lost.
CREATE TABLE sequences (
	node     BLOB    NOT NULL,
	sequence INTEGER NOT NULL,
	id       BLOB    NOT NULL,
	PRIMARY KEY (node, sequence, id)
) STRICT, WITHOUT ROWID;
