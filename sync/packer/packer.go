// Package packer makes what is derived from a repository for those who follow
// it: packs (from/<snapshot>), patches and brotli forms of contents. A centre and
// a relay use the same one (spec/sync.md, "The tree").
//
// Nothing it makes is signed or trusted. It works after timestamp.json was
// published, in the background if need be, and may be killed at any write: every
// file is replaced at once, and an older pack stays what it was, an answer that
// leads to an older generation. Its work is bounded by what changed, not by what
// there is.
package packer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// Contents opens what a manifest names by hash.
type Contents interface {
	// Open gives the bytes held under d and their length, or portal.ErrNotHeld.
	Open(d portal.Digest) (portal.ReadSeekCloser, int64, error)
}

// Options say where a repository is and how much work is spent on it.
type Options struct {
	Repository disk.FS
	Contents   Contents
	// Effort is how many bytes of new contents one run makes patches of, beyond
	// those that are cheap; negative: all. Encoding takes up to 15 s a MB.
	Effort int64
	// GiveWay is called every few milliseconds of encoding that nobody waits for. It
	// waits while the machine has better to do, and gives the error of ctx. nil:
	// there is nothing better.
	GiveWay  func(ctx context.Context) error
	Progress func(stage string, done, total int64) // nil: nobody looks
}

// Packer makes the carriers of one repository. It is safe for concurrent use, in
// several processes too: whoever writes looks first whether the repository has
// moved on, and what two write for one timestamp is worth the same.
type Packer struct {
	o     Options
	heavy int64      // heavyFiles; less in tests
	slow  sync.Mutex // held by the one run that makes everything

	mu     sync.Mutex
	packed portal.Digest // of the timestamp for which everything is made
	near   steps         // what the last run of PackNearest made
}

// steps are packs that were made for one timestamp: what a run need not find
// out again.
type steps struct {
	head []byte
	by   map[int64]*step
}

// Open gives the packer of a repository, which need not exist yet.
func Open(o Options) *Packer {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	if o.GiveWay == nil {
		o.GiveWay = context.Context.Err
	}
	return &Packer{o: o, heavy: heavyFiles}
}

// Limits of metadata of our own, in bytes.
const (
	maxTimestamp  = 16 << 10
	maxMetadata   = 64 << 20
	timestampFile = "metadata/timestamp.json"
	stateFile     = "from/state.json"
	headFile      = "head"
)

// Pack brings all packs to the repository's newest snapshot: first those that
// cost little, then patches of whatever changed, nearest snapshot first. When the
// repository moves on meanwhile it begins again. A repository that is not there
// is no error.
func (p *Packer) Pack(ctx context.Context) error {
	p.slow.Lock()
	defer p.slow.Unlock()
	for {
		err := p.once(ctx, true)
		if !errors.Is(err, errMovedOn) {
			return err
		}
	}
}

// PackNearest brings the packs of the nearest snapshots there, with what is made
// or costs little: so that who has followed closely sees a publication at once.
// The others lead to an older generation until Pack has run.
func (p *Packer) PackNearest(ctx context.Context) error {
	err := p.once(ctx, false)
	if errors.Is(err, errMovedOn) {
		return nil // whoever moved it packs
	}
	return err
}

// errLater says that a pack takes too long while somebody waits.
var errLater = errors.New("made in the background")

// errMovedOn says that another timestamp was published during a run.
var errMovedOn = errors.New("the repository has moved on")

func (p *Packer) once(ctx context.Context, all bool) error {
	head, err := disk.ReadFile(p.o.Repository, timestampFile, maxTimestamp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	done := portal.DigestOf(head) == p.packed
	p.mu.Unlock()
	if done {
		return nil
	}
	r, err := p.begin(head)
	if err != nil {
		return err
	}
	err = r.noteRoot()
	switch {
	case err != nil:
	case r.state.Done == r.to && len(r.missing()) == 0:
		err = r.reheadAll(ctx)
	default:
		err = r.make(ctx, all)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errMovedOn) {
		err = errors.Join(err, r.unsay())
	}
	if err == nil && r.state.Done == r.to {
		p.mu.Lock()
		p.packed, p.near = portal.DigestOf(head), steps{}
		p.mu.Unlock()
	}
	return err
}

// unsay takes away the packs that say "nothing new" and no longer should, after an
// error that will not pass by itself: who stands there walks, instead of waiting
// for a pack that nobody makes. Other old packs lead forward, and stay.
func (r *run) unsay() error {
	for _, k := range r.bases {
		to, _, err := r.packedTo(k)
		if err != nil || to != k || k == r.to {
			continue
		}
		if err := r.remove(carrier.PackPath(k)); err != nil {
			return err
		}
	}
	return nil
}

// run is one pass for one timestamp.
type run struct {
	p     *Packer
	repo  disk.FS
	head  []byte
	to    int64 // the snapshot of the head
	now   tuf.Snapshot
	roots []int64 // versions in the repository, ascending
	bases []int64 // snapshots that get a pack, nearest first
	state state

	roles     map[string]parsed          // publishers' roles as they are now
	older     map[string]parsed          // the version that was read last, by role
	manifests map[portal.Digest]manifest // read in this run
	patched   map[portal.Digest]int      // how many patches a content has got in this run
	tried     map[portal.Digest]bool     // contents whose brotli form was made or is not worth it
	spent     int64                      // bytes of new contents that were encoded
	heavy     bool                       // packs take seconds by their small files alone
	effort    int64
}

func (p *Packer) begin(head []byte) (*run, error) {
	ts, err := tuf.ParseTimestamp(head)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", timestampFile, err)
	}
	r := &run{
		p: p, repo: p.o.Repository, head: head, to: ts.Snapshot.Version, effort: p.o.Effort,
		roles: map[string]parsed{}, older: map[string]parsed{}, manifests: map[portal.Digest]manifest{},
		patched: map[portal.Digest]int{}, tried: map[portal.Digest]bool{},
	}
	if r.now, err = r.snapshot(r.to); err != nil {
		return nil, err
	}
	entries, err := r.repo.ReadDir("metadata")
	if err != nil {
		return nil, err
	}
	var snapshots []int64
	for _, e := range entries {
		switch v, role := carrier.ParseMetadataName(e.Name()); role {
		case "root":
			r.roots = append(r.roots, v)
		case "snapshot":
			snapshots = append(snapshots, v)
		}
	}
	r.bases = choose(snapshots, r.to)
	r.state, err = readState(r.repo)
	return r, err
}

