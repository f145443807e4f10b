-- Which release a fingerprint belongs to: the first 8 bytes of the SHA-256 of a
-- manifest, or of a file that it names. It only says where to look: whoever
-- asks compares with the manifest, so a line that outlived its release does no harm.
CREATE TABLE fingerprints (
	prefix  BLOB    NOT NULL CHECK (length(prefix) = 8),
	dataset TEXT    NOT NULL,
	number  INTEGER NOT NULL,
	PRIMARY KEY (prefix, dataset, number)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO fingerprints SELECT substr(digest, 1, 8), dataset, number FROM releases;

INSERT OR IGNORE INTO fingerprints
	SELECT unhex(substr(json_extract(r.value, '$.hash'), 8, 16)), dataset, number
	FROM releases, json_each(CAST(manifest AS TEXT), '$.resources') AS r
	WHERE json_valid(CAST(manifest AS TEXT)) AND json_extract(r.value, '$.hash') LIKE 'sha256:%'
	AND length(unhex(substr(json_extract(r.value, '$.hash'), 8, 16))) = 8;
