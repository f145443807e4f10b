package table

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"koprik/embed/table/read"
	"koprik/portal"
	"koprik/portal/query"
)

// A cursor is the base64url of: a version byte, the query's tag, and the id of
// the last row that was given, 8 bytes big-endian.
const (
	cursorVersion = 1
	tagLen        = 8
	cursorLen     = 1 + tagLen + 8
)

// cursorTag names a table and the part of a query that its order of rows hangs
// on: what else is asked may change between pages.
func cursorTag(table string, q portal.TableQuery) (tag [tagLen]byte) {
	q = portal.TableQuery{Filters: q.Filters, Text: q.Text, Order: q.Order, Group: q.Group, Aggregates: q.Aggregates}
	if len(q.Group) == 0 {
		q.Aggregates = nil
	}
	h := sha256.Sum256([]byte(table + "\n" + query.Values(q).Encode()))
	copy(tag[:], h[:])
	return tag
}

func makeCursor(tag [tagLen]byte, row int64) string {
	b := make([]byte, 0, cursorLen)
	b = append(append(b, cursorVersion), tag[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(row)) //nolint:gosec // row ids are positive
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor accepts only what makeCursor made for the same table and query.
func parseCursor(s string, tag [tagLen]byte) (row int64, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != cursorLen || b[0] != cursorVersion {
		return 0, usage("after", "%q is no cursor", clip(s, 40))
	}
	row = int64(binary.BigEndian.Uint64(b[1+tagLen:]))                                      //nolint:gosec // checked below
	if row < 1 || row > read.MaxRows || makeCursor([tagLen]byte(b[1:1+tagLen]), row) != s { // base64 passes over line breaks
		return 0, usage("after", "%q is no cursor", clip(s, 40))
	}
	if [tagLen]byte(b[1:1+tagLen]) != tag {
		return 0, usage("after", "the cursor belongs to another table, release, filter or order; begin at the first page")
	}
	return row, nil
}
