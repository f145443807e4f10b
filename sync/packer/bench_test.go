package packer

import (
	"fmt"
	"testing"
)

// BenchmarkPackAfterAPublication is what a publication of one small table costs a
// catalogue of 30 with all its packs, without a server.
func BenchmarkPackAfterAPublication(b *testing.B) {
	c := newCentre(b)
	sets := map[string][]byte{}
	for i := range 30 {
		sets[fmt.Sprintf("t%d", i)] = rows(300, i, 7)
	}
	c.Publish("main", sets)
	rev := 100
	next := func() {
		rev++
		c.Publish("main", map[string][]byte{fmt.Sprintf("t%d", rev%30): rows(300, rev, 7)})
	}
	for range 33 {
		next()
	}
	p := c.packer()
	must(b, p.Pack(b.Context()))
	for b.Loop() {
		b.StopTimer()
		next()
		b.StartTimer()
		must(b, p.PackNearest(b.Context()))
		must(b, p.Pack(b.Context()))
	}
}
