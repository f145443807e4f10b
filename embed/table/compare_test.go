package table

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

// compareCSV compares two tables given as text, the columns' meanings as they are guessed.
func compareCSV(t testing.TB, before, after string, show int) portal.TableChange {
	t.Helper()
	s, m := newStore(t)
	change, err := s.Compare(context.Background(), m.add("t.csv", []byte(before)), m.add("t.csv", []byte(after)), "", show)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

const compared = `soato,year,population
1700,2024,300
1703,2024,100
1706,2024,200
`

func TestRowsAreMatchedByWhatTheyAreAbout(t *testing.T) {
	after := `soato,year,population,note
1706,2024,210,
1700,2024,310,
1703,2024,100,
1700,2025,320,
1703,2025,105,new
`
	got := compareCSV(t, compared, after, 10)
	want := portal.TableChange{
		Key: []string{"soato", "year"}, ColumnsAdded: []string{"note"}, RowsBefore: 3, RowsAfter: 5, Added: 2, Changed: 2,
		Rows: []portal.RowChange{
			{What: portal.RowAdded, Key: []any{int64(1700), int64(2025)}},
			{What: portal.RowAdded, Key: []any{int64(1703), int64(2025)}},
			{What: portal.RowChanged, Key: []any{int64(1706), int64(2024)}, Cells: []portal.CellChange{{Column: "population", Before: int64(200), After: int64(210)}}},
			{What: portal.RowChanged, Key: []any{int64(1700), int64(2024)}, Cells: []portal.CellChange{{Column: "population", Before: int64(300), After: int64(310)}}},
		},
		Totals: []portal.TotalMoved{{Column: "population", Time: "2024", Before: 300, After: 310}}, // the country's rows are totals
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSumsAreOfOneTimeAndOneUnit(t *testing.T) {
	for name, tt := range map[string]struct{ before, after string }{
		"no time in both":  {"soato,year,population\n1703,2023,1\n1706,2023,2\n", "soato,year,population\n1703,2024,3\n1706,2024,4\n"},
		"time in one only": {"soato,population\n1703,1\n1706,2\n", "soato,year,population\n1703,2024,3\n1706,2024,4\n"},
		"only later times": {"soato,year,population\n1703,2024,1\n1706,2024,2\n", "soato,year,population\n1703,2024,1\n1706,2024,2\n1703,2025,1\n1706,2025,2\n"},
	} {
		if got := compareCSV(t, tt.before, tt.after, 10); len(got.Totals) != 0 {
			t.Errorf("%s: %+v", name, got.Totals)
		}
	}
	got := compareCSV(t, "soato,population\n1703,1\n1706,2\n", "soato,population\n1703,3\n1706,4\n", 10)
	if want := []portal.TotalMoved{{Column: "population", Before: 3, After: 7}}; !cmp.Equal(got.Totals, want) {
		t.Errorf("without a time: %+v", got.Totals)
	}
}

func TestARevertedTableIsTheSame(t *testing.T) {
	if got := compareCSV(t, compared, strings.ReplaceAll(compared, "\n", "\r\n"), 10); !got.Same() || len(got.Totals) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestRowsThatNothingTellsApartAreComparedWhole(t *testing.T) {
	got := compareCSV(t, "remark\nabc\nabc\nde\n", "remark\nabc\nfgh\nde\nabc\nabc\n", 10)
	want := []portal.RowChange{{What: portal.RowAdded, Key: []any{"abc"}}, {What: portal.RowAdded, Key: []any{"fgh"}}}
	if len(got.Key) != 0 || got.Added != 2 || got.Removed != 0 || !cmp.Equal(want, got.Rows) {
		t.Errorf("%+v", got)
	}
}

func TestColumnsComeAndGo(t *testing.T) {
	got := compareCSV(t, "year,a\n2024,1\n2025,2\n", "year,b\n2024,1\n2025,2\n", 10)
	if !cmp.Equal(got.ColumnsAdded, []string{"b"}) || !cmp.Equal(got.ColumnsGone, []string{"a"}) || got.Changed != 0 || got.Same() {
		t.Errorf("%+v", got)
	}
	other := compareCSV(t, "a\nx\n", "b\nx\ny\n", 10)
	if other.Added != 2 || other.Removed != 1 {
		t.Errorf("nothing in common: %+v", other)
	}
}

func TestOnlySoManyRowsAreShownAndAllAreCounted(t *testing.T) {
	var before, after strings.Builder
	before.WriteString("region,v\n")
	after.WriteString("region,v\n")
	for i := range 400 {
		fmt.Fprintf(&before, "r%d,%d\n", i, i)
		fmt.Fprintf(&after, "r%d,%d\n", i, i+1)
	}
	got := compareCSV(t, before.String(), after.String(), 1000)
	if got.Changed != 400 || len(got.Rows) != MaxChanges {
		t.Errorf("%d changed, %d shown", got.Changed, len(got.Rows))
	}
	if none := compareCSV(t, before.String(), after.String(), 0); none.Changed != 400 || len(none.Rows) != 0 {
		t.Errorf("%d changed, %d shown", none.Changed, len(none.Rows))
	}
}

func TestWhatIsNotThereCannotBeCompared(t *testing.T) {
	s, m := newStore(t)
	here := m.add("t.csv", []byte(compared))
	if _, err := s.Compare(context.Background(), portal.Resource{Name: "t", Path: "t.csv", Hash: portal.DigestOf([]byte("away"))}, here, "", 1); !errors.Is(err, portal.ErrNotHeld) {
		t.Errorf("%v", err)
	}
	if _, err := s.Compare(context.Background(), here, here, "sheet", 1); !errors.Is(err, portal.ErrNotFound) {
		t.Errorf("%v", err)
	}
	s.limit = 1
	if _, err := s.Compare(context.Background(), here, here, "", 1); !errors.Is(err, portal.ErrTooMuch) {
		t.Errorf("%v", err)
	}
}

// Whatever two tables are: what was added less what was removed is what the
// table grew by, and the way back is the same the other way round.
func TestAComparisonAddsUp(t *testing.T) {
	const seed = 20261123
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	side := func() string {
		var b strings.Builder
		b.WriteString("year,kind,v\n")
		for range 1 + r.IntN(12) {
			fmt.Fprintf(&b, "%d,%s,%d\n", 2000+r.IntN(12), []string{"a", "b", ""}[r.IntN(3)], r.IntN(4))
		}
		return b.String()
	}
	for range 30 {
		a, b := side(), side()
		there, back := compareCSV(t, a, b, 5), compareCSV(t, b, a, 5)
		if there.RowsAfter-there.RowsBefore != there.Added-there.Removed {
			t.Fatalf("%s%s%+v", a, b, there)
		}
		if len(there.Key) == len(back.Key) && (there.Added != back.Removed || there.Removed != back.Added || there.Changed != back.Changed) {
			t.Fatalf("%s%s%+v\n%+v", a, b, there, back)
		}
		if same := compareCSV(t, a, a, 5); !same.Same() {
			t.Fatalf("%s%+v", a, same)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	var before, after strings.Builder
	for i, w := range []*strings.Builder{&before, &after} {
		w.WriteString("year,code,v\n")
		for j := range 100_000 {
			fmt.Fprintf(w, "%d,k%d,%d\n", 2000+j%20, j/20, j+i*(j%100/99))
		}
	}
	s, m := newStore(b)
	x, y := m.add("t.csv", []byte(before.String())), m.add("t.csv", []byte(after.String()))
	for _, r := range []portal.Resource{x, y} {
		if _, err := s.Ensure(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := s.Compare(context.Background(), x, y, "", 100); err != nil {
			b.Fatal(err)
		}
	}
}
