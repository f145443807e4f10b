package straw_test

import (
	"context"
	"math/rand/v2"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"koprik/internal/faults"
)

// The line of spec/sync.md: 64 kbit/s, and 600 ms for a round trip.
const (
	rate      = 8000
	roundTrip = 600 * time.Millisecond
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
		began := time.Now()
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its helpers hold its output
		end := time.AfterFunc(enough-c.took, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		out, err := cmd.CombinedOutput()
		c.took += time.Since(began)
		if c.gaveUp = !end.Stop(); c.gaveUp {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
		}
		c.memory = max(c.memory, peak(cmd))
	}
	c.up, c.down, c.conns = l.Carried()
	c.turns = l.Turns()
	return c
}

// peak is the most memory that a process that has ended held, in bytes.
func peak(cmd *exec.Cmd) int64 {
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss * 1024
	}
	return 0
}
