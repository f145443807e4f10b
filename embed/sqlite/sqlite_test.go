package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"koprik/portal"
)

const testID = 0x6b707401

func open(t *testing.T, path string, o Options) *DB {
	t.Helper()
	o.ApplicationID = testID
	db, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestEverySettingHoldsOnEveryConnection(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		relaxed bool
		sync    string
	}{{false, "2"}, {true, "1"}} {
		db := open(t, filepath.Join(t.TempDir(), "a.db"), Options{Relaxed: tt.relaxed, Readers: 3})
		pragma := func(row func(string) (string, error), name, want string) {
			t.Helper()
			if got, err := row("PRAGMA " + name); err != nil || got != want {
				t.Errorf("relaxed %v: %s = %q, %v; want %q", tt.relaxed, name, got, err, want)
			}
		}
		for i := range 4 { // three readers held at once, and the writer
			pool := db.Read
			if i == 3 {
				pool = db.Write
			}
			conn, err := pool.Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			row := func(q string) (s string, err error) { err = conn.QueryRowContext(ctx, q).Scan(&s); return }
			for name, want := range map[string]string{
				"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "5000", "trusted_schema": "0", "cell_size_check": "1",
			} {
				pragma(row, name, want)
			}
			if i == 3 {
				pragma(row, "synchronous", tt.sync)
			} else {
				pragma(row, "query_only", "1")
			}
			if _, err := row(`SELECT "no such column"`); err == nil {
				t.Error("a name in double quotes was taken for a string")
			}
		}
	}
}

func TestPathsWithAnyCharacterOpenTheFileOfThatName(t *testing.T) {
	for _, name := range []string{"plain", "two words", "what?.db", "a#b", "100%", "a%20b", "a&b=c", "oʻzbek ʼ Қорақалпоқ", "semi;colon,comma", "mode=memory?x", "+plus"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		db := open(t, path, Options{})
		if _, err := db.Write.Exec("CREATE TABLE t (x)"); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		db.Close()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != name {
			t.Errorf("%q: folder holds %v, %v", name, entries, err)
		}
	}
}

