package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/origin"
	"koprik/sync/tuf"
)

// KeyFile is a key that a person brought: its public half, and perhaps the
// private one.
type KeyFile = origin.KeyFile

// KeyChange says what a change of keys has brought.
type KeyChange = origin.Rotation

// Key is one key of one role, for people and programs to compare.
type Key struct {
	Role      string // root, targets, snapshot, timestamp, or a publisher
	ID        string
	Words     string // the fingerprint that people read aloud
	Public    string // the public key as one line, as a QR code holds it
	Threshold int    // how many of the role's keys have to sign
	File      string // the private half's file in the data directory; "" when it is elsewhere
	Suspended bool   // what this publisher has published waits to be signed again
}

// Keys lists every key that signs in this node's own repository.
func (n *Node) Keys() ([]Key, error) {
	if !n.central() {
		return nil, notCentral("key")
	}
	o, done, err := n.origin()
	if err != nil {
		return nil, err
	}
	defer done()
	infos, err := o.Keys()
	if err != nil {
		return nil, err
	}
	suspended, err := o.Suspended()
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(infos))
	for i, k := range infos {
		keys[i] = Key{
			Role: k.Role, ID: k.ID, Words: portal.SixWords(k.ID), Public: origin.MarshalPublic(k.Public), Threshold: k.Threshold,
			Suspended: slices.Contains(suspended, portal.PublisherID(k.Role)),
		}
		if k.File != "" {
			keys[i].File = keysDir + "/" + k.File
		}
	}
	return keys, nil
}

// minPassphrase is how many bytes a passphrase has at least: four short words.
const minPassphrase = 12

// NewKey makes a key, sealed by a passphrase, in a file that can be printed, and
// its public half beside it in path.pub. Neither may exist.
func NewKey(path string, passphrase []byte) (key Key, err error) {
	if len(passphrase) < minPassphrase {
		return key, &portal.Problem{
			Kind: portal.ErrUsage, Where: "passphrase", Message: fmt.Sprintf("must have at least %d characters", minPassphrase),
			Hint: "four words that do not belong together are easy to keep and hard to guess",
		}
	}
	k, err := tuf.GenerateKey()
	if err != nil {
		return key, err
	}
	sealed, err := origin.Seal(k, passphrase)
	if err != nil {
		return key, err
	}
	public := origin.MarshalPublic(k.Public())
	if err := writeOnce(path, sealed, 0o600); err != nil {
		return key, err
	}
	if err := writeOnce(path+".pub", []byte(public+"\n"), 0o644); err != nil {
		return key, errors.Join(err, os.Remove(path))
	}
	id := k.Public().ID()
	return Key{ID: id, Words: portal.SixWords(id), Public: public, File: path}, nil
}

// writeOnce writes a file that must not be there yet, durably.
func writeOnce(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return &portal.Problem{Kind: portal.ErrUsage, Where: path, Message: "is there already, and a key is never overwritten", Hint: "name another file"}
	}
	if err != nil {
		return disk.Classify(err)
	}
	_, err = f.Write(b)
	return disk.Classify(errors.Join(err, f.Sync(), f.Close()))
}

// ReadKeyFile reads a key file; ask gives the passphrase of a sealed one.
func ReadKeyFile(path string, ask func() ([]byte, error)) (KeyFile, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return KeyFile{}, portal.Rejected(path, "cannot be read: %v", errors.Unwrap(err))
	}
	k, err := origin.ParseKeyFile(b, ask)
	var problem *portal.Problem
	if err != nil && !errors.As(err, &problem) {
		return k, portal.Rejected(path, "%v", err).WithHint("koprik key new makes key files")
	}
	return k, err
}

// Bring lets keys sign beside those in keys/ for as long as this node is open:
// those of officers, whose files are elsewhere.
func (n *Node) Bring(files ...KeyFile) {
	for _, f := range files {
		if f.Private != nil {
			n.brought = append(n.brought, *f.Private)
		}
	}
}

