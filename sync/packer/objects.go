package packer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/delta"
)

// Limits of what stands in a pack, of what is encoded at once, and of what is
// encoded at all, in bytes.
const (
	maxInline     = 1 << 20   // of one patch
	maxInlineAll  = 4 << 20   // of all patches of a pack
	farInlineAll  = 1 << 20   // likewise, of a pack from far away
	far           = 8         // snapshots
	cheapContent  = 64 << 10  // a second at the worst
	cheapRun      = 128 << 10 // of new contents in one run
	maxPatched    = 256 << 20 // old and new together: Encode takes four times that
	maxBrotli     = 16 << 20
	maxFromNobody = 4 << 20  // of a content from nothing that may stand in a pack
	maxWholes     = 16 << 20 // of all contents of a step from nothing: more is a catalogue that moves in
)

// task is a patch that is not made yet.
type task struct {
	new, old portal.Digest
	size     int64
}

// tasks are the patches that a step could use and that nobody has made.
func (r *run) tasks(s *step) []task {
	var list []task
	for _, w := range s.wants {
		if r.worth(s, w) && !r.has(carrier.PatchPath(w.new, w.old)) {
			list = append(list, w.task())
		}
	}
	slices.SortFunc(list, func(a, b task) int { return cmp.Compare(a.size, b.size) })
	return list
}

func (w want) task() task { return task{w.new, w.old, w.size} }

// worth says whether a patch is tried: from an old content always, from nothing
// when the result may stand in the pack.
func (r *run) worth(s *step, w want) bool {
	if w.size > delta.MaxSize || r.patched[w.new] >= maxBases {
		return false
	}
	return !w.old.IsZero() || s.wholes <= maxWholes && w.size <= maxFromNobody && r.stored(datapackage.ObjectFile(w.new)) <= maxInline
}

// maxBases is from how many old contents one new one gets patches in one run.
const maxBases = 12

func (r *run) has(name string) bool {
	_, err := r.repo.Stat(name)
	return err == nil
}

