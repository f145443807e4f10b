package tuf

import (
	"errors"
	"strings"
	"testing"
)

// A general set is for the conformance suite. Here: what it takes, ours refuses.

// nobody verifies for no key of another type.
func nobody(Key, []byte, []byte) bool { return false }

// generally changes the text of one role's signed part, signs it again, and
// offers the repository to a general set and to ours.
func generally(t *testing.T, role, old, new string) (general, ours error) {
	t.Helper()
	r := newRepo(t)
	files := map[string][]byte{
		"timestamp": r.timestampFile(), "snapshot": r.snapshotFile(), "targets": r.targetsFile(), "main": r.pubFile("main"),
	}
	for name, b := range files {
		if name == role {
			files[name] = resign(t, strings.ReplaceAll(signedPart(t, b), old, new), r.signers[name]...)
		}
	}
	offer := func(s *Set, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		for _, update := range []func() error{
			func() error { return s.UpdateTimestamp(files["timestamp"], before) },
			func() error { return s.UpdateSnapshot(files["snapshot"], before) },
			func() error { return s.UpdateTargets(files["targets"], before) },
			func() error { return s.UpdateDelegated("main", files["main"], before) },
		} {
			if err := update(); err != nil {
				return err
			}
		}
		return nil
	}
	return offer(NewGeneralSet(r.rootFile(), nobody)), offer(NewSet(r.rootFile()))
}

func TestOnlyAGeneralSetTakes(t *testing.T) {
	sum := strings.Repeat("01", 64)
	for name, c := range map[string]struct{ role, old, new string }{
		"a role of any name in snapshot":    {"snapshot", `"meta":{`, `"meta":{"../Ўқув 1.json":{"version":1},`},
		"a delegation of any name":          {"targets", `"roles":[`, `"roles":[{"keyids":[],"name":"../x","paths":["x/*"],"terminating":false,"threshold":1},`},
		"delegations that overlap":          {"targets", `"roles":[`, `"roles":[{"keyids":[],"name":"x","paths":["*","d/main/*/*"],"terminating":true,"threshold":1},`},
		"one that doesn't end the search":   {"targets", `"terminating":true`, `"terminating":false`},
		"a target outside the paths":        {"main", `"targets":{`, `"targets":{"a":{"hashes":{"sha256":"` + sum[:64] + `"},"length":1},`},
		"a target by SHA-512 alone":         {"main", `"targets":{`, `"targets":{"d/main/a/1.json":{"hashes":{"sha512":"` + sum + `"},"length":1},`},
		"a role that delegates":             {"main", `"targets":{`, `"delegations":{"keys":{},"roles":[{"keyids":[],"name":"x","paths":["x/*"],"terminating":true,"threshold":1}]},"targets":{`},
		"a role with a key it may give out": {"main", `"targets":{`, `"delegations":{"keys":{"k":{"keytype":"x","scheme":"x","keyval":{"public":""}}},"roles":[]},"targets":{`},
	} {
		general, ours := generally(t, c.role, c.old, c.new)
		if general != nil || !errors.Is(ours, ErrFormat) {
			t.Errorf("%s: a general set: %v; ours: %v", name, general, ours)
		}
	}
}

func TestAGeneralSetRefusesTooWhat(t *testing.T) {
	sum := strings.Repeat("01", 64)
	for name, c := range map[string]struct{ role, old, new string }{
		"has a role without name":       {"snapshot", `"meta":{`, `"meta":{".json":{"version":1},`},
		"delegates to a role of root's": {"targets", `"roles":[`, `"roles":[{"keyids":[],"name":"root","paths":["x/*"],"terminating":true,"threshold":1},`},
		"delegates twice":               {"targets", `"roles":[`, `"roles":[{"keyids":[],"name":"main","paths":["x/*"],"terminating":true,"threshold":1},`},
		"delegates upwards":             {"targets", `d/main/*/*`, `d/../*`},
		"hashes by nothing known":       {"main", `"targets":{`, `"targets":{"a":{"hashes":{"md5":"00"},"length":1},`},
		"has a short SHA-512":           {"main", `"targets":{`, `"targets":{"a":{"hashes":{"sha512":"` + sum[2:] + `"},"length":1},`},
		"names a target upwards":        {"main", `"targets":{`, `"targets":{"../a":{"hashes":{"sha256":"` + sum[:64] + `"},"length":1},`},
	} {
		if general, ours := generally(t, c.role, c.old, c.new); !errors.Is(general, ErrFormat) || !errors.Is(ours, ErrFormat) {
			t.Errorf("metadata that %s: a general set: %v; ours: %v", name, general, ours)
		}
	}
}

