package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"koprik/embed/sqlite"
	"koprik/embed/sqlite/sqlitetest"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, path string) *Local {
	t.Helper()
	l, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func set(t *testing.T, l *Local, key, value string) {
	t.Helper()
	if err := l.Set(context.Background(), key, value); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, l *Local, key string) (string, bool) {
	t.Helper()
	value, ok, err := l.Get(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	return value, ok
}

func TestMigrationsOnlyGrow(t *testing.T) {
	sqlitetest.OnlyGrow(t, os.DirFS("migrations"), "testdata/migrations.golden")
}

func TestStateIsWhatWasLastSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local.db")
	l := open(t, path)
	if value, ok := get(t, l, "upstream"); ok || value != "" {
		t.Errorf("before: %q, %v", value, ok)
	}
	for _, value := range []string{"http://a.example/", "", "Toshkent koʻprigi ʼ Ташкент", strings.Repeat("x", 100_000)} {
		set(t, l, "upstream", value)
		if got, ok := get(t, l, "upstream"); !ok || got != value {
			t.Errorf("got %.40q, %v; want %.40q", got, ok, value)
		}
	}
	set(t, l, "Upstream", "another key")
	l.Close()
	if got, ok := get(t, open(t, path), "upstream"); !ok || len(got) != 100_000 {
		t.Errorf("after opening again: %.40q, %v", got, ok)
	}
}

func TestSyncLogIsInTheOrderOfWritingWhateverTheClockSays(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	if r, ok, err := l.LastSync(ctx); ok || err != nil {
		t.Errorf("before the first: %v, %v, %v", r, ok, err)
	}
	day := func(n int) time.Time { return time.Date(2026, 1, n, 12, 30, 15, 250_000, time.UTC) }
	first := SyncRecord{At: day(9), Upstream: "https://data.example.uz/repository/", Generation: 7, BytesDown: 1 << 40, BytesUp: 3, Requests: 4, Duration: 1500 * time.Millisecond}
	second := SyncRecord{At: day(2), Upstream: "/media/stick/KOPRIK", Generation: 8, Result: "upstream unreachable"}
	for _, r := range []SyncRecord{first, second} {
		if err := l.AddSync(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	if r, ok, err := l.LastSync(ctx); err != nil || !ok || !cmp.Equal(r, second) {
		t.Errorf("last: %+v, %v, %v", r, ok, err)
	}
	for _, tt := range []struct {
		limit int
		want  []SyncRecord
	}{{-1, nil}, {0, nil}, {1, []SyncRecord{second}}, {10, []SyncRecord{second, first}}} {
		got, err := l.Syncs(ctx, tt.limit)
		if err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("limit %d: %v %s", tt.limit, err, cmp.Diff(tt.want, got))
		}
	}
}

func TestDamagedOrForeignFilesAreKeptAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	db, err := sqlite.Open(foreign, sqlite.Options{ApplicationID: 1})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{foreign, garbage} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(context.Background(), path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", path, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("%s: changed, %v", path, err)
		}
	}
}

func TestFileOfANewerProgramIsErrNewer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local.db")
	l := open(t, path)
	if _, err := l.db.Write.Exec("INSERT INTO migrations VALUES (9999, '9999_later.sql', '')"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := Open(context.Background(), path); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("%v", err)
	}
}

func TestWritesAreOnDiskWhenTheyReturn(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "local.db"))
	var synchronous int
	if err := l.db.Write.QueryRow("PRAGMA synchronous").Scan(&synchronous); err != nil || synchronous != 2 {
		t.Fatalf("synchronous is %d, %v; want 2, FULL", synchronous, err)
	}
	for i := range 20 {
		want := strconv.Itoa(i)
		set(t, l, "n", want)
		crashed := t.TempDir() // what a machine would find that lost power now
		for _, name := range []string{"local.db", "local.db-wal"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(crashed, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := get(t, open(t, filepath.Join(crashed, "local.db")), "n"); !ok || got != want {
			t.Errorf("after the crash: %q, %v; want %q", got, ok, want)
		}
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := range 10 {
				if err := l.AddSync(ctx, SyncRecord{At: time.Unix(int64(i), 0), Generation: int64(w)}); err != nil {
					t.Error(err)
				}
				if err := l.Set(ctx, fmt.Sprintf("%d/%d", w, i), "x"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	list, err := l.Syncs(ctx, 1000)
	if err != nil || len(list) != 80 {
		t.Errorf("%d lines, %v; want 80", len(list), err)
	}
}

// TestKilledProcessLosesNothingAcknowledged runs itself as a child that says
// each value after it was set, and kills it.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	ctx := context.Background()
	if path := os.Getenv("KOPRIK_TEST_CHILD"); path != "" {
		l := open(t, path)
		for i := 1; ; i++ {
			set(t, l, "n", strconv.Itoa(i))
			if err := l.AddSync(ctx, SyncRecord{Generation: int64(i)}); err != nil {
				t.Fatal(err)
			}
			fmt.Printf("ack %d\n", i)
		}
	}
	path := filepath.Join(t.TempDir(), "local.db")
	for _, after := range []int{1, 7, 40} {
		acked := 0
		killed(t, "TestKilledProcessLosesNothingAcknowledged", "KOPRIK_TEST_CHILD="+path, after, func(line string) {
			var n int
			if _, err := fmt.Sscanf(line, "ack %d", &n); err == nil { // or cut off by the kill
				acked = max(acked, n)
			}
		})
		l := open(t, path)
		value, _ := get(t, l, "n")
		if n, err := strconv.Atoi(value); err != nil || n < acked || acked < after {
			t.Errorf("%q is held, %d was acknowledged", value, acked)
		}
		if last, ok, err := l.LastSync(ctx); err != nil || !ok || last.Generation < int64(acked) {
			t.Errorf("sync %d is held, %v; %d was acknowledged", last.Generation, err, acked)
		}
		l.Close()
	}
}

func BenchmarkSet(b *testing.B) {
	l, err := Open(context.Background(), filepath.Join(b.TempDir(), "local.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for i := 0; b.Loop(); i++ {
		if err := l.Set(context.Background(), "n", strconv.Itoa(i)); err != nil {
			b.Fatal(err)
		}
	}
}
