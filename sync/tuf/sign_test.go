package tuf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestKeyIDAndFilesOfPythonTUFVerify(t *testing.T) {
	// Written by tuf 7.0.1 with the ed25519 seed 07 07 … 07.
	var seven PrivateKey
	copy(seven.seed[:], bytes.Repeat([]byte{7}, 32))
	if got, want := seven.Public().ID(), "bfe1a83869e5bf574e3ff3acbb83f840de84a990d10059f3096f0bf4f2b90c10"; got != want {
		t.Errorf("key id %s, want %s", got, want)
	}
	root, err := os.ReadFile("testdata/python-tuf.root.json")
	if err != nil {
		t.Fatal(err)
	}
	timestamp, err := os.ReadFile("testdata/python-tuf.timestamp.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSet(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.UpdateTimestamp(timestamp, before); err != nil {
		t.Fatal(err)
	}
	if ts := s.Timestamp(); ts.Version != 3 || ts.Snapshot.Length != 10 || ts.SignedAt.Year() != 2029 {
		t.Errorf("%+v", ts)
	}
}

func TestWhatIsSignedReadsBackEqual(t *testing.T) {
	r := newRepo(t)
	root, err := ParseRoot(r.rootFile())
	if err != nil || !reflect.DeepEqual(root, r.root) {
		t.Errorf("%v %+v", err, root)
	}
	r.time.Snapshot = fileOf(9, []byte("x"))
	ts, err := ParseTimestamp(r.timestampFile())
	if err != nil || !reflect.DeepEqual(ts, r.time) {
		t.Errorf("%v %+v", err, ts)
	}
	r.snap.Meta = map[string]File{"targets.json": {Version: 2}, "main.json": fileOf(1<<53+1, nil)}
	r.snap.Meta["main.json"] = File{Version: 1<<53 + 1, Length: 5, SHA256: [32]byte{9}}
	sn, err := ParseSnapshot(r.snapshotFile())
	if err != nil || !reflect.DeepEqual(sn, r.snap) {
		t.Errorf("%v %+v", err, sn)
	}
	r.top.Targets = map[string]Target{}
	top, err := ParseTargets(r.targetsFile())
	if err != nil || !reflect.DeepEqual(top, r.top) {
		t.Errorf("%v %+v", err, top)
	}
	pub, err := ParseTargets(r.pubFile("main"))
	if err != nil || !reflect.DeepEqual(pub, r.pub["main"]) {
		t.Errorf("%v %+v", err, pub)
	}
}

func TestSigningIsDeterministicInWhateverOrder(t *testing.T) {
	r := newRepo(t)
	a, b := testKey(1), testKey(9)
	one := r.must(SignTargets(r.pub["main"], a, b, a))
	two := r.must(SignTargets(r.pub["main"], b, a))
	if !bytes.Equal(one, two) {
		t.Errorf("%s\n%s", one, two)
	}
	local := r.pub["main"]
	local.Expires = local.Expires.In(time.FixedZone("UZT", 5*3600)).Add(999 * time.Millisecond)
	if three := r.must(SignTargets(local, a, b)); !bytes.Equal(one, three) {
		t.Errorf("%s\n%s", one, three)
	}
}

