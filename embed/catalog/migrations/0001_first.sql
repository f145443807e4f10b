-- One row: which generation this is.
CREATE TABLE meta (
	id         INTEGER PRIMARY KEY CHECK (id = 1),
	generation INTEGER NOT NULL CHECK (generation >= 0),
	as_of      INTEGER,          -- microseconds since 1970, UTC; NULL before the first
	expires    INTEGER,          -- the same
	repository BLOB,             -- SHA-256 of 1.root.json
	media      INTEGER NOT NULL,
	datasets   INTEGER NOT NULL, -- that are not withdrawn
	log_from   INTEGER NOT NULL  -- what changed after this generation is all in changes
) STRICT;

INSERT INTO meta VALUES (1, 0, NULL, NULL, NULL, 0, 0, 0);

-- Publishers' records as they were signed. The bytes are the truth.
CREATE TABLE publishers (
	id      TEXT    PRIMARY KEY,
	version INTEGER NOT NULL CHECK (version >= 1),
	digest  BLOB    NOT NULL CHECK (length(digest) = 32),
	record  BLOB    NOT NULL
) STRICT;

CREATE TABLE datasets (
	id        TEXT    PRIMARY KEY,
	publisher TEXT    NOT NULL, -- may have no record yet
	latest    INTEGER NOT NULL,
	withdrawn INTEGER NOT NULL,
	FOREIGN KEY (id, latest) REFERENCES releases (dataset, number) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE INDEX datasets_by_publisher ON datasets (publisher);

-- Release manifests as they were signed. The bytes are the truth; what stands
-- before them is for lists that need not decode them, so they come last.
CREATE TABLE releases (
	dataset  TEXT    NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
	number   INTEGER NOT NULL CHECK (number >= 1),
	digest   BLOB    NOT NULL CHECK (length(digest) = 32),
	length   INTEGER NOT NULL,
	issued   INTEGER NOT NULL, -- microseconds since 1970, UTC
	reason   TEXT    NOT NULL, -- a portal.Text as JSON
	manifest BLOB    NOT NULL,
	PRIMARY KEY (dataset, number)
) STRICT;

-- Keys of the publisher's role that verified the latest release.
CREATE TABLE signers (
	dataset TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
	key     TEXT NOT NULL,
	PRIMARY KEY (dataset, key)
) STRICT, WITHOUT ROWID;

-- Which datasets read differently since when; those of old generations are
-- forgotten.
CREATE TABLE changes (
	generation INTEGER NOT NULL,
	dataset    TEXT    NOT NULL,
	PRIMARY KEY (generation, dataset)
) STRICT, WITHOUT ROWID;
