package mirror

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
)

// relayObject moves a verified carrier from staging into the served repository.
func (m *Mirror) relayObject(file, part string) error {
	if _, err := m.o.Relay.Stat(file); err != nil {
		in, err := m.o.Staging.OpenFile(part, os.O_RDONLY)
		if err != nil {
			return err
		}
		defer in.Close() //nolint:errcheck // opened for reading
		w, err := disk.Create(m.o.Relay, file)
		if err != nil {
			return err
		}
		defer w.Abort()
		if _, err := io.Copy(w, in); err != nil {
			return err
		}
		if err := w.Commit(); err != nil {
			return err
		}
	}
	return m.o.Staging.Remove(part)
}

// relay publishes the accepted metadata and manifests, byte for byte, for
// mirrors of this mirror; timestamp.json last. Contents are there already.
func (m *Mirror) relay(a *accepted) error {
	if m.o.Relay == nil || a.set.Timestamp() == nil {
		return nil
	}
	ts, err := disk.ReadFile(m.o.Trust, "timestamp.json", maxTimestamp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	const served = "metadata/timestamp.json"
	if old, err := disk.ReadFile(m.o.Relay, served, maxTimestamp); err == nil && string(old) == string(ts) {
		return nil
	}
	if err := m.relayManifests(a); err != nil {
		return err
	}
	entries, err := m.o.Trust.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") || e.Name() == "timestamp.json" {
			continue
		}
		if _, err := m.o.Relay.Stat("metadata/" + e.Name()); err == nil {
			continue
		}
		b, err := disk.ReadFile(m.o.Trust, e.Name(), maxMetadata)
		if err != nil {
			return err
		}
		if err := disk.WriteFile(m.o.Relay, "metadata/"+e.Name(), b); err != nil {
			return err
		}
	}
	for name, b := range a.refused { // those who follow suspend that publisher themselves
		if err := disk.WriteFile(m.o.Relay, "metadata/"+name, b); err != nil {
			return err
		}
	}
	if err := m.o.Flush(); err != nil {
		return err
	}
	return errors.Join(disk.WriteFile(m.o.Relay, served, ts), m.o.Flush())
}

// relayManifests writes every listed manifest and those before it, publisher by
// publisher. One whose role is served already is passed over: a role is written
// when its manifests are durable.
func (m *Mirror) relayManifests(a *accepted) error {
	for _, p := range a.publishers() {
		version := a.vets[p].File.Version
		if held, ok := a.suspended[p]; ok && held != nil {
			version = held.Version
		}
		if _, err := m.o.Relay.Stat(carrier.MetadataPath(string(p), version)); err == nil && version > 0 {
			continue
		}
		l, err := listOf(a, p)
		if err != nil {
			return err
		}
		if err := m.relayListed(l); err != nil {
			return err
		}
	}
	return m.o.Flush()
}

func (m *Mirror) relayListed(l listing) error {
	for p, want := range l.records {
		d := portal.Digest(want.target.SHA256)
		if err := m.relayFile(datapackage.PublisherFile(p, want.number, d), d); err != nil {
			return err
		}
	}
	for id, want := range l.datasets {
		if err := m.relayChain(id, want.number, portal.Digest(want.target.SHA256)); err != nil {
			return err
		}
	}
	return m.relaySides(l)
}

// relayChain writes a dataset's manifests oldest first, each after its contents:
// one that is there has all of its predecessors beside it.
func (m *Mirror) relayChain(id portal.DatasetID, number int, d portal.Digest) error {
	file := datapackage.ManifestFile(id, number, d)
	if _, err := m.o.Relay.Stat(file); err == nil {
		return nil
	}
	b, err := m.o.Contents.ReadAll(d, maxManifest)
	if err != nil {
		return err
	}
	release, err := datapackage.Decode(b)
	if err != nil {
		return err
	}
	if prev := release.Previous; prev != nil {
		if err := m.relayChain(id, prev.Release, prev.SHA256); err != nil {
			return err
		}
	}
	for _, res := range release.Resources {
		if err := m.relayHeld(res); err != nil {
			return err
		}
	}
	return disk.WriteFile(m.o.Relay, file, b)
}

