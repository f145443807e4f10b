package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/blevesearch/bleve/v2/index/scorch"
	bleveindex "github.com/blevesearch/bleve_index_api"
	bolterrors "go.etcd.io/bbolt/errors"

	"koprik/portal"
)

// mappingVersion names the build. Raise it with every change of what is indexed
// or of how words are folded.
const mappingVersion = "m10"

// batchSize is how many datasets one batch carries: at 10 it costs three times
// the CPU, at 10,000 it costs 757 MB (spec/text-and-search.md).
const batchSize = 1000

// lockTimeout is how long an open waits for another handle to let go. Without
// it Bolt waits for ever.
const lockTimeout = "200ms"

// stateKey is where the state of the index stands among Bleve's internal keys.
var stateKey = []byte("koprik.state")

// What Open and Reader can answer.
var (
	// ErrDamaged says that the folder does not hold a whole index: Remove it,
	// Open again and fill it from the catalogue.
	ErrDamaged = errors.New("index damaged")
	// ErrLocked says that another process or another handle has it open.
	ErrLocked = portal.ErrLocked
	// ErrInterrupted says that an update was interrupted; call Update first
	// (see "Generations" in the package's documentation).
	ErrInterrupted = errors.New("index: an update was interrupted")
)

// Index is an open index. Its methods may be called at the same time; updates
// wait for each other.
type Index struct {
	dir      string // of this build
	scorch   *scorch.Scorch
	queue    *bleveindex.AnalysisQueue
	troubles *troubles
	batch    int // datasets per batch
	// afterBatch is called after every batch but the last; tests crash there.
	afterBatch func()

	cache *cache
	// analysers are used by Update alone.
	analysers [2]*analyser

	updating sync.Mutex // held by Update

	mu       sync.RWMutex // guards what follows
	state    state
	synonyms func() *synonyms
	uses     *popularity // nil: nobody counts
	current  *view       // of the newest whole generation; nil when there is none
	closed   bool
}

// state is the record that travels in the batches.
type state struct {
	Mapping    string             `json:"mapping"`
	Generation int64              `json:"generation"`
	Last       []portal.DatasetID `json:"last,omitempty"`
	Many       bool               `json:"many,omitempty"` // Last was too long to be remembered
	Updating   *unfinished        `json:"updating,omitempty"`
}

type unfinished struct {
	Generation int64              `json:"generation"`
	IDs        []portal.DatasetID `json:"ids"`
	Many       bool               `json:"many,omitempty"` // IDs were too many to be remembered
}

// Open opens the index under dir, or makes an empty one of generation 0. Builds
// of other mappings are removed. The error wraps ErrDamaged when the folder does
// not hold a whole index and ErrLocked when someone else has it; neither leaves
// a lock behind, and both come at once.
func Open(dir string) (*Index, error) {
	x := &Index{dir: filepath.Join(dir, mappingVersion), batch: batchSize, cache: &cache{}, synonyms: theOwn, analysers: [2]*analyser{newAnalyser(), newAnalyser()}}
	fresh, err := check(x.dir)
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", x.dir, err)
	}
	if err := x.open(fresh); err != nil {
		return nil, fmt.Errorf("index %s: %w", x.dir, err)
	}
	if err := removeOtherBuilds(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("index %s: %w", dir, err), x.Close())
	}
	return x, nil
}

// open opens scorch and reads the state; fresh says that there is nothing yet.
func (x *Index) open(fresh bool) (err error) {
	if fresh {
		if err := os.MkdirAll(x.dir, 0o700); err != nil {
			return err
		}
	}
	x.queue = bleveindex.NewAnalysisQueue(2)
	defer func() {
		if err != nil {
			x.queue.Close()
		}
	}()
	engine, err := scorch.NewScorch(scorch.Name, map[string]any{
		"path":                   x.dir,
		"bolt_timeout":           lockTimeout,
		"create_if_missing":      fresh,
		"asyncErrorCallbackName": watchName,
	}, x.queue)
	if err != nil {
		return err
	}
	x.scorch = engine.(*scorch.Scorch)
	x.troubles = watch(x.dir)
	if err := guard(x.scorch.Open); err != nil {
		unwatch(x.dir)
		_ = guard(x.scorch.Close) // after a panic the lock is still held; else it is closed already
		return classify(err)
	}
	if fresh {
		err = x.write(bleveindex.NewBatch(), state{Mapping: mappingVersion})
	} else {
		err = x.readState()
	}
	if err == nil && x.state.Updating == nil {
		err = x.pin()
	}
	if err != nil {
		unwatch(x.dir)
		return errors.Join(err, x.scorch.Close())
	}
	return nil
}

