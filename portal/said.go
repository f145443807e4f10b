package portal

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Said is what a person typed or a camera read, to be looked up: one of a
// fingerprint, the words or the public half of a key, and the code of a page.
type Said struct {
	Hex     string    // 16 to 64 lower-case hexadecimal digits: of a file, a manifest or a key id, or its beginning
	Words   string    // six words with spaces between them
	Public  string    // a public key as koprik key show gives it away
	Dataset DatasetID // with Release and Hex: the code of a printed page
	Release int
}

// MaxSaid is the longest text that ParseSaid reads, in bytes: an address with a
// code in it.
const MaxSaid = 1000

const (
	releasePrefix = "koprik-release:"
	keyPrefix     = "koprik-key:"
)

// ReleaseCode is what the code on a printed page says: which release it shows,
// and the short fingerprint of its signed manifest.
func ReleaseCode(id DatasetID, release int, manifest Digest) string {
	return releasePrefix + string(id) + "/" + strconv.Itoa(release) + "/" + manifest.Short()
}

// ParseSaid reads what a person typed: case, spaces, colons and hyphens between
// digits don't count. Of an address it takes what stands behind h=.
func ParseSaid(text string) (s Said, err error) {
	if len(text) > MaxSaid {
		return s, fmt.Errorf("%d bytes, at most %d are read", len(text), MaxSaid)
	}
	text = strings.TrimSpace(text)
	if u, err := url.Parse(text); err == nil && u.Query().Has("h") {
		text = strings.TrimSpace(u.Query().Get("h"))
	}
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, keyPrefix):
		return Said{Public: lower}, nil
	case strings.HasPrefix(lower, releasePrefix):
		return parseReleaseCode(strings.TrimPrefix(lower, releasePrefix))
	}
	if words := strings.Fields(lower); len(words) == fingerprintWords && !strings.ContainsAny(lower, "0123456789:") {
		return Said{Words: strings.Join(words, " ")}, nil
	}
	s.Hex, err = hexDigits(lower)
	return s, err
}

func parseReleaseCode(code string) (s Said, err error) {
	parts := strings.Split(code, "/")
	const all = 3
	if len(parts) != all {
		return s, errors.New("a page's code has dataset, release and fingerprint")
	}
	if s.Dataset, err = ParseDatasetID(parts[0]); err != nil {
		return Said{}, err
	}
	if s.Release, err = strconv.Atoi(parts[1]); err != nil || s.Release < 1 {
		return Said{}, fmt.Errorf("%.20q is not the number of a release", parts[1])
	}
	if s.Hex, err = hexDigits(parts[2]); err != nil {
		return Said{}, err
	}
	return s, nil
}

// hexDigits reads the digits of a fingerprint, written in groups or not.
func hexDigits(text string) (string, error) {
	digits := strings.NewReplacer(" ", "", ":", "", "-", "").Replace(strings.TrimPrefix(text, "sha256:"))
	if n := len(digits); n < 2*fingerprintBytes || n > 2*len(Digest{}) || strings.Trim(digits, "0123456789abcdef") != "" {
		return "", errors.New("is no fingerprint: 16 to 64 hexadecimal digits, six words, or what a code says")
	}
	return digits, nil
}

// fingerprintBytes is how many bytes a short fingerprint has.
const fingerprintBytes = 8
