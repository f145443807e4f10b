package portal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Encode writes counts as they are kept and travel, each in the order of
// UsageKey.Compare: how many bytes its name shares with the one before and how many
// follow (uvarint), these, one byte of kind×8 and language (0: none, 1 to 5 as in
// Langs), and the count (uvarint). The same counts give the same bytes
// (docs/reference/usage.md).
func (u Usage) Encode() []byte {
	parts := u.Split(int(^uint(0) >> 1))
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

// Split is Encode in parts of at most limit bytes, each of which DecodeUsage reads
// by itself. No counts give no parts.
func (u Usage) Split(limit int) (parts [][]byte) {
	var part []byte
	before := ""
	for _, k := range slices.SortedFunc(maps.Keys(u), UsageKey.Compare) {
		n := len(part)
		part = k.append(part, before, u[k])
		if len(part) > limit && n > 0 {
			parts = append(parts, part[:n:n])
			part = k.append(nil, "", u[k])
		}
		before = k.Name
	}
	if len(part) > 0 {
		parts = append(parts, part)
	}
	return parts
}

func (k UsageKey) append(b []byte, before string, n int64) []byte {
	shared := 0
	for shared < min(len(before), len(k.Name)) && before[shared] == k.Name[shared] {
		shared++
	}
	b = binary.AppendUvarint(b, uint64(shared)) //nolint:gosec // a length
	b = binary.AppendUvarint(b, uint64(len(k.Name)-shared))
	b = append(b, k.Name[shared:]...)
	b = append(b, byte(k.Kind)<<3|byte(slices.Index(Langs, k.Lang)+1))
	return binary.AppendUvarint(b, uint64(n)) //nolint:gosec // 1 to MaxUses, or a sum of such
}

// maxUsageName bounds a name while it is read: of a dataset, or of a word of
// MaxMissed letters.
const maxUsageName = 4 * MaxMissed

// DecodeUsage reads exactly what Encode writes; whether an honest node could have
// counted it is Validate's to say.
func DecodeUsage(b []byte) (Usage, error) {
	u := Usage{}
	var before UsageKey
	for rest := b; len(rest) > 0; {
		k, n, size, err := decodeCount(rest, before.Name)
		if err == nil && len(u) > 0 && before.Compare(k) >= 0 {
			err = errUsageOrder
		}
		if err != nil {
			return nil, fmt.Errorf("counts, byte %d: %w", len(b)-len(rest), err)
		}
		u[k], before, rest = n, k, rest[size:]
	}
	return u, nil
}

var (
	errUsageOrder = errors.New("not in order")
	errUsageCount = errors.New("is no count")
)

// decodeCount reads one count, whose name stands behind before, and says how many
// bytes it has.
func decodeCount(b []byte, before string) (k UsageKey, count int64, size int, err error) {
	shared, more := uint64(0), uint64(0)
	rest := b
	for _, n := range []*uint64{&shared, &more} {
		if rest, err = shortUvarint(rest, n); err != nil {
			return k, 0, 0, err
		}
	}
	if shared > uint64(len(before)) || more > maxUsageName || uint64(len(rest)) < more+1 {
		return k, 0, 0, errUsageCount
	}
	name, rest := string(rest[:more]), rest[more:]
	if more > 0 && shared < uint64(len(before)) && before[shared] == name[0] || more == 0 && shared < uint64(len(before)) {
		return k, 0, 0, errUsageOrder // more of the name is shared, or it is the beginning of the one before
	}
	k = UsageKey{Name: before[:shared] + name, Kind: UsageKind(rest[0] >> 3)}
	if i := int(rest[0] & 7); i > len(Langs) {
		return k, 0, 0, errUsageCount
	} else if i > 0 {
		k.Lang = Langs[i-1]
	}
	n := uint64(0)
	if rest, err = shortUvarint(rest[1:], &n); err != nil {
		return k, 0, 0, err
	}
	if n == 0 || n > 1<<62 {
		return k, 0, 0, errUsageCount
	}
	return k, int64(n), len(b) - len(rest), nil
}

// shortUvarint reads a number that is written in as few bytes as it can be.
func shortUvarint(b []byte, into *uint64) (rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || size > 1 && b[size-1] == 0 {
		return nil, errUsageCount
	}
	*into = n
	return b[size:], nil
}
