-- At the centre: what lies at each slot, as it was sealed. Sealing again gives other
-- bytes, so it is kept until there is something else to say. says is '' for a dummy,
-- which nobody can open.
CREATE TABLE receipts (
	slot   TEXT    PRIMARY KEY, -- 32 hexadecimal digits
	sealed BLOB    NOT NULL,
	says   TEXT    NOT NULL,    -- SHA-256 of what was sealed
	at     INTEGER NOT NULL     -- of that batch
) STRICT;
