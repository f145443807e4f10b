package post

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"koprik/portal"
	"koprik/sync/tuf"
)

// Entry is one sealed inquiry of a post.
type Entry struct {
	ID     portal.InquiryID
	Epoch  Epoch
	Sealed []byte // as SealQuestion gave it
}

// Post is what a node hands on: over HTTP, on a stick, or through other nodes,
// which cannot read it. Its node's key has signed it.
type Post struct {
	Node    portal.Digest // id of the node's key
	Public  string        // the key: ed25519, 64 lower-case hexadecimal digits
	Entries []Entry
}

// A post in bytes: the magic, the node's key (32), the number of entries, of each
// its id (16), epoch (6), length and sealed bytes; then the signature (64) over
// postPurpose and the SHA-256 of all before. Numbers are big-endian uint32.
const (
	postMagic   = "koprik post 1\n"
	postPurpose = "koprik/post/v1\x00"
	postHead    = len(postMagic) + keySize + 4
	keySize     = 32
	signature   = 64
	epochSize   = 6
	entryFixed  = len(portal.InquiryID{}) + epochSize + 4
)

// MaxPost is the longest post, in bytes: half a minute of a line of 64 kbit/s.
// A node with more to say sends several.
const MaxPost = 256 << 10

// Fits is how many bytes of sealed inquiries surely fit into one post.
const Fits = MaxPost - postHead - signature - MaxSealed - 100*entryFixed

// ErrPost says that bytes are no post.
var ErrPost = errors.New("is no post of a node")

// EncodePost writes a post and signs it. The same entries and key give the same
// bytes.
func EncodePost(key tuf.PrivateKey, entries []Entry) ([]byte, error) {
	if key == (tuf.PrivateKey{}) || len(entries) == 0 {
		return nil, errors.New("post: no key, or nothing to send")
	}
	public, err := hex.DecodeString(key.Public().Value.Public)
	if err != nil {
		return nil, fmt.Errorf("post: key: %w", err)
	}
	b := append([]byte(postMagic), public...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(entries))) //nolint:gosec // bounded by MaxPost
	for _, e := range entries {
		if _, err := ParseEpoch(string(e.Epoch)); err != nil {
			return nil, err
		}
		b = append(append(b, e.ID[:]...), e.Epoch...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(e.Sealed))) //nolint:gosec // bounded by MaxPost
		b = append(b, e.Sealed...)
	}
	b = append(b, key.Sign(postMessage(b))...)
	if _, err := DecodePost(b); err != nil {
		return nil, err
	}
	return b, nil
}

func postMessage(b []byte) []byte {
	sum := portal.DigestOf(b)
	return append([]byte(postPurpose), sum[:]...)
}

// DecodePost reads exactly what EncodePost writes, and checks the signature: the
// key in it has signed it, whoever's key it is. The entries share b. Everything
// else is ErrPost.
func DecodePost(b []byte) (p Post, err error) {
	bad := func(why string, args ...any) (Post, error) {
		return Post{}, fmt.Errorf("%w: %s", ErrPost, fmt.Sprintf(why, args...))
	}
	rest, ok := bytes.CutPrefix(b, []byte(postMagic))
	if !ok || len(b) < postHead+signature || len(b) > MaxPost {
		return bad("%d bytes", len(b))
	}
	p.Public = hex.EncodeToString(rest[:keySize])
	key := tuf.Key{Type: "ed25519", Scheme: "ed25519", Value: tuf.KeyValue{Public: p.Public}}
	signed, sig := b[:len(b)-signature], b[len(b)-signature:]
	if !key.Verifies(postMessage(signed), sig) {
		return bad("its signature does not hold")
	}
	if p.Node, err = portal.ParseDigest(key.ID()); err != nil {
		return bad("%v", err)
	}
	count := binary.BigEndian.Uint32(rest[keySize:])
	rest = signed[postHead:]
	for range count {
		if len(rest) < entryFixed {
			return bad("entry %d is cut off", len(p.Entries)+1)
		}
		e := Entry{ID: portal.InquiryID(rest[:16])}
		rest = rest[16:]
		if e.Epoch, err = ParseEpoch(string(rest[:epochSize])); err != nil {
			return bad("entry %d: %v", len(p.Entries)+1, err)
		}
		n := int64(binary.BigEndian.Uint32(rest[epochSize:]))
		rest = rest[epochSize+4:]
		if n < overhead || n > MaxSealed || n > int64(len(rest)) {
			return bad("entry %d: %d bytes cannot be", len(p.Entries)+1, n)
		}
		e.Sealed, rest = rest[:n:n], rest[n:]
		p.Entries = append(p.Entries, e)
	}
	if len(rest) > 0 || len(p.Entries) == 0 {
		return bad("%d bytes behind %d entries", len(rest), len(p.Entries))
	}
	return p, nil
}