// pointless are errors of a content or a base that cost a pack nothing but it.
func pointless(err error) bool {
	return errors.Is(err, portal.ErrNotHeld) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, portal.ErrUnverified)
}

// make writes every pack, or the nearest ones. What can be had at once is in
// them at once; what takes time comes later, when all are made.
func (r *run) make(ctx context.Context, all bool) error {
	if err := r.write(carrier.Pack{From: r.to, To: r.to, Head: r.head}, headFile); err != nil {
		return err
	}
	bases := r.bases
	if !all {
		bases = bases[:min(len(bases), atOnce)]
	}
	steps := make([]*step, 0, len(bases))
	for i, k := range bases {
		r.p.o.Progress("pack", int64(i), int64(len(bases)))
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.heavy && !spaced(r.to-k) {
			if err := r.remove(carrier.PackPath(k)); err != nil {
				return err
			}
			continue
		}
		s, err := r.base(ctx, k, all)
		if err != nil {
			return err
		}
		if s != nil {
			steps = append(steps, s)
		}
	}
	r.p.o.Progress("pack", int64(len(bases)), int64(len(bases)))
	if !all {
		return nil
	}
	if err := r.clean(steps); err != nil {
		return err
	}
	if err := r.dear(ctx, steps); err != nil {
		return err
	}
	r.state.Done = r.to
	return r.state.write(r.repo)
}

// atOnce is how many packs are made while a publication waits: the newest
// snapshot's own, and that of the one before it.
const atOnce = 2

// heavyFiles is from how many bytes of small files on a pack takes seconds by
// them alone. Then none is made while a publication waits, and fewer snapshots get
// one: all of them, where the newest publication is so large; those behind which
// thousands of manifests have come, where a catalogue has moved in.
const heavyFiles = 4 << 20

// spaced tells the distances that get a pack where packs are heavy.
func spaced(distance int64) bool { return distance <= 4 || distance&(distance-1) == 0 }

// base makes the pack of one snapshot with what is there or costs little. nil
// when there is nothing more to do for it.
func (r *run) base(ctx context.Context, k int64, all bool) (*step, error) {
	if r.fresh(k) {
		if s := r.p.made(r.head, k); s != nil || !all {
			return s, nil
		}
	}
	s, err := r.step(k, all)
	if errors.Is(err, errLater) {
		return nil, nil
	}
	if pointless(err) { // metadata of that time is gone: who stands there walks
		return nil, r.remove(carrier.PackPath(k))
	}
	if err != nil {
		return nil, err
	}
	if err := r.cheap(ctx, s); err != nil {
		return nil, err
	}
	if err := r.writeStep(s); err != nil {
		return nil, err
	}
	if !all {
		r.p.remember(r.head, s)
	}
	return s, nil
}

// made gives the step of a pack that PackNearest made for this timestamp; nil when
// it did not.
func (p *Packer) made(head []byte, k int64) *step {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !bytes.Equal(p.near.head, head) {
		return nil
	}
	return p.near.by[k]
}

func (p *Packer) remember(head []byte, s *step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !bytes.Equal(p.near.head, head) {
		p.near = steps{head: head, by: map[int64]*step{}}
	}
	p.near.by[s.from] = s
}

// write makes a pack a file, unless the repository has moved on: a pack for an
// older timestamp must not follow one for a newer.
func (r *run) write(p carrier.Pack, name string) error {
	if err := r.current(); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := carrier.WritePack(&b, p); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if held, err := disk.ReadFile(r.repo, name, int64(b.Len())); err == nil && bytes.Equal(held, b.Bytes()) {
		return nil
	}
	return disk.WriteFile(r.repo, name, b.Bytes())
}

// current is errMovedOn when another timestamp is published.
func (r *run) current() error {
	now, err := disk.ReadFile(r.repo, timestampFile, maxTimestamp)
	if err == nil && !bytes.Equal(now, r.head) {
		err = errMovedOn
	}
	return err
}

func (r *run) remove(name string) error {
	if err := r.repo.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (r *run) snapshot(v int64) (s tuf.Snapshot, err error) {
	name := carrier.MetadataPath("snapshot", v)
	b, err := disk.ReadFile(r.repo, name, maxMetadata)
	if err == nil {
		s, err = tuf.ParseSnapshot(b)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
