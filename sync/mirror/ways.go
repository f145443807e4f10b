package mirror

import (
	"strings"
	"sync"

	"koprik/sync/carrier"
)

// The ways by which contents come (portal.Ways).
const (
	byWhole = "whole"
	byPatch = "patch"
	byPack  = "pack"
)

// tally counts by which way contents came.
type tally struct {
	mu   sync.Mutex
	ways map[string]int
}

func (t *tally) add(way string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ways == nil {
		t.ways = map[string]int{}
	}
	t.ways[way]++
}

// named is the way's name.
func (w way) named() string {
	if strings.HasPrefix(w.file, "patches/") && strings.HasSuffix(w.part, ".patch"+partSuffix) {
		return byPatch
	}
	return byWhole
}

// laidOut says of each item by which way it would come, and what that costs at
// most.
func (r *round) laidOut(items []Item) []Item {
	for i, it := range items {
		items[i].Way, items[i].AtMost = byWhole, carrier.MaxCompressed(it.Resource.Bytes)
		if r.pack == nil {
			continue
		}
		o, named := r.pack.objects[carrier.NameOf(it.Resource.Hash)]
		if !named || o.Length > items[i].AtMost {
			continue
		}
		switch o.Way {
		case carrier.InlinePatch, carrier.InlineWhole:
			items[i].Way, items[i].AtMost = byPack, o.Length
		case carrier.PatchAside:
			if _, held := r.m.o.Contents.Find(o.Old); held {
				items[i].Way, items[i].AtMost = byPatch, o.Length
			}
		case carrier.BrotliAside:
			items[i].AtMost = o.Length
		}
	}
	return items
}
