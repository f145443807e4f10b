package node_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

// with are options with settings given as flags.
func with(values ...string) node.Options {
	o := options()
	o.Flags = map[string]string{}
	for i := 0; i < len(values); i += 2 {
		o.Flags[values[i]] = values[i+1]
	}
	return o
}

// report is a dataset with a table and a PDF.
func report(name string, rev int) node.Input {
	return node.Input{Label: name, Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: fmt.Appendf(nil, `{"name":%q,"title":"Common %s rev%d","resources":[{"name":"t","path":"t.csv"},{"name":"r","path":"r.pdf","format":"pdf"}]}`, name, name, rev)},
		"t.csv":            {Data: fmt.Appendf(nil, "name,value\n%s,%d\n", name, rev)},
		"r.pdf":            {Data: fmt.Appendf(nil, "%%PDF-1.4 %s %d %s", name, rev, strings.Repeat("x", 5000))},
	}}
}

// heldFiles are the files of a dataset's latest release that a node holds.
func heldFiles(t *testing.T, n *node.Node, id portal.DatasetID) (all []string) {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	d, err := v.Dataset(t.Context(), id)
	must(t, err)
	for _, r := range d.Latest.Resources {
		if f, _, err := v.Object(t.Context(), r.Hash); err == nil {
			all = append(all, r.Path)
			_ = f.Close()
		}
	}
	return all
}

