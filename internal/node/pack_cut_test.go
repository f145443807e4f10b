package node_test

import (
	"context"
	"net/http"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/sync/packer"
)

// TestPowerCutWhileAPackIsReadLeavesAnAcceptedCopy: whatever write it falls on,
// also one that staging begins with, the next round gets there.
func TestPowerCutWhileAPackIsReadLeavesAnAcceptedCopy(t *testing.T) {
	makePacks(t)
	centre := newTraveller(t, 1)
	pack := func() {
		must(t, packer.Open(packer.Options{Repository: disk.Sub(centre.disk, "repository"), Contents: centre.objects, Effort: -1}).Pack(t.Context()))
	}
	round := func(d *disktest.Disk) error {
		site := faults.NewOrigin(faults.Tree(disk.Sub(centre.disk, "repository")))
		source, err := mirror.HTTP("http://upstream.example", &http.Client{Transport: &web{origin: site}})
		must(t, err)
		m := newMachine(d).mirror()
		have, err := m.State()
		if err != nil {
			return err
		}
		_, err = m.Round(t.Context(), source, mirror.RoundOptions{
			Have: have.Generation, Apply: func(context.Context, portal.Change) error { return nil },
		})
		return err
	}
	pack()
	begun := disktest.New()
	newMachine(begun).init(t, centre.root)
	must(t, round(begun))
	must(t, centre.publish(t.Context(), 2))
	pack()
	begin := func() *disktest.Disk { return begun.Reboot(seeded(1, 1)) } // everything is synced
	cuts(t, begin, round, func(t *testing.T, d *disktest.Disk) {
		must(t, round(d))
		if got := shown(t, disk.Sub(d, "relay"), centre.root); got != 2 {
			t.Errorf("after another round the relay shows release %d", got)
		}
	})
}
