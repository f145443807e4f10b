package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// PublisherID is a publisher's slug: 1 to 40 of [a-z0-9-], not beginning or
// ending with a hyphen, and none of the names that a TUF role already has.
// It is chosen once and never reused.
type PublisherID string

// DatasetID is <publisher>_<dataset>. The dataset's part is 1 to 59 of
// [a-z0-9-]. It is the slug of addresses, the dataset of --json output and the
// CKAN name. It is chosen once and never reused.
type DatasetID string

// The longest parts of a DatasetID, in bytes.
const (
	MaxPublisherID = 40
	MaxDatasetName = 59
)

// reservedPublishers are role names of the repository (spec/trust.md, "Roles")
// and names that Windows does not allow as a file.
var reservedPublishers = map[string]bool{
	"root": true, "targets": true, "snapshot": true, "timestamp": true,
	"seal": true, "talkback": true, "app": true,
}

// reservedFiles are the device names of DOS, which no path part may have
// (release manifests travel on FAT sticks).
var reservedFiles = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true,
	"com0": true, "com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt0": true, "lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// ParsePublisherID accepts exactly the spelling that comes out.
func ParsePublisherID(s string) (PublisherID, error) {
	if err := checkSlug(s, MaxPublisherID); err != nil {
		return "", fmt.Errorf("publisher %q: %w", s, err)
	}
	if reservedPublishers[s] {
		return "", fmt.Errorf("publisher %q: this name is reserved", s)
	}
	return PublisherID(s), nil
}

// ParseDatasetID accepts exactly the spelling that comes out.
func ParseDatasetID(s string) (DatasetID, error) {
	publisher, name, ok := strings.Cut(s, "_")
	if !ok {
		return "", fmt.Errorf("dataset %q: must be <publisher>_<dataset>", s)
	}
	p, err := ParsePublisherID(publisher)
	if err != nil {
		return "", fmt.Errorf("dataset %q: %w", s, err)
	}
	return NewDatasetID(p, name)
}

// NewDatasetID joins a publisher and a dataset's name.
func NewDatasetID(p PublisherID, name string) (DatasetID, error) {
	if err := checkSlug(name, MaxDatasetName); err != nil {
		return "", fmt.Errorf("dataset name %q: %w", name, err)
	}
	return DatasetID(string(p) + "_" + name), nil
}

// Publisher is the part before the underscore.
func (id DatasetID) Publisher() PublisherID {
	p, _, _ := strings.Cut(string(id), "_")
	return PublisherID(p)
}

// Name is the part after the underscore.
func (id DatasetID) Name() string {
	_, name, _ := strings.Cut(string(id), "_")
	return name
}

func checkSlug(s string, limit int) error {
	switch {
	case s == "":
		return fmt.Errorf("must not be empty")
	case len(s) > limit:
		return fmt.Errorf("%d characters, at most %d are allowed", len(s), limit)
	case s[0] == '-' || s[len(s)-1] == '-':
		return fmt.Errorf("must not begin or end with a hyphen")
	case reservedFiles[s]:
		return fmt.Errorf("this name is reserved")
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return fmt.Errorf("has %q; only a-z, 0-9 and the hyphen are allowed", r)
		}
	}
	return nil
}

// Digest is a SHA-256. Content is named by it everywhere.
type Digest [sha256.Size]byte

// DigestOf hashes b.
func DigestOf(b []byte) Digest { return sha256.Sum256(b) }

// ParseDigest accepts 64 lower-case hex digits, with or without "sha256:".
func ParseDigest(s string) (Digest, error) {
	var d Digest
	digits := strings.TrimPrefix(s, "sha256:")
	if len(digits) != 2*len(d) || strings.ToLower(digits) != digits {
		return d, fmt.Errorf("digest %q: must be 64 lower-case hex digits", s)
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return d, fmt.Errorf("digest %q: must be 64 lower-case hex digits", s)
	}
	return d, nil
}

// Hex is the digest as 64 lower-case hex digits.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// String is the digest as it stands in manifests: "sha256:" and 64 hex digits.
func (d Digest) String() string { return "sha256:" + d.Hex() }

// Short is the first 16 hex digits, enough for a person to compare.
func (d Digest) Short() string { return d.Hex()[:16] }

// IsZero tells whether the digest was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText gives String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDigest reads.
func (d *Digest) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDigest(string(b))
	return err
}
