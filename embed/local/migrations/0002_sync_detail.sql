-- What a sync brought and how, as JSON (portal.SyncDone); '' where it is not known.
ALTER TABLE syncs ADD COLUMN detail TEXT NOT NULL DEFAULT '';
