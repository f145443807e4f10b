package tuf

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestTheWalkEndsWithEverythingVerified(t *testing.T) {
	for _, hashes := range []bool{false, true} {
		r := newRepo(t)
		r.hashes = hashes
		s := r.walked()
		if s.Root().Version != 1 || s.Timestamp().Version != 1 || s.Snapshot().Version != 1 || s.Targets().Version != 1 {
			t.Errorf("%+v", s)
		}
		if got := s.Delegated("main").Targets["d/main/water-2015/1.json"]; got != (Target{Length: 3, SHA256: [32]byte{1}}) {
			t.Errorf("target %+v", got)
		}
		for i, role := range []string{"root", "timestamp", "snapshot", "targets", "main"} {
			if got := s.Signers(role); !slices.Equal(got, []string{testKey(byte(i + 1)).Public().ID()}) {
				t.Errorf("%s signed by %v", role, got)
			}
		}
		if s.Delegated("targets") != nil || s.Delegated("nobody") != nil || s.Signers("nobody") != nil {
			t.Error("somebody who isn't a publisher is one")
		}
	}
}

func TestBeforeAnUpdateThereIsNothing(t *testing.T) {
	s := newRepo(t).set()
	if s.Timestamp() != nil || s.Snapshot() != nil || s.Targets() != nil || s.Delegated("main") != nil || s.Signers("timestamp") != nil {
		t.Error("something is there")
	}
}

func TestTheTrustAnchorIsSignedByItself(t *testing.T) {
	r := newRepo(t)
	r.root.Expires = expires.AddDate(-20, 0, 0)
	if _, err := NewSet(r.rootFile()); err != nil {
		t.Errorf("an expired anchor: %v", err)
	}
	r.signers["root"] = []PrivateKey{testKey(99)}
	if _, err := NewSet(r.rootFile()); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
}

func TestUpdatesComeInOrder(t *testing.T) {
	r := newRepo(t)
	s := r.set()
	snapshot := func() error { return s.UpdateSnapshot(r.snapshotFile(), before) }
	targets := func() error { return s.UpdateTargets(r.targetsFile(), before) }
	publisher := func() error { return s.UpdateDelegated("main", r.pubFile("main"), before) }
	refuses(t, s, ErrOrder, snapshot)
	refuses(t, s, ErrOrder, targets)
	refuses(t, s, ErrOrder, publisher)
	if err := s.UpdateTimestamp(r.timestampFile(), before); err != nil {
		t.Fatal(err)
	}
	refuses(t, s, ErrOrder, targets)
	refuses(t, s, ErrOrder, publisher)
	if err := snapshot(); err != nil {
		t.Fatal(err)
	}
	refuses(t, s, ErrOrder, publisher)
	for _, role := range append(topRoles, "") {
		refuses(t, s, ErrOrder, func() error { return s.UpdateDelegated(role, r.targetsFile(), before) })
	}
}

func TestANewTimestampWaitsForItsSnapshot(t *testing.T) {
	r := newRepo(t)
	s := r.walked()
	r.next()
	if err := s.UpdateTimestamp(r.timestampFile(), before); err != nil {
		t.Fatal(err)
	}
	if s.Snapshot() != nil || s.Targets() != nil || s.Delegated("main") != nil || s.Signers("main") != nil {
		t.Error("two generations stand beside each other")
	}
	refuses(t, s, ErrOrder, func() error { return s.UpdateTargets(r.targetsFile(), before) })
	if err := r.walk(s, before); err != nil {
		t.Error(err)
	}
}

func TestTheSameBytesAgain(t *testing.T) {
	r := newRepo(t)
	s := r.walked()
	refuses(t, s, ErrUnchanged, func() error { return s.UpdateRoot(r.rootFile()) })
	refuses(t, s, ErrUnchanged, func() error { return s.UpdateTimestamp(r.timestampFile(), before) })
	for _, again := range []func() error{
		func() error { return s.UpdateSnapshot(r.snapshotFile(), before) },
		func() error { return s.UpdateTargets(r.targetsFile(), before) },
		func() error { return s.UpdateDelegated("main", r.pubFile("main"), before) },
	} {
		if err := again(); err != nil || s.Delegated("main") == nil {
			t.Errorf("%v, and what stands below: %+v", err, s.Delegated("main"))
		}
	}
}

