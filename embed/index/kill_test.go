package index

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"koprik/portal"
)

// The child that indexes until it is killed finds its folder here.
const killDir = "KOPRIK_TEST_KILL_DIR"

// killed is how many datasets the child has; each generation renames all.
const killed = 12

func ofGeneration(g int64) []portal.Dataset {
	ds := numbered(killed)
	for i := range ds {
		ds[i].Latest.Title = portal.PlainText(fmt.Sprintf("Aholi g%d", g))
	}
	return ds
}

// indexForEver updates from where the index is, in batches of 5, and says which
// generation is whole.
func indexForEver(dir string) {
	x, err := Open(dir)
	if err != nil {
		panic(err)
	}
	x.batch = 5
	for g := x.Generation() + 1; ; g++ {
		if err := x.Update(context.Background(), g, ofGeneration(g), nil); err != nil {
			panic(err)
		}
		fmt.Println(g)
	}
}

// rounds is n, a fifth of it for -short, and many times that for soak.
func rounds(n int) int {
	switch {
	case os.Getenv("KOPRIK_SOAK") != "":
		return 25 * n
	case testing.Short():
		return n / 5
	}
	return n
}

// TestAnIndexThatIsKilledAtAnyMomentIsWholeAtTheNextStart kills a process that
// indexes, at random moments, each time in the folder that the last one left.
func TestAnIndexThatIsKilledAtAnyMomentIsWholeAtTheNextStart(t *testing.T) {
	dir, seed := t.TempDir(), uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	interrupted := 0
	for range rounds(30) {
		said := killOnce(t, dir, time.Duration(1+rng.IntN(60))*time.Millisecond)
		x, err := Open(dir)
		if err != nil {
			t.Fatalf("after a kill in generation %d: %v", said, err)
		}
		if x.Generation() < said {
			t.Errorf("generation %d was whole, now it is %d", said, x.Generation())
		}
		if x.Interrupted() {
			interrupted++
			mend(t, x, x.Generation(), ofGeneration(x.Generation()))
		}
		wantWhole(t, x)
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d were killed in the middle of an update", interrupted, rounds(30))
}

// killOnce lets a child index and kills it some time after its first whole
// generation; it gives the last generation that the child said was whole.
func killOnce(t *testing.T, dir string, after time.Duration) (said int64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if said, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatalf("the child: %s", lines.Text())
		}
		if after > 0 {
			timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
			after = 0
		}
	}
	_ = cmd.Wait() // killed, as it should be
	return said
}

// wantWhole sees that the index holds all datasets of its generation and none of
// another.
func wantWhole(t *testing.T, x *Index) {
	t.Helper()
	r := reader(t, x)
	defer r.Close()
	if n := find(t, r, portal.Query{}).Total; n != killed && r.Generation() > 0 {
		t.Errorf("generation %d has %d datasets", r.Generation(), n)
	}
	if n := find(t, r, portal.Query{Text: fmt.Sprintf(`"aholi g%d"`, r.Generation())}).Total; n != killed && r.Generation() > 0 {
		t.Errorf("generation %d: %d of its datasets", r.Generation(), n)
	}
}

// TestAFolderThatIsCutOffWhileItIsWrittenIsWholeOrDamaged copies the folder file
// by file while it is written, as a disk may keep it whose power was cut: parts
// of it are older than others.
func TestAFolderThatIsCutOffWhileItIsWrittenIsWholeOrDamaged(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	x.batch = 5
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		var err error
		for g := int64(1); err == nil; g++ {
			err = x.Update(ctx, g, ofGeneration(g), nil)
		}
		done <- err
	}()
	damaged, whole := 0, 0
	for range rounds(40) {
		torn := filepath.Join(t.TempDir(), "index")
		copyWhileWritten(t, dir, torn)
		y, err := Open(torn)
		if errors.Is(err, ErrDamaged) {
			damaged++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		whole++
		if y.Interrupted() {
			mend(t, y, y.Generation(), ofGeneration(y.Generation()))
		}
		wantWhole(t, y)
		if err := y.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the update: %v", err)
	}
	t.Logf("%d whole, %d damaged", whole, damaged)
}

// copyWhileWritten copies what is there when it gets to it.
func copyWhileWritten(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
