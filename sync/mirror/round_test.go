package mirror_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"koprik/internal/disk"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/sync/mirror"
)

func TestAMirrorShowsWhatTheCentrePublished(t *testing.T) {
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"a": rows(50, 1, 5), "b": rows(20, 1, 5)})
	f, source := follow(t, u), u.source()
	if r := f.mustRound(source); len(r.Added) != 2 || f.shows["main_a"] != 1 || f.have != r.Generation {
		t.Errorf("%+v, %v", r, f.shows)
	}
	u.Publish("main", map[string][]byte{"a": rows(50, 2, 5), "b": nil})
	if r := f.mustRound(source); len(r.Updated) != 2 || f.shows["main_a"] != 2 || f.shows["main_b"] != 2 {
		t.Errorf("%+v, %v", r, f.shows)
	}
	f.holds(rows(50, 2, 5))
	if r := f.mustRound(source); r.Generation != r.Previous || len(r.Added)+len(r.Updated)+len(r.Removed) > 0 {
		t.Errorf("unchanged: %+v", r)
	}
}

// TestARelayGivesOnWhatItGot: one who follows the mirror holds the same.
func TestARelayGivesOnWhatItGot(t *testing.T) {
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"a": rows(50, 1, 5)})
	first, second := follow(t, u), follow(t, u)
	first.mustRound(u.source())
	second.mustRound(mirror.Folder(disk.Sub(first.disk, "relay"), "relay"))
	if second.have != first.have || second.shows["main_a"] != 1 {
		t.Errorf("generation %d, %v", second.have, second.shows)
	}
	second.holds(rows(50, 1, 5))
}

// noise cannot be compressed.
func noise(n int) []byte {
	b, x := make([]byte, n), uint32(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

func TestBrokenConnectionsCostOnlyWhatTheyDidNotBring(t *testing.T) {
	const size = 400_000
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"big": noise(size)})
	u.web.Lie("objects/*/*", faults.CutAfter(30_000))
	f := follow(t, u)
	f.mustRound(u.source())
	if _, got := u.asked("objects/"); got > size*105/100 {
		t.Errorf("%d bytes were sent for %d", got, size)
	}
	f.holds(noise(size))
}

func TestTheNextRoundGoesOnAtTheByteWhereTheLastOneWasCut(t *testing.T) {
	const size, came = 400_000, 250_000
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"big": noise(size)})
	f, source := follow(t, u), u.source()
	u.web.Lie("objects/*/*", faults.Status(500))
	u.web.LieTimes(1, "objects/*/*", faults.CutAfter(came))
	_, err := f.round(source)
	wantKind(t, "cut", err, portal.ErrUnreachable)
	if f.have != 0 {
		t.Errorf("generation %d is shown", f.have)
	}
	u.web.BeHonest()
	u.web.Forget()
	f.mustRound(source)
	_, got := u.asked("objects/")
	if whole := int64(len(u.File(mustPath(u)))); got != whole-came {
		t.Errorf("%d bytes were sent of the %d that were missing", got, whole-came)
	}
}

// mustPath is the first object that was asked for.
func mustPath(u *upstream) string {
	u.Helper()
	list, _ := u.asked("objects/")
	if len(list) == 0 {
		u.Fatal("no object was asked for")
	}
	return list[0]
}

func TestAServerWithoutRangesIsReadFromItsBeginning(t *testing.T) {
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"big": noise(200_000)})
	u.web.Lie("objects/*/*", faults.WithoutRanges())
	u.web.LieTimes(1, "objects/*/*", faults.CutAfter(100_000))
	f := follow(t, u)
	f.mustRound(u.source())
	f.holds(noise(200_000))
}

// TestWhatWasVerifiedIsNeverAskedForAgain: a round that ends half way has not
// fetched for nothing.
func TestWhatWasVerifiedIsNeverAskedForAgain(t *testing.T) {
	u := newUpstream(t)
	tables := map[string][]byte{}
	for i := range 12 {
		tables["t"+strconv.Itoa(i)] = rows(40+i, 1, 5)
	}
	u.Publish("main", tables)
	f, source := follow(t, u), u.source()
	u.web.Lie("objects/*/*", faults.Status(503))
	u.web.LieTimes(7, "objects/*/*")
	_, err := f.round(source)
	wantKind(t, "objects missing", err, portal.ErrUnreachable)
	var verified []string
	for _, b := range tables {
		if d := portal.DigestOf(b); f.held.Has(d) {
			verified = append(verified, d.Hex())
		}
	}
	if len(verified) == 0 || len(verified) == len(tables) {
		t.Fatalf("%d of %d are held", len(verified), len(tables))
	}
	u.web.BeHonest()
	u.web.Forget()
	f.mustRound(source)
	list, _ := u.asked("objects/")
	for _, name := range list {
		if slices.ContainsFunc(verified, func(d string) bool { return strings.Contains(name, d) }) {
			t.Errorf("%s is asked for again", name)
		}
	}
}

