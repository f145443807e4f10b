package datapackage

import (
	"fmt"
	"strconv"
	"strings"

	"koprik/portal"
)

// TargetKind says what a target of a publisher's role is.
type TargetKind uint8

// The kinds of target.
const (
	ManifestTarget  TargetKind = iota + 1 // a release manifest
	PublisherTarget                       // a publisher's record
)

// Target is a TUF target path, read. Paths stand without a hash in metadata
// and with one on disk (consistent snapshots).
type Target struct {
	Kind      TargetKind
	Publisher portal.PublisherID
	Dataset   portal.DatasetID // "" of a publisher's record
	Number    int              // of the release, or the version of the record
}

const publisherFolder = "_publisher" // no dataset's name has an underscore

// ManifestPath is the target path of a release manifest:
// "d/<publisher>/<dataset>/<n>.json", where <dataset> is the name without the
// publisher.
func ManifestPath(id portal.DatasetID, n int) string {
	return fmt.Sprintf("d/%s/%s/%d.json", id.Publisher(), id.Name(), n)
}

// ManifestFile is where a release manifest stands in a repository:
// "d/<publisher>/<dataset>/<sha256>.<n>.json".
func ManifestFile(id portal.DatasetID, n int, d portal.Digest) string {
	return fmt.Sprintf("d/%s/%s/%s.%d.json", id.Publisher(), id.Name(), d.Hex(), n)
}

// PublisherPath is the target path of a publisher's record:
// "d/<publisher>/_publisher/<version>.json".
func PublisherPath(p portal.PublisherID, version int) string {
	return fmt.Sprintf("d/%s/%s/%d.json", p, publisherFolder, version)
}

// PublisherFile is where a publisher's record stands in a repository:
// "d/<publisher>/_publisher/<sha256>.<version>.json".
func PublisherFile(p portal.PublisherID, version int, d portal.Digest) string {
	return fmt.Sprintf("d/%s/%s/%s.%d.json", p, publisherFolder, d.Hex(), version)
}

// ObjectFile is where contents stand in a repository, compressed:
// "objects/<aa>/<sha256>.zst".
func ObjectFile(d portal.Digest) string {
	h := d.Hex()
	return "objects/" + h[:2] + "/" + h + ".zst"
}

// ParseTargetPath reads what ManifestPath and PublisherPath write, in exactly
// that spelling.
func ParseTargetPath(s string) (Target, error) {
	bad := func(why string, args ...any) (Target, error) {
		return Target{}, fmt.Errorf("target %.200q: %s", s, fmt.Sprintf(why, args...))
	}
	parts := strings.Split(s, "/")
	if len(parts) != 4 || parts[0] != "d" {
		return bad("must be d/<publisher>/<dataset>/<number>.json")
	}
	p, err := portal.ParsePublisherID(parts[1])
	if err != nil {
		return bad("%v", err)
	}
	digits, ok := strings.CutSuffix(parts[3], ".json")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > portal.MaxNumber || strconv.Itoa(n) != digits {
		return bad("%q is not a number with .json", parts[3])
	}
	if parts[2] == publisherFolder {
		return Target{Kind: PublisherTarget, Publisher: p, Number: n}, nil
	}
	id, err := portal.NewDatasetID(p, parts[2])
	if err != nil {
		return bad("%v", err)
	}
	return Target{Kind: ManifestTarget, Publisher: p, Dataset: id, Number: n}, nil
}
