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
	byPath map[string]chan error
}{byPath: map[string]chan error{}}

func init() {
	scorch.RegistryAsyncErrorCallbacks[watchName] = func(err error, path string) {
		if !errors.Is(err, scorch.ErrAsyncPanic) {
			return // it tries again, and tells the batch that waits
		}
		watched.Lock()
		defer watched.Unlock()
		select {
		case watched.byPath[path] <- err:
		default:
		}
	}
}

// watch gives a channel that gets an error when a background task of the index
// at path dies: a batch would then wait for ever.
func watch(path string) chan error {
	watched.Lock()
	defer watched.Unlock()
	c := make(chan error, 1)
	watched.byPath[path] = c
	return c
}

func unwatch(path string) {
	watched.Lock()
	defer watched.Unlock()
	delete(watched.byPath, path)
}
