package tuf

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const timeFormat = "2006-01-02T15:04:05Z"

// reader takes typed members out of JSON values and keeps the first error, so
// that a shape reads as a column of names.
type reader struct{ err error }

func (r *reader) fail(where, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s: %s", ErrFormat, where, fmt.Sprintf(format, args...))
	}
}

// fields is an object while it is being read.
type fields struct {
	r     *reader
	where string
	value
}

// object reads v as an object whose known names are those. Other names are
// ignored, as TUF asks, unless they differ from a known one only in case:
// encoding/json, and so go-tuf, would read one for the other.
func (r *reader) object(v value, where string, known ...string) fields {
	if v.kind != kindObject {
		r.fail(where, "want an object")
		return fields{r, where, value{kind: kindObject}}
	}
	for _, m := range v.members {
		if slices.Contains(known, m.name) {
			continue
		}
		for _, k := range known {
			if strings.EqualFold(k, m.name) {
				r.fail(where, "%.80q: write %s", m.name, k)
			}
		}
	}
	return fields{r, where, v}
}

func (f fields) get(name string) (value, bool) {
	for _, m := range f.members {
		if m.name == name {
			return m.value, true
		}
	}
	return value{}, false
}

func (f fields) need(name string) value {
	v, ok := f.get(name)
	if !ok {
		f.r.fail(f.where, "lacks %s", name)
	}
	return v
}

func (f fields) text(name string) string {
	v := f.need(name)
	if v.kind != kindString {
		f.r.fail(f.where, "%s: want a string", name)
		return ""
	}
	return v.text
}

// bool reads a member that is false when absent.
func (f fields) bool(name string) bool {
	v, ok := f.get(name)
	if ok && v.kind != kindBool {
		f.r.fail(f.where, "%s: want true or false", name)
	}
	return v.kind == kindBool && v.text == "true"
}

func (f fields) integer(name string, least int64) int64 {
	n, err := f.need(name).integer()
	if err != nil || n < least {
		f.r.fail(f.where, "%s: want a whole number from %d", name, least)
	}
	return n
}

func (f fields) list(name string) []member {
	v := f.need(name)
	if v.kind != kindArray {
		f.r.fail(f.where, "%s: want an array", name)
		return nil
	}
	return v.members
}

// time reads one spelling of a second in UTC; time.Parse alone would take
// fractions too.
func (f fields) time(name string) time.Time {
	s := f.text(name)
	t, err := time.Parse(timeFormat, s)
	if err != nil || t.Format(timeFormat) != s {
		f.r.fail(f.where, "%s %.40q: want a time like %s", name, s, timeFormat)
	}
	return t
}

// sha256 reads "hashes". Other algorithms may stand beside SHA-256; the one
// hash decides.
func (f fields) sha256() (sum [32]byte) {
	b, err := lowerHex(f.r.object(f.need("hashes"), f.where, "sha256").text("sha256"))
	if err != nil || len(b) != len(sum) {
		f.r.fail(f.where, "sha256: want 64 lower-case hexadecimal digits")
	}
	copy(sum[:], b)
	return sum
}

func (r *reader) file(v value, where string) File {
	f := r.object(v, where, "version", "length", "hashes")
	file := File{Version: f.integer("version", 1)}
	if _, ok := f.get("length"); ok {
		file.Length = f.integer("length", 1)
	}
	if _, ok := f.get("hashes"); ok {
		file.SHA256 = f.sha256()
	}
	return file
}

func (f fields) keys(name string) map[string]Key {
	members := f.r.object(f.need(name), f.where+" "+name).members
	keys := make(map[string]Key, len(members))
	for _, m := range members {
		k := f.r.object(m.value, "key "+m.name, "keytype", "scheme", "keyval")
		key := Key{Type: k.text("keytype"), Scheme: k.text("scheme")}
		keyval := k.need("keyval")
		if key.isEd25519() {
			key.Public = f.r.object(keyval, k.where, "public").text("public")
			if _, err := key.public(); err != nil {
				f.r.fail(k.where, "%v", err)
			}
		}
		keys[m.name] = key
	}
	return keys
}

func (f fields) role(keys map[string]Key) Role {
	role := Role{Threshold: int(min(f.integer("threshold", 1), 1<<20))}
	seen := map[string]bool{}
	for _, m := range f.list("keyids") {
		if _, ok := keys[m.text]; !ok || m.kind != kindString {
			f.r.fail(f.where, "keyid %.80q: no such key", m.text)
		}
		if seen[m.text] {
			f.r.fail(f.where, "keyid %.80q twice", m.text)
		}
		seen[m.text] = true
		role.KeyIDs = append(role.KeyIDs, m.text)
	}
	return role
}
