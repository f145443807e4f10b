package carrier

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/sync/delta"
)

// Pack is one answer to a mirror that stands at a snapshot: the head, the
// metadata and manifests that changed as one patch, patches of contents up to a
// size limit, and where the larger ones are. It is the file from/<snapshot>;
// docs/reference/pack.md gives its form to the byte.
//
// Nothing in it is believed: the head and the files are verified as TUF
// metadata, the contents by the SHA-256 that verified manifests give them.
type Pack struct {
	From, To int64  // snapshot of the mirror, and of the head
	Head     []byte // timestamp.json as it is signed
	Files    Files
	Objects  []PackObject
}

// Files are the small signed files that changed, told as one patch from those
// that a mirror at Pack.From holds.
type Files struct {
	Old, New []PackFile    // in the order in which they stand one after the other
	Sum      delta.Content // of all new ones, folded
	Patch    []byte        // from all old ones to all new ones, folded
}

// PackFile names a file by its path in the repository, without the digest of
// consistent snapshots: metadata/12.snapshot.json, d/main/water/3.json.
type PackFile struct {
	Path string
	Size int64
}

// ObjectName is the beginning of a content's digest. The mirror knows from
// manifests which contents it needs; one that is named wrongly won't verify.
type ObjectName [8]byte

// NameOf gives the name of d.
func NameOf(d portal.Digest) ObjectName { return ObjectName(d[:8]) }

// Way is how a content can be had.
type Way uint8

// The ways.
const (
	InlineWhole Way = iota // in the pack, a patch from nothing
	InlinePatch            // in the pack, a patch from Old
	PatchAside             // in patches/<aa>/<new>/<old>
	ZstdAside              // in objects/<aa>/<new>.zst
	BrotliAside            // in objects/<aa>/<new>.br
	ways
)

func (w Way) inline() bool { return w <= InlinePatch }

func (w Way) hasOld() bool { return w == InlinePatch || w == PatchAside }

// PackObject says how one content can be had.
type PackObject struct {
	New    ObjectName
	Old    ObjectName // zero when Way needs none
	Size   int64      // of the content
	Way    Way
	Length int64  // of the patch or the carrier
	Patch  []byte // for WritePack; a reader gives it by Next
}

// Limits of a pack. What does not fit stays out of it; mirrors have other ways.
const (
	MaxHead     = 16 << 10
	MaxFiles    = 16 << 20 // bytes of all old files together, and of all new ones
	MaxContents = 1 << 20  // bytes of the table of contents, before its compression
	MaxInline   = 4 << 20  // bytes of one patch in the pack
	maxPath     = 200
	packMagic   = "KPP"
	packForm    = 2 // the form's number: it grows whenever a byte means something else
)

// PackPath is where the pack for snapshot n stands in a repository.
func PackPath(n int64) string { return "from/" + strconv.FormatInt(n, 10) }

// PatchPath is where a patch from old to fresh stands in a repository.
func PatchPath(fresh, old portal.Digest) string {
	return "patches/" + fresh.Hex()[:2] + "/" + fresh.Hex() + "/" + old.Hex()
}

// NamedBytes is a small file with its content.
type NamedBytes struct {
	Path  string
	Bytes []byte
}

// MakeFiles makes the patch from the old files to the new ones. Files stay out
// of a pack, with ErrTooMuch, when they are more than MaxFiles.
func MakeFiles(old, fresh []NamedBytes) (Files, error) {
	if len(fresh) == 0 {
		return Files{}, nil
	}
	var f Files
	var was, now []byte
	f.Old, was = joined(old)
	f.New, now = joined(fresh)
	if len(was) > MaxFiles || len(now) > MaxFiles {
		return Files{}, fmt.Errorf("files of %d and %d bytes: %w", len(was), len(now), ErrTooMuch)
	}
	was, now = fold(was), fold(now)
	best, err := bestFiles(was, now)
	if err != nil {
		return Files{}, err
	}
	f.Sum, f.Patch = delta.ContentOf(now), best.Patch
	return f, nil
}

// maxGrowth is how many bytes of files that are new altogether are given the
// range coder: it takes up to 15 s a MB, and such a pack is for a mirror that has
// next to nothing.
const maxGrowth = 512 << 10

func bestFiles(was, now []byte) (delta.Best, error) {
	if len(now)-len(was) > maxGrowth {
		return delta.Encode(was, now, delta.Options{Only: []delta.Codec{delta.Stored, delta.Zstd, delta.ZstdPatch}})
	}
	if len(was) > 0 { // the others cost as much time again, and have never won; training gave 1 %
		if best, err := delta.Encode(was, now, delta.Options{Only: []delta.Codec{delta.Copies}, Untrained: true}); err == nil {
			return best, nil
		}
	}
	return delta.Encode(was, now, delta.Options{Only: []delta.Codec{delta.Stored, delta.Zstd, delta.Copies}})
}

// ErrTooMuch says that something is over a pack's limits and must travel otherwise.
var ErrTooMuch = errors.New("more than a pack takes")

