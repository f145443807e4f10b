package mirror

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
)

const (
	worthSyncing = 1 << 20 // bytes that a power cut may make us fetch again
	attempts     = 3       // tries in a row that bring no byte, then the source counts as unreachable
)

func isNotFound(err error) bool { return errors.Is(err, portal.ErrNotFound) }

// fetch brings all items, some side by side, and stops at the first that
// cannot be had. What has arrived stays for the next round.
func (r *round) fetch(ctx context.Context, items []Item) error {
	total := sizeOf(items)
	if err := r.room(total); err != nil {
		return err
	}
	var done atomic.Int64
	waits, err := sideBySide(ctx, &r.pace, items, func(ctx context.Context, it Item) error {
		if err := r.object(ctx, it); err != nil {
			return err
		}
		r.m.o.Progress("fetch", done.Add(it.Resource.Bytes), total)
		return nil
	})
	r.trips.Add(waits)
	return err
}

func sizeOf(items []Item) (total int64) {
	for _, it := range items {
		total += it.Resource.Bytes
	}
	return total
}

// room refuses a round that the disk cannot hold, before it starts: contents,
// and beside them the compressed form while it is on its way.
func (r *round) room(total int64) error {
	if r.m.o.Free == nil || total == 0 {
		return nil
	}
	free, err := r.m.o.Free()
	if err != nil {
		return err
	}
	const reserve = 64 << 20 // the outbox's (spec/talkback.md)
	need := uint64(2*total) + reserve
	if free < need {
		return &portal.Problem{
			Kind: portal.ErrNoSpace, Where: "data directory",
			Message: fmt.Sprintf("this sync needs %d MiB, of which 64 MiB stay for questions; %d MiB are free", need>>20, free>>20),
			Hint:    "free some space; the copy that this node has stays",
		}
	}
	return nil
}

// object brings one content by the first way that gives it. A smaller way that
// turns out wrong or missing costs the next one, never an error.
func (r *round) object(ctx context.Context, it Item) error {
	ways := r.ways(it)
	for i, w := range ways {
		err := r.by(ctx, w, it)
		if err == nil {
			r.came.add(w.named())
		}
		if err == nil || i == len(ways)-1 || ctx.Err() != nil || full(err) {
			return err
		}
	}
	return nil
}

// by fetches, decodes and verifies one content, resuming what an earlier try
// left. What turns out wrong is thrown away, and fetched once anew when an
// earlier try had brought a part of it.
func (r *round) by(ctx context.Context, w way, it Item) error {
	for {
		resumed, err := r.download(ctx, w.file, w.part, w.limit)
		if isNotFound(err) {
			return missingIsLie(r.where(w.file), err)
		}
		if err == nil {
			err = w.unpack(ctx, w.part, it)
		}
		if !errors.Is(err, portal.ErrUnverified) {
			return err
		}
		if rmErr := r.m.o.Staging.Remove(w.part); rmErr != nil {
			return errors.Join(err, rmErr)
		}
		if !resumed {
			return err
		}
	}
}

// download brings file into staging/part, from where an earlier try stopped.
func (r *round) download(ctx context.Context, file, part string, limit int64) (resumed bool, err error) {
	f, err := r.m.o.Staging.OpenFile(part, os.O_CREATE|os.O_WRONLY)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	resumed = at > 0
	for fruitless := 0; fruitless < attempts; {
		n, err := r.piece(ctx, file, f, at, limit)
		at += n
		if err == nil && at < worthSyncing {
			return resumed, nil
		}
		if err == nil {
			return resumed, f.Sync()
		}
		if ctx.Err() != nil {
			return resumed, context.Cause(ctx)
		}
		if !errors.Is(err, portal.ErrUnreachable) {
			return resumed, err
		}
		if fruitless++; n > 0 {
			fruitless = 0
		}
		if fruitless == attempts {
			return resumed, err
		}
	}
	return resumed, nil
}

// piece copies from one answer; it gives how far the file has grown.
func (r *round) piece(ctx context.Context, file string, f disk.File, at, limit int64) (int64, error) {
	body, start, err := r.src.Get(ctx, file, at)
	if err != nil {
		return 0, err
	}
	defer body.Close() //nolint:errcheck // read to its end or given up
	if _, err := io.CopyN(io.Discard, body, at-start); err != nil {
		return 0, portal.Unverified(r.where(file), "is shorter than what an earlier try brought")
	}
	n, err := io.Copy(f, io.LimitReader(body, limit-at+1))
	switch {
	case err != nil && isDisk(err):
		return n, err
	case err != nil:
		return n, unreachable(r.where(file), err)
	case at+n > limit:
		return n, portal.Unverified(r.where(file), "is longer than %d bytes of contents can be", limit)
	}
	return n, nil
}

// full tells that no other way helps: the disk takes no more.
func full(err error) bool { return errors.Is(err, disk.ErrNoSpace) || errors.Is(err, disk.ErrReadOnly) }

func isDisk(err error) bool {
	var pathErr *os.PathError
	return errors.As(err, &pathErr) || errors.Is(err, disk.ErrNoSpace)
}

// unpack decodes staging/part into the contents, and keeps the carrier for
// those who follow us.
func (r *round) unpack(_ context.Context, part string, it Item) error {
	turn := &r.unpacking[it.Resource.Hash[0]%fewest]
	turn.Lock()
	defer turn.Unlock()
	file := datapackage.ObjectFile(it.Resource.Hash)
	in, err := carrier.ReadObject(r.m.o.Staging, part, it.Resource.Bytes)
	if err == nil {
		err = errors.Join(r.m.o.Contents.PutExpect(in, it.Resource.Hash, it.Resource.Bytes), in.Close())
	}
	if errors.Is(err, carrier.ErrCarrier) || errors.Is(err, portal.ErrUnverified) {
		p := portal.Unverified(r.where(file), "does not hold the signed contents of %s: %v", it.Dataset, err)
		return p.WithHint("nothing was changed; the copy that this node has stays")
	}
	if err != nil {
		return err
	}
	if r.m.o.Relay == nil {
		return r.m.o.Staging.Remove(part)
	}
	return r.m.relayObject(file, part)
}

const partSuffix = ".part"

// ours tells whether a name in staging is one that we put there.
func ours(name string) bool {
	return strings.HasSuffix(name, partSuffix) || strings.HasSuffix(name, markSuffix)
}

// hash reads r to its end.
func hash(r io.Reader) (d portal.Digest, n int64, err error) {
	h := sha256.New()
	n, err = io.Copy(h, r)
	h.Sum(d[:0])
	return d, n, err
}
