package node

import (
	"context"
	"sync"

	"koprik/portal"
)

// memoSize is how many datasets of a generation stay decoded: those that are
// asked for now. Reading one costs as much as a third of its page.
const memoSize = 128

// memo remembers datasets of one generation. They were verified when they were
// read; what it gives is shared and must not be changed.
type memo struct {
	mu   sync.Mutex
	byID map[portal.DatasetID]portal.Dataset
}

func (m *memo) get(id portal.DatasetID) (portal.Dataset, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.byID[id]
	return d, ok
}

func (m *memo) put(d portal.Dataset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil || len(m.byID) >= memoSize {
		m.byID = map[portal.DatasetID]portal.Dataset{}
	}
	m.byID[d.ID] = d
}

// Dataset implements portal.Catalog.
func (v *view) Dataset(ctx context.Context, id portal.DatasetID) (portal.Dataset, error) {
	if v.reader == nil {
		return v.Snapshot.Dataset(ctx, id)
	}
	if d, ok := v.reader.memo.get(id); ok {
		return d, nil
	}
	d, err := v.Snapshot.Dataset(ctx, id)
	if err == nil {
		v.reader.memo.put(d)
	}
	return d, err
}

// Datasets implements portal.Catalog.
func (v *view) Datasets(ctx context.Context, ids []portal.DatasetID) ([]portal.Dataset, error) {
	if v.reader == nil {
		return v.Snapshot.Datasets(ctx, ids)
	}
	known := make(map[portal.DatasetID]portal.Dataset, len(ids))
	var missing []portal.DatasetID
	for _, id := range ids {
		if d, ok := v.reader.memo.get(id); ok {
			known[id] = d
		} else {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		read, err := v.Snapshot.Datasets(ctx, missing)
		if err != nil {
			return nil, err
		}
		for _, d := range read {
			known[d.ID] = d
			if len(ids) <= memoSize {
				v.reader.memo.put(d)
			}
		}
	}
	list := make([]portal.Dataset, 0, len(ids))
	for _, id := range ids {
		if d, ok := known[id]; ok {
			list = append(list, d)
		}
	}
	return list, nil
}
