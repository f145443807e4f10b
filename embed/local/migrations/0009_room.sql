-- What waits is summed at every page of the form and at every question: from
-- these, and not from the sealed bytes themselves.
CREATE INDEX outbox_room ON outbox (length(sealed), day, sent);
CREATE INDEX relayed_room ON relayed (length(post));

-- Ids of forms that were sent, for a while: a page that is loaded again after its
-- question was acknowledged asks nothing a second time.
CREATE TABLE asked (
	id  BLOB PRIMARY KEY, -- 16 bytes
	day TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX asked_day ON asked (day);
INSERT INTO asked (id, day) SELECT id, day FROM outbox;
