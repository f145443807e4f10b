package catalog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"koprik/portal"
	"koprik/portal/datapackage"
)

const turning = 12 // datasets that every generation gives a new title

// turn is the change to a generation in which every dataset has the
// generation's number for its title, two come and go, and the publisher's
// record is of that version.
func turn(t testing.TB, last map[portal.DatasetID]portal.SignedManifest, g int64) portal.Change {
	ch := portal.Change{
		Generation: g, State: portal.CopyState{AsOf: day0.AddDate(0, 0, int(g))},
		Publishers: []portal.PublisherRecord{record(t, "main", int(g), fmt.Sprint(g))},
		Removed:    []portal.DatasetID{visitor(g - 1)},
	}
	var upserts []portal.Upsert
	for i := range turning {
		id := portal.DatasetID(fmt.Sprintf("main_%02d", i))
		r := portal.Release{Dataset: id, Number: 1}
		if before, ok := last[id]; ok {
			r.Number = before.Number + 1
			r.Previous = &portal.PreviousRelease{Release: before.Number, SHA256: portal.DigestOf(before.Bytes), Length: int64(len(before.Bytes))}
		}
		last[id] = turned(t, r, g)
		upserts = append(upserts, upsert([]portal.SignedManifest{last[id]}, fmt.Sprint(g)))
	}
	upserts = append(upserts, upsert([]portal.SignedManifest{turned(t, portal.Release{Dataset: visitor(g), Number: 1}, g)}, fmt.Sprint(g)))
	ch.Upserts = portal.Upserts(upserts...)
	return ch
}

func visitor(g int64) portal.DatasetID { return portal.DatasetID(fmt.Sprintf("main_visitor-%d", g)) }

func turned(t testing.TB, r portal.Release, g int64) portal.SignedManifest {
	template, err := datapackage.Decode(chain(t, r.Dataset, 1, fmt.Sprint(g))[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	template.Number, template.Previous = r.Number, r.Previous
	return sign(t, template)
}

// whole fails unless everything that s gives is of one generation of turn.
func whole(t testing.TB, s *Snapshot) int64 {
	ctx := context.Background()
	g := s.State().Generation
	if n, err := s.Count(ctx); err != nil || n != turning+1 && g > 0 {
		t.Errorf("generation %d: %d datasets counted, %v", g, n, err)
	}
	if g > 0 && !s.State().AsOf.Equal(day0.AddDate(0, 0, int(g))) {
		t.Errorf("generation %d: as of %v", g, s.State().AsOf)
	}
	n := 0
	err := s.All(ctx, func(d portal.Dataset) error {
		n++
		if want := fmt.Sprint(g); d.Latest.Title.Plain != want || d.Publisher.Title.Plain != want || len(d.Signers) != 1 || d.Signers[0] != want {
			t.Errorf("generation %d: %s is of %s, its publisher of %s, its signers of %v", g, d.ID, d.Latest.Title.Plain, d.Publisher.Title.Plain, d.Signers)
		}
		if d.ID != visitor(g) && len(d.History) != int(g) || d.History[0].Manifest != d.Manifest {
			t.Errorf("generation %d: %s has %d in its history", g, d.ID, len(d.History))
		}
		return nil
	})
	if err != nil || n != turning+1 && g > 0 {
		t.Errorf("generation %d: %d datasets, %v", g, n, err)
	}
	return g
}

// TestReadersSeeOneGenerationWhileItTurns reads from many goroutines while
// generations are committed and rolled back.
func TestReadersSeeOneGenerationWhileItTurns(t *testing.T) {
	const generations, readers = 20, 6
	ctx := context.Background()
	c := fresh(t)
	apply(t, c, turn(t, map[portal.DatasetID]portal.SignedManifest{}, 1))
	var group sync.WaitGroup
	var done atomic.Bool
	var reads atomic.Int64
	for range readers {
		group.Go(func() {
			var last int64
			for !done.Load() {
				s, err := c.Snapshot(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				g := whole(t, s)
				if g < last {
					t.Errorf("generation %d after %d", g, last)
				}
				last = g
				if _, _, err := c.ChangedSince(ctx, g); err != nil {
					t.Error(err)
				}
				if again := whole(t, s); again != g {
					t.Errorf("a snapshot went from %d to %d", g, again)
				}
				s.Close()
				reads.Add(1)
			}
		})
	}
	last := map[portal.DatasetID]portal.SignedManifest{}
	turn(t, last, 1)
	for g := int64(2); g <= generations && !t.Failed(); g++ {
		ch := turn(t, last, g)
		p := prepare(t, c, ch)
		if err := p.Rollback(); err != nil {
			t.Fatal(err)
		}
		apply(t, c, ch)
	}
	done.Store(true)
	group.Wait()
	if g := whole(t, snapshot(t, c)); g != generations {
		t.Errorf("ends at %d", g)
	}
	t.Logf("%d snapshots read during %d generations", reads.Load(), generations)
}

func TestWriterAndReadersDoNotWaitForEachOther(t *testing.T) {
	c := fresh(t)
	last := map[portal.DatasetID]portal.SignedManifest{}
	apply(t, c, turn(t, last, 1))
	var held []*Snapshot
	for g := int64(2); g < 10; g++ { // each generation is held while the next ones are written; nothing here would end if one waited
		held = append(held, snapshot(t, c))
		p := prepare(t, c, turn(t, last, g))
		held = append(held, snapshot(t, c))
		if err := p.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range held {
		if g := whole(t, s); g != int64(i/2+1) {
			t.Errorf("snapshot %d is of generation %d", i, g)
		}
	}
}

// TestAKilledProcessLeavesOneWholeGeneration runs itself as a child that
// commits generations without end, and kills it in the middle.
func TestAKilledProcessLeavesOneWholeGeneration(t *testing.T) {
	ctx := context.Background()
	if path := os.Getenv("KOPRIK_TEST_CHILD"); path != "" {
		commitWithoutEnd(t, path)
	}
	path := filepath.Join(t.TempDir(), "catalog.db")
	for round := range 8 {
		child := exec.Command(os.Args[0], "-test.run=^TestAKilledProcessLeavesOneWholeGeneration$")
		child.Env = append(os.Environ(), "KOPRIK_TEST_CHILD="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var acked int64
		lines := bufio.NewScanner(out)
		for n := 0; n <= round && lines.Scan(); n++ { // each round a little later, and wherever in a commit that happens to be
			if _, err := fmt.Sscanf(lines.Text(), "committed %d", &acked); err != nil {
				t.Fatalf("child says %q", lines.Text())
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it had said before it died
			_, _ = fmt.Sscanf(lines.Text(), "committed %d", &acked)
		}
		_ = child.Wait()
		c := open(t, path)
		if g := whole(t, snapshot(t, c)); g < acked {
			t.Errorf("generation %d is held, %d was committed", g, acked)
		}
		var problems string
		if err := c.db.Read.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&problems); err != nil || problems != "ok" {
			t.Errorf("integrity: %s, %v", problems, err)
		}
		if rows, err := c.db.Read.QueryContext(ctx, "PRAGMA foreign_key_check"); err != nil || rows.Next() {
			t.Errorf("a foreign key dangles, %v", err)
		} else if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
		c.Close()
	}
}

func commitWithoutEnd(t *testing.T, path string) {
	c := open(t, path)
	last := map[portal.DatasetID]portal.SignedManifest{}
	g, err := c.Generation(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for past := range g {
		turn(t, last, past+1)
	}
	for g++; ; g++ {
		apply(t, c, turn(t, last, g))
		fmt.Printf("committed %d\n", g)
	}
}
