package index

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"

	"koprik/portal"
)

// The child that TestAKilledUpdate runs finds its folder here.
const crashDir = "KOPRIK_TEST_CRASH_DIR"

// TestMain becomes the child that dies in the middle of an update, or one that
// indexes, or fills indexes, until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		indexForEver(dir)
	}
	if dir := os.Getenv(rebuildDir); dir != "" {
		rebuildForEver(dir)
	}
	if dir := os.Getenv(crashDir); dir != "" {
		dieInUpdate(dir)
	}
	os.Exit(m.Run())
}

// dieInUpdate fills generation 1 and dies after the second batch of the update
// to 2, without closing anything.
func dieInUpdate(dir string) {
	x, err := Open(dir)
	if err != nil {
		panic(err)
	}
	if err := x.Update(context.Background(), 1, numbered(10), nil); err != nil {
		panic(err)
	}
	batches := 0
	x.batch = 2
	x.afterBatch = func() {
		if batches++; batches == 2 {
			os.Exit(7)
		}
	}
	_ = x.Update(context.Background(), 2, renamed(), []portal.DatasetID{"main_d0009"})
}

// renamed are the first six of numbered with other titles.
func renamed() []portal.Dataset {
	ds := numbered(6)
	for i := range ds {
		ds[i].Latest.Title = portal.PlainText("Qishloq")
	}
	return ds
}

func TestAKilledUpdateIsReportedAndMended(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Fatalf("the child: %v\n%s", err, out)
	}
	x := open(t, dir)
	if x.Generation() != 1 || !x.Interrupted() {
		t.Fatalf("generation %d, interrupted %v", x.Generation(), x.Interrupted())
	}
	if _, err := x.Reader(); !errors.Is(err, ErrInterrupted) {
		t.Errorf("Reader in the middle of an update: %v", err)
	}
	if got, known := x.LastUpdate(); !known || !slices.Equal(got, ids(numbered(10))) {
		t.Errorf("LastUpdate %v, known %v", got, known)
	}
	// The catalogue's commit never came: the node brings generation 1 again.
	mend(t, x, 1, numbered(10))
	r := reader(t, x)
	if n := find(t, r, portal.Query{Text: "aholi"}).Total; n != 10 {
		t.Errorf("%d of generation 1", n)
	}
	wantNames(t, "of generation 2", find(t, r, portal.Query{Text: "qishloq"}))
}

// mend does what the node does: LastUpdate's datasets as the catalogue has them.
func mend(t *testing.T, x *Index, generation int64, catalogue []portal.Dataset) {
	t.Helper()
	var upserts []portal.Dataset
	var removed []portal.DatasetID
	touched, _ := x.LastUpdate()
	for _, id := range touched {
		i := slices.IndexFunc(catalogue, func(d portal.Dataset) bool { return d.ID == id })
		if i < 0 {
			removed = append(removed, id)
		} else {
			upserts = append(upserts, catalogue[i])
		}
	}
	update(t, x, generation, upserts, removed...)
	if x.Interrupted() || x.Generation() != generation {
		t.Errorf("mended: interrupted %v, generation %d", x.Interrupted(), x.Generation())
	}
}

// interrupt stops the update to generation 2 after its first batch.
func interrupt(t *testing.T, x *Index) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	x.batch, x.afterBatch = 2, cancel
	if err := x.Update(ctx, 2, renamed(), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	x.batch, x.afterBatch = batchSize, nil
}

func TestAnInterruptedUpdateKeepsReadersOnTheOldGeneration(t *testing.T) {
	x := filled(t, numbered(8)...)
	interrupt(t, x)
	if !x.Interrupted() || x.Generation() != 1 {
		t.Fatalf("interrupted %v, generation %d", x.Interrupted(), x.Generation())
	}
	r := reader(t, x)
	if n := find(t, r, portal.Query{Text: "aholi"}).Total; n != 8 || r.Generation() != 1 {
		t.Errorf("%d of generation %d", n, r.Generation())
	}
	// The same process goes on: the next update brings all of it.
	mend(t, x, 3, append(renamed(), numbered(8)[6:]...))
	if n := find(t, reader(t, x), portal.Query{Text: "qishloq"}).Total; n != 6 {
		t.Errorf("%d of generation 3", n)
	}
}

