// Package sharedtest finds the real files that nobody of the project wrote: the
// folder "shared" beside the repository. A test on them skips where it is absent
// and says so.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Path is a file or folder of ../shared, as the repository's root sees it. The
// test is skipped, by name of what it lacks, where that does not exist.
func Path(t testing.TB, parts ...string) string {
	t.Helper()
	path, found := find(t, parts)
	if !found {
		t.Skipf("the real files are not there: no %s beside the repository", filepath.Join(append([]string{"shared"}, parts...)...))
	}
	return path
}

// Has tells whether Path would find it, for a test that goes on without.
func Has(t testing.TB, parts ...string) bool {
	t.Helper()
	_, found := find(t, parts)
	return found
}

func find(t testing.TB, parts []string) (string, bool) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = up
	}
	path := filepath.Join(append([]string{filepath.Dir(dir), "shared"}, parts...)...)
	_, err = os.Stat(path)
	return path, err == nil
}
