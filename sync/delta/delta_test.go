package delta_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
	"koprik/sync/delta"
)

var all = []delta.Codec{delta.Stored, delta.Zstd, delta.Brotli, delta.ZstdPatch, delta.Copies, delta.Table}

// apply gives what a patch makes of old.
func apply(patch, old []byte, want delta.Content) ([]byte, error) {
	var out bytes.Buffer
	err := delta.Apply(&out, bytes.NewReader(old), int64(len(old)), bytes.NewReader(patch), want)
	return out.Bytes(), err
}

// encode fails the test where a patch isn't made, and gives nil where the codec declines.
func encode(t testing.TB, old, fresh []byte, only ...delta.Codec) delta.Best {
	t.Helper()
	best, err := delta.Encode(old, fresh, delta.Options{Only: only})
	if err != nil {
		t.Fatal(err)
	}
	return best
}

func TestEveryRandomEditComesBackExactly(t *testing.T) {
	seeds := uint64(60)
	if os.Getenv("KOPRIK_SOAK") != "" {
		seeds = 3000
	}
	if testing.Short() {
		seeds = 12
	}
	won := map[delta.Codec]int{}
	for seed := range seeds {
		d := seeded(seed)
		old := d.content(20_000)
		fresh := old
		for range 1 + d.IntN(4) {
			fresh = d.edit(fresh)
		}
		best := encode(t, old, fresh)
		won[best.Codec]++
		got, err := apply(best.Patch, old, delta.ContentOf(fresh))
		if err != nil || !bytes.Equal(got, fresh) {
			t.Fatalf("seed %d: %s gave %d of %d bytes: %v", seed, best.Codec, len(got), len(fresh), err)
		}
		for _, trial := range best.Tried {
			if trial.Codec < delta.ZstdPatch && len(best.Patch) > trial.Bytes+64 {
				t.Errorf("seed %d: %s of %d bytes won over %s of %d", seed, best.Codec, len(best.Patch), trial.Codec, trial.Bytes)
			}
		}
	}
	t.Logf("seeds 0 to %d; wins: %v", seeds-1, won)
}

func TestEveryCodecIsExactOrDeclines(t *testing.T) {
	table := seeded(1).table(300)
	cases := map[string][2][]byte{
		"unchanged":     {table, table},
		"to nothing":    {table, nil},
		"from nothing":  {nil, table},
		"both nothing":  {nil, nil},
		"one byte":      {[]byte("a"), []byte("b")},
		"binary":        {seeded(2).binary(9000), seeded(3).edit(seeded(2).binary(9000))},
		"many copies":   {table, bytes.Repeat(table, 20)},
		"open quote":    {table, append(bytes.Clone(table), `1,"open`...)},
		"blank lines":   {[]byte("a,b\n\n\n1,2\n"), []byte("a,b\n\n1,3\n\n\n")},
		"no line end":   {[]byte("a,b\n1,2\n"), []byte("a,b\n1,2\n3,")},
		"ragged":        {[]byte("a,b\n1,2,3\n4\n"), []byte("a,b\n1,2,3,4\n4\n5,6\n")},
		"quotes inside": {[]byte("a,b\n1,x\"y\n"), []byte("a,b\n1,x\"z\n2,\"\"\"\"\n")},
		"NUL bytes":     {[]byte("a,b\n\x00,\x00\n"), []byte("a,b\n\x00,\x01\n\x00\x00,\n")},
	}
	for name, c := range cases {
		for _, codec := range all {
			best, err := delta.Encode(c[0], c[1], delta.Options{Only: []delta.Codec{codec}})
			if err != nil {
				if len(best.Tried) > 0 && best.Tried[0].Bytes > 0 || strings.Contains(err.Error(), "verify") {
					t.Errorf("%s as %s: %v", name, codec, err)
				}
				continue
			}
			got, err := apply(best.Patch, c[0], delta.ContentOf(c[1]))
			if err != nil || !bytes.Equal(got, c[1]) {
				t.Errorf("%s as %s: %d bytes instead of %d, %v", name, codec, len(got), len(c[1]), err)
			}
		}
	}
}

func TestAResortCostsNextToNothing(t *testing.T) {
	rows := make([]string, 0, 1500)
	for i := range 1500 {
		rows = append(rows, fmt.Sprintf("%d,region %d,%d\n", i, i*7919%1501, i*i%977))
	}
	old := []byte("id,region,value\n" + strings.Join(rows, ""))
	slices.SortStableFunc(rows, func(a, b string) int { return strings.Compare(strings.Split(a, ",")[1], strings.Split(b, ",")[1]) })
	fresh := []byte("id,region,value\n" + strings.Join(rows, ""))
	best := encode(t, old, fresh)
	if best.Codec != delta.Table || len(best.Patch) > 100 {
		t.Errorf("%s of %d bytes: %v", best.Codec, len(best.Patch), best.Tried)
	}
}

