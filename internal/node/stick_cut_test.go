package node_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/portal"
)

// TestPowerCutWhileExportingLeavesAnOlderStick: whatever write it falls on, the
// stick holds the copy before, or the new one, and the next export completes it.
func TestPowerCutWhileExportingLeavesAnOlderStick(t *testing.T) {
	first := newTraveller(t, 1)
	begun := disktest.New()
	must(t, begun.MkdirAll("."))
	_, err := first.export(t.Context(), begun, 0)
	must(t, err)
	must(t, first.publish(t.Context(), 2))
	must(t, first.follow(t.Context()))
	for way, stick := range sticks {
		t.Run(way, func(t *testing.T) {
			cuts(t, func() *disktest.Disk { return begun.Reboot(seeded(1, 1)) },
				func(d *disktest.Disk) error { _, err := first.export(t.Context(), stick(d), 0); return err },
				func(t *testing.T, d *disktest.Disk) {
					if got, err := takes(t, d, first.root); err != nil || got != 1 && got != 2 {
						t.Errorf("the stick shows release %d: %v", got, err)
					}
					completes(t, first, d)
				})
		})
	}
}

// sticks are how an export writes.
var sticks = map[string]func(*disktest.Disk) disk.FS{
	"each by itself": func(d *disktest.Disk) disk.FS { return d },
	"together":       func(d *disktest.Disk) disk.FS { return disk.NewGroup(d) },
	"all at once":    func(d *disktest.Disk) disk.FS { d.BulkSyncs(); return disk.NewGroup(d) },
}

// TestPowerCutWhileExportingToAnEmptyStickLeavesNoHalfCopy: until the last
// rename there is nothing that a node would take.
func TestPowerCutWhileExportingToAnEmptyStickLeavesNoHalfCopy(t *testing.T) {
	centre := newTraveller(t, 2)
	for way, stick := range sticks {
		t.Run(way, func(t *testing.T) {
			cuts(t, disktest.New,
				func(d *disktest.Disk) error { _, err := centre.export(t.Context(), stick(d), 0); return err },
				func(t *testing.T, d *disktest.Disk) {
					if got, err := takes(t, d, centre.root); err == nil && got != 2 || err != nil && !errors.Is(err, portal.ErrNotFound) {
						t.Errorf("the stick shows release %d: %v", got, err)
					}
					completes(t, centre, d)
				})
		})
	}
}

