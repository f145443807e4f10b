package tuf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRollbackIsRefused(t *testing.T) {
	for name, back := range map[string]func(*repo){
		"timestamp": func(r *repo) { r.time.Version-- },
		"the snapshot that timestamp names": func(r *repo) {
			r.time.Version++
			r.snap.Version--
		},
		"targets in snapshot": func(r *repo) {
			r.next()
			r.top.Version--
		},
		"a publisher in snapshot": func(r *repo) {
			r.next()
			main := r.pub["main"]
			main.Version--
			r.pub["main"] = main
		},
		"a publisher that vanished": func(r *repo) {
			r.next()
			delete(r.pub, "main")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t)
			r.time.Version, r.snap.Version, r.top.Version = 5, 5, 5
			main := r.pub["main"]
			main.Version = 5
			r.pub["main"] = main
			s := r.walked()
			back(r)
			for range 2 { // and once more: a refusal is not forgotten
				err := s.UpdateTimestamp(r.timestampFile(), before)
				if err == nil || errors.Is(err, ErrUnchanged) {
					refuses(t, s, ErrRollback, func() error { return s.UpdateSnapshot(r.snapshotFile(), before) })
				} else if !errors.Is(err, ErrRollback) {
					t.Error(err)
				}
			}
		})
	}
}

func TestRollbackIsRefusedUnderANewTargetsKeyToo(t *testing.T) {
	r := newRepo(t)
	r.top.Version = 5
	s := r.walked()
	r.root.Version = 2
	r.rootRole("targets", 1, testKey(50))
	if err := s.UpdateRoot(r.rootFile()); err != nil {
		t.Fatal(err)
	}
	r.next()
	r.top.Version = 4
	if err := r.walk(s, before); !errors.Is(err, ErrRollback) {
		t.Error(err)
	}
}

func TestFreezeIsNoticed(t *testing.T) {
	r := newRepo(t)
	s := r.walked()
	late := Policy{expires, ExpireNetwork}
	refuses(t, s, ErrExpired, func() error { return s.UpdateTimestamp(r.timestampFile(), late) })
	r.time.Version = 2
	refuses(t, s, ErrExpired, func() error { return s.UpdateTimestamp(r.timestampFile(), late) })
	refuses(t, s, ErrUnchanged, func() error {
		r.time.Version = 1
		return s.UpdateTimestamp(r.timestampFile(), Policy{expires, ExpireNothing})
	})
}

func TestMixAndMatchIsRefused(t *testing.T) {
	for _, hashes := range []bool{false, true} {
		t.Run(fmt.Sprint("hashes stated: ", hashes), func(t *testing.T) {
			r := newRepo(t)
			r.hashes = hashes
			oldSnapshot, oldTargets, oldPub := r.snapshotFile(), r.targetsFile(), r.pubFile("main")
			r.next()
			r.top.Version = 2
			main := r.pub["main"]
			main.Version = 2
			r.pub["main"] = main
			s := r.set()
			if err := s.UpdateTimestamp(r.timestampFile(), before); err != nil {
				t.Fatal(err)
			}
			refuses(t, s, ErrMismatch, func() error { return s.UpdateSnapshot(oldSnapshot, before) })
			if err := s.UpdateSnapshot(r.snapshotFile(), before); err != nil {
				t.Fatal(err)
			}
			refuses(t, s, ErrMismatch, func() error { return s.UpdateTargets(oldTargets, before) })
			if err := s.UpdateTargets(r.targetsFile(), before); err != nil {
				t.Fatal(err)
			}
			refuses(t, s, ErrMismatch, func() error { return s.UpdateDelegated("main", oldPub, before) })
		})
	}
}

