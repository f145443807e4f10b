package carrier_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"koprik/internal/disk/disktest"
	"koprik/sync/carrier"
)

func content(n int, seed uint64, alphabet int) []byte {
	rng := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // repeatable
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + rng.IntN(alphabet))
	}
	return b
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for _, n := range []int{0, 1, 100, 70_000, 9 << 20} {
		for _, alphabet := range []int{2, 150} {
			want := content(n, uint64(n), alphabet)
			repo := disktest.New()
			if err := carrier.WriteObject(repo, "objects/aa/x.zst", bytes.NewReader(want), int64(n)); err != nil {
				t.Fatal(err)
			}
			info, err := repo.Stat("objects/aa/x.zst")
			if err != nil || info.Size() > carrier.MaxCompressed(int64(n)) {
				t.Errorf("%d bytes became %v, %v; at most %d are allowed", n, info, err, carrier.MaxCompressed(int64(n)))
			}
			r, err := carrier.ReadObject(repo, "objects/aa/x.zst", int64(n))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes read back as %d: %v", n, len(got), err)
			}
		}
	}
}

func TestContentOfAnotherLengthIsNotWritten(t *testing.T) {
	for _, said := range []int64{99, 101} {
		repo := disktest.New()
		if err := carrier.WriteObject(repo, "x.zst", bytes.NewReader(content(100, 1, 9)), said); err == nil {
			t.Errorf("100 bytes were written as %d", said)
		}
		if len(repo.Tree()) > 1 {
			t.Errorf("something is left: %v", repo.Tree())
		}
	}
}

// read decodes b as a content of size bytes, to its end.
func read(b []byte, size int64) ([]byte, error) {
	r, err := carrier.Decode(bytes.NewReader(b), size)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // a decoder
	return io.ReadAll(r)
}

// TestDamageShowsOrChangesNothing: the contents verify by their hash, so a
// damaged carrier is never believed. Here nearly every bit shows already in the
// carrier; zstd itself has a few that mean nothing.
func TestDamageShowsOrChangesNothing(t *testing.T) {
	want := content(3000, 1, 20)
	whole, err := carrier.Compress(want)
	if err != nil {
		t.Fatal(err)
	}
	const meaningless = 4
	harmless := 0
	for bit := range len(whole) * 8 {
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		got, err := read(b, int64(len(want)))
		if err == nil && bytes.Equal(got, want) {
			harmless++
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("bit %d gives other contents", bit)
		}
		if err != nil && !errors.Is(err, carrier.ErrCarrier) {
			t.Errorf("bit %d: %v is not ErrCarrier", bit, err)
		}
	}
	if harmless > meaningless {
		t.Errorf("%d of %d bits may be anything", harmless, len(whole)*8)
	}
}

func TestTornLongerAndForeignCarriersAreRefused(t *testing.T) {
	want := content(3000, 1, 20)
	whole, err := carrier.Compress(want)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := read(whole[:n], 3000); !errors.Is(err, carrier.ErrCarrier) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	cases := map[string][]byte{
		"a second frame":  append(bytes.Clone(whole), whole...),
		"not zstd":        []byte("PK\x03\x04 this is a zip file"),
		"a skippable one": {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4},
	}
	for name, b := range cases {
		if _, err := read(b, 3000); !errors.Is(err, carrier.ErrCarrier) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range []int64{2999, 3001} {
		if _, err := read(whole, size); !errors.Is(err, carrier.ErrCarrier) {
			t.Errorf("3000 bytes as %d: %v", size, err)
		}
	}
}

// FuzzDecode: whatever the bytes, decoding ends, gives at most the size that is
// signed, and says ErrCarrier where it gives less.
func FuzzDecode(f *testing.F) {
	whole, err := carrier.Compress(content(500, 1, 20))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, int64(500))
	f.Add(whole[:20], int64(500))
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		if size < 0 || size > 1<<20 {
			return
		}
		got, err := read(b, size)
		if int64(len(got)) > size {
			t.Fatalf("%d bytes of %d", len(got), size)
		}
		if err == nil && int64(len(got)) != size || err != nil && !errors.Is(err, carrier.ErrCarrier) {
			t.Fatalf("%d bytes of %d, %v", len(got), size, err)
		}
	})
}
