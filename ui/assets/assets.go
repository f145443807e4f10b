// Package assets holds the style sheets, the scripts and the icon of every page, compiled in
// and served under addresses that name their content, so that a browser asks
// for each of them once.
package assets

import (
	"bytes"
	"embed"
	"fmt"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"koprik/portal"
)

//go:embed style.css figure.css icon.svg site.js kiosk.css kiosk.js kiosk.woff2
var files embed.FS

// Prefix is where a Set expects to be mounted.
const Prefix = "/assets/"

// Set is the files by the addresses they are served under. It is an
// http.Handler for everything below Prefix.
type Set struct {
	urls   map[string]string // "style.css" -> "/assets/style.0123456789abcdef.css"
	bodies map[string]Packed // by address
}

// Load reads the compiled-in files; those that only a kiosk's pages ask for, its
// font among them, only for a kiosk.
func Load(kiosk bool) (*Set, error) {
	s := &Set{urls: map[string]string{}, bodies: map[string]Packed{}}
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	var names []string
	for _, e := range entries {
		if kiosk || !strings.HasPrefix(e.Name(), "kiosk.") {
			names = append(names, e.Name())
		}
	}
	// The font before the style sheet that names its address.
	slices.SortStableFunc(names, func(a, b string) int { return strings.Compare(path.Ext(b), path.Ext(a)) })
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("asset %s: %w", name, err)
		}
		if name == "kiosk.css" {
			body = bytes.ReplaceAll(body, []byte("url("+kioskFont+")"), []byte("url("+s.urls[kioskFont]+")"))
		}
		ext := path.Ext(name)
		url := Prefix + strings.TrimSuffix(name, ext) + "." + portal.DigestOf(body).Short() + ext
		s.urls[name] = url
		if ext == ".woff2" {
			s.bodies[url] = Packed{Plain: body} // is compressed
			continue
		}
		if s.bodies[url], err = Pack(body); err != nil {
			return nil, fmt.Errorf("asset %s: %w", name, err)
		}
	}
	return s, nil
}

// kioskFont is a subset of Noto Sans: nobody knows which fonts a kiosk's
// machine has (VENDOR.md).
const kioskFont = "kiosk.woff2"

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
	kind := mime.TypeByExtension(path.Ext(r.URL.Path))
	if strings.HasSuffix(r.URL.Path, ".woff2") {
		kind = "font/woff2" // not every machine's table of types has it
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	body.Send(w, r, http.StatusOK)
}