// Marks are those of all entries.
func (p Post) Marks() []portal.Mark {
	marks := make([]portal.Mark, len(p.Entries))
	for i, e := range p.Entries {
		marks[i] = portal.MarkOf(e.Sealed)
	}
	return marks
}

// acksMagic begins the file of a node's acknowledgements, the target acks/<node>:
// marks in ascending order follow.
const acksMagic = "koprik acks 1\n"

// EncodeAcks writes what the centre acknowledges to one node. Marks need not be
// sorted; each is written once.
func EncodeAcks(marks []portal.Mark) []byte {
	marks = slices.Clone(marks)
	slices.SortFunc(marks, func(a, b portal.Mark) int { return bytes.Compare(a[:], b[:]) })
	b := []byte(acksMagic)
	for _, m := range slices.Compact(marks) {
		b = append(b, m[:]...)
	}
	return b
}

// DecodeAcks reads exactly what EncodeAcks writes.
func DecodeAcks(b []byte) ([]portal.Mark, error) {
	const size = len(portal.Mark{})
	rest, ok := bytes.CutPrefix(b, []byte(acksMagic))
	if !ok || len(rest)%size != 0 {
		return nil, errors.New("acknowledgements: not as they are written")
	}
	marks := make([]portal.Mark, 0, len(rest)/size)
	for ; len(rest) > 0; rest = rest[size:] {
		m := portal.Mark(rest[:size])
		if n := len(marks); n > 0 && bytes.Compare(marks[n-1][:], m[:]) >= 0 {
			return nil, errors.New("acknowledgements: not in order")
		}
		marks = append(marks, m)
	}
	return marks, nil
}

// AckPath is the target that acknowledges what came from a node.
func AckPath(node portal.Digest) string { return "acks/" + node.Hex() }

// SealPath is the target that has the centre's public key of an epoch.
func SealPath(e Epoch) string { return "seal/" + string(e) }

// BucketPath is the target in which the answer at a slot lies.
func BucketPath(bucket string) string { return "receipts/" + bucket }

// NewestEpoch chooses the epoch to seal to on a day: the newest that has begun, or
// else the first of those that are to come. ok is false when there is none.
func NewestEpoch(have []Epoch, today portal.Date) (best Epoch, ok bool) {
	now := EpochOf(today)
	for _, e := range have {
		switch {
		case !ok,
			e <= now && (best > now || e > best),
			e > now && best > now && e < best:
			best, ok = e, true
		}
	}
	return best, ok
}

// NodeID is the id of a node's public key, given as 64 lower-case hexadecimal digits.
func NodeID(public string) (portal.Digest, error) {
	raw, err := hex.DecodeString(public)
	if err != nil || len(raw) != keySize || hex.EncodeToString(raw) != public {
		return portal.Digest{}, fmt.Errorf("key of a node %.80q: must be %d lower-case hexadecimal digits", public, 2*keySize)
	}
	return portal.ParseDigest(tuf.Key{Type: "ed25519", Scheme: "ed25519", Value: tuf.KeyValue{Public: public}}.ID())
}
