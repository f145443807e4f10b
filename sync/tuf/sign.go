package tuf

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

const specVersion = "1.0.31" // that is written

// SignRoot writes a root file: canonical JSON, the same bytes for the same root and
// keys. A root that follows another needs signatures by keys of both. What ParseRoot
// would not read, and a key under another's id, are errors. Times are whole seconds.
func SignRoot(r Root, keys ...PrivateKey) ([]byte, error) {
	r.Expires = second(r.Expires)
	return sign("root", &r, &Root{}, r.Keys, keys)
}

// SignTimestamp is SignRoot for a timestamp. A zero SignedAt is left out.
func SignTimestamp(t Timestamp, keys ...PrivateKey) ([]byte, error) {
	t.Expires, t.SignedAt = second(t.Expires), second(t.SignedAt)
	w := &wireTimestamp{&t, map[string]File{"snapshot.json": t.Snapshot}}
	return sign("timestamp", w, &wireTimestamp{Timestamp: &Timestamp{}}, nil, keys)
}

// SignSnapshot is SignRoot for a snapshot.
func SignSnapshot(s Snapshot, keys ...PrivateKey) ([]byte, error) {
	s.Expires = second(s.Expires)
	return sign("snapshot", &s, &Snapshot{}, nil, keys)
}

// SignTargets is SignRoot for a targets file, the top one or a publisher's.
// Without Keys and Roles, "delegations" is left out.
func SignTargets(t Targets, keys ...PrivateKey) ([]byte, error) {
	t.Expires = second(t.Expires)
	if t.Targets == nil {
		t.Targets = map[string]Target{}
	}
	w := &wireTargets{Targets: &t}
	if len(t.Keys) > 0 || len(t.Roles) > 0 {
		w.Delegations = &wireDelegations{t.Keys, append([]Delegation{}, t.Roles...)}
	}
	return sign("targets", w, &wireTargets{Targets: &Targets{}}, t.Keys, keys)
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// sign writes content, and reads it back into an empty shape of its type.
func sign(kind string, content, empty shape, listed map[string]Key, keys []PrivateKey) ([]byte, error) {
	for id, k := range listed {
		if raw, _ := k.raw(); raw == nil || k.ID() != id {
			return nil, fmt.Errorf("sign %s: %w: key %.80q: not ed25519, or another's id", kind, ErrFormat, id)
		}
	}
	if len(keys) == 0 || slices.Contains(keys, PrivateKey{}) {
		return nil, fmt.Errorf("sign %s: %w: a private key is missing", kind, ErrSignature)
	}
	b, err := write(kind, content, keys)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w: %w", kind, ErrFormat, err)
	}
	if _, err = open(b, kind, empty, nil); err != nil {
		return nil, fmt.Errorf("sign %w", err)
	}
	return b, nil
}

func write(kind string, content shape, keys []PrivateKey) ([]byte, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	parsed, err := parseJSON(b)
	if err != nil {
		return nil, err
	}
	signed := parsed.(map[string]any)
	signed["_type"], signed["spec_version"] = kind, specVersion
	message, err := appendCanonical(nil, signed)
	if err != nil {
		return nil, err
	}
	sigs := map[string]any{} // by key id: a key signs once
	for _, k := range keys {
		id := k.Public().ID()
		sigs[id] = map[string]any{"keyid": id, "sig": hex.EncodeToString(k.Sign(message))}
	}
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(sigs)) {
		list = append(list, sigs[id])
	}
	return appendCanonical(nil, map[string]any{"signatures": list, "signed": signed})
}
