package portal

import (
	"fmt"
	"strings"
)

// MaxPath bounds a path of a release, in bytes.
const MaxPath = 100

// ParsePath accepts a portable relative path, exactly in the spelling that
// comes out: at most MaxPath bytes, parts of [A-Za-z0-9._-] with "/" between
// them. A part does not begin with a dot or a hyphen, does not end with a dot,
// and is no device name of DOS, with or without an extension. What passes can
// be written on FAT32, NTFS, ext4 and APFS, stands unescaped in an address and
// cannot be read as an option by a shell.
func ParsePath(s string) (string, error) {
	switch {
	case s == "":
		return "", fmt.Errorf("path %q: must not be empty", s)
	case len(s) > MaxPath:
		return "", fmt.Errorf("path %.120q: %d bytes, at most %d are allowed", s, len(s), MaxPath)
	}
	for part := range strings.SplitSeq(s, "/") {
		if err := checkPart(part); err != nil {
			return "", fmt.Errorf("path %q: %w", s, err)
		}
	}
	return s, nil
}

// MaxResourceName bounds a resource's name, in bytes.
const MaxResourceName = 100

// ParseResourceName accepts a resource's name, exactly in the spelling that
// comes out: a path's part without capital letters.
func ParseResourceName(s string) (string, error) {
	if len(s) > MaxResourceName {
		return "", fmt.Errorf("resource name %.120q: %d bytes, at most %d are allowed", s, len(s), MaxResourceName)
	}
	if err := checkPart(s); err != nil {
		return "", fmt.Errorf("resource name %q: %w", s, err)
	}
	if strings.ToLower(s) != s {
		return "", fmt.Errorf("resource name %q: must be in small letters", s)
	}
	return s, nil
}

func checkPart(s string) error {
	if s == "" {
		return fmt.Errorf("has an empty part")
	}
	for _, r := range s {
		if !isPathRune(r) {
			return fmt.Errorf("has %q; only A-Z, a-z, 0-9, dot, hyphen and underscore are allowed", r)
		}
	}
	switch {
	case s[0] == '.' || s[0] == '-':
		return fmt.Errorf("the part %q begins with %q", s, s[0])
	case s[len(s)-1] == '.':
		return fmt.Errorf("the part %q ends with a dot", s)
	}
	stem, _, _ := strings.Cut(strings.ToLower(s), ".")
	if reservedFiles[stem] {
		return fmt.Errorf("the part %q is a device name on Windows", s)
	}
	return nil
}

func isPathRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		r == '.' || r == '-' || r == '_'
}
