package node

import (
	"context"
	"sync"

	"koprik/portal"
	"koprik/ui/site"
)

// markOf remembers the state of the generation that a reader of the index
// belongs to: every apply makes a new reader.
type markOf struct {
	mu     sync.Mutex
	reader *sharedReader
	state  portal.CopyState
}

// mark tells cheaply what pages show of this node beside the catalogue's
// content: it opens a view once a generation.
func (n *Node) mark(memo *markOf) (site.Mark, bool) {
	_, wrong := n.clock()
	n.mu.RLock()
	reader := n.reader
	n.mu.RUnlock()
	if reader == nil {
		return site.Mark{}, false
	}
	memo.mu.Lock()
	defer memo.mu.Unlock()
	if memo.reader != reader {
		v, err := n.View(context.Background())
		if err != nil {
			return site.Mark{}, false
		}
		defer v.Close()
		shown, ok := v.(*view)
		if !ok || shown.reader == nil {
			return site.Mark{}, false
		}
		memo.reader, memo.state = shown.reader, v.State()
	}
	return site.Mark{State: memo.state, Title: n.config.Title, ClockWrong: wrong}, true
}
