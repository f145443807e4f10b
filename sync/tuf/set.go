package tuf

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// What an update is refused for; errors.Is finds exactly one of them.
var (
	ErrFormat       = errors.New("not well-formed metadata")
	ErrSignature    = errors.New("too few valid signatures")
	ErrRollback     = errors.New("older than what is trusted")
	ErrExpired      = errors.New("expired")
	ErrMismatch     = errors.New("not what the signed metadata above states")
	ErrEquivocation = errors.New("other bytes under a version already seen")
	ErrUnchanged    = errors.New("unchanged") // no fault: nothing new
	ErrOrder        = errors.New("out of order")
)

// Expiry is a set of roles whose expiry is enforced.
type Expiry uint8

// The roles one by one, and the sets in use: the network's (an expired root or
// targets is the centre's alarm and no wall for a mirror), nothing (for what
// comes from our own disk), all (a general TUF client). A stick is read with
// ExpireNetwork less ExpireTimestamp.
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
// enforces nothing; one that enforces something and has no time refuses all.
type Policy struct {
	Now    time.Time
	Expire Expiry
}

func (p Policy) check(role string, expires time.Time) error {
	if p.Expire&(1<<rank(role)) != 0 && (p.Now.IsZero() || !p.Now.Before(expires)) {
		return fmt.Errorf("%s: %w on %s", role, ErrExpired, expires.Format(timeFormat))
	}
	return nil
}

// rank is the place of a role in the order of updates, from root's 0 to a
// publisher's 4, and its bit in Expiry.
func rank(role string) int {
	if i := slices.Index(topRoles, role); i >= 0 {
		return i
	}
	return len(topRoles)
}

// Set is the metadata trusted at one moment: always a consistent whole, every
// part verified under what stands above it. Updates come in the order root,
// timestamp, snapshot, targets, delegated. One that takes other bytes drops what
// stands below, and the caller offers its cached files again. A Set is not safe
// for concurrent use. What its methods return must not be changed.
type Set struct {
	other     Verifier        // nil: not a general Set
	held      map[string]held // by role
	seen      held            // the last snapshot taken: none may fall behind it
	rootBytes []byte
}

// held is a role's verified content, and what was verified.
type held struct {
	meta    any // *Root, *Timestamp, *Snapshot or *Targets
	file    File
	expires time.Time
	signers []string
}

// authority is who has to sign a role.
type authority struct {
	Role
	keys map[string]Key
}

func (r Root) authority(role string) authority { return authority{r.Roles[role], r.Keys} }

// same says whether the same keys under the same ids sign, as many of them.
func (a authority) same(o authority) bool {
	return a.Threshold == o.Threshold && len(a.KeyIDs) == len(o.KeyIDs) &&
		!slices.ContainsFunc(a.KeyIDs, func(id string) bool {
			return !slices.Contains(o.KeyIDs, id) || a.keys[id] != o.keys[id]
		})
}

// NewSet begins with a root that is trusted because of the way it came:
// shipped with the program, or a file that somebody checked. It must be signed
// by its own keys, and may have expired.
func NewSet(root []byte) (*Set, error) { return NewGeneralSet(root, nil) }

// NewGeneralSet is NewSet for any TUF repository: roles have any names, delegate
// further (UpdateNested) and list what they like, SHA-512 may name a target, and
// other verifies for keys that ours only carries. A nil other gives NewSet's.
func NewGeneralSet(root []byte, other Verifier) (*Set, error) {
	r := &Root{}
	e, err := open(root, "root", r, other)
	if err != nil {
		return nil, err
	}
	h, err := e.verify("root", root, r.authority("root"))
	if err != nil {
		return nil, err
	}
	h.meta = r
	return &Set{other, map[string]held{"root": h}, held{meta: &Snapshot{}}, bytes.Clone(root)}, nil
}

// UpdateRoot takes the root that follows the held one: version N+1, signed by
// a threshold of N's keys and of its own. When the keys of timestamp or
// snapshot change, both are forgotten, so that a version driven up with a
// stolen key holds nobody back: Timestamp then returns nil, and the caller
// deletes its copies too. When the keys of targets change, targets is dropped.
// Expiry is left to the updates below. The held bytes give ErrUnchanged.
func (s *Set) UpdateRoot(b []byte) error {
	old, r := s.Root(), &Root{}
	e, err := open(b, "root", r, s.other)
	if err != nil {
		return err
	}
	if _, err := e.verify("root", b, old.authority("root")); err != nil {
		return fmt.Errorf("by the keys of root %d: %w", old.Version, err)
	}
	h, err := e.verify("root", b, r.authority("root"))
	switch {
	case err != nil:
		return fmt.Errorf("by its own keys: %w", err)
	case r.Version < old.Version:
		return fmt.Errorf("root %d after %d: %w", r.Version, old.Version, ErrRollback)
	case r.Version > old.Version+1:
		return fmt.Errorf("root %d after %d: %w", r.Version, old.Version, ErrOrder)
	case h.file.contradicts(s.held["root"].file):
		return fmt.Errorf("root %d: %w", r.Version, ErrEquivocation)
	case r.Version == old.Version:
		return fmt.Errorf("root %d: %w", r.Version, ErrUnchanged)
	}
	h.meta = r
	s.held["root"], s.rootBytes = h, bytes.Clone(b)
	changed := func(role string) bool { return !old.authority(role).same(r.authority(role)) }
	switch {
	case changed("timestamp") || changed("snapshot"):
		s.seen = held{meta: &Snapshot{}}
		s.dropBelow("root")
	case changed("targets"):
		s.dropBelow("snapshot")
	}
	return nil
}