func TestAColumnTakenAwayCostsNextToNothing(t *testing.T) {
	var old, fresh strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&old, "%d,%d,%d,%d\n", i, i*7919%10007, i*104729%99991, i%7)
		fmt.Fprintf(&fresh, "%d,%d,%d\n", i, i*7919%10007, i%7)
	}
	was, now := "id,a,b,c\n"+old.String(), "id,a,c\n"+fresh.String()
	best := encode(t, []byte(was), []byte(now))
	if len(best.Patch) > 200 {
		t.Errorf("%s of %d bytes: %v", best.Codec, len(best.Patch), best.Tried)
	}
}

func TestTheSameContentsGiveTheSamePatch(t *testing.T) {
	old := seeded(5).table(500)
	fresh := seeded(6).edit(old)
	a, b := encode(t, old, fresh), encode(t, old, fresh)
	if !bytes.Equal(a.Patch, b.Patch) {
		t.Error("two runs, two patches")
	}
}

func TestAPatchFromAnotherContentOrForAnotherIsRefused(t *testing.T) {
	old := seeded(7).table(200)
	fresh := append(bytes.Clone(old), "99,region,2020,1,x\n"...)
	other := bytes.Clone(old)
	other[len(other)/2] ^= 1
	for _, codec := range []delta.Codec{delta.ZstdPatch, delta.Copies, delta.Table} {
		patch := encode(t, old, fresh, codec).Patch
		if _, err := apply(patch, other, delta.ContentOf(fresh)); err == nil {
			t.Errorf("%s from another content is taken", codec)
		}
		if _, err := apply(patch, old[1:], delta.ContentOf(fresh)); !errors.Is(err, delta.ErrBase) {
			t.Errorf("%s from a shorter content: %v", codec, err)
		}
		if _, err := apply(patch, old, delta.ContentOf(old)); err == nil {
			t.Errorf("%s gives another content", codec)
		}
		lie := delta.ContentOf(fresh)
		lie.SHA256[0] ^= 1
		if _, err := apply(patch, old, lie); !errors.Is(err, portal.ErrUnverified) {
			t.Errorf("%s with another SHA-256: %v", codec, err)
		}
	}
}

// TestDamageNeverPasses: every bit flipped and every byte cut off gives an error,
// or the right bytes: a few bits of zstd and brotli mean nothing.
func TestDamageNeverPasses(t *testing.T) {
	old := seeded(8).table(60)
	fresh := seeded(9).edit(seeded(10).edit(old))
	want := delta.ContentOf(fresh)
	bits := 4000
	if testing.Short() {
		bits = 600
	}
	for _, codec := range all {
		best, err := delta.Encode(old, fresh, delta.Options{Only: []delta.Codec{codec}})
		if err != nil {
			continue
		}
		for n := range best.Patch {
			if _, err := apply(best.Patch[:n], old, want); err == nil {
				t.Errorf("%s cut to %d of %d bytes is taken", codec, n, len(best.Patch))
			}
		}
		if _, err := apply(append(bytes.Clone(best.Patch), 0), old, want); !errors.Is(err, delta.ErrPatch) {
			t.Errorf("%s with a byte more: %v", codec, err)
		}
		for bit := range min(len(best.Patch)*8, bits) {
			b := bytes.Clone(best.Patch)
			b[bit/8] ^= 1 << (bit % 8)
			got, err := apply(b, old, want)
			if err == nil && !bytes.Equal(got, fresh) {
				t.Errorf("%s with bit %d flipped gives other bytes", codec, bit)
			}
			if len(got) > len(fresh) {
				t.Errorf("%s with bit %d flipped gives %d bytes of %d", codec, bit, len(got), len(fresh))
			}
		}
	}
}

var errDisk = errors.New("the disk is gone")

type broken struct{}

func (broken) Read([]byte) (int, error)          { return 0, errDisk }
func (broken) ReadAt([]byte, int64) (int, error) { return 0, errDisk }
func (broken) Write([]byte) (int, error)         { return 0, errDisk }

