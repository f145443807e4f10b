package node_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/sync/mirror"
)

// TestEveryHistoryEndsWithTheSameBytesEverywhere draws histories: publications,
// withdrawals, new names, contents of before; mirrors at any state that follow
// the centre, each other or a stick, over lines that are cut at any byte, from
// origins that lie or lack carriers, with the power cut at any write. None ever
// shows what is not one whole verified generation, none goes back, none asks
// again for what it has verified, and in the end all hold the same bytes.
//
// 100 of them, 50 with -short (which runs under the race detector), 1,000 in make soak; KOPRIK_SEED repeats one.
func TestEveryHistoryEndsWithTheSameBytesEverywhere(t *testing.T) {
	makePacks(t)
	histories := 100
	if testing.Short() {
		histories = 50
	}
	if os.Getenv("KOPRIK_SOAK") != "" {
		histories = 1000
	}
	first := rand.Uint64() >> 16
	if s, err := strconv.ParseUint(os.Getenv("KOPRIK_SEED"), 10, 64); err == nil {
		first, histories = s, 1
	}
	t.Logf("seeds %d to %d", first, first+uint64(histories)-1)
	var asked, rounds atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d histories, %d rounds, %d requests", histories, rounds.Load(), asked.Load())
	})
	for seed := first; seed < first+uint64(histories); seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, seed)
			defer func() { // no Cleanup: it would hold every history until the last has ended
				if t.Failed() {
					t.Logf("KOPRIK_SEED=%d\n%s", seed, strings.Join(h.what, "\n"))
				}
			}()
			for n := 8 + h.rng.IntN(14); n > 0 && !t.Failed(); n-- {
				rounds.Add(int64(h.step()))
			}
			if !t.Failed() {
				h.end()
			}
			asked.Add(h.asked.Load())
		})
	}
}

// step is one thing that happens; it gives how many rounds that was.
func (h *history) step() int {
	h.t.Helper()
	f := h.mirrors[h.rng.IntN(len(h.mirrors))]
	switch n := h.rng.IntN(20); {
	case n < 5:
		h.publish()
	case n == 5:
		_, err := h.centre.origin().Refresh(h.t.Context())
		must(h.t, err)
		must(h.t, h.centre.follow(h.t.Context()))
		h.say("the centre signs again")
	case n == 6:
		h.export(f)
	case n < 10:
		return h.fromStick(f)
	default:
		return h.fromWeb(f)
	}
	return 0
}

// upstream draws where a mirror follows: the centre, or the relay of another.
func (h *history) upstream(f *follower) (disk.FS, string) {
	other := h.mirrors[h.rng.IntN(len(h.mirrors))]
	if h.rng.IntN(3) > 0 || other == f || other.generation == 0 {
		return disk.Sub(h.centre.disk, "repository"), "the centre"
	}
	return disk.Sub(other.disk, "relay"), "the relay of " + other.name
}

// fromWeb is a round over a line on which anything may happen.
func (h *history) fromWeb(f *follower) int {
	h.t.Helper()
	repo, name := h.upstream(f)
	site := faults.NewOrigin(faults.Tree(repo))
	trouble := h.trouble(site, repo)
	broken := h.rng.IntN(10) == 0
	if h.rng.IntN(6) == 0 {
		f.disk.FailAt(f.disk.Ops() + 1 + h.rng.IntN(60))
		trouble += ", power cut"
	}
	err := h.round(f, h.http(f, site), false, broken)
	h.judge(f, "from "+name+", "+trouble, err)
	if err == nil {
		h.pack(f.name, f.machine, "relay", 2)
	}
	return 1
}

func (h *history) http(f *follower, site *faults.Origin) mirror.Source {
	h.t.Helper()
	source, err := mirror.HTTP("http://upstream.example", &http.Client{Transport: &web{h: h, f: f, origin: site, held: f.held(h.t)}})
	must(h.t, err)
	return source
}

// patterns are what trouble falls on.
var patterns = []string{"objects/*/*", "objects/*/*", "d/*/*/*", "metadata/*", "metadata/timestamp.json", "from/*", "from/*", "patches/*/*/*", "head"}

// trouble makes an origin lie, lack carriers or break off, or leaves it honest.
func (h *history) trouble(site *faults.Origin, repo disk.FS) string {
	pattern, times := patterns[h.rng.IntN(len(patterns))], 1+h.rng.IntN(3)
	if h.rng.IntN(3) == 0 {
		times = -1
	}
	at := h.rng.IntN(3000)
	var lie faults.Lie
	var name string
	switch h.rng.IntN(12) {
	case 0:
		lie, name = faults.FlipByte(at%500), "a byte flipped"
	case 1:
		lie, name = faults.Truncate(at), "torn"
	case 2:
		lie, name = faults.Append([]byte("more")), "longer"
	case 3:
		lie, name = faults.Status(http.StatusNotFound), "missing"
	case 4:
		lie, name = faults.Status(http.StatusServiceUnavailable), "unavailable"
	case 5:
		lie, name = faults.WithoutRanges(), "without ranges"
	case 6:
		lie, name = faults.Replace([]byte("{}")), "something else"
	case 7, 8, 9:
		lie, name = faults.CutAfter(int64(at)), "cut at "+strconv.Itoa(at)
	case 10: // a mirror of the network that lacks all carriers
		site.Lie("from/*", faults.Status(http.StatusNotFound))
		lie, name, pattern, times = faults.Status(http.StatusNotFound), "no packs, no patches", "patches/*/*/*", -1
	default:
		return "honest"
	}
	site.LieTimes(times, pattern, lie)
	return pattern + " " + name + " " + strconv.Itoa(times) + " times"
}

