package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// versioned are the files of a repository that never change under their name
// (spec/sync.md, "The tree"). All others say what is newest.
var versioned = regexp.MustCompile(`^(metadata/[0-9]+\.[^/]+|objects/.+|patches/.+|d/.+|(acks|receipts|seal|talkback)/.+)$`)

// maxPointer is how long a file that says what is newest may be. Its bytes are
// read whole, because two versions may have the same length and time.
const maxPointer = 16 << 20

// repository serves the signed tree as a static web server would, without
// listings. Single ranges are answered, so that a cut transfer resumes.
func (a *api) repository(w http.ResponseWriter, r *http.Request) error {
	name := mux.Vars(r)["path"]
	absent := notFound("repository", "has no file %q", name)
	if a.o.Repository == nil {
		return absent.WithHint("this node publishes no repository")
	}
	if !fs.ValidPath(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		return absent
	}
	f, err := a.o.Repository.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid), errors.Is(err, portal.ErrNotFound):
		return absent
	case err != nil:
		return fmt.Errorf("open repository file %s: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at repository file %s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return absent
	}
	h := w.Header()
	h.Set("Content-Type", repositoryType(name))
	if !versioned.MatchString(name) {
		return servePointer(w, r, name, f)
	}
	content, ok := f.(io.ReadSeeker)
	if !ok {
		return fmt.Errorf("repository file %s: cannot be read from the middle", name)
	}
	h.Set("Cache-Control", immutable)
	h.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.Size(), info.ModTime().UnixNano()))
	http.ServeContent(w, oneRange(r), "", info.ModTime(), content)
	return nil
}

// servePointer gives a file that is replaced in place, under the hash of the
// very bytes that are sent.
func servePointer(w http.ResponseWriter, r *http.Request, name string, f io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(f, maxPointer+1))
	if err != nil {
		return fmt.Errorf("read repository file %s: %w", name, err)
	}
	if len(data) > maxPointer {
		return fmt.Errorf("repository file %s: longer than %d bytes", name, maxPointer)
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+portal.DigestOf(data).Short()+`"`)
	http.ServeContent(w, oneRange(r), "", time.Time{}, bytes.NewReader(data))
	return nil
}

func repositoryType(name string) string {
	switch path.Ext(name) {
	case ".json":
		return "application/json"
	case ".zst":
		return "application/zstd"
	}
	return "application/octet-stream"
}
