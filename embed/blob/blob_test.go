package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"koprik/embed/blob"
	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/portal"
)

// content is longer than the buffers that it is copied through.
var (
	content = []byte(strings.Repeat("Toshkent;2024;3 040 800\n", 2_900))
	digest  = portal.DigestOf(content)
	size    = int64(len(content))
)

// reader hides the methods by which io.Copy would write all at once.
func reader(b []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(b)} }

func put(t *testing.T, s *blob.Store, b []byte) portal.Digest {
	t.Helper()
	d, n, err := s.Put(reader(b))
	if err != nil || n != int64(len(b)) || d != portal.DigestOf(b) {
		t.Fatalf("Put of %d bytes: %s, %d, %v", len(b), d.Short(), n, err)
	}
	return d
}

func place(d portal.Digest) string { return d.Hex()[:2] + "/" + d.Hex() }

func TestWhatIsPutIsHeldUnderItsDigest(t *testing.T) {
	d := disktest.New()
	s := blob.Open(d)
	for _, b := range [][]byte{nil, []byte("x"), content} {
		held := put(t, s, b)
		if !s.Has(held) || d.Tree()[place(held)] != string(b) {
			t.Errorf("%d bytes are not at %s", len(b), place(held))
		}
		got, err := s.ReadAll(held, int64(len(b)))
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("ReadAll: %d bytes, %v", len(got), err)
		}
		if err := s.Verify(t.Context(), held); err != nil {
			t.Error(err)
		}
		f, n, err := s.Open(held)
		if err != nil || n != int64(len(b)) {
			t.Fatalf("Open: %d, %v", n, err)
		}
		if err := errors.Join(iotest.TestReader(f, b), f.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestRangesAreRead(t *testing.T) {
	root, err := disk.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := blob.Open(disk.Sub(root, "objects"))
	f, _, err := s.Open(put(t, s, content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	part := make([]byte, 100)
	if _, err := f.ReadAt(part, 60_000); err != nil || !bytes.Equal(part, content[60_000:60_100]) {
		t.Errorf("bytes 60,000 to 60,100: %q, %v", part, err)
	}
	if _, fast := f.(*os.File); !fast {
		t.Errorf("an object opens as %T, which the kernel cannot send", f)
	}
}

func TestWhatIsNotHeldSaysSo(t *testing.T) {
	s := blob.Open(disktest.New())
	_, _, openErr := s.Open(digest)
	_, readErr := s.ReadAll(digest, size)
	for what, err := range map[string]error{"Open": openErr, "ReadAll": readErr, "Verify": s.Verify(t.Context(), digest)} {
		if !errors.Is(err, portal.ErrNotHeld) || !strings.Contains(err.Error(), digest.Short()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if s.Has(digest) || s.Has(portal.Digest{}) {
		t.Error("an empty store has an object")
	}
	if err := errors.Join(s.Remove(digest), s.CleanTemps(), s.All(nil)); err != nil {
		t.Errorf("an empty store: %v", err)
	}
}

func TestPutExpectKeepsOnlyWhatIsExpected(t *testing.T) {
	flipped := slices.Clone(content)
	flipped[40_000] ^= 1
	torn := errors.New("connection reset")
	endless := io.MultiReader(reader(content), iotest.ErrReader(errors.New("read on, past too many bytes")))
	tests := []struct {
		name string
		r    io.Reader
		size int64
		want error
	}{
		{"the bytes expected", reader(content), size, nil},
		{"one bit other", reader(flipped), size, portal.ErrUnverified},
		{"one byte less", reader(content[:size-1]), size, portal.ErrUnverified},
		{"one byte more", reader(append(slices.Clone(content), '\n')), size, portal.ErrUnverified},
		{"nothing", reader(nil), size, portal.ErrUnverified},
		{"a smaller size expected", endless, size - 1, portal.ErrUnverified},
		{"a larger size expected", reader(content), size + 1, portal.ErrUnverified},
		{"no size expected", reader(content), -1, portal.ErrUnverified},
		{"a source that breaks off", io.MultiReader(reader(content[:9]), iotest.ErrReader(torn)), size, torn},
		{"a source that is missing", iotest.ErrReader(fs.ErrNotExist), size, fs.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := disktest.New()
			s := blob.Open(d)
			err := s.PutExpect(tt.r, digest, tt.size)
			if !errors.Is(err, tt.want) || s.Has(digest) != (tt.want == nil) {
				t.Errorf("PutExpect: %v, held: %t", err, s.Has(digest))
			}
			if errors.Is(err, portal.ErrNotHeld) {
				t.Errorf("PutExpect blames the store: %v", err)
			}
			for name := range d.Tree() {
				if !strings.HasSuffix(name, "/") && name != place(digest) {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

func TestWhatIsHeldIsNotReadOrWrittenAgain(t *testing.T) {
	d := disktest.New()
	s := blob.Open(d)
	put(t, s, content)
	before := d.Ops()
	if err := s.PutExpect(iotest.ErrReader(errors.New("was read")), digest, size); err != nil {
		t.Error(err)
	}
	if ops := d.Ops() - before; ops != 1 {
		t.Errorf("PutExpect of what is held is %d operations, want only the sync of the folder", ops)
	}
	put(t, s, content)
	if n := len(d.Tree()); n != 2 {
		t.Errorf("the disk holds %d names", n)
	}
}

// damage writes over an object behind the store's back.
func damage(t *testing.T, d disk.FS, with []byte) {
	t.Helper()
	f, err := d.OpenFile(place(digest), os.O_WRONLY|os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(with); err != nil {
		t.Fatal(err)
	}
}

func TestDamageIsFound(t *testing.T) {
	d := disktest.New()
	s := blob.Open(d)
	put(t, s, content)
	rotten := slices.Clone(content)
	rotten[7] ^= 0x10
	for _, with := range [][]byte{rotten, content[:100], nil} {
		damage(t, d, with)
		_, readErr := s.ReadAll(digest, size)
		for what, err := range map[string]error{"ReadAll": readErr, "Verify": s.Verify(t.Context(), digest)} {
			var p *portal.Problem
			if !errors.Is(err, portal.ErrUnverified) || !errors.As(err, &p) || !strings.Contains(p.Where, digest.Hex()) || p.Hint == "" {
				t.Errorf("%s of an object that the disk changed: %v", what, err)
			}
		}
	}
	if err := s.PutExpect(reader(content), digest, size); err != nil {
		t.Error(err)
	}
	if err := s.Verify(t.Context(), digest); err != nil {
		t.Errorf("a shorter object was not put again: %v", err)
	}
}

func TestReadAllGivesNoMoreThanAllowed(t *testing.T) {
	s := blob.Open(disktest.New())
	put(t, s, content)
	if _, err := s.ReadAll(digest, size-1); !errors.Is(err, portal.ErrTooMuch) {
		t.Errorf("ReadAll of a longer object: %v", err)
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	s := blob.Open(disktest.New())
	put(t, s, content)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Verify(ctx, digest); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify: %v", err)
	}
}

func TestFullDiskIsAProblemThatNamesItself(t *testing.T) {
	for name, put := range map[string]func(*blob.Store) error{
		"Put":       func(s *blob.Store) error { _, _, err := s.Put(reader(content)); return err },
		"PutExpect": func(s *blob.Store) error { return s.PutExpect(reader(content), digest, size) },
	} {
		d := disktest.New()
		d.Full(size - 1)
		s := blob.Open(d)
		err := put(s)
		var p *portal.Problem
		if !errors.Is(err, portal.ErrNoSpace) || !errors.As(err, &p) || p.Hint == "" || !errors.Is(err, disk.ErrNoSpace) {
			t.Errorf("%s on a full disk: %v", name, err)
		}
		d.Full(-1)
		if err := put(s); err != nil || !s.Has(digest) {
			t.Errorf("%s when there is space again: %v", name, err)
		}
	}
}

func TestAllYieldsObjectsInOrderAndNothingElse(t *testing.T) {
	d := disktest.New()
	s := blob.Open(d)
	var want []string
	for i := range 40 {
		b := []byte(strings.Repeat("x", i))
		want = append(want, fmt.Sprint(put(t, s, b).Hex(), " ", i))
	}
	slices.Sort(want)
	stranger := portal.DigestOf([]byte("stranger")).Hex()
	for _, name := range []string{"README", "aa/short", "zz/" + stranger, "b/" + stranger, "long/" + stranger, "00/" + strings.ToUpper(stranger)} {
		if err := disk.WriteFile(d, name, nil); err != nil {
			t.Fatal(err)
		}
	}
	w, err := disk.Create(d, "aa/"+stranger)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	var got []string
	err = s.All(func(d portal.Digest, n int64) error {
		got = append(got, fmt.Sprint(d.Hex(), " ", n))
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("All yields %d objects, %v; want %d", len(got), err, len(want))
	}
	enough := errors.New("enough")
	calls := 0
	err = s.All(func(portal.Digest, int64) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("All went on after an error: %d calls, %v", calls, err)
	}
}

func TestRemovedObjectStaysAway(t *testing.T) {
	d := disktest.New()
	s := blob.Open(d)
	put(t, s, content)
	for range 2 {
		if err := s.Remove(digest); err != nil {
			t.Error(err)
		}
	}
	for seed := range uint64(20) {
		if blob.Open(d.Reboot(rand.New(rand.NewPCG(seed, 0)))).Has(digest) {
			t.Fatalf("seed %d: the object is back", seed)
		}
	}
}

func TestStoreWorksOnARealDisk(t *testing.T) {
	dir := t.TempDir()
	root, err := disk.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := blob.Open(root)
	put(t, s, content)
	if err := s.PutExpect(reader([]byte("x")), portal.DigestOf([]byte("x")), 1); err != nil {
		t.Error(err)
	}
	onDisk, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(place(digest))))
	if err != nil || !bytes.Equal(onDisk, content) {
		t.Errorf("on the disk are %d bytes, %v", len(onDisk), err)
	}
}
