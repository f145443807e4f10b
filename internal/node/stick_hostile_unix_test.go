//go:build !windows

package node_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

// TestHostileSticksChangeNothing: each stick is a good one on which somebody
// changed one thing; the node refuses it in words, soon, and keeps its copy.
func TestHostileSticksChangeNothing(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	held := stickOf(t, central, 0)
	publish(t, central, revision("a", 2))
	good := stickOf(t, central, 0)
	object := func(t *testing.T, s string) string { return oneOf(t, s, "objects/*/*.zst") }
	snapshot := func(t *testing.T, s string) string { return oneOf(t, s, "metadata/*.snapshot.json") }
	instead := func(pick func(*testing.T, string) string, put func(t *testing.T, path string)) func(*testing.T, string) {
		return func(t *testing.T, s string) {
			path := pick(t, s)
			must(t, os.RemoveAll(path))
			put(t, path)
		}
	}
	timestamp := func(_ *testing.T, s string) string { return filepath.Join(s, "KOPRIK", "metadata", "timestamp.json") }
	fifo := func(t *testing.T, path string) { must(t, syscall.Mkfifo(path, 0o600)) }
	zero := func(t *testing.T, path string) {
		if err := syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|5); err != nil {
			t.Skipf("no device can be made here: %v", err)
		}
	}
	folder := func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }
	huge := func(t *testing.T, path string) {
		must(t, os.WriteFile(path, []byte("{"), 0o600))
		must(t, os.Truncate(path, 1<<40))
	}
	linkTo := func(target string) func(*testing.T, string) {
		return func(t *testing.T, path string) { must(t, os.Symlink(target, path)) }
	}
	moved := func(name string) func(*testing.T, string) { // the real one stands beside, a link leads to it
		return func(t *testing.T, s string) {
			from := filepath.Join(s, "KOPRIK", name)
			must(t, os.Rename(from, from+"-real"))
			must(t, os.Symlink(filepath.Base(from)+"-real", from))
		}
	}
	for what, spoil := range map[string]func(*testing.T, string){
		"timestamp is a pipe":            instead(timestamp, fifo),
		"object is a pipe":               instead(object, fifo),
		"snapshot is a pipe":             instead(snapshot, fifo),
		"object is a device":             instead(object, zero),
		"timestamp is a device":          instead(timestamp, zero),
		"object is a folder":             instead(object, folder),
		"timestamp is a folder":          instead(timestamp, folder),
		"timestamp of a tebibyte":        instead(timestamp, huge),
		"snapshot of a tebibyte":         instead(snapshot, huge),
		"object of a tebibyte":           instead(object, huge),
		"object is a link out of it":     instead(object, linkTo("/etc/passwd")),
		"object is a link to a device":   instead(object, linkTo("/dev/zero")),
		"metadata is a link out of it":   instead(func(_ *testing.T, s string) string { return filepath.Join(s, "KOPRIK", "metadata") }, linkTo(filepath.Join(good, "KOPRIK", "metadata"))),
		"metadata is a link that stays":  moved("metadata"),
		"objects is a link that stays":   moved("objects"),
		"timestamp is a link that stays": moved("metadata/timestamp.json"),
		"the whole folder is a link":     instead(func(_ *testing.T, s string) string { return filepath.Join(s, "KOPRIK") }, linkTo(filepath.Join(good, "KOPRIK"))),
		"object is missing":              instead(object, func(*testing.T, string) {}),
		"timestamp is missing":           instead(timestamp, func(*testing.T, string) {}),
		"timestamp is empty":             instead(timestamp, func(t *testing.T, p string) { must(t, os.WriteFile(p, nil, 0o600)) }),
		"timestamp of another repository": func(t *testing.T, s string) {
			other := newCentral(t)
			publish(t, other, revision("a", 1))
			publish(t, other, revision("b", 1))
			publish(t, other, revision("c", 1))
			must(t, os.RemoveAll(filepath.Join(s, "KOPRIK")))
			copyTree(t, filepath.Join(stickOf(t, other, 0), "KOPRIK"), filepath.Join(s, "KOPRIK"))
		},
		"a folder that has nothing of ours": func(t *testing.T, s string) { must(t, os.RemoveAll(filepath.Join(s, "KOPRIK"))) },
	} {
		t.Run(what, func(t *testing.T) {
			mirror := newMirror(t, central)
			_, err := mirror.Sync(t.Context(), node.SyncOptions{From: held})
			must(t, err)
			before := generation(t, mirror)
			stick := t.TempDir()
			copyTree(t, good, stick)
			spoil(t, stick)
			began := time.Now()
			_, err = mirror.Sync(t.Context(), node.SyncOptions{From: stick})
			if err == nil || !refused(err) {
				t.Fatalf("refused with %v", err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			if after := generation(t, mirror); after != before || titles(t, mirror)["main_a"] != "Common a rev1" {
				t.Errorf("generation %d, was %d: %v", after, before, titles(t, mirror))
			}
			_, err = mirror.Verify(t.Context())
			must(t, err)
			_, err = mirror.Sync(t.Context(), node.SyncOptions{From: good})
			must(t, err)
			if got := titles(t, mirror)["main_a"]; got != "Common a rev2" {
				t.Errorf("after a good stick: %q", got)
			}
		})
	}
}

// TestForeignFilesOnAStickAreLeftAlone: what a person keeps beside ours, also in
// names that differ by capitals, is neither read nor removed.
func TestForeignFilesOnAStickAreLeftAlone(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	stick := stickOf(t, central, 0)
	for name, text := range map[string]string{
		"photo.jpg": "x", "KOPRIK/notes.txt": "x", "KOPRIK/metadata/TIMESTAMP.JSON": "{}", "KOPRIK/objects/My Letter.doc": "x", "KOPRIK/outbox/q": "x",
		"koprik/metadata/timestamp.json": "{}", "autorun.inf": "[autorun]",
	} {
		path := filepath.Join(stick, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(text), 0o600))
	}
	publish(t, central, revision("a", 2))
	_, err := central.Export(t.Context(), node.ExportOptions{To: stick})
	must(t, err)
	for _, name := range []string{"photo.jpg", "KOPRIK/notes.txt", "KOPRIK/objects/My Letter.doc", "KOPRIK/outbox/q", "koprik/metadata/timestamp.json"} {
		if _, err := os.Stat(filepath.Join(stick, filepath.FromSlash(name))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	mirror := newMirror(t, central)
	_, err = mirror.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	if got := titles(t, mirror)["main_a"]; got != "Common a rev2" {
		t.Errorf("%q", got)
	}
}

// TestAnOlderStickIsRefusedInWords and nothing goes back.
func TestAnOlderStickIsRefusedInWords(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	old := stickOf(t, central, 0)
	publish(t, central, revision("a", 2))
	mirror := newMirror(t, central)
	sync(t, mirror)
	_, err := mirror.Sync(t.Context(), node.SyncOptions{From: old})
	wantKind(t, err, portal.ErrUnverified)
	if !strings.Contains(err.Error(), "older than the copy that this node has") {
		t.Errorf("%v", err)
	}
	if got := titles(t, mirror)["main_a"]; got != "Common a rev2" {
		t.Errorf("%q", got)
	}
}

// TestAnExpiredStickThatIsNewerIsTakenAndStale: a stick that lay in a drawer for
// a month brings what is newer, and the copy is STALE, never FRESH.
func TestAnExpiredStickThatIsNewerIsTakenAndStale(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	dir := initMirror(t, central)
	m := open(t, dir, options())
	sync(t, m)
	must(t, m.Close())
	publish(t, central, revision("a", 2))
	stick := stickOf(t, central, 0)
	later := options()
	later.Clock = func() time.Time { return day.Add(30 * 24 * time.Hour) }
	m = open(t, dir, later)
	r, err := m.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	if r.Fresh != portal.Stale || !r.State.Media || titles(t, m)["main_a"] != "Common a rev2" {
		t.Errorf("%s, media %v: %v", r.Fresh, r.State.Media, titles(t, m))
	}
	again, err := m.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	if again.Fresh != portal.Stale {
		t.Errorf("the same stick again: %s", again.Fresh)
	}
	s, err := m.Status(t.Context())
	must(t, err)
	if s.Fresh != portal.Stale {
		t.Errorf("status says %s", s.Fresh)
	}
}
