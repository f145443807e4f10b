package tuf

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// specVersion is the version of the TUF specification that is written.
const specVersion = "1.0.31"

// SignRoot writes a root file: canonical JSON, the same bytes for the same
// root and keys, whatever the order of keys. A root that follows another one
// needs signatures by the keys of both. What ParseRoot would not read back is
// an error, and so is a key under another id than its own.
func SignRoot(root Root, keys ...PrivateKey) ([]byte, error) {
	roles := make([]member, 0, len(root.Roles))
	for name, r := range root.Roles {
		roles = append(roles, member{name, roleObject(r.KeyIDs, r.Threshold)})
	}
	b, err := sign("root", root.Version, root.Expires, keys,
		member{"consistent_snapshot", boolean(root.ConsistentSnapshot)},
		member{"keys", keysObject(root.Keys)},
		member{"roles", object(roles...)})
	if err != nil {
		return nil, err
	}
	if err := checkIDs(root.Keys); err != nil {
		return nil, fmt.Errorf("sign root: %w", err)
	}
	if _, err := ParseRoot(b); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return b, nil
}

// SignTimestamp is SignRoot for a timestamp. A zero SignedAt is left out.
func SignTimestamp(t Timestamp, keys ...PrivateKey) ([]byte, error) {
	members := []member{{"meta", object(member{"snapshot.json", t.Snapshot.value()})}}
	if !t.SignedAt.IsZero() {
		members = append(members, member{"x-signed-at", timeValue(t.SignedAt)})
	}
	b, err := sign("timestamp", t.Version, t.Expires, keys, members...)
	if err != nil {
		return nil, err
	}
	if _, err := ParseTimestamp(b); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return b, nil
}

// SignSnapshot is SignRoot for a snapshot.
func SignSnapshot(s Snapshot, keys ...PrivateKey) ([]byte, error) {
	meta := make([]member, 0, len(s.Meta))
	for name, f := range s.Meta {
		meta = append(meta, member{name, f.value()})
	}
	b, err := sign("snapshot", s.Version, s.Expires, keys, member{"meta", object(meta...)})
	if err != nil {
		return nil, err
	}
	if _, err := ParseSnapshot(b); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return b, nil
}

// SignTargets is SignRoot for a targets file, the top one or a publisher's;
// without delegations the member is left out.
func SignTargets(t Targets, keys ...PrivateKey) ([]byte, error) {
	targets := make([]member, 0, len(t.Targets))
	for name, target := range t.Targets {
		targets = append(targets, member{name, object(hashes(target.SHA256), member{"length", number(target.Length)})})
	}
	members := []member{{"targets", object(targets...)}}
	if len(t.Keys) > 0 || len(t.Roles) > 0 {
		roles := value{kind: kindArray}
		for _, d := range t.Roles {
			r := roleObject(d.KeyIDs, d.Threshold)
			r.members = append(r.members, member{"name", text(d.Name)},
				member{"paths", texts(d.Paths)}, member{"terminating", boolean(d.Terminating)})
			roles.members = append(roles.members, member{value: object(r.members...)})
		}
		members = append(members, member{"delegations", object(member{"keys", keysObject(t.Keys)}, member{"roles", roles})})
	}
	b, err := sign("targets", t.Version, t.Expires, keys, members...)
	if err != nil {
		return nil, err
	}
	if err := checkIDs(t.Keys); err != nil {
		return nil, fmt.Errorf("sign targets: %w", err)
	}
	if _, err := ParseTargets(b); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return b, nil
}

func sign(kind string, version int64, expires time.Time, keys []PrivateKey, members ...member) ([]byte, error) {
	if expires.IsZero() {
		return nil, fmt.Errorf("sign %s: no expiry given", kind)
	}
	signed := object(append(members,
		member{"_type", text(kind)},
		member{"expires", timeValue(expires)},
		member{"spec_version", text(specVersion)},
		member{"version", number(version)})...)
	message, err := signed.appendCanonical(nil)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", kind, err)
	}
	sigs := map[string]string{}
	for _, k := range keys {
		if k.key == nil {
			return nil, fmt.Errorf("sign %s: an empty private key", kind)
		}
		sigs[k.Public().ID()] = hex.EncodeToString(ed25519.Sign(k.key, message))
	}
	if len(sigs) == 0 {
		return nil, fmt.Errorf("sign %s: no key given", kind)
	}
	list := value{kind: kindArray}
	for _, id := range slices.Sorted(maps.Keys(sigs)) {
		list.members = append(list.members, member{value: object(member{"keyid", text(id)}, member{"sig", text(sigs[id])})})
	}
	return object(member{"signatures", list}, member{"signed", signed}).appendCanonical(nil)
}

func checkIDs(keys map[string]Key) error {
	for id, k := range keys {
		if !k.isEd25519() {
			return fmt.Errorf("key %s: only ed25519 keys are written", id)
		}
		if k.ID() != id {
			return errors.New("key " + k.ID() + " stands under the id " + id)
		}
	}
	return nil
}

func (f File) value() value {
	members := []member{{"version", number(f.Version)}}
	if f.Length != 0 {
		members = append(members, member{"length", number(f.Length)})
	}
	if f.SHA256 != [32]byte{} {
		members = append(members, hashes(f.SHA256))
	}
	return object(members...)
}

func hashes(sum [32]byte) member {
	return member{"hashes", object(member{"sha256", text(hex.EncodeToString(sum[:]))})}
}

func keysObject(keys map[string]Key) value {
	members := make([]member, 0, len(keys))
	for id, k := range keys {
		members = append(members, member{id, k.value()})
	}
	return object(members...)
}

func roleObject(keyIDs []string, threshold int) value {
	return object(member{"keyids", texts(keyIDs)}, member{"threshold", number(int64(threshold))})
}

func object(members ...member) value {
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return value{kind: kindObject, members: members}
}

func text(s string) value { return value{kind: kindString, text: s} }

func texts(list []string) value {
	v := value{kind: kindArray}
	for _, s := range list {
		v.members = append(v.members, member{value: text(s)})
	}
	return v
}

func number(n int64) value { return value{kind: kindNumber, text: strconv.FormatInt(n, 10)} }

func boolean(b bool) value { return value{kind: kindBool, text: strconv.FormatBool(b)} }

func timeValue(t time.Time) value { return text(t.UTC().Format(timeFormat)) }
