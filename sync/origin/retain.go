package origin

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// How much metadata is kept: the last 30 snapshots, and whatever was signed in
// the last 400 days (spec/trust.md, "Publishing atomically"). Roots and the files
// of releases are kept for ever.
const (
	keptSnapshots = 30
	keptTime      = 400 * 24 * time.Hour
)

// retain removes snapshots that are older than both, and the versions of other
// roles that no kept snapshot names. It looks at the oldest first and stops at
// the first that stays, so that most runs read one file. A run that was cut
// short is finished by the next one.
func (o *Origin) retain(c *current) error {
	entries, err := o.repo.ReadDir("metadata")
	if err != nil {
		return err
	}
	var snapshots []int64
	for _, e := range entries {
		if v, role := carrier.ParseMetadataName(e.Name()); role == roleSnapshot && v <= c.snapshot.Version {
			snapshots = append(snapshots, v)
		}
	}
	slices.Sort(snapshots)
	var oldest *tuf.Snapshot
	for _, v := range snapshots[:max(0, len(snapshots)-keptSnapshots)] {
		var s tuf.Snapshot
		if err := read(o, roleSnapshot, v, tuf.ParseSnapshot, &s); err != nil {
			return err
		}
		if o.now().Sub(s.Expires.Add(-snapshotLife)) <= keptTime {
			break
		}
		oldest = &s
		if err := o.removeMetadata(roleSnapshot, v); err != nil {
			return err
		}
	}
	if oldest == nil {
		return nil
	}
	return o.retainRoles(entries, oldest)
}

// retainRoles removes what was named by the newest snapshot that went, or before
// it, and has been replaced since: a version that a kept snapshot names is either
// newer, or the very one that stayed current.
func (o *Origin) retainRoles(entries []fs.DirEntry, gone *tuf.Snapshot) error {
	next, err := o.snapshotAfter(entries, gone.Version)
	if err != nil {
		return err
	}
	for _, e := range entries {
		v, role := carrier.ParseMetadataName(e.Name())
		if role == "" || role == roleRoot || role == roleSnapshot {
			continue
		}
		if kept, ok := next.Meta[role+".json"]; ok && v < kept.Version {
			if err := o.removeMetadata(role, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *Origin) snapshotAfter(entries []fs.DirEntry, version int64) (s tuf.Snapshot, err error) {
	var next int64
	for _, e := range entries {
		if v, role := carrier.ParseMetadataName(e.Name()); role == roleSnapshot && v > version && (next == 0 || v < next) {
			next = v
		}
	}
	return s, read(o, roleSnapshot, next, tuf.ParseSnapshot, &s)
}

func (o *Origin) removeMetadata(role string, version int64) error {
	name := carrier.MetadataPath(role, version)
	if err := o.repo.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", strings.TrimPrefix(name, "metadata/"), err)
	}
	return nil
}
