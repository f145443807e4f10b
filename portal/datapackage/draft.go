package datapackage

import (
	"crypto/md5"  //nolint:gosec // Frictionless' default; a check against damage, not against an enemy
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"koprik/portal"
)

// Draft is what a publisher handed in, before anybody decided that it becomes a
// release: Dataset, Number, Issued and Previous are not set, and resources have
// no Hash and Bytes but those that the package declares.
type Draft struct {
	Release     portal.Release
	Name        string          // the dataset's part of the id that is wished for; "" of a passport that has none
	Contact     *portal.Contact // given whole; nil when it is only named by its id, or not at all
	HasPassport bool
	Files       []DraftFile // one for each resource, in the same order
}

// DraftFile says where the bytes of a resource come from.
type DraftFile struct {
	Parts         []string // names in the file system, to be joined in this order
	Inline        []byte   // instead of Parts
	DeclaredHash  string   // as the package gives it: "<algorithm>:<hex>", or 32 hex digits of an MD5; "" when it does not
	DeclaredBytes int64    // 0 when the package does not say
}

// Open gives the file's bytes, the parts joined. Between parts of a text table
// a missing line end is put in, so that no two rows become one. Bytes that are
// not what the package declared end in portal.ErrRejected instead of io.EOF, so
// nobody can forget to compare.
func (f DraftFile) Open(fsys fs.FS) (io.ReadCloser, error) {
	r := &partReader{fsys: fsys, names: f.Parts, inline: f.Inline, last: '\n'}
	if len(f.Parts) > 1 {
		r.lines = slices.Contains([]string{".csv", ".tsv", ".txt", ".jsonl", ".ndjson"}, strings.ToLower(path.Ext(f.Parts[0])))
	}
	c := &checkedReader{ReadCloser: r, file: f}
	if f.DeclaredHash == "" {
		return c, nil
	}
	algorithm, digits := declared(f.DeclaredHash)
	h, err := newHash(algorithm, digits)
	if err != nil {
		return nil, portal.Rejected(f.where(), "hash %v", err)
	}
	c.sum = h
	return c, nil
}

func (f DraftFile) where() string {
	if len(f.Parts) == 0 {
		return "data"
	}
	return f.Parts[0]
}

// declared splits a Frictionless hash: without a prefix it is an MD5.
func declared(s string) (algorithm, digits string) {
	algorithm, digits, ok := strings.Cut(s, ":")
	if !ok {
		return "md5", strings.ToLower(s)
	}
	return strings.ToLower(algorithm), strings.ToLower(digits)
}

func newHash(algorithm, digits string) (hash.Hash, error) {
	var h hash.Hash
	switch algorithm {
	case "md5":
		h = md5.New() //nolint:gosec // see the import
	case "sha1":
		h = sha1.New() //nolint:gosec // see the import
	case "sha256":
		h = sha256.New()
	case "sha512":
		h = sha512.New()
	default:
		return nil, fmt.Errorf("%.40q: only md5, sha1, sha256 and sha512 can be checked", algorithm)
	}
	if b, err := hex.DecodeString(digits); err != nil || len(b) != h.Size() {
		return nil, fmt.Errorf("%.80q: must be %d hex digits for %s", digits, 2*h.Size(), algorithm)
	}
	return h, nil
}

// checkedReader compares what it has read with what was declared.
type checkedReader struct {
	io.ReadCloser
	file DraftFile
	sum  hash.Hash // nil when no hash was declared
	n    int64
}

func (c *checkedReader) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n += int64(n)
	if c.sum != nil {
		c.sum.Write(b[:n])
	}
	if errors.Is(err, io.EOF) {
		if wrong := c.verdict(); wrong != nil {
			return n, wrong
		}
	}
	return n, err
}

func (c *checkedReader) verdict() error {
	const hint = "mend the file, or correct what the package declares"
	if want := c.file.DeclaredBytes; want != 0 && want != c.n {
		return portal.Rejected(c.file.where(), "is %d bytes long, the package declares %d", c.n, want).WithHint(hint)
	}
	if c.sum == nil {
		return nil
	}
	algorithm, want := declared(c.file.DeclaredHash)
	if got := hex.EncodeToString(c.sum.Sum(nil)); got != want {
		return portal.Rejected(c.file.where(), "has the %s %s, the package declares %s", algorithm, got, want).WithHint(hint)
	}
	return nil
}

// partReader reads parts one after the other.
type partReader struct {
	fsys   fs.FS
	names  []string
	inline []byte
	lines  bool // parts are lines of text
	open   fs.File
	last   byte // read before
}

func (p *partReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.inline) > 0 {
		n := copy(b, p.inline)
		p.inline = p.inline[n:]
		return n, nil
	}
	for {
		if p.open == nil {
			if len(p.names) == 0 {
				return 0, io.EOF
			}
			if p.lines && p.last != '\n' {
				b[0], p.last = '\n', '\n'
				return 1, nil
			}
			f, err := p.fsys.Open(p.names[0])
			if err != nil {
				return 0, err
			}
			p.open, p.names = f, p.names[1:]
		}
		n, err := p.open.Read(b)
		if n > 0 {
			p.last = b[n-1]
		}
		if errors.Is(err, io.EOF) {
			if err = p.Close(); n == 0 && err == nil {
				continue
			}
		}
		return n, err
	}
}

func (p *partReader) Close() error {
	if p.open == nil {
		return nil
	}
	f := p.open
	p.open = nil
	return f.Close()
}

// SameContent tells whether b says the same as a: all but number, time, reason
// and predecessor. The days of upload, of the first publication and of the last change
// count only where both releases have one and a passport came with the data; so compare before
// filling them in. What was only guessed of columns does not count.
func SameContent(a, b portal.Release) bool {
	unwritten := a.Passport.FromPublisher && b.Passport.FromPublisher
	loosen := func(x, y *portal.Date) {
		if unwritten || *x == "" || *y == "" {
			*x, *y = "", ""
		}
	}
	loosen(&a.Passport.Uploaded, &b.Passport.Uploaded)
	loosen(&a.Passport.FirstPublished, &b.Passport.FirstPublished)
	loosen(&a.Passport.LastChanged, &b.Passport.LastChanged)
	return essence(a) == essence(b)
}

// essence is what a release says, without which release it is.
func essence(r portal.Release) string {
	if tidy, err := compact(r); err == nil {
		r = tidy
	}
	r.Number, r.Issued, r.Reason, r.Previous = 0, time.Time{}, portal.Text{}, nil
	r.Resources = unguessed(r.Resources)
	var w writer
	w.manifest(r)
	return string(w.b)
}
