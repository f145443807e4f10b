package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"koprik/embed/catalog"
	"koprik/portal"
	"koprik/sync/origin"
	"koprik/ui/api"
)

// maxPlaces bounds how many releases are looked at for one fingerprint: the same
// file stands in every release in which it did not change.
const maxPlaces = 64

// Examine reads a file to its end and says what it is, without a network and
// without keeping anything of it: a file of a release, a signed manifest, a file
// that this program made of a release, or none of these. An error is one of
// reading.
func (n *Node) Examine(ctx context.Context, file io.Reader) (p portal.Proof, err error) {
	h := sha256.New()
	var finder portal.ProvenanceFinder
	size, err := io.Copy(io.MultiWriter(h, &finder), file)
	if err != nil {
		return p, err
	}
	h.Sum(p.SHA256[:0])
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return p, err
	}
	defer snap.Close()
	found, err := n.find(ctx, snap, p.SHA256.Hex())
	if err != nil || found.Verdict != portal.Unknown {
		found.SHA256 = p.SHA256
		return found, err
	}
	found.SHA256 = p.SHA256
	from, ok := finder.Found()
	if !ok {
		return found, nil
	}
	return n.madeFrom(ctx, snap, found, from, size)
}

// Identify looks up what a person typed or a camera read.
func (n *Node) Identify(ctx context.Context, text string) (portal.Proof, error) {
	said, err := portal.ParseSaid(text)
	if err != nil {
		return portal.Proof{}, &portal.Problem{Kind: portal.ErrUsage, Where: "fingerprint", Message: err.Error(), Cause: err}
	}
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return portal.Proof{}, err
	}
	defer snap.Close()
	switch {
	case said.Public != "":
		k, err := origin.ParsePublic([]byte(said.Public))
		if err != nil {
			return portal.Proof{}, &portal.Problem{Kind: portal.ErrUsage, Where: "fingerprint", Message: err.Error(), Cause: err}
		}
		return n.findKey(ctx, snap, func(id string) bool { return id == k.ID() })
	case said.Words != "":
		return n.findKey(ctx, snap, func(id string) bool { return portal.SixWords(id) == said.Words })
	case said.Dataset != "":
		return n.findRelease(ctx, snap, said)
	}
	p, err := n.find(ctx, snap, said.Hex)
	if err != nil || p.Verdict != portal.Unknown {
		return p, err
	}
	return n.findKey(ctx, snap, func(id string) bool { return strings.HasPrefix(id, said.Hex) })
}

// find looks for a release whose manifest or file has a SHA-256 that begins with
// digits; of several, the newest counts.
func (n *Node) find(ctx context.Context, snap *catalog.Snapshot, digits string) (portal.Proof, error) {
	unknown := portal.Proof{Verdict: portal.Unknown, State: snap.State()}
	prefix, err := portal.ParseDigest(digits + strings.Repeat("0", 2*sha256.Size-len(digits)))
	if err != nil {
		return unknown, err
	}
	places, err := snap.Places(ctx, prefix, maxPlaces)
	if err != nil {
		return unknown, err
	}
	for _, place := range places {
		d, r, manifest, err := releaseAt(ctx, snap, place)
		if err != nil {
			return unknown, err
		}
		p := proofOf(snap, d, r, manifest)
		for _, f := range r.Resources {
			if strings.HasPrefix(f.Hash.Hex(), digits) {
				p.Verdict, p.Resource, p.SHA256 = portal.OriginalFile, f.Path, f.Hash
				return p, nil
			}
		}
		if strings.HasPrefix(manifest.Hex(), digits) {
			p.Verdict, p.SHA256 = portal.ManifestFile, manifest
			return p, nil
		}
	}
	return unknown, nil
}

func releaseAt(ctx context.Context, snap *catalog.Snapshot, place catalog.Place) (d portal.Dataset, r portal.Release, manifest portal.Digest, err error) {
	if d, err = snap.Dataset(ctx, place.Dataset); err != nil {
		return d, r, manifest, err
	}
	if r, err = snap.Release(ctx, place.Dataset, place.Release); err != nil {
		return d, r, manifest, err
	}
	for _, ref := range d.History {
		if ref.Number == place.Release {
			manifest = ref.Manifest
		}
	}
	return d, r, manifest, nil
}

func proofOf(snap *catalog.Snapshot, d portal.Dataset, r portal.Release, manifest portal.Digest) portal.Proof {
	return portal.Proof{
		Dataset: d.ID, Release: r.Number, Latest: d.Latest.Number, Title: r.Title, Publisher: d.Publisher, Issued: r.Issued,
		Manifest: manifest, Signers: d.Signers, Suspended: d.Suspended, Withdrawn: d.Latest.Withdrawn != nil, State: snap.State(),
	}
}

// findRelease says whether the code of a printed page names a release of this copy.
func (n *Node) findRelease(ctx context.Context, snap *catalog.Snapshot, said portal.Said) (portal.Proof, error) {
	p, err := n.named(ctx, snap, said.Dataset, said.Release)
	if err != nil || p.Verdict == portal.Elsewhere {
		return p, err
	}
	if p.Verdict = portal.Altered; strings.HasPrefix(p.Manifest.Hex(), said.Hex) {
		p.Verdict, p.SHA256 = portal.ManifestFile, p.Manifest
	}
	return p, nil
}

