package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// RoundOptions say how one round is made.
type RoundOptions struct {
	Have   int64 // the generation that the node's catalogue holds
	Media  bool  // the source is removable media: an expired timestamp is taken when it is newer
	DryRun bool  // stop before contents are fetched
	// Rest are the sources that are asked, in order, for contents that this one
	// lacks or does not give.
	Rest []Source
	// Budget is how many bytes the round may bring before it leaves contents to
	// later rounds; 0: all of them come.
	Budget int64
	// Owe is told, before the copy is accepted, that contents of it are still to
	// come: the caller remembers that, and calls Fetch later. nil: nobody does.
	Owe func(ctx context.Context, items []Item) error
	// Apply makes the change visible. nil leaves that to another process, which
	// sees that trust/ is ahead of its catalogue.
	Apply func(ctx context.Context, c portal.Change) error
}

// Report says what a round brought and cost.
type Report struct {
	Generation, Previous    int64
	State                   portal.CopyState
	Added, Updated, Removed []portal.DatasetID
	Suspended               []portal.PublisherID // their new role did not verify; what was accepted before stands
	Plan                    []Item               // contents that were missing, and are wanted
	LeftOut                 []Item               // contents that were missing, and that the policy leaves out
	Owed                    []Item               // of Plan: not had yet, to come with a later round
	Ways                    map[string]int       // how many contents came by which of portal.Ways
	BytesDown, BytesUp      int64                // over the wire, headers too; files' bytes where nobody counts there
	Requests, RoundTrips    int
	Upstream                string
	// Note is what whoever looks after the node should know and need not act on at
	// once; "" when there is nothing.
	Note string
}

// Item is one content to be fetched.
type Item struct {
	Dataset  portal.DatasetID
	Resource portal.Resource
	// Way and AtMost stand in the plan of a dry run: by which of portal.Ways it
	// would come, and the most bytes that this takes.
	Way    string
	AtMost int64
}

// Round brings the node to the source's generation. When it fails, the copy
// that was accepted before stands untouched, and what was fetched is kept for
// the next round.
func (m *Mirror) Round(ctx context.Context, source Source, o RoundOptions) (Report, error) {
	src := (&counted{Source: source, limits: limits{rest: o.Rest, budget: o.Budget}}).begin()
	r := &round{m: m, src: src, o: o, saw: map[string][]byte{}}
	report, err := r.run(ctx)
	var proved *Equivocation
	if errors.Is(err, tuf.ErrEquivocation) && !errors.As(err, &proved) {
		err = r.equivocation(err)
	}
	err = errors.Join(err, r.leavePack())
	err = errors.Join(err, m.o.Flush()) // also what a round that ends early has fetched
	src.tell(&report, r.trips.Load())
	report.Ways, report.Note = r.came.ways, r.note
	return report, err
}

type round struct {
	m      *Mirror
	src    *counted
	o      RoundOptions
	trips  atomic.Int64      // requests that waited for the one before
	saw    map[string][]byte // metadata as it came, by name: evidence, should it contradict what is held
	owes   bool              // contents are to come with a later round
	before *accepted         // what was accepted before
	known  listing           // what it lists of the publisher that was asked for last
	whose  portal.PublisherID
	beside map[string]Side // what before lists beside the publishers; nil: not asked for yet
	pack   *pack           // nil: everything is fetched file by file
	came   tally           // contents, by way
	note   string          // for Report.Note

	pace      pace
	applying  sync.Mutex         // held by what takes much memory
	unpacking [fewest]sync.Mutex // one of them, by hash, is held by what takes some
}

func (r *round) run(ctx context.Context) (Report, error) {
	if err := r.regain(ctx); err != nil {
		return Report{}, err
	}
	before, err := r.m.load()
	if err != nil {
		return Report{}, err
	}
	r.m.o.Progress("metadata", 0, 0)
	report := Report{Previous: r.o.Have, Generation: before.state(false).Generation, State: before.state(false)}
	r.before = before
	now, unchanged, err := r.latest(ctx, before)
	if err != nil {
		return report, err
	}
	report.Suspended = now.suspendedPublishers()
	if unchanged && r.o.Have == report.Generation {
		return report, r.m.relay(now)
	}
	media := r.o.Media && !r.m.o.Now().Before(now.set.Timestamp().Expires)
	report.State = now.state(media)
	report.Generation = report.State.Generation
	r.m.o.Progress("plan", 0, 0)
	change, err := r.diff(ctx, before, now, &report)
	if err != nil {
		return report, err
	}
	change.State = report.State
	report.Plan, report.LeftOut = change.plan.parts()
	change.plan = planning{}
	if r.o.DryRun {
		report.Plan = r.laidOut(report.Plan)
		return report, nil
	}
	if report.Owed, err = r.fetchWanted(ctx, report.Plan); err != nil {
		return report, err
	}
	if r.o.Owe != nil && len(report.Owed) > 0 {
		if err := r.o.Owe(ctx, report.Owed); err != nil {
			return report, err
		}
	}
	return report, r.accept(ctx, now, change.Change)
}

