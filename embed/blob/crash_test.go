package blob_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"koprik/embed/blob"
	"koprik/internal/disk/disktest"
)

// TestObjectIsWhollyThereOrNotAtAllAfterAPowerCut pulls the plug at every
// operation of a put, in a new store, beside other objects and when it is held
// already, and looks at what many reboots find.
func TestObjectIsWhollyThereOrNotAtAllAfterAPowerCut(t *testing.T) {
	puts := map[string]func(*blob.Store) error{
		"Put":       func(s *blob.Store) error { _, _, err := s.Put(reader(content)); return err },
		"PutExpect": func(s *blob.Store) error { return s.PutExpect(reader(content), digest, size) },
	}
	befores := map[string]func(*testing.T, *disktest.Disk){
		"new store": func(*testing.T, *disktest.Disk) {},
		"beside others": func(t *testing.T, d *disktest.Disk) {
			for i := range 3 {
				put(t, blob.Open(d), []byte{byte(i)})
			}
		},
		"held already": func(t *testing.T, d *disktest.Disk) { put(t, blob.Open(d), content) },
	}
	for what, do := range puts {
		for state, before := range befores {
			t.Run(what+" "+state, func(t *testing.T) {
				for n, finished := 1, false; !finished; n++ {
					for seed := range uint64(30) {
						d := disktest.New()
						before(t, d)
						d.FailAt(d.Ops() + n)
						err := do(blob.Open(d))
						finished = err == nil
						if err != nil && !errors.Is(err, disktest.ErrPowerCut) {
							t.Fatalf("cut at operation %d: %v", n, err)
						}
						if what := judge(t, d.Reboot(rand.New(rand.NewPCG(seed, uint64(n)))), finished, do); what != "" {
							t.Errorf("cut at operation %d, seed %d: %s", n, seed, what)
						}
					}
				}
			})
		}
	}
}

// judge says what is wrong with a store after a reboot; "" when nothing is.
func judge(t *testing.T, d *disktest.Disk, acknowledged bool, again func(*blob.Store) error) string {
	s := blob.Open(d)
	if acknowledged && !s.Has(digest) {
		return "an acknowledged object is lost"
	}
	if s.Has(digest) {
		if err := s.Verify(t.Context(), digest); err != nil {
			return err.Error()
		}
	}
	if err := s.CleanTemps(); err != nil {
		return err.Error()
	}
	for name, bytes := range d.Tree() {
		if !strings.HasSuffix(name, "/") && strings.Contains(name, "tmp") {
			return fmt.Sprintf("CleanTemps leaves %s with %d bytes", name, len(bytes))
		}
	}
	if err := again(s); err != nil {
		return "put again: " + err.Error()
	}
	if err := s.Verify(t.Context(), digest); err != nil {
		return "put again: " + err.Error()
	}
	return ""
}

// A process may be killed between giving an object its name and syncing the
// folder. The next one finds the object, and must not take it for kept.
func TestObjectFoundUnsyncedIsSyncedBeforeItIsAcknowledged(t *testing.T) {
	for seed := range uint64(40) {
		d := disktest.New()
		s := blob.Open(d)
		put(t, s, content)
		if err := d.Rename(place(digest), "aside"); err != nil {
			t.Fatal(err)
		}
		if err := d.SyncDir(place(digest)[:2]); err != nil {
			t.Fatal(err)
		}
		if err := d.Rename("aside", place(digest)); err != nil { // as publishing does, before the sync
			t.Fatal(err)
		}
		if err := s.PutExpect(nil, digest, size); err != nil {
			t.Fatal(err)
		}
		after := blob.Open(d.Reboot(rand.New(rand.NewPCG(seed, 0))))
		if err := after.Verify(t.Context(), digest); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
