package origintest

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"koprik/portal"
)

// Contents keeps verified bytes in memory, as embed/blob does on a disk. The zero
// value holds nothing. It is safe for concurrent use.
type Contents struct {
	mu sync.Mutex
	by map[portal.Digest][]byte
}

type opened struct{ *bytes.Reader }

func (opened) Close() error { return nil }

func (c *Contents) get(d portal.Digest) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.by[d]
	return b, ok
}

// Put keeps b.
func (c *Contents) Put(b []byte) portal.Digest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[portal.Digest][]byte{}
	}
	d := portal.DigestOf(b)
	c.by[d] = b
	return d
}

// Has tells whether d is held.
func (c *Contents) Has(d portal.Digest) bool { _, ok := c.get(d); return ok }

// Open gives the bytes held under d and their length, or portal.ErrNotHeld.
func (c *Contents) Open(d portal.Digest) (portal.ReadSeekCloser, int64, error) {
	b, ok := c.get(d)
	if !ok {
		return nil, 0, fmt.Errorf("object %s: %w", d.Short(), portal.ErrNotHeld)
	}
	return opened{bytes.NewReader(b)}, int64(len(b)), nil
}

// ReadAll gives the bytes held under d when they are at most limit.
func (c *Contents) ReadAll(d portal.Digest, limit int64) ([]byte, error) {
	b, ok := c.get(d)
	if !ok || int64(len(b)) > limit {
		return nil, fmt.Errorf("object %s: %w", d.Short(), portal.ErrNotHeld)
	}
	return b, nil
}

// PutExpect keeps r only when it has exactly the size and hash that are expected;
// otherwise portal.ErrUnverified, and nothing is kept.
func (c *Contents) PutExpect(r io.Reader, want portal.Digest, size int64) error {
	b, err := io.ReadAll(io.LimitReader(r, size+1))
	if err != nil {
		return err
	}
	if int64(len(b)) != size || portal.DigestOf(b) != want {
		return portal.Unverified("object "+want.Short(), "%d bytes of another content", len(b))
	}
	c.Put(b)
	return nil
}

// Find gives the digest of a held content that begins so.
func (c *Contents) Find(beginning [8]byte) (portal.Digest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for d := range c.by {
		if [8]byte(d[:8]) == beginning {
			return d, true
		}
	}
	return portal.Digest{}, false
}

// Remove takes away what is held under d, if anything is.
func (c *Contents) Remove(d portal.Digest) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by, d)
	return nil
}

// All gives everything that is held.
func (c *Contents) All() (list [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.by {
		list = append(list, b)
	}
	return list
}
