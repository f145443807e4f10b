package catalog

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
	"koprik/portal/datapackage"
)

func prepare(t testing.TB, c *Catalog, ch portal.Change) *Pending {
	t.Helper()
	p, err := c.Prepare(context.Background(), ch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Rollback() })
	return p
}

func TestNothingIsSeenBeforeCommit(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(upsert(chain(t, "main_a", 1, "A")))})
	before := snapshot(t, c)
	p := prepare(t, c, portal.Change{Generation: 2, Upserts: portal.Upserts(upsert(chain(t, "main_b", 1, "B"))), Removed: []portal.DatasetID{"main_a"}})
	want(t, c, 1, "main_a/1 A")
	if g, err := c.Generation(ctx); g != 1 || err != nil {
		t.Errorf("generation %d, %v", g, err)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, c, 2, "main_b/1 B")
	if got := titles(t, before); !cmp.Equal(got, []string{"main_a/1 A"}) || before.State().Generation != 1 {
		t.Errorf("the snapshot of before moved: %v", got)
	}
	if n, err := before.Count(ctx); n != 1 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
	before.Close()
	before.Close()
	if _, err := before.Dataset(ctx, "main_a"); err == nil || errors.Is(err, portal.ErrNotFound) {
		t.Errorf("a closed snapshot answers %v", err)
	}
}

func TestRollbackLeavesNothing(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	a := chain(t, "main_a", 2, "A")
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(upsert(a[:1], "aa")), Publishers: []portal.PublisherRecord{record(t, "main", 1, "Main")}})
	for _, ch := range []portal.Change{
		{Generation: 2, Upserts: portal.Upserts(upsert(a[1:], "bb"), upsert(chain(t, "main_b", 1, "B"))), Publishers: []portal.PublisherRecord{record(t, "main", 2, "New")}},
		{Generation: 2, Full: true},
	} {
		p := prepare(t, c, ch)
		if err := p.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := p.Rollback(); err != nil {
			t.Errorf("twice: %v", err)
		}
		if err := p.Commit(); err == nil {
			t.Error("committed after the rollback")
		}
		want(t, c, 1, "main_a/1 A")
		d, err := snapshot(t, c).Dataset(ctx, "main_a")
		if err != nil || !cmp.Equal(d.Signers, []string{"aa"}) || d.Publisher.Title.Plain != "Main" {
			t.Errorf("%+v, %v", d, err)
		}
		if ids, complete, err := c.ChangedSince(ctx, 1); len(ids) != 0 || !complete || err != nil {
			t.Errorf("log: %v, %v, %v", ids, complete, err)
		}
	}
	p := prepare(t, c, portal.Change{Generation: 2})
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := p.Rollback(); err != nil {
		t.Errorf("rollback after commit: %v", err)
	}
	want(t, c, 2, "main_a/1 A")
}