func TestURIsOfWindowsPaths(t *testing.T) {
	for _, tt := range []struct {
		path    string
		windows bool
		want    string
	}{
		{"/srv/koprik data/a.db", false, "file:///srv/koprik%20data/a.db"},
		{"/srv/a?b#c", false, "file:///srv/a%3Fb%23c"},
		{"C:/Program Files/a.db", true, "file:///C:/Program%20Files/a.db"},
		{"//server/share/a.db", true, "file:////server/share/a.db"},
	} {
		if got := escapeURI(tt.path, tt.windows); got != tt.want {
			t.Errorf("escapeURI(%q) = %q, want %q", tt.path, got, tt.want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "a.db"), Options{}); err == nil {
		t.Error("no application id: accepted")
	}
	if _, err := Open("a\x00b", Options{ApplicationID: testID}); err == nil {
		t.Error("NUL in the path: accepted")
	}
	if _, err := Open(filepath.Join(dir, "missing", "a.db"), Options{ApplicationID: testID}); err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("missing folder: %v", err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"), Options{})
	if _, err := db.Read.Exec("CREATE TABLE t (x)"); !errors.Is(Explain(err), portal.ErrReadOnly) {
		t.Errorf("a reader made a table: %v", err)
	}
}

func TestWriterBlocksNoReaderAndNoReaderTheWriter(t *testing.T) {
	ctx := context.Background()
	db := open(t, filepath.Join(t.TempDir(), "a.db"), Options{})
	if _, err := db.Write.Exec("CREATE TABLE t (x); INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	reader, err := db.Read.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback()
	sum := func() (n int) {
		if err := reader.QueryRow("SELECT sum(x) FROM t").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if sum() != 1 {
		t.Fatal("first read")
	}
	writer, err := db.Write.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Exec("INSERT INTO t VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	if got := sum(); got != 1 {
		t.Errorf("an open write is seen: %d", got)
	}
	if err := writer.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := sum(); got != 1 {
		t.Errorf("a held snapshot moved: %d", got)
	}
}

// makeDB leaves a closed database with 200 rows and gives its bytes.
func makeDB(t *testing.T, path string) []byte {
	t.Helper()
	db := open(t, path, Options{})
	_, err := db.Write.Exec(`CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 200) INSERT INTO t SELECT i, hex(zeroblob(100)) FROM n`)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDamagedFilesAreErrDamaged(t *testing.T) {
	whole := makeDB(t, filepath.Join(t.TempDir(), "whole.db"))
	with := func(at int, b ...byte) []byte {
		return append(append(bytes.Clone(whole[:at]), b...), whole[at+len(b):]...)
	}
	for name, data := range map[string][]byte{
		"garbage":             bytes.Repeat([]byte("garbage "), 1024),
		"a few bytes":         []byte("short"),
		"cut to one page":     whole[:4096],
		"cut inside a page":   whole[:len(whole)-5000],
		"header gone":         with(0, make([]byte, 100)...),
		"zeros":               make([]byte, len(whole)),
		"another application": with(68, 1, 2, 3, 4),
		"no application":      with(68, 0, 0, 0, 0),
		"another page size":   with(16, 0x20, 0),
		"schema format 9":     with(44, 0, 0, 0, 9),
		"first page gone":     with(100, make([]byte, 3996)...),
	} {
		path := filepath.Join(t.TempDir(), "a.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path, Options{ApplicationID: testID})
		if err == nil { // the header is whole; what is behind it must show on reading
			_, err = db.Read.Exec("SELECT count(y) FROM t")
			err = Explain(err)
			db.Close()
		}
		if name == "first page gone" && err != nil {
			continue // "no such table": the schema's page was emptied; rooms prepare their statements on opening
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if held, err := os.ReadFile(path); err != nil || len(held) < min(len(data), 5) {
			t.Errorf("%s: the file is gone: %v", name, err)
		}
	}
}

func TestForeignDatabasesAreLeftAsTheyAre(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	other, err := sql.Open("sqlite", "file://"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec("CREATE TABLE t (x)"); err != nil { // no application id, a rollback journal
		t.Fatal(err)
	}
	other.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{ApplicationID: testID}); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed, %v", err)
	}
}

func TestALogThatLostItsDatabaseIsKept(t *testing.T) {
	for _, name := range []string{"empty", "gone"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.db")
		if err := os.WriteFile(path+"-wal", []byte("frames"), 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "empty" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(path, Options{ApplicationID: testID}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(path + "-wal"); err != nil || string(got) != "frames" {
			t.Errorf("%s: log is %q, %v", name, got, err)
		}
	}
}

func TestFlippedBytesNeverPanic(t *testing.T) {
	whole := makeDB(t, filepath.Join(t.TempDir(), "whole.db"))
	seed := uint64(20260131)
	rng := rand.New(rand.NewPCG(seed, 1))
	path := filepath.Join(t.TempDir(), "a.db")
	for range 150 {
		data := bytes.Clone(whole)
		for range 1 + rng.IntN(8) {
			data[rng.IntN(len(data))] ^= byte(1 << rng.IntN(8))
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path, Options{ApplicationID: testID})
		if err != nil {
			continue
		}
		var sum string
		_ = db.Read.QueryRow("SELECT group_concat(x || y) FROM t").Scan(&sum)
		_, _ = db.Write.Exec("INSERT INTO t (y) VALUES ('more')")
		db.Close()
	}
}

func TestAWriterThatWaitsTooLongIsToldThatItIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	first, second := open(t, path, Options{}), open(t, path, Options{})
	tx, err := first.Write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	ctx := context.Background()
	conn, err := second.Write.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil { // the test need not wait
		t.Fatal(err)
	}
	if _, err := conn.BeginTx(ctx, nil); !errors.Is(Explain(err), portal.ErrLocked) {
		t.Errorf("%v", err)
	}
}

func TestExplainNamesWhatACallerCanActOn(t *testing.T) {
	if err := Explain(nil); err != nil {
		t.Error(err)
	}
	other := errors.New("other")
	if err := Explain(other); err != other {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path, Options{})
	_, err := db.Write.Exec("PRAGMA max_page_count = 4; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))")
	if err := Explain(err); !errors.Is(err, portal.ErrNoSpace) {
		t.Errorf("full database: %v", err)
	}
	if err := Explain(fmt.Errorf("insert: %w", Explain(err))); !errors.Is(err, portal.ErrNoSpace) {
		t.Errorf("explained twice: %v", err)
	}
}
