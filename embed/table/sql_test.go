package table

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"koprik/portal"

	"github.com/google/go-cmp/cmp"
)

const rivers = "river,length km,basin\nSirdaryo,2212,Orol\nAmudaryo,1415,Orol\nZarafshon,877,Amudaryo\n\"Chirchiq\",161,Sirdaryo\n"

// sqlStore has a table of people, p, one of rivers, r, and a large one, big.
func sqlStore(t testing.TB) (*Store, []portal.SQLTable) {
	t.Helper()
	s, m := newStore(t)
	return s, []portal.SQLTable{
		{Name: "p", Resource: m.add("p.csv", []byte(people))},
		{Name: "r", Resource: m.add("r.csv", []byte(rivers))},
		{Name: "big", Resource: m.add("big.csv", []byte("a,b\n"+strings.Repeat("Toshkent viloyati,2\nXorazm,7\n", 6_000)))},
	}
}

func TestSQLAnswersASelectOnNamedTables(t *testing.T) {
	s, tables := sqlStore(t)
	for text, want := range map[string]portal.SQLAnswer{
		"SELECT region, n FROM p WHERE n > 9 ORDER BY n DESC; -- all":                                         {Columns: []string{"region", "n"}, Rows: [][]any{{"Тошкент", int64(100)}, {"Xorazm", int64(10)}}},
		`SELECT basin, sum("length km") AS km FROM r GROUP BY 1 HAVING km > 1000`:                             {Columns: []string{"basin", "km"}, Rows: [][]any{{"Orol", int64(3627)}}},
		"WITH x AS (SELECT river FROM r LIMIT 1) SELECT x.river, p.region FROM x, p WHERE p.ok IS NULL":       {Columns: []string{"river", "region"}, Rows: [][]any{{"Sirdaryo", "Navoiy"}}},
		"SELECT region FROM p WHERE koprik_fold(region) = koprik_fold('toshkent')":                            {Columns: []string{"region"}, Rows: [][]any{{"Тошкент"}}},
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 3) SELECT sum(x) AS s FROM c": {Columns: []string{"s"}, Rows: [][]any{{int64(6)}}},
		"SELECT row_number() OVER (ORDER BY river) AS i, river FROM r LIMIT 1":                                {Columns: []string{"i", "river"}, Rows: [][]any{{int64(1), "Amudaryo"}}},
		"SELECT ';' AS x /* ; */":                       {Columns: []string{"x"}, Rows: [][]any{{";"}}},
		"SELECT x'ff00' AS b, 1e999 AS i, NULL AS n":    {Columns: []string{"b", "i", "n"}, Rows: [][]any{{"ff00", nil, nil}}},
		"SELECT count(*) AS n FROM p WHERE region = ''": {Columns: []string{"n"}, Rows: [][]any{{int64(0)}}},
	} {
		got, err := s.SQL(t.Context(), portal.SQLQuery{Text: text, Tables: tables})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
}