// classify tells a lock from damage.
func classify(err error) error {
	if errors.Is(err, bolterrors.ErrTimeout) {
		return ErrLocked
	}
	if errors.Is(err, os.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

func (x *Index) readState() error {
	r, err := x.scorch.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := r.GetInternal(stateKey)
	if err != nil {
		return err
	}
	if b == nil {
		return fmt.Errorf("%w: it has no state", ErrDamaged)
	}
	if err := json.Unmarshal(b, &x.state); err != nil {
		return fmt.Errorf("%w: its state: %w", ErrDamaged, err)
	}
	if x.state.Mapping != mappingVersion {
		return fmt.Errorf("%w: it has mapping %q in a folder of %q", ErrDamaged, x.state.Mapping, mappingVersion)
	}
	if u := x.state.Updating; u != nil && u.Many {
		return fmt.Errorf("%w: the filling to generation %d was cut off", ErrDamaged, u.Generation)
	}
	return nil
}

// pin makes the newest snapshot of Bleve's the one that readers get.
func (x *Index) pin() error {
	r, err := x.scorch.Reader()
	if err != nil {
		return err
	}
	x.mu.Lock()
	old := x.current
	x.current = &view{snapshot: r.(*scorch.IndexSnapshot), cache: x.cache, synonyms: x.synonyms, uses: x.uses}
	x.mu.Unlock()
	if old != nil {
		return old.snapshot.Close()
	}
	return nil
}

// SetSynonyms adds a table of synonyms in the form of synonyms.toml to the
// program's own; nil leaves the own ones. Readers opened later use it. A table
// that cannot be read is portal.ErrRejected and changes nothing.
func (x *Index) SetSynonyms(table []byte) error {
	all, err := parseSynonyms(ownSynonyms, table)
	if err != nil {
		return err
	}
	s := func() *synonyms { return all }
	x.mu.Lock()
	defer x.mu.Unlock()
	x.synonyms = s
	x.renew()
	return nil
}

// write applies a batch together with a state, atomically and durably.
func (x *Index) write(b *bleveindex.Batch, s state) error {
	encoded, err := json.Marshal(s)
	if err != nil {
		return err
	}
	b.SetInternal(stateKey, encoded)
	done := make(chan error, 1)
	go func() { done <- x.scorch.Batch(b) }()
	select {
	case err = <-done:
	case err = <-x.troubles.died: // nobody is left to finish the batch
		select {
		case x.troubles.died <- err: // nor any other
		default:
		}
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		return err
	}
	x.state = s
	return nil
}

// Generation is the newest generation that the index held whole; 0 when empty.
func (x *Index) Generation() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.state.Generation
}

// Interrupted tells whether an update began and did not finish, in this process
// or before a crash.
func (x *Index) Interrupted() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.state.Updating != nil
}

// LastUpdate gives the ids that the update to Generation touched, together with
// those of an interrupted update, sorted. known is false where they were too
// many to be remembered (maxRecorded): then only Rebuild helps.
func (x *Index) LastUpdate() (ids []portal.DatasetID, known bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	ids, known = slices.Clone(x.state.Last), !x.state.Many
	if u := x.state.Updating; u != nil {
		ids, known = append(ids, u.IDs...), known && !u.Many
	}
	return sortedSet(ids), known
}

func sortedSet(ids []portal.DatasetID) []portal.DatasetID {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Reader gives the newest whole generation, pinned: it stays as it is until it
// is closed. It gives ErrInterrupted when the index was opened in the middle of
// an update.
func (x *Index) Reader() (*Reader, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, fmt.Errorf("index reader: %w", os.ErrClosed)
	}
	if x.current == nil {
		return nil, ErrInterrupted
	}
	x.current.snapshot.AddRef()
	return newReader(x.current)
}

// Close closes the index. Readers that are open stay readable.
func (x *Index) Close() error {
	x.updating.Lock()
	defer x.updating.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	var err error
	if x.current != nil {
		err = x.current.snapshot.Close()
	}
	err = errors.Join(err, x.scorch.Close())
	x.queue.Close()
	unwatch(x.dir)
	return err
}

// Remove deletes the index under dir with all its builds.
func Remove(dir string) error { return os.RemoveAll(dir) }

// removeOtherBuilds deletes the builds of other mappings.
func removeOtherBuilds(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == mappingVersion || !e.IsDir() {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