func TestStatedLengthAndHashCountBeforeAnythingIsDecoded(t *testing.T) {
	r := newRepo(t)
	r.hashes = true
	s := r.set()
	if err := s.UpdateTimestamp(r.timestampFile(), before); err != nil {
		t.Fatal(err)
	}
	b := r.snapshotFile()
	refuses(t, s, ErrMismatch, func() error { return s.UpdateSnapshot(append(b, ' '), before) })
	refuses(t, s, ErrMismatch, func() error { return s.UpdateSnapshot(b[:len(b)-1], before) })
	refuses(t, s, ErrMismatch, func() error {
		return s.UpdateSnapshot(tamper(t, b, `"version":1`, `"version":2`), before)
	})
	refuses(t, s, ErrMismatch, func() error { return s.UpdateSnapshot([]byte(strings.Repeat("[", len(b))), before) })
}

func TestAStatedHashOfZerosIsStatedAndMatchesNothing(t *testing.T) {
	r := newRepo(t)
	r.hashes = true
	s := r.set()
	b := r.timestampFile()
	at := strings.Index(string(b), `"sha256":"`) + len(`"sha256":"`)
	signed := strings.Replace(signedPart(t, b), string(b[at:at+64]), strings.Repeat("00", 32), 1)
	if err := s.UpdateTimestamp(resign(t, signed, r.signers["timestamp"]...), before); err != nil {
		t.Fatal(err)
	}
	refuses(t, s, ErrMismatch, func() error { return s.UpdateSnapshot(r.snapshotFile(), before) })
}

func TestAStatedLengthAloneCounts(t *testing.T) {
	r := newRepo(t)
	r.time.Snapshot = File{Version: 1, Length: int64(len(r.snapshotFile()))}
	s := r.set()
	if err := s.UpdateTimestamp(r.timestampFile(), before); err != nil {
		t.Fatal(err)
	}
	refuses(t, s, ErrMismatch, func() error { return s.UpdateSnapshot(append(r.snapshotFile(), ' '), before) })
	if err := s.UpdateSnapshot(r.snapshotFile(), before); err != nil {
		t.Error(err)
	}
}

func TestArbitrarySoftwareIsRefused(t *testing.T) {
	thief := testKey(99)
	for _, role := range []string{"timestamp", "snapshot", "targets", "main"} {
		for name, keys := range map[string][]PrivateKey{
			"a stranger's key": {thief}, "the other roles' keys": {testKey(6), thief},
		} {
			r := newRepo(t)
			s := r.set()
			r.signers[role] = keys
			for i, other := range append(topRoles, "main") {
				if name == "the other roles' keys" && other != role {
					r.signers[role] = append(r.signers[role], testKey(byte(i+1)))
				}
			}
			if err := r.walk(s, before); !errors.Is(err, ErrSignature) {
				t.Errorf("%s by %s: %v", role, name, err)
			}
		}
	}
}

func TestAByteChangedAfterSigningIsRefused(t *testing.T) {
	r := newRepo(t)
	s := r.walked2()
	r.next()
	good := string(r.timestampFile())
	for _, edit := range [][2]string{
		{`"version":2}}`, `"version":3}}`},
		{"2030-01-02", "2031-01-02"},
		{"2029-12-31", "2029-12-30"},
		{`"1.0.31"`, `"1.0.30"`},
		{`"meta":{`, `"a":1,"meta":{`},
		{`"sig":"`, `"sig":"00`},
		{`"sig":"`, `"sig":"","x":"`},
		{`"keyid":"`, `"keyid":"0`},
	} {
		refuses(t, s, ErrSignature, func() error { return s.UpdateTimestamp(tamper(t, []byte(good), edit[0], edit[1]), before) })
	}
	refuses(t, s, ErrSignature, func() error {
		return s.UpdateTimestamp([]byte(`{"signatures":[],"signed":`+signedPart(t, []byte(good))+`}`), before)
	})
	spaced := strings.ReplaceAll(good, `,"`, ",\n \"")
	if err := s.UpdateTimestamp([]byte(spaced), before); err != nil {
		t.Errorf("white space is not signed: %v", err)
	}
}

