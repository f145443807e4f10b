package write

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"koprik/portal"
)

// long gives n rows and notes, on the way, the most memory that is in use.
func long(n int, peak *uint64) Rows {
	var m runtime.MemStats
	return func(yield func([]any, error) bool) {
		row := append([]any(nil), sample[0]...)
		for i := range n {
			row[0], row[2], row[3] = fmt.Sprint("Tuman ", i*7919%5003), int64(i), float64(i)/3
			if !yield(row, nil) {
				return
			}
			if i%20_000 == 0 {
				runtime.ReadMemStats(&m)
				*peak = max(*peak, m.HeapInuse+m.StackInuse)
			}
		}
	}
}

// TestMemoryDoesNotGrowWithTheRows takes 5,000,000 rows with KOPRIK_SOAK=1, and
// 140,000 without. SQLite keeps its pages outside of Go's memory, at most 8 MiB
// of them (cache_size).
func TestMemoryDoesNotGrowWithTheRows(t *testing.T) {
	few, many := 70_000, 140_000
	if os.Getenv("KOPRIK_SOAK") != "" {
		few, many = 1_000_000, 5_000_000
	}
	if testing.Short() {
		t.Skip("writes 140,000 rows in seven formats")
	}
	// Garbage counts as memory in use until it is collected: it is, before it is as
	// much again as a tenth of what is needed.
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	const room = 24 << 20
	for _, format := range portal.ExportFormats {
		var peaks [2]uint64
		for i, n := range []int{few, many} {
			runtime.GC()
			f := file(format)
			f.Folder = t.TempDir()
			if err := Write(io.Discard, f, long(n, &peaks[i])); err != nil {
				t.Fatal(err)
			}
			empty(t, f.Folder)
		}
		t.Logf("%s: %d rows %.1f MiB, %d rows %.1f MiB", format, few, float64(peaks[0])/(1<<20), many, float64(peaks[1])/(1<<20))
		if peaks[1] > peaks[0]+room {
			t.Errorf("%s: %d rows took %d bytes, %d rows %d", format, few, peaks[0], many, peaks[1])
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, format := range portal.ExportFormats {
		b.Run(string(format), func(b *testing.B) {
			const rows = 100_000
			var peak uint64
			for b.Loop() {
				f := file(format)
				f.Folder = b.TempDir()
				if err := Write(io.Discard, f, long(rows, &peak)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(peak)/(1<<20), "MiB")
		})
	}
}
