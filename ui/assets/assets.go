// Package assets holds the style sheets, the scripts and the icon of every page, compiled in
// and served under addresses that name their content, so that a browser asks
// for each of them once.
package assets

import (
	"embed"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"koprik/portal"
)

//go:embed style.css figure.css icon.svg site.js kiosk.css kiosk.js
var files embed.FS

// Prefix is where a Set expects to be mounted.
const Prefix = "/assets/"

// Set is the files by the addresses they are served under. It is an
// http.Handler for everything below Prefix.
type Set struct {
	urls   map[string]string // "style.css" -> "/assets/style.0123456789abcdef.css"
	bodies map[string]Packed // by address
}

// Load reads the compiled-in files.
func Load() (*Set, error) {
	s := &Set{urls: map[string]string{}, bodies: map[string]Packed{}}
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	for _, e := range entries {
		body, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("asset %s: %w", e.Name(), err)
		}
		ext := path.Ext(e.Name())
		url := Prefix + strings.TrimSuffix(e.Name(), ext) + "." + portal.DigestOf(body).Short() + ext
		s.urls[e.Name()] = url
		if s.bodies[url], err = Pack(body); err != nil {
			return nil, fmt.Errorf("asset %s: %w", e.Name(), err)
		}
	}
	return s, nil
}

// URL is the address of a file by its name; "" when there is none of that name.
func (s *Set) URL(name string) string { return s.urls[name] }

// ServeHTTP answers the addresses that URL gives, for ever; anything else is
// not found.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := s.bodies[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	body.Send(w, r, http.StatusOK)
}
