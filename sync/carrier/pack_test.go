package carrier_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/delta"
)

var update = flag.Bool("update", false, "write testdata anew: only for a form with a new number")

// held is a mirror: small files by path, contents by name.
type held struct {
	files    map[string][]byte
	contents map[carrier.ObjectName][]byte
}

func (h held) open(path string) ([]byte, error) {
	if b, ok := h.files[path]; ok {
		return b, nil
	}
	return nil, fs.ErrNotExist
}

// example makes a pack of everything that a pack can hold, what its mirror
// holds, and the contents that come out of it.
func example(t testing.TB) (carrier.Pack, held, map[carrier.ObjectName][]byte) {
	t.Helper()
	old := content(30_000, 1, 30)
	fresh := append(bytes.Clone(old), "one more row\n"...)
	small := []byte("a,b\n1,2\n")
	role := func(n int) []byte {
		return fmt.Appendf(nil, `{"signed":{"version":%d,"targets":{"d/main/water/%d.json":{"length":%d}}},"signature":"%064x"}`, n, n, 400+n, n*7919)
	}
	h := held{files: map[string][]byte{"metadata/6.main.json": role(6), "metadata/6.snapshot.json": role(6)}, contents: map[carrier.ObjectName][]byte{carrier.NameOf(portal.DigestOf(old)): old}}
	was := []carrier.NamedBytes{{Path: "metadata/6.main.json", Bytes: role(6)}, {Path: "metadata/6.snapshot.json", Bytes: role(6)}}
	now := []carrier.NamedBytes{{Path: "metadata/7.snapshot.json", Bytes: role(7)}, {Path: "metadata/7.main.json", Bytes: role(7)}}
	files, err := carrier.MakeFiles(was, now)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := delta.Encode(old, fresh, delta.Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := delta.Encode(nil, small, delta.Options{})
	if err != nil {
		t.Fatal(err)
	}
	freshName, smallName := carrier.NameOf(portal.DigestOf(fresh)), carrier.NameOf(portal.DigestOf(small))
	return carrier.Pack{
		From: 6, To: 7, Head: []byte(`{"timestamp":7}`), Files: files,
		Objects: []carrier.PackObject{
			{New: freshName, Old: carrier.NameOf(portal.DigestOf(old)), Size: int64(len(fresh)), Way: carrier.InlinePatch, Patch: patch.Patch},
			{New: smallName, Size: int64(len(small)), Way: carrier.InlineWhole, Patch: whole.Patch},
			{New: carrier.ObjectName{9}, Old: carrier.ObjectName{8}, Size: 9 << 20, Way: carrier.PatchAside, Length: 5 << 20},
			{New: carrier.ObjectName{7}, Size: 100 << 20, Way: carrier.ZstdAside, Length: 30 << 20},
			{New: carrier.ObjectName{6}, Size: 100 << 20, Way: carrier.BrotliAside, Length: 20 << 20},
		},
	}, h, map[carrier.ObjectName][]byte{freshName: fresh, smallName: small}
}

func written(t testing.TB, p carrier.Pack) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := carrier.WritePack(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// take reads a pack as a mirror does and gives what came out of it.
func take(r io.Reader, h held, want map[carrier.ObjectName][]byte) (*carrier.PackReader, []carrier.NamedBytes, map[carrier.ObjectName][]byte, error) {
	p, err := carrier.OpenPack(r)
	if err != nil {
		return nil, nil, nil, err
	}
	files, err := p.OpenFiles(h.open)
	if err != nil {
		return p, nil, nil, err
	}
	got := map[carrier.ObjectName][]byte{}
	for {
		o, patch, err := p.Next()
		if errors.Is(err, io.EOF) {
			return p, files, got, nil
		}
		if err != nil {
			return p, files, got, err
		}
		var out bytes.Buffer
		old := h.contents[o.Old]
		if err := delta.Apply(&out, bytes.NewReader(old), int64(len(old)), patch, delta.ContentOf(want[o.New])); err != nil {
			return p, files, got, err
		}
		got[o.New] = out.Bytes()
	}
}

func TestWhatAPackHoldsComesOut(t *testing.T) {
	pack, h, want := example(t)
	b := written(t, pack)
	for name, r := range map[string]io.Reader{"at once": bytes.NewReader(b), "byte by byte": iotest.OneByteReader(bytes.NewReader(b))} {
		p, files, got, err := take(r, h, want)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p.From != 6 || p.To != 7 || string(p.Head) != string(pack.Head) || len(p.Objects) != 5 {
			t.Errorf("%s: %+v", name, p.Pack)
		}
		if len(files) != 2 || files[0].Path != "metadata/7.main.json" || !bytes.Contains(files[1].Bytes, []byte(`"version":7`)) {
			t.Errorf("%s: files %v", name, files)
		}
		for n, content := range want {
			if !bytes.Equal(got[n], content) {
				t.Errorf("%s: object %x differs", name, n)
			}
		}
	}
}

func TestThePackOfTheCurrentSnapshotIsItsHead(t *testing.T) {
	b := written(t, carrier.Pack{From: 7, To: 7, Head: []byte("head")})
	if want := "KPP\x02\x07\x07\x04head\x00"; string(b) != want {
		t.Errorf("%q instead of %q", b, want)
	}
	p, files, got, err := take(bytes.NewReader(b), held{}, nil)
	if err != nil || len(files)+len(got)+len(p.Objects) > 0 {
		t.Errorf("%v %v %v", files, got, err)
	}
}

// TestPacksOfThisFormAreReadForEver: when this fails, packs that were published
// can no longer be read: give the form another number instead.
func TestPacksOfThisFormAreReadForEver(t *testing.T) {
	pack, h, want := example(t)
	const name = "testdata/form2.kpp"
	if *update {
		if err := os.WriteFile(name, written(t, pack), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, files, got, err := take(bytes.NewReader(golden), h, want)
	if err != nil || len(files) != 2 || len(got) != len(want) {
		t.Errorf("%d files and %d contents: %v", len(files), len(got), err)
	}
	// Written again from what was read: reader and writer have not changed together.
	p, err := carrier.OpenPack(bytes.NewReader(golden))
	if err != nil {
		t.Fatal(err)
	}
	again := p.Pack
	rest := golden
	for i := len(again.Objects) - 1; i >= 0; i-- {
		if o := &again.Objects[i]; o.Way <= carrier.InlinePatch {
			o.Patch, rest = rest[int64(len(rest))-o.Length:], rest[:int64(len(rest))-o.Length]
		}
	}
	again.Files.Patch = pack.Files.Patch
	if b := written(t, again); !bytes.Equal(b, golden) {
		t.Errorf("%d bytes were read and %d written", len(golden), len(b))
	}
}

func TestAPackOfAnotherFormSaysSo(t *testing.T) {
	pack, _, _ := example(t)
	b := written(t, pack)
	for _, form := range []byte{0, 1, 3, 255} {
		b[3] = form
		_, err := carrier.OpenPack(bytes.NewReader(b))
		var other *carrier.FormError
		if !errors.As(err, &other) || other.Form != form || !errors.Is(err, carrier.ErrCarrier) {
			t.Errorf("form %d: %v", form, err)
		}
		if _, _, _, err := carrier.ReadHead(bytes.NewReader(b)); !errors.As(err, &other) {
			t.Errorf("head of form %d: %v", form, err)
		}
	}
}

func TestTheOrderOfObjectsDoesNotMatter(t *testing.T) {
	pack, _, _ := example(t)
	a := written(t, pack)
	pack.Objects[0], pack.Objects[3] = pack.Objects[3], pack.Objects[0]
	pack.Objects[1], pack.Objects[4] = pack.Objects[4], pack.Objects[1]
	if !bytes.Equal(a, written(t, pack)) {
		t.Error("another order gives other bytes")
	}
}

func TestWhatIsNotReadIsPassedBy(t *testing.T) {
	pack, _, _ := example(t)
	p, err := carrier.OpenPack(bytes.NewReader(written(t, pack)))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		_, _, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d objects in the pack", n)
	}
}

func TestAFileThatIsNotHeldLeavesTheRest(t *testing.T) {
	pack, h, want := example(t)
	delete(h.files, "metadata/6.main.json")
	p, err := carrier.OpenPack(bytes.NewReader(written(t, pack)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.OpenFiles(h.open); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if o, _, err := p.Next(); err != nil || want[o.New] == nil {
		t.Errorf("the objects cannot be read: %v", err)
	}
	h.files["metadata/6.main.json"] = []byte("shorter")
	p, _ = carrier.OpenPack(bytes.NewReader(written(t, pack)))
	if _, err := p.OpenFiles(h.open); !errors.Is(err, delta.ErrBase) {
		t.Errorf("a file of another size: %v", err)
	}
}

// TestDamagedPacksGiveNothingWrong: cut anywhere, a bit flipped anywhere: an
// error, or the right files and contents. The head is verified by its signature.
func TestDamagedPacksGiveNothingWrong(t *testing.T) {
	pack, h, want := example(t)
	whole := written(t, pack)
	for n := range whole {
		if _, _, _, err := take(bytes.NewReader(whole[:n]), h, want); err == nil {
			t.Fatalf("%d of %d bytes are taken", n, len(whole))
		}
	}
	if _, _, _, err := take(bytes.NewReader(append(bytes.Clone(whole), 0)), h, want); !errors.Is(err, carrier.ErrCarrier) {
		t.Errorf("a byte more: %v", err)
	}
	_, right, _, err := take(bytes.NewReader(whole), h, want)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(whole) * 8 {
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		_, files, got, err := take(bytes.NewReader(b), h, want)
		if err != nil {
			continue
		}
		if fmt.Sprint(files) != fmt.Sprint(right) && len(files) > 0 {
			t.Errorf("bit %d gives other files", bit)
		}
		for n, content := range got {
			if !bytes.Equal(content, want[n]) {
				t.Errorf("bit %d gives another content", bit)
			}
		}
	}
}

func TestTheLinesErrorsAreNotTheCarriers(t *testing.T) {
	pack, h, want := example(t)
	whole := written(t, pack)
	cut := errors.New("the line is cut")
	for n := 0; n < len(whole); n += 7 {
		r := io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(cut))
		if _, _, _, err := take(r, h, want); !errors.Is(err, cut) || errors.Is(err, carrier.ErrCarrier) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

func TestPacksBeyondTheLimitsAreNotWritten(t *testing.T) {
	head := []byte("head")
	bad := map[string]carrier.Pack{
		"no head":        {From: 1, To: 2},
		"a long head":    {From: 1, To: 2, Head: make([]byte, carrier.MaxHead+1)},
		"backwards":      {From: 2, To: 1, Head: head},
		"a long patch":   {From: 1, To: 2, Head: head, Objects: []carrier.PackObject{{Patch: make([]byte, carrier.MaxInline+1)}}},
		"an unknown way": {From: 1, To: 2, Head: head, Objects: []carrier.PackObject{{Way: 9}}},
		"twice the same": {From: 1, To: 2, Head: head, Objects: []carrier.PackObject{{Way: carrier.ZstdAside}, {Way: carrier.ZstdAside}}},
		"a long path":    {From: 1, To: 2, Head: head, Files: carrier.Files{New: []carrier.PackFile{{Path: strings.Repeat("x", 201)}}}},
		"too many":       {From: 1, To: 2, Head: head, Objects: make([]carrier.PackObject, 1<<20)},
	}
	for name, p := range bad {
		if err := carrier.WritePack(io.Discard, p); err == nil {
			t.Errorf("%s is written", name)
		}
	}
	if _, err := carrier.MakeFiles(nil, []carrier.NamedBytes{{Path: "x", Bytes: make([]byte, carrier.MaxFiles+1)}}); !errors.Is(err, carrier.ErrTooMuch) {
		t.Errorf("files over the limit: %v", err)
	}
}

// TestALyingPackTakesNoMemory: lengths that a pack only claims are not allocated.
func TestALyingPackTakesNoMemory(t *testing.T) {
	lie := []byte("KPP\x02\x01\x02\xff\x7fhead")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := carrier.OpenPack(bytes.NewReader(lie)); !errors.Is(err, carrier.ErrCarrier) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) / 100; took > 128<<10 {
		t.Errorf("%d bytes for a pack of %d", took, len(lie))
	}
}

func TestPathsOfCarriers(t *testing.T) {
	a, b := portal.DigestOf([]byte("a")), portal.DigestOf([]byte("b"))
	if got, want := carrier.PatchPath(a, b), "patches/"+a.Hex()[:2]+"/"+a.Hex()+"/"+b.Hex(); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
	if got := carrier.PackPath(12); got != "from/12" {
		t.Error(got)
	}
}

// FuzzPack: whatever the bytes, reading ends within the limits, and what comes
// out is right or an error.
func FuzzPack(f *testing.F) {
	pack, h, want := example(f)
	whole := written(f, pack)
	f.Add(whole)
	f.Add(whole[:60])
	f.Add(written(f, carrier.Pack{From: 7, To: 7, Head: []byte("head")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, files, got, err := take(bytes.NewReader(b), h, want)
		if err != nil {
			return
		}
		for _, file := range files {
			if len(file.Bytes) > carrier.MaxFiles {
				t.Fatalf("a file of %d bytes", len(file.Bytes))
			}
		}
		for n, content := range got {
			if !bytes.Equal(content, want[n]) {
				t.Fatal("another content passes")
			}
		}
	})
}
