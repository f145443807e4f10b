package tuf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// What an update can be refused for; errors.Is finds exactly one of them.
var (
	ErrFormat       = errors.New("not well-formed metadata")
	ErrSignature    = errors.New("too few valid signatures")
	ErrRollback     = errors.New("older than what is trusted")
	ErrExpired      = errors.New("expired")
	ErrMismatch     = errors.New("not what the signed metadata above it states")
	ErrEquivocation = errors.New("other bytes under a version already seen")
	ErrUnchanged    = errors.New("unchanged") // no fault: nothing new
	ErrOrder        = errors.New("out of order")
)

// Expiry is a set of roles whose expiry is enforced.
type Expiry uint8

// The roles one by one, and the sets in use: the network's (an expired root or
// targets is the centre's alarm, not a mirror's wall), none (what is on our
// own disk), all (a general TUF client). A stick is read with ExpireNetwork
// less ExpireTimestamp.
const (
	ExpireRoot Expiry = 1 << iota
	ExpireTimestamp
	ExpireSnapshot
	ExpireTargets
	ExpireDelegated

	ExpireNothing Expiry = 0
	ExpireNetwork        = ExpireTimestamp | ExpireSnapshot | ExpireDelegated
	ExpireAll            = ExpireRoot | ExpireTimestamp | ExpireSnapshot | ExpireTargets | ExpireDelegated
)

// Policy says what time it is and whose expiry counts. The zero Policy
// enforces none; one that enforces some and has no time refuses everything.
type Policy struct {
	Now    time.Time
	Expire Expiry
}

func (p Policy) check(which Expiry, role string, expires time.Time) error {
	if p.Expire&which != 0 && (p.Now.IsZero() || !p.Now.Before(expires)) {
		return fmt.Errorf("%s: %w on %s", role, ErrExpired, expires.Format(timeFormat))
	}
	return nil
}

// Set is the metadata that is trusted at one moment: always a consistent
// whole, every part verified under what stands above it. Updates come in the
// order root, timestamp, snapshot, targets, delegated; one that returns an
// error leaves the set as it was. It is not safe for concurrent use. What its
// methods return is shared with it and must not be changed.
type Set struct {
	root      Root
	rootBytes []byte
	timestamp *Timestamp
	snapshot  *Snapshot // perhaps not the one that timestamp names: see current
	targets   *Targets
	delegated map[string]*delegated
	proofs    map[string]proof
}

// proof says which bytes of a role were verified, and by which key ids.
type proof struct {
	length  int64
	digest  [32]byte
	signers []string
}

// delegated is a publisher's role and the delegation it was verified under.
type delegated struct {
	Targets
	by   Delegation
	keys []Key
}

// NewSet begins with a root that is trusted because it came by a way of its
// own (shipped with the program, or a file that somebody checked). It must be
// signed by its own keys; it may have expired.
func NewSet(root []byte) (*Set, error) {
	e, err := open(root, "root", MaxRootLength)
	if err != nil {
		return nil, err
	}
	r, err := e.root()
	if err != nil {
		return nil, err
	}
	signers, err := e.verify("root", r.Keys, r.Roles["root"])
	if err != nil {
		return nil, err
	}
	return &Set{
		root: r, rootBytes: bytes.Clone(root),
		delegated: map[string]*delegated{},
		proofs:    map[string]proof{"root": prove(root, signers)},
	}, nil
}

