package disk_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"koprik/internal/disk"
)

// holdLockEnv makes the test binary a child that takes the lock in the folder
// that it names, says so, and waits for its end.
const holdLockEnv = "KOPRIK_TEST_HOLD_LOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdLockEnv); dir != "" {
		os.Exit(holdLock(dir))
	}
	os.Exit(m.Run())
}

func holdLock(dir string) int {
	if _, err := disk.Lock(dir, "lock"); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or its parent is
	return 0
}

// lockedChild starts a child that holds the lock, and gives what ends it at once,
// as a kill -9 does.
func lockedChild(t *testing.T, dir string) (kill func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(exe)
	child.Env = append(os.Environ(), holdLockEnv+"="+dir)
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "held\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return func() {
		_ = child.Process.Kill()
		_ = child.Wait() // an error: it was killed
	}
}

func TestLockHeldByAnotherProcessIsRefusedUntilThatDies(t *testing.T) {
	dir := t.TempDir()
	kill := lockedChild(t, dir)
	if _, err := disk.Lock(dir, "lock"); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("second holder: %v", err)
	}
	kill()
	lock, err := disk.Lock(dir, "lock")
	if err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockHeldInThisProcessIsRefusedUntilUnlocked(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		lock, err := disk.Lock(dir, "lock")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := disk.Lock(dir, "lock"); !errors.Is(err, disk.ErrLocked) {
			t.Errorf("second holder: %v", err)
		}
		other, err := disk.Lock(dir, "other")
		if err != nil {
			t.Errorf("another lock: %v", err)
		}
		if err := errors.Join(lock.Unlock(), other.Unlock()); err != nil {
			t.Error(err)
		}
		if err := lock.Unlock(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("unlocked twice: %v", err)
		}
	}
}

func TestLockNeedsAFolderAndAName(t *testing.T) {
	dir := t.TempDir()
	if _, err := disk.Lock(filepath.Join(dir, "missing"), "lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing folder: %v", err)
	}
	for _, name := range []string{"", ".", "..", "a/b", `a\b`} {
		if _, err := disk.Lock(dir, name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("lock %q: %v", name, err)
		}
	}
}
