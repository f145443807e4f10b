package local

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"koprik/portal"
)

var looked = portal.UsageKey{Kind: portal.Visits, Lang: portal.Uzbek, Name: "main_water"}

func state(boot byte, d portal.Date, n int64) portal.UsageState {
	return portal.UsageState{Boot: portal.Boot{boot}, Day: d, Counts: portal.Usage{looked: n}}
}

// total is all that was counted, of this node or with all of those that count.
func total(t *testing.T, l *Local, all bool) portal.Usage {
	t.Helper()
	sum := portal.Usage{}
	err := l.EachUsage(context.Background(), all, func(_ portal.Digest, d portal.UsageDay) error {
		sum.Add(d.Counts)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCountsAreKeptAsTheLargerAndADayIsClosedOnce(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	for _, n := range []int64{3, 9, 9, 4} {
		do(t, l.KeepUsage(ctx, []portal.UsageState{state(1, "2026-01-05", n), state(2, "2026-01-06", 1)}))
	}
	want := portal.Usage{looked: 10}
	for _, fold := range []portal.Date{"2026-01-01", "2026-01-06", "2026-01-06", "2026-02-01", "2025-12-01"} {
		do(t, l.FoldUsage(ctx, fold, time.Time{}, ""))
		if got := total(t, l, false); !maps.Equal(got, want) {
			t.Errorf("folded up to %s: %v", fold, got)
		}
	}
	do(t, l.KeepUsage(ctx, []portal.UsageState{state(1, "2026-01-05", 9), state(3, "2026-01-31", 7)}))
	if got := total(t, l, false); !maps.Equal(got, want) {
		t.Errorf("a closed day counts: %v", got)
	}
}

func TestAStateThatGrewIsReportedAgain(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	unreported := func(want int) []portal.UsageState {
		t.Helper()
		list, err := l.Unreported(ctx, "2026-01-06")
		if err != nil || len(list) != want {
			t.Fatalf("%d states, want %d: %v", len(list), want, err)
		}
		return list
	}
	do(t, l.KeepUsage(ctx, []portal.UsageState{state(1, "2026-01-05", 3), state(1, "2026-01-06", 3)}))
	do(t, l.QueueReports(ctx, []Report{{portal.InquiryID{1}, "2026q1", []byte("one")}}, unreported(1)))
	unreported(0)
	do(t, l.KeepUsage(ctx, []portal.UsageState{state(1, "2026-01-05", 4)}))
	do(t, l.QueueReports(ctx, []Report{{portal.InquiryID{2}, "2026q1", []byte("two")}}, unreported(1)))
	if _, err := l.Acknowledged(ctx, []portal.Mark{portal.MarkOf([]byte("one"))}); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Reports(ctx); err != nil || n != 1 {
		t.Errorf("%d reports wait, %v", n, err)
	}
	do(t, l.Unreport(ctx))
	unreported(1)
	if w, err := l.Waits(ctx); err != nil || w.Count != 0 {
		t.Errorf("%+v %v", w, err)
	}
}

// TestKilledWhileCountingLosesNothingThatWasKeptAndDoublesNothing kills a process in
// the middle of its flushes, again and again.
func TestKilledWhileCountingLosesNothingThatWasKeptAndDoublesNothing(t *testing.T) {
	if path := os.Getenv("KOPRIK_TEST_COUNTING"); path != "" {
		countForEver(t, path)
	}
	path := filepath.Join(t.TempDir(), "local.db")
	least, most := int64(0), int64(0)
	for range 5 {
		kept := killedCounting(t, path, 3+rand.IntN(30))
		least, most = least+kept, most+kept+1 // one flush more may have come down before the kill
		l := open(t, path)
		got := total(t, l, false)[looked]
		if got < least || got > most {
			t.Fatalf("%d counts, want %d to %d", got, least, most)
		}
		least, most = got, got
		l.Close()
	}
}

// countForEver counts one more and flushes the whole, as a boot of its own.
func countForEver(t *testing.T, path string) {
	l := open(t, path)
	boot := portal.Boot{}
	for i := range boot {
		boot[i] = byte(rand.IntN(256))
	}
	for n := int64(1); ; n++ {
		err := l.KeepUsage(context.Background(), []portal.UsageState{{Boot: boot, Day: "2026-01-05", Counts: portal.Usage{looked: n}}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("kept %d\n", n)
	}
}

// killedCounting gives what a child last said that it had kept, when it was killed
// after some flushes.
func killedCounting(t *testing.T, path string, after int) (kept int64) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledWhileCountingLosesNothingThatWasKeptAndDoublesNothing$")
	child.Env = append(os.Environ(), "KOPRIK_TEST_COUNTING="+path)
	out, err := child.StdoutPipe()
	do(t, err)
	do(t, child.Start())
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == after {
			do(t, child.Process.Kill())
		}
		var said int64
		if _, err := fmt.Sscanf(lines.Text(), "kept %d", &said); err == nil && lines.Text() == fmt.Sprintf("kept %d", said) {
			kept = max(kept, said)
		}
	}
	_ = child.Wait()
	return kept
}

func TestOnlyEnrolledNodesCountAndOnlyWithinTheirBounds(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	at := time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC)
	node := portal.Digest{7}
	do(t, l.SetNode(ctx, portal.KnownNode{ID: node, Public: "aa", Enrolled: at}))
	last := uint16(0)
	taken := func(id portal.InquiryID, today portal.Date, states ...portal.UsageState) (dropped int, again Arrival) {
		t.Helper()
		in := Incoming{ID: id, Epoch: "2026q1", Sealed: id[:], Node: node, Received: at}
		_, err := l.Take(ctx, in)
		do(t, err)
		dropped, err = l.CountUsage(ctx, in.ID, states, today)
		do(t, err)
		if again, err = l.Take(ctx, in); again == Fresh {
			do(t, l.RefuseUsage(ctx, in.ID, false))
		}
		do(t, err)
		return dropped, again
	}
	report := func(states ...portal.UsageState) int {
		t.Helper()
		last++
		dropped, again := taken(portal.InquiryID{byte(last), byte(last >> 8)}, "2026-01-07", states...)
		if again != Again {
			t.Errorf("a report that came again: %v", again)
		}
		return dropped
	}
	do(t, l.FoldUsage(ctx, "2026-01-01", time.Time{}, ""))
	if d := report(state(1, "2026-01-05", 4), state(1, "2025-12-31", 9)); d != 1 {
		t.Errorf("%d states dropped", d)
	}
	// A day that has not come is not acknowledged, and counts when it has.
	early := []portal.UsageState{state(2, "2026-01-05", 1), state(2, "2026-01-08", 9)}
	if d, again := taken(portal.InquiryID{0xee}, "2026-01-07", early...); d != 1 || again != Fresh {
		t.Errorf("a day ahead: %d dropped, %v", d, again)
	}
	if got := total(t, l, true)[looked]; got != 5 {
		t.Errorf("%d counts beside the day ahead", got)
	}
	if d, again := taken(portal.InquiryID{0xee}, "2026-01-08", early...); d != 0 || again != Again {
		t.Errorf("the day has come: %d dropped, %v", d, again)
	}
	for i := range 2 * maxBoots { // a node that invents processes
		b := state(0, "2026-01-06", 1)
		b.Boot = portal.Boot{9, byte(i), byte(i >> 8)}
		_ = report(b)
	}
	if got := total(t, l, true)[looked]; got != 14+maxBoots {
		t.Errorf("%d counts, want %d", got, 14+maxBoots)
	}
	if list, n, err := l.Cases(ctx, portal.CaseQuery{}); err != nil || n != 0 {
		t.Errorf("reports stay as questions: %v %v", list, err)
	}
	if marks, err := l.Marks(ctx, time.Time{}); err != nil || len(marks[node]) == 0 {
		t.Errorf("nothing is acknowledged: %v", err)
	}
	do(t, l.SetNode(ctx, portal.KnownNode{ID: node, Public: "aa", Enrolled: at, Revoked: at}))
	if got := total(t, l, true)[looked]; got != 0 {
		t.Errorf("a revoked node counts %d", got)
	}
}

func TestPlacesOfWordsAreNotedOnceADayAndNoMoreThanTheBound(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	for d := 1; d <= 5; d++ {
		days, err := l.Missed(ctx, []int64{1, 1, 2, 3}, portal.Date(fmt.Sprintf("2026-01-%02d", d)), 2)
		if err != nil || days[1] != d || days[2] != d || days[3] != 0 {
			t.Errorf("day %d: %v %v", d, days, err)
		}
	}
	do(t, l.FoldUsage(ctx, "2025-01-01", time.Time{}, "2026-01-04"))
	if days, err := l.Missed(ctx, []int64{1}, "2026-01-05", 2); err != nil || days[1] != 2 {
		t.Errorf("after forgetting: %v %v", days, err)
	}
}
