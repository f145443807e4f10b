package delta_test

import (
	"bytes"
	"testing"

	"koprik/sync/delta"
)

// FuzzApply: whatever the patch, applying ends, gives no more than was asked
// for, and says nil only for the very content.
func FuzzApply(f *testing.F) {
	old := seeded(1).table(40)
	fresh := seeded(2).edit(old)
	for _, codec := range all {
		if best, err := delta.Encode(old, fresh, delta.Options{Only: []delta.Codec{codec}}); err == nil {
			f.Add(best.Patch)
		}
	}
	want := delta.ContentOf(fresh)
	f.Fuzz(func(t *testing.T, patch []byte) {
		got, err := apply(patch, old, want)
		if len(got) > len(fresh) {
			t.Fatalf("%d bytes of %d", len(got), len(fresh))
		}
		if err == nil && !bytes.Equal(got, fresh) {
			t.Fatal("other bytes pass")
		}
	})
}

// FuzzEncode: whatever two contents, every codec gives back the second or declines.
func FuzzEncode(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"), []byte("b,a\n2,1\n3,\"\n\"\n"), uint8(5))
	f.Add([]byte("a;b\r\n1;2\r\n"), []byte("a;b\r\n1;2"), uint8(5))
	f.Add(seeded(1).table(20), seeded(2).edit(seeded(1).table(20)), uint8(4))
	f.Fuzz(func(t *testing.T, old, fresh []byte, codec uint8) {
		if len(old)+len(fresh) > 1<<14 {
			return
		}
		best, err := delta.Encode(old, fresh, delta.Options{Only: []delta.Codec{delta.Stored, delta.Codec(codec % 6)}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := apply(best.Patch, old, delta.ContentOf(fresh)); err != nil || !bytes.Equal(got, fresh) {
			t.Fatalf("%s: %v", best.Codec, err)
		}
	})
}
