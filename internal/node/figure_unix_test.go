//go:build unix

package node_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// figureRounds is how often a node is opened whose pages are measured.
const figureRounds = 5

// TestBenchFigure makes the page of a figure over a table of a million rows, whose
// groups the summary of the table answers (make bench-tables). The limits are those
// of the specification (spec/text-and-search.md, "Tables"), in processor time.
func TestBenchFigure(t *testing.T) {
	rows, err := strconv.Atoi(os.Getenv("KOPRIK_BENCH_TABLES"))
	if err != nil {
		t.Skip("KOPRIK_BENCH_TABLES is not the number of rows: run make bench-tables")
	}
	n := newCentral(t)
	publish(t, n, long(rows))
	dir := n.Dir()
	h, err := n.Handler()
	must(t, err)
	summaries := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "tables", "columns", "*.col"))
		must(t, err)
		return found
	}
	for m := range longMeasures { // a summary of each column is made after the first query that reads it
		for i := 0; len(summaries()) < 3+m+1; i++ {
			r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/en/dataset/main_long/table/t?soato=1703&year=2020&sex=ayol&m%d__ge=%d", m, i), http.NoBody)
			h.ServeHTTP(httptest.NewRecorder(), r) // may take too long until then
		}
	}
	must(t, n.Close())

	var made, again, filtered []time.Duration
	for range figureRounds { // what was answered is forgotten each time, summaries are not
		n := open(t, dir, options())
		h, err := n.Handler()
		must(t, err)
		chart := func(m int) string { return fmt.Sprintf("/en/dataset/main_long/chart/t?m=m%d", m) }
		filter := func(m, least int) string {
			return fmt.Sprintf("/en/dataset/main_long/table/t?soato=1703&m%d__ge=%d", m, least)
		}
		htmlOf(t, h, chart(0)) // the template and the columns of what is counted are read
		for m := range longMeasures {
			htmlOf(t, h, filter(m, 0)) // and those of the measures
		}
		made = append(made, worked(longMeasures-1, func(i int) { htmlOf(t, h, chart(i+1)) }))
		again = append(again, worked(100, func(i int) { htmlOf(t, h, fmt.Sprintf("%s&i=%d", chart(1), i)) }))
		filtered = append(filtered, worked(100, func(i int) { htmlOf(t, h, filter(i%longMeasures, i+1)) }))
		must(t, n.Close())
	}
	t.Logf("processor time of a page over %d rows: figure from the summary %s; of sums that are remembered %s; filtered page of the table %s",
		rows, spread(made), spread(again), spread(filtered))
}

// worked is the processor time that one of so many calls takes.
func worked(times int, call func(i int)) time.Duration {
	runtime.GC()
	was := processorTime()
	for i := range times {
		call(i)
	}
	return (processorTime() - was) / time.Duration(times)
}

// processorTime is that which this process has had.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(syscall.TimevalToNsec(u.Utime) + syscall.TimevalToNsec(u.Stime))
}

// spread is the middle of what was measured, with the least and the most.
func spread(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("%v (%v to %v)", all[len(all)/2].Round(10*time.Microsecond), all[0].Round(10*time.Microsecond), all[len(all)-1].Round(10*time.Microsecond))
}
