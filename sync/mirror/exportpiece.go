package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/carrier"
)

// put writes one piece unless it stands there whole; it gives the bytes written,
// or -1.
func (e *Export) put(ctx context.Context, to disk.FS, p piece) (int64, error) {
	if stands(ctx, to, p) {
		return -1, nil
	}
	if p.carrier && e.served != nil && stands(ctx, e.served, p) {
		f, err := e.served.OpenFile(p.name, os.O_RDONLY)
		if err != nil {
			return 0, err
		}
		n, err := copyTo(ctx, to, p.name, f)
		return n, errors.Join(err, f.Close())
	}
	if p.held.IsZero() {
		return copyTo(ctx, to, p.name, bytes.NewReader(p.bytes))
	}
	f, _, err := e.contents.Open(p.held)
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	h := sha256.New()
	checked := &checkedReader{r: io.TeeReader(f, h), sum: h.Sum, want: p.held}
	if p.carrier {
		w, err := disk.CreateIn(to, stickTemp)
		if err != nil {
			return 0, err
		}
		defer w.Abort() //nolint:errcheck // after a commit there is nothing to abort
		n := &countingWriter{w: w}
		if err := carrier.Encode(n, checked, p.size); err != nil {
			return 0, err
		}
		return n.n, w.CommitAs(p.name)
	}
	return copyTo(ctx, to, p.name, checked)
}

// copyTo writes r under a temporary name in the temporary folder, and then
// renames it.
func copyTo(ctx context.Context, to disk.FS, name string, r io.Reader) (int64, error) {
	w, err := disk.CreateIn(to, stickTemp)
	if err != nil {
		return 0, err
	}
	defer w.Abort() //nolint:errcheck // after a commit there is nothing to abort
	n, err := io.Copy(w, &contextReader{ctx: ctx, r: r})
	if err != nil {
		return n, err
	}
	return n, w.CommitAs(name)
}

// stands tells whether a piece is on fsys with the bytes that it must have.
func stands(ctx context.Context, fsys disk.FS, p piece) bool {
	info, err := fsys.Stat(p.name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	if p.held.IsZero() {
		b, err := readRegular(fsys, p.name, int64(len(p.bytes)))
		return err == nil && bytes.Equal(b, p.bytes)
	}
	var in io.ReadCloser
	if p.carrier {
		in, err = carrier.ReadObject(fsys, p.name, p.size)
	} else {
		in, err = fsys.OpenFile(p.name, os.O_RDONLY)
	}
	if err != nil {
		return false
	}
	defer in.Close() //nolint:errcheck // opened for reading
	if !p.carrier && info.Size() != p.size {
		return false
	}
	d, n, err := hash(&contextReader{ctx: ctx, r: in})
	return err == nil && n == p.size && d == p.held
}

// checkedReader ends with an error when what was read has not the hash wanted.
type checkedReader struct {
	r    io.Reader
	sum  func([]byte) []byte
	want portal.Digest
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if errors.Is(err, io.EOF) && !bytes.Equal(c.sum(nil), c.want[:]) {
		return n, portal.Unverified("object "+c.want.Hex(), "the disk of this node changed it").
			WithHint("koprik doctor --repair and koprik sync bring it again")
	}
	return n, err
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
