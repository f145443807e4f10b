package delta

import (
	"bytes"
	"errors"
	"fmt"
)

// Options bound the work of Encode. The zero value tries everything.
type Options struct {
	Only      []Codec // codecs that may win; nil for all
	Untrained bool    // literals are never trained on the old content: half the time on both sides
	// Pause is called again and again while the codecs of our own and brotli work,
	// every few milliseconds; it may wait, and its error ends Encode. nil: never.
	Pause func() error
}

// Trial is what one codec gave.
type Trial struct {
	Codec Codec
	Bytes int // of the whole patch; 0 when it declined
}

// Best is the smallest patch that decodes to the new content; a range-coded one
// wins when it is smaller by 1/32, because it takes longer to apply.
type Best struct {
	Codec Codec
	Patch []byte
	Tried []Trial
}

// Encode makes the smallest patch from old to fresh; old is nil for a patch that
// needs none. The winner is applied before it is given. It takes seconds for
// each MB that changed, and four times the memory of both contents.
func Encode(old, fresh []byte, o Options) (Best, error) {
	return EncodeJoined(append(append(make([]byte, 0, len(old)+len(fresh)), old...), fresh...), len(old), o)
}

// EncodeJoined is Encode of an old content, the first bytes of both, and the new
// one, which is the rest. It takes three times the memory of both.
func EncodeJoined(both []byte, old int, o Options) (Best, error) {
	e := &contest{both: both, old: both[:old:old], fresh: both[old:], only: o.Only, prime: maxPrime, pause: o.Pause}
	if len(e.old) > MaxSize || len(e.fresh) > MaxSize {
		return Best{}, fmt.Errorf("contents of %d and %d bytes: at most %d are patched", len(e.old), len(e.fresh), MaxSize)
	}
	e.want = ContentOf(e.fresh)
	if o.Untrained {
		e.prime = 0
	}
	if e.pause == nil {
		e.pause = func() error { return nil }
	}
	e.contend()
	return e.best, e.err
}

// contend lets every codec try that may win.
func (e *contest) contend() {
	old, fresh := e.old, e.fresh
	e.try(Stored, func() ([]byte, error) { return fresh, nil })
	e.try(Zstd, func() ([]byte, error) { return encodeZstd(nil, fresh) })
	if len(old)+len(fresh) > cheapZstdPatch {
		e.zstdPatch()
	}
	e.copies()
	e.tables()
	if len(old)+len(fresh) <= cheapZstdPatch && !e.found(max(len(fresh)/8, cheapPatch)) {
		e.zstdPatch()
	}
	if len(fresh) <= maxBrotli && e.brotliMayWin() {
		e.try(Brotli, func() ([]byte, error) { return encodeBrotli(fresh, e.pause) })
	}
	if e.err == nil && e.best.Patch == nil {
		e.err = errors.New("no codec that is allowed can make this patch")
	}
	e.verify()
}

// cheapZstdPatch is up to how many bytes, old and new together, the range-coded
// codecs come first and spare zstd's patch where they find the old content again:
// its encoder clears 72 MB, which takes longer than all else with a small file.
const (
	cheapZstdPatch = 256 << 10
	cheapPatch     = 1 << 10 // a patch that is not worth another try
)

// contest keeps the best so far.
type contest struct {
	both       []byte // the old content and the new one, one after the other
	old, fresh []byte // parts of both
	want       Content
	only       []Codec
	prime      int // the longest old content that literals are trained on
	pause      func() error
	best       Best
	err        error
}

func (e *contest) allowed(c Codec) bool {
	for _, o := range e.only {
		if o == c {
			return true
		}
	}
	return e.only == nil
}

