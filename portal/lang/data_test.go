package lang

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
)

// pair is one word or name in two scripts.
type pair struct{ cyrillic, latin string }

// parallelText reads two files that have the same words in the same order.
func parallelText(t *testing.T, dir, suffix string) []pair {
	t.Helper()
	read := func(name string) []string {
		b, err := os.ReadFile(filepath.Join(dir, name+suffix))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(b))
	}
	cyrillic, latin := read("cyrillic"), read("latin")
	if len(cyrillic) != len(latin) {
		t.Fatalf("%d words against %d", len(cyrillic), len(latin))
	}
	var pairs []pair
	for i := range cyrillic {
		pairs = append(pairs, pair{cyrillic[i], latin[i]})
	}
	return pairs
}

// places reads the official names of a CSV file, in both scripts.
func places(t *testing.T, path string) []pair {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.LazyQuotes = true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	n := len(rows[0])
	var pairs []pair
	for _, row := range rows[1:] {
		pairs = append(pairs, pair{row[n-2], row[n-3]})
	}
	return pairs
}

// share counts how many pairs hold and shows the first that do not.
func share(t *testing.T, what string, pairs []pair, holds func(pair) bool) float64 {
	t.Helper()
	n, shown := 0, 0
	for _, p := range pairs {
		if holds(p) {
			n++
		} else if shown < 5 {
			shown++
			t.Logf("%s: %q and %q", what, p.cyrillic, p.latin)
		}
	}
	s := float64(n) / float64(len(pairs))
	t.Logf("%s: %d of %d, %.2f %%", what, n, len(pairs), 100*s)
	return s
}

func TestRunningTextFoldsAlikeInBothScripts(t *testing.T) {
	dir := sharedtest.Path(t, "data/uz-text/lotin-kirill/fixtures")
	for _, suffix := range []string{"LongText.txt", "Text.txt"} {
		pairs := parallelText(t, dir, suffix)
		if s := share(t, "folds alike", pairs, func(p pair) bool { return Fold(p.cyrillic) == Fold(p.latin) }); s < .998 {
			t.Errorf("%s: strict folding %.4f, want .998", suffix, s)
		}
		if s := share(t, "Latin from Cyrillic", pairs, func(p pair) bool { return ToLatin(p.cyrillic) == ToLatin(p.latin) }); s < .998 {
			t.Errorf("%s: ToLatin %.4f, want .998", suffix, s)
		}
		var uzbek []pair // the long text quotes Latin letters and English on both sides
		for _, p := range pairs {
			if p.cyrillic != p.latin && !strings.ContainsAny(p.cyrillic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				uzbek = append(uzbek, p)
			}
		}
		if s := share(t, "Cyrillic from Latin", uzbek, func(p pair) bool { return ToCyrillic(p.latin) == p.cyrillic }); s < .98 {
			t.Errorf("%s: ToCyrillic %.4f, want .98", suffix, s)
		}
		if s := share(t, "round trip", uzbek, func(p pair) bool { return ToCyrillic(ToLatin(p.cyrillic)) == p.cyrillic }); s < .98 {
			t.Errorf("%s: round trip %.4f, want .98", suffix, s)
		}
	}
}

// Names were typed twice by hand, so part of what differs are their misprints.
func TestOfficialNamesFoldAlikeInBothScripts(t *testing.T) {
	dir := sharedtest.Path(t, "data/uz-geo/mimaxuz/CSV")
	for name, want := range map[string]float64{"regions.csv": 1, "districts.csv": .98, "villages.csv": .95} {
		pairs := places(t, filepath.Join(dir, name))
		share(t, name+" strict", pairs, func(p pair) bool { return Fold(p.cyrillic) == Fold(p.latin) })
		if s := share(t, name+" loose", pairs, func(p pair) bool { return FoldLoose(p.cyrillic) == FoldLoose(p.latin) }); s < want {
			t.Errorf("%s: loose folding %.4f, want %.2f", name, s, want)
		}
		share(t, name+" Cyrillic", pairs, func(p pair) bool { return ToCyrillic(p.latin) == p.cyrillic })
	}
}
