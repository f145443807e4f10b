package table

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

// benchQueries are the same question to us and to the sqlite3 shell. The limits
// are those of the specification (spec/text-and-search.md, "Tables"), for a
// million rows.
var benchQueries = []struct {
	name  string
	q     portal.TableQuery
	sql   string // on the table as the shell imported it, its numbers being numbers
	cold  time.Duration
	quick time.Duration
}{
	{
		"filtered page",
		portal.TableQuery{Filters: []portal.TableFilter{{Column: "region", Op: portal.OpEqual, Values: []string{"Viloyat 7"}}}},
		"SELECT * FROM t WHERE region = 'Viloyat 7' LIMIT 50; SELECT count(*) FROM t WHERE region = 'Viloyat 7'", 0, 2 * time.Millisecond,
	},
	{"filtered page, two columns, sorted", portal.TableQuery{
		Filters: []portal.TableFilter{{Column: "year", Op: portal.OpEqual, Values: []string{"2010"}}, {Column: "sex", Op: portal.OpEqual, Values: []string{"f"}}},
		Order:   []portal.TableOrder{{By: "population", Desc: true}},
	}, "SELECT * FROM t WHERE year = 2010 AND sex = 'f' ORDER BY population DESC LIMIT 50; SELECT count(*) FROM t WHERE year = 2010 AND sex = 'f'", 0, 0},
	{
		"group by region",
		portal.TableQuery{Group: []string{"region"}, Aggregates: []portal.Aggregate{{Column: "population", Func: portal.AggSum}}},
		"SELECT region, count(*), sum(population) FROM t GROUP BY region", 700 * time.Millisecond, 5 * time.Millisecond,
	},
	{"group by region and year", portal.TableQuery{Group: []string{"region", "year"}, Aggregates: []portal.Aggregate{
		{Column: "population", Func: portal.AggSum}, {Column: "share", Func: portal.AggMean}, {Column: "population", Func: portal.AggMax},
	}}, "SELECT region, year, count(*), sum(population), avg(share), max(population) FROM t GROUP BY region, year", 0, 0},
	{"three facets of a filtered table", portal.TableQuery{
		Filters: []portal.TableFilter{{Column: "region", Op: portal.OpEqual, Values: []string{"Viloyat 7"}}}, Facets: []string{"region", "year", "sex"},
	}, "SELECT region, count(*) FROM t GROUP BY region; SELECT year, count(*) FROM t WHERE region = 'Viloyat 7' GROUP BY year; SELECT sex, count(*) FROM t WHERE region = 'Viloyat 7' GROUP BY sex", 0, 0},
	{
		"contains, whatever the script",
		portal.TableQuery{Filters: []portal.TableFilter{{Column: "district", Op: portal.OpContains, Values: []string{"tuman 77"}}}},
		"SELECT * FROM t WHERE district LIKE '%Туман 77%' LIMIT 50; SELECT count(*) FROM t WHERE district LIKE '%Туман 77%'", 0, 0,
	},
}

