package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"koprik/embed/table/read"
	"koprik/portal"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// memory holds objects, and counts how often each is opened.
type memory struct {
	mu      sync.Mutex
	objects map[portal.Digest][]byte
	opened  atomic.Int64
	hold    chan struct{} // an open waits for it when set
	entered chan struct{} // an open says so first when set
}

type memoryFile struct{ *bytes.Reader }

func (memoryFile) Close() error { return nil }

func (m *memory) Object(ctx context.Context, d portal.Digest) (portal.ReadSeekCloser, int64, error) {
	m.opened.Add(1)
	if m.entered != nil {
		m.entered <- struct{}{}
	}
	if m.hold != nil {
		select {
		case <-m.hold:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.objects[d]
	if !ok {
		return nil, 0, portal.ErrNotHeld
	}
	return memoryFile{bytes.NewReader(b)}, int64(len(b)), nil
}

// add keeps bytes and gives the resource that names them.
func (m *memory) add(path string, data []byte) portal.Resource {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[portal.Digest][]byte{}
	}
	d := portal.DigestOf(data)
	m.objects[d] = data
	return portal.Resource{Name: "t", Path: path, Hash: d, Bytes: int64(len(data))}
}

func newStore(t testing.TB) (*Store, *memory) {
	t.Helper()
	m := &memory{}
	s := Open(filepath.Join(t.TempDir(), "tables #1 100%?"), m) // a folder's name is no address
	s.limit, s.sql.limit = time.Hour, time.Hour                 // a slow machine is no failure
	t.Cleanup(func() { s.Close() })
	return s, m
}

func rowsOf(t testing.TB, s *Store, r portal.Resource, q portal.RowQuery) portal.RowPage {
	t.Helper()
	page, err := s.Rows(context.Background(), r, "", q)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestRowsComeBackWithTheirTypes(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("id,name,rate,ok,day,code\n1,Xorazm,33.50,true,31.01.2020,007\n2,,5,false,01.02.2020,008\n"))
	page := rowsOf(t, s, r, portal.RowQuery{})
	want := [][]any{
		{int64(1), "Xorazm", 33.5, true, "2020-01-31", "007"},
		{int64(2), nil, 5.0, false, "2020-02-01", "008"},
	}
	if diff := cmp.Diff(want, page.Rows); diff != "" || page.Total != 2 || page.Next != "" {
		t.Errorf("total %d, next %q\n%s", page.Total, page.Next, diff)
	}
	page = rowsOf(t, s, r, portal.RowQuery{Columns: []string{"ok", "id"}, Sort: "id", Desc: true})
	if diff := cmp.Diff([][]any{{false, int64(2)}, {true, int64(1)}}, page.Rows); diff != "" {
		t.Error(diff)
	}
	if page.Columns[0].Name != "ok" || page.Columns[1].Type != "integer" {
		t.Error(page.Columns)
	}
}

func TestSecondEnsureReadsNothing(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a,b\n1,2\n"))
	first, err := s.Ensure(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	again := Open(s.dir, m) // another start of the program
	defer again.Close()
	r.Name = "other"
	second, err := again.Ensure(context.Background(), r)
	if err != nil || m.opened.Load() != 1 {
		t.Errorf("%v; the object was opened %d times", err, m.opened.Load())
	}
	first[0].Resource = "other"
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

func TestOtherDeclarationsAreOtherTables(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a;b\n1;2\n"))
	plain := rowsOf(t, s, r, portal.RowQuery{})
	withDialect(`{"delimiter": ","}`)(&r)
	other := rowsOf(t, s, r, portal.RowQuery{})
	if len(plain.Columns) != 2 || len(other.Columns) != 1 {
		t.Error(plain.Columns, other.Columns)
	}
}

func TestEverySheetHasItsRows(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.xlsx", workbook(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", []any{"a"}, []any{1})
		f.NewSheet("ikki")
		set(t, f, "ikki", "A1", []any{"b"}, []any{"x"}, []any{"y"})
	}))
	page, err := s.Rows(context.Background(), r, "ikki", portal.RowQuery{})
	if err != nil || page.Total != 2 || page.Rows[1][0] != "y" {
		t.Error(page, err)
	}
	if _, err = s.Rows(context.Background(), r, "uch", portal.RowQuery{}); !errors.Is(err, portal.ErrNotFound) {
		t.Error(err)
	}
}

