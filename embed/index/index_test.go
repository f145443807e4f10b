package index

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"koprik/portal"
)

func TestAnIndexRemembersItsGenerationAndTheIdsOfTheLastUpdate(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	if x.Generation() != 0 || x.Interrupted() || len(lastUpdate(x)) != 0 {
		t.Fatalf("a new index: generation %d, interrupted %v, last %v", x.Generation(), x.Interrupted(), lastUpdate(x))
	}
	wantNames(t, "a new index", find(t, reader(t, x), portal.Query{}))
	update(t, x, 3, []portal.Dataset{dataset("a", "Aholi"), dataset("b", "Bolalar")})
	update(t, x, 4, []portal.Dataset{dataset("c", "Choy")}, "main_a")
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, dir)
	if want := []portal.DatasetID{"main_a", "main_c"}; x.Generation() != 4 || !slices.Equal(lastUpdate(x), want) {
		t.Errorf("generation %d, last %v", x.Generation(), lastUpdate(x))
	}
	r := reader(t, x)
	if r.Generation() != 4 {
		t.Errorf("reader: generation %d", r.Generation())
	}
	wantNames(t, "after reopening", find(t, r, portal.Query{Sort: portal.ByName}), "b", "c")
}

func TestAnUpdateReplacesRemovesAndKeepsOutWhatIsWithdrawn(t *testing.T) {
	x := filled(t, dataset("a", "Aholi soni"), dataset("b", "Bolalar soni"))
	update(t, x, 2, []portal.Dataset{dataset("a", "Qishloq xoʻjaligi"), dataset("b", "Bolalar soni", withdrawn)})
	r := reader(t, x)
	wantNames(t, "the old title", find(t, r, portal.Query{Text: "soni"}))
	wantNames(t, "the new title", find(t, r, portal.Query{Text: "qishloq"}), "a")
	all := find(t, r, portal.Query{})
	if all.Total != 1 || all.Facets[portal.FacetTheme]["economy"] != 1 {
		t.Errorf("%+v", all)
	}
	update(t, x, 3, nil)
	if x.Generation() != 3 || len(lastUpdate(x)) != 0 {
		t.Errorf("an update of nothing: generation %d, last %v", x.Generation(), lastUpdate(x))
	}
}

func TestASecondHandleIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	begun := time.Now()
	if _, err := Open(dir); !errors.Is(err, ErrLocked) || !errors.Is(err, portal.ErrLocked) {
		t.Errorf("second open: %v", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestANewMappingMakesANewBuildAndRemovesTheOld(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "m0", "store")
	if err := os.MkdirAll(old, 0o700); err != nil {
		t.Fatal(err)
	}
	x := open(t, dir)
	if x.Generation() != 0 {
		t.Errorf("generation %d", x.Generation())
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old build: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, mappingVersion)); err != nil {
		t.Error(err)
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	update(t, x, 1, numbered(3))
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	if x := open(t, dir); x.Generation() != 0 {
		t.Errorf("generation %d", x.Generation())
	}
}

func TestAClosedIndexRefusesAndItsReadersStay(t *testing.T) {
	x := filled(t, dataset("a", "Aholi"))
	r := reader(t, x)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	wantNames(t, "a reader after Close", find(t, r, portal.Query{Text: "aholi"}), "a")
	if _, err := x.Reader(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Reader: %v", err)
	}
	if err := x.Update(t.Context(), 2, nil, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Update: %v", err)
	}
	r.Close()
	r.Close()
	if _, err := r.Search(t.Context(), portal.Query{}); err == nil {
		t.Error("a closed reader answers")
	}
}

func TestACancelledUpdateChangesNothingForReaders(t *testing.T) {
	x := filled(t, numbered(3)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Update(ctx, 2, nil, []portal.DatasetID{"main_d0000"}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if x.Interrupted() || x.Generation() != 1 {
		t.Errorf("interrupted %v, generation %d", x.Interrupted(), x.Generation())
	}
	if n := find(t, reader(t, x), portal.Query{}).Total; n != 3 {
		t.Errorf("%d", n)
	}
}