func TestTheSetKeepsItsOwnRoot(t *testing.T) {
	r := newRepo(t)
	b := r.rootFile()
	s, err := NewSet(b)
	if err != nil {
		t.Fatal(err)
	}
	b[0], s.RootBytes()[1] = 'x', 'x'
	r.root.Version = 2
	if string(s.RootBytes()) == string(b) || s.UpdateRoot(r.rootFile()) != nil {
		t.Error("a caller's hand is in the set")
	}
	if _, err := (&envelope{}).verify("root", nil, authority{}); !errors.Is(err, ErrSignature) {
		t.Errorf("nobody has to sign: %v", err)
	}
}

func TestRootFollowsRootOneByOne(t *testing.T) {
	r := newRepo(t)
	s := r.walked()
	first := r.rootFile()
	r.root.Version = 3
	refuses(t, s, ErrOrder, func() error { return s.UpdateRoot(r.rootFile()) })
	r.root.Version, r.root.Expires = 2, expires.AddDate(-9, 0, 0) // on the way, expiry doesn't count
	if err := s.UpdateRoot(r.rootFile()); err != nil {
		t.Fatal(err)
	}
	if got := s.RootBytes(); string(got) != string(r.rootFile()) {
		t.Error("RootBytes is another root")
	}
	if s.Delegated("main") == nil {
		t.Error("a root with the same keys dropped what stands below")
	}
	refuses(t, s, ErrRollback, func() error { return s.UpdateRoot(first) })
	r.root.ConsistentSnapshot = false
	refuses(t, s, ErrEquivocation, func() error { return s.UpdateRoot(r.rootFile()) })
}

func TestANewRootIsSignedByTheOldKeysAndTheNew(t *testing.T) {
	a, b, c, d := testKey(11), testKey(12), testKey(13), testKey(14)
	r := newRepo(t)
	r.rootRole("root", 2, a, b)
	s := r.set()
	r.root.Version = 2
	r.rootRole("root", 2, b, c, d)
	for name, keys := range map[string][]PrivateKey{
		"one old key, the new ones":  {b, c, d},
		"the old ones, one new key":  {a, b},
		"nobody of the old":          {c, d},
		"strangers":                  {testKey(70), testKey(71), testKey(72)},
		"the timestamp's key beside": {a, c, testKey(2)},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, s, ErrSignature, func() error { return s.UpdateRoot(r.must(SignRoot(r.root, keys...))) })
		})
	}
	if err := s.UpdateRoot(r.must(SignRoot(r.root, a, b, d))); err != nil {
		t.Error(err)
	}
	if got := s.Signers("root"); len(got) != 2 {
		t.Errorf("signers of root: %v", got)
	}
}

func TestChangedKeysForgetWhatTheySigned(t *testing.T) {
	type seen struct{ timestamp, snapshot, targets, main bool }
	for role, want := range map[string]seen{
		"root": {true, true, true, true}, "timestamp": {}, "snapshot": {}, "targets": {true, true, false, false},
	} {
		for _, change := range []func(r *repo){
			func(r *repo) { r.rootRole(role, 1, testKey(50)) },
			func(r *repo) { r.rootRole(role, 1, append(r.signers[role], testKey(50))...) },
			func(r *repo) { r.rootRole(role, 2, r.signers[role]...) },
		} {
			r := newRepo(t)
			r.rootRole(role, 1, append(r.signers[role], testKey(51))...)
			s := r.walked()
			change(r)
			r.root.Version++
			if err := s.UpdateRoot(r.rootFile(testKey(1))); err != nil {
				t.Fatal(role, err)
			}
			got := seen{s.Timestamp() != nil, s.Snapshot() != nil, s.Targets() != nil, s.Delegated("main") != nil}
			if got != want {
				t.Errorf("keys of %s: %+v, want %+v", role, got, want)
			}
			if err := r.walk(s, before); err != nil && role != "root" {
				t.Errorf("keys of %s: %v", role, err)
			}
		}
	}
}

