package column

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// A column as a file: magic, CRC-32C of all that follows, form, number of rows (8
// bytes), number of different values (4), these values, and the codes or numbers
// of the rows. Numbers are little-endian. It is derived and may be deleted.
const (
	magic      = "koprikc1"
	headLength = len(magic) + 4 + 1 + 8 + 4
)

// The forms.
const (
	formNone    = iota // the column has too many different texts
	formSmall          // codes of 2 bytes
	formLarge          // codes of 4 bytes
	formNumbers        // float64; NaN is missing
)

// Tags of values.
const (
	tagMissing = iota
	tagInt
	tagFloat
	tagText
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("damaged")

// Encode writes a vector of a whole column. One without values says that the
// column of so many rows has no form better than its values.
func Encode(v *Vector, rows int64) []byte {
	form, width := formNone, 0
	switch {
	case v.Small != nil:
		form, width = formSmall, 2
	case v.Large != nil:
		form, width = formLarge, 4
	case v.Numbers != nil:
		form, width = formNumbers, 8
	}
	b := make([]byte, 0, headLength+16*len(v.Dict)+width*v.Len())
	b = append(b, magic...)
	b = append(b, 0, 0, 0, 0, byte(form))
	b = binary.LittleEndian.AppendUint64(b, uint64(rows))        //nolint:gosec // not negative
	b = binary.LittleEndian.AppendUint32(b, uint32(len(v.Dict))) //nolint:gosec // at most maxDict
	for _, d := range v.Dict {
		b = appendValue(b, d)
	}
	for _, c := range v.Small {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	for _, c := range v.Large {
		b = binary.LittleEndian.AppendUint32(b, c)
	}
	for _, f := range v.Numbers {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	binary.LittleEndian.PutUint32(b[len(magic):], crc32.Checksum(b[len(magic)+4:], castagnoli))
	return b
}

func appendValue(b []byte, d any) []byte {
	switch d := d.(type) {
	case int64:
		return binary.LittleEndian.AppendUint64(append(b, tagInt), uint64(d)) //nolint:gosec // bits
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, tagFloat), math.Float64bits(d))
	case string:
		return append(binary.AppendUvarint(append(b, tagText), uint64(len(d))), d...)
	}
	return append(b, tagMissing)
}

// Decode reads what Encode wrote for a column of so many rows; ok is false for
// one that has no form better than its values.
func Decode(b []byte, rows int64) (v Vector, ok bool, err error) {
	if len(b) < headLength || string(b[:len(magic)]) != magic ||
		binary.LittleEndian.Uint32(b[len(magic):]) != crc32.Checksum(b[len(magic)+4:], castagnoli) {
		return v, false, fmt.Errorf("column: %w", errDamaged)
	}
	b = b[len(magic)+4:]
	form, n, values := b[0], binary.LittleEndian.Uint64(b[1:]), binary.LittleEndian.Uint32(b[9:])
	b = b[13:]
	if n != uint64(rows) || values > maxDict { //nolint:gosec // not negative
		return v, false, fmt.Errorf("column of %d rows and %d values: %w", n, values, errDamaged)
	}
	for range values {
		d, rest, err := takeValue(b)
		if err != nil {
			return v, false, err
		}
		v.Dict, b = append(v.Dict, d), rest
	}
	width := map[byte]uint64{formNone: 0, formSmall: 2, formLarge: 4, formNumbers: 8}
	w, known := width[form]
	if !known || w > 0 && uint64(len(b))/w != n || uint64(len(b)) != w*n {
		return v, false, fmt.Errorf("column of form %d: %w", form, errDamaged)
	}
	return v.take(form, b, int(n)) //nolint:gosec // as long as b
}

// take reads the rows.
func (v Vector) take(form byte, b []byte, n int) (Vector, bool, error) {
	switch form {
	case formSmall:
		v.Small = make([]uint16, n)
		for i := range v.Small {
			v.Small[i] = binary.LittleEndian.Uint16(b[2*i:])
			if int(v.Small[i]) >= len(v.Dict) {
				return v, false, fmt.Errorf("code %d: %w", v.Small[i], errDamaged)
			}
		}
	case formLarge:
		v.Large = make([]uint32, n)
		for i := range v.Large {
			v.Large[i] = binary.LittleEndian.Uint32(b[4*i:])
			if int(v.Large[i]) >= len(v.Dict) {
				return v, false, fmt.Errorf("code %d: %w", v.Large[i], errDamaged)
			}
		}
	case formNumbers:
		v.Numbers = make([]float64, n)
		for i := range v.Numbers {
			v.Numbers[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	v.measure()
	v.count()
	return v, form != formNone, nil
}

func takeValue(b []byte) (d any, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, fmt.Errorf("value: %w", errDamaged)
	}
	tag, b := b[0], b[1:]
	switch {
	case tag == tagMissing:
		return nil, b, nil
	case tag == tagInt && len(b) >= 8:
		return int64(binary.LittleEndian.Uint64(b)), b[8:], nil //nolint:gosec // bits
	case tag == tagFloat && len(b) >= 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), b[8:], nil
	case tag == tagText:
		n, k := binary.Uvarint(b)
		if k > 0 && n <= uint64(len(b)-k) {
			return string(b[k : k+int(n)]), b[k+int(n):], nil //nolint:gosec // as checked
		}
	}
	return nil, nil, fmt.Errorf("value: %w", errDamaged)
}