// changeKeys does one piece of work on the keys, with those that were brought
// beside those in keys/, and makes its generation visible.
func (n *Node) changeKeys(ctx context.Context, brought []KeyFile, work func(*origin.Origin) (KeyChange, error)) (out KeyChange, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("key")
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	keys, err := openKeys(n.dir)
	if err != nil {
		return out, err
	}
	defer keys.Close() //nolint:errcheck // every key is synced by now
	o := origin.Options{Repository: disk.Sub(n.root, repositoryDir), Keys: keys, Contents: n.blobs, Now: n.Now, May: n.maySign}
	for _, k := range brought {
		if k.Private != nil {
			o.Brought = append(o.Brought, *k.Private)
		}
	}
	if out, err = work(origin.Open(o)); err != nil {
		return out, err
	}
	return out, n.settle(ctx, out.Generation, release)
}

// RotateKey replaces a role's key: the one with the id old, or the role's only
// one in keys/. by is kept elsewhere; nil makes a new one in keys/. with are keys
// that sign this time. Mirrors follow by themselves.
func (n *Node) RotateKey(ctx context.Context, role, old string, by *KeyFile, with ...KeyFile) (KeyChange, error) {
	old, err := n.keyID(role, old)
	if err != nil {
		return KeyChange{}, err
	}
	var next *tuf.Key
	if by != nil {
		next, with = &by.Public, append(with, *by)
	}
	return n.changeKeys(ctx, with, func(o *origin.Origin) (KeyChange, error) { return o.Rotate(ctx, role, old, next) })
}

// KeyThreshold adds keys to a role and says how many of them sign from now on.
func (n *Node) KeyThreshold(ctx context.Context, role string, threshold int, keys []KeyFile, with ...KeyFile) (KeyChange, error) {
	return n.changeKeys(ctx, slices.Concat(keys, with), func(o *origin.Origin) (KeyChange, error) {
		return o.Threshold(ctx, role, threshold, publicHalves(keys))
	})
}

// Delegate lets a publisher, new or old, sign with keys of its own; threshold 0
// leaves it as it is.
func (n *Node) Delegate(ctx context.Context, p portal.PublisherID, threshold int, keys []KeyFile, with ...KeyFile) (KeyChange, error) {
	return n.changeKeys(ctx, slices.Concat(keys, with), func(o *origin.Origin) (KeyChange, error) {
		return o.Delegate(ctx, p, threshold, publicHalves(keys)...)
	})
}

// Revoke takes a key from a publisher. What it signed is suspended until the
// publisher signs again.
func (n *Node) Revoke(ctx context.Context, p portal.PublisherID, key string, with ...KeyFile) (KeyChange, error) {
	id, err := n.keyID(string(p), key)
	if err != nil {
		return KeyChange{}, err
	}
	return n.changeKeys(ctx, with, func(o *origin.Origin) (KeyChange, error) { return o.Revoke(ctx, p, id) })
}

func publicHalves(files []KeyFile) (keys []tuf.Key) {
	for _, f := range files {
		keys = append(keys, f.Public)
	}
	return keys
}

// keyID finds the role's key that a person named: by its id, by the beginning of
// it, or by its six words. "" stays "".
func (n *Node) keyID(role, said string) (string, error) {
	if said == "" {
		return "", nil
	}
	keys, err := n.Keys()
	if err != nil {
		return "", err
	}
	const least = 8
	var found []string
	for _, k := range keys {
		if k.Role == role && (len(said) >= least && strings.HasPrefix(k.ID, strings.ToLower(said)) || portal.CheckWords(k.ID, said) == nil) {
			found = append(found, k.ID)
		}
	}
	if len(found) != 1 {
		return "", &portal.Problem{
			Kind: portal.ErrNotFound, Where: role, Message: "has no key " + said,
			Hint: "koprik key show lists them; a key is named by its id, the first 8 digits of it, or its six words",
		}
	}
	return found[0], nil
}
