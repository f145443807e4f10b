package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// pack is the answer to a mirror at its snapshot: one file that holds what a walk
// would fetch one by one. Nothing in it is believed: what is taken out of it goes
// the way of fetched bytes, and a pack that is wrong anywhere is passed by.
type pack struct {
	in      *staged
	reader  *carrier.PackReader
	files   map[string][]byte // by path, without the digest of consistent snapshots
	objects map[carrier.ObjectName]carrier.PackObject
	done    bool // its objects were read
}

// maxPack bounds a pack: head, table, files and as many patches as the origin may
// put into it.
const maxPack = 64 << 20

// Restless is for how long the same timestamp is believed to be the newest. A
// centre signs daily; when packs say for longer that nothing has changed, the
// timestamp itself is asked for: packs may have been forgotten. An upstream that
// has nothing newer then is behind, or its centre sleeps.
const Restless = 26 * time.Hour

// latest brings the metadata up to the source's: by the pack for the snapshot
// that is accepted, else by walking. unchanged says that there is nothing new.
func (r *round) latest(ctx context.Context, before *accepted) (now *accepted, unchanged bool, err error) {
	have := before.state(false).Generation
	if have == 0 || len(before.damaged) > 0 {
		return r.refresh(ctx)
	}
	err = r.openPack(ctx, have)
	if err == nil {
		now, unchanged, err = r.byPack(ctx, before)
	}
	if err == nil {
		return now, unchanged, nil
	}
	if ctx.Err() != nil {
		return nil, false, context.Cause(ctx)
	}
	if errors.Is(err, tuf.ErrEquivocation) {
		var proved *Equivocation
		if e := r.equivocation(err); errors.As(e, &proved) {
			return nil, false, e // no other way makes it undone
		}
	}
	var other *carrier.FormError
	if errors.As(err, &other) {
		r.note = fmt.Sprintf("the pack of %s %v: everything was fetched file by file, which takes more requests; bring both to one version of koprik", r.src, other)
	}
	if err := r.closePack(err); err != nil {
		return nil, false, err
	}
	return r.refresh(ctx)
}

// byPack takes head and files of the pack as the source's.
func (r *round) byPack(ctx context.Context, before *accepted) (*accepted, bool, error) {
	head := r.pack.reader.Head
	held, err := disk.ReadFile(r.m.o.Trust, "timestamp.json", maxTimestamp)
	if err == nil && bytes.Equal(held, head) && len(r.pack.reader.Files.New) == 0 {
		signed := before.set.Timestamp().SignedAt
		if r.m.o.Now().Sub(signed) > Restless {
			return nil, false, errOldPack
		}
		if _, _, err := r.pack.reader.Next(); !errors.Is(err, io.EOF) {
			return nil, false, fmt.Errorf("a pack of nothing new: %w", err)
		}
		return before, true, nil
	}
	if err := r.readFiles(); err != nil {
		return nil, false, err
	}
	r.src.pack = r.pack.files
	return r.refresh(ctx)
}

var (
	errOldPack = errors.New("the pack's timestamp is an old one")
	errNotOurs = errors.New("the pack is for another snapshot")
)

// openPack asks for the pack of snapshot have, and reads its table of contents.
func (r *round) openPack(ctx context.Context, have int64) error {
	if _, ok := r.src.Source.(conditional); !ok {
		return errUnconditional
	}
	name := "pack-" + strconv.FormatInt(have, 10)
	if err := r.expectNothing(have, name); err != nil {
		return err
	}
	for range 2 { // once more when it was replaced meanwhile
		in, err := r.stage(ctx, carrier.PackPath(have), name, maxPack)
		if err != nil {
			return err
		}
		r.pack = &pack{in: in, objects: map[carrier.ObjectName]carrier.PackObject{}}
		r.pack.reader, err = carrier.OpenPack(in)
		if err == nil && r.pack.reader.From != have {
			err = errNotOurs
		}
		if err == nil {
			for _, o := range r.pack.reader.Objects {
				r.pack.objects[o.New] = o
			}
			return nil
		}
		if !errors.Is(err, errReplaced) {
			return err
		}
		if err := r.closePack(err); err != nil {
			return err
		}
	}
	return errReplaced
}

