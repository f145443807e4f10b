package index

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"koprik/portal"
)

// The child that fills indexes until it is killed finds its folder here.
const rebuildDir = "KOPRIK_TEST_REBUILD_DIR"

// rebuilt is how many datasets it fills an index with, in batches of 2, of which
// two are written at a time.
const rebuilt = 40

// rebuildForEver does what a node does whose index is to be built again: it takes
// the folder away, fills another, and then has questions and one update for it;
// it says which generation is whole.
func rebuildForEver(dir string) {
	for g := int64(1); ; g += 2 {
		fmt.Println(0)
		if err := Remove(dir); err != nil {
			panic(err)
		}
		x, err := Open(dir)
		if err != nil {
			panic(err)
		}
		x.batch = 2
		if err := x.Rebuild(context.Background(), g, every(numbered(rebuilt)), nil); err != nil {
			panic(err)
		}
		fmt.Println(g)
		s := new(sets).put("portal", fmt.Sprint(g), thread(1, "Suv qayerda?"), thread(2, "Suv qachon?"))
		if err := x.UpdateThreads(context.Background(), s.versions, s.load); err != nil {
			panic(err)
		}
		if err := x.Update(context.Background(), g+1, numbered(5), nil); err != nil {
			panic(err)
		}
		fmt.Println(g + 1)
		if err := x.Close(); err != nil {
			panic(err)
		}
	}
}

// TestAnIndexThatIsKilledWhileItIsFilledIsWholeOrSaysThatItIsNot kills a process
// at random moments of filling, merging, indexing questions and updating. What
// the next start finds is a whole generation, or an index that says that it is
// damaged, interrupted or empty, which is built again.
func TestAnIndexThatIsKilledWhileItIsFilledIsWholeOrSaysThatItIsNot(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	ends := map[string]int{}
	for i := range rounds(20) {
		dir := t.TempDir()
		said := killRebuild(t, dir, i%2 == 1, time.Duration(rng.IntN(80))*time.Millisecond)
		ends[findKilled(t, dir, said)]++
	}
	t.Logf("%v", ends)
}

// killRebuild lets a child fill indexes, kills it some time after it began, or
// after the first was filled, and gives the generation that it last said was whole; 0 while it is filling.
func killRebuild(t *testing.T, dir string, filled bool, after time.Duration) (said int64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), rebuildDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &said); err != nil {
			t.Fatalf("the child: %s", lines.Text())
		}
		if timer == nil && filled == (said > 0) {
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		}
	}
	_ = cmd.Wait() // killed, as it should be
	return said
}

// findKilled opens what a killed child left and says what it is.
func findKilled(t *testing.T, dir string, said int64) string {
	t.Helper()
	x, err := Open(dir)
	switch {
	case errors.Is(err, ErrDamaged):
		if said != 0 {
			t.Errorf("generation %d was whole, now the index is damaged: %v", said, err)
		}
		return "damaged"
	case err != nil:
		t.Fatalf("after a kill in generation %d: %v", said, err)
	}
	defer x.Close()
	if x.Generation() < said {
		t.Errorf("generation %d was whole, now it is %d", said, x.Generation())
	}
	if x.Interrupted() {
		mend(t, x, x.Generation()+1, numbered(rebuilt))
	}
	if x.Generation() == 0 {
		return "empty"
	}
	r := reader(t, x)
	defer r.Close()
	if n := find(t, r, portal.Query{Text: "aholi"}).Total; n != rebuilt {
		t.Errorf("generation %d has %d datasets", x.Generation(), n)
	}
	if n := len(find(t, r, portal.Query{Text: "suv"}).Threads); n != 0 && n != 2 {
		t.Errorf("generation %d has %d questions of a set of 2", x.Generation(), n)
	}
	return "whole"
}