// try lets a codec compete; a nil body means that it declines.
func (e *contest) try(c Codec, encode func() ([]byte, error)) {
	if e.err != nil || !e.allowed(c) {
		return
	}
	var body []byte
	err := e.pause()
	if err == nil {
		body, err = encode()
	}
	if err != nil {
		e.err = fmt.Errorf("encode as %s: %w", c, err)
		return
	}
	if body == nil && c >= Copies {
		e.best.Tried = append(e.best.Tried, Trial{Codec: c})
		return
	}
	h := Header{Codec: c, New: int64(len(e.fresh)), Body: int64(len(body))}
	if c.NeedsOld() {
		h.Old = int64(len(e.old))
	}
	if h.check() != nil {
		e.best.Tried = append(e.best.Tried, Trial{Codec: c})
		return
	}
	patch := append(h.append(nil), body...)
	e.best.Tried = append(e.best.Tried, Trial{c, len(patch)})
	if e.best.Patch != nil && weight(c, patch) >= weight(e.best.Codec, e.best.Patch) {
		return
	}
	e.best.Codec, e.best.Patch = c, patch
}

// verify applies the winner: a patch that gives anything else is our mistake, and
// leaves this program as an error.
func (e *contest) verify() {
	if e.err != nil {
		return
	}
	if err := Apply(discard{}, bytes.NewReader(e.old), int64(len(e.old)), bytes.NewReader(e.best.Patch), e.want); err != nil {
		e.err = fmt.Errorf("a %s patch does not verify: %w", e.best.Codec, err)
	}
}

// found tells whether the best patch has at most n bytes.
func (e *contest) found(n int) bool { return e.best.Patch != nil && len(e.best.Patch) <= n }

func (e *contest) zstdPatch() {
	if len(e.old) > 0 && len(e.fresh) > 0 && len(e.old)+len(e.fresh) <= maxZstdPatch {
		e.try(ZstdPatch, func() ([]byte, error) { return encodeZstd(e.old, e.fresh) })
	}
}

// weight is a patch's length and, for range-coded ones, 1/32 of it for the time
// they take to apply: a microsecond or two a literal, in which the slowest line
// brings a byte for every 60 to 120.
func weight(c Codec, patch []byte) int {
	if c >= Copies {
		return len(patch) + len(patch)/32
	}
	return len(patch)
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

const maxPrime = 1 << 20 // old content that literals are trained on: a second a MB on both sides

// copies tries that codec, and once more with trained literals where the patch
// is large enough for it to matter.
func (e *contest) copies() {
	if !e.allowed(Copies) || e.err != nil {
		return
	}
	limit := min(len(e.fresh)+1024, maxRanged)
	size := 0
	e.try(Copies, func() ([]byte, error) {
		body, err := encodeCopies(e.both, len(e.old), false, limit, e.pause)
		size = len(body)
		return body, err
	})
	if len(e.old) > 0 && len(e.old) <= e.prime && size > len(e.old)/50 && size < len(e.fresh)*7/8 {
		e.try(Copies, func() ([]byte, error) { return encodeCopies(e.both, len(e.old), true, limit, e.pause) })
	}
}

// tables tries that codec, likewise.
func (e *contest) tables() {
	if len(e.old) == 0 || len(e.old) > maxTable || len(e.fresh) > maxTable {
		return
	}
	size := 0
	e.try(Table, func() ([]byte, error) {
		body, err := encodeTable(e.old, e.fresh, false, e.pause)
		size = len(body)
		return body, err
	})
	if len(e.old) <= e.prime && size > len(e.old)/50 {
		e.try(Table, func() ([]byte, error) { return encodeTable(e.old, e.fresh, true, e.pause) })
	}
}

// brotliMayWin spares the slowest codec where a patch is far below what any
// whole codec reaches: brotli was never below half of zstd.
func (e *contest) brotliMayWin() bool {
	for _, t := range e.best.Tried {
		if t.Codec == Zstd && e.best.Patch != nil {
			return len(e.best.Patch) > t.Bytes/2
		}
	}
	return true
}

// delimiter guesses what stands between fields: the mark that is most frequent
// in the beginning; 0 when there is none.
func delimiter(b []byte) byte {
	var count [256]int
	for _, c := range b[:min(len(b), 1<<16)] {
		count[c]++
	}
	best := byte(0)
	most := min(len(b), 1<<16) / 200
	for _, c := range []byte(",;\t|") {
		if count[c] > most {
			best, most = c, count[c]
		}
	}
	return best
}
