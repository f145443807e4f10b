package index

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koprik/portal"
)

// files lists the files of a closed index.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, mappingVersion))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, filepath.Join(dir, mappingVersion, e.Name()))
	}
	return names
}

// TestATornFolderIsReportedOrHarmless damages each file of an index in many
// ways. An open must come back with ErrDamaged, or with an index that answers;
// after either, the folder can be removed and filled again.
func TestATornFolderIsReportedOrHarmless(t *testing.T) {
	damages := map[string]func(b []byte) []byte{
		"empty":        func([]byte) []byte { return nil },
		"one byte":     func(b []byte) []byte { return b[:1] },
		"half":         func(b []byte) []byte { return b[:len(b)/2] },
		"end cut":      func(b []byte) []byte { return b[:len(b)-1] },
		"page cut":     func(b []byte) []byte { return b[:max(0, len(b)-4096)] },
		"two pages":    func(b []byte) []byte { return b[:min(len(b), 8192)] },
		"zeros":        func(b []byte) []byte { return make([]byte, len(b)) },
		"middle bits":  func(b []byte) []byte { return scribble(b, len(b)/2, 64) },
		"begin bits":   func(b []byte) []byte { return scribble(b, 0, 64) },
		"end bits":     func(b []byte) []byte { return scribble(b, len(b)-64, 64) },
		"all scribble": func(b []byte) []byte { return scribble(b, 0, len(b)) },
	}
	for page := 2; page < 14; page++ { // of root.bolt: free list, buckets
		damages[fmt.Sprintf("page %d", page)] = func(b []byte) []byte { return scribble(b, page*4096, 4096) }
	}
	whole := t.TempDir()
	x, err := Open(whole)
	if err != nil {
		t.Fatal(err)
	}
	update(t, x, 1, numbered(40))
	update(t, x, 2, numbered(5))
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	segments := 0
	for _, file := range files(t, whole) {
		for name, damage := range damages {
			dir := filepath.Join(t.TempDir(), "index")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, mappingVersion, filepath.Base(file))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			openDamaged(t, dir, filepath.Base(file)+", "+name)
			if strings.HasSuffix(file, ".zap") {
				segments++
			}
		}
	}
	if segments == 0 {
		t.Error("no segment file was damaged")
	}
}

func scribble(b []byte, from, n int) []byte {
	for i := max(from, 0); i < min(from+n, len(b)); i++ {
		b[i] ^= byte(0x5A + i*31)
	}
	return b
}

func openDamaged(t *testing.T, dir, what string) {
	t.Helper()
	x, err := Open(dir)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := Open(dir); errors.Is(err, ErrLocked) {
			t.Errorf("%s: the first open left a lock", what)
		}
	} else {
		if r, err := x.Reader(); err == nil {
			results, err := r.Search(t.Context(), portal.Query{Text: "aholi"})
			if x.Generation() == 2 && (err != nil || results.Total != 40) {
				t.Errorf("%s: found %d, %v", what, results.Total, err)
			}
			r.Close()
		}
		if err := x.Update(t.Context(), 9, numbered(1), nil); err != nil {
			t.Logf("%s: update: %v", what, err)
		}
		if err := x.Close(); err != nil {
			t.Logf("%s: close: %v", what, err)
		}
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	x, err = Open(dir)
	if err != nil {
		t.Fatalf("%s: after Remove: %v", what, err)
	}
	update(t, x, 1, numbered(1))
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}

func TestAFolderThatIsNoIndexIsDamaged(t *testing.T) {
	for name, fill := range map[string]func(build string) error{
		"another file":       func(b string) error { return os.WriteFile(filepath.Join(b, "notes.txt"), []byte("x"), 0o600) },
		"a root of nothing":  func(b string) error { return os.WriteFile(filepath.Join(b, "root.bolt"), nil, 0o600) },
		"a folder as a root": func(b string) error { return os.Mkdir(filepath.Join(b, "root.bolt"), 0o700) },
	} {
		dir := t.TempDir()
		build := filepath.Join(dir, mappingVersion)
		if err := os.MkdirAll(build, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := fill(build); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
