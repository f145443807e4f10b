package mirror

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// Equivocation is an error that proves itself: whoever holds the keys of Role has
// signed two different things under one version, for different readers. Evidence
// is the metadata of both sides, for CheckEvidence at any node of this repository.
type Equivocation struct {
	Role     string // "timestamp", "snapshot", "targets", a publisher, or a dataset
	Version  int64  // of the role; of a dataset its release
	Evidence []byte // JSON, at most MaxEvidence bytes; nil when it would be longer
	Err      error  // what the round said
}

// Error is what the round said.
func (e *Equivocation) Error() string { return e.Err.Error() }

// Unwrap gives what the round said.
func (e *Equivocation) Unwrap() error { return e.Err }

// MaxEvidence bounds evidence, in bytes.
const MaxEvidence = 8 << 20

// evidence is both sides of an equivocation: metadata files by their names.
type evidence struct {
	Ours   map[string][]byte `json:"ours"`
	Theirs map[string][]byte `json:"theirs"`
}

// statement is what somebody's signature says of one thing: of a version of a
// role, which bytes it has; of a release, which manifest.
type statement struct {
	role    string
	version int64
	path    string // of a target; "" for a role's own file
}

// statements are those of one walk from a timestamp down, as far as its files
// reach. A snapshot that states no hash says nothing of the file below.
func statements(files map[string][]byte) map[statement]portal.Digest {
	said := map[statement]portal.Digest{}
	say := func(role string, f tuf.File) {
		if f.SHA256 != [32]byte{} {
			said[statement{role: role, version: f.Version}] = f.SHA256
		}
	}
	ts, err := tuf.ParseTimestamp(files["timestamp.json"])
	if err != nil {
		return said
	}
	say("timestamp", fileOf(ts.Version, files["timestamp.json"]))
	say("snapshot", ts.Snapshot)
	b := files[carrier.MetadataName("snapshot", ts.Snapshot.Version)]
	snap, err := tuf.ParseSnapshot(b)
	if err != nil || !fits(ts.Snapshot, snap.Version, b) {
		return said
	}
	say("snapshot", fileOf(snap.Version, b))
	for name, f := range snap.Meta {
		role := strings.TrimSuffix(name, ".json")
		say(role, f)
		b := files[carrier.MetadataName(role, f.Version)]
		t, err := tuf.ParseTargets(b)
		if err != nil || !fits(f, t.Version, b) {
			continue
		}
		say(role, fileOf(f.Version, b))
		for path, target := range t.Targets {
			said[statement{role, 0, path}] = target.SHA256
		}
	}
	return said
}

// fits tells whether a file is the one that is stated above it.
func fits(stated tuf.File, version int64, b []byte) bool {
	return version == stated.Version && (stated.SHA256 == [32]byte{} || stated.SHA256 == portal.DigestOf(b))
}

func fileOf(version int64, b []byte) tuf.File {
	return tuf.File{Version: version, SHA256: portal.DigestOf(b)}
}

// contradiction finds what both sides say, and say differently: the highest role
// first, since all below follows from it.
func contradiction(a, b map[statement]portal.Digest) (s statement, ok bool) {
	rank := func(s statement) int {
		if i := slices.Index([]string{"timestamp", "snapshot", "targets"}, s.role); i >= 0 {
			return i
		}
		return 3
	}
	for key, sum := range a {
		other, both := b[key]
		if !both || other == sum || key.path != "" && !isManifest(key.path) {
			continue
		}
		if !ok || rank(key) < rank(s) || rank(key) == rank(s) && (key.role < s.role || key.role == s.role && key.path < s.path) {
			s, ok = key, true
		}
	}
	return s, ok
}

func isManifest(path string) bool {
	return strings.HasPrefix(path, "d/") && strings.HasSuffix(path, ".json")
}

// equivocation turns the error of a round into one that proves itself, where the
// two sides contradict each other under valid signatures.
func (r *round) equivocation(err error) error {
	ours := r.m.heldMetadata()
	theirs := maps.Clone(ours) // what did not change was not fetched again
	maps.Copy(theirs, r.saw)
	s, ok := contradiction(statements(ours), statements(theirs))
	if !ok {
		return err
	}
	e := evidence{Ours: needed(ours, s), Theirs: needed(theirs, s)}
	if !r.m.signed(e.Ours, s) || !r.m.signed(e.Theirs, s) {
		return err
	}
	found := s.equivocation(err)
	if b, jsonErr := json.Marshal(e); jsonErr == nil && len(b) <= MaxEvidence {
		found.Evidence = b
	}
	return found
}