// accept writes what was verified into trust/, timestamp last, and then makes it visible.
func (r *round) accept(ctx context.Context, now *accepted, change portal.Change) error {
	r.m.o.Progress("apply", 0, 0)
	if err := r.m.o.Flush(); err != nil {
		return err
	}
	for name, b := range now.raw {
		if name == "timestamp.json" {
			continue
		}
		if err := disk.WriteFile(r.m.o.Trust, name, b); err != nil {
			return err
		}
	}
	if b, ok := now.raw["timestamp.json"]; ok {
		if err := disk.WriteFile(r.m.o.Trust, "timestamp.json", b); err != nil {
			return err
		}
	}
	if err := r.m.writeVets(now); err != nil {
		return err
	}
	if r.o.Apply != nil {
		if err := r.o.Apply(ctx, change); err != nil {
			return err
		}
	}
	if err := r.m.relay(now); err != nil {
		return err
	}
	if err := r.m.dropSides(r.known, now); err != nil {
		return err
	}
	if r.owes { // what has come of it goes on with the next round
		return r.m.cleanTrust(now)
	}
	return r.m.clean(now)
}

// refresh is TUF's client workflow: root by root, then timestamp, snapshot,
// targets and the publishers' roles. unchanged says that the timestamp is the
// one that was accepted before.
func (r *round) refresh(ctx context.Context) (*accepted, bool, error) {
	now, err := r.m.load()
	if err != nil {
		return nil, false, err
	}
	if err := r.roots(ctx, now); err != nil {
		return nil, false, err
	}
	p := tuf.Policy{Now: r.m.o.Now(), Expire: tuf.ExpireNetwork}
	if r.o.Media {
		p.Expire = tuf.ExpireDelegated
	}
	b, err := r.get(ctx, "metadata/timestamp.json", maxTimestamp)
	if err != nil {
		return nil, false, err
	}
	if held, err := disk.ReadFile(r.m.o.Trust, "timestamp.json", maxTimestamp); err == nil && bytes.Equal(held, b) && now.set.Snapshot() != nil {
		// What was accepted stays accepted: an upstream that has nothing newer
		// makes this copy stale in time, and never wrong.
		p.Expire = tuf.ExpireNothing
		return now, true, r.rest(ctx, now, p)
	}
	if err := now.set.UpdateTimestamp(b, p); err != nil && !errors.Is(err, tuf.ErrUnchanged) {
		return nil, false, verdict(r.where("metadata/timestamp.json"), err)
	}
	if err := r.notBehind(now.set.Timestamp().Snapshot.Version); err != nil {
		return nil, false, err
	}
	now.raw["timestamp.json"] = b
	return now, false, r.rest(ctx, now, p)
}

// notBehind guards against going back when the accepted timestamp was torn or
// lost, and cannot: then the snapshot that it named still stands in trust/. A
// timestamp that is whole and does not verify lost its key, and binds nobody.
func (r *round) notBehind(snapshot int64) error {
	if b, err := disk.ReadFile(r.m.o.Trust, "timestamp.json", maxTimestamp); err == nil {
		if _, err := tuf.ParseTimestamp(b); err == nil {
			return nil
		}
	}
	if seen := versionsOf(r.m.o.Trust, "snapshot"); len(seen) > 0 && snapshot < seen[0] {
		return portal.Unverified(r.where("metadata/timestamp.json"), "names snapshot %d; snapshot %d was already accepted", snapshot, seen[0])
	}
	return nil
}

