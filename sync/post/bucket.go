package post

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"koprik/portal"
)

// Sealed is one entry of a bucket: what lies at a slot.
type Sealed struct {
	Slot Slot
	Data []byte // as SealAnswer gave it
}

// bucketMagic begins a bucket's file, the target receipts/<bucket>.
const bucketMagic = "koprik receipts 1\n"

// MaxBucket is the longest file of a bucket, in bytes: in all 256 together 400 days
// of 1,200 answers a day.
const MaxBucket = 4 << 20

const entryHead = SlotSize + 4

// EncodeBucket writes the answers of one bucket, sorted by slot: a slot, the
// length of what is sealed as a big-endian uint32, and the sealed bytes. Which
// of them are dummies nobody can tell. A slot of another bucket or one that
// comes twice is an error.
func EncodeBucket(bucket string, entries []Sealed) ([]byte, error) {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Sealed) int { return bytes.Compare(a.Slot[:], b.Slot[:]) })
	out := []byte(bucketMagic)
	for i, e := range entries {
		switch {
		case e.Slot.Bucket() != bucket:
			return nil, fmt.Errorf("bucket %s: slot %s belongs to another", bucket, e.Slot)
		case i > 0 && e.Slot == entries[i-1].Slot:
			return nil, fmt.Errorf("bucket %s: slot %s comes twice", bucket, e.Slot)
		case len(e.Data) < overhead || len(e.Data) > MaxSealed:
			return nil, fmt.Errorf("bucket %s: slot %s: %d bytes are nothing that was sealed", bucket, e.Slot, len(e.Data))
		}
		out = append(out, e.Slot[:]...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(e.Data)))
		out = append(out, e.Data...)
	}
	if len(out) > MaxBucket {
		return nil, fmt.Errorf("bucket %s: %d bytes, at most %d", bucket, len(out), MaxBucket)
	}
	return out, nil
}

// DecodeBucket reads exactly what EncodeBucket writes. The entries share b.
func DecodeBucket(bucket string, b []byte) ([]Sealed, error) {
	rest, ok := bytes.CutPrefix(b, []byte(bucketMagic))
	if !ok || len(b) > MaxBucket {
		return nil, fmt.Errorf("bucket %s: is no file of answers", bucket)
	}
	var entries []Sealed
	for len(rest) > 0 {
		if len(rest) < entryHead {
			return nil, fmt.Errorf("bucket %s: entry %d: is cut off", bucket, len(entries)+1)
		}
		e := Sealed{Slot: Slot(rest[:SlotSize])}
		n := int64(binary.BigEndian.Uint32(rest[SlotSize:]))
		rest = rest[entryHead:]
		switch {
		case n < overhead || n > MaxSealed || n > int64(len(rest)):
			return nil, fmt.Errorf("bucket %s: entry %d: %d bytes cannot be", bucket, len(entries)+1, n)
		case e.Slot.Bucket() != bucket:
			return nil, fmt.Errorf("bucket %s: entry %d: belongs to another bucket", bucket, len(entries)+1)
		case len(entries) > 0 && cmp.Compare(entries[len(entries)-1].Slot.String(), e.Slot.String()) >= 0:
			return nil, fmt.Errorf("bucket %s: entry %d: is not in order", bucket, len(entries)+1)
		}
		e.Data, rest = rest[:n:n], rest[n:]
		entries = append(entries, e)
	}
	return entries, nil
}

// Find gives what lies at a slot of a bucket's entries.
func Find(entries []Sealed, s Slot) ([]byte, bool) {
	i, ok := slices.BinarySearchFunc(entries, s, func(e Sealed, s Slot) int { return bytes.Compare(e.Slot[:], s[:]) })
	if !ok {
		return nil, false
	}
	return entries[i].Data, true
}

// Dummy makes an entry that nobody can open and nobody can tell from an answer
// of the smallest size: batches are filled up with them, so that their number
// says little. The slot comes from the caller's randomness.
func Dummy(slot Slot, at time.Time) (Sealed, error) {
	key, err := kem.GenerateKey()
	if err != nil {
		return Sealed{}, fmt.Errorf("dummy: %w", err)
	}
	data, err := SealAnswer(key.PublicKey().Bytes(), slot, portal.Answer{State: portal.Received, At: at})
	return Sealed{slot, data}, err
}