func TestAnUpdateThatLeavesOutAnInterruptedDatasetIsRefused(t *testing.T) {
	x := filled(t, numbered(8)...)
	interrupt(t, x)
	err := x.Update(t.Context(), 3, numbered(1), nil)
	if !errors.Is(err, ErrInterrupted) {
		t.Fatalf("got %v", err)
	}
	if last, known := x.LastUpdate(); !x.Interrupted() || !known || len(last) != 8 {
		t.Errorf("interrupted %v, last %v", x.Interrupted(), last)
	}
}

func TestReadersSeeAllBatchesOfAnUpdateOrNone(t *testing.T) {
	x := filled(t, numbered(8)...)
	x.batch = 2
	batches := 0
	x.afterBatch = func() {
		batches++
		r, err := x.Reader()
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Close()
		if results, err := r.Search(t.Context(), portal.Query{Text: "qishloq"}); err != nil || results.Total != 0 || r.Generation() != 1 {
			t.Errorf("in batch %d: %d found in generation %d, %v", batches, results.Total, r.Generation(), err)
		}
	}
	update(t, x, 2, renamed())
	if n := find(t, reader(t, x), portal.Query{Text: "qishloq"}).Total; n != 6 || batches != 2 {
		t.Errorf("%d found after %d batches", n, batches)
	}
}

// every gives datasets one after another.
func every(ds []portal.Dataset) func(func(portal.Dataset, error) bool) {
	return func(yield func(portal.Dataset, error) bool) {
		for i := range ds {
			if !yield(ds[i], nil) {
				return
			}
		}
	}
}

func TestARebuildIsFilledAndDescribed(t *testing.T) {
	x := open(t, t.TempDir())
	x.batch = 3
	describe := func(d *Document) error {
		d.Values = []string{"Chirchiq " + d.Dataset.ID.Name()}
		return nil
	}
	if err := x.Rebuild(t.Context(), 7, every(append(numbered(8), dataset("gone", "Aholi", withdrawn))), describe); err != nil {
		t.Fatal(err)
	}
	r := reader(t, x)
	if n := find(t, r, portal.Query{Text: "chirchiq"}).Total; n != 8 || x.Generation() != 7 || x.Interrupted() {
		t.Errorf("%d found in generation %d, interrupted %v", n, x.Generation(), x.Interrupted())
	}
	if _, known := x.LastUpdate(); known {
		t.Error("a rebuild's ids are said to be known")
	}
	if err := x.Rebuild(t.Context(), 8, every(nil), nil); err == nil {
		t.Error("an index that is not empty was rebuilt")
	}
	update(t, x, 8, renamed())
	if last, known := x.LastUpdate(); !known || len(last) != 6 {
		t.Errorf("after an update: %v, %v", last, known)
	}
}

func TestARebuildThatIsCutOffIsDamaged(t *testing.T) {
	dir := t.TempDir()
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	x.batch = 2
	ctx, cancel := context.WithCancel(t.Context())
	x.afterBatch = cancel
	if err := x.Rebuild(ctx, 7, every(numbered(8)), nil); !errors.Is(err, context.Canceled) || !x.Interrupted() {
		t.Fatalf("%v, interrupted %v", err, x.Interrupted())
	}
	if err := x.Update(t.Context(), 8, numbered(8), nil); !errors.Is(err, ErrInterrupted) {
		t.Errorf("an update after it: %v", err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened: %v", err)
	}
}

func TestAnErrorWhileDatasetsAreReadEndsAnUpdate(t *testing.T) {
	x := filled(t, numbered(4)...)
	bad := errors.New("the catalogue ends here")
	err := x.UpdateWith(t.Context(), 2, renamed(), nil, func(d *Document) error {
		if d.Dataset.ID.Name() == "d0003" {
			return bad
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Fatal(err)
	}
	if r := reader(t, x); r.Generation() != 1 || find(t, r, portal.Query{Text: "aholi"}).Total != 4 {
		t.Errorf("generation %d", r.Generation())
	}
	update(t, x, 2, renamed())
}
