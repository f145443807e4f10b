package portal

import (
	"bytes"
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
	name := ""
	for rest := b; len(rest) > 0; {
		bad := func(why string) (Usage, error) {
			return nil, fmt.Errorf("counts: %s at byte %d", why, len(b)-len(rest))
		}
		shared, n := binary.Uvarint(rest)
		if n <= 0 || shared > uint64(len(name)) {
			return bad("no name")
		}
		rest = rest[n:]
		more, n := binary.Uvarint(rest)
		if n <= 0 || more > maxUsageName || uint64(len(rest)-n) < more+1 {
			return bad("a name is cut off")
		}
		name = name[:shared] + string(rest[n:][:more]) //nolint:gosec // at most maxUsageName
		rest = rest[n+int(more):]                      //nolint:gosec // at most maxUsageName
		k := UsageKey{Name: name, Kind: UsageKind(rest[0] >> 3)}
		if i := int(rest[0] & 7); i > len(Langs) {
			return bad("no language")
		} else if i > 0 {
			k.Lang = Langs[i-1]
		}
		rest = rest[1:]
		count, n := binary.Uvarint(rest)
		if n <= 0 || count == 0 || count > 1<<62 {
			return bad("no count")
		}
		rest = rest[n:]
		u[k] = int64(count)
	}
	if !bytes.Equal(u.Encode(), b) {
		return nil, errors.New("counts: not as they are written")
	}
	return u, nil
}