func page(t *testing.T, n *node.Node, path string) (int, string) {
	t.Helper()
	h, err := n.Handler()
	must(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	b, err := io.ReadAll(w.Result().Body)
	must(t, err)
	return w.Code, string(b)
}

// TestWhatAPolicyLeavesOutIsKnownAndCanBeFetched: the metadata of everything,
// the bytes of what is wanted; the rest stands on its page with its size, is no
// damage, and comes when somebody asks for it.
func TestWhatAPolicyLeavesOutIsKnownAndCanBeFetched(t *testing.T) {
	central := newCentral(t)
	publish(t, central, report("a", 1), report("b", 1))
	dir := initMirror(t, central)
	m := open(t, dir, with("never_formats", "pdf"))
	r := sync(t, m)
	if len(r.LeftOut) != 2 || len(r.Plan) != 2 || fmt.Sprint(heldFiles(t, m, "main_a")) != "[t.csv]" {
		t.Fatalf("left out %d, fetched %d, held %v", len(r.LeftOut), len(r.Plan), heldFiles(t, m, "main_a"))
	}
	_, err := m.Verify(t.Context())
	must(t, err)
	if code, text := page(t, m, "/en/dataset/main_a"); code != http.StatusOK || !strings.Contains(text, "not on this node, 5") || !strings.Contains(text, "koprik sync --fetch main_a") {
		t.Errorf("%d: %s", code, text)
	}
	if code, text := page(t, m, "/dataset/main_a/release/1/r.pdf"); code != http.StatusNotFound || !strings.Contains(text, "(5013 bytes)") {
		t.Errorf("%d: %s", code, text)
	}
	again := sync(t, m)
	if again.Requests != 2 || len(again.Plan) != 0 {
		t.Errorf("a sync without news made %d requests for %d files", again.Requests, len(again.Plan))
	}
	got, err := m.Sync(t.Context(), node.SyncOptions{Fetch: []portal.DatasetID{"main_a"}})
	must(t, err)
	if len(got.Fetched) != 1 || fmt.Sprint(heldFiles(t, m, "main_a"), heldFiles(t, m, "main_b")) != "[t.csv r.pdf] [t.csv]" {
		t.Errorf("fetched %d; held %v, %v", len(got.Fetched), heldFiles(t, m, "main_a"), heldFiles(t, m, "main_b"))
	}
	if code, text := page(t, m, "/en/dataset/main_a"); code != http.StatusOK || strings.Contains(text, "not on this node") {
		t.Errorf("%d: %s", code, text)
	}
	publish(t, central, report("a", 2))
	sync(t, m)
	if got := fmt.Sprint(heldFiles(t, m, "main_a")); got != "[t.csv r.pdf]" {
		t.Errorf("a later release brought %s", got)
	}
	_, err = m.Verify(t.Context())
	must(t, err)
	must(t, m.Close())
	_, err = node.Doctor(t.Context(), dir, with("never_formats", "pdf"), true)
	must(t, err)
	m = open(t, dir, options()) // the policy is lifted: everything comes
	sync(t, m)
	if got := fmt.Sprint(heldFiles(t, m, "main_b")); got != "[t.csv r.pdf]" {
		t.Errorf("without a policy: %s", got)
	}
}

// TestWantedPublishersAndThemesComeAndOthersAreLeftOut.
func TestWantedPublishersAndThemesComeAndOthersAreLeftOut(t *testing.T) {
	central := newCentral(t)
	must(t, central.AddPublisher(t.Context(), "health", "Health", "desk@health.example.org"))
	publish(t, central, revision("a", 1))
	_, err := central.Publish(t.Context(), "health", []node.Input{revision("b", 1)})
	must(t, err)
	m := open(t, initMirror(t, central), with("wanted_publishers", "health"))
	sync(t, m)
	if got := fmt.Sprint(heldFiles(t, m, "main_a"), heldFiles(t, m, "health_b")); got != "[] [t.csv]" {
		t.Errorf("%s", got)
	}
	if len(titles(t, m)) != 2 {
		t.Errorf("%v", titles(t, m))
	}
	_, err = m.Verify(t.Context())
	must(t, err)
	themed := open(t, initMirror(t, central), with("wanted_themes", "justice"))
	r := sync(t, themed)
	if len(r.LeftOut) != 2 || len(r.Plan) != 0 {
		t.Errorf("of another theme: %d left out, %d fetched", len(r.LeftOut), len(r.Plan))
	}
	_, err = themed.Sync(t.Context(), node.SyncOptions{Fetch: []portal.DatasetID{"main_nothing"}})
	wantKind(t, err, portal.ErrNotFound)
}

// TestFollowersOfAPartialMirrorTakeTheRestElsewhere: a relay that left things
// out says so; those who follow it take the rest from their next upstream, or
// go without until there is one.
func TestFollowersOfAPartialMirrorTakeTheRestElsewhere(t *testing.T) {
	central := newCentral(t)
	publish(t, central, report("a", 1))
	relay := open(t, initMirror(t, central), with("never_formats", "pdf"))
	sync(t, relay)
	dir := initMirror(t, central)
	alone := open(t, dir, with("upstream", repository(relay)))
	r := sync(t, alone)
	if len(r.Owed) != 1 || fmt.Sprint(heldFiles(t, alone, "main_a")) != "[t.csv]" {
		t.Fatalf("owed %d, held %v", len(r.Owed), heldFiles(t, alone, "main_a"))
	}
	v, err := alone.Verify(t.Context())
	must(t, err)
	if v.Owed != 1 {
		t.Errorf("verify counts %d files still to come", v.Owed)
	}
	must(t, alone.Close())
	both := open(t, dir, with("upstream", repository(relay), "upstreams", repository(central)))
	r = sync(t, both)
	if len(r.Fetched) != 1 || fmt.Sprint(heldFiles(t, both, "main_a")) != "[t.csv r.pdf]" {
		t.Errorf("fetched %d, held %v", len(r.Fetched), heldFiles(t, both, "main_a"))
	}
	stick := stickOf(t, relay, 0)
	fromStick := newMirror(t, central)
	rep, err := fromStick.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	if len(rep.Owed) != 1 {
		t.Errorf("from a partial stick: owed %d", len(rep.Owed))
	}
	// What a source does not admit is a lie, as ever.
	must(t, os.Remove(filepath.Join(stick, "KOPRIK", "left-out.json")))
	_, err = newMirror(t, central).Sync(t.Context(), node.SyncOptions{From: stick})
	wantKind(t, err, portal.ErrUnverified)
}

// TestTheBytesOfADayHoldContentsBackAndNothingElse: the generation is applied at
// once, tables first; the rest comes on the days after, from where it stopped.
func TestTheBytesOfADayHoldContentsBackAndNothingElse(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("small", 1), node.Input{Label: "big", Name: ".", FS: bigInput("big", 200<<10).FS})
	dir := initMirror(t, central)
	clock := day
	o := with("bytes_a_day", "90KB")
	o.Clock = func() time.Time { return clock }
	m := open(t, dir, o)
	var brought int64
	for days := 1; ; days++ {
		r, err := m.Sync(t.Context(), node.SyncOptions{Scheduled: true})
		must(t, err)
		brought += r.BytesDown
		if r.BytesDown > 120<<10 {
			t.Errorf("day %d brought %d bytes", days, r.BytesDown)
		}
		if days == 1 && (r.Generation != generation(t, central) || len(r.Owed) != 1 || len(heldFiles(t, m, "main_small")) != 1) {
			t.Errorf("first day: generation %d, owed %d, small %v", r.Generation, len(r.Owed), heldFiles(t, m, "main_small"))
		}
		_, err = m.Verify(t.Context())
		must(t, err)
		if len(heldFiles(t, m, "main_big")) == 1 {
			t.Logf("%d days, %d bytes", days, brought)
			break
		}
		if r, err := m.Sync(t.Context(), node.SyncOptions{Scheduled: true}); err != nil || r.BytesDown > 2000 {
			t.Errorf("the same day again: %d bytes, %v", r.BytesDown, err)
		}
		if days > 4 {
			t.Fatalf("after %d days it is not here", days)
		}
		clock = clock.Add(24 * time.Hour)
	}
	if brought > 230<<10 {
		t.Errorf("%d bytes for 200 KiB: what came was thrown away", brought)
	}
}

