-- What the node remembers about itself, one spelling a key.
CREATE TABLE state (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One line a sync, in the order in which they ended: a board without a battery
-- may have a clock that jumps.
CREATE TABLE syncs (
	id         INTEGER PRIMARY KEY,
	at         INTEGER NOT NULL, -- microseconds since 1970, UTC
	upstream   TEXT    NOT NULL,
	generation INTEGER NOT NULL,
	bytes_down INTEGER NOT NULL,
	bytes_up   INTEGER NOT NULL,
	requests   INTEGER NOT NULL,
	duration   INTEGER NOT NULL, -- nanoseconds
	result     TEXT    NOT NULL  -- '' when it went well
) STRICT;
