package index

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"koprik/portal"
)

func TestAReaderSeesItsGenerationWhateverIsUpdatedLater(t *testing.T) {
	x := filled(t, dataset("a", "Aholi soni"), dataset("b", "Aholi zichligi", withThemes("health")), dataset("c", "Choy"))
	old := reader(t, x)
	queries := []portal.Query{
		{},
		{Text: "aholi"},
		{Text: "aholi -soni"},
		{Text: `"aholi soni"`},
		{Text: "yangi"},
		{Sort: portal.ByName},
		{Sort: portal.ByUpdated},
		{Filters: map[portal.Facet][]string{portal.FacetTheme: {"health"}}},
	}
	before := make([]portal.Results, len(queries))
	for i, q := range queries {
		before[i] = find(t, old, q)
	}
	// New, changed and removed datasets, and enough updates for merges.
	for g := int64(2); g < 30; g++ {
		update(t, x, g, []portal.Dataset{
			dataset(fmt.Sprintf("n%d", g), "Aholi soni yangi"), dataset("b", "Yangi nom", withThemes("justice")),
		}, "main_a")
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		if after := find(t, old, q); !reflect.DeepEqual(after, before[i]) {
			t.Errorf("%+v:\nbefore %+v\nafter  %+v", q, before[i], after)
		}
	}
	if old.Generation() != 1 {
		t.Errorf("generation %d", old.Generation())
	}
}

// TestReadersAreWholeUnderConcurrentUpdates has the update to generation g give
// every dataset the title word "g<g>": a reader that finds another number of
// datasets for its own generation, or any for another, mixes two.
func TestReadersAreWholeUnderConcurrentUpdates(t *testing.T) {
	const datasets, generations, searchers = 12, 15, 4
	of := func(g int64) []portal.Dataset {
		ds := numbered(datasets)
		for i := range ds {
			ds[i].Latest.Title = portal.PlainText(fmt.Sprintf("Aholi g%d", g))
			ds[i].Latest.Themes = []portal.ThemeID{portal.Themes[g%int64(len(portal.Themes))]}
		}
		return ds
	}
	x := filled(t, of(1)...)
	x.batch = 5
	done := make(chan struct{})
	started := make(chan struct{}, searchers)
	var wg sync.WaitGroup
	for range searchers {
		wg.Go(func() {
			for first := true; ; first = false {
				if err := wholeReader(t, x, datasets); err != nil {
					t.Error(err)
					return
				}
				if first {
					started <- struct{}{}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range searchers {
		<-started
	}
	for g := int64(2); g <= generations; g++ {
		update(t, x, g, of(g))
	}
	close(done)
	wg.Wait()
}

func wholeReader(t *testing.T, x *Index, datasets int) error {
	r, err := x.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	g := r.Generation()
	for range 3 {
		own, err := r.Search(t.Context(), portal.Query{Text: fmt.Sprintf("g%d", g)})
		if err != nil {
			return err
		}
		theme := string(portal.Themes[g%int64(len(portal.Themes))])
		if own.Total != datasets || own.Facets[portal.FacetTheme][theme] != datasets {
			return fmt.Errorf("generation %d: %d found, facets %v", g, own.Total, own.Facets)
		}
		next, err := r.Search(t.Context(), portal.Query{Text: fmt.Sprintf("g%d", g+1)})
		if err != nil {
			return err
		}
		if next.Total != 0 {
			return fmt.Errorf("generation %d: %d of the next", g, next.Total)
		}
	}
	return nil
}
