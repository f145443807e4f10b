package tuf

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

const timeFormat = "2006-01-02T15:04:05Z"

// envelope is a file on its way from bytes to a verdict.
type envelope struct {
	Signatures []signature `json:"signatures"`
	Signed     shape       `json:"signed"`

	canonical []byte // of Signed: what signatures are made over
	version   int64
	expires   time.Time
}

type signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

// open decodes a file of the given type into its shape, as strictly as can be
// without knowing who should have signed it.
func open(b []byte, kind string, into shape) (*envelope, error) {
	e := &envelope{Signed: into}
	err := e.decode(b, kind)
	if err != nil && !errors.Is(err, ErrFormat) { // an error of encoding/json
		err = fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return e, nil
}

func (e *envelope) decode(b []byte, kind string) error {
	if len(b) > maxLength[kind] {
		return fmt.Errorf("%w: %d bytes, more than %d", ErrFormat, len(b), maxLength[kind])
	}
	parsed, err := parseJSON(b)
	if err != nil {
		return err
	}
	file, _ := parsed.(object)
	signed, _ := file.get("signed").(object)
	if err := e.header(signed, kind); err != nil {
		return err
	}
	if err := json.Unmarshal(b, e); err != nil {
		return err
	}
	if err := e.Signed.check(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range e.Signatures {
		if _, err := lowerHex(s.Sig); err != nil || s.KeyID == "" || seen[s.KeyID] {
			return fmt.Errorf("%w: signature of %.80q: twice, or not lower-case hexadecimal", ErrFormat, s.KeyID)
		}
		seen[s.KeyID] = true
	}
	e.canonical, err = appendCanonical(nil, signed)
	return err
}

var specVersion1 = regexp.MustCompile(`^1\.[0-9]{1,9}(\.[0-9]{1,9})?$`)

// header checks the members that all roles share.
func (e *envelope) header(signed object, kind string) (err error) {
	if t := signed.get("_type"); t != kind {
		return fmt.Errorf("%w: _type %.40q", ErrFormat, t)
	}
	if v, _ := signed.get("spec_version").(string); !specVersion1.MatchString(v) {
		return fmt.Errorf("%w: spec_version %.40q: want 1.x", ErrFormat, v)
	}
	version, _ := signed.get("version").(json.Number)
	if e.version, err = version.Int64(); err != nil || e.version < 1 {
		return fmt.Errorf("%w: version %.40q: want a whole number from 1", ErrFormat, version)
	}
	if at := signed.get("x-signed-at"); at != nil {
		if _, err := parseTime(at); err != nil {
			return err
		}
	}
	e.expires, err = parseTime(signed.get("expires"))
	return err
}

// parseTime reads a second in UTC in its one spelling. time.Parse alone takes
// fractions, and time.Time's UnmarshalJSON other zones.
func parseTime(v any) (time.Time, error) {
	s, _ := v.(string)
	t, err := time.Parse(timeFormat, s)
	if err != nil || t.Format(timeFormat) != s {
		return t, fmt.Errorf("%w: time %.40q: want one like %s", ErrFormat, s, timeFormat)
	}
	return t, nil
}

// wireFile is how a File and a Target are written.
type wireFile struct {
	Version *int64      `json:"version,omitempty"`
	Length  *int64      `json:"length,omitempty"`
	Hashes  *wireHashes `json:"hashes,omitempty"`
}

type wireHashes struct {
	SHA256 string `json:"sha256"` // others may stand beside it; this one decides
}

func newHashes(sum [32]byte) *wireHashes {
	if sum == [32]byte{} {
		return nil
	}
	return &wireHashes{hex.EncodeToString(sum[:])}
}

// read returns a zero sum when no hashes are stated.
func (w *wireFile) read(b []byte) (sum [32]byte, err error) {
	if err := json.Unmarshal(b, w); err != nil || w.Hashes == nil {
		return sum, err
	}
	raw, err := lowerHex(w.Hashes.SHA256)
	if err != nil || copy(sum[:], raw) != len(sum) || len(raw) != len(sum) || sum == [32]byte{} {
		return sum, fmt.Errorf("%w: sha256 %.80q: want 64 lower-case hexadecimal digits", ErrFormat, w.Hashes.SHA256)
	}
	return sum, nil
}

// MarshalJSON writes the TUF form; what is zero is left out.
func (f File) MarshalJSON() ([]byte, error) {
	w := wireFile{Version: &f.Version, Length: &f.Length, Hashes: newHashes(f.SHA256)}
	if f.Length == 0 {
		w.Length = nil
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
	if w.Version == nil || *w.Version < 1 || w.Length != nil && *w.Length < 1 {
		return fmt.Errorf("%w: file %.200s: want version and length from 1", ErrFormat, b)
	}
	*f = File{Version: *w.Version, SHA256: sum}
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
// among them.
func (t *Target) UnmarshalJSON(b []byte) error {
	var w wireFile
	sum, err := w.read(b)
	if err != nil {
		return err
	}
	if w.Length == nil || *w.Length < 0 || w.Hashes == nil {
		return fmt.Errorf("%w: target %.200s: want length and hashes", ErrFormat, b)
	}
	*t = Target{Length: *w.Length, SHA256: sum}
	return nil
}
