package write

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
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

// hard are tables that are hard on a writer: cells of 600 KB, 1,900 columns.
func hard(name string, peak *uint64) ([]portal.Field, Rows) {
	columns, row := []portal.Field{{Name: "id", Type: "integer"}, {Name: "text", Type: "string"}}, []any{int64(1), ""}
	n := 150
	if name == "wide" {
		columns, row, n = nil, nil, 300
		for i := range 1900 {
			columns, row = append(columns, portal.Field{Name: fmt.Sprint("c", i), Type: "integer"}), append(row, int64(i))
		}
	}
	return columns, func(yield func([]any, error) bool) {
		var m runtime.MemStats
		for i := range n {
			if name != "wide" {
				row[1] = strings.Repeat(fmt.Sprint("<&шў", i), 60_000)
			}
			if !yield(row, nil) {
				return
			}
			if i%10 == 0 {
				runtime.ReadMemStats(&m)
				*peak = max(*peak, m.HeapInuse+m.StackInuse)
			}
		}
	}
}

// TestHardTablesAreWrittenInBoundedMemory: neither cells of 600 KB nor 1,900
// columns make a writer hold what it has written.
func TestHardTablesAreWrittenInBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 90 MB of text in six formats")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	const most = 128 << 20
	for _, name := range []string{"cells", "wide"} {
		for _, format := range portal.ExportFormats {
			if format == portal.ExportGeoJSON {
				continue // they have no places
			}
			runtime.GC()
			var peak uint64
			f := file(format)
			f.Folder = t.TempDir()
			var rows Rows
			f.Columns, rows = hard(name, &peak)
			if err := Write(io.Discard, f, rows); err != nil {
				t.Errorf("%s as %s: %v", name, format, err)
			}
			t.Logf("%s as %s: %.1f MiB", name, format, float64(peak)/(1<<20))
			if peak > most {
				t.Errorf("%s as %s took %d MiB, at most %d", name, format, peak>>20, most>>20)
			}
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
