package carrier

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/andybalholm/brotli"

	"koprik/portal"
)

// BrotliPath is where the brotli form of contents stands in a repository, where
// it is smaller than the zstd one.
func BrotliPath(d portal.Digest) string {
	h := d.Hex()
	return "objects/" + h[:2] + "/" + h + ".br"
}

// Brotli gives the smallest brotli stream of b; it takes two seconds a MB. Pause
// is called again and again meanwhile: it may wait, and its error ends the work.
func Brotli(b []byte, pause func() error) ([]byte, error) {
	var out bytes.Buffer
	const least, most = 10, 24 // its tables are as large as the window
	window := min(max(bits.Len(uint(len(b)))+1, least), most)
	w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: window})
	const part = 4 << 10
	for some := range slices.Chunk(b, part) {
		if err := pause(); err != nil {
			return nil, err
		}
		if _, err := w.Write(some); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// DecodeBrotli reads a brotli stream of size bytes as they were before
// compression. It gives at most size bytes, and ErrCarrier when there are fewer.
// Its window takes at most 16 MB.
func DecodeBrotli(r io.Reader, size int64) io.Reader {
	return &unbrotli{in: brotli.NewReader(r), left: size}
}

type unbrotli struct {
	in   io.Reader
	left int64
}

func (u *unbrotli) Read(p []byte) (int, error) {
	if u.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > u.left {
		p = p[:u.left]
	}
	n, err := u.in.Read(p)
	u.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && u.left > 0:
		return n, fmt.Errorf("%w: %d bytes are missing", ErrCarrier, u.left)
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("%w: %w", ErrCarrier, err)
	}
	return n, nil
}
