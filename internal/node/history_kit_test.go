package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"koprik/embed/blob"
	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/mirror"
	"koprik/sync/origin"
	"koprik/sync/packer"
)

// fact is what a generation says of one dataset.
type fact struct {
	number    int
	contents  portal.Digest
	withdrawn bool
}

// facts is a whole generation, as pages would show it.
type facts map[portal.DatasetID]fact

// history is a centre that publishes, mirrors that follow, and all that happens
// to them on the way, drawn from one seed.
type history struct {
	t       *testing.T
	rng     *rand.Rand
	centre  traveller
	truth   map[int64]facts // by generation
	now     facts
	past    map[portal.DatasetID][][]byte // contents of each dataset's releases
	named   int
	mirrors []*follower
	sticks  []*disktest.Disk
	asked   atomic.Int64 // requests of all mirrors
	what    []string
}

// publishers of a history.
var publishers = []portal.PublisherID{"main", "agro"}

func newHistory(t *testing.T, seed uint64) *history {
	t.Helper()
	h := &history{
		t: t, rng: seeded(seed, 7), centre: newTraveller(t, 0),
		truth: map[int64]facts{}, now: facts{}, past: map[portal.DatasetID][][]byte{},
	}
	must(t, h.centre.origin().AddPublisher(t.Context(), publishers[1]))
	h.publish()
	for i := range 2 + h.rng.IntN(3) {
		h.mirrors = append(h.mirrors, newFollower(t, fmt.Sprintf("mirror %d", i), h.centre.root))
	}
	return h
}

// say keeps what happened, for the message of a broken promise.
func (h *history) say(format string, args ...any) {
	h.what = append(h.what, fmt.Sprintf(format, args...))
}

// rows makes the contents of a dataset: mostly small, at times a long table.
func (h *history) rows() []byte {
	var b bytes.Buffer
	b.WriteString("region,year,value\n")
	for i := range 1 + h.rng.IntN(14)*h.rng.IntN(14) {
		fmt.Fprintf(&b, "r%d,%d,%d\n", i%14, 2000+i, h.rng.IntN(10_000))
	}
	return b.Bytes()
}

// edited is a next version of contents.
func (h *history) edited(b []byte) []byte {
	lines := strings.SplitAfter(string(b), "\n")
	for range 1 + h.rng.IntN(3) {
		lines[h.rng.IntN(len(lines))] = fmt.Sprintf("r%d,%d,%d\n", h.rng.IntN(14), h.rng.IntN(3000), h.rng.IntN(10_000))
	}
	return []byte(strings.Join(lines, ""))
}

// publish makes one generation of several changes: new datasets, new contents,
// contents of before again, datasets withdrawn, and such under a new name.
func (h *history) publish() {
	h.t.Helper()
	changes := map[portal.DatasetID][]byte{} // nil: withdrawn
	for range 1 + h.rng.IntN(4) {
		ids := slices.Sorted(maps.Keys(h.now))
		kind := h.rng.IntN(10)
		if len(ids) == 0 || kind < 3 {
			changes[h.newName()] = h.rows()
			continue
		}
		id := ids[h.rng.IntN(len(ids))]
		past := h.past[id]
		switch last := past[len(past)-1]; {
		case kind < 7:
			changes[id] = h.edited(last)
		case kind == 7: // reverted, or made visible again
			changes[id] = past[h.rng.IntN(len(past))]
		case kind == 8:
			changes[id] = nil
		default: // renamed
			changes[id] = nil
			changes[h.newName()] = last
		}
	}
	batches := map[portal.PublisherID]*origin.Batch{}
	next := maps.Clone(h.now)
	for _, id := range slices.Sorted(maps.Keys(changes)) {
		h.release(next, batches, id, changes[id])
	}
	if len(batches) == 0 {
		return
	}
	var all []origin.Batch
	for _, p := range slices.Sorted(maps.Keys(batches)) {
		all = append(all, *batches[p])
	}
	generation, err := h.centre.origin().Publish(h.t.Context(), all)
	must(h.t, err)
	h.now = next
	h.truth[generation] = maps.Clone(next)
	h.removeWithdrawn()
	must(h.t, h.centre.follow(h.t.Context()))
	h.pack("the centre", h.centre.machine, "repository", 4)
	h.say("generation %d: %d changes", generation, len(changes))
}

