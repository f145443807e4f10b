package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
)

// verifyWhole is up to which size all bytes of an index are checked against
// their sums at opening; above it only the ends of the files are, for an index
// of a million datasets must open in 10 ms.
const verifyWhole = 64 << 20

// check looks at the folder of a build before Bleve does, for Bleve reads
// through memory maps: a torn file there is not an error but a fault, in a
// goroutine of Bleve's where nobody can catch it. fresh tells that there is
// nothing. The error is ErrLocked or wraps ErrDamaged.
func check(dir string) (fresh bool, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	root := filepath.Join(dir, "root.bolt")
	if _, err := os.Stat(root); err != nil {
		return false, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	timeout, err := time.ParseDuration(lockTimeout)
	if err != nil {
		return false, err
	}
	var segments []string
	var file *os.File
	err = guard(func() (err error) {
		db, err := bolt.Open(root, 0o600, &bolt.Options{
			ReadOnly: true, Timeout: timeout, PreLoadFreelist: true,
			OpenFile: func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
				file, err = os.OpenFile(name, flag, mode)
				return file, err
			},
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		return db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return walk(b, 0, &segments) })
		})
	})
	if err != nil {
		_ = file.Close() // Bolt does not when it panics, and the lock would stay
		return false, classify(err)
	}
	if err := checkSegments(dir, segments); err != nil {
		return false, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return false, nil
}

// walk touches every page of a bucket and collects the names of segment files.
func walk(b *bolt.Bucket, depth int, segments *[]string) error {
	if depth > 8 {
		return errors.New("buckets nested too deep")
	}
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			inner := b.Bucket(k)
			if inner == nil {
				return fmt.Errorf("bucket %x is not there", k)
			}
			return walk(inner, depth+1, segments)
		}
		if bytes.HasSuffix(v, []byte(".zap")) && len(v) < 256 {
			*segments = append(*segments, string(v))
		}
		return nil
	})
}

// checkSegments compares the segment files with the sums at their ends.
func checkSegments(dir string, names []string) error {
	var total int64
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, filepath.Base(name)))
		if err != nil {
			return err
		}
		total += info.Size()
	}
	for _, name := range names {
		if err := checkSegment(filepath.Join(dir, filepath.Base(name)), total <= verifyWhole); err != nil {
			return err
		}
	}
	return nil
}

// The footer of a segment file ends with a version and the CRC-32 of all bytes
// before the CRC, both big-endian (zapx, "write.go").
const (
	zapFooter  = 4 + 8 + 8 + 8 + 4 + 4 + 4
	zapVersion = 17
)

func checkSegment(path string, whole bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var end [8]byte
	if info.Size() < zapFooter {
		return fmt.Errorf("%s: %d bytes", path, info.Size())
	}
	if _, err := f.ReadAt(end[:], info.Size()-8); err != nil {
		return err
	}
	if v := binary.BigEndian.Uint32(end[:4]); v > zapVersion {
		return fmt.Errorf("%s: its end says version %d", path, v)
	}
	if !whole {
		return nil
	}
	sum := crc32.NewIEEE()
	if _, err := io.CopyN(sum, f, info.Size()-4); err != nil {
		return err
	}
	if sum.Sum32() != binary.BigEndian.Uint32(end[4:]) {
		return fmt.Errorf("%s: its bytes do not match their sum", path)
	}
	return nil
}

// guard calls f and gives a panic in it, or a fault on a memory map, as an
// error that wraps ErrDamaged.
func guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, r)
		}
	}()
	return f()
}