func TestOneWhoLacksContentsIsHelpedByTheNext(t *testing.T) {
	u, other := newUpstream(t), faults.NewOrigin(nil)
	u.Publish("main", map[string][]byte{"a": rows(40, 1, 5)})
	other.Serve(faults.Tree(u.Repository()))
	server := httptest.NewServer(http.StripPrefix("/repository/", other))
	defer server.Close()
	rest, err := mirror.HTTP(server.URL, server.Client())
	must(t, err)
	u.web.Lie("objects/*/*", faults.Status(404))
	f := follow(t, u)
	_, err = f.Round(t.Context(), u.source(), mirror.RoundOptions{Rest: []mirror.Source{rest}})
	must(t, err)
	f.holds(rows(40, 1, 5))
	if slices.ContainsFunc(other.Requests(), func(r faults.Request) bool { return !strings.HasPrefix(r.Path, "objects/") }) {
		t.Errorf("metadata was asked for elsewhere: %v", other.Requests())
	}
}

// lineOf is an upstream on a network in memory, for virtual time.
func lineOf(t *testing.T, u *upstream) (mirror.Source, func()) {
	t.Helper()
	network := faults.NewNetwork()
	server := &http.Server{Handler: http.StripPrefix("/repository/", u.web)} //nolint:gosec // in memory
	go server.Serve(network)                                                 //nolint:errcheck // ends with Close
	transport := &http.Transport{DialContext: network.Dial}
	source, err := mirror.HTTP("http://centre", &http.Client{Transport: transport})
	must(t, err)
	return source, func() {
		transport.CloseIdleConnections()
		must(t, server.Close())
	}
}

func TestASilentServerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream(t)
		u.Publish("main", map[string][]byte{"a": rows(40, 1, 5)})
		u.web.Lie("metadata/*.main.json", faults.StallAfter(100))
		source, closeLine := lineOf(t, u)
		defer closeLine()
		began := time.Now()
		_, err := follow(t, u).round(source)
		wantKind(t, "silent", err, portal.ErrUnreachable)
		if waited := time.Since(began); waited < 30*time.Second || waited > 2*time.Minute {
			t.Errorf("gave up after %v", waited)
		}
	})
}

// TestAMirrorTriesForEverAndComesBackSlowly: an upstream that is away for a day is
// asked ever more seldom, not in step with others, and followed when it is back.
func TestAMirrorTriesForEverAndComesBackSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interval, away = time.Hour, 24 * time.Hour
		u := newUpstream(t)
		u.Publish("main", map[string][]byte{"a": rows(40, 1, 5)})
		u.web.Lie("*/*", faults.Status(503))
		source, closeLine := lineOf(t, u)
		defer closeLine()
		f, began, failures := follow(t, u), time.Now(), 0
		var waits []time.Duration
		for {
			if time.Since(began) > away {
				u.web.BeHonest()
			}
			_, err := f.round(source)
			if err == nil {
				break
			}
			wantKind(t, "away", err, portal.ErrUnreachable)
			failures++
			wait := mirror.Retry(interval, failures, func(d time.Duration) time.Duration { return d - 1 })
			waits = append(waits, wait)
			time.Sleep(wait) // virtual
		}
		if f.shows["main_a"] != 1 || time.Since(began) > away+interval {
			t.Errorf("%v after %v", f.shows, time.Since(began))
		}
		if n := len(u.web.Requests()); n > 100 || waits[0] > 4*time.Second || !slices.IsSorted(waits) || waits[len(waits)-1] > interval || waits[len(waits)-1] < interval/2 {
			t.Errorf("%d requests; waited %v", n, waits)
		}
		for n := range 20 {
			if least := mirror.Retry(interval, n, func(time.Duration) time.Duration { return 0 }); least < time.Second || least > interval/2 {
				t.Errorf("after %d failures at least %v", n, least)
			}
		}
	})
}

func TestThreeTriesInARowThatBringNothingEndARound(t *testing.T) {
	for _, c := range []struct {
		cuts int
		ends bool
	}{{2, true}, {3, false}} {
		u := newUpstream(t)
		u.Publish("main", map[string][]byte{"big": noise(50_000)})
		u.web.LieTimes(c.cuts, "objects/*/*", faults.CutAfter(0))
		f := follow(t, u)
		_, err := f.round(u.source())
		if c.ends {
			must(t, err)
			f.holds(noise(50_000))
		} else {
			wantKind(t, "nothing comes", err, portal.ErrUnreachable)
		}
	}
}