// rest brings snapshot, targets and roles up to an accepted timestamp.
func (r *round) rest(ctx context.Context, now *accepted, p tuf.Policy) error {
	ts := now.set.Timestamp()
	if err := r.role(ctx, now, "snapshot", ts.Snapshot, p, now.set.UpdateSnapshot); err != nil {
		return err
	}
	if err := r.role(ctx, now, "targets", now.set.Snapshot().Meta["targets.json"], p, now.set.UpdateTargets); err != nil {
		return err
	}
	for _, id := range now.publishers() {
		want, published := now.set.Snapshot().Meta[string(id)+".json"]
		if !published {
			continue // delegated to, and has handed nothing over yet
		}
		v := now.vets[id]
		if v.holds(now, id, p) {
			continue // the same file under the same keys as before
		}
		if !v.holds(now, id, tuf.Policy{}) {
			delete(now.vets, id)
		}
		err := r.role(ctx, now, string(id), want, p, func(b []byte, p tuf.Policy) error { return now.updateRole(id, b, p) })
		if err != nil && !suspends(err) {
			return err
		}
		if err == nil {
			delete(now.suspended, id)
			continue
		}
		if now.suspended[id] == nil {
			held := r.m.heldRole(id)
			if held == nil {
				held = &tuf.Targets{}
			}
			now.suspended[id] = held
		}
	}
	return nil
}

// suspends tells whether a publisher's role is what the centre published and
// still is not acceptable: then this publisher alone waits. Bytes that are not
// what the centre's snapshot says are an attack on the repository.
func suspends(err error) bool {
	return errors.Is(err, tuf.ErrSignature) || errors.Is(err, tuf.ErrExpired) || errors.Is(err, tuf.ErrFormat)
}

// role takes one role's file from trust/ when its version is held and
// verifies, and fetches it otherwise.
func (r *round) role(ctx context.Context, now *accepted, role string, want tuf.File, p tuf.Policy, update func([]byte, tuf.Policy) error) error {
	name := carrier.MetadataName(role, want.Version)
	held, err := disk.ReadFile(r.m.o.Trust, name, maxMetadata)
	if err == nil {
		if err = update(held, p); err == nil {
			return nil
		}
	}
	limit := int64(tuf.MaxLength(role))
	if want.Length > 0 {
		limit = min(limit, want.Length)
	}
	b, err := r.get(ctx, "metadata/"+name, limit)
	if err != nil {
		return err
	}
	if err := update(b, p); err != nil {
		if suspends(err) {
			now.refused[name] = b
		}
		return verdict(r.where("metadata/"+name), err)
	}
	now.raw[name] = b
	return nil
}

// roots follows the chain of roots; each is kept as soon as it is accepted.
func (r *round) roots(ctx context.Context, now *accepted) error {
	for range maxRotations {
		name := carrier.MetadataName("root", now.set.Root().Version+1)
		b, err := r.get(ctx, "metadata/"+name, maxRoot)
		if errors.Is(err, portal.ErrNotFound) {
			return errors.Join(r.notBehindRoot(now), r.mend(ctx, now))
		}
		if err != nil {
			return err
		}
		if err := now.set.UpdateRoot(b); err != nil {
			return verdict(r.where("metadata/"+name), err)
		}
		if r.o.DryRun {
			continue
		}
		if err := disk.WriteFile(r.m.o.Trust, name, b); err != nil {
			return err
		}
	}
	return portal.Unverified(r.where("metadata"), "more than %d new roots", maxRotations)
}

func (r *round) where(path string) string { return r.src.String() + ": " + path }

// get reads a whole small file of at most limit bytes.
func (r *round) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	if _, _, here := r.src.inPack(path); !here {
		r.trips.Add(1)
	}
	body, start, err := r.src.Get(ctx, path, 0)
	if err != nil {
		return nil, err
	}
	defer body.Close() //nolint:errcheck // read to its end or given up
	b, err := readAtMost(body, limit+1)
	switch {
	case err != nil:
		return nil, unreachable(r.where(path), err)
	case start != 0:
		return nil, unreachable(r.where(path), fmt.Errorf("the answer begins at byte %d", start))
	case int64(len(b)) > limit:
		return nil, portal.Unverified(r.where(path), "is longer than the %d bytes that are allowed", limit)
	}
	if name, ok := strings.CutPrefix(path, "metadata/"); ok && r.saw != nil {
		r.saw[name] = b
	}
	return b, nil
}

// readAtMost reads to the end, or n bytes. Most of what it reads is small and its
// limit large; what grows eight times at a step leaves a seventh behind.
func readAtMost(r io.Reader, n int64) ([]byte, error) {
	const first = 16 << 10
	b, got := make([]byte, min(n, first)), 0
	var err error
	for err == nil && int64(got) < n {
		if got == len(b) {
			grown := make([]byte, min(n, int64(8*len(b))))
			copy(grown, b)
			b = grown
		}
		var more int
		more, err = r.Read(b[got:])
		got += more
	}
	if err == io.EOF { //nolint:errorlint // a body that was cut off ends with another error, which may wrap it
		err = nil
	}
	if got < len(b)/2 {
		return bytes.Clone(b[:got]), err
	}
	return b[:got], err
}
