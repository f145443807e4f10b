package node

import (
	"context"
	"errors"
	"strings"

	"koprik/embed/index"
	"koprik/portal"
)

// indexThreads makes the public questions of a generation found: one set for each
// file of threads, its digest as the version. What cannot be read is told in the
// log and not found; the generation does not wait for it.
func (n *Node) indexThreads(ctx context.Context, s sides) error {
	sets := map[string]string{}
	for path, f := range s.files {
		if name, ok := strings.CutPrefix(path, threadsPrefix); ok {
			sets[name] = f.SHA256.String()
		}
	}
	err := n.index.UpdateThreads(ctx, sets, func(set string) ([]portal.Thread, error) {
		threads, err := n.threadsIn(s, threadsPrefix+set)
		if err != nil && ctx.Err() == nil {
			n.opt.Log.Warn("public questions cannot be read", "of", set, "error", err)
			return nil, nil
		}
		return threads, err
	})
	if errors.Is(err, index.ErrInterrupted) {
		return nil // the update that mends it comes first, and this after it
	}
	return err
}

// showThreads is indexThreads for what is shown already: at the start.
func (n *Node) showThreads(ctx context.Context) error {
	s, err := n.sidesNow()
	if err != nil {
		return err
	}
	if err := n.indexThreads(ctx, s); err != nil {
		return err
	}
	return n.swapReader()
}

// SetUses tells the index how often each dataset is used (index.SetUses), for the
// order of hits.
func (n *Node) SetUses(uses func(portal.DatasetID) int64) error {
	n.applying.Lock()
	defer n.applying.Unlock()
	if n.index == nil {
		return nil // beside a server, which counts itself
	}
	n.index.SetUses(uses)
	return n.swapReader()
}

// Thread gives one public question of the view's generation; portal.ErrNotFound
// when there is none.
func (v *view) Thread(ctx context.Context, id portal.InquiryID) (portal.Thread, error) {
	return v.node.Thread(ctx, v, id)
}