// relayHeld makes the carrier of contents that are held and not served yet: an
// earlier round was cut off between the two. Contents of earlier releases may
// not be held at all.
func (m *Mirror) relayHeld(res portal.Resource) error {
	file := datapackage.ObjectFile(res.Hash)
	if _, err := m.o.Relay.Stat(file); err == nil {
		return nil
	}
	in, size, err := m.o.Contents.Open(res.Hash)
	if errors.Is(err, portal.ErrNotHeld) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(carrier.WriteObject(m.o.Relay, file, in, size), in.Close())
}

func (m *Mirror) relayFile(file string, d portal.Digest) error {
	if _, err := m.o.Relay.Stat(file); err == nil {
		return nil
	}
	b, err := m.o.Contents.ReadAll(d, maxManifest)
	if err != nil {
		return err
	}
	return disk.WriteFile(m.o.Relay, file, b)
}

// Restore writes into a repository whatever of the accepted metadata and
// manifests is missing there or differs, and names those files: for a
// repository that was damaged.
func (m *Mirror) Restore(repo disk.FS) (restored []string, err error) {
	a, err := m.load()
	if err != nil || a.set.Timestamp() == nil {
		return nil, err
	}
	put := func(file string, b []byte) error {
		if held, err := disk.ReadFile(repo, file, maxMetadata); err == nil && bytes.Equal(held, b) {
			return nil
		}
		restored = append(restored, file)
		return disk.WriteFile(repo, file, b)
	}
	l, err := list(a)
	if err != nil {
		return nil, err
	}
	for p, want := range l.records {
		d := portal.Digest(want.target.SHA256)
		b, err := m.o.Contents.ReadAll(d, maxManifest)
		if err == nil {
			err = put(datapackage.PublisherFile(p, want.number, d), b)
		}
		if err != nil {
			return restored, err
		}
	}
	for path, want := range l.sides {
		b, err := m.o.Contents.ReadAll(want.target.SHA256, datapackage.MaxSide)
		if err != nil {
			continue // a damaged one was taken away, and comes with the next sync
		}
		if err := put(datapackage.SideFile(path, want.target.SHA256), b); err != nil {
			return restored, err
		}
	}
	for id, want := range l.datasets {
		prev := &portal.PreviousRelease{Release: want.number, SHA256: want.target.SHA256}
		for prev != nil {
			b, err := m.o.Contents.ReadAll(prev.SHA256, maxManifest)
			if err != nil {
				return restored, err
			}
			if err := put(datapackage.ManifestFile(id, prev.Release, prev.SHA256), b); err != nil {
				return restored, err
			}
			release, err := datapackage.Decode(b)
			if err != nil {
				return restored, err
			}
			prev = release.Previous
		}
	}
	entries, err := m.o.Trust.ReadDir(".")
	if err != nil {
		return restored, err
	}
	for _, last := range []bool{false, true} { // timestamp.json last
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".json") || (e.Name() == "timestamp.json") != last {
				continue
			}
			b, err := disk.ReadFile(m.o.Trust, e.Name(), maxMetadata)
			if err == nil {
				err = put("metadata/"+e.Name(), b)
			}
			if err != nil {
				return restored, err
			}
		}
	}
	return restored, nil
}

// clean removes what no accepted metadata needs any more: staging, and roles in
// trust/ older than the ones that count.
func (m *Mirror) clean(a *accepted) error {
	entries, err := m.o.Staging.ReadDir(".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if ours(e.Name()) {
			if err := m.o.Staging.Remove(e.Name()); err != nil {
				return err
			}
		}
	}
	return m.cleanTrust(a)
}

func (m *Mirror) cleanTrust(a *accepted) error {
	roles := []string{"snapshot", "targets"}
	for _, p := range a.publishers() {
		roles = append(roles, string(p))
	}
	for _, role := range roles {
		versions := versionsOf(m.o.Trust, role)
		for _, v := range versions[min(1, len(versions)):] {
			if err := m.o.Trust.Remove(carrier.MetadataName(role, v)); err != nil {
				return err
			}
		}
	}
	return nil
}
