-- Of what kind a case is: '' while it is sealed. Taken from doc, so that cases of
-- before have it too.
ALTER TABLE cases ADD COLUMN kind TEXT NOT NULL GENERATED ALWAYS AS (json_extract(doc, '$.Inquiry.Kind')) VIRTUAL;
CREATE INDEX cases_kind ON cases (kind, received);
