package post

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"koprik/portal"
)

// A report is what a node tells the centre of its use: states of its counters,
// sealed as questions are, so that who carries it cannot tell it from a question.
// In bytes: the magic, the number of states, of each its boot (8), day since 1970
// (uint32), length and counts (portal.Usage.Encode); then zeros until it is as long
// as the shortest question. Numbers are big-endian uint32.
const (
	usageMagic  = "koprik usage 1\n"
	usageHead   = len(usageMagic) + 4
	stateHead   = len(portal.Boot{}) + 4 + 4
	leastReport = SlotSize + PublicKeySize
	maxReport   = 16<<10 - lengthPrefix
)

// ErrUsage says that what was sealed as a report is none.
var ErrUsage = errors.New("is no report of use")

func usageInfo(e Epoch, id portal.InquiryID) []byte {
	return append([]byte("koprik/usage/v1"+string(e)), id[:]...)
}

// SplitUsage divides states into reports that can each be sealed, in their order. A
// state with many counts may be in several: merging puts it together.
func SplitUsage(states []portal.UsageState) (reports [][]portal.UsageState) {
	var report []portal.UsageState
	size := usageHead
	for _, s := range states {
		for _, part := range s.Counts.Split(maxReport - usageHead - stateHead) {
			if size+stateHead+len(part) > maxReport && len(report) > 0 {
				reports = append(reports, report)
				report, size = nil, usageHead
			}
			counts, err := portal.DecodeUsage(part)
			if err != nil {
				continue // Split writes what DecodeUsage reads
			}
			report = append(report, portal.UsageState{Boot: s.Boot, Day: s.Day, Counts: counts})
			size += stateHead + len(part)
		}
	}
	if len(report) > 0 {
		reports = append(reports, report)
	}
	return reports
}

// EncodeUsage writes a report; what is too long is portal.ErrRejected.
func EncodeUsage(states []portal.UsageState) ([]byte, error) {
	b := binary.BigEndian.AppendUint32([]byte(usageMagic), uint32(len(states))) //nolint:gosec // bounded by maxReport
	for _, s := range states {
		counts := s.Counts.Encode()
		b = append(b, s.Boot[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(s.Day.Time().Unix()/daySeconds)) //nolint:gosec // a day
		b = binary.BigEndian.AppendUint32(b, uint32(len(counts)))                    //nolint:gosec // bounded by maxReport
		b = append(b, counts...)
	}
	if len(b) < leastReport {
		b = append(b, make([]byte, leastReport-len(b))...)
	}
	if len(b) > maxReport {
		return nil, portal.Rejected("report of use", "%d bytes, at most %d", len(b), maxReport)
	}
	return b, nil
}

const daySeconds = 24 * 60 * 60

// DecodeUsage reads exactly what EncodeUsage writes, and what an honest node could
// have counted. Everything else is ErrUsage.
func DecodeUsage(b []byte) (states []portal.UsageState, err error) {
	bad := func(why string, args ...any) ([]portal.UsageState, error) {
		return nil, fmt.Errorf("%w: %s", ErrUsage, fmt.Sprintf(why, args...))
	}
	rest, ok := bytes.CutPrefix(b, []byte(usageMagic))
	if !ok || len(b) < leastReport || len(b) > maxReport {
		return bad("%d bytes", len(b))
	}
	count := binary.BigEndian.Uint32(rest)
	rest = rest[4:]
	for range count {
		if len(rest) < stateHead {
			return bad("state %d is cut off", len(states)+1)
		}
		s := portal.UsageState{Boot: portal.Boot(rest[:8])}
		s.Day = portal.DateOf(time.Unix(int64(binary.BigEndian.Uint32(rest[8:]))*daySeconds, 0))
		n := int64(binary.BigEndian.Uint32(rest[12:]))
		rest = rest[stateHead:]
		if n == 0 || n > int64(len(rest)) {
			return bad("state %d: %d bytes cannot be", len(states)+1, n)
		}
		if s.Counts, err = portal.DecodeUsage(rest[:n]); err == nil {
			err = s.Counts.Validate()
		}
		if err != nil {
			return bad("state %d: %v", len(states)+1, err)
		}
		states, rest = append(states, s), rest[n:]
	}
	if len(bytes.Trim(rest, "\x00")) > 0 || len(rest) > 0 && len(b) > leastReport {
		return bad("%d bytes behind %d states", len(rest), count)
	}
	return states, nil
}

// SealUsage seals a report to a centre's public key of an epoch.
func SealUsage(centre []byte, e Epoch, id portal.InquiryID, states []portal.UsageState) ([]byte, error) {
	if _, err := ParseEpoch(string(e)); err != nil {
		return nil, err
	}
	body, err := EncodeUsage(states)
	if err != nil {
		return nil, err
	}
	return seal(centre, usageInfo(e, id), body)
}

// OpenUsage opens what SealUsage sealed for this key, epoch and id. ErrSealed when
// it does not open, as a question does not; ErrUsage when it is no report.
func OpenUsage(k CentreKey, e Epoch, id portal.InquiryID, ct []byte) ([]portal.UsageState, error) {
	body, err := open(k.key, usageInfo(e, id), ct)
	if err != nil {
		return nil, err
	}
	return DecodeUsage(body)
}

// UsagePath is the target that has the sums of all nodes.
const UsagePath = "talkback/usage"

// EncodeTotals writes the sums of all nodes, the target UsagePath.
func EncodeTotals(t portal.UsageTotals) ([]byte, error) { return encode(t) }

// DecodeTotals reads what EncodeTotals writes.
func DecodeTotals(b []byte) (t portal.UsageTotals, err error) {
	if err := decode(b, &t); err != nil {
		return portal.UsageTotals{}, fmt.Errorf("use: %w", err)
	}
	return t, nil
}