// expectNothing puts the pack that says "nothing new" into staging, where none
// is, under the mark that our own servers give it: the digest of its bytes. So an
// unchanged round is told by a few bytes from the first time on.
func (r *round) expectNothing(have int64, name string) error {
	if _, err := r.m.o.Staging.Stat(name + markSuffix); err == nil {
		return nil
	}
	head, err := disk.ReadFile(r.m.o.Trust, "timestamp.json", maxTimestamp)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := carrier.WritePack(&b, carrier.Pack{From: have, To: have, Head: head}); err != nil {
		return err
	}
	s := &staged{r: r, path: carrier.PackPath(have), name: name, mark: `"` + portal.DigestOf(b.Bytes()).Short() + `"`, total: int64(b.Len())}
	if err := disk.WriteFile(r.m.o.Staging, s.part(), b.Bytes()); err != nil {
		return err
	}
	return s.remember()
}

// readFiles takes the small files out of the pack.
func (r *round) readFiles() error {
	p := r.pack
	files, err := p.reader.OpenFiles(r.heldFile)
	if err != nil {
		return err
	}
	p.files = map[string][]byte{"metadata/timestamp.json": p.reader.Head}
	for _, f := range files {
		p.files[f.Path] = f.Bytes
	}
	return nil
}

// heldFile gives a small file as this node has accepted it.
func (r *round) heldFile(path string) ([]byte, error) {
	if name, ok := strings.CutPrefix(path, "metadata/"); ok && !strings.Contains(name, "/") {
		return disk.ReadFile(r.m.o.Trust, name, maxMetadata)
	}
	if r.beside == nil {
		r.beside = r.before.sides()
	}
	if side, ok := r.beside[path]; ok {
		return r.m.o.Contents.ReadAll(side.SHA256, datapackage.MaxSide)
	}
	t, err := datapackage.ParseTargetPath(path)
	if err != nil {
		return nil, err
	}
	known, err := r.listed(t.Publisher)
	if err != nil {
		return nil, err
	}
	entry := known.datasets[t.Dataset]
	if t.Kind == datapackage.PublisherTarget {
		entry = known.records[t.Publisher]
	}
	if entry.number != t.Number {
		return nil, fmt.Errorf("%s: %w", path, portal.ErrNotHeld)
	}
	return r.m.o.Contents.ReadAll(entry.target.SHA256, maxManifest)
}

// listed is what was accepted before of one publisher.
func (r *round) listed(p portal.PublisherID) (listing, error) {
	if r.whose == p {
		return r.known, nil
	}
	l, err := listOf(r.before, p)
	if err == nil {
		r.known, r.whose = l, p
	}
	return l, err
}

// closePack gives a pack up because of err. What came stays for the next round
// when it was the line that broke.
func (r *round) closePack(because error) error {
	r.src.pack = nil
	p := r.pack
	r.pack = nil
	switch {
	case p == nil:
		return nil
	case errors.Is(because, portal.ErrUnreachable):
		return p.in.leave()
	}
	return p.in.drop()
}

// leavePack ends reading a pack at the end of a round; what came of it stays for
// the next one unless it was used up.
func (r *round) leavePack() error {
	if r.pack == nil {
		return nil
	}
	return r.pack.in.leave()
}

// fromPack takes contents out of the pack as they come, and gives those that are
// still missing: another way brings them. Only a full disk or the end of the
// round is an error.
func (r *round) fromPack(ctx context.Context, items []Item) ([]Item, error) {
	if r.pack == nil || r.pack.done || len(items) == 0 {
		return items, nil
	}
	total := sizeOf(items)
	if err := r.room(total); err != nil {
		return nil, err
	}
	r.pack.done = true
	wanted := map[carrier.ObjectName]Item{}
	for _, it := range items {
		wanted[carrier.NameOf(it.Resource.Hash)] = it
	}
	var done int64
	err := r.takeObjects(ctx, wanted, func(it Item) {
		done += it.Resource.Bytes
		r.m.o.Progress("fetch", done, total)
	})
	if err != nil && (ctx.Err() != nil || full(err)) {
		return nil, err
	}
	var left []Item
	for _, it := range items {
		if _, still := wanted[carrier.NameOf(it.Resource.Hash)]; still {
			left = append(left, it)
		}
	}
	return left, nil
}

// takeObjects applies the pack's patches one after the other, and strikes what
// it has brought off wanted.
func (r *round) takeObjects(ctx context.Context, wanted map[carrier.ObjectName]Item, progress func(Item)) error {
	for len(wanted) > 0 && !r.src.spent() {
		o, patch, err := r.pack.reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		it, ok := wanted[o.New]
		if !ok {
			continue
		}
		err = r.applyPatch(ctx, it, o.Old, o.Way == carrier.InlinePatch, patch)
		switch {
		case err == nil:
			delete(wanted, o.New)
			r.came.add(byPack)
			progress(it)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case full(err):
			return err
		}
	}
	if len(wanted) > 0 {
		return nil
	}
	_, _, err := r.pack.reader.Next() // to its end: the connection can be used again
	return err
}
