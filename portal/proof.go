package portal

import "time"

// Verdict is what a check of a file or of a fingerprint found.
type Verdict string

// The verdicts. The first four say that bytes are what was signed; Altered and
// Unknown that they are not, or that this copy does not know them; Elsewhere that
// this node cannot tell.
const (
	OriginalFile Verdict = "original"  // a file of a release, byte for byte as its publisher signed it
	ManifestFile Verdict = "manifest"  // the signed manifest of a release
	MadeFile     Verdict = "made"      // made by this program from a release, and the same when made again
	SigningKey   Verdict = "key"       // a key that signs for a publisher, or for the centre
	Altered      Verdict = "altered"   // says of which release it was made, and is not what is made of it
	Elsewhere    Verdict = "elsewhere" // says of which release it was made, which this node cannot make again
	Unknown      Verdict = "unknown"   // of no release in this copy
)

// Holds tells whether the verdict is that nothing was altered.
func (v Verdict) Holds() bool {
	return v == OriginalFile || v == ManifestFile || v == MadeFile || v == SigningKey
}

// Proof says what a file or a fingerprint is, after the accepted copy.
type Proof struct {
	Verdict   Verdict
	SHA256    Digest // of the file; zero where only a fingerprint was given
	Dataset   DatasetID
	Release   int
	Latest    int    // the dataset's newest release: the file may be an older one's
	Resource  string // path of the file in its release; "" but for OriginalFile
	Title     Text
	Publisher Publisher // of the release, or whose key it is
	Role      string    // of a SigningKey: "root", "targets", "snapshot", "timestamp", or the publisher
	Issued    time.Time // when the publisher issued the release
	Manifest  Digest    // of the release's signed manifest
	Signers   []string  // key ids that verified for the publisher
	Suspended bool      // no signature of the publisher's holds any more
	Withdrawn bool      // the publisher took the dataset back since
	State     CopyState
}
