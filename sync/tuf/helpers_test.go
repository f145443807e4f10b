package tuf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"
)

var (
	expires = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	before  = Policy{Now: expires.Add(-time.Hour), Expire: ExpireAll}
)

// testKey gives the same key for the same number.
func testKey(n byte) PrivateKey { return PrivateKey{[32]byte{n, 1}} }

func keyMap(keys ...PrivateKey) map[string]Key {
	m := map[string]Key{}
	for _, k := range keys {
		m[k.Public().ID()] = k.Public()
	}
	return m
}

func roleOf(threshold int, keys ...PrivateKey) Role {
	r := Role{Threshold: threshold}
	for _, k := range keys {
		r.KeyIDs = append(r.KeyIDs, k.Public().ID())
	}
	return r
}

func delegate(name string, threshold int, keys ...PrivateKey) Delegation {
	r := roleOf(threshold, keys...)
	return Delegation{Name: name, KeyIDs: r.KeyIDs, Threshold: threshold, Paths: []string{"d/" + name + "/*/*"}, Terminating: true}
}

// repo is a centre in memory. A test changes its fields, lies included, and
// takes the files that it would publish.
type repo struct {
	tb      testing.TB
	signers map[string][]PrivateKey
	root    Root
	time    Timestamp
	snap    Snapshot
	top     Targets
	pub     map[string]Targets
	hashes  bool // snapshot and timestamp state length and hash
}

func newRepo(tb testing.TB) *repo {
	r := &repo{tb: tb, signers: map[string][]PrivateKey{}, pub: map[string]Targets{}}
	r.root = Root{Version: 1, Expires: expires, ConsistentSnapshot: true, Keys: map[string]Key{}, Roles: map[string]Role{}}
	for i, role := range topRoles {
		r.rootRole(role, 1, testKey(byte(i+1)))
	}
	r.signers["main"] = []PrivateKey{testKey(5)}
	r.time = Timestamp{Version: 1, Expires: expires, SignedAt: expires.Add(-48 * time.Hour)}
	r.snap = Snapshot{Version: 1, Expires: expires}
	r.top = Targets{Version: 1, Expires: expires, Keys: keyMap(testKey(5)), Roles: []Delegation{delegate("main", 1, testKey(5))}}
	r.pub["main"] = Targets{Version: 1, Expires: expires, Targets: map[string]Target{
		"d/main/water-2015/1.json": {Length: 3, SHA256: [32]byte{1}}, "d/main/empty/7.json": {SHA256: [32]byte{2}},
	}}
	return r
}

func (r *repo) rootRole(role string, threshold int, keys ...PrivateKey) {
	r.signers[role] = keys
	maps.Copy(r.root.Keys, keyMap(keys...))
	r.root.Roles[role] = roleOf(threshold, keys...)
}

func (r *repo) must(b []byte, err error) []byte {
	r.tb.Helper()
	if err != nil {
		r.tb.Fatal(err)
	}
	return b
}

func (r *repo) rootFile(also ...PrivateKey) []byte {
	return r.must(SignRoot(r.root, append(also, r.signers["root"]...)...))
}
func (r *repo) targetsFile() []byte { return r.must(SignTargets(r.top, r.signers["targets"]...)) }
func (r *repo) pubFile(name string) []byte {
	return r.must(SignTargets(r.pub[name], r.signers[name]...))
}

func (r *repo) state(version int64, b []byte) File {
	if !r.hashes {
		return File{Version: version}
	}
	return fileOf(version, b)
}

func (r *repo) snapshotFile() []byte {
	meta := map[string]File{"targets.json": r.state(r.top.Version, r.targetsFile())}
	for name := range r.pub {
		meta[name+".json"] = r.state(r.pub[name].Version, r.pubFile(name))
	}
	s := r.snap
	for name, f := range s.Meta { // what a test put there comes first
		meta[name] = f
	}
	s.Meta = meta
	return r.must(SignSnapshot(s, r.signers["snapshot"]...))
}

func (r *repo) timestampFile() []byte {
	if t := r.time; t.Snapshot != (File{}) {
		return r.must(SignTimestamp(t, r.signers["timestamp"]...))
	}
	t := r.time
	t.Snapshot = r.state(r.snap.Version, r.snapshotFile())
	return r.must(SignTimestamp(t, r.signers["timestamp"]...))
}

// next publishes: a new snapshot and timestamp over whatever was changed.
func (r *repo) next() {
	r.snap.Version++
	r.time.Version++
}

func (r *repo) set() *Set {
	r.tb.Helper()
	s, err := NewSet(r.rootFile())
	if err != nil {
		r.tb.Fatal(err)
	}
	return s
}

// walk brings a set up to date, as far as it goes.
func (r *repo) walk(s *Set, p Policy) error {
	if err := s.UpdateTimestamp(r.timestampFile(), p); err != nil && !errors.Is(err, ErrUnchanged) {
		return err
	}
	if err := s.UpdateSnapshot(r.snapshotFile(), p); err != nil {
		return err
	}
	if err := s.UpdateTargets(r.targetsFile(), p); err != nil {
		return err
	}
	for _, d := range r.top.Roles {
		if err := s.UpdateDelegated(d.Name, r.pubFile(d.Name), p); err != nil {
			return err
		}
	}
	return nil
}

func (r *repo) walked() *Set {
	r.tb.Helper()
	s := r.set()
	if err := r.walk(s, before); err != nil {
		r.tb.Fatal(err)
	}
	return s
}

// refuses runs an update and wants exactly this refusal and an untouched set.
func refuses(t *testing.T, s *Set, want error, update func() error) {
	t.Helper()
	was := dump(s)
	err := update()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	for _, other := range []error{ErrFormat, ErrSignature, ErrRollback, ErrExpired, ErrMismatch, ErrEquivocation, ErrUnchanged, ErrOrder} {
		if other != want && errors.Is(err, other) {
			t.Errorf("%v is also %v", err, other)
		}
	}
	if now := dump(s); now != was {
		t.Errorf("after %v the set was changed:\n%s\n%s", err, was, now)
	}
}

func dump(s *Set) string {
	return fmt.Sprintf("%x %+v %+v %+v", s.RootBytes(), s.held, s.seen, s.Targets())
}

// tamper changes a file as text, after signing.
func tamper(t *testing.T, b []byte, old, new string) []byte {
	t.Helper()
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s has no %s", b, old)
	}
	return bytes.Replace(b, []byte(old), []byte(new), 1)
}

// resign makes a file out of any JSON for "signed": what a hostile or careless
// holder of a key can do, our own writer's checks left out.
func resign(t testing.TB, signed string, keys ...PrivateKey) []byte {
	t.Helper()
	v, err := parseJSON([]byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	b, err := appendCanonical(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	var sigs []signature
	for _, k := range keys {
		sigs = append(sigs, signature{k.Public().ID(), fmt.Sprintf("%x", k.Sign(b))})
	}
	file, err := json.Marshal(map[string]any{"signatures": sigs, "signed": json.RawMessage(signed)})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// signedPart returns the JSON of "signed".
func signedPart(t testing.TB, b []byte) string {
	t.Helper()
	var file struct{ Signed json.RawMessage }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return string(file.Signed)
}
