package catalog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"koprik/portal"
)

const benched = 5000 // datasets

var fixture = sync.OnceValue(func() (ch struct {
	portal.Change
	list []portal.Upsert
},
) {
	ch.Generation = 1
	for i := range benched {
		id := portal.DatasetID(fmt.Sprintf("main_dataset-%05d", i))
		ch.list = append(ch.list, upsert(chain(&testing.B{}, id, 2, string(id)), "aa", "bb"))
	}
	ch.Upserts = portal.Upserts(ch.list...)
	ch.Publishers = append(ch.Publishers, record(&testing.B{}, "main", 1, "Main"))
	return ch
})

func BenchmarkFullChange(b *testing.B) {
	c := open(b, filepath.Join(b.TempDir(), "catalog.db"))
	ch := fixture().Change
	ch.Full = true
	for b.Loop() {
		apply(b, c, ch)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*benched*2), "µs/release")
}

func BenchmarkSmallChange(b *testing.B) {
	c := open(b, filepath.Join(b.TempDir(), "catalog.db"))
	apply(b, c, fixture().Change)
	for b.Loop() {
		apply(b, c, portal.Change{Generation: 2, Upserts: portal.Upserts(fixture().list[:1]...)})
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "catalog.db")
	c := open(b, path)
	apply(b, c, fixture().Change)
	c.Close()
	for b.Loop() {
		open(b, path).Close()
	}
}

func BenchmarkSnapshot(b *testing.B) {
	ctx := context.Background()
	c := open(b, filepath.Join(b.TempDir(), "catalog.db"))
	apply(b, c, fixture().Change)
	for _, n := range []int{0, 1, 20, 100} {
		b.Run(fmt.Sprintf("datasets=%d", n), func(b *testing.B) {
			ids := make([]portal.DatasetID, n)
			for b.Loop() {
				for i := range ids {
					ids[i] = fixture().list[rand.IntN(benched)].Dataset
				}
				s, err := c.Snapshot(ctx)
				if err != nil {
					b.Fatal(err)
				}
				if list, err := s.Datasets(ctx, ids); err != nil || len(list) != n {
					b.Fatal(len(list), err)
				}
				s.Close()
			}
		})
	}
}
