package delta

import (
	"bytes"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// wholes are encoders for frames without a dictionary: a new one clears 36 MB,
// and one that is used again gives the same bytes.
var wholes sync.Pool

// encodeZstd gives one frame at klauspost's best level; old is its raw
// dictionary when there is one. Only that level finds the deltas.
func encodeZstd(old, fresh []byte) ([]byte, error) {
	if old != nil {
		window := max(zstd.MinWindowSize, 1<<bits.Len(uint(len(old)+len(fresh)))) //nolint:gosec // a length
		enc, err := newZstd(window, zstd.WithEncoderDictRaw(0, old))
		if err != nil {
			return nil, err
		}
		return enc.EncodeAll(fresh, nil), enc.Close()
	}
	enc, _ := wholes.Get().(*zstd.Encoder)
	if enc == nil {
		var err error
		if enc, err = newZstd(wholeWindow); err != nil {
			return nil, err
		}
	}
	defer wholes.Put(enc)
	return enc.EncodeAll(fresh, nil), nil
}

func newZstd(window int, more ...zstd.EOption) (*zstd.Encoder, error) {
	options := []zstd.EOption{zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true), zstd.WithWindowSize(window)}
	return zstd.NewWriter(nil, append(options, more...)...)
}

func encodeBrotli(fresh []byte, pause func() error) ([]byte, error) {
	var out bytes.Buffer
	const least, most = 10, 22 // its tables are as large as the window
	window := min(max(bits.Len(uint(len(fresh)))+1, least), most)
	w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: 11, LGWin: window})
	for part := range slices.Chunk(fresh, block) {
		if err := pause(); err != nil {
			return nil, err
		}
		if _, err := w.Write(part); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// applyWhole gives out a body that needs no old content.
func applyWhole(w io.Writer, h Header, body io.Reader) error {
	switch h.Codec {
	case Zstd:
		dec, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(wholeWindow), zstd.WithDecoderMaxMemory(uint64(max(h.New, wholeWindow)))) //nolint:gosec // a length
		if err != nil {
			return fmt.Errorf("%w: %w", ErrPatch, err)
		}
		defer dec.Close()
		return copyDamaged(w, dec)
	case Brotli:
		return copyDamaged(w, brotli.NewReader(body))
	}
	return copyDamaged(w, body)
}

// copyDamaged copies and calls what the reader cannot decode a damaged patch.
func copyDamaged(w io.Writer, r io.Reader) error {
	in := &watched{r: r}
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, in, make([]byte, 32<<10))
	if err != nil && in.err != nil {
		return fmt.Errorf("%w: %w", ErrPatch, err)
	}
	return err
}

// watched keeps its reader's error, to tell it from the writer's.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // readers give it bare
		w.err = err
	}
	return n, err
}

// applyZstdPatch holds old and new in memory: their sum is limited.
func applyZstdPatch(w io.Writer, old io.ReaderAt, h Header, body io.Reader) error {
	dict := make([]byte, h.Old)
	if n, err := old.ReadAt(dict, 0); int64(n) < h.Old {
		return fmt.Errorf("read old content: %w", noEOF(err))
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read patch: %w", err)
	}
	var head zstd.Header
	if err := head.Decode(b); err != nil || !head.HasFCS && h.New > 255 || head.HasFCS && head.FrameContentSize != uint64(h.New) { //nolint:gosec // a length
		return fmt.Errorf("%w: not one zstd frame of %d bytes", ErrPatch, h.New)
	}
	window := uint64(max(4*zstd.MinWindowSize, 2*(h.Old+h.New))) //nolint:gosec // a length
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderDictRaw(0, dict),
		zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(window))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPatch, err)
	}
	defer dec.Close()
	out, err := dec.DecodeAll(b, make([]byte, 0, h.New))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPatch, err)
	}
	_, err = w.Write(out)
	return err
}
