package node

import (
	"context"
	"fmt"
	"sync/atomic"

	"koprik/embed/catalog"
	"koprik/embed/index"
	"koprik/portal"
)

// sharedReader is an index reader of one generation that many views hold. It
// is closed when the last of them lets go.
type sharedReader struct {
	*index.Reader
	memo  memo
	users atomic.Int64
}

func share(r *index.Reader) *sharedReader {
	s := &sharedReader{Reader: r}
	s.users.Store(1) // the node's own
	return s
}

func (s *sharedReader) acquire() *sharedReader {
	s.users.Add(1)
	return s
}

func (s *sharedReader) release() {
	if s.users.Add(-1) == 0 {
		s.Reader.Close()
	}
}

// View holds one generation still: a read transaction of the catalogue and an
// index reader, both taken under the read lock of the switch, so that no apply
// can come between them. The caller closes it.
func (n *Node) View(ctx context.Context) (portal.View, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	v := &view{node: n, Snapshot: snap, sides: n.talk.sides}
	if n.reader == nil {
		return v, nil // beside a server: the catalogue alone
	}
	v.reader = n.reader.acquire()
	if a, b := v.reader.Generation(), snap.State().Generation; a != b {
		v.Close()
		return nil, fmt.Errorf("index of generation %d beside a catalogue of %d", a, b)
	}
	return v, nil
}

type view struct {
	*catalog.Snapshot
	node   *Node
	reader *sharedReader
	sides  sides
	closed atomic.Bool
}

func (v *view) Close() {
	if v.closed.Swap(true) {
		return
	}
	v.Snapshot.Close()
	if v.reader != nil {
		v.reader.release()
	}
}

func (v *view) Search(ctx context.Context, q portal.Query) (portal.Results, error) {
	if v.reader == nil {
		return portal.Results{}, locked(v.node.dir, nil)
	}
	return v.reader.Search(ctx, q)
}

func (v *view) Tables(ctx context.Context, r portal.Resource) ([]portal.TableInfo, error) {
	return v.node.tables.Tables(ctx, r)
}

func (v *view) Rows(ctx context.Context, r portal.Resource, sheet string, q portal.RowQuery) (portal.RowPage, error) {
	return v.node.tables.Rows(ctx, r, sheet, q)
}

func (v *view) Query(ctx context.Context, r portal.Resource, sheet string, q portal.TableQuery) (portal.TableAnswer, error) {
	return v.node.tables.Query(ctx, r, sheet, q)
}

func (v *view) Stream(ctx context.Context, r portal.Resource, sheet string, q portal.TableQuery) (portal.TableRows, error) {
	return v.node.tables.Stream(ctx, r, sheet, q)
}

func (v *view) Compare(ctx context.Context, before, after portal.Resource, sheet string, show int) (portal.TableChange, error) {
	return v.node.tables.Compare(ctx, before, after, sheet, show)
}

func (v *view) Object(ctx context.Context, d portal.Digest) (portal.ReadSeekCloser, int64, error) {
	return contents{v.node}.Object(ctx, d)
}

// contents opens objects for rooms that may not know embed/blob.
type contents struct{ node *Node }

// Object implements portal.Objects. Content is hashed once before this process
// gives it away: what rotted on the disk since it was fetched is never shown.
func (c contents) Object(ctx context.Context, d portal.Digest) (portal.ReadSeekCloser, int64, error) {
	if _, checked := c.node.checked.Load(d); !checked {
		if err := c.node.blobs.Verify(ctx, d); err != nil {
			return nil, 0, err
		}
		c.node.checked.Store(d, true)
	}
	return c.node.blobs.Open(d)
}
