package portal

import (
	"iter"
	"time"
)

// Dataset is what the catalogue knows of one dataset in one generation: its
// latest release, who signed it, who answers for it, and its history.
type Dataset struct {
	ID        DatasetID
	Latest    Release
	Manifest  Digest // of the latest manifest's bytes
	Length    int64  // of the latest manifest, bytes
	Publisher Publisher
	Signers   []string     // key ids of the publisher's role that verified, lower-case hex
	History   []ReleaseRef // newest first, the latest included
	Suspended bool         // no signature of its publisher's holds any more: a key was revoked, and it awaits another
}

// Contact resolves the passport's contact in the publisher's record.
func (d Dataset) Contact() (Contact, bool) { return d.Publisher.Contact(d.Latest.Passport.Contact) }

// Resource finds a resource of the latest release by name.
func (d Dataset) Resource(name string) (Resource, bool) {
	for _, r := range d.Latest.Resources {
		if r.Name == name {
			return r, true
		}
	}
	return Resource{}, false
}

// ReleaseRef is one line of a dataset's history.
type ReleaseRef struct {
	Number   int
	Issued   time.Time
	Reason   Text
	Manifest Digest
	Length   int64
}

// SignedManifest is a release manifest as it travels: verified bytes and what
// was verified about them.
type SignedManifest struct {
	Dataset DatasetID
	Number  int
	Bytes   []byte
}

// Change carries a node from one generation to the next. Apply of a Change
// makes the catalogue exactly what the metadata of its generation says.
type Change struct {
	Generation int64     // TUF snapshot version
	State      CopyState // as verified
	Full       bool      // everything not in Upserts is removed (a rebuild)
	// Upserts are the datasets that are new or have new releases, each once. They
	// come one after the other, because a first sync has a hundred thousand, and may
	// be gone through again; an error ends them. nil: none.
	Upserts    iter.Seq2[Upsert, error]
	Removed    []DatasetID
	Publishers []PublisherRecord // new or newer records
	// Signers are the key ids that verified each publisher's role, for those whose
	// keys are others than before; none: what the publisher has is suspended.
	Signers map[PublisherID][]string
}

// Upserts gives a list as Change.Upserts has it.
func Upserts(list ...Upsert) iter.Seq2[Upsert, error] {
	return func(yield func(Upsert, error) bool) {
		for _, u := range list {
			if !yield(u, nil) {
				return
			}
		}
	}
}

// PublisherRecord is a publisher's record as signed and as read.
type PublisherRecord struct {
	Publisher Publisher
	Bytes     []byte
}

// Upsert is a dataset that is new or has new releases.
type Upsert struct {
	Dataset   DatasetID
	Manifests []SignedManifest // oldest first; the last is the latest; earlier ones may already be held
	Signers   []string
}

// Freshness grades a copy by its signed time (spec/trust.md, "Freshness").
type Freshness string

// The grades. Expiry never stops a node from serving.
const (
	Fresh Freshness = "FRESH" // the timestamp has not expired
	Stale Freshness = "STALE" // it has
	Old   Freshness = "OLD"   // it was signed longer ago than the set age
)

// DefaultOldAfter is the age from which a copy is Old.
const DefaultOldAfter = 365 * 24 * time.Hour

// CopyState says which copy of the catalogue this is, and how far to trust its age.
type CopyState struct {
	Generation int64
	AsOf       time.Time // when the centre signed the timestamp (x-signed-at); zero before the first sync
	Expires    time.Time // of the timestamp
	Repository Digest    // SHA-256 of 1.root.json: the repository's identity
	Media      bool      // came from removable media after its timestamp expired: never Fresh
}

// Grade says how fresh the copy is at now; oldAfter ≤ 0 means DefaultOldAfter.
// A copy that was never filled is Old.
func (s CopyState) Grade(now time.Time, oldAfter time.Duration) Freshness {
	if oldAfter <= 0 {
		oldAfter = DefaultOldAfter
	}
	switch {
	case s.AsOf.IsZero() || now.Sub(s.AsOf) > oldAfter:
		return Old
	case s.Media || !now.Before(s.Expires):
		return Stale
	}
	return Fresh
}
