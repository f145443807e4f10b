package delta

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"koprik/portal"
)

// Apply reads one patch from r, to its end, and writes the new content to w.
// What was written counts only when Apply returns nil: then it has the length
// and the SHA-256 of want. It never writes more than want.Size bytes, and takes
// at most 64 MB of memory whatever the patch says.
//
// old is the content that the patch was made from, of oldSize bytes; nil and 0
// when there is none. Errors: ErrPatch, ErrBase, portal.ErrUnverified when
// other bytes come out, and those of r, old and w.
func Apply(w io.Writer, old io.ReaderAt, oldSize int64, r io.Reader, want Content) error {
	source := &watched{r: r}
	err := applyAll(w, old, oldSize, bufio.NewReaderSize(source, 32<<10), want)
	if err != nil && source.err != nil {
		return fmt.Errorf("read patch: %w", source.err) // the line's error, not the patch's
	}
	return err
}

func applyAll(w io.Writer, old io.ReaderAt, oldSize int64, in *bufio.Reader, want Content) error {
	h, err := ReadHeader(in)
	if err != nil {
		return err
	}
	switch {
	case h.Codec.NeedsOld() && h.Old != 0 && (old == nil || h.Old != oldSize):
		return fmt.Errorf("%w: of %d bytes, not %d", ErrBase, h.Old, oldSize)
	case h.New != want.Size:
		return fmt.Errorf("%w: gives %d bytes, %d are wanted", ErrPatch, h.New, want.Size)
	}
	out := &checked{w: w, left: want.Size, hash: sha256.New()}
	body := &io.LimitedReader{R: in, N: h.Body}
	if err := applyBody(out, old, h, body); err != nil {
		return err
	}
	var one [1]byte
	switch n, err := io.ReadFull(in, one[:]); {
	case body.N > 0:
		return fmt.Errorf("%w: %d bytes of the body were not needed", ErrPatch, body.N)
	case n > 0:
		return fmt.Errorf("%w: bytes follow the body", ErrPatch)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("read patch: %w", err)
	case out.left > 0:
		return fmt.Errorf("%w: %d bytes are missing", ErrPatch, out.left)
	case portal.Digest(out.hash.Sum(nil)) != want.SHA256:
		return portal.Unverified("patched content "+want.SHA256.Short(), "its SHA-256 differs")
	}
	return nil
}

func applyBody(w io.Writer, old io.ReaderAt, h Header, body *io.LimitedReader) error {
	switch h.Codec {
	case ZstdPatch:
		return applyZstdPatch(w, old, h, body)
	case Copies:
		return applyCopies(w, old, h, bufio.NewReaderSize(body, 4<<10))
	case Table:
		return applyTable(w, old, h, bufio.NewReaderSize(body, 4<<10))
	}
	return applyWhole(w, h, body)
}

// checked hashes what goes through it and refuses more than was promised.
type checked struct {
	w    io.Writer
	left int64
	hash hash.Hash
}

func (c *checked) Write(b []byte) (int, error) {
	if int64(len(b)) > c.left {
		return 0, fmt.Errorf("%w: more bytes than it says", ErrPatch)
	}
	n, err := c.w.Write(b)
	c.left -= int64(n)
	c.hash.Write(b[:n])
	return n, err
}