func TestAMirrorNeverRefusesSignedData(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a,b\nx,1\n2,2,3\n4\n\"5\"y,6\n"))
	r.Schema = &portal.TableSchema{Fields: []portal.Field{{Name: "a", Type: "integer"}, {Name: "b", Type: "whole"}, {Name: "c", Type: "date"}}}
	infos, err := s.Ensure(context.Background(), r)
	if err != nil || len(infos) != 1 {
		t.Fatal(infos, err)
	}
	notes := strings.Join(infos[0].Notes, "\n")
	for _, part := range []string{
		`column "a": 2 values are kept as text, not an integer; first "x" in row 2`, `type "whole"`, `"c" of the schema is not in the file`,
		"row 5: text stands after a closing quotation mark", "row 3 has 3 cells, the header 2",
	} {
		if !strings.Contains(notes, part) {
			t.Errorf("notes lack %q:\n%s", part, notes)
		}
	}
	want := [][]any{{"x", "1", nil}, {int64(2), "2", int64(3)}, {int64(4), nil, nil}, {`5"y`, "6", nil}}
	if diff := cmp.Diff(want, rowsOf(t, s, r, portal.RowQuery{}).Rows); diff != "" {
		t.Error(diff)
	}
	for name, bytes := range map[string]string{"b.json": `[{"a": 1}, {`, "c.xlsx": "PK\x03\x04", "d.csv": "a,\x00\n", "e.pdf": "%PDF", "f.csv": ""} {
		r := m.add(name, []byte(bytes))
		if infos, err := s.Ensure(context.Background(), r); err != nil || len(infos) != 0 {
			t.Errorf("%s: %v, %v", name, infos, err)
		}
		if _, err := s.Rows(context.Background(), r, "", portal.RowQuery{}); !errors.Is(err, portal.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBytesThatAreElsewhereAreNotHeld(t *testing.T) {
	s, _ := newStore(t)
	if _, err := s.Tables(context.Background(), portal.Resource{Name: "t", Path: "a.csv", Hash: portal.DigestOf(nil)}); !errors.Is(err, portal.ErrNotHeld) {
		t.Error(err)
	}
}

func TestOneBuilderAtATimeAndAllGetItsTable(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a,b\n1,2\n"))
	m.hold, m.entered = make(chan struct{}), make(chan struct{}, 9)
	first, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() { _, err := s.Ensure(first, r); gone <- err }()
	<-m.entered
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() {
			page, err := s.Rows(context.Background(), r, "", portal.RowQuery{})
			if err == nil && page.Total != 1 {
				err = fmt.Errorf("%d rows", page.Total)
			}
			errs <- err
		}()
	}
	cancel() // the builder's caller leaves; one of the others builds
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(m.hold)
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := m.opened.Load(); n != 2 {
		t.Errorf("the object was opened %d times, want 2", n)
	}
}

func TestWhatIsDamagedOrGoneIsMadeAgain(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a,b\n"+strings.Repeat("1,2\n", 5000)))
	rowsOf(t, s, r, portal.RowQuery{})
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.db"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	damage := map[string]func() error{
		"no database":    func() error { return os.WriteFile(files[0], bytes.Repeat([]byte("x"), 8192), 0o600) },
		"cut short":      func() error { return os.Truncate(files[0], 4096) },
		"empty":          func() error { return os.Truncate(files[0], 0) },
		"deleted":        func() error { return os.Remove(files[0]) },
		"list destroyed": func() error { return os.WriteFile(s.listPath(resourceKey(r)), []byte("{"), 0o600) },
		"list deleted":   func() error { return os.Remove(s.listPath(resourceKey(r))) },
	}
	for name, do := range damage {
		s.Close()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		s = Open(s.dir, m)
		s.limit = time.Hour
		if page, err := s.Rows(context.Background(), r, "", portal.RowQuery{Sort: "a", Desc: true}); err != nil || page.Total != 5000 {
			t.Errorf("%s: %d rows, %v", name, page.Total, err)
		}
	}
	s.Close()
}

func TestATableDeletedUnderAnOpenStoreIsMadeAgain(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a,b\n1,2\n"))
	if _, err := s.Ensure(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.db"))
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if page := rowsOf(t, s, r, portal.RowQuery{}); page.Total != 1 {
		t.Error(page)
	}
}

func TestABuildThatIsCutOffLeavesNothingThatIsRead(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("a,b\n1,2\n"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Ensure(ctx, r); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	left := filepath.Join(s.dir, tempPrefix+"123")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "x.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ensure(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if err := s.CleanTemps(); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(s.dir)
	if len(entries) != 2 {
		t.Errorf("%v: want one table and one list", entries)
	}
	rowsOf(t, s, r, portal.RowQuery{})
}

func TestPruneKeepsWhatItIsTold(t *testing.T) {
	s, m := newStore(t)
	keep, drop := m.add("a.csv", []byte("a\n1\n")), m.add("b.csv", []byte("b\n2\n"))
	rowsOf(t, s, keep, portal.RowQuery{})
	rowsOf(t, s, drop, portal.RowQuery{})
	if err := s.Prune([]portal.Resource{keep}); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(s.dir); len(entries) != 2 {
		t.Error(entries)
	}
	n := m.opened.Load()
	rowsOf(t, s, keep, portal.RowQuery{})
	if m.opened.Load() != n {
		t.Error("what was kept is built again")
	}
	rowsOf(t, s, drop, portal.RowQuery{})
}

func TestManyTablesShareAFewOpenOnes(t *testing.T) {
	s, m := newStore(t)
	var rs []portal.Resource
	for i := range maxOpen + 10 {
		rs = append(rs, m.add("a.csv", fmt.Appendf(nil, "a,b\n%d,x\n", i)))
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range rs {
				i = (i*7 + g*11) % len(rs)
				page, err := s.Rows(context.Background(), rs[i], "", portal.RowQuery{})
				if err != nil || page.Rows[0][0] != int64(i) {
					t.Errorf("%d: %v, %v", i, page.Rows, err)
				}
			}
		})
	}
	wg.Wait()
	if n := s.open.recent.Len(); n > maxOpen {
		t.Errorf("%d tables are open", n)
	}
	s.Close()
	if _, err := s.Rows(context.Background(), rs[0], "", portal.RowQuery{}); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

func TestAWideTableKeepsAllColumns(t *testing.T) {
	s, m := newStore(t)
	var head, row strings.Builder
	for i := range read.MaxColumns {
		fmt.Fprintf(&head, "c%d,", i)
		fmt.Fprintf(&row, "%d,", i)
	}
	text := strings.TrimSuffix(head.String(), ",") + "\n" + strings.Repeat(strings.TrimSuffix(row.String(), ",")+"\n", 60)
	r := m.add("a.csv", []byte(text))
	page := rowsOf(t, s, r, portal.RowQuery{Sort: "c7", Limit: 10})
	if len(page.Columns) != read.MaxColumns || page.Total != 60 || page.Rows[0][read.MaxColumns-1] != int64(read.MaxColumns-1) || page.Next == "" {
		t.Error(len(page.Columns), page.Total)
	}
}
