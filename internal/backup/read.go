package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"koprik/portal"
)

// How the two kinds of a backup begin.
var (
	sealedMagic = []byte("age-encryption.org/v1\n")
	openMagic   = []byte{0x28, 0xb5, 0x2f, 0xfd} // a zstd frame
)

// Key is asked for what opens a sealed backup: a passphrase or, as text, the
// identities of an age identity file.
type Key struct {
	Passphrase func() ([]byte, error)
	Identities []byte // AGE-SECRET-KEY-1… lines; nil: the passphrase is asked for
}

func (k Key) identities() ([]age.Identity, error) {
	if k.Identities != nil {
		return age.ParseIdentities(bytes.NewReader(k.Identities))
	}
	if k.Passphrase == nil {
		return nil, errors.New("it is sealed")
	}
	passphrase, err := k.Passphrase()
	if err != nil {
		return nil, err
	}
	id, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, ErrPassphrase
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	return []age.Identity{id}, nil
}

// Reader reads one backup, from its beginning to its end.
type Reader struct {
	Manifest Manifest
	Sealed   bool

	name string
	tar  *tar.Reader
	z    *zstd.Decoder
}

// Open reads the beginning of a backup, whose name is for messages. What is none is
// portal.ErrRejected, one that is damaged portal.ErrUnverified.
func Open(name string, r io.Reader, k Key) (*Reader, error) {
	b := &Reader{name: name}
	in := bufio.NewReader(r)
	head, err := in.Peek(len(sealedMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var plain io.Reader = in
	switch {
	case bytes.Equal(head, sealedMagic):
		b.Sealed = true
		if plain, err = unseal(name, in, k); err != nil {
			return nil, err
		}
	case !bytes.HasPrefix(head, openMagic):
		return nil, portal.Rejected(name, "is no backup of Koprik")
	}
	if b.z, err = zstd.NewReader(plain, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true)); err != nil {
		return nil, err
	}
	b.tar = tar.NewReader(b.z)
	if err := b.begin(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func unseal(name string, in io.Reader, k Key) (io.Reader, error) {
	ids, err := k.identities()
	if err != nil {
		return nil, portal.Rejected(name, "%v", err)
	}
	plain, err := age.Decrypt(in, ids...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, portal.Rejected(name, "%v", ErrPassphrase)
	case err != nil:
		return nil, portal.Unverified(name, "is damaged: %v", err)
	}
	return plain, nil
}

// Close lets go of what reading took.
func (b *Reader) Close() { b.z.Close() }

func (b *Reader) damaged(format string, args ...any) error {
	return portal.Unverified(b.name, "is damaged: %s", fmt.Sprintf(format, args...)).WithHint("take an older backup; koprik doctor --backup FILE checks one")
}

// begin reads the manifest.
func (b *Reader) begin() error {
	h, err := b.tar.Next()
	if err != nil {
		return b.damaged("%v", err)
	}
	if h.Name != manifestName || h.Typeflag != tar.TypeReg || h.Size > maxManifest {
		return portal.Rejected(b.name, "is no backup of Koprik: it begins with %.40q", h.Name)
	}
	text, err := io.ReadAll(io.LimitReader(b.tar, maxManifest))
	if err != nil {
		return b.damaged("%v", err)
	}
	if b.Manifest, err = decodeManifest(text); err != nil {
		return portal.Rejected(b.name, "cannot be read: %v", err)
	}
	return nil
}

// Each gives every file in the order of the manifest, to be read to its end. When it
// returns nil all of them were there, as the manifest says, and nothing else was.
func (b *Reader) Each(take func(f File, r io.Reader) error) error {
	for _, f := range b.Manifest.Files {
		h, err := b.tar.Next()
		if err != nil {
			return b.damaged("%s: %v", f.Name, cutShort(err))
		}
		if h.Name != f.Name || h.Typeflag != tar.TypeReg || h.Size != f.Bytes {
			return b.damaged("%.80q stands where %s is to be", h.Name, f.Name)
		}
		checked := &checkedReader{r: b.tar, hash: sha256.New()}
		if err := take(f, checked); err != nil {
			if checked.err != nil {
				return b.damaged("%s: %v", f.Name, cutShort(checked.err))
			}
			return err
		}
		if got := portal.Digest(checked.hash.Sum(nil)); got != f.SHA256 {
			return b.damaged("%s is not what was backed up", f.Name)
		}
	}
	if h, err := b.tar.Next(); err == nil {
		return b.damaged("%.80q is more than its manifest says", h.Name)
	} else if !errors.Is(err, io.EOF) {
		return b.damaged("%v", cutShort(err))
	}
	// The checksum of the frame, and the last piece that is sealed, stand at the end.
	const padding = 1 << 20
	rest, err := io.ReadAll(io.LimitReader(b.z, padding))
	if err != nil {
		return b.damaged("%v", cutShort(err))
	}
	if len(rest) == padding || len(bytes.Trim(rest, "\x00")) > 0 {
		return b.damaged("it goes on behind its end")
	}
	return nil
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is cut short")
	}
	return err
}

// Verify reads all of it and keeps nothing.
func (b *Reader) Verify(progress func(done, total int64)) error {
	done, total := int64(0), b.Manifest.Total()
	return b.Each(func(f File, r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		done += f.Bytes
		progress(done, total)
		return err
	})
}

// checkedReader hashes what is read, and remembers an error of reading, to be told
// from one of writing.
type checkedReader struct {
	r    io.Reader
	hash hash.Hash
	err  error
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.hash.Write(p[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// Looks tells by its beginning whether something may be a backup.
func Looks(r io.Reader) bool {
	head := make([]byte, len(sealedMagic))
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	return bytes.Equal(head[:n], sealedMagic) || bytes.HasPrefix(head[:n], openMagic)
}