// pack makes carriers, all or the nearest, in most cases: else those there are
// lead to an older generation, as they do while a server is still at it. Ten of
// ten makes them all.
func (h *history) pack(who string, m machine, served string, ofTen int) {
	h.t.Helper()
	if h.rng.IntN(10) >= ofTen {
		return
	}
	p := packer.Open(packer.Options{Repository: disk.Sub(m.disk, served), Contents: m.objects, Effort: -1})
	do, what := p.Pack, "all"
	if ofTen < 10 && h.rng.IntN(2) == 0 {
		do, what = p.PackNearest, "the nearest"
	}
	must(h.t, do(h.t.Context()))
	h.say("%s packs: %s", who, what)
}

func (h *history) newName() portal.DatasetID {
	h.named++
	return portal.DatasetID(fmt.Sprintf("%s_d%d", publishers[h.rng.IntN(len(publishers))], h.named))
}

// release puts one change into its publisher's batch; contents that are those of
// the latest release make none.
func (h *history) release(next facts, batches map[portal.PublisherID]*origin.Batch, id portal.DatasetID, data []byte) {
	h.t.Helper()
	was, known := next[id]
	if data == nil && was.withdrawn || data != nil && known && !was.withdrawn && was.contents == portal.DigestOf(data) {
		return
	}
	listing, err := h.centre.origin().Listing(id.Publisher())
	must(h.t, err)
	is := fact{number: was.number + 1, withdrawn: data == nil}
	var b []byte
	if data == nil {
		b, err = tombstoneOf(id, is.number, listing.Datasets[id])
	} else {
		is.contents = portal.DigestOf(data)
		h.past[id] = append(h.past[id], data)
		b, err = h.centre.releaseOf(id, is.number, listing.Datasets[id], data)
	}
	must(h.t, err)
	next[id] = is
	if batches[id.Publisher()] == nil {
		batches[id.Publisher()] = &origin.Batch{Publisher: id.Publisher()}
	}
	batch := batches[id.Publisher()]
	batch.Manifests = append(batch.Manifests, portal.SignedManifest{Dataset: id, Number: is.number, Bytes: b})
}

func tombstoneOf(id portal.DatasetID, number int, held origin.Listed) ([]byte, error) {
	why := portal.PlainText("names of persons")
	return datapackage.Encode(portal.Release{
		Dataset: id, Number: number, Issued: day, Title: portal.PlainText("Water"), Reason: why,
		Passport: portal.Passport{Contact: "desk", Uploaded: "2026-11-23"}, Withdrawn: &portal.Withdrawal{Reason: why},
		Previous: &portal.PreviousRelease{Release: held.Number, SHA256: held.SHA256, Length: held.Length},
	})
}

// removeWithdrawn takes away what only withdrawn datasets named, as a centre does.
func (h *history) removeWithdrawn() {
	h.t.Helper()
	shown := map[portal.Digest]bool{}
	for id, f := range h.now {
		if !f.withdrawn {
			for _, b := range h.past[id] {
				shown[portal.DigestOf(b)] = true
			}
		}
	}
	for id, f := range h.now {
		for _, b := range h.past[id] {
			if d := portal.DigestOf(b); f.withdrawn && !shown[d] {
				must(h.t, h.centre.origin().Remove([]portal.Digest{d}))
			}
		}
	}
}

// follower is a mirror: a machine whose power may be cut, and what its
// catalogue shows.
type follower struct {
	machine
	name       string
	shows      facts
	generation int64
}

func newFollower(t *testing.T, name string, root []byte) *follower {
	t.Helper()
	f := &follower{machine: newMachine(disktest.New()), name: name, shows: facts{}}
	f.init(t, root)
	return f
}

// held are the contents and manifests that a mirror has verified.
func (f *follower) held(t *testing.T) map[portal.Digest]bool {
	t.Helper()
	all := map[portal.Digest]bool{}
	must(t, f.objects.All(func(d portal.Digest, _ int64) error {
		all[d] = f.objects.Verify(t.Context(), d) == nil
		return nil
	}))
	return all
}