// named is a release that somebody names; Elsewhere when this copy has none such.
func (n *Node) named(ctx context.Context, snap *catalog.Snapshot, id portal.DatasetID, release int) (portal.Proof, error) {
	p := portal.Proof{Verdict: portal.Elsewhere, Dataset: id, Release: release, State: snap.State()}
	d, r, manifest, err := releaseAt(ctx, snap, catalog.Place{Dataset: id, Release: release})
	switch {
	case errors.Is(err, portal.ErrNotFound):
		return p, nil
	case err != nil:
		return p, err
	}
	p = proofOf(snap, d, r, manifest)
	return p, nil
}

// findKey finds whose key it is, among those that the accepted copy trusts.
func (n *Node) findKey(ctx context.Context, snap *catalog.Snapshot, is func(id string) bool) (portal.Proof, error) {
	p := portal.Proof{Verdict: portal.Unknown, State: snap.State()}
	keys, err := n.mirror.TrustedKeys()
	if err != nil {
		return p, err
	}
	for _, k := range keys {
		if !is(k.ID) {
			continue
		}
		p.Verdict, p.Role, p.Signers = portal.SigningKey, k.Role, []string{k.ID}
		publishers, err := snap.Publishers(ctx)
		at := slices.IndexFunc(publishers, func(o portal.Publisher) bool { return string(o.ID) == k.Role })
		if err == nil && at >= 0 {
			p.Publisher = publishers[at]
		}
		return p, err
	}
	return p, nil
}

// madeFrom makes a file again that says of which release it was made, and
// compares.
func (n *Node) madeFrom(ctx context.Context, snap *catalog.Snapshot, found portal.Proof, from portal.Provenance, size int64) (portal.Proof, error) {
	p, err := n.named(ctx, snap, from.Dataset, from.Release)
	if err != nil {
		return found, err
	}
	p.SHA256 = found.SHA256
	switch {
	case p.Verdict == portal.Elsewhere:
		return p, nil
	case p.Manifest != from.Fingerprint:
		p.Verdict = portal.Altered
		return p, nil
	}
	again, ok := n.makeAgain(ctx, from, size)
	switch {
	case !ok:
		p.Verdict = portal.Elsewhere
	case again == found.SHA256:
		p.Verdict = portal.MadeFile
	default:
		p.Verdict = portal.Altered
	}
	return p, nil
}

// makeAgain asks this node's own machine interface for a file, and hashes the
// answer. ok is false where it does not give one.
func (n *Node) makeAgain(ctx context.Context, from portal.Provenance, size int64) (sum portal.Digest, ok bool) {
	u, err := url.ParseRequestURI(from.Address)
	if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/dataset/"+string(from.Dataset)+"/") && !exportOf(u.Path, from.Dataset) {
		return sum, false
	}
	defer func() {
		if broken := recover(); broken != nil { // an answer that broke off in the middle
			if broken != http.ErrAbortHandler { //nolint:errorlint // what the server's own code compares with
				panic(broken)
			}
			ok = false
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from.Address, nil)
	if err != nil {
		return sum, false
	}
	w := &summing{hash: sha256.New(), head: http.Header{}, most: size}
	n.machine().ServeHTTP(w, r)
	if w.status != http.StatusOK && w.status != 0 || w.head.Get("Koprik-Release") != fmt.Sprint(from.Release) {
		return sum, false
	}
	w.hash.Sum(sum[:0])
	return sum, true
}

// exportOf tells the address of a file that is made of a table of a dataset.
func exportOf(path string, id portal.DatasetID) bool {
	return isExport(path) && strings.HasPrefix(path, "/api/v1/tables/"+string(id)+"/")
}

func (n *Node) machine() http.Handler {
	return api.New(api.Options{View: n.View, Status: n.Status, Held: n.blobs.Has, Exporter: n.tables, SQL: n.tables, Repository: n.repositoryFS(), Now: n.Now, OldAfter: n.oldAfter(), Log: n.opt.Log, Count: n.Count})
}

// summing hashes an answer and keeps nothing of it. What is longer than the file
// that it is compared with is another file: no more of it is made.
type summing struct {
	hash   hash.Hash
	head   http.Header
	status int
	most   int64
}

func (w *summing) Header() http.Header    { return w.head }
func (w *summing) WriteHeader(status int) { w.status = status }

func (w *summing) Write(b []byte) (int, error) {
	_, _ = w.hash.Write(b)
	if w.most -= int64(len(b)); w.most < 0 {
		return len(b), errors.New("longer than the file that was given")
	}
	return len(b), nil
}

// Prove is Examine for who wants an error where a file is not unaltered:
// portal.ErrUnverified, with the reason.
func (n *Node) Prove(ctx context.Context, file io.Reader) (portal.Proof, error) {
	p, err := n.Examine(ctx, file)
	if err != nil {
		return p, err
	}
	return p, Objection(p)
}

// Objection is why a proof does not hold; nil when it does.
func Objection(p portal.Proof) error {
	where := "SHA-256 " + p.SHA256.Hex()
	if p.SHA256.IsZero() {
		where = "fingerprint"
	}
	switch {
	case p.Verdict.Holds():
		return nil
	case p.Verdict == portal.Altered:
		return portal.Unverified(where, "says that it is of %s release %d, and is not what that release gives", p.Dataset, p.Release).
			WithHint("it was altered: take it again from the portal")
	case p.Verdict == portal.Elsewhere:
		return portal.Unverified(where, "says that it is of %s release %d, which this node cannot make again", p.Dataset, p.Release).
			WithHint("this copy is too old, or lacks the files of that release: koprik status; the centre has them all")
	}
	return portal.Unverified(where, "nothing in this copy has these bytes").
		WithHint("it was altered, or it never came from this portal, or this copy is too old to know it: koprik status")
}
