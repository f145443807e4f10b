package tuf

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

const timeFormat = "2006-01-02T15:04:05Z"

// envelope is a file on its way from bytes to a verdict.
type envelope struct {
	Signatures []signature `json:"signatures"`
	Signed     shape       `json:"signed"`

	other     Verifier // nil: read for ours, not a general Set
	canonical []byte   // of Signed: what signatures are made over
	version   int64
	expires   time.Time
}

type signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

// open decodes a role's file into its shape, as strictly as can be without
// knowing who should have signed it. Errors wrap ErrFormat.
func open(b []byte, role string, into shape, other Verifier) (*envelope, error) {
	e := &envelope{Signed: into, other: other}
	if err := e.decode(b, role); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", role, ErrFormat, err)
	}
	return e, nil
}

func (e *envelope) decode(b []byte, role string) error {
	if len(b) > MaxLength(role) {
		return fmt.Errorf("%d bytes, more than %d", len(b), MaxLength(role))
	}
	parsed, err := parseJSON(b)
	if err != nil {
		return err
	}
	file, _ := parsed.(map[string]any)
	signed, _ := file["signed"].(map[string]any)
	if err := e.header(signed, topRoles[min(rank(role), rank("targets"))]); err != nil {
		return err
	}
	if _, err = appendCanonical(nil, file["signatures"]); err == nil { // no null is in them
		e.canonical, err = appendCanonical(nil, signed)
	}
	if err == nil {
		err = json.Unmarshal(b, e)
	}
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range e.Signatures {
		if _, err := lowerHex(s.Sig); err != nil || s.KeyID == "" || seen[s.KeyID] {
			return fmt.Errorf("signature of %.80q: twice, or not lower-case hexadecimal", s.KeyID)
		}
		seen[s.KeyID] = true
	}
	return e.Signed.check(e.other != nil)
}

var specVersion1 = regexp.MustCompile(`^1\.[0-9]{1,9}(\.[0-9]{1,9})?$`)

// header checks the members that all roles share.
func (e *envelope) header(signed map[string]any, kind string) (err error) {
	spec, _ := signed["spec_version"].(string)
	if t := signed["_type"]; t != kind || !specVersion1.MatchString(spec) {
		return fmt.Errorf("_type %.40v, spec_version %.40q: want %s and 1.x", t, spec, kind)
	}
	version, _ := signed["version"].(json.Number)
	if e.version, err = version.Int64(); err != nil || e.version < 1 {
		return fmt.Errorf("version %.40q: want a whole number from 1", version)
	}
	if at := signed["x-signed-at"]; at != nil {
		if _, err := parseTime(at); err != nil {
			return err
		}
	}
	e.expires, err = parseTime(signed["expires"])
	return err
}

// parseTime reads a second in UTC in its one spelling. time.Parse alone takes
// fractions, and time.Time's UnmarshalJSON other zones.
func parseTime(v any) (time.Time, error) {
	s, _ := v.(string)
	t, err := time.Parse(timeFormat, s)
	if err != nil || t.Format(timeFormat) != s || t.IsZero() {
		return t, fmt.Errorf("time %.40q: want one like %s", s, timeFormat)
	}
	return t, nil
}

type wireFile struct {
	Version int64       `json:"version,omitempty"`
	Length  *int64      `json:"length,omitempty"`
	Hashes  *wireHashes `json:"hashes,omitempty"`
}

// wireHashes may have others beside them, which are ignored.
type wireHashes struct {
	SHA256 string `json:"sha256,omitempty"`
	SHA512 string `json:"sha512,omitempty"`
}

func newHashes(sum [32]byte) *wireHashes {
	if sum == [32]byte{} {
		return nil
	}
	return &wireHashes{SHA256: hex.EncodeToString(sum[:])}
}

// read returns a zero sum when SHA-256 is not stated.
func (w *wireFile) read(b []byte) (sum [32]byte, err error) {
	if err := json.Unmarshal(b, w); err != nil || w.Hashes == nil || w.Hashes.SHA256 == "" {
		return sum, err
	}
	raw, err := lowerHex(w.Hashes.SHA256)
	if err != nil || len(raw) != len(sum) {
		return sum, fmt.Errorf("sha256 %.80q: want 64 lower-case hexadecimal digits", w.Hashes.SHA256)
	}
	if sum = [32]byte(raw); sum == [32]byte{} {
		sum[31] = 1 // zeros would say "not stated"; nobody knows a file that has either
	}
	return sum, nil
}

// MarshalJSON writes the TUF form; what is zero is left out.
func (f File) MarshalJSON() ([]byte, error) {
	w := wireFile{Version: f.Version, Hashes: newHashes(f.SHA256)}
	if f.Length != 0 {
		w.Length = &f.Length
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads the TUF form: a version from 1, and perhaps a length
// from 1 and hashes with SHA-256 among them.
func (f *File) UnmarshalJSON(b []byte) error {
	var w wireFile
	sum, err := w.read(b)
	if err != nil {
		return err
	}
	if w.Version < 1 || w.Length != nil && *w.Length < 1 || w.Hashes != nil && w.Hashes.SHA256 == "" {
		return fmt.Errorf("file %.200s: want version and length from 1, and SHA-256 where there are hashes", b)
	}
	*f = File{Version: w.Version, SHA256: sum}
	if w.Length != nil {
		f.Length = *w.Length
	}
	return nil
}

// MarshalJSON writes the TUF form.
func (t Target) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireFile{Length: &t.Length, Hashes: newHashes(t.SHA256)})
}

// UnmarshalJSON reads the TUF form: a length from 0, and hashes with SHA-256
// or else SHA-512 among them.
func (t *Target) UnmarshalJSON(b []byte) error {
	var w wireFile
	sum, err := w.read(b)
	if err != nil {
		return err
	}
	if w.Length == nil || *w.Length < 0 || w.Hashes == nil {
		return fmt.Errorf("target %.200s: want length and hashes", b)
	}
	if *t = (Target{Length: *w.Length, SHA256: sum}); w.Hashes.SHA256 == "" {
		t.SHA512 = w.Hashes.SHA512
	}
	return nil
}
