package node_test

import (
	"os"
	"path/filepath"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// rotated is a centre with three roots, and a mirror that follows them; relay
// says whether it keeps a repository of its own.
func rotated(t *testing.T, relay string) (central *node.Node, dir string) {
	t.Helper()
	central = newCentral(t)
	publish(t, central, revision("a", 1))
	for range 2 {
		_, err := central.RotateKey(t.Context(), "timestamp", "", nil)
		must(t, err)
	}
	dir = t.TempDir()
	first, err := os.ReadFile(filepath.Join(repository(central), "metadata", "1.root.json"))
	must(t, err)
	_, err = node.Init(t.Context(), dir, node.InitOptions{
		Config: config(t, "role", "mirror", "title", "Koʻzgu", "upstream", repository(central), "relay", relay), Root: first,
	}, options())
	must(t, err)
	m := open(t, dir, options())
	sync(t, m)
	must(t, m.Close())
	publish(t, central, revision("a", 2))
	return central, dir
}

// TestATornRootIsMendedByTheNextSync: whichever roots were damaged, and however,
// the mirror serves on, and its next sync needs nobody's hand.
func TestATornRootIsMendedByTheNextSync(t *testing.T) {
	for _, relay := range []string{"true", "false"} {
		_, seen := rotated(t, relay)
		for _, lost := range [][]string{{"1"}, {"2"}, {"3"}, {"1", "2"}, {"2", "3"}, {"1", "2", "3"}} {
			for what, spoil := range map[string]func(file string) error{
				"torn": func(file string) error { return os.Truncate(file, 100) }, "lost": os.Remove,
			} {
				dir := t.TempDir()
				copyTree(t, seen, dir)
				for _, v := range lost {
					must(t, spoil(filepath.Join(dir, "trust", v+".root.json")))
				}
				m := open(t, dir, options())
				if got := titles(t, m)["main_a"]; got != "Common a rev1" {
					t.Errorf("relay %s, %v %s: the mirror shows %q", relay, lost, what, got)
				}
				if _, err := m.Sync(t.Context(), node.SyncOptions{}); err != nil {
					t.Errorf("relay %s, %v %s: %v", relay, lost, what, err)
					continue
				}
				if got := titles(t, m)["main_a"]; got != "Common a rev2" {
					t.Errorf("relay %s, %v %s: after the sync the mirror shows %q", relay, lost, what, got)
				}
				if _, err := m.Verify(t.Context()); err != nil {
					t.Errorf("relay %s, %v %s: %v", relay, lost, what, err)
				}
				must(t, m.Close())
			}
		}
	}
}

// TestALostRootOpensNoWayBack: whoever lacks the newest root does not take a
// repository that ends before it, nor another repository's first one.
func TestALostRootOpensNoWayBack(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	old := t.TempDir()
	copyTree(t, repository(central), old)
	seen := newMirror(t, central)
	_, err := central.RotateKey(t.Context(), "timestamp", "", nil)
	must(t, err)
	publish(t, central, revision("a", 2))
	sync(t, seen)
	must(t, seen.Close())
	other := newCentral(t)
	publish(t, other, revision("a", 9))
	for _, lost := range [][]string{{"2.root.json"}, {"1.root.json", "2.root.json"}} {
		dir := t.TempDir()
		copyTree(t, seen.Dir(), dir)
		must(t, os.RemoveAll(filepath.Join(dir, "repository")))
		for _, name := range lost {
			must(t, os.Truncate(filepath.Join(dir, "trust", name), 50))
		}
		m := open(t, dir, options())
		for _, from := range []string{old, repository(other)} {
			_, err := m.Sync(t.Context(), node.SyncOptions{From: from})
			wantKind(t, err, portal.ErrUnverified)
			if got := titles(t, m)["main_a"]; got != "Common a rev2" {
				t.Errorf("%v: the mirror shows %q", lost, got)
			}
		}
		sync(t, m)
		_, err := m.Verify(t.Context())
		must(t, err)
	}
}