func TestFastForwardIsRecoveredFromByNewKeys(t *testing.T) {
	for _, role := range []string{"timestamp", "snapshot"} {
		r := newRepo(t)
		r.time.Version, r.snap.Version, r.top.Version = 1<<62, 1<<62, 1<<62 // by a thief
		s := r.walked()
		r.time.Version, r.snap.Version, r.top.Version = 2, 2, 2
		refuses(t, s, ErrRollback, func() error { return r.walk(s, before) })
		r.root.Version = 2
		r.rootRole(role, 1, testKey(60))
		if err := s.UpdateRoot(r.rootFile()); err != nil {
			t.Fatal(err)
		}
		if err := r.walk(s, before); err != nil {
			t.Errorf("after new keys of %s: %v", role, err)
		}
	}
}

func TestExpiryIsTheCallersPolicy(t *testing.T) {
	bits := map[string]Expiry{
		"root": ExpireRoot, "timestamp": ExpireTimestamp, "snapshot": ExpireSnapshot, "targets": ExpireTargets, "main": ExpireDelegated,
	}
	for role, bit := range bits {
		r := newRepo(t)
		far := expires.AddDate(1, 0, 0)
		r.root.Expires, r.time.Expires, r.snap.Expires, r.top.Expires = far, far, far, far
		pub := r.pub["main"]
		pub.Expires = far
		for name, at := range map[string]*time.Time{
			"root": &r.root.Expires, "timestamp": &r.time.Expires, "snapshot": &r.snap.Expires, "targets": &r.top.Expires, "main": &pub.Expires,
		} {
			if name == role {
				*at = expires
			}
		}
		r.pub["main"] = pub
		for _, c := range []struct {
			policy Policy
			fine   bool
		}{
			{Policy{expires.Add(-time.Second), ExpireAll}, true},
			{Policy{expires, ExpireAll}, false}, // the second itself is too late
			{Policy{expires, bit}, false},
			{Policy{expires, ExpireAll &^ bit}, true},
			{Policy{expires, ExpireNothing}, true},
			{Policy{expires, ExpireNetwork}, bit&ExpireNetwork == 0},
			{Policy{time.Time{}, bit}, false}, // no clock
			{Policy{}, true},
		} {
			err := r.walk(r.set(), c.policy)
			if c.fine != (err == nil) || err != nil && !errors.Is(err, ErrExpired) {
				t.Errorf("%s expired, policy %b at %v: %v", role, c.policy.Expire, c.policy.Now, err)
			}
		}
	}
}

func TestWhatIsHeldExpiresToo(t *testing.T) {
	r := newRepo(t)
	s := r.walked()
	late := Policy{expires, ExpireTimestamp}
	refuses(t, s, ErrExpired, func() error { return s.UpdateSnapshot(r.snapshotFile(), late) })
	refuses(t, s, ErrExpired, func() error { return s.UpdateTargets(r.targetsFile(), Policy{expires, ExpireSnapshot}) })
	refuses(t, s, ErrExpired, func() error { return s.UpdateDelegated("main", r.pubFile("main"), Policy{expires, ExpireTargets}) })
}