// stored is the length of a file; 0 when it is not there.
func (r *run) stored(name string) int64 {
	info, err := r.repo.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// cheap makes the patches of a step that take no time worth speaking of.
func (r *run) cheap(ctx context.Context, s *step) error {
	for _, t := range r.tasks(s) {
		if t.size > cheapContent || r.spent+t.size > cheapRun {
			break // they come by size
		}
		r.spent += t.size
		if err := r.patch(ctx, t, ctx.Err); err != nil {
			return err
		}
	}
	return nil
}

// dear makes all other patches, and writes each pack again that gains by them.
func (r *run) dear(ctx context.Context, steps []*step) error {
	var done, total int64
	for _, s := range steps {
		for _, t := range r.tasks(s) {
			total += t.size
		}
	}
	r.spent = 0
	r.forgetTried(steps)
	giveWay := func() error { return r.p.o.GiveWay(ctx) }
	for _, s := range steps {
		tasks := r.tasks(s)
		for _, t := range tasks {
			if r.effort >= 0 && r.spent+t.size > r.effort {
				break
			}
			if err := r.current(); err != nil {
				return err
			}
			r.p.o.Progress("patch", done, total)
			r.spent += t.size
			if err := r.patch(ctx, t, giveWay); err != nil {
				return err
			}
			done += t.size
		}
		brotli, err := r.wholes(ctx, s, giveWay)
		if err != nil {
			return err
		}
		if len(tasks) > 0 || brotli {
			if err := r.writeStep(s); err != nil {
				return err
			}
		}
	}
	r.p.o.Progress("patch", total, total)
	return nil
}

// patch makes one patch and keeps it where mirrors find it. Contents that are
// not held, or too large, give none. Pause is that of delta.Options.
func (r *run) patch(ctx context.Context, t task, pause func() error) error {
	r.patched[t.new]++
	both, old, err := r.contents(t)
	if pointless(err) {
		return nil
	}
	if err != nil {
		return err
	}
	o := delta.Options{Pause: pause}
	if t.old.IsZero() { // the range coder gains little from nothing, and takes ten times as long
		o.Only = []delta.Codec{delta.Stored, delta.Zstd, delta.Brotli}
	}
	var best delta.Best
	err = interruptible(ctx, func() (err error) {
		best, err = delta.EncodeJoined(both, old, o)
		return err
	})
	if err != nil {
		return fmt.Errorf("patch %s: %w", t.new.Short(), err)
	}
	return disk.WriteFile(r.repo, carrier.PatchPath(t.new, t.old), best.Patch)
}

// interruptible runs what may take seconds between two pauses, and leaves it alone
// when the context ends: its result is not used then.
func interruptible(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// contents reads what a patch is made from: the old content, whose length it
// gives, and the new one behind it.
func (r *run) contents(t task) (both []byte, old int, err error) {
	names := []portal.Digest{t.old, t.new}
	if t.old.IsZero() {
		names = names[1:]
	}
	readers, ends := make([]io.Reader, len(names)), make([]int64, len(names)+1)
	for i, d := range names {
		in, size, err := r.p.o.Contents.Open(d)
		if err != nil {
			return nil, 0, err
		}
		defer in.Close() //nolint:errcheck // opened for reading
		readers[i], ends[i+1] = in, ends[i]+size
	}
	if ends[len(names)] > maxPatched {
		return nil, 0, fmt.Errorf("content %s of %d bytes: %w", t.new.Short(), t.size, portal.ErrNotHeld)
	}
	both = make([]byte, ends[len(names)])
	for i, d := range names {
		part := both[ends[i]:ends[i+1]]
		if _, err := io.ReadFull(readers[i], part); err != nil {
			return nil, 0, err
		}
		if portal.DigestOf(part) != d {
			return nil, 0, portal.Unverified("object "+d.Short(), "is damaged")
		}
	}
	return both, int(ends[len(names)-1]), nil
}

// forgetTried begins tried anew: with what was there already when every carrier
// was made the last time. A brotli form that gained nothing leaves no file behind
// that would tell.
func (r *run) forgetTried(steps []*step) {
	i := slices.IndexFunc(steps, func(s *step) bool { return s.from == r.state.Done })
	if i < 0 {
		return
	}
	for _, s := range steps {
		for _, w := range s.wants {
			r.tried[w.new] = !steps[i].known[w.new]
		}
	}
}

// wholes makes the brotli form of contents that no patch makes small, where it
// is smaller than the zstd one.
func (r *run) wholes(ctx context.Context, s *step, pause func() error) (gained bool, err error) {
	if s.wholes > maxWholes {
		return false, nil
	}
	for _, w := range s.wants {
		zst := r.stored(datapackage.ObjectFile(w.new))
		if !w.old.IsZero() || w.size > maxBrotli || zst <= maxInline && w.size <= maxFromNobody || r.tried[w.new] || r.has(carrier.BrotliPath(w.new)) {
			continue
		}
		if r.effort >= 0 && r.spent+w.size > r.effort {
			continue
		}
		r.spent += w.size
		r.tried[w.new] = true
		made, err := r.brotli(ctx, w.task(), zst, pause)
		if err != nil {
			return gained, err
		}
		gained = gained || made
	}
	return gained, nil
}

// brotli makes one brotli form; false when it gains too little to be kept.
func (r *run) brotli(ctx context.Context, t task, zst int64, pause func() error) (bool, error) {
	b, _, err := r.contents(t)
	if pointless(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var out []byte
	err = interruptible(ctx, func() (err error) {
		out, err = carrier.Brotli(b, pause)
		return err
	})
	if err != nil || int64(len(out)) >= zst-zst/64 {
		return false, err
	}
	return true, disk.WriteFile(r.repo, carrier.BrotliPath(t.new), out)
}

// writeStep writes the pack of a step with what there is to put into it.
func (r *run) writeStep(s *step) error {
	p := carrier.Pack{From: s.from, To: r.to, Head: r.head, Files: s.files}
	type choice struct {
		object carrier.PackObject
		file   string
	}
	var choices []choice
	for _, w := range s.wants {
		if o, file, ok := r.best(w); ok {
			choices = append(choices, choice{o, file})
		}
	}
	slices.SortFunc(choices, func(a, b choice) int { return cmp.Compare(a.object.Length, b.object.Length) })
	room := int64(maxInlineAll)
	if r.to-s.from > far {
		room = farInlineAll
	}
	for _, c := range choices {
		o := c.object
		switch {
		case o.Way <= carrier.InlinePatch && o.Length <= min(room, maxInline):
			b, err := disk.ReadFile(r.repo, c.file, carrier.MaxInline)
			if err != nil {
				return err
			}
			o.Patch = b
			room -= o.Length
		case o.Way == carrier.InlinePatch:
			o.Way = carrier.PatchAside
		case o.Way == carrier.InlineWhole:
			continue // objects/ has it
		}
		p.Objects = append(p.Objects, o)
	}
	err := r.write(p, carrier.PackPath(s.from))
	if errors.Is(err, carrier.ErrTooMuch) {
		p.Objects = nil
		err = r.write(p, carrier.PackPath(s.from))
	}
	return err
}

// best is the smallest way to a content that is there now.
func (r *run) best(w want) (o carrier.PackObject, file string, ok bool) {
	o = carrier.PackObject{New: carrier.NameOf(w.new), Size: w.size}
	offer := func(way carrier.Way, name string, old portal.Digest) {
		n := r.stored(name)
		if n == 0 || ok && n >= o.Length {
			return
		}
		o.Way, o.Length, file, ok = way, n, name, true
		o.Old = carrier.ObjectName{}
		if way == carrier.InlinePatch {
			o.Old = carrier.NameOf(old)
		}
	}
	if !w.old.IsZero() {
		offer(carrier.InlinePatch, carrier.PatchPath(w.new, w.old), w.old)
	}
	offer(carrier.InlineWhole, carrier.PatchPath(w.new, portal.Digest{}), portal.Digest{})
	offer(carrier.ZstdAside, datapackage.ObjectFile(w.new), portal.Digest{})
	offer(carrier.BrotliAside, carrier.BrotliPath(w.new), portal.Digest{})
	return o, file, ok
}

// clean takes away packs that nobody should ask for any more, and patches to
// contents that have been replaced or withdrawn.
func (r *run) clean(steps []*step) error {
	entries, err := r.repo.ReadDir("from")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		k, err := strconv.ParseInt(e.Name(), 10, 64)
		if err != nil || slices.Contains(r.bases, k) {
			continue
		}
		if err := r.remove("from/" + e.Name()); err != nil {
			return err
		}
	}
	current := map[portal.Digest]bool{}
	for _, s := range steps {
		for _, w := range s.wants {
			current[w.new] = true
		}
	}
	for _, s := range steps {
		for _, d := range s.gone {
			folder := carrier.PatchPath(d, d)
			folder = folder[:strings.LastIndexByte(folder, '/')]
			if current[d] || !r.has(folder) {
				continue
			}
			if err := disk.RemoveAll(r.repo, folder); err != nil {
				return err
			}
		}
	}
	return nil
}
