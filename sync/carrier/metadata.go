package carrier

import (
	"strconv"
	"strings"
)

// MetadataName is what the file of one version of a role is called, in a
// repository's metadata/ and in a mirror's trust/: "12.snapshot.json".
func MetadataName(role string, version int64) string {
	return strconv.FormatInt(version, 10) + "." + role + ".json"
}

// MetadataPath is where that file stands in a repository.
func MetadataPath(role string, version int64) string {
	return "metadata/" + MetadataName(role, version)
}

// ParseMetadataName reads "<version>.<role>.json"; another name gives 0 and "".
func ParseMetadataName(name string) (version int64, role string) {
	number, rest, _ := strings.Cut(name, ".")
	role, ok := strings.CutSuffix(rest, ".json")
	version, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || version < 1 {
		return 0, ""
	}
	return version, role
}
