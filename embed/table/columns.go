package table

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"koprik/embed/table/column"
	"koprik/internal/disk"
)

// Columns that were asked about are kept beside their tables, each as one file
// in the folder columns: the summary from which filters, orders, facets and
// groups are answered. They are derived from the table and may be deleted.
const (
	columnsFolder = "columns"

	smallTable   = 2_000      // rows that are read faster than a summary is made
	largeTable   = 10_000_000 // rows of which none is made
	atOnce       = 8_000_000  // values that one walk over a table takes up
	cachedBytes  = 64 << 20   // of columns in memory
	columnsBytes = 1 << 30    // of files; the oldest go
)

// columns are the summaries of all tables.
type columns struct {
	dir  string
	stop context.CancelFunc
	ctx  context.Context //nolint:containedctx // of work in the background, which ends with the store

	mu       sync.Mutex
	byName   map[string]*list.Element
	recent   *list.List // of *kept, newest first
	bytes    int64
	building bool
	closed   bool
	work     sync.WaitGroup
}

// kept is one column in memory.
type kept struct {
	name   string
	vector column.Vector
	none   bool // the column has no form better than its values
	bytes  int64
}

func newColumns(dir string) *columns {
	ctx, stop := context.WithCancel(context.Background())
	return &columns{dir: filepath.Join(dir, columnsFolder), ctx: ctx, stop: stop, byName: map[string]*list.Element{}, recent: list.New()}
}

func columnFile(table string, c int) string { return fmt.Sprintf("%s-%d.col", table, c) }

// get gives columns as a source. wanting are those that are not there and may
// be made; whole is false when the rows themselves have to be read.
func (c *columns) get(t listed, needs []int) (src *column.Whole, wanting []int, whole bool) {
	if t.Info.Rows <= smallTable || t.Info.Rows > largeTable {
		return nil, nil, false
	}
	src = &column.Whole{Rows: t.Info.Rows, Vectors: make([]column.Vector, len(t.Info.Columns))}
	whole = true
	for _, n := range needs {
		k, ok := c.one(columnFile(t.Key, n), t.Info.Rows)
		switch {
		case !ok:
			wanting = append(wanting, n)
			whole = false
		case k.none:
			whole = false
		default:
			src.Vectors[n] = k.vector
		}
	}
	return src, wanting, whole
}

// one finds a column in memory or in its file.
func (c *columns) one(name string, rows int64) (*kept, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byName[name]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(*kept), true
	}
	data, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		return nil, false
	}
	v, ok, err := column.Decode(data, rows)
	if err != nil {
		os.Remove(filepath.Join(c.dir, name)) // derived: it is made again
		return nil, false
	}
	return c.remember(name, v, !ok), true
}

// remember keeps a column in memory and lets the least used go. c.mu is held.
func (c *columns) remember(name string, v column.Vector, none bool) *kept {
	k := &kept{name: name, vector: v, none: none, bytes: v.Bytes() + 200}
	c.byName[name] = c.recent.PushFront(k)
	c.bytes += k.bytes
	for c.bytes > cachedBytes && c.recent.Len() > 1 {
		c.forgetOne(c.recent.Back())
	}
	return k
}

func (c *columns) forgetOne(e *list.Element) {
	k := c.recent.Remove(e).(*kept)
	delete(c.byName, k.name)
	c.bytes -= k.bytes
}

// drop forgets a table's columns, in memory and on the disk.
func (c *columns) drop(table string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, e := range c.byName {
		if strings.HasPrefix(name, table) {
			c.forgetOne(e)
		}
	}
	names, _ := filepath.Glob(filepath.Join(c.dir, table+"-*.col")) // the pattern is ours
	for _, name := range names {
		os.Remove(name)
	}
}

// prune removes the files of tables that are not kept.
func (c *columns) prune(keep func(table string) bool) error {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("prune %s: %w", c.dir, err)
	}
	for _, e := range entries {
		if table, _, ok := strings.Cut(e.Name(), "-"); !ok || !keep(table) {
			c.drop(table)
			os.Remove(filepath.Join(c.dir, e.Name()))
		}
	}
	return nil
}

// begin runs make in the background, unless one is being made already: then the
// next query asks again.
func (c *columns) begin(making func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.building || c.closed {
		return
	}
	c.building = true
	c.work.Go(func() {
		making(c.ctx)
		c.mu.Lock()
		c.building = false
		c.mu.Unlock()
	})
}

// close ends the work in the background.
func (c *columns) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.work.Wait()
}

// summarize makes columns of a table, in as many walks as memory asks for.
func (s *Store) summarize(ctx context.Context, t listed, wanting []int) error {
	per := max(1, int(atOnce/max(1, t.Info.Rows)))
	for part := range slices.Chunk(wanting, per) {
		if err := s.summarizePart(ctx, t, part); err != nil {
			return fmt.Errorf("columns of table %s: %w", t.Key, err)
		}
	}
	return nil
}

func (s *Store) summarizePart(ctx context.Context, t listed, part []int) error {
	db, release, err := s.open.use(t.Key, s.tablePath(t.Key))
	if err != nil {
		return err
	}
	defer release()
	builders := make([]*column.Builder, len(part))
	for i := range builders {
		builders[i] = column.NewBuilder(int(t.Info.Rows))
	}
	err = scan{db, len(t.Info.Columns)}.Blocks(ctx, part, 1, func(b *column.Block) error {
		for i, c := range part {
			for _, v := range b.Vectors[c].Plain {
				builders[i].Add(v)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.columns.dir, 0o777); err != nil {
		return disk.Classify(err)
	}
	root, err := disk.OpenRoot(s.columns.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, c := range part {
		v, ok := builders[i].Vector(column.Collation(t.Info.Columns[c]))
		builders[i] = nil
		name := columnFile(t.Key, c)
		if err := disk.WriteFile(root, name, column.Encode(&v, t.Info.Rows)); err != nil {
			return err
		}
		s.columns.mu.Lock()
		if s.columns.byName[name] == nil {
			s.columns.remember(name, v, !ok)
		}
		s.columns.mu.Unlock()
	}
	return s.columns.bound()
}

// bound removes the oldest files where there are too many.
func (c *columns) bound() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var infos []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			infos = append(infos, info)
			total += info.Size()
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return cmp.Compare(a.ModTime().UnixNano(), b.ModTime().UnixNano()) })
	for _, info := range infos {
		if total <= columnsBytes {
			break
		}
		os.Remove(filepath.Join(c.dir, info.Name()))
		total -= info.Size()
	}
	return nil
}