// TestBenchQueries asks the same of a large table here and in the sqlite3 shell,
// by turns (make bench-tables). Cold is the first query on a table, which reads
// its rows; from the summary, the next ones, which read the columns that were made
// of them meanwhile. What was asked before is remembered and takes some 0.1 ms.
func TestBenchQueries(t *testing.T) {
	rows, err := strconv.Atoi(os.Getenv("KOPRIK_BENCH_TABLES"))
	if err != nil {
		t.Skip("KOPRIK_BENCH_TABLES is not the number of rows: run make bench-tables")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a.csv")
	writeStatistics(t, file, rows)
	s := Open(filepath.Join(dir, "tables"), fileObjects{file})
	defer s.Close()
	r := portal.Resource{Name: "a", Path: "a.csv", Hash: portal.DigestOf([]byte{1})}
	if _, err := s.Ensure(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	shell := importByShell(t, dir, file) > 0
	s.limit = time.Minute
	t.Logf("processor time (and by the clock, of a machine that may be busy)")
	t.Logf("%-36s %18s %20s %20s", "", "cold", "from the summary", "sqlite3")
	for _, c := range benchQueries {
		var cold, quick, theirs spent
		for range 3 {
			s.columns.work.Wait()
			s.columns.drop(keyOf(t, s, r))
			s.answers = newAnswers()
			cold.least(timeQuery(t, s, r, c.q, 1))
			s.columns.work.Wait()
			quick.least(timeQuery(t, s, r, c.q, 40))
			if shell {
				theirs.least(askShell(t, dir, c.sql))
			}
		}
		t.Logf("%-36s %18s %20s %20s   cold %.2f, summary %.4f of sqlite3's", c.name, cold, quick, theirs, cold.cpu.Seconds()/theirs.cpu.Seconds(), quick.cpu.Seconds()/theirs.cpu.Seconds())
		if rows == 1_000_000 && (c.cold > 0 && cold.cpu > c.cold || c.quick > 0 && quick.cpu > c.quick) {
			t.Errorf("%s: %v cold, %v from the summary; wanted %v, %v", c.name, cold, quick, c.cold, c.quick)
		}
	}
}

// spent is what something took.
type spent struct{ cpu, clock time.Duration }

func (s spent) String() string {
	return fmt.Sprintf("%v (%v)", s.cpu.Round(10*time.Microsecond), s.clock.Round(10*time.Microsecond))
}

// least keeps the smaller of each.
func (s *spent) least(o spent) {
	if s.cpu == 0 || o.cpu < s.cpu {
		s.cpu = o.cpu
	}
	if s.clock == 0 || o.clock < s.clock {
		s.clock = o.clock
	}
}

func keyOf(t *testing.T, s *Store, r portal.Resource) string {
	t.Helper()
	l, err := s.findTable(t.Context(), r, "")
	if err != nil {
		t.Fatal(err)
	}
	return l.Key
}

// timeQuery asks so many times, each time as if for the first: no answer is
// remembered. The clock's is the shortest of them.
func timeQuery(t *testing.T, s *Store, r portal.Resource, q portal.TableQuery, times int) (took spent) {
	t.Helper()
	runtime.GC()
	worked := cpuTime()
	for range times {
		s.answers = newAnswers()
		begin := time.Now()
		if _, err := s.Query(t.Context(), r, "", q); err != nil {
			t.Fatal(err)
		}
		if clock := time.Since(begin); took.clock == 0 || clock < took.clock {
			took.clock = clock
		}
		if times == 1 { // the summary begins when the query is answered
			took.cpu = cpuTime() - worked
		}
	}
	if times > 1 {
		took.cpu = (cpuTime() - worked) / time.Duration(times)
	}
	return took
}

// askShell times statements in the shell without its start: what it says itself.
func askShell(t *testing.T, dir, text string) (took spent) {
	t.Helper()
	db := filepath.Join(dir, "shell.db")
	numbers := filepath.Join(dir, "numbers.db")
	if _, err := os.Stat(numbers); err != nil { // .import makes every value text
		cmd := exec.Command("sqlite3", numbers)
		cmd.Stdin = strings.NewReader(fmt.Sprintf("ATTACH '%s' AS s; CREATE TABLE t AS SELECT soato, region, district, CAST(year AS INTEGER) year, sex, CAST(age AS INTEGER) age, CAST(population AS INTEGER) population, CAST(share AS REAL) share, updated, note FROM s.t;\n", db))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	cmd := exec.Command("sqlite3", numbers)
	cmd.Stdin = strings.NewReader(".output /dev/null\nSELECT count(*) FROM t;\n.output stdout\n.timer on\n.output /dev/null\n" + text + ";\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "Run Time: real "); ok {
			f := strings.Fields(rest) // 0.335 user 0.055703 sys 0.003247
			for i, into := range map[int]*time.Duration{0: &took.clock, 2: &took.cpu, 4: &took.cpu} {
				seconds, _ := strconv.ParseFloat(f[i], 64)
				*into += time.Duration(seconds * float64(time.Second))
			}
		}
	}
	return took
}
