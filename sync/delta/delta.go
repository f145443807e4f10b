// Package delta says what to send when a file changed: codecs compete, the
// smallest result that decodes to the right bytes wins, and applying one takes
// bounded memory (spec/sync.md). It is pure: bytes in, bytes out.
//
// A patch is not signed and not trusted. Apply gives bytes out while it works
// and says at the end whether they are the content that was asked for; until it
// returns nil, nothing that it wrote may count.
//
// docs/reference/delta.md gives the form to the byte.
//
// What is done for every bit or byte is marked norace: it works on what one
// Encode or Apply has made for itself, and the race detector, which would take
// five times as long over it, watches all that calls it.
package delta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"koprik/portal"
)

// Codec is the way in which a patch's body is made. Its number stands in the file.
type Codec uint8

// The codecs. Those from ZstdPatch on may need the old content.
const (
	Stored    Codec = iota // the bytes as they are
	Zstd                   // one zstd frame
	Brotli                 // one brotli stream
	ZstdPatch              // one zstd frame with the old content as raw dictionary
	Copies                 // range-coded copies and literals, any size
	Table                  // a CSV file: rows of the old one, changed cells
	codecs
)

var names = [codecs]string{"stored", "zstd", "brotli", "zstd-patch", "copies", "table"}

// String is the codec's name in docs/reference/delta.md.
func (c Codec) String() string {
	if c < codecs {
		return names[c]
	}
	return fmt.Sprintf("codec %d", uint8(c))
}

// NeedsOld tells whether the codec reads the old content.
func (c Codec) NeedsOld() bool { return c >= ZstdPatch }

// Limits of what is made and taken.
const (
	MaxSize      = 1 << 30 // bytes of an old or a new content
	MaxHeader    = 5 + 3*binary.MaxVarintLen32
	maxZstdPatch = 24 << 20 // old and new together: both stand in memory
	maxZstdBody  = 8 << 20  // body of a zstd patch
	wholeWindow  = 8 << 20  // window of whole zstd
	maxRanged    = 4 << 20  // body of copies and table: it takes half a minute to apply
	maxBrotli    = 16 << 20 // content that brotli is tried on: it takes 2 s a MB
)

// Errors that a caller can act on; both mean: take another way.
var (
	// ErrPatch says that the patch is torn, damaged or not of this form.
	ErrPatch = errors.New("damaged patch")
	// ErrBase says that the old content is not the one that the patch was made from.
	ErrBase = errors.New("patch is from another content")
)

// Header is the beginning of a patch.
type Header struct {
	Codec    Codec
	Old, New int64 // bytes of the contents; Old is 0 when the codec needs none
	Body     int64 // bytes that follow the header
}

const (
	magic   = "KPD"
	version = 1
)

// append gives the header's bytes.
func (h Header) append(b []byte) []byte {
	b = append(b, magic...)
	b = append(b, version, byte(h.Codec))
	for _, n := range []int64{h.Old, h.New, h.Body} {
		b = binary.AppendUvarint(b, uint64(n)) //nolint:gosec // a length
	}
	return b
}

// ReadHeader reads a patch's header from r, byte by byte, and refuses what no
// writer makes.
func ReadHeader(r io.ByteReader) (Header, error) {
	var fixed [5]byte
	for i := range fixed {
		b, err := r.ReadByte()
		if err != nil {
			return Header{}, fmt.Errorf("%w: header: %w", ErrPatch, noEOF(err))
		}
		fixed[i] = b
	}
	h := Header{Codec: Codec(fixed[4])}
	if string(fixed[:3]) != magic || fixed[3] != version || h.Codec >= codecs {
		return Header{}, fmt.Errorf("%w: begins with % x", ErrPatch, fixed)
	}
	for _, n := range []*int64{&h.Old, &h.New, &h.Body} {
		v, err := readUvarint(r)
		if err != nil {
			return Header{}, fmt.Errorf("%w: header: %w", ErrPatch, err)
		}
		*n = v
	}
	return h, h.check()
}

// check keeps every length within what the codec allows.
func (h Header) check() error {
	switch {
	case h.Old > MaxSize || h.New > MaxSize || h.Body > h.New+h.New/128+1024:
		return fmt.Errorf("%w: lengths %d, %d, %d are over the limits", ErrPatch, h.Old, h.New, h.Body)
	case !h.Codec.NeedsOld() && h.Old != 0:
		return fmt.Errorf("%w: %s names an old content", ErrPatch, h.Codec)
	case (h.Codec == ZstdPatch || h.Codec == Table) && h.Old == 0:
		return fmt.Errorf("%w: a %s from nothing", ErrPatch, h.Codec)
	case (h.Codec == Copies || h.Codec == Table) && h.Body > maxRanged:
		return fmt.Errorf("%w: a %s with a body of %d bytes", ErrPatch, h.Codec, h.Body)
	case h.Codec == Stored && h.Body != h.New:
		return fmt.Errorf("%w: stored %d bytes as %d", ErrPatch, h.New, h.Body)
	case h.Codec == ZstdPatch && (h.Old+h.New > maxZstdPatch || h.Body > maxZstdBody):
		return fmt.Errorf("%w: a %s of %d and %d bytes", ErrPatch, h.Codec, h.Old, h.New)
	case h.Codec == Table && (h.Old > maxTable || h.New > maxTable):
		return fmt.Errorf("%w: a %s of %d and %d bytes", ErrPatch, h.Codec, h.Old, h.New)
	}
	return nil
}

// readUvarint reads a number in its shortest spelling.
func readUvarint(r io.ByteReader) (int64, error) {
	var v int64
	for shift := 0; shift <= 28; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, noEOF(err)
		}
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b == 0 && shift > 0 {
				return 0, errors.New("a number is spelt longer than it need be")
			}
			return v, nil
		}
	}
	return 0, errors.New("a number is too long")
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Content is what a caller wants a patch to give: what its signed manifest says.
type Content struct {
	SHA256 portal.Digest
	Size   int64
}

// ContentOf names b.
func ContentOf(b []byte) Content { return Content{portal.DigestOf(b), int64(len(b))} }
