package index

import (
	"iter"
	"runtime"
	"testing"

	"koprik/portal"
)

// What filling an index holds are the batches that are under way, and the words
// that it remembers, of which there are only so many.
func TestFillingAnIndexTakesConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of datasets")
	}
	few, many := liveWhileFilling(t, 1_500), liveWhileFilling(t, 6_000)
	t.Logf("the most that lives: %d KB with 1,500 datasets, %d KB with 6,000", few>>10, many>>10)
	if many > 2*few { // what grew with the datasets would be four times as much
		t.Errorf("%d KB live with 1,500 datasets and %d KB with 6,000", few>>10, many>>10)
	}
}

// liveWhileFilling gives the most bytes of the heap that live while n datasets
// are indexed in batches of 100.
func liveWhileFilling(t *testing.T, n int) (most uint64) {
	t.Helper()
	x := open(t, t.TempDir())
	x.batch = 100
	look := func() {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}
	if err := x.Rebuild(t.Context(), 1, madeSlowly(n, 250, look), nil); err != nil {
		t.Fatal(err)
	}
	return most
}

// madeSlowly makes datasets one after another, and calls look after every few.
func madeSlowly(n, few int, look func()) iter.Seq2[portal.Dataset, error] {
	m := newMade()
	return func(yield func(portal.Dataset, error) bool) {
		for i := range n {
			if i%few == few-1 {
				look()
			}
			if !yield(m.datasets(i, i+1)[0], nil) {
				return
			}
		}
	}
}
