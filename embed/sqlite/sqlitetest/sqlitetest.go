// Package sqlitetest holds a room's migrations to the list that was committed
// with them.
package sqlitetest

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"koprik/embed/sqlite"
)

// OnlyGrow fails unless the migrations in fsys are numbered without gaps and
// are exactly those of the golden file, one "name sha256" a line. When
// KOPRIK_UPDATE is set new ones are added to the file; a line in it is never
// changed, for databases out there already have it.
func OnlyGrow(t *testing.T, fsys fs.FS, golden string) {
	t.Helper()
	list, err := sqlite.Migrations(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, m := range list {
		have = append(have, fmt.Sprintf("%s %s", m.Name, m.SHA256))
	}
	data, err := os.ReadFile(golden)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	want := strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
	for i, line := range want {
		if i >= len(have) || have[i] != line {
			t.Fatalf("migration %q was committed and is no longer the same; add a new one instead", line)
		}
	}
	if slices.Equal(have, want) {
		return
	}
	if os.Getenv("KOPRIK_UPDATE") == "" {
		t.Fatalf("%s has %d migrations, the folder %d; run with KOPRIK_UPDATE=1", golden, len(want), len(have))
	}
	if err := os.WriteFile(golden, []byte(strings.Join(have, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