// equivocation names what s is about: a role and its version, or a dataset and its
// release.
func (s statement) equivocation(err error) *Equivocation {
	e := &Equivocation{Role: s.role, Version: s.version, Err: err}
	if t, pathErr := datapackage.ParseTargetPath(s.path); s.path != "" && pathErr == nil {
		e.Version = int64(t.Number)
		if t.Dataset != "" {
			e.Role = string(t.Dataset)
		}
	}
	return e
}

// heldMetadata is the accepted metadata below root, by name.
func (m *Mirror) heldMetadata() map[string][]byte {
	files := map[string][]byte{}
	entries, err := m.o.Trust.ReadDir(".")
	if err != nil {
		return files
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".root.json") || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		if b, err := disk.ReadFile(m.o.Trust, e.Name(), maxMetadata); err == nil {
			files[e.Name()] = b
		}
	}
	return files
}

// needed are the files of a walk that lead down to what s is about.
func needed(files map[string][]byte, s statement) map[string][]byte {
	kept := map[string][]byte{}
	keep := func(name string) {
		if b, ok := files[name]; ok {
			kept[name] = b
		}
	}
	keep("timestamp.json")
	ts, err := tuf.ParseTimestamp(files["timestamp.json"])
	if err != nil || s.role == "timestamp" {
		return kept
	}
	name := carrier.MetadataName("snapshot", ts.Snapshot.Version)
	keep(name)
	snap, err := tuf.ParseSnapshot(files[name])
	if err != nil || s.role == "snapshot" {
		return kept
	}
	keep(carrier.MetadataName("targets", snap.Meta["targets.json"].Version))
	if s.role != "targets" {
		keep(carrier.MetadataName(s.role, snap.Meta[s.role+".json"].Version))
	}
	return kept
}

// signed tells whether a walk carries valid signatures down to what s is about,
// under any root that this node has trusted: keys may have changed since. Expiry
// does not count: what was signed was signed.
func (m *Mirror) signed(files map[string][]byte, s statement) bool {
	versions, err := roots(m.o.Trust)
	if err != nil {
		return false
	}
	slices.Reverse(versions)
	return slices.ContainsFunc(versions, func(v int64) bool {
		root, err := disk.ReadFile(m.o.Trust, carrier.MetadataName("root", v), maxRoot)
		if err != nil {
			return false
		}
		set, err := tuf.NewSet(root)
		return err == nil && walkTo(set, files, s) == nil
	})
}

// walkTo verifies a walk as far as what signs s: of a version that only the role
// above states, that role; of a file, or of what it lists, the role itself.
func walkTo(set *tuf.Set, files map[string][]byte, s statement) error {
	p := tuf.Policy{}
	if err := set.UpdateTimestamp(files["timestamp.json"], p); err != nil || s.role == "timestamp" {
		return err
	}
	stated := set.Timestamp().Snapshot
	if s.role == "snapshot" && stated.Version == s.version && stated.SHA256 != [32]byte{} {
		return nil // the timestamp says which bytes it has
	}
	if err := set.UpdateSnapshot(files[carrier.MetadataName("snapshot", stated.Version)], p); err != nil || s.role == "snapshot" {
		return err
	}
	below := set.Snapshot().Meta[s.role+".json"]
	if s.path == "" && below.Version == s.version && below.SHA256 != [32]byte{} {
		return nil // the snapshot says which bytes it has
	}
	if err := set.UpdateTargets(files[carrier.MetadataName("targets", set.Snapshot().Meta["targets.json"].Version)], p); err != nil || s.role == "targets" {
		return err
	}
	return set.UpdateDelegated(s.role, files[carrier.MetadataName(s.role, below.Version)], p)
}

// CheckEvidence says what evidence that somebody sent proves: two sides that
// contradict each other, both signed by keys that this repository trusts or has
// trusted. What proves nothing is portal.ErrRejected.
func (m *Mirror) CheckEvidence(b []byte) (*Equivocation, error) {
	const where = "evidence"
	if len(b) > MaxEvidence {
		return nil, portal.Rejected(where, "%d bytes, at most %d are read", len(b), MaxEvidence)
	}
	var e evidence
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, portal.Rejected(where, "cannot be read: %v", err)
	}
	s, ok := contradiction(statements(e.Ours), statements(e.Theirs))
	if !ok {
		return nil, portal.Rejected(where, "its two sides do not contradict each other")
	}
	if !m.signed(e.Ours, s) || !m.signed(e.Theirs, s) {
		return nil, portal.Rejected(where, "is not signed on both sides by keys of this repository")
	}
	found := s.equivocation(tuf.ErrEquivocation)
	found.Evidence = b
	return found, nil
}
