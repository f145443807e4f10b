package delta_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"koprik/sync/delta"
)

// peakOf runs f and gives by how much the memory in use rose above what was in
// use before, sampled every millisecond.
func peakOf(f func()) uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	idle, peak := m.HeapInuse+m.StackInuse, uint64(0)
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse+m.StackInuse)
			}
		}
	}()
	f()
	close(done)
	<-stopped
	return max(peak, idle) - idle
}

// tableOf makes a table of about size bytes and a later version of it: 2,000
// figures revised, rows gone, rows new, and a block of rows moved.
func tableOf(size int) (old, fresh []byte) {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable
	var rows []string
	for i := 0; size > 0; i++ {
		rows = append(rows, fmt.Sprintf("%d,region %c,%d,%d.%03d,%016x%016x,%d\n", i, 'A'+rng.IntN(14), 1990+rng.IntN(36), rng.IntN(1000), rng.IntN(1000), rng.Uint64(), rng.Uint64(), rng.IntN(1<<30)))
		size -= len(rows[i])
	}
	old = []byte(strings.Join(rows, ""))
	for range min(2000, len(rows)/10) {
		i := rng.IntN(len(rows))
		rows[i] = strings.Replace(rows[i], ",region", ",Region", 1)
	}
	for range 100 {
		rows = slices.Delete(rows, len(rows)/3, len(rows)/3+1)
		rows = slices.Insert(rows, len(rows)/2, fmt.Sprintf("%d,region new,2026,%d,%016x,0\n", len(rows), rng.IntN(1000), rng.Uint64()))
	}
	block := slices.Clone(rows[len(rows)*6/10 : len(rows)*7/10])
	rows = slices.Insert(slices.Delete(rows, len(rows)*6/10, len(rows)*7/10), len(rows)/10, block...)
	return old, []byte(strings.Join(rows, ""))
}

// TestApplyingTakesLessThan64MB measures every codec; at the sizes where each
// takes most, and at 100 MB, in make bench-delta and make soak.
func TestApplyingTakesLessThan64MB(t *testing.T) {
	if testing.Short() {
		t.Skip("measures memory: not beside the race detector")
	}
	sizes := []int{3 << 20}
	if os.Getenv("KOPRIK_SOAK") != "" || os.Getenv("KOPRIK_VERSIONS") != "" {
		sizes = []int{11 << 20, 100 << 20}
	}
	for _, size := range sizes {
		old, fresh := tableOf(size)
		want := delta.ContentOf(fresh)
		name := filepath.Join(t.TempDir(), "old")
		if err := os.WriteFile(name, old, 0o600); err != nil {
			t.Fatal(err)
		}
		base := int64(len(old))
		for _, codec := range []delta.Codec{delta.Zstd, delta.ZstdPatch, delta.Copies, delta.Table} {
			if size > 16<<20 && codec != delta.Copies {
				continue
			}
			only := []delta.Codec{codec}
			if size > 16<<20 {
				only = nil // all compete: what publishing takes
			}
			start := time.Now()
			var best delta.Best
			var err error
			making := peakOf(func() { best, err = delta.Encode(old, fresh, delta.Options{Only: only}) })
			if err != nil || making > 1<<30 {
				t.Errorf("%s of %d MB: %v, made with %d bytes of memory", codec, size>>20, err, making)
				continue
			}
			took := time.Since(start)
			var applied error
			start = time.Now()
			peak := peakOf(func() {
				f, err := os.Open(name)
				if err != nil {
					applied = err
					return
				}
				applied = delta.Apply(io.Discard, f, base, bytes.NewReader(best.Patch), want)
				_ = f.Close()
			})
			t.Logf("%-10s %4d MB: patch %9d bytes, made and checked in %v with %.0f MB, applied in %v with %.1f MB", best.Codec, size>>20, len(best.Patch), took.Round(time.Millisecond), float64(making)/(1<<20), time.Since(start).Round(time.Millisecond), float64(peak)/(1<<20))
			note(t, fmt.Sprintf("applying %s of %d MB: MB of memory", best.Codec, size>>20), float64(peak)/(1<<20), 64)
			if only == nil {
				note(t, fmt.Sprintf("making patches at %d MB: MB of memory", size>>20), float64(making)/(1<<20), 1024)
			}
			if applied != nil || peak > 64<<20 {
				t.Errorf("%s of %d MB: %v, %d bytes of memory", codec, size>>20, applied, peak)
			}
		}
	}
}

// TestTheWorstTableTakesLessThan64MB sorts as many short rows as a table may have.
func TestTheWorstTableTakesLessThan64MB(t *testing.T) {
	if os.Getenv("KOPRIK_SOAK") == "" && os.Getenv("KOPRIK_VERSIONS") == "" {
		t.Skip("a long test: make soak, make bench-delta")
	}
	rows := make([]string, 1<<20-2)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d,%d\n", i, uint32(i)*2654435761%1000003) //nolint:gosec // a hash
	}
	old := []byte("id,v\n" + strings.Join(rows, ""))
	slices.SortStableFunc(rows, func(a, b string) int {
		return strings.Compare(strings.Split(a, ",")[1], strings.Split(b, ",")[1])
	})
	fresh := []byte("id,v\n" + strings.Join(rows, ""))
	best := encode(t, old, fresh, delta.Table)
	want := delta.ContentOf(fresh)
	var applied error
	name := filepath.Join(t.TempDir(), "old")
	if err := os.WriteFile(name, old, 0o600); err != nil {
		t.Fatal(err)
	}
	size := int64(len(old))
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	peak := peakOf(func() { applied = delta.Apply(io.Discard, f, size, bytes.NewReader(best.Patch), want) })
	t.Logf("%d rows of %d bytes: a patch of %d, applied with %.1f MB", len(rows), size, len(best.Patch), float64(peak)/(1<<20))
	note(t, "applying the worst table: MB of memory", float64(peak)/(1<<20), 64)
	if applied != nil || peak > 64<<20 {
		t.Errorf("%v, %d bytes of memory", applied, peak)
	}
}
