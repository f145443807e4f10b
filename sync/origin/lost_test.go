package origin_test

import (
	"math/rand/v2"
	"testing"

	"koprik/sync/tuf"
)

// TestALostKeyIsReplacedByTheRoleAboveIt: nobody has the old one any more, so
// nothing can be signed by it. At whichever write the power is cut, running the
// rotation again finishes it, and mirrors follow.
func TestALostKeyIsReplacedByTheRoleAboveIt(t *testing.T) {
	file := map[string]string{
		"timestamp": "keys/timestamp.pem", "snapshot": "keys/snapshot.pem", "targets": "keys/targets.pem", "main": "keys/publisher-main.pem",
	}
	for role := range file {
		for n := 1; ; n++ {
			w := newWorld(t)
			held := w.set()
			follow(w, held)
			lost := w.keysOf(role)[0]
			must(t, w.Disk.Remove(file[role]))
			w.Disk.FailAt(w.Disk.Ops() + n)
			out, err := w.Origin().Rotate(t.Context(), role, lost, nil)
			cut := err != nil
			if cut {
				w.Disk = w.Disk.Reboot(rand.New(rand.NewPCG(uint64(n), 1)))
				if len(w.keysOf(role)) == 1 && w.keysOf(role)[0] == lost {
					out, err = w.Origin().Rotate(t.Context(), role, lost, nil)
				} else {
					out, err = w.Origin().Rotate(t.Context(), role, "", nil) // finishes
				}
			}
			if err != nil {
				t.Fatalf("%s, cut at %d: %v", role, n, err)
			}
			if now := w.keysOf(role); len(now) != 1 || now[0] == lost || out.New != now[0] {
				t.Fatalf("%s, cut at %d: %v, %+v", role, n, now, out)
			}
			for _, set := range []*tuf.Set{held, w.set()} {
				if refused := follow(w, set); len(refused) > 0 {
					t.Fatalf("%s, cut at %d: %v", role, n, refused)
				}
			}
			if !cut {
				break
			}
		}
	}
}
