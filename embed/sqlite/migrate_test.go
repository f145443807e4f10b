package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func files(list ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(list); i += 2 {
		fsys[list[i]] = &fstest.MapFile{Data: []byte(list[i+1])}
	}
	return fsys
}

func TestMigrationsAreAppliedOnceAndInOrder(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	first := []string{"0001_first.sql", "CREATE TABLE t (x INTEGER) STRICT; INSERT INTO t VALUES (1);"}
	second := append(first, "0002_second.sql", "INSERT INTO t VALUES (2); ALTER TABLE t ADD COLUMN y TEXT;")
	for _, fsys := range []fstest.MapFS{files(first...), files(first...), files(second...), files(second...)} {
		db := open(t, path, Options{})
		if err := Migrate(ctx, db.Write, fsys); err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	db := open(t, path, Options{})
	var rows, sum, held int
	if err := db.Read.QueryRow("SELECT count(*), sum(x), (SELECT count(*) FROM migrations) FROM t").Scan(&rows, &sum, &held); err != nil || rows != 2 || sum != 3 || held != 2 {
		t.Errorf("%d rows, sum %d, %d migrations, %v", rows, sum, held, err)
	}
}

func TestMigrateRefuses(t *testing.T) {
	ctx := context.Background()
	one, two := []string{"0001_a.sql", "CREATE TABLE a (x)"}, []string{"0002_b.sql", "CREATE TABLE b (x)"}
	both := files(append(append([]string{}, one...), two...)...)
	for name, tt := range map[string]struct {
		first, second fstest.MapFS
		want          error
		says          string
	}{
		"a newer database":    {both, files(one...), ErrNewer, "0002_b.sql"},
		"a changed migration": {both, files("0001_a.sql", "CREATE TABLE a (x, y)", "0002_b.sql", two[1]), ErrChanged, "0001_a.sql"},
		"a renamed migration": {both, files("0001_c.sql", one[1], "0002_b.sql", two[1]), ErrChanged, "0001_a.sql"},
		"a missing migration": {both, files(two...), nil, "must be 0001"},
		"a gap":               {files(one...), files(append([]string{"0003_c.sql", ""}, one...)...), nil, "must be 0002"},
		"a foreign file":      {files(one...), files(append([]string{"README.md", ""}, one...)...), nil, "README.md"},
		"a wrong statement":   {files(one...), files(append([]string{"0002_b.sql", "CREATE TABLE b (x); nonsense"}, one...)...), nil, "0002_b.sql"},
	} {
		db := open(t, filepath.Join(t.TempDir(), "a.db"), Options{})
		if err := Migrate(ctx, db.Write, tt.first); err != nil {
			t.Fatal(err)
		}
		err := Migrate(ctx, db.Write, tt.second)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMigrationThatBreaksLeavesNothing(t *testing.T) {
	ctx := context.Background()
	db := open(t, filepath.Join(t.TempDir(), "a.db"), Options{})
	err := Migrate(ctx, db.Write, files("0001_a.sql", "CREATE TABLE a (x)", "0002_b.sql", "CREATE TABLE b (x); INSERT INTO c VALUES (1)"))
	if err == nil {
		t.Fatal("a broken migration was accepted")
	}
	var tables, held int
	if err := db.Read.QueryRow("SELECT (SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')), (SELECT count(*) FROM migrations)").Scan(&tables, &held); err != nil || tables != 1 || held != 1 {
		t.Errorf("%d tables, %d migrations, %v; want the first of each", tables, held, err)
	}
	if err := Migrate(ctx, db.Write, files("0001_a.sql", "CREATE TABLE a (x)", "0002_b.sql", "CREATE TABLE b (x)")); err != nil {
		t.Errorf("after mending it: %v", err)
	}
}
