package table

import (
	"context"

	"koprik/embed/table/read"
	"koprik/portal"
)

// smallFile is how many bytes a file may have whose values are read from itself,
// without making its tables: making them costs ten times as much, and of a
// hundred thousand small tables few are ever looked at.
const smallFile = 64 << 10

// built gives the tables of a resource if they are there.
func (s *Store) built(r portal.Resource) (listing, bool) {
	key := resourceKey(r)
	s.mu.Lock()
	l, ok := s.lists[key]
	s.mu.Unlock()
	if ok {
		return l, true
	}
	return s.readList(key)
}

// glance is values for a small file whose tables are not there: it reads the
// rows and keeps nothing.
func (s *Store) glance(ctx context.Context, r portal.Resource, limit int) ([]string, error) {
	if !read.IsTable(r) {
		return nil, nil
	}
	object, size, err := s.objects.Object(ctx, r.Hash)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	all := distinctValues{limit: limit, seen: map[string]bool{}}
	f, err := read.Open(ctx, object, size, r, "")
	if err == nil {
		err = f.Each(func(t *read.Table) error { return all.addTable(ctx, t) })
		f.Close()
	}
	if read.Unreadable(err) && ctx.Err() == nil {
		return nil, nil // Ensure keeps that it has no tables
	}
	return all.list, err
}

// distinctValues are different values in the order in which they came.
type distinctValues struct {
	limit int
	seen  map[string]bool
	list  []string
}

func (d *distinctValues) add(values []string) {
	for _, v := range values {
		if !d.seen[v] && len(d.list) < d.limit {
			d.seen[v] = true
			d.list = append(d.list, v)
		}
	}
}

func (d *distinctValues) addTable(ctx context.Context, t *read.Table) error {
	columns := t.Info().Columns
	found := make([][]any, len(columns))
	seen := make([]map[any]bool, len(columns))
	most := make([]int, len(columns))
	for i, f := range columns {
		most[i], seen[i] = valuesOf(f), map[any]bool{}
	}
	err := t.Rows(ctx, nil, func(row []any, _ int) ([]any, error) {
		for i := range min(len(row), len(columns)) {
			if most[i] > 0 && len(found[i]) <= most[i] && !seen[i][row[i]] {
				seen[i][row[i]] = true
				found[i] = append(found[i], row[i])
			}
		}
		return row[:0], nil
	})
	for i, values := range found {
		if len(values) > most[i] {
			continue
		}
		words := make([]string, 0, len(values))
		for _, v := range values {
			if w := wordsOf(v); w != "" {
				words = append(words, w)
			}
		}
		d.add(words)
	}
	return err
}
