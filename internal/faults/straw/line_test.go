package straw_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"koprik/internal/faults"
)

// The line of spec/sync.md: 64 kbit/s, and 600 ms for a round trip.
const (
	rate          = 8000
	roundTrip     = 600 * time.Millisecond
	satelliteRate = 250_000 // 2 Mbit/s, as far away
)

// line is a link between a client and a server on this machine.
type line struct {
	*faults.Link
	addr string
}

// lay lays a link before a server for the time of a test.
func lay(t *testing.T, server string, link *faults.Link) line {
	t.Helper()
	addr, stop, err := link.Forward(server)
	must(t, err)
	t.Cleanup(stop)
	return line{link, addr}
}

// The lines on which everything is measured.
func perfect() *faults.Link { return &faults.Link{} }
func far() *faults.Link     { return &faults.Link{Delay: roundTrip / 2} }
func thin() *faults.Link    { return &faults.Link{Delay: roundTrip / 2, Rate: rate} }
func satellite() *faults.Link {
	return &faults.Link{Delay: roundTrip / 2, Rate: satelliteRate}
}

// bad is the thin line with 30 % of the segments lost and a cut every 20 s.
func bad(seed uint64) *faults.Link {
	d := rand.New(rand.NewPCG(seed, 30)) //nolint:gosec // repeatable
	link := thin()
	link.CutAge = 20 * time.Second
	link.Lost = func(int) bool { return d.IntN(100) < 30 }
	return link
}

// cost is what one program took to do one thing.
type cost struct {
	up, down int64 // bytes over the line
	requests int   // of HTTP; 0 where the protocol has none
	conns    int
	turns    int // how often the client spoke after it had heard the server
	took     time.Duration
	memory   int64 // peak, of the client's largest process
	runs     int   // how often the program had to be started
	told     told  // what our own program says itself
	gaveUp   bool  // it did not come to its end within enough
}

func (c cost) bytes() int64 { return c.up + c.down }

// command is a program that ends with the test.
func command(name string, args ...string) *exec.Cmd {
	return exec.CommandContext(context.Background(), name, args...) //nolint:gosec // a measurement
}

// enough is how long a program may take on a line before it is ended: some wait
// for every piece before they ask for the next.
const enough = 2 * time.Minute

// measured runs commands one after the other and adds what they took.
func (l line) measured(t *testing.T, commands ...*exec.Cmd) cost {
	t.Helper()
	c := cost{runs: 1}
	for _, cmd := range commands {
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its helpers hold its output
		began := time.Now()
		must(t, cmd.Start())
		end := time.AfterFunc(enough-c.took, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		memory, err := watched(cmd)
		c.took += time.Since(began)
		c.memory = max(c.memory, memory)
		if c.gaveUp = !end.Stop(); c.gaveUp {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out.Bytes())
		}
	}
	c.up, c.down, c.conns = l.Carried()
	c.turns = l.Turns()
	return c
}

// watched waits for a process, and gives the most memory that it held, in bytes:
// its high-water mark, read every few milliseconds. What the kernel says at its
// end counts the memory of the process that it was forked from.
func watched(cmd *exec.Cmd) (peak int64, err error) {
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	own, _ := os.Readlink("/proc/self/exe")
	for {
		select {
		case err := <-done:
			return peak, err
		case <-tick.C:
			if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid)); err == nil && exe != own {
				peak = max(peak, highWater(cmd.Process.Pid))
			}
		}
	}
}

// highWater is the most memory that a running process has held so far, in bytes.
func highWater(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	var kib int64
	_, _ = fmt.Sscan(rest, &kib)
	return kib << 10
}
