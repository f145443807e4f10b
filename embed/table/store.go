// Package table turns files into immutable SQLite files that answer filtered,
// sorted, paged queries. Files are read by embed/table/read.
package table

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"koprik/embed/table/read"
	"koprik/internal/disk"
	"koprik/portal"
)

// Store keeps one immutable SQLite file per table, made from the bytes of the
// object that a resource names. It is derived: any file in its folder may be
// deleted at any time and is made again. It is safe for concurrent use.
type Store struct {
	dir     string
	objects portal.Objects
	slots   chan struct{} // one token per build that may run at once
	open    *openTables
	columns *columns
	answers *answers
	sql     *publicSQL
	limit   time.Duration // of one query

	mu     sync.Mutex
	builds map[string]chan struct{} // by resource key; closed when the build ends
	lists  map[string]listing       // by resource key
}

// maxBuilds run at once; more would only share the same two cores and disk.
const maxBuilds = 2

// maxLists is how many resources' table lists are remembered.
const maxLists = 4096

// Open keeps tables in the folder dir, which is made when it is first needed,
// and takes the originals from objects.
func Open(dir string, objects portal.Objects) *Store {
	return &Store{
		dir: dir, objects: objects,
		slots: make(chan struct{}, maxBuilds), open: newOpenTables(), limit: maxDuration,
		columns: newColumns(dir), answers: newAnswers(), sql: newPublicSQL(),
		builds: map[string]chan struct{}{}, lists: map[string]listing{},
	}
}

// Close closes all tables; a page being read ends first.
func (s *Store) Close() error {
	s.columns.close()
	return s.open.close()
}

// CleanTemps removes what builds that were cut off left behind. No build may be
// running.
func (s *Store) CleanTemps() error {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("clean %s: %w", s.dir, err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempPrefix) && !disk.IsTemp(e.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.dir, e.Name())); err != nil {
			return fmt.Errorf("clean %s: %w", s.dir, err)
		}
	}
	return nil
}

// tempPrefix begins the names of what a build has not finished.
const tempPrefix = "building-"

// listing says which tables a resource has. It is written after them, so a
// list that can be read means tables that are whole.
type listing struct {
	Tables     []listed
	Unreadable string // why there are none, of a file that should have
}

type listed struct {
	Key  string // names the table's file
	Info portal.TableInfo
}

// infos gives the descriptions under the resource's own name.
func (l listing) infos(name string) []portal.TableInfo {
	infos := make([]portal.TableInfo, 0, len(l.Tables))
	for _, t := range l.Tables {
		t.Info.Resource = name
		infos = append(infos, t.Info)
	}
	return infos
}

// resourceKey names what a resource's bytes become: the same bytes, read by the
// same rules with the same declarations, are the same tables.
func resourceKey(r portal.Resource) string {
	declared, _ := json.Marshal(struct { // strings, numbers and RawMessage: encodes unless a RawMessage is broken, then the key is that of nothing declared
		Kind     int
		Encoding string
		Dialect  json.RawMessage
		Schema   *portal.TableSchema
		Sheets   []portal.Sheet `json:",omitempty"`
	}{read.Kind(r), r.Encoding, r.Dialect, r.Schema, r.Sheets})
	h := sha256.New()
	fmt.Fprintf(h, "koprik table %d\n%s\n%s\n", read.Version, r.Hash, declared)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// tableKey names one sheet's table.
func tableKey(resource, sheet string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(resource+"\n"+sheet)))
}

func (s *Store) tablePath(key string) string { return filepath.Join(s.dir, key+".db") }
func (s *Store) listPath(key string) string  { return filepath.Join(s.dir, key+".json") }

// Ensure makes the tables of a resource that are not there yet and describes
// them; it is cheap when all are there. It is wholly done or not at all: after
// an error or a power cut no half table is ever read.
//
// A mirror never refuses signed data: values that are not of their declared
// type stay text, ragged rows are completed, and notes say so; a file that
// cannot be read as a table at all has none. Errors are those of the disk, of
// objects (portal.ErrNotHeld) and of ctx.
func (s *Store) Ensure(ctx context.Context, r portal.Resource) ([]portal.TableInfo, error) {
	l, err := s.ensure(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("tables of %s: %w", r.Name, err)
	}
	return l.infos(r.Name), nil
}