func TestANestedRoleIsVerifiedByTheOneThatDelegatesToIt(t *testing.T) {
	r := newRepo(t)
	child := Targets{Version: 1, Expires: expires}
	r.snap.Meta = map[string]File{"child.json": {Version: 1}}
	signed := strings.Replace(signedPart(t, r.pubFile("main")), `"targets":{`, `"delegations":{"keys":{"k":{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"`+
		testKey(9).Public().Value.Public+`"}}},"roles":[{"keyids":["k"],"name":"child","paths":["x/*"],"terminating":true,"threshold":1}]},"targets":{`, 1)
	main := resign(t, signed, testKey(5))
	good := strings.Replace(string(r.must(SignTargets(child, testKey(9)))), testKey(9).Public().ID(), "k", 1)
	s, err := NewGeneralSet(r.rootFile(), nobody)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.UpdateTimestamp(r.timestampFile(), before), s.UpdateSnapshot(r.snapshotFile(), before), s.UpdateTargets(r.targetsFile(), before)); err != nil {
		t.Fatal(err)
	}
	refuses(t, s, ErrMismatch, func() error { return s.UpdateNested("main", "child", []byte(good), before) }) // main isn't held yet
	if err := s.UpdateDelegated("main", main, before); err != nil {
		t.Fatal(err)
	}
	refuses(t, s, ErrMismatch, func() error { return s.UpdateNested("targets", "child", []byte(good), before) })
	refuses(t, s, ErrMismatch, func() error { return s.UpdateNested("snapshot", "child", []byte(good), before) })
	refuses(t, s, ErrSignature, func() error { return s.UpdateNested("main", "child", r.must(SignTargets(child, testKey(5))), before) })
	refuses(t, s, ErrOrder, func() error { return s.UpdateNested("main", "targets", []byte(good), before) })
	if err := s.UpdateNested("main", "child", []byte(good), before); err != nil || s.Delegated("child") == nil {
		t.Error(err)
	}
}

func TestAKeyOfAnotherTypeIsLeftToTheVerifier(t *testing.T) {
	r := newRepo(t)
	public := testKey(1).Public().Value.Public
	signed := strings.Replace(signedPart(t, r.rootFile()), `{"keytype":"ed25519","keyval":{"public":"`+public, `{"keytype":"other","keyval":{"public":"`+public, 1)
	root := resign(t, signed, testKey(1))
	asked := 0
	says := func(answer bool) Verifier {
		return func(k Key, message, sig []byte) bool {
			asked++
			if k.Type != "other" || string(message) != signed || len(sig) != 64 {
				t.Errorf("asked about %+v", k)
			}
			return answer
		}
	}
	if _, err := NewGeneralSet(root, says(true)); err != nil || asked != 1 {
		t.Errorf("%v after %d questions", err, asked)
	}
	for _, v := range []Verifier{says(false), nil} {
		if _, err := NewGeneralSet(root, v); !errors.Is(err, ErrSignature) {
			t.Error(err)
		}
	}
	if _, err := NewGeneralSet(r.rootFile(), says(true)); err != nil || asked != 2 {
		t.Errorf("ed25519 was left to another: %v, %d questions", err, asked)
	}
	if _, err := NewGeneralSet(resign(t, signedPart(t, r.rootFile()), testKey(9)), says(true)); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
}
