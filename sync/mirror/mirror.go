// Package mirror follows a repository, from HTTP, a folder or a stick: it
// verifies, plans, fetches what is missing, resumes, and hands a change over to
// the node. Nothing is shown before it verifies, and nothing that was accepted
// is given up because something newer does not (spec/trust.md, spec/sync.md).
package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// Contents keep verified bytes under their hash.
type Contents interface {
	Has(d portal.Digest) bool
	// PutExpect keeps r only when it has exactly the size and hash that are
	// expected; otherwise portal.ErrUnverified, and nothing is kept.
	PutExpect(r io.Reader, want portal.Digest, size int64) error
	// ReadAll gives verified bytes, or portal.ErrNotHeld.
	ReadAll(d portal.Digest, limit int64) ([]byte, error)
	// Open gives what is held under d and its length, or portal.ErrNotHeld.
	Open(d portal.Digest) (portal.ReadSeekCloser, int64, error)
	// Find gives the digest of a held content that begins so.
	Find(beginning [8]byte) (portal.Digest, bool)
	// Remove takes away what is held under d, if anything is.
	Remove(d portal.Digest) error
}

// Options say where a mirror keeps what.
type Options struct {
	Trust   disk.FS // accepted metadata
	Staging disk.FS // what is on its way; safe to delete
	Relay   disk.FS // the repository served to further mirrors; nil: none
	Spare   disk.FS // this node's own repository, to mend roots from; nil: none
	// Known tells by which first root the node knows its repository, for when that
	// was lost; zero or nil: it does not.
	Known    func() portal.Digest
	Contents Contents
	// Flush makes durable what was put into Contents and Relay, where they are
	// parts of a disk.Group; nil: all of it is when it is written.
	Flush    func() error
	Now      func() time.Time                      // trusted time
	Free     func() (uint64, error)                // bytes free for contents; nil: not asked
	Progress func(stage string, done, total int64) // nil: nobody looks
	// Policy says which contents this node wants now; nil: all.
	Policy func() Policy
	// Quota is the most bytes that contents may take, given how many there are;
	// nil: as many as the disk holds.
	Quota func() (left int64, err error)
}

// Mirror follows one repository. Rounds exclude each other (the node's
// write.lock); State and SignedBy may be called at any time.
type Mirror struct {
	o Options

	mu    sync.Mutex
	known summary
}

// Open gives the follower of whatever root of trust stands in o.Trust.
func Open(o Options) *Mirror {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	if o.Flush == nil {
		o.Flush = func() error { return nil }
	}
	return &Mirror{o: o}
}

// Bounds on metadata before its signed length is known, in bytes.
const (
	maxRoot      = 512 << 10
	maxTimestamp = 16 << 10
	maxMetadata  = 64 << 20
	maxManifest  = 4 << 20
	maxRotations = 1024 // roots followed in one round
)

// Bootstrap makes root the anchor of trust. It is refused when another one is
// already there: a mirror changes its root only by a chain of signatures.
func Bootstrap(trust disk.FS, root []byte) error {
	set, err := tuf.NewSet(root)
	if err != nil {
		return verdict("the root of trust", err)
	}
	roots, err := roots(trust)
	if err != nil {
		return err
	}
	name := carrier.MetadataName("root", set.Root().Version)
	if len(roots) > 0 {
		held, err := disk.ReadFile(trust, name, maxRoot)
		if err != nil || portal.DigestOf(held) != portal.DigestOf(root) {
			return portal.Unverified("the root of trust", "another repository is already trusted here").
				WithHint("use a new data directory for another repository")
		}
		return nil
	}
	return disk.WriteFile(trust, name, root)
}

// Root gives the newest accepted root's bytes.
func (m *Mirror) Root() ([]byte, error) {
	a, err := m.load()
	if err != nil {
		return nil, err
	}
	return a.set.RootBytes(), nil
}

// State says which copy is accepted, whether or not it is applied yet. Before
// the first sync its Generation is 0.
func (m *Mirror) State() (portal.CopyState, error) {
	s, err := m.summary()
	return s.state, err
}

// SignedBy are the key ids that verified the accepted timestamp.
func (m *Mirror) SignedBy() ([]string, error) {
	s, err := m.summary()
	return s.signers, err
}

// summary is what pages ask of the accepted copy again and again.
type summary struct {
	timestamp []byte // the file it was read from
	state     portal.CopyState
	signers   []string
	keys      []TrustedKey
	sides     map[string]Side
}

// TrustedKey is a key that may sign a role of the accepted copy.
type TrustedKey struct {
	Role string // "root", "targets", "snapshot", "timestamp", or a publisher
	ID   string // lower-case hexadecimal
}

