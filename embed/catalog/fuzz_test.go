package catalog

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"koprik/portal"
)

// sound is the bytes of a small catalogue and the digests of what is in it.
func sound(t testing.TB) (file []byte, signed map[portal.Digest]bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catalog.db")
	ch := portal.Change{Generation: 3, Publishers: []portal.PublisherRecord{record(t, "main", 1, "Main")}}
	signed = map[portal.Digest]bool{}
	var upserts []portal.Upsert
	for _, id := range []portal.DatasetID{"main_a", "main_b", "main_c"} {
		list := chain(t, id, 3, string(id))
		upserts = append(upserts, upsert(list, "aa"))
		signed[portal.DigestOf(list[2].Bytes)] = true
	}
	ch.Upserts = portal.Upserts(upserts...)
	c := open(t, path)
	apply(t, c, ch)
	c.Close()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, signed
}

// readDamaged reads everything of a file that may be anything, and fails when
// it gives something that was not signed.
func readDamaged(t *testing.T, path string, file []byte, signed map[portal.Digest]bool) error {
	t.Helper()
	ctx := context.Background()
	for _, name := range []string{path + "-wal", path + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Open(ctx, path)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	err = s.All(ctx, func(d portal.Dataset) error {
		if !signed[d.Manifest] || d.Latest.Dataset != d.ID || d.Publisher.Version > 1 {
			t.Errorf("it gives %+v", d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = s.Publishers(ctx)
	return err
}

func TestFlippedBytesShowNothingThatWasNotSigned(t *testing.T) {
	const seed, files = 20260131, 150
	rng := rand.New(rand.NewPCG(seed, 1))
	file, signed := sound(t)
	path := filepath.Join(t.TempDir(), "catalog.db")
	damaged := 0
	for range files {
		broken := bytes.Clone(file)
		for range 1 + rng.IntN(20) {
			broken[rng.IntN(len(broken))] ^= byte(1 << rng.IntN(8))
		}
		switch err := readDamaged(t, path, broken, signed); {
		case errors.Is(err, ErrDamaged):
			damaged++
		case err != nil:
			t.Errorf("damage shows as %v", err)
		}
	}
	t.Logf("seed %d: %d of %d files were noticed", seed, damaged, files)
}

func FuzzDamagedFile(f *testing.F) {
	file, signed := sound(f)
	f.Add(uint32(0), []byte("SQLite format 3\x00"))
	f.Add(uint32(18), []byte{9, 9})
	f.Add(uint32(100), make([]byte, 100))
	f.Add(uint32(4096), []byte{13, 0, 0, 255, 255})
	f.Add(uint32(len(file)-20), []byte("rotten"))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		broken := bytes.Clone(file)
		copy(broken[int(at)%len(broken):], patch)
		_ = readDamaged(t, filepath.Join(t.TempDir(), "catalog.db"), broken, signed)
	})
}
