package index

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"testing"
	"time"
)

func TestZZProf(t *testing.T) {
	n := 20000
	m := newMade()
	ds := m.datasets(0, n)
	x, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := strconv.Atoi(os.Getenv("ZZBATCH")); err == nil {
		x.batch = b
	}
	f, _ := os.Create(os.Getenv("ZZCPU"))
	pprof.StartCPUProfile(f)
	stop := make(chan struct{})
	most := uint64(0)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
		}
	}()
	ds0 := ds
	_ = ds0
	b, u := time.Now(), cpuTime()
	if err := x.Rebuild(t.Context(), 1, every(ds), nil); err != nil {
		t.Fatal(err)
	}
	fmt.Println("took", time.Since(b), "cpu", cpuTime()-u, "heap", most>>20)
	close(stop)
	pprof.StopCPUProfile()
	f.Close()
	x.Close()
}