// TrustedKeys lists the keys that the accepted metadata trusts, by role.
func (m *Mirror) TrustedKeys() ([]TrustedKey, error) {
	s, err := m.summary()
	return s.keys, err
}

func (a *accepted) keys() (all []TrustedKey) {
	root := a.set.Root()
	for _, role := range []string{"root", "targets", "snapshot", "timestamp"} {
		for _, id := range root.Roles[role].KeyIDs {
			all = append(all, TrustedKey{role, id})
		}
	}
	if t := a.set.Targets(); t != nil {
		for _, d := range t.Roles {
			for _, id := range d.KeyIDs {
				all = append(all, TrustedKey{d.Name, id})
			}
		}
	}
	return all
}

// summary verifies trust/ again only when its timestamp, which is written last,
// is another one.
func (m *Mirror) summary() (summary, error) {
	ts, err := disk.ReadFile(m.o.Trust, "timestamp.json", maxTimestamp)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return summary{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known.timestamp != nil && bytes.Equal(m.known.timestamp, ts) {
		return m.known, nil
	}
	a, err := m.load()
	if err != nil {
		return summary{}, err
	}
	m.known = summary{timestamp: ts, state: a.state(false), signers: a.set.Signers("timestamp"), keys: a.keys(), sides: a.sides()}
	return m.known, nil
}

// load reads trust/ and verifies it again, but for expiry: what was accepted
// stays accepted. Files that a crash left incomplete count as not accepted.
func (m *Mirror) load() (*accepted, error) {
	a := m.newAccepted()
	if err := m.loadRoots(a); err != nil {
		return nil, err
	}
	return a, m.loadAccepted(a)
}

func (m *Mirror) loadAccepted(a *accepted) error {
	p := tuf.Policy{Now: m.o.Now(), Expire: tuf.ExpireNothing}
	b, err := disk.ReadFile(m.o.Trust, "timestamp.json", maxTimestamp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := a.set.UpdateTimestamp(b, p); err != nil {
		// Its key was replaced by a newer root, or the file was damaged: nothing
		// is accepted until the next round.
		a.damaged = append(a.damaged, "timestamp.json")
		return nil //nolint:nilerr // remembered
	}
	steps := []struct {
		role   string
		update func([]byte, tuf.Policy) error
		ver    func() int64
	}{
		{"snapshot", a.set.UpdateSnapshot, func() int64 { return a.set.Timestamp().Snapshot.Version }},
		{"targets", a.set.UpdateTargets, func() int64 { return a.set.Snapshot().Meta["targets.json"].Version }},
	}
	for _, s := range steps {
		name := carrier.MetadataName(s.role, s.ver())
		b, err := disk.ReadFile(m.o.Trust, name, maxMetadata)
		if err == nil {
			err = s.update(b, p)
		}
		if err != nil { // the next round fetches it again, and goes on from there
			a.damaged = append(a.damaged, name)
			return nil //nolint:nilerr // told by damaged
		}
	}
	vets := m.readVets()
	for _, id := range a.publishers() {
		m.loadRole(a, id, p, vets)
	}
	return nil
}

// roots are the versions of root in trust/, ascending.
func roots(trust disk.FS) ([]int64, error) {
	if _, err := trust.ReadDir("."); err != nil {
		return nil, err
	}
	v := versionsOf(trust, "root")
	slices.Reverse(v)
	return v, nil
}

// versionsOf lists the versions of one role in trust/, newest first.
func versionsOf(trust disk.FS, role string) []int64 {
	entries, err := trust.ReadDir(".")
	if err != nil {
		return nil
	}
	var versions []int64
	for _, e := range entries {
		if v, of := carrier.ParseMetadataName(e.Name()); of == role {
			versions = append(versions, v)
		}
	}
	slices.Sort(versions)
	slices.Reverse(versions)
	return versions
}

// verdict says to a person what the verifier found, and where.
func verdict(where string, err error) error {
	if errors.Is(err, portal.ErrUnreachable) || errors.Is(err, portal.ErrNotFound) || errors.Is(err, context.Canceled) {
		return err
	}
	p := portal.Unverified(where, "does not verify: %v", err)
	p.Cause = err
	switch {
	case errors.Is(err, tuf.ErrExpired):
		p.Message = "its signature has expired"
		p.Kind = portal.ErrUnverified
		p.Hint = "the upstream has to sign again, or the clock of this machine is ahead; the copy that this node has stays"
	case errors.Is(err, tuf.ErrRollback):
		p.Message = fmt.Sprintf("is older than the copy that this node has: %v", err)
		p.Hint = "nothing was changed; a stick is brought up to date by koprik export"
	default:
		p.Hint = "nothing was changed; the copy that this node has stays"
	}
	return p
}