func TestErrorsOfReadersAndWritersAreTheirOwn(t *testing.T) {
	old := seeded(11).table(1200)
	fresh := seeded(12).edit(old)
	for _, codec := range all {
		best, err := delta.Encode(old, fresh, delta.Options{Only: []delta.Codec{codec}})
		if err != nil {
			continue
		}
		want, patch := delta.ContentOf(fresh), bytes.NewReader(best.Patch)
		if err := delta.Apply(broken{}, bytes.NewReader(old), int64(len(old)), patch, want); !errors.Is(err, errDisk) || errors.Is(err, delta.ErrPatch) {
			t.Errorf("%s: a broken writer gives %v", codec, err)
		}
		half := io.MultiReader(bytes.NewReader(best.Patch[:len(best.Patch)/2]), broken{})
		if err := delta.Apply(io.Discard, bytes.NewReader(old), int64(len(old)), half, want); !errors.Is(err, errDisk) {
			t.Errorf("%s: a broken patch reader gives %v", codec, err)
		}
		if codec.NeedsOld() {
			err := delta.Apply(io.Discard, broken{}, int64(len(old)), bytes.NewReader(best.Patch), want)
			if !errors.Is(err, errDisk) {
				t.Errorf("%s: a broken old content gives %v", codec, err)
			}
		}
	}
}

func TestHeadersOfNoWriterAreRefused(t *testing.T) {
	good := encode(t, nil, []byte("content"), delta.Stored).Patch
	bad := map[string][]byte{
		"empty":              {},
		"another magic":      append([]byte("XPD"), good[3:]...),
		"another version":    append([]byte("KPD\x02"), good[4:]...),
		"unknown codec":      append([]byte("KPD\x01\x09"), good[5:]...),
		"long number":        append([]byte("KPD\x01\x00\x80\x00"), good[6:]...),
		"endless number":     []byte("KPD\x01\x00\xff\xff\xff\xff\xff\xff"),
		"stored with base":   append([]byte("KPD\x01\x00\x05"), good[6:]...),
		"over 1 GiB":         []byte("KPD\x01\x04\x00\x81\x80\x80\x80\x04\x00"),
		"table from nothing": []byte("KPD\x01\x05\x00\x07\x01x"),
		"patch from nothing": []byte("KPD\x01\x03\x00\x07\x01x"),
		"huge zstd patch":    []byte("KPD\x01\x03\x81\x80\x80\x20\x80\x80\x80\x08\x01"),
	}
	for name, b := range bad {
		if _, err := apply(b, nil, delta.ContentOf([]byte("content"))); !errors.Is(err, delta.ErrPatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheSameContentIsAlwaysTheSamePatch: encoders are used again, and what they
// coded before must not show.
func TestTheSameContentIsAlwaysTheSamePatch(t *testing.T) {
	for _, codec := range []delta.Codec{delta.Zstd, delta.ZstdPatch} {
		first := map[uint64][]byte{}
		for _, seed := range []uint64{1, 2, 3, 2, 1, 3, 3, 1} {
			d := seeded(seed)
			old := d.content(40_000)
			patch := encode(t, old, d.edit(old), codec).Patch
			if was, ok := first[seed]; ok && !bytes.Equal(was, patch) {
				t.Errorf("%s of seed %d: %d bytes, and %d after others", codec, seed, len(was), len(patch))
			}
			first[seed] = patch
		}
	}
}

// TestEncodePausesAsItWorks: whoever encodes for minutes can be made to wait after
// every few thousand bytes, and be stopped, and makes the same patch.
func TestEncodePausesAsItWorks(t *testing.T) {
	old, fresh := tableOf(120_000)
	for _, codec := range []delta.Codec{delta.Brotli, delta.Copies, delta.Table} {
		pauses, stop := 0, errors.New("stop")
		o := delta.Options{Only: []delta.Codec{codec}, Pause: func() error { pauses++; return nil }}
		best, err := delta.Encode(old, fresh, o)
		if err != nil || !bytes.Equal(best.Patch, encode(t, old, fresh, codec).Patch) {
			t.Errorf("%s: another patch with pauses: %v", codec, err)
		}
		if least := len(fresh) / (8 << 10); pauses < least {
			t.Errorf("%s: %d pauses in %d bytes, want %d", codec, pauses, len(fresh), least)
		}
		left := pauses / 2
		o.Pause = func() error {
			if left--; left < 0 {
				return stop
			}
			return nil
		}
		if _, err := delta.Encode(old, fresh, o); !errors.Is(err, stop) {
			t.Errorf("%s: stopped in the middle: %v", codec, err)
		}
	}
}
