package index

import (
	"errors"
	"sync"

	"github.com/blevesearch/bleve/v2/index/scorch"
)

// watchName is under which Bleve finds our callback. Bleve knows callbacks by
// name in a table of its own and hands them only the path of the index, so the
// open indexes are in a table too.
const watchName = "koprik"

var watched = struct {
	sync.Mutex
	byPath map[string]*troubles
}{byPath: map[string]*troubles{}}

// troubles are what went wrong in the background tasks of one index.
type troubles struct {
	died   chan error    // a task is gone: what waits for it waits for ever
	failed chan struct{} // a task could not do something, and tries again
}

func init() {
	scorch.RegistryAsyncErrorCallbacks[watchName] = func(err error, path string) {
		watched.Lock()
		defer watched.Unlock()
		t := watched.byPath[path]
		if t == nil {
			return
		}
		if errors.Is(err, scorch.ErrAsyncPanic) {
			select {
			case t.died <- err:
			default:
			}
			return
		}
		select {
		case t.failed <- struct{}{}:
		default:
		}
	}
}

// watch gives the troubles of the index at path, of each kind the first.
func watch(path string) *troubles {
	watched.Lock()
	defer watched.Unlock()
	t := &troubles{make(chan error, 1), make(chan struct{}, 1)}
	watched.byPath[path] = t
	return t
}

func unwatch(path string) {
	watched.Lock()
	defer watched.Unlock()
	delete(watched.byPath, path)
}
