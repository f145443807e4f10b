// Package blob holds content under its SHA-256. What enters is verified while it
// is copied, so that what is held under a digest has had it; what the disk did
// to it since then, Verify and ReadAll find.
//
// An object is wholly there or not at all, after an error and after a power cut:
// Put and PutExpect are durable writes of internal/disk.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
)

// Store is a folder of objects, each at <aa>/<sha256>: the first two of its 64
// hex digits, and all of them. It is safe for concurrent use.
type Store struct{ fsys disk.FS }

// Open gives the store in a folder, which need not exist before the first Put.
func Open(fsys disk.FS) *Store { return &Store{fsys: fsys} }

// Put keeps all of r and says under which digest, and how many bytes it has.
// What is held already is not written again.
func (s *Store) Put(r io.Reader) (portal.Digest, int64, error) {
	w, err := disk.CreateIn(s.fsys, ".")
	if err != nil {
		return portal.Digest{}, 0, explain("put an object", err)
	}
	defer w.Abort()
	d, n, err := copyHashed(w, r)
	if err != nil {
		return portal.Digest{}, 0, explain("put an object", err)
	}
	if held, err := s.holds(d, n); held || err != nil {
		return d, n, explain("put object "+d.Short(), err)
	}
	if err := w.CommitAs(file(d)); err != nil {
		return portal.Digest{}, 0, explain("put object "+d.Short(), err)
	}
	return d, n, nil
}

// PutExpect keeps r when it has exactly size bytes and the digest want. Other
// bytes are portal.ErrUnverified, as soon as there are too many, and nothing is
// kept; an error of r comes back wrapped. When the object is held already, r is
// not read.
func (s *Store) PutExpect(r io.Reader, want portal.Digest, size int64) error {
	doing := "put object " + want.Short()
	if held, err := s.holds(want, size); held || err != nil {
		return explain(doing, err)
	}
	w, err := disk.Create(s.fsys, file(want))
	if err != nil {
		return explain(doing, err)
	}
	defer w.Abort()
	got, n, err := copyHashed(w, io.LimitReader(r, size+1))
	switch {
	case err != nil:
		return explain(doing, err)
	case n > size:
		return portal.Unverified("object "+want.Hex(), "has more than the %d bytes expected", size)
	case n < size:
		return portal.Unverified("object "+want.Hex(), "has %d bytes, %d were expected", n, size)
	case got != want:
		return portal.Unverified("object "+want.Hex(), "its bytes have the digest %s", got.Hex())
	}
	return explain(doing, w.Commit())
}

// holds tells whether an object of that size is there, and if so makes sure that
// it stays: who put it may have been stopped between its name and the sync of
// the folder.
func (s *Store) holds(d portal.Digest, size int64) (bool, error) {
	info, err := s.fsys.Stat(file(d))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular() || info.Size() != size:
		return false, nil // not what was once verified: write it anew
	}
	return true, s.fsys.SyncDir(path.Dir(file(d)))
}

// Open gives an object's bytes and how many there are. They are those that once
// verified, not verified again. portal.ErrNotHeld when it is not here.
func (s *Store) Open(d portal.Digest) (portal.ReadSeekCloser, int64, error) {
	f, err := s.open(d)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(explain("open object "+d.Short(), err), f.Close())
	}
	return f, info.Size(), nil
}

func (s *Store) open(d portal.Digest) (disk.File, error) {
	f, err := s.fsys.OpenFile(file(d), os.O_RDONLY)
	if err != nil {
		return nil, explainOpen("open object "+d.Short(), err)
	}
	return f, nil
}

// ReadAll gives all bytes of an object, verified now: portal.ErrUnverified when
// the disk changed them, portal.ErrTooMuch when there are more than max,
// portal.ErrNotHeld when it is not here.
func (s *Store) ReadAll(d portal.Digest, max int64) ([]byte, error) {
	data, err := disk.ReadFile(s.fsys, file(d), max)
	if err != nil {
		return nil, explainOpen("read object "+d.Short(), err)
	}
	if got := portal.DigestOf(data); got != d {
		return nil, damaged(d, got)
	}
	return data, nil
}

