package tuf

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A publisher's role is read and written in one pass where it has the form that
// SignTargets writes: canonical, no delegations, SHA-256 and length of each
// target, paths of plain ASCII with a slash in them. At 100,000 datasets that is
// a twentieth of the time of reading any JSON. Whatever differs in one byte goes
// the general way, which decides; what is read here it reads the same
// (TestTheQuickReaderReadsWhatTheGeneralOneReads, FuzzQuickTargets).

// quickValues keeps a file below maxValues of the general reader: a target is
// eight of them.
const quickValues = maxValues/8 - 100

// quickReader walks a file; ok is false from the first byte that is not as
// SignTargets writes it.
type quickReader struct {
	b  []byte
	at int
	ok bool
}

// quickTargets fills e from a targets file of the plain form; false: it has
// another, and e may have been written to.
func quickTargets(b []byte, e *envelope, into *wireTargets) bool {
	r := &quickReader{b: b, ok: true}
	r.want(`{"signatures":[`)
	for r.ok && !r.have(`]`) {
		if len(e.Signatures) > 0 {
			r.want(`,`)
		}
		var s signature
		r.want(`{"keyid":`)
		s.KeyID = r.text()
		r.want(`,"sig":`)
		s.Sig = r.text()
		r.want(`}`)
		e.Signatures = append(e.Signatures, s)
	}
	r.want(`,"signed":`)
	begin := r.at
	r.want(`{"_type":"targets","expires":`)
	expires := r.text()
	r.want(`,"spec_version":`)
	spec := r.text()
	r.want(`,"targets":{`)
	targets := r.targets()
	r.want(`,"version":`)
	version := r.number()
	r.want(`}`)
	end := r.at
	r.want(`}`)
	when, err := parseTime(expires)
	if !r.ok || r.at != len(b) || err != nil || version < 1 || !specVersion1.MatchString(spec) {
		return false
	}
	e.canonical, e.version, e.expires = b[begin:end], version, when
	*into.Targets = Targets{Version: version, Expires: when, Targets: targets}
	return true
}

// targets reads what stands between the braces, and the closing one.
func (r *quickReader) targets() map[string]Target {
	const least = len(`"d/p/d/1.json":{"hashes":{"sha256":""},"length":1},`) + 2*32
	targets := make(map[string]Target, (len(r.b)-r.at)/least)
	for last := ""; r.ok && !r.have(`}`); {
		if len(targets) > 0 {
			r.want(`,`)
		}
		path := r.text()
		r.want(`:{"hashes":{"sha256":`)
		sum := r.digest()
		r.want(`},"length":`)
		t := Target{Length: r.number(), SHA256: sum}
		r.want(`}`)
		if path <= last || len(targets) > quickValues || !strings.Contains(path, "/") {
			r.ok = false // not in order, or what the general way has more to say about
		}
		targets[path], last = t, path
	}
	return targets
}

// want passes over what has to come next.
func (r *quickReader) want(s string) {
	if !r.have(s) {
		r.ok = false
	}
}

// have passes over s if it comes next.
func (r *quickReader) have(s string) bool {
	if !r.ok || len(r.b)-r.at < len(s) || string(r.b[r.at:r.at+len(s)]) != s {
		return false
	}
	r.at += len(s)
	return true
}

// text reads a string of printable ASCII without escapes.
func (r *quickReader) text() string {
	r.want(`"`)
	begin := r.at
	for r.ok && r.at < len(r.b) && r.b[r.at] != '"' {
		if c := r.b[r.at]; c < ' ' || c > '~' || c == '\\' {
			r.ok = false
		}
		r.at++
	}
	end := r.at
	r.want(`"`)
	if !r.ok {
		return ""
	}
	return string(r.b[begin:end])
}

// digest reads 64 lower-case hexadecimal digits that are not all zero.
func (r *quickReader) digest() (sum [32]byte) {
	r.want(`"`)
	if !r.ok || len(r.b)-r.at < 2*len(sum) {
		r.ok = false
		return sum
	}
	digits := r.b[r.at : r.at+2*len(sum)]
	_, err := hex.Decode(sum[:], digits)
	r.at += len(digits)
	r.want(`"`)
	if err != nil || sum == [32]byte{} || bytes.ContainsAny(digits, "ABCDEF") {
		r.ok = false
	}
	return sum
}

// number reads a whole number of at most 18 digits in its one spelling.
func (r *quickReader) number() (n int64) {
	begin := r.at
	for r.ok && r.at < len(r.b) && r.b[r.at] >= '0' && r.b[r.at] <= '9' {
		n = n*10 + int64(r.b[r.at]-'0')
		if r.at++; r.at-begin > 18 {
			r.ok = false
		}
	}
	if r.at == begin || r.b[begin] == '0' && r.at > begin+1 {
		r.ok = false
	}
	return n
}

// quickCanonical gives what is signed of a role of the plain form; false: it has
// another.
func quickCanonical(t *Targets) ([]byte, bool) {
	b := append([]byte(`{"_type":"targets","expires":"`), t.Expires.Format(timeFormat)...)
	b = append(append(append(b, `","spec_version":"`...), specVersion...), `","targets":{`...)
	for i, path := range slices.Sorted(maps.Keys(t.Targets)) {
		target := t.Targets[path]
		if target.SHA256 == [32]byte{} || target.SHA512 != "" || !plainText(path) {
			return nil, false
		}
		b = append(appendQuoted(append(b, ","[:min(i, 1)]...), path), `:{"hashes":{"sha256":"`...)
		b = append(hex.AppendEncode(b, target.SHA256[:]), `"},"length":`...)
		b = append(strconv.AppendInt(b, target.Length, 10), '}')
	}
	return append(strconv.AppendInt(append(b, `},"version":`...), t.Version, 10), '}'), true
}

func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