func TestPendingGivesWhatWillReadDifferently(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	a := chain(t, "main_a", 2, "A")
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(
		upsert(a[:1]), upsert(chain(t, "main_b", 1, "B")), upsert(chain(t, "main_c", 1, "C")), upsert(chain(t, "agro_d", 1, "D")),
	)})
	p := prepare(t, c, portal.Change{
		Generation: 2, Upserts: portal.Upserts(upsert(chain(t, "zoo_z", 1, "Z")), upsert(a[1:], "cc")),
		Publishers: []portal.PublisherRecord{record(t, "main", 1, "Main")}, Removed: []portal.DatasetID{"main_c", "main_never", "main_c"},
	})
	list, err := p.Datasets(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range list {
		got = append(got, fmt.Sprintf("%s/%d of %q, %d in history, %v", d.ID, d.Latest.Number, d.Publisher.Title.Plain, len(d.History), d.Signers))
	}
	if d := cmp.Diff([]string{
		`zoo_z/1 of "", 1 in history, []`, `main_a/2 of "Main", 2 in history, [cc]`, `main_b/1 of "Main", 1 in history, []`,
	}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff([]portal.DatasetID{"main_c"}, p.Removed()); d != "" {
		t.Errorf("removed: %s", d)
	}
}

func TestOtherSignersReplaceThoseOfAllDatasetsAndNoneSuspends(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(
		upsert(chain(t, "main_a", 1, "A"), "aa"), upsert(chain(t, "main_b", 1, "B"), "aa"), upsert(chain(t, "agro_d", 1, "D"), "dd"),
	)})
	for i, want := range []struct {
		signers   []string
		suspended bool
	}{{nil, true}, {[]string{"bb", "cc"}, false}} {
		apply(t, c, portal.Change{Generation: int64(i + 2), Signers: map[portal.PublisherID][]string{"main": want.signers}})
		s, err := c.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Datasets(ctx, []portal.DatasetID{"main_a", "main_b", "agro_d"})
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list[:2] {
			if !cmp.Equal(want.signers, d.Signers) || d.Suspended != want.suspended {
				t.Errorf("%s: signed by %v, suspended: %v", d.ID, d.Signers, d.Suspended)
			}
		}
		if !cmp.Equal([]string{"dd"}, list[2].Signers) || list[2].Suspended {
			t.Errorf("another publisher's: %v %v", list[2].Signers, list[2].Suspended)
		}
	}
}

func TestAFullChangeLeavesOnlyWhatItNames(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	a := chain(t, "main_a", 3, "A")
	apply(t, c, portal.Change{
		Generation: 9, State: portal.CopyState{Repository: portal.DigestOf([]byte("one"))},
		Upserts:    portal.Upserts(upsert(a), upsert(chain(t, "main_b", 2, "B")), upsert(chain(t, "old_c", 1, "C"))),
		Publishers: []portal.PublisherRecord{record(t, "main", 4, "Main"), record(t, "old", 1, "Old")},
	})
	p := prepare(t, c, portal.Change{ // an older generation of another repository, with other bytes under the same numbers
		Generation: 3, Full: true, State: portal.CopyState{Repository: portal.DigestOf([]byte("two"))},
		Upserts:    portal.Upserts(upsert(a[1:2]), upsert(chain(t, "main_b", 1, "Other B"))),
		Publishers: []portal.PublisherRecord{record(t, "main", 2, "Main of before")},
	})
	if d := cmp.Diff([]portal.DatasetID{"old_c"}, p.Removed()); d != "" {
		t.Errorf("removed: %s", d)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, c, 3, "main_a/2 A", "main_b/1 Other B")
	s := snapshot(t, c)
	for id, releases := range map[portal.DatasetID]int{"main_a": 2, "main_b": 1} {
		d, err := s.Dataset(ctx, id)
		if err != nil || len(d.History) != releases || d.Publisher.Version != 2 {
			t.Errorf("%s: %d in history, publisher's version %d, %v", id, len(d.History), d.Publisher.Version, err)
		}
	}
	if _, err := s.Release(ctx, "old_c", 1); !errors.Is(err, portal.ErrNotFound) {
		t.Errorf("a removed release: %v", err)
	}
	if list, err := s.Publishers(ctx); len(list) != 1 || err != nil {
		t.Errorf("publishers %v, %v", list, err)
	}
	var orphans int
	err := c.db.Read.QueryRow(`SELECT (SELECT count(*) FROM releases WHERE dataset NOT IN (SELECT id FROM datasets))
		+ (SELECT count(*) FROM signers WHERE dataset NOT IN (SELECT id FROM datasets))`).Scan(&orphans)
	if err != nil || orphans != 0 {
		t.Errorf("%d rows of removed datasets, %v", orphans, err)
	}
}