// errCatalogue is a catalogue that could not be written: power, or a full disk.
var errCatalogue = errors.New("the catalogue was not written")

// round makes one round, and asserts what holds whatever happened in it.
func (h *history) round(f *follower, source mirror.Source, media, broken bool) error {
	h.t.Helper()
	before := f.generation
	_, err := f.mirror().Round(h.t.Context(), source, mirror.RoundOptions{
		Have: f.generation, Media: media,
		Apply: func(ctx context.Context, c portal.Change) error {
			if broken {
				return errCatalogue
			}
			return h.apply(ctx, f, c)
		},
	})
	if f.generation < before {
		h.t.Errorf("%s went back from generation %d to %d", f.name, before, f.generation)
	}
	return err
}

// apply changes what a mirror shows, which must then be one whole generation,
// all bytes of it verified and held.
func (h *history) apply(ctx context.Context, f *follower, c portal.Change) error {
	next := maps.Clone(f.shows)
	if c.Full {
		clear(next)
	}
	for u, err := range c.Upserts {
		if err != nil {
			return err
		}
		last := u.Manifests[len(u.Manifests)-1]
		r, err := datapackage.Decode(last.Bytes)
		if err != nil {
			return err
		}
		is := fact{number: r.Number, withdrawn: r.Withdrawn != nil}
		for _, res := range r.Resources {
			is.contents = res.Hash
			if err := f.objects.Verify(ctx, res.Hash); err != nil {
				h.t.Errorf("%s is to show generation %d: %s: %v", f.name, c.Generation, u.Dataset, err)
			}
		}
		next[u.Dataset] = is
	}
	for _, id := range c.Removed {
		delete(next, id)
	}
	if want := h.truth[c.Generation]; !maps.Equal(next, want) {
		h.t.Errorf("%s would show %v as generation %d, which is %v", f.name, next, c.Generation, want)
	}
	f.shows, f.generation = next, c.Generation
	return nil
}

// web serves a repository in memory, and asserts of each mirror that it never
// asks again for what it has verified.
type web struct {
	h      *history
	f      *follower
	origin *faults.Origin
	held   map[portal.Digest]bool // nil: not looked at
}

// RoundTrip implements http.RoundTripper.
func (w *web) RoundTrip(req *http.Request) (*http.Response, error) {
	name := strings.TrimPrefix(req.URL.Path, "/repository/")
	if w.h != nil {
		w.h.asked.Add(1)
	}
	for d, verified := range w.held {
		if verified && strings.Contains(name, d.Hex()) && !strings.HasSuffix(name, "/"+d.Hex()) {
			w.h.t.Errorf("%s holds %s verified and asks for it again: %s", w.f.name, d.Short(), name)
		}
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	clone := req.Clone(req.Context())
	clone.URL.Path = "/" + name
	answer.serve(w.origin, clone)
	return &http.Response{
		StatusCode: answer.status, Status: http.StatusText(answer.status), Header: answer.header, Request: req,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Body: io.NopCloser(answer),
	}, nil
}

// answer keeps what a handler says; it ends where the handler dropped the
// connection.
type answer struct {
	bytes.Buffer
	header http.Header
	status int
	cut    bool
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) serve(h http.Handler, req *http.Request) {
	defer func() {
		if r := recover(); r != nil && r != http.ErrAbortHandler { //nolint:errorlint // what net/http compares too
			panic(r)
		} else if r != nil {
			a.cut = true
		}
	}()
	h.ServeHTTP(a, req)
}

// Read implements io.Reader.
func (a *answer) Read(p []byte) (int, error) {
	n, err := a.Buffer.Read(p)
	if errors.Is(err, io.EOF) && a.cut {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// restarted is a machine after its power was cut.
func (f *follower) restarted(rng *rand.Rand) {
	d := f.disk.Reboot(rng)
	f.machine = machine{disk: d, files: d, objects: blob.Open(disk.Sub(d, "objects")), many: 1}
}
