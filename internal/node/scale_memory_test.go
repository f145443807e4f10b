package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A first sync holds a list of what there is, and not what it says: a dataset more
// costs it a few hundred bytes, and neither its manifest nor its contents. What it
// takes to index them does not grow (embed/index.TestFillingAnIndexTakesConstantMemory).
func TestAFirstSyncHoldsLittleOfEachDataset(t *testing.T) {
	if testing.Short() {
		t.Skip("catalogues of thousands of datasets")
	}
	const few, many = 500, 3000
	small, large := heldInFirstSync(t, few), heldInFirstSync(t, many)
	each := (large - small) / (many - few)
	t.Logf("held when all has come: %d KB with %d datasets, %d KB with %d, %d bytes each", small>>10, few, large>>10, many, each)
	if each > 1000 {
		t.Errorf("%d bytes for a dataset more", each)
	}
}

// heldInFirstSync gives how many bytes of the heap live when the contents of n
// datasets have come and the change is to be applied.
func heldInFirstSync(t *testing.T, n int) (held int64) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	centre, mirror := filepath.Join(dir, "centre"), filepath.Join(dir, "mirror")
	o := Options{NoPacks: true, Version: "test"}
	makeScale(t, centre, n, o)
	root, err := os.ReadFile(filepath.Join(centre, "repository/metadata/1.root.json"))
	must(err)
	c, err := SetConfig(map[string]string{"role": "mirror", "title": "Mirror", "upstream": filepath.Join(centre, "repository")})
	must(err)
	_, err = Init(ctx, mirror, InitOptions{Config: c, Root: root}, o)
	must(err)
	o.Progress = func(stage string, _, _ int64) {
		if stage != "apply" {
			return
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what is in pools goes with the second
		runtime.ReadMemStats(&m)
		held = int64(m.HeapAlloc)
		enough()
	}
	node, err := Open(ctx, mirror, o)
	must(err)
	defer node.Close()
	if _, err := node.Sync(ctx, SyncOptions{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return held
}
