package tuf

import (
	"errors"
	"testing"
	"time"
)

func TestWalkFromRootToPublisher(t *testing.T) {
	expires := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	k, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	id, role := k.Public().ID(), Role{KeyIDs: []string{k.Public().ID()}, Threshold: 1}
	keys := map[string]Key{id: k.Public()}
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	root := must(SignRoot(Root{Version: 1, Expires: expires, ConsistentSnapshot: true, Keys: keys,
		Roles: map[string]Role{"root": role, "timestamp": role, "snapshot": role, "targets": role}}, k))
	s, err := NewSet(root)
	if err != nil {
		t.Fatal(err)
	}
	ts := must(SignTimestamp(Timestamp{Version: 1, Expires: expires, SignedAt: expires, Snapshot: File{Version: 1}}, k))
	sn := must(SignSnapshot(Snapshot{Version: 1, Expires: expires, Meta: map[string]File{"targets.json": {Version: 1}, "main.json": {Version: 1}}}, k))
	tg := must(SignTargets(Targets{Version: 1, Expires: expires, Keys: keys, Roles: []Delegation{
		{Name: "main", KeyIDs: []string{id}, Threshold: 1, Paths: []string{"d/main/*/*"}, Terminating: true}}}, k))
	pub := must(SignTargets(Targets{Version: 1, Expires: expires, Targets: map[string]Target{"d/main/water/1.json": {Length: 3, SHA256: [32]byte{1}}}}, k))
	p := Policy{Now: expires.AddDate(-1, 0, 0), Expire: ExpireAll}
	for i, err := range []error{s.UpdateTimestamp(ts, p), s.UpdateSnapshot(sn, p), s.UpdateTargets(tg, p), s.UpdateDelegated("main", pub, p)} {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	if s.Delegated("main").Targets["d/main/water/1.json"].Length != 3 {
		t.Error("target lost")
	}
	if err := s.UpdateTimestamp(ts, p); !errors.Is(err, ErrUnchanged) {
		t.Error(err)
	}
}