func TestTheSameGenerationMayComeAgain(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	a := chain(t, "main_a", 2, "A")
	change := portal.Change{
		Generation: 4, State: portal.CopyState{AsOf: day0}, Upserts: portal.Upserts(upsert(a, "aa")),
		Publishers: []portal.PublisherRecord{record(t, "main", 1, "Main")},
	}
	apply(t, c, change)
	apply(t, c, change)
	change = portal.Change{Generation: 4, State: portal.CopyState{AsOf: day0.AddDate(0, 0, 1)}} // the daily timestamp
	apply(t, c, change)
	want(t, c, 4, "main_a/2 A")
	s := snapshot(t, c)
	if !s.State().AsOf.Equal(day0.AddDate(0, 0, 1)) {
		t.Errorf("as of %v", s.State().AsOf)
	}
	if d, err := s.Dataset(ctx, "main_a"); err != nil || len(d.History) != 2 || len(d.Signers) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
}

// edited is release n+1 after list, with what edit makes of it.
func edited(t *testing.T, list []portal.SignedManifest, edit func(*portal.Release)) portal.SignedManifest {
	t.Helper()
	last := list[len(list)-1]
	r, err := datapackage.Decode(last.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	r.Number++
	r.Previous = &portal.PreviousRelease{Release: last.Number, SHA256: portal.DigestOf(last.Bytes), Length: int64(len(last.Bytes))}
	edit(&r)
	return sign(t, r)
}

func TestPrepareRefusesWhatContradictsWhatIsHeld(t *testing.T) {
	ctx := context.Background()
	held := chain(t, "main_a", 3, "A")
	other := chain(t, "main_a", 4, "Another A")
	keep := func(*portal.Release) {}
	one := func(list ...portal.SignedManifest) portal.Change {
		return portal.Change{Generation: 6, Upserts: portal.Upserts(upsert(list))}
	}
	named := func(m portal.SignedManifest, id portal.DatasetID, number int) portal.SignedManifest {
		return portal.SignedManifest{Dataset: id, Number: number, Bytes: m.Bytes}
	}
	for name, ch := range map[string]portal.Change{
		"an older generation":         {Generation: 4},
		"another repository":          {Generation: 6, State: portal.CopyState{Repository: portal.DigestOf([]byte("two"))}},
		"an older release":            one(held[1]),
		"another release 3":           one(other[2]),
		"another chain":               one(other...),
		"a release after another 3":   one(other[3]),
		"a release after a gap":       one(edited(t, other, keep)),
		"a gap inside":                one(held[0], held[2]),
		"out of order":                one(held[1], held[0]),
		"a wrong length of previous":  one(edited(t, held, func(r *portal.Release) { r.Previous.Length++ })),
		"a new dataset from its 2nd":  {Generation: 6, Upserts: portal.Upserts(upsert(chain(t, "main_new", 2, "N")[1:]))},
		"the manifest of another":     one(named(chain(t, "main_b", 4, "B")[3], "main_a", 4)),
		"the manifest of another no":  one(named(held[2], "main_a", 4)),
		"a dataset that isn't one":    {Generation: 6, Upserts: portal.Upserts(portal.Upsert{Dataset: "../etc", Manifests: held})},
		"no manifest":                 {Generation: 6, Upserts: portal.Upserts(portal.Upsert{Dataset: "main_a"})},
		"an older record":             {Generation: 6, Publishers: []portal.PublisherRecord{record(t, "main", 1, "Main")}},
		"another record":              {Generation: 6, Publishers: []portal.PublisherRecord{record(t, "main", 2, "Not main")}},
		"the record of another":       {Generation: 6, Publishers: []portal.PublisherRecord{{Publisher: portal.Publisher{ID: "main", Version: 1}, Bytes: record(t, "agro", 1, "Agro").Bytes}}},
		"a record of another version": {Generation: 6, Publishers: []portal.PublisherRecord{{Publisher: portal.Publisher{ID: "main", Version: 3}, Bytes: record(t, "main", 4, "Main").Bytes}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := fresh(t)
			apply(t, c, portal.Change{
				Generation: 5, State: portal.CopyState{Repository: portal.DigestOf([]byte("one"))}, Upserts: portal.Upserts(upsert(held)),
				Publishers: []portal.PublisherRecord{record(t, "main", 2, "Main")},
			})
			if _, err := c.Prepare(ctx, ch); !errors.Is(err, portal.ErrUnverified) && !errors.Is(err, portal.ErrRejected) {
				t.Errorf("%v", err)
			}
			want(t, c, 5, "main_a/3 A")
			apply(t, c, portal.Change{Generation: 6, Upserts: portal.Upserts(upsert(append(held[2:3:3], edited(t, held, keep))))}) // the writer is free again
		})
	}
}

func TestPrepareRefusesAChangeThatSaysTwoThings(t *testing.T) {
	c := fresh(t)
	a := chain(t, "main_a", 1, "A")
	for name, ch := range map[string]portal.Change{
		"no generation":            {},
		"a negative generation":    {Generation: -1, Full: true},
		"the state of another":     {Generation: 2, State: portal.CopyState{Generation: 3}},
		"one dataset twice":        {Generation: 2, Upserts: portal.Upserts(upsert(a), upsert(a))},
		"upserted and removed":     {Generation: 2, Upserts: portal.Upserts(upsert(a)), Removed: []portal.DatasetID{"main_a"}},
		"bytes that are no record": {Generation: 2, Publishers: []portal.PublisherRecord{{Publisher: portal.Publisher{ID: "main"}, Bytes: []byte("{")}}},
		"bytes that are no manifest": {Generation: 2, Upserts: portal.Upserts(
			portal.Upsert{Dataset: "main_a", Manifests: []portal.SignedManifest{{Dataset: "main_a", Number: 1, Bytes: []byte("null")}}},
		)},
	} {
		if _, err := c.Prepare(context.Background(), ch); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	want(t, c, 0)
}

func TestAnEndedContextLeavesNothingAndFreesTheWriter(t *testing.T) {
	c := fresh(t)
	a := upsert(chain(t, "main_a", 1, "A"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Prepare(ctx, portal.Change{Generation: 1, Upserts: portal.Upserts(a)}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended before: %v", err)
	}
	if _, err := c.Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("snapshot: %v", err)
	}
	first := prepare(t, c, portal.Change{Generation: 1})
	waiting, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := c.Prepare(waiting, portal.Change{Generation: 2})
		done <- err
	}()
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended while another was pending: %v", err)
	}
	if err := first.Rollback(); err != nil {
		t.Fatal(err)
	}

	ctx, cancel = context.WithCancel(context.Background())
	p, err := c.Prepare(ctx, portal.Change{Generation: 1, Upserts: portal.Upserts(a)})
	if err != nil {
		t.Fatal(err)
	}
	cancel() // what is prepared is committed all the same
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, c, 1, "main_a/1 A")
}

func TestAPreparationThatIsInterruptedLeavesNothing(t *testing.T) {
	c := fresh(t)
	first := portal.Change{Generation: 1, Upserts: portal.Upserts(upsert(chain(t, "main_a", 1, "A")))}
	apply(t, c, first)
	large := portal.Change{Generation: 2, Full: true}
	var upserts []portal.Upsert
	for i := range 300 {
		upserts = append(upserts, upsert(chain(t, portal.DatasetID(fmt.Sprintf("main_%03d", i)), 1, "x")))
	}
	large.Upserts = portal.Upserts(upserts...)
	for i := range 12 { // wherever in the change that happens to be
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*400*time.Microsecond)
		p, err := c.Prepare(ctx, large)
		cancel()
		switch {
		case err == nil:
			err = p.Rollback()
			if err != nil {
				t.Error(err)
			}
		case !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("after %d: %v", i, err)
		}
		want(t, c, 1, "main_a/1 A")
	}
	apply(t, c, first)
	apply(t, c, large)
}
