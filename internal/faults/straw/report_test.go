package straw_test

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func report(t *testing.T, contenders []contender, lossy cost) {
	t.Helper()
	ours, rsync := contenders[0], contenders[1]
	fmt.Printf("\n%d files of which %d change: bytes both ways, and the rest\n", files, changed)
	fmt.Printf("%-22s %10s %9s %10s %7s %9s %9s %6s %12s %8s\n", "", "bytes", "up", "down", "/ rsync", "requests", "waits", "conns", "64 kbit/s", "memory")
	for _, c := range contenders {
		if c.skipped != "" {
			fmt.Printf("%-22s %s\n", c.name, c.skipped)
			continue
		}
		fmt.Printf("%-22s %10d %9d %10d %7s %9s %9s %6d %12s %5d MB\n", c.name, c.plain.bytes(), c.plain.up, c.plain.down,
			ratio(c.plain.bytes(), rsync.plain.bytes()), count(c.plain.requests), waits(c), c.plain.conns, wall(c), c.plain.memory>>20)
	}
	fmt.Printf("waits: connects and answers waited for, counted on a line of %v a round trip; of rsync, how much longer it took there.\n", roundTrip)
	fmt.Printf("64 kbit/s: measured; ~ is computed from bytes and waits.\n\nunchanged\n")
	for _, c := range contenders {
		if c.skipped == "" {
			fmt.Printf("%-22s %10d bytes %9s requests\n", c.name, c.still.bytes(), count(c.still.requests))
		}
	}
	fmt.Printf("\nfirst sync\n%-22s %10d bytes %9d requests %5d MB\n%-22s %10d bytes\n", ours.name, ours.first.bytes(), ours.first.requests, ours.first.memory>>20, rsync.name, rsync.first.bytes())
	if lossy.runs > 0 {
		fmt.Printf("\n30 %% loss, a cut every 20 s: %d bytes, %.3f of %d without, in %v, %d connections, %d runs\n",
			lossy.bytes(), float64(lossy.bytes())/float64(ours.run.bytes()), ours.run.bytes(), lossy.took.Round(time.Second), lossy.conns, lossy.runs)
	}
	judge(t, contenders, lossy)
}

func ratio(a, b int64) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", float64(a)/float64(b))
}

func waits(c contender) string {
	return fmt.Sprintf("%.1f", c.trips())
}

func count(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// seconds over the thin line, measured or else computed.
func (c contender) seconds() float64 {
	if c.run.took > 0 && !c.run.gaveUp {
		return c.run.took.Seconds()
	}
	return c.computed().Seconds()
}

func wall(c contender) string {
	if c.run.took > 0 && !c.run.gaveUp {
		return fmt.Sprintf("%.1f s", c.seconds())
	}
	return fmt.Sprintf("~ %.0f s", c.seconds())
}

// target is one line of spec/sync.md, "Targets".
type target struct {
	what        string
	got, atMost float64
}

// judge prints every target as reached or missed. A miss is a figure, not a
// broken test: docs/reference/bench-sync.md explains it.
func judge(t *testing.T, contenders []contender, lossy cost) {
	t.Helper()
	ours, rsync := contenders[0], contenders[1]
	list := []target{
		{"unchanged: requests", float64(ours.still.requests), 1},
		{"unchanged: bytes both ways", float64(ours.still.bytes()), 700},
		{"changed: requests", float64(ours.plain.requests), 1},
		{"changed: round trips with the connect", ours.trips(), 2},
		{"changed: seconds on 64 kbit/s, 600 ms", ours.seconds(), 40},
		{"memory of a mirror above an unchanged round, MB", float64(ours.plain.memory-ours.still.memory) / (1 << 20), 64},
	}
	if lossy.runs > 0 {
		list = append(list, target{"30 % loss and cuts: bytes against loss-free", float64(lossy.bytes()) / float64(ours.run.bytes()), 1.05})
	}
	if rsync.skipped == "" {
		against := float64(ours.plain.bytes()) / float64(rsync.plain.bytes())
		list = append(list, target{"changed: bytes against rsync -az, first", against, 0.60}, target{"changed: bytes against rsync -az, codecs competing", against, 0.40})
	}
	list = append(list, noted(t)...)
	fmt.Printf("\n%-56s %12s %10s\n", "target (spec/sync.md)", "measured", "at most")
	for _, x := range list {
		verdict := "reached"
		if x.got > x.atMost {
			verdict = "MISSED"
		}
		fmt.Printf("%-56s %12s %10s  %s\n", x.what, figure(x.got), figure(x.atMost), verdict)
	}
}

func figure(f float64) string {
	if f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'f', 3, 64)
}

// noted are the targets that other benchmarks of this run have written down in
// the file that KOPRIK_TARGETS names: "measured at-most what".
func noted(t *testing.T) (list []target) {
	t.Helper()
	name := os.Getenv("KOPRIK_TARGETS")
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	must(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var x target
		if fields := strings.SplitN(lines.Text(), " ", 3); len(fields) == 3 {
			x.what = fields[2]
			_, err := fmt.Sscan(lines.Text(), &x.got, &x.atMost)
			must(t, err)
			list = append(list, x)
		}
	}
	return list
}