func TestSQLThatIsNotOneSelectOnTheseTablesIsRefused(t *testing.T) {
	s, tables := sqlStore(t)
	written := filepath.Join(t.TempDir(), "stolen.db")
	for _, table := range tables {
		if _, err := s.Ensure(t.Context(), table.Resource); err != nil {
			t.Fatal(err)
		}
	}
	before := treeOf(t, s.dir)
	for text, says := range map[string]string{
		"":                                                     "empty",
		" ; -- nothing":                                        "empty",
		"SELECT 1; SELECT 2":                                   "more than one",
		"SELECT 1;;DELETE FROM p":                              "more than one",
		"SELEC 1":                                              "syntax error",
		"SELECT nope FROM p":                                   "no such column",
		"SELECT * FROM a0.t":                                   "not allowed",
		"SELECT c0 FROM main.t":                                "no such table",
		"SELECT count(*) FROM sqlite_master":                   "not allowed",
		"SELECT 1 FROM pragma_database_list":                   "not allowed",
		"SELECT * FROM sqlite_master":                          "not allowed",
		"SELECT * FROM sqlite_temp_master":                     "not allowed",
		"SELECT * FROM a0.sqlite_schema":                       "not allowed",
		"SELECT * FROM pragma_table_info('p')":                 "not allowed",
		"SELECT * FROM pragma_database_list":                   "not allowed",
		"SELECT * FROM dbstat":                                 "not allowed",
		"SELECT * FROM sqlite_dbpage":                          "not allowed",
		"ATTACH '" + written + "' AS x":                        "not allowed",
		"DETACH a0":                                            "not allowed",
		"VACUUM INTO '" + written + "'":                        "cannot VACUUM",
		"VACUUM":                                               "cannot VACUUM",
		"PRAGMA query_only = 0":                                "not allowed",
		"PRAGMA table_info(p)":                                 "not allowed",
		"PRAGMA temp_store_directory = '/tmp'":                 "not allowed",
		"INSERT INTO p VALUES (1,2,3,4,5,6)":                   "",
		"DELETE FROM a0.t":                                     "not allowed",
		"UPDATE a0.t SET c0 = 1":                               "not allowed",
		"DROP VIEW p":                                          "not allowed",
		"DROP TABLE a0.t":                                      "not allowed",
		"CREATE TABLE x(a)":                                    "not allowed",
		"CREATE TEMP TABLE x AS SELECT 1":                      "not allowed",
		"CREATE VIRTUAL TABLE x USING fts5(a)":                 "not allowed",
		"REINDEX":                                              "is no SELECT",
		"ANALYZE":                                              "not allowed",
		"BEGIN":                                                "not allowed",
		"SAVEPOINT a":                                          "not allowed",
		"SELECT load_extension('/tmp/x.so')":                   "not allowed",
		"SELECT zeroblob(1000000000)":                          "not allowed",
		"SELECT randomblob(1000000000)":                        "not allowed",
		"SELECT writefile('/tmp/x', 'y')":                      "no such function",
		"SELECT readfile('/etc/passwd')":                       "no such function",
		"SELECT fts3_tokenizer('x')":                           "no such function",
		"SELECT sqlite_compileoption_get(1)":                   "not allowed",
		"SELECT koprik_run(1)":                                 "not allowed",
		"SELECT koprik_run(1) FROM p":                          "not allowed",
		"SELECT ?1":                                            "",
		"SELECT " + strings.Repeat("1+", 200) + "1":            "Expression tree is too large",
		"SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", 30): "too many terms in compound SELECT",
		"SELECT '" + strings.Repeat("x", portal.MaxSQL):        "longer than",
		"SELECT 'a' LIKE '" + strings.Repeat("%a", 60) + "'":   "pattern too complex",
		"SELECT a FROM big WHERE \"nope\" = 'a'":               "no such column",
	} {
		got, err := s.SQL(t.Context(), portal.SQLQuery{Text: text, Tables: tables})
		if !errors.Is(err, portal.ErrUsage) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.80s: %v %v, want a refusal with %q", text, got, err, says)
		}
	}
	if diff := cmp.Diff(before, treeOf(t, s.dir)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
	if _, err := os.Stat(written); err == nil {
		t.Error("a database was written")
	}
}

