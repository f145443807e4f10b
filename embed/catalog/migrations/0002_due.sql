-- The day by which a dataset is due again (its passport's), so that those
-- overdue are counted without reading manifests. NULL where nobody said, and of
-- a withdrawn one.
ALTER TABLE datasets ADD COLUMN due TEXT;

UPDATE datasets SET due = (
	SELECT json_extract(CAST(manifest AS TEXT), '$.koprik.passport.next_due') FROM releases
	WHERE dataset = datasets.id AND number = datasets.latest AND json_valid(CAST(manifest AS TEXT))
) WHERE withdrawn = 0;

CREATE INDEX datasets_by_due ON datasets (due) WHERE due IS NOT NULL;