func TestNothingIsSignedThatWouldNotBeRead(t *testing.T) {
	k := testKey(1)
	id, role := k.Public().ID(), roleOf(1, k)
	roles := map[string]Role{"root": role, "timestamp": role, "snapshot": role, "targets": role}
	target := Target{SHA256: [32]byte{1}}
	short := Key{"ed25519", "ed25519", KeyValue{strings.Repeat("ab", 31)}}
	for name, err := range map[string]error{
		"no private key":           second2(SignTargets(Targets{Version: 1, Expires: expires})),
		"a zero private key":       second2(SignTargets(Targets{Version: 1, Expires: expires}, k, PrivateKey{})),
		"version 0":                second2(SignTargets(Targets{Expires: expires}, k)),
		"no expiry":                second2(SignTargets(Targets{Version: 1}, k)),
		"expiry in the year 10000": second2(SignTargets(Targets{Version: 1, Expires: expires.AddDate(7970, 0, 0)}, k)),
		"a path upwards":           second2(SignTargets(Targets{Version: 1, Expires: expires, Targets: map[string]Target{"d/../x": target}}, k)),
		"a path not in UTF-8":      second2(SignTargets(Targets{Version: 1, Expires: expires, Targets: map[string]Target{"d/\xff": target}}, k)),
		"a target without hash":    second2(SignTargets(Targets{Version: 1, Expires: expires, Targets: map[string]Target{"d/x": {Length: 1}}}, k)),
		"a negative length":        second2(SignTargets(Targets{Version: 1, Expires: expires, Targets: map[string]Target{"d/x": {Length: -1, SHA256: target.SHA256}}}, k)),
		"a role without its key":   second2(SignTargets(Targets{Version: 1, Expires: expires, Roles: []Delegation{delegate("a", 1, k)}}, k)),
		"a 31-byte key":            second2(SignRoot(Root{Version: 1, Expires: expires, Keys: map[string]Key{id: k.Public(), short.ID(): short}, Roles: roles}, k)),
		"a key under another id":   second2(SignRoot(Root{Version: 1, Expires: expires, Keys: map[string]Key{id: testKey(2).Public()}, Roles: roles}, k)),
		"a root without roles":     second2(SignRoot(Root{Version: 1, Expires: expires, Keys: keyMap(k)}, k)),
		"a snapshot of nothing":    second2(SignSnapshot(Snapshot{Version: 1, Expires: expires}, k)),
		"a timestamp of nothing":   second2(SignTimestamp(Timestamp{Version: 1, Expires: expires}, k)),
	} {
		if err == nil {
			t.Errorf("%s was signed", name)
		} else if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second2(b []byte, err error) error { return err }

func TestPrivateKeyGoesThroughPEMAndNeverIntoALog(t *testing.T) {
	k, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParsePrivateKey(append(k.MarshalPEM(), "\r\n "...))
	if err != nil || back != k {
		t.Error(err, "another key came back")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		for _, x := range []any{k, &k, struct{ K PrivateKey }{k}} {
			if got := fmt.Sprintf(verb, x); strings.Contains(got, fmt.Sprintf("%x", k.seed[:4])) || strings.Contains(got, fmt.Sprint(k.seed[0], k.seed[1])) {
				t.Errorf("%s of %T: %s", verb, x, got)
			}
		}
	}
	if (PrivateKey{}).MarshalPEM() != nil || (PrivateKey{}).Public() != (Key{}) {
		t.Error("the zero key is somebody")
	}
}

func TestParsePrivateKeyRefusesEverythingElse(t *testing.T) {
	good := string(testKey(1).MarshalPEM())
	for name, text := range map[string]string{
		"nothing":           "",
		"no PEM":            "hello",
		"another block":     strings.ReplaceAll(good, "PRIVATE KEY", "PUBLIC KEY"),
		"two blocks":        good + good,
		"text after":        good + "x",
		"a broken body":     "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"a passphrase's":    strings.ReplaceAll(good, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
		"a key of 31 bytes": "-----BEGIN PRIVATE KEY-----\nMC0CAQAwBQYDK2VwBCEEHwEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n-----END PRIVATE KEY-----\n",
	} {
		if k, err := ParsePrivateKey([]byte(text)); !errors.Is(err, ErrFormat) || k != (PrivateKey{}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMessageIsSignedForItsKeyAlone(t *testing.T) {
	k, other := testKey(1), testKey(2)
	message := []byte("koprik/post/v1\x00digest")
	sig := k.Sign(message)
	if !k.Public().Verifies(message, sig) {
		t.Error("its own signature does not verify")
	}
	changed := append(bytes.Clone(message[:len(message)-1]), 'T')
	if other.Public().Verifies(message, sig) || k.Public().Verifies(changed, sig) || k.Public().Verifies(message, sig[1:]) || (Key{}).Verifies(message, sig) {
		t.Error("another key, message or signature verifies")
	}
}
