package origin

import (
	"errors"
	"fmt"
	"io/fs"

	"koprik/internal/disk"
	"koprik/portal"
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

func publisherKey(p portal.PublisherID) string { return "publisher-" + string(p) }

// key reads keys/<name>.pem.
func (o *Origin) key(name string) (tuf.PrivateKey, error) {
	file := name + ".pem"
	b, err := disk.ReadFile(o.keys, file, maxKeyFile)
	if err != nil {
		return tuf.PrivateKey{}, fmt.Errorf("key %s: %w", name, err)
	}
	k, err := tuf.ParsePrivateKey(b)
	if err != nil {
		return tuf.PrivateKey{}, fmt.Errorf("key file keys/%s: %w", file, err)
	}
	return k, nil
}

// ensureKey reads keys/<name>.pem, or makes it: a key that anything was signed
// with is never replaced.
func (o *Origin) ensureKey(name string) (tuf.PrivateKey, error) {
	k, err := o.key(name)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	k, err = tuf.GenerateKey()
	if err != nil {
		return k, err
	}
	if err := disk.WriteFile(o.keys, name+".pem", k.MarshalPEM()); err != nil {
		return k, fmt.Errorf("key %s: %w", name, err)
	}
	return k, nil
}