func (s *Set) dropBelow(role string) {
	maps.DeleteFunc(s.held, func(r string, _ held) bool { return rank(r) > rank(role) })
}

// UpdateTimestamp takes a timestamp that is not older than the held one and
// names no older snapshot. The held bytes give ErrUnchanged or, when they have
// expired meanwhile, ErrExpired: an upstream with nothing newer is frozen, or
// wants to freeze us. The same version with other bytes, or the same snapshot
// version with another hash, is ErrEquivocation: keep both, raise the alarm.
func (s *Set) UpdateTimestamp(b []byte, p Policy) error {
	t, old := &Timestamp{}, s.Timestamp()
	return s.update("", "timestamp", b, p, &wireTimestamp{Timestamp: t}, t, func(held) error {
		switch {
		case old == nil:
			return nil
		case t.Version < old.Version || t.Snapshot.Version < old.Snapshot.Version:
			return fmt.Errorf("timestamp %d of snapshot %d after %d of %d: %w",
				t.Version, t.Snapshot.Version, old.Version, old.Snapshot.Version, ErrRollback)
		case t.Snapshot.contradicts(old.Snapshot):
			return fmt.Errorf("timestamp %d: snapshot %d: %w", t.Version, t.Snapshot.Version, ErrEquivocation)
		case t.Version == old.Version && p.check("timestamp", t.Expires) == nil:
			return fmt.Errorf("timestamp %d: %w", t.Version, ErrUnchanged)
		}
		return nil
	})
}

// UpdateSnapshot takes the snapshot that the held timestamp names, by version
// and, where stated, length and hash. Against the snapshot taken before, no
// role's version may go down, none may vanish, and none may change its hash
// under one version (ErrEquivocation). The held bytes again change nothing.
func (s *Set) UpdateSnapshot(b []byte, p Policy) error {
	n := &Snapshot{}
	err := s.update("", "snapshot", b, p, n, n, func(h held) error {
		if h.file.contradicts(s.seen.file) {
			return fmt.Errorf("snapshot %d: %w", n.Version, ErrEquivocation)
		}
		return n.follows(s.seen.meta.(*Snapshot))
	})
	if err == nil {
		s.seen = s.held["snapshot"]
	}
	return err
}

func (n *Snapshot) follows(old *Snapshot) error {
	for name, was := range old.Meta {
		switch now := n.Meta[name]; { // version 0 when it vanished
		case now.Version < was.Version:
			return fmt.Errorf("snapshot %d: %s %d after %d: %w", n.Version, name, now.Version, was.Version, ErrRollback)
		case now.contradicts(was):
			return fmt.Errorf("snapshot %d: %s %d: %w", n.Version, name, now.Version, ErrEquivocation)
		}
	}
	return nil
}

// UpdateTargets takes the top targets role that the snapshot names.
func (s *Set) UpdateTargets(b []byte, p Policy) error {
	t := &Targets{}
	return s.update("", "targets", b, p, &wireTargets{Targets: t}, t, func(held) error { return nil })
}

// UpdateDelegated takes a publisher's role: delegated by targets, named by the
// snapshot, signed as the delegation asks. A target outside the delegation's
// paths and a delegation of its own are ErrFormat.
func (s *Set) UpdateDelegated(name string, b []byte, p Policy) error {
	return s.UpdateNested("targets", name, b, p)
}

// UpdateNested is UpdateDelegated for a role that another one delegates to,
// which ErrFormat keeps out of all Sets but general ones.
func (s *Set) UpdateNested(delegator, name string, b []byte, p Policy) error {
	if rank(name) <= rank("targets") {
		return fmt.Errorf("%s: %w: no publisher", name, ErrOrder)
	}
	t := &Targets{}
	return s.update(delegator, name, b, p, &wireTargets{Targets: t}, t, func(held) error {
		if s.other == nil && len(t.Roles)+len(t.Keys) > 0 {
			return fmt.Errorf("%s: %w: delegates further", name, ErrFormat)
		}
		d, _ := s.Targets().delegation(name)
		for target := range t.Targets {
			if s.other == nil && !d.Covers(target) {
				return fmt.Errorf("%s: %w: %q is outside its paths %q", name, ErrFormat, target, d.Paths)
			}
		}
		return nil
	})
}