func TestAPublisherSignsItsOwnPathsAndDelegatesToNobody(t *testing.T) {
	for name, targets := range map[string]Targets{
		"another publisher's": {Targets: map[string]Target{"d/other/x/1.json": {SHA256: [32]byte{1}}}},
		"deeper":              {Targets: map[string]Target{"d/main/x/y/1.json": {SHA256: [32]byte{1}}}},
		"one good, one bad":   {Targets: map[string]Target{"d/main/x/1.json": {SHA256: [32]byte{1}}, "d/mainx/x/1.json": {SHA256: [32]byte{1}}}},
		"a seal":              {Targets: map[string]Target{"seal/1": {SHA256: [32]byte{1}}}},
		"a delegation":        {Keys: keyMap(testKey(8)), Roles: []Delegation{delegate("main", 1, testKey(8))}},
		"a role of nobody":    {Keys: map[string]Key{}, Roles: []Delegation{{Name: "x", KeyIDs: []string{}, Threshold: 1, Paths: []string{"x"}, Terminating: true}}},
		"a key":               {Keys: keyMap(testKey(8))},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t)
			targets.Version, targets.Expires = 1, expires
			r.pub["main"] = targets
			s := r.set()
			if err := r.walk(s, before); !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			refuses(t, s, ErrFormat, func() error { return s.UpdateDelegated("main", r.pubFile("main"), before) })
		})
	}
}

func TestARoleIsDelegatedAndInTheSnapshotOrNothing(t *testing.T) {
	r := newRepo(t)
	r.pub["ghost"], r.signers["ghost"] = r.pub["main"], r.signers["main"]
	s := r.walked()
	refuses(t, s, ErrMismatch, func() error { return s.UpdateDelegated("ghost", r.pubFile("ghost"), before) })
	r = newRepo(t)
	r.top.Roles = append(r.top.Roles, delegate("late", 1, testKey(5)))
	s = r.walked2("late")
	refuses(t, s, ErrMismatch, func() error { return s.UpdateDelegated("late", r.pubFile("main"), before) })
}

// walked2 walks and lets the roles that are named be refused.
func (r *repo) walked2(but ...string) *Set {
	s := r.set()
	for _, err := range []error{
		s.UpdateTimestamp(r.timestampFile(), before), s.UpdateSnapshot(r.snapshotFile(), before), s.UpdateTargets(r.targetsFile(), before),
	} {
		if err != nil {
			r.tb.Fatal(err)
		}
	}
	for name := range r.pub {
		if err := s.UpdateDelegated(name, r.pubFile(name), before); err != nil && !slices.Contains(but, name) {
			r.tb.Fatal(err)
		}
	}
	return s
}

func TestACachedRoleIsCheckedAgainstItsCurrentDelegator(t *testing.T) {
	r := newRepo(t)
	s := r.walked()
	cached := r.pubFile("main")
	for name, change := range map[string]func(*Delegation){
		"other keys":        func(d *Delegation) { *d = delegate("main", 1, testKey(40)) },
		"a threshold of 2":  func(d *Delegation) { *d = delegate("main", 2, testKey(5), testKey(40)) },
		"other paths":       func(d *Delegation) { d.Paths = []string{"else/*"} },
		"another publisher": func(d *Delegation) { *d = delegate("other", 1, testKey(5)) },
	} {
		r.top.Keys = keyMap(testKey(5), testKey(40))
		r.top.Roles = []Delegation{delegate("main", 1, testKey(5))}
		change(&r.top.Roles[0])
		r.top.Version++
		r.next()
		if err := errors.Join(s.UpdateTimestamp(r.timestampFile(), before), s.UpdateSnapshot(r.snapshotFile(), before),
			s.UpdateTargets(r.targetsFile(), before)); err != nil {
			t.Fatal(name, err)
		}
		if s.Delegated("main") != nil {
			t.Errorf("%s: the old role is still trusted", name)
		}
		if err := s.UpdateDelegated("main", cached, before); err == nil {
			t.Errorf("%s: the cached role was taken", name)
		}
	}
	r.top.Roles = []Delegation{delegate("main", 1, testKey(5))}
	r.top.Version++
	r.next()
	if err := r.walk(s, before); err != nil || s.Delegated("main") == nil {
		t.Errorf("with the old delegation again: %v", err)
	}
}

func TestARootThatIsNotWellFormedIsNoAnchor(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("{}"), newRepo(t).timestampFile()} {
		if _, err := NewSet(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", b, err)
		}
	}
}
