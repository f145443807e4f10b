package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Mark names the sealed bytes of an inquiry, without saying which inquiry it is:
// the first half of their SHA-256. Acknowledgements are lists of marks, so that
// whoever reads them cannot tell a public thread by them.
type Mark [sha256.Size / 2]byte

// MarkOf gives the mark of sealed bytes.
func MarkOf(sealed []byte) Mark {
	sum := sha256.Sum256(sealed)
	return Mark(sum[:])
}

// String gives the mark in lower-case hexadecimal.
func (m Mark) String() string { return hex.EncodeToString(m[:]) }

// Outgoing is a sealed inquiry on its way to the centre.
type Outgoing struct {
	ID       InquiryID
	Sequence uint64 // of the node where it was asked, from 1
	Epoch    string // of the centre's key, "2026q4"
	Sealed   []byte
	Day      Date
	Sent     time.Time // when it was last handed on; zero: never
	SentTo   string
}

// KnownNode is a node that the centre has heard of.
type KnownNode struct {
	ID         Digest
	Public     string // ed25519, 64 lower-case hexadecimal digits
	Name       string
	Enrolled   time.Time // zero: it was not
	Revoked    time.Time // zero: it was not
	FirstSeen  time.Time // zero: nothing came yet
	LastSeen   time.Time
	Posts      int
	Inquiries  int
	Highest    uint64   // sequence number that has come
	Missing    int      // numbers below it that have not
	Duplicates []uint64 // numbers under which two inquiries came: a cloned card
	Uncounted  int      // reports of use that came while it was not enrolled, and counted for nothing
}

// Trusted tells whether the centre has enrolled the node and not revoked it.
func (n KnownNode) Trusted() bool { return !n.Enrolled.IsZero() && n.Revoked.IsZero() }