// joined sorts files by path and puts them one after the other.
func joined(files []NamedBytes) ([]PackFile, []byte) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b NamedBytes) int { return strings.Compare(a.Path, b.Path) })
	var names []PackFile
	var all []byte
	for _, f := range files {
		names = append(names, PackFile{f.Path, int64(len(f.Bytes))})
		all = append(all, f.Bytes...)
	}
	return names, all
}

// WritePack writes p; the same pack always as the same bytes. Objects are
// ordered by the length of their carriers, so that what a cut leaves is most.
func WritePack(w io.Writer, p Pack) error {
	objects := slices.Clone(p.Objects)
	for i := range objects {
		if objects[i].Way.inline() {
			objects[i].Length = int64(len(objects[i].Patch))
		}
	}
	slices.SortFunc(objects, compareObjects)
	p.Objects = objects
	contents, err := p.contents()
	if err != nil {
		return err
	}
	b := binary.AppendUvarint(p.begin(), uint64(len(contents)))
	if len(contents) > 0 {
		best, err := delta.Encode(nil, contents, delta.Options{Only: []delta.Codec{delta.Stored, delta.Copies}})
		if err != nil {
			return err
		}
		sum := portal.DigestOf(contents)
		b = append(b, sum[:]...)
		b = binary.AppendUvarint(b, uint64(len(best.Patch)))
		b = append(append(b, best.Patch...), p.Files.Patch...)
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	for _, o := range objects {
		if !o.Way.inline() {
			continue
		}
		if _, err := w.Write(o.Patch); err != nil {
			return err
		}
	}
	return nil
}

func compareObjects(a, b PackObject) int {
	return cmp.Or(cmp.Compare(a.Length, b.Length), slices.Compare(a.New[:], b.New[:]), cmp.Compare(a.Way, b.Way))
}

// contents gives the table of contents; nothing when the pack is its head alone.
func (p *Pack) contents() ([]byte, error) {
	if len(p.Files.New)+len(p.Objects) == 0 {
		return nil, p.check()
	}
	var b []byte
	for _, files := range [2][]PackFile{p.Files.Old, p.Files.New} {
		b = binary.AppendUvarint(b, uint64(len(files)))
		for _, f := range files {
			b = binary.AppendUvarint(b, uint64(len(f.Path)))
			b = append(b, f.Path...)
			b = binary.AppendUvarint(b, uint64(f.Size)) //nolint:gosec // checked
		}
	}
	if len(p.Files.New) > 0 {
		b = append(b, p.Files.Sum.SHA256[:]...)
		b = binary.AppendUvarint(b, uint64(p.Files.Sum.Size)) //nolint:gosec // checked
		b = binary.AppendUvarint(b, uint64(len(p.Files.Patch)))
	}
	b = binary.AppendUvarint(b, uint64(len(p.Objects)))
	for _, o := range p.Objects {
		b = append(append(b, byte(o.Way)), o.New[:]...)
		if o.Way.hasOld() {
			b = append(b, o.Old[:]...)
		}
		b = binary.AppendUvarint(b, uint64(o.Size))   //nolint:gosec // checked
		b = binary.AppendUvarint(b, uint64(o.Length)) //nolint:gosec // checked
	}
	if len(b) > MaxContents {
		return nil, fmt.Errorf("table of contents of %d bytes: %w", len(b), ErrTooMuch)
	}
	return b, p.check()
}

// check keeps the form on both sides: what WritePack refuses, OpenPack refuses.
func (p *Pack) check() error {
	if p.From < 0 || p.To < p.From || p.To > maxNumber {
		return fmt.Errorf("%w: from snapshot %d to %d", ErrCarrier, p.From, p.To)
	}
	if len(p.Head) == 0 || len(p.Head) > MaxHead {
		return fmt.Errorf("%w: a head of %d bytes", ErrCarrier, len(p.Head))
	}
	var sums [2]int64
	for i, files := range [2][]PackFile{p.Files.Old, p.Files.New} {
		for k, f := range files {
			if f.Path == "" || len(f.Path) > maxPath || f.Size < 0 || k > 0 && files[k-1].Path >= f.Path {
				return fmt.Errorf("%w: file %q", ErrCarrier, f.Path)
			}
			if sums[i] += f.Size; f.Size > MaxFiles || sums[i] > MaxFiles {
				return fmt.Errorf("%w: files of more than %d bytes", ErrCarrier, MaxFiles)
			}
		}
	}
	if len(p.Files.New) == 0 && len(p.Files.Old) > 0 || p.Files.Sum.Size < 0 || p.Files.Sum.Size > 2*sums[1] {
		return fmt.Errorf("%w: old files without new ones, or too much of them", ErrCarrier)
	}
	for i, o := range p.Objects {
		switch {
		case o.Way >= ways, o.Size < 0, o.Size > maxNumber, o.Length < 0, o.Length > maxNumber, o.Way.inline() && o.Length > MaxInline:
			return fmt.Errorf("%w: object %x: way %d, %d bytes by %d", ErrCarrier, o.New, o.Way, o.Size, o.Length)
		case i > 0 && compareObjects(p.Objects[i-1], o) >= 0:
			return fmt.Errorf("%w: object %x is out of order", ErrCarrier, o.New)
		}
	}
	return nil
}

// maxNumber is the largest that a number in a pack may be.
const maxNumber = 1 << 50