// TestAQuotaStopsASyncBeforeItStarts, naming what it needs.
func TestAQuotaStopsASyncBeforeItStarts(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	dir := initMirror(t, central)
	o := with("disk_quota", "1MB")
	m := open(t, dir, o)
	sync(t, m)
	publish(t, central, node.Input{Label: "big", Name: ".", FS: bigInput("big", 2<<20).FS})
	_, err := m.Sync(t.Context(), node.SyncOptions{})
	wantKind(t, err, portal.ErrNoSpace)
	if !strings.Contains(err.Error(), "needs 2 MiB") || generation(t, m) == generation(t, central) {
		t.Errorf("%v", err)
	}
	if got := titles(t, m)["main_a"]; got != "Common a rev1" {
		t.Errorf("%q", got)
	}
}

// TestUpstreamsAreAskedInOrderAndNoOther: unreachable, lying and standing
// upstreams are passed over; what serves is the next one that is listed.
func TestUpstreamsAreAskedInOrderAndNoOther(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	neighbour := newMirror(t, central)
	sync(t, neighbour)
	dir := initMirror(t, central)
	m := open(t, dir, options())
	sync(t, m)
	must(t, m.Close())
	publish(t, central, revision("a", 2))
	origin, lying := lyingOrigin(t, central)
	_ = origin
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Welcome to the Wi-Fi</html>") }))
	defer garbage.Close()
	later := day.Add(27 * time.Hour) // the neighbour stands still
	for what, first := range map[string]string{
		"unreachable": gone.URL, "a page of a hotspot": garbage.URL, "a folder that is not there": filepath.Join(t.TempDir(), "none"),
	} {
		t.Run(what, func(t *testing.T) {
			copied := t.TempDir()
			copyTree(t, dir, copied)
			m := open(t, copied, with("upstream", first, "upstreams", lying))
			r := sync(t, m)
			if titles(t, m)["main_a"] != "Common a rev2" || !strings.HasPrefix(r.Upstream, lying) {
				t.Errorf("%v from %s", titles(t, m), r.Upstream)
			}
			must(t, m.Close())
			m = open(t, copied, with("upstream", first))
			if _, err := m.Sync(t.Context(), node.SyncOptions{}); err == nil {
				t.Error("something else was asked")
			}
		})
	}
	t.Run("standing still", func(t *testing.T) {
		o := with("upstream", repository(neighbour), "upstreams", repository(central))
		m := open(t, dir, o)
		if r := sync(t, m); r.Generation != r.Previous {
			t.Errorf("while the copy is of this day the neighbour is enough: generation %d", r.Generation)
		}
		must(t, m.Close())
		o.Clock = func() time.Time { return later }
		m = open(t, dir, o)
		sync(t, m)
		if got := titles(t, m)["main_a"]; got != "Common a rev2" {
			t.Errorf("%q", got)
		}
	})
}
