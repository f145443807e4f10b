package portal

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Provenance says of which release a file is that this program made: an export, a
// data package, a printed page. It is written into the file wherever the format
// has room for a line of text, and says nothing by itself: whoever checks the file
// looks the release up in a verified copy, makes the file again from Address and
// compares the bytes (docs/adr, "A file that we made is made again").
type Provenance struct {
	Dataset     DatasetID
	Release     int
	Fingerprint Digest // of the release's signed manifest
	// Address is where any node makes the same file again: path and query, a
	// function of the release alone, so that it never says "latest".
	Address string
}

const (
	provenanceMark = "koprik-provenance:1;"
	provenanceEnd  = ";end"
	// maxProvenance bounds a line, in bytes: an address has at most 8 KiB.
	maxProvenance = 12 << 10
)

// String is the one line that stands in files:
//
//	koprik-provenance:1;dataset=main_water;release=3;fingerprint=<64 hex>;address=%2Fdataset%2F…;end
//
// It is made of letters, digits and -_.~%+=:; so that no format has to escape it.
func (p Provenance) String() string {
	return provenanceMark + "dataset=" + string(p.Dataset) + ";release=" + strconv.Itoa(p.Release) +
		";fingerprint=" + p.Fingerprint.Hex() + ";address=" + url.QueryEscape(p.Address) + provenanceEnd
}

// ParseProvenance reads what String writes, and nothing else.
func ParseProvenance(line string) (p Provenance, err error) {
	rest, ok := strings.CutPrefix(line, provenanceMark)
	if !ok || len(line) > maxProvenance {
		return p, fmt.Errorf("provenance %.80q: must begin with %s", line, provenanceMark)
	}
	fields := strings.Split(rest, ";")
	const all = 5
	if len(fields) != all {
		return p, fmt.Errorf("provenance %.80q: must have dataset, release, fingerprint, address and end", line)
	}
	value := func(i int, name string) string {
		v, ok := strings.CutPrefix(fields[i], name+"=")
		if !ok && err == nil {
			err = fmt.Errorf("provenance %.80q: %s is missing", line, name)
		}
		return v
	}
	dataset, release, fingerprint, address := value(0, "dataset"), value(1, "release"), value(2, "fingerprint"), value(3, "address")
	if err != nil {
		return p, err
	}
	if p.Dataset, err = ParseDatasetID(dataset); err != nil {
		return p, fmt.Errorf("provenance: %w", err)
	}
	if p.Release, err = strconv.Atoi(release); err != nil || p.Release < 1 {
		return p, fmt.Errorf("provenance: %.40q is not the number of a release", release)
	}
	if p.Fingerprint, err = ParseDigest(fingerprint); err != nil {
		return p, fmt.Errorf("provenance: %w", err)
	}
	if p.Address, err = url.QueryUnescape(address); err != nil {
		return p, fmt.Errorf("provenance: address: %w", err)
	}
	if p.String() != line {
		return p, errors.New("provenance: is not in its one spelling")
	}
	return p, nil
}

// provenanceReach is how much of a file's beginning and end is searched, in bytes.
const provenanceReach = 64 << 10

// ProvenanceFinder looks for a provenance line in a file while it is read: in its
// first and its last 64 KiB, so that memory is bounded. The zero value is ready.
type ProvenanceFinder struct{ head, tail []byte }

// Write takes the next bytes of the file. It never fails.
func (f *ProvenanceFinder) Write(b []byte) (int, error) {
	if free := provenanceReach - len(f.head); free > 0 {
		f.head = append(f.head, b[:min(free, len(b))]...)
	}
	f.tail = append(f.tail, b[max(0, len(b)-provenanceReach):]...)
	if len(f.tail) > 2*provenanceReach {
		f.tail = append(f.tail[:0], f.tail[len(f.tail)-provenanceReach:]...)
	}
	return len(b), nil
}

// Found gives the line that was found; of several, the last. ok is false when
// there is none that can be read.
func (f *ProvenanceFinder) Found() (p Provenance, ok bool) {
	for _, part := range [][]byte{f.tail, f.head} {
		for len(part) > 0 {
			at := bytes.LastIndex(part, []byte(provenanceMark))
			if at < 0 {
				break
			}
			line, _, ended := bytes.Cut(part[at:], []byte(provenanceEnd))
			if ended && len(line) < maxProvenance {
				if p, err := ParseProvenance(string(line) + provenanceEnd); err == nil {
					return p, true
				}
			}
			part = part[:at]
		}
	}
	return Provenance{}, false
}
