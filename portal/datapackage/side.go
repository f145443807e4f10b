package datapackage

import (
	"fmt"
	"slices"
	"strings"

	"koprik/portal"
)

// The roles beside the publishers (spec/trust.md, "Roles"). Each lists small files
// of its own, which every mirror keeps whole.
const (
	TalkbackRole = "talkback" // answers, threads, acknowledgements: signed by the centre every day
	SealRole     = "seal"     // the keys that questions are sealed to: signed offline
)

// sideFolders are the top folders of each role's files.
var sideFolders = map[string][]string{
	TalkbackRole: {"acks", "receipts", "talkback"},
	SealRole:     {"seal"},
}

// SideRoles are all of them, by name.
var SideRoles = []string{SealRole, TalkbackRole}

// IsSide tells the roles beside the publishers from those of publishers.
func IsSide(role string) bool { return slices.Contains(SideRoles, role) }

// SidePaths are the patterns of the files of a role beside the publishers: a top
// folder each, and nothing below a folder in it.
func SidePaths(role string) []string {
	paths := make([]string, len(sideFolders[role]))
	for i, folder := range sideFolders[role] {
		paths[i] = folder + "/*"
	}
	return paths
}

// MaxSide is the longest file of a role beside the publishers, in bytes.
const MaxSide = 4 << 20

// ParseSidePath checks the path of a file of a role beside the publishers:
// "<folder>/<name>" with a name of up to 160 of [a-z0-9._-] that begins with a
// letter or a digit.
func ParseSidePath(role, s string) error {
	folder, name, _ := strings.Cut(s, "/")
	const longest = 160
	switch {
	case !slices.Contains(sideFolders[role], folder):
		return fmt.Errorf("target %.200q: must stand in %s", s, strings.Join(sideFolders[role], ", "))
	case name == "" || len(name) > longest || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" || strings.Contains("._-", name[:1]):
		return fmt.Errorf("target %.200q: its name must be 1 to %d of a-z, 0-9, ., _ and -", s, longest)
	}
	return nil
}

// SideFile is where such a file stands in a repository: "<folder>/<sha256>.<name>".
func SideFile(path string, d portal.Digest) string {
	folder, name, _ := strings.Cut(path, "/")
	return folder + "/" + d.Hex() + "." + name
}