// UpdateRoot takes the root that follows the held one: version N+1, signed by
// a threshold of N's keys and of its own. When the timestamp's or snapshot's
// keys change, what they signed is dropped, so that a version driven up with a
// stolen key holds nobody back; the caller then deletes its own copies too
// (Timestamp returns nil). When the keys of targets change, targets and
// delegated are dropped. Expiry is checked by the updates below root, for
// intermediate roots may have expired long ago. The held bytes again give
// ErrUnchanged.
func (s *Set) UpdateRoot(b []byte) error {
	e, err := open(b, "root", MaxRootLength)
	if err != nil {
		return err
	}
	if _, err := e.verify("root", s.root.Keys, s.root.Roles["root"]); err != nil {
		return fmt.Errorf("by the keys of root %d: %w", s.root.Version, err)
	}
	r, err := e.root()
	if err != nil {
		return err
	}
	signers, err := e.verify("root", r.Keys, r.Roles["root"])
	if err != nil {
		return fmt.Errorf("by the keys of root %d: %w", r.Version, err)
	}
	switch {
	case r.Version < s.root.Version:
		return fmt.Errorf("root %d after %d: %w", r.Version, s.root.Version, ErrRollback)
	case r.Version > s.root.Version+1:
		return fmt.Errorf("root %d after %d: %w", r.Version, s.root.Version, ErrOrder)
	case r.Version == s.root.Version:
		return fmt.Errorf("root %d: %w", r.Version, s.proofs["root"].again(b))
	}
	old := s.root
	s.root, s.rootBytes, s.proofs["root"] = r, bytes.Clone(b), prove(b, signers)
	if !sameSigners(old, r, "timestamp") || !sameSigners(old, r, "snapshot") {
		s.timestamp, s.snapshot = nil, nil
		s.drop("timestamp", "snapshot")
		s.dropTargets()
	}
	if !sameSigners(old, r, "targets") {
		s.dropTargets()
	}
	return nil
}

// sameSigners says whether a role of two roots is signed by the same keys, as
// many of them.
func sameSigners(a, b Root, role string) bool {
	return a.Roles[role].Threshold == b.Roles[role].Threshold &&
		slices.Equal(resolve(a.Keys, a.Roles[role].KeyIDs), resolve(b.Keys, b.Roles[role].KeyIDs))
}

// resolve returns the keys behind ids, in one order whatever that of ids.
func resolve(keys map[string]Key, ids []string) []Key {
	var list []Key
	for _, id := range slices.Sorted(slices.Values(ids)) {
		list = append(list, keys[id])
	}
	return list
}

// UpdateTimestamp takes a timestamp that is not older than the held one and
// names no older snapshot. The held bytes again give ErrUnchanged; if they have
// expired meanwhile, ErrExpired, for an upstream that has nothing newer than
// an expired timestamp is frozen or wants to freeze us. The same version with
// other bytes, or the same snapshot version with another hash, is
// ErrEquivocation: keep both and raise the alarm.
func (s *Set) UpdateTimestamp(b []byte, p Policy) error {
	if err := s.expired(p); err != nil {
		return err
	}
	e, signers, err := s.openTop(b, "timestamp", MaxTimestampLength)
	if err != nil {
		return err
	}
	t, err := e.timestamp()
	if err != nil {
		return err
	}
	again := error(nil)
	if held := s.timestamp; held != nil {
		switch {
		case t.Version < held.Version:
			return fmt.Errorf("timestamp %d after %d: %w", t.Version, held.Version, ErrRollback)
		case t.Snapshot.Version < held.Snapshot.Version:
			return fmt.Errorf("timestamp %d: snapshot %d after %d: %w", t.Version, t.Snapshot.Version, held.Snapshot.Version, ErrRollback)
		case t.Version == held.Version:
			again = fmt.Errorf("timestamp %d: %w", t.Version, s.proofs["timestamp"].again(b))
		case t.Snapshot.contradicts(held.Snapshot):
			again = fmt.Errorf("timestamp %d: snapshot %d: %w", t.Version, t.Snapshot.Version, ErrEquivocation)
		}
		if errors.Is(again, ErrEquivocation) {
			return again
		}
	}
	if err := p.check(ExpireTimestamp, "timestamp", t.Expires); err != nil {
		return err
	}
	if again != nil {
		return again
	}
	s.timestamp, s.proofs["timestamp"] = &t, prove(b, signers)
	return nil
}

// RecallSnapshot takes a snapshot that was trusted before, from our own disk,
// whatever the timestamp names now. Its signatures are checked; no targets are
// accepted under it until UpdateSnapshot takes it or a newer one, but its
// versions are held against that one. Without it, an attack that stopped half
// way through an update would be forgotten by a restart.
func (s *Set) RecallSnapshot(b []byte) error {
	if s.snapshot != nil {
		return fmt.Errorf("recall snapshot: %w: snapshot %d is held", ErrOrder, s.snapshot.Version)
	}
	e, signers, err := s.openTop(b, "snapshot", MaxSnapshotLength)
	if err != nil {
		return err
	}
	n, err := e.snapshot()
	if err != nil {
		return err
	}
	s.snapshot, s.proofs["snapshot"] = &n, prove(b, signers)
	return nil
}