func TestOneStolenKeyIsBelowTheThreshold(t *testing.T) {
	a, b, c := testKey(21), testKey(22), testKey(23)
	r := newRepo(t)
	r.top.Keys = keyMap(a, b, c)
	r.top.Roles = []Delegation{delegate("main", 2, a, b, c)}
	for name, v := range map[string]struct {
		keys []PrivateKey
		fine bool
	}{
		"one": {[]PrivateKey{a}, false}, "one twice": {[]PrivateKey{a, a}, false}, "one and a stranger": {[]PrivateKey{a, testKey(99)}, false},
		"two": {[]PrivateKey{a, c}, true}, "three": {[]PrivateKey{a, b, c}, true}, "two and a stranger": {[]PrivateKey{a, b, testKey(99)}, true},
	} {
		r.signers["main"] = v.keys
		err := r.walk(r.set(), before)
		if v.fine != (err == nil) || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%s of 2 of 3: %v", name, err)
		}
	}
}

func TestTheSameSignatureTwiceIsRefused(t *testing.T) {
	r := newRepo(t)
	s := r.set()
	b := r.timestampFile()
	start, end := strings.Index(string(b), `[{"keyid"`)+1, strings.Index(string(b), `],"signed"`)
	twice := string(b[:end]) + "," + string(b[start:end]) + string(b[end:])
	refuses(t, s, ErrFormat, func() error { return s.UpdateTimestamp([]byte(twice), before) })
}

func TestOneKeyUnderTwoIDsCountsOnce(t *testing.T) {
	a, b := testKey(1), testKey(31)
	key := func(k PrivateKey) string {
		return `{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"` + k.Public().Value.Public + `"}}`
	}
	root := func(second PrivateKey) (signed string) {
		role := `{"keyids":["one","two"],"threshold":2}`
		return `{"_type":"root","spec_version":"1.0","version":1,"expires":"2030-01-01T00:00:00Z","consistent_snapshot":true,` +
			`"keys":{"one":` + key(a) + `,"two":` + key(second) + `},` +
			`"roles":{"root":` + role + `,"timestamp":` + role + `,"snapshot":` + role + `,"targets":` + role + `}}`
	}
	sign := func(signed string, two PrivateKey) []byte {
		file := string(resign(t, signed, a)) // under a's own id, which the root doesn't know
		sig := strings.Split(file, `"sig":"`)[1]
		sig2 := strings.Split(string(resign(t, signed, two)), `"sig":"`)[1]
		return []byte(`{"signatures":[{"keyid":"one","sig":"` + sig[:128] + `"},{"keyid":"two","sig":"` + sig2[:128] + `"}],"signed":` + signed + `}`)
	}
	if _, err := NewSet(sign(root(a), a)); !errors.Is(err, ErrSignature) {
		t.Errorf("one key under two ids: %v", err)
	}
	if _, err := NewSet(sign(root(b), b)); err != nil {
		t.Errorf("two keys under ids of their own: %v", err)
	}
}

func TestA31ByteKeyInADelegationIsAnErrorAndNoPanic(t *testing.T) {
	r := newRepo(t)
	public := testKey(5).Public().Value.Public
	for _, bad := range []string{public[2:], public + "00", ""} {
		signed := strings.ReplaceAll(signedPart(t, r.targetsFile()), public, bad)
		s := r.set()
		if err := errors.Join(s.UpdateTimestamp(r.timestampFile(), before), s.UpdateSnapshot(r.snapshotFile(), before)); err != nil {
			t.Fatal(err)
		}
		refuses(t, s, ErrFormat, func() error { return s.UpdateTargets(resign(t, signed, r.signers["targets"]...), before) })
	}
	for _, sig := range []string{"", "00", strings.Repeat("00", 63), strings.Repeat("00", 65)} {
		if testKey(1).Public().verifies(nil, sig, nil) || (Key{"ed25519", "ed25519", KeyValue{"00"}}).verifies(nil, sig, nil) {
			t.Errorf("%q verifies", sig)
		}
	}
}