// completes runs export again and looks whether the stick is as a new one.
func completes(t *testing.T, c traveller, stick *disktest.Disk) {
	t.Helper()
	_, err := c.export(t.Context(), stick, 0)
	must(t, err)
	fresh := disktest.New()
	_, err = c.export(t.Context(), fresh, 0)
	must(t, err)
	got, want := names(t, stick, "."), names(t, fresh, ".")
	if !slices.Equal(got, want) {
		t.Fatalf("after another export the stick has\n%s\na new one\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, name := range want {
		a, err := disk.ReadFile(stick, name, 1<<20)
		must(t, err)
		b, err := disk.ReadFile(fresh, name, 1<<20)
		must(t, err)
		if !bytes.Equal(a, b) {
			t.Errorf("after another export %s is not what a new stick has", name)
		}
	}
}

// TestPowerCutWhileImportingLeavesAnAcceptedCopy: the same on the side that
// takes a stick.
func TestPowerCutWhileImportingLeavesAnAcceptedCopy(t *testing.T) {
	centre := newTraveller(t, 1)
	stick := disktest.New()
	_, err := centre.export(t.Context(), stick, 0)
	must(t, err)
	begun := disktest.New()
	newMachine(begun).init(t, centre.root)
	_, err = newMachine(begun).take(t.Context(), stick)
	must(t, err)
	before, err := centre.mirror().State()
	must(t, err)
	must(t, centre.publish(t.Context(), 2))
	must(t, centre.follow(t.Context()))
	stick = disktest.New()
	_, err = centre.export(t.Context(), stick, before.Generation)
	must(t, err)
	begin := func() *disktest.Disk { return begun.Reboot(seeded(1, 1)) }
	cuts(t, begin,
		func(d *disktest.Disk) error { _, err := newMachine(d).take(t.Context(), stick); return err },
		func(t *testing.T, d *disktest.Disk) {
			state, err := newMachine(d).mirror().State()
			must(t, err)
			if state.Generation < before.Generation {
				t.Errorf("the node went back to generation %d", state.Generation)
			}
			_, err = newMachine(d).take(t.Context(), stick)
			must(t, err)
			if got := shown(t, disk.Sub(d, "relay"), centre.root); got != 2 {
				t.Errorf("after another import the relay shows release %d", got)
			}
		})
}

// bulky makes a centre whose dataset does not compress, and a second release of it.
func bulky(t *testing.T) (c traveller, before int64) {
	t.Helper()
	c = newTraveller(t, 0)
	for n := 1; n <= 2; n++ {
		noise := make([]byte, 60<<10)
		rng := seeded(uint64(n), 7)
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		must(t, c.publishBytes(t.Context(), n, noise))
		must(t, c.follow(t.Context()))
		if n == 1 {
			s, err := c.mirror().State()
			must(t, err)
			before = s.Generation
		}
	}
	return c, before
}

// TestStickPulledAtEvery4KiBOfAnExportIsOlderNeverWrong.
func TestStickPulledAtEvery4KiBOfAnExportIsOlderNeverWrong(t *testing.T) {
	c, _ := bulky(t)
	whole := disktest.New()
	w, err := c.export(t.Context(), whole, 0)
	must(t, err)
	pulls := 0
	for at := int64(0); at < w.Bytes; at += 4096 {
		stick := disktest.New()
		_, err := c.export(t.Context(), pull(stick, at), 0)
		if err == nil {
			t.Fatalf("pulled after %d of %d bytes, and nobody noticed", at, w.Bytes)
		}
		if got, err := takes(t, stick, c.root); err == nil || !errors.Is(err, portal.ErrNotFound) {
			t.Fatalf("pulled after %d bytes: release %d, %v", at, got, err)
		}
		completes(t, c, stick)
		pulls++
	}
	t.Logf("%d pulls of %d bytes", pulls, w.Bytes)
}

// TestStickPulledAtEvery4KiBOfAnImportChangesNothing: what came stays, and the
// next import goes on.
func TestStickPulledAtEvery4KiBOfAnImportChangesNothing(t *testing.T) {
	c, before := bulky(t)
	stick := disktest.New()
	_, err := c.export(t.Context(), stick, 0)
	must(t, err)
	var total int64
	for _, name := range names(t, stick, ".") {
		info, err := stick.Stat(name)
		must(t, err)
		total += info.Size()
	}
	pulls := 0
	for at := int64(0); at < total; at += 4096 {
		m := newMachine(disktest.New())
		m.init(t, c.root)
		_, err := m.take(t.Context(), pull(stick, at))
		if err == nil {
			break // all that an import reads had been read
		}
		wantKind(t, err, portal.ErrUnreachable)
		state, stateErr := m.mirror().State()
		if stateErr != nil || state.Generation != 0 {
			t.Fatalf("pulled after %d bytes: generation %d, %v", at, state.Generation, stateErr)
		}
		if got, err := m.take(t.Context(), stick); err != nil || got != 2 {
			t.Fatalf("pulled after %d bytes, and put in again: release %d, %v", at, got, err)
		}
		pulls++
	}
	if pulls < 10 {
		t.Fatalf("only %d pulls", pulls)
	}
	t.Logf("%d pulls, generation %d before", pulls, before)
}

// TestFullStickAndFullNodeSayWhatTheyNeed: eight sizes of free room each; what
// stood before stands, and with room the same command completes.
func TestFullStickAndFullNodeSayWhatTheyNeed(t *testing.T) {
	c, _ := bulky(t)
	for _, free := range []int64{0, 1, 4 << 10, 16 << 10, 50 << 10, 61 << 10, 100 << 10, 121 << 10} {
		t.Run(fmt.Sprintf("stick with %d bytes", free), func(t *testing.T) {
			stick := disktest.New()
			stick.Full(free)
			_, err := c.export(t.Context(), stick, 0)
			wantKind(t, err, disk.ErrNoSpace)
			if _, err := takes(t, stick, c.root); !errors.Is(err, portal.ErrNotFound) {
				t.Errorf("a half stick: %v", err)
			}
			stick.Full(-1)
			completes(t, c, stick)
		})
	}
	stick := disktest.New()
	_, err := c.export(t.Context(), stick, 0)
	must(t, err)
	for _, free := range []int64{0, 1, 1 << 10, 4 << 10, 16 << 10, 60 << 10, 70 << 10, 120 << 10} {
		t.Run(fmt.Sprintf("node with %d bytes", free), func(t *testing.T) {
			m := newMachine(disktest.New())
			m.init(t, c.root)
			m.disk.Full(free)
			_, err := m.take(t.Context(), stick)
			if !errors.Is(err, disk.ErrNoSpace) {
				t.Fatalf("%v", err)
			}
			if s, err := m.mirror().State(); err != nil || s.Generation != 0 && free < 100<<10 {
				t.Errorf("generation %d: %v", s.Generation, err)
			}
			m.disk.Full(-1)
			if got, err := m.take(t.Context(), stick); err != nil {
				t.Errorf("with room: release %d, %v", got, err)
			}
		})
	}
}

// TestFlippedBitsOnAStickAreNoticedOrHarmless: a bit somewhere on the stick is
// flipped; a node that takes it has what was signed, or refuses it in words.
func TestFlippedBitsOnAStickAreNoticedOrHarmless(t *testing.T) {
	c := newTraveller(t, 3)
	stick := disktest.New()
	_, err := c.export(t.Context(), stick, 0)
	must(t, err)
	files := names(t, stick, ".")
	flips := 50
	if os.Getenv("KOPRIK_SOAK") != "" {
		flips = 1000
	}
	const seed = 5
	rng := seeded(seed, 1)
	refusals := 0
	for i := range flips {
		name := files[rng.IntN(len(files))]
		b, err := disk.ReadFile(stick, name, 1<<20)
		must(t, err)
		flipped := bytes.Clone(b)
		flipped[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		must(t, disk.WriteFile(stick, name, flipped))
		got, err := takes(t, stick, c.root)
		switch {
		case err == nil && got != 3:
			t.Fatalf("flip %d in %s: release %d", i, name, got)
		case err != nil && !refused(err):
			t.Fatalf("flip %d in %s: %v", i, name, err)
		case err != nil:
			refusals++
		}
		_, err = c.export(t.Context(), stick, 0)
		must(t, err)
		mended, err := disk.ReadFile(stick, name, 1<<20)
		must(t, err)
		if !bytes.Equal(mended, b) { // a bit of the compressed form that says nothing
			if again, err := takes(t, stick, c.root); err != nil || again != 3 || !strings.HasPrefix(name, "objects/") {
				t.Fatalf("flip %d in %s: another export did not mend it: release %d, %v", i, name, again, err)
			}
			must(t, disk.WriteFile(stick, name, b))
		}
	}
	t.Logf("%d flips, seed %d: %d refused, %d in what nodes do not read", flips, seed, refusals, flips-refusals)
}