// Has tells whether an object is here.
func (s *Store) Has(d portal.Digest) bool {
	info, err := s.fsys.Stat(file(d))
	return err == nil && info.Mode().IsRegular()
}

// Find gives the digest of the object whose digest begins so: the first one, of
// several.
func (s *Store) Find(beginning [8]byte) (portal.Digest, bool) {
	prefix := hex.EncodeToString(beginning[:])
	entries, err := s.fsys.ReadDir(prefix[:2])
	if err != nil {
		return portal.Digest{}, false
	}
	i, _ := slices.BinarySearchFunc(entries, prefix, func(e fs.DirEntry, p string) int { return strings.Compare(e.Name(), p) })
	if i == len(entries) || !strings.HasPrefix(entries[i].Name(), prefix) || !entries[i].Type().IsRegular() {
		return portal.Digest{}, false
	}
	d, err := portal.ParseDigest(entries[i].Name())
	return d, err == nil
}

// Remove takes an object away, durably. One that is not here is no error.
func (s *Store) Remove(d portal.Digest) error {
	err := s.fsys.Remove(file(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = s.fsys.SyncDir(path.Dir(file(d)))
	}
	return explain("remove object "+d.Short(), err)
}

// Verify reads all bytes of an object: portal.ErrUnverified when they are not
// those that were put, portal.ErrNotHeld when it is not here.
func (s *Store) Verify(ctx context.Context, d portal.Digest) error {
	f, err := s.open(d)
	if err != nil {
		return err
	}
	defer f.Close()
	got, _, err := copyHashed(io.Discard, &ctxReader{ctx, f})
	if err != nil {
		return explain("verify object "+d.Short(), err)
	}
	if got != d {
		return damaged(d, got)
	}
	return nil
}

// All yields every object with its length in bytes, in the order of the digests,
// until yield gives an error, which it returns. What is no object is passed over.
func (s *Store) All(yield func(portal.Digest, int64) error) error {
	folders, err := s.fsys.ReadDir(".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return explain("list objects", err)
	}
	for _, folder := range folders {
		if !folder.IsDir() || len(folder.Name()) != 2 {
			continue
		}
		if err := s.allIn(folder.Name(), yield); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) allIn(folder string, yield func(portal.Digest, int64) error) error {
	entries, err := s.fsys.ReadDir(folder)
	if err != nil {
		return explain("list objects", err)
	}
	for _, e := range entries {
		d, err := portal.ParseDigest(e.Name())
		if err != nil || file(d) != folder+"/"+e.Name() || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since the folder was read
		}
		if err != nil {
			return explain("list objects", err)
		}
		if err := yield(d, info.Size()); err != nil {
			return err
		}
	}
	return nil
}

// CleanTemps takes away what interrupted writes left. It is called before the
// store is used: it would take away writes that are under way, too.
func (s *Store) CleanTemps() error {
	return explain("clean up objects", disk.CleanTemps(s.fsys, "."))
}

// file is where an object lies.
func file(d portal.Digest) string {
	hex := d.Hex()
	return hex[:2] + "/" + hex
}

// copyHashed copies until r ends and gives the digest and number of the bytes.
func copyHashed(w io.Writer, r io.Reader) (d portal.Digest, n int64, err error) {
	hash := sha256.New()
	n, err = io.Copy(io.MultiWriter(w, hash), r)
	hash.Sum(d[:0])
	return d, n, err
}

func damaged(d, got portal.Digest) error {
	return portal.Unverified("object "+d.Hex(), "the disk changed it: its bytes have the digest %s", got.Hex()).
		WithHint("koprik doctor --repair fetches it again")
}

// explain puts the noun before an error and names what a caller can act on.
func explain(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, disk.ErrNoSpace):
		return &portal.Problem{
			Kind: portal.ErrNoSpace, Where: doing, Message: "the disk is full", Cause: err,
			Hint: "free some space, or move the data directory to a larger disk",
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// explainOpen is explain for what may not be here, or be too long.
func explainOpen(doing string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", doing, portal.ErrNotHeld)
	case errors.Is(err, disk.ErrTooLarge):
		return fmt.Errorf("%s: %w: %w", doing, portal.ErrTooMuch, err)
	}
	return explain(doing, err)
}

// ctxReader ends with the context's error.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
