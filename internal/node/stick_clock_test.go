package node_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/internal/node"
	"koprik/portal"
	"koprik/sync/mirror"
)

// TestAWrongClockStopsNoReaderAndNoStick: a board that boots in 1970 takes both
// ways as ever and says that its clock is wrong; one that boots in 2099 says that
// too, takes nothing from the network, and of a stick what does not depend on the
// time: publishers whose keys would have run out by then wait.
func TestAWrongClockStopsNoReaderAndNoStick(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	dir := initMirror(t, central)
	first := open(t, dir, options())
	sync(t, first)
	must(t, first.Close())
	publish(t, central, revision("a", 2))
	stick := stickOf(t, central, 0)
	_, upstream := lyingOrigin(t, central) // an honest one
	for _, tt := range []struct {
		year  int
		net   error
		fresh portal.Freshness
	}{{1970, nil, portal.Fresh}, {2099, portal.ErrUnverified, portal.Old}} {
		t.Run(fmt.Sprint(tt.year), func(t *testing.T) {
			for _, from := range []string{upstream, stick} {
				copied := t.TempDir()
				copyTree(t, dir, copied)
				o := options()
				o.Clock = func() time.Time { return time.Date(tt.year, 1, 1, 0, 3, 0, 0, time.UTC) }
				m := open(t, copied, o)
				r, err := m.Sync(t.Context(), node.SyncOptions{From: from})
				want, title := tt.net, "Common a rev2"
				if from == stick {
					want = nil
				}
				if want != nil {
					wantKind(t, err, want)
					title = "Common a rev1"
					if p := problem(err); p == nil || !strings.Contains(p.Hint, "the clock of this machine is ahead") {
						t.Errorf("%v: %+v", err, p)
					}
				} else if tt.net != nil {
					title = "Common a rev1"
					if err != nil || fmt.Sprint(r.Suspended) != "[main]" {
						t.Errorf("from %s: suspended %v, %v", from, r.Suspended, err)
					}
				} else if err != nil || r.Fresh != tt.fresh && r.Fresh != portal.Stale {
					t.Errorf("from %s: %s, %v", from, r.Fresh, err)
				}
				if got := titles(t, m)["main_a"]; got != title {
					t.Errorf("from %s: %q", from, got)
				}
				if code, _ := page(t, m, "/en/dataset/main_a"); code != http.StatusOK {
					t.Errorf("from %s: %d", from, code)
				}
				if s, err := m.Status(t.Context()); err != nil || !s.ClockWrong {
					t.Errorf("clock wrong: %v, %v", s.ClockWrong, err)
				}
			}
		})
	}
}

// TestADiskWithoutRoomStopsASyncBeforeItStarts: eight amounts of free room around
// what is needed and what questions keep.
func TestADiskWithoutRoomStopsASyncBeforeItStarts(t *testing.T) {
	c, _ := bulky(t)
	const reserve, contents = 64 << 20, 60 << 10
	for _, free := range []uint64{0, 1, 1 << 20, reserve - 1, reserve, reserve + contents, reserve + 2*contents - 1, reserve + 2*contents} {
		m := newMachine(disktest.New())
		m.init(t, c.root)
		follower := mirror.Open(mirror.Options{
			Trust: disk.Sub(m.disk, "trust"), Staging: disk.Sub(m.disk, "staging"), Contents: m.objects, Now: now,
			Free: func() (uint64, error) { return free, nil },
		})
		_, err := follower.Round(t.Context(), mirror.Folder(disk.Sub(c.disk, "repository"), "repository"), mirror.RoundOptions{})
		if free >= reserve+2*contents {
			must(t, err)
			continue
		}
		wantKind(t, err, portal.ErrNoSpace)
		if !strings.Contains(err.Error(), "64 MiB stay for questions") {
			t.Errorf("%v", err)
		}
		if left := names(t, m.disk, "staging"); len(left) != 0 {
			t.Errorf("with %d bytes it began: %v", free, left)
		}
	}
}