// treeOf gives the digests of all tables.
func treeOf(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	tree := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".db" {
			return err
		}
		data, err := os.ReadFile(path)
		tree[filepath.Base(path)] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// endless statements would take for ever, or all memory.
var endless = map[string]string{
	"recursive":                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c",
	"recursive, after a row":   "SELECT 1 UNION ALL SELECT count(*) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c)",
	"recursive, no row passes": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c WHERE x < 0",
	"recursive, sorted":        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c ORDER BY -x",
	"recursive, distinct":      "WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x+1 FROM c) SELECT count(*) FROM c",
	"recursive, long texts":    "WITH RECURSIVE c(x, s) AS (SELECT 1, printf('%500000d', 1) UNION ALL SELECT x+1, s FROM c) SELECT * FROM c ORDER BY s, x",
	"cross join":               "SELECT count(*) FROM big a, big b, big c",
	"cross join, after rows":   "SELECT a.a FROM big a, big b WHERE a.b = 2 AND b.b = 7 AND a.a || b.a LIKE '%nowhere%' ",
	"cross join, sorted":       "SELECT a.a, b.a FROM big a, big b ORDER BY a.a || b.a, b.b",
	"cross join, grouped":      "SELECT a.a || b.b || c.a AS k, count(*) FROM big a, big b, big c GROUP BY k",
	"concatenated":             "SELECT group_concat(a.a) FROM big a, big b",
	"window":                   "SELECT sum(a.b) OVER (ORDER BY a.a ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM big a, big b",
	"regular growth":           "WITH RECURSIVE c(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM c) SELECT length(s) FROM c",
	"replace":                  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT sum(length(replace(printf('%900000d', x), ' ', 'y'))) FROM c",
	"like":                     "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT sum(printf('%900000d', x) LIKE '%1%2%3%4%5%6%7%8%9%0%a%b%c%d%e%f%g%h%i') FROM c",
	"glob":                     "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT sum(printf('%100000d', x) GLOB '*[0-9]*[a-z]*[0-9]*[a-z]*[^ ]*q') FROM c",
	"json":                     "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT group_concat(json_array(x)) FROM c",
	"correlated":               "SELECT (SELECT count(*) FROM big b WHERE b.a || a.a LIKE '%q%') FROM big a",
}

// Whatever a statement does, it ends, with no more than 20 percent over its limit
// of the processor, and neither memory nor files are left behind. The clock would
// count what else a busy machine does.
func TestEndlessSQLEndsWithItsLimit(t *testing.T) {
	s, tables := sqlStore(t)
	for _, table := range tables {
		if _, err := s.Ensure(t.Context(), table.Resource); err != nil {
			t.Fatal(err)
		}
	}
	s.sql.limit = 500 * time.Millisecond
	allowed := s.sql.limit * 12 / 10
	if testing.Short() { // beside the race detector
		s.sql.limit = 100 * time.Millisecond
		allowed = time.Second
	}
	for name, text := range endless {
		best := time.Hour
		var err error
		for range 3 { // garbage of the statements before falls to one at times
			before := cpuTime()
			_, err = s.SQL(t.Context(), portal.SQLQuery{Text: text, Tables: tables})
			if best = min(best, cpuTime()-before); best <= allowed {
				break
			}
		}
		if !errors.Is(err, portal.ErrTooMuch) {
			t.Errorf("%s: %v, want too much", name, err)
		}
		if best > allowed {
			t.Errorf("%s took %v of %v", name, best, s.sql.limit)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("%-26s %v, peak of the process %d MiB: %v", name, best.Round(time.Millisecond), peak()>>20, err)
	}
	if got, err := s.SQL(t.Context(), portal.SQLQuery{Text: "SELECT count(*) FROM p", Tables: tables}); err != nil || got.Rows[0][0] != int64(5) {
		t.Errorf("afterwards: %v %v", got, err)
	}
}

// A value that a function makes out of little is refused before it is made: the
// process never holds it.
func TestSQLMakesNoLargeValueOfASmallStatement(t *testing.T) {
	s, tables := sqlStore(t)
	s.sql.limit = time.Second
	before := peak()
	for _, text := range []string{
		"SELECT printf('%.*c', 1000000000, 'x')",
		"SELECT printf('%.1000000000c', 'x')",
		"SELECT length(format('%*d', 2147483647, 1))",
		"SELECT length(printf('%2000000000s', 'x'))",
		"SELECT length(replace(replace(printf('%1000000d', 1), ' ', 'yyyyyyyyyy'), 'y', 'zzzzzzzzzz'))",
		"SELECT length(hex(hex(hex(printf('%900000d', 1)))))",
		"SELECT length(quote(printf('%900000d', 1)) || quote(printf('%900000d', 1)))",
		"SELECT length(group_concat(printf('%900000d', b))) FROM big",
		"SELECT length(json_group_array(printf('%900000d', b))) FROM big",
		"SELECT length(json_group_object(a, printf('%900000d', b))) FROM big",
		"SELECT lag(a.a, 1000000) OVER (ORDER BY a.b) FROM big a, big b",
		"SELECT count(DISTINCT a.a || b.a || c.a || a.b) FROM big a, big b, big c",
		"SELECT count(*) FROM json_each(printf('[%.*c]', 100000000, '1'))",
		"SELECT json('" + strings.Repeat("[", 3000) + strings.Repeat("]", 3000) + "')",
		"SELECT * FROM generate_series(1, 1000000000000)",
		"SELECT * FROM pragma_table_list",
		"SELECT count(*) FROM (SELECT a.a FROM big a, big b ORDER BY printf('%9000d', a.b * b.b))",
	} {
		got, err := s.SQL(t.Context(), portal.SQLQuery{Text: text, Tables: tables})
		if !errors.Is(err, portal.ErrUsage) && !errors.Is(err, portal.ErrTooMuch) {
			t.Errorf("%.90s: %d rows, %v; want a refusal", text, len(got.Rows), err)
		}
		t.Logf("%.60s: peak %d MiB, %v", text, peak()>>20, err)
	}
	if grown := peak() - before; grown > 100<<20 {
		t.Errorf("the process grew by %d MiB", grown>>20)
	}
}

func TestSQLGivesAtMostItsRowsAndBytes(t *testing.T) {
	s, tables := sqlStore(t)
	got, err := s.SQL(t.Context(), portal.SQLQuery{Text: "SELECT b FROM big", Tables: tables})
	if err != nil || len(got.Rows) != portal.MaxSQLRows || !got.Truncated {
		t.Errorf("%d rows, %v, %v", len(got.Rows), got.Truncated, err)
	}
	got, err = s.SQL(t.Context(), portal.SQLQuery{Text: "SELECT printf('%900000d', b) FROM big", Tables: tables})
	if err != nil || len(got.Rows) > 9 || !got.Truncated {
		t.Errorf("%d rows, %v, %v", len(got.Rows), got.Truncated, err)
	}
	_, err = s.SQL(t.Context(), portal.SQLQuery{Text: "SELECT printf('%1900000d', 1)", Tables: tables})
	if !errors.Is(err, portal.ErrTooMuch) {
		t.Errorf("a value of 1.9 MB: %v", err)
	}
}

func TestSQLOnATableWithHostileNames(t *testing.T) {
	s, m := newStore(t)
	r := m.add("a.csv", []byte("\"a\"\"; DROP TABLE t; --\",\"Name\",\"name\",\"select\"\n1,2,3,4\n"))
	got, err := s.SQL(t.Context(), portal.SQLQuery{Text: `SELECT * FROM "x"" y"`, Tables: []portal.SQLTable{{Name: `x" y`, Resource: r}}})
	if err != nil || len(got.Rows) != 1 || !cmp.Equal(got.Rows[0], []any{int64(1), int64(2), int64(3), int64(4)}) || got.Columns[0] != `a"; DROP TABLE t; --` {
		t.Errorf("%v %v", got, err)
	}
	for _, name := range []string{"", "sqlite_master", "a\x00"} {
		_, err := s.SQL(t.Context(), portal.SQLQuery{Text: "SELECT 1", Tables: []portal.SQLTable{{Name: name, Resource: r}}})
		if !errors.Is(err, portal.ErrUsage) {
			t.Errorf("table named %q: %v", name, err)
		}
	}
}

func TestSQLEndsWithItsContextAndWaitsItsTurn(t *testing.T) {
	s, tables := sqlStore(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.SQL(ctx, portal.SQLQuery{Text: endless["cross join"], Tables: tables}); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for range sqlSlots {
		s.sql.slots <- struct{}{}
	}
	again, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := s.SQL(again, portal.SQLQuery{Text: "SELECT 1", Tables: tables}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a turn: %v", err)
	}
}

func FuzzOneStatement(f *testing.F) {
	for _, s := range []string{"SELECT ';' -- ;\n", "SELECT 1; SELECT 2", "/* ; */;", `"a;" [;] ` + "`;`", "SELECT 'a'';b'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := oneStatement(s); err != nil && !errors.Is(err, portal.ErrUsage) {
			t.Error(err)
		}
	})
}
