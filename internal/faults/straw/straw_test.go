package straw_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"koprik/internal/faults"
)

// contender is one row of the comparison.
type contender struct {
	name                string
	plain, distant, run cost // over the perfect, the far and the thin line
	still               cost // unchanged, over the perfect line
	first               cost // everything, over the perfect line
	skipped             string
}

// trips is how many round trips were waited for, one after the other. Programs
// that speak HTTP wait for each connect and each answer, as counted on the line;
// what goes side by side counts as if it did not. rsync's daemon speaks both ways
// at once: of it that is what the far line took longer than the perfect one, which
// differs in nothing else.
func (c contender) trips() float64 {
	switch {
	case c.plain.requests == 0:
		return float64(c.distant.took-c.plain.took) / float64(roundTrip)
	case c.distant.gaveUp:
		return float64(c.plain.turns + c.plain.conns)
	}
	return float64(c.distant.turns + c.distant.conns)
}

// computed is how long it would take over the thin line.
func (c contender) computed() time.Duration {
	return c.plain.took + time.Duration(c.trips()*float64(roundTrip)) +
		time.Duration(float64(max(c.plain.up, c.plain.down))/rate*float64(time.Second))
}

// TestBenchSync is `make bench-sync DATA=…`.
func TestBenchSync(t *testing.T) {
	program, data := os.Getenv("KOPRIK_BENCH_SYNC"), os.Getenv("KOPRIK_VERSIONS")
	if program == "" || data == "" {
		t.Skip("KOPRIK_BENCH_SYNC names no program, or KOPRIK_VERSIONS no folder of successive versions: make bench-sync DATA=…")
	}
	all := readSeries(t, data)
	list := catalogue(t, all)
	describe(list)
	r := &rivals{list: list}
	r.old, r.fresh = trees(t, t.TempDir(), list)
	ours, lossy := measureKoprik(t, program, list)
	contenders := []contender{ours}
	for _, rival := range competitors {
		contenders = append(contenders, measureRival(t, r, rival))
	}
	report(t, contenders, lossy)
}

func describe(list []entry) {
	var old, fresh int
	var names []string
	for _, e := range list {
		old, fresh = old+len(e.old), fresh+len(e.fresh)
		if e.pair != "" {
			names = append(names, e.pair)
		}
	}
	fmt.Printf("catalogue: %d files, %d bytes before, %d after; %d change: %s\n", len(list), old, fresh, len(names), strings.Join(names, ", "))
	fmt.Printf("apart, in the table of files only: iss-bollettino-pdf, ita-regioni-json v3 v4\n")
}

// measureKoprik runs a centre and mirrors as processes; lossy is the change over
// the line that loses and cuts.
func measureKoprik(t *testing.T, program string, list []entry) (ours contender, lossy cost) {
	t.Helper()
	ours.name = "koprik"
	c := newCentre(t, program)
	_, took := c.publish(t, list, func(e entry) []byte { return e.old })
	fmt.Printf("koprik publishes %d files in %v\n", len(list), took.Round(time.Millisecond))
	c.serve(t)
	base := c.newMirror(t)
	ours.first = c.sync(t, base, lay(t, c.addr, perfect()))
	beyond := c.sync(t, c.newMirror(t), lay(t, c.addr, satellite()))
	fmt.Printf("koprik's first sync by satellite: %d bytes in %d requests over %d connections, in %v; the line alone takes %v\n", beyond.bytes(), beyond.requests,
		beyond.conns, beyond.took.Round(time.Second), time.Duration(float64(beyond.down)/satelliteRate*float64(time.Second)).Round(time.Second))
	var change []entry
	for _, e := range list {
		if e.pair != "" {
			change = append(change, e)
		}
	}
	generation, took := c.publish(t, change, func(e entry) []byte { return e.fresh })
	carriers := c.settled(t, generation)
	fmt.Printf("koprik publishes %d changes in %v, carriers %v later; its server held at most %d MB\n", len(change), took.Round(time.Millisecond), carriers.Round(time.Millisecond), c.memory()>>20)

	note(t, "publishing: MB of memory of the server", float64(c.memory()>>20), 1024)

	near := copyTree(t, base)
	ours.plain = c.sync(t, near, lay(t, c.addr, perfect()))
	c.same(t, near, list)
	ours.still = c.sync(t, near, lay(t, c.addr, perfect()))
	fmt.Printf("koprik sync: %d bytes, %d MB; unchanged %d bytes, %d MB\n", ours.plain.bytes(), ours.plain.memory>>20, ours.still.bytes(), ours.still.memory>>20)
	ours.distant = c.sync(t, copyTree(t, base), lay(t, c.addr, far()))
	if ours.plain.bytes() > patience {
		fmt.Printf("%d bytes would take %v on the thin line: not run\n", ours.plain.bytes(), ours.computed().Round(time.Second))
		return ours, lossy
	}
	var both sync.WaitGroup
	slow, broken := copyTree(t, base), copyTree(t, base)
	both.Go(func() { ours.run = c.sync(t, slow, lay(t, c.addr, thin())) })
	both.Go(func() { lossy = c.sync(t, broken, lay(t, c.addr, bad(1))) })
	both.Wait()
	c.same(t, broken, list)
	return ours, lossy
}

// patience is how many bytes are sent over the thin line, in two minutes; of what
// takes more the time is computed, so that a run ends within ten minutes.
const patience = 1_000_000

func measureRival(t *testing.T, r *rivals, rival rival) contender {
	t.Helper()
	c := contender{name: rival.name, skipped: rival.missing()}
	if c.skipped != "" {
		fmt.Printf("%s is left out: %s\n", c.name, c.skipped)
		return c
	}
	fmt.Printf("%s: %s\n", c.name, version(rival.programs[0]))
	server, requests, run := rival.prepare(t, r)
	on := func(link *faults.Link, dir string) cost { return r.over(t, link, server, requests, run, dir) }
	near := copyTree(t, r.old)
	c.plain = on(perfect(), near)
	c.still = on(perfect(), near)
	c.distant = on(far(), copyTree(t, r.old))
	if c.plain.bytes() <= patience {
		c.run = on(thin(), copyTree(t, r.old))
	}
	if rival.name == "rsync -az" {
		empty := t.TempDir()
		c.first = on(perfect(), empty)
	}
	return c
}
