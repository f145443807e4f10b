package origin

import (
	"context"
	"fmt"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
)

// Adopt publishes what another repository has published of p, with its whole
// history, under the keys that p has here. chains are the releases of each
// dataset, oldest first, and verified; their contents must be in Contents. Of a
// dataset that is published here already its chain must go on. record may be nil.
// It returns the generation.
func (o *Origin) Adopt(ctx context.Context, p portal.PublisherID, chains [][]portal.SignedManifest, record *portal.PublisherRecord) (int64, error) {
	own, err := o.Listing(p)
	if err != nil {
		return 0, err
	}
	batch := Batch{Publisher: p, Record: record}
	for _, chain := range chains {
		fresh, err := goesOn(own, chain)
		if err != nil {
			return 0, err
		}
		if len(fresh) == 0 {
			continue
		}
		if err := o.writeHistory(ctx, fresh); err != nil {
			return 0, err
		}
		batch.Manifests = append(batch.Manifests, fresh[len(fresh)-1])
	}
	if len(batch.Manifests) == 0 && record == nil {
		return own.Generation, nil
	}
	return o.Publish(ctx, []Batch{batch})
}

// goesOn gives the releases of a chain that are not published here, and refuses
// one that contradicts what is.
func goesOn(own Listing, chain []portal.SignedManifest) ([]portal.SignedManifest, error) {
	held, ok := own.Datasets[chain[0].Dataset]
	if !ok {
		return chain, nil
	}
	where := string(chain[0].Dataset)
	if held.Number > len(chain) {
		return nil, portal.Rejected(where, "has release %d here, and %d there: what was published here would be lost", held.Number, len(chain))
	}
	if portal.DigestOf(chain[held.Number-1].Bytes) != held.SHA256 {
		return nil, portal.Rejected(where, "has another release %d here than there", held.Number).
			WithHint("publish under another name: what two nodes have published cannot be joined")
	}
	return chain[held.Number:], nil
}

// writeHistory writes contents and manifests of a chain; the last manifest is
// written by who lists it. Of a dataset that is withdrawn there are no contents.
func (o *Origin) writeHistory(ctx context.Context, chain []portal.SignedManifest) error {
	last, err := datapackage.Decode(chain[len(chain)-1].Bytes)
	if err != nil {
		return err
	}
	for _, m := range chain[:len(chain)-1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if last.Withdrawn == nil {
			if err := o.heldObjects(m); err != nil {
				return err
			}
		}
		if err := disk.WriteFile(o.repo, datapackage.ManifestFile(m.Dataset, m.Number, portal.DigestOf(m.Bytes)), m.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// heldObjects writes the carriers of an earlier release, but for contents that a
// withdrawal in between has removed.
func (o *Origin) heldObjects(m portal.SignedManifest) error {
	release, err := datapackage.Decode(m.Bytes)
	if err != nil {
		return err
	}
	for _, r := range release.Resources {
		in, _, err := o.contents.Open(r.Hash)
		if err != nil {
			continue
		}
		if err := in.Close(); err != nil {
			return err
		}
		if err := o.object(r); err != nil {
			return fmt.Errorf("%s: resource %s: %w", m.Dataset, r.Name, err)
		}
	}
	return nil
}
