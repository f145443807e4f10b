// Package carrier makes and reads the forms in which contents travel. A carrier
// is not signed: what comes out of it is verified as if it had been fetched
// whole (spec/sync.md, "The tree"), so a carrier can be made anew by any relay.
//
// The one carrier so far is the whole object, objects/<aa>/<sha256>.zst.
package carrier

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/zstd"

	"koprik/internal/disk"
)

// window bounds the decoder's memory; an encoder never uses more.
const window = 8 << 20

// MaxCompressed is the most bytes that a .zst of size bytes may have: what zstd
// adds to bytes that it cannot compress, and its frame.
func MaxCompressed(size int64) int64 { return size + size/128 + 1024 }

// WriteObject writes the size bytes of r as one zstd frame to name, durably.
// What stands there already is kept: its name says its content.
func WriteObject(repo disk.FS, name string, r io.Reader, size int64) error {
	if _, err := repo.Stat(name); err == nil {
		return nil
	}
	w, err := disk.Create(repo, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := Encode(w, r, size); err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	return w.Commit()
}

// encoders are kept by the size of their window: making one of 8 MiB costs more
// than compressing a small table.
var encoders = map[int]*sync.Pool{128 << 10: {}, 1 << 20: {}, window: {}}

// windowFor is the smallest window that holds size bytes, or the largest.
func windowFor(size int64) int {
	for _, w := range []int{128 << 10, 1 << 20} {
		if size <= int64(w) {
			return w
		}
	}
	return window
}

func encoder(size int64) (enc *zstd.Encoder, giveBack func(), err error) {
	w := windowFor(size)
	pool := encoders[w]
	giveBack = func() {
		enc.Reset(nil)
		pool.Put(enc)
	}
	if enc, _ = pool.Get().(*zstd.Encoder); enc != nil {
		return enc, giveBack, nil
	}
	enc, err = zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(w),
		zstd.WithZeroFrames(true),
		zstd.WithEncoderCRC(true))
	return enc, giveBack, err
}

// Encode writes the size bytes of r as the one zstd frame of WriteObject.
func Encode(w io.Writer, r io.Reader, size int64) error {
	enc, giveBack, err := encoder(size)
	if err != nil {
		return err
	}
	defer giveBack()
	enc.ResetContentSize(w, size)
	n, err := io.Copy(enc, r)
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes instead of %d", n, size)
	}
	return errors.Join(err, enc.Close())
}

// ErrCarrier says that a carrier is torn or is not one of ours.
var ErrCarrier = errors.New("damaged carrier")

// Decode reads one zstd frame of size bytes as they were before compression. It
// gives at most size bytes, and ErrCarrier for a frame that no writer of ours
// makes. Closing it frees the decoder and leaves r open.
func Decode(r io.Reader, size int64) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(zstd.HeaderMaxSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := checkHeader(head, size); err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(br,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(window),
		zstd.WithDecoderMaxMemory(uint64(max(size, window))))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCarrier, err)
	}
	return &decoded{dec: dec, left: size}, nil
}

// checkHeader refuses every frame header that WriteObject would not make, so
// that a damaged bit has nowhere to hide.
func checkHeader(head []byte, size int64) error {
	var h zstd.Header
	if err := h.Decode(head); err != nil {
		return fmt.Errorf("%w: %w", ErrCarrier, err)
	}
	const unusedBits = 0x18
	switch {
	case h.Skippable || h.DictionaryID != 0 || head[4]&unusedBits != 0:
		return fmt.Errorf("%w: not one plain zstd frame", ErrCarrier)
	case !h.HasCheckSum:
		return fmt.Errorf("%w: no checksum", ErrCarrier)
	case h.HasFCS && h.FrameContentSize != uint64(size):
		return fmt.Errorf("%w: says %d bytes, %d are signed", ErrCarrier, h.FrameContentSize, size)
	case !h.SingleSegment && h.WindowSize > window:
		return fmt.Errorf("%w: window of %d bytes", ErrCarrier, h.WindowSize)
	}
	return nil
}

type decoded struct {
	dec  *zstd.Decoder
	left int64
}

func (d *decoded) Read(p []byte) (int, error) {
	if d.left == 0 {
		return d.end()
	}
	if int64(len(p)) > d.left {
		p = p[:d.left]
	}
	n, err := d.dec.Read(p)
	d.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && d.left > 0:
		return n, fmt.Errorf("%w: %d bytes are missing", ErrCarrier, d.left)
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("%w: %w", ErrCarrier, err)
	}
	return n, nil
}

// end reads past the last byte, so that the frame's checksum is checked and
// nothing follows.
func (d *decoded) end() (int, error) {
	var one [1]byte
	n, err := d.dec.Read(one[:])
	switch {
	case n > 0:
		return 0, fmt.Errorf("%w: more bytes than are signed", ErrCarrier)
	case err == nil || errors.Is(err, io.EOF):
		return 0, io.EOF
	}
	return 0, fmt.Errorf("%w: %w", ErrCarrier, err)
}

func (d *decoded) Close() error {
	d.dec.Close()
	return nil
}

// ReadObject opens name in a repository folder and decodes it.
func ReadObject(repo disk.FS, name string, size int64) (io.ReadCloser, error) {
	f, err := repo.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	r, err := Decode(f, size)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &opened{ReadCloser: r, file: f}, nil
}

type opened struct {
	io.ReadCloser
	file io.Closer
}

func (o *opened) Close() error { return errors.Join(o.ReadCloser.Close(), o.file.Close()) }

// Compress gives the .zst form of b in memory: for tests and small contents.
func Compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	err := Encode(&out, bytes.NewReader(b), int64(len(b)))
	return out.Bytes(), err
}
