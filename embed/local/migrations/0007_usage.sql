-- What was counted, by process and day: of this node under node x'', at the centre
-- of others too. counts is portal.Usage.Encode and only grows, each count by itself.
CREATE TABLE usage_days (
	node   BLOB NOT NULL, -- id of the node's key; x'' is this one
	boot   BLOB NOT NULL, -- 8 bytes: one process
	day    TEXT NOT NULL,
	counts BLOB NOT NULL,
	batch  BLOB,          -- of this node: the reports that have them all; NULL: none yet
	PRIMARY KEY (node, boot, day)
) STRICT;
CREATE INDEX usage_days_node ON usage_days (node, day);

-- Sums of days that are too old to come again.
CREATE TABLE usage_months (
	node   BLOB NOT NULL,
	month  TEXT NOT NULL,
	counts BLOB NOT NULL,
	PRIMARY KEY (node, month)
) STRICT;

-- Sealed reports of this node until the centre has acknowledged them.
CREATE TABLE usage_reports (
	id      BLOB    PRIMARY KEY, -- 16 bytes
	batch   BLOB    NOT NULL,    -- id of the first of those that were made together
	epoch   TEXT    NOT NULL,
	sealed  BLOB    NOT NULL,
	mark    BLOB    NOT NULL,
	sent    INTEGER NOT NULL,    -- microseconds since 1970; 0: never
	sent_to TEXT    NOT NULL
) STRICT;

-- On which days words of searches without hits came: not the words, but their
-- places under a key of this node, of which thousands of words share each.
CREATE TABLE usage_misses (
	place INTEGER NOT NULL,
	day   TEXT    NOT NULL,
	PRIMARY KEY (place, day)
) STRICT, WITHOUT ROWID;

-- At the centre: reports that came, whose bytes are gone. Acknowledgements are
-- repeated for a while.
CREATE TABLE usage_marks (
	mark    BLOB    PRIMARY KEY,
	node    BLOB    NOT NULL,
	renewed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Reports of a node that was not enrolled, which count for nothing.
ALTER TABLE nodes ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0;
