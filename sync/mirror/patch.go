package mirror

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/delta"
)

// applyPatch makes a content from the one that is held under old, or from
// nothing, and keeps it when it verifies. A relay keeps the patch, too: it has
// proved itself.
func (r *round) applyPatch(ctx context.Context, it Item, old carrier.ObjectName, based bool, patch io.Reader) error {
	var base io.ReaderAt
	var size int64
	var from portal.Digest
	if based {
		d, ok := r.m.o.Contents.Find(old)
		if !ok {
			return portal.ErrNotHeld
		}
		in, n, err := r.m.o.Contents.Open(d)
		if err != nil {
			return err
		}
		defer in.Close() //nolint:errcheck // opened for reading
		base, size, from = readerAt{in}, n, d
	}
	kept, err := r.relayPatch(it.Resource.Hash, from)
	if err != nil {
		return err
	}
	if kept != nil {
		defer kept.Abort() //nolint:errcheck // after Commit there is nothing to undo
		patch = io.TeeReader(patch, kept)
	}
	whole, err := r.put(ctx, it, func(w io.Writer) error {
		defer tidy(it.Resource.Bytes)
		return delta.Apply(w, base, size, patch, delta.Content{SHA256: it.Resource.Hash, Size: it.Resource.Bytes})
	})
	if err == nil && whole && kept != nil {
		err = kept.Commit()
	}
	if err == nil && r.m.o.Relay != nil { // before its manifest, which says that it is there
		err = r.m.relayHeld(it.Resource)
	}
	return err
}

// tidy collects what a patch of n bytes has left: models of up to 32 MB. The next
// one makes its own, and both together are more than a round may take.
func tidy(n int64) {
	const little = 512 << 10
	if n > little {
		runtime.GC()
	}
}

// put keeps what write gives under the content's signed hash, or nothing. whole
// says that write came to its end.
func (r *round) put(ctx context.Context, it Item, write func(io.Writer) error) (whole bool, err error) {
	pr, pw := io.Pipe()
	made := make(chan error, 1)
	go func() {
		err := write(pw)
		pw.CloseWithError(err) //nolint:errcheck // never fails
		made <- err
	}()
	stop := context.AfterFunc(ctx, func() { pr.CloseWithError(context.Cause(ctx)) }) //nolint:errcheck // never fails
	err = r.m.o.Contents.PutExpect(pr, it.Resource.Hash, it.Resource.Bytes)
	stop()
	pr.CloseWithError(errors.New("not read to its end")) //nolint:errcheck // never fails
	makeErr := <-made                                    // after this nothing reads the pack any more
	if err == nil && r.m.o.Contents.Has(it.Resource.Hash) {
		return makeErr == nil, nil
	}
	return false, errors.Join(err, makeErr)
}

// relayPatch is where a relay keeps a patch that comes; nil when it is there, or
// nobody is relayed to.
func (r *round) relayPatch(fresh, old portal.Digest) (*disk.Writer, error) {
	if r.m.o.Relay == nil {
		return nil, nil
	}
	name := carrier.PatchPath(fresh, old)
	if _, err := r.m.o.Relay.Stat(name); err == nil {
		return nil, nil
	}
	return disk.Create(r.m.o.Relay, name)
}

// readerAt reads a held content at any place; nobody else moves in it meanwhile.
type readerAt struct{ io.ReadSeeker }

func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	if _, err := r.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(r.ReadSeeker, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// way is a file of the source that brings a content.
type way struct {
	file   string
	part   string // its name in staging/
	limit  int64
	unpack func(ctx context.Context, part string, it Item) error
}

// ways are the files that may bring a content, the smallest first: what the pack
// names, and the whole object, which is always there.
func (r *round) ways(it Item) []way {
	d := it.Resource.Hash
	var list []way
	if r.pack != nil {
		o, named := r.pack.objects[carrier.NameOf(d)]
		switch {
		case !named || o.Length > carrier.MaxCompressed(it.Resource.Bytes):
		case o.Way == carrier.PatchAside:
			if old, held := r.m.o.Contents.Find(o.Old); held {
				list = append(list, way{
					file: carrier.PatchPath(d, old), part: d.Hex() + "-" + old.Hex()[:16] + ".patch" + partSuffix, limit: o.Length,
					unpack: func(ctx context.Context, part string, it Item) error { return r.unpatch(ctx, part, it, o.Old) },
				})
			}
		case o.Way == carrier.BrotliAside:
			list = append(list, way{file: carrier.BrotliPath(d), part: d.Hex() + ".br" + partSuffix, limit: o.Length, unpack: r.unbrotli})
		}
	}
	return append(list, way{
		file: datapackage.ObjectFile(d), part: d.Hex() + ".zst" + partSuffix, limit: carrier.MaxCompressed(it.Resource.Bytes), unpack: r.unpack,
	})
}

// unpatch applies a patch that stands in staging, one at a time: each may take
// 64 MB, while others are on their way.
func (r *round) unpatch(ctx context.Context, part string, it Item, old carrier.ObjectName) error {
	r.applying.Lock()
	defer r.applying.Unlock()
	f, err := r.m.o.Staging.OpenFile(part, os.O_RDONLY)
	if err != nil {
		return err
	}
	err = errors.Join(r.applyPatch(ctx, it, old, true, f), f.Close())
	if err != nil {
		return r.notIt(part, it, err)
	}
	return r.m.o.Staging.Remove(part)
}

// unbrotli decodes a brotli form that stands in staging, likewise.
func (r *round) unbrotli(_ context.Context, part string, it Item) error {
	r.applying.Lock()
	defer r.applying.Unlock()
	f, err := r.m.o.Staging.OpenFile(part, os.O_RDONLY)
	if err != nil {
		return err
	}
	in := carrier.DecodeBrotli(f, it.Resource.Bytes)
	err = errors.Join(r.m.o.Contents.PutExpect(in, it.Resource.Hash, it.Resource.Bytes), f.Close())
	if err != nil {
		return r.notIt(part, it, err)
	}
	if r.m.o.Relay != nil {
		if err := r.m.relayHeld(it.Resource); err != nil {
			return err
		}
		return r.m.relayObject(carrier.BrotliPath(it.Resource.Hash), part)
	}
	return r.m.o.Staging.Remove(part)
}

// notIt says that what a carrier gave is not the content that was signed.
func (r *round) notIt(part string, it Item, err error) error {
	if isDisk(err) || errors.Is(err, context.Canceled) {
		return err
	}
	return portal.Unverified(r.where(part), "does not hold the signed contents of %s: %v", it.Dataset, err)
}
