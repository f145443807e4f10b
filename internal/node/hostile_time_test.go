package node_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"koprik/internal/disk/disktest"
	"koprik/internal/faults"
	"koprik/internal/node"
	"koprik/portal"
	"koprik/sync/mirror"
)

// TestASlowDripIsGivenUp: a server that sends a byte every ten seconds is never
// silent, and would keep a mirror busy for years.
func TestASlowDripIsGivenUp(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	root, err := central.RootOfTrust()
	must(t, err)
	for _, drips := range []string{"timestamp.json", "snapshot.json", "main.json", ".zst"} {
		synctest.Test(t, func(t *testing.T) {
			honest := httpPrefix("/repository/", faults.NewOrigin(os.DirFS(repository(central))))
			source := overNetwork(t, &faults.Link{}, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { //nolint:gosec // in memory
				if !strings.HasSuffix(req.URL.Path, drips) {
					honest.ServeHTTP(w, req)
					return
				}
				for req.Context().Err() == nil {
					if _, err := w.Write([]byte(" ")); err != nil {
						return
					}
					_ = http.NewResponseController(w).Flush()
					select {
					case <-req.Context().Done():
					case <-time.After(10 * time.Second):
					}
				}
			}))
			m := newMachine(disktest.New())
			m.init(t, root)
			began := time.Now()
			_, err = m.mirror().Round(t.Context(), source, mirror.RoundOptions{})
			if err == nil {
				t.Errorf("a dripping %s was taken", drips)
			}
			if waited := time.Since(began); waited > 10*time.Minute {
				t.Errorf("a dripping %s was given up after %v", drips, waited)
			}
		})
	}
}

// TestAnUpstreamOf100BytesASecondIsTaken: slow is not silent.
func TestAnUpstreamOf100BytesASecondIsTaken(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1), revision("b", 1), big(t, 20_000))
	root, err := central.RootOfTrust()
	must(t, err)
	synctest.Test(t, func(t *testing.T) {
		honest := httpPrefix("/repository/", faults.NewOrigin(os.DirFS(repository(central))))
		source := overNetwork(t, &faults.Link{}, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { //nolint:gosec // in memory
			whole := httptest.NewRecorder()
			honest.ServeHTTP(whole, req)
			maps.Copy(w.Header(), whole.Header())
			w.WriteHeader(whole.Code)
			for piece := range slices.Chunk(whole.Body.Bytes(), 100) {
				if _, err := w.Write(piece); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				select {
				case <-req.Context().Done():
					return
				case <-time.After(time.Second):
				}
			}
		}))
		m := newMachine(disktest.New())
		m.init(t, root)
		began := time.Now()
		r, err := m.mirror().Round(t.Context(), source, mirror.RoundOptions{})
		must(t, err)
		if took := time.Since(began); len(r.Added) != 3 || took < 200*time.Second || took > time.Hour {
			t.Errorf("%d datasets came in %v", len(r.Added), took)
		}
	})
}

// TestTornStateDoesNotOpenTheWayBack: without the accepted timestamp an older
// repository is still an older one.
func TestTornStateDoesNotOpenTheWayBack(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	old := t.TempDir()
	copyTree(t, repository(central), old)
	publish(t, central, revision("a", 2))
	seen := newMirror(t, central)
	sync(t, seen)
	must(t, seen.Close())
	for name, spoil := range map[string]func(file string) error{
		"torn":  func(file string) error { return os.Truncate(file, 100) },
		"empty": func(file string) error { return os.Truncate(file, 0) },
		"lost":  os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyTree(t, seen.Dir(), dir)
			must(t, spoil(filepath.Join(dir, "trust", "timestamp.json")))
			m := open(t, dir, options())
			_, err := m.Sync(t.Context(), node.SyncOptions{From: old})
			wantKind(t, err, portal.ErrUnverified)
			if got := titles(t, m)["main_a"]; got != "Common a rev2" {
				t.Errorf("the mirror shows %q", got)
			}
			sync(t, m)
			if got := titles(t, m)["main_a"]; got != "Common a rev2" {
				t.Errorf("after an honest sync the mirror shows %q", got)
			}
		})
	}
}

// TestAPublisherThatHasHandedNothingOverHoldsNobodyUp: delegated to, and not in
// the snapshot yet.
func TestAPublisherThatHasHandedNothingOverHoldsNobodyUp(t *testing.T) {
	central, mirror := twoPublishers(t)
	f := newForge(t, central)
	id, public := f.thief()
	f.edit("targets", func(s object) {
		s["delegations"].(object)["keys"].(object)[id] = public
		delegate(s, object{"name": "new", "keyids": []string{id}, "paths": []string{"d/new/*/*"}})
	})
	f.publish(nil, nil)
	r, err := mirror.Sync(t.Context(), node.SyncOptions{From: f.url})
	must(t, err)
	if got := titles(t, mirror); got["main_a"] != "Common a rev3" || len(r.Suspended) > 0 {
		t.Errorf("the mirror shows %v; suspended: %v", got, r.Suspended)
	}
}