// judge ends a round that may have gone wrong: only in ways that a person is
// told of, and after a power cut the machine starts again.
func (h *history) judge(f *follower, what string, err error) {
	h.t.Helper()
	h.say("%s, %s: generation %d, %v", f.name, what, f.generation, err)
	if _, off := f.disk.Stat("."); errors.Is(off, disktest.ErrPowerCut) { // whichever of several errors came first
		f.restarted(h.rng)
		return
	}
	f.disk.FailAt(0)
	if err != nil && !refused(err) && !errors.Is(err, errCatalogue) {
		h.t.Errorf("%s, %s: %v", f.name, what, err)
	}
}

// export writes a stick at a mirror or at the centre, whole or since a
// generation; it may be pulled meanwhile.
func (h *history) export(f *follower) {
	h.t.Helper()
	m, served, generation, name := f.machine, "relay", f.generation, f.name
	if generation == 0 || h.rng.IntN(2) == 0 {
		m, served, name = h.centre.machine, "repository", "the centre"
		state, err := m.mirror().State()
		must(h.t, err)
		generation = state.Generation
	}
	since := int64(0)
	if h.rng.IntN(2) == 0 {
		since = h.rng.Int64N(generation + 1)
	}
	plan, err := m.mirror().PlanExport(h.t.Context(), mirror.ExportOptions{Since: since, Repository: disk.Sub(m.disk, served)})
	if errors.Is(err, portal.ErrNotFound) { // its metadata was damaged by a power cut
		h.say("%s cannot export: %v", name, err)
		return
	}
	must(h.t, err)
	stick := disktest.New()
	if len(h.sticks) > 0 && h.rng.IntN(2) == 0 {
		stick = h.sticks[h.rng.IntN(len(h.sticks))]
	} else {
		h.sticks = append(h.sticks, stick)
	}
	if h.rng.IntN(4) == 0 {
		stick.FailAt(stick.Ops() + 1 + h.rng.IntN(100))
	}
	_, err = plan.Write(h.t.Context(), stick, []mirror.StickPage{{Name: "INDEX.html", Bytes: []byte("index")}}, nil)
	h.say("%s writes generation %d since %d to stick: %v", name, plan.Generation, since, err)
	if errors.Is(err, disktest.ErrPowerCut) {
		again := stick.Reboot(h.rng)
		for i := range h.sticks {
			if h.sticks[i] == stick {
				h.sticks[i] = again
			}
		}
		return
	}
	stick.FailAt(0)
	if err != nil && !refused(err) { // it refuses a stick that holds a newer copy
		h.t.Error(err)
	}
}

// fromStick is a round from a stick of any age.
func (h *history) fromStick(f *follower) int {
	h.t.Helper()
	if len(h.sticks) == 0 {
		return 0
	}
	stick := h.sticks[h.rng.IntN(len(h.sticks))]
	if h.rng.IntN(8) == 0 {
		f.disk.FailAt(f.disk.Ops() + 1 + h.rng.IntN(60))
	}
	h.judge(f, "from a stick", h.round(f, mirror.Folder(stick, "stick"), true, false))
	return 1
}

// end lets everything become honest: each mirror follows the centre, and all must
// hold what it holds.
func (h *history) end() {
	h.t.Helper()
	state, err := h.centre.mirror().State()
	must(h.t, err)
	h.pack("the centre", h.centre.machine, "repository", 10)
	up := disk.Sub(h.centre.disk, "repository")
	for _, f := range h.mirrors {
		must(h.t, h.round(f, h.http(f, faults.NewOrigin(faults.Tree(up))), false, false))
		if f.generation != state.Generation || !maps.Equal(f.shows, h.now) {
			h.t.Errorf("%s ends with generation %d, %v; the centre has %d, %v", f.name, f.generation, f.shows, state.Generation, h.now)
		}
		h.identical(f, disk.Sub(f.disk, "relay"))
		h.say("%s has come to the end", f.name)
	}
}

// identical asserts that what a mirror holds and serves is what the centre does:
// metadata and manifests byte for byte, contents under their hash, and that one
// who begins with nothing gets all of it from there.
func (h *history) identical(f *follower, relay disk.FS) {
	h.t.Helper()
	repo := disk.Sub(h.centre.disk, "repository")
	for _, name := range names(h.t, relay, ".") {
		if !strings.HasPrefix(name, "metadata/") && !strings.HasPrefix(name, "d/") || !strings.HasSuffix(name, ".json") {
			continue
		}
		got, err := disk.ReadFile(relay, name, 1<<20)
		must(h.t, err)
		want, err := disk.ReadFile(repo, name, 1<<20)
		if err != nil || !bytes.Equal(got, want) {
			h.t.Errorf("%s serves other bytes as %s: %v", f.name, name, err)
		}
	}
	beginner := newFollower(h.t, "one who begins with "+f.name, h.centre.root)
	if err := h.round(beginner, mirror.Folder(relay, "relay"), false, false); err != nil || beginner.generation != f.generation {
		h.t.Errorf("%s: generation %d: %v", beginner.name, beginner.generation, err)
	}
	for id, is := range h.now {
		if is.withdrawn {
			continue
		}
		past := h.past[id]
		for _, b := range past {
			if portal.DigestOf(b) != is.contents {
				continue
			}
			if got, err := f.objects.ReadAll(is.contents, 1<<20); err != nil || !bytes.Equal(got, b) {
				h.t.Errorf("%s holds other bytes of %s: %v", f.name, id, err)
			}
		}
	}
}