// UpdateSnapshot takes the snapshot that the held timestamp names, by version
// and, where stated, length and hash. No role's version may go down against
// the snapshot held before, none may vanish, and none may change its hash
// under the same version (ErrEquivocation). The held bytes again are no error.
// Targets and delegated roles that the new snapshot no longer names are
// dropped; the others stay and need no fetching.
func (s *Set) UpdateSnapshot(b []byte, p Policy) error {
	if s.timestamp == nil {
		return fmt.Errorf("snapshot before timestamp: %w", ErrOrder)
	}
	if err := s.expired(p); err != nil {
		return err
	}
	want := s.timestamp.Snapshot
	if err := want.check("snapshot", b); err != nil {
		return err
	}
	e, signers, err := s.openTop(b, "snapshot", MaxSnapshotLength)
	if err != nil {
		return err
	}
	n, err := e.snapshot()
	if err != nil {
		return err
	}
	if n.Version != want.Version {
		return fmt.Errorf("snapshot %d, timestamp says %d: %w", n.Version, want.Version, ErrMismatch)
	}
	if err := s.notBefore(n, b); err != nil {
		return err
	}
	if err := p.check(ExpireSnapshot, "snapshot", n.Expires); err != nil {
		return err
	}
	s.snapshot, s.proofs["snapshot"] = &n, prove(b, signers)
	if s.targets != nil && !s.holds("targets", s.targets.Version) {
		s.targets = nil
		s.drop("targets")
	}
	for name, d := range s.delegated {
		if !s.holds(name, d.Version) {
			delete(s.delegated, name)
			s.drop(name)
		}
	}
	return nil
}

// notBefore compares a snapshot with the one held before.
func (s *Set) notBefore(n Snapshot, b []byte) error {
	if s.snapshot == nil {
		return nil
	}
	if n.Version == s.snapshot.Version {
		if err := s.proofs["snapshot"].again(b); errors.Is(err, ErrEquivocation) {
			return fmt.Errorf("snapshot %d: %w", n.Version, err)
		}
	}
	for name, held := range s.snapshot.Meta {
		f, ok := n.Meta[name]
		switch {
		case !ok:
			return fmt.Errorf("snapshot %d: %s vanished: %w", n.Version, name, ErrRollback)
		case f.Version < held.Version:
			return fmt.Errorf("snapshot %d: %s %d after %d: %w", n.Version, name, f.Version, held.Version, ErrRollback)
		case f.contradicts(held):
			return fmt.Errorf("snapshot %d: %s %d: %w", n.Version, name, f.Version, ErrEquivocation)
		}
	}
	return nil
}

// holds says whether the held bytes of a targets role are those that the held
// snapshot names.
func (s *Set) holds(role string, version int64) bool {
	f, ok := s.snapshot.Meta[role+".json"]
	return ok && f.Version == version && s.proofs[role].fits(f)
}

// UpdateTargets takes the top targets role that the snapshot names. The held
// bytes again are no error. Delegated roles whose delegation or keys changed
// are dropped: they must be verified anew, from the cache or the network.
func (s *Set) UpdateTargets(b []byte, p Policy) error {
	if !s.current() {
		return fmt.Errorf("targets before snapshot: %w", ErrOrder)
	}
	if err := s.expired(p); err != nil {
		return err
	}
	t, signers, err := s.openTargets("targets", b, s.root.Keys, s.root.Roles["targets"])
	if err != nil {
		return err
	}
	if s.targets != nil && s.targets.Version == t.Version {
		if err := s.proofs["targets"].again(b); errors.Is(err, ErrEquivocation) {
			return fmt.Errorf("targets %d: %w", t.Version, err)
		}
	}
	if err := p.check(ExpireTargets, "targets", t.Expires); err != nil {
		return err
	}
	s.targets, s.proofs["targets"] = &t, prove(b, signers)
	now := make(map[string]Delegation, len(t.Roles))
	for _, d := range t.Roles {
		now[d.Name] = d
	}
	for name, held := range s.delegated {
		if d, ok := now[name]; !ok || !held.by.equal(d) || !slices.Equal(held.keys, resolve(t.Keys, d.KeyIDs)) {
			delete(s.delegated, name)
			s.drop(name)
		}
	}
	return nil
}