func TestAKeyOfANewerKindSuspendsItsPublisherAlone(t *testing.T) {
	r := newRepo(t)
	r.pub["other"] = Targets{Version: 1, Expires: expires}
	r.signers["other"] = []PrivateKey{testKey(7)}
	r.top.Keys = keyMap(testKey(5), testKey(7))
	r.top.Roles = append(r.top.Roles, delegate("other", 1, testKey(7)))
	other := testKey(7).Public().Value.Public
	for _, newer := range []string{
		`{"keytype":"ml-dsa","keyval":{"public":"` + other + `"},"scheme":"ml-dsa-44"}`,
		`{"keytype":"ed25519","keyval":{"public":"` + other + `"},"scheme":"ed25519ph"}`,
	} {
		s := r.set()
		if err := errors.Join(s.UpdateTimestamp(r.timestampFile(), before), s.UpdateSnapshot(r.snapshotFile(), before)); err != nil {
			t.Fatal(err)
		}
		signed := strings.ReplaceAll(signedPart(t, r.targetsFile()),
			`{"keytype":"ed25519","keyval":{"public":"`+other+`"},"scheme":"ed25519"}`, newer)
		if err := s.UpdateTargets(resign(t, signed, r.signers["targets"]...), before); err != nil {
			t.Fatal(err)
		}
		refuses(t, s, ErrSignature, func() error { return s.UpdateDelegated("other", r.pubFile("other"), before) })
		if err := s.UpdateDelegated("main", r.pubFile("main"), before); err != nil {
			t.Error(err)
		}
	}
}

func TestEquivocationIsTold(t *testing.T) {
	r := newRepo(t)
	s := r.walked()
	r.time.SignedAt = r.time.SignedAt.AddDate(0, 0, 1)
	refuses(t, s, ErrEquivocation, func() error { return s.UpdateTimestamp(r.timestampFile(), before) })
	refuses(t, s, ErrEquivocation, func() error { return s.UpdateTimestamp(r.timestampFile(), Policy{expires, ExpireTimestamp}) })
	r.time.Version, r.snap.Expires = 2, expires.AddDate(0, 1, 0)
	if err := s.UpdateTimestamp(r.timestampFile(), before); err != nil {
		t.Fatal(err)
	}
	refuses(t, s, ErrEquivocation, func() error { return s.UpdateSnapshot(r.snapshotFile(), before) })
	r.snap.Expires = expires
	if err := r.walk(s, before); err != nil {
		t.Fatal(err)
	}
	r.top.Expires = expires.AddDate(0, 1, 0)
	refuses(t, s, ErrEquivocation, func() error { return s.UpdateTargets(r.targetsFile(), before) })
	main := r.pub["main"]
	main.Expires = expires.AddDate(0, 1, 0)
	r.pub["main"] = main
	refuses(t, s, ErrEquivocation, func() error { return s.UpdateDelegated("main", r.pubFile("main"), before) })
}

func TestEquivocationIsToldByStatedHashes(t *testing.T) {
	r := newRepo(t)
	r.hashes = true
	s := r.walked()
	r.time.Version, r.snap.Expires = 2, expires.AddDate(0, 1, 0)
	refuses(t, s, ErrEquivocation, func() error { return s.UpdateTimestamp(r.timestampFile(), before) })
	r.next()
	main := r.pub["main"]
	main.Targets = map[string]Target{}
	r.pub["main"] = main
	if err := s.UpdateTimestamp(r.timestampFile(), before); err != nil {
		t.Fatal(err)
	}
	refuses(t, s, ErrEquivocation, func() error { return s.UpdateSnapshot(r.snapshotFile(), before) })
}

func TestGarbageCannotRaiseAnAlarm(t *testing.T) {
	r := newRepo(t)
	s := r.walked()
	r.signers["timestamp"] = []PrivateKey{testKey(99)}
	r.time.SignedAt = r.time.SignedAt.AddDate(0, 0, 1)
	refuses(t, s, ErrSignature, func() error { return s.UpdateTimestamp(r.timestampFile(), before) })
}
