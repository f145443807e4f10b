package node_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// forks are two-faced things to sign; each is met by a mirror that has accepted
// the honest face.
var forks = map[string]struct {
	role string
	do   func(f *forge)
}{
	"two timestamps of one version": {"timestamp", func(f *forge) {
		f.edit("timestamp", func(s object) {
			s["version"], s["x-signed-at"] = f.heldVersion, "2026-11-23T08:00:00Z"
		})
	}},
	"two snapshots of one version, by the timestamp's word": {"snapshot", func(f *forge) {
		f.edit("timestamp", func(s object) {
			s["meta"] = object{"snapshot.json": object{"version": f.heldSnapshot, "hashes": object{"sha256": strings.Repeat("ab", 32)}}}
		})
	}},
	"two roles of a publisher of one version, by the snapshot's word": {"main", func(f *forge) {
		f.edit("snapshot", func(s object) {
			s["meta"].(object)["main.json"] = object{"version": f.heldMain, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
		f.edit("timestamp", func(s object) {
			version, _ := f.newest("snapshot")
			s["meta"] = object{"snapshot.json": object{"version": version}}
		})
	}},
	"two contents of one release": {"main_a", func(f *forge) {
		f.edit("main", func(s object) {
			all := s["targets"].(object)
			for path := range maps.Clone(all) {
				if strings.HasPrefix(path, "d/main/a/") {
					delete(all, path)
				}
			}
			all["d/main/a/2.json"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
		f.publish(nil, nil)
	}},
}

// forked is a forge of what the mirror holds.
func forked(t *testing.T, central *node.Node) *forge {
	t.Helper()
	f := newForge(t, central)
	version, _ := f.signed("timestamp")
	f.heldVersion, _ = version["version"].(json.Number).Int64()
	f.heldSnapshot, _ = f.newest("snapshot")
	f.heldMain, _ = f.newest("main")
	return f
}

func TestTwoFacesAreBothKeptAndRaiseAnAlarmUpToTheCentre(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	publish(t, central, revision("a", 2))
	for _, name := range slices.Sorted(maps.Keys(forks)) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyTree(t, central.Dir(), dir)
			mine := open(t, dir, options())
			seen := newMirror(t, mine)
			sync(t, seen)
			v := newVictim(t, seen)
			f := forked(t, mine)
			forks[name].do(f)
			for range 2 { // met twice, kept once
				_, err := seen.Sync(t.Context(), node.SyncOptions{From: f.url})
				wantKind(t, err, portal.ErrUnverified)
			}
			v.unharmed(name)
			alarms := alarmsOf(t, seen)
			if len(alarms) != 1 || alarms[0].Role != forks[name].role || alarms[0].Version < 1 || alarms[0].Reported || !alarms[0].Found.Equal(day) {
				t.Fatalf("%+v", alarms)
			}
			_, err := seen.Verify(t.Context())
			wantKind(t, err, portal.ErrUnverified)
			evidence, err := os.ReadFile(filepath.Join(seen.Dir(), alarms[0].File))
			must(t, err)
			known, err := mine.Report(t.Context(), evidence)
			must(t, err)
			if got := alarmsOf(t, mine); known || len(got) != 1 || got[0].Role != forks[name].role || got[0].Version != alarms[0].Version {
				t.Errorf("the centre: %v %+v", known, got)
			}
			if known, err := mine.Report(t.Context(), evidence); err != nil || !known {
				t.Errorf("again: %v, %v", known, err)
			}
			must(t, os.Remove(filepath.Join(seen.Dir(), alarms[0].File)))
			_, err = seen.Verify(t.Context())
			must(t, err)
		})
	}
}

func alarmsOf(t *testing.T, n *node.Node) []portal.Alarm {
	t.Helper()
	s, err := n.Status(t.Context())
	must(t, err)
	return s.Alarms
}

func TestAMirrorReportsThroughAnotherMirrorToTheCentre(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	publish(t, central, revision("a", 2))
	middle, low := newMirror(t, central), newMirror(t, central)
	follow(t, middle, serveHTTP(t, central, nil))
	middle = open(t, middle.Dir(), options())
	follow(t, low, serveHTTP(t, middle, nil)+"/repository/")
	low = open(t, low.Dir(), options())
	sync(t, middle)
	sync(t, low)
	f := forked(t, central)
	forks["two timestamps of one version"].do(f)
	_, err := low.Sync(t.Context(), node.SyncOptions{From: f.url})
	wantKind(t, err, portal.ErrUnverified)
	if got := alarmsOf(t, low); len(got) != 1 || !got[0].Reported {
		t.Errorf("the lower mirror: %+v", got)
	}
	if got := alarmsOf(t, middle); len(got) != 1 || got[0].Reported {
		t.Errorf("the mirror between: %+v", got)
	}
	sync(t, middle)
	if got := alarmsOf(t, middle); len(got) != 1 || !got[0].Reported {
		t.Errorf("the mirror between, after its sync: %+v", got)
	}
	if got := alarmsOf(t, central); len(got) != 1 || got[0].Role != "timestamp" {
		t.Errorf("the centre: %+v", got)
	}
}

// follow sets a node's upstream and closes it.
func follow(t *testing.T, n *node.Node, upstream string) {
	t.Helper()
	must(t, n.Close())
	path := filepath.Join(n.Dir(), "koprik.toml")
	b, err := os.ReadFile(path)
	must(t, err)
	var lines []string
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.HasPrefix(line, "upstream") {
			line = `upstream = "` + upstream + `"`
		}
		lines = append(lines, line)
	}
	must(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600))
}

func TestWhatIsNoProofRaisesNoAlarm(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	url := serveHTTP(t, central, nil) + "/inbox/_equivocation"
	honest, err := os.ReadFile(filepath.Join(repository(central), "metadata", "timestamp.json"))
	must(t, err)
	f := forked(t, central)
	thief, _ := f.thief()
	f.edit("timestamp", func(s object) { s["version"], s["x-signed-at"] = f.heldVersion, "2026-11-23T08:00:00Z" }, thief)
	forged := f.read("timestamp.json")
	side := func(b []byte) map[string][]byte { return map[string][]byte{"timestamp.json": b} }
	for what, evidence := range map[string]any{
		"nothing":        map[string]any{},
		"a list":         []string{"x"},
		"one side":       map[string]any{"ours": side(honest)},
		"twice the same": map[string]any{"ours": side(honest), "theirs": side(honest)},
		"a stranger's":   map[string]any{"ours": side(honest), "theirs": side(forged)},
		"no JSON":        map[string]any{"ours": side([]byte("{")), "theirs": side([]byte("}"))},
	} {
		b, err := json.Marshal(evidence)
		must(t, err)
		status := posted(t, url, b)
		if status != http.StatusUnprocessableEntity {
			t.Errorf("%s is answered %d", what, status)
		}
	}
	if status := posted(t, url, []byte(strings.Repeat(" ", 9<<20))); status != http.StatusUnprocessableEntity {
		t.Errorf("nine megabytes are answered %d", status)
	}
	if status, _ := put(t, url, nil); status != http.StatusMethodNotAllowed {
		t.Errorf("PUT is answered %d", status)
	}
	if got := alarmsOf(t, central); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func posted(t *testing.T, url string, body []byte) int {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(string(body))) //nolint:noctx // a test's own server
	must(t, err)
	must(t, resp.Body.Close())
	return resp.StatusCode
}

func TestAnAlarmStandsOnTheNodesPageAndInTheStatus(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	seen := newMirror(t, central)
	sync(t, seen)
	f := forked(t, central)
	forks["two timestamps of one version"].do(f)
	_, err := seen.Sync(t.Context(), node.SyncOptions{From: f.url})
	wantKind(t, err, portal.ErrUnverified)
	h, err := seen.Handler()
	must(t, err)
	for address, want := range map[string]string{"/en/node": "Two different versions of “timestamp”", "/api/v1/status": `"alarms":[{"role":"timestamp"`} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, address, nil))
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %s", address, rec.Body)
		}
	}
}

func FuzzReport(f *testing.F) {
	dir := f.TempDir()
	c, err := node.SetConfig(map[string]string{"role": "central", "title": "Markaz"})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := node.Init(f.Context(), dir, node.InitOptions{Config: c}, options()); err != nil {
		f.Fatal(err)
	}
	n, err := node.Open(f.Context(), dir, options())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = n.Close() })
	held, err := os.ReadFile(filepath.Join(repository(n), "metadata", "timestamp.json"))
	if err != nil {
		f.Fatal(err)
	}
	seed, err := json.Marshal(map[string]any{"ours": map[string][]byte{"timestamp.json": held}, "theirs": map[string][]byte{"timestamp.json": []byte("{}")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"ours":{"timestamp.json":"e30="},"theirs":{}}`))
	f.Fuzz(func(t *testing.T, evidence []byte) {
		if _, err := n.Report(t.Context(), evidence); err == nil {
			t.Errorf("an alarm out of %s", evidence)
		}
	})
}
