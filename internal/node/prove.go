package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"koprik/portal"
)

// Proof says what a file is: a resource of a release, byte for byte as its
// publisher signed it.
type Proof struct {
	SHA256    portal.Digest
	Dataset   portal.DatasetID
	Release   int
	Latest    int // the dataset's newest release: the file may be an older one's
	Resource  string
	Title     portal.Text
	Publisher portal.Publisher
	Signers   []string // key ids that verified for the publisher
	State     portal.CopyState
}

// errFound ends a walk over the catalogue.
var errFound = errors.New("found")

// Prove reads a file to its end and finds the release that it is unaltered of,
// without a network. A file that no release of this node's copy has is
// portal.ErrUnverified: it was altered, or it never came from here.
func (n *Node) Prove(ctx context.Context, file io.Reader) (p Proof, err error) {
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return p, err
	}
	h.Sum(p.SHA256[:0])
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return p, err
	}
	defer snap.Close()
	p.State = snap.State()
	err = snap.All(ctx, func(d portal.Dataset) error {
		for _, ref := range d.History { // newest first: of several, the newest counts
			release, err := snap.Release(ctx, d.ID, ref.Number)
			if err != nil {
				return err
			}
			for _, r := range release.Resources {
				if r.Hash == p.SHA256 {
					p.Dataset, p.Release, p.Latest, p.Resource = d.ID, ref.Number, d.Latest.Number, r.Path
					p.Title, p.Publisher, p.Signers = release.Title, d.Publisher, d.Signers
					return errFound
				}
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errFound):
		return p, nil
	case err != nil:
		return p, err
	}
	return p, portal.Unverified("SHA-256 "+p.SHA256.Hex(), "no release in this copy has a file with these bytes").
		WithHint("it was altered, or it never came from this portal, or this copy is too old to know it: koprik status")
}