// update is what all updates below root have in common: what must be held, what
// is stated of the file, who has to sign it, the bytes held under the same
// version. into is the shape that decodes meta; rules judge it before expiry.
func (s *Set) update(delegator, role string, b []byte, p Policy, into shape, meta any, rules func(held) error) error {
	for _, above := range topRoles[:rank(role)] {
		h, ok := s.held[above]
		if !ok {
			return fmt.Errorf("%.80q before %s: %w", role, above, ErrOrder)
		}
		if err := p.check(above, h.expires); err != nil {
			return err
		}
	}
	stated, by, err := s.expected(delegator, role)
	if err != nil {
		return err
	}
	if stated.contradicts(fileOf(stated.Version, b)) {
		return fmt.Errorf("%s %d: %w: length or hash", role, stated.Version, ErrMismatch)
	}
	e, err := open(b, role, into, s.other)
	if err != nil {
		return err
	}
	h, err := e.verify(role, b, by)
	switch {
	case err != nil:
		return err
	case stated.Version != 0 && e.version != stated.Version:
		return fmt.Errorf("%s %d: %w: version %d", role, e.version, ErrMismatch, stated.Version)
	case h.file.contradicts(s.held[role].file):
		return fmt.Errorf("%s %d: %w", role, e.version, ErrEquivocation)
	}
	if err := rules(h); err != nil {
		return err
	}
	if err := p.check(role, h.expires); err != nil {
		return err
	}
	if h.file != s.held[role].file {
		h.meta = meta
		s.held[role] = h
		s.dropBelow(role)
	}
	return nil
}

// expected returns what the metadata above a role states of its file, and who
// has to sign it. All of it is held.
func (s *Set) expected(delegator, role string) (File, authority, error) {
	switch role {
	case "timestamp":
		return File{}, s.Root().authority(role), nil
	case "snapshot":
		return s.Timestamp().Snapshot, s.Root().authority(role), nil
	}
	stated, ok := s.Snapshot().Meta[role+".json"]
	if role == "targets" { // which no snapshot lacks
		return stated, s.Root().authority(role), nil
	}
	by := content[Targets](s, delegator)
	d, delegated := by.delegation(role)
	if !ok || !delegated {
		return File{}, authority{}, fmt.Errorf("%.80q: %w: not in snapshot, or not delegated by %s", role, ErrMismatch, delegator)
	}
	return stated, authority{Role{d.KeyIDs, d.Threshold}, by.Keys}, nil
}

// verify counts the keys that signed. A key under two ids counts once.
func (e *envelope) verify(role string, b []byte, by authority) (held, error) {
	h := held{file: fileOf(e.version, b), expires: e.expires}
	counted := map[Key]bool{}
	for _, s := range e.Signatures {
		key := by.keys[s.KeyID]
		if slices.Contains(by.KeyIDs, s.KeyID) && !counted[key] && key.verifies(e.canonical, s.Sig, e.other) {
			counted[key] = true
			h.signers = append(h.signers, s.KeyID)
		}
	}
	if by.Threshold < 1 || len(h.signers) < by.Threshold {
		return held{}, fmt.Errorf("%s: %w: %d of %d", role, ErrSignature, len(h.signers), by.Threshold)
	}
	slices.Sort(h.signers)
	return h, nil
}

// Root returns the trusted root.
func (s *Set) Root() Root { return *s.held["root"].meta.(*Root) }

// RootBytes returns the file of the trusted root, to be kept.
func (s *Set) RootBytes() []byte { return bytes.Clone(s.rootBytes) }

// Timestamp returns the trusted timestamp, nil before there is one.
func (s *Set) Timestamp() *Timestamp { return content[Timestamp](s, "timestamp") }

// Snapshot returns the snapshot that Timestamp names, nil until UpdateSnapshot
// has taken it.
func (s *Set) Snapshot() *Snapshot { return content[Snapshot](s, "snapshot") }

// Targets returns the top targets role that Snapshot names, nil until
// UpdateTargets has taken it.
func (s *Set) Targets() *Targets { return content[Targets](s, "targets") }

// Delegated returns the publisher's role that Snapshot names and Targets
// delegates to, nil until UpdateDelegated has taken it.
func (s *Set) Delegated(name string) *Targets {
	if name == "targets" {
		return nil
	}
	return content[Targets](s, name)
}

// Forget lets go of what a publisher's role lists, and keeps who signed which file.
func (s *Set) Forget(name string) {
	h := s.held[name]
	s.held[name] = held{nil, h.file, h.expires, h.signers}
}

func content[T any](s *Set, role string) *T {
	t, _ := s.held[role].meta.(*T)
	return t
}

// Signers returns the sorted ids of the keys that verified on the trusted file
// of a role: "root", "timestamp", "snapshot", "targets" or a publisher.
func (s *Set) Signers(role string) []string { return s.held[role].signers }
