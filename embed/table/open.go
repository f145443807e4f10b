package table

import (
	"container/list"
	"database/sql"
	"errors"
	"sync"

	"koprik/embed/sqlite"
)

// maxOpen tables stay open; opening one cold and reading takes about a tenth of
// a millisecond (spec/text-and-search.md, "Tables").
const maxOpen = 16

// openTables are the tables last used, by key.
type openTables struct {
	mu     sync.Mutex
	byKey  map[string]*list.Element
	recent *list.List // of *openTable, newest first
	closed bool
}

type openTable struct {
	key  string
	db   *sql.DB
	uses int
	gone bool // no longer in the list: closed by its last user
}

func newOpenTables() *openTables {
	return &openTables{byKey: map[string]*list.Element{}, recent: list.New()}
}

var errClosed = errors.New("the tables are closed")

// use opens a table, or gives the open one. release must be called once.
func (o *openTables) use(key, path string) (db *sql.DB, release func(), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, nil, errClosed
	}
	e, ok := o.byKey[key]
	if ok {
		o.recent.MoveToFront(e)
	} else {
		db, err := sql.Open("sqlite", readDSN(path))
		if err != nil {
			return nil, nil, err
		}
		db.SetMaxOpenConns(4) // with half a MiB of cache each: 32 MiB for all tables
		e = o.recent.PushFront(&openTable{key: key, db: db})
		o.byKey[key] = e
		for o.recent.Len() > maxOpen {
			o.remove(o.recent.Back())
		}
	}
	t := e.Value.(*openTable)
	t.uses++
	return t.db, func() { o.release(t) }, nil
}

func (o *openTables) release(t *openTable) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t.uses--; t.uses == 0 && t.gone {
		t.db.Close()
	}
}

// remove takes a table out of the list and closes it unless it is in use.
func (o *openTables) remove(e *list.Element) {
	t := o.recent.Remove(e).(*openTable)
	delete(o.byKey, t.key)
	t.gone = true
	if t.uses == 0 {
		t.db.Close()
	}
}

// drop closes one table, that its file may go.
func (o *openTables) drop(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e, ok := o.byKey[key]; ok {
		o.remove(e)
	}
}

func (o *openTables) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for o.recent.Len() > 0 {
		o.remove(o.recent.Front())
	}
	return nil
}

// readDSN opens a finished table. Without "file:" the driver ignores mode=ro;
// immutable means no lock and no look for a journal.
func readDSN(path string) string {
	return sqlite.FileURI(path) + "?mode=ro&immutable=1&_query_only=on&_dqs=0&_pragma=trusted_schema(off)&_pragma=cell_size_check(on)&_pragma=cache_size(-512)"
}

// buildDSN opens a table that is being made: nobody else sees it, and a build
// that is cut off is begun anew, so it needs no journal. It is synced once, as
// a file, before it gets its name.
func buildDSN(path string) string {
	return sqlite.FileURI(path) + "?_journal_mode=OFF&_synchronous=OFF&_dqs=0&_pragma=locking_mode(EXCLUSIVE)&_pragma=cache_size(-8192)"
}
