package origin

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/tuf"
)

// maxKeyFile bounds a key file: an ed25519 key as PEM has 119 bytes.
const maxKeyFile = 16 << 10

// The roles that every repository has.
const (
	roleRoot      = "root"
	roleTargets   = "targets"
	roleSnapshot  = "snapshot"
	roleTimestamp = "timestamp"
)

// What the names of files in keys/ end with: a key that signs, one that an
// unfinished rotation has made, one that a rotation has replaced. Of these the
// first two are at hand.
const (
	keySuffix = ".pem"
	newSuffix = ".new.pem"
	oldSuffix = ".pem.old"
)

func publisherKey(p portal.PublisherID) string { return "publisher-" + string(p) }

// keyName is what a role's own key file is called.
func keyName(role string) string {
	switch role {
	case roleRoot, roleTargets, roleSnapshot, roleTimestamp, datapackage.TalkbackRole, datapackage.SealRole:
		return role
	}
	return publisherKey(portal.PublisherID(role))
}

// ring is the private keys at hand: those in keys/ without a passphrase, and
// those that somebody brought for this run. Who signs what is said by key ids in
// the metadata; the names of files are for people.
type ring struct {
	keys  map[string]tuf.PrivateKey // by key id
	files map[string]string         // key id → name in keys/; "" for one that was brought
}

func (o *Origin) ring() (ring, error) {
	r := ring{keys: map[string]tuf.PrivateKey{}, files: map[string]string{}}
	entries, err := o.keys.ReadDir(".")
	if err != nil {
		return r, fmt.Errorf("keys: %w", err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), keySuffix) || disk.IsTemp(e.Name()) {
			continue
		}
		b, err := disk.ReadFile(o.keys, e.Name(), maxKeyFile)
		if err != nil {
			return r, fmt.Errorf("key file keys/%s: %w", e.Name(), err)
		}
		if Sealed(b) {
			continue
		}
		k, err := tuf.ParsePrivateKey(b)
		if err != nil {
			return r, fmt.Errorf("key file keys/%s: %w", e.Name(), err)
		}
		r.add(k, e.Name())
	}
	for _, k := range o.brought {
		r.add(k, "")
	}
	return r, nil
}

func (r ring) add(k tuf.PrivateKey, file string) {
	id := k.Public().ID()
	if _, there := r.files[id]; there && file == "" {
		return
	}
	r.keys[id], r.files[id] = k, file
}

// of gives the keys at hand that sign for all of roles: what one file needs that
// has to hold before and after a change of its keys.
func (r ring) of(what string, roles ...tuf.Role) ([]tuf.PrivateKey, error) {
	signing := map[string]tuf.PrivateKey{}
	for _, role := range roles {
		have := 0
		for _, id := range role.KeyIDs {
			if k, ok := r.keys[id]; ok {
				signing[id] = k
				have++
			}
		}
		if have < role.Threshold {
			return nil, tooFew(what, role, have)
		}
	}
	keys := make([]tuf.PrivateKey, 0, len(signing))
	for _, id := range slices.Sorted(maps.Keys(signing)) {
		keys = append(keys, signing[id])
	}
	return keys, nil
}

// can tells whether enough keys are at hand.
func (r ring) can(role tuf.Role) bool {
	_, err := r.of("", role)
	return err == nil
}

// ErrTooFewKeys says that a role cannot be signed here and now.
var ErrTooFewKeys = errors.New("too few keys at hand")

func tooFew(what string, role tuf.Role, have int) error {
	p := &portal.Problem{
		Kind: portal.ErrUsage, Where: what, Cause: ErrTooFewKeys,
		Message: fmt.Sprintf("needs %d of its %d keys to sign, %d at hand", role.Threshold, len(role.KeyIDs), have),
	}
	return p.WithHint("koprik key show tells whose they are; --with FILE brings one for this time")
}

// keyFile reads keys/<name>; ok is false when there is none.
func (o *Origin) keyFile(name string) (k tuf.PrivateKey, ok bool, err error) {
	b, err := disk.ReadFile(o.keys, name, maxKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return k, false, nil
	}
	if err != nil {
		return k, false, fmt.Errorf("key file keys/%s: %w", name, err)
	}
	if k, err = tuf.ParsePrivateKey(b); err != nil {
		return k, false, fmt.Errorf("key file keys/%s: %w", name, err)
	}
	return k, true, nil
}

// ensureKey reads keys/<name>, or makes it: a key that anything was signed with
// is never replaced.
func (o *Origin) ensureKey(name string) (tuf.PrivateKey, error) {
	k, ok, err := o.keyFile(name)
	if ok || err != nil {
		return k, err
	}
	k, err = tuf.GenerateKey()
	if err != nil {
		return k, err
	}
	if err := disk.WriteFile(o.keys, name, k.MarshalPEM()); err != nil {
		return k, fmt.Errorf("key file keys/%s: %w", name, err)
	}
	return k, nil
}

// KeyInfo is one key of one role.
type KeyInfo struct {
	Role      string
	ID        string
	Public    tuf.Key
	Threshold int    // how many of the role's keys have to sign
	File      string // where its private half is, in keys/; "" when it is not there
}

// Keys lists every key that signs in this repository, the four roles of root
// first and then the publishers.
func (o *Origin) Keys() ([]KeyInfo, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	var all []KeyInfo
	add := func(role string, r tuf.Role, keys map[string]tuf.Key) {
		for _, id := range r.KeyIDs {
			all = append(all, KeyInfo{role, id, keys[id], r.Threshold, c.ring.files[id]})
		}
	}
	for _, role := range []string{roleRoot, roleTargets, roleSnapshot, roleTimestamp} {
		add(role, c.root.Roles[role], c.root.Keys)
	}
	for _, d := range c.targets.Roles {
		add(d.Name, tuf.Role{KeyIDs: d.KeyIDs, Threshold: d.Threshold}, c.targets.Keys)
	}
	return all, nil
}
