package api

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestVersionedFilesAreKeptAndPointersAskedForAgain(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	for page, cache := range map[string]string{
		"/repository/metadata/1.root.json":       immutable,
		"/repository/objects/ab/abcd.zst":        immutable,
		"/repository/d/main/water/ab.1.json":     immutable,
		"/repository/d/main/_publisher/a.1.json": immutable,
		"/repository/metadata/timestamp.json":    "no-cache",
	} {
		rec := get(t, h, page)
		if rec.Code != http.StatusOK || rec.Header().Get("Cache-Control") != cache {
			t.Errorf("%s: %d, %q, want %q", page, rec.Code, rec.Header().Get("Cache-Control"), cache)
		}
	}
}

func TestATimestampOfTheSameLengthAndTimeIsANewAnswer(t *testing.T) {
	o := newWorld().options(io.Discard)
	tree := o.Repository.(fstest.MapFS)
	h := New(o)
	const page = "/repository/metadata/timestamp.json"
	before := get(t, h, page).Header().Get("ETag")
	tree["metadata/timestamp.json"] = &fstest.MapFile{Data: []byte(`{"timestamp":2}`), ModTime: signedAt}
	rec := get(t, h, page, "If-None-Match", before)
	if rec.Code != http.StatusOK || rec.Body.String() != `{"timestamp":2}` {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestARepositoryFileResumesAtTheByte(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	rec := get(t, h, "/repository/objects/ab/abcd.zst", "Range", "bytes=4-")
	if rec.Code != http.StatusPartialContent || rec.Body.String() != "456789" || rec.Header().Get("Content-Type") != "application/zstd" {
		t.Errorf("%d %q %v", rec.Code, rec.Body, rec.Header())
	}
}

func TestTheRepositoryListsNothingAndHidesUnfinishedFiles(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	for _, page := range []string{
		"/repository/", "/repository/metadata", "/repository/metadata/", "/repository/objects/ab",
		"/repository/objects/ab/.partial", "/repository/../go.mod", "/repository//metadata/1.root.json",
		"/repository/metadata/../metadata/1.root.json", "/repository/metadata/%2e%2e/x", "/repository/metadata%00",
		"/repository/metadata\\1.root.json", "/repository/index.html",
	} {
		refused(t, get(t, h, page), http.StatusNotFound, "not_found")
	}
}

func TestAnAddressCannotLeaveTheRepository(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(dir, "repository")
	if err := os.Mkdir(tree, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(tree, "head")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	root, err := os.OpenRoot(tree)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	o := newWorld().options(io.Discard)
	o.Repository = root.FS()
	h := New(o)
	for _, page := range []string{"/repository/head", "/repository/../secret", "/repository/%2e%2e/secret"} {
		if rec := get(t, h, page); rec.Code == http.StatusOK {
			t.Errorf("%s gave out %q", page, rec.Body)
		}
	}
}

func TestANodeWithoutARepositorySaysSo(t *testing.T) {
	o := newWorld().options(io.Discard)
	o.Repository = nil
	h := New(o)
	f := refused(t, get(t, h, "/repository/metadata/timestamp.json"), http.StatusNotFound, "not_found")
	if f.Error.Hint == "" {
		t.Error("no hint")
	}
	if got := decoded[map[string]any](t, get(t, h, "/.well-known/koprik")); got["repository_url"] != "" {
		t.Errorf("%v", got)
	}
}
