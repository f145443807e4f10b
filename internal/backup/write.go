package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"koprik/portal"
)

// workFactor is the effort of a passphrase, as a power of two of scrypt's N: 64 MiB,
// as for a key on paper. A board with 512 MB opens it; who guesses pays the same for
// each guess.
const workFactor = 16

// maxWorkFactor is the most that a file may ask for: 256 MiB.
const maxWorkFactor = 18

// Seal says who can open a backup. Its zero value leaves it open.
type Seal struct {
	Passphrase []byte
	Recipients []string // age recipients: age1…
}

// Sealed tells whether anything is sealed.
func (s Seal) Sealed() bool { return len(s.Passphrase) > 0 || len(s.Recipients) > 0 }

func (s Seal) recipients() (list []age.Recipient, err error) {
	if len(s.Passphrase) > 0 {
		if len(s.Recipients) > 0 {
			return nil, errors.New("a passphrase and recipients do not go together")
		}
		r, err := age.NewScryptRecipient(string(s.Passphrase))
		if err != nil {
			return nil, err
		}
		r.SetWorkFactor(workFactor)
		return []age.Recipient{r}, nil
	}
	for _, text := range s.Recipients {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, fmt.Errorf("recipient %.80q: %w", text, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// Check tells whether a backup can be sealed so, before any work is done.
func (s Seal) Check() error {
	_, err := s.recipients()
	return err
}

// Source opens a file of the data directory that stands in the manifest.
type Source func(f File) (io.ReadCloser, error)

// Digest reads a file to its end, and gives what the manifest says of it.
func Digest(name string, r io.Reader) (File, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return File{}, fmt.Errorf("read %s: %w", name, err)
	}
	return File{Name: name, Bytes: n, SHA256: portal.Digest(h.Sum(nil))}, nil
}

// Write writes a backup. A file that is not as the manifest says is an error: it was
// changed meanwhile, and nothing that was written may be used.
func Write(w io.Writer, m Manifest, seal Seal, open Source, progress func(done, total int64)) (err error) {
	m.Format = Format
	head, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if _, err := decodeManifest(head); err != nil {
		return err
	}
	var closers []io.Closer
	if seal.Sealed() {
		to, err := seal.recipients()
		if err != nil {
			return err
		}
		sealed, err := age.Encrypt(w, to...)
		if err != nil {
			return err
		}
		w, closers = sealed, append(closers, sealed)
	}
	z, err := zstd.NewWriter(w, zstd.WithWindowSize(maxWindow/2), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	closers = append(closers, z, t)
	if err := writeAll(t, m, head, open, progress); err != nil {
		return err
	}
	for i := len(closers) - 1; i >= 0; i-- {
		if err := closers[i].Close(); err != nil {
			return err
		}
	}
	return nil
}

func writeAll(t *tar.Writer, m Manifest, head []byte, open Source, progress func(done, total int64)) error {
	begin := func(name string, size int64) error {
		return t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: m.Made, Format: tar.FormatPAX})
	}
	if err := begin(manifestName, int64(len(head))); err != nil {
		return err
	}
	if _, err := t.Write(head); err != nil {
		return err
	}
	done, total := int64(0), m.Total()
	for _, f := range m.Files {
		if err := begin(f.Name, f.Bytes); err != nil {
			return err
		}
		r, err := open(f)
		if err != nil {
			return err
		}
		got, err := Digest(f.Name, io.TeeReader(io.LimitReader(r, f.Bytes+1), t))
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
		if got != f {
			return fmt.Errorf("%s was changed while it was copied", f.Name)
		}
		done += f.Bytes
		progress(done, total)
	}
	return nil
}