func (d Delegation) equal(o Delegation) bool {
	return d.Name == o.Name && d.Threshold == o.Threshold && d.Terminating == o.Terminating &&
		slices.Equal(d.Paths, o.Paths) && slices.Equal(d.KeyIDs, o.KeyIDs)
}

// UpdateDelegated takes a publisher's role: delegated by targets, named by the
// snapshot, signed by the delegation's keys. A target outside the delegation's
// paths and a delegation of its own are ErrFormat. The held bytes again are no
// error.
func (s *Set) UpdateDelegated(name string, b []byte, p Policy) error {
	if !s.current() || s.targets == nil {
		return fmt.Errorf("%.80s before targets: %w", name, ErrOrder)
	}
	if err := s.expired(p); err != nil {
		return err
	}
	i := slices.IndexFunc(s.targets.Roles, func(d Delegation) bool { return d.Name == name })
	if i < 0 {
		return fmt.Errorf("%.80s: %w: targets %d delegates to no such role", name, ErrMismatch, s.targets.Version)
	}
	by := s.targets.Roles[i]
	t, signers, err := s.openTargets(name, b, s.targets.Keys, Role{KeyIDs: by.KeyIDs, Threshold: by.Threshold})
	if err != nil {
		return err
	}
	if len(t.Roles) > 0 || len(t.Keys) > 0 {
		return fmt.Errorf("%s: %w: a publisher delegates to nobody", name, ErrFormat)
	}
	for target := range t.Targets {
		if !by.covers(target) {
			return fmt.Errorf("%s: %w: %q is outside its paths %q", name, ErrFormat, target, by.Paths)
		}
	}
	if held := s.delegated[name]; held != nil && held.Version == t.Version {
		if err := s.proofs[name].again(b); errors.Is(err, ErrEquivocation) {
			return fmt.Errorf("%s %d: %w", name, t.Version, err)
		}
	}
	if err := p.check(ExpireDelegated, name, t.Expires); err != nil {
		return err
	}
	s.delegated[name] = &delegated{Targets: t, by: by, keys: resolve(s.targets.Keys, by.KeyIDs)}
	s.proofs[name] = prove(b, signers)
	return nil
}

// openTop verifies a role of root's.
func (s *Set) openTop(b []byte, role string, limit int) (*envelope, []string, error) {
	e, err := open(b, role, limit)
	if err != nil {
		return nil, nil, err
	}
	signers, err := e.verify(role, s.root.Keys, s.root.Roles[role])
	return e, signers, err
}