// Tables is Ensure: it lists the tables of a resource, and makes them on demand.
func (s *Store) Tables(ctx context.Context, r portal.Resource) ([]portal.TableInfo, error) {
	return s.Ensure(ctx, r)
}

func (s *Store) ensure(ctx context.Context, r portal.Resource) (listing, error) {
	if !read.IsTable(r) {
		return listing{}, nil // a document; not even a list is worth keeping
	}
	key := resourceKey(r)
	for {
		s.mu.Lock()
		if l, ok := s.lists[key]; ok {
			s.mu.Unlock()
			return l, nil
		}
		running, ok := s.builds[key]
		if !ok {
			done := make(chan struct{})
			s.builds[key] = done
			s.mu.Unlock()
			l, err := s.load(ctx, key, r)
			s.mu.Lock()
			if err == nil {
				s.remember(key, l)
			}
			delete(s.builds, key)
			s.mu.Unlock()
			close(done)
			return l, err
		}
		s.mu.Unlock()
		select {
		case <-running: // look again: it may have ended with its caller's context
		case <-ctx.Done():
			return listing{}, ctx.Err()
		}
	}
}

func (s *Store) remember(key string, l listing) {
	if len(s.lists) >= maxLists {
		clear(s.lists)
	}
	s.lists[key] = l
}

// load reads the list, or builds.
func (s *Store) load(ctx context.Context, key string, r portal.Resource) (listing, error) {
	if l, ok := s.readList(key); ok {
		return l, nil
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return listing{}, ctx.Err()
	}
	return s.build(ctx, key, r)
}

// readList is ok when the list is there, can be read, and every table it names
// is there; whatever else it is, it is made again.
func (s *Store) readList(key string) (listing, bool) {
	var l listing
	data, err := os.ReadFile(s.listPath(key))
	if err != nil || json.Unmarshal(data, &l) != nil {
		return l, false
	}
	for n := range l.Tables {
		t := &l.Tables[n]
		if len(t.Key) != 2*sha256.Size {
			return l, false
		}
		t.Info.Dialect = orNil(t.Info.Dialect)
		for i := range t.Info.Columns { // JSON's null is no RawMessage
			f := &t.Info.Columns[i]
			f.Constraints, f.Options = orNil(f.Constraints), orNil(f.Options)
		}
		if info, err := os.Stat(s.tablePath(t.Key)); err != nil || !info.Mode().IsRegular() {
			return l, false
		}
	}
	return l, true
}

func orNil(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// forget drops what is known of a resource whose table turned out damaged.
func (s *Store) forget(key, table string) {
	s.mu.Lock()
	delete(s.lists, key)
	s.mu.Unlock()
	s.open.drop(table)
	s.columns.drop(table)
	os.Remove(s.listPath(key))
	os.Remove(s.tablePath(table))
}

// Prune removes every table that none of the resources in keep has.
func (s *Store) Prune(keep []portal.Resource) error {
	names := map[string]bool{}
	for _, r := range keep {
		key := resourceKey(r)
		names[key+".json"] = true
		if l, ok := s.readList(key); ok {
			for _, t := range l.Tables {
				names[t.Key+".db"] = true
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.builds) > 0 {
		return nil // what is being made now may not be in keep yet; another time
	}
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("prune %s: %w", s.dir, err)
	}
	clear(s.lists)
	for _, e := range entries {
		name := e.Name()
		ours := strings.HasSuffix(name, ".db") || strings.HasSuffix(name, ".json")
		if !ours || names[name] {
			continue
		}
		s.open.drop(strings.TrimSuffix(name, ".db"))
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("prune %s: %w", s.dir, err)
		}
	}
	return s.columns.prune(func(table string) bool { return names[table+".db"] })
}
