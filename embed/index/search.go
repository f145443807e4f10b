package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"

	"koprik/portal"
)

// deadline is how long one search may take (guarantee 5).
const deadline = 1500 * time.Millisecond

// view is a snapshot of Bleve's with the columns of its segments and what was
// counted over all of it. Readers of one generation share it.
type view struct {
	snapshot *scorch.IndexSnapshot
	cache    *cache
	synonyms func() *synonyms
	uses     *popularity

	mu     sync.Mutex
	cols   []*columns // nil until the first search
	newest uint32     // the newest time of issue
	all    *whole     // counted over every dataset; nil until somebody asks
}

// columns gives the columns of the segments, in their order.
func (v *view) columns() ([]*columns, uint32, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cols == nil {
		cols, err := v.cache.of(v.snapshot, v.uses)
		if err != nil {
			return nil, 0, err
		}
		for _, c := range cols {
			for doc, t := range c.updated {
				if c.threads == nil || !c.threads.has(uint32(doc)) {
					v.newest = max(v.newest, t)
				}
			}
		}
		v.cols = cols
	}
	return v.cols, v.newest, nil
}

// Reader searches one generation. Its methods may be called at the same time;
// Close may be called more than once and waits for nobody: what is being
// searched holds the snapshot itself.
type Reader struct {
	generation int64

	mu   sync.Mutex
	view *view // nil when closed
}

// newReader takes over the caller's reference to the view's snapshot.
func newReader(v *view) (*Reader, error) {
	snapshot := v.snapshot
	b, err := snapshot.GetInternal(stateKey)
	if err != nil {
		return nil, errors.Join(err, snapshot.Close())
	}
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: its state: %w", ErrDamaged, err), snapshot.Close())
	}
	return &Reader{generation: s.Generation, view: v}, nil
}

// Generation is the generation that the reader sees.
func (r *Reader) Generation() int64 { return r.generation }

// Close lets the snapshot go.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.view != nil {
		_ = r.view.snapshot.Close() // only lowers a count; files go when nobody reads them
		r.view = nil
	}
}

// hold gives the view with a reference to its snapshot.
func (r *Reader) hold() (*view, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.view == nil {
		return nil, errors.New("index: search on a closed reader")
	}
	r.view.snapshot.AddRef()
	return r.view, nil
}

// Search answers q. Every word of q.Text must stand somewhere in a dataset, in
// any of its languages, spellings and forms; a phrase in quotes must stand as
// spelt; what has a minus before it must not stand there. Facets count all
// hits. A q over the limits gives portal.ErrUsage, a search over its 1.5 s
// portal.ErrTooMuch.
func (r *Reader) Search(ctx context.Context, q portal.Query) (portal.Results, error) {
	if q.Limit == 0 {
		q.Limit = portal.DefaultLimit
	}
	if err := checkQuery(q); err != nil {
		return portal.Results{}, err
	}
	v, err := r.hold()
	if err != nil {
		return portal.Results{}, err
	}
	defer v.snapshot.Close()
	// The columns load once after an open, at a million datasets in seconds; the
	// deadline is that of searches.
	if err := guard(func() error { _, _, err := v.columns(); return err }); err != nil {
		return portal.Results{}, fmt.Errorf("search: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var results portal.Results
	err = guard(func() (err error) {
		results, err = run(limited, v, q)
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return portal.Results{}, fmt.Errorf("search: over %s: %w", deadline, portal.ErrTooMuch)
	}
	if err != nil {
		return portal.Results{}, fmt.Errorf("search: %w", err)
	}
	return results, nil
}

// checkQuery holds q against the limits.
func checkQuery(q portal.Query) error {
	usage := func(where, format string, args ...any) error {
		return &portal.Problem{Kind: portal.ErrUsage, Where: where, Message: fmt.Sprintf(format, args...)}
	}
	if q.Limit < 1 || q.Limit > portal.MaxLimit {
		return usage("limit", "is %d, must be 1 to %d", q.Limit, portal.MaxLimit)
	}
	if q.Offset < 0 || q.Offset > portal.MaxOffset {
		return usage("offset", "is %d, must be 0 to %d", q.Offset, portal.MaxOffset)
	}
	switch q.Sort {
	case portal.ByRelevance, portal.ByUpdated, portal.ByTitle, portal.ByUse, portal.ByName:
	default:
		return usage("sort", "is %q, must be empty, %q, %q, %q or %q", q.Sort, portal.ByUpdated, portal.ByTitle, portal.ByUse, portal.ByName)
	}
	values := 0
	for f, vs := range q.Filters {
		if !slices.Contains(portal.Facets, f) {
			return usage("filter", "%q is no facet", f)
		}
		values += len(vs)
	}
	if values > maxValues {
		return usage("filter", "has %d values, at most %d are allowed", values, maxValues)
	}
	return nil
}
