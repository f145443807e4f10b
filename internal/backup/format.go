// Package backup is the form of a backup: one file that holds what a node may not
// lose, and proves that it holds all of it (docs/reference/backup.md).
//
// It is a tar archive in a zstd frame, and that, where somebody asked for it, in an
// age file: each of them is a standard that other programs open. The archive begins
// with a manifest that names every file behind it with its length and SHA-256, so a
// backup that is cut short, altered or mixed up is known before anything is replaced.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"koprik/portal"
)

// Format is what the manifest of a backup says of itself.
const Format = "koprik backup 1"

// manifestName is the first entry of the archive.
const manifestName = "koprik-backup.json"

// Bounds of what is read. A manifest takes some 150 bytes a file.
const (
	maxManifest = 128 << 20 // bytes
	maxName     = 240       // bytes of a file's name
	maxWindow   = 8 << 20   // bytes that zstd looks back
)

// ErrPassphrase says that a sealed backup does not open: its passphrase or identity
// is another, or it was altered.
var ErrPassphrase = errors.New("it does not open with this passphrase or identity, or it was altered")

// Manifest says what a backup is of, and what is in it.
type Manifest struct {
	Format     string        `json:"format"`
	Made       time.Time     `json:"made"` // by the node's trusted time
	Version    string        `json:"version"`
	Role       portal.Role   `json:"role"`
	Title      string        `json:"title"`
	Node       string        `json:"node"`       // id of the node's own key, 64 hexadecimal digits; "" before it has one
	Repository portal.Digest `json:"repository"` // whose copy it had; zero before the first
	Generation int64         `json:"generation"`
	Files      []File        `json:"files"`
}

// File is one file of a backup.
type File struct {
	Name   string        `json:"name"` // in the data directory, with slashes
	Bytes  int64         `json:"bytes"`
	SHA256 portal.Digest `json:"sha256"`
}

// Total is how many bytes all files have.
func (m Manifest) Total() (total int64) {
	for _, f := range m.Files {
		total += f.Bytes
	}
	return total
}

// Holds tells whether a backup has a file or a folder of the data directory.
func (m Manifest) Holds(top string) bool {
	for _, f := range m.Files {
		if Top(f.Name) == top {
			return true
		}
	}
	return false
}

// Top is the first part of a file's name: what stands in the data directory itself.
func Top(name string) string {
	top, _, _ := strings.Cut(name, "/")
	return top
}

// Tops are what a backup may hold: files of the data directory, and folders, whose
// names end with a slash.
var Tops = []string{"koprik.toml", "words.toml", "synonyms.toml", "local.db", "keys/", "trust/", "alarms/", "repository/"}

// checkName lets through what stands in Tops, in the letters that this program uses.
func checkName(name string) error {
	known := false
	for _, top := range Tops {
		known = known || name == top || strings.HasSuffix(top, "/") && strings.HasPrefix(name, top)
	}
	if !known || len(name) > maxName || !fs.ValidPath(name) || path.Clean(name) != name {
		return fmt.Errorf("%.80q does not belong into a backup", name)
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r) {
			return fmt.Errorf("%.80q does not belong into a backup", name)
		}
	}
	return nil
}

// decodeManifest reads a manifest and checks that it can be one.
func decodeManifest(b []byte) (m Manifest, err error) {
	if err := json.Unmarshal(b, &m); err != nil {
		return m, err
	}
	if m.Format != Format {
		return m, fmt.Errorf("its format is %.40q, this version reads %q", m.Format, Format)
	}
	seen := make(map[string]bool, len(m.Files))
	for _, f := range m.Files {
		if err := checkName(f.Name); err != nil {
			return m, err
		}
		if f.Bytes < 0 || seen[f.Name] {
			return m, fmt.Errorf("%s stands in it twice, or with a length of %d", f.Name, f.Bytes)
		}
		seen[f.Name] = true
	}
	for _, needed := range []string{"koprik.toml", "local.db"} {
		if !seen[needed] {
			return m, fmt.Errorf("%s is missing", needed)
		}
	}
	return m, nil
}