// openTargets verifies a targets role against the snapshot and its delegator.
func (s *Set) openTargets(name string, b []byte, keys map[string]Key, role Role) (Targets, []string, error) {
	want, ok := s.snapshot.Meta[name+".json"]
	if !ok {
		return Targets{}, nil, fmt.Errorf("%s: %w: snapshot %d does not name it", name, ErrMismatch, s.snapshot.Version)
	}
	if err := want.check(name, b); err != nil {
		return Targets{}, nil, err
	}
	e, err := open(b, "targets", MaxTargetsLength)
	if err != nil {
		return Targets{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	signers, err := e.verify(name, keys, role)
	if err != nil {
		return Targets{}, nil, err
	}
	t, err := e.targets()
	if err != nil {
		return Targets{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	if t.Version != want.Version {
		return Targets{}, nil, fmt.Errorf("%s %d, snapshot says %d: %w", name, t.Version, want.Version, ErrMismatch)
	}
	return t, signers, nil
}

// verify returns the ids of the role's keys that signed, in order. A key that
// stands under two ids counts once.
func (e *envelope) verify(name string, keys map[string]Key, role Role) ([]string, error) {
	var signers []string
	counted := map[Key]bool{}
	for _, s := range e.signatures {
		key := keys[s.keyID]
		if !slices.Contains(role.KeyIDs, s.keyID) || counted[key] || !key.verifies(e.canonical, s.sig) {
			continue
		}
		counted[key] = true
		signers = append(signers, s.keyID)
	}
	if role.Threshold < 1 || len(signers) < role.Threshold {
		return nil, fmt.Errorf("%s: %w: %d of %d", name, ErrSignature, len(signers), role.Threshold)
	}
	slices.Sort(signers)
	return signers, nil
}

// expired checks what is held, and stands above an update, against p.
func (s *Set) expired(p Policy) error {
	err := p.check(ExpireRoot, "root", s.root.Expires)
	return err
}

// check compares bytes with the length and hash stated for them.
func (f File) check(role string, b []byte) error {
	if f.Length != 0 && int64(len(b)) != f.Length {
		return fmt.Errorf("%s: %w: %d bytes, stated %d", role, ErrMismatch, len(b), f.Length)
	}
	if f.SHA256 != [32]byte{} && sha256.Sum256(b) != f.SHA256 {
		return fmt.Errorf("%s: %w: another SHA-256", role, ErrMismatch)
	}
	return nil
}

// contradicts says whether two statements of one version cannot both be true.
func (f File) contradicts(o File) bool {
	return f.Version == o.Version &&
		(f.Length != 0 && o.Length != 0 && f.Length != o.Length ||
			f.SHA256 != [32]byte{} && o.SHA256 != [32]byte{} && f.SHA256 != o.SHA256)
}

func prove(b []byte, signers []string) proof {
	return proof{length: int64(len(b)), digest: sha256.Sum256(b), signers: signers}
}

// again judges bytes that carry the version already held.
func (p proof) again(b []byte) error {
	if p.digest == sha256.Sum256(b) {
		return ErrUnchanged
	}
	return ErrEquivocation
}

func (p proof) fits(f File) bool {
	return (f.Length == 0 || f.Length == p.length) && (f.SHA256 == [32]byte{} || f.SHA256 == p.digest)
}

func (s *Set) drop(roles ...string) {
	for _, r := range roles {
		delete(s.proofs, r)
	}
}

func (s *Set) dropTargets() {
	s.drop("targets")
	s.drop(slices.Collect(maps.Keys(s.delegated))...)
	s.targets, s.delegated = nil, map[string]*delegated{}
}

// current says whether the held snapshot is the one that timestamp names.
func (s *Set) current() bool {
	return s.timestamp != nil && s.snapshot != nil &&
		s.timestamp.Snapshot.Version == s.snapshot.Version && s.proofs["snapshot"].fits(s.timestamp.Snapshot)
}

// Root returns the trusted root.
func (s *Set) Root() Root { return s.root }

// RootBytes returns the trusted root's file, to be kept.
func (s *Set) RootBytes() []byte { return bytes.Clone(s.rootBytes) }

// Timestamp returns the trusted timestamp, nil before there is one.
func (s *Set) Timestamp() *Timestamp { return s.timestamp }

// Snapshot returns the snapshot that the timestamp names, nil until
// UpdateSnapshot has taken it.
func (s *Set) Snapshot() *Snapshot {
	if !s.current() {
		return nil
	}
	return s.snapshot
}

// Targets returns the top targets role that Snapshot names, nil until
// UpdateTargets has taken it.
func (s *Set) Targets() *Targets {
	if !s.current() {
		return nil
	}
	return s.targets
}

// Delegated returns the publisher's role that Snapshot names and Targets
// delegates to, nil until UpdateDelegated has taken it.
func (s *Set) Delegated(name string) *Targets {
	if d := s.delegated[name]; d != nil && s.Targets() != nil {
		return &d.Targets
	}
	return nil
}

// Signers returns the key ids, sorted, whose signatures verified on the held
// file of a role: "root", "timestamp", "snapshot", "targets" or a publisher.
func (s *Set) Signers(role string) []string { return s.proofs[role].signers }
