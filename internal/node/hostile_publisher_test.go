package node_test

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"koprik/internal/faults"
	"koprik/internal/node"
	"koprik/portal"
)

// misdeeds are what one publisher may do, or what may become of it. It alone
// waits: what was accepted of it before stands, and the others apply.
var misdeeds = map[string]func(f *forge){
	"its role has expired": func(f *forge) {
		f.edit("main", func(s object) { s["expires"] = "2026-11-23T08:59:59Z" })
	},
	"its role is signed by nobody that may": func(f *forge) {
		id, _ := f.thief()
		f.edit("main", func(object) {}, id)
	},
	"its key was revoked": func(f *forge) {
		id, public := f.thief()
		f.edit("targets", func(s object) {
			s["delegations"].(object)["keys"].(object)[id] = public
			delegation(s, "main")["keyids"] = []string{id}
		})
		f.edit("main", func(object) {})
	},
	"more signatures are asked for than it has keys": func(f *forge) {
		f.edit("targets", func(s object) { delegation(s, "main")["threshold"] = int64(1) << 62 })
		f.edit("main", func(object) {})
	},
	"its key is of a kind that is not known yet": func(f *forge) {
		_, by := f.signed("main")
		f.edit("targets", func(s object) {
			key := s["delegations"].(object)["keys"].(object)[by[0]].(object)
			key["keytype"], key["scheme"] = "ml-dsa", "ml-dsa-44"
		})
		f.edit("main", func(object) {})
	},
	"it signs a dataset of another publisher": func(f *forge) {
		f.edit("main", func(s object) {
			s["targets"].(object)["d/stat/b/9.json"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
	},
	"it signs what nobody may": func(f *forge) {
		f.edit("main", func(s object) {
			s["targets"].(object)["seal/1.json"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
	},
	"it names a file outside the repository": func(f *forge) {
		f.edit("main", func(s object) {
			s["targets"].(object)["d/main/../../../../etc/passwd"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
	},
	"it names a file as Windows would": func(f *forge) {
		f.edit("main", func(s object) {
			s["targets"].(object)[`d/main/..\..\x/1.json`] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
	},
	"it delegates to somebody": func(f *forge) {
		id, public := f.thief()
		f.edit("main", func(s object) {
			s["delegations"] = object{"keys": object{id: public}, "roles": []object{{
				"name": "friend", "keyids": []string{id}, "threshold": 1, "paths": []string{"d/main/*/*"}, "terminating": true,
			}}}
		})
	},
	"a name stands twice in its role": func(f *forge) {
		f.edit("main", func(object) {})
		f.tamper("main", `"_type"`, `"version":1,"_type"`)
	},
	"a hundred thousand signatures are on its role": func(f *forge) {
		f.edit("main", func(object) {})
		f.tamper("main", `"signatures":[`, `"signatures":[`+strings.Repeat(`{"keyid":"x","sig":""},`, 100_000))
	},
	"its role lists two releases of a dataset": func(f *forge) {
		f.edit("main", func(s object) {
			s["targets"].(object)["d/main/a/9.json"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
	},
	"its role lists what is no release": func(f *forge) {
		f.edit("main", func(s object) {
			s["targets"].(object)["d/main/a/latest"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
	},
}

func TestOneBadPublisherWaitsAndTheOthersApply(t *testing.T) {
	central, seen := twoPublishers(t)
	must(t, seen.Close())
	for _, name := range slices.Sorted(maps.Keys(misdeeds)) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyTree(t, seen.Dir(), dir)
			mirror := open(t, dir, options())
			f := newForge(t, central)
			misdeeds[name](f)
			f.publish(nil, nil)
			r, err := mirror.Sync(t.Context(), node.SyncOptions{From: f.url})
			must(t, err)
			if !slices.Equal(r.Suspended, []portal.PublisherID{"main"}) {
				t.Errorf("suspended: %v", r.Suspended)
			}
			want := map[portal.DatasetID]string{"main_a": "Common a rev2", "stat_b": "Common b rev3"}
			if got := titles(t, mirror); !maps.Equal(got, want) {
				t.Errorf("the mirror shows %v", got)
			}
		})
	}
}

// What waits at a relay waits at those who follow it, and the rest reaches them:
// a relay passes on the role that it could not accept as it was published.
func TestARelayPassesOnWhatItSuspended(t *testing.T) {
	central, seen := twoPublishers(t)
	must(t, seen.Close())
	for _, name := range []string{"its role has expired", "its key was revoked", "a name stands twice in its role"} {
		t.Run(name, func(t *testing.T) {
			var nodes []*node.Node
			for range 2 {
				dir := t.TempDir()
				copyTree(t, seen.Dir(), dir)
				nodes = append(nodes, open(t, dir, options()))
			}
			f := newForge(t, central)
			misdeeds[name](f)
			f.publish(nil, nil)
			_, err := nodes[0].Sync(t.Context(), node.SyncOptions{From: f.url})
			must(t, err)
			r, err := nodes[1].Sync(t.Context(), node.SyncOptions{From: filepath.Join(nodes[0].Dir(), "repository")})
			must(t, err)
			if !slices.Equal(r.Suspended, []portal.PublisherID{"main"}) {
				t.Errorf("suspended: %v", r.Suspended)
			}
			if got, want := titles(t, nodes[1]), titles(t, nodes[0]); !maps.Equal(got, want) {
				t.Errorf("the second mirror shows %v, the first %v", got, want)
			}
		})
	}
}

func TestOfFiftyPublishersFiveAreBadAndFortyFiveApply(t *testing.T) {
	if testing.Short() {
		t.Skip("50 publishers are made")
	}
	central := newCentral(t)
	bad := []string{"p-01", "p-13", "p-22", "p-37", "p-49"}
	var all []string
	for i := range 50 {
		id := "p-" + string(rune('0'+i/10)) + string(rune('0'+i%10))
		all = append(all, id)
		must(t, central.AddPublisher(t.Context(), portal.PublisherID(id), id, "a@example.org"))
		_, err := central.Publish(t.Context(), portal.PublisherID(id), []node.Input{revision("a", 1)})
		must(t, err)
	}
	mirror := newMirror(t, central)
	f := newForge(t, central)
	thief, _ := f.thief()
	for i, id := range bad {
		if i%2 == 0 {
			f.edit(id, func(s object) { s["expires"] = "2026-01-01T00:00:00Z" })
		} else {
			f.edit(id, func(object) {}, thief)
		}
	}
	f.publish(nil, nil)
	r, err := mirror.Sync(t.Context(), node.SyncOptions{From: f.url})
	must(t, err)
	if got := len(titles(t, mirror)); got != len(all)-len(bad) || len(r.Suspended) != len(bad) {
		t.Errorf("%d datasets; suspended: %v", got, r.Suspended)
	}
}

// peak is how much more than before stood in memory at once, in bytes, while do
// ran: what is live and what waits for the collector, which is asked to be quick.
func peak(do func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before, most := read(), uint64(0)
	done := make(chan struct{})
	go func() {
		do()
		close(done)
	}()
	for tick := time.NewTicker(time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			return max(most, before) - before
		case <-tick.C:
			most = max(most, read())
		}
	}
}

// TestWhatIsTooMuchCostsLittleMemory: the largest lies that can be told, each
// within 64 MiB.
func TestWhatIsTooMuchCostsLittleMemory(t *testing.T) {
	central, seen := twoPublishers(t)
	must(t, seen.Close())
	junk := func(n int) string { return `"signatures":[` + strings.Repeat(`{"keyid":"x","sig":""},`, n) }
	for name, lie := range map[string]func(f *forge){
		"an endless root":      func(f *forge) { f.write("2.root.json", nil); f.origin.Lie("metadata/2.root.json", faults.Endless()) },
		"an endless timestamp": func(f *forge) { f.origin.Lie("metadata/timestamp.json", faults.Endless()) },
		"an endless snapshot":  func(f *forge) { f.origin.Lie("metadata/*.snapshot.json", faults.Endless()) },
		"endless targets": func(f *forge) {
			f.edit("targets", func(object) {})
			f.publish(nil, nil)
			f.origin.Lie("metadata/*.targets.json", faults.Endless())
		},
		"an endless role": func(f *forge) {
			f.edit("main", func(object) {})
			f.publish(nil, nil)
			f.origin.Lie("metadata/*.main.json", faults.Endless())
		},
		"an endless manifest":            func(f *forge) { f.origin.Lie("d/main/a/*", faults.Endless()) },
		"an endless object":              func(f *forge) { f.origin.Lie("objects/*/*", faults.Endless()) },
		"a million signatures":           func(f *forge) { f.tamper("timestamp", `"signatures":[`, junk(1_000_000)) },
		"a million on the snapshot":      func(f *forge) { f.tamper("snapshot", `"signatures":[`, junk(1_000_000)) },
		"as many as fit on the snapshot": func(f *forge) { f.tamper("snapshot", `"signatures":[`, junk(90_000)) },
		"a million on targets": func(f *forge) {
			f.edit("targets", func(object) {})
			f.publish(nil, nil)
			f.tamper("targets", `"signatures":[`, junk(1_000_000))
		},
		"brackets without end": func(f *forge) {
			f.tamper("snapshot", `{`, `{"x":`+strings.Repeat("[", 1<<20)+strings.Repeat("]", 1<<20)+`,`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir() // a mirror of its own, which holds nothing of what another lie let through
			copyTree(t, seen.Dir(), dir)
			mirror := open(t, dir, options())
			v := newVictim(t, mirror)
			f := newForge(t, central)
			lie(f)
			var err error
			cost := peak(func() { _, err = mirror.Sync(t.Context(), node.SyncOptions{From: f.url}) })
			wantKind(t, err, portal.ErrUnverified)
			if cost > 64<<20 && !testing.Short() { // -short runs under the race detector, which takes more
				t.Errorf("%d MiB were in memory", cost>>20)
			}
			t.Logf("%d KiB", cost>>10)
			v.unharmed(name)
		})
	}
}

// TestDamagedStateIsMendedByTheNextSync: a file of what was accepted was torn,
// emptied or lost. Nothing older is taken for it, and the next sync mends it.
func TestDamagedStateIsMendedByTheNextSync(t *testing.T) {
	_, seen := twoPublishers(t)
	must(t, seen.Close())
	for _, pattern := range []string{"timestamp.json", "*.snapshot.json", "*.targets.json", "*.main.json", "*.root.json"} {
		for name, spoil := range map[string]func(file string, b []byte) error{
			"torn":    func(file string, b []byte) error { return os.WriteFile(file, b[:len(b)/2], 0o600) },
			"empty":   func(file string, _ []byte) error { return os.WriteFile(file, nil, 0o600) },
			"garbage": func(file string, b []byte) error { return os.WriteFile(file, make([]byte, len(b)), 0o600) },
			"lost":    func(file string, _ []byte) error { return os.Remove(file) },
		} {
			if testing.Short() && name != "torn" && name != "lost" {
				continue
			}
			t.Run(pattern+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				copyTree(t, seen.Dir(), dir)
				files, err := filepath.Glob(filepath.Join(dir, "trust", pattern))
				must(t, err)
				for _, file := range files {
					b, err := os.ReadFile(file)
					must(t, err)
					must(t, spoil(file, b))
				}
				mirror := open(t, dir, options())
				if got := titles(t, mirror); got["main_a"] != "Common a rev2" || got["stat_b"] != "Common b rev2" {
					t.Errorf("before the sync the mirror shows %v", got)
				}
				if _, err := mirror.Sync(t.Context(), node.SyncOptions{}); err != nil {
					t.Fatal(err)
				}
				if got := titles(t, mirror); got["main_a"] != "Common a rev3" || got["stat_b"] != "Common b rev3" {
					t.Errorf("after the sync the mirror shows %v", got)
				}
			})
		}
	}
}

// at are options with the clock of the machine at a time.
func at(when time.Time) node.Options {
	o := options()
	o.Clock = func() time.Time { return when }
	return o
}

func TestEverythingExpiredIsServedAndNothingNewIsTaken(t *testing.T) {
	central, seen := twoPublishers(t)
	must(t, seen.Close())
	f := newForge(t, central)
	f.edit("timestamp", func(s object) { s["expires"] = "2026-11-23T08:59:59Z" })
	for name, when := range map[string]time.Time{
		"today": day, "in 2099": time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), "in 1970": time.Unix(0, 0).UTC(),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyTree(t, seen.Dir(), dir)
			mirror := open(t, dir, at(when))
			v := newVictim(t, mirror)
			if len(v.titles) != 2 {
				t.Fatalf("the mirror shows %v", v.titles)
			}
			_, err := mirror.Sync(t.Context(), node.SyncOptions{From: f.url})
			wantKind(t, err, portal.ErrUnverified)
			v.unharmed(name)
		})
	}
}

func TestAClockAt1970IsNotBelieved(t *testing.T) {
	central, seen := twoPublishers(t)
	must(t, seen.Close())
	mirror := open(t, seen.Dir(), at(time.Unix(0, 0)))
	if now := mirror.Now(); now.Before(day) {
		t.Errorf("the mirror believes that it is %v", now)
	}
	sync(t, mirror)
	if got := titles(t, mirror); got["main_a"] != "Common a rev3" {
		t.Errorf("the mirror shows %v", got)
	}
	_ = central
}

func TestAClockIn2099IsBelievedForNoMoreThan400Days(t *testing.T) {
	_, seen := twoPublishers(t)
	must(t, seen.Close())
	mirror := open(t, seen.Dir(), at(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)))
	if now := mirror.Now(); now.After(day.AddDate(0, 0, 401)) {
		t.Errorf("the mirror believes that it is %v", now)
	}
	v := newVictim(t, mirror)
	_, err := mirror.Sync(t.Context(), node.SyncOptions{})
	if err == nil && generation(t, mirror) == v.generation {
		t.Error("a sync that brought nothing said nothing")
	}
	s, err := mirror.Status(t.Context())
	must(t, err)
	if len(titles(t, mirror)) != 2 || s.Fresh == portal.Fresh {
		t.Errorf("status %+v", s)
	}
}
